# SPDX-License-Identifier: BSD-3-Clause
# File copy: 32 MiB into a folder that is made for it; then what must be refused, with nothing left behind.

filecopy_check() {
    local answer target=$work/guest/files/Users/someone/Documents bytes seconds sum
    wait_until 10 daemons_ready || { figure="no daemon serves"; return 1; }
    head -c 32M /dev/urandom >"$work/copied.bin"
    if ask_host copy-file "$work/copied.bin" /Users/someone/Documents/ >/dev/null 2>&1; then
        figure="copied into a folder that was not there"; return 1
    fi
    answer=$(ask_host --json copy-file "$work/copied.bin" 'C:\Users\someone\Documents\a file.bin' --create-path 2>&1) ||
        { figure=$answer; return 1; }
    sum=$(sha256sum <"$work/copied.bin" | cut -c1-12)
    [ "$(sha256sum <"$target/a file.bin" | cut -c1-12)" = "$sum" ] || { figure="the copy differs"; return 1; }
    if answer=$(ask_host copy-file LICENSE '/Users/someone/Documents/a file.bin' 2>&1); then
        figure="an existing file was replaced"; return 1
    fi
    [[ $answer == *"file exists"* ]] || { figure="wrong refusal: $answer"; return 1; }
    ask_host copy-file LICENSE '/Users/someone/Documents/a file.bin' --force >/dev/null || { figure="--force failed"; return 1; }
    cmp -s LICENSE "$target/a file.bin" || { figure="--force copied something else"; return 1; }
    if ask_host copy-file LICENSE /Users/../../escape >/dev/null 2>&1; then figure=".. was taken"; return 1; fi
    [ "$(find "$work/guest/files" -type f | wc -l)" -eq 1 ] || { figure="something was left behind"; return 1; }
    bytes=$(stat -c %s "$work/copied.bin")
    seconds=$(ask_host --json copy-file "$work/copied.bin" /Users/someone/Documents/again | jq .seconds)
    figure="$((bytes >> 20)) MiB, sha256 $sum equal, $(awk "BEGIN { printf \"%.0f\", $bytes / 1048576 / $seconds }") MiB/s; refusals leave nothing"
}

if machine_offers filecopy; then
    status=0
    filecopy_check || status=1
    row filecopy "Guest file copy" $status "$figure"
else
    row_not_offered filecopy "Guest file copy" "hosts have it from Windows Server 2012 R2 on"
fi
rm -f "$work/copied.bin"
