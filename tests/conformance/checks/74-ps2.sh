# SPDX-License-Identifier: BSD-3-Clause
# Sourced: generation 1. Linux's i8042 and atkbd find hvhost's keyboard controller in place of QEMU's and report what was
# typed with hvctl or in a VNC viewer; Linux resets the machine through it.

ps2_guest="-acpitable file=$work/ps2.aml"

# The keys of 70-console.sh but the last, in whose place caps lock comes.
ps2_type() { # ps2_type CONTROL
    local key
    for key in a shift+b left numpad-5 f12 command+c 0x56; do "$hvctl" --control "$1" key $key; done
}

ps2_view() { # ps2_view CONTROL
    "$console_viewer" "${1%/*}/vm.vnc" us aB symbols ff51 ffb5 ffc9 down ffeb symbols 63 up ffeb scan 56
}

ps2_expected=${console_keyboard_expected%$'\n1 1 1\n1 1 0'}$'\n1 58 1\n17 1 1\n1 58 0'

ps2_light() { "$hvctl" --control "$1" --json devices | jq '.devices[] | select(.kind == "ps2") | .lights'; }

# Linux turns the light on. Until the keyboard has acknowledged that, Linux loses what comes from it (libps2.c:
# ps2_handle_ack), as it does of a real one; so the key goes up when the light is on.
ps2_caps_lock() { # ps2_caps_lock CONTROL
    "$hvctl" --control "$1" key caps-lock down
    until [ "$(ps2_light "$1")" = 4 ]; do sleep 0.2; done
    "$hvctl" --control "$1" key caps-lock up
}

# A key that goes down or up is three events (scan code, key, synchronisation), the light one; evdev keeps 64 for a slow
# reader.
ps2_check() { # ps2_check ID NAME RELEASE ACT HVHOST_OPTION...
    local id=$1 name=$2 release=$3 act=$4 watcher keyboard problem folder=$work/runs/$1
    shift 4
    wanted "$id" || return 0
    rm -rf "$folder"
    (
        until grep -aqs 'GUEST ps2 ready' "$folder/console.log"; do sleep 0.2; done
        "$act" "$folder/control.sock" >"$folder/hvctl.log" 2>&1
        ps2_caps_lock "$folder/control.sock" >>"$folder/hvctl.log" 2>&1
        echo on >"$folder/light"
    ) &
    watcher=$!
    machine_options=i8042=off monitor_options=pc-devices=on qemu_options="-no-reboot $ps2_guest" \
        boot "$id" amd64 1 ps2:61 -- --generation 1 --release "$release" "$@"
    kill $watcher 2>/dev/null || true
    wait $watcher 2>/dev/null || true
    problem=$(complaint)
    keyboard=$(console_events ps2)
    [ -n "$problem" ] || [ "$keyboard" = "$ps2_expected" ] || problem="atkbd reported '$(tr '\n' ',' <<<"$keyboard")'"
    [ -n "$problem" ] || [[ $(said 'ps2 mouse') == *Mouse* ]] || problem="psmouse found '$(said 'ps2 mouse')'"
    [ -n "$problem" ] || [ -s "$folder/light" ] || problem="caps lock's light did not come on"
    row "$id" "$name" "$([ -z "$problem" ]; echo $?)" \
        "${problem:-$(said 'ps2 keyboard'): $(grep -c '^1 ' <<<"$keyboard") key events as expected, the light of caps lock; $(said 'ps2 mouse')}"
}

ps2_check ps2-keys "PS/2 keyboard, Windows Server 2012" ws2012 ps2_type
if [ -x "$console_viewer" ]; then
    ps2_check ps2-viewer "PS/2 keyboard of a VNC viewer" ws2022 ps2_view --vnc "$work/runs/ps2-viewer/vm.vnc"
fi

if wanted ps2-reset; then
    make_image "$work/ps2-reset.img" 8
    machine_options=i8042=off monitor_options=pc-devices=on qemu_options=$ps2_guest kernel_options=reboot=k \
        boot ps2-reset amd64 1 reboot-once -- --generation 1 --release ws2012r2 --disk "$work/ps2-reset.img"
    problem=$(complaint)
    contacts=$(grep -a -c '^GUEST vmbus' "$console" || true)
    [ -n "$problem" ] || [ "$contacts" -eq 2 ] || problem="$contacts contacts on the console"
    row ps2-reset "reset by the keyboard controller" "$([ -z "$problem" ]; echo $?)" "${problem:-$contacts contacts}"
    rm -f "$work/ps2-reset.img"
fi
