/* SPDX-License-Identifier: BSD-3-Clause */
/* Message-signalled interrupts: MSI, and MSI-X from 10.7 on (when a function has both, MSI-X).
 *
 * A function gets one processor vector; more, up to what it has, if its property pci-msi-flags has
 * bit 0 set (at most pci-msi-limit of them) and so many are free in one run. The platform function
 * GetMessagedInterruptAddress gives address and data of the first; the others have the same address
 * and the next data. An MSI-X function with more table entries than vectors sends them all to the
 * first: then each handler is called for each interrupt. Source: IOPCIFamily's
 * IOPCIMessagedInterruptController.cpp. */
#include "xnu/families/pci/pci_private.h"

#include "abi/IOInterruptController.h"
#include "abi/IOPlatformExpert.h"
#include "abi/kpi/libkern.h"
#include "abi/kpi/locks.h"
#include "xnu/iokit/interrupt_vectors.h"
#include "xnu/libkern/class.h"
#include "xnu/libkern/release.h"
#include "xnu/machine/traps.h"

enum {
    VECTORS = VECTOR_DYNAMIC_LAST - VECTOR_DYNAMIC_FIRST + 1,
    CONTROL_OFFSET = 2,
    MSI_ADDRESS = 4,
    MSI_WIDE = 0x80,
    MSI_ENABLE = 1,
    MSIX_ENABLE = 0x8000,
    MSIX_TABLE = 4,
    MSIX_ENTRY_SIZE = 16,
    MSIX_MASKED = 1,
    MESSAGE_WORDS = 3, /* address low, high, data */
    FLAG_RESPECT = 1,  /* of pci-msi-flags: as many as the function has */
    TYPE_MESSAGED = 0x10000,
    NUMBER_BITS = 32,
    LOCKING = 1,
};

/* One interrupt source of a nub. */
struct source {
    IOService *nub;
    int32_t number;
    OSObject *target;
    IOInterruptHandler handler; /* NULL: not registered */
    void *reference;
    volatile bool disabled;
    volatile bool pending; /* came while it was disabled */
    volatile unsigned active;
};

struct pci_messages {
    IOPCIDevice *nub;
    uint32_t capability; /* offset of it */
    bool msix;
    uint64_t table;      /* MSI-X: physical address of the entries */
    unsigned first;      /* index of the first vector in the controller */
    unsigned vectors;
    int32_t first_source;
    unsigned source_count;
    unsigned registered;
    uint32_t message[MESSAGE_WORDS];
    struct source sources[];
};

struct IOPCIMessagedInterruptController {
    IOInterruptController super;
    IORangeAllocator *free_vectors;
};

static int32_t register_source(IOInterruptController *me, IOService *nub, int32_t number,
                               void *target, IOInterruptHandler handler, void *reference);
static int32_t unregister_source(IOInterruptController *me, IOService *nub, int32_t number);
static int32_t source_type(IOInterruptController *me, IOService *nub, int32_t number,
                           int32_t *type);
static int32_t enable_source(IOInterruptController *me, IOService *nub, int32_t number);
static int32_t disable_source(IOInterruptController *me, IOService *nub, int32_t number);
static int32_t cause_source(IOInterruptController *me, IOService *nub, int32_t number);

KERNEL_CLASS(32, IOPCIMessagedInterruptController, IOInterruptController,
             .registerInterrupt_service_number_pointer_function_pointer = register_source,
             .unregisterInterrupt_service_number = unregister_source,
             .getInterruptType_service_number_numbers = source_type,
             .enableInterrupt_service_number = enable_source,
             .disableInterrupt_service_number = disable_source,
             .causeInterrupt_service_number = cause_source)

/* Sleeping; guards the one controller, registering and the capabilities. */
static struct kernel_lock messages_lock = KERNEL_LOCK("PCI messages");
static IOPCIMessagedInterruptController *controller;

/* ---- the device's side ---- */

static void set_control(const struct pci_messages *messages, uint16_t mask, uint16_t value)
{
    uint64_t offset = messages->capability + CONTROL_OFFSET;
    uint16_t control = IOPCIDevice_extendedConfigRead16(messages->nub, offset);

    IOPCIDevice_extendedConfigWrite16(messages->nub, offset,
                                      (uint16_t)((control & ~mask) | (value & mask)));
}

