# SPDX-License-Identifier: BSD-3-Clause
# The heartbeat service: the guest answers, and the last answer is no older than two beats.

heartbeat_check() {
    local heartbeat
    heartbeat=$("$bin/hvctl" --control "$host_control" --json heartbeat 2>&1) || { figure=$heartbeat; return 1; }
    figure=$(jq -r '"\(.answers) of \(.beats) answered, the last in \(.round_trip_us) us"' <<<"$heartbeat")
    jq -e '(.status | startswith("Ok")) and .answers >= 1 and .last_answer_seconds_ago < 4' <<<"$heartbeat" >/dev/null
}

status=0
heartbeat_check || status=1
row heartbeat "Heartbeat service" $status "$figure"
