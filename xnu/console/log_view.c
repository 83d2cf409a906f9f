/* SPDX-License-Identifier: BSD-3-Clause */
/* log_view.c - lines into cells. */
#include "xnu/console/log_view.h"

#include "xnu/console/font.h"

enum { TAB = 8, NAME_MAX = 32 };

void log_view_open(struct log_view *view, struct text_screen *screen, uint32_t first,
                   uint32_t last)
{
    *view = (struct log_view){ .screen = screen, .first = first, .last = last, .next = first };
}

static uint32_t new_row(struct log_view *view)
{
    if (view->next < view->last)
        return view->next++;
    text_screen_scroll(view->screen, view->first, view->last);
    return view->last - 1;
}

/* "HyperVNetwork: link is up": how much of it is the name; 0: it has none. */
static uint32_t name_length(const uint16_t *line, uint32_t length)
{
    for (uint32_t i = 0; i + 1 < length && i < NAME_MAX; i++) {
        if (line[i] == ':' && line[i + 1] == ' ')
            return i;
        if (line[i] <= ' ')
            return 0;
    }
    return 0;
}

static void show_line(struct log_view *view, const uint16_t *line, uint32_t length,
                      enum text_style style)
{
    uint32_t columns = view->screen->columns;
    uint32_t name = style == TEXT_NORMAL ? name_length(line, length) : 0;
    uint32_t row = 0;

    if (view->first >= view->last || columns == 0)
        return;
    for (uint32_t i = 0; i < length || i == 0; i++) {
        if (i % columns == 0) {
            row = new_row(view);
            text_screen_clear(view->screen, row, 0, style);
        }
        if (i < length)
            text_screen_put(view->screen, row, i % columns, line[i],
                            i < name ? TEXT_NAME : style);
    }
}

static void end_line(struct log_view *view)
{
    show_line(view, view->line, view->length, TEXT_NORMAL);
    view->length = 0;
}

static void put(struct log_view *view, uint32_t character)
{
    if (view->length == LOG_VIEW_LINE_MAX)
        end_line(view);
    view->line[view->length++] = character <= 0xffff ? (uint16_t)character : FONT_UNKNOWN;
}

static void put_character(struct log_view *view, uint32_t character)
{
    if (character == '\n') {
        end_line(view);
    } else if (character == '\t') {
        do
            put(view, ' ');
        while (view->length % TAB != 0);
    } else if (character >= ' ' && character != 0x7f) {
        put(view, character);
    }
}

/* Bytes that are no UTF-8 become one unknown character each. */
static void take(struct log_view *view, uint8_t byte)
{
    if (view->missing > 0 && (byte & 0xc0) == 0x80) {
        view->code = view->code << 6 | (byte & 0x3f);
        if (--view->missing == 0)
            put_character(view, view->code);
        return;
    }
    if (view->missing > 0)
        put_character(view, FONT_UNKNOWN);
    view->missing = 0;
    if (byte < 0x80) {
        put_character(view, byte);
    } else if (byte >= 0xc2 && byte < 0xf5) {
        view->missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
        view->code = byte & (0x3f >> view->missing);
    } else {
        put_character(view, FONT_UNKNOWN);
    }
}

void log_view_write(struct log_view *view, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        take(view, (uint8_t)text[i]);
}

void log_view_add_line(struct log_view *view, const uint16_t *characters, uint32_t count,
                       enum text_style style)
{
    if (view->length > 0)
        end_line(view);
    show_line(view, characters, count, style);
}
