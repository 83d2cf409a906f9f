#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# hvsetup as people run it: commands, exit codes, bad input. Nothing may be left half-written.
set -u
hvsetup=$MACHV_BUILD_ROOT/setup/hvsetup
fixtures=$MACHV_SOURCE_ROOT/tests/fixtures/setup
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
number=0
failed=0

ok() { # ok STATUS NAME
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
        sed 's/^/# /' "$work/log" 2>/dev/null | tail -n 15
        failed=1
    fi
}

# exits CODE COMMAND...: whether it ends with that status; output in $work/log.
exits() {
    local wanted=$1 status=0
    shift
    "$@" >"$work/log" 2>&1 || status=$?
    [ $status -eq "$wanted" ] || { echo "status $status, not $wanted" >>"$work/log"; return 1; }
}

one_line() { [ "$(wc -l <"$work/log")" -eq 1 ]; }
no_leftovers() { ! find "$1" -name '.hvsetup-*' -o -name '*.hvsetup-*' | grep -q .; }

"$fixtures/make-release" "$work" || exit 1
cp -r "$MACHV_BUILD_ROOT/setup/acpi" data/acpi
user="--kext kexts/Lilu.kext --kext kexts/VirtualSMC.kext --data data"
cell="--macos 13 --host ws2022 --gen 2"

exits 1 "$hvsetup" build $cell --opencore release --out bare --data data &&
    grep -q 'Lilu.kext' log && [ -f bare/EFI/OC/config.plist ]
ok $? "without Lilu and VirtualSMC the build says what is missing"

exits 0 "$hvsetup" build $cell --opencore release --out out $user
ok $? "a build from a release folder is complete"
exits 0 "$hvsetup" check out $cell --quiet && [ ! -s log ]
ok $? "its check is clean, and silent with --quiet"
exits 0 "$hvsetup" check out/EFI/OC/config.plist $cell
ok $? "the configuration alone can be checked"

(cd release && zip -qr ../flat.zip .) && zip -qr nested.zip release
exits 0 "$hvsetup" build $cell --opencore flat.zip --out from-zip $user && diff -r out/EFI from-zip/EFI >log
ok $? "a zip of the release gives the same folder"
exits 0 "$hvsetup" build $cell --opencore nested.zip --out from-nested $user && diff -r out/EFI from-nested/EFI >log
ok $? "a zip with a folder around everything too"

exits 0 "$hvsetup" build $cell --opencore release --out json $user --json &&
    jq -e '.problems == 0 and (.decisions | length > 20) and all(.decisions[]; .why != "")' log >/dev/null
ok $? "--json gives every decision with its reason"

exits 1 "$hvsetup" build --macos 13 --host ws2016 --gen 2 --opencore release --out refused $user &&
    grep -q OpenRuntime log && [ ! -e refused ]
ok $? "Windows Server 2016 generation 2 is refused with the reason, and nothing is written"
exits 1 "$hvsetup" build --macos 13 --host ws2022 --cpu amd --opencore release --out refused $user &&
    grep -q AMD_Vanilla log && [ ! -e refused ]
ok $? "an AMD host without its patches is refused"
exits 1 "$hvsetup" build --macos 10.9 --host ws2022 --gen 1 --image x.vhdx --opencore release --out refused $user
ok $? "an image for generation 1 is refused"

cat >amd.plist <<'EOF'
<plist version="1.0"><dict><key>Kernel</key><dict><key>Patch</key><array><dict>
<key>Arch</key><string>x86_64</string><key>Base</key><string></string>
<key>Comment</key><string>Force cpuid_cores_per_package to constant</string><key>Count</key><integer>1</integer>
<key>Enabled</key><true/><key>Find</key><data>AAECAwQF</data><key>Identifier</key><string>kernel</string>
<key>Limit</key><integer>0</integer><key>Mask</key><data></data><key>MaxKernel</key><string></string>
<key>MinKernel</key><string>17.0.0</string><key>Replace</key><data>ugAAAACQ</data>
<key>ReplaceMask</key><data></data><key>Skip</key><integer>0</integer></dict></array></dict></dict></plist>
EOF
exits 0 "$hvsetup" build $cell --cpu amd --processors 6 --amd-patches amd.plist --opencore release --out amd $user &&
    grep -q '<data>ugYAAACQ</data>' amd/EFI/OC/config.plist
ok $? "AMD patches get the VM's processor count"
exits 1 "$hvsetup" check amd $cell --cpu amd --processors 4 && grep -q 'amd-core-count' log
ok $? "another processor count is found"

