#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# transcript.sh PROGRAM DOCUMENT [--update]: runs each "$ kextmatch ..." line of the console blocks of DOCUMENT in the
# source root, and compares what it prints with what stands there. With --update writes it there instead.
set -u
program=$1
document=$2
update=${3:-}
root=${MACHV_SOURCE_ROOT:-.}
program=$(realpath "$program")
document=$(realpath "$document")
cd "$root" || exit 2
made=$(mktemp)
area=$(mktemp -d)
trap 'rm -rf "$made" "$area"' EXIT
kextmatch() { "$program" "$@"; }
export -f kextmatch
export program area

in_block=false
skipping=false
count=0
while IFS= read -r line; do
    case $line in
    '```console')
        in_block=true
        skipping=false
        ;;
    '```')
        in_block=false
        skipping=false
        ;;
    '$ '*)
        if $in_block; then
            printf '%s\n' "$line" >>"$made"
            bash -c "${line#'$ '}" 2>&1 | sed "s,$area,/tmp/volume,g" >>"$made"
            count=$((count + 1))
            skipping=true
            continue
        fi
        ;;
    esac
    if ! $skipping; then printf '%s\n' "$line" >>"$made"; fi
done <"$document"

if [ "$update" = --update ]; then
    cp "$made" "$document"
    exit 0
fi
if difference=$(diff -u "$document" "$made"); then
    echo "ok 1 - the $count commands of the transcript print what it says"
else
    printf '%s\n' "$difference" | sed 's/^/# /'
    echo "not ok 1 - the $count commands of the transcript print what it says"
fi
echo "1..1"
