# SPDX-License-Identifier: BSD-3-Clause
# The mouse: positions to the last bit, five buttons, the wheel both ways; in the end no button is down.

mouse_do() { "$bin/hvctl" --control "$host_control" mouse "$@" >/dev/null; }

# Each action, and the line that the guest has to have written.
mouse_steps='move 0 0|pointer x 0 y 0 buttons 0x0
move 32767 32767|pointer x 32767 y 32767 buttons 0x0
move 16384 1|pointer x 16384 y 1 buttons 0x0
down 0|pointer x 16384 y 1 buttons 0x1
down 4|pointer x 16384 y 1 buttons 0x11
up 0|pointer x 16384 y 1 buttons 0x10
down 1|pointer x 16384 y 1 buttons 0x12
down 2|pointer x 16384 y 1 buttons 0x16
down 3|pointer x 16384 y 1 buttons 0x1e
wheel 1|pointer x 16384 y 1 buttons 0x1e wheel 1 horizontal 0
wheel -3|pointer x 16384 y 1 buttons 0x1e wheel -3 horizontal 0
up 1|pointer x 16384 y 1 buttons 0x1c
up 2|pointer x 16384 y 1 buttons 0x18
up 3|pointer x 16384 y 1 buttons 0x10
up 4|pointer x 16384 y 1 buttons 0x0'

mouse_check() {
    local from tries action expected count=0
    while IFS='|' read -r action expected; do
        from=$(($(wc -l <"$work/input.log") + 1))
        # shellcheck disable=SC2086
        mouse_do $action || { figure="mouse $action failed"; return 1; }
        tries=50
        until [ "$(tail -n "+$from" "$work/input.log" | grep -m 1 '^pointer x')" = "$expected" ]; do
            [ $((tries -= 1)) -gt 0 ] || { figure="after '$action': $(tail -n 1 "$work/input.log")"; return 1; }
            sleep 0.1
        done
        count=$((count + 1))
    done <<<"$mouse_steps"
    figure="$count reports exact: positions, 5 buttons, wheel"
}

status=0
mouse_check || status=1
row mouse "Mouse" $status "$figure"
