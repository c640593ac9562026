#!/bin/bash
# A stack of two zones as namespaces: in each a runner and a gateway on the VPC's net, each gateway with an address of its own in a small internet,
# and the link-local services (resolver, metadata) beside the gateways. usage: zones.sh up|down PREFIX
set -e
p=$2
all=(vpc ra rb ga gb net dns)

if [ "$1" = down ]; then
	for name in "${all[@]}"; do
		ip netns pids "$p-$name" 2>/dev/null | xargs -r kill -9 2>/dev/null || true
		ip netns del "$p-$name" 2>/dev/null || true
		rm -rf "/etc/netns/$p-$name"
	done
	exit 0
fi

for name in "${all[@]}"; do
	ip netns add "$p-$name"
	ip -n "$p-$name" link set lo up
	mkdir -p "/etc/netns/$p-$name"
	echo "nameserver 169.254.169.253" > "/etc/netns/$p-$name/resolv.conf"
done

# The VPC: everybody on one net; who goes out by whom is the default route's to say, as a route table's.
ip -n "$p-vpc" link add br0 type bridge
ip -n "$p-vpc" link set br0 up
in_vpc() { # NAME ADDRESS
	ip -n "$p-$1" link add eth0 type veth peer name "to-$1" netns "$p-vpc"
	ip -n "$p-$1" addr add "$2/16" dev eth0
	ip -n "$p-$1" link set eth0 up
	ip -n "$p-vpc" link set "to-$1" master br0 up
}
in_vpc ra 10.77.16.10
in_vpc rb 10.77.32.10
in_vpc ga 10.77.0.10
in_vpc gb 10.77.2.10
ip -n "$p-ra" route add default via 10.77.0.10
ip -n "$p-rb" route add default via 10.77.2.10

# The internet. It has no way back to addresses of the VPC.
for at in a:1 b:2; do
	zone=${at%:*} number=${at#*:}
	ip -n "$p-g$zone" link add out0 type veth peer name "from-$zone" netns "$p-net"
	ip -n "$p-g$zone" addr add "11.0.$number.2/24" dev out0
	ip -n "$p-net" addr add "11.0.$number.1/24" dev "from-$zone"
	ip -n "$p-g$zone" link set out0 up
	ip -n "$p-net" link set "from-$zone" up
	ip -n "$p-g$zone" route add default via "11.0.$number.1"
done
for address in 8 10 11 20 30 50; do ip -n "$p-net" addr add "11.0.0.$address/32" dev lo; done
ip -n "$p-net" addr add 2001:db8::20/128 dev lo nodad

# Link-local: the VPC's resolver for everybody, metadata for the gateways.
beside() { # NAME ADDRESS
	ip -n "$p-$1" link add dns0 type veth peer name "to-$1" netns "$p-dns"
	ip -n "$p-$1" link set dns0 up
	ip -n "$p-dns" link set "to-$1" up
	ip -n "$p-$1" route add 169.254.169.252/30 dev dns0 src "$2"
	ip -n "$p-dns" route add "$2/32" dev "to-$1"
}
ip -n "$p-dns" addr add 169.254.169.253/32 dev lo
ip -n "$p-dns" addr add 169.254.169.254/32 dev lo
beside ra 10.77.16.10
beside rb 10.77.32.10
beside ga 10.77.0.10
beside gb 10.77.2.10
