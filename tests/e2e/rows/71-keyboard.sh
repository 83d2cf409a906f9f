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

keyboard_has_read() { [ "$(keyboard_read "$1")" = "$2" ]; }

keyboard_awaits() { # keyboard_awaits LINE TEXT: what the guest reads from that line on
    wait_until 60 keyboard_has_read "$1" "$2" || { figure="the guest read '$(keyboard_read "$1")' instead of '$2'"; return 1; }
}

# Return; then dead acute and e, dead diaeresis and Shift with U, dead circumflex and a space; then scan codes of h and i.
keyboard_from_viewer() {
    local from=$(($(wc -l <"$work/input.log") + 1)) text=$'\rHello, World! ~{}|"@ éÜ^ñß/5€ hi'
    [ -x "$vnc_do" ] || { viewer="no libvncclient, no viewer"; return 0; }
    "$vnc_do" "$vnc" symbols ff0d us 'Hello, World! ~{}|"@ ' symbols fe51 65 fe57 down ffe1 symbols 55 up ffe1 symbols fe52 20 \
        type 'ñß/5€ ' scan 23 17 || { figure="the viewer failed"; return 1; }
    keyboard_awaits "$from" "$text" || return 1
    viewer="${#text} from a VNC viewer, $(wc -w <<<"$keyboard_scans") scan codes exact"
}

# Scan codes of set 1 (E0 as bit 7) and the key code that Apple's own keyboards have for the key: all that are neither
# modifiers nor keys of the system. Escape empties the console's line, before Return and at the end. Those without a key code on a Mac say nothing.
keyboard_scans='02:12 03:13 04:14 05:15 06:17 07:16 08:1a 09:1c 0a:19 0b:1d 0c:1b 0d:18 0e:33 0f:30 10:0c 11:0d 12:0e
13:0f 14:11 15:10 16:20 17:22 18:1f 19:23 1a:21 1b:1e 01:35 1c:24 1e:00 1f:01 20:02 21:03 22:05 23:04 24:26 25:28 26:25 27:29
28:27 29:32 2b:2a 2c:06 2d:07 2e:08 2f:09 30:0b 31:2d 32:2e 33:2b 34:2f 35:2c 37:43 39:31 3b:7a 3c:78 3d:63 3e:76 3f:60
40:61 41:62 42:64 43:65 44:6d 46:6b 47:59 48:5b 49:5c 4a:4e 4b:56 4c:57 4d:58 4e:45 4f:53 50:54 51:55 52:52 53:41 54:69
56:0a 57:67 58:6f 59:51 64:69 65:6b 66:71 67:6a 68:40 69:4f 6a:50 6b:5a 73:5e 7d:5d 7e:5f 9c:4c b5:4b b7:69 c6:71 c7:73
c8:7e c9:74 cb:7b cd:7c cf:77 d0:7d d1:79 d2:72 d3:75 dd:6e 01:35'

keyboard_codes() { tail -n "+$1" "$work/input.log" | sed -n "s/^key $2 0x\(..\) .*/\1/p" | tr '\n' ' '; }

keyboard_has_codes() { [ "$(keyboard_codes "$1" up)" = "$2" ]; }

# Every key goes down and up, in the order they were sent, through VNC's extension for scan codes.
keyboard_every_key() {
    local from=$(($(wc -l <"$work/input.log") + 1)) scans codes pair
    [ -x "$vnc_do" ] || return 0
    for pair in $keyboard_scans; do scans+="${pair%:*} " codes+="${pair#*:} "; done
    # shellcheck disable=SC2086
    "$vnc_do" "$vnc" scan $scans || { figure="the viewer failed"; return 1; }
    wait_until 60 keyboard_has_codes "$from" "$codes" || { figure="keys came up as $(keyboard_codes "$from" up)"; return 1; }
    [ "$(keyboard_codes "$from" down)" = "$codes" ] || { figure="keys went down as $(keyboard_codes "$from" down)"; return 1; }
}

keyboard_light_is() {
    [ "$("$bin/hvctl" --control "$host_control" --json devices | jq '.devices[] | select(.kind == "keyboard") | .indicators')" = "$1" ]
}

# Every press switches it, and the host's light follows: 4 is caps lock's.
keyboard_caps_lock() {
    local light
    for light in "$@"; do
        "$bin/hvctl" --control "$host_control" key caps-lock >/dev/null
        wait_until 60 keyboard_light_is "$light" || { figure="caps lock's light is not $light"; return 1; }
    done
}

keyboard_key_seen() { tail -n "+$1" "$work/input.log" | grep -q -x "$2"; }

keyboard_type() { # keyboard_type TEXT: as clipboard text, and as the guest reads it
    local from=$(($(wc -l <"$work/input.log") + 1))
    "$bin/hvctl" --control "$host_control" type-text "$1" >/dev/null || { figure="type-text failed"; return 1; }
    keyboard_awaits "$from" "$1"
}

keyboard_driver_says() { # keyboard_driver_says PROPERTY
    "$bin/kextrun" ioreg --properties --control "$guest_control" | sed -n "s/.*\"$1\" = \"\{0,1\}\([^\"]*\)\"\{0,1\}.*/\1/p"
}

