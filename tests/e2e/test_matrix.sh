#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Cells of the matrix of macOS, generation and host: each row of a cell passes, or is one that this host cannot have.
# Rows that say most about a cell; "make run MACOS=... GEN=... HOST=..." runs all rows of any cell.
set -u
cd "$MACHV_SOURCE_ROOT" || exit 1
build=$MACHV_BUILD_ROOT
rows='10-heartbeat|30-timesync|40-filecopy|50-kvp|7*|80-pci|90-scsi|96-shutdown|97-crash'
log=$build/run-matrix.log

# MACOS GEN HOST, the host's build, and the rows that the host does not offer (-: all are). Every macOS that the kexts
# differ for, both generations, the oldest hosts and the newest, each old macOS with a new host and the other way round.
cells='10.6 1 ws2008 6.0.6001 filecopy,keyboard,pci
10.6 2 ws2016 10.0.14393 chipset,ps2
10.13 1 ws2012 6.2.9200 filecopy,pci
11 2 ws2012r2 6.3.9600 chipset,pci,ps2
13 1 ws2022 10.0.20348 -
13 2 ws2019 10.0.17763 chipset,ps2
26 1 ws2008r2 6.1.7601 filecopy,keyboard,pci
26 2 ws2025 10.0.26100 chipset,ps2'

for tool in jq qemu-img qemu-io nbdcopy mke2fs inotifywait setpriv; do
    command -v $tool >/dev/null || { echo "1..0 # SKIP $tool is not installed"; exit 0; }
done

mkdir -p "$build/bin"
for program in xnu/kextrun/kextrun host/hvhost/hvhost host/hvctl/hvctl daemons/hv{shutdown,timesync,filecopy,keyboard,kvp,backup}d; do
    ln -sf "$build/$program" "$build/bin/${program##*/}"
done

# check_cell MACOS GEN HOST BUILD ABSENT: sets $figure.
check_cell() {
    local passed absent
    flock -w 30 "$build/run.lock" true # what is left of the cell before has ended
    MACOS=$1 GEN=$2 HOST=$3 tests/e2e/run --rows "$rows" </dev/null >"$log" 2>&1 || { figure="a row failed"; return 1; }
    passed=$(jq '[.rows[] | select(.passed)] | length' "$build/run/report.json")
    absent=$(jq -r '[.rows[] | select(.offered == false) | .id] | sort | join(",")' "$build/run/report.json")
    [ "${absent:--}" = "$5" ] || { figure="not offered: $absent"; return 1; }
    [ "$passed" -ge 10 ] || { figure="only $passed rows passed"; return 1; }
    grep -q "Hyper-V $4" "$build/run/guest.log" || { figure="the guest saw another host"; return 1; }
    figure="$passed rows"
}

number=0
while read -r macos generation host host_build absent; do
    name="macOS $macos, generation $generation, $host"
    if check_cell "$macos" "$generation" "$host" "$host_build" "$absent"; then
        number=$((number + 1))
        echo "ok $number - $name: $figure"
    else
        number=$((number + 1))
        echo "not ok $number - $name: $figure"
        sed -n '/== devices/,$p' "$log" | sed 's/^/# /'
    fi
done <<<"$cells"
echo "1..$number"
