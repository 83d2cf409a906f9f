#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The storage path from a real client to the image: NBD -> kextrun -> the shipped kext -> ring -> hvhost -> file, qcow2
# and VHDX, with nbdcopy, fio, qemu-io, qemu-img, and file systems made and checked through it.
set -u
cd "$MACHV_SOURCE_ROOT" || exit 1
build=$MACHV_BUILD_ROOT
work=$(mktemp -d "${TMPDIR:-/tmp}/machv-storage.XXXXXX")
hvhost=$build/host/hvhost/hvhost kextrun=$build/xnu/kextrun/kextrun hvctl=$build/host/hvctl/hvctl
# shellcheck source=../lib/wait.sh
. tests/lib/wait.sh

for tool in jq fio qemu-img qemu-io nbdcopy mke2fs inotifywait; do
    command -v $tool >/dev/null || { echo "1..0 # SKIP $tool is not installed"; exit 0; }
done

host='' guest=''
cleanup() {
    if [ -e "$work/fuse/nbd" ]; then umount "$work/fuse" 2>/dev/null; fi
    [ -z "$guest" ] || kill -KILL "$guest" 2>/dev/null
    [ -z "$host" ] || kill -TERM "$host" 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT

number=0
check() { # check NAME STATUS
    number=$((number + 1))
    if [ "$2" -eq 0 ]; then echo "ok $number - $1"; else echo "not ok $number - $1"; fi
}
skip() { # skip NAME REASON
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}

uri() { echo "nbd+unix:///?socket=$work/nbd/disk$1.sock"; }
bytes_of() { nbdinfo --size "$(uri "$1")"; }

# start COUNT HVHOST-OPTION...: until the guest has so many disks.
start() {
    local n count=$1
    shift
    rm -rf "$work/nbd" && mkdir -p "$work/nbd"
    "$hvhost" --socket "$work/partition.sock" --control "$work/host.sock" --release ws2022 "$@" >"$work/host.log" 2>&1 &
    host=$!
    wait_for_socket "$work/partition.sock" $host 30 || return 1
    "$kextrun" --partition "$work/partition.sock" --control "$work/guest.sock" --macos 13 --processors 2 --memory 512 \
        --nbd "$work/nbd" "$build/kexts/MacHyperVSupportMonterey.kext" >"$work/guest.log" 2>&1 &
    guest=$!
    for ((n = 0; n < count; n++)); do wait_for_socket "$work/nbd/disk$n.sock" $guest 60 || return 1; done
}

# Which disk of the guest comes first is its affair: they differ in size.
find_disks() {
    local n
    for n in 0 1 2; do
        case $(bytes_of $n) in
        $((64 << 20))) raw=$n ;;
        $((48 << 20))) qcow2=$n ;;
        $((32 << 20))) vhdx=$n ;;
        esac
    done
    [ -n "${raw-}" ] && [ -n "${qcow2-}" ] && [ -n "${vhdx-}" ]
}

stop() {
    local guest_status=0 host_status=0
    "$kextrun" quit --control "$work/guest.sock" >/dev/null
    wait_for_end "$guest" 60 || guest_status=$?
    wait_for_end "$host" 60 || host_status=$?
    guest='' host=''
    [ "$guest_status$host_status" = 00 ] || { echo "# kextrun ended with $guest_status, hvhost with $host_status"; return 1; }
}

head -c 64M /dev/urandom >"$work/raw.img"
cp "$work/raw.img" "$work/before.img"
qemu-img create -q -f qcow2 "$work/disk.qcow2" 48M
qemu-img create -q -f vhdx -o subformat=dynamic "$work/disk.vhdx" 32M
start 3 --disk "$work/raw.img,format=raw" --disk "$work/disk.qcow2" --disk "$work/disk.vhdx" && find_disks
check "three disks of three formats come up" $?

nbdcopy "$(uri "$raw")" "$work/copy.img" && qemu-img compare -q -f raw -F raw "$work/copy.img" "$work/before.img"
check "nbdcopy reads what the image holds" $?