static uint16_t set_memory_decoding(IOPCIDevice *nub)
{
    uint16_t command = IOPCIDevice_extendedConfigRead16(nub, kIOPCIConfigCommand);

    if (!(command & kIOPCICommandMemorySpace))
        IOPCIDevice_extendedConfigWrite16(nub, kIOPCIConfigCommand,
                                          command | kIOPCICommandMemorySpace);
    (void)IOPCIDevice_extendedConfigRead16(nub, kIOPCIConfigCommand); /* the write has arrived */
    return command;
}

static void restore_memory_decoding(IOPCIDevice *nub, uint16_t command)
{
    if (!(command & kIOPCICommandMemorySpace))
        IOPCIDevice_extendedConfigWrite16(nub, kIOPCIConfigCommand, command);
}

/* One word of an MSI-X entry; the function must decode memory. */
static void write_entry(const struct pci_messages *messages, unsigned entry, unsigned word,
                        uint32_t value)
{
    if (messages->table != 0)
        machine_mmio_write(messages->table + entry * MSIX_ENTRY_SIZE + word * 4, 4, value);
}

static void mask_entry(const struct pci_messages *messages, unsigned entry, bool masked)
{
    uint16_t command;

    if (!messages->msix)
        return;
    command = set_memory_decoding(messages->nub);
    write_entry(messages, entry, 3, masked ? MSIX_MASKED : 0);
    restore_memory_decoding(messages->nub, command);
}

static void write_table(const struct pci_messages *messages)
{
    uint16_t command = set_memory_decoding(messages->nub);
    unsigned i;

    for (i = 0; i < messages->source_count; i++) {
        write_entry(messages, i, 0, messages->message[0]);
        write_entry(messages, i, 1, messages->message[1]);
        write_entry(messages, i, 2, messages->message[2] + (i < messages->vectors ? i : 0));
        write_entry(messages, i, 3, MSIX_MASKED);
    }
    restore_memory_decoding(messages->nub, command);
    set_control(messages, MSIX_ENABLE, 0);
}

static void write_message(const struct pci_messages *messages)
{
    IOPCIDevice *nub = messages->nub;
    uint64_t offset = messages->capability + MSI_ADDRESS;
    uint16_t control =
        IOPCIDevice_extendedConfigRead16(nub, messages->capability + CONTROL_OFFSET);
    unsigned shift = (unsigned)__builtin_ctz(messages->vectors);

    IOPCIDevice_extendedConfigWrite32(nub, offset, messages->message[0]);
    if (control & MSI_WIDE)
        IOPCIDevice_extendedConfigWrite32(nub, offset += 4, messages->message[1]);
    IOPCIDevice_extendedConfigWrite16(nub, offset + 4, (uint16_t)messages->message[2]);
    set_control(messages, 7 << 4 | MSI_ENABLE, (uint16_t)(shift << 4));
}

/* The first handler turns the capability and the function's mastership on, the last one off. */
static void count_registered(struct pci_messages *messages, int change)
{
    uint16_t enable = messages->msix ? MSIX_ENABLE : MSI_ENABLE;
    uint32_t command = kIOPCICommandInterruptDisable | kIOPCICommandBusMaster;
    unsigned before = messages->registered;

    messages->registered += (unsigned)change;
    if (IOService_isInactive((IOService *)messages->nub))
        return;
    if (before == 0) {
        set_control(messages, enable, enable);
        IOPCIDevice_setConfigBits(messages->nub, kIOPCIConfigCommand, command, command);
    } else if (messages->registered == 0) {
        set_control(messages, enable, 0);
    }
}

/* ---- arrival, in interrupt context ---- */

static void deliver(struct source *source)
{
    IOInterruptHandler handler;

    __atomic_fetch_add(&source->active, 1, __ATOMIC_SEQ_CST);
    handler = source->handler;
    if (handler && !source->disabled)
        handler(source->target, source->reference, source->nub, source->number);
    else
        source->pending = true;
    __atomic_fetch_sub(&source->active, 1, __ATOMIC_SEQ_CST);
}

static void interrupt(void *context, unsigned vector)
{
    struct pci_messages *messages = context;
    unsigned index = vector - VECTOR_DYNAMIC_FIRST - messages->first, i;

    if (messages->vectors == messages->source_count) {
        deliver(&messages->sources[index]);
        return;
    }
    for (i = 0; i < messages->source_count; i++)
        deliver(&messages->sources[i]);
}

