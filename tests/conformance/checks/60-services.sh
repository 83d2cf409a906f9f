# SPDX-License-Identifier: BSD-3-Clause
# Sourced: Linux's hv_utils and Debian's daemons for Hyper-V serve hvhost's integration services.

services_said() { # services_said FOLDER TEXT: waits until the guest has said it
    timeout 60 sh -c 'until grep -aqs "GUEST $2" "$1/console.log"; do sleep 0.2; done' sh "$1" "$2"
}

# What the host does while the guest runs; its figures go to $1/figures, a line a thing.
services_drive() {
    local folder=$1 last=$2 control=$1/control.sock try
    ask() { "$hvctl" --control "$control" "$@" 2>&1; }
    services_said "$folder" 'services ready' || return
    # The daemons register with the kernel in their own time; the host asks until they have.
    for try in $(seq 50); do
        if ask --json kvp list >"$folder/facts.json" && ask backup freeze >"$folder/freeze"; then break; fi
        sleep 0.2
    done
    echo "tries $try" >"$folder/figures"
    ask backup thaw >"$folder/thaw" && echo "thawed" >>"$folder/figures"
    ask kvp set fruit orange >"$folder/set" && ask --json kvp list --pool external >"$folder/pair.json" &&
        echo "pair $(jq -r '.items[] | select(.key == "fruit") | .value' "$folder/pair.json")" >>"$folder/figures"
    ask --json ip 00:15:5D:4D:41:43 >"$folder/ip.json" && echo "addresses $(jq -r .addresses "$folder/ip.json")" >>"$folder/figures"
    ask time --skew 3600 >"$folder/time"
    # As after a save and a restore: every service agrees on its version anew, and the rest works as before.
    ask --json resumed 82800 >"$folder/resumed.json"
    timeout 60 sh -c 'until "$1" --control "$2" --json services | jq -e "all(.services[]; .state == \"ready\")"; do sleep 0.2; done' \
        sh "$hvctl" "$control" >/dev/null
    ask --json copy-file "$folder/payload" /incoming --create-path >"$folder/copy.json" && echo copied >>"$folder/figures"
    ask copy-file "$folder/payload" /incoming >"$folder/again" || echo "again $(cat "$folder/again")" >>"$folder/figures"
    cp "$folder/payload" "$folder/report"
    truncate -s 100 "$folder/report"
    ask --json copy-file "$folder/report" /incoming >>"$folder/copy.json"
    services_said "$folder" 'reported' || return
    ask --json services >"$folder/services.json"
    # shellcheck disable=SC2086
    ask $last >"$folder/last" && echo asked >>"$folder/figures"
}

services_check() { # services_check ID NAME ARCHITECTURE PROCESSORS RELEASE LAST-COMMAND WAY
    local id=$1 folder=$work/runs/$1 driver sum fact skew
    wanted "$id" || return 0
    rm -rf "$folder"
    (
        timeout 20 sh -c 'until [ -S "$1" ]; do sleep 0.1; done' sh "$folder/control.sock"
        make_image "$folder/payload" 4
        services_drive "$folder" "$6"
    ) &
    driver=$!
    boot "$id" "$3" "$4" services -- --release "$5" --net nat,mac=00:15:5d:4d:41:43
    kill $driver 2>/dev/null || true
    wait $driver 2>/dev/null || true
    problem=$(complaint)
    check() { [ -n "$problem" ] || "${@:2}" || problem=$1; }
    fact() { jq -r --arg key "$1" '.items[] | select(.key == $key) | .value' "$folder/facts.json"; }
    agreed_anew() { jq -e '.negotiated_anew | length == 6' "$folder/resumed.json" >/dev/null; }
    has() { grep -qs "$1" "$folder/figures"; }
    sum=$(sha256sum <"$folder/payload" | cut -d' ' -f1)
    skew=$(($(said clock) - $(stat -c %Y "$folder/copy.json") - 86400))
    check "freeze: $(cat "$folder/freeze")" has thawed
    check "the host sees the name '$(fact FullyQualifiedDomainName)'" test "$(fact FullyQualifiedDomainName)" = linux-guest
    check "the host sees the addresses '$(fact NetworkAddressIPv4)'" test "$(fact NetworkAddressIPv4)" = 10.0.2.15
    check "the host sees the system '$(fact OSName)'" test "$(fact OSName)" = Linux
    check "the adapter has the addresses '$(sed -n 's/^addresses //p' "$folder/figures")'" has 'addresses 10.0.2.15'
    check "a pair came back otherwise: $(cat "$folder/set")" has 'pair orange'
    check "the pair is not in the guest: $(said pairs)" test "$(said pairs)" = "fruit orange "
    check "the copy failed: $(cat "$folder/copy.json")" has copied
    check "the copy differs: $(said 'incoming sha256')" test "$(said 'incoming sha256')" = "$sum"
    check "an existing file was replaced, or refused for another reason" has 'again.*file exists'
    check "not agreed on anew: $(cat "$folder/resumed.json")" agreed_anew
    check "the clock is $skew s off" test "${skew#-}" -le 3
    check "the host's request: $(cat "$folder/last")" has asked
    check "the guest was asked for '$(said asked)'" test "$(said asked)" = "$7"
    row "$id" "$2" "$([ -z "$problem" ]; echo $?)" \
        "${problem:-$(fact OSName) $(fact OSBuildNumber), IP $(fact NetworkAddressIPv4), 4 MiB copied at $(jq -sr '.[0] | .bytes / .seconds / 1048576 * 10 | floor / 10' "$folder/copy.json") MiB/s, frozen, thawed, clock set, $7}"
}

services_check services-shutdown "Services, shutdown; Windows Server 2022" amd64 2 ws2022 "shutdown --force" poweroff
services_check services-restart "Services, restart; Windows Server 2025" amd64 1 ws2025 "restart" reboot
services_check services-ws2012r2 "Services, shutdown; Windows Server 2012 R2" amd64 1 ws2012r2 "shutdown" poweroff
