# SPDX-License-Identifier: BSD-3-Clause
# PCI passthrough as the host serves it: a scripted guest on 16 test devices. Everything is beside what an exit costs
# that hits no device: a round trip over the partition socket.

pci_bench=$(dirname "$bin")/tests/bench/pci/pci_bench

pci_run() {
    local host options=() number name value
    local -A pci_figures=()
    for number in $(seq 16); do options+=(--pci "{\"model\":\"test\",\"serial\":$number}"); done
    rm -f "$work/pci.sock"
    "$bin/hvhost" --socket "$work/pci.sock" --release ws2022 "${options[@]}" >"$work/pci-host.log" 2>&1 </dev/null &
    host=$!
    wait_for_socket "$work/pci.sock" $host 10
    while read -r name value; do pci_figures[$name]=$value; done < <(timeout 60 "$pci_bench" "$work/pci.sock" 2>"$work/pci.log")
    wait_for_end $host 5 || true
    if [ -z "${pci_figures[messages_per_second]-}" ]; then
        echo "pci: not measured:" >&2
        cat "$work/pci.log" "$work/pci-host.log" >&2
        return 1
    fi

    heading "PCI passthrough, host side" "bare exit"
    figure pci-config-read "read of configuration space" "${pci_figures[config_read_us]}" "${pci_figures[bare_exit_us]}" us lower "<= 1.2"
    figure pci-interrupt "register write to interrupt vector" "${pci_figures[interrupt_us]}" "${pci_figures[bare_exit_us]}" us lower "<= 1.5"
    figure pci-messages "interrupt messages a second, in a burst" "${pci_figures[messages_per_second]%.*}" - "1/s" higher -
    figure pci-publish "${pci_figures[buses]%.*} buses: channel, D0, requirements" "${pci_figures[publish_us]%.*}" - us lower "< 100 ms"
}

pci_run
