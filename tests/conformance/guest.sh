# SPDX-License-Identifier: BSD-3-Clause
# Sourced: starts hvhost and a Linux guest on it. Uses $work and $root.

export ASAN_OPTIONS=abort_on_error=1
hvhost=$root/build/bin/hvhost
hvctl=$root/build/bin/hvctl

# boot NAME ARCHITECTURE PROCESSORS TEST -- HVHOST-OPTION...
# Boots a guest until it powers off. Afterwards: $console and $hostlog are files, $host_status and
# $guest_status the exit statuses. Options after "--" go to hvhost, those in $qemu_options to QEMU,
# $machine_options to its machine, $monitor_options to hv-remote, $kernel_options to Linux.
boot() {
    local name=$1 architecture=$2 processors=$3 test=$4
    shift 5
    local folder=$work/runs/$name mode=64 host
    rm -rf "$folder"
    mkdir -p "$folder"
    console=$folder/console.log hostlog=$folder/host.log control=$folder/control.sock
    [ "$architecture" = amd64 ] || mode=32
    "$hvhost" --socket "$folder/partition.sock" --control "$control" "$@" >"$hostlog" 2>&1 &
    host=$!
    wait_for_socket "$folder/partition.sock" $host 10 || true
    guest_status=0
    # shellcheck disable=SC2086
    timeout 120 "$work/qemu/qemu-system-x86_64" -L "$work/qemu/firmware" \
        -machine "pc,memory-backend=ram${machine_options:+,$machine_options}" -accel tcg,thread=multi -cpu qemu64 -smp "$processors" -m 512M \
        -object memory-backend-memfd,id=ram,size=512M,share=on \
        -nodefaults -no-user-config -display none -vga none -serial "file:$console" -monitor none \
        ${qemu_options--no-reboot} -acpitable "file=$work/vmbus.aml" \
        -device "hv-remote,socket=$folder/partition.sock,guest-mode=$mode${monitor_options:+,$monitor_options}" \
        -kernel "$work/$architecture/vmlinuz" -initrd "$work/$architecture/initramfs.gz" \
        -append "console=ttyS0 panic=-1 loglevel=4 hvtest=$test ${kernel_options-}" >"$folder/qemu.log" 2>&1 || guest_status=$?
    host_status=0
    wait $host || host_status=$?
    touch "$console"
}

# What went wrong in the last boot, one line; empty when nothing did. $expected_complaints is a pattern of what Linux
# says of such a host anyway.
complaint() {
    grep -a 'GUEST complaint' "$console" | tr -d '\r' | grep -E -v -m 1 "${expected_complaints:-^$}" && return
    if [ "$guest_status" -ne 0 ]; then echo "QEMU ended with status $guest_status"; return; fi
    if [ "$host_status" -ne 0 ]; then echo "hvhost ended with status $host_status: $(tail -n 1 "$hostlog")"; return; fi
    grep -a -q 'GUEST done' "$console" || echo "the guest did not come to its end"
}

# said TEXT: what the guest said after "GUEST TEXT ", first time.
said() {
    sed -n "s/^GUEST $1 //p" "$console" | tr -d '\r' | head -n 1
}

# heartbeats: how many hvhost had answered before it ended.
heartbeats() {
    sed -n 's/.* device: heartbeat .*"answers":\([0-9]*\).*/\1/p' "$hostlog" | tail -n 1
}
