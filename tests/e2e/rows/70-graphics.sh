# SPDX-License-Identifier: BSD-3-Clause
# Graphics: the mode list, 1920 x 1080 set from inside, a picture of noise drawn by the guest and found at the host pixel
# by pixel, a size that the host wishes for followed, what does not fit refused. Hosts of 2008 have 4 MB and 16 bits a
# pixel: there it is 1600 x 1200, and noise of colours that 16 bits have.

graphics_name="Graphics: modes, drawing, the host's size"

display_do() { "$bin/kextrun" display "$@" --control "$guest_control"; }

# The host's picture has this size, after a while.
display_awaits() { # display_awaits WIDTHxHEIGHT
    local tries=50
    until [ "$(ask_host --json display 2>/dev/null | jq -r '"\(.width)x\(.height)"')" = "$1" ]; do
        [ $((tries -= 1)) -gt 0 ] || { figure="the host does not show $1"; return 1; }
        sleep 0.1
    done
}

display_noise() { # display_noise WIDTHxHEIGHT DEPTH
    printf 'P6\n%s %s\n255\n' "${1%x*}" "${1#*x}"
    head -c $((${1%x*} * ${1#*x} * 3)) /dev/urandom |
        if [ "$2" -eq 16 ]; then tr '\000-\377' '[\000*128][\377*128]'; else cat; fi
}

# Whoever else draws on the screen may do so once more in between.
display_compare() { # display_compare WIDTHxHEIGHT DEPTH
    local tries=5
    display_noise "$1" "$2" >"$work/drawn.ppm"
    while :; do
        display_do draw "$work/drawn.ppm" 2>"$work/display.err" || { figure=$(cat "$work/display.err"); return 1; }
        ask_host screenshot "$work/shown.ppm" >/dev/null || { figure="no screenshot"; return 1; }
        cmp -s "$work/drawn.ppm" "$work/shown.ppm" && return 0
        [ $((tries -= 1)) -gt 0 ] || { figure="the host's picture is not what was drawn"; return 1; }
    done
}

graphics_check() { # graphics_check WIDTHxHEIGHT DEPTH
    local size=$1 wish=1680x1050 tries=100
    until display_do modes >"$work/modes.txt" 2>/dev/null; do
        [ $((tries -= 1)) -gt 0 ] || { figure="no framebuffer"; return 1; }
        sleep 0.1
    done
    if display_do set 9999x9999 2>/dev/null; then
        figure="9999x9999 was not refused"
        return 1
    fi
    display_do set "$size" 2>"$work/display.err" || { figure=$(cat "$work/display.err"); return 1; }
    display_awaits "$size" || return 1
    display_compare "$size" "$2" || return 1
    figure="$(wc -l <"$work/modes.txt") modes; $size of noise equal at the host"
    if ask_host display set $wish >/dev/null 2>&1; then
        display_awaits $wish || return 1
        figure="$figure; followed the host to $wish"
    fi
    "$bin/kextrun" set HyperVGraphics HVDisplayMode 1366x768 --control "$guest_control" 2>"$work/display.err" ||
        { figure=$(cat "$work/display.err"); return 1; }
    display_awaits 1366x768 || return 1
    ! "$bin/kextrun" set HyperVGraphics HVDisplayMode 9999x9999 --control "$guest_control" 2>/dev/null ||
        { figure="the property took 9999x9999"; return 1; }
    figure="$figure; set to 1366x768 by the property"
    display_do set 1024x768 2>/dev/null || { figure="no way back to 1024x768"; return 1; }
    display_awaits 1024x768 || return 1
    display_do console || { figure="no console"; return 1; }
    ask_host screenshot "$work/screen.png" >/dev/null || { figure="no screenshot"; return 1; }
}

vram=$(ask_host --json display 2>/dev/null | jq -r '.vram_mib // 0')
if [ "${vram:-0}" -eq 0 ]; then
    row_not_offered graphics "$graphics_name" "this host has no synthetic video"
else
    status=0
    if [ "$vram" -eq 4 ]; then graphics_check 1600x1200 16; else graphics_check 1920x1080 32; fi || status=1
    row graphics "$graphics_name" $status "$figure"
fi
