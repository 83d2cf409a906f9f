/* SPDX-License-Identifier: BSD-3-Clause */
/* font.c - finds glyphs. */
#include "xnu/console/font.h"

#include <stddef.h>

static const struct font_glyph *find(uint16_t character)
{
    unsigned low = 0, high = font_glyph_count;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (font_glyphs[middle].character == character)
            return &font_glyphs[middle];
        if (font_glyphs[middle].character < character)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const uint8_t *font_rows(uint16_t character)
{
    const struct font_glyph *glyph = find(character);

    return (glyph ? glyph : find(FONT_UNKNOWN))->rows;
}
