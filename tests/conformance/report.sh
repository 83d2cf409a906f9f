# SPDX-License-Identifier: BSD-3-Clause
# Sourced: rows of a report, printed as they come and kept in build/conformance/report.json.
# Uses $work and $pattern.

report_rows=()
report_failed=0

# wanted ID: is this check asked for?
wanted() {
    # shellcheck disable=SC2053
    [[ $1 == $pattern ]]
}

# row ID NAME STATUS FIGURE: STATUS is 0 for passed.
row() {
    local passed=true word=passed
    if [ "$3" -ne 0 ]; then passed=false word=FAILED report_failed=$((report_failed + 1)); fi
    printf '%-24s %-44s %-6s  %s\n' "$1" "$2" "$word" "$4"
    report_rows+=("$(jq -cn --arg id "$1" --arg name "$2" --argjson passed $passed --arg figure "$4" \
        '{id: $id, name: $name, passed: $passed, figure: $figure}')")
}

report_end() {
    printf '%s\n' "${report_rows[@]}" | jq -s '{rows: .}' >"$work/report.json.new"
    mv "$work/report.json.new" "$work/report.json"
    echo "conformance: $((${#report_rows[@]} - report_failed)) passed, $report_failed failed; logs in ${work#"$root"/}"
    [ "${#report_rows[@]}" -gt 0 ] || { echo "conformance: no check fits '$pattern'" >&2; exit 2; }
    [ "$report_failed" -eq 0 ] || exit 1
    exit 0
}
