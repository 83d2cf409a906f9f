/* SPDX-License-Identifier: BSD-3-Clause */
/* IOService: its life, and its providers and clients.
 * Source of the rules: xnu iokit/Kernel/IOService.cpp. */
#include "abi/IOPlatformExpert.h"
#include "abi/IOWorkLoop.h"
#include "abi/kpi/libkern.h"

#include "xnu/iokit/panic_actions.h"
#include "xnu/iokit/service.h"

static IOService *service_root;

/* ---- life ---- */

void IOService__construct(IOService *me, const OSMetaClass *metaclass)
{
    IORegistryEntry__construct((IORegistryEntry *)me, metaclass);
    me->vtable = &IOService_table_symbol.slots;
    /* Without it init fails (IORegistryEntry.c). */
    me->reserved = kernel_allocate(sizeof(struct service_private));
}

/* From 10.10 on IOService has inits of its own; they add nothing. */
bool IOService__init_dictionary(IOService *me, OSDictionary *properties)
{
    return IORegistryEntry_super_init_dictionary((IORegistryEntry *)me, properties);
}

bool IOService__init_entry_plane(IOService *me, IORegistryEntry *from, const IORegistryPlane *plane)
{
    return IORegistryEntry_super_init_entry_plane((IORegistryEntry *)me, from, plane);
}

static void free_interrupt_sources(IOService *me)
{
    int i;

    for (i = 0; i < me->_numInterruptSources; i++)
        object_release(me->_interruptSources[i].vectorData);
    kernel_free(me->_interruptSources,
                (size_t)me->_numInterruptSources * sizeof(*me->_interruptSources));
    me->_interruptSources = NULL;
    me->_numInterruptSources = 0;
}

void IOService__free(IOService *me)
{
    struct service_private *private = service_private(me);

    panic_actions_remove(me);
    if (private) {
        while (private->attachments) {
            struct attachment *gone = private->attachments;

            private->attachments = gone->next;
            if (gone->queued)
                gone->client = NULL;
            else
                kernel_free(gone, sizeof(*gone));
        }
        service_drop_interests(me);
        service_power_free(me);
        kernel_free(private, sizeof(*private));
        me->reserved = NULL;
    }
    if (me->_interruptSources)
        free_interrupt_sources(me);
    IORegistryEntry_super_free((IORegistryEntry *)me);
}

bool IOService__serializeProperties(IOService *me, OSSerialize *serializer)
{
    return IORegistryEntry_super_serializeProperties((IORegistryEntry *)me, serializer);
}

int32_t IOService__Dispatch(IOService *me, IORPC rpc)
{
    return kIOReturnUnsupported; /* no DriverKit here */
}

/* ---- attaching ---- */

static struct attachment *find_attachment(const IOService *client, const IOService *provider)
{
    struct attachment *attachment;

    for (attachment = service_private(client)->attachments; attachment;
         attachment = attachment->next) {
        if (attachment->provider == provider)
            return attachment;
    }
    return NULL;
}

static bool add_attachment(IOService *client, IOService *provider)
{
    struct attachment *attachment = find_attachment(client, provider);

    if (attachment)
        return true;
    attachment = kernel_allocate(sizeof(*attachment));
    if (!attachment)
        return false;
    attachment->client = client;
    attachment->provider = provider;
    attachment->next = service_private(client)->attachments;
    service_private(client)->attachments = attachment;
    return true;
}

/* One that waits in the stop queue is freed there. */
static void remove_attachment(IOService *client, IOService *provider)
{
    struct attachment **link = &service_private(client)->attachments;
    struct attachment *gone;

    while (*link && (*link)->provider != provider)
        link = &(*link)->next;
    gone = *link;
    if (!gone)
        return;
    *link = gone->next;
    if (!gone->queued)
        kernel_free(gone, sizeof(*gone));
    else
        gone->client = NULL;
}

static bool attach_to_root(IOService *me)
{
    service_root = me;
    return IORegistryEntry_attachToParent(entry_of(me), IORegistryEntry_getRegistryRoot(),
                                          gIOServicePlane);
}

