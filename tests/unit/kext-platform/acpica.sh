#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ACPICA's own compiler makes a table as Hyper-V has it, its interpreter loads what is left when the processors are
# hidden: they are no devices any more, everything else works, and tables that refer to them still load.
# Usage: acpica.sh HIDE_PROCESSORS
set -u
hide=$(realpath "$1") count=2048
command -v acpiexec >/dev/null && command -v iasl >/dev/null || { echo "1..0 # SKIP iasl and acpiexec are not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
number=0

ok() { # ok STATUS NAME
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; sed 's/^/# /' log | tail -n 12; fi
}

{
    echo 'DefinitionBlock ("", "DSDT", 2, "VRTUAL", "MICROSFT", 1) {'
    echo 'Name (\PCNT, 4)'
    awk -v count=$count 'BEGIN {
        for (n = 1; n <= count; n++)
            printf "Device (\\%s%03d) { Name (_HID, \"ACPI0007\") Name (_UID, %d) Method (_STA) { If (LLessEqual (_UID, \\PCNT)) { Return (0x0F) } Return (Zero) } }\n",
                substr("PQR", int(n / 1000) + 1, 1), n % 1000, n
    }'
    echo 'Scope (\_SB) { Device (VMBS) { Name (_HID, "MSFT1000") Method (TEST) { Return (0x1234) } } } }'
} >dsdt.asl
cat >ssdt.asl <<'END'
DefinitionBlock ("", "SSDT", 2, "ACDT", "HVTEST", 0)
{
    External (\P001, DeviceObj)
    Scope (\P001) { Method (XTRA) { Return (0x5678) } }
}
END
iasl -ve dsdt.asl >log 2>&1 && iasl -ve ssdt.asl >>log 2>&1
ok $? "the tables compile"

devices() { acpiexec -vi -b 'objects DEVICE' dsdt.aml ssdt.aml 2>&1 | tr -d '\r' >log; grep -c -E '^ *\S* *\\?(\.?)[PQR][0-9]{3}' log; }

before=$(devices)
[ "$before" -eq $count ]
ok $? "$count processors are devices before: $before"

hidden=$("$hide" dsdt.aml 2>log)
[ "$hidden" = $count ]
ok $? "all are found: $hidden"

after=$(devices)
[ "$after" -eq 0 ]
ok $? "none is a device after: $after"

printf '%s\n' 'evaluate \_SB.VMBS.TEST' 'evaluate \P001.XTRA' quit | acpiexec -vi dsdt.aml ssdt.aml >log 2>&1
grep -q '= 0*1234$' log
ok $? "other devices work"
grep -q '= 0*5678$' log && ! grep -q 'AE_\(AML\|NOT_FOUND\|BAD\)' log
ok $? "tables that refer to a hidden one load"

iasl -d dsdt.aml >log 2>&1 && grep -q 'Name (P001, Buffer' dsdt.dsl && ! grep -q 'Device (.*P001' dsdt.dsl
ok $? "the disassembler reads it"
echo "1..$number"
