# SPDX-License-Identifier: BSD-3-Clause
# The integration services with their daemons: a file into the guest, answers to the host, and what it costs to wait.

services_folder=$work/services
services_baselines=$root/build/tests/bench/services/service_baselines
services_mebibytes=${BENCH_COPY_MIB:-1024}
services_idle_seconds=${BENCH_IDLE_SECONDS:-20}
services_processes=()

services_start_host() {
    "$bin/hvhost" --socket "$services_folder/partition.sock" --control "$services_folder/host.sock" --release ws2022 \
        >"$services_folder/host.log" 2>&1 </dev/null &
    services_host=$!
    services_processes+=($services_host)
    wait_for_socket "$services_folder/partition.sock" $services_host 10
}

services_start_guest() {
    "$bin/kextrun" --partition "$services_folder/partition.sock" --control "$services_folder/guest.sock" --macos 13 \
        --processors 2 --memory 512 --kernel-controls "$services_folder/controls" \
        "$kexts/MacHyperVSupportMonterey.kext" >"$services_folder/guest.log" 2>&1 </dev/null &
    services_guest=$!
    services_processes+=($services_guest)
    wait_for_socket "$services_folder/guest.sock" $services_guest 30
}

services_daemons=()
services_start_daemon() { # services_start_daemon NAME OPTION...
    local name=$1
    shift
    "$bin/$name" --foreground --controls "$services_folder/controls" "$@" >"$services_folder/$name.log" 2>&1 </dev/null &
    services_daemons+=("$name:$!")
    services_processes+=($!)
}

services_start_daemons() {
    services_start_daemon hvshutdownd --command "'$bin/kextrun' quit --control '$services_folder/guest.sock'"
    services_start_daemon hvtimesyncd --clock-file "$services_folder/clock"
    services_start_daemon hvfilecopyd --root "$services_folder/files" --journal "$services_folder/journal"
    services_start_daemon hvkvpd --pools "$services_folder/pools"
    services_start_daemon hvbackupd --journal "$services_folder/frozen"
    local end=$((SECONDS + 30)) daemon
    for daemon in "${services_daemons[@]}"; do
        until grep -q ': serving ' "$services_folder/${daemon%:*}.log"; do
            [ $SECONDS -lt $end ] || { echo "services: ${daemon%:*} does not serve" >&2; return 1; }
            inotifywait -qq -t 1 -e modify "$services_folder/${daemon%:*}.log" 2>/dev/null || true
        done
    done
}

services_ask() { timeout 300 "$bin/hvctl" --control "$services_folder/host.sock" --json "$@"; }

# Both ways end with the file's bytes on the disk.
services_copy() {
    local begin cp_rate rate
    head -c "${services_mebibytes}M" /dev/urandom >"$services_folder/source"
    rate=$(services_ask copy-file "$services_folder/source" /copy | jq ".bytes / 1048576 / .seconds | round")
    cmp "$services_folder/source" "$services_folder/files/copy" || return 1
    rm "$services_folder/files/copy"
    begin=$(date +%s%N)
    cp "$services_folder/source" "$services_folder/files/copy"
    sync "$services_folder/files/copy"
    cp_rate=$((services_mebibytes * 1000000000 / ($(date +%s%N) - begin)))
    heading "Guest file copy, $services_mebibytes MiB" "see name"
    figure copy-cp "file copy against cp and sync, same disk" "$rate" "$cp_rate" MiB/s higher -
    figure copy-memcpy "a piece of 6 KiB against its memcpy" "$(awk "BEGIN { printf \"%.1f\", 6144 / 1.048576 / $rate }")" \
        "$("$services_baselines" memcpy "$services_folder/source")" us lower -
    rm "$services_folder/source" "$services_folder/files/copy"
}

# services_round_trip SERVICE: microseconds from the host's last request to the guest's answer.
services_round_trip() {
    services_ask services | jq -e ".services[] | select(.service == \"$1\") | .round_trip_us"
}

services_median() { # services_median COUNT COMMAND...: of what the command prints
    local count=$1
    shift
    for ((; count > 0; count--)); do "$@"; done | sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

services_refuse_hibernation() {
    services_ask shutdown --hibernate >/dev/null 2>&1 || true
    services_round_trip shutdown
}

services_read_pair() {
    services_ask kvp get key >/dev/null
    services_round_trip kvp
}

services_answers() {
    local baseline
    baseline=$("$services_baselines" round-trip 2000)
    heading "Host's request to guest's answer" "one socket"
    figure heartbeat-answer "heartbeat, the last of several" "$(services_round_trip heartbeat)" "$baseline" us lower -
    figure shutdown-answer-kext "shutdown that the kext answers, median" \
        "$(services_median 21 services_refuse_hibernation)" "$baseline" us lower -
    services_ask kvp set key value >/dev/null
    figure kvp-answer "pair that the daemon reads, median" "$(services_median 21 services_read_pair)" "$baseline" us lower -
}

services_cpu_ns() { awk '{ print $1 }' "/proc/$1/schedstat"; }

# Nothing is asked of the daemons meanwhile but the host's clock, every five seconds, of hvtimesyncd.
services_idle() {
    local daemon before=() i=0 used
    heading "Idle daemons, $services_idle_seconds s" -
    for daemon in "${services_daemons[@]}"; do before+=("$(services_cpu_ns "${daemon#*:}")"); done
    sleep "$services_idle_seconds"
    for daemon in "${services_daemons[@]}"; do
        used=$((($(services_cpu_ns "${daemon#*:}") - before[i++]) / 1000))
        figure "idle-${daemon%:*}" "${daemon%:*}, processor time" $used - us lower 0
    done
}

# The daemon's answer to the one that is meant, and the end of it all.
services_shutdown() {
    local begin seconds
    begin=$(date +%s%N)
    services_ask shutdown >/dev/null
    seconds=$((($(date +%s%N) - begin) / 1000))
    wait_for_end "$services_guest" 15 && wait_for_end "$services_host" 15 || return 1
    heading "Shutdown" -
    figure shutdown-answer "hvctl shutdown until the daemon has agreed" "$seconds" - us lower -
    figure shutdown-end "hvctl shutdown until guest and host are gone" $((($(date +%s%N) - begin) / 1000000)) - ms lower -
}

services_cleanup() {
    local process
    for process in "${services_processes[@]+"${services_processes[@]}"}"; do kill "$process" 2>/dev/null || true; done
    rm -rf "$services_folder/source" "$services_folder/files"
}

services_bench() {
    local services_host services_guest
    # Also when a measurement fails: `set -e` ends the script, and that this trap.
    trap services_cleanup EXIT
    rm -rf "$services_folder"
    mkdir -p "$services_folder"/{controls,files,pools}
    services_start_host
    services_start_guest
    services_start_daemons
    services_copy
    services_answers
    services_idle
    services_shutdown
    services_cleanup
    trap - EXIT
}

services_bench