/* ---- the controller's side ---- */

/* The nub's source, or NULL. */
static struct source *source_of(IOService *service, int32_t number, struct pci_messages **messages)
{
    IOPCIDevice *nub = object_cast(service, &IOPCIDevice_gMetaClass);
    unsigned index;

    *messages = nub ? nub_state(nub)->messages : NULL;
    if (!*messages)
        return NULL;
    index = (unsigned)(number - (*messages)->first_source);
    return index < (*messages)->source_count ? &(*messages)->sources[index] : NULL;
}

static void wait_inactive(const struct source *source)
{
    while (source->active && !machine_at_interrupt_context())
        machine_yield();
}

static int32_t register_source(IOInterruptController *me, IOService *nub, int32_t number,
                               void *target, IOInterruptHandler handler, void *reference)
{
    struct pci_messages *messages;
    struct source *source = source_of(nub, number, &messages);
    int32_t result = kIOReturnSuccess;

    if (!source || !handler)
        return source ? kIOReturnBadArgument : kIOReturnNoInterrupt;
    kernel_lock_take(&messages_lock);
    if (source->handler) {
        result = kIOReturnNoResources;
    } else {
        source->nub = nub;
        source->number = number;
        source->target = target;
        source->reference = reference;
        source->disabled = true;
        source->pending = false;
        __atomic_store_n(&source->handler, handler, __ATOMIC_RELEASE);
        count_registered(messages, 1);
    }
    kernel_lock_drop(&messages_lock);
    return result;
}

static int32_t unregister_source(IOInterruptController *me, IOService *nub, int32_t number)
{
    struct pci_messages *messages;
    struct source *source = source_of(nub, number, &messages);

    if (!source)
        return kIOReturnNoInterrupt;
    kernel_lock_take(&messages_lock);
    if (source->handler) {
        source->disabled = true;
        if (!IOService_isInactive((IOService *)messages->nub))
            mask_entry(messages, (unsigned)(source - messages->sources), true);
        source->handler = NULL;
        wait_inactive(source);
        count_registered(messages, -1);
    }
    kernel_lock_drop(&messages_lock);
    return kIOReturnSuccess;
}

static int32_t source_type(IOInterruptController *me, IOService *nub, int32_t number,
                           int32_t *type)
{
    struct pci_messages *messages;

    if (!type)
        return kIOReturnBadArgument;
    if (!source_of(nub, number, &messages))
        return kIOReturnNoInterrupt;
    *type = kIOInterruptTypeEdge | TYPE_MESSAGED;
    return kIOReturnSuccess;
}

static void raise(const struct pci_messages *messages, const struct source *source)
{
    unsigned index = (unsigned)(source - messages->sources);

    machine_interrupt_raise(0, VECTOR_DYNAMIC_FIRST + messages->first +
                                   (index < messages->vectors ? index : 0));
}

static int32_t enable_source(IOInterruptController *me, IOService *nub, int32_t number)
{
    struct pci_messages *messages;
    struct source *source = source_of(nub, number, &messages);

    if (!source)
        return kIOReturnNoInterrupt;
    source->disabled = false;
    mask_entry(messages, (unsigned)(source - messages->sources), false);
    if (__atomic_exchange_n(&source->pending, false, __ATOMIC_SEQ_CST))
        raise(messages, source);
    return kIOReturnSuccess;
}

static int32_t disable_source(IOInterruptController *me, IOService *nub, int32_t number)
{
    struct pci_messages *messages;
    struct source *source = source_of(nub, number, &messages);

    if (!source)
        return kIOReturnNoInterrupt;
    source->disabled = true;
    wait_inactive(source);
    return kIOReturnSuccess;
}

static int32_t cause_source(IOInterruptController *me, IOService *nub, int32_t number)
{
    struct pci_messages *messages;
    struct source *source = source_of(nub, number, &messages);

    if (!source)
        return kIOReturnNoInterrupt;
    raise(messages, source);
    return kIOReturnSuccess;
}

