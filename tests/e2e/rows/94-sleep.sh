# SPDX-License-Identifier: BSD-3-Clause
# The machine sleeps and wakes: disks are flushed and wait, the adapter leaves the host and comes back.
# A machine of its own.

# shellcheck source=../disk_machine.sh
. tests/e2e/disk_machine.sh

sleep_guest() { "$bin/kextrun" "$@" --control "$disk_folder/guest.sock"; }
sleep_channels() { disk_hvctl --json net list | jq '.adapters[0].open_channels | length'; }
sleep_has_leases() { [ "$(grep -c 'en0: lease 10\.0\.2\.15' "$disk_folder/guest.log")" -ge "$1" ]; }

# sleep_night N: what was written before is on the image, what is written meanwhile comes after.
sleep_night() {
    local late
    qemu-io -f raw -c "write -q -P $1 0 1M" "$(disk_uri 0)" >"$disk_folder/io.log" 2>&1 || { figure="write: $(cat "$disk_folder/io.log")"; return 1; }
    sleep_guest sleep --force || { figure="kextrun sleep failed"; return 1; }
    [ "$(sleep_channels)" = 0 ] || { figure="asleep, and the adapter has $(sleep_channels) channels open"; return 1; }
    [ "$(head -c 1M "$disk_folder/disk.img" | tr -d "\\$(printf %o "$1")" | wc -c)" = 0 ] ||
        { figure="asleep, and the image has not what was written"; return 1; }
    qemu-io -f raw -c "write -q -P $(($1 + 100)) 1M 1M" -c "read -q -P $(($1 + 100)) 1M 1M" "$(disk_uri 0)" \
        >"$disk_folder/late.log" 2>&1 &
    late=$!
    sleep_guest wake || { figure="kextrun wake failed"; return 1; }
    wait_for_end $late 30 || { figure="what was written during sleep: $(tail -n 1 "$disk_folder/late.log")"; return 1; }
    ! grep -q failed "$disk_folder/late.log" || { figure="what was written during sleep: $(cat "$disk_folder/late.log")"; return 1; }
    wait_until 30 sleep_has_leases $(($1 + 1)) || { figure="no lease after the wake"; return 1; }
    ping=$(sleep_guest net ping 10.0.2.2 5 2>&1) || { figure="ping: $ping"; return 1; }
}

sleep_check() {
    local begin n refused
    mkdir -p "$work/sleep"
    truncate -s 8M "$work/sleep/disk.img"
    disk_machine_start sleep --generation "$generation" --disk "$work/sleep/disk.img,format=raw" --net nat || return 1
    wait_until 30 sleep_has_leases 1 || { figure="no lease"; return 1; }
    refused=$(sleep_guest sleep 2>&1) && { figure="a driver forbids sleep, and kextrun sleep did not mind"; return 1; }
    [[ $refused == *"--force"* ]] || { figure="kextrun sleep: $refused"; return 1; }
    begin=$(date +%s%N)
    for n in 1 2 3; do sleep_night $n || return 1; done
    figure="3 times with --force: disk flushed, writes waited, lease again, ping $(sed -n 's|.*average \([0-9.]*\) .*|\1|p' <<<"$ping") ms"
    figure+=", $((($(date +%s%N) - begin) / 3000000)) ms a time"
    sleep_guest sleep --force || { figure="kextrun sleep failed"; return 1; }
    disk_machine_stop # asleep as it is
}

status=0
sleep_check || status=1
row sleep "Sleep and wake" $status "$figure"
