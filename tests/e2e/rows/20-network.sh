# SPDX-License-Identifier: BSD-3-Clause
# The network adapter on kextrun's own TCP/IP stack: en0 gets a lease from the host's NAT, pings its
# router, fetches a file over HTTP from a server on the host's side and sends one back. A machine of
# its own; no privilege is needed.

network_folder=$work/network
# Another one for each run: two at once would serve each other's files.
network_port=${MACHV_TEST_PORT:-$((20000 + $$ % 5000 * 2))}
network_processes=()

# A file to be fetched, a server for it, and one that takes what is sent back.
network_serve() {
    mkdir -p "$network_folder/files"
    head -c 64M /dev/urandom >"$network_folder/files/file"
    network_sum=$(sha256sum <"$network_folder/files/file" | cut -d' ' -f1)
    busybox httpd -f -p "127.0.0.1:$network_port" -h "$network_folder/files" &
    network_processes+=($!)
    network_listen
}

# With its input at an end, nc would close the connection before all has come.
network_listen() {
    [ -e "$network_folder/never" ] || mkfifo "$network_folder/never"
    timeout 120 busybox nc -l -p $((network_port + 1)) >"$network_folder/received" \
        3<>"$network_folder/never" <&3 &
    network_receiver=$!
    network_processes+=($!)
}

network_host() { # network_host NET-OPTION
    rm -f "$network_folder/partition.sock" "$network_folder/guest.log" # of another row's machine
    "$bin/hvhost" --socket "$network_folder/partition.sock" \
        --control "$network_folder/host.sock" --release "$release" --generation "$generation" \
        --net "$1" >>"$network_folder/host.log" 2>&1 &
    network_host=$!
    wait_for_socket "$network_folder/partition.sock" $network_host 10 ||
        { figure="hvhost did not start"; return 1; }
}

# Waits until the guest's log has a line that matches.
network_wait() { # network_wait PATTERN WHAT
    local tries=600
    until grep -Eqs "$1" "$network_folder/guest.log"; do
        [ $((tries -= 1)) -gt 0 ] && kill -0 "$network_guest" 2>/dev/null ||
            { figure="$2: $(tail -n 1 "$network_folder/guest.log")"; return 1; }
        sleep 0.1
    done
}

network_seconds() { awk "BEGIN { printf \"%.2f\", ($(date +%s%N) - $1) / 1e9 }"; }
network_net() { "$bin/kextrun" net "$@" --control "$network_folder/guest.sock"; }
network_hvctl() { "$bin/hvctl" --control "$network_folder/host.sock" "$@" >/dev/null; }

# What hvctl captured is read by tcpdump, where there is one, and no checksum in it is wrong.
network_read_capture() {
    local read packets bad='incorrect|bad cksum|truncated|\[\|'
    command -v tcpdump >/dev/null ||
        { captured="no tcpdump to read the capture"; return 0; }
    read=$(tcpdump -nn -vv -r "$network_folder/frames.pcap" 2>&1) ||
        { figure="tcpdump cannot read the capture: $(tail -n 1 <<<"$read")"; return 1; }
    if grep -q -E "$bad" <<<"$read"; then
        figure="the capture holds a bad frame: $(grep -m 1 -E "$bad" <<<"$read")"
        return 1
    fi
    packets=$(grep -c -E '^[0-9]' <<<"$read")
    [ "$packets" -ge 20 ] || { figure="the capture holds $packets frames"; return 1; }
    captured="$packets frames captured"
}

# Waits for the file that was sent back.
network_received() {
    wait "$network_receiver" || true
    cmp -s "$network_folder/files/file" "$network_folder/received" ||
        { figure="the host received another file"; return 1; }
}

network_stack_start() {
    network_serve
    network_host nat,mac=00:15:5d:4d:41:43 || return 1
    "$bin/kextrun" --partition "$network_folder/partition.sock" \
        --control "$network_folder/guest.sock" --macos "$macos" --processors 2 --memory 512 \
        --net stack "$kext" >"$network_folder/guest.log" 2>&1 &
    network_guest=$!
    network_wait 'en0: address 00:15:5d:4d:41:43' "en0 did not come up" || return 1
    network_hvctl capture 0 "$network_folder/frames.pcap" ||
        { figure="no capture"; return 1; }
    network_wait 'en0: lease 10\.0\.2\.15, router 10\.0\.2\.2' "no lease"
}

network_stack_check() {
    local begin fetch send ping list sum
    network_stack_start || return 1
    ping=$(network_net ping 10.0.2.2 10 2>&1) || { figure="ping: $ping"; return 1; }
    [[ $ping == "10 sent, 10 answered,"* ]] || { figure="ping: $ping"; return 1; }
    network_hvctl capture 0 off
    network_read_capture || return 1
    begin=$(date +%s%N)
    sum=$(network_net fetch "http://10.0.2.2:$network_port/file" | sha256sum | cut -d' ' -f1)
    [ "$sum" = "$network_sum" ] || { figure="another file arrived"; return 1; }
    fetch=$(network_seconds "$begin")
    begin=$(date +%s%N)
    network_net connect 10.0.2.2 $((network_port + 1)) <"$network_folder/files/file" ||
        { figure="the file was not sent"; return 1; }
    network_received || return 1
    send=$(network_seconds "$begin")
    list=$(network_net list) || { figure="no list of interfaces"; return 1; }
    [ "$(awk '$1 == "input-bytes" { print $2 }' <<<"$list")" -ge $((64 << 20)) ] ||
        { figure="the counters: $list"; return 1; }
    figure="lease 10.0.2.15, ping $(sed -n 's|.*average \([0-9.]*\) .*|\1|p' <<<"$ping") ms"
    figure+=", 64 MiB in $fetch s, back in $send s, sha256 ${network_sum:0:12} equal, $captured"
}

# Ends both programs; whoever complains fails the row.
network_stop() {
    local result=0
    own_machine_end "${network_guest-}" "${network_host-}" "$network_folder/guest.sock" || result=1
    kill "${network_processes[@]}" 2>/dev/null
    wait "${network_processes[@]}" 2>/dev/null
    network_guest= network_host= network_processes=()
    return $result
}

if ! command -v busybox >/dev/null; then
    row network "Network adapter" 0 "skipped: needs busybox"
else
    status=0
    network_stack_check || status=1
    network_stop || status=1
    row network "Network adapter" $status "$figure"
    rm -f "$network_folder/files/file" "$network_folder/received"
fi
