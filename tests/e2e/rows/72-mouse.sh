# SPDX-License-Identifier: BSD-3-Clause
# The mouse: positions to the last bit, five buttons, both wheels both ways, by hvctl and from a VNC viewer; in the end no
# button is down.

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
pan 2|pointer x 16384 y 1 buttons 0x1e wheel 0 horizontal 2
pan -1|pointer x 16384 y 1 buttons 0x1e wheel 0 horizontal -1
up 1|pointer x 16384 y 1 buttons 0x1c
up 2|pointer x 16384 y 1 buttons 0x18
up 3|pointer x 16384 y 1 buttons 0x10
up 4|pointer x 16384 y 1 buttons 0x0'

# A viewer's pixel is the middle of its share of the range; the last pixels are the end.
mouse_coordinate() { # mouse_coordinate PIXEL SIZE
    if [ "$1" -eq 0 ]; then echo 0; elif [ "$1" -eq $(($2 - 1)) ]; then echo 32767; else echo $(((2 * $1 + 1) * 32768 / (2 * $2))); fi
}

# What a viewer does, and what the guest has to have written: positions in three places, then at the last of them the
# buttons (left, middle, right, back) and the wheels (up, down, left, right).
mouse_from_viewer() {
    local from=$(($(wc -l <"$work/input.log") + 1)) size width height at expected tries=50
    [ -x "$vnc_do" ] || { viewer="no libvncclient, no viewer"; return 0; }
    size=$(ask_host --json display 2>/dev/null | jq -r 'if (.width // 0) > 0 then "\(.width) \(.height)" else "640 480" end') || size=
    size=${size:-640 480} width=${size% *} height=${size#* }
    "$vnc_do" "$vnc" pointer 0 0 0 pointer $((width - 1)) $((height - 1)) 0 pointer 101 57 0 \
        pointer 101 57 1 pointer 101 57 3 pointer 101 57 7 pointer 101 57 135 pointer 101 57 0 \
        pointer 101 57 8 pointer 101 57 16 pointer 101 57 32 pointer 101 57 64 pointer 101 57 0 || { figure="the viewer failed"; return 1; }
    at="pointer x $(mouse_coordinate 101 "$width") y $(mouse_coordinate 57 "$height")"
    expected="pointer x 0 y 0 buttons 0x0
pointer x 32767 y 32767 buttons 0x0
$at buttons 0x0
$at buttons 0x1
$at buttons 0x5
$at buttons 0x7
$at buttons 0xf
$at buttons 0xe
$at buttons 0xa
$at buttons 0x8
$at buttons 0x0
$at buttons 0x0 wheel 1 horizontal 0
$at buttons 0x0 wheel -1 horizontal 0
$at buttons 0x0 wheel 0 horizontal -1
$at buttons 0x0 wheel 0 horizontal 1"
    until [ "$(tail -n "+$from" "$work/input.log" | grep '^pointer x')" = "$expected" ]; do
        [ $((tries -= 1)) -gt 0 ] || { figure="from the viewer: $(tail -n "+$from" "$work/input.log" | grep '^pointer x' | tr '\n' ';')"; return 1; }
        sleep 0.1
    done
    viewer="$(wc -l <<<"$expected") from a VNC viewer"
}

mouse_check() {
    local from tries action expected count=0 viewer
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
    mouse_from_viewer || return 1
    figure="$count reports exact: positions, 5 buttons, 2 wheels; $viewer"
}

# The picture that the README shows: what the keyboard's row has typed, and the pointer, which guests tell only to viewers.
mouse_picture() {
    [ -x "$vnc_do" ] || return 0
    "$vnc_do" "$vnc" pointer 600 400 0 cursor "$work/pointer.txt" \
        do "sleep 0.3; '$bin/hvctl' --control '$host_control' screenshot '$work/screen.png' --pointer >/dev/null" 2>/dev/null
}

status=0
mouse_check || status=1
mouse_picture || true # a machine may show none
row mouse "Mouse" $status "$figure"
