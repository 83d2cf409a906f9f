/* SPDX-License-Identifier: BSD-3-Clause */
/* What the host is told of the screen: changes and the pointer, at a bounded rate. All of it in the
 * gate of the work loop. */
#include "abi/constants.h"
#include "abi/kpi/iolib.h"
#include "kext/core/log.h"
#include "kext/core/shared_memory.h"
#include "kext/graphics/HyperVGraphics.h"

static const char who[] = "HyperVGraphics";

static void arm(HyperVGraphics *self, uint32_t milliseconds)
{
    if (self->is_armed || self->screen_timer == NULL)
        return;
    self->is_armed = IOTimerEventSource_setTimeoutMS(self->screen_timer, milliseconds) ==
                     kIOReturnSuccess;
}

static int32_t arm_gated(OSObject *owner, void *param0, void *param1, void *param2, void *param3)
{
    arm((HyperVGraphics *)owner, REFRESH_MILLISECONDS);
    return 0;
}

void graphics_wake(HyperVGraphics *self)
{
    IOWorkLoop_runAction(self->work_loop, arm_gated, (OSObject *)self, NULL, NULL, NULL, NULL);
}

/* ---- the pointer ----------------------------------------------------------------------------- */

static int send_shape(HyperVGraphics *self)
{
    const struct pointer_shape *shape = pointer_shape(&self->pointer);
    struct video_packet packet;
    const uint8_t *bytes;
    uint32_t length;
    uint8_t number;
    int error = 0;

    for (uint32_t i = 0; error == 0 && pointer_part(shape, i, &number, &bytes, &length); i++) {
        video_make_shape(number, shape->width, shape->height, shape->hot_x, shape->hot_y, length,
                         &packet);
        error = graphics_send(self, &packet, bytes, length);
    }
    return error;
}

/* The host tracks no pointer by itself after a new shape: its position follows. */
static void send_pointer(HyperVGraphics *self)
{
    struct video_packet packet;

    IOLockLock(self->lock);
    if (self->is_shape_due && self->video.features.shape && send_shape(self) == 0) {
        self->is_shape_due = false;
        self->is_position_due = true;
    }
    if (self->is_position_due && self->video.features.position) {
        video_make_position(self->pointer.x, self->pointer.y, true, &packet);
        if (graphics_send(self, &packet, NULL, 0) == 0)
            self->is_position_due = false;
    }
    IOLockUnlock(self->lock);
}

/* ---- changes --------------------------------------------------------------------------------- */

/* For people who wonder what the screen costs: twice a second while it is quiet. */
static void publish_cost(HyperVGraphics *self)
{
    IORegistryEntry_setProperty_cstring_number((IORegistryEntry *)self, "HVScreenBytesRead",
                                               self->scan.bytes_read, 64);
}

static bool look(HyperVGraphics *self)
{
    struct synthvid_rectangle rectangles[VIDEO_RECTANGLES_MAXIMUM];
    struct video_packet packet;
    uint32_t count = screen_scan_look(&self->scan, self->memory.bytes, rectangles,
                                      VIDEO_RECTANGLES_MAXIMUM);

    if (count == 0)
        return false;
    video_make_dirt(rectangles, count, &packet);
    if (graphics_send(self, &packet, NULL, 0) != 0)
        screen_scan_forget(&self->scan);
    return true;
}

void graphics_tick(OSObject *owner, IOTimerEventSource *timer)
{
    HyperVGraphics *self = (HyperVGraphics *)owner;
    enum refresh_action action = refresh_next(&self->refresh);
    bool changed = false;
    uint32_t next;

    self->is_armed = false;
    send_pointer(self);
    if (action == REFRESH_NOTHING || self->marks == NULL)
        return;
    if (action == REFRESH_LOOK || screen_scan_glance(&self->scan, self->memory.bytes))
        changed = look(self);
    next = refresh_done(&self->refresh, changed);
    if (action == REFRESH_GLANCE && self->scan.line == 0)
        publish_cost(self);
    if (next != 0)
        arm(self, next);
}

/* ---- news from the host ---------------------------------------------------------------------- */

static bool make_room_for_marks(HyperVGraphics *self, size_t count)
{
    if (count <= self->mark_count)
        return true;
    if (self->marks != NULL)
        IOFree(self->marks, self->mark_count * sizeof *self->marks);
    self->marks = IOMalloc(count * sizeof *self->marks);
    self->mark_count = self->marks != NULL ? count : 0;
    return self->marks != NULL;
}

void graphics_screen_changed(HyperVGraphics *self)
{
    struct screen_geometry geometry;
    size_t count;

    IOLockLock(self->lock);
    geometry = (struct screen_geometry){ self->mode.width, self->mode.height, self->mode.pitch,
                                         self->mode.depth / 8 };
    IOLockUnlock(self->lock);
    count = screen_scan_mark_count(&geometry);
    if (count == 0 || !make_room_for_marks(self, count)) {
        hv_log(who, "changes of a screen of %ux%u cannot be followed", geometry.width,
               geometry.height);
        refresh_want(&self->refresh, false);
        return;
    }
    screen_scan_begin(&self->scan, &geometry, self->marks);
    graphics_features_changed(self);
}

void graphics_features_changed(HyperVGraphics *self)
{
    struct video_features features;

    IOLockLock(self->lock);
    features = self->video.features;
    self->is_shape_due = self->is_shape_due || features.shape;
    self->is_position_due = self->is_position_due || features.position;
    IOLockUnlock(self->lock);
    screen_scan_forget(&self->scan);
    refresh_want(&self->refresh, features.dirt && self->marks != NULL);
    arm(self, REFRESH_MILLISECONDS);
}
