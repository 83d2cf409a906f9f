# SPDX-License-Identifier: BSD-3-Clause
# Sourced: waiting for what another process does, by event, with a limit.

# wait_for_socket PATH PROCESS SECONDS: until PATH is a socket. Fails at once when PROCESS ends, else after SECONDS.
wait_for_socket() {
    local path=$1 process=$2 deadline=$((SECONDS + $3))
    until [ -S "$path" ]; do
        kill -0 "$process" 2>/dev/null || return 1
        [ $SECONDS -lt $deadline ] || return 1
        inotifywait -qq -t 1 -e create -e moved_to "$(dirname "$path")" 2>/dev/null || true
    done
}

# wait_for_end PROCESS SECONDS: the exit status of a child, or 124 after killing it.
wait_for_end() {
    local process=$1 status=0
    timeout "$2" tail --pid="$process" -f /dev/null || { kill -KILL "$process" 2>/dev/null; wait "$process"; return 124; }
    wait "$process" || status=$?
    return $status
}

# wait_for_no_file PATH SECONDS: until nothing is at PATH. Fails after SECONDS.
wait_for_no_file() {
    local path=$1 deadline=$((SECONDS + $2))
    while [ -e "$path" ]; do
        [ $SECONDS -lt $deadline ] || return 1
        inotifywait -qq -t 1 -e delete -e moved_from "$(dirname "$path")" 2>/dev/null || true
    done
}
