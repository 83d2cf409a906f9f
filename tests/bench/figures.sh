# SPDX-License-Identifier: BSD-3-Clause
# Sourced: figures beside their baselines.

figures_rows=()

# heading TEXT BASELINE: begins a table.
heading() {
    printf '\n%-44s %14s %14s %8s  %s\n' "$1" machv "$2" ratio goal
}

# figure ID NAME VALUE BASELINE UNIT BETTER GOAL: BETTER is "higher" or "lower"; BASELINE and GOAL may be "-".
figure() {
    local ratio=-
    if [ "$4" != - ]; then ratio=$(awk -v a="$3" -v b="$4" 'BEGIN { printf "%.2f", b == 0 ? 0 : a / b }'); fi
    printf '%-44s %14s %14s %8s  %s\n' "$2 ($5)" "$3" "$4" "$ratio" "$7"
    figures_rows+=("$(jq -cn --arg id "$1" --arg name "$2" --arg value "$3" --arg baseline "$4" --arg unit "$5" \
        --arg better "$6" --arg goal "$7" --arg ratio "$ratio" \
        'def number: if . == "-" then null else tonumber? // . end;
         {id: $id, name: $name, value: $value | number, baseline: $baseline | number, unit: $unit,
          ratio: $ratio | number, goal: $goal, better: $better}')")
}

figures_write() {
    printf '%s\n' "${figures_rows[@]+"${figures_rows[@]}"}" | jq -s '{figures: .}' >"$1.new"
    mv "$1.new" "$1"
}
