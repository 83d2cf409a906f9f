/* SPDX-License-Identifier: BSD-3-Clause */
/* IOSCSIParallelInterfaceDevice.c - the nub of a target, and what its superclasses
 * (IOSCSIProtocolInterface, IOSCSIProtocolServices) add to IOService: nothing that is used here,
 * because the upper layer sends its commands through scsi_dispatch.c. */
#include "xnu/families/scsi/scsi_private.h"

#include "abi/constants/service.h"

#include "xnu/bsd/format.h"
#include "xnu/machine/memory.h"

/* ---- superclasses --------------------------------------------------------------------------- */

bool IOSCSIProtocolInterface__init_dictionary(IOSCSIProtocolInterface *me, OSDictionary *properties)
{
    return IOService_super_init_dictionary((IOService *)me, properties);
}

bool IOSCSIProtocolServices__init_dictionary(IOSCSIProtocolServices *me, OSDictionary *properties)
{
    return IOSCSIProtocolInterface__init_dictionary((IOSCSIProtocolInterface *)me, properties);
}

void IOSCSIProtocolInterface__free(IOSCSIProtocolInterface *me)
{
    IOService_super_free((IOService *)me);
}

void IOSCSIProtocolServices__free(IOSCSIProtocolServices *me)
{
    IOSCSIProtocolInterface__free((IOSCSIProtocolInterface *)me);
}

bool IOSCSIProtocolInterface__willTerminate(IOSCSIProtocolInterface *me, IOService *provider,
                                            uint32_t options)
{
    return IOService_super_willTerminate((IOService *)me, provider, options);
}

bool IOSCSIProtocolInterface__finalize(IOSCSIProtocolInterface *me, uint32_t options)
{
    return IOService_super_finalize((IOService *)me, options);
}

int32_t IOSCSIProtocolInterface__setPowerState(IOSCSIProtocolInterface *me, unsigned long state,
                                               IOService *device)
{
    return 0;                            /* kIOPMAckImplied */
}

unsigned long IOSCSIProtocolInterface__initialPowerStateForDomainState(IOSCSIProtocolInterface *me,
                                                                       unsigned long flags)
{
    return kSCSIProtocolPowerStateOn;
}

/* ---- the nub -------------------------------------------------------------------------------- */

IOSCSIParallelInterfaceDevice *
IOSCSIParallelInterfaceDevice_CreateTarget(uint64_t id, uint32_t size, IORegistryEntry *entry)
{
    IOSCSIParallelInterfaceDevice *me = object_new(&IOSCSIParallelInterfaceDevice_gMetaClass);

    if (me && !IOSCSIParallelInterfaceDevice_InitTarget(me, id, size, entry)) {
        object_release(me);
        return NULL;
    }
    return me;
}

bool IOSCSIParallelInterfaceDevice_InitTarget(IOSCSIParallelInterfaceDevice *me, uint64_t id,
                                              uint32_t size, IORegistryEntry *entry)
{
    if (!IORegistryEntry_init_dictionary((IORegistryEntry *)me, NULL))
        return false;
    struct scsi_target *target = machine_allocate_zeroed(sizeof *target, 0);
    if (!target)
        return false;
    me->fIOSCSIProtocolServicesReserved = (void *)target;
    target->nub = me;
    target->id = id;
    target->depth = 1;
    me->fTargetIdentifier = id;
    me->fHBADataSize = size;
    if (size != 0) {
        me->fHBAData = machine_allocate_zeroed(size, 0);
        if (!me->fHBAData)
            return false;
    }
    return true;
}

void IOSCSIParallelInterfaceDevice__free(IOSCSIParallelInterfaceDevice *me)
{
    machine_release(me->fHBAData, me->fHBADataSize);
    machine_release(target_of(me), sizeof *target_of(me));
    me->fIOSCSIProtocolServicesReserved = NULL;
    IOSCSIProtocolServices__free((IOSCSIProtocolServices *)me);
}

/* Started by the controller itself, not by matching: probes the target, and publishes it if there
 * is one. */
bool IOSCSIParallelInterfaceDevice__start(IOSCSIParallelInterfaceDevice *me, IOService *provider)
{
    if (!IOService_super_start((IOService *)me, provider) || !scsi_units_probe(target_of(me)))
        return false;
    IOService_registerService((IOService *)me, 0);
    return true;
}

void IOSCSIParallelInterfaceDevice__stop(IOSCSIParallelInterfaceDevice *me, IOService *provider)
{
    scsi_target_remove(target_of(me));
    scsi_units_remove(target_of(me));
    IOService_super_stop((IOService *)me, provider);
}

bool IOSCSIParallelInterfaceDevice__finalize(IOSCSIParallelInterfaceDevice *me, uint32_t options)
{
    return IOService_super_finalize((IOService *)me, options);
}

int32_t IOSCSIParallelInterfaceDevice__message(IOSCSIParallelInterfaceDevice *me, uint32_t type,
                                               IOService *provider, void *argument)
{
    return IOService_super_message((IOService *)me, type, provider, argument);
}

int32_t IOSCSIParallelInterfaceDevice__requestProbe(IOSCSIParallelInterfaceDevice *me,
                                                    uint32_t options)
{
    return kIOReturnUnsupported;
}

void IOSCSIParallelInterfaceDevice_DestroyTarget(IOSCSIParallelInterfaceDevice *me)
{
    IOService_terminate((IOService *)me, 0);
}

uint64_t IOSCSIParallelInterfaceDevice_GetTargetIdentifier(IOSCSIParallelInterfaceDevice *me)
{
    return me->fTargetIdentifier;
}

