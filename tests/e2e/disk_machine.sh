# SPDX-License-Identifier: BSD-3-Clause
# Sourced by rows that need a machine with disks of their own, beside that of the run. One at a time. Uses $work, $bin,
# $macos, $release, $kext.

disk_folder= disk_host= disk_guest= disk_control=

# disk_machine_start NAME HVHOST_OPTION...: files in $work/NAME, disks as $disk_folder/nbd/diskN.sock. Returns when the
# guest has its first disk; otherwise sets $figure.
disk_machine_start() {
    local name=$1
    shift
    disk_folder=$work/$name disk_control=$work/$name/host.sock
    mkdir -p "$disk_folder/nbd" "$disk_folder/controls"
    machine_become "$bin/hvhost" --socket "$disk_folder/partition.sock" --control "$disk_control" --release "$release" \
        "$@" >"$disk_folder/host.log" 2>&1 &
    disk_host=$!
    wait_for_socket "$disk_folder/partition.sock" $disk_host 20 ||
        { figure="hvhost: $(tail -n 1 "$disk_folder/host.log")"; return 1; }
    machine_become "$bin/kextrun" --partition "$disk_folder/partition.sock" --control "$disk_folder/guest.sock" \
        --macos "$macos" --processors 2 --memory 256 --nbd "$disk_folder/nbd" --kernel-controls "$disk_folder/controls" \
        "$kext" >"$disk_folder/guest.log" 2>&1 &
    disk_guest=$!
    disk_machine_wait_for 0 || return 1
}

# disk_uri N: of the guest's disk N, for NBD clients.
disk_uri() { echo "nbd+unix:///?socket=$disk_folder/nbd/disk$1.sock"; }

# disk_machine_wait_for N: until the guest has disk N; otherwise sets $figure.
disk_machine_wait_for() {
    wait_for_socket "$disk_folder/nbd/disk$1.sock" "$disk_guest" 30 || { figure="the guest has no disk$1"; return 1; }
}

# Until the guest's disk N is gone.
disk_machine_wait_gone() {
    wait_for_no_file "$disk_folder/nbd/disk$1.sock" 30 || { figure="the guest still has disk$1"; return 1; }
}

disk_hvctl() { "$bin/hvctl" --control "$disk_control" "$@"; }

# Ends both in order. Fails, with $figure, when one did not end with status 0: hvhost says 3 of a broken rule.
disk_machine_stop() {
    local guest_status=0 host_status=0
    "$bin/kextrun" quit --control "$disk_folder/guest.sock" >/dev/null || true
    wait_for_end "$disk_guest" 30 || guest_status=$?
    wait_for_end "$disk_host" 30 || host_status=$?
    [ "$guest_status$host_status" = 00 ] || { figure="kextrun ended with $guest_status, hvhost with $host_status"; return 1; }
}
