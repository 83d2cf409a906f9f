/* SPDX-License-Identifier: BSD-3-Clause */
/* A driver beside ours on each VMBus device, that knows nothing of VMBus: it asks its provider for
 * an interrupt as any driver does, has it raised once before it is enabled and once after, and says
 * how many it heard. */
#include "abi/IOInterruptEventSource.h"
#include "abi/IOService.h"
#include "abi/IOWorkLoop.h"
#include "abi/constants.h"
#include "abi/kpi/iolib.h"
#include "abi/runtime.h"

IOKIT_MODULE(KEXT_IDENTIFIER, KEXT_VERSION, iokit_module_nothing, iokit_module_nothing);

struct BusListener {
    IOService super;
    IOWorkLoop *work_loop;
    IOInterruptEventSource *source;
    uint32_t heard;
};
IOKIT_CLASS_DECLARE(11, BusListener, IOService);

static BusListener *from(void *me)
{
    return me;
}

static void interrupted(OSObject *owner, IOInterruptEventSource *source, int32_t count)
{
    BusListener *self = from(owner);

    self->heard += (uint32_t)count;
    IORegistryEntry_setProperty_cstring_number((IORegistryEntry *)self, "ListenerHeard",
                                               self->heard, 32);
}

static bool listen(BusListener *self, IOService *provider)
{
    self->work_loop = IOWorkLoop_workLoop();
    self->source = IOInterruptEventSource_interruptEventSource((OSObject *)self, interrupted,
                                                               provider, 0);
    return self->work_loop != NULL && self->source != NULL &&
           IOWorkLoop_addEventSource(self->work_loop, (IOEventSource *)self->source) ==
               kIOReturnSuccess;
}

static void stop_listening(BusListener *self)
{
    if (self->work_loop != NULL && self->source != NULL) {
        IOEventSource_disable((IOEventSource *)self->source);
        IOWorkLoop_removeEventSource(self->work_loop, (IOEventSource *)self->source);
    }
    iokit_release_clear(self->source);
    iokit_release_clear(self->work_loop);
}

static bool start(IOService *me, IOService *provider)
{
    if (!IOService_super_start(me, provider))
        return false;
    if (!listen(from(me), provider)) {
        IOLog("BusListener: %s has no interrupt\n",
              IORegistryEntry_getName((IORegistryEntry *)provider, NULL));
        stop_listening(from(me));
        IOService_super_stop(me, provider);
        return false;
    }
    IOService_causeInterrupt(provider, 0); /* disabled: remembered */
    IOEventSource_enable((IOEventSource *)from(me)->source);
    IOService_causeInterrupt(provider, 0);
    return true;
}

static void stop(IOService *me, IOService *provider)
{
    stop_listening(from(me));
    IOService_super_stop(me, provider);
}

IOKIT_CLASS(11, BusListener, IOService, .start = start, .stop = stop)
