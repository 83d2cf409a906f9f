/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest's pointer on its way to viewers: shape, position, visibility. */
#include <stdlib.h>
#include <string.h>

#include "host/display/vnc_internal.h"

enum {
    HALF = 128,
    OPAQUE = 255,
    ECHO = 1,             /* pixels: positions are rounded on their way */
};

static uint8_t straight(uint8_t colour, uint8_t alpha)
{
    const unsigned value = colour * OPAQUE / alpha;
    return (uint8_t)(value > OPAQUE ? OPAQUE : value);
}

/* Guests do not say whether colours are multiplied by alpha. None is brighter than its alpha then;
 * where that is so by chance, the two readings hardly differ. */
static bool is_multiplied(const struct video_pointer *pointer)
{
    const uint8_t *pixel = pointer->pixels;
    for (size_t i = 0; i < (size_t)pointer->width * pointer->height; i++, pixel += 4) {
        if (pixel[0] > pixel[3] || pixel[1] > pixel[3] || pixel[2] > pixel[3]) {
            return false;
        }
    }
    return true;
}

/* In the picture's format; colours are not multiplied. */
static void put_pixel(struct vnc *vnc, size_t at, const uint8_t pixel[4], bool multiplied)
{
    uint8_t colour[3] = {pixel[0], pixel[1], pixel[2]};
    for (unsigned i = 0; i < 3 && multiplied && pixel[3] != 0; i++) {
        colour[i] = straight(pixel[i], pixel[3]);
    }
    for (unsigned i = 0; i < 3; i++) {
        vnc->cursor.colours[at * 3 + i] = colour[2 - i];
    }
    if (vnc->picture.depth == 16) {
        const uint16_t word =
            (uint16_t)(colour[2] >> 3 << 11 | colour[1] >> 2 << 5 | colour[0] >> 3);
        memcpy(vnc->cursor.pixels + at * 2, &word, sizeof(word));
    } else {
        memcpy(vnc->cursor.pixels + at * 4, colour, 3);
    }
}

static void convert(struct vnc *vnc, const struct video_pointer *pointer)
{
    struct vnc_cursor *cursor = &vnc->cursor;
    const size_t mask_pitch = (pointer->width + 7) / 8;
    const bool multiplied = is_multiplied(pointer);
    memset(cursor->mask, 0, sizeof(cursor->mask));
    memset(cursor->pixels, 0, sizeof(cursor->pixels));
    for (uint32_t y = 0; y < pointer->height; y++) {
        for (uint32_t x = 0; x < pointer->width; x++) {
            const size_t at = (size_t)y * pointer->width + x;
            const uint8_t *pixel = pointer->pixels + at * 4;
            cursor->alpha[at] = pixel[3];
            if (pixel[3] >= HALF) {
                cursor->mask[y * mask_pitch + x / 8] |= (uint8_t)(0x80 >> x % 8);
            }
            put_pixel(vnc, at, pixel, multiplied);
        }
    }
    cursor->cursor = (rfbCursor){
        .mask = cursor->mask,
        .width = (unsigned short)pointer->width,
        .height = (unsigned short)pointer->height,
        .xhot = (unsigned short)pointer->hot_x,
        .yhot = (unsigned short)pointer->hot_y,
        .richSource = cursor->pixels,
        .alphaSource = cursor->alpha,
    };
}

/* The library makes a two-coloured form for viewers that want one. */
static void forget_two_colours(struct vnc *vnc)
{
    if (vnc->cursor.cursor.cleanupSource) {
        free(vnc->cursor.cursor.source);
    }
    vnc->cursor.cursor.source = NULL;
    vnc->cursor.cursor.cleanupSource = FALSE;
}

/* Of a hidden pointer: many viewers take no shape at all for no news, and the library makes that of
 * a single pixel. */
static const struct video_pointer invisible = {.width = 2, .height = 1};

void vnc_cursor_shaped(void *context)
{
    struct vnc *vnc = context;
    if (vnc->settings.video == NULL) {
        return;
    }
    const struct video_pointer *pointer = video_pointer(vnc->settings.video);
    rfbSetCursor(vnc->screen, NULL);
    forget_two_colours(vnc);
    if (pointer->width != 0) {
        const bool is_seen = pointer->is_visible && !video_pointer_is_blank(pointer);
        convert(vnc, is_seen ? pointer : &invisible);
        rfbSetCursor(vnc->screen, &vnc->cursor.cursor);
    }
}

static bool is_echo(const struct vnc *vnc, int x, int y)
{
    for (unsigned i = 0; i < VNC_POSITIONS_KEPT && i < vnc->position_count; i++) {
        if (abs(vnc->positions[i].x - x) <= ECHO && abs(vnc->positions[i].y - y) <= ECHO) {
            return true;
        }
    }
    return false;
}

static int within(int32_t value, int size)
{
    return value < 0 ? 0 : value >= size ? size - 1 : value;
}

/* The guest has put the pointer somewhere by itself: viewers' own pointers are to follow. */
void vnc_cursor_moved(void *context)
{
    struct vnc *vnc = context;
    const struct video_pointer *pointer = video_pointer(vnc->settings.video);
    const int x = within(pointer->x, vnc->screen->width);
    const int y = within(pointer->y, vnc->screen->height);
    if (is_echo(vnc, x, y)) {
        return;
    }
    vnc->screen->cursorX = x;
    vnc->screen->cursorY = y;
    rfbClientIteratorPtr clients = rfbGetClientIterator(vnc->screen);
    for (rfbClientPtr client; (client = rfbClientIteratorNext(clients)) != NULL;) {
        client->cursorWasMoved = TRUE;
    }
    rfbReleaseClientIterator(clients);
}

void vnc_cursor_close(struct vnc *vnc)
{
    vnc->screen->cursor = NULL;
    forget_two_colours(vnc);
}
