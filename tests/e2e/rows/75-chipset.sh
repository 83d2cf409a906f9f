# SPDX-License-Identifier: BSD-3-Clause
# The PCI bus of generation 1: the kext's root bridge finds the chipset's functions through ports 0xCF8 and 0xCFC, and
# nobody moves the base addresses that firmware has given.

chipset_functions='pci8086,7110@7
pci8086,7111@7,1
pci8086,7113@7,3
pci8086,7192@0
display@8'

# Sets $registry and $found.
chipset_is_there() {
    registry=$("$bin/kextrun" ioreg --properties --control "$guest_control") || return 1
    found=$(sed -n 's/.*+-o \(\S*\)  <class IOPCIDevice.*/\1/p' <<<"$registry" | grep -Fx "$chipset_functions" | sort)
    [ "$found" = "$(sort <<<"$chipset_functions")" ]
}

chipset_check() {
    local registry found reads
    wait_until 10 chipset_is_there || { figure="the bus has: $(tr '\n' ' ' <<<"$found")"; return 1; }
    grep -q '"assigned-addresses" = <1040008200000000000000f80000000000000004>' <<<"$registry" ||
        { figure="video memory is not at 0xf8000000"; return 1; }
    reads=$(ask_host --json devices | jq '.devices[] | select(.kind == "piix") | .reads')
    figure="$(wc -l <<<"$found") functions, $reads reads of configuration space, 64 MiB of video memory at 0xf8000000"
}

if [ "$generation" -ne 1 ]; then
    row_not_offered chipset "Chipset of generation 1" "machines of generation 2 have none"
else
    status=0
    chipset_check || status=1
    row chipset "Chipset of generation 1" $status "$figure"
fi
