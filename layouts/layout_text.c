/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads the text form. */
#include <string.h>

#include "layouts/layout.h"
#include "protocol/utf16.h"

#define DEAD       0x25CCu              /* ◌ */
#define NOTHING    0x2400u              /* ␀ */
#define SPACE_BAR  0x31u
#define SOFT_SPACE 0xA0u
#define ROWS       4u

static const uint8_t row_keys[ROWS][13] = {
    { 0x32, 0x12, 0x13, 0x14, 0x15, 0x17, 0x16, 0x1A, 0x1C, 0x19, 0x1D, 0x1B, 0x18 },
    { 0x0C, 0x0D, 0x0E, 0x0F, 0x11, 0x10, 0x20, 0x22, 0x1F, 0x23, 0x21, 0x1E, 0x2A },
    { 0x00, 0x01, 0x02, 0x03, 0x05, 0x04, 0x26, 0x28, 0x25, 0x29, 0x27 },
    { 0x0A, 0x06, 0x07, 0x08, 0x09, 0x0B, 0x2D, 0x2E, 0x2B, 0x2F, 0x2C },
};
static const uint8_t row_lengths[ROWS] = { 13, 13, 11, 11 };

struct reader {
    struct layout *layout;
    uint32_t level, row;                /* the row that comes next; ROWS: none */
};

/* The bytes of one line. */
struct line {
    const uint8_t *at, *end;
};

/* The next character, 0 at the end or if the bytes are no UTF-8. */
static uint32_t take(struct line *line)
{
    uint8_t bytes[5] = { 0 };
    size_t left = (size_t)(line->end - line->at);
    const char *text = (const char *)bytes;
    uint32_t character;

    if (left == 0)
        return 0;
    memcpy(bytes, line->at, left < 4 ? left : 4);
    character = utf8_take(&text);
    line->at += text - (const char *)bytes;
    return character == UTF16_REPLACEMENT || character < 0x20 ? 0 : character;
}

static bool take_word(struct line *line, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(line->end - line->at) < length || memcmp(line->at, word, length) != 0)
        return false;
    line->at += length;
    return true;
}

static bool read_name(struct layout *layout, struct line *line)
{
    size_t length = (size_t)(line->end - line->at);

    if (length == 0 || length >= sizeof layout->name)
        return false;
    for (size_t i = 0; i < length; i++)
        if (line->at[i] <= ' ' || line->at[i] > '~')
            return false;
    memset(layout->name, 0, sizeof layout->name);
    memcpy(layout->name, line->at, length);
    return true;
}

static bool read_level(struct reader *reader, struct line *line)
{
    reader->level = 0;
    if (!take_word(line, "plain")) {
        if (take_word(line, "shift"))
            reader->level |= KEY_LAYOUT_SHIFT;
        if (reader->level != 0)
            take_word(line, " ");
        if (take_word(line, "option"))
            reader->level |= KEY_LAYOUT_OPTION;
        if (reader->level == 0)
            return false;
    }
    reader->row = 0;
    return line->at == line->end;
}

static bool read_row(struct reader *reader, struct line *line)
{
    for (uint32_t i = 0; i < row_lengths[reader->row]; i++) {
        struct layout_key *key = &reader->layout->keys[reader->level][row_keys[reader->row][i]];
        uint32_t character = take(line);

        key->is_dead = character == DEAD;
        if (key->is_dead)
            character = take(line);
        if (character == 0)
            return false;
        key->character = character == NOTHING ? 0 : character;
    }
    reader->row++;
    return line->at == line->end;
}

static bool add_composition(struct layout *layout, uint32_t accent, uint32_t base, uint32_t result)
{
    if (base == 0 || result == 0 || layout->composition_count == LAYOUT_COMPOSITIONS_MAXIMUM)
        return false;
    layout->compositions[layout->composition_count++] =
        (struct layout_composition){ accent, base, result };
    return true;
}

static bool read_dead(struct layout *layout, struct line *line)
{
    uint32_t accent = take(line);

    if (accent == 0 || !take_word(line, " ") || !add_composition(layout, accent, ' ', accent))
        return false;
    while (line->at != line->end) {
        uint32_t base = take(line);

        if (!add_composition(layout, accent, base, take(line)))
            return false;
    }
    return true;
}

static bool read_line(struct reader *reader, struct line *line)
{
    if (reader->row < ROWS)
        return read_row(reader, line);
    if (line->at == line->end || *line->at == '#')
        return true;
    if (take_word(line, "name "))
        return read_name(reader->layout, line);
    if (take_word(line, "level "))
        return read_level(reader, line);
    return take_word(line, "dead ") && read_dead(reader->layout, line);
}

uint32_t layout_read(struct layout *layout, const char *text, size_t length)
{
    struct reader reader = { layout, 0, ROWS };
    const uint8_t *at = (const uint8_t *)text, *end = at + length;
    uint32_t number = 0;

    memset(layout, 0, sizeof *layout);
    for (uint32_t level = 0; level < KEY_LAYOUT_LEVELS; level++)
        layout->keys[level][SPACE_BAR].character =
            level & KEY_LAYOUT_OPTION ? SOFT_SPACE : ' ';
    while (at != end) {
        const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
        struct line line = { at, newline != NULL ? newline : end };

        number++;
        if (!read_line(&reader, &line))
            return number;
        at = newline != NULL ? newline + 1 : end;
    }
    /* An end in the middle of a level, or without a name. */
    return reader.row < ROWS || layout->name[0] == '\0' ? number + 1 : 0;
}
