# SPDX-License-Identifier: BSD-3-Clause
# Accelerated IDE disks of generation 1, one controller a disk, and a SCSI disk beside them. A machine of its own.

# shellcheck source=../disk_machine.sh
. tests/e2e/disk_machine.sh

ide_check() {
    local n sizes=(16 24 32) begin
    for n in 0 1 2; do
        head -c "${sizes[n]}M" /dev/urandom >"$work/ide$n.raw"
        cp "$work/ide$n.raw" "$work/ide$n.before"
    done
    disk_machine_start ide --generation 1 --disk "$work/ide0.raw,ide=0:0" --disk "$work/ide1.raw,ide=1:1" \
        --disk "$work/ide2.raw" || return 1
    disk_machine_wait_for 1 && disk_machine_wait_for 2 || return 1
    begin=$(date +%s%N)
    # Which disk came first is the guest's affair: they are told apart by size.
    for n in 0 1 2; do
        nbdcopy "$(disk_uri $n)" "$disk_folder/copy" || { figure="nbdcopy failed"; return 1; }
        size=$(($(stat -c %s "$disk_folder/copy") >> 20))
        cmp -s "$disk_folder/copy" "$work/ide$(((size - 16) / 8)).before" ||
            { figure="the copy of the disk of $size MiB differs"; return 1; }
        qemu-io -f raw -c "write -q -P $((size)) 1M 64k" -c flush "$(disk_uri $n)" >/dev/null ||
            { figure="writing failed"; return 1; }
    done
    milliseconds=$((($(date +%s%N) - begin) / 1000000))
    disk_machine_stop || return 1
    for n in 0 1 2; do
        qemu-io -f raw -r -c "read -q -P ${sizes[n]} 1M 64k" "$work/ide$n.raw" | grep -q 'failed' &&
            { figure="what was written is not in the image of ${sizes[n]} MiB"; return 1; }
        cmp -s -i 1114112 "$work/ide$n.raw" "$work/ide$n.before" || { figure="writing changed something else"; return 1; }
    done
    figure="2 IDE disks (0:0, 1:1) and a SCSI disk: 72 MiB out in $milliseconds ms, equal; written, found in the images"
}

status=0
ide_check || status=1
row ide "IDE disks of generation 1" $status "$figure"
rm -f "$work"/ide?.* "$work/ide/copy"
