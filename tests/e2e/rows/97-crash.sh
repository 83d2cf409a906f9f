# SPDX-License-Identifier: BSD-3-Clause
# The guest panics, or a kext of it faults: our kext tells the host, which reports the crash parameters: guest OS id,
# Darwin version, the host's build as the guest saw it. Both programs end with the status that says so. Machines of its own.

crash_folder=$work/crash

crash_event() { jq -c 'select(.event == "crash") | .parameters' "$crash_folder/host.log" 2>/dev/null; }

crash_start() { # crash_start OPTION_OR_KEXT...
    rm -rf "$crash_folder"
    mkdir -p "$crash_folder"
    machine_become "$bin/hvhost" --socket "$crash_folder/partition.sock" --control "$crash_folder/host.sock" --release "$release" \
        --generation "$generation" --disk memory:1M --json-events --log "$crash_folder/host.log" 2>"$crash_folder/errors.log" &
    crash_host=$!
    wait_for_socket "$crash_folder/partition.sock" $crash_host 10 || { figure="hvhost did not start"; return 1; }
    machine_become "$bin/kextrun" --partition "$crash_folder/partition.sock" --control "$crash_folder/guest.sock" --macos "$macos" \
        "$@" "$kext" >"$crash_folder/guest.log" 2>&1 &
    crash_guest=$!
}

# An old host has no registers for it; macOS before 10.11 calls no driver in a panic.
crash_is_told() {
    case ${release#ws} in 2008 | 2008r2 | 7) return 1 ;; esac
    case $macos in 10.6* | 10.7* | 10.8* | 10.9* | 10.10*) return 1 ;; esac
}

# Both programs end as they should, and the host has reported one crash: sets $figure.
crash_ends() { # crash_ends STATUS_OF_KEXTRUN
    local guest=0 host=0 darwin build events
    wait_for_end "$crash_guest" 15 || guest=$?
    wait_for_end "$crash_host" 15 || host=$?
    [ $guest -eq "$1" ] || { figure="kextrun ended with status $guest, not $1"; return 1; }
    [ $host -eq 6 ] || { figure="hvhost ended with status $host, not 6"; return 1; }
    events=$(crash_event)
    [ "$(wc -l <<<"$events")" -eq 1 ] || { figure="not one crash was reported: $events"; return 1; }
    darwin=$(jq '.[1] / 4294967296 | floor' <<<"$events")
    build=$(jq '.[2]' <<<"$events")
    if ! crash_is_told; then
        [ "$(jq -c . <<<"$events")" = '[0,0,0,0,0]' ] || { figure="parameters that nobody can have told: $events"; return 1; }
        figure="reported by the machine alone: this macOS or this host has no way to tell more"
        return 0
    fi
    [ "$(jq '.[0] > 0' <<<"$events")" = true ] || { figure="no guest OS id: $events"; return 1; }
    grep -q "Hyper-V [0-9.]*\.$build\$" "$crash_folder/guest.log" || { figure="another build: $events"; return 1; }
    figure="told: Darwin $darwin, host build $build; no rule broken"
}

crash_by_panic() {
    crash_start --nbd "$crash_folder/nbd" || return 1
    wait_for_socket "$crash_folder/nbd/disk0.sock" $crash_guest 30 || { figure="the guest did not start"; return 1; }
    "$bin/kextrun" panic --control "$crash_folder/guest.sock" >/dev/null || { figure="kextrun panic failed"; return 1; }
    crash_ends 7
}

# A kext's own fault, named in the report as its function.
crash_by_fault() { # crash_by_fault WAY REPORT
    crash_start --boot-args "fault=$1" "$build/kexts/Faulter.kext" || return 1
    crash_ends 8 || { figure="fault=$1: $figure"; return 1; }
    grep -q "kernel trap, $2 \(at\|after a call at\) _\?faulter_$1 + .* in org.machv.test.Faulter" "$crash_folder/guest.log" ||
        { figure="fault=$1: $(grep -m 1 'kernel trap' "$crash_folder/guest.log")"; return 1; }
}

crash_check() {
    local told
    crash_by_panic || return 1
    told=$figure
    crash_by_fault write 'page fault writing address 0x18' && crash_by_fault call 'page fault executing address 0x0' &&
        crash_by_fault invalid 'invalid instruction' && crash_by_fault stack 'kernel stack overflow' || return 1
    figure="a panic and four kinds of fault in a kext, $told"
}

status=0
crash_check || status=1
row crash "Crash of the guest" $status "$figure"
