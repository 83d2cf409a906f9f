# SPDX-License-Identifier: BSD-3-Clause
# Sourced: a guest and its host, each with a network namespace of its own, and TAP devices on both
# sides: whatever runs in one namespace reaches the other through kext, ring and adapter only. Needs
# $network_hvhost, $network_hvctl, $network_kextrun, $network_kext, $network_work; and wait.sh.
#
# In a user namespace of our own there is the right to make devices, so no privilege is needed.

network_guest_address=10.77.0.2 network_host_address=10.77.0.1
network_processes=() network_guest= network_host=

# Says on standard output what is missing, or nothing.
network_missing() {
    unshare -Urn true 2>/dev/null || { echo "no network namespace of our own"; return; }
    [ -w /dev/net/tun ] || { echo "/dev/net/tun cannot be written"; return; }
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || { echo "no $tool"; return; }
    done
}

network_in_guest() { nsenter --preserve-credentials -t "$network_guest_holder" -U -n "$@"; }
network_in_host() { nsenter --preserve-credentials -t "$network_host_holder" -U -n "$@"; }

# network_spawn_in guest|host COMMAND...: in the background. $network_spawned is the process itself,
# no shell around it, so whoever ends it ends it.
network_spawn_in() {
    local holder=$network_guest_holder
    [ "$1" = guest ] || holder=$network_host_holder
    shift
    nsenter --preserve-credentials -t "$holder" -U -n "$@" &
    network_spawned=$!
}

# The same for a server that lives until network_end.
network_serve_in() {
    network_spawn_in "$@" >/dev/null 2>&1
    network_processes+=("$network_spawned")
}

# The namespace is there when its holder has left the other one.
network_wait_namespace() { # network_wait_namespace HOLDER LEAVER
    local tries=300
    until [ "$(readlink "/proc/$1/ns/net")" != "$(readlink "/proc/$2/ns/net")" ]; do
        [ $((tries -= 1)) -gt 0 ] && kill -0 "$1" 2>/dev/null || return 1
        sleep 0.1
    done
}

network_namespaces() {
    unshare -Urn sleep 3600 >/dev/null 2>&1 &
    network_guest_holder=$!
    network_processes+=($!)
    network_wait_namespace "$network_guest_holder" $$ || return 1
    nsenter --preserve-credentials -t "$network_guest_holder" -U -n \
        unshare -n sleep 3600 >/dev/null 2>&1 &
    network_host_holder=$!
    network_processes+=($!)
    network_wait_namespace "$network_host_holder" $$ &&
        network_wait_namespace "$network_host_holder" "$network_guest_holder"
}

# Waits until the guest's log has a line that matches.
network_wait_log() {
    local tries=600
    until grep -Eqs "$1" "$network_work/guest.log"; do
        [ $((tries -= 1)) -gt 0 ] && kill -0 "$network_guest" 2>/dev/null || return 1
        sleep 0.1
    done
}

network_start() { # network_start PROCESSORS [RELEASE [HVHOST-OPTION...]]
    local processors=$1 release=${2-2022}
    shift $(($# < 2 ? $# : 2))
    rm -f "$network_work"/*.sock
    network_namespaces || return 1
    network_spawn_in host "$network_hvhost" --socket "$network_work/partition.sock" \
        --control "$network_work/host.sock" --release "$release" \
        --net tap=host0,mac=00:15:5d:4d:41:43 "$@" >"$network_work/host.log" 2>&1
    network_host=$network_spawned
    wait_for_socket "$network_work/partition.sock" $network_host 60 || return 1
    network_spawn_in guest "$network_kextrun" --partition "$network_work/partition.sock" \
        --control "$network_work/guest.sock" --processors "$processors" --memory 512 \
        --net tap=en0 "$network_kext" >"$network_work/guest.log" 2>&1
    network_guest=$network_spawned
    network_wait_log 'en0: address 00:15:5d:4d:41:43.*link up' || return 1
    network_in_host ip address add $network_host_address/24 dev host0 &&
        network_in_host ip link set host0 mtu 9000 up && network_in_host ip link set lo up &&
        network_in_guest ip address add $network_guest_address/24 dev en0 &&
        network_in_guest ip link set en0 mtu 9000 up
}

# Ends both in order; fails if one of them complains.
network_end() {
    local guest=0 host=0 process
    if [ -n "$network_guest" ]; then
        "$network_kextrun" quit --control "$network_work/guest.sock" >/dev/null 2>&1 ||
            kill "$network_guest" 2>/dev/null
        wait_for_end "$network_guest" 60 || guest=$?
    fi
    if [ -n "$network_host" ]; then
        wait_for_end "$network_host" 60 || host=$?
    fi
    for process in "${network_processes[@]}"; do kill "$process" 2>/dev/null; done
    wait "${network_processes[@]}" 2>/dev/null
    network_processes=() network_guest= network_host=
    [ $guest -eq 0 ] && [ $host -eq 0 ]
}
