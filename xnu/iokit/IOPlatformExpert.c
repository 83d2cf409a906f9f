/* SPDX-License-Identifier: BSD-3-Clause */
/* IOPlatformExpert and IODTPlatformExpert: interrupt controllers by name, platform functions,
 * the console, the machine's names, power off and restart. Source of the rules: xnu
 * iokit/Kernel/IOPlatformExpert.cpp. */
#include "abi/IODTPlatformExpert.h"
#include "abi/IOPlatformExpert.h"
#include "abi/IORangeAllocator.h"
#include "abi/kpi/libkern.h"
#include "abi/kpi/platform.h"

#include "xnu/iokit/device_tree.h"
#include "xnu/iokit/platform.h"
#include "xnu/iokit/service.h"
#include "xnu/libkern/release.h"
#include "xnu/machine/partition.h"

enum { CONTROLLER_ROOM = 4, RANGE_ROOM = 16 };

static IOPlatformExpert *platform;
static struct kernel_lock controller_lock = KERNEL_LOCK("interrupt controllers");
static OSDictionary *controllers;
static IORangeAllocator *physical_ranges;
static struct platform_console console;

static int halt_restart(unsigned int type);
int (*PE_halt_restart)(unsigned int type) = halt_restart;

IOPlatformExpert *IOService_getPlatform(void)
{
    return platform;
}

/* ---- start ---- */

bool IOPlatformExpert__attach(IOPlatformExpert *me, IOService *provider)
{
    return IOService_super_attach((IOService *)me, provider);
}

bool IOPlatformExpert__start(IOPlatformExpert *me, IOService *provider)
{
    if (!IOService_super_start((IOService *)me, provider))
        return false;
    platform = me;
    return IOPlatformExpert_configure(me, provider);
}

bool IOPlatformExpert__configure(IOPlatformExpert *me, IOService *provider)
{
    return true;
}

/* ---- interrupt controllers ---- */

int32_t IOPlatformExpert__registerInterruptController(IOPlatformExpert *me, OSSymbol *name,
                                                      IOInterruptController *controller)
{
    bool good;

    kernel_lock_take(&controller_lock);
    if (!controllers)
        controllers = OSDictionary_withCapacity(CONTROLLER_ROOM);
    good = controllers &&
           OSDictionary_setObject_symbol(controllers, name, (OSMetaClassBase *)controller);
    machine_wakeup(&controllers, false);
    kernel_lock_drop(&controller_lock);
    return good ? kIOReturnSuccess : kIOReturnNoMemory;
}

int32_t IOPlatformExpert__deregisterInterruptController(IOPlatformExpert *me, OSSymbol *name)
{
    kernel_lock_take(&controller_lock);
    if (controllers)
        OSDictionary_removeObject_symbol(controllers, name);
    kernel_lock_drop(&controller_lock);
    return kIOReturnSuccess;
}

/* Waits for ever until one of that name is registered. */
IOInterruptController *IOPlatformExpert__lookUpInterruptController(IOPlatformExpert *me,
                                                                   OSSymbol *name)
{
    OSObject *found;

    kernel_lock_take(&controller_lock);
    while (!controllers || !(found = OSDictionary_getObject_symbol(controllers, name)))
        kernel_lock_sleep(&controller_lock, &controllers, MACHINE_NEVER);
    kernel_lock_drop(&controller_lock);
    return (IOInterruptController *)found;
}

void IOPlatformExpert__setCPUInterruptProperties(IOPlatformExpert *me, IOService *service)
{
}

bool IOPlatformExpert__atInterruptLevel(IOPlatformExpert *me)
{
    return machine_at_interrupt_context();
}

/* ---- platform functions: a resource of that name holds the service that has the function ---- */

int32_t IOPlatformExpert__callPlatformFunction_symbol(IOPlatformExpert *me,
                                                      const OSSymbol *function, bool wait,
                                                      void *param1, void *param2, void *param3,
                                                      void *param4)
{
    IOService *resources, *service;
    OSDictionary *matching;

    if (function == gIOPlatformQuiesceActionKey || function == gIOPlatformActiveActionKey)
        return kIOReturnUnsupported;
    if (wait) {
        matching = IOService_resourceMatching_string((const OSString *)function, NULL);
        resources = matching ? IOService_waitForService(matching, NULL) : NULL;
    } else {
        resources = IOService_getResourceService();
    }
    service = resources ? object_cast(IORegistryEntry_getProperty_symbol(entry_of(resources),
                                                                         function),
                                      &IOService_gMetaClass)
                        : NULL;
    if (!service)
        return kIOReturnUnsupported;
    return IOService_callPlatformFunction_symbol(service, function, wait, param1, param2, param3,
                                                 param4);
}

/* ---- nubs ---- */

bool IOPlatformExpert__compareNubName(IOPlatformExpert *me, const IOService *nub, OSString *name,
                                      OSString **matched)
{
    return IORegistryEntry__compareName(entry_of(nub), name, matched);
}

