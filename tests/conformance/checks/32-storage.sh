# SPDX-License-Identifier: BSD-3-Clause
# Sourced: more of Linux's hv_storvsc: several disks, disks that come and go and grow, discard, several jobs at once,
# IDE disks, the DVD drive (sr_mod).

# storage_tell TEXT COMMAND...: runs hvctl when the guest of check $id has said TEXT, and says how it ended.
storage_tell() {
    local text=$1 folder=$work/runs/$id
    shift
    until grep -aqs "GUEST $text" "$folder/console.log"; do sleep 0.2; done
    "$hvctl" --control "$folder/control.sock" "$@" >>"$folder/hvctl.log" 2>&1 && echo "$1 $2: done" >>"$folder/hvctl.log" ||
        echo "$1 $2: refused" >>"$folder/hvctl.log"
}

# storage_boot PROCESSORS TEST WATCHER -- HVHOST-OPTION...: boots amd64; the function WATCHER runs beside it. Sets $problem.
storage_boot() {
    local processors=$1 test=$2 watcher=$3 process
    shift 3
    rm -rf "$work/runs/$id"
    mkdir -p "$work/runs/$id"
    $watcher &
    process=$!
    boot "$id" amd64 "$processors" "$test" "$@"
    kill $process 2>/dev/null || true
    wait $process 2>/dev/null || true
    problem=$(complaint)
}

# storage_row NAME FIGURE
storage_row() { row "$id" "$1" "$([ -z "$problem" ]; echo $?)" "${problem:-$2}"; }

storage_many() {
    local id=disk-many n sums options=()
    wanted "$id" || return 0
    for n in 1 2 3 4 5 6; do make_image "$work/many$n.img" 8; done
    for n in 1 2 3; do options+=(--disk "$work/many$n.img,lun=$((n * n))"); done
    options+=(--disk "$work/many4.img,lun=63" --disk "$work/many5.img,controller=1" --disk "$work/many6.img,controller=3,block-size=4096")
    storage_boot 2 disk true -- --release ws2022 "${options[@]}"
    sums=$(sed -n 's/^GUEST disk sd[a-z] bytes 8388608 sha256 \([0-9a-f]*\) .*/\1/p' "$console" | sort)
    [ -n "$problem" ] || [ "$sums" = "$(sha256sum "$work"/many?.img | cut -d' ' -f1 | sort)" ] || problem="the guest read $(wc -l <<<"$sums") disks, or others"
    storage_row "SCSI disks, 6 on 4 controllers, one of 4096-byte blocks" "all checksums equal"
    rm -f "$work"/many?.img
}
storage_many

storage_hotplug_watcher() {
    local round
    for round in 1 2 3; do
        storage_tell "hotplug ready $round" disk add memory:4M,lun=9
        storage_tell "hotplug used $round" disk remove 9
    done
}
storage_hotplug() {
    local id=disk-hotplug
    wanted "$id" || return 0
    # Linux flushes the cache of a disk that is gone already.
    local expected_complaints='cmd 0x35 status: scsi 0x2 srb 0x20'
    storage_boot 2 hotplug:3 storage_hotplug_watcher -- --release ws2025 --disk memory:16M
    [ -n "$problem" ] || [ "$(said 'hotplug rounds')" = 3 ] || problem="rounds: $(said 'hotplug rounds')"
    storage_row "SCSI disk added and removed, another one under load" "3 times"
}
storage_hotplug

storage_resize_watcher() { storage_tell "resize ready" disk resize 0 48M; }
storage_resize() {
    local id=disk-resize
    wanted "$id" || return 0
    # How it is told: a unit attention, which Linux logs.
    local expected_complaints='cmd 0x28 status: scsi 0x2 srb 0x84'
    storage_boot 1 resize:48 storage_resize_watcher -- --release ws2022 --disk memory:32M
    [ -n "$problem" ] || [ "$(said 'resize sectors')" = 98304 ] || problem="the guest sees $(said 'resize sectors') sectors"
    storage_row "SCSI disk that grows while it is used" "32 MiB to 48 MiB, noticed"
}
storage_resize

