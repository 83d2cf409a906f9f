/* SPDX-License-Identifier: BSD-3-Clause */
/* IOCPU, for drivers that derive from it to claim a processor nub: numbers, states and the group
 * of all processors. The processors themselves are the machine's and run already. Source of the
 * rules: xnu iokit/Kernel/IOCPU.cpp. */
#include "abi/IOCPU.h"
#include "abi/kpi/libkern.h"

#include "xnu/iokit/service.h"

enum { GROUP_ROOM = 4, STATE_UNREGISTERED = 0 };

static OSArray *group; /* of all processors; service_lock */

bool IOCPU__start(IOCPU *me, IOService *provider)
{
    if (!IOService_super_start((IOService *)me, provider))
        return false;
    kernel_lock_take(&service_lock);
    if (!group)
        group = OSArray_withCapacity(GROUP_ROOM);
    me->_cpuGroup = group;
    me->cpuNub = provider;
    if (group)
        OSArray_setObject_metaclassbase(group, (OSMetaClassBase *)me);
    kernel_lock_drop(&service_lock);
    IOCPU_setCPUState(me, STATE_UNREGISTERED);
    return true;
}

void IOCPU__detach(IOCPU *me, IOService *provider)
{
    unsigned index;

    IOService_super_detach((IOService *)me, provider);
    kernel_lock_take(&service_lock);
    index = group ? OSArray_getNextIndexOfObject(group, (OSMetaClassBase *)me, 0) : UINT32_MAX;
    if (index != UINT32_MAX)
        OSArray_removeObject(group, index);
    kernel_lock_drop(&service_lock);
}

void IOCPU__setCPUNumber(IOCPU *me, uint32_t number)
{
    me->_cpuNumber = number;
    IORegistryEntry_setProperty_cstring_number(entry_of(me), "IOCPUNumber", number, 32);
}

uint32_t IOCPU__getCPUNumber(IOCPU *me)
{
    return me->_cpuNumber;
}

void IOCPU__setCPUState(IOCPU *me, uint32_t state)
{
    me->_cpuState = state;
}

uint32_t IOCPU__getCPUState(IOCPU *me)
{
    return me->_cpuState;
}

OSArray *IOCPU__getCPUGroup(IOCPU *me)
{
    return me->_cpuGroup;
}

uint32_t IOCPU__getCPUGroupSize(IOCPU *me)
{
    return me->_cpuGroup ? array_count(me->_cpuGroup) : 0;
}

struct processor *IOCPU__getMachProcessor(IOCPU *me)
{
    return me->machProcessor;
}

bool IOCPU__setProperty_symbol_object(IOCPU *me, const OSSymbol *key, OSObject *value)
{
    return IOService_super_setProperty_symbol_object((IOService *)me, key, value);
}

OSObject *IOCPU__getProperty_symbol(IOCPU *me, const OSSymbol *key)
{
    return IOService_super_getProperty_symbol((IOService *)me, key);
}

bool IOCPU__serializeProperties(IOCPU *me, OSSerialize *serializer)
{
    return IOService_super_serializeProperties((IOService *)me, serializer);
}

int32_t IOCPU__setProperties(IOCPU *me, OSObject *properties)
{
    return kIOReturnUnsupported;
}

void IOCPU__signalCPU(IOCPU *me, IOCPU *target)
{
}

void IOCPU__signalCPUDeferred(IOCPU *me, IOCPU *target)
{
    IOCPU_signalCPU(me, target);
}

void IOCPU__signalCPUCancel(IOCPU *me, IOCPU *target)
{
}

void IOCPU__enableCPUTimeBase(IOCPU *me, bool enable)
{
}

void IOCPU_initCPUs(void)
{
}
