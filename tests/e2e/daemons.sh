# SPDX-License-Identifier: BSD-3-Clause
# Sourced by run: the daemons beside the machine, as a guest has them. Uses $work, $bin, $controls, $guest_control.
# They have a clock, files and pairs of their own under $work/guest, so that this machine's stay as they are.

daemon_processes=()

daemon_start() { # daemon_start NAME OPTION...
    local name=$1
    shift
    machine_become "$bin/$name" --foreground --debug --controls "$controls" "$@" >>"$work/$name.log" 2>&1 &
    daemon_processes+=($!)
}

daemons_start() {
    mkdir -p "$work/guest/files" "$work/guest/pools"
    daemon_start hvshutdownd --command "echo \$1 \$2 >>'$work/guest/asked'; '$bin/kextrun' quit --control '$guest_control'"
    daemon_start hvtimesyncd --clock-file "$work/guest/clock"
    daemon_start hvfilecopyd --root "$work/guest/files" --journal "$work/guest/journal"
    daemon_start hvkvpd --pools "$work/guest/pools"
    daemon_start hvbackupd --limit 30 --journal "$work/guest/frozen" --hook "echo \$1 >>'$work/guest/backups'"
}

daemons_stop() {
    local process
    for process in "${daemon_processes[@]+"${daemon_processes[@]}"}"; do
        kill -TERM "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    daemon_processes=()
}

# For a machine that outlives the run: its daemons end when PROCESS, the guest, does.
daemons_end_with() { # daemons_end_with PROCESS
    (
        trap '' HUP
        tail --pid="$1" -f /dev/null
        kill -TERM "${daemon_processes[@]}" 2>/dev/null
    ) >/dev/null 2>&1 </dev/null &
}

# wait_until SECONDS COMMAND...: until the command succeeds. Looks again whenever the guest writes something.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $deadline ] || return 1
        inotifywait -qq -t 1 -r -e close_write -e moved_to -e modify "$work/guest" "$work"/*.log "$work"/*/*.log 2>/dev/null || true
    done
}

# The kinds of devices that this machine has, from its host.
machine_offers() { # machine_offers KIND
    ask_host --json devices | jq -e --arg kind "$1" 'any(.devices[]; .kind == $kind)' >/dev/null
}

# Every daemon whose service the host offers serves it now, not only that of a machine before.
daemons_ready() {
    local name kind
    while read -r name kind; do
        machine_offers "$kind" || continue
        [[ $(grep -E ': serving |the service is gone' "$work/$name.log" | tail -n 1) == *serving* ]] || return 1
    done <<'END'
hvshutdownd shutdown
hvtimesyncd timesync
hvfilecopyd filecopy
hvkvpd kvp
hvbackupd backup
END
}

ask_host() {
    "$bin/hvctl" --control "$host_control" "$@"
}
