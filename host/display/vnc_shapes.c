/* SPDX-License-Identifier: BSD-3-Clause */
/* Pointer shapes that LibVNCServer does not send: with alpha (the Cursor With Alpha
 * pseudo-encoding), and those that are too large for its buffer. They go out in an update of their
 * own, before the one that was asked for.
 *
 * Facts: the RFB protocol's community edition; TigerVNC for the order of the bytes: red, green,
 * blue, alpha, colours multiplied by it. */
#include <stdlib.h>
#include <string.h>

#include "host/display/vnc_internal.h"

enum {
    ENCODING_CURSOR_WITH_ALPHA = -314,
    OPAQUE = 255,
    LIBRARY_BYTES = 32000, /* its buffer has 32768, and it loses an update over more */
};

static bool write_bytes(rfbClientPtr client, const void *bytes, size_t size)
{
    return rfbWriteExact(client, (const char *)bytes, (int)size) > 0;
}

static bool write_head(rfbClientPtr client, const rfbCursor *cursor, uint32_t encoding)
{
    const rfbFramebufferUpdateMsg update = {.type = rfbFramebufferUpdate,
                                            .nRects = Swap16IfLE(1)};
    const rfbFramebufferUpdateRectHeader rectangle = {
        .r = {.x = Swap16IfLE(cursor->xhot),
              .y = Swap16IfLE(cursor->yhot),
              .w = Swap16IfLE(cursor->width),
              .h = Swap16IfLE(cursor->height)},
        .encoding = Swap32IfLE(encoding)};
    return write_bytes(client, &update, sz_rfbFramebufferUpdateMsg) &&
           write_bytes(client, &rectangle, sz_rfbFramebufferUpdateRectHeader);
}

static bool send_with_alpha(struct vnc *vnc, rfbClientPtr client)
{
    static uint8_t wire[sizeof(vnc->cursor.pixels)];
    const rfbCursor *cursor = &vnc->cursor.cursor;
    const uint32_t raw = 0;
    const size_t count = (size_t)cursor->width * cursor->height;
    for (size_t i = 0; i < count; i++) {
        const unsigned alpha = vnc->cursor.alpha[i];
        for (unsigned part = 0; part < 3; part++) {
            wire[4 * i + part] = (uint8_t)(vnc->cursor.colours[3 * i + part] * alpha / OPAQUE);
        }
        wire[4 * i + 3] = (uint8_t)alpha;
    }
    return write_head(client, cursor, (uint32_t)ENCODING_CURSOR_WITH_ALPHA) &&
           write_bytes(client, &raw, sizeof(raw)) && write_bytes(client, wire, 4 * count);
}

static bool is_too_large(const rfbClientRec *client, const rfbCursor *cursor)
{
    const size_t pixel = client->format.bitsPerPixel / 8;
    return (cursor->width * pixel + (cursor->width + 7) / 8) * cursor->height > LIBRARY_BYTES;
}

/* As the library would, had it the room: pixels as the viewer wants them, then the mask. */
static bool send_rich(struct vnc *vnc, rfbClientPtr client)
{
    static uint8_t wire[sizeof(vnc->cursor.pixels)];
    const rfbCursor *cursor = &vnc->cursor.cursor;
    const size_t count = (size_t)cursor->width * cursor->height;
    client->translateFn(client->translateLookupTable, &client->screen->serverFormat,
                        &client->format, (char *)cursor->richSource, (char *)wire,
                        cursor->width * (int)(vnc->picture.depth / 8), cursor->width,
                        cursor->height);
    return write_head(client, cursor, rfbEncodingRichCursor) &&
           write_bytes(client, wire, count * (client->format.bitsPerPixel / 8)) &&
           write_bytes(client, cursor->mask, (size_t)(cursor->width + 7) / 8 * cursor->height);
}

void vnc_shape_send(rfbClientPtr client)
{
    struct vnc *vnc = client->screen->screenData;
    const struct vnc_viewer *viewer = client->clientData;
    bool sent = false;
    if (!client->enableCursorShapeUpdates || !client->cursorWasChanged ||
        client->screen->cursor != &vnc->cursor.cursor) {
        return;
    }
    if (viewer->knows_alpha) {
        sent = send_with_alpha(vnc, client);
    } else if (client->useRichCursorEncoding && client->readyForSetColourMapEntries &&
               is_too_large(client, &vnc->cursor.cursor)) {
        sent = send_rich(vnc, client);
    }
    if (sent) {
        client->cursorWasChanged = FALSE;
    }
}

/* ---- Who wants alpha ---- */

/* The library is to draw no pointer into this viewer's picture. */
static rfbBool enable(struct _rfbClientRec *client, void **data, int encoding)
{
    struct vnc_viewer *viewer = client->clientData;
    if (encoding != ENCODING_CURSOR_WITH_ALPHA) {
        return FALSE;
    }
    viewer->knows_alpha = true;
    client->enableCursorShapeUpdates = TRUE;
    client->cursorWasChanged = TRUE;
    return TRUE;
}

static int encodings[] = {ENCODING_CURSOR_WITH_ALPHA, 0};

static rfbProtocolExtension alpha = {
    .pseudoEncodings = encodings,
    .enablePseudoEncoding = enable,
};

void vnc_alpha_offer(void)
{
    rfbRegisterProtocolExtension(&alpha);
}

void vnc_alpha_end(rfbClientPtr client)
{
    vnc_extension_end(client, &alpha);
}