keyboard_counts_untyped() { [ "$(keyboard_driver_says HVCharactersNotTyped)" = "$1" ]; }

# The user of the guest has another layout. The driver knows it by name, or from the agent in the user's session, or
# not, and then counts what it could not type; Return ends the console's line.
keyboard_layouts() {
    local name text untyped
    while read -r name text; do
        "$bin/kextrun" layout "layouts/$name.layout" --control "$guest_control" >/dev/null &&
            "$bin/kextrun" set HyperVKeyboard HVKeyboardLayout "$name" --control "$guest_control" &&
            [ "$(keyboard_driver_says HVKeyboardLayout)" = "$name" ] || { figure="layout $name is not taken"; return 1; }
        keyboard_type "$text"$'\r' || { figure="$name: $figure"; return 1; }
        layouts="$layouts${layouts:+, }$name"
    done <<'END'
german Zwölf Boxkämpfer jagen Viktor über den Sylter Deich: {[@|\~^`]} 5 € – „Ça? Où! Ñandú“
french Où l’âme naïve, ça et là: {[@|\~#]} «Zwölf» 1/2 & àéèùç Ÿ
spanish El pingüino Wenceslao hizo ñandúes: {[@|\~^#]} ¿Qué? ¡Olé! ª º €
russian Съешь ещё этих мягких французских булок: №1, ёЁ? 50% «да»
END
    keyboard_uploaded || return 1
    untyped=$(keyboard_driver_says HVCharactersNotTyped)
    "$bin/hvctl" --control "$host_control" type-text '中' >/dev/null
    wait_until 60 keyboard_counts_untyped $((${untyped:-0} + 1)) || { figure="a character without a key is not counted"; return 1; }
    "$bin/kextrun" set HyperVKeyboard HVKeyboardLayout us --control "$guest_control"
    "$bin/kextrun" layout --control "$guest_control" >/dev/null
}

# A layout that nobody ships: German's keys in the order of the alphabet, given by the agent; then a broken table, which
# is refused and changes nothing.
keyboard_uploaded() {
    local file=$work/alphabet.layout
    sed 's/^name .*/name alphabet/; s/^qwertzuiop/abcdefghij/; s/^asdfghjkl/klmnopqrs/; s/yxcvbnm,/tuvwxyz,/' \
        layouts/german.layout >"$file"
    "$bin/kextrun" layout "$file" --control "$guest_control" >/dev/null
    "$bin/hvkeyboardd" --foreground --once --layout-file "$file" --control "$guest_control" 2>"$work/hvkeyboardd.log" ||
        { figure="hvkeyboardd: $(tail -n 1 "$work/hvkeyboardd.log")"; return 1; }
    [ "$(keyboard_driver_says HVKeyboardLayout)" = alphabet ] || { figure="the driver does not have the agent's layout"; return 1; }
    head -c 100 "$file" >"$work/broken.layout"
    ! "$bin/kextrun" set HyperVKeyboard HVKeyboardLayout "@$work/broken.layout" --control "$guest_control" 2>/dev/null ||
        { figure="a broken layout is taken"; return 1; }
    ! "$bin/kextrun" set HyperVKeyboard HVKeyboardLayout klingon --control "$guest_control" 2>/dev/null ||
        { figure="an unknown layout is taken"; return 1; }
    keyboard_type $'the quick brown fox, größer als 10 €: é\r' || { figure="uploaded: $figure"; return 1; }
    layouts="$layouts, one uploaded"
}

keyboard_chord_seen() { keyboard_key_seen "$1" 'key up 0x7b flags 0xd0021' && keyboard_key_seen "$1" 'flags 0x10000'; }

keyboard_check() {
    local from viewer layouts=
    keyboard_every_key || return 1
    from=$(($(wc -l <"$work/input.log") + 1))
    "$bin/hvctl" --control "$host_control" type-text "$keyboard_text" >/dev/null || { figure="type-text failed"; return 1; }
    keyboard_awaits "$from" "$keyboard_text" || return 1
    keyboard_layouts || return 1
    keyboard_from_viewer || return 1
    from=$(($(wc -l <"$work/input.log") + 1))
    keyboard_caps_lock 4 || return 1
    "$bin/hvctl" --control "$host_control" key control+alt+left >/dev/null
    wait_until 60 keyboard_chord_seen "$from" || { figure="the chord did not arrive: $(tail -n 1 "$work/input.log")"; return 1; }
    keyboard_caps_lock 0 4 0 || return 1
    from=$(($(wc -l <"$work/input.log") + 1))
    "$bin/hvctl" --control "$host_control" type-text q >/dev/null || { figure="type-text failed"; return 1; }
    keyboard_awaits "$from" q || return 1
    figure="${#keyboard_text} characters typed and read, text on the layouts $layouts; $viewer, a chord of three keys, caps lock and its light on and off twice"
}

if machine_offers keyboard; then
    status=0
    keyboard_check || status=1
    row keyboard "Keyboard" $status "$figure"
else
    row_not_offered keyboard "Keyboard" "hosts have it from Windows Server 2012 on; see ps2"
fi
