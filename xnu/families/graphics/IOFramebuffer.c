/* SPDX-License-Identifier: BSD-3-Clause */
/* IOFramebuffer.c - life of a framebuffer: opened by the window server, it asks its driver for the
 * mode and the memory, in the order that drivers rely on. No IODisplay, no user clients, no
 * software cursor. (IOGraphics, IOFramebuffer.cpp) */
#include "xnu/families/graphics/framebuffer_private.h"

enum { MINIMUM_WIDTH = 128 }; /* what is narrower is no framebuffer */

static void connect_changed(OSObject *owner, IOInterruptEventSource *source, int32_t count)
{
    window_server_changed((IOFramebuffer *)owner);
}

/* The driver calls this from anywhere. */
static void connect_interrupt(OSObject *target, void *reference)
{
    IOInterruptEventSource_interruptOccurred(((IOFramebuffer *)target)->deferredEvents, NULL, NULL,
                                             0);
}

/* ---- life ----------------------------------------------------------------------------------- */

static bool make_state(IOFramebuffer *me)
{
    struct framebuffer_state *state = kernel_allocate(sizeof *state);

    if (!state)
        return false;
    me->__private = (void *)state;
    state->work_loop = IOWorkLoop_workLoop();
    me->deferredEvents = IOInterruptEventSource_interruptEventSource((OSObject *)me,
                                                                     connect_changed, NULL, 0);
    return state->work_loop && me->deferredEvents &&
           IOWorkLoop_addEventSource(state->work_loop, (IOEventSource *)me->deferredEvents) ==
               kIOReturnSuccess;
}

bool IOFramebuffer__start(IOFramebuffer *me, IOService *provider)
{
    if (!IOService_super_start((IOService *)me, provider) || !make_state(me))
        return false;
    IOService_PMinit((IOService *)me);
    IOService_joinPMtree(provider, (IOService *)me);
    IOService_registerService((IOService *)me, 0);
    return true;
}

void IOFramebuffer__stop(IOFramebuffer *me, IOService *provider)
{
    window_server_remove(me);
    IOService_PMstop((IOService *)me);
    IOService_super_stop((IOService *)me, provider);
}

void IOFramebuffer__free(IOFramebuffer *me)
{
    struct framebuffer_state *state = framebuffer_state(me);

    if (state) {
        if (state->work_loop && me->deferredEvents)
            IOWorkLoop_removeEventSource(state->work_loop, (IOEventSource *)me->deferredEvents);
        object_release(me->deferredEvents);
        object_release(state->work_loop);
        kernel_free(state, sizeof *state);
    }
    IOService_super_free((IOService *)me);
}

IOWorkLoop *IOFramebuffer__getWorkLoop(IOFramebuffer *me)
{
    return framebuffer_state(me) ? framebuffer_state(me)->work_loop : NULL;
}

/* ---- opening -------------------------------------------------------------------------------- */

static void forget_picture(struct framebuffer_state *state)
{
    state->picture = (struct framebuffer_picture){ 0 };
    object_release(state->map);
    state->map = NULL;
    object_release(state->aperture);
    state->aperture = NULL;
}

/* Maps what the driver calls its aperture; it must hold the whole picture. */
static bool map_aperture(IOFramebuffer *me, uint64_t bytes)
{
    struct framebuffer_state *state = framebuffer_state(me);
    IODeviceMemory *vram = IOFramebuffer_getVRAMRange(me);

    object_release(vram); /* asked for as macOS does; the system aperture is all that is used */
    state->aperture = IOFramebuffer_getApertureRange(me, kIOFBSystemAperture);
    if (!state->aperture ||
        IOMemoryDescriptor_getLength((IOMemoryDescriptor *)state->aperture) < bytes) {
        machine_log("%s: its aperture does not hold the mode's %llu bytes", object_class_name(me),
                    (unsigned long long)bytes);
        return false;
    }
    state->map = IOMemoryDescriptor_map_number((IOMemoryDescriptor *)state->aperture, 0);
    return state->map != NULL;
}

static bool make_picture(IOFramebuffer *me, const IOPixelInformation *pixels)
{
    struct framebuffer_state *state = framebuffer_state(me);

    if (pixels->activeWidth < MINIMUM_WIDTH ||
        !map_aperture(me, (uint64_t)pixels->bytesPerRow * pixels->activeHeight)) {
        forget_picture(state);
        return false;
    }
    state->picture = (struct framebuffer_picture){
        .pixels = (uint8_t *)(uintptr_t)IOMemoryMap_getVirtualAddress(state->map),
        .address = IOMemoryMap_getPhysicalAddress(state->map),
        .width = pixels->activeWidth,
        .height = pixels->activeHeight,
        .pitch = pixels->bytesPerRow,
        .bits = pixels->bitsPerPixel,
        .red = pixels->componentMasks[0],
        .green = pixels->componentMasks[1],
        .blue = pixels->componentMasks[2],
    };
    return true;
}