# fio_verify DISK NAME OPTION...: writes and verifies; fails when fio finds one wrong byte.
fio_verify() {
    local disk=$1
    shift
    timeout 200 fio --name=verify --ioengine=nbd --uri="$(uri "$disk")" --verify=crc32c --verify_fatal=1 --do_verify=1 \
        --verify_state_save=0 \
        --output-format=json "$@" >"$work/fio.json" 2>"$work/fio.log" </dev/null &&
        sed -n '/^{/,$p' "$work/fio.json" | jq -e '[.jobs[].error] | add == 0' >/dev/null &&
        sed -n '/^{/,$p' "$work/fio.json" | jq -e '([.jobs[].read.total_ios] | add) > 0' >/dev/null || {
        sed 's/^/# /' "$work/fio.log" | tail -n 5
        return 1
    }
}
fio_verify "$raw" --rw=randwrite --bs=4k --iodepth=16 --numjobs=4 --size=8M --offset_increment=16M
check "fio: 4 jobs of 4 KiB, depth 16, verified" $?
fio_verify "$qcow2" --rw=randwrite --bsrange=512-256k --iodepth=8 --numjobs=2 --size=12M --offset_increment=24M
check "fio: blocks of 512 bytes to 256 KiB on qcow2, verified" $?
fio_verify "$vhdx" --rw=write --bs=4m --iodepth=4 --size=32M
check "fio: requests larger than the driver's limit on VHDX, verified" $?
fio_verify "$raw" --rw=randrw --bs=64k --iodepth=64 --size=64M --verify_backlog=64 --fsync=16 --loops=2
check "fio: reads between writes and flushes, depth 64, verified" $?

patterns=(-c 'write -P 0xa1 1M 1M' -c 'write -f -P 0xa2 3M 64k' -c 'write -z 5M 1M' -c 'write -z -u 7M 1M' -c 'discard 9M 2M'
    -c 'write -P 0xa3 12582912 512' -c flush -c 'read -P 0xa1 1M 1M' -c 'read -P 0xa2 3M 64k' -c 'read -P 0 5M 1M'
    -c 'read -P 0 7M 1M' -c 'read -P 0xa3 12582912 512')
qemu-io -f raw "${patterns[@]}" "$(uri "$raw")" >"$work/qemu-io.log" 2>&1 && ! grep -qiE 'failed|error' "$work/qemu-io.log" &&
    [ "$(grep -cE '^(wrote|read|discard) ' "$work/qemu-io.log")" -eq 11 ]
check "qemu-io: patterns, FUA, zeroes, discard, a single sector" $?

# A file system, made in a file, goes to the disk and comes back whole.
mkdir "$work/files" && cp -r docs host "$work/files/"
truncate -s 48M "$work/ext4.img" && mke2fs -q -t ext4 -d "$work/files" "$work/ext4.img" &&
    nbdcopy --flush "$work/ext4.img" "$(uri "$qcow2")" && nbdcopy "$(uri "$qcow2")" "$work/ext4.back" &&
    e2fsck -f -n "$work/ext4.back" >"$work/fsck.log" 2>&1 && cmp -s "$work/ext4.img" "$work/ext4.back"
check "a file system copied to the disk and back is clean" $?

# And one that is made on the disk itself, where a disk can be mounted as a file.
mkdir "$work/fuse"
if ! command -v nbdfuse >/dev/null || ! command -v mformat >/dev/null; then
    skip "mkfs.ext4 and fsck.ext4 on the disk itself" "nbdfuse or mtools is not installed"
    skip "mformat, mcopy and mdir on the disk itself" "nbdfuse or mtools is not installed"
