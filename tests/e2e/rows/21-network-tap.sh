# SPDX-License-Identifier: BSD-3-Clause
# The network adapter on the host's own programs: en0 is a TAP device in a network namespace of the
# user's own, where busybox gets the lease, pings and moves files with every offload in use. Uses the
# functions of row network.

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

# A namespace of our own. It is there when its holder has left this one.
network_unshare() {
    unshare -Urn sleep 600 &
    network_holder=$!
    network_processes+=($!)
    until [ "$(readlink "/proc/$network_holder/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do
        kill -0 "$network_holder" || { figure="no network namespace"; return 1; }
    done
}

network_tap_start() {
    network_serve
    network_make_script
    network_unshare || return 1
    network_host nat,mac=00:15:5d:4d:41:43 || return 1
    network_inside "$bin/kextrun" --partition "$network_folder/partition.sock" \
        --control "$network_folder/guest.sock" --macos "$macos" --processors 2 --memory 512 \
        --net tap=en0 "$kext" >"$network_folder/guest.log" 2>&1 &
    network_guest=$!
    network_wait 'en0: address 00:15:5d:4d:41:43.*link up' "en0 did not come up" || return 1
    network_inside busybox ip link set en0 up
}

network_tap_check() {
    local begin fetch send ping sum
    network_tap_start || return 1
    network_inside busybox ip link show en0 | grep -q '00:15:5d:4d:41:43' ||
        { figure="the TAP device has another address than the adapter"; return 1; }
    LEASE=$network_folder/lease network_inside busybox udhcpc -i en0 -n -q -f -t 20 -T 1 \
        -s "$network_folder/lease.sh" >"$network_folder/udhcpc.log" 2>&1 ||
        { figure="no lease: $(tail -n 1 "$network_folder/udhcpc.log")"; return 1; }
    [ "$(cat "$network_folder/lease")" = "10.0.2.15 10.0.2.2 10.0.2.3" ] ||
        { figure="the lease is '$(cat "$network_folder/lease")'"; return 1; }
    ping=$(network_inside busybox ping -c 10 -i 0.1 10.0.2.2 2>&1) ||
        { figure="ping: $(tail -n 1 <<<"$ping")"; return 1; }
    grep -q ' 0% packet loss' <<<"$ping" ||
        { figure="ping: $(tail -n 2 <<<"$ping" | head -n 1)"; return 1; }
    begin=$(date +%s%N)
    sum=$(network_inside busybox wget -q -O - "http://10.0.2.2:$network_port/file" |
        sha256sum | cut -d' ' -f1)
    [ "$sum" = "$network_sum" ] || { figure="another file arrived"; return 1; }
    fetch=$(network_seconds "$begin")
    begin=$(date +%s%N)
    network_inside busybox nc 10.0.2.2 $((network_port + 1)) <"$network_folder/files/file" ||
        { figure="the file was not sent"; return 1; }
    network_received || return 1
    send=$(network_seconds "$begin")
    figure="lease 10.0.2.15, ping $(sed -n 's|.*= [0-9.]*/\([0-9.]*\)/.*|\1|p' <<<"$ping") ms"
    figure+=", 64 MiB in $fetch s, back in $send s, same bytes"
}

if ! unshare -Urn true 2>/dev/null || [ ! -w /dev/net/tun ] || ! command -v busybox >/dev/null; then
    row network-tap "Network adapter, TAP device" 0 \
        "skipped: needs busybox, /dev/net/tun and user namespaces"
else
    status=0
    network_tap_check || status=1
    network_stop || status=1
    row network-tap "Network adapter, TAP device" $status "$figure"
    rm -f "$network_folder/files/file" "$network_folder/received"
fi
