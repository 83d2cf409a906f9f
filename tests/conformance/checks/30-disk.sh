# SPDX-License-Identifier: BSD-3-Clause
# Sourced: Linux's hv_storvsc reads a disk whole (the checksum equals the image's), writes and reads back.

make_image() { # make_image FILE MEBIBYTES: bytes that do not repeat
    openssl enc -aes-128-ctr -nosalt -pass "pass:$1" -in /dev/zero 2>/dev/null | head -c "$(($2 << 20))" >"$1" || true # openssl ends on a broken pipe
}

disk_check() { # disk_check ID NAME ARCHITECTURE PROCESSORS RELEASE
    local id=$1 name=$2 image=$work/$1.img sum
    wanted "$id" || return 0
    make_image "$image" 64
    sum=$(sha256sum <"$image" | cut -d' ' -f1)
    boot "$id" "$3" "$4" disk,write:7 -- --release "$5" --disk "$image"
    problem=$(complaint)
    seen=$(said 'disk sda')
    [ -n "$problem" ] || [[ $seen == "bytes $((64 << 20)) sha256 $sum "* ]] || problem="the guest read '$seen'"
    [ -n "$problem" ] || [ "$(said 'write read')" = "back equal" ] || problem="the guest read something else back"
    written=$(dd if="$image" bs=64k skip=16 count=16 2>/dev/null | sha256sum | cut -d' ' -f1)
    [ -n "$problem" ] || [[ $(said pattern) == *"sha256 $written" ]] || problem="the image does not hold what was written"
    row "$id" "$name" "$([ -z "$problem" ]; echo $?)" "${problem:-64 MiB in ${seen##* } s, checksum equal}"
    rm -f "$image"
}

disk_check disk-amd64-1 "SCSI disk, amd64 kernel, 1 processor" amd64 1 ws2022
disk_check disk-amd64-4 "SCSI disk, amd64 kernel, 4 processors" amd64 4 ws2025
disk_check disk-i386-2 "SCSI disk, i386 kernel, 2 processors" i386 2 ws2022
disk_check disk-ws2012r2 "SCSI disk, Windows Server 2012 R2" amd64 2 ws2012r2
disk_check disk-ws2016 "SCSI disk, Windows Server 2016" amd64 2 ws2016