uint32_t IOSCSIParallelInterfaceDevice_GetHBADataSize(IOSCSIParallelInterfaceDevice *me)
{
    return me->fHBADataSize;
}

void *IOSCSIParallelInterfaceDevice_GetHBADataPointer(IOSCSIParallelInterfaceDevice *me)
{
    return me->fHBAData;
}

OSObject *IOSCSIParallelInterfaceDevice_FindTaskForAddress(IOSCSIParallelInterfaceDevice *me,
                                                           uint64_t lun, uint64_t tag)
{
    return IOSCSIParallelInterfaceController_FindTaskForAddress(me->fController,
                                                                me->fTargetIdentifier, lun, tag);
}

OSObject *IOSCSIParallelInterfaceDevice_FindTaskForControllerIdentifier(
    IOSCSIParallelInterfaceDevice *me, uint64_t identifier)
{
    return IOSCSIParallelInterfaceController_FindTaskForControllerIdentifier(
        me->fController, me->fTargetIdentifier, identifier);
}

/* ---- properties ----------------------------------------------------------------------------- */

bool IOSCSIParallelInterfaceDevice_SetTargetProperty(IOSCSIParallelInterfaceDevice *me,
                                                     const char *key, OSObject *value)
{
    return IORegistryEntry_setProperty_cstring_object((IORegistryEntry *)me, key, value);
}

void IOSCSIParallelInterfaceDevice_RemoveTargetProperty(IOSCSIParallelInterfaceDevice *me,
                                                        const char *key)
{
    IORegistryEntry_removeProperty_cstring((IORegistryEntry *)me, key);
}

static void set_protocol_characteristics(IOSCSIParallelInterfaceDevice *me)
{
    OSDictionary *own = OSDictionary_withCapacity(4);
    OSDictionary *controller = as_dictionary(IORegistryEntry_getProperty_cstring(
        (IORegistryEntry *)me->fController, kIOPropertyProtocolCharacteristicsKey));
    OSNumber *id = OSNumber_withNumber_number(me->fTargetIdentifier, 64);

    if (own && controller)
        OSDictionary_merge(own, controller);
    if (own && id) {
        OSDictionary_setObject_cstring(own, kIOPropertySCSITargetIdentifierKey,
                                       (const OSMetaClassBase *)id);
        IORegistryEntry_setProperty_cstring_object((IORegistryEntry *)me,
                                                   kIOPropertyProtocolCharacteristicsKey,
                                                   (OSObject *)own);
        IORegistryEntry_setProperty_cstring_object(
            (IORegistryEntry *)me, kIOPropertySCSITargetIdentifierKey, (OSObject *)id);
    }
    object_release(id);
    object_release(own);
}

bool IOSCSIParallelInterfaceDevice_SetInitialTargetProperties(IOSCSIParallelInterfaceDevice *me,
                                                              OSDictionary *properties)
{
    char location[24];
    OSCollectionIterator *keys;
    const OSSymbol *key;

    format_text(location, sizeof location, "%llx", (unsigned long long)me->fTargetIdentifier);
    IORegistryEntry_setLocation_cstring((IORegistryEntry *)me, location, NULL);
    set_protocol_characteristics(me);
    keys = properties ? OSCollectionIterator_withCollection((OSCollection *)properties) : NULL;
    while (keys && (key = as_symbol(iterator_next((OSIterator *)keys))) != NULL)
        IORegistryEntry_setProperty_symbol_object((IORegistryEntry *)me, key,
                                                  OSDictionary_getObject_symbol(properties, key));
    object_release(keys);
    return true;
}

/* ---- task management, for who holds the nub -------------------------------------------------- */

SCSIServiceResponse
IOSCSIParallelInterfaceDevice__HandleAbortTask(IOSCSIParallelInterfaceDevice *me, uint8_t lun,
                                               uint64_t tag)
{
    return IOSCSIParallelInterfaceController_AbortTaskRequest(me->fController,
                                                              me->fTargetIdentifier, lun, tag);
}

SCSIServiceResponse
IOSCSIParallelInterfaceDevice__HandleAbortTaskSet(IOSCSIParallelInterfaceDevice *me, uint8_t lun)
{
    return IOSCSIParallelInterfaceController_AbortTaskSetRequest(me->fController,
                                                                 me->fTargetIdentifier, lun);
}

SCSIServiceResponse IOSCSIParallelInterfaceDevice__HandleClearACA(IOSCSIParallelInterfaceDevice *me,
                                                                  uint8_t lun)
{
    return IOSCSIParallelInterfaceController_ClearACARequest(me->fController, me->fTargetIdentifier,
                                                             lun);
}

SCSIServiceResponse
IOSCSIParallelInterfaceDevice__HandleClearTaskSet(IOSCSIParallelInterfaceDevice *me, uint8_t lun)
{
    return IOSCSIParallelInterfaceController_ClearTaskSetRequest(me->fController,
                                                                 me->fTargetIdentifier, lun);
}

SCSIServiceResponse IOSCSIParallelInterfaceDevice__HandleLogicalUnitReset(
    IOSCSIParallelInterfaceDevice *me, uint8_t lun)
{
    return IOSCSIParallelInterfaceController_LogicalUnitResetRequest(me->fController,
                                                                     me->fTargetIdentifier, lun);
}

SCSIServiceResponse
IOSCSIParallelInterfaceDevice__HandleTargetReset(IOSCSIParallelInterfaceDevice *me)
{
    return IOSCSIParallelInterfaceController_TargetResetRequest(me->fController,
                                                                me->fTargetIdentifier);
}
