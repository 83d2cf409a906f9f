# SPDX-License-Identifier: BSD-3-Clause
# PCI passthrough: an access to configuration space and an interrupt beside a bare access to a trapped register (all of
# them are measured by the kext PCITest, in the guest), and how long functions take to appear.

pci_folder=$work/pci
pci_processes=""
pci_busses=16

pci_cleanup() {
    local process
    for process in $pci_processes; do kill "$process" 2>/dev/null || true; done
    for process in $pci_processes; do wait_for_end "$process" 5 2>/dev/null || true; done
    pci_processes=""
}

pci_registry() { timeout 10 "$bin/kextrun" ioreg --control "$pci_folder/guest.sock" --properties; }

pci_start_host() {
    local host
    rm -rf "$pci_folder"
    mkdir -p "$pci_folder"
    "$bin/hvhost" --socket "$pci_folder/partition.sock" --control "$pci_folder/host.sock" --release ws2022 "$@" \
        >"$pci_folder/host.log" 2>&1 </dev/null &
    host=$!
    pci_processes+=" $host"
    wait_for_socket "$pci_folder/partition.sock" $host 10
}

pci_start_guest() {
    "$bin/kextrun" --partition "$pci_folder/partition.sock" --control "$pci_folder/guest.sock" --macos 13 --processors 2 \
        --boot-args -pcibench "$kexts/MacHyperVSupportMonterey.kext" "$kexts/PCITest.kext" \
        >"$pci_folder/guest.log" 2>&1 </dev/null &
    pci_guest=$!
    pci_processes+=" $pci_guest"
    wait_for_socket "$pci_folder/guest.sock" $pci_guest 30
}

pci_end() {
    timeout 10 "$bin/kextrun" quit --control "$pci_folder/guest.sock" >/dev/null
    wait_for_end "$pci_guest" 15 || true
    pci_cleanup
}

# pci_number KEY: a property of the driver; ioreg prints it in hexadecimal.
pci_number() { echo $(($(pci_registry | sed -n "s/.*\"$1\" = \\([0-9a-fx]*\\)$/\\1/p"))); }

pci_measure_accesses() {
    local register
    pci_start_host --pci '{"model": "test"}'
    pci_start_guest
    timeout 60 grep -q -m 1 'PCITest: 16 sources, 0 faults' <(tail -n +1 -f --pid="$pci_guest" "$pci_folder/guest.log")
    register=$(pci_number BenchRegisterRead)
    heading "PCI passthrough, in the guest" "bare access"
    figure pci-guest-config "configuration space, read at the host" "$(pci_number BenchConfigRead)" "$register" ns lower "<= 2.5"
    figure pci-guest-shadow "configuration space, read in the guest" "$(pci_number BenchShadowRead)" "$register" ns lower "<= 0.1"
    figure pci-guest-interrupt "raise to woken thread" "$(pci_number BenchInterruptRoundTrip)" "$register" ns lower -
    figure pci-guest-burst "messages that the device sends" "$(pci_number BenchBurstMessages)" - /s higher -
    figure pci-guest-handled "calls of the handler for 4096 of them" "$(pci_number BenchBurstHandled)" - calls lower -
    pci_end
}

# Milliseconds from kextrun's start until so many functions are in the registry, matched, and the machine has ended.
pci_publish() {
    local begin arguments=() i
    for ((i = 0; i < $1; i++)); do arguments+=(--pci "{\"name\": \"bus$i\", \"msi\": 4, \"bars\": [{\"size\": \"64K\"}]}"); done
    pci_start_host ${arguments[@]+"${arguments[@]}"}
    begin=$(date +%s%N)
    timeout 60 "$bin/kextrun" --partition "$pci_folder/partition.sock" --macos 13 --processors 2 --ioreg \
        "$kexts/MacHyperVSupportMonterey.kext" >"$pci_folder/ioreg" 2>"$pci_folder/guest.log" </dev/null
    pci_elapsed=$((($(date +%s%N) - begin) / 1000000))
    [ "$(grep -c -- '-o pci1234,6d70@' "$pci_folder/ioreg" || true)" = "$1" ] || { echo "pci: not all functions came" >&2; return 1; }
    pci_cleanup
}

pci_measure_publishing() {
    local none
    pci_publish 0
    none=$pci_elapsed
    pci_publish $pci_busses
    heading "PCI passthrough, macOS starts" "no function"
    figure pci-guest-publish "$pci_busses functions published, start to end" "$pci_elapsed" "$none" ms lower -
    figure pci-guest-publish-each "of these, each function" $(((pci_elapsed - none) / pci_busses)) - ms lower -
}

pci_bench() {
    local pci_guest pci_elapsed
    trap pci_cleanup EXIT
    pci_measure_accesses
    pci_measure_publishing
    trap - EXIT
}

pci_bench
