#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What a user can do wrong, and what can go wrong around a running machine: one clear line that names the thing and
# what to do, the documented exit status, no hang, and no acknowledged write lost.
set -u
build=$MACHV_BUILD_ROOT
kextrun=$build/xnu/kextrun/kextrun hvhost=$build/host/hvhost/hvhost hvctl=$build/host/hvctl/hvctl
kextlink=$build/tools/kextlink/kextlink
shipped=$build/kexts/MacHyperVSupport.kext executable=Contents/MacOS/MacHyperVSupport
# shellcheck source=../lib/wait.sh
. "$MACHV_SOURCE_ROOT/tests/lib/wait.sh"

work=$(mktemp -d)
number=0 host= guest= client=
trap 'kill -KILL $host $guest $client 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1

check() { # check NAME STATUS [FILE shown when it failed]
    number=$((number + 1))
    if [ "$2" -eq 0 ]; then echo "ok $number - $1"; return; fi
    echo "not ok $number - $1"
    [ $# -lt 3 ] || tail -n 8 "$3" | sed 's/^/# /'
}

# refused NAME STATUS TEXT... -- COMMAND...: the command ends with that status and says one line with all texts in it.
refused() {
    local name=$1 wanted=$2 texts=() status=0 verdict=0 text
    shift 2
    while [ "$1" != -- ]; do texts+=("$1"); shift; done
    shift
    timeout 20 "$@" >output 2>errors || status=$?
    [ $status -eq "$wanted" ] && [ "$(wc -l <errors)" -eq 1 ] || verdict=1
    for text in "${texts[@]}"; do grep -qF -- "$text" errors || verdict=1; done
    [ $verdict -eq 0 ] || echo "# status $status, wanted $wanted and: ${texts[*]}"
    check "$name" $verdict errors
}

# ---- kexts ----

damaged() { # damaged NAME: a copy of the shipped kext, to be damaged
    cp -r "$shipped" "$1.kext"
}

slice() { # slice INDEX FILE: one architecture of the shipped fat file, by the table at its begin
    local offset size
    read -r offset size < <(od -An -tu4 --endian=big -j $((16 + 20 * $1)) -N 8 "$shipped/$executable")
    tail -c +$((offset + 1)) "$shipped/$executable" | head -c "$size" >"$2"
}

processor() { # processor INDEX: cputype of an architecture in the fat file
    od -An -tu4 --endian=big -j $((8 + 20 * $1)) -N 4 "$shipped/$executable" | tr -d ' '
}

test_kexts() {
    local i386=0
    damaged truncated
    truncate -s 10000 "truncated.kext/$executable"
    refused 'a truncated kext' 3 MacHyperVSupport 'outside the file' 'build or copy the bundle again' -- "$kextrun" truncated.kext
    damaged magic
    printf 'ABCD' | dd of="magic.kext/$executable" conv=notrunc 2>/dev/null
    refused 'an executable that is no Mach-O file' 3 MacHyperVSupport 'begins with' 'build or copy the bundle again' -- \
        "$kextrun" magic.kext
    damaged i386
    [ "$(processor 0)" -eq 7 ] || i386=1
    slice $i386 "i386.kext/$executable"
    refused 'a kext with i386 code alone' 3 MacHyperVSupport 'processor type 0x7' 'not for x86_64' -- "$kextrun" i386.kext
    damaged gone
    rm "gone.kext/$executable"
    refused 'a bundle without its executable' 3 "gone.kext/$executable" 'No such file' -- "$kextrun" gone.kext
    damaged plist
    head -c 500 "$shipped/Contents/Info.plist" >plist.kext/Contents/Info.plist
    refused 'a damaged Info.plist' 3 'plist.kext: Info.plist, line' 'build or copy the bundle again' -- "$kextrun" plist.kext
    damaged library
    sed -i 's/com.apple.kpi.iokit/com.example.absent/' library.kext/Contents/Info.plist
    refused 'a library that is not there' 4 'com.example.absent' 'name the kext that has it' -- "$kextrun" --macos 10.13 library.kext
    refused 'a bundle that is not there' 3 'absent.kext: there is no kext bundle' -- "$kextrun" absent.kext
}

# ---- command lines and sockets ----

test_kextrun_options() {
    refused 'kextrun: an unknown option' 2 'unknown option --frobnicate' '--help' -- "$kextrun" --frobnicate "$shipped"
    refused 'kextrun: a macOS that does not exist' 2 '--macos 99' '10.6 to 15' -- "$kextrun" --macos 99 "$shipped"
    refused 'kextrun: boot arguments that do not fit' 2 '--boot-args: 2000 characters' 'leave some out' -- \
        "$kextrun" --boot-args "$(printf '%02000d' 0)" "$shipped"
    refused 'kextrun: no host at the socket' 6 'no host at nobody.sock' 'hvhost --socket nobody.sock' -- \
        "$kextrun" --partition nobody.sock "$shipped"
    refused 'kextrun: a command with nobody to answer it' 1 'no kextrun at nobody.sock' '--control nobody.sock' -- \
        "$kextrun" quit --control nobody.sock
    refused 'kextrun: a word that is neither kext nor command' 3 'frobnicate: there is no kext bundle, and no such command' -- \
        "$kextrun" frobnicate --control nobody.sock
    touch file
    refused 'kextrun: --nbd names a file' 1 'cannot make the folder file' 'choose another path' -- \
        "$kextrun" --nbd file "$shipped"
    refused 'kextrun: --nbd in a folder that is not there' 1 'absent/nbd' 'choose another path' -- \
        "$kextrun" --nbd absent/nbd "$shipped"
    local long
    long=$(printf '%090d' 0)/$(printf '%090d' 0)
    mkdir -p "$long"
    refused 'kextrun: --nbd longer than the path of a socket' 2 '--nbd 000' 'choose a shorter one' -- \
        "$kextrun" --nbd "$long" "$shipped"
}

test_other_options() {
    refused 'hvhost: an unknown option' 2 'unknown option --frobnicate' '--help' -- "$hvhost" --frobnicate
    refused 'hvhost: an option without its value' 2 '--socket needs a value' -- "$hvhost" --socket
    refused 'hvhost: a release that does not exist' 2 '--release 2099' 'try ' -- "$hvhost" --socket s --release 2099
    refused 'hvhost: a fault that does not exist' 2 '--faults disk.bogus=1' '--help' -- \
        "$hvhost" --socket s --disk memory:1M --faults disk.bogus=1
    refused 'hvhost: a password file that is not there' 1 '--vnc-password nofile: No such file' -- \
        "$hvhost" --socket s --vnc ./v --vnc-password nofile
    refused 'hvhost: a password file without a password' 1 'first line is to be the password' -- \
        "$hvhost" --socket s --vnc ./v --vnc-password /dev/null
    refused 'hvhost: a screen at a path that cannot be' 1 '--vnc absent/v' -- "$hvhost" --socket s --vnc absent/v
    refused 'hvhost: a TAP device with a name too long' 1 'tap averylongdevicename' '1 to 15 characters' -- \
        "$hvhost" --socket s --net tap=averylongdevicename
    refused 'hvhost: a disc that is not there' 1 'disk nofile' 'name an image that is there' -- \
        "$hvhost" --socket s --dvd nofile
    refused 'hvhost: a socket where none can be' 1 'absent/s' -- "$hvhost" --socket absent/s
    refused 'hvctl: an unknown command' 2 'frobnicate: no such command' '--help' -- "$hvctl" --control s frobnicate
    refused 'hvctl: half a command' 2 'wanted is one of: disk list, disk add, ' -- "$hvctl" --control s disk
    refused 'hvctl: an option without its value' 2 '--control needs a value' -- "$hvctl" --control
    refused 'hvctl: nobody at the socket' 3 'nobody.sock' '--control nobody.sock' -- "$hvctl" --json --control nobody.sock status
    jq -e '.ok == false and (.error | length > 0)' output >/dev/null
    check 'hvctl: nobody at the socket is JSON too' $? output
    refused 'kextlink: an unknown option' 2 'no such option: -frobnicate' 'usage: ' -- "$kextlink" -frobnicate x
    refused 'kextlink: an input that is not there' 2 'absent.o' 'No such file' -- "$kextlink" -o x absent.o
    refused 'kextlink: an input that is no object' 1 'not a Mach-O object' 'compile with' -- "$kextlink" -o x "$MACHV_SOURCE_ROOT/LICENSE"
}

# ---- disk images ----

test_images() {
    qemu-img create -q -f vhdx header.vhdx 16M
    cp header.vhdx short.vhdx
    dd if=/dev/zero of=header.vhdx bs=64K seek=1 count=2 conv=notrunc 2>/dev/null # both copies of the header
    truncate -s 200K short.vhdx
    refused 'a VHDX without a valid header' 1 'disk header.vhdx (vhdx)' 'No valid VHDX header' 'qemu-img check header.vhdx' -- \
        "$hvhost" --socket s --disk header.vhdx
    refused 'a VHDX that is cut off' 1 'disk short.vhdx (vhdx)' 'qemu-img check short.vhdx' -- "$hvhost" --socket s --disk short.vhdx
    "$hvhost" --socket first --disk header.vhdx,format=raw >first.log 2>&1 &
    host=$!
    wait_for_socket "$work/first" $host 10
    refused 'an image that another program uses' 1 'disk header.vhdx' 'in use' -- \
        "$hvhost" --socket s --disk header.vhdx,format=raw
    kill $host
    wait $host
    qemu-img create -q -f vhdx locked.vhdx 16M
    "$hvhost" --socket second --disk locked.vhdx >first.log 2>&1 &
    host=$!
    wait_for_socket "$work/second" $host 10
    refused 'a VHDX that another program uses' 1 'disk locked.vhdx (vhdx)' 'another program uses it' -- \
        "$hvhost" --socket s --disk locked.vhdx
    kill $host
    wait $host
    host=
    refused 'an image that is not there' 1 'disk absent.vhdx: No such file' 'qemu-img create' -- "$hvhost" --socket s --disk absent.vhdx
}

# ---- a machine that loses one of its halves ----

machine_up() { # machine_up DISK [kextrun option]...
    local disk=$1
    shift
    rm -rf nbd h g
    "$hvhost" --socket h --control c --disk "$disk" >/dev/null 2>host.log &
    host=$!
    wait_for_socket "$work/h" $host 10 || return 1
    mkdir nbd
    "$kextrun" --partition h --control g --nbd nbd "$@" "$build/kexts/MacHyperVSupportMonterey.kext" >guest.log 2>guest.errors &
    guest=$!
    wait_for_socket "$work/nbd/disk0.sock" $guest 20
}

# A client's copy is under way, with requests that the host has and does not answer.
copy_under_way() {
    local end=$((SECONDS + 15))
    "$hvctl" --control c faults disk.lost=100% >/dev/null || return 1
    timeout 30 nbdcopy "nbd+unix:///?socket=$work/nbd/disk0.sock" null: 2>client.errors &
    client=$!
    until "$hvctl" --control c --json devices | grep -Eq '"in_flight": *[1-9]'; do
        [ $SECONDS -lt $end ] || return 1
    done
}

client_failed() {
    local status=0
    wait_for_end "$client" 15 || status=$?
    client=
    [ $status -ne 0 ] && [ $status -ne 124 ]
}

ends_with() { # ends_with PROCESS STATUS: in time
    local status=0
    wait_for_end "$1" 15 || status=$?
    [ $status -eq "$2" ] || { echo "# ended with status $status instead of $2"; return 1; }
}

one_line() { # one_line FILE TEXT: the file is one line, with the text in it
    [ "$(wc -l <"$1")" -eq 1 ] && grep -qF -- "$2" "$1"
}

# All started in the same breath, the guest before its host.
test_start_in_any_order() {
    "$kextrun" --partition later --control later.g "$build/kexts/MacHyperVSupportMonterey.kext" >guest.log 2>guest.errors &
    guest=$!
    "$hvctl" --control later.c status >status.log 2>&1 &
    client=$!
    "$hvhost" --socket later --control later.c 2>host.log &
    host=$!
    wait $client
    check 'hvctl waits for a host that is starting' $? status.log
    client=
    "$kextrun" stats --control later.g >status.log 2>&1
    check 'a kextrun that waits for its host, and a command that waits for it' $? guest.errors
    "$kextrun" quit --control later.g >/dev/null
    ends_with $guest 0 && ends_with $host 0
    check 'and both end in order' $? host.log
    guest= host=
}

test_host_killed() {
    machine_up memory:64M && copy_under_way
    check 'a copy is under way when the host is killed' $? guest.log
    kill -KILL $host
    ends_with "$guest" 6 && one_line guest.errors 'kextrun: '
    check 'host killed in mid-I/O: kextrun says so in one line, status 6' $? guest.errors
    client_failed
    check 'host killed in mid-I/O: the NBD client is not left waiting' $? client.errors
    wait $host 2>/dev/null
    host= guest=
}

# A host that does not answer holds the end up; when it is gone nothing is left to wait for.
test_host_killed_in_the_end() {
    machine_up memory:8M
    check 'a machine is there to be ended' $? guest.log
    kill -STOP $host
    "$kextrun" quit --control g >/dev/null 2>&1
    kill -KILL $host
    ends_with "$guest" 6 && one_line guest.errors 'kextrun: the host has gone away'
    check 'host killed while the guest ends: kextrun says so in one line, status 6' $? guest.errors
    wait $host 2>/dev/null
    host= guest=
}

test_guest_killed() {
    machine_up memory:64M && copy_under_way
    check 'a copy is under way when the guest is killed' $? guest.log
    kill -KILL $guest
    ends_with "$host" 4 && [ "$(grep -c vanished host.log)" -eq 1 ]
    check 'guest killed in mid-I/O: hvhost says so in one line, status 4' $? host.log
    client_failed
    check 'guest killed in mid-I/O: the NBD client is not left waiting' $? client.errors
    wait $guest 2>/dev/null
    host= guest=
}

# write_through PATTERN OFFSET: written and flushed through the driver, so acknowledged.
write_through() {
    timeout 20 qemu-io -f raw -c "write -q -P $1 $2 1M" -c flush "nbd+unix:///?socket=$work/nbd/disk0.sock" >client.errors 2>&1
}

holds() { # holds FORMAT FILE PATTERN OFFSET
    qemu-io -f "$1" -r -c "read -q -P $3 $4 1M" "$2" >client.errors 2>&1 && ! grep -q . client.errors
}

test_acknowledged_writes() {
    qemu-img create -q -f vhdx disk.vhdx 32M
    truncate -s 32M disk.raw
    machine_up disk.vhdx && write_through 0x5a 3M
    check 'a write is acknowledged (VHDX)' $? client.errors
    kill -KILL $guest
    ends_with "$host" 4 && holds vhdx disk.vhdx 0x5a 3M
    check 'guest killed: the image holds what was acknowledged' $? client.errors
    wait $guest 2>/dev/null
    machine_up disk.raw && write_through 0xa5 7M
    check 'a write is acknowledged (raw)' $? client.errors
    kill -KILL $host
    ends_with "$guest" 6 && holds raw disk.raw 0xa5 7M
    check 'host killed: the image holds what was acknowledged' $? client.errors
    wait $host 2>/dev/null
    host= guest=
}

test_bad_boot_argument() {
    machine_up memory:8M --boot-args hvvmbusver=zz
    check 'a boot argument that makes no sense does not keep the guest from its disk' $? guest.log
    [ "$(grep -c 'hvvmbusver=0x7a7a is no VMBus version, so it is ignored' guest.log)" -eq 1 ]
    check 'a boot argument that makes no sense is named in one line' $? guest.log
    "$kextrun" quit --control g >/dev/null && ends_with $guest 0 && ends_with $host 0
    check 'and the machine ends in order' $? guest.errors
    host= guest=
}

test_kexts
test_kextrun_options
test_other_options
test_images
test_start_in_any_order
test_host_killed
test_host_killed_in_the_end
test_guest_killed
test_acknowledged_writes
test_bad_boot_argument
echo "1..$number"
