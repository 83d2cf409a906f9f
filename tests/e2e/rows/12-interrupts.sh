# SPDX-License-Identifier: BSD-3-Clause
# The interrupt controller of VMBus devices: it is in the registry, below the platform, and every device names it and a
# vector of its own, so that macOS's families can ask their provider for an interrupt.

interrupts_check() {
    local registry devices vectors count
    registry=$("$bin/kextrun" ioreg --properties --control "$guest_control") || { figure="no registry"; return 1; }
    grep -q -- '-o HyperVInterruptController  <class HyperVInterruptController, .*registered' <<<"$registry" ||
        { figure="there is no HyperVInterruptController"; return 1; }
    devices=$(grep -c -- '<class HyperVVMBusDevice,' <<<"$registry")
    vectors=$(grep -A 1 '"IOInterruptControllers" = ("HyperVInterruptController")' <<<"$registry" |
        sed -n 's/.*"IOInterruptSpecifiers" = (<\(........\)>)/\1/p' | sort -u | grep -vc '^00000000$')
    [ "$devices" -eq "$vectors" ] || { figure="$devices devices, but $vectors vectors"; return 1; }
    count=$("$bin/kextrun" stats --control "$guest_control" | awk '/^interrupts-cpu/ { sum += $2 } END { print sum }')
    figure="$devices VMBus devices, each with a vector of HyperVInterruptController; $count interrupts so far"
}

status=0
interrupts_check || status=1
row interrupts "Interrupt controller of VMBus" $status "$figure"
