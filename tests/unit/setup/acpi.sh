#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Renames in a mock DSDT what ACPI->Patch says, loads the compiled tables beside it in ACPICA's interpreter
# and evaluates what macOS, and what other systems, would.
# Usage: acpi.sh FOLDER_WITH_AML FOLDER_WITH_MOCK_DSDT RENAME_PROGRAM
set -u
tables=$1
mock=$2
rename=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0
failed=0

# ok STATUS NAME
ok() {
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
        failed=1
    fi
}

# dsdt NAME "FIELD=VALUE ..." PROCESSORS HOST: makes the mock DSDT of a host, with the renames, $work/NAME.aml.
dsdt() {
    local folder=$work/$1-source fields=$2 field
    mkdir -p "$folder"
    for field in PCNT=4 SCFG=0 TCFG=0 NCFG=0 BCFG=0 SGXE=0 PADE=0 $fields; do
        printf '%s %s\n' "${field%=*}" "${field#*=}"
    done | awk '{ value[$1] = $2 } END { for (f in value) printf "Name (\\%s, %d)\n", f, value[f] }' \
        >"$folder/mock-configuration.asl"
    awk -v count="$3" 'BEGIN {
        for (n = 1; n <= count; n++)
            printf "Device (\\%s%03d) { Name (_HID, \"ACPI0007\") Name (_UID, %d) Name (_STA, 0x0F) }\n",
                substr("PQR", int(n / 1000) + 1, 1), n % 1000, n
    }' >"$folder/mock-processors.asl"
    cp "$mock/mock-dsdt.asl" "$folder/"
    iasl -ve -I "$folder" -p "$work/$1-original" "$folder/mock-dsdt.asl" >"$work/$1.log" 2>&1 &&
        "$rename" "$work/$1-original.aml" "$work/$1.aml" "$4" >>"$work/$1.log" 2>&1 ||
        { cat "$work/$1.log"; echo "Bail out! the mock DSDT cannot be made"; exit 1; }
}

# run DSDT OS COMMAND TABLE...: what acpiexec prints. OS is darwin or other. The tables are loaded after
# the system's name is known, as OpenCore's are.
run() {
    local dsdt=$1 system=$2 command=$3 table
    shift 3
    {
        [ "$system" = darwin ] && echo 'osi install Darwin'
        for table; do
            echo "load $table"
        done
        echo "$command"
        echo quit
    } | acpiexec -di -dr "$work/$dsdt.aml" 2>&1
}

# value DSDT OS PATH TABLE...: the integer or string that evaluating PATH gives, or "none".
value() {
    local dsdt=$1 system=$2 path=$3
    shift 3
    run "$dsdt" "$system" "evaluate $path" "$@" | awk '
        /\[Integer\] = / { sub(/.*\[Integer\] = /, ""); print toupper($1); found = 1; exit }
        /\[String\] / { sub(/.*= /, ""); print $0; found = 1; exit }
        END { if (!found) print "none" }'
}

# is NAME WANTED GOT
is() {
    [ "$2" = "$3" ]
    ok $? "$1"
    [ "$2" = "$3" ] || echo "# wanted $2, got $3"
}

vmbus=$tables/SSDT-HV-VMBUS.aml
device=$tables/SSDT-HV-DEV.aml
device2022=$tables/SSDT-HV-DEV-WS2022.aml
plug=$tables/SSDT-HV-PLUG.aml

for table in "$vmbus" "$device" "$device2022" "$plug"; do
    cp "$table" "$work/plain.aml"
    iasl -d "$work/plain.aml" >"$work/disassembly.log" 2>&1
    grep -q '^DefinitionBlock' "$work/plain.dsl" && ! grep -qE '^ *//.*External.*Opcode' "$work/plain.dsl" &&
        ! od -An -v -tx1 "$table" | tr -d ' \n' | grep -qE '^.{72}a0.{2,6}0015'
    ok $? "$(basename "$table") holds no External opcode, which old macOS cannot read"
done

dsdt all "SCFG=1 TCFG=1 NCFG=1 BCFG=1 SGXE=1 PADE=1 PCNT=4" 2048 ws2022
dsdt none "" 2048 ws2022
# The same with the processors of an older host, which ACPICA reads much faster.
dsdt small "SCFG=1 TCFG=1 NCFG=1 BCFG=1 SGXE=1 PADE=1 PCNT=4" 240 ws2019
dsdt bare "" 240 ws2019
dsdt server2019 "SCFG=1 PCNT=2" 240 ws2019

