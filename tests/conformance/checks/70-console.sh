# SPDX-License-Identifier: BSD-3-Clause
# Sourced: Linux's hyperv_keyboard and hid_hyperv report what was done with hvctl or from a VNC viewer, event by event;
# what hyperv_drm has drawn is in the VNC viewer's picture.

console_viewer=$root/build/tests/vnc/vnc_do # a viewer without a screen

# Events as "type code value", one a line, without synchronisation, scan codes and repeats.
console_events() { # console_events NAME
    said "$1 events" | grep -o '[0-9a-f]\{48\}' | while read -r event; do
        local type=$((16#${event:34:2}${event:32:2})) code=$((16#${event:38:2}${event:36:2}))
        local value=$((16#${event:46:2}${event:44:2}${event:42:2}${event:40:2}))
        [ $type -eq 0 ] || [ $type -eq 4 ] || echo "$type $code $((value << 32 >> 32))"
    done
}

console_do() { # console_do CONTROL: what the person at the console does
    local key
    for key in a shift+b left numpad-5 f12 command+c 0x56; do "$hvctl" --control "$1" key $key; done
    "$hvctl" --control "$1" mouse move 32767 1
    "$hvctl" --control "$1" mouse move 16384 32767
    "$hvctl" --control "$1" mouse click 0
    "$hvctl" --control "$1" mouse click 4
    "$hvctl" --control "$1" mouse wheel 1
    "$hvctl" --control "$1" mouse wheel -2
    "$hvctl" --control "$1" key escape
}

# What evdev has to say: KEY_A, shift and B, left, keypad 5, F12, left meta and C, 102nd, escape.
console_keyboard_expected='1 30 1
1 30 0
1 42 1
1 48 1
1 48 0
1 42 0
1 105 1
1 105 0
1 76 1
1 76 0
1 88 1
1 88 0
1 125 1
1 46 1
1 46 0
1 125 0
1 86 1
1 86 0
1 1 1
1 1 0'
console_mouse_expected='3 0 32767
3 1 1
3 0 16384
3 1 32767
1 272 1
1 272 0
1 276 1
1 276 0
2 8 1
2 8 -2'

# The same keys from a viewer: of a US keyboard with Shift, by symbol, by scan code. The screen is blank, 640 x 480.
console_view() { # console_view CONTROL
    "$console_viewer" "${1%/*}/vm.vnc" us aB symbols ff51 ffb5 ffc9 down ffeb symbols 63 up ffeb scan 56 \
        pointer 639 1 0 pointer 320 479 0 pointer 320 479 1 pointer 320 479 0 pointer 320 479 128 pointer 320 479 0 \
        pointer 320 479 8 pointer 320 479 0 pointer 320 479 16 pointer 320 479 0 pointer 320 479 16 pointer 320 479 0 \
        pointer 320 479 32 pointer 320 479 0 pointer 320 479 64 pointer 320 479 0 symbols ff1b
}

# The middle of a pixel's share of the range, its ends for the outermost pixels; "back" is BTN_SIDE.
console_viewer_expected='3 0 32767
3 1 102
3 0 16409
3 1 32767
1 272 1
1 272 0
1 275 1
1 275 0
2 8 1
2 8 -1
2 8 -1
2 6 -1
2 6 1'

# A key is three events (scan code, key, synchronisation), a click twice that, a wheel step three (with its
# high-resolution form), a move of both axes three.
console_input() { # console_input ID NAME RELEASE DO MOUSE_EVENTS MOUSE_EXPECTED HVHOST_OPTION...
    local id=$1 name=$2 release=$3 act=$4 count=$5 expected=$6 watcher keyboard mouse
    shift 6
    wanted "$id" || return 0
    rm -rf "$work/runs/$id"
    (
        folder=$work/runs/$id
        until grep -aqs 'GUEST input ready' "$folder/console.log"; do sleep 0.2; done
        "$act" "$folder/control.sock" >"$folder/hvctl.log" 2>&1
    ) &
    watcher=$!
    boot "$id" amd64 1 "input:60:$count" -- --release "$release" "$@"
    kill $watcher 2>/dev/null || true
    wait $watcher 2>/dev/null || true
    problem=$(complaint)
    keyboard=$(console_events keyboard)
    mouse=$(console_events mouse | grep -v '^2 1[12] ' || true)
    [ -n "$problem" ] || [ "$keyboard" = "$console_keyboard_expected" ] || problem="the keyboard reported '$(tr '\n' ',' <<<"$keyboard")'"
    [ -n "$problem" ] || [ "$mouse" = "$expected" ] || problem="the mouse reported '$(tr '\n' ',' <<<"$mouse")'"
    row "$id" "$name" "$([ -z "$problem" ]; echo $?)" "${problem:-$(wc -l <<<"$keyboard") key events, $(wc -l <<<"$mouse") pointer events, all as expected}"
}

console_input console-input "Keyboard and mouse" ws2022 console_do 24 "$console_mouse_expected"
console_input console-input-2012r2 "Keyboard and mouse, Windows Server 2012 R2" ws2012r2 console_do 24 "$console_mouse_expected"
if [ -x "$console_viewer" ]; then
    console_input console-viewer "Keyboard and mouse of a VNC viewer" ws2022 console_view 33 "$console_viewer_expected" \
        --vnc "$work/runs/console-viewer/vm.vnc" --horizontal-wheel
fi

# The guest's pattern as a PPM file, drawn anew from its description in guest/init.
console_picture() { # console_picture WIDTH HEIGHT
    printf 'P6\n%s %s\n255\n' "$1" "$2"
    awk -v width="$1" -v height="$2" 'BEGIN {
        for (x = 0; x < width + 128; x++) {
            n = int(x / 16) % 8
            line = line (n > 3 ? "e" : "F") (int(n / 2) % 2 ? "c" : "D") (n % 2 ? "a" : "B")
        }
        for (y = 0; y < height; y++) printf "%s", substr(line, 3 * (y % 128) + 1, 3 * width)
    }'
}

# Pictures of the host and, if there is one, of a viewer; then a key, which tells the guest to go on.
console_look() { # console_look FOLDER
    "$hvctl" --control "$1/control.sock" screenshot "$1/screen.ppm"
    "$hvctl" --control "$1/control.sock" --json display >"$1/display.json"
    [ ! -x "$console_viewer" ] || "$console_viewer" "$1/vm.vnc" picture "$1/viewer.ppm"
    "$hvctl" --control "$1/control.sock" key a
}

# Sizes of VESA's Display Monitor Timings of 60 Hz. hyperv_drm offers those that are neither wider nor higher than the
# largest of the host's list, and prefers the host's default; the rest of the list it does not look at. Hosts before 3.5
# have no list: there 1600 x 1200 is the driver's own limit, and its own default.
console_dmt='640x480 800x600 848x480 1024x768 1280x720 1280x768 1280x800 1280x960 1280x1024 1360x768 1366x768 1400x1050 1440x900
1600x900 1600x1200 1680x1050 1792x1344 1856x1392 1920x1080 1920x1200 1920x1440 2048x1152 2560x1600 4096x2160'

# Sizes of the guest's list, each once.
console_modes() { said modes | tr ' ' '\n' | sed '/^$/d' | sort -u; }

# What is wrong with the guest's list of modes: it is this one, no size more or less.
console_modes_complaint() { # console_modes_complaint FOLDER
    local width=1600 height=1200 mode expected
    if [ "$(jq -r .version "$1/display.json")" = 3.5 ]; then
        width=$(jq '[.resolutions[] | split("x")[0] | tonumber] | max' "$1/display.json")
        height=$(jq '[.resolutions[] | split("x")[1] | tonumber] | max' "$1/display.json")
        [ "$(said modes | cut -d' ' -f1)" = "$(jq -r '.resolutions[0]' "$1/display.json")" ] ||
            { echo "the first mode is not the host's default: $(said modes)"; return; }
    fi
    expected=$(for mode in $console_dmt; do
        [ "${mode%x*}" -gt "$width" ] || [ "${mode#*x}" -gt "$height" ] || echo "$mode"
    done | sort | paste -sd' ')
    [ "$(console_modes | paste -sd' ')" = "$expected" ] ||
        echo "the modes are not those of a host whose largest is ${width}x$height: $(said modes)"
}

console_display() { # console_display ID NAME RELEASE HVHOST_OPTION...
    local id=$1 name=$2 release=$3 watcher folder=$work/runs/$1 size where="the host"
    shift 3
    wanted "$id" || return 0
    rm -rf "$folder"
    (
        until grep -aqs 'GUEST display ready' "$folder/console.log"; do sleep 0.2; done
        console_look "$folder" >"$folder/hvctl.log" 2>&1
    ) &
    watcher=$!
    boot "$id" amd64 1 display -- --release "$release" --vnc "$folder/vm.vnc" "$@"
    kill $watcher 2>/dev/null || true
    wait $watcher 2>/dev/null || true
    problem=$(complaint)
    size=$(said screen | sed 's/\([0-9]*\),\([0-9]*\) .*/\1 \2/')
    [ -n "$problem" ] || [ -n "$size" ] || problem="the guest said no size"
    # shellcheck disable=SC2086
    [ -n "$problem" ] || console_picture $size | cmp -s - "$folder/screen.ppm" || problem="the screen of '$size' is not what the guest drew"
    if [ -z "$problem" ] && [ -x "$console_viewer" ]; then
        where="the host and a VNC viewer"
        cmp -s "$folder/screen.ppm" "$folder/viewer.ppm" || problem="the viewer's picture is not the host's"
    fi
    [ -n "$problem" ] || problem=$(console_modes_complaint "$folder")
    row "$id" "$name" "$([ -z "$problem" ]; echo $?)" "${problem:-${size/ / x } pixel for pixel at $where, the $(console_modes | wc -l) modes that this host allows}"
    [ -n "$problem" ] || rm -f "$folder/screen.ppm" "$folder/viewer.ppm"
}

console_display console-display "Screen (synthvid 3.5)" ws2022
console_display console-display-2012r2 "Screen, Windows Server 2012 R2 (synthvid 3.2)" ws2012r2
console_display console-display-small "Screen, the host's largest is 1440 x 900" ws2022 --largest-screen 1440x900
