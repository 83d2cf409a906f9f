# SPDX-License-Identifier: BSD-3-Clause
# The keyboard: a text with shifted, dead and non-ASCII characters arrives letter by letter, as clipboard text and typed
# by a VNC viewer (keys of a US keyboard, dead keys, symbols that no such key has, scan codes); keys by name with their
# modifiers, caps lock's light with the host; in the end no key is down.

keyboard_text='Hello, World! ~{}|"@ Ünïcödé ñandú façade Straße 5€'

# The characters that the guest has read since line $1 of its input log.
keyboard_read() {
    tail -n "+$1" "$work/input.log" | sed -n 's/.* char U+\(.*\)/\1/p' | while read -r code; do
        printf "\\U$code"
    done
}

keyboard_awaits() { # keyboard_awaits LINE TEXT: what the guest reads from that line on
    local tries=50 read
    while read=$(keyboard_read "$1"); [ "$read" != "$2" ]; do
        [ $((tries -= 1)) -gt 0 ] || { figure="the guest read '$read' instead of '$2'"; return 1; }
        sleep 0.1
    done
}

# Return; then dead acute and e, dead diaeresis and Shift with U, dead circumflex and a space; then scan codes of h and i.
keyboard_from_viewer() {
    local from=$(($(wc -l <"$work/input.log") + 1)) text=$'\rHello, World! ~{}|"@ éÜ^ñß/5€ hi'
    [ -x "$vnc_do" ] || { viewer="no libvncclient, no viewer"; return 0; }
    "$vnc_do" "$vnc" symbols ff0d us 'Hello, World! ~{}|"@ ' symbols fe51 65 fe57 down ffe1 symbols 55 up ffe1 symbols fe52 20 \
        type 'ñß/5€ ' scan 23 17 || { figure="the viewer failed"; return 1; }
    keyboard_awaits "$from" "$text" || return 1
    viewer="${#text} from a VNC viewer"
}

keyboard_key_seen() { tail -n "+$1" "$work/input.log" | grep -q -x "$2"; }

keyboard_check() {
    local from tries=50 lights viewer
    from=$(($(wc -l <"$work/input.log") + 1))
    "$bin/hvctl" --control "$host_control" type-text "$keyboard_text" >/dev/null || { figure="type-text failed"; return 1; }
    keyboard_awaits "$from" "$keyboard_text" || return 1
    keyboard_from_viewer || return 1
    from=$(($(wc -l <"$work/input.log") + 1))
    "$bin/hvctl" --control "$host_control" key caps-lock >/dev/null
    "$bin/hvctl" --control "$host_control" key control+alt+left >/dev/null
    until keyboard_key_seen "$from" 'key up 0x7b flags 0xd0021' && keyboard_key_seen "$from" 'flags 0x10000'; do
        [ $((tries -= 1)) -gt 0 ] || { figure="the chord did not arrive: $(tail -n 1 "$work/input.log")"; return 1; }
        sleep 0.1
    done
    lights=$("$bin/hvctl" --control "$host_control" --json devices | jq '.devices[] | select(.kind == "keyboard") | .indicators')
    "$bin/hvctl" --control "$host_control" key caps-lock >/dev/null
    [ "$lights" = 4 ] || { figure="caps lock's light is not on: $lights"; return 1; }
    figure="${#keyboard_text} characters typed and read, $viewer, a chord of three keys, caps lock's light"
}

if machine_offers keyboard; then
    status=0
    keyboard_check || status=1
    row keyboard "Keyboard" $status "$figure"
else
    row_not_offered keyboard "Keyboard" "hosts have it from Windows Server 2012 on; see ps2"
fi
