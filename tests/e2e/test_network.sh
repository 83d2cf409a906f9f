#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Real clients across the adapter: ping, curl and iperf3 between a network namespace behind the
# guest's en0 and one behind the host's adapter, TAP devices on both sides; the capture is read by
# tcpdump and by tshark where there is one. Prints TAP.
set -u
cd "$(dirname "$0")/../.."
# shellcheck source=../lib/wait.sh
. tests/lib/wait.sh
# shellcheck source=../lib/two_networks.sh
. tests/lib/two_networks.sh

network_hvhost=$MACHV_BUILD_ROOT/host/hvhost/hvhost
network_hvctl=$MACHV_BUILD_ROOT/host/hvctl/hvctl
network_kextrun=$MACHV_BUILD_ROOT/xnu/kextrun/kextrun
network_kext=$MACHV_BUILD_ROOT/kexts/MacHyperVSupportMonterey.kext
number=0

missing=$(network_missing busybox curl iperf3 ip tcpdump)
if [ -n "$missing" ]; then
    echo "1..0 # SKIP $missing"
    exit 0
fi
network_work=$(mktemp -d)
finish() {
    local process
    for process in "${network_processes[@]}" $network_guest $network_host; do
        kill "$process" 2>/dev/null
    done
    rm -rf "$network_work"
}
trap finish EXIT