/* Makes the one controller when it is first needed; the lock is held. */
static bool make_controller(void)
{
    IOPCIMessagedInterruptController *made;
    OSSymbol *name;
    bool good;

    if (controller)
        return true;
    made = IOPCIMessagedInterruptController_alloc();
    name = (OSSymbol *)OSSymbol_withCString("IOPCIMessagedInterruptController");
    good = made && name && IORegistryEntry_init_dictionary(entry_of(made), NULL) &&
           (made->free_vectors = IORangeAllocator_withRange(VECTORS - 1, 0, VECTORS, LOCKING)) &&
           IOService_attach((IOService *)made, (IOService *)IOService_getPlatform());
    if (good) {
        IORegistryEntry_setProperty_cstring_number(entry_of(made), "Base Vector Number",
                                                   VECTOR_DYNAMIC_FIRST, NUMBER_BITS);
        IORegistryEntry_setProperty_cstring_number(entry_of(made), "Vector Count", VECTORS,
                                                   NUMBER_BITS);
        IORegistryEntry_setProperty_cstring_object(entry_of(made), "InterruptControllerName",
                                                   (OSObject *)name);
        IOPlatformExpert_registerInterruptController(IOService_getPlatform(), name,
                                                     (IOInterruptController *)made);
        IOService_registerService((IOService *)made, 0);
        controller = made;
    } else {
        object_release(made);
    }
    object_release(name);
    return good;
}

/* ---- allocation ---- */

static uint32_t property_word(IOPCIDevice *nub, const char *key, uint32_t otherwise)
{
    OSData *data = as_data(IORegistryEntry_getProperty_cstring(entry_of(nub), key));
    uint32_t word;

    if (!data || OSData_getLength(data) < sizeof(word))
        return otherwise;
    memcpy(&word, OSData_getBytesNoCopy(data), sizeof(word));
    return word;
}

/* The physical address of the MSI-X table; 0: in no memory that the nub has. */
static uint64_t table_address(IOPCIDevice *nub, uint32_t capability)
{
    uint32_t table = IOPCIDevice_extendedConfigRead32(nub, capability + MSIX_TABLE);
    unsigned index = table & 7;
    const struct pci_range *range = &nub_state(nub)->ranges[index];

    if (index >= PCI_BASE_ADDRESSES || range->start == 0 || (table & ~7u) >= range->size)
        return 0;
    return range->start + (table & ~7u);
}

/* The capability to use; false: the function has none. */
static bool read_capability(IOPCIDevice *nub, struct pci_messages *wanted)
{
    uint16_t control;
    uint8_t offset;

    wanted->msix = release_behaviour()->msix &&
                   IOPCIDevice_findPCICapability(nub, kIOPCIMSIXCapability, &offset) != 0;
    if (!wanted->msix && !IOPCIDevice_findPCICapability(nub, kIOPCIMSICapability, &offset))
        return false;
    wanted->capability = offset;
    control = IOPCIDevice_extendedConfigRead16(nub, (uint64_t)offset + CONTROL_OFFSET);
    wanted->source_count = wanted->msix ? (control & 0x7ffu) + 1 : 1u << (control >> 1 & 7);
    wanted->table = wanted->msix ? table_address(nub, offset) : 0;
    return true;
}

/* How many vectors to try for; narrows the number of sources of MSI, where they are the same. */
static void count_vectors(IOPCIDevice *nub, struct pci_messages *wanted)
{
    uint32_t limit = property_word(nub, "pci-msi-limit", UINT32_MAX);

    wanted->vectors = 1;
    if (property_word(nub, "pci-msi-flags", 0) & FLAG_RESPECT) {
        if (limit != 0 && wanted->source_count > limit)
            wanted->source_count = limit;
        wanted->vectors = wanted->source_count;
    }
}

/* A run of free vectors aligned to its length, fewer if there is no such run. */
static bool take_vectors(struct pci_messages *wanted)
{
    uint64_t first = 0;

    if (wanted->vectors > VECTORS)
        wanted->vectors = 1;
    while (wanted->vectors > 0 &&
           !IORangeAllocator_allocate(controller->free_vectors, wanted->vectors, &first,
                                      wanted->vectors))
        wanted->vectors = wanted->msix ? wanted->vectors - 1 : wanted->vectors / 2;
    wanted->first = (unsigned)first;
    if (!wanted->msix)
        wanted->source_count = wanted->vectors;
    return wanted->vectors > 0;
}

