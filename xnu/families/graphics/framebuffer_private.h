/* SPDX-License-Identifier: BSD-3-Clause */
/* framebuffer_private.h - what is behind IOFramebuffer, and its calls to the window server. */
#ifndef XNU_FAMILIES_GRAPHICS_FRAMEBUFFER_PRIVATE_H
#define XNU_FAMILIES_GRAPHICS_FRAMEBUFFER_PRIVATE_H

#include "abi/IODeviceMemory.h"
#include "abi/IOFramebuffer.h"
#include "abi/IOInterruptEventSource.h"
#include "abi/IOMemoryDescriptor.h"
#include "abi/IOMemoryMap.h"
#include "abi/IOWorkLoop.h"
#include "abi/constants.h"
#include "abi/runtime.h"

#include "xnu/families/graphics/framebuffer.h"
#include "xnu/libkern/object.h"
#include "xnu/machine/log.h"

/* What `__private` points at. */
struct framebuffer_state {
    IOWorkLoop *work_loop;              /* its gate is closed around every call of the driver */
    IODeviceMemory *aperture;           /* retained while open */
    IOMemoryMap *map;
    struct framebuffer_picture picture; /* pixels NULL: none */
    int32_t mode, depth;                /* current */
    void *connect_interrupt;            /* the driver's reference */
    bool has_cursor;                    /* in hardware */
    bool trying_cursor;                 /* asks what sizes it takes */
};

static inline struct framebuffer_state *framebuffer_state(const IOFramebuffer *me)
{
    return (struct framebuffer_state *)(void *)me->__private;
}

static inline void framebuffer_close_gate(IOFramebuffer *me)
{
    IOWorkLoop_closeGate(framebuffer_state(me)->work_loop);
}

static inline void framebuffer_open_gate(IOFramebuffer *me)
{
    IOWorkLoop_openGate(framebuffer_state(me)->work_loop);
}

/* ---- the window server, called by the class ---- */

/* Displays or their modes have changed; gate closed. */
void window_server_changed(IOFramebuffer *framebuffer);
/* The framebuffer is going. */
void window_server_remove(IOFramebuffer *framebuffer);

#endif
