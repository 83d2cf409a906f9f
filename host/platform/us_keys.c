/* SPDX-License-Identifier: BSD-3-Clause */
/* The US keyboard, row by row. */
#include "host/platform/us_keys.h"

#include <stddef.h>
#include <string.h>

static const struct {
    uint8_t first; /* code of the first key; the others follow */
    const char *plain, *shifted;
} rows[] = {
    {0x02, "1234567890-=", "!@#$%^&*()_+"},
    {0x0f, "\t", "\t"},
    {0x10, "qwertyuiop[]\n", "QWERTYUIOP{}\n"},
    {0x1e, "asdfghjkl;'`", "ASDFGHJKL:\"~"},
    {0x2b, "\\zxcvbnm,./", "|ZXCVBNM<>?"},
    {0x39, " ", " "},
};

bool us_key_of_character(uint32_t character, uint8_t *code, bool *shift)
{
    if (character == '\r') {
        character = '\n';
    }
    if (character == 0 || character > 0x7f) {
        return false;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *plain = strchr(rows[i].plain, (int)character);
        const char *shifted = strchr(rows[i].shifted, (int)character);
        if (plain != NULL || shifted != NULL) {
            *shift = plain == NULL;
            *code = (uint8_t)(rows[i].first +
                              (plain != NULL ? plain - rows[i].plain : shifted - rows[i].shifted));
            return true;
        }
    }
    return false;
}
