# SPDX-License-Identifier: BSD-3-Clause
# Sourced: Linux's hv_utils answers the heartbeat, on 1, 2 and 4 processors, 64 and 32 bit.

for machine in amd64:1 amd64:2 amd64:4 i386:1 i386:2 i386:4; do
    architecture=${machine%:*} processors=${machine#*:}
    id=heartbeat-$architecture-$processors
    wanted "$id" || continue
    boot "$id" "$architecture" "$processors" heartbeat:2 -- --release ws2022
    problem=$(complaint)
    [ -n "$problem" ] || [ "$(said processors)" = "$processors" ] || problem="$(said processors) processors came up"
    beats=$(heartbeats)
    [ -n "$problem" ] || [ "${beats:-0}" -ge 2 ] || problem="${beats:-no} heartbeats answered"
    row "$id" "heartbeat, $architecture kernel, $processors processors" "$([ -z "$problem" ]; echo $?)" \
        "${problem:-$beats answered}"
done
