# shellcheck shell=bash disable=SC2317 # Functions are called by check.
# What a booted machine must be, asked by a job on it: one line for each, `ok` or `not ok`. Runs as the job's user, with sudo.
failed=0
check() {
	local name=$1 said
	shift
	if said=$("$@" 2>&1); then echo "ok: $name"; else
		echo "not ok: $name: $(tr '\n' ' ' <<< "$said" | head -c 300)"
		failed=1
	fi
}
is() { [ "$1" = "$2" ] || { echo "$1, not $2"; return 1; }; }
none() { local found; found=$("$@") || true; [ -z "$found" ] || { echo "$found"; return 1; }; }
mode() { is "$(sudo stat -c '%a %U:%G' "$1")" "$2"; }

logins() { sudo awk -F: '$2 !~ /^[!*]/ { print $1 }' /etc/shadow; }
listening() { ss -Hlntu | awk '$5 !~ /^127\./ && $5 !~ /%eth0:68$/ { print $1, $5 }'; }
writable() { sudo find /etc /usr /opt -xdev -type f -perm -0002; }
allowed=$(sed -n 's/^enable //p' /etc/systemd/system-preset/00-mayfly.preset)
strays() { comm -23 <("$@" | sort -u) <(sort -u <<< "$allowed"); }
enabled() { systemctl list-unit-files --no-legend --state=enabled,enabled-runtime | awk '{ print $1 }'; }
timers() { systemctl list-units --no-legend --plain --state=active --type=timer | awk '{ print $1 }'; }
started() {
	systemctl list-units --no-legend --plain --state=active --type=service,socket | awk '{ print $1 }' |
		grep -vE '^(mayfly-runner(-[0-9]+)?|docker|containerd|user@.*|user-runtime-dir@.*)\.service$'
}
imds() { curl -s -o /dev/null -w '%{http_code}' "$@" http://169.254.169.254/latest/dynamic/instance-identity/document; }
token=$(curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 21600' http://169.254.169.254/latest/api/token)
identity=$(curl -s -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/dynamic/instance-identity/document)
id=$(jq -r .instanceId <<< "$identity") ip=$(jq -r .privateIp <<< "$identity")
document() { curl -s -o /dev/null -w '%{http_code}' "http://169.254.169.5/boot/$ip/$id"; }
# A report token: <instance>.<expiry>.<64 hex>. It lives in the agent's memory alone.
tokens() { sudo grep -rIlsE "$id\.[0-9]{10}\.[0-9a-f]{64}" /etc /var /run /tmp /home /root /opt --exclude-dir=externals; }
jit() { env | grep -i JITCONFIG; }

check "the job's user is runner, 1001" is "$(id -un) $(id -u)" "runner 1001"
check "nobody has a password" none logins
check "the agent's settings are root's" mode /etc/mayfly/agent.env "600 root:root"
check "the agent is root's" mode /usr/local/bin/mayfly-agent "755 root:root"
check "the agent's state is root's" mode /run/mayfly "755 root:root"
check "the runner's root is the runner's" mode /opt/actions-runner "755 runner:runner"
check "the right to be root is root's to give" mode /etc/sudoers.d/runner "440 root:root"
check "nothing of the system can be written by all" none writable
check "every enabled unit is on the allowlist" none strays enabled
check "everything that was started is on the allowlist" none strays started
check "the last deadline is the only timer" is "$(timers)" mayfly-deadline.timer
check "no unit has failed" none systemctl list-units --no-legend --plain --failed
check "nothing listens" none listening
check "IMDS without a token is refused" is "$(imds)" 401
check "IMDS with a token answers" is "$(imds -H "X-aws-ec2-metadata-token: $token")" 200
check "the boot document is gone" is "$(document)" 403
check "no report token lies on a disk" none tokens
check "the job does not see the runner's registration" none jit
check "there are no host keys" none find /etc/ssh -name 'ssh_host_*'
check "the log is in memory" none find /var/log -name journal
check "there is no cloud-init" none command -v cloud-init
check "the clock is UTC" is "$(date +%Z)" UTC
grown() { [ "$(df --output=size -B1M / | tail -1)" -gt "$1" ] || { df -m /; return 1; }; }
check "the root disk has the whole volume" grown "${DISK_MIB:?the size of the image}"
group() { cat "/sys/fs/cgroup/$1"; }
check "the agent has its own share" is "$(sudo cat "/proc/$(pidof mayfly-agent)/cgroup")" "0::/mayfly.slice/mayfly-agent.service"
check "the agent's share of the CPU goes before a job's" is "$(group mayfly.slice/cpu.weight) $(group system.slice/cpu.weight)" "10000 100"
check "the agent's memory stays" is "$(group mayfly.slice/memory.min)" 100663296
kept() { read -r _ kib _ < /proc/meminfo && [ "$(group system.slice/memory.max)" = "$(((kib - 262144) * 1024))" ]; }
check "jobs cannot take all memory" kept
tasks() { [ "$(group system.slice/pids.max)" -lt "$(sysctl -n kernel.threads-max)" ]; }
check "jobs cannot take every process" tasks
check "docker starts when it is asked for" timeout 240 docker info
exit $failed
