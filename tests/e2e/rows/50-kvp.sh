# SPDX-License-Identifier: BSD-3-Clause
# Data exchange: the host reads the guest's system and addresses, and writes a pair that lasts.

kvp_check() {
    local facts os address pair
    wait_until 10 daemons_ready || { figure="no daemon serves"; return 1; }
    facts=$(ask_host --json kvp list 2>&1) || { figure=$facts; return 1; }
    fact() { jq -r --arg key "$1" '.items[] | select(.key == $key) | .value' <<<"$facts"; }
    os="$(fact OSName) $(fact OSVersion)"
    address=$(fact NetworkAddressIPv4)
    [ "$(jq '.items | length' <<<"$facts")" -eq 10 ] || { figure="$(jq '.items | length' <<<"$facts") facts, not 10"; return 1; }
    [ -n "$(fact OSName)" ] || { figure="the guest has no system"; return 1; }
    [ "$(fact ProcessorArchitecture)" = "$(uname -m)" ] || { figure="wrong processor: $(fact ProcessorArchitecture)"; return 1; }
    ask_host kvp set 'a key' 'värde ✓' >/dev/null || { figure="a pair was not taken"; return 1; }
    pair=$(ask_host --json kvp get 'a key' | jq -r .value)
    [ "$pair" = 'värde ✓' ] || { figure="the pair came back as '$pair'"; return 1; }
    grep -q $'^a key\tvärde ✓$' "$work/guest/pools/pool_0" || { figure="the pair is not in its file"; return 1; }
    ask_host kvp remove 'a key' >/dev/null || { figure="the pair was not removed"; return 1; }
    if ask_host kvp get 'a key' >/dev/null 2>&1; then figure="the pair is still there"; return 1; fi
    figure="host sees $os, IPv4 ${address:-none}; a pair set, read, removed"
}

status=0
kvp_check || status=1
row kvp "Data exchange (KVP)" $status "$figure"
