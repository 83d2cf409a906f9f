/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/pair/pair_video.h"

#include "host/devices/video.h"
#include "tests/pair/pair_host.h"
#include "xnu/machine/memory.h"

#include <string.h>

static struct pair_changes changes;

/* ---- memory of the display in the guest's address space, at once ---- */

static int map(void *context, struct virtual_device *device, uint64_t address, uint64_t size,
               int descriptor, uint64_t offset, uint32_t flags)
{
    int result = machine_map_host_memory(address, size, descriptor, offset, true);

    (void)context;
    (void)flags;
    if (result == 0)
        device->operations->range_ready(device, address, 0);
    return result;
}

static int unmap(void *context, struct virtual_device *device, uint64_t address, uint64_t size)
{
    (void)context;
    (void)device;
    return machine_unmap_host_memory(address, size);
}

/* ---- who looks ---- */

static void changed(void *context, const struct synthvid_rectangle *part)
{
    (void)context;
    if (changes.rectangles++ == 0) {
        changes.left = part->left;
        changes.top = part->top;
        changes.right = part->right;
        changes.bottom = part->bottom;
        return;
    }
    changes.left = part->left < changes.left ? part->left : changes.left;
    changes.top = part->top < changes.top ? part->top : changes.top;
    changes.right = part->right > changes.right ? part->right : changes.right;
    changes.bottom = part->bottom > changes.bottom ? part->bottom : changes.bottom;
}

struct virtual_device *pair_video_new(uint32_t version, unsigned megabytes)
{
    static const struct device_machine machine = { .map = map, .unmap = unmap };
    static const struct video_observer observer = { .changed = changed };
    struct video_settings settings;
    struct virtual_device *device;

    video_default_settings(version, &settings);
    if (megabytes != 0)
        settings.vram_megabytes = megabytes;
    device = video_new(&settings);
    if (device != NULL) {
        device->operations->attach(device, &machine);
        video_observe(device, &observer);
    }
    return device;
}

void pair_video_screen(struct pair_host *host, struct pair_screen *screen)
{
    struct virtual_device *device = pair_host_video(host);
    struct video_screen shown;
    struct video_report report;

    memset(screen, 0, sizeof *screen);
    video_report(device, &report);
    screen->version_major = SYNTHVID_VERSION_MAJOR(report.version);
    screen->version_minor = SYNTHVID_VERSION_MINOR(report.version);
    screen->vram_address = report.vram_address;
    screen->dirt_messages = report.dirt_messages;
    screen->pointer_shapes = report.pointer_shapes;
    if (!video_screen(device, &shown))
        return;
    screen->pixels = shown.pixels;
    screen->width = shown.width;
    screen->height = shown.height;
    screen->pitch = shown.pitch;
    screen->depth = shown.depth;
}

void pair_video_take_changes(struct pair_host *host, struct pair_changes *taken)
{
    (void)host;
    *taken = changes;
    memset(&changes, 0, sizeof changes);
}

void pair_video_pointer(struct pair_host *host, struct pair_pointer *pointer)
{
    const struct video_pointer *shown = video_pointer(pair_host_video(host));

    *pointer = (struct pair_pointer){
        .is_visible = shown->is_visible && !video_pointer_is_blank(shown),
        .x = shown->x,
        .y = shown->y,
        .width = shown->width,
        .height = shown->height,
        .hot_x = shown->hot_x,
        .hot_y = shown->hot_y,
        .pixels = shown->pixels,
    };
}

void pair_video_watch(struct pair_host *host, bool watched)
{
    video_want_changes(pair_host_video(host), watched);
}

int pair_video_resize(struct pair_host *host, uint32_t width, uint32_t height)
{
    return video_resize(pair_host_video(host), width, height);
}

void pair_video_remove(struct pair_host *host)
{
    pair_host_video(host)->operations->unplug(pair_host_video(host));
}

bool pair_video_add(struct pair_host *host)
{
    return pair_host_replug_video(host);
}
