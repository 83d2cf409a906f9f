#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# man.sh FOLDER PAGE...: manual pages, those kept in FOLDER and those made of docs/: groff has nothing
# to say about them, and what a program's --help names is in its page.
set -u
folder=$1
shift
build=$MACHV_BUILD_ROOT
number=0

check() { # check NAME STATUS
    number=$((number + 1))
    if [ "$2" -eq 0 ]; then echo "ok $number - $1"; else echo "not ok $number - $1"; fi
}

skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

well_formed() { # well_formed PAGE
    local complaints
    complaints=$(groff -k -man -ww -Tutf8 -rHY=0 -rLL=300n "$1" 2>&1 >/dev/null)
    [ -z "$complaints" ] && return 0
    sed 's/^/# /' <<<"$complaints"
    return 1
}

text_of() { groff -k -man -Tascii -rHY=0 -rLL=300n -P-c -P-b -P-u -P-o "$1" 2>/dev/null; }

# complete PAGE PROGRAM: every option in the program's help is in the page.
complete() {
    local text missing= option
    text=$(text_of "$1")
    for option in $("$2" --help 2>&1 | grep -oE '(^|[ ,|[])--?[a-z][a-z0-9-]+' | tr -d ' ,|[' | sort -u); do
        [ "$option" = --help ] || [ "$option" = --version ] || grep -qF -e "$option" <<<"$text" || missing+=" $option"
    done
    [ -z "$missing" ] || { echo "# not in $(basename "$1"):$missing"; return 1; }
}

# commands PAGE: every command of hvctl's is in its page, by itself or as one of "first|second".
commands() {
    local text missing= words
    text=$(text_of "$1")
    while read -r words; do
        grep -qE -e "(^|[ |])${words% *}( ([a-z]+[|])*${words##* })?(\$|[ ,|])" <<<"$text" || missing+=" '$words'"
    done < <("$build/host/hvctl/hvctl" --help | sed -nE 's/^  (([a-z-]+ ?){1,2})  .*/\1/p' | sed 's/ *$//')
    [ -z "$missing" ] || { echo "# not in $(basename "$1"):$missing"; return 1; }
}

command -v groff >/dev/null || skip_all "groff is not installed"
declare -A programs=([hvctl]=host/hvctl/hvctl [hvhost]=host/hvhost/hvhost [kextlink]=tools/kextlink/kextlink
    [kextrun]=xnu/kextrun/kextrun [hvshutdownd]=daemons/hvshutdownd [hvkeyboardd]=daemons/hvkeyboardd
    [hvtimesyncd]=daemons/hvtimesyncd
    [hvfilecopyd]=daemons/hvfilecopyd [hvkvpd]=daemons/hvkvpd [hvbackupd]=daemons/hvbackupd)
for page in "$folder"/*.[18] "$@"; do
    name=$(basename "$page")
    well_formed "$page"
    check "$name is well formed" $?
    name=${name%.*}
    [ -z "${programs[$name]-}" ] || { complete "$page" "$build/${programs[$name]}"; check "$name: every option has its place" $?; }
    [ "$name" != hvctl ] || { commands "$page"; check "hvctl: every command has its place" $?; }
done
echo "1..$number"