/* provider NULL: this is the root of all services. */
bool IOService__attach(IOService *me, IOService *provider)
{
    bool good;

    if (!provider)
        return attach_to_root(me);
    kernel_lock_take(&service_lock);
    good = !service_inactive(provider) && add_attachment(me, provider);
    if (good && !IORegistryEntry_attachToParent(entry_of(me), entry_of(provider),
                                                gIOServicePlane)) {
        remove_attachment(me, provider);
        good = false;
    }
    if (good && service_private(me)->busy > 0 && IOService_getProvider(me) == provider)
        service_adjust_busy(provider, 1);
    kernel_lock_drop(&service_lock);
    return good;
}

/* The busy count moves from the old first provider to the next one. */
static void detach_busy(IOService *me, IOService *old)
{
    IOService *new;

    if (service_private(me)->busy == 0)
        return;
    new = IOService_getProvider(me);
    if (new == old)
        return;
    service_adjust_busy(old, -1);
    if (new)
        service_adjust_busy(new, 1);
}

void IOService__detach(IOService *me, IOService *provider)
{
    bool first, last;

    object_retain(me);
    object_retain(provider);
    kernel_lock_take(&service_lock);
    first = IOService_getProvider(me) == provider;
    remove_attachment(me, provider);
    IORegistryEntry_detachFromParent(entry_of(me), entry_of(provider), gIOServicePlane);
    if (first)
        detach_busy(me, provider);
    last = (service_private(provider)->flags & SERVICE_PHASE2) && !service_has_clients(provider);
    if (service_private(me)->flags & SERVICE_TERMINATION_BUSY && !IOService_getProvider(me)) {
        service_private(me)->flags &= ~(unsigned)SERVICE_TERMINATION_BUSY;
        service_adjust_busy(me, -1);
    }
    if (last)
        service_schedule_finalize(provider);
    kernel_lock_drop(&service_lock);
    object_release(provider);
    object_release(me);
}

/* ---- relatives ---- */

IOService *IOService_getServiceRoot(void)
{
    return service_root;
}

IOService *IOService__getProvider(IOService *me)
{
    IORegistryEntry *parent = IORegistryEntry_getParentEntry(entry_of(me), gIOServicePlane);

    me->__provider = parent == IORegistryEntry_getRegistryRoot() ? NULL : (IOService *)parent;
    return me->__provider;
}

IOService *IOService__getClient(IOService *me)
{
    return (IOService *)IORegistryEntry_getChildEntry(entry_of(me), gIOServicePlane);
}

bool service_has_clients(const IOService *me)
{
    return IOService__getClient((IOService *)me) != NULL;
}

OSArray *service_copy_clients(const IOService *me)
{
    return registry_copy_links(entry_of(me), REGISTRY_CHILDREN, gIOServicePlane);
}

OSArray *service_copy_providers(const IOService *me)
{
    OSArray *providers = registry_copy_links(entry_of(me), REGISTRY_PARENTS, gIOServicePlane);
    unsigned i = providers ? array_count(providers) : 0;

    while (i-- > 0) { /* the registry's root is no service */
        if (array_at(providers, i) == IORegistryEntry_getRegistryRoot())
            OSArray_removeObject(providers, i);
    }
    return providers;
}

/* Consumes the array. */
static OSIterator *iterate(OSArray *array)
{
    OSCollectionIterator *iterator =
        array ? OSCollectionIterator_withCollection((OSCollection *)array) : NULL;

    object_release(array);
    return (OSIterator *)iterator;
}

OSIterator *IOService__getProviderIterator(IOService *me)
{
    return iterate(service_copy_providers(me));
}

OSIterator *IOService__getClientIterator(IOService *me)
{
    return iterate(service_copy_clients(me));
}

/* Only those that `me` holds open. */
OSIterator *IOService__getOpenProviderIterator(IOService *me)
{
    OSArray *providers = service_copy_providers(me);
    unsigned i = providers ? array_count(providers) : 0;

    while (i-- > 0) {
        if (!IOService_isOpen(array_at(providers, i), me))
            OSArray_removeObject(providers, i);
    }
    return iterate(providers);
}

