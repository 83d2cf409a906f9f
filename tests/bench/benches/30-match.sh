# SPDX-License-Identifier: BSD-3-Clause
# kextmatch's library over generated personalities and devices, against libkmod's look-up of the same devices among
# the aliases of a Debian kernel, by build/tests/bench/match/match_bench.

# match_modules: prints a folder with modules.alias.bin: of the running kernel, or of a Debian kernel package that is
# fetched and indexed once.
match_modules() {
    local folder version package
    for folder in "/lib/modules/$(uname -r)" "$work"/kernel/lib/modules/*; do
        if [ -f "$folder/modules.alias.bin" ]; then
            echo "$folder"
            return 0
        fi
    done
    mkdir -p "$work/kernel"
    package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image-[0-9]/ { print $2; exit }')
    [ -n "$package" ] || return 1
    (cd "$work/kernel" && apt-get -q download "$package" && dpkg-deb -x "$package"_*.deb .) >"$work/kernel.log" 2>&1 ||
        return 1
    for folder in "$work"/kernel/lib/modules/*; do
        version=${folder##*/}
        depmod -b "$work/kernel" "$version" >>"$work/kernel.log" 2>&1 || return 1
        echo "$folder"
        return 0
    done
    return 1
}

match_bench() {
    local program=$root/build/tests/bench/match/match_bench modules id name value baseline unit better goal
    if [ ! -x "$program" ]; then
        echo "match: not measured: the program is built only where libkmod-dev is installed" >&2
        return 0
    fi
    if ! modules=$(match_modules); then
        echo "match: no baseline: no kernel's modules.alias.bin is at hand (see $work/kernel.log)" >&2
        modules=
    fi
    heading "Matching" "libkmod"
    while IFS=$'\t' read -r id name value baseline unit better goal; do
        figure "$id" "$name" "$value" "$baseline" "$unit" "$better" "$goal"
    done < <("$program" ${modules:+"$modules"})
}

match_bench
