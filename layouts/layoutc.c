/* SPDX-License-Identifier: BSD-3-Clause */
/* layoutc OUTPUT LAYOUT...: the layouts' tables as C, for the build. Exit status: 0, or 1 after a
 * line that names what is wrong. */
#include <stdio.h>
#include <string.h>

#include "layouts/layout.h"

#define TEXT_MAXIMUM 65536u

static int fail(const char *path, const char *what)
{
    fprintf(stderr, "layoutc: %s: %s\n", path, what);
    return 1;
}

static int read_layout(const char *path, struct layout *layout)
{
    static char text[TEXT_MAXIMUM];
    FILE *file = fopen(path, "rb");
    size_t length;
    uint32_t line;

    if (file == NULL)
        return fail(path, "cannot be read");
    length = fread(text, 1, sizeof text, file);
    fclose(file);
    line = layout_read(layout, text, length);
    if (line == 0)
        return 0;
    fprintf(stderr, "layoutc: %s:%u: not a layout's line; layout.h has the form\n", path, line);
    return 1;
}

static void write_entries(FILE *output, unsigned number, const struct layout *layout)
{
    static uint8_t table[KEY_LAYOUT_BYTES_MAXIMUM];
    size_t size = layout_make_table(layout, table);

    fprintf(output, "\nstatic const struct key_layout_entry layout_%u[] = {\n", number);
    for (size_t at = sizeof(struct key_layout_header); at < size;) {
        struct key_layout_entry entry;

        memcpy(&entry, table + at, sizeof entry);
        at += sizeof entry;
        fprintf(output, "    { 0x%x, 0x%02x, %u, 0x%02x, %u },\n", (unsigned)entry.character,
                entry.dead_key, entry.dead_modifiers, entry.key, entry.modifiers);
    }
    fprintf(output, "};\n");
}

int main(int argc, char **argv)
{
    static struct layout layouts[64];
    FILE *output;

    if (argc < 3 || argc - 2 > (int)(sizeof layouts / sizeof layouts[0]))
        return fail("usage", "layoutc OUTPUT LAYOUT...");
    for (int i = 2; i < argc; i++)
        if (read_layout(argv[i], &layouts[i - 2]) != 0)
            return 1;
    output = fopen(argv[1], "w");
    if (output == NULL)
        return fail(argv[1], "cannot be written");
    fprintf(output, "/* Made by layoutc of layouts/. */\n#include \"protocol/key_layout.h\"\n");
    for (int i = 2; i < argc; i++)
        write_entries(output, (unsigned)i - 2, &layouts[i - 2]);
    fprintf(output, "\nstatic const struct key_layout built_in_layouts[] = {\n");
    for (int i = 2; i < argc; i++)
        fprintf(output,
                "    { \"%s\", layout_%d, sizeof layout_%d / sizeof layout_%d[0], false },\n",
                layouts[i - 2].name, i - 2, i - 2, i - 2);
    fprintf(output, "};\n");
    return fclose(output) == 0 ? 0 : fail(argv[1], "cannot be written");
}