# An existing configuration keeps what is its own.
sed -i 's,<key>Booter</key>,<!-- my note --><key>#Mine</key><string>kept</string>&,; s,<key>ProvideCurrentCpuInfo</key>,<key>Odd</key><integer>7</integer>&,' \
    out/EFI/OC/config.plist
sed -i '/<key>ProvideCurrentCpuInfo/{n;s/true/false/}' out/EFI/OC/config.plist
echo mine >out/EFI/OC/mine.txt
cp out/EFI/OC/config.plist before.plist
exits 0 "$hvsetup" build $cell --opencore release --out out $user &&
    [ "$(diff before.plist out/EFI/OC/config.plist | grep -c '^[<>]')" -eq 2 ] && [ -f out/EFI/OC/mine.txt ]
ok $? "a second build changes the one value that was wrong, and keeps comments, unknown keys and files"
cmp -s before.plist out/EFI.backup-*/OC/config.plist
ok $? "and keeps the old folder beside it"

exits 0 "$hvsetup" build $cell --opencore release --out disk $user --image disk/EFI.vhdx &&
    exits 0 "$hvsetup" check disk/EFI.vhdx $cell --quiet
ok $? "a disk image is made, and checks clean"
qemu-img convert -O raw disk/EFI.vhdx disk.raw && sgdisk -v disk.raw >log 2>&1 && grep -q 'No problems found' log
ok $? "its partition table is sound"
qemu-img info --output=json disk/EFI.vhdx | jq -e '."virtual-size" % 1048576 == 0' >/dev/null &&
    [ "$(stat -c '%b' disk/EFI.vhdx)" -ge "$(($(stat -c '%s' disk/EFI.vhdx) / 512))" ]
ok $? "it is whole MiB, and its file has no holes"
if command -v fsck.vfat >/dev/null; then
    dd if=disk.raw of=fat.raw bs=1M skip=1 status=none
    fsck.vfat -n fat.raw >log 2>&1
    ok $? "its FAT volume is sound"
fi
mcopy -s -n -Q -i disk.raw@@1048576 ::/EFI "$work/extracted" 2>log && diff -r disk/EFI extracted >log
ok $? "it holds the EFI folder, byte for byte"
exits 1 "$hvsetup" check disk/EFI.vhdx --macos 13 --host ws2022 --cpu alderlake &&
    exits 0 "$hvsetup" check disk/EFI.vhdx $cell --cpu alderlake --fix --data data && ls disk/EFI.vhdx.backup-* >/dev/null
ok $? "an image is repaired, with a backup"

cp out/EFI/OC/config.plist broken.plist
sed -i '0,/<true\/>/s//<false\/>/' broken.plist
exits 1 "$hvsetup" check broken.plist $cell && exits 0 "$hvsetup" check broken.plist $cell --fix --data data &&
    ls broken.plist.backup-* >/dev/null && exits 0 "$hvsetup" check broken.plist $cell
ok $? "a configuration is repaired, with a backup"
rm broken.plist.backup-*
exits 0 "$hvsetup" check broken.plist $cell --fix --data data && ! grep -q repaired log && ! ls broken.plist.backup-* 2>/dev/null
ok $? "what needs no repair is not written, and gets no backup"

for text in 'nonsense' '<plist><dict>' '<plist><dict><key>A</key></dict></plist>' ''; do
    printf '%s' "$text" >bad.plist
    exits 2 "$hvsetup" check bad.plist $cell && one_line && grep -q bad.plist log
    ok $? "a broken configuration is one line and status 2: $text"
done
exits 2 "$hvsetup" check /nonexistent $cell && one_line
ok $? "a missing file is one line and status 2"
printf 'not a disk' >bad.vhdx
exits 2 "$hvsetup" check bad.vhdx $cell && one_line
ok $? "a broken image is one line and status 2"
printf 'PK\003\004nonsense' >bad.zip
exits 2 "$hvsetup" build $cell --opencore bad.zip --out never $user && one_line && [ ! -e never ]
ok $? "a broken zip is one line, and nothing is written"
mkdir evil && (cd evil && mkdir inner && echo x >outside && cd inner && zip -q ../../evil.zip ../outside 2>/dev/null)
exits 2 "$hvsetup" build $cell --opencore evil.zip --out never $user && [ ! -e never ] && [ ! -e outside ]
ok $? "a zip that leads out of its folder is refused"
cp -r release broken-release && echo '<plist>' >broken-release/Docs/Sample.plist
exits 2 "$hvsetup" build $cell --opencore broken-release --out never $user && one_line && grep -q Sample.plist log
ok $? "a release with a broken sample is one line"
exits 2 "$hvsetup" build $cell --opencore release --out /proc/never $user && one_line
ok $? "a folder that cannot be written is one line"
cp -r out full
cp -r full full-before
(trap '' XFSZ; ulimit -f 16; exits 2 "$hvsetup" build $cell --opencore release --out full $user) && one_line &&
    no_leftovers full && diff -r full full-before >log