static int32_t ask_platform(IOPCIDevice *nub, struct pci_messages *wanted)
{
    uintptr_t vector = VECTOR_DYNAMIC_FIRST + wanted->first;

    return IOService_callPlatformFunction_cstring((IOService *)nub, "GetMessagedInterruptAddress",
                                                  false, nub, NULL, (void *)vector,
                                                  wanted->message);
}

/* Names the controller once a source; specifiers are vector and flags. */
static bool publish_sources(const struct pci_messages *messages)
{
    OSArray *controllers = OSArray_withCapacity(messages->source_count);
    OSArray *specifiers = OSArray_withCapacity(messages->source_count);
    OSObject *name = IORegistryEntry_getProperty_cstring(entry_of(controller),
                                                         "InterruptControllerName");
    bool good = controllers && specifiers && name;
    unsigned i;

    for (i = 0; good && i < messages->source_count; i++) {
        uint32_t words[2] = {messages->first + (i < messages->vectors ? i : 0),
                             kIOInterruptTypeEdge | TYPE_MESSAGED};
        OSData *data = OSData_withBytes(words, sizeof(words));

        good = data && OSArray_setObject_metaclassbase(specifiers, (OSMetaClassBase *)data) &&
               OSArray_setObject_metaclassbase(controllers, (OSMetaClassBase *)name);
        object_release(data);
    }
    if (good) {
        IORegistryEntry_setProperty_symbol_object(entry_of(messages->nub),
                                                  gIOInterruptControllersKey,
                                                  (OSObject *)controllers);
        IORegistryEntry_setProperty_symbol_object(entry_of(messages->nub),
                                                  gIOInterruptSpecifiersKey,
                                                  (OSObject *)specifiers);
    }
    object_release(controllers);
    object_release(specifiers);
    return good;
}

static size_t size_of(const struct pci_messages *messages)
{
    return sizeof(*messages) + messages->source_count * sizeof(messages->sources[0]);
}

static bool install(struct pci_messages *messages)
{
    unsigned i;

    for (i = 0; i < messages->vectors; i++)
        if (!vector_set_handler(VECTOR_DYNAMIC_FIRST + messages->first + i, interrupt, messages))
            break;
    if (i == messages->vectors && publish_sources(messages)) {
        if (messages->msix)
            write_table(messages);
        else
            write_message(messages);
        return true;
    }
    while (i-- > 0)
        vector_clear_handler(VECTOR_DYNAMIC_FIRST + messages->first + i);
    return false;
}

static int32_t allocate(IOPCIDevice *nub)
{
    struct pci_messages wanted = {.nub = nub}, *messages = NULL;
    int32_t result;

    if (nub_state(nub)->messages)
        return kIOReturnSuccess;
    if (!read_capability(nub, &wanted))
        return kIOReturnUnsupported;
    if (!make_controller())
        return kIOReturnNoMemory;
    count_vectors(nub, &wanted);
    if (!take_vectors(&wanted))
        return kIOReturnNoSpace;
    result = ask_platform(nub, &wanted);
    if (result == kIOReturnSuccess) {
        messages = kernel_allocate(size_of(&wanted));
        if (messages)
            *messages = wanted;
        if (messages && install(messages)) {
            nub_state(nub)->messages = messages;
            return kIOReturnSuccess;
        }
        kernel_free(messages, size_of(&wanted));
        result = kIOReturnNoMemory;
    }
    IORangeAllocator_deallocate(controller->free_vectors, wanted.first, wanted.vectors);
    return result;
}

int32_t pci_messages_allocate(IOPCIDevice *nub)
{
    int32_t result;

    kernel_lock_take(&messages_lock);
    result = allocate(nub);
    kernel_lock_drop(&messages_lock);
    return result;
}

void pci_messages_free(IOPCIDevice *nub)
{
    struct pci_messages *messages;
    unsigned i;

    kernel_lock_take(&messages_lock);
    messages = nub_state(nub)->messages;
    nub_state(nub)->messages = NULL;
    if (messages) {
        for (i = 0; i < messages->vectors; i++)
            vector_clear_handler(VECTOR_DYNAMIC_FIRST + messages->first + i);
        IORangeAllocator_deallocate(controller->free_vectors, messages->first, messages->vectors);
        kernel_free(messages, size_of(messages));
    }
    kernel_lock_drop(&messages_lock);
}
