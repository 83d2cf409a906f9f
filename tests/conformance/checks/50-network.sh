# SPDX-License-Identifier: BSD-3-Clause
# Sourced: Linux's hv_netvsc gets a lease from hvhost's NAT, pings, moves files both ways; every NVSP version.

# Debian's busybox, which fetch-guest unpacked, serves and receives on this side too.
network_busybox=$work/amd64/unpacked/bin/busybox
# Another one for each run: two at once would serve each other's files.
network_port=${MACHV_TEST_PORT:-$((30000 + $$ % 1000 * 2))}

network_check() { # network_check ID NAME ARCHITECTURE PROCESSORS RELEASE NVSP TESTS-BEFORE
    local id=$1 name=$2 release=$5 version=$6 before=${7-} generation=${8-2} files=$work/$1.files sum server receiver
    wanted "$id" || return 0
    rm -rf "$files" && mkdir -p "$files"
    make_image "$files/file" 16
    sum=$(sha256sum <"$files/file" | cut -d' ' -f1)
    "$network_busybox" httpd -f -p "127.0.0.1:$network_port" -h "$files" &
    server=$!
    # With its input at an end, nc would close the connection before all has come.
    mkfifo "$files/never"
    timeout 120 "$network_busybox" nc -l -p $((network_port + 1)) >"$files/received" 3<>"$files/never" <&3 &
    receiver=$!
    boot "$id" "$3" "$4" "${before}net:$network_port:4194304" -- --release "$release" --generation "$generation" --net nat,mac=00:15:5d:4d:41:43
    kill $server $receiver 2>/dev/null || true
    wait $server $receiver 2>/dev/null || true
    problem=$(complaint)
    [ -n "$problem" ] || [ "$(said mac)" = 00:15:5d:4d:41:43 ] || problem="the guest has the address '$(said mac)'"
    [ -n "$problem" ] || [ "$(said lease)" = "10.0.2.15 router 10.0.2.2 dns 10.0.2.3" ] || problem="the lease is '$(said lease)'"
    [ -n "$problem" ] || [[ $(said ping) == "5 of 5"* ]] || problem="ping: $(said ping)"
    fetched=$(said fetched)
    [ -n "$problem" ] || [[ $fetched == "bytes 16777216 "*" sha256 $sum" ]] || problem="the guest fetched '$fetched'"
    sent=$(sha256sum <"$files/received" | cut -d' ' -f1)
    [ -n "$problem" ] || [[ $(said sent) == *" sha256 $sent" ]] || problem="the host received something else: $(said sent)"
    [ -n "$problem" ] || grep -q "device: network .*\"version\":\"$version\"" "$hostlog" || problem="hvhost did not see NVSP $version"
    [ -n "$problem" ] || [ "$(said errors)" = "receive 0 transmit 0" ] || problem="errors: $(said errors)"
    row "$id" "$name" "$([ -z "$problem" ]; echo $?)" \
        "${problem:-DHCP, ping, 16 MiB in $(sed 's/.*seconds \([^ ]*\).*/\1/' <<<"$fetched") s, 4 MiB back, $(said queues | sed 's/ channels.*//') queues}"
    rm -rf "$files"
}

# NVSP follows the release; this is what each stands for.
network_check network-amd64-1 "Network, amd64 kernel, 1 processor" amd64 1 ws2022 6.1
network_check network-amd64-4 "Network, amd64 kernel, 4 processors" amd64 4 ws2025 6.1
network_check network-i386-2 "Network, i386 kernel, 2 processors" i386 2 ws2022 6.1
network_check network-mtu "Network, after a change of the MTU to 9000" amd64 2 ws2022 6.1 mtu:9000,
network_check network-offloads-off "Network, all offloads off" amd64 2 ws2022 6.1 offloads:off,
offloads_were() { # offloads_were ID WANTED: what the guest said of them
    wanted "$1" || return 0
    local state
    state=$(sed -n 's/^GUEST offloads //p' "$work/runs/$1/console.log" | tr -d '\r' | head -n 1)
    row "$1-state" "Network, what Linux says of its offloads" "$([ "$state" = "$2" ]; echo $?)" "$state"
}
offloads_were network-offloads-off \
    "segmentation off, generic-segmentation off, transmit-sums off, receive-sums off"
network_check network-ws2016 "Network, Windows Server 2016 (NVSP 6)" amd64 2 ws2016 6
network_check network-ws2012r2 "Network, Windows Server 2012 R2 (NVSP 5)" amd64 2 ws2012r2 5

network_carrier() {
    local id=network-carrier watcher
    wanted "$id" || return 0
    rm -rf "$work/runs/$id"
    (
        folder=$work/runs/$id
        until grep -aqs 'GUEST carrier on' "$folder/console.log"; do sleep 0.2; done
        "$hvctl" --control "$folder/control.sock" net set 0 down
        until grep -aqs 'GUEST carrier lost' "$folder/console.log"; do sleep 0.2; done
        "$hvctl" --control "$folder/control.sock" net set 0 up
    ) &
    watcher=$!
    boot "$id" amd64 1 carrier -- --release ws2022 --net nat
    kill $watcher 2>/dev/null || true
    wait $watcher 2>/dev/null || true
    problem=$(complaint)
    [ -n "$problem" ] || grep -aq 'GUEST carrier back' "$console" || problem="the guest did not see the cable come back"
    row "$id" "Network, cable out and in" "$([ -z "$problem" ]; echo $?)" "${problem:-the guest saw both}"
}
network_carrier
