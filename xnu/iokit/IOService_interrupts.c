/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupts and memory of a nub.
 *
 * IOInterruptControllers names the controller of each source, IOInterruptSpecifiers has its data
 * there; the index in the arrays is the number of the source. Controllers are looked up, and
 * waited for, at the first use. Source of the rules: xnu iokit/Kernel/IOService.cpp. */
#include "abi/IODeviceMemory.h"
#include "abi/IOInterruptController.h"
#include "abi/IOMemoryMap.h"
#include "abi/IOPlatformExpert.h"
#include "abi/kpi/libkern.h"

#include "xnu/iokit/service.h"

static struct kernel_lock source_lock = KERNEL_LOCK("interrupt sources");

/* Makes the table of sources, all unresolved. */
static int32_t make_sources(IOService *nub, OSArray *controllers)
{
    unsigned count = array_count(controllers);
    IOInterruptSource *sources = kernel_allocate(count * sizeof(*sources));

    if (!sources)
        return count ? kIOReturnNoMemory : kIOReturnNoResources;
    kernel_lock_take(&source_lock);
    if (!nub->_interruptSources) {
        nub->_numInterruptSources = (int)count;
        nub->_interruptSources = sources;
        sources = NULL;
    }
    kernel_lock_drop(&source_lock);
    kernel_free(sources, count * sizeof(*sources));
    return kIOReturnSuccess;
}

/* Finds the controller of one source; blocks until it is registered. */
static int32_t resolve_source(IOService *nub, int source, OSArray *controllers)
{
    OSSymbol *name = as_symbol(array_at(controllers, (unsigned)source));
    OSArray *specifiers = as_array(
        IORegistryEntry_getProperty_symbol(entry_of(nub), gIOInterruptSpecifiersKey));
    OSData *data = specifiers ? as_data(array_at(specifiers, (unsigned)source)) : NULL;
    IOInterruptController *controller;

    if (!name)
        return kIOReturnNoResources;
    controller = IOPlatformExpert_lookUpInterruptController(IOService_getPlatform(), name);
    if (!controller || !data)
        return kIOReturnNoResources;
    object_retain(data);
    kernel_lock_take(&source_lock);
    if (nub->_interruptSources[source].interruptController) {
        object_release(data);
    } else {
        nub->_interruptSources[source].vectorData = data;
        nub->_interruptSources[source].interruptController = controller;
    }
    kernel_lock_drop(&source_lock);
    return kIOReturnSuccess;
}

int32_t IOService_resolveInterrupt(IOService *me, IOService *nub, int32_t source)
{
    OSArray *controllers = as_array(
        IORegistryEntry_getProperty_symbol(entry_of(nub), gIOInterruptControllersKey));

    if (!controllers)
        return kIOReturnNoResources;
    if (!nub->_interruptSources)
        return make_sources(nub, controllers);
    return resolve_source(nub, source, controllers);
}

/* *controller, borrowed; with `resolve` it is looked up if need be. */
int32_t IOService_lookupInterrupt(IOService *me, int32_t source, bool resolve,
                                  IOInterruptController **controller)
{
    int32_t result = kIOReturnSuccess;

    if (!me->_interruptSources)
        result = IOService_resolveInterrupt(me, me, source);
    if (result != kIOReturnSuccess)
        return result;
    if (source < 0 || source >= me->_numInterruptSources)
        return kIOReturnNoInterrupt;
    *controller = me->_interruptSources[source].interruptController;
    if (*controller)
        return kIOReturnSuccess;
    if (!resolve)
        return kIOReturnNoInterrupt;
    result = IOService_resolveInterrupt(me, me, source);
    if (result == kIOReturnSuccess)
        *controller = me->_interruptSources[source].interruptController;
    return result;
}

int32_t IOService__registerInterrupt(IOService *me, int32_t source, OSObject *target,
                                     void (*handler)(OSObject *, void *, IOService *, int32_t),
                                     void *reference)
{
    IOInterruptController *controller;
    int32_t result = IOService_lookupInterrupt(me, source, true, &controller);

    if (result != kIOReturnSuccess)
        return result;
    return IOInterruptController_registerInterrupt_service_number_pointer_function_pointer(
        controller, me, source, target, (IOInterruptHandler)handler, reference);
}

int32_t IOService__unregisterInterrupt(IOService *me, int32_t source)
{
    IOInterruptController *controller;
    int32_t result = IOService_lookupInterrupt(me, source, false, &controller);

    if (result != kIOReturnSuccess)
        return result;
    return IOInterruptController_unregisterInterrupt_service_number(controller, me, source);
}

int32_t IOService__getInterruptType(IOService *me, int32_t source, int32_t *type)
{
    IOInterruptController *controller;
    int32_t result = IOService_lookupInterrupt(me, source, true, &controller);

    if (result != kIOReturnSuccess)
        return result;
    return IOInterruptController_getInterruptType_service_number_numbers(controller, me, source,
                                                                         type);
}

int32_t IOService__enableInterrupt(IOService *me, int32_t source)
{
    IOInterruptController *controller;
    int32_t result = IOService_lookupInterrupt(me, source, false, &controller);

    if (result != kIOReturnSuccess)
        return result;
    return IOInterruptController_enableInterrupt_service_number(controller, me, source);
}

int32_t IOService__disableInterrupt(IOService *me, int32_t source)
{
    IOInterruptController *controller;
    int32_t result = IOService_lookupInterrupt(me, source, false, &controller);

    if (result != kIOReturnSuccess)
        return result;
    return IOInterruptController_disableInterrupt_service_number(controller, me, source);
}

int32_t IOService__causeInterrupt(IOService *me, int32_t source)
{
    IOInterruptController *controller;
    int32_t result = IOService_lookupInterrupt(me, source, false, &controller);

    if (result != kIOReturnSuccess)
        return result;
    return IOInterruptController_causeInterrupt_service_number(controller, me, source);
}

/* ---- device memory: an array in the property IODeviceMemory ---- */

OSArray *IOService__getDeviceMemory(IOService *me)
{
    return as_array(IORegistryEntry_getProperty_symbol(entry_of(me), gIODeviceMemoryKey));
}

void IOService__setDeviceMemory(IOService *me, OSArray *array)
{
    if (array)
        IORegistryEntry_setProperty_symbol_object(entry_of(me), gIODeviceMemoryKey,
                                                  (OSObject *)array);
    else
        IORegistryEntry_removeProperty_symbol(entry_of(me), gIODeviceMemoryKey);
}

uint32_t IOService__getDeviceMemoryCount(IOService *me)
{
    OSArray *array = IOService_getDeviceMemory(me);

    return array ? array_count(array) : 0;
}

IODeviceMemory *IOService__getDeviceMemoryWithIndex(IOService *me, uint32_t index)
{
    OSArray *array = IOService_getDeviceMemory(me);

    return array ? array_at(array, index) : NULL;
}

/* +1, or NULL. */
IOMemoryMap *IOService__mapDeviceMemoryWithIndex(IOService *me, uint32_t index, uint32_t options)
{
    IODeviceMemory *memory = IOService_getDeviceMemoryWithIndex(me, index);

    return memory ? IOMemoryDescriptor_map_number((IOMemoryDescriptor *)memory, options) : NULL;
}
