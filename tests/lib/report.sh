# SPDX-License-Identifier: BSD-3-Clause
# Sourced: rows of a report, printed as they come and kept as JSON:
#   {"rows": [{"id": "scsi", "name": "...", "passed": true, "figure": "..."}]}

report_rows=()
report_failed=0

# row ID NAME STATUS FIGURE: STATUS is 0 for passed. The figure is shown as it is.
row() {
    local passed=true word=passed
    if [ "$3" -ne 0 ]; then
        passed=false word=FAILED
        report_failed=$((report_failed + 1))
    fi
    printf '%-22s %-46s %-7s %s\n' "$1" "$2" "$word" "$4"
    report_rows+=("$(jq -cn --arg id "$1" --arg name "$2" --argjson passed $passed --arg figure "$4" \
        '{id: $id, name: $name, passed: $passed, figure: $figure}')")
}

# report_write FILE: writes the rows, whole or not at all.
report_write() {
    printf '%s\n' "${report_rows[@]+"${report_rows[@]}"}" | jq -s '{rows: .}' >"$1.new"
    mv "$1.new" "$1"
}
