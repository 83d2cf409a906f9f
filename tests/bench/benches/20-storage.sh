# SPDX-License-Identifier: BSD-3-Clause
# Reads and writes through NBD client -> kextrun -> kext -> ring -> hvhost -> page cache, against qemu-nbd on the same
# file. The two are measured in turns, several times; the median counts.

storage_image=$work/storage.raw
storage_seconds=${BENCH_SECONDS:-3}
storage_rounds=${BENCH_ROUNDS:-3}
storage_processes=""
ours="nbd+unix:///?socket=$work/nbd/disk0.sock"
theirs="nbd+unix:///?socket=$work/qemu-nbd.sock"

storage_limit=$((storage_seconds + 20)) # seconds that one run of fio may take

# fio_figure URI READ-WRITE BLOCK-SIZE DEPTH FIELD: one number from a timed run. fio's NBD engine says on standard
# output that it is connected, before the JSON.
fio_figure() {
    timeout -k 2 "$storage_limit" fio --name=bench --ioengine=nbd --uri="$1" --rw="$2" --bs="$3" --iodepth="$4" \
        --direct=1 --time_based --runtime="$storage_seconds" --ramp_time=0.5 --output-format=json \
        >"$work/fio.json" 2>"$work/fio.log" </dev/null || {
        echo "storage: fio failed on $1:" >&2
        cat "$work/fio.log" >&2
        return 1
    }
    sed -n '/^{/,$p' "$work/fio.json" | jq -er ".jobs[0] | .read.$5 + .write.$5 | round"
}

