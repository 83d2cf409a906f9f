# SPDX-License-Identifier: BSD-3-Clause
# Graphics: the mode list, 1920 x 1080 set from inside, a picture of noise drawn by the guest and found at the host pixel
# by pixel, a size that the host wishes for followed, what does not fit refused. Hosts before 3.2 have 16 bits a pixel.

display_do() { "$bin/kextrun" display "$@" --control "$guest_control"; }

# The host's picture has this size, after a while.
display_awaits() { # display_awaits WIDTHxHEIGHT
    local tries=50
    until [ "$(ask_host --json display 2>/dev/null | jq -r '"\(.width)x\(.height)"')" = "$1" ]; do
        [ $((tries -= 1)) -gt 0 ] || { figure="the host does not show $1"; return 1; }
        sleep 0.1
    done
}

# Whoever else draws on the screen may do so once more in between.
display_compare() { # display_compare WIDTH HEIGHT
    local tries=5
    { printf 'P6\n%s %s\n255\n' "$1" "$2"; head -c $(($1 * $2 * 3)) /dev/urandom; } >"$work/drawn.ppm"
    while :; do
        display_do draw "$work/drawn.ppm" 2>"$work/display.err" || { figure=$(cat "$work/display.err"); return 1; }
        ask_host screenshot "$work/shown.ppm" >/dev/null || { figure="no screenshot"; return 1; }
        cmp -s "$work/drawn.ppm" "$work/shown.ppm" && return 0
        [ $((tries -= 1)) -gt 0 ] || { figure="the host's picture is not what was drawn"; return 1; }
    done
}

graphics_check() {
    local count wish=1680x1050 tries=100
    until display_do modes >"$work/modes.txt" 2>/dev/null; do
        [ $((tries -= 1)) -gt 0 ] || { figure="no framebuffer"; return 1; }
        sleep 0.1
    done
    count=$(wc -l <"$work/modes.txt")
    if display_do set 9999x9999 2>/dev/null; then
        figure="9999x9999 was not refused"
        return 1
    fi
    display_do set 1920x1080 2>"$work/display.err" || { figure=$(cat "$work/display.err"); return 1; }
    display_awaits 1920x1080 || return 1
    display_compare 1920 1080 || return 1
    figure="$count modes; 1920x1080 of noise equal at the host"
    if ask_host display set $wish >/dev/null 2>&1; then
        display_awaits $wish || return 1
        figure="$figure; followed the host to $wish"
    fi
    display_do set 1024x768 2>/dev/null || { figure="no way back to 1024x768"; return 1; }
    display_awaits 1024x768 || return 1
    display_do console 2>/dev/null || true
    ask_host screenshot "$work/screen.png" >/dev/null || { figure="no screenshot"; return 1; }
}

# The framebuffer of a host of 2008 has 4 MB: 1920 x 1080 is beyond it.
case $(ask_host --json display 2>/dev/null | jq -r '.vram_mib // 0') in
'' | 0 | 4) row_not_offered graphics "Graphics: modes, drawing, the host's size" "no room for 1920x1080" ;;
*)
    status=0
    graphics_check || status=1
    row graphics "Graphics: modes, drawing, the host's size" $status "$figure"
    ;;
esac
