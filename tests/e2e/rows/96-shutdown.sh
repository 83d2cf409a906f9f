# SPDX-License-Identifier: BSD-3-Clause
# The host asks for a shutdown: hibernation is refused, then the guest really ends.

shutdown_check() {
    local begin answer
    machine_ensure || { figure="the machine does not come up"; return 1; }
    wait_until 10 daemons_ready || { figure="no daemon serves"; return 1; }
    if answer=$(ask_host shutdown --hibernate 2>&1); then figure="hibernation was accepted"; return 1; fi
    [[ $answer == *"not supported"* || $answer == *"cannot do it"* ]] || { figure="wrong refusal: $answer"; return 1; }
    begin=$(date +%s%N)
    figure=$(ask_host shutdown --reason "the end" 2>&1) || return 1
    machine_wait || { figure="the machine did not end cleanly"; return 1; }
    [ "$(tail -n 1 "$work/guest/asked")" = "shutdown" ] || { figure="the guest was asked for '$(tail -n 1 "$work/guest/asked")'"; return 1; }
    figure="guest and host ended in order $((($(date +%s%N) - begin) / 1000000)) ms after the request; hibernation refused"
}

status=0
shutdown_check || status=1
row shutdown "Shutdown by the host" $status "$figure"
