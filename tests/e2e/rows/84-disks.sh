# SPDX-License-Identifier: BSD-3-Clause
# Several disks on two SCSI controllers; disks come and go while another is written; one grows. A machine of its own.

# shellcheck source=../disk_machine.sh
. tests/e2e/disk_machine.sh

# Writes and reads disk 0 without a pause until told to end; fails if any of it fails.
disks_load() {
    local round=0
    while [ ! -e "$disk_folder/end" ]; do
        round=$((round + 1))
        qemu-io -f raw -c "write -q -P $((round % 251 + 1)) 0 2M" -c "read -q -P $((round % 251 + 1)) 0 2M" "$(disk_uri 0)" \
            >"$disk_folder/load.log" 2>&1 || return 1
        ! grep -q failed "$disk_folder/load.log" || return 1
        echo "$round" >"$disk_folder/rounds"
    done
}

# disks_come_and_go TIMES: a disk at LUN 9 of controller 1 is added, written, read and removed.
disks_come_and_go() {
    local n
    for n in $(seq "$1"); do
        disk_hvctl disk add "memory:8M,controller=1,lun=9" >/dev/null && disk_machine_wait_for 5 || return 1
        qemu-io -f raw -c "write -q -P $n 1M 1M" -c "read -q -P $n 1M 1M" "$(disk_uri 5)" >"$disk_folder/io.log" 2>&1 ||
            { figure="the added disk cannot be used: $(tail -n 1 "$disk_folder/io.log")"; return 1; }
        disk_hvctl disk remove 1:9 >/dev/null && disk_machine_wait_gone 5 || return 1
    done
}

# disks_one_grows: a disk of 16 MiB becomes one of 24 MiB that can be used to its new end. Disk 2 has been written by nobody;
# which LUN it is depends on which controller was faster, so both that have its size grow.
disks_one_grows() {
    local grown n try
    disk_hvctl disk resize 0:7 24M >/dev/null && disk_hvctl disk resize 0:63 24M >/dev/null || { figure="hvctl disk resize"; return 1; }
    for try in $(seq 300); do
        for n in 1 2 3 4; do # the next command brings the news
            qemu-io -r -f raw -c "read -q 0 4k" "$(disk_uri $n)" >"$disk_folder/grow.log" 2>&1 || { figure="$(cat "$disk_folder/grow.log")"; return 1; }
            [ "$(nbdinfo --size "$(disk_uri $n)")" != $((24 << 20)) ] || grown=$n
        done
        [ -z "${grown-}" ] || break
    done
    [ -n "${grown-}" ] || { figure="no disk has grown"; return 1; }
    qemu-io -f raw -c "write -q -P 9 20M 4M" -c "read -q -P 9 20M 4M" "$(disk_uri "$grown")" >"$disk_folder/grow.log" 2>&1 ||
        { figure="the disk that grew: $(tail -n 1 "$disk_folder/grow.log")"; return 1; }
    "$bin/kextrun" ioreg --json --control "$disk_folder/guest.sock" | jq -e "[.. | objects | select(.Size? == $((24 << 20)))] | length > 0" \
        >/dev/null || { figure="the registry does not have the new size"; return 1; }
}

# disks_with_blocks_of BYTES: one of the five has them; which number it got depends on which controller was faster.
disks_with_blocks_of() {
    local n
    for n in 0 1 2 3 4; do
        ! nbdinfo --json "$(disk_uri $n)" | jq -e ".exports[0].block_size_minimum == $1" >/dev/null || return 0
    done
    return 1
}

disks_check() {
    local load n
    disk_machine_start disks --generation "$generation" --disk memory:16M --disk memory:16M,lun=7 --disk memory:16M,block-size=4096 \
        --disk memory:16M,lun=63 --disk memory:16M,controller=1 || return 1
    for n in 1 2 3 4; do disk_machine_wait_for $n || return 1; done
    disks_with_blocks_of 4096 || { figure="no disk has blocks of 4096 bytes"; return 1; }
    disks_one_grows || return 1
    disks_load &
    load=$!
    disks_come_and_go 10 || { touch "$disk_folder/end"; return 1; }
    touch "$disk_folder/end"
    wait $load || { figure="a request to another disk failed: $(tail -n 1 "$disk_folder/load.log")"; return 1; }
    disk_machine_stop || return 1
    figure="5 disks, 2 controllers; one grew to 24 MiB, one came and went 10 times, meanwhile $(cat "$disk_folder/rounds") x 2 MiB written and read on another"
}

status=0
disks_check || status=1
row disks "SCSI disks, hot add and removal under load" $status "$figure"