storage_discard() {
    local id=disk-discard image=$work/discard.img before after zeroes
    wanted "$id" || return 0
    make_image "$image" 32
    before=$(stat -c %b "$image")
    storage_boot 1 discard true -- --release ws2022 --disk "$image"
    after=$(stat -c %b "$image")
    zeroes=$(head -c 16M /dev/zero | sha256sum | cut -d' ' -f1)
    [ -n "$problem" ] || [ "$(said 'discard sha256')" = "$zeroes" ] || problem="what was given back does not read as zeroes"
    [ -n "$problem" ] || [ $((before - after)) -ge 32768 ] || problem="the image holds $after blocks, $before before"
    storage_row "Discard of a SCSI disk" "16 MiB given back; $(said discard)"
    rm -f "$image"
}
storage_discard

# storage_verify ID PROCESSORS JOBS RELEASE CHANNELS
storage_verify() {
    local id=$1 kernel_options=hv_storvsc.storvsc_vcpus_per_sub_channel=1
    wanted "$id" || return 0
    storage_boot "$2" "verify:$3" true -- --release "$4" --disk memory:64M
    [ -n "$problem" ] || [ "$(said 'file system')" = equal ] || problem="the file system: $(said 'file system')"
    [ -n "$problem" ] || [ "$(said 'storage channels')" = "$5" ] || problem="channels: $(said 'storage channels')"
    storage_row "Several jobs write and verify, $4, $2 processors" "$5 channels, $(said verify); file system made and checked"
}
storage_verify disk-verify-1 1 4 ws2022 1
storage_verify disk-verify-4 4 8 ws2025 4

storage_ide() {
    local id=disk-ide n sums
    wanted "$id" || return 0
    for n in 1 2; do make_image "$work/ide$n.img" 8; done
    storage_boot 2 disk,write:5 true -- --release ws2022 --generation 1 --disk "$work/ide1.img,ide=0:0" \
        --disk "$work/ide2.img,ide=1:1"
    sums=$(sed -n 's/^GUEST disk sd[a-z] bytes 8388608 sha256 \([0-9a-f]*\) .*/\1/p' "$console" | sort | uniq | wc -l)
    [ -n "$problem" ] || [ "$sums" = 2 ] || problem="the guest read $sums disks"
    [ -n "$problem" ] || [ "$(said 'write read')" = "back equal" ] || problem="the guest read something else back"
    storage_row "IDE disks of generation 1" "2 disks read; written and read back"
    rm -f "$work"/ide?.img
}
storage_ide

# Refused while the guest has the disc open; the disk that comes is the sign for it to let go.
storage_dvd_watcher() {
    storage_tell "dvd locked" dvd eject
    storage_tell "dvd locked" disk add memory:4M
    storage_tell "dvd unlocked" dvd eject
    storage_tell "dvd gone" dvd insert "$work/second.iso"
}
storage_dvd() {
    local id=dvd first=$work/first.iso second=$work/second.iso files=$work/dvd.files
    wanted "$id" || return 0
    rm -rf "$files" && mkdir -p "$files"
    make_image "$files/a" 4
    make_image "$files/b" 1
    bsdtar -C "$files" -c --format iso9660 -f "$first" a b
    bsdtar -C "$files" -c --format iso9660 -f "$second" b
    storage_boot 1 dvd storage_dvd_watcher -- --release ws2022 --dvd "$first,lun=3"
    [ -n "$problem" ] || [ "$(said 'dvd first')" = "bytes $(stat -c %s "$first") sha256 $(sha256sum <"$first" | cut -d' ' -f1)" ] ||
        problem="the first disc: $(said 'dvd first')"
    [ -n "$problem" ] || [ "$(said 'dvd files')" = "$(cat "$files/a" "$files/b" | sha256sum | cut -d' ' -f1)" ] || problem="files on the disc differ"
    [ -n "$problem" ] || [ "$(said 'dvd second')" = "bytes $(stat -c %s "$second") sha256 $(sha256sum <"$second" | cut -d' ' -f1)" ] ||
        problem="the second disc: $(said 'dvd second')"
    [ -n "$problem" ] || [ "$(grep -c 'dvd eject: refused' "$work/runs/$id/hvctl.log")" = 1 ] || problem="a locked disc was taken out"
    storage_row "DVD drive: disc read, mounted, locked, exchanged" "two discs, checksums equal"
    rm -rf "$files" "$first" "$second"
}
storage_dvd
