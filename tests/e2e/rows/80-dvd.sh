# SPDX-License-Identifier: BSD-3-Clause
# The DVD drive of generation 2, in a machine of its own: discs are put in and read whole through the driver, a disc in
# use is let go when the host asks, one is exchanged by force.

# shellcheck source=../disk_machine.sh
. tests/e2e/disk_machine.sh

# dvd_read ISO: the guest's disk1 is that image, byte for byte.
dvd_read() {
    disk_machine_wait_for 1 || return 1
    nbdcopy "$(disk_uri 1)" "$disk_folder/copied.iso" || { figure="nbdcopy failed"; return 1; }
    cmp -s -n "$(stat -c %s "$1")" "$1" "$disk_folder/copied.iso" || { figure="the copy differs from the disc"; return 1; }
}

dvd_check() {
    local first=$work/first.iso second=$work/second.iso begin asked
    bsdtar -C "$work/files" -c --format iso9660 -f "$first" . && bsdtar -C "$work/files" -c --format iso9660 -f "$second" docs ||
        { figure="bsdtar makes no image"; return 1; }
    disk_machine_start dvd --generation 2 --disk memory:4M --dvd empty || return 1
    [ ! -e "$disk_folder/nbd/disk1.sock" ] || { figure="an empty drive has a medium"; return 1; }
    disk_hvctl dvd insert "$first" >/dev/null && dvd_read "$first" || return 1
    mkdir "$disk_folder/out"
    bsdtar -C "$disk_folder/out" -xf "$disk_folder/copied.iso" && diff -r "$work/files" "$disk_folder/out" >/dev/null ||
        { figure="files on the disc differ"; return 1; }
    # The guest has locked the tray: it is asked, and ejects.
    begin=$(date +%s%N)
    ! disk_hvctl dvd eject >/dev/null 2>&1 || { figure="a locked disc was taken"; return 1; }
    disk_machine_wait_gone 1 || return 1
    asked=$((($(date +%s%N) - begin) / 1000000))
    disk_hvctl dvd insert "$second" >/dev/null && dvd_read "$second" || return 1
    disk_hvctl dvd eject --force >/dev/null && disk_machine_wait_gone 1 || return 1
    disk_machine_stop || return 1
    figure="$(($(stat -c %s "$first") >> 20)) MiB out, files equal; ejected $asked ms after it was asked; 2 discs, one taken by force"
}

if machine_can_be_generation_2; then
    status=0
    dvd_check || status=1
    row dvd "DVD drive, discs come and go" $status "$figure"
else
    row_not_offered dvd "DVD drive, discs come and go" "synthetic drives came with generation 2, in Windows Server 2012 R2"
fi
rm -f "$work"/*.iso "$work/dvd/copied.iso"
rm -rf "$work/dvd/out"
