# SPDX-License-Identifier: BSD-3-Clause
# PCI passthrough: the test device, whose kext copies by DMA and counts interrupts, and an NVMe controller that comes
# while the machine runs, whose kext reads a block; the test device is ejected, and comes again. A machine of its own.

pci_folder=$work/pci

pci_ask() { "$bin/hvctl" --control "$pci_folder/host.sock" "$@"; }

pci_registry() { "$bin/kextrun" ioreg --control "$pci_folder/guest.sock" --properties; }

# The value of a property that only one driver has; bytes as hexadecimal digits.
pci_property() { pci_registry | sed -n "s/.*\"$1\" = <\\{0,1\\}\\([^>]*\\)>\\{0,1\\}$/\\1/p"; }

# What the host counts for a function: pci_host NAME MEMBER.
pci_host() { pci_ask --json pci list | jq -r ".. | objects | select(.name? == \"$1\") | .functions[0].$2"; }

pci_has_test_device() { [ "$(pci_property TestFaults)" = 0 ]; }

pci_has_block() { [ -n "$(pci_property FirstBlock)" ]; }

# All of the registry is read: who writes it must not meet a closed pipe.
pci_names() { pci_registry | grep "$1" >/dev/null; }

pci_is_gone() { [ -z "$(pci_host test state)" ] && ! pci_names 'pci1234,6d76'; }

pci_start() {
    mkdir -p "$pci_folder"
    head -c 1M /dev/urandom >"$pci_folder/disk.raw"
    machine_become "$bin/hvhost" --socket "$pci_folder/partition.sock" --control "$pci_folder/host.sock" --release "$release" \
        --generation "$generation" --pci '{"name": "test", "model": "test"}' >"$pci_folder/host.log" 2>&1 &
    pci_host_process=$!
    wait_for_socket "$pci_folder/partition.sock" $pci_host_process 10 || { figure="hvhost did not start"; return 1; }
    machine_become "$bin/kextrun" --partition "$pci_folder/partition.sock" --control "$pci_folder/guest.sock" --macos "$macos" \
        --processors 2 "$kext" "$build/kexts/PCITest.kext" "$build/kexts/NVMeReader.kext" \
        >"$pci_folder/guest.log" 2>&1 &
    pci_guest_process=$!
    wait_for_socket "$pci_folder/guest.sock" $pci_guest_process 30 || { figure="kextrun did not start"; return 1; }
}

pci_check_block() {
    [ "$macos" != 10.6 ] || { block="no MSI-X on 10.6, so no NVMe"; return 0; }
    pci_ask pci add "{\"name\": \"disk\", \"model\": \"nvme\", \"disk\": \"$pci_folder/disk.raw\"}" >/dev/null ||
        { figure="pci add failed"; return 1; }
    wait_until 60 pci_has_block || { figure="no block read: $(tail -n 1 "$pci_folder/guest.log")"; return 1; }
    [ "$(pci_property FirstBlock)" = "$(head -c 512 "$pci_folder/disk.raw" | xxd -p | tr -d '\n')" ] ||
        { figure="another block was read"; return 1; }
    block="NVMe added, a block read by its interrupt"
}

pci_check_eject() {
    pci_ask pci eject test >/dev/null || { figure="pci eject failed"; return 1; }
    wait_until 60 pci_is_gone || { figure="the ejected device stays"; return 1; }
    pci_ask pci add '{"name": "test", "model": "test"}' >/dev/null || { figure="the second pci add failed"; return 1; }
    wait_until 60 pci_has_test_device || { figure="the device does not come again"; return 1; }
}

pci_end() {
    local status=0
    "$bin/kextrun" quit --control "$pci_folder/guest.sock" >/dev/null
    wait_for_end $pci_guest_process 30 || status=$?
    wait_for_end $pci_host_process 15 || status=$?
    [ $status -eq 0 ] || { figure="the machine did not stop cleanly"; return 1; }
    ! grep -q violation "$pci_folder/host.log" || { figure="$(grep -m 1 violation "$pci_folder/host.log")"; return 1; }
}

pci_check() {
    local block interrupts bytes sources
    pci_start || return 1
    wait_until 60 pci_has_test_device || { figure="the test device does not work: $(tail -n 1 "$pci_folder/guest.log")"; return 1; }
    interrupts=$(pci_property TestInterrupts) bytes=$(pci_property TestBytes) sources=$(pci_property TestSources)
    pci_names '"IOInterruptControllers" = ("IOPCIMessagedInterruptController"' ||
        { figure="no function names macOS's controller of message-signalled interrupts"; return 1; }
    [ "$(pci_host test messages)" -ge "$interrupts" ] || { figure="the guest counted interrupts that were not sent"; return 1; }
    pci_check_block && pci_check_eject && pci_end || return 1
    figure="$sources sources, $interrupts interrupts, $bytes bytes by DMA; $block; ejected and added again"
}

case ${release#ws} in
2008 | 2008r2 | 2012 | 2012r2 | 7 | 8 | 8.1) row_not_offered pci "PCI passthrough" "hosts before Windows Server 2016 have none" ;;
*)
    status=0
    pci_host_process= pci_guest_process=
    pci_check || status=1
    [ -z "$pci_guest_process" ] || kill -KILL "$pci_guest_process" 2>/dev/null || true
    [ -z "$pci_host_process" ] || kill -TERM "$pci_host_process" 2>/dev/null || true
    row pci "PCI passthrough" $status "$figure"
    ;;
esac
