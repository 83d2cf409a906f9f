/* SPDX-License-Identifier: BSD-3-Clause */
/* IOPMrootDomain: the top of power management. The machine never sleeps by itself, only when it is
 * told to from outside (families/system_sleep.c); it shuts down.
 * Source of the rules: xnu iokit/Kernel/IOPMrootDomain.cpp. */
#include "abi/IOPMrootDomain.h"
#include "abi/kpi/libkern.h"

#include "xnu/bsd/kpi.h"
#include "xnu/iokit/root_domain.h"
#include "xnu/iokit/service.h"

static IOPMrootDomain *root_domain;

IOPMrootDomain *IOService_getPMRootDomain(void)
{
    return root_domain;
}

IOPMrootDomain *IOPMrootDomain_construct(void)
{
    IOPMrootDomain *me = object_new(&IOPMrootDomain_gMetaClass);

    if (me && !IORegistryEntry_init_dictionary(entry_of(me), NULL))
        object_release_clear(&me);
    return me;
}

void root_domain_start(IOService *root)
{
    IOPMrootDomain *me = IOPMrootDomain_construct();

    if (!me || !IOService_attach((IOService *)me, root))
        machine_panic("no memory for the root power domain");
    IOService_start((IOService *)me, root);
}

bool IOPMrootDomain__start(IOPMrootDomain *me, IOService *provider)
{
    if (!IOService_super_start((IOService *)me, provider))
        return false;
    root_domain = me;
    IORegistryEntry_setProperty_cstring_bool(entry_of(me), "IOSleepSupported", true);
    IOService_PMinit((IOService *)me);
    IORegistryEntry_attachToParent(entry_of(me), IORegistryEntry_getRegistryRoot(), gIOPowerPlane);
    IOService_registerService((IOService *)me, 0);
    return true;
}

/* ---- requests; nothing to do on a machine that is always awake ---- */

/* What user space is told: whether "Sleep" is in the menu. */
static void set_sleep_supported(IOPMrootDomain *me, bool supported)
{
    if (supported)
        IORegistryEntry_setProperty_cstring_bool(entry_of(me), "IOSleepSupported", true);
    else
        IORegistryEntry_removeProperty_cstring(entry_of(me), "IOSleepSupported");
}

int32_t IOPMrootDomain__receivePowerNotification(IOPMrootDomain *me, uint32_t message)
{
    if (message & (kIOPMAllowSleep | kIOPMPreventSleep))
        set_sleep_supported(me, (message & kIOPMPreventSleep) == 0);
    return IOPMNoErr;
}

int32_t IOPMrootDomain__sleepSystem(IOPMrootDomain *me)
{
    return kIOReturnUnsupported;
}

int32_t IOPMrootDomain_sleepSystemOptions(IOPMrootDomain *me, OSDictionary *options)
{
    return kIOReturnUnsupported;
}

void IOPMrootDomain__setSleepSupported(IOPMrootDomain *me, uint32_t flags)
{
}

uint32_t IOPMrootDomain__getSleepSupported(IOPMrootDomain *me)
{
    return 0;
}

int32_t IOPMrootDomain__setProperties(IOPMrootDomain *me, OSObject *properties)
{
    return kIOReturnUnsupported;
}

bool IOPMrootDomain__serializeProperties(IOPMrootDomain *me, OSSerialize *serializer)
{
    return IOService_super_serializeProperties((IOService *)me, serializer);
}

OSObject *IOPMrootDomain__copyProperty_cstring(IOPMrootDomain *me, const char *key)
{
    return IOService_super_copyProperty_cstring((IOService *)me, key);
}

int32_t IOPMrootDomain__callPlatformFunction_symbol(IOPMrootDomain *me, const OSSymbol *function,
                                                    bool wait, void *param1, void *param2,
                                                    void *param3, void *param4)
{
    return IOService_super_callPlatformFunction_symbol((IOService *)me, function, wait, param1,
                                                       param2, param3, param4);
}

IONotifier *IOPMrootDomain__registerInterest(
    IOPMrootDomain *me, const OSSymbol *type,
    int32_t (*handler)(void *, void *, uint32_t, IOService *, void *, unsigned long), void *target,
    void *reference)
{
    return IOService_super_registerInterest((IOService *)me, type, handler, target, reference);
}

