# SPDX-License-Identifier: BSD-3-Clause
# Writes a C file that checks sizes and offsets of the headers against abi/tables, and lays out one
# table of inherited slots a class. Arguments: -v architecture=..., classes.tsv fields.tsv
# structures.tsv. It knows nothing of the generator.
BEGIN {
    FS = "\t"
    print "#include \"abi/runtime.h\""
    print "#include \"abi/kpi/kern_control.h\""
    print "#include \"abi/kpi/sysctl.h\""
}

# Adds a check of an expression.
function expect(expression, value, what) {
    checks = checks sprintf("_Static_assert(%s == %s, \"%s\");\n", expression, value, what)
}

FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; table++; next }
{ offset = at["offset_" architecture] ? $at["offset_" architecture] : "-" }

table == 1 {
    size = $at["max_sizeof_" architecture]
    if (size == "-")
        next
    printf "#include \"abi/%s.h\"\n", $1
    expect("sizeof(struct " $1 ")", size, "size")
    checks = checks sprintf("#ifdef %s_INHERIT\n", $1)
    checks = checks sprintf("extern const struct %s_table check_table_%s;\n", $1, $1)
    checks = checks sprintf("const struct %s_table check_table_%s = ", $1, $1)
    checks = checks sprintf("{.slots = {%s_INHERIT}};\n#endif\n", $1)
}

# Fields that never moved and whose name is one in C; bit fields have no offset in C.
table == 2 && offset ~ /^[0-9]+$/ && $at[architecture "_by_version"] !~ /;/ && !seen[$1, $2]++ {
    expect("offsetof(struct " $1 ", " $2 ")", offset, $1 "." $2)
}

table == 3 && $at["size_" architecture] != "-" {
    type = ($1 ~ /^(IOPCIAddressSpace|IOACPIAddress)$/) ? "union " $1 : "struct " $1
    if ($2 == "(whole)")
        expect("sizeof(" type ")", $at["size_" architecture], $1)
    else if ($2 !~ /eserved/)
        expect("offsetof(" type ", " $2 ")", offset, $1 "." $2)
}

END { printf "%s", checks }
