/* SPDX-License-Identifier: BSD-3-Clause */
/* window_server.c - finds the framebuffer, opens it, and switches its modes as people ask or as the
 * display does. */
#include "xnu/families/graphics/framebuffer_private.h"

#include "abi/IONotifier.h"
#include "abi/constants/errno.h"
#include "abi/kpi/globals.h"
#include "abi/kpi/locks.h"

#include "xnu/iokit/symbols.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/threads.h"

enum { MODES_MAX = 1024 };

/* Lock order: a framebuffer's gate, then `lock`. The observer is called with both held. */
static IORecursiveLock *lock;
static const struct framebuffer_observer *observer;
static IOFramebuffer *current; /* open; retained */

/* ---- who draws ------------------------------------------------------------------------------ */

static void show(const struct framebuffer_picture *picture)
{
    if (observer && picture->pixels)
        observer->shown(picture);
}

static void hide(const struct framebuffer_picture *picture)
{
    if (observer && picture->pixels)
        observer->hidden();
}

/* The framebuffer that is open, with its gate closed and `lock` held; NULL: none, nothing held. */
static IOFramebuffer *begin(void)
{
    IOFramebuffer *framebuffer;

    if (!lock)
        return NULL;
    IORecursiveLockLock(lock);
    framebuffer = current;
    if (framebuffer)
        object_retain(framebuffer);
    IORecursiveLockUnlock(lock);
    if (!framebuffer)
        return NULL;
    framebuffer_close_gate(framebuffer);
    IORecursiveLockLock(lock);
    if (framebuffer == current)
        return framebuffer;
    IORecursiveLockUnlock(lock);
    framebuffer_open_gate(framebuffer);
    object_release(framebuffer);
    return NULL;
}

static void end(IOFramebuffer *framebuffer)
{
    IORecursiveLockUnlock(lock);
    framebuffer_open_gate(framebuffer);
    object_release(framebuffer);
}

void framebuffer_observe(const struct framebuffer_observer *new_observer)
{
    IOFramebuffer *framebuffer = begin();

    if (!framebuffer) {
        observer = new_observer;
        return;
    }
    hide(&framebuffer_state(framebuffer)->picture);
    observer = new_observer;
    show(&framebuffer_state(framebuffer)->picture);
    end(framebuffer);
}

bool framebuffer_picture(struct framebuffer_picture *picture)
{
    IOFramebuffer *framebuffer = begin();
    bool there = false;

    if (!framebuffer)
        return false;
    *picture = framebuffer_state(framebuffer)->picture;
    there = picture->pixels != NULL;
    end(framebuffer);
    return there;
}

/* ---- modes ---------------------------------------------------------------------------------- */

static bool read_mode(IOFramebuffer *framebuffer, int32_t id, struct framebuffer_mode *mode)
{
    IODisplayModeInformation information = { 0 };

    if (IOFramebuffer_getInformationForDisplayMode(framebuffer, id, &information) !=
        kIOReturnSuccess)
        return false;
    *mode = (struct framebuffer_mode){
        .id = id,
        .width = information.nominalWidth,
        .height = information.nominalHeight,
        .is_current = id == framebuffer_state(framebuffer)->mode,
        .is_default = (information.flags & kDisplayModeDefaultFlag) != 0,
    };
    return true;
}

/* Calls `use` with each mode of the framebuffer. */
static void for_each_mode(IOFramebuffer *framebuffer,
                          void (*use)(void *context, const struct framebuffer_mode *mode),
                          void *context)
{
    uint32_t count = IOFramebuffer_getDisplayModeCount(framebuffer);
    int32_t *ids = count && count <= MODES_MAX ? kernel_allocate(count * sizeof *ids) : NULL;
    struct framebuffer_mode mode;

    if (!ids)
        return;
    if (IOFramebuffer_getDisplayModes(framebuffer, ids) == kIOReturnSuccess)
        for (uint32_t i = 0; i < count; i++)
            if (read_mode(framebuffer, ids[i], &mode))
                use(context, &mode);
    kernel_free(ids, count * sizeof *ids);
}

struct mode_list {
    struct framebuffer_mode *modes;
    unsigned room, count;
};

static void list_mode(void *context, const struct framebuffer_mode *mode)
{
    struct mode_list *list = context;

    if (list->count < list->room)
        list->modes[list->count] = *mode;
    list->count++;
}

unsigned framebuffer_modes(struct framebuffer_mode *modes, unsigned room)
{
    struct mode_list list = { modes, room, 0 };
    IOFramebuffer *framebuffer = begin();

    if (!framebuffer)
        return 0;
    for_each_mode(framebuffer, list_mode, &list);
    end(framebuffer);
    return list.count;
}

struct wanted_mode {
    uint32_t width, height; /* 0: the default one */
    struct framebuffer_mode found;
};

static void find_mode(void *context, const struct framebuffer_mode *mode)
{
    struct wanted_mode *wanted = context;

    if (wanted->width ? mode->width == wanted->width && mode->height == wanted->height
                      : mode->is_default)
        wanted->found = *mode;
}

