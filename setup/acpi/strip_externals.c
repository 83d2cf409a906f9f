/* SPDX-License-Identifier: BSD-3-Clause */
/* Build-time program: takes the External declarations out of a compiled table.
 *
 * iasl keeps them in the byte code (opcode 15h, inside "If (Zero)" blocks in the table's outermost
 * scope). They do nothing at run time, but the ACPI interpreters of Mac OS X before 10.12 are older
 * than the opcode and would refuse the table. (ACPI 6.0, 20.2.5.1 and 20.2.5.3; ACPICA's history of
 * 2016.) Usage: strip_externals INPUT.aml OUTPUT.aml
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TABLE_HEADER_SIZE = 36,
    TABLE_SIZE_MAX = 1 << 20,
    OPCODE_ZERO = 0x00,
    OPCODE_EXTERNAL = 0x15,
    OPCODE_IF = 0xA0,
};

/* Reads a package length at `offset`: the whole package's bytes, and how many bytes encode it. */
static size_t package_length(const uint8_t *table, size_t size, size_t offset, size_t *encoding)
{
    size_t following = table[offset] >> 6;
    if (offset + following >= size) {
        return 0;
    }
    size_t length = following == 0 ? table[offset] & 0x3F : table[offset] & 0x0F;
    for (size_t i = 0; i < following; i++) {
        length |= (size_t)table[offset + 1 + i] << (4 + 8 * i);
    }
    *encoding = 1 + following;
    return length;
}

/* Bytes of a declaration block at `offset`, 0 when something else begins there. */
static size_t external_block(const uint8_t *table, size_t size, size_t offset)
{
    if (table[offset] != OPCODE_IF || offset + 2 >= size) {
        return 0;
    }
    size_t encoding = 0;
    size_t length = package_length(table, size, offset + 1, &encoding);
    size_t body = offset + 1 + encoding;
    if (length == 0 || offset + 1 + length > size || body + 1 >= size) {
        return 0;
    }
    return table[body] == OPCODE_ZERO && table[body + 1] == OPCODE_EXTERNAL ? 1 + length : 0;
}

static size_t strip(uint8_t *table, size_t size)
{
    for (size_t offset = TABLE_HEADER_SIZE; offset < size;) {
        size_t block = external_block(table, size, offset);
        if (block == 0) {
            break; /* the compiler puts all of them first */
        }
        memmove(table + offset, table + offset + block, size - offset - block);
        size -= block;
    }
    for (int i = 0; i < 4; i++) {
        table[4 + i] = (uint8_t)(size >> (8 * i));
    }
    table[9] = 0;
    uint8_t sum = 0;
    for (size_t i = 0; i < size; i++) {
        sum += table[i];
    }
    table[9] = (uint8_t)-sum;
    return size;
}

int main(int argc, char **argv)
{
    static uint8_t table[TABLE_SIZE_MAX];
    if (argc != 3) {
        fprintf(stderr, "usage: %s INPUT.aml OUTPUT.aml\n", argv[0]);
        return 2;
    }
    FILE *input = fopen(argv[1], "rb");
    size_t size = input == NULL ? 0 : fread(table, 1, sizeof table, input);
    if (size < TABLE_HEADER_SIZE || size == sizeof table) {
        fprintf(stderr, "%s: %s is not an ACPI table\n", argv[0], argv[1]);
        return 1;
    }
    fclose(input);
    size = strip(table, size);
    FILE *output = fopen(argv[2], "wb");
    if (output == NULL || fwrite(table, 1, size, output) != size || fclose(output) != 0) {
        fprintf(stderr, "%s: cannot write %s\n", argv[0], argv[2]);
        return 1;
    }
    return 0;
}
