#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# kextrun loads and runs a kext that is not of this project's classes: containers, work loop, timer, thread call,
# gate, kernel control, a nub and a driver that matches it by a property. On the oldest and newer systems.
set -u
kextrun=$MACHV_BUILD_ROOT/xnu/kextrun/kextrun
kext=$MACHV_BUILD_ROOT/kexts/Clockwork.kext
number=0

check() { # check NAME STATUS
    number=$((number + 1))
    if [ "$2" -eq 0 ]; then echo "ok $number - $1"; else echo "not ok $number - $1"; fi
}

echo "1..8"
for macos in 10.6 10.13 13 26; do
    output=$(timeout 60 "$kextrun" --macos $macos --ioreg "$kext" 2>&1)
    status=$?
    check "macOS $macos: runs and unloads without a complaint" \
        "$([ $status -eq 0 ] && ! grep -q FAILED <<<"$output" && grep -q 'Clockwork: stopped' <<<"$output"; echo $?)"
    check "macOS $macos: the nub's driver is found by its property" \
        "$(grep -q 'Clockwork: 5 ticks' <<<"$output" && grep -q 'the face shows the hour hand' <<<"$output" &&
            grep -q 'class ClockworkFace' <<<"$output"; echo $?)"
    [ $status -eq 0 ] || sed 's/^/# /' <<<"$output" | tail -n 20
done