/* As the window server does it: nothing is drawn while the mode changes. */
static int switch_to(IOFramebuffer *framebuffer, const struct framebuffer_mode *mode)
{
    struct framebuffer_state *state = framebuffer_state(framebuffer);
    int32_t result;

    hide(&state->picture);
    framebuffer->suspended = true;
    result = IOFramebuffer_setDisplayMode(framebuffer, mode->id, 0);
    framebuffer->suspended = false;
    if (IOFramebuffer_setupForCurrentConfig(framebuffer) != kIOReturnSuccess)
        machine_log("%s: has no picture after a change of mode", object_class_name(framebuffer));
    show(&state->picture);
    if (result != kIOReturnSuccess)
        machine_log("%s: mode %ux%u: 0x%x", object_class_name(framebuffer), mode->width,
                    mode->height, (unsigned)result);
    return result == kIOReturnSuccess ? 0 : -EIO;
}

int framebuffer_set_mode(uint32_t width, uint32_t height)
{
    struct wanted_mode wanted = { width, height, { 0 } };
    IOFramebuffer *framebuffer = begin();
    int result = -ENOENT;

    if (!framebuffer)
        return -ENODEV;
    if (width != 0)
        for_each_mode(framebuffer, find_mode, &wanted);
    if (wanted.found.id != 0)
        result = switch_to(framebuffer, &wanted.found);
    end(framebuffer);
    return result;
}

/* The display has other modes now: takes the one that it would have. */
void window_server_changed(IOFramebuffer *framebuffer)
{
    struct wanted_mode wanted = { 0 };

    IORecursiveLockLock(lock);
    if (framebuffer == current) {
        for_each_mode(framebuffer, find_mode, &wanted);
        if (wanted.found.id != 0 && !wanted.found.is_current)
            switch_to(framebuffer, &wanted.found);
    }
    IORecursiveLockUnlock(lock);
}

/* ---- the cursor ----------------------------------------------------------------------------- */

int framebuffer_set_cursor(const struct framebuffer_cursor *cursor)
{
    IOFramebuffer *framebuffer = begin();
    int32_t result = kIOReturnUnsupported;

    if (!framebuffer)
        return -ENODEV;
    if (framebuffer_state(framebuffer)->has_cursor)
        result = IOFramebuffer_setCursorImage(framebuffer, (void *)(uintptr_t)cursor);
    end(framebuffer);
    return result == kIOReturnSuccess ? 0 : -ENOTSUP;
}

int framebuffer_move_cursor(int32_t x, int32_t y, bool visible)
{
    IOFramebuffer *framebuffer = begin();
    int32_t result = kIOReturnUnsupported;

    if (!framebuffer)
        return -ENODEV;
    if (framebuffer_state(framebuffer)->has_cursor) {
        result = IOFramebuffer_setCursorState(framebuffer, x, y, visible);
        IOFramebuffer_flushCursor(framebuffer);
    }
    end(framebuffer);
    return result == kIOReturnSuccess ? 0 : -ENOTSUP;
}

/* ---- coming and going ----------------------------------------------------------------------- */

static bool framebuffer_published(void *target, void *reference, IOService *service,
                                  IONotifier *notifier)
{
    IOFramebuffer *framebuffer = iokit_cast(IOFramebuffer, service);
    int32_t result;

    if (!framebuffer || current)
        return true;
    framebuffer_close_gate(framebuffer);
    result = IOFramebuffer_open_framebuffer(framebuffer);
    IORecursiveLockLock(lock);
    if (result == kIOReturnSuccess && !current) {
        const struct framebuffer_picture *picture = &framebuffer_state(framebuffer)->picture;

        object_retain(framebuffer);
        current = framebuffer;
        machine_log("%s: %ux%u, %u bits, at 0x%llx", object_class_name(framebuffer),
                    picture->width, picture->height, picture->bits,
                    (unsigned long long)picture->address);
        show(picture);
    } else {
        machine_log("%s: cannot be opened: 0x%x", object_class_name(framebuffer),
                    (unsigned)result);
    }
    IORecursiveLockUnlock(lock);
    framebuffer_open_gate(framebuffer);
    return true;
}

void framebuffer_start(void)
{
    OSDictionary *matching = IOService_serviceMatching_cstring("IOFramebuffer", NULL);

    if (!lock)
        lock = IORecursiveLockAlloc();
    IOService_addMatchingNotification(gIOPublishNotification, matching, framebuffer_published, NULL,
                                      NULL, 0);
    object_release(matching);
}

void window_server_remove(IOFramebuffer *framebuffer)
{
    if (!lock)
        return;
    framebuffer_close_gate(framebuffer);
    IORecursiveLockLock(lock);
    if (framebuffer == current) {
        hide(&framebuffer_state(framebuffer)->picture);
        IOFramebuffer_close_framebuffer(framebuffer);
        current = NULL;
        object_release(framebuffer);
    }
    IORecursiveLockUnlock(lock);
    framebuffer_open_gate(framebuffer);
}
