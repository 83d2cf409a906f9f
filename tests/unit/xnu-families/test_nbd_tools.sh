#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# NBD clients of other projects against our server: nbdinfo, nbdcopy, qemu-io.
# Usage: test_nbd_tools.sh SERVER
server=$1
for tool in nbdinfo nbdcopy qemu-io; do
    command -v $tool >/dev/null || { echo "1..0 # SKIP $tool is not installed"; exit 77; }
done
work=$(mktemp -d)
mkfifo "$work/stdin"
"$server" "$work" 64 <"$work/stdin" >"$work/log" 2>&1 &
pid=$!
exec 9>"$work/stdin"
trap 'exec 9>&-; wait $pid; rm -rf "$work"' EXIT
tries=0
while [ ! -S "$work/disk0.sock" ] && [ $tries -lt 200 ]; do sleep 0.05; tries=$((tries + 1)); done
uri="nbd+unix:///disk0?socket=$work/disk0.sock"
number=0
failed=0

check() { # check NAME COMMAND...
    name=$1
    shift
    number=$((number + 1))
    if "$@" >"$work/out" 2>&1; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        sed 's/^/# /' "$work/out" "$work/log"
        failed=1
    fi
}

info_is_right() {
    nbdinfo "$uri" >"$work/info" || return 1
    grep -q 'export-size: 67108864' "$work/info" && grep -q 'can_flush: true' "$work/info" &&
        grep -q 'can_fua: true' "$work/info" && grep -q 'can_trim: true' "$work/info" &&
        grep -q 'can_zero: true' "$work/info" && grep -q 'can_multi_conn: true' "$work/info" &&
        grep -q 'structured' "$work/info"
}

list_is_right() {
    nbdinfo --list "nbd+unix://?socket=$work/disk0.sock" | grep -q 'export="disk0"'
}

copy_both_ways() {
    head -c 67108864 /dev/urandom >"$work/image" && nbdcopy "$work/image" "$uri" &&
        nbdcopy "$uri" "$work/back" && cmp "$work/image" "$work/back"
}

qemu_patterns() {
    qemu-io -f raw -c 'write -P 0x5a 4096 1M' -c 'read -P 0x5a 4096 1M' \
        -c 'write -f -P 0x33 0 512' \
        -c 'flush' -c 'write -z 8192 64k' -c 'read -P 0 8192 64k' -c 'discard 1M 1M' \
        -c 'read -P 0 1M 1M' -c 'read -P 0x33 0 512' "$uri" | tee "$work/qemu"
    ! grep -qi 'failed\|error' "$work/qemu"
}

parallel_requests() {
    qemu-io -f raw -c 'aio_write -P 1 0 4M' -c 'aio_write -P 2 4M 4M' -c 'aio_write -P 3 8M 4M' \
        -c 'aio_flush' -c 'aio_read -P 1 0 4M' -c 'aio_read -P 2 4M 4M' -c 'aio_read -P 3 8M 4M' \
        -c 'aio_flush' "$uri" | tee "$work/qemu"
    ! grep -qi 'failed\|error' "$work/qemu"
}

largest_requests() {
    qemu-io -f raw -c 'write -P 7 0 32M' -c 'read -P 7 0 32M' "$uri" | tee "$work/qemu"
    ! grep -qi 'failed\|error' "$work/qemu"
}

check "nbdinfo sees size and abilities" info_is_right
check "nbdinfo lists the export" list_is_right
check "nbdcopy copies a random image there and back over several connections" copy_both_ways
check "qemu-io reads what it wrote, zeroed and discarded" qemu_patterns
check "qemu-io has many requests in flight" parallel_requests
check "qemu-io moves 32 MiB in one request" largest_requests
echo "1..$number"
exit $failed
