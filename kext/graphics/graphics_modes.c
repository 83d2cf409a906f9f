/* SPDX-License-Identifier: BSD-3-Clause */
/* Modes, and what the framebuffer asks for. */
#include "abi/constants.h"
#include "abi/kpi/libkern.h"
#include "abi/kpi/threads.h"
#include "abi/kpi/time.h"
#include "kext/core/log.h"
#include "kext/core/shared_memory.h"
#include "kext/graphics/HyperVGraphics.h"
#include "kext/graphics/edid.h"

#define MODE_MILLISECONDS 2000u         /* for the host's word on a mode */
#define LIST_TEXT         2048u         /* of the property, bytes */

static const char who[] = "HyperVGraphics";

/* The version for hosts of 2008 has screens of at most this size (OpenVMM, Linux). */
static const struct display_size maximum_before_3_2 = { 1600, 1200 };
static const struct display_size maximum_since_3_2 = { DISPLAY_EDGE_MAXIMUM,
                                                       DISPLAY_EDGE_MAXIMUM };

static uint32_t bytes_per_pixel(const HyperVGraphics *self)
{
    return video_depth(&self->video) / 8;
}

static void read_host_wish(HyperVGraphics *self)
{
    const struct display_size old = self->host_wish;
    struct display_size *wish = &self->host_wish;

    if (!self->video.has_edid ||
        !edid_preferred_size(self->video.edid, &wish->width, &wish->height))
        *wish = (struct display_size){ 0, 0 };
    if (old.width != 0 && wish->width != 0 &&
        (old.width != wish->width || old.height != wish->height))
        self->user_count = 0;
}

void graphics_make_modes(HyperVGraphics *self)
{
    const struct video *video = &self->video;
    const struct display_limits limits = {
        .vram_bytes = self->memory.size,
        .bytes_per_pixel = bytes_per_pixel(self),
        .maximum = video_depth(video) == 16 ? maximum_before_3_2 : maximum_since_3_2,
    };
    struct display_sources sources;

    read_host_wish(self);
    sources = (struct display_sources){
        .host = video->resolutions,
        .host_count = video->resolution_count,
        .host_default = video->resolution_default,
        .host_wish = self->host_wish,
        .user = self->user,
        .user_count = self->user_count,
    };
    for (uint32_t i = 0; i < self->user_count; i++)
        if (!display_size_fits(&limits, &self->user[i]))
            hv_log(who, "%ux%u does not fit into %u MB of video memory", self->user[i].width,
                   self->user[i].height, self->memory.size >> 20);
    display_modes_make(&self->modes, &limits, &sources);
}

int graphics_take_user_modes(HyperVGraphics *self, const char *text, size_t length)
{
    struct display_size sizes[DISPLAY_MODES_USER];
    uint32_t count = display_sizes_read(text, length, sizes);

    if (self->modes.count == 0)
        return HV_ERROR_STATE;
    if (count == 0 || !display_size_fits(&self->modes.limits, &sizes[0]))
        return HV_ERROR_INVALID;
    memcpy(self->user, sizes, count * sizeof sizes[0]);
    self->user_count = count;
    graphics_make_modes(self);
    return 0;
}

struct video_mode graphics_mode_of_size(const HyperVGraphics *self, const struct display_size *size)
{
    return (struct video_mode){ size->width, size->height, size->width * bytes_per_pixel(self),
                                video_depth(&self->video) };
}

int graphics_ask_for_mode(HyperVGraphics *self, const struct video_mode *mode)
{
    struct video_packet packet;
    int error;

    self->wanted = *mode;
    self->is_mode_pending = true;
    video_make_situation(&self->video, mode, &packet);
    error = graphics_send(self, &packet, NULL, 0);
    if (error != 0)
        self->is_mode_pending = false;
    return error;
}

/* ---- the interface --------------------------------------------------------------------------- */

/* `lock` is held. The host's answer comes on the work loop, which this thread is not. */
static int await_mode(HyperVGraphics *self)
{
    uint64_t deadline;
    int error = 0;

    clock_interval_to_deadline(MODE_MILLISECONDS, kMillisecondScale, &deadline);
    while (self->is_mode_pending && !self->is_over && error == 0)
        if (IOLockSleepDeadline(self->lock, &self->mode, deadline, THREAD_UNINT) ==
                THREAD_TIMED_OUT && self->is_mode_pending)
            error = HV_ERROR_TIMED_OUT;
    return self->is_over ? HV_ERROR_GONE : error;
}

