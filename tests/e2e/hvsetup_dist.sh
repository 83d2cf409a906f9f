#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The release archive: the same twice, complete, and usable where it was unpacked.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0
failed=0
ok() { # ok STATUS NAME
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; failed=1; fi
}

dist=$MACHV_SOURCE_ROOT/setup/dist
for kext in MacHyperVSupport MacHyperVSupportMonterey; do
    if [ ! -d "$MACHV_BUILD_ROOT/kexts/$kext.kext" ]; then
        echo "1..0 # SKIP $kext.kext is not built"
        exit 77
    fi
done
"$dist" "$MACHV_BUILD_ROOT" "$work/first" >"$work/log" 2>&1
ok $? "the archive is made"
(umask 077; TZ=Asia/Tokyo "$dist" "$MACHV_BUILD_ROOT" "$work/second" >>"$work/log" 2>&1)
cmp "$work"/first/machv-*.tar.gz "$work"/second/machv-*.tar.gz
ok $? "made again, at another time, mask and time zone, it is the same byte for byte"
(cd "$work/first" && sha256sum --quiet -c ./*.sha256)
ok $? "its checksum is beside it"

mkdir "$work/elsewhere" && tar -xzf "$work"/first/machv-*.tar.gz -C "$work/elsewhere"
root=$(echo "$work"/elsewhere/machv-*)
(cd "$root" && sha256sum --quiet -c SHA256SUMS)
ok $? "every file has its checksum"
[ -z "$(cd "$root" && find . -type f ! -name SHA256SUMS | sed 's,^\./,,' | sort | comm -23 - <(sed 's/^[0-9a-f]*  //' SHA256SUMS | sort))" ]
ok $? "no file is without one"
for file in INSTALL LICENSE bin/hvsetup share/install.md share/hvsetup.1 acpi/SSDT-HV-PLUG.aml daemons \
    kexts/MacHyperVSupport.kext/Contents/Info.plist kexts/MacHyperVSupportMonterey.kext/Contents/MacOS/MacHyperVSupportMonterey; do
    [ -e "$root/$file" ]
    ok $? "it has $file"
done
if [ -e "$root/daemons/hvkvpd" ]; then
    DESTDIR=$work/mac "$root/daemons/install" >"$work/log" 2>&1 && [ -x "$work/mac/usr/local/libexec/machv/hvkvpd" ]
    ok $? "its daemons install with their installer"
fi
! grep -rqF "$MACHV_SOURCE_ROOT" "$root/INSTALL" "$root/acpi" "$root/share"
ok $? "its texts name no folder of the machine that made it"

"$MACHV_SOURCE_ROOT/tests/fixtures/setup/make-release" "$work/user"
cd "$work/user" || exit 1
"$root/bin/hvsetup" build --macos 14 --host win11 --opencore release --kext kexts/Lilu.kext \
    --kext kexts/VirtualSMC.kext --out out --image out/EFI.vhdx >"$work/log" 2>&1
ok $? "hvsetup builds from the unpacked archive, without being told where its data is"
"$root/bin/hvsetup" check out/EFI.vhdx --macos 14 --host win11 --quiet >"$work/log" 2>&1
ok $? "and its check is clean with the real kexts"
cmp -s out/EFI/OC/Kexts/MacHyperVSupportMonterey.kext/Contents/MacOS/MacHyperVSupportMonterey \
    "$root/kexts/MacHyperVSupportMonterey.kext/Contents/MacOS/MacHyperVSupportMonterey"
ok $? "the kext in it is the one of the archive"
# The commands of docs/install.md, in its order, as they are printed there.
cd "$work/user" && rm -rf out && cp -R kexts/* . && (cd release && zip -qr ../OpenCore.zip .)
truncate -s 2M BaseSystem.dmg && printf 'H+\0\4' | dd of=BaseSystem.dmg bs=1 seek=1024 conv=notrunc status=none
cp BaseSystem.dmg Installer.dmg
{
    printf 'CNKL\x24\0\0\0\1\1\2\0\1\0\0\0\0\0\0\0\x24\0\0\0\0\0\0\0\x48\0\0\0\0\0\0\0\0\0\x20\0'
    printf '%b' "$(sha256sum BaseSystem.dmg | cut -c 1-64 | sed 's/../\\x&/g')"
} >BaseSystem.chunklist
echo 'all is well' >opencore-2026-01-01-120000.txt
mapfile -t commands < <(awk '/^```/ { inside = !inside; next }
    inside { line = line $0; if (sub(/\\$/, "", line)) next; print line; line = "" }' \
    "$root/share/install.md" | grep '^hvsetup')
[ "${#commands[@]}" -ge 6 ]
ok $? "docs/install.md has commands"
for command in "${commands[@]}"; do
    (PATH=$root/bin:$PATH && eval "$command") >"$work/log" 2>&1
    ok $? "docs/install.md: $command"
done
[ $failed -eq 0 ] || sed 's/^/# /' "$work/log" | tail -n 10
echo "1..$number"
exit $failed