bool IODTPlatformExpert__compareNubName(IODTPlatformExpert *me, const IOService *nub,
                                        OSString *name, OSString **matched)
{
    return IODTCompareNubName(entry_of(nub), name, matched) ||
           IOPlatformExpert_super_compareNubName((IOPlatformExpert *)me, nub, name, matched);
}

int32_t IOPlatformExpert__getNubResources(IOPlatformExpert *me, IOService *nub)
{
    return kIOReturnSuccess;
}

int32_t IODTPlatformExpert__getNubResources(IODTPlatformExpert *me, IOService *nub)
{
    return kIOReturnSuccess;
}

IOService *IOPlatformExpert__createNub(IOPlatformExpert *me, OSDictionary *from)
{
    return NULL;
}

bool IOPlatformExpert__platformAdjustService(IOPlatformExpert *me, IOService *service)
{
    return true;
}

IOService *IODTPlatformExpert__probe(IODTPlatformExpert *me, IOService *provider, int32_t *score)
{
    return IOService_super_probe((IOService *)me, provider, score);
}

bool IODTPlatformExpert__configure(IODTPlatformExpert *me, IOService *provider)
{
    return IOPlatformExpert_super_configure((IOPlatformExpert *)me, provider);
}

/* Physical addresses that nobody uses yet, below 4 GiB. */
IORangeAllocator *IOPlatformExpert__getPhysicalRangeAllocator(IOPlatformExpert *me)
{
    kernel_lock_take(&controller_lock);
    if (!physical_ranges)
        physical_ranges = IORangeAllocator_withRange(UINT32_MAX, 1, RANGE_ROOM, 1 /* kLocking */);
    kernel_lock_drop(&controller_lock);
    return physical_ranges;
}

/* ---- the machine ---- */

static bool copy_property_text(IOPlatformExpert *me, const char *key, char *text, int32_t size)
{
    IOService *provider = IOService_getProvider((IOService *)me);
    OSObject *value = provider ? IORegistryEntry_getProperty_cstring(entry_of(provider), key)
                               : NULL;
    OSString *string = as_string(value);
    OSData *data = as_data(value);

    if (size <= 0 || (!string && !data))
        return false;
    strlcpy(text, string ? OSString_getCStringNoCopy(string) : OSData_getBytesNoCopy(data),
            (size_t)size);
    return true;
}

bool IOPlatformExpert__getModelName(IOPlatformExpert *me, char *name, int32_t size)
{
    return copy_property_text(me, "model", name, size);
}

bool IOPlatformExpert__getMachineName(IOPlatformExpert *me, char *name, int32_t size)
{
    return copy_property_text(me, "model", name, size);
}

bool IOPlatformExpert__getTargetName(IOPlatformExpert *me, char *name, int32_t size)
{
    return copy_property_text(me, "target-type", name, size);
}

bool IOPlatformExpert__getProductName(IOPlatformExpert *me, char *name, int32_t size)
{
    return copy_property_text(me, "product-name", name, size);
}

bool IODTPlatformExpert__getModelName(IODTPlatformExpert *me, char *name, int32_t size)
{
    return IOPlatformExpert__getModelName((IOPlatformExpert *)me, name, size);
}

bool IODTPlatformExpert__getMachineName(IODTPlatformExpert *me, char *name, int32_t size)
{
    return IOPlatformExpert__getMachineName((IOPlatformExpert *)me, name, size);
}

bool IODTPlatformExpert__getTargetName(IODTPlatformExpert *me, char *name, int32_t size)
{
    return IOPlatformExpert__getTargetName((IOPlatformExpert *)me, name, size);
}

bool IODTPlatformExpert__getProductName(IODTPlatformExpert *me, char *name, int32_t size)
{
    return IOPlatformExpert__getProductName((IOPlatformExpert *)me, name, size);
}

static int halt_restart(unsigned int type)
{
    if (type == kPERestartCPU)
        machine_power(MACHINE_POWER_RESET, NULL);
    else if (type == kPEHaltCPU)
        machine_power(MACHINE_POWER_OFF, NULL);
    return 0;
}

int32_t IOPlatformExpert__haltRestart(IOPlatformExpert *me, uint32_t type)
{
    return PE_halt_restart(type);
}

int32_t IODTPlatformExpert__haltRestart(IODTPlatformExpert *me, uint32_t type)
{
    return IOPlatformExpert_super_haltRestart((IOPlatformExpert *)me, type);
}

void IOPlatformExpert__sleepKernel(IOPlatformExpert *me)
{
}

long IOPlatformExpert__getGMTTimeOfDay(IOPlatformExpert *me)
{
    uint64_t seconds;
    uint32_t nanoseconds;

    machine_calendar_time(&seconds, &nanoseconds);
    return (long)seconds;
}

