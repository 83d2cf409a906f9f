# SPDX-License-Identifier: BSD-3-Clause
# Reads through NBD client -> kextrun -> kext -> ring -> hvhost -> page cache, against qemu-nbd on the same file.
# The two are measured in turns, several times; the median counts.

storage_image=$work/storage.raw
storage_seconds=${BENCH_SECONDS:-3}
storage_rounds=${BENCH_ROUNDS:-3}
ours="nbd+unix:///?socket=$work/nbd/disk0.sock"
theirs="nbd+unix:///?socket=$work/qemu-nbd.sock"

# fio_figure URI READ-WRITE BLOCK-SIZE DEPTH FIELD: one number from a timed run.
fio_figure() {
    fio --name=bench --ioengine=nbd --uri="$1" --rw="$2" --bs="$3" --iodepth="$4" --direct=1 --time_based \
        --runtime="$storage_seconds" --ramp_time=0.5 --output-format=json 2>"$work/fio.log" |
        jq -r ".jobs[0].read.$5 | round"
}

median() {
    sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

# storage_compare ID NAME READ-WRITE BLOCK-SIZE DEPTH FIELD UNIT
storage_compare() {
    local round mine=() other=()
    for ((round = 0; round < storage_rounds; round++)); do
        mine+=("$(fio_figure "$ours" "$3" "$4" "$5" "$6")")
        other+=("$(fio_figure "$theirs" "$3" "$4" "$5" "$6")")
    done
    figure "$1" "$2" "$(printf '%s\n' "${mine[@]}" | median)" "$(printf '%s\n' "${other[@]}" | median)" \
        "$7" higher ">= 0.5, 1.0 aimed at"
}

resident_kib() { # resident memory without the shared guest RAM
    awk '/^(RssAnon|RssFile):/ { sum += $2 } END { print sum }' "/proc/$1/status"
}

storage_bench() {
    local host guest baseline begin
    rm -rf "$work/nbd"
    mkdir -p "$work/nbd"
    head -c 256M /dev/urandom >"$storage_image"
    "$bin/hvhost" --socket "$work/partition.sock" --control "$work/host.sock" --release ws2022 \
        --disk "$storage_image" >"$work/host.log" 2>&1 &
    host=$!
    wait_for_socket "$work/partition.sock" $host 10
    begin=$(date +%s%N)
    "$bin/kextrun" --partition "$work/partition.sock" --control "$work/guest.sock" --macos 13 --processors 1 \
        --memory 512 --nbd "$work/nbd" "$root/build/kexts/MacHyperVSupportMonterey.kext" >"$work/guest.log" 2>&1 &
    guest=$!
    wait_for_socket "$work/nbd/disk0.sock" $guest 30
    local boot=$((($(date +%s%N) - begin) / 1000000))
    qemu-nbd --read-only --format=raw --shared=8 --persistent --cache=writeback --aio=io_uring \
        --socket="$work/qemu-nbd.sock" "$storage_image" &
    baseline=$!
    wait_for_socket "$work/qemu-nbd.sock" $baseline 10

    heading "Storage through the driver" qemu-nbd
    storage_compare storage-4k-1 "4 KiB random read, depth 1" randread 4k 1 iops IOPS
    storage_compare storage-4k-16 "4 KiB random read, depth 16" randread 4k 16 iops IOPS
    storage_compare storage-1m "1 MiB sequential read, depth 4" read 1m 4 bw KiB/s

    heading "Start and memory" -
    figure start-to-disk "kextrun start to disk present" "$boot" - ms lower -
    figure memory-kextrun "kextrun resident, without guest RAM" "$(resident_kib $guest)" - KiB lower -
    figure memory-hvhost "hvhost resident, without guest RAM" "$(resident_kib $host)" - KiB lower -

    "$bin/kextrun" quit --control "$work/guest.sock" >/dev/null
    wait_for_end $guest 15 || true
    wait_for_end $host 15 || true
    kill $baseline
    wait $baseline || true
    rm -f "$storage_image"
}

storage_bench