static int set_mode(HyperVGraphics *self, const struct display_size *size)
{
    const struct video_mode mode = graphics_mode_of_size(self, size);
    int error = HV_ERROR_INVALID;

    IOLockLock(self->lock);
    if (self->is_over)
        error = HV_ERROR_GONE;
    else if (display_modes_find(&self->modes, size) >= 0)
        error = graphics_ask_for_mode(self, &mode);
    if (error == 0)
        error = await_mode(self);
    /* Whatever has become of it: the old mode is what both sides know. */
    if (error == HV_ERROR_TIMED_OUT && self->mode.width != 0) {
        const struct video_mode old = self->mode;

        graphics_ask_for_mode(self, &old);
    }
    IOLockUnlock(self->lock);
    if (error != 0)
        hv_log(who, "the mode %ux%u is not set (error %d)", size->width, size->height, error);
    return error;
}

static struct display_size get_mode(HyperVGraphics *self)
{
    struct display_size size;

    IOLockLock(self->lock);
    size = (struct display_size){ self->mode.width, self->mode.height };
    IOLockUnlock(self->lock);
    return size;
}

static void get_modes(HyperVGraphics *self, struct display_modes *modes)
{
    IOLockLock(self->lock);
    memcpy(modes, &self->modes, sizeof *modes);
    IOLockUnlock(self->lock);
}

static IODeviceMemory *copy_memory(HyperVGraphics *self)
{
    iokit_retain(self->memory.descriptor);
    return self->memory.descriptor;
}

static int32_t connect_gated(OSObject *owner, void *client, void *param1, void *param2,
                             void *param3)
{
    HyperVGraphics *self = (HyperVGraphics *)owner;

    if (self->client.owner != NULL)
        return HV_ERROR_STATE;
    memcpy(&self->client, client, sizeof self->client);
    return 0;
}

static int connect(HyperVGraphics *self, const struct graphics_client *client)
{
    return IOWorkLoop_runAction(self->work_loop, connect_gated, (OSObject *)self,
                                (void *)(uintptr_t)client, NULL, NULL, NULL);
}

static int32_t disconnect_gated(OSObject *owner, void *client, void *param1, void *param2,
                                void *param3)
{
    HyperVGraphics *self = (HyperVGraphics *)owner;

    if (self->client.owner == client)
        memset(&self->client, 0, sizeof self->client);
    return 0;
}

static void disconnect(HyperVGraphics *self, void *owner)
{
    IOWorkLoop_runAction(self->work_loop, disconnect_gated, (OSObject *)self, owner, NULL, NULL,
                         NULL);
}

static int set_pointer(HyperVGraphics *self, const uint32_t *pixels, uint32_t width,
                       uint32_t height, uint32_t hot_x, uint32_t hot_y)
{
    int error;

    IOLockLock(self->lock);
    error = pointer_set_shape(&self->pointer, pixels, width, height, hot_x, hot_y);
    self->is_shape_due = self->is_shape_due || (error == 0 && self->pointer.is_visible);
    IOLockUnlock(self->lock);
    if (error == 0)
        graphics_wake(self);
    return error;
}

static int move_pointer(HyperVGraphics *self, int32_t x, int32_t y, bool visible)
{
    IOLockLock(self->lock);
    if (pointer_move(&self->pointer, x, y, visible))
        self->is_shape_due = true;
    self->is_position_due = true;
    IOLockUnlock(self->lock);
    graphics_wake(self);
    return 0;
}

void graphics_fill_interface(HyperVGraphics *self, struct graphics_interface *interface)
{
    *interface = (struct graphics_interface){
        .version = GRAPHICS_INTERFACE_VERSION,
        .service = self,
        .bytes_per_pixel = bytes_per_pixel(self),
        .connect = connect,
        .disconnect = disconnect,
        .get_modes = get_modes,
        .get_mode = get_mode,
        .set_mode = set_mode,
        .copy_memory = copy_memory,
        .set_pointer = set_pointer,
        .move_pointer = move_pointer,
    };
}
