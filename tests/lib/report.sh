# SPDX-License-Identifier: BSD-3-Clause
# Sourced: rows of a report, printed as they come and kept as JSON:
#   {"rows": [{"id": "scsi", "name": "...", "passed": true, "figure": "..."}]}
# A row that a machine cannot have has "offered": false, and neither passed nor failed.

report_rows=()
report_failed=0
report_not_offered=0

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

# row_not_offered ID NAME WHY
row_not_offered() {
    report_not_offered=$((report_not_offered + 1))
    printf '%-22s %-46s %-7s %s\n' "$1" "$2" "-" "not offered: $3"
    report_rows+=("$(jq -cn --arg id "$1" --arg name "$2" --arg figure "$3" \
        '{id: $id, name: $name, offered: false, figure: $figure}')")
}

# report_summary: "11 of 11 passed, 2 not offered by this host"
report_summary() {
    local tried=$((${#report_rows[@]} - report_not_offered))
    printf '%s' "$((tried - report_failed)) of $tried passed"
    [ $report_not_offered -eq 0 ] || printf '%s' ", $report_not_offered not offered by this machine"
}

# report_write FILE: writes the rows, whole or not at all.
report_write() {
    printf '%s\n' "${report_rows[@]+"${report_rows[@]}"}" | jq -s '{rows: .}' >"$1.new"
    mv "$1.new" "$1"
}
