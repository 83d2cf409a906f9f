# SPDX-License-Identifier: BSD-3-Clause
# Backup: freeze and thaw reach the guest's hook in this order; in between no write reaches the disk, and reads do.

# Zeroes where there are zeroes, so that the disk stays as it was.
backup_write() { timeout "$1" qemu-io -f raw -c "write -q -P 0 63M 4k" "nbd+unix:///?socket=$nbd/disk0.sock" >/dev/null 2>&1; }
backup_read() { timeout 10 qemu-io -f raw -r -c "read -q 1M 4k" "nbd+unix:///?socket=$nbd/disk0.sock" >/dev/null 2>&1; }

backup_check() {
    local answer frozen
    wait_until 10 daemons_ready || { figure="no daemon serves"; return 1; }
    answer=$(ask_host backup freeze 2>&1) || { figure=$answer; return 1; }
    frozen=$(ask_host --json services | jq '.services[] | select(.service == "backup") | .frozen')
    [ "$frozen" = true ] || { figure="the host does not know that it is frozen"; return 1; }
    if backup_write 1; then figure="a write reached the frozen disk"; return 1; fi
    backup_read || { figure="the frozen disk cannot be read"; return 1; }
    answer=$(ask_host backup thaw 2>&1) || { figure=$answer; return 1; }
    backup_write 10 || { figure="the thawed disk cannot be written"; return 1; }
    if ask_host backup thaw >/dev/null 2>&1; then figure="a thaw without a freeze succeeded"; return 1; fi
    [ "$(tr '\n' ' ' <"$work/guest/backups")" = "freeze thaw " ] || { figure="the hook saw '$(tr '\n' ' ' <"$work/guest/backups")'"; return 1; }
    figure="no write while frozen; thawed in $(ask_host --json services | jq '.services[] | select(.service == "backup") | .round_trip_us') us"
}

if machine_offers backup; then
    status=0
    backup_check || status=1
    row backup "Backup (VSS freeze and thaw)" $status "$figure"
else
    row_not_offered backup "Backup (VSS freeze and thaw)" "hosts have it from Windows Server 2012 R2 on"
fi
