# SPDX-License-Identifier: BSD-3-Clause
# The ring engine against DPDK's VMBus ring, by build/tests/bench/ring/ring_bench.

ring_bench() {
    local program=$root/build/tests/bench/ring/ring_bench id name value baseline unit better goal
    if [ ! -x "$program" ]; then
        echo "ring: not measured: the program is built only where libdpdk-dev is installed" >&2
        return 0
    fi
    heading "Ring" "DPDK 22.11"
    while IFS=$'\t' read -r id name value baseline unit better goal; do
        figure "$id" "$name" "$value" "$baseline" "$unit" "$better" "$goal"
    done < <("$program" "${BENCH_RING_ROUNDS:-9}")
}

ring_bench
