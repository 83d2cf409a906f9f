#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# commands.sh PROGRAM: what kextmatch prints and how it ends, for good and bad input.
set -u
program=$(realpath "$1")
cd "${MACHV_SOURCE_ROOT:-.}" || exit 2
fixtures=tests/fixtures/match
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0
failed=0

check() { # check NAME CONDITION...
    local name=$1
    shift
    number=$((number + 1))
    if "$@"; then
        echo "ok $number - $name"
    else
        failed=1
        echo "not ok $number - $name"
        sed 's/^/# /' "$work/out" "$work/err"
    fi
}

run() { # run STATUS ARGUMENT...: true when the program ends with STATUS
    local wanted=$1 status
    shift
    timeout 60 "$program" "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
    [ "$status" = "$wanted" ] || { echo "status $status" >>"$work/err"; return 1; }
}

prints() { grep -qF -- "$1" "$work/out"; }
says() { grep -qF -- "$1" "$work/err"; }
json() { jq -e "$1" "$work/out" >/dev/null; }

nic=8086:15b8/1458:e000/020000/31
check "a match ends with 0" run 0 match -k $fixtures/kexts -d $nic
check "no match ends with 1" run 1 match -k $fixtures/kexts -d 1234:5678/0000:0000/030000/00
check "no command ends with 2" run 2
check "an unknown command ends with 2" run 2 frobnicate
check "an unknown option ends with 2" run 2 match --frobnicate
check "no device ends with 2" run 2 match -k $fixtures/kexts
check "a device of no form ends with 2" run 2 match -k $fixtures/kexts -d 8086:zz
check "and the others are matched all the same" run 2 match -k $fixtures/kexts -d 8086:zz $nic
check "with their winner" prints "Intel network"
check "a kext that is not there ends with 2" run 2 match -k $work/none.kext $fixtures/kexts -d $nic
check "and the others are used all the same" prints "Intel network"
check "an unknown release ends with 2" run 2 match -k $fixtures/kexts -d $nic --macos 9.2
check "help ends with 0" run 0 match --help

run 0 match -k $fixtures/broad $fixtures/kexts -d $nic --json
check "JSON is an array with winners" json '.[0].device == "'$nic'" and (.[0].winners | length == 2)'
check "winners have the documented keys" json \
    '.[0].winners[] | select(.category == "IODefaultMatchCategory") | .bundle == "org.machv.fixture.IntelNetwork"
     and .personality == "Intel network" and .class == "FixtureIntelNetwork" and .score == 1000 and (.why | length > 0)'
check "losers are told" json '.[0].losers | map(.personality) == ["Any Intel function"]'
run 0 match -k $fixtures/broad $fixtures/kexts -d $nic --json --all --explain
check "--explain adds every key" json '.[0].winners[0].steps | length >= 2'
check "--all adds those that do not match" json '.[0].losers | length >= 5'
run 0 ids $fixtures/kexts/IntelNetwork.kext --json
check "ids lists all thirty devices" json '.[0].devices | length == 30'
run 0 who $nic -k $fixtures/kexts $fixtures/broad --json
check "who lists all that could claim it" json '[.[0].winners[], .[0].losers[]] | map(.personality) | sort == ["Any Intel function", "Intel network", "Watcher"]'
check "the form of a file is said" run 0 match -k $fixtures/kexts -d $fixtures/devices/lspci-nn.txt
check "as a note" says "read as lspci"
printf '00:1f.6 Ethernet controller [0200]: Intel [8086:15b8] (rev 31)\n' >"$work/lspci"
check "devices come from standard input too" bash -c "'$program' match -k $fixtures/kexts -d - <'$work/lspci' >'$work/out' 2>'$work/err'"

check "lint finds mistakes and ends with 1" run 1 lint $fixtures/lint
check "with stable ids" prints "[pci-swapped-ids]"
run 1 lint $fixtures/lint --json
check "and reasons and fixes in JSON" json 'all(.[]; (.id | length > 0) and (.reason | length > 0) and (.fix | length > 0))'
mkdir -p "$work/Cut.kext/Contents"
head -c 300 $fixtures/kexts/ClassAudio.kext/Contents/Info.plist >"$work/Cut.kext/Contents/Info.plist"
check "a cut property list ends with 2" run 2 match -k "$work/Cut.kext" $fixtures/kexts -d $nic
check "its file and line are told" says "Info.plist:8: error"
check "the other kexts are used" prints "Intel network"
head -c 100000 /dev/zero | tr '\0' '<' >"$work/garbage.plist"
check "garbage ends with 2" run 2 ids "$work/garbage.plist"