ok $? "a full disk is one line, and the old folder is untouched"

for arguments in "" "frobnicate" "build" "build --macos 13" "build --frob" "check" "build $cell --opencore release" \
    "build --macos 9 --host ws2022 --opencore release --out x" "build --macos 13 --host os2 --opencore release --out x" \
    "build $cell --cpu z80 --opencore release --out x" "build --macos 13 --host ws2022 --gen 3 --opencore r --out x" \
    "vm --macos 13 --host ws2022 --dda x" "vm --macos 13 --host ws2022 --memory 4GB" "image one.dmg"; do
    exits 2 "$hvsetup" $arguments && one_line
    ok $? "wrong usage is status 2: hvsetup $arguments"
done

[ "$("$hvsetup" check /nonexistent $cell --json 2>log | jq -r .error)" = '/nonexistent: No such file or directory' ] && one_line
ok $? "what cannot be done is JSON too, beside its line"

echo 'EXITBS:START' >stuck.txt
exits 1 "$hvsetup" doctor stuck.txt && grep -q 'Kernel->Emulate' log
ok $? "doctor names the cause of a boot that stops"
echo 'all is well' | exits 0 "$hvsetup" doctor -
ok $? "doctor finds nothing in a good log"

exits 0 "$hvsetup" vm $cell --out vm.ps1 && grep -q 'EnableSecureBoot Off' vm.ps1 && exits 2 "$hvsetup" vm $cell --out vm.ps1
ok $? "the VM script is written, and not written over"
exits 0 "$hvsetup" vm $cell --json && jq -j .script log | cmp -s - vm.ps1
ok $? "--json gives the same VM script"
exits 1 "$hvsetup" vm --macos 10.9 --host ws2008r2 --gen 1 && one_line
ok $? "a host without PowerShell is refused"

truncate -s 300M raw.dmg && printf 'H+\0\4' | dd of=raw.dmg bs=1 seek=1024 conv=notrunc status=none
exits 0 "$hvsetup" image raw.dmg raw.vhdx && qemu-img convert -O raw raw.vhdx raw.raw &&
    cmp -s -n $((300 << 20)) raw.dmg <(tail -c +1048577 raw.raw)
ok $? "a raw image becomes a VHDX with the same content"
if command -v script >/dev/null; then
    script -qec "$hvsetup image raw.dmg raw.img" /dev/null >log 2>&1 && grep -q '#.*100%' log
    ok $? "a terminal shows a progress bar"
fi
exits 0 "$hvsetup" image raw.dmg raw.img && ! grep -q '%' log && ls raw.img.backup-* >/dev/null 2>&1
ok $? "a file does not, and the image that was there is kept"
mkdir interrupted
"$hvsetup" image raw.dmg interrupted/out.vhdx >log 2>&1 &
child=$!
until [ -n "$(ls -A interrupted)" ] || ! kill -0 $child 2>/dev/null; do
    inotifywait -qq -t 1 -e create interrupted 2>/dev/null || :
done
kill -INT $child
wait $child
[ $? -eq 2 ] && grep -q interrupted log && [ -z "$(ls -A interrupted)" ]
ok $? "an interrupted run leaves nothing"

manual=$MACHV_SOURCE_ROOT/docs/man/hvsetup.1
completion=$MACHV_SOURCE_ROOT/setup/hvsetup/hvsetup.bash-completion
missing=
for option in $("$hvsetup" --help | grep -oE -- '--[a-z-]+' | sort -u); do
    grep -qF -- "${option//-/\\-}" "$manual" || missing="$missing $option(manual)"
    grep -qF -- "$option" "$completion" || missing="$missing $option(completion)"
done
[ -z "$missing" ] || echo "#$missing"
[ -z "$missing" ]
ok $? "manual page and completion know every option of --help"

echo "1..$number"
exit $failed