int32_t IOFramebuffer__setupForCurrentConfig(IOFramebuffer *me)
{
    struct framebuffer_state *state = framebuffer_state(me);
    unsigned long value = 0;
    IOPixelInformation pixels;
    IOTimingInformation timing;
    int32_t result;

    forget_picture(state);
    state->has_cursor =
        IOFramebuffer_getAttribute(me, kIOHardwareCursorAttribute, &value) == kIOReturnSuccess &&
        value != 0;
    result = IOFramebuffer_getCurrentDisplayMode(me, &state->mode, &state->depth);
    if (result == kIOReturnSuccess)
        result = IOFramebuffer_getPixelInformation(me, state->mode, state->depth,
                                                   kIOFBSystemAperture, &pixels);
    if (result != kIOReturnSuccess)
        return result;
    IOFramebuffer_getTimingInfoForDisplayMode(me, state->mode, &timing); /* need not have any */
    return make_picture(me, &pixels) ? kIOReturnSuccess : kIOReturnNoSpace;
}

/* An image that is not used for anything but to learn the sizes that the driver converts to. */
static void try_cursor(IOFramebuffer *me)
{
    struct framebuffer_state *state = framebuffer_state(me);
    const uint32_t pixel = 0;
    const struct framebuffer_cursor cursor = { &pixel, 1, 1, 0, 0 };

    state->trying_cursor = true;
    IOFramebuffer_setCursorImage(me, (void *)(uintptr_t)&cursor);
    state->trying_cursor = false;
}

int32_t IOFramebuffer__open_framebuffer(IOFramebuffer *me)
{
    struct framebuffer_state *state = framebuffer_state(me);
    unsigned long enabled = 0;
    int32_t result;

    if (me->opened)
        return kIOReturnSuccess;
    if (me->dead)
        return kIOReturnNotReady;
    IOFramebuffer_isConsoleDevice(me);
    result = IOFramebuffer_enableController(me);
    if (result != kIOReturnSuccess) {
        me->dead = true;
        return result;
    }
    IOFramebuffer_registerForInterruptType(me, kIOFBConnectInterruptType, connect_interrupt,
                                           (OSObject *)me, NULL, &state->connect_interrupt);
    IOFramebuffer_getAttributeForConnection(me, 0, kConnectionCheckEnable, &enabled);
    result = IOFramebuffer_setupForCurrentConfig(me);
    if (result != kIOReturnSuccess)
        return result;
    if (state->has_cursor)
        try_cursor(me);
    me->opened = true;
    return kIOReturnSuccess;
}

void IOFramebuffer__close_framebuffer(IOFramebuffer *me)
{
    struct framebuffer_state *state = framebuffer_state(me);

    if (state->connect_interrupt)
        IOFramebuffer_unregisterInterrupt_pointer(me, state->connect_interrupt);
    state->connect_interrupt = NULL;
    forget_picture(state);
    me->opened = false;
}

/* ---- the cursor ----------------------------------------------------------------------------- */

/* To 32 bits of alpha, red, green, blue, rows from the top; that is all that is made here. */
bool IOFramebuffer__convertCursorImage(IOFramebuffer *me, void *image,
                                       IOHardwareCursorDescriptor *description,
                                       IOHardwareCursorInfo *cursor)
{
    const struct framebuffer_cursor *from = image;

    if (description->majorVersion != kHardwareCursorDescriptorMajorVersion ||
        description->bitDepth != 32 || description->numColors != 0) {
        machine_log("%s: only cursors of 32 bits are made, not of %u", object_class_name(me),
                    description->bitDepth);
        return false;
    }
    if (framebuffer_state(me)->trying_cursor) {
        me->maxCursorSize = (IOGSize){ (int16_t)description->width, (int16_t)description->height };
        return false;
    }
    if (from->width > description->width || from->height > description->height)
        return false;
    cursor->cursorWidth = from->width;
    cursor->cursorHeight = from->height;
    cursor->cursorHotSpotX = (uint16_t)from->hot_x;
    cursor->cursorHotSpotY = (uint16_t)from->hot_y;
    __builtin_memcpy(cursor->hardwareCursorData, from->pixels,
                     (size_t)from->width * from->height * sizeof *from->pixels);
    return true;
}