else
    nbdfuse "$work/fuse" "$(uri "$raw")" >"$work/nbdfuse.log" 2>&1 &
    fuse=$!
    for _ in $(seq 100); do
        [ ! -e "$work/fuse/nbd" ] && kill -0 $fuse 2>/dev/null || break
        inotifywait -qq -t 1 "$work/fuse" 2>/dev/null
    done
    if [ ! -e "$work/fuse/nbd" ]; then
        skip "mkfs.ext4 and fsck.ext4 on the disk itself" "nbdfuse cannot mount here: $(tail -n 1 "$work/nbdfuse.log")"
        skip "mformat, mcopy and mdir on the disk itself" "nbdfuse cannot mount here"
    else
        mke2fs -q -F -t ext4 -d "$work/files" "$work/fuse/nbd" && e2fsck -f -n "$work/fuse/nbd" >"$work/fsck.log" 2>&1
        check "mkfs.ext4 and fsck.ext4 on the disk itself" $?
        mformat -i "$work/fuse/nbd" -F :: && mcopy -s -i "$work/fuse/nbd" "$work/files/docs" ::docs &&
            mcopy -s -i "$work/fuse/nbd" ::docs "$work/docs.back" && diff -r "$work/files/docs" "$work/docs.back" >/dev/null
        check "mformat and mcopy on the disk itself" $?
        umount "$work/fuse"
        wait $fuse
    fi
fi

# The next command after a resize brings the news.
grows_to() { # grows_to DISK BYTES
    local try
    for try in $(seq 300); do
        qemu-io -r -f raw -c 'read -q 0 4k' "$(uri "$1")" >"$work/resize.log" 2>&1 || return 1
        [ "$(bytes_of "$1")" != "$2" ] || return 0
    done
    return 1
}
lun_of_raw=0 # as the options were given
"$hvctl" --control "$work/host.sock" disk resize $lun_of_raw 80M >/dev/null && grows_to "$raw" $((80 << 20)) &&
    qemu-io -f raw -c 'write -q -P 0xa4 72M 8M' -c 'read -q -P 0xa4 72M 8M' "$(uri "$raw")" >"$work/resize.log" 2>&1
check "an image grows under the guest and can be used to its new end" $?

# bytes: those that clients have moved so far, copied for them, by bounce buffers, and between medium and guest.
bytes() {
    "$kextrun" stats --control "$work/guest.sock" | awk '
        { value[$1] = $2 }
        END { print value["nbd-bytes-moved"], value["nbd-bytes-copied"], value["bounce-bytes"] }'
    "$hvctl" --control "$work/host.sock" --json devices |
        jq '[.devices[] | select(.kind == "scsi") | .luns[].bytes_copied] | add'
}
before=$(bytes)
nbdcopy "$(uri "$raw")" "$work/copied.img" && echo "$before $(bytes)" | tr '\n' ' ' | awk '
    {
        moved = $5 - $1; guest = $6 - $2; bounced = $7 - $3; host = $8 - $4
        once = guest >= moved && guest < 1.1 * moved && host >= moved && host < 1.1 * moved
        exit !(moved == 80 * 2^20 && once && bounced == 0)
    }'
check "a byte that is read is copied once in the host and once in the guest" $?

nbdcopy "$(uri "$raw")" "$work/last.raw" && nbdcopy "$(uri "$qcow2")" "$work/last.qcow2" && nbdcopy "$(uri "$vhdx")" "$work/last.vhdx"
check "all disks are read again" $?
"$hvctl" --control "$work/host.sock" --json violations | jq -e '.total == 0' >/dev/null
check "the host has nothing to complain of" $?
stop
check "both end in order" $?
qemu-img compare -q -f raw -F raw "$work/raw.img" "$work/last.raw" &&
    qemu-img compare -q -f qcow2 -F raw "$work/disk.qcow2" "$work/last.qcow2" &&
    qemu-img compare -q -f vhdx -F raw "$work/disk.vhdx" "$work/last.vhdx" && qemu-img check -q "$work/disk.qcow2"
check "the images hold what the guest saw" $?

disks=()
for n in {0..255}; do disks+=(--disk "memory:64K,controller=$((n / 64)),lun=$((n % 64))"); done
start 256 "${disks[@]}" && qemu-io -f raw -c 'write -P 7 0 64k' -c 'read -P 7 0 64k' "$(uri 255)" >/dev/null && stop
check "4 controllers with 64 disks each come up and go" $?
echo "1..$number"
