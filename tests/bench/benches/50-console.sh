# SPDX-License-Identifier: BSD-3-Clause
# The screen, 1920 x 1080: guest's pixels -> the monitor notes which memory was written -> hvhost -> VNC -> viewer; then as
# on hosts whose guest has to say it: HyperVGraphics finds the change -> dirt message -> hvhost. And what a screen costs on
# which nothing changes. A key: viewer -> VNC -> hvhost -> HyperVKeyboard -> event.

console_seconds=${BENCH_SECONDS:-3}
console_processes=""
console_bench=$(dirname "$bin")/tests/bench/console/console_bench
console_key_bench=$(dirname "$bin")/tests/bench/console/key_bench
console_strokes=${BENCH_STROKES:-2000}

console_cleanup() {
    local process
    for process in $console_processes; do kill "$process" 2>/dev/null || true; done
    for process in $console_processes; do wait_for_end "$process" 5 2>/dev/null || true; done
}

console_start_host() {
    "$bin/hvhost" --socket "$work/partition.sock" --control "$work/host.sock" --release ws2022 --vnc 0 \
        >"$work/host.log" 2>&1 </dev/null &
    console_host=$!
    console_processes+=" $console_host"
    wait_for_socket "$work/partition.sock" $console_host 10
    console_port=$(sed -n 's/.*VNC on port \([0-9]*\).*/\1/p' "$work/host.log" | head -n 1)
}

# Messages of changes that the host had so far, from guest and monitor, and bytes of the screen that the driver read.
console_counters() {
    timeout 5 "$bin/hvctl" --control "$work/host.sock" --json display | jq '.dirt_messages + .watch_answers'
    timeout 5 "$bin/kextrun" ioreg --properties --control "$work/guest.sock" |
        awk '/"HVScreenBytesRead"/ { print $NF }'
}

# Reads what console_bench prints; around its idle time the counters.
console_measure() {
    local name value
    while read -r name value; do
        case $name in
        idle) mapfile -t console_before < <(console_counters) ;;
        end) mapfile -t console_after < <(console_counters) ;;
        *) console_figures[$name]=$value ;;
        esac
    done < <("$console_bench" "$work/partition.sock" "$work/guest.sock" "$console_port" "$console_host" \
        "$console_seconds" "$kexts/MacHyperVSupportMonterey.kext" "$kexts/MacHyperVFramebuffer.kext" \
        2>"$work/console.log" || { cat "$work/console.log" >&2; echo failed 1; })
    [ -z "${console_figures[failed]-}" ]
}

console_run() { # console_run monitor|guest: who tells what changes
    local -A console_figures=()
    local told="" suffix=""
    [ "$1" = monitor ] || { suffix=-guest; told=", told by the guest"; }
    trap console_cleanup EXIT
    rm -f "$work"/*.sock
    console_start_host
    timeout 5 "$bin/hvctl" --control "$work/host.sock" display changes "$1" >/dev/null
    console_measure

    heading "Screen of 1920 x 1080, changes told by the $1" memcpy
    figure console-latency$suffix "write to pixels in the viewer, median$told" "${console_figures[latency_us]}" - us lower -
    figure console-frames$suffix "whole changes a second, one after another$told" \
        "${console_figures[frames_per_second]}" - frames/s higher -
    figure console-guest$suffix "processor time of a change, guest$told" "${console_figures[guest_us]}" \
        "${console_figures[memcpy_us]}" us lower -
    figure console-host$suffix "processor time of a change, host and VNC$told" "${console_figures[host_us]}" \
        "${console_figures[memcpy_us]}" us lower -
    figure console-idle-messages$suffix "messages of an idle screen, viewer there$told" \
        $((console_after[0] - console_before[0])) - messages lower 0
    figure console-idle-reads$suffix "screen memory read when idle, viewer there$told" \
        $(((console_after[1] - console_before[1]) / console_seconds / 1024)) - KiB/s lower \
        "$([ "$1" = monitor ] && echo 0 || echo "1/16 of it, 30 times")"
    figure console-idle-guest$suffix "processor time of a second, idle, viewer there$told" "${console_figures[idle_us]}" - us \
        lower -
    figure console-alone-guest$suffix "the same without a viewer$told" "${console_figures[alone_us]}" - us lower \
        "no screen work"
    console_cleanup
    trap - EXIT
    console_processes=""
}

# The guest's input log is a FIFO of key_bench's, made before the guest starts.
console_start_keys() {
    console_processes=""
    rm -f "$work"/*.sock "$work/input.fifo"
    console_start_host
    "$console_key_bench" "$console_port" "$work/input.fifo" "$console_strokes" >"$work/keys.txt" 2>"$work/keys.log" &
    console_keys=$!
    console_processes+=" $console_keys"
    until [ -p "$work/input.fifo" ]; do kill -0 $console_keys || return 1; sleep 0.01; done
    "$bin/kextrun" --partition "$work/partition.sock" --control "$work/guest.sock" --macos 13 \
        --input-log "$work/input.fifo" "$kexts/MacHyperVSupportMonterey.kext" >"$work/guest.log" 2>&1 </dev/null &
    console_processes+=" $!"
}

console_measure_keys() {
    local key doorbell
    trap console_cleanup EXIT
    console_start_keys
    wait $console_keys || { cat "$work/keys.log" >&2; return 1; }
    key=$(awk '$1 == "key_us" { print $2 }' "$work/keys.txt")
    doorbell=$(awk '$1 == "doorbell_us" { print $2 }' "$work/keys.txt")
    heading "A key from a VNC viewer" doorbell
    figure console-key "press to event in the guest, median" "$key" "$doorbell" us lower -
    console_cleanup
    trap - EXIT
}

if [ -x "$console_bench" ]; then console_run monitor && console_run guest && console_measure_keys; else echo "console: libvncclient is not here: left out" >&2; fi
