# SPDX-License-Identifier: BSD-3-Clause
# Time: the host's clock is set 3.2 s ahead, the guest's follows; and back again. Then the guest is told what it hears
# after two hours in which it stood still.

clock_offset() { # seconds that the guest's clock is ahead of this machine's
    awk '{ printf "%.6f", $1 / 1e9 } END { if (NR == 0) printf "0.000" }' "$work/guest/clock" 2>/dev/null || echo 0.000
}

offset_is() {
    awk -v is="$(clock_offset)" -v wanted="$1" 'BEGIN { d = is - wanted; exit !(d > -0.2 && d < 0.2) }'
}

# What host and daemon said last, for a figure that tells more than that it went wrong.
timesync_story() {
    ask_host --json services | jq -r '.services[] | select(.service == "timesync")
        | "\(.state), \(.answers) of \(.requests) answered, skew \(.skew_seconds), the guest says \(.guest_says)"'
    tail -n 2 "$work/hvtimesyncd.log"
}

timesync_failed() { # timesync_failed WHAT
    figure="$1 ($(timesync_story 2>&1 | tr '\n' ';'))"
    return 1
}

timesync_resumed() {
    ask_host resumed 7200 >/dev/null || { figure="hvctl resumed failed"; return 1; }
    wait_until 20 offset_is 7200 || timesync_failed "no step after two hours of standing still" || return 1
    resumed=$(awk -v now="$(clock_offset)" 'BEGIN { printf "%.6f", 7200 - now }')
    ask_host time --skew 0 >/dev/null
    wait_until 20 offset_is 0 || timesync_failed "the clock did not go back from there"
}

timesync_check() {
    local before after resumed
    wait_until 10 daemons_ready || { figure="no daemon serves"; return 1; }
    ask_host time --skew 3.2 >/dev/null || { figure="hvctl time failed"; return 1; }
    wait_until 20 offset_is 3.2 || timesync_failed "the clock is $(clock_offset) s ahead, not 3.2" || return 1
    before=$(sed -n 's/.*host is ahead by \([0-9.]*\) s.*/\1/p' "$work/hvtimesyncd.log" | sort -g | tail -n 1)
    after=$(awk -v now="$(clock_offset)" 'BEGIN { printf "%.6f", 3.2 - now }')
    ask_host time --skew 0 >/dev/null
    wait_until 20 offset_is 0 || timesync_failed "the clock did not go back" || return 1
    # The clock is set first, the line comes after.
    wait_until 10 grep -q 'set BACK' "$work/hvtimesyncd.log" || { figure="going back was not logged"; return 1; }
    timesync_resumed || return 1
    figure="skew before $before s, after $after s; back again and logged; $resumed s after a resume of 2 h"
}

status=0
timesync_check || status=1
row timesync "Time synchronisation" $status "$figure"
