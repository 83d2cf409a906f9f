#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Compiles the generated headers for each variant and holds them against abi/tables; then damages a
# copy of the tables and demands that the same checks notice.
# Usage: layout.sh SOURCE_ROOT BUILD_ROOT CHECK_SLOTS PYTHON
set -u
source=$1 build=$2 check_slots=$3 python=$4
here=$source/tests/unit/abi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0

result() { # result STATUS NAME
    number=$((number + 1))
    if [ "$1" = 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; fi
}

# compile ARCHITECTURE OLDEST INCLUDE_ROOT: layout.c of the good tables with these headers
compile() {
    case $1 in
    i386) target=i386-apple-macosx10.4 ;;
    *) target=x86_64-apple-macosx10.6 ;;
    esac
    awk -v architecture="$1" -f "$here/layout.awk" "$source/abi/tables/classes.tsv" \
        "$source/abi/tables/fields.tsv" "$source/abi/tables/structures.tsv" >"$work/layout.c"
    clang -target "$target" -mkernel -ffreestanding -fno-common -std=gnu11 -Wall -Werror \
        -DABI_OLDEST="$2" -I "$source" -I "$3" -c "$work/layout.c" -o "$work/layout.o" \
        >"$work/errors" 2>&1
}

# generate TABLES: headers of a copy of the tables into $work/damaged
generate() {
    rm -rf "$work/damaged"
    mkdir -p "$work/damaged/abi"
    "$python" "$source/abi/generate/headers.py" "$work/tables" "$work/damaged/abi"
}

echo 1..10
while read -r architecture oldest release; do
    compile "$architecture" "$oldest" "$build"
    status=$?
    sed 's/^/# /' "$work/errors" | head -n 20
    result $status "sizes and offsets are those of the tables, $architecture $oldest"
    [ $status = 0 ] &&
        "$check_slots" "$source/abi/tables" "$architecture" "$release" "$work/layout.o"
    result $? "inherited slots are named as in $release, $architecture"
done <<VARIANTS
i386 1004 100408
x86_64 1006 100600
x86_64 1200 120001
VARIANTS

cp -r "$source/abi/tables" "$work/tables"
chmod -R u+w "$work/tables"
generate && compile x86_64 1006 "$work/damaged"
result $? "headers of an undamaged copy pass"

sed -i 's/^\(IOService\tIORegistryEntry\t[^\t]*\t80\t\)136\t/\1144\t/' "$work/tables/classes.tsv"
generate && ! compile x86_64 1006 "$work/damaged" &&
    grep -q 'sizeof(struct IOService)' "$work/errors"
result $? "a wrong size is noticed"

cp "$source/abi/tables/classes.tsv" "$work/tables/"
awk 'BEGIN { FS = OFS = "\t" }
     $1 == "IOService" && $3 ~ /IOService5startE/ { $2 = 185 }
     $1 == "IOService" && $3 ~ /IOService4stopE/ { $2 = 184 }
     { print }' "$source/abi/tables/vtables-x86_64.tsv" >"$work/tables/vtables-x86_64.tsv"
generate && compile x86_64 1006 "$work/damaged" &&
    ! "$check_slots" "$source/abi/tables" x86_64 100600 "$work/layout.o" >"$work/differences" &&
    grep -q 'IOService slot 184' "$work/differences"
result $? "two swapped slots are noticed"

cp "$source/abi/tables/vtables-x86_64.tsv" "$work/tables/"
sed -i 's/^\(IOService\tpm_vars\t.*\t\)112\t/\1120\t/' "$work/tables/fields.tsv"
generate && ! compile x86_64 1006 "$work/damaged" && grep -q 'pm_vars' "$work/errors"
result $? "a wrong field offset is noticed"
