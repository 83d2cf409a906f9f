/* SPDX-License-Identifier: BSD-3-Clause */
/* The picture that viewers get: a copy of the guest's, kept up with what the guest says. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/display/vnc_internal.h"

enum { LOOK_NS = 50000000 }; /* at a guest without a driver, which tells of no changes */

void vnc_picture_set_format(rfbPixelFormat *format, uint32_t depth)
{
    format->redMax = format->blueMax = depth == 16 ? 31 : 255;
    format->greenMax = depth == 16 ? 63 : 255;
    format->redShift = depth == 16 ? 11 : 16;
    format->greenShift = depth == 16 ? 5 : 8;
    format->blueShift = 0;
    format->depth = depth == 16 ? 16 : 24;
    format->bitsPerPixel = (uint8_t)depth;
}

static bool source_of(const struct vnc *vnc, struct video_screen *source)
{
    const struct vnc_picture *picture = &vnc->picture;
    return vnc->settings.video != NULL && video_screen(vnc->settings.video, source) &&
           source->width == picture->width && source->height == picture->height &&
           source->depth == picture->depth;
}

/* ---- What the video device says ---- */

static void mode_changed(void *context)
{
    ((struct vnc *)context)->picture.mode_changed = true;
}

static void written(void *context, uint32_t top, uint32_t bottom)
{
    struct vnc *vnc = context;
    if (vnc->viewers == 0 || vnc->picture.mode_changed || vnc->picture.all_changed) {
        return;
    }
    sraRegionPtr rows = sraRgnCreateRect(0, (int)top, (int)vnc->picture.width, (int)bottom);
    sraRgnOr(vnc->picture.suspected, rows);
    sraRgnDestroy(rows);
}

static void changed(void *context, const struct synthvid_rectangle *rectangle)
{
    struct vnc *vnc = context;
    if (vnc->viewers == 0 || vnc->picture.mode_changed || vnc->picture.all_changed) {
        return; /* all of it will be copied */
    }
    sraRegionPtr part = sraRgnCreateRect(rectangle->left, rectangle->top, rectangle->right,
                                         rectangle->bottom);
    sraRgnOr(vnc->picture.changed, part);
    sraRgnDestroy(part);
}

/* ---- Copying ---- */

static void copy_rectangle(struct vnc *vnc, const struct video_screen *source,
                           const sraRect *part)
{
    struct vnc_picture *picture = &vnc->picture;
    const uint32_t bytes = picture->depth / 8;
    const size_t pitch = (size_t)picture->width * bytes;
    for (int y = part->y1; y < part->y2; y++) {
        memcpy(picture->pixels + (size_t)y * pitch + (size_t)part->x1 * bytes,
               source->pixels + (size_t)y * source->pitch + (size_t)part->x1 * bytes,
               (size_t)(part->x2 - part->x1) * bytes);
    }
}

static void copy_changes(struct vnc *vnc, const struct video_screen *source)
{
    struct vnc_picture *picture = &vnc->picture;
    sraRect part;
    sraRegionPtr screen =
        sraRgnCreateRect(0, 0, (int)picture->width, (int)picture->height);
    sraRgnAnd(picture->changed, screen); /* it may be of a mode before */
    sraRgnDestroy(screen);
    sraRectangleIterator *parts = sraRgnGetIterator(picture->changed);
    while (sraRgnIteratorNext(parts, &part)) {
        copy_rectangle(vnc, source, &part);
    }
    sraRgnReleaseIterator(parts);
    rfbMarkRegionAsModified(vnc->screen, picture->changed);
    sraRgnMakeEmpty(picture->changed);
}

static void copy_all(struct vnc *vnc, const struct video_screen *source)
{
    struct vnc_picture *picture = &vnc->picture;
    const sraRect all = {0, 0, (int)picture->width, (int)picture->height};
    picture->all_changed = false;
    sraRgnMakeEmpty(picture->changed);
    sraRgnMakeEmpty(picture->suspected);
    copy_rectangle(vnc, source, &all);
    rfbMarkRectAsModified(vnc->screen, 0, 0, all.x2, all.y2);
}

/* Makes `run` as wide as what differs in row y. False: nothing does. */
static bool widen(const struct vnc_picture *picture, const struct video_screen *source, int y,
                  sraRect *run)
{
    const uint32_t bytes = picture->depth / 8;
    const uint8_t *old = picture->pixels + (size_t)y * picture->width * bytes;
    const uint8_t *new = source->pixels + (size_t)y * source->pitch;
    int left = 0, right = (int)picture->width;
    if (memcmp(old, new, (size_t)picture->width * bytes) == 0) {
        return false;
    }
    while (left < run->x1 && memcmp(old + left * bytes, new + left * bytes, bytes) == 0) {
        left++;
    }
    while (right > run->x2 &&
           memcmp(old + (right - 1) * bytes, new + (right - 1) * bytes, bytes) == 0) {
        right--;
    }
    run->x1 = left < run->x1 ? left : run->x1;
    run->x2 = right > run->x2 ? right : run->x2;
    return true;
}