void IOPlatformExpert__setGMTTimeOfDay(IOPlatformExpert *me, long seconds)
{
    machine_set_calendar_time((uint64_t)seconds, 0);
}

void IOPlatformExpert__getUTCTimeOfDay(IOPlatformExpert *me, unsigned long *seconds,
                                       uint32_t *nanoseconds)
{
    uint64_t now;

    machine_calendar_time(&now, nanoseconds);
    *seconds = now;
}

void IOPlatformExpert__setUTCTimeOfDay(IOPlatformExpert *me, unsigned long seconds,
                                       uint32_t nanoseconds)
{
    machine_set_calendar_time(seconds, nanoseconds);
}

void IOPlatformExpert__setBootROMType(IOPlatformExpert *me, long type)
{
    me->_peBootROMType = type;
}

void IOPlatformExpert__setChipSetType(IOPlatformExpert *me, long type)
{
    me->_peChipSetType = type;
}

void IOPlatformExpert__setMachineType(IOPlatformExpert *me, long type)
{
    me->_peMachineType = type;
}

long IOPlatformExpert__getBootROMType(IOPlatformExpert *me)
{
    return me->_peBootROMType;
}

long IOPlatformExpert__getChipSetType(IOPlatformExpert *me)
{
    return me->_peChipSetType;
}

long IOPlatformExpert__getMachineType(IOPlatformExpert *me)
{
    return me->_peMachineType;
}

/* ---- the console ---- */

void platform_set_console(const struct platform_console *given)
{
    console = *given;
}

int32_t IOPlatformExpert__getConsoleInfo(IOPlatformExpert *me, PE_Video *info)
{
    memset(info, 0, sizeof(*info));
    info->v_baseAddr = console.video.v_baseAddr;
    info->v_rowBytes = console.video.v_rowBytes;
    info->v_width = console.video.v_width;
    info->v_height = console.video.v_height;
    info->v_depth = console.video.v_depth;
    info->v_display = console.video.v_display;
    memcpy(info->v_pixelFormat, console.video.v_pixelFormat, sizeof(info->v_pixelFormat));
    info->v_length = console.video.v_length;
    return kIOReturnSuccess;
}

/* Bit 0 of the base address says that it is a physical one. */
int32_t IOPlatformExpert__setConsoleInfo(IOPlatformExpert *me, PE_Video *info, uint32_t operation)
{
    if (info && info->v_baseAddr)
        console.video = *info;
    if (console.changed)
        console.changed(console.context, info, operation);
    return kIOReturnSuccess;
}

/* ---- power management, old style: the tree has the root domain alone ---- */

void IOPlatformExpert__PMRegisterDevice(IOPlatformExpert *me, IOService *nub, IOService *device)
{
}

void IOPlatformExpert__PMInstantiatePowerDomains(IOPlatformExpert *me)
{
    me->root = IOService_getPMRootDomain();
}

void IOPlatformExpert__PMLog(IOPlatformExpert *me, const char *who, unsigned long event,
                             unsigned long param1, unsigned long param2)
{
}

bool IOPlatformExpert__hasPMFeature(IOPlatformExpert *me, unsigned long mask)
{
    return ((unsigned long)me->_pePMFeatures & mask) != 0;
}

bool IOPlatformExpert__hasPrivPMFeature(IOPlatformExpert *me, unsigned long mask)
{
    return ((unsigned long)me->_pePrivPMFeatures & mask) != 0;
}

int32_t IOPlatformExpert__numBatteriesSupported(IOPlatformExpert *me)
{
    return 0;
}

/* ---- NVRAM: there is none ---- */

void IOPlatformExpert__registerNVRAMController(IOPlatformExpert *me, IONVRAMController *nvram)
{
}

void IODTPlatformExpert__registerNVRAMController(IODTPlatformExpert *me, IONVRAMController *nvram)
{
}

uint64_t IOPlatformExpert__savePanicInfo(IOPlatformExpert *me, uint8_t *buffer, uint64_t length)
{
    return 0;
}

uint64_t IODTPlatformExpert__savePanicInfo(IODTPlatformExpert *me, uint8_t *buffer, uint64_t length)
{
    return 0;
}

OSString *IOPlatformExpert__createSystemSerialNumberString(IOPlatformExpert *me, OSData *property)
{
    return NULL;
}

OSString *IODTPlatformExpert__createSystemSerialNumberString(IODTPlatformExpert *me,
                                                             OSData *property)
{
    return NULL;
}

int32_t IODTPlatformExpert__readNVRAMProperty(IODTPlatformExpert *me, IORegistryEntry *entry,
                                              const OSSymbol **name, OSData **value)
{
    return kIOReturnNotReady;
}

int32_t IODTPlatformExpert__writeNVRAMProperty(IODTPlatformExpert *me, IORegistryEntry *entry,
                                               const OSSymbol *name, OSData *value)
{
    return kIOReturnNotReady;
}
