# SPDX-License-Identifier: BSD-3-Clause
# The host asks for a restart: the guest ends in order, comes up again, and its heart beats.

beats() {
    ask_host --json heartbeat 2>/dev/null | jq -e '.answers >= 1' >/dev/null
}

restart_check() {
    local begin
    machine_ensure || { figure="the machine does not come up"; return 1; }
    wait_until 10 daemons_ready || { figure="no daemon serves"; return 1; }
    begin=$(date +%s%N)
    figure=$(ask_host restart --force --reason "a test" 2>&1) || return 1
    machine_wait || { figure="the machine did not end cleanly"; return 1; }
    [ "$(tail -n 1 "$work/guest/asked")" = "restart force" ] || { figure="the guest was asked for '$(tail -n 1 "$work/guest/asked")'"; return 1; }
    machine_start || { figure="the machine does not come up again"; return 1; }
    wait_until 10 beats || { figure="no heartbeat after the restart"; return 1; }
    figure="down and up again with a heartbeat after $((($(date +%s%N) - begin) / 1000000)) ms"
}

status=0
restart_check || status=1
if [[ $figure == *"the version of the guest's shutdown service cannot do it"* ]]; then
    row_not_offered restart "Restart by the host" "hosts have it from Windows Server 2016 on"
else
    row restart "Restart by the host" $status "$figure"
fi
