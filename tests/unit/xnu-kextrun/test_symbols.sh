#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# test_symbols.sh KEXTRUN: a function of kextrun's named as one of lwIP's would be called in its
# place, by lwIP itself.
set -euo pipefail

library=$(ldd "$1" | awk '$1 ~ /^liblwip/ { print $3 }')
[ -n "$library" ] || { echo "$1 is not linked with lwIP"; exit 1; }
defined() { nm -D --defined-only "$1" | awk '$2 ~ /[TDBRVW]/ { print $3 }' | sort -u; }
both=$(comm -12 <(defined "$1") <(defined "$library"))
[ -z "$both" ] || { echo "defined by kextrun and by lwIP:"; echo "$both"; exit 1; }
