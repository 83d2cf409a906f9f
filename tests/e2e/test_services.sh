#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# test_services.sh [PART...]
# The integration services with their daemons when things go wrong: daemons that are killed at every
# step, two of a kind, files that are cut short by whatever can end, a disk that fills up, impossible
# clocks, evil paths. The host hears of it, nothing is left behind, and the next request works. And
# every verb of hvctl's, with --json.
set -u
build=$MACHV_BUILD_ROOT
kextrun=$build/xnu/kextrun/kextrun hvhost=$build/host/hvhost/hvhost hvctl=$build/host/hvctl/hvctl
# shellcheck source=../lib/wait.sh
. "$MACHV_SOURCE_ROOT/tests/lib/wait.sh"

work=$(mktemp -d)
number=0 host= guest=
declare -A daemons=()
trap '{ kill -KILL $host $guest "${daemons[@]}"; wait; } 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1

check() { # check NAME STATUS [FILE shown when it failed]
    number=$((number + 1))
    if [ "$2" -eq 0 ]; then echo "ok $number - $1"; return; fi
    echo "not ok $number - $1"
    [ $# -lt 3 ] || tail -n 8 "$3" | sed 's/^/# /'
}

skip() { # skip NAME REASON
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}

elsewhere= # another folder that until_true watches
# until_true SECONDS COMMAND...: waits until the command succeeds; looks again when a file of the test's changes.
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        inotifywait -qq -t 1 -r -e modify -e create -e moved_to -e delete -e close_write "$work" $elsewhere 2>/dev/null || true
    done
}

ask() { timeout 60 "$hvctl" --control h.ctl "$@"; }

# refused NAME TEXT COMMAND...: hvctl ends with status 1 and one line that has the text.
refused() {
    local name=$1 text=$2 status=0
    shift 2
    ask "$@" >output 2>errors || status=$?
    [ $status -eq 1 ] && [ "$(wc -l <errors)" -eq 1 ] && grep -qF -- "$text" errors
    check "$name" $? errors
}

# ---- machine and daemons ----

machine_up() {
    rm -rf h.sock h.ctl g.ctl controls
    mkdir -p controls files pools
    "$hvhost" --socket h.sock --control h.ctl >host.log 2>&1 &
    host=$!
    wait_for_socket "$work/h.sock" $host 20 || return 1
    "$kextrun" --partition h.sock --control g.ctl --kernel-controls controls "$build/kexts/MacHyperVSupportMonterey.kext" \
        >guest.log 2>&1 &
    guest=$!
    wait_for_socket "$work/g.ctl" $guest 60
}

daemon_begin() { # daemon_begin NAME OPTION...: does not wait
    local name=$1
    shift
    "$build/daemons/$name" --foreground --debug --controls controls "$@" >"$name.log" 2>&1 &
    daemons[$name]=$!
}

serves() { # serves NAME: now, not some time ago
    [[ $(grep -asE ': serving |the service is gone' "$1.log" | tail -n 1) == *serving* ]]
}

daemon_up() { # daemon_up NAME OPTION...
    daemon_begin "$@"
    until_true 30 serves "$1"
}

daemon_kill() { # daemon_kill NAME [SIGNAL]
    kill "-${2:-KILL}" "${daemons[$1]}"
    wait "${daemons[$1]}" 2>/dev/null
    unset "daemons[$1]"
}

file_daemon() { daemon_up hvfilecopyd --root "$work/files" --journal journal "$@"; }
backup_daemon() { daemon_up hvbackupd --journal frozen --hook "echo \$1 >>hooks"; }

ends_with() { # ends_with PROCESS STATUS
    local status=0
    wait_for_end "$1" 30 || status=$?
    [ $status -eq "$2" ] || { echo "# ended with status $status instead of $2"; return 1; }
}

# ---- every verb of the services, read by a program ----

json_verb() { # json_verb FILTER WORDS...: the answer is JSON for which jq's filter is true
    local filter=$1 status
    shift
    ask --json "$@" >output 2>errors && jq -e "$filter" output >/dev/null 2>>errors
    status=$?
    check "hvctl --json $*" $status errors
}

