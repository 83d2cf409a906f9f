/* SPDX-License-Identifier: BSD-3-Clause */
/* framebuffer_inherited.c - what IOFramebuffer does where a driver does nothing, and methods that
 * it overrides in macOS and that need nothing of their own here. */
#include "xnu/families/graphics/framebuffer_private.h"

#define UNSUPPORTED(name, ...)                       \
    int32_t IOFramebuffer__##name(__VA_ARGS__)       \
    {                                                \
        return kIOReturnUnsupported;                 \
    }

/* ---- defaults of what a driver may leave out ------------------------------------------------- */

bool IOFramebuffer__isConsoleDevice(IOFramebuffer *me)
{
    return false;
}

int32_t IOFramebuffer__enableController(IOFramebuffer *me)
{
    return kIOReturnSuccess;
}

IODeviceMemory *IOFramebuffer__getVRAMRange(IOFramebuffer *me)
{
    return IOFramebuffer_getApertureRange(me, kIOFBSystemAperture);
}

uint32_t IOFramebuffer__getConnectionCount(IOFramebuffer *me)
{
    return 1;
}

bool IOFramebuffer__hasDDCConnect(IOFramebuffer *me, int32_t connect)
{
    return false;
}

void IOFramebuffer__flushCursor(IOFramebuffer *me)
{
}

UNSUPPORTED(setDisplayMode, IOFramebuffer *me, int32_t mode, int32_t depth)
UNSUPPORTED(setApertureEnable, IOFramebuffer *me, int32_t aperture, uint32_t enable)
UNSUPPORTED(setStartupDisplayMode, IOFramebuffer *me, int32_t mode, int32_t depth)
UNSUPPORTED(getStartupDisplayMode, IOFramebuffer *me, int32_t *mode, int32_t *depth)
UNSUPPORTED(setCLUTWithEntries, IOFramebuffer *me, IOColorEntry *colors, uint32_t index,
            uint32_t count, uint32_t options)
UNSUPPORTED(setGammaTable, IOFramebuffer *me, uint32_t channels, uint32_t count, uint32_t width,
            void *data)
UNSUPPORTED(setAttribute, IOFramebuffer *me, uint32_t attribute, unsigned long value)
UNSUPPORTED(getAttribute, IOFramebuffer *me, uint32_t attribute, unsigned long *value)
UNSUPPORTED(getTimingInfoForDisplayMode, IOFramebuffer *me, int32_t mode, IOTimingInformation *info)
UNSUPPORTED(validateDetailedTiming, IOFramebuffer *me, void *description, uint64_t size)
UNSUPPORTED(setDetailedTimings, IOFramebuffer *me, OSArray *array)
UNSUPPORTED(setAttributeForConnection, IOFramebuffer *me, int32_t connect, uint32_t attribute,
            unsigned long value)
UNSUPPORTED(getAttributeForConnection, IOFramebuffer *me, int32_t connect, uint32_t attribute,
            unsigned long *value)
UNSUPPORTED(setCursorImage, IOFramebuffer *me, void *image)
UNSUPPORTED(setCursorState, IOFramebuffer *me, int32_t x, int32_t y, bool visible)
UNSUPPORTED(getAppleSense, IOFramebuffer *me, int32_t connect, uint32_t *type, uint32_t *primary,
            uint32_t *extended, uint32_t *display)
UNSUPPORTED(getDDCBlock, IOFramebuffer *me, int32_t connect, uint32_t number, uint32_t type,
            uint32_t options, uint8_t *data, uint64_t *length)
UNSUPPORTED(registerForInterruptType, IOFramebuffer *me, uint32_t type,
            void (*action)(OSObject *, void *), OSObject *target, void *reference, void **interrupt)
UNSUPPORTED(unregisterInterrupt_pointer, IOFramebuffer *me, void *interrupt)
UNSUPPORTED(setInterruptState, IOFramebuffer *me, void *interrupt, uint32_t state)
UNSUPPORTED(doI2CRequest, IOFramebuffer *me, uint32_t bus, IOI2CBusTiming *timing,
            IOI2CRequest *request)