median() {
    sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

# storage_compare ID NAME READ-WRITE BLOCK-SIZE DEPTH FIELD UNIT
storage_compare() {
    local round number mine=() other=()
    for ((round = 0; round < storage_rounds; round++)); do
        number=$(fio_figure "$ours" "$3" "$4" "$5" "$6")
        mine+=("$number")
        number=$(fio_figure "$theirs" "$3" "$4" "$5" "$6")
        other+=("$number")
    done
    figure "$1" "$2" "$(printf '%s\n' "${mine[@]}" | median)" "$(printf '%s\n' "${other[@]}" | median)" \
        "$7" higher "$([ "$5" -eq 1 ] && echo '>= 0.7' || echo '>= 1.0')"
}

# cpu_ticks PROCESS...: hundredths of a second that they have used so far.
cpu_ticks() {
    local process
    for process; do cat "/proc/$process/stat"; done | awk '{ sum += $14 + $15 } END { print sum }'
}

# storage_processor_time ID NAME DEPTH: microseconds of processor time that a read costs, without the client's.
storage_processor_time() {
    local begin mine other
    begin=$(cpu_ticks "$guest" "$host")
    mine=$(fio_figure "$ours" randread 4k "$3" total_ios)
    mine=$((($(cpu_ticks "$guest" "$host") - begin) * 10000 / mine))
    begin=$(cpu_ticks "$baseline")
    other=$(fio_figure "$theirs" randread 4k "$3" total_ios)
    other=$((($(cpu_ticks "$baseline") - begin) * 10000 / other))
    figure "$1" "$2" "$mine" "$other" us lower -
}

resident_kib() { # resident memory without the shared guest RAM
    awk '/^(RssAnon|RssFile):/ { sum += $2 } END { print sum }' "/proc/$1/status"
}

# storage_doorbells: doorbells of the guest so far.
storage_doorbells() {
    timeout 5 "$bin/kextrun" stats --control "$work/guest.sock" | awk '$1 == "signals" { print $2 }'
}

# A packet is a request of the guest to the host: a read of one fio operation is one packet.
storage_signals() {
    local before after packets
    before=$(storage_doorbells)
    fio_figure "$ours" randread 4k 32 total_ios >/dev/null
    after=$(storage_doorbells)
    packets=$(sed -n '/^{/,$p' "$work/fio.json" | jq -er '.jobs[0] | .read.total_ios * (1 + 500 / .job_runtime) | round')
    figure storage-doorbells "doorbells per 1000 packets, depth 32" $(((after - before) * 1000 / packets)) - \
        doorbells lower '< 30'
}

# storage_bytes: bytes moved for clients so far, and those copied for that: between sockets and guest memory, into and
# out of bounce buffers, between guest memory and page cache, into and out of rings (by either side).
storage_bytes() {
    timeout 5 "$bin/kextrun" stats --control "$work/guest.sock" | awk '
        { value[$1] = $2 }
        END { print value["nbd-bytes-moved"], value["nbd-bytes-copied"], value["bounce-bytes"] }' | tr '\n' ' '
    timeout 5 "$bin/hvctl" --control "$work/host.sock" --json devices | jq -r '
        [.devices[] | select(.kind == "scsi")] |
        "\([.[].luns[].bytes_copied] | add) \([.[].message_bytes] | add * 2)"'
}

# storage_copies ID NAME READ-WRITE BLOCK-SIZE DEPTH
storage_copies() {
    local before after
    before=$(storage_bytes)
    fio_figure "$ours" "$3" "$4" "$5" total_ios >/dev/null
    after=$(storage_bytes)
    # shellcheck disable=SC2046
    set -- "$1" "$2" $(echo "$before $after" | awk '
        {
            moved = $6 - $1
            for (i = 2; i <= 5; i++) { copies[i] = ($(i + 5) - $i) / moved; sum += copies[i] }
            printf "%.2f %.2f %.2f %.2f %.2f", sum, copies[2], copies[3], copies[4], copies[5]
        }')
    figure "$1" "bytes copied per byte moved, $2" "$3" - bytes lower -
    echo "    sockets $4, bounce buffers $5, page cache $6, rings $7"
}

# Whatever happens, nothing of the bench keeps running.
storage_cleanup() {
    local process
    for process in $storage_processes; do kill "$process" 2>/dev/null || true; done
    for process in $storage_processes; do wait_for_end "$process" 5 2>/dev/null || true; done
    rm -f "$storage_image"
}

storage_start_host() {
    "$bin/hvhost" --socket "$work/partition.sock" --control "$work/host.sock" --release ws2022 \
        --disk "$storage_image" >"$work/host.log" 2>&1 </dev/null &
    host=$!
    storage_processes+=" $host"
    wait_for_socket "$work/partition.sock" $host 10
}

storage_start_guest() {
    "$bin/kextrun" --partition "$work/partition.sock" --control "$work/guest.sock" --macos 13 --processors 1 \
        --memory 512 --nbd "$work/nbd" "$kexts/MacHyperVSupportMonterey.kext" >"$work/guest.log" 2>&1 </dev/null &
    guest=$!
    storage_processes+=" $guest"
    wait_for_socket "$work/nbd/disk0.sock" $guest 30
}

# The very file that hvhost has locked: both use the same page cache.
storage_start_baseline() {
    qemu-nbd --shared=8 --persistent --socket="$work/qemu-nbd.sock" --image-opts \
        "driver=raw,file.driver=file,file.aio=io_uring,file.locking=off,file.filename=$storage_image" \
        >"$work/qemu-nbd.log" 2>&1 </dev/null &
    baseline=$!
    storage_processes+=" $baseline"
    wait_for_socket "$work/qemu-nbd.sock" $baseline 10
}

storage_bench() {
    local begin boot host guest baseline
    # Also when a measurement fails: `set -e` ends the script, and that this trap.
    trap storage_cleanup EXIT
    rm -rf "$work/nbd" "$work"/*.sock
    mkdir -p "$work/nbd"
    head -c 256M /dev/urandom >"$storage_image"
    storage_start_host
    begin=$(date +%s%N)
    storage_start_guest
    boot=$((($(date +%s%N) - begin) / 1000000))
    storage_start_baseline

    heading "Storage through the driver" qemu-nbd
    storage_compare storage-4k-1 "4 KiB random read, depth 1" randread 4k 1 iops IOPS
    storage_compare storage-4k-16 "4 KiB random read, depth 16" randread 4k 16 iops IOPS
    storage_compare storage-4k-64 "4 KiB random read, depth 64" randread 4k 64 iops IOPS
    storage_compare storage-1m "1 MiB sequential read, depth 4" read 1m 4 bw KiB/s
    storage_compare storage-write-4k-1 "4 KiB random write, depth 1" randwrite 4k 1 iops IOPS
    storage_compare storage-write-4k-16 "4 KiB random write, depth 16" randwrite 4k 16 iops IOPS
    storage_compare storage-write-4k-64 "4 KiB random write, depth 64" randwrite 4k 64 iops IOPS
    storage_compare storage-write-1m "1 MiB sequential write, depth 4" write 1m 4 bw KiB/s
    storage_processor_time storage-cpu-1 "processor time per 4 KiB read, depth 1" 1
    storage_processor_time storage-cpu-16 "processor time per 4 KiB read, depth 16" 16
    storage_signals
    storage_copies storage-copies-read-4k "4 KiB read" randread 4k 16
    storage_copies storage-copies-write-4k "4 KiB write" randwrite 4k 16
    storage_copies storage-copies-read-1m "1 MiB read" read 1m 4
    storage_copies storage-copies-write-1m "1 MiB write" write 1m 4

    heading "Start and memory" -
    figure start-to-disk "kextrun start to disk present" "$boot" - ms lower -
    figure memory-kextrun "kextrun resident, without guest RAM" "$(resident_kib "$guest")" - KiB lower -
    figure memory-hvhost "hvhost resident, without guest RAM" "$(resident_kib "$host")" - KiB lower -

    timeout 10 "$bin/kextrun" quit --control "$work/guest.sock" >/dev/null
    wait_for_end "$guest" 15 || true
    wait_for_end "$host" 15 || true
    storage_cleanup
    trap - EXIT
}

storage_bench
