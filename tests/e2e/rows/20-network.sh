# SPDX-License-Identifier: BSD-3-Clause
# The network adapter: en0 gets a lease from the host's NAT, pings its router, fetches a file over HTTP from a server
# on the host's side and sends one back. A machine of its own; en0 is a TAP device in a network namespace of the
# user's own, so no privilege is needed.

network_folder=$work/network
network_port=${MACHV_TEST_PORT:-18180}
network_processes=()

network_inside() { nsenter --preserve-credentials -t "$network_holder" -U -n "$@"; }

# Takes the lease into use, as udhcpc's own script would.
network_make_script() {
    cat >"$network_folder/lease.sh" <<'END'
#!/bin/sh
[ "$1" = bound ] || exit 0
busybox ip addr flush dev "$interface"
busybox ip addr add "$ip/$mask" dev "$interface"
busybox ip route add default via "$router" dev "$interface"
echo "$ip $router $dns" >"$LEASE"
END
    chmod 755 "$network_folder/lease.sh"
}

network_start() {
    mkdir -p "$network_folder/files"
    head -c 64M /dev/urandom >"$network_folder/files/file"
    network_make_script
    unshare -Urn sleep 600 &
    network_holder=$!
    busybox httpd -f -p "127.0.0.1:$network_port" -h "$network_folder/files" &
    network_processes+=($network_holder $!)
    mkfifo "$network_folder/never"
    timeout 60 busybox nc -l -p $((network_port + 1)) >"$network_folder/received" 3<>"$network_folder/never" <&3 &
    network_processes+=($!)
    "$bin/hvhost" --socket "$network_folder/partition.sock" --control "$network_folder/host.sock" --release "$release" \
        --generation "$generation" --net nat,mac=00:15:5d:4d:41:43 >"$network_folder/host.log" 2>&1 &
    network_host=$!
    wait_for_socket "$network_folder/partition.sock" $network_host 10 || { figure="hvhost did not start"; return 1; }
    # The namespace is there when its holder has left this one.
    until [ "$(readlink "/proc/$network_holder/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do
        kill -0 "$network_holder" || { figure="no network namespace"; return 1; }
    done
    network_inside "$bin/kextrun" --partition "$network_folder/partition.sock" --control "$network_folder/guest.sock" \
        --macos "$macos" --processors 2 --memory 512 --net tap=en0 "$kext" >"$network_folder/guest.log" 2>&1 &
    network_guest=$!
    local tries=300
    until grep -qs '^.*en0: address 00:15:5d:4d:41:43.*link up' "$network_folder/guest.log"; do
        [ $((tries -= 1)) -gt 0 ] && kill -0 $network_guest 2>/dev/null || { figure="en0 did not come up: $(tail -n 1 "$network_folder/guest.log")"; return 1; }
        sleep 0.1
    done
    network_inside busybox ip link set en0 address 00:15:5d:4d:41:43 up
}

# What hvctl captured is read by tcpdump, where there is one, and no checksum in it is wrong.
network_read_capture() {
    local read packets
    command -v tcpdump >/dev/null || { captured="no tcpdump to read the capture"; return 0; }
    read=$(tcpdump -nn -vv -r "$network_folder/frames.pcap" 2>&1) || { figure="tcpdump cannot read the capture: $(tail -n 1 <<<"$read")"; return 1; }
    if grep -q -E 'incorrect|bad cksum|truncated|\[\|' <<<"$read"; then
        figure="the capture holds a bad frame: $(grep -m 1 -E 'incorrect|bad cksum|truncated|\[\|' <<<"$read")"
        return 1
    fi
    packets=$(grep -c -E '^[0-9]' <<<"$read")
    [ "$packets" -ge 24 ] || { figure="the capture holds $packets frames"; return 1; }
    captured="$packets frames captured"
}

network_seconds() { awk "BEGIN { printf \"%.2f\", ($(date +%s%N) - $1) / 1e9 }"; }

network_check() {
    local begin fetch send ping
    network_start || return 1
    "$bin/hvctl" --control "$network_folder/host.sock" capture 0 "$network_folder/frames.pcap" >/dev/null || { figure="no capture"; return 1; }
    LEASE=$network_folder/lease network_inside busybox udhcpc -i en0 -n -q -f -t 20 -T 1 -s "$network_folder/lease.sh" \
        >"$network_folder/udhcpc.log" 2>&1 || { figure="no lease: $(tail -n 1 "$network_folder/udhcpc.log")"; return 1; }
    [ "$(cat "$network_folder/lease")" = "10.0.2.15 10.0.2.2 10.0.2.3" ] || { figure="the lease is '$(cat "$network_folder/lease")'"; return 1; }
    ping=$(network_inside busybox ping -c 10 -i 0.1 10.0.2.2 2>&1) || { figure="ping: $(tail -n 1 <<<"$ping")"; return 1; }
    grep -q ' 0% packet loss' <<<"$ping" || { figure="ping: $(tail -n 2 <<<"$ping" | head -n 1)"; return 1; }
    "$bin/hvctl" --control "$network_folder/host.sock" capture 0 off >/dev/null
    network_read_capture || return 1
    begin=$(date +%s%N)
    network_inside busybox wget -q -O "$network_folder/fetched" "http://10.0.2.2:$network_port/file" || { figure="the file was not fetched"; return 1; }
    fetch=$(network_seconds "$begin")
    cmp -s "$network_folder/files/file" "$network_folder/fetched" || { figure="another file arrived"; return 1; }
    begin=$(date +%s%N)
    network_inside busybox nc 10.0.2.2 $((network_port + 1)) <"$network_folder/files/file" || { figure="the file was not sent"; return 1; }
    send=$(network_seconds "$begin")
    wait "${network_processes[2]}" || true
    cmp -s "$network_folder/files/file" "$network_folder/received" || { figure="the host received another file"; return 1; }
    figure="lease 10.0.2.15, ping $(sed -n 's|.*= [0-9.]*/\([0-9.]*\)/.*|\1|p' <<<"$ping") ms, 64 MiB in $fetch s, back in $send s, same bytes, $captured"
}

# Ends both programs; whoever complains fails the row.
network_stop() {
    local guest=0 host=0
    if [ -n "${network_guest-}" ]; then
        "$bin/kextrun" quit --control "$network_folder/guest.sock" >/dev/null 2>&1 || kill "$network_guest" 2>/dev/null
        wait_for_end "$network_guest" 15 || guest=$?
    fi
    if [ -n "${network_host-}" ]; then
        wait_for_end "$network_host" 15 || host=$?
    fi
    kill "${network_processes[@]}" 2>/dev/null
    wait "${network_processes[@]}" 2>/dev/null
    [ $guest -eq 0 ] && [ $host -eq 0 ] || { figure="kextrun ended with status $guest, hvhost with $host; $figure"; return 1; }
}

if ! unshare -Urn true 2>/dev/null || [ ! -w /dev/net/tun ] || ! command -v busybox >/dev/null; then
    row network "Network adapter" 0 "skipped: needs busybox, /dev/net/tun and user namespaces"
else
    status=0
    network_check || status=1
    network_stop || status=1
    row network "Network adapter" $status "$figure"
    rm -f "$network_folder/files/file" "$network_folder/fetched" "$network_folder/received"
fi
