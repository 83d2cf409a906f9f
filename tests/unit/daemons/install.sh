#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# install.sh SOURCE-ROOT EXECUTABLE...: the installer puts everything in its place and takes it away again; the jobs are
# property lists that name what was installed.
set -u
root=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
number=0 failures=0
check() {
    title=$1
    shift
    number=$((number + 1))
    if "$@"; then echo "ok $number - $title"; else echo "not ok $number - $title"; failures=$((failures + 1)); fi
}
quietly() { "$@" >/dev/null; }
mkdir "$folder/package" "$folder/system"
cp "$root"/daemons/launchd/* "$root"/docs/man/hv*d.8 "$folder/package/"

check "without the executables nothing is installed" sh -c '! DESTDIR=$1/system "$1/package/install" 2>/dev/null && [ -z "$(ls "$1/system")" ]' sh "$folder"
cp "$@" "$folder/package/"
check "the installer succeeds" quietly env DESTDIR="$folder/system" "$folder/package/install"
for job in "$folder"/system/Library/Launch*/*.plist; do
    check "${job##*/} names an executable that is there" \
        test -x "$folder/system$(sed -n 's:.*<string>\(/usr/local/libexec/machv/hv[a-z]*\)</string>.*:\1:p' "$job")"
done
check "five jobs were installed" test "$(ls "$folder/system/Library/LaunchDaemons" | wc -l)" -eq 5
check "one agent was installed" test "$(ls "$folder/system/Library/LaunchAgents" | wc -l)" -eq 1
check "installing again succeeds" quietly env DESTDIR="$folder/system" "$folder/package/install"
check "the uninstaller succeeds" quietly env DESTDIR="$folder/system" "$folder/package/install" --uninstall
check "nothing is left" test -z "$(find "$folder/system" -type f)"
echo "1..$number"
[ $failures -eq 0 ]