test_verbs() {
    local service mac
    json_verb '.services | length == 6 and all(.enabled and (.version | test("^[0-9]+[.][0-9]+$")))' services
    for service in heartbeat shutdown timesync filecopy kvp backup; do
        ask --json services | jq -e ".services[] | select(.service == \"$service\") | .state == \"ready\"" >/dev/null
        check "hvctl services: $service is ready" $? guest.log
    done
    until_true 20 eval 'ask --json devices | jq -e ".devices[] | select(.kind == \"memory\") | .reports > 0 and .available_mib > 0" >/dev/null'
    check 'the host hears how the guest is off for memory' $? guest.log
    json_verb '.host_unix_seconds > 1.7e9 and .skew_seconds == 0' time
    json_verb '.skew_seconds == 2' time --skew 2
    ask services --json >output 2>errors && jq -e '.services | length == 6' output >/dev/null
    check 'hvctl services --json' $? errors
    json_verb '.skew_seconds == 0' time --skew 0
    json_verb '. == {pool: "external", key: "size", value: "6"}' kvp set size 6
    json_verb '. == {pool: "guest", key: "size", value: "8"}' kvp set size 8 --pool guest
    json_verb '. == {pool: "external", key: "size", value: "7"}' kvp add size 7
    json_verb '.key == "colour" and .value == "très rouge"' kvp get colour
    json_verb '.pool == "external" and (.items | map(.key)) == ["colour", "size"]' kvp list --pool external
    json_verb '.pool == "auto" and (.items | length) == 10' kvp list
    json_verb '. == {pool: "external", key: "size"}' kvp remove size
    mac=$(grep -hvx '00:00:00:00:00:00' /sys/class/net/*/address 2>/dev/null | head -n 1)
    if [ -n "$mac" ]; then
        json_verb 'has("dhcp") and all(.addresses, .subnets, .gateways, .dns; type == "string")' ip "$mac"
    else
        skip 'hvctl --json ip' 'this machine has no network adapter'
    fi
    json_verb '.addresses == "10.0.0.5" and .dhcp == false and .dns == "10.0.0.1;10.0.0.2"' ip '{F8615163-DF3E-46C5-913F-F2D2F965ED0E}' --addresses 10.0.0.5 --subnets 255.0.0.0 \
        --gateways 10.0.0.1 --dns '10.0.0.1;10.0.0.2'
    grep -q '^addresses=10.0.0.5$' set-ip && grep -q '^dns=10.0.0.1;10.0.0.2$' set-ip
    check 'the addresses reached the command' $? set-ip
    json_verb '. == {disks: "frozen"}' backup freeze
    json_verb '. == {disks: "thawed"}' backup thaw
    json_verb '.bytes > 1000 and .seconds > 0' copy-file "$MACHV_SOURCE_ROOT/LICENSE" /made/for/it/LICENSE --create-path
    json_verb '.bytes > 1000' copy-file "$MACHV_SOURCE_ROOT/LICENSE" /made/for/it --force
    cmp -s "$MACHV_SOURCE_ROOT/LICENSE" files/made/for/it/LICENSE
    check 'the file arrived' $?
    json_verb '. == {service: "kvp", enabled: false}' disable kvp
    refused 'a service that was taken away serves nobody' 'does not serve this now' kvp list
    json_verb '.services[] | select(.service == "kvp") | .enabled == false' services
    json_verb '. == {service: "kvp", enabled: true}' enable kvp
    until_true 30 serves hvkvpd && ask kvp get colour >output 2>errors
    check 'and serves again when it comes back, with its pairs' $? errors
    status=0
    ask --json kvp get nothing >output 2>/dev/null || status=$?
    [ $status -eq 1 ] && jq -e '.ok == false and .code == "EREMOTEIO" and (.error | length > 0)' output >/dev/null
    check 'a refusal is JSON too' $? output
    status=0
    ask --json shutdown --hibernate >output 2>/dev/null || status=$?
    [ $status -eq 1 ] && jq -e '.ok == false and (.error | test("0x80070032: not supported"))' output >/dev/null
    check 'hibernation is refused, in JSON' $? output
}

# ---- the bar of a copy, on a terminal and nowhere else ----

test_progress() {
    head -c 16M /dev/urandom >source
    ask faults packet,delay=5000,percent=20 >/dev/null      # longer than a bar needs to appear
    script -qec "'$hvctl' --control h.ctl copy-file '$work/source' /with-a-bar" typescript >/dev/null 2>&1 </dev/null
    check 'a copy on a terminal' $? typescript
    tr '\r' '\n' <typescript | grep -qE '^\[#+ *\] +[0-9]+ %$'
    check 'has a bar of how far it is' $? typescript
    ask copy-file "$work/source" /without-one >output 2>errors && [ ! -s errors ]
    check 'elsewhere there is none' $? errors
    ask faults clear >/dev/null
    cmp -s source files/with-a-bar && cmp -s source files/without-one
    check 'both arrived' $?
}

# ---- clocks ----

clock_syncs() { ask --json time | jq .syncs; }

clock_refused() { # clock_refused SYNCS: the guest has answered more than these, the last one with a refusal
    ask --json time | jq -e ".syncs > $1 and .guest_says == \"invalid argument\"" >/dev/null
}

clock_stays() { # clock_stays NAME SKEW: the host's clock is set to it, and the guest's is not
    local before syncs
    before=$(cat clock 2>/dev/null)
    syncs=$(clock_syncs)
    ask time --skew "$2" >output 2>errors && until_true 20 clock_refused "$syncs" && [ "$(cat clock 2>/dev/null)" = "$before" ]
    check "$1" $? errors
}

clock_is() { # clock_is SECONDS: ahead of this machine's
    awk -v wanted="$1" '{ d = $1 / 1e9 - wanted; exit !(d > -0.4 && d < 0.4) }' clock 2>/dev/null
}

# The guest's processors stop, as when its machine is saved; its host's clock goes on.
test_resume() {
    local forward
    kill -STOP $guest
    json_verb '.stood_still_seconds == 7200 and .skew_seconds == 7197 and (.negotiated_anew | length) == 6' resumed 7200
    kill -CONT $guest
    until_true 20 clock_is 7197
    check 'a guest that stood still for two hours has the time again' $? hvtimesyncd.log
    forward=$(sed -n 's/.*set forward by \(.*\) s$/\1/p' hvtimesyncd.log | tail -n 1)
    awk -v by="$forward" 'BEGIN { exit !(by > 7199 && by < 7201) }'
    check 'in one step, which is in the log' $? hvtimesyncd.log
    until_true 20 eval 'ask --json services | jq -e "all(.services[]; .state == \"ready\")" >/dev/null' && serves hvtimesyncd
    check 'every service is agreed on anew, and no daemon had to come again' $? guest.log
    refused 'nobody stands still for less than nothing' 'stood still' resumed -1
    refused 'nor for longer than a year' 'stood still' resumed 4e7
}

test_clocks() {
    local now
    now=$(date +%s)
    clock_stays 'the host is in the year 1601: the clock stays' $((-11644473600 - now + 60))
    clock_stays 'the host is in the year 30828: the clock stays' $((910692730000 - now))
    grep -q 'time synchronisation: a request of the host.s was refused with 0x80070057' guest.log
    check 'the guest says so in its log' $? guest.log
    refused 'a clock before 1601 is none' 'between the years 1601 and 30828' time --skew -1e12
    refused 'a clock after 30828 is none' 'between the years 1601 and 30828' time --skew 1e12
    ask time --skew 5 >/dev/null && until_true 20 clock_is 5
    check 'the next good time is taken' $? hvtimesyncd.log
    daemon_kill hvtimesyncd
    ask time --skew -3 >/dev/null
    daemon_up hvtimesyncd --clock-file clock && until_true 20 clock_is -3 && grep -q 'set BACK' hvtimesyncd.log
    check 'a daemon that was killed is followed by one that hears the time at once' $? hvtimesyncd.log
    test_resume
}

# ---- daemons that are killed with a request in hand, and two of a kind ----

killed_while_asked() { # killed_while_asked DAEMON HVCTL-WORDS...
    local name=$1 asking begin=$SECONDS status=0
    shift
    kill -STOP "${daemons[$name]}"
    ask "$@" >output 2>errors &
    asking=$!
    until_true 20 eval 'ask --json services | jq -e "any(.services[]; .requests > .answers)" >/dev/null'
    daemon_kill "$name"
    wait $asking || status=$?
    [ $status -eq 1 ] && [ $((SECONDS - begin)) -lt 12 ] && grep -q 'nothing in it serves' errors
    check "$name is killed while it is asked: the host hears it, soon" $? errors
}

test_killed_daemons() {
    killed_while_asked hvkvpd kvp list
    refused 'no hvkvpd: refused at once' 'nothing in it serves' kvp get colour
    daemon_up hvkvpd --pools pools && ask kvp get colour >/dev/null 2>errors
    check 'its follower has the pairs' $? errors
    killed_while_asked hvshutdownd shutdown
    refused 'no hvshutdownd: refused at once' 'nothing in it serves' shutdown
    daemon_up hvshutdownd --command "echo \$1 \$2 >>asked; '$kextrun' quit --control g.ctl"
    check 'its follower serves' $? hvshutdownd.log
    killed_while_asked hvbackupd backup freeze
    rm -f hooks frozen
    backup_daemon
    ask backup freeze >/dev/null 2>errors && daemon_kill hvbackupd && [ -e frozen ]
    check 'hvbackupd is killed while all is frozen' $? errors
    refused 'no hvbackupd: the thaw is refused' 'nothing in it serves' backup thaw
    backup_daemon && [ "$(tr '\n' ' ' <hooks)" = "freeze thaw " ] && [ ! -e frozen ]
    check 'its follower thaws at once' $? hvbackupd.log
    ask backup freeze >/dev/null 2>errors && ask backup thaw >/dev/null 2>>errors
    check 'and the next backup works' $? errors
}

test_two_daemons() {
    local first=${daemons[hvkvpd]}
    cp hvkvpd.log first.log
    "$build/daemons/hvkvpd" --foreground --controls controls --pools pools >second.log 2>&1 &
    daemons[second]=$!
    until_true 20 grep -q 'waiting for it' second.log && [ "$(wc -l <second.log)" -eq 1 ] &&
        ask kvp get colour >/dev/null 2>errors
    check 'a second daemon says in one line that it waits; the first one serves' $? second.log
    kill -KILL "$first"
    wait "$first" 2>/dev/null
    until_true 30 serves second && ask kvp get colour >/dev/null 2>errors
    check 'and takes over when the first one dies' $? second.log
    daemon_kill second TERM
    check 'SIGTERM ends it with status 0' $?
    daemon_up hvkvpd --pools pools
}

# ---- file copy, cut short ----

nothing_left() { [ -z "$(find files -name '.machv-copy-*' -o -name cut)" ] && [ ! -e journal ]; }
half_there() { [ -n "$(find "${1:-files}" -name '.machv-copy-*' -size +64k)" ]; }

# copy_under_way: pieces come slowly, and some have come.
copy_under_way() {
    ask faults packet,delay=80000 >/dev/null || return 1
    "$hvctl" --control h.ctl copy-file "$work/source" /cut >output 2>errors &
    copying=$!
    until_true 30 half_there
}

# cut_short NAME STATUS: what was done to the copy ended it for the host, and left nothing.
cut_short() {
    local status=0
    wait_for_end "$copying" 40 || status=$?
    [ $status -eq "$2" ] || echo "# hvctl ended with status $status instead of $2"
    [ $status -eq "$2" ] && until_true 20 nothing_left
    check "$1" $? errors
    ask faults clear >/dev/null 2>&1
}

copy_works() {
    ask copy-file "$MACHV_SOURCE_ROOT/LICENSE" /good --force >output 2>errors && cmp -s files/good "$MACHV_SOURCE_ROOT/LICENSE"
    check 'and the next copy works' $? errors
}

test_cut_short() {
    local copying
    head -c 48M /dev/urandom >source
    copy_under_way && kill -TERM $copying
    cut_short 'hvctl is ended in the middle of a copy: nothing is left' 143
    until_true 10 grep -q 'the host gave the copy up' hvfilecopyd.log
    check 'the guest was told' $? hvfilecopyd.log
    copy_works

    copy_under_way && daemon_kill hvfilecopyd
    wait_for_end "$copying" 40
    check 'hvfilecopyd is killed in the middle of a copy: the host hears it' $((! ($? == 1))) errors
    ask faults clear >/dev/null
    [ -e journal ] && file_daemon && until_true 20 nothing_left && grep -q 'removed what a copy' hvfilecopyd.log
    check 'its follower removes what is left' $? hvfilecopyd.log
    copy_works

    copy_under_way && daemon_kill hvfilecopyd TERM
    cut_short 'hvfilecopyd is told to end in the middle of a copy: nothing is left' 1
    file_daemon
    copy_works

    copy_under_way && kill -STOP "${daemons[hvfilecopyd]}"
    wait_for_end "$copying" 40
    check 'hvfilecopyd stands still in the middle of a copy: the host hears it' $((! ($? == 1))) errors
    grep -qF '0x800705b4: time-out in the guest' errors && grep -q 'HyperVFileCopy: the daemon does not answer' guest.log
    check 'in the words for it, and so does the log' $? errors
    ask faults clear >/dev/null
    kill -CONT "${daemons[hvfilecopyd]}"
    until_true 20 nothing_left
    check 'when it goes on nothing is left' $? hvfilecopyd.log
    copy_works

    copy_under_way && ask disable filecopy >/dev/null
    cut_short 'the host takes the service away in the middle of a copy: nothing is left' 1
    ask enable filecopy >/dev/null && until_true 30 serves hvfilecopyd
    copy_works
}

test_disk_full() {
    local copying
    daemon_kill hvfilecopyd TERM
    if ! unshare -Urm true 2>/dev/null; then
        skip 'the disk is full in the middle of a copy: nothing is left' 'no user namespaces here'
        file_daemon
        return
    fi
    head -c 3M /dev/urandom >source
    unshare -Urm sh -c 'mount -t tmpfs -o size=4m small files && exec "$@"' sh "$build/daemons/hvfilecopyd" --foreground \
        --controls controls --root "$work/files" --journal journal >hvfilecopyd.log 2>&1 &
    daemons[hvfilecopyd]=$!
    until_true 30 serves hvfilecopyd
    local inside=/proc/${daemons[hvfilecopyd]}/root$work/files
    ask faults packet,delay=80000 >/dev/null
    "$hvctl" --control h.ctl copy-file "$work/source" /cut >output 2>errors &
    copying=$!
    elsewhere=$inside
    until_true 30 half_there "$inside/"
    elsewhere=
    head -c 4M /dev/zero >"$inside/filler" 2>/dev/null
    wait_for_end "$copying" 40
    check 'the disk is full in the middle of a copy: the host hears it' $((! ($? == 1))) errors
    grep -qF "0x80070070: the guest's disk is full" errors
    check 'in the words for it' $? errors
    [ "$(ls -A "$inside/")" = filler ]
    check 'nothing is left' $? hvfilecopyd.log
    ask faults clear >/dev/null
    refused 'a disk without room refuses at once' 'disk is full' copy-file "$work/source" /cut
    rm "$inside/filler"
    ask copy-file "$work/source" /whole >output 2>errors && cmp -s source "$inside/whole"
    check 'and the next copy works' $? errors
    daemon_kill hvfilecopyd TERM
    file_daemon
}

# ---- paths ----

test_paths() {
    local source=$MACHV_SOURCE_ROOT/LICENSE before path long
    mkdir -p files/folder outside
    ln -s ../outside files/link
    mkfifo files/pipe
    before=$(find files outside | sort)
    for path in relative '/..' '/../escape' '/folder/../../escape' '/folder/./x' 'C:escape' 'C:\..\escape' '\\..\\escape' \
        $'/tab\there' $'/new\nline' '/folder/.'; do
        refused "the path '$(tr '\n\t' '  ' <<<"$path")'" 'invalid argument' copy-file "$source" "$path" --create-path --force
    done
    long=$(printf '%0260d' 0)
    refused 'a path of 261 characters' 'File name too long' copy-file "$source" "/$long" --create-path
    refused 'a name of 258 characters' 'invalid argument' copy-file "$source" "/${long:0:258}" --create-path
    refused 'a link as the target' 'access denied' copy-file "$source" /link --force
    refused 'a link on the way' 'access denied' copy-file "$source" /link/x --create-path --force
    refused 'a pipe as the target' 'access denied' copy-file "$source" /pipe --force
    refused 'a pipe on the way' 'refused' copy-file "$source" /pipe/x --create-path
    refused 'an existing file without --force' 'file exists' copy-file "$source" /good
    refused 'a folder that is not there without --create-path' 'refused' copy-file "$source" /absent/x
    refused 'a source that is no file' 'not a regular file' copy-file /dev/null /x
    refused 'a source that is not there' 'No such file' copy-file "$work/absent" /x
    [ "$(find files outside | sort)" = "$before" ]
    check 'none of them left anything' $?
    copy_works
}

# ---- the machine ends in the middle of a copy ----

test_machine_ends() {
    local copying
    head -c 48M /dev/urandom >source
    copy_under_way && kill -KILL $guest
    cut_short 'the guest is killed in the middle of a copy: nothing is left' 1
    ends_with $host 4
    check 'hvhost ends with the status for it' $? host.log
    wait $guest 2>/dev/null

    machine_up && until_true 60 serves hvfilecopyd
    check 'the guest comes up again, and the daemon serves it' $? hvfilecopyd.log
    copy_works
    copy_under_way && kill -KILL $host
    cut_short 'the host is killed in the middle of a copy: nothing is left' 3
    ends_with $guest 6
    check 'kextrun ends with the status for it' $? guest.log
    wait $host 2>/dev/null

    machine_up && until_true 60 serves hvfilecopyd
    copy_works
    copy_under_way
    json_verb '. == {agreed_to: "restart", forced: true, reason: "in mid-copy"}' restart --force --reason 'in mid-copy'
    cut_short 'the guest is restarted in the middle of a copy: nothing is left' 1
    ends_with $guest 0 && ends_with $host 0
    check 'and both end in order' $? host.log

    machine_up && until_true 60 serves hvshutdownd
    check 'the guest comes up again' $? hvshutdownd.log
    json_verb '. == {agreed_to: "shutdown", forced: false, reason: ""}' shutdown
    ends_with $guest 0 && ends_with $host 0
    check 'and ends in order when it is shut down' $? host.log
    [ "$(tr '\n' ';' <asked)" = 'restart force;shutdown;' ]
    check 'the daemon was told what was wanted' $? asked
    grep -q 'restart by force, reason 0x80000000: in mid-copy$' hvshutdownd.log
    check 'and why' $? hvshutdownd.log
    host= guest=
}

machine_up
check 'the machine is up' $? guest.log
daemon_up hvshutdownd --command "echo \$1 \$2 >>asked; '$kextrun' quit --control g.ctl" && daemon_up hvtimesyncd --clock-file clock && file_daemon &&
    daemon_up hvkvpd --pools pools --set-ip 'cat >set-ip' && backup_daemon
check 'the daemons serve' $? guest.log
ask kvp set colour 'très rouge' >/dev/null 2>errors
check 'a pair is kept' $? errors
for part in ${*:-verbs progress clocks killed_daemons two_daemons cut_short disk_full paths machine_ends}; do test_$part; done
echo "1..$number"
