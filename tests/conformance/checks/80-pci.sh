# SPDX-License-Identifier: BSD-3-Clause
# Sourced: Linux's pci-hyperv finds what hvhost assigns; its nvme driver reads and writes the NVMe model.

# watch_log ID LOG TEXT COMMAND...: once there is TEXT in the run's LOG, hvctl COMMAND.
watch_log() {
    until grep -aqs "$3" "$work/runs/$1/$2.log"; do sleep 0.2; done
    local control=$work/runs/$1/control.sock
    shift 3
    "$hvctl" --control "$control" "$@"
}

nvme_check() { # nvme_check ID NAME PROCESSORS RELEASE [MEMBER [OPTION...]]: MEMBER goes into the description
    local id=$1 name=$2 processors=$3 image=$work/$1.img sum problem seen written vectors
    wanted "$id" || return 0
    make_image "$image" 32
    sum=$(sha256sum <"$image" | cut -d' ' -f1)
    boot "$id" amd64 "$processors" nvme:9 -- --release "$4" --pci "{\"model\":\"nvme\",\"disk\":\"$image\"${5:+,$5}}" "${@:6}"
    problem=$(complaint)
    seen=$(said nvme)
    [ -n "$problem" ] || [[ $seen == "bytes $((32 << 20)) sha256 $sum "* ]] || problem="the guest read '$seen'"
    [ -n "$problem" ] || [ "$(said 'write read')" = "back equal" ] || problem="the guest read something else back"
    written=$(dd if="$image" bs=64k skip=16 count=16 2>/dev/null | sha256sum | cut -d' ' -f1)
    [ -n "$problem" ] || [[ $(said pattern) == *"sha256 $written" ]] || problem="the image does not hold what was written"
    vectors=$(said 'nvme vectors')
    [ -n "$problem" ] || [ "$vectors" = "$((processors + 1)) processors $processors" ] ||
        problem="vectors, and processors that took one: $vectors"
    row "$id" "$name" "$([ -z "$problem" ]; echo $?)" \
        "${problem:-32 MiB in ${seen##* } s, checksum equal, $((processors + 1)) vectors on $processors processors}"
    rm -f "$image"
}

nvme_check nvme-1 "NVMe by PCI passthrough, 1 processor" 1 ws2022
nvme_check nvme-4 "NVMe by PCI passthrough, 4 processors" 4 ws2025
nvme_check nvme-ws2016 "NVMe, Windows Server 2016 (protocol 1.2)" 4 ws2016
nvme_check nvme-1.1 "NVMe, protocol 1.1" 2 ws2022 '"maximum-version":"1.1"'
nvme_check nvme-1.3 "NVMe, protocol 1.3" 2 ws2022 '"maximum-version":"1.3"'
nvme_check nvme-d0 "NVMe, a host that has resources of a crashed guest" 2 ws2022 '"first-d0-entry-fails":true'
nvme_check nvme-late "NVMe, a disk whose answers come late and out of order" 2 ws2022 "" --faults disk.delay=1ms-20ms@20%
nvme_check nvme-slow-host "NVMe, a host that answers late" 2 ws2022 "" --faults completion,delay=100000,percent=30

pci_eject() { # pci_eject ID NAME VERB: the controller goes by VERB, and comes again
    local id=$1 image=$work/$1.img description watcher problem sum
    wanted "$id" || return 0
    make_image "$image" 8
    sum=$(sha256sum <"$image" | cut -d' ' -f1)
    description="{\"name\":\"disk\",\"model\":\"nvme\",\"disk\":\"$image\"}"
    rm -rf "$work/runs/$id"
    {
        watch_log "$id" console 'GUEST pci ready' pci "$3" disk
        watch_log "$id" host 'pci-gone: disk' pci add "$description"
    } >/dev/null &
    watcher=$!
    boot "$id" amd64 2 pci-eject -- --release ws2022 --pci "$description"
    kill $watcher 2>/dev/null || true
    wait $watcher 2>/dev/null || true
    problem=$(complaint)
    [ -n "$problem" ] || [ "$(said nvme)" = "bytes $((8 << 20)) sha256 $sum" ] || problem="read afterwards: $(said nvme)"
    row "$id" "$2" "$([ -z "$problem" ]; echo $?)" "${problem:-gone, back, checksum equal}"
    rm -f "$image"
}

pci_eject pci-eject "PCI function ejected, and added again" eject
pci_eject pci-remove "PCI function removed by surprise, and added again" remove

if wanted nvme-reboot; then
    make_image "$work/nvme-reboot.img" 32
    make_image "$work/nvme-reboot-scsi.img" 8
    qemu_options="" boot nvme-reboot amd64 2 nvme:9,reboot-once -- --release ws2022 --disk "$work/nvme-reboot-scsi.img" \
        --pci "{\"model\":\"nvme\",\"disk\":\"$work/nvme-reboot.img\"}"
    problem=$(complaint)
    rounds=$(grep -a -c '^GUEST write read back equal' "$console" || true)
    [ -n "$problem" ] || [ "$rounds" -eq 2 ] || problem="written and read in $rounds of 2 lives"
    row nvme-reboot "NVMe by PCI passthrough, before and after a reset" "$([ -z "$problem" ]; echo $?)" "${problem:-written and read twice}"
    rm -f "$work/nvme-reboot.img" "$work/nvme-reboot-scsi.img"
fi

if wanted pci-16; then
    options=()
    for i in $(seq 16); do options+=(--pci "{\"model\":\"test\",\"serial\":$i}"); done
    boot pci-16 amd64 2 pci -- --release ws2022 "${options[@]}"
    problem=$(complaint)
    found=$(grep -a -c 'GUEST pci 0x1234 0x6d76' "$console" || true)
    [ -n "$problem" ] || [ "$found" -eq 16 ] || problem="the guest found $found of 16"
    row pci-16 "16 PCI functions, a bus each" "$([ -z "$problem" ]; echo $?)" "${problem:-16 found}"
fi

if wanted pci-identities; then
    boot pci-identities amd64 1 pci -- --release ws2022 \
        --pci '{"functions":[{"model":"test"},{"model":"network","slot":3}]}' \
        --pci '{"model":"plain","bars":[{"index":0,"size":"1M","bits":64,"prefetchable":true}],"rom":{"size":"64K"}}'
    problem=$(complaint)
    for id in '0x1234 0x6d76 0xff0000' '0x8086 0x10d3 0x020000' '0x1234 0x6d70 0xff0000'; do
        [ -n "$problem" ] || grep -aq "GUEST pci $id" "$console" || problem="the guest did not find $id"
    done
    row pci-identities "PCI functions as Linux sees them" "$([ -z "$problem" ]; echo $?)" "${problem:-3 found}"
fi

if wanted pci-graphics; then
    boot pci-graphics amd64 1 pci -- --release ws2022 --pci '{"model":"graphics"}'
    problem=$(complaint)
    found=$(said 'pci 0x1002 0x67df 0x030000 regions')
    [ -n "$problem" ] || [[ $found == 0x0000000fefffffff\ * ]] || problem="its regions end at: $found"
    row pci-graphics "A graphics card with 256 MiB, in the high window" "$([ -z "$problem" ]; echo $?)" "${problem:-regions end at ${found//0x0000000/0x}}"
fi