/* Somebody suspects these rows: runs of those that differ are copied, as wide as they do. */
static void look_for_changes(struct vnc *vnc, const struct video_screen *source, int top,
                             int bottom)
{
    const int width = (int)vnc->picture.width;
    sraRect run = {width, top, 0, top};
    for (int y = top; y <= bottom; y++) {
        if (y < bottom && widen(&vnc->picture, source, y, &run)) {
            run.y2 = y + 1;
            continue;
        }
        if (run.y2 > run.y1) {
            copy_rectangle(vnc, source, &run);
            rfbMarkRectAsModified(vnc->screen, run.x1, run.y1, run.x2, run.y2);
        }
        run = (sraRect){width, y + 1, 0, y + 1};
    }
}

static void look_at_suspected(struct vnc *vnc, const struct video_screen *source)
{
    sraRect rows;
    sraRectangleIterator *parts = sraRgnGetIterator(vnc->picture.suspected);
    while (sraRgnIteratorNext(parts, &rows)) {
        const int height = (int)vnc->picture.height; /* they may be of a mode before */
        look_for_changes(vnc, source, rows.y1, rows.y2 < height ? rows.y2 : height);
    }
    sraRgnReleaseIterator(parts);
    sraRgnMakeEmpty(vnc->picture.suspected);
}

/* ---- Modes ---- */

static int set_size(struct vnc *vnc, uint32_t width, uint32_t height, uint32_t depth)
{
    struct vnc_picture *picture = &vnc->picture;
    uint8_t *pixels = calloc((size_t)width * height, depth / 8);
    if (pixels == NULL) {
        return -ENOMEM;
    }
    if (picture->pixels != NULL) {
        rfbNewFramebuffer(vnc->screen, (char *)pixels, (int)width, (int)height, VNC_BITS,
                          VNC_SAMPLES, (int)depth / 8);
    }
    free(picture->pixels);
    picture->pixels = pixels;
    picture->width = width;
    picture->height = height;
    picture->depth = depth;
    vnc->screen->frameBuffer = (char *)pixels;
    vnc_picture_set_format(&vnc->screen->serverFormat, depth);
    return 0;
}

static void take_mode(struct vnc *vnc)
{
    struct video_screen source;
    vnc->picture.mode_changed = false;
    if (vnc->settings.video == NULL || !video_screen(vnc->settings.video, &source)) {
        source = (struct video_screen){.width = VNC_BLANK_WIDTH, .height = VNC_BLANK_HEIGHT,
                                       .depth = 32};
    }
    if (set_size(vnc, source.width, source.height, source.depth) != 0) {
        return; /* the old picture stays */
    }
    rfbClientIteratorPtr clients = rfbGetClientIterator(vnc->screen);
    for (rfbClientPtr client; (client = rfbClientIteratorNext(clients)) != NULL;) {
        rfbSetTranslateFunction(client);
    }
    rfbReleaseClientIterator(clients);
    vnc->picture.all_changed = true;
    rfbMarkRectAsModified(vnc->screen, 0, 0, (int)source.width, (int)source.height);
    vnc_cursor_shaped(vnc); /* it has the format of the picture */
}

static bool is_looked_at(const struct vnc *vnc)
{
    return vnc->viewers > 0 && vnc->settings.video != NULL && video_is_silent(vnc->settings.video);
}

uint64_t vnc_picture_deadline(const struct vnc *vnc)
{
    return is_looked_at(vnc) ? vnc->picture.look_ns : UINT64_MAX;
}

void vnc_picture_update(struct vnc *vnc, uint64_t now_ns)
{
    struct vnc_picture *picture = &vnc->picture;
    struct video_screen source;
    if (picture->mode_changed) {
        take_mode(vnc);
    }
    if (vnc->viewers == 0 || !source_of(vnc, &source)) {
        return;
    }
    if (picture->all_changed) {
        copy_all(vnc, &source);
        return;
    }
    if (!sraRgnEmpty(picture->changed)) {
        copy_changes(vnc, &source);
    }
    if (!sraRgnEmpty(picture->suspected)) {
        look_at_suspected(vnc, &source);
    }
    if (is_looked_at(vnc) && now_ns >= picture->look_ns) {
        look_for_changes(vnc, &source, 0, (int)picture->height);
        picture->look_ns = now_ns + LOOK_NS;
    }
}

int vnc_picture_open(struct vnc *vnc)
{
    vnc->observer = (struct video_observer){vnc, mode_changed, changed, written,
                                            vnc_cursor_shaped, vnc_cursor_moved};
    vnc->picture.changed = sraRgnCreate();
    vnc->picture.suspected = sraRgnCreate();
    vnc->picture.mode_changed = true;
    return vnc->picture.changed == NULL || vnc->picture.suspected == NULL
               ? -ENOMEM
               : set_size(vnc, VNC_BLANK_WIDTH, VNC_BLANK_HEIGHT, 32);
}

void vnc_picture_close(struct vnc *vnc)
{
    if (vnc->picture.changed != NULL) {
        sraRgnDestroy(vnc->picture.changed);
    }
    if (vnc->picture.suspected != NULL) {
        sraRgnDestroy(vnc->picture.suspected);
    }
    free(vnc->picture.pixels);
}
