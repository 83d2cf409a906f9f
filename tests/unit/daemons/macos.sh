#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# macos.sh SYMBOLS EXECUTABLE...: the macOS executables are what macOS 10.10 and later load: x86_64, position
# independent, LC_MAIN, nothing but libSystem, and no import beside those in SYMBOLS.
set -u
symbols=$1
shift
objdump=$(command -v llvm-objdump || ls /usr/lib/llvm-*/bin/llvm-objdump 2>/dev/null | tail -n 1)
[ -n "$objdump" ] || { echo "1..0 # skipped: llvm-objdump is missing"; exit 77; }
number=0 failures=0

check() { # check NAME COMMAND...
    title=$1
    shift
    number=$((number + 1))
    if "$@"; then echo "ok $number - $title"; else echo "not ok $number - $title"; failures=$((failures + 1)); fi
}

header_is_right() { "$objdump" --macho --private-headers "$1" | grep -q 'X86_64 .*EXECUTE .*PIE'; }
has_main() { "$objdump" --macho --private-headers "$1" | grep -q 'cmd LC_MAIN'; }
minimum_is() { "$objdump" --macho --private-headers "$1" | grep -A 3 -E 'LC_VERSION_MIN_MACOSX|LC_BUILD_VERSION' | grep -qE "(version|minos) $2\$"; }
libraries_are() { [ "$("$objdump" --macho --dylibs-used "$1" | sed 1d | awk '{ print $1 }' | tr '\n' ' ')" = "$2 " ]; }
imports_are_known() {
    "$objdump" --macho --bind --lazy-bind "$1" | awk '$NF ~ /^_|^dyld/ { print $NF }' | sort -u >"$1.imports"
    unknown=$(sed 's/#.*//' "$symbols" | sort -u | comm -13 - "$1.imports" | tr '\n' ' ')
    [ -z "$unknown" ] || { echo "# imports beside the list: $unknown"; return 1; }
    [ "$(wc -l <"$1.imports")" -gt 20 ]
}

for file; do
    name=${file##*/}
    check "$name is a position independent x86_64 executable" header_is_right "$file"
    check "$name begins at main, as 10.8 and later know it" has_main "$file"
    check "$name is for 10.10 and later" minimum_is "$file" 10.10
    check "$name uses libSystem alone" libraries_are "$file" /usr/lib/libSystem.B.dylib
    check "$name imports only what every release has" imports_are_known "$file"
done
echo "1..$number"
[ $failures -eq 0 ]