is "macOS sees VMOD as EISA id VMD0001" 000000000100A459 "$(value small darwin '\_SB.VMOD._HID' "$vmbus")"
is "macOS sees the VMBus as EISA id VBS0001" 0000000001005358 "$(value small darwin '\_SB.VMOD.VMBS._HID' "$vmbus")"
is "other systems still see VMOD as ACPI0004" '"ACPI0004"' "$(value small other '\_SB.VMOD._HID' "$vmbus")"
is "other systems still see the VMBus as MSFT1000" '"MSFT1000"' "$(value small other '\_SB.VMOD.VMBS._HID' "$vmbus")"

is "processor 1 exists for macOS" 000000000000000F "$(value small darwin '\_SB.P001._STA' "$device")"
is "processor 4 of 4 exists for macOS" 000000000000000F "$(value small darwin '\_SB.P004._STA' "$device")"
is "processor 5 of 4 does not" 0000000000000000 "$(value small darwin '\_SB.P005._STA' "$device")"
is "processor 64 is described" 0000000000000000 "$(value small darwin '\_SB.P064._STA' "$device")"
is "there is no processor object 65" none "$(value small darwin '\_SB.P065._STA' "$device")"
is "other systems see no old-style processor" 0000000000000000 "$(value small other '\_SB.P001._STA' "$device")"
run small darwin 'namespace' "$device" | grep -cE '  P0[0-9]{2} Processor' | grep -qx 64
ok $? "64 objects are of the Processor type"

is "macOS does not see processor device P001" 0000000000000000 "$(value small darwin '\P001._STA' "$device")"
is "macOS does not see processor device P240" 0000000000000000 "$(value small darwin '\P240._STA' "$device")"
is "other systems see processor device P001" 000000000000000F "$(value small other '\P001._STA' "$device")"
is "macOS does not see processor device P241" 0000000000000000 "$(value all darwin '\P241._STA' "$device" "$device2022")"
is "macOS does not see processor device Q000" 0000000000000000 "$(value all darwin '\Q000._STA' "$device" "$device2022")"
is "macOS does not see processor device R048" 0000000000000000 "$(value all darwin '\R048._STA' "$device" "$device2022")"
is "other systems see processor device R048" 000000000000000F "$(value all other '\R048._STA' "$device" "$device2022")"

for path in '\_SB.UAR1' '\_SB.UAR2' '\_SB.VMOD.TPM2' '\_SB.NVDR' '\_SB.EPC' '\_SB.VMOD.AC1'; do
    is "$path is there when the host enables it" 000000000000000F "$(value small darwin "$path._STA" "$device")"
    is "$path gets nothing when it is absent" none "$(value bare darwin "$path._STA" "$device")"
done
is "the battery's own status is kept" 000000000000001F "$(value small darwin '\_SB.VMOD.BAT1._STA' "$device")"
is "the processor aggregator is there when enabled" 000000000000000F "$(value all darwin '\_SB.VMOD.PAD1._STA' "$device" "$device2022")"
is "the processor aggregator gets nothing when absent" none "$(value none darwin '\_SB.VMOD.PAD1._STA' "$device" "$device2022")"

for dsdt in all none server2019; do
    set -- "$vmbus" "$device"
    [ $dsdt = server2019 ] || set -- "$@" "$device2022"
    run $dsdt darwin 'quit' "$@" "$plug" >"$work/load.log"
    ! grep -qE 'ACPI (BIOS )?Error|AE_[A-Z_]+, ' "$work/load.log"
    ok $? "all tables load without an error on the host \"$dsdt\""
done
run server2019 darwin 'quit' "$device" "$device2022" | grep -qE 'AE_NOT_FOUND'
ok $? "SSDT-HV-DEV-WS2022 is refused by a host without its devices"

run small darwin 'evaluate \_SB.P001._DSM 0 0 2 0' "$device" "$plug" | grep -q '"plugin-type"'
ok $? "macOS reads plugin-type from the first processor"
run small darwin 'evaluate \_SB.P001._DSM 0 0 2 0' "$device" "$plug" | grep -q '\[Integer\] = 0000000000000002'
ok $? "plugin-type is 2"
run small darwin 'evaluate \_SB.P001._DSM 0 0 0 0' "$device" "$plug" | grep -q 'Length 01 = *0000: 03'
ok $? "function 0 names the functions"
is "other systems find no _DSM there" none "$(value small other '\_SB.P001._DSM 0 0 2 0' "$device" "$plug")"

echo "1..$number"
exit $failed
