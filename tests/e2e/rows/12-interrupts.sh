# SPDX-License-Identifier: BSD-3-Clause
# The interrupt controller of VMBus devices: every device names it and a vector of its own, and a kext that knows nothing
# of VMBus gets interrupts there as from any provider, one of them while it is disabled. A machine of its own.

interrupts_folder=$work/interrupts

interrupts_registry() { "$bin/kextrun" ioreg --control "$interrupts_folder/guest.sock" --properties; }

interrupts_start() {
    mkdir -p "$interrupts_folder"
    machine_become "$bin/hvhost" --socket "$interrupts_folder/partition.sock" --release "$release" --generation "$generation" \
        >"$interrupts_folder/host.log" 2>&1 &
    interrupts_host=$!
    wait_for_socket "$interrupts_folder/partition.sock" $interrupts_host 10 || { figure="hvhost did not start"; return 1; }
    machine_become "$bin/kextrun" --partition "$interrupts_folder/partition.sock" --control "$interrupts_folder/guest.sock" \
        --macos "$macos" --processors 2 "$kext" "$build/kexts/BusListener.kext" >"$interrupts_folder/guest.log" 2>&1 &
    interrupts_guest=$!
    wait_for_socket "$interrupts_folder/guest.sock" $interrupts_guest 30 || { figure="kextrun did not start"; return 1; }
}

interrupts_are_heard() {
    registry=$(interrupts_registry) || return 1
    devices=$(grep -c -- '<class HyperVVMBusDevice,' <<<"$registry")
    [ "$devices" -gt 0 ] && [ "$(grep -c '"ListenerHeard" = 2$' <<<"$registry")" -eq "$devices" ]
}

interrupts_check() {
    local registry devices vectors
    interrupts_start || return 1
    wait_until 30 interrupts_are_heard || { figure="not every device's interrupt is heard: $(tail -n 1 "$interrupts_folder/guest.log")"; return 1; }
    grep -q -- '-o HyperVInterruptController  <class HyperVInterruptController, .*registered' <<<"$registry" ||
        { figure="there is no HyperVInterruptController"; return 1; }
    vectors=$(grep -A 1 '"IOInterruptControllers" = ("HyperVInterruptController")' <<<"$registry" |
        sed -n 's/.*"IOInterruptSpecifiers" = (<\(........\)>)/\1/p' | sort -u | grep -vc '^00000000$')
    [ "$devices" -eq "$vectors" ] || { figure="$devices devices, but $vectors vectors"; return 1; }
    figure="$devices devices, each with a vector and 2 interrupts at a kext of others, one of them late"
}

status=0
interrupts_check || status=1
own_machine_end "${interrupts_guest-}" "${interrupts_host-}" "$interrupts_folder/guest.sock" || status=1
row interrupts "Interrupt controller of VMBus" $status "$figure"