sed 's/Audio by class/Audio \x1b[31m\xff/' $fixtures/kexts/ClassAudio.kext/Contents/Info.plist >"$work/escape.plist"
check "escapes in a file" run 0 match -k "$work/escape.plist" -d 8086:1e20/1043:8445/040300/04
check "do not reach the terminal" bash -c "! grep -q $'\x1b' '$work/out'"
run 0 match -k "$work/escape.plist" -d 8086:1e20/1043:8445/040300/04 --json
check "nor make bad JSON" json '.[0].winners | length == 1'

check "inf names the line" run 0 inf $fixtures/inf/rtl8168.inf -d 10ec:8168/1043:8505/020000/06
check "and its section" prints "[Realtek.NTamd64] RTL8168E.ndi"
check "inf opens what a section includes" run 0 inf $fixtures/inf/include/card.inf -d 1af4:1000 --json
check "and says what of it is there" json '.[0].winner.includes == [{"name": "Base.inf",
    "path": "tests/fixtures/match/inf/include/BASE.INF"}, {"name": "absent.inf", "path": null}]'
check "and the service that it has" json '.[0].winner.service == "DeepService"'
check "no line ends with 1" run 1 inf $fixtures/inf/rtl8168.inf -d 10ec:8168/1043:8505/020000/09
check "what is no INF ends with 2" run 2 inf $fixtures/devices/lspci-nn.txt -d $nic
check "convert writes what the kernel's reader takes" run 0 convert $fixtures/inf/rtl8168.inf
cp "$work/out" "$work/converted.plist"
check "strictly" run 0 match --strict -k "$work/converted.plist" -d 10ec:8168/10ec:8168/020000/06
check "with the line that Windows takes" prints "score 6000"
check "what cannot be carried over ends with 1" run 1 convert $fixtures/kexts/NamedUsb.kext
check "and is said" prints "not carried over"

owner="$(id -u):$(id -g)"
mkdir "$work/volume"
check "a dry run installs nothing" run 0 install $fixtures/kexts/ClassAudio.kext --root "$work/volume" --owner "$owner" --dry-run
check "indeed" test ! -e "$work/volume/Library"
check "install installs" run 0 install $fixtures/kexts/ClassAudio.kext --root "$work/volume" --owner "$owner"
check "the whole bundle" diff -r $fixtures/kexts/ClassAudio.kext "$work/volume/Library/Extensions/ClassAudio.kext"
check "verify agrees" run 0 verify --root "$work/volume" --owner "$owner"
chmod g+w "$work/volume/Library/Extensions/ClassAudio.kext/Contents/Info.plist"
check "verify sees a wrong mode" run 1 verify ClassAudio --root "$work/volume" --owner "$owner"
check "a broken kext is not installed" run 1 install $fixtures/lint/Broken.kext --root "$work/volume" --owner "$owner"
check "nor left behind" test ! -e "$work/volume/Library/Extensions/Broken.kext"
check "uninstall takes it away by its identifier" run 0 uninstall org.machv.fixture.ClassAudio --root "$work/volume"
check "and says when it is not there" run 1 uninstall ClassAudio --root "$work/volume"
check "a volume that is not there is no empty one" run 2 verify --root "$work/absent"
check "and is named" says "$work/absent: error: there is no such folder"
check "a file of devices that is not there is no device" run 2 match -k $fixtures/kexts -d absent.txt
check "and is named" says "absent.txt: error: there is no such file"
mkdir "$work/System"
check "the system's folder is refused" run 2 install $fixtures/kexts/ClassAudio.kext --root "$work/System" --owner "$owner"
check "with the reason" says "System Integrity Protection"

documented() { # every option that a command lists is in the manual
    local command option
    for command in match who ids devices lint inf convert install uninstall verify; do
        for option in $("$program" $command --help | grep -o -- '--[a-z-]*'); do
            grep -qF -- "${option//-/\\-}" docs/man/kextmatch.1 || {
                echo "$command $option" >"$work/out"
                return 1
            }
        done
    done
}
check "every option is in the manual page" documented
complete_words() { # complete_words WORD...: what bash offers for the last word
    # shellcheck source=/dev/null
    . match/kextmatch/kextmatch.bash-completion
    COMP_WORDS=("$program" "$@")
    COMP_CWORD=$#
    _kextmatch
    printf '%s\n' "${COMPREPLY[@]}" >"$work/out"
}
check "completion offers commands" complete_words un
check "by their beginning" prints uninstall
check "and the options of a command" complete_words lint --inst
check "as the program lists them" prints --install-rules
echo "1..$number"
exit $failed
