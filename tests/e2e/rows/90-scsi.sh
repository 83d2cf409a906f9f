# SPDX-License-Identifier: BSD-3-Clause
# The SCSI controller's disk: copied out whole through the driver, written through it, found in the image
# after an orderly stop. The machine is off when this row is done.

uri="nbd+unix:///?socket=$nbd/disk0.sock"

# Sets $figure: what was measured, or what went wrong.
scsi_check() {
    local begin seconds
    begin=$(date +%s%N)
    nbdcopy "$uri" "$work/copied.raw" || { figure="nbdcopy failed"; return 1; }
    seconds=$((($(date +%s%N) - begin) / 1000000))
    qemu-img compare -q -f raw -F vhdx "$work/copied.raw" "$work/original.vhdx" || { figure="the copy differs from the image"; return 1; }
    e2fsck -f -n "$work/copied.raw" >"$work/fsck.log" 2>&1 || { figure="the copy's file system is damaged"; return 1; }

    head -c 1M /dev/urandom >"$work/pattern.bin"
    qemu-io -f raw -c "write -q -s $work/pattern.bin 40M 1M" -c "flush" "$uri" >"$work/qemu-io.log" 2>&1 ||
        { figure="writing failed: $(tail -n 1 "$work/qemu-io.log")"; return 1; }
    machine_stop || { figure="the machine did not stop cleanly"; return 1; }
    qemu-img convert -q -O raw "$work/disk.vhdx" "$work/after.raw"
    cmp -s "$work/pattern.bin" <(dd if="$work/after.raw" bs=1M skip=40 count=1 2>/dev/null) ||
        { figure="the image does not hold what was written"; return 1; }
    cmp -s <(head -c 40M "$work/after.raw") <(head -c 40M "$work/copied.raw") ||
        { figure="writing changed something else"; return 1; }
    figure="$(($(stat -c %s "$work/copied.raw") >> 20)) MiB out in $seconds ms, equal; 1 MiB written, found in the image; disk present after $boot_milliseconds ms"
}

status=0
scsi_check || status=1
row scsi "SCSI controller, VHDX disk" $status "$figure"
rm -f "$work/copied.raw" "$work/after.raw"
