#!/bin/bash
# A network of namespaces like that of a stack: two runner subnets, a gateway between them and a small internet, and the VPC's own resolver,
# which everybody reaches beside the gateway. usage: lab.sh up|down PREFIX
set -e
p=$2
run=$p-run deploy=$p-dep gw=$p-gw net=$p-net dns=$p-dns

if [ "$1" = down ]; then
	for ns in $run $deploy $gw $net $dns; do
		ip netns pids "$ns" 2>/dev/null | xargs -r kill -9 2>/dev/null || true
		ip netns del "$ns" 2>/dev/null || true
		rm -rf "/etc/netns/$ns"
	done
	exit 0
fi

for ns in $run $deploy $gw $net $dns; do
	ip netns add "$ns"
	ip -n "$ns" link set lo up
	mkdir -p "/etc/netns/$ns"
	echo "nameserver 169.254.169.253" > "/etc/netns/$ns/resolv.conf"
done

# Runner subnets: their only way out is the gateway.
link() { # NAMESPACE DEVICE ADDRESS PEER_NAMESPACE PEER_DEVICE PEER_ADDRESS
	ip -n "$1" link add "$2" type veth peer name "$5" netns "$4"
	ip -n "$1" addr add "$3" dev "$2"
	ip -n "$4" addr add "$6" dev "$5"
	ip -n "$1" link set "$2" up
	ip -n "$4" link set "$5" up
}
link $run eth0 10.77.1.10/24 $gw run0 10.77.1.1/24
link $deploy eth0 10.77.2.10/24 $gw dep0 10.77.2.1/24
link $gw out0 11.0.1.2/24 $net in0 11.0.1.1/24
ip -n $run route add default via 10.77.1.1
ip -n $deploy route add default via 10.77.2.1
ip -n $gw route add default via 11.0.1.1
ip -n $net route add 10.77.0.0/16 via 11.0.1.2
for address in 8 10 11 20 30; do ip -n $net addr add 11.0.0.$address/32 dev lo; done

# IPv6, which must not be a way round.
ip -n $run addr add fd77:1::10/64 dev eth0 nodad
ip -n $gw addr add fd77:1::1/64 dev run0 nodad
ip -n $gw addr add 2001:db8:1::2/64 dev out0 nodad
ip -n $net addr add 2001:db8:1::1/64 dev in0 nodad
ip -n $net addr add 2001:db8::20/128 dev lo nodad
ip -n $run -6 route add default via fd77:1::1
ip -n $gw -6 route add default via 2001:db8:1::1
ip -n $net -6 route add fd77:1::/64 via 2001:db8:1::2
# The gateway answers no neighbour either: what is tried here comes as far as its rules for what passes.
mac=$(ip netns exec $gw cat /sys/class/net/run0/address)
ip -n $run -6 neigh add fd77:1::1 lladdr "$mac" dev eth0 nud permanent

# A gateway that would route if its rules let it: what is cut is cut by the rules.
ip netns exec $gw sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -n $gw addr add 169.254.169.254/32 dev lo

# The resolver, as the VPC has it.
resolver() { # NAMESPACE ADDRESS
	ip -n "$1" link add dns0 type veth peer name "to-$1" netns $dns
	ip -n "$1" link set dns0 up
	ip -n $dns link set "to-$1" up
	ip -n "$1" route add 169.254.169.253/32 dev dns0 src "$2"
	ip -n $dns route add "$2/32" dev "to-$1"
}
ip -n $dns addr add 169.254.169.253/32 dev lo
resolver $run 10.77.1.10
resolver $deploy 10.77.2.10
resolver $gw 11.0.1.2