int32_t IOPMrootDomain__requestPowerDomainState(IOPMrootDomain *me, unsigned long state,
                                                IOPowerConnection *child,
                                                unsigned long specification)
{
    return IOPMNoErr;
}

int32_t IOPMrootDomain__setAggressiveness(IOPMrootDomain *me, unsigned long type,
                                          unsigned long level)
{
    return IOPMNoErr;
}

int32_t IOPMrootDomain__getAggressiveness(IOPMrootDomain *me, unsigned long type,
                                          unsigned long *level)
{
    *level = 0;
    return IOPMNoErr;
}

int32_t IOPMrootDomain__changePowerStateTo_number(IOPMrootDomain *me, unsigned long state)
{
    return IOPMNoErr;
}

int32_t IOPMrootDomain__changePowerStateToPriv(IOPMrootDomain *me, unsigned long state)
{
    return IOPMNoErr;
}

bool IOPMrootDomain__askChangeDown(IOPMrootDomain *me, unsigned long state)
{
    return true;
}

bool IOPMrootDomain__tellChangeDown(IOPMrootDomain *me, unsigned long state)
{
    return true;
}

void IOPMrootDomain__tellNoChangeDown(IOPMrootDomain *me, unsigned long state)
{
}

void IOPMrootDomain__tellChangeUp(IOPMrootDomain *me, unsigned long state)
{
}

void IOPMrootDomain__powerChangeDone(IOPMrootDomain *me, unsigned long state)
{
}

int32_t IOPMrootDomain__configureReport(IOPMrootDomain *me, IOReportChannelList *channels,
                                        uint32_t action, void *result, void *destination)
{
    return kIOReturnSuccess;
}

int32_t IOPMrootDomain__updateReport(IOPMrootDomain *me, IOReportChannelList *channels,
                                     uint32_t action, void *result, void *destination)
{
    return kIOReturnSuccess;
}

void IOPMrootDomain_publishFeature(IOPMrootDomain *me, const char *feature)
{
}

void IOPMrootDomain_publishFeature_number(IOPMrootDomain *me, const char *feature,
                                          uint32_t supported_where, uint32_t *id)
{
    if (id)
        *id = 0;
}

int32_t IOPMrootDomain_removePublishedFeature(IOPMrootDomain *me, uint32_t id)
{
    return kIOReturnSuccess;
}

