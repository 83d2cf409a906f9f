#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Two virtual machines on one switch: what is behind the en0 of one reaches what is behind the en0 of
# the other, through two guests and two hosts. Each machine has two adapters on it: whichever is up
# first is en0. Prints TAP.
set -u
cd "$(dirname "$0")/../.."
# shellcheck source=../lib/wait.sh
. tests/lib/wait.sh
# shellcheck source=../lib/two_networks.sh
. tests/lib/two_networks.sh

hvhost=$MACHV_BUILD_ROOT/host/hvhost/hvhost
hvctl=$MACHV_BUILD_ROOT/host/hvctl/hvctl
kextrun=$MACHV_BUILD_ROOT/xnu/kextrun/kextrun
kext=$MACHV_BUILD_ROOT/kexts/MacHyperVSupportMonterey.kext
number=0
processes=()

missing=$(network_missing busybox jq ip)
if [ -n "$missing" ]; then
    echo "1..0 # SKIP $missing"
    exit 0
fi
work=$(mktemp -d)
finish() {
    local process
    for process in "${processes[@]}" "${network_processes[@]}"; do
        kill "$process" 2>/dev/null
    done
    rm -rf "$work"
}
trap finish EXIT

check() { # check NAME STATUS
    number=$((number + 1))
    [ "$2" -eq 0 ] || printf 'not '
    echo "ok $number - $1"
}

# start guest|host MACHINE LAST-BYTE-OF-ADDRESS: a machine whose en0 is a TAP device in one of the
# two namespaces; the library calls them guest and host.
start() {
    local machine=$work/$2
    mkdir "$machine"
    "$hvhost" --socket "$machine/partition.sock" --control "$machine/host.sock" \
        --net "switch=test-$$,mac=00:15:5d:4d:41:$3" --net "switch=test-$$,mac=00:15:5d:4d:42:$3" \
        >"$machine/host.log" 2>&1 &
    processes+=($!)
    eval "host_$2=$!"
    wait_for_socket "$machine/partition.sock" $! 60 || return 1
    network_spawn_in "$1" "$kextrun" --partition "$machine/partition.sock" \
        --control "$machine/guest.sock" --net tap=en0 "$kext" >"$machine/guest.log" 2>&1
    processes+=("$network_spawned")
    eval "guest_$2=$network_spawned"
    wait_for_line "$machine/guest.log" "en0: address .*:$3, .*link up" 60 || return 1
    wait_for_line "$machine/guest.log" "en1: address .*:$3, .*link up" 60 || return 1
    "network_in_$1" ip address add "10.79.0.$3/24" dev en0
    "network_in_$1" ip link set en0 up
}

# wait_for_line FILE PATTERN SECONDS
wait_for_line() {
    local tries=$(($3 * 10))
    until grep -Eqs "$2" "$1"; do
        [ $((tries -= 1)) -gt 0 ] || return 1
        sleep 0.1
    done
}

addresses() { # of the adapters that the guest of a machine has
    "$kextrun" net list --json --control "$work/$1/guest.sock" |
        jq -r '[.[].mac] | sort | join(" ")'
}

# end MACHINE: in order, and without a complaint of either side.
end() {
    local guest=guest_$1 host=host_$1
    "$kextrun" quit --control "$work/$1/guest.sock" >/dev/null 2>&1
    wait_for_end "${!guest}" 60 && wait_for_end "${!host}" 60
}

echo "1..8"
network_namespaces && start guest one 11 && start host two 12
check "two machines come up on a switch" $?
[ "$(addresses one)" = "00:15:5d:4d:41:11 00:15:5d:4d:42:11" ]
check "each has two adapters, with the addresses that its host gave: the first machine" $?
[ "$(addresses two)" = "00:15:5d:4d:41:12 00:15:5d:4d:42:12" ]
check "the second machine" $?
network_in_guest busybox ping -q -c 5 -W 5 10.79.0.12 >/dev/null
check "one pings the other" $?
network_in_host busybox ping -q -c 5 -s 1400 -W 5 10.79.0.11 >/dev/null
check "and the other way round" $?
mkdir "$work/files"
head -c 8M /dev/urandom >"$work/files/file"
network_serve_in host busybox httpd -f -p 8000 -h "$work/files"
tries=50
until network_in_guest busybox wget -q -O "$work/fetched" http://10.79.0.12:8000/file 2>/dev/null; do
    [ $((tries -= 1)) -gt 0 ] || break
    sleep 0.1
done
cmp -s "$work/files/file" "$work/fetched"
check "a file goes over the switch, same bytes" $?
"$hvctl" --control "$work/one/host.sock" --json net list |
    jq -e '[.adapters[].network] == ["switch", "switch"] and
           ([.adapters[].sent_frames] | add > 0) and ([.adapters[].malformed] | add == 0)' >/dev/null
check "hvctl says what the adapters are plugged into, and that frames went there" $?
end one && end two
check "both machines end without a complaint" $?