/* ---- IOService ------------------------------------------------------------------------------ */

/* Those of 10.13 and later, which the oldest release's names do not have. */
bool IOFramebuffer__attach(IOFramebuffer *me, IOService *provider)
    __asm("__ZN13IOFramebuffer6attachEP9IOService");
bool IOFramebuffer__terminate(IOFramebuffer *me, uint32_t options)
    __asm("__ZN13IOFramebuffer9terminateEj");
bool IOFramebuffer__willTerminate(IOFramebuffer *me, IOService *provider, uint32_t options)
    __asm("__ZN13IOFramebuffer13willTerminateEP9IOServicej");
bool IOFramebuffer__didTerminate(IOFramebuffer *me, IOService *provider, uint32_t options,
                                 bool *defer)
    __asm("__ZN13IOFramebuffer12didTerminateEP9IOServicejPb");
int32_t IOFramebuffer__message(IOFramebuffer *me, uint32_t type, IOService *provider,
                               void *argument) __asm("__ZN13IOFramebuffer7messageEjP9IOServicePv");

bool IOFramebuffer__attach(IOFramebuffer *me, IOService *provider)
{
    return IOService_super_attach((IOService *)me, provider);
}

bool IOFramebuffer__terminate(IOFramebuffer *me, uint32_t options)
{
    return IOService_super_terminate((IOService *)me, options);
}

bool IOFramebuffer__willTerminate(IOFramebuffer *me, IOService *provider, uint32_t options)
{
    return IOService_super_willTerminate((IOService *)me, provider, options);
}

bool IOFramebuffer__didTerminate(IOFramebuffer *me, IOService *provider, uint32_t options,
                                 bool *defer)
{
    return IOService_super_didTerminate((IOService *)me, provider, options, defer);
}

int32_t IOFramebuffer__message(IOFramebuffer *me, uint32_t type, IOService *provider,
                               void *argument)
{
    return IOService_super_message((IOService *)me, type, provider, argument);
}

bool IOFramebuffer__requestTerminate(IOFramebuffer *me, IOService *provider, uint32_t options)
{
    return IOService_super_requestTerminate((IOService *)me, provider, options);
}

IOService *IOFramebuffer__probe(IOFramebuffer *me, IOService *provider, int32_t *score)
{
    return IOService_super_probe((IOService *)me, provider, score);
}

int32_t IOFramebuffer__callPlatformFunction_symbol(IOFramebuffer *me, const OSSymbol *function,
                                                   bool wait, void *param1, void *param2,
                                                   void *param3, void *param4)
{
    return IOService_super_callPlatformFunction_symbol((IOService *)me, function, wait, param1,
                                                       param2, param3, param4);
}

int32_t IOFramebuffer__setAggressiveness(IOFramebuffer *me, unsigned long type, unsigned long level)
{
    return IOService_super_setAggressiveness((IOService *)me, type, level);
}

int32_t IOFramebuffer__getAggressiveness(IOFramebuffer *me, unsigned long type,
                                         unsigned long *level)
{
    return IOService_super_getAggressiveness((IOService *)me, type, level);
}

int32_t IOFramebuffer__setPowerState(IOFramebuffer *me, unsigned long state, IOService *device)
{
    return IOService_super_setPowerState((IOService *)me, state, device);
}

int32_t IOFramebuffer__powerStateWillChangeTo(IOFramebuffer *me, unsigned long flags,
                                              unsigned long state, IOService *device)
{
    return IOService_super_powerStateWillChangeTo((IOService *)me, flags, state, device);
}

int32_t IOFramebuffer__powerStateDidChangeTo(IOFramebuffer *me, unsigned long flags,
                                             unsigned long state, IOService *device)
{
    return IOService_super_powerStateDidChangeTo((IOService *)me, flags, state, device);
}
