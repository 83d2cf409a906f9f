/* SPDX-License-Identifier: BSD-3-Clause */
/* Does to a DSDT what OpenCore does with the ACPI->Patch rows of a host: from the object `Base` on,
 * the first `Count` places that equal `Find` become `Replace` (OpenCorePkg, OcAcpiLib). Usage:
 * rename_dsdt INPUT.aml OUTPUT.aml HOST
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "setup/data/rows.h"
#include "setup/files.h"
#include "setup/text.h"

enum { DSDT_MAX = 4 << 20, NAME_MAX_SIZE = 64 };

struct table {
    uint8_t *bytes;
    size_t size;
};

static const char *field_value(const struct row *row, const char *key)
{
    for (size_t i = 0; i < row_field_count(row); i++) {
        if (strcmp(row->fields[i].key, key) == 0) {
            return row->fields[i].value;
        }
    }
    return "";
}

/* "\_SB.VMOD" as byte code without the root's backslash: segments of four, with their count before.
 */
static size_t encode_path(const char *path, uint8_t *name)
{
    size_t segments = 0, length = 0;
    for (const char *at = path; at != NULL; at = strchr(at + 1, '.')) {
        segments++;
    }
    if (segments == 2) {
        name[length++] = 0x2E;
    } else if (segments > 2) {
        name[length++] = 0x2F;
        name[length++] = (uint8_t)segments;
    }
    for (const char *at = path + 1; *at != '\0';) {
        size_t part = strcspn(at, ".");
        memset(name + length, '_', 4);
        memcpy(name + length, at, part);
        length += 4;
        at += part + (at[part] == '.');
    }
    return length;
}

/* Where the device of that name begins; the table's size when there is none. */
static size_t find_device(const struct table *table, const char *path)
{
    uint8_t name[NAME_MAX_SIZE];
    size_t length = encode_path(path, name);
    for (size_t at = 0; at + length + 8 < table->size; at++) {
        if (table->bytes[at] == 0x5B && table->bytes[at + 1] == 0x82) {
            size_t start = at + 3 + (table->bytes[at + 2] >> 6);
            start += table->bytes[start] == '\\';
            if (start + length <= table->size && memcmp(table->bytes + start, name, length) == 0) {
                return at;
            }
        }
    }
    return table->size;
}

struct context {
    struct table table;
    unsigned renames;
};

static void rename_one(const struct row *row, void *opaque)
{
    struct context *context = opaque;
    uint8_t find[8], replace[8];
    if (strcmp(row->path, "ACPI->Patch") != 0) {
        return;
    }
    int length = hex_decode(field_value(row, "Find"), find, sizeof find);
    hex_decode(field_value(row, "Replace"), replace, sizeof replace);
    long left = strtol(field_value(row, "Count"), NULL, 10);
    for (size_t at = find_device(&context->table, field_value(row, "Base"));
         at + (size_t)length <= context->table.size && left > 0; at++) {
        if (memcmp(context->table.bytes + at, find, (size_t)length) == 0) {
            memcpy(context->table.bytes + at, replace, (size_t)length);
            context->renames++;
            left--;
        }
    }
}

int main(int argc, char **argv)
{
    struct setup_error error;
    struct context context = {{NULL, 0}, 0};
    char *bytes = NULL;
    if (argc != 4 || !file_read(argv[1], DSDT_MAX, &bytes, &context.table.size, &error)) {
        fprintf(stderr, "usage: rename_dsdt INPUT.aml OUTPUT.aml HOST\n");
        return 2;
    }
    struct target target = {.macos = find_macos("13"),
                            .host = find_host(argv[3]),
                            .generation = 2,
                            .kernel = KERNEL_64};
    context.table.bytes = (uint8_t *)bytes;
    rows_for_target(&target, rename_one, &context);
    uint8_t sum = 0;
    bytes[9] = 0;
    for (size_t i = 0; i < context.table.size; i++) {
        sum += (uint8_t)bytes[i];
    }
    bytes[9] = (char)-sum;
    printf("%u renames\n", context.renames);
    bool ok = file_write(argv[2], bytes, context.table.size, &error);
    free(bytes);
    return ok ? 0 : 1;
}
