# SPDX-License-Identifier: BSD-3-Clause
# Sourced by run: one virtual machine, made of hvhost and kextrun. Uses $work, $bin, $keep, $macos, $generation, $release.

host_process= guest_process=
host_control=$work/host.sock guest_control=$work/guest.sock
nbd=$work/nbd controls=$work/controls
vnc=$work/vm.vnc vnc_do=$build/tests/vnc/vnc_do # a viewer without a screen; absent without libvncclient

if [ "${macos%%.*}" -ge 12 ]; then
    kext=$build/kexts/MacHyperVSupportMonterey.kext
else
    kext=$build/kexts/MacHyperVSupport.kext
fi
framebuffer=$build/kexts/MacHyperVFramebuffer.kext

# Releases before Windows Server 2012 R2 have no machines of generation 2.
machine_can_be_generation_2() {
    case ${release#ws} in
    2008 | 2008r2 | 2012 | 7 | 8) return 1 ;;
    esac
}

# Only one run at a time: two would share sockets, and daemons of the one would serve the guest of the other. Whatever
# of a run still lives holds the lock, as descriptor 9.
machine_claim() {
    mkdir -p "$(dirname "$work")"
    exec 9>>"$work.lock"
    flock -w 10 9 || { # what ends with a run that has just ended gets time to
        echo "run: a machine is running in $work: wait for the other run, or stop the kept one with" \
            "build/bin/kextrun quit --control $guest_control" >&2
        exit 2
    }
}

# The process that runs this becomes COMMAND. Unless it is to be kept, it ends with the run, even if that is killed.
machine_become() { # machine_become COMMAND...
    if $keep; then exec "$@"; fi
    exec setpriv --pdeathsig TERM -- "$@"
}

# A disk as people have it: a dynamic VHDX that holds a file system with files in it.
machine_prepare() {
    rm -rf "$work"
    mkdir -p "$work/files" "$nbd" "$controls"
    cp -r docs "$work/files/docs"
    cp LICENSE README.md "$work/files/"
    head -c 8M /dev/urandom >"$work/files/random.bin"
    truncate -s 64M "$work/disk.raw"
    mke2fs -q -t ext4 -d "$work/files" -L machv "$work/disk.raw"
    qemu-img convert -q -f raw -O vhdx -o subformat=dynamic "$work/disk.raw" "$work/disk.vhdx"
    cp "$work/disk.vhdx" "$work/original.vhdx"
    rm "$work/disk.raw"
}

machine_start() {
    machine_become "$bin/hvhost" --socket "$work/partition.sock" --control "$host_control" --release "$release" \
        --generation "$generation" --disk "$work/disk.vhdx" --vnc "$vnc" --horizontal-wheel >>"$work/host.log" 2>&1 &
    host_process=$!
    wait_for_socket "$work/partition.sock" $host_process 10 || return 1
    started=$(date +%s%N)
    machine_become "$bin/kextrun" --partition "$work/partition.sock" --control "$guest_control" --macos "$macos" \
        --processors 2 --memory 512 --input-log "$work/input.log" --nbd "$nbd" --kernel-controls "$controls" "$kext" "$framebuffer" >>"$work/guest.log" 2>&1 &
    guest_process=$!
    wait_for_socket "$nbd/disk0.sock" $guest_process 30 || return 1
    boot_milliseconds=$((($(date +%s%N) - started) / 1000000))
}

machine_show() {
    echo "== kernel log =="
    cat "$work/guest.log"
    echo
    echo "== registry =="
    "$bin/kextrun" ioreg --control "$guest_control"
}

machine_say_how() {
    cat <<END

The machine keeps running. To talk to it:
  build/bin/hvctl --control build/run/host.sock status
  build/bin/kextrun ioreg --control build/run/guest.sock
  nbdinfo 'nbd+unix:///?socket=build/run/nbd/disk0.sock'
  tail -f build/run/guest.log
To stop it:
  build/bin/kextrun quit --control build/run/guest.sock
END
}

# Orderly end, from inside the guest. Returns as machine_wait.
machine_stop() {
    "$bin/kextrun" quit --control "$guest_control" >/dev/null || return 1
    machine_wait
}

# For rows behind one that ended the machine.
machine_ensure() {
    [ -n "$guest_process" ] || machine_start
}

# Waits for the end of both. Returns 0 when both ended with status 0; says which did not.
machine_wait() {
    local guest_status=0 host_status=0
    wait_for_end "$guest_process" 15 || guest_status=$?
    wait_for_end "$host_process" 15 || host_status=$?
    guest_process= host_process=
    [ $guest_status -eq 0 ] || echo "kextrun ended with status $guest_status" >&2
    [ $host_status -eq 0 ] || echo "hvhost ended with status $host_status" >&2
    [ $guest_status -eq 0 ] && [ $host_status -eq 0 ]
}

# The end of a machine of a row's own; a process that never started is empty. Fails, with more in $figure, unless both
# ended with status 0.
own_machine_end() { # own_machine_end GUEST HOST CONTROL-SOCKET-OF-GUEST
    local guest=0 host=0
    if [ -n "$1" ]; then
        "$bin/kextrun" quit --control "$3" >/dev/null 2>&1 || kill "$1" 2>/dev/null
        wait_for_end "$1" 15 || guest=$?
    fi
    if [ -n "$2" ]; then
        wait_for_end "$2" 15 || host=$?
    fi
    [ $guest -eq 0 ] && [ $host -eq 0 ] || {
        figure="kextrun ended with status $guest, hvhost with $host; $figure"
        return 1
    }
}

machine_kill() {
    daemons_stop
    [ -z "$guest_process" ] || kill -KILL "$guest_process" 2>/dev/null || true
    [ -z "$host_process" ] || kill -TERM "$host_process" 2>/dev/null || true
}
