# SPDX-License-Identifier: BSD-3-Clause
# The heartbeat service: the host has an answer that is no older than two beats.

heartbeat=$("$bin/hvctl" --control "$host_control" --json heartbeat 2>&1) || true
state=$(jq -r '.state // empty' <<<"$heartbeat" 2>/dev/null) || true
row heartbeat "Heartbeat" "$([ "$state" = ok ]; echo $?)" \
    "$(jq -r '"\(.answered) answered, last \(.age_ms) ms ago"' <<<"$heartbeat" 2>/dev/null || echo "$heartbeat")"