/* An assertion holds sleep off; without sleep it only has to be a number that is not 0. */
uint64_t IOPMrootDomain_createPMAssertion(IOPMrootDomain *me, uint64_t bits, uint32_t level,
                                          IOService *owner, const char *description)
{
    static uint64_t last;

    return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

int32_t IOPMrootDomain_setPMAssertionLevel(IOPMrootDomain *me, uint64_t id, uint32_t level)
{
    return kIOReturnSuccess;
}

uint32_t IOPMrootDomain_getPMAssertionLevel(IOPMrootDomain *me, uint64_t bits)
{
    return 0;
}

int32_t IOPMrootDomain_releasePMAssertion(IOPMrootDomain *me, uint64_t id)
{
    return kIOReturnSuccess;
}

/* Events that would wake, keep awake or be reported to user space. */
int32_t IOPMrootDomain_systemPowerEventOccurred_number(IOPMrootDomain *me, const OSSymbol *event,
                                                       uint32_t value)
{
    return kIOReturnSuccess;
}

int32_t IOPMrootDomain_systemPowerEventOccurred_object(IOPMrootDomain *me, const OSSymbol *event,
                                                       OSObject *value)
{
    return kIOReturnSuccess;
}

void IOPMrootDomain_claimSystemWakeEvent(IOPMrootDomain *me, IOService *device, uint32_t flags,
                                         const char *reason, OSObject *details)
{
}

void IOPMrootDomain_claimSystemBootEvent(IOPMrootDomain *me, IOService *device, uint32_t flags,
                                         const char *reason, OSObject *details)
{
}

void IOPMrootDomain_claimSystemShutdownEvent(IOPMrootDomain *me, IOService *device, uint32_t flags,
                                             const char *reason, OSObject *details)
{
}

void IOPMrootDomain_requestUserActive(IOPMrootDomain *me, IOService *driver, const char *reason)
{
}

void IOPMrootDomain_wakeFromDoze(IOPMrootDomain *me)
{
}

/* There are no settings, so nobody is ever called about one. */
OSObject *IOPMrootDomain_copyPMSetting(IOPMrootDomain *me, OSSymbol *setting)
{
    return NULL;
}

/* ---- interests in sleep and shutdown, as C functions ---- */

typedef int32_t interest_handler(void *target, void *reference, uint32_t type, IOService *provider,
                                 void *argument, unsigned long size);

KPI(IONotifier *, registerSleepWakeInterest,
    (interest_handler *handler, void *self, void *reference))
{
    return root_domain ? IOService_registerInterest((IOService *)root_domain, gIOGeneralInterest,
                                                    handler, self, reference)
                       : NULL;
}

KPI(IONotifier *, registerPrioritySleepWakeInterest,
    (interest_handler *handler, void *self, void *reference))
{
    return root_domain ? IOService_registerInterest((IOService *)root_domain,
                                                    gIOPriorityPowerStateInterest, handler, self,
                                                    reference)
                       : NULL;
}

KPI(int32_t, acknowledgeSleepWakeNotification, (void *reference))
{
    return kIOReturnSuccess;
}

KPI(int32_t, vetoSleepWakeNotification, (void *reference))
{
    return kIOReturnSuccess;
}

/* ---- power of all, and shutdown ---- */

/* All services, those nearer to the root first; +1, or NULL. */
static OSOrderedSet *all_services(void)
{
    IORegistryIterator *iterator =
        IORegistryIterator_iterateOver_plane(gIOServicePlane, kIORegistryIterateRecursively);
    OSOrderedSet *all = iterator ? IORegistryIterator_iterateAll(iterator) : NULL;

    object_release(iterator);
    return all;
}

void root_domain_power(bool on)
{
    OSOrderedSet *all = all_services();
    unsigned count = all ? OSCollection_getCount((OSCollection *)all) : 0;

    for (unsigned i = 0; i < count; i++) {
        OSObject *entry = OSOrderedSet_getObject(all, on ? i : count - 1 - i);
        IOService *service = object_cast(entry, &IOService_gMetaClass);

        if (service && !service_inactive(service) && service->initialized)
            service_power_domain(service, on);
    }
    object_release(all);
}

static void tell(OSObject *interested, void *message)
{
    IOService_messageClient((IOService *)root_domain, (uint32_t)(uintptr_t)message, interested,
                            NULL, 0);
}

static void tell_interested(const OSSymbol *type, uint32_t message)
{
    IOService_applyToInterested((IOService *)root_domain, type, tell, (void *)(uintptr_t)message);
}

void root_domain_tell(uint32_t message)
{
    bool general_first = message == kIOMessageSystemWillSleep;

    if (!root_domain)
        return;
    tell_interested(general_first ? gIOGeneralInterest : gIOPriorityPowerStateInterest, message);
    tell_interested(general_first ? gIOPriorityPowerStateInterest : gIOGeneralInterest, message);
}

bool root_domain_may_sleep(void)
{
    OSObject *supported = NULL;

    if (root_domain)
        supported = IORegistryEntry_copyProperty_cstring(entry_of(root_domain), "IOSleepSupported");
    object_release(supported);
    return supported != NULL;
}

void root_domain_will_shut_down(bool restart)
{
    uint32_t message = restart ? kIOMessageSystemWillRestart : kIOMessageSystemWillPowerOff;
    OSOrderedSet *all = all_services();
    unsigned i = all ? OSCollection_getCount((OSCollection *)all) : 0;

    root_domain_tell(message);
    while (i-- > 0) { /* what is further from the root first */
        IOService *service = object_cast(OSOrderedSet_getObject(all, i), &IOService_gMetaClass);

        if (service && !service_inactive(service) && service->initialized)
            IOService_systemWillShutdown(service, message);
    }
    object_release(all);
}
