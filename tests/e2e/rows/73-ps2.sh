# SPDX-License-Identifier: BSD-3-Clause
# The PS/2 keyboard of generation 1: with the synthetic one left alone, text arrives letter by letter through ports 0x60
# and 0x64 and interrupt line 1, a chord with an extended key, and caps lock's light. A machine of its own.

ps2_folder=$work/ps2
ps2_text='Hello, World! ~{}|"@ 0123456789'

ps2_ask() { "$bin/hvctl" --control "$ps2_folder/host.sock" "$@"; }

ps2_device() { ps2_ask --json devices | jq -r ".devices[] | select(.kind == \"ps2\") | .$1"; }

ps2_start() {
    mkdir -p "$ps2_folder"
    machine_become "$bin/hvhost" --socket "$ps2_folder/partition.sock" --control "$ps2_folder/host.sock" --release "$release" \
        --generation 1 >"$ps2_folder/host.log" 2>&1 &
    ps2_host=$!
    wait_for_socket "$ps2_folder/partition.sock" $ps2_host 10 || { figure="hvhost did not start"; return 1; }
    machine_become "$bin/kextrun" --partition "$ps2_folder/partition.sock" --control "$ps2_folder/guest.sock" --macos "$macos" \
        --boot-args -hvkbdoff --input-log "$ps2_folder/input.log" "$kext" >"$ps2_folder/guest.log" 2>&1 &
    ps2_guest=$!
    wait_until 30 ps2_is_open || { figure="no keyboard: $(tail -n 1 "$ps2_folder/guest.log")"; return 1; }
}

ps2_is_open() { grep -qs '^keyboard opened HyperVPS2Keyboard' "$ps2_folder/input.log" && [ "$(ps2_device ready)" = true ]; }

ps2_read() {
    sed -n 's/.* char U+\(.*\)/\1/p' "$ps2_folder/input.log" | while read -r code; do printf "\\U$code"; done
}

ps2_has_read() { [ "$(ps2_read)" = "$ps2_text" ]; }

ps2_has_seen() { grep -q -x "$1" "$ps2_folder/input.log"; }

ps2_has_light() { [ "$(ps2_device lights)" = "$1" ]; }

ps2_check() {
    ps2_start || return 1
    ps2_ask type-text "$ps2_text" >/dev/null || { figure="type-text failed"; return 1; }
    wait_until 10 ps2_has_read || { figure="the guest read '$(ps2_read)'"; return 1; }
    if ps2_ask type-text 'ü' >/dev/null 2>&1; then figure="a character that is on no key was taken"; return 1; fi
    ps2_ask key control+alt+left >/dev/null || { figure="key failed"; return 1; }
    wait_until 10 ps2_has_seen 'key down 0x7b flags 0xc0021' || { figure="the chord did not arrive: $(tail -n 1 "$ps2_folder/input.log")"; return 1; }
    ps2_ask key caps-lock >/dev/null
    wait_until 10 ps2_has_light 4 || { figure="caps lock's light is not on: $(ps2_device lights)"; return 1; }
    ps2_ask key caps-lock >/dev/null
    wait_until 10 ps2_has_light 0 || { figure="caps lock's light stays on"; return 1; }
    [ "$(ps2_device held)" = 0 ] || { figure="a key is still down"; return 1; }
    figure="${#ps2_text} characters typed and read, $(ps2_device keys) key changes on line 1, a chord, caps lock's light"
}

if [ "$generation" -ne 1 ]; then
    row_not_offered ps2 "PS/2 keyboard" "machines of generation 2 have none"
else
    status=0
    ps2_check || status=1
    own_machine_end "${ps2_guest-}" "${ps2_host-}" "$ps2_folder/guest.sock" || status=1
    row ps2 "PS/2 keyboard" $status "$figure"
fi
