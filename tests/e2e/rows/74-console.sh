# SPDX-License-Identifier: BSD-3-Clause
# The console on the guest's screen: it follows a change of the mode to every edge, echoes what is typed, and neither draws
# nor reports anything while nothing happens.

console_do() { "$bin/kextrun" display "$@" --control "$guest_control"; }

# Colours of the title's row and of the row that is typed into, red, green, blue; as 16 bits a pixel have them on hosts
# of 2008.
console_title=2c4a66 console_input=20262c
console_title_16=294963 console_input_16=212429

console_shoot() { ask_host screenshot "$work/$1.ppm" >/dev/null 2>&1; }

console_pixel() { # console_pixel FILE X Y WIDTH HEIGHT
    tail -c $((3 * $4 * $5)) "$work/$1.ppm" | tail -c +$((3 * ($3 * $4 + $2) + 1)) | head -c 3 | od -An -tx1 | tr -d ' \n'
}

# The picture has this size, the title reaches its right edge, the line its lower right corner.
console_fills() { # console_fills WIDTH HEIGHT
    console_shoot console || return 1
    [ "$(sed -n 2p "$work/console.ppm" | tr -d '\0')" = "$1 $2" ] || return 1
    [ "$(console_pixel console $(($1 - 1)) 0 "$1" "$2")" = $console_title ] &&
        [ "$(console_pixel console $(($1 - 1)) $(($2 - 1)) "$1" "$2")" = $console_input ]
}

console_dirt() { ask_host --json display | jq .dirt_messages; }

console_has_drawn() { console_shoot after && ! cmp -s "$work/console.ppm" "$work/after.ppm"; }

# Two pictures half a second apart are the same.
console_is_still() {
    console_shoot console && sleep 0.5 && console_shoot after && cmp -s "$work/console.ppm" "$work/after.ppm"
}

# Bytes of the screen that the driver has read, and messages of changes, from guest and monitor.
console_cost() {
    "$bin/kextrun" ioreg --properties --control "$guest_control" | awk '/"HVScreenBytesRead"/ { print $NF }'
    ask_host --json display | jq '.dirt_messages + .watch_answers'
}

# Measures what a screen at rest costs in two seconds while a viewer looks.
console_measure_rest() {
    {
        declare -p bin guest_control host_control
        declare -f ask_host console_cost
        echo "sleep 1; console_cost >'$work/rest.before'; sleep 2; console_cost >'$work/rest.after'"
    } >"$work/rest.sh"
    "$vnc_do" "$vnc" picture "$work/rest.ppm" do "bash '$work/rest.sh'"
}

# The memory is not read, and nobody says anything; unless the guest's driver has to find changes itself, as on real hosts,
# which shows that reading would be seen here.
console_rest_costs_nothing() {
    local result
    [ -x "$vnc_do" ] || return 0
    console_measure_rest && cmp -s "$work/rest.before" "$work/rest.after" ||
        { figure="a screen at rest with a viewer costs: $(paste -sd, "$work/rest.before") became $(paste -sd, "$work/rest.after")"; return 1; }
    ask_host display changes guest >/dev/null && console_measure_rest && ! cmp -s "$work/rest.before" "$work/rest.after"
    result=$?
    ask_host display changes monitor >/dev/null
    [ $result -eq 0 ] || { figure="the driver's reading of the screen is not counted"; return 1; }
    rm -f "$work"/rest.*
    idle=", not a byte of the screen read in two with a viewer there"
}

console_check() {
    local size dirt idle=
    for size in 1280x1024 1024x768; do
        console_do set $size 2>"$work/display.err" || { figure=$(cat "$work/display.err"); return 1; }
        wait_until 10 console_fills "${size%x*}" "${size#*x}" || { figure="$size is not filled"; return 1; }
    done
    wait_until 10 console_is_still || { figure="the screen does not come to rest"; return 1; }
    dirt=$(console_dirt)
    console_shoot console && sleep 1 && console_shoot after
    cmp -s "$work/console.ppm" "$work/after.ppm" || { figure="it draws while nothing happens"; return 1; }
    [ "$(console_dirt)" = "$dirt" ] || { figure="$(($(console_dirt) - dirt)) messages while nothing happens"; return 1; }
    console_rest_costs_nothing || return 1
    ask_host key z >/dev/null || { figure="key failed"; return 1; }
    wait_until 10 console_has_drawn || { figure="what is typed is not shown"; return 1; }
    ask_host key backspace >/dev/null
    figure="two modes filled, a key echoed, nothing drawn or told in a second of rest$idle"
}

case $(ask_host --json display 2>/dev/null | jq -r '.vram_mib // 0') in
'' | 0) row_not_offered console "Console on the screen" "this host has no synthetic video" ;;
*)
    # Where the host has no synthetic keyboard its keys go to that of generation 1.
    [ "$(ask_host --json display | jq .depth)" != 16 ] || console_title=$console_title_16 console_input=$console_input_16
    status=0
    console_check || status=1
    rm -f "$work/console.ppm" "$work/after.ppm"
    row console "Console on the screen" $status "$figure"
    ;;
esac
