/* SPDX-License-Identifier: BSD-3-Clause */
/* font.h - the console's font: ASCII, Latin 1 and a few signs. Drawn for this program
 * (font.txt). */
#ifndef XNU_CONSOLE_FONT_H
#define XNU_CONSOLE_FONT_H

#include <stdint.h>

enum { FONT_WIDTH = 8, FONT_HEIGHT = 16, FONT_UNKNOWN = 0xfffd };

struct font_glyph {
    uint16_t character;
    uint8_t rows[FONT_HEIGHT]; /* from the top; bit 7 is the left pixel */
};

extern const struct font_glyph font_glyphs[]; /* by character, ascending */
extern const unsigned font_glyph_count;

/* The rows of a character's glyph; of a box for what the font does not have. */
const uint8_t *font_rows(uint16_t character);

#endif
