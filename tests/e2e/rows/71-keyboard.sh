# SPDX-License-Identifier: BSD-3-Clause
# The keyboard: a text with shifted, dead and non-ASCII characters arrives letter by letter, keys by name
# with their modifiers, caps lock's light with the host; in the end no key is down.

keyboard_text='Hello, World! ~{}|"@ Ünïcödé ñandú façade Straße 5€'

# The characters that the guest has read since line $1 of its input log.
keyboard_read() {
    tail -n "+$1" "$work/input.log" | sed -n 's/.* char U+\(.*\)/\1/p' | while read -r code; do
        printf "\\U$code"
    done
}

keyboard_key_seen() { tail -n "+$1" "$work/input.log" | grep -q -x "$2"; }

keyboard_check() {
    local from tries=50 read lights
    from=$(($(wc -l <"$work/input.log") + 1))
    "$bin/hvctl" --control "$host_control" type-text "$keyboard_text" >/dev/null || { figure="type-text failed"; return 1; }
    while read=$(keyboard_read "$from"); [ "$read" != "$keyboard_text" ]; do
        [ $((tries -= 1)) -gt 0 ] || { figure="the guest read '$read'"; return 1; }
        sleep 0.1
    done
    from=$(($(wc -l <"$work/input.log") + 1))
    "$bin/hvctl" --control "$host_control" key caps-lock >/dev/null
    "$bin/hvctl" --control "$host_control" key control+alt+left >/dev/null
    tries=50
    until keyboard_key_seen "$from" 'key up 0x7b flags 0xd0021' && keyboard_key_seen "$from" 'flags 0x10000'; do
        [ $((tries -= 1)) -gt 0 ] || { figure="the chord did not arrive: $(tail -n 1 "$work/input.log")"; return 1; }
        sleep 0.1
    done
    lights=$("$bin/hvctl" --control "$host_control" --json devices | jq '.devices[] | select(.kind == "keyboard") | .indicators')
    "$bin/hvctl" --control "$host_control" key caps-lock >/dev/null
    [ "$lights" = 4 ] || { figure="caps lock's light is not on: $lights"; return 1; }
    figure="${#keyboard_text} characters typed and read, a chord of three keys, caps lock's light"
}

if machine_offers keyboard; then
    status=0
    keyboard_check || status=1
    row keyboard "Keyboard" $status "$figure"
else
    row_not_offered keyboard "Keyboard" "hosts have it from Windows Server 2012 on; see ps2"
fi