/* Only those that hold `me` open. */
OSIterator *IOService__getOpenClientIterator(IOService *me)
{
    OSArray *clients = service_copy_clients(me);
    unsigned i = clients ? array_count(clients) : 0;

    while (i-- > 0) {
        if (!IOService_isOpen(me, array_at(clients, i)))
            OSArray_removeObject(clients, i);
    }
    return iterate(clients);
}

void IOService__applyToProviders(IOService *me, void (*applier)(IOService *, void *), void *context)
{
    OSArray *providers = service_copy_providers(me);
    unsigned i;

    for (i = 0; providers && i < array_count(providers); i++)
        applier(array_at(providers, i), context);
    object_release(providers);
}

void IOService__applyToClients(IOService *me, void (*applier)(IOService *, void *), void *context)
{
    OSArray *clients = service_copy_clients(me);
    unsigned i;

    for (i = 0; clients && i < array_count(clients); i++)
        applier(array_at(clients, i), context);
    object_release(clients);
}

/* The client with this match category, +1 or NULL. */
IOService *IOService__copyClientWithCategory(IOService *me, const OSSymbol *category)
{
    OSArray *clients = service_copy_clients(me);
    IOService *found = NULL;
    unsigned i;

    for (i = 0; clients && !found && i < array_count(clients); i++) {
        IOService *client = array_at(clients, i);

        if (service_inactive(client))
            continue;
        if (object_equal(IORegistryEntry_getProperty_symbol(entry_of(client), gIOMatchCategoryKey),
                         category))
            found = client;
    }
    if (found)
        object_retain(found);
    object_release(clients);
    return found;
}

IOService *IOService_getClientWithCategory(IOService *me, const OSSymbol *category)
{
    IOService *client = IOService_copyClientWithCategory(me, category);

    object_release(client);
    return client;
}

/* ---- what a driver asks of those above it ---- */

IOWorkLoop *IOService__getWorkLoop(IOService *me)
{
    IOService *provider = IOService_getProvider(me);

    return provider ? IOService_getWorkLoop(provider) : NULL;
}

int32_t IOService__callPlatformFunction_symbol(IOService *me, const OSSymbol *function, bool wait,
                                               void *param1, void *param2, void *param3,
                                               void *param4)
{
    IOService *provider = IOService_getProvider(me);

    if (!provider)
        return kIOReturnUnsupported;
    return IOService_callPlatformFunction_symbol(provider, function, wait, param1, param2, param3,
                                                 param4);
}

int32_t IOService__callPlatformFunction_cstring(IOService *me, const char *function, bool wait,
                                                void *param1, void *param2, void *param3,
                                                void *param4)
{
    const OSSymbol *symbol = OSSymbol_withCString(function);
    int32_t result;

    if (!symbol)
        return kIOReturnNoMemory;
    result = IOService_callPlatformFunction_symbol(me, symbol, wait, param1, param2, param3,
                                                   param4);
    object_release(symbol);
    return result;
}

/* ---- what a driver overrides; the defaults ---- */

IOService *IOService__probe(IOService *me, IOService *provider, int32_t *score)
{
    return me;
}

bool IOService__start(IOService *me, IOService *provider)
{
    return true;
}

void IOService__stop(IOService *me, IOService *provider)
{
}

int32_t IOService__requestProbe(IOService *me, uint32_t options)
{
    return kIOReturnUnsupported;
}

int32_t IOService__message(IOService *me, uint32_t type, IOService *provider, void *argument)
{
    return kIOReturnUnsupported;
}

int32_t IOService__getResources(IOService *me)
{
    return kIOReturnSuccess;
}

int32_t IOService__configureReport(IOService *me, IOReportChannelList *channels, uint32_t action,
                                   void *result, void *destination)
{
    return kIOReturnSuccess;
}

int32_t IOService__updateReport(IOService *me, IOReportChannelList *channels, uint32_t action,
                                void *result, void *destination)
{
    return kIOReturnSuccess;
}