check() { # check NAME STATUS [LINE-OF-DETAIL]
    number=$((number + 1))
    if [ "$2" -eq 0 ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        echo "# ${3-}"
        tail -n 5 "$network_work/guest.log" "$network_work/host.log" | sed 's/^/# /'
    fi
}

pings() { # pings WHERE ADDRESS SIZE
    "$1" busybox ping -c 20 -i 0.02 -s "$3" -W 5 "$2" 2>&1 | grep -q ' 0% packet loss'
}

# fetch WHERE ADDRESS: the file, from the server behind the address; equal if it has the sum.
fetch() {
    [ "$("$1" curl -s --max-time 120 "http://$2:8000/file" | sha256sum | cut -d' ' -f1)" = "$sum" ]
}

iperf() { # iperf OPTION...: bytes that arrived
    network_in_guest iperf3 -c $network_host_address -t 2 -J "$@" 2>/dev/null |
        sed -n 's/.*"bytes":[[:space:]]*\([0-9]*\).*/\1/p' | tail -n 1
}

wait_for_link() { # wait_for_link up|down: of the guest's TAP device
    local tries=300 want=0
    [ "$1" = up ] && want=1
    until [ "$(network_in_guest ip -o link show en0 | grep -c 'LOWER_UP')" = $want ]; do
        [ $((tries -= 1)) -gt 0 ] || return 1
        sleep 0.1
    done
}

counter() { # counter NAME: of the adapter, as the host counts
    "$network_hvctl" --control "$network_work/host.sock" --json net list |
        grep -o "\"$1\": *[0-9]*" | head -n 1 | grep -o '[0-9]*$'
}

capture() { "$network_hvctl" --control "$network_work/host.sock" capture 0 "$1" >/dev/null; }

capture_is_clean() {
    local read bad='incorrect|bad cksum|truncated|\[\|'
    read=$(tcpdump -nn -vv -r "$network_work/frames.pcap" 2>&1) || return 1
    [ "$(grep -c -E '^[0-9]' <<<"$read")" -ge 100 ] && ! grep -q -E "$bad" <<<"$read"
}

# Says what tshark complains about, if it does.
tshark_is_content() {
    local complaints options="-o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE"
    # shellcheck disable=SC2086
    complaints=$(tshark -r "$network_work/frames.pcap" $options \
        -Y '_ws.malformed || tcp.checksum.status == "Bad" || ip.checksum.status == "Bad"' 2>&1 |
        grep -v 'Running as user')
    [ -z "$complaints" ] || { head -n 20 <<<"$complaints" | sed 's/^/# /' && false; }
}

network_counted() {
    "$network_kextrun" net list --json --control "$network_work/guest.sock" |
        jq '.[0]["driver-input-packets"]'
}

# network_statistics: the frames that came in, as programs read them: in the registry under the
# interface, little endian. What the driver counts is asked for before and after, since frames may
# come meanwhile.
network_statistics() {
    local before registry after counted
    before=$(network_counted)
    registry=$("$network_kextrun" ioreg --properties --control "$network_work/guest.sock")
    after=$(network_counted)
    counted=$(sed -nE 's/.*"IONetworkStatsKey"=\{[^}]*"Data"=<(..)(..)(..)(..).*/0x\4\3\2\1/p' <<<"$registry")
    [ -n "$counted" ] && [ "$before" -gt 0 ] && ((before <= counted && counted <= after)) &&
        grep -q '"IOEthernetStatsKey"=' <<<"$registry"
}

ticks() { awk '{ print $14 + $15 }' "/proc/$network_host/stat"; }

# Floods a guest that does not run, then waits until hvhost sleeps although frames wait for it.
sleeps_while_guest_is_stopped() {
    local tries=100 before after
    kill -STOP "$network_guest"
    network_in_host bash -c "for ((i = 0; i < 1200; i++)); do
        printf %01400d 0 >/dev/udp/$network_guest_address/9; done" 2>/dev/null
    after=$(ticks)
    until before=$after && sleep 0.3 && after=$(ticks) && [ "$after" -le $((before + 1)) ]; do
        [ $((tries -= 1)) -gt 0 ] || break
    done
    kill -CONT "$network_guest"
    [ $tries -gt 0 ]
}

echo "1..22"
mkdir "$network_work/files"
# No random bytes: tshark may take some for a protocol, and those are malformed then.
seq 1 1200000 | head -c 8M >"$network_work/files/file"
sum=$(sha256sum <"$network_work/files/file" | cut -d' ' -f1)
network_start 4
check "guest and host come up, each with a TAP device" $?
[ $number -eq 1 ] && [ -S "$network_work/guest.sock" ] || exit 1
registry=$("$network_kextrun" ioreg --properties --control "$network_work/guest.sock")
grep -q '"BSD Name" = "en0"' <<<"$registry" && grep -q '"built-in" = <00>' <<<"$registry" &&
    grep -q '"IOMACAddress" = <00155d4d4143>' <<<"$registry" &&
    network_in_guest ip link show en0 | grep -q 00:15:5d:4d:41:43
check "en0 is built in and has the address that the host gave" $?
network_serve_in host busybox httpd -f -p 8000 -h "$network_work/files"
network_serve_in guest busybox httpd -f -p 8000 -h "$network_work/files"
network_serve_in host iperf3 -s

capture "$network_work/frames.pcap"
check "hvctl captures" $?
pings network_in_guest $network_host_address 56
check "the guest's side pings the host's" $?
pings network_in_host $network_guest_address 56
check "the host's side pings the guest's" $?
network_statistics
check "the interface's statistics in the registry count what the driver counted" $?
pings network_in_guest $network_host_address 8900
check "frames of 9000 bytes pass" $?
network_in_guest ip link set en0 mtu 1500 && network_in_host ip link set host0 mtu 1500 &&
    pings network_in_guest $network_host_address 4000
check "after a change of the MTU larger ones come in fragments" $?
fetch network_in_guest $network_host_address
check "curl fetches a file into the guest, same bytes" $?
fetch network_in_host $network_guest_address
check "curl fetches a file from the guest, same bytes" $?
capture off
capture_is_clean
check "tcpdump reads the capture, and no checksum in it is wrong" $?
if command -v tshark >/dev/null; then
    tshark_is_content
    check "tshark reads the capture, and finds nothing malformed" $?
else
    check "tshark reads the capture # SKIP no tshark" 0
fi

bytes=$(iperf)
check "iperf3 sends" "$([ "${bytes:-0}" -gt 1000000 ]; echo $?)" "bytes: $bytes"
bytes=$(iperf -R -P 4)
check "iperf3 receives four streams" "$([ "${bytes:-0}" -gt 1000000 ]; echo $?)" "bytes: $bytes"
channels=$(counter channels)
check "the adapter has four channels" "$([ "$channels" = 4 ]; echo $?)" "channels: $channels"

network_in_guest ip -d link show en0 | grep -q ' gso_max_size 62766 '
check "Linux leaves no frame to the adapter that the host would not cut in one piece" $? \
    "$(network_in_guest ip -d link show en0 | grep -o 'gso_max_size [0-9]*')"
sleeps_while_guest_is_stopped
check "frames that a guest does not take leave hvhost asleep" $?
pings network_in_host $network_guest_address 56
check "and the guest takes them when it goes on" $?
"$network_hvctl" --control "$network_work/host.sock" net set 0 down >/dev/null && wait_for_link down
check "the cable goes out, and the guest's side sees it" $?
"$network_hvctl" --control "$network_work/host.sock" net set 0 up >/dev/null && wait_for_link up &&
    pings network_in_guest $network_host_address 56
check "the cable is back, and frames pass" $?
errors=$("$network_kextrun" net list --control "$network_work/guest.sock" |
    grep -E -c '(errors|missed|memory) [1-9]')
check "nothing was counted as an error" "$([ "$errors" = 0 ]; echo $?)" "counters: $errors"
network_end
check "both end without a complaint" $? "$(tail -n 1 "$network_work/host.log")"
