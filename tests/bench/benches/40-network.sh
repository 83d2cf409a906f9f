# SPDX-License-Identifier: BSD-3-Clause
# TCP and UDP between two network namespaces, TAP -> kextrun -> kext -> ring -> hvhost -> TAP, against
# a veth pair between the same two, and a relay that only reads and writes two TAP devices. They are
# measured in turns, several times; the median counts.

# shellcheck source=../../lib/two_networks.sh
. "$root/tests/lib/two_networks.sh"

network_seconds=${BENCH_SECONDS:-3}
network_rounds=${BENCH_ROUNDS:-3}
network_work=$work/network
network_hvhost=$bin/hvhost network_hvctl=$bin/hvctl network_kextrun=$bin/kextrun
network_kext=$kexts/MacHyperVSupportMonterey.kext
network_veth_address=10.78.0.1
network_relay_program=$root/build/tests/bench/network/tap_relay
network_relay_address=10.79.0.1
network_relay_rows=()

network_median() {
    sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

network_iperf_once() { # network_iperf_once ADDRESS OPTION...
    timeout -k 2 $((network_seconds + 20)) nsenter --preserve-credentials \
        -t "$network_guest_holder" -U -n iperf3 -c "$1" -t "$network_seconds" -J "${@:2}" \
        >"$network_work/iperf.json" &&
        jq -e 'has("error") | not' "$network_work/iperf.json" >/dev/null
}

# network_iperf FILTER ADDRESS OPTION...: one number from a run that the guest's side starts. The
# server takes one run at a time, and says that it is busy for a moment after each.
network_iperf() {
    local filter=$1 tries=20
    shift
    until network_iperf_once "$@"; do
        [ $((tries -= 1)) -gt 0 ] || {
            echo "network: iperf3: $(jq -r '.error // "no answer"' "$network_work/iperf.json")" >&2
            return 1
        }
        sleep 0.2
    done
    jq -er "$filter | round" "$network_work/iperf.json"
}

# network_measure "ADDRESS..." FILTER OPTION...: all of them in turns, for network_measured.
network_measure() {
    local addresses=$1 filter=$2 address round number
    shift 2
    : >"$network_work/measured"
    for ((round = 0; round < network_rounds; round++)); do
        for address in $addresses; do
            number=$(network_iperf "$filter" "$address" "$@")
            echo "$address $number" >>"$network_work/measured"
        done
    done
}

network_measured() { # network_measured ADDRESS
    awk -v address="$1" '$1 == address { print $2 }' "$network_work/measured" | network_median
}

# network_row ID NAME UNIT BETTER GOAL MACHV VETH RELAY: a row now, and one of the relay's table.
network_row() {
    figure "$1" "$2" "$6" "$7" "$3" "$4" "$5"
    network_relay_rows+=("$1-relay" "$2" "$6" "$8" "$3" "$4" -) # as figure takes them
}

network_relay_table() {
    local row
    heading "The same beside a relay" "relay"
    for ((row = 0; row < ${#network_relay_rows[@]}; row += 7)); do
        figure "${network_relay_rows[@]:row:7}"
    done
}

# network_compare ID NAME UNIT GOAL FILTER OPTION...
network_compare() {
    local machv=$network_host_address veth=$network_veth_address relay=$network_relay_address
    network_measure "$machv $veth $relay" "${@:5}"
    network_row "$1" "$2" "$3" higher "$4" "$(network_measured "$machv")" \
        "$(network_measured "$veth")" "$(network_measured "$relay")"
}

network_tcp() { # network_tcp ID NAME GOAL OPTION...
    network_compare "$1" "$2" Mbit/s "$3" '.end.sum_received.bits_per_second / 1e6' "${@:4}"
}

# Round-trip time in microseconds.
network_round_trip() {
    network_in_guest busybox ping -q -c 200 -i 0.005 "$1" |
        sed -n 's|.*= [0-9.]*/\([0-9.]*\)/.*|\1|p' | awk '{ printf "%d\n", $1 * 1000 }'
}

network_ping() {
    network_row network-ping "round trip of an echo" us lower - \
        "$(network_round_trip $network_host_address)" \
        "$(network_round_trip $network_veth_address)" \
        "$(network_round_trip $network_relay_address)"
}

# Clock ticks that kextrun and hvhost have used.
network_ticks() {
    awk '{ sum += $14 + $15 } END { print sum }' "/proc/$network_guest/stat" \
        "/proc/$network_host/stat"
}

# Datagrams of 18 bytes are frames of 64 with their check sequence.
network_small() {
    local before ticks packets arrived='(.end.sum.packets - .end.sum.lost_packets)'
    network_compare network-small "frames of 64 bytes, UDP, received" frames/s - \
        "$arrived / .end.sum.seconds" -u -l 18 -b 0
    before=$(network_ticks)
    packets=$(network_iperf "$arrived" $network_host_address -u -l 18 -b 0)
    ticks=$(($(network_ticks) - before))
    figure network-processor "processor time of kextrun and hvhost a frame of 64 bytes" \
        $((ticks * 1000000000 / $(getconf CLK_TCK) / (packets > 0 ? packets : 1))) - ns lower -
}

# Bytes that kextrun (into and out of mbufs, by the kext and by itself) and hvhost (between guest
# memory and its own, and to put segments together) have copied.
network_copied_in_guest() {
    "$network_kextrun" stats --control "$network_work/guest.sock" |
        awk '$1 == "mbuf-bytes-copied" { print $2 }'
}

network_copied_in_host() {
    "$network_hvctl" --control "$network_work/host.sock" --json net list |
        jq '[.. | objects | to_entries[] | select(.key | test("copied_bytes$|^gathered_bytes$")) |
             .value] | add'
}

# How often kextrun and hvhost copy a byte of a stream; to and from a TAP device Linux does it once.
network_copies() { # network_copies ID NAME OPTION...
    local guest host bytes
    guest=$(network_copied_in_guest) host=$(network_copied_in_host)
    bytes=$(network_iperf .end.sum_received.bytes $network_host_address "${@:3}")
    guest=$(($(network_copied_in_guest) - guest)) host=$(($(network_copied_in_host) - host))
    figure "$1-kextrun" "bytes copied in kextrun, $2" \
        "$(awk -v a=$guest -v b="$bytes" 'BEGIN { printf "%.2f", a / b }')" - bytes/byte lower -
    figure "$1-hvhost" "bytes copied in hvhost, $2" \
        "$(awk -v a=$host -v b="$bytes" 'BEGIN { printf "%.2f", a / b }')" - bytes/byte lower -
}

# network_everywhere COMMAND...: at both ends of each way; @ stands for the device.
network_everywhere() {
    local way
    for way in "en0 host0" "veth0 veth1" "relay0 relay1"; do
        network_in_guest "${@/#@/${way% *}}" >/dev/null &&
            network_in_host "${@/#@/${way#* }}" >/dev/null || return 1
    done
}

network_offloads() { # network_offloads FEATURE STATE
    network_everywhere ethtool -K @ "$1" "$2"
}

network_mtu() { # network_mtu BYTES
    network_everywhere ip link set @ mtu "$1"
}

network_veth() {
    network_in_guest ip link add veth0 type veth peer name veth1 netns "$network_host_holder"
    network_in_guest ip address add 10.78.0.2/24 dev veth0
    network_in_guest ip link set veth0 up
    network_in_host ip address add $network_veth_address/24 dev veth1
    network_in_host ip link set veth1 up
}

network_relay() {
    local ready=$network_work/relay tries=100
    network_spawn_in guest "$network_relay_program" \
        relay0 "/proc/$network_host_holder/ns/net" relay1 >"$ready"
    network_processes+=("$network_spawned")
    until grep -qs ready "$ready"; do
        [ $((tries -= 1)) -gt 0 ] && kill -0 "$network_spawned" 2>/dev/null || return 1
        sleep 0.1
    done
    network_in_guest ip address add 10.79.0.2/24 dev relay0
    network_in_guest ip link set relay0 up
    network_in_host ip address add $network_relay_address/24 dev relay1
    network_in_host ip link set relay1 up
}

network_cleanup() {
    local process
    for process in "${network_processes[@]}" $network_guest $network_host; do
        kill "$process" 2>/dev/null || true
    done
}

network_bench() {
    trap network_cleanup EXIT
    rm -rf "$network_work"
    mkdir -p "$network_work"
    network_start 2
    network_veth
    network_relay
    network_mtu 1500
    network_serve_in host iperf3 -s

    heading "Network through the driver" "veth pair"
    network_tcp network-send-1 "TCP to the host, one stream" ">= 0.5"
    network_tcp network-receive-1 "TCP to the guest, one stream" ">= 0.5" -R
    network_tcp network-send-4 "TCP to the host, four streams" ">= 0.5" -P 4
    network_tcp network-receive-4 "TCP to the guest, four streams" ">= 0.5" -P 4 -R
    network_mtu 9000
    network_tcp network-send-4-jumbo "TCP to the host, four streams, MTU 9000" ">= 0.5" -P 4
    network_tcp network-receive-4-jumbo "TCP to the guest, four streams, MTU 9000" ">= 0.5" -P 4 -R
    network_mtu 1500
    network_copies network-copies-send "to the host"
    network_copies network-copies-receive "to the guest" -R
    network_small
    network_ping
    network_offloads tso off
    network_tcp network-send-no-tso "TCP to the host without segmentation" -
    network_tcp network-receive-no-tso "TCP to the guest without segmentation" - -R
    network_offloads tx off
    network_tcp network-send-no-checksum "TCP to the host without either offload" -
    network_tcp network-receive-no-checksum "TCP to the guest without either offload" - -R
    network_relay_table
    network_end || true
    trap - EXIT
}

network_lack=$(network_missing busybox iperf3 ethtool jq ip)
if [ -n "$network_lack" ]; then
    echo "network: skipped: $network_lack"
else
    network_bench
fi
