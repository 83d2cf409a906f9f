/* SPDX-License-Identifier: BSD-3-Clause */
/* The built-in platform expert: it drives the root of all services and makes a nub for each ACPI
 * device of the machine description and for each processor. Source: class, property and plane
 * names as a Mac's registry shows them. */
#include "abi/IOACPIPlatformDevice.h"
#include "abi/IOACPIPlatformExpert.h"
#include "abi/IODeviceMemory.h"
#include "abi/kpi/libkern.h"

#include "xnu/bsd/format.h"
#include "xnu/iokit/AppleAPICInterruptController.h"
#include "xnu/iokit/platform.h"
#include "xnu/iokit/service.h"
#include "xnu/libkern/class.h"

enum {
    NAME_ROOM = 16,
    PROPERTY_ROOM = 8,
    NUB_MAX = 128,
    SPACE_RECORD_SIZE = 0x50, /* of "acpi-address-spaces" */
    SPACE_FLAGS_FIXED = 0xc,  /* both ends fixed */
    INDEX_BITS = 32,
};

struct AppleACPIPlatformExpert {
    IOACPIPlatformExpert super;
    IOService *nubs[NUB_MAX]; /* by index of the machine description; retained */
};

static bool expert_start(IOService *me, IOService *provider);

KERNEL_CLASS(23, AppleACPIPlatformExpert, IOACPIPlatformExpert, .start = expert_start)

static const struct machine_description *machine;

void platform_set_machine(const struct machine_description *given)
{
    machine = given;
}

const struct machine_description *platform_machine(void)
{
    if (!machine)
        machine = machine_description(0);
    return machine;
}

/* ---- properties of a nub ---- */

static void set_text(IORegistryEntry *nub, const char *key, const char *text)
{
    if (text)
        IORegistryEntry_setProperty_cstring_pointer(nub, key, (void *)(uintptr_t)text,
                                                    (uint32_t)strlen(text) + 1);
}

static void set_made(IORegistryEntry *nub, const char *key, void *value)
{
    if (value)
        IORegistryEntry_setProperty_cstring_object(nub, key, value);
    object_release(value);
}

/* One specifier a line: line and flags (0: edge). The controllers' names must be symbols. */
static void set_interrupts(IORegistryEntry *nub, const struct machine_device *device)
{
    OSArray *controllers = OSArray_withCapacity(1);
    OSArray *specifiers = OSArray_withCapacity(1);
    const OSSymbol *name = OSSymbol_withCString(APIC_NAME);
    unsigned i;

    for (i = 0; controllers && specifiers && name && i < device->line_count; i++) {
        uint32_t words[2] = {device->lines[i], 0};
        OSData *data = OSData_withBytes(words, sizeof(words));

        if (!data)
            break;
        OSArray_setObject_metaclassbase(controllers, (const OSMetaClassBase *)name);
        OSArray_setObject_metaclassbase(specifiers, (OSMetaClassBase *)data);
        object_release(data);
    }
    if (device->line_count) {
        object_retain(controllers);
        object_retain(specifiers);
        set_made(nub, "IOInterruptControllers", controllers);
        set_made(nub, "IOInterruptSpecifiers", specifiers);
    }
    object_release(controllers);
    object_release(specifiers);
    object_release(name);
}

/* Memory windows become the nub's device memory, in the order of the description. */
static void set_memory(IORegistryEntry *nub, const struct machine_device *device)
{
    OSArray *memory = OSArray_withCapacity(1);
    unsigned i;

    for (i = 0; memory && i < device->window_count; i++) {
        const struct machine_window *window = &device->windows[i];
        IODeviceMemory *range;

        if (window->type != WINDOW_MEMORY)
            continue;
        range = IODeviceMemory_withRange(window->first, window->last - window->first + 1);
        if (range)
            OSArray_setObject_metaclassbase(memory, (OSMetaClassBase *)range);
        object_release(range);
    }
    if (memory && array_count(memory) > 0)
        IORegistryEntry_setProperty_symbol_object(nub, gIODeviceMemoryKey, (OSObject *)memory);
    object_release(memory);
}

static void put_word(unsigned char *record, unsigned offset, uint64_t value, unsigned size)
{
    memcpy(record + offset, &value, size); /* little-endian as the processor */
}

/* "acpi-address-spaces": what a root bridge passes on; records of 0x50 bytes. */
static void set_address_spaces(IORegistryEntry *nub, const struct machine_device *device)
{
    OSData *data = OSData_withCapacity(device->window_count * SPACE_RECORD_SIZE);
    unsigned i;

    for (i = 0; data && i < device->window_count; i++) {
        const struct machine_window *window = &device->windows[i];
        unsigned char record[SPACE_RECORD_SIZE] = {0};

        put_word(record, 0, window->type, 4);
        put_word(record, 4, SPACE_FLAGS_FIXED, 4);
        put_word(record, 0x18, window->first, 8);
        put_word(record, 0x20, window->last, 8);
        put_word(record, 0x30, window->last - window->first + 1, 8);
        OSData_appendBytes_pointer(data, record, sizeof(record));
    }
    set_made(nub, "acpi-address-spaces", data);
}

/* A PCI root bridge, or the module device that has its place in generation 2. */
static bool has_address_spaces(const struct machine_device *device)
{
    return device->hardware_id && (strcmp(device->hardware_id, "PNP0A03") == 0 ||
                                   strcmp(device->hardware_id, "ACPI0004") == 0);
}

static void set_properties(IORegistryEntry *nub, const struct machine_device *device)
{
    set_text(nub, "name", device->hardware_id ? device->hardware_id : device->name);
    set_text(nub, "compatible", device->compatible_id);
    set_text(nub, "device_type", device->type);
    if (device->unique_id)
        IORegistryEntry_setProperty_cstring_cstring(nub, "_UID", device->unique_id);
    set_interrupts(nub, device);
    set_memory(nub, device);
    if (has_address_spaces(device))
        set_address_spaces(nub, device);
}

/* ---- nubs ---- */

/* +1, initialised but not attached; NULL: no memory. */
static IOService *make_nub(IOService *platform, const struct machine_device *device)
{
    IOACPIPlatformDevice *nub = object_new(&IOACPIPlatformDevice_gMetaClass);

    if (!nub || !IOACPIPlatformDevice_init_service_pointer_dictionary(
                    nub, platform, (void *)(uintptr_t)device, NULL)) {
        object_release(nub);
        return NULL;
    }
    IORegistryEntry_setName_cstring(entry_of(nub), device->name, NULL);
    set_properties(entry_of(nub), device);
    return (IOService *)nub;
}

/* In all three planes below the device that the description names. */
static bool attach_nub(IOService *nub, IOService *above)
{
    return IOService_attach(nub, above) &&
           IORegistryEntry_attachToParent(entry_of(nub), entry_of(above), gIODTPlane) &&
           IORegistryEntry_attachToParent(entry_of(nub), entry_of(above),
                                          IORegistryEntry_getPlane("IOACPIPlane"));
}

static IOService *find_nub(AppleACPIPlatformExpert *me, const char *name)
{
    size_t i;

    for (i = 0; name && i < machine->device_count; i++) {
        if (me->nubs[i] && strcmp(machine->devices[i].name, name) == 0)
            return me->nubs[i];
    }
    return (IOService *)me;
}

/* A processor: no description row, there are as many as the machine has. */
static void make_processor(IOService *platform, unsigned number)
{
    IOACPIPlatformDevice *nub = object_new(&IOACPIPlatformDevice_gMetaClass);
    char name[NAME_ROOM];

    if (!nub || !IOACPIPlatformDevice_init_service_pointer_dictionary(nub, platform, NULL, NULL)) {
        object_release(nub);
        return;
    }
    format_text(name, sizeof(name), "CP%02u", number);
    IORegistryEntry_setName_cstring(entry_of(nub), name, NULL);
    set_text(entry_of(nub), "name", "processor");
    set_text(entry_of(nub), "device_type", "processor");
    IORegistryEntry_setProperty_cstring_number(entry_of(nub), "processor-index", number,
                                               INDEX_BITS);
    IORegistryEntry_setProperty_cstring_number(entry_of(nub), "processor-id", number, INDEX_BITS);
    if (attach_nub((IOService *)nub, platform))
        IOService_registerService((IOService *)nub, 0);
    object_release(nub);
}

void platform_create_nubs(IOService *platform)
{
    AppleACPIPlatformExpert *me = (AppleACPIPlatformExpert *)platform;
    unsigned number;
    size_t i;

    for (number = 0; number < machine_processor_count(); number++)
        make_processor(platform, number);
    for (i = 0; i < machine->device_count && i < NUB_MAX; i++) {
        const struct machine_device *device = &machine->devices[i];
        IOService *nub = make_nub(platform, device);

        if (nub && attach_nub(nub, find_nub(me, device->parent)))
            me->nubs[i] = nub; /* the registry's reference keeps it */
        object_release(nub);
    }
    for (i = 0; i < machine->device_count && i < NUB_MAX; i++) {
        if (me->nubs[i])
            IOService_registerService(me->nubs[i], 0);
    }
}

static bool expert_start(IOService *me, IOService *provider)
{
    if (!IOACPIPlatformExpert_super_start((IOACPIPlatformExpert *)me, provider))
        return false;
    if (!IORegistryEntry_attachToParent(entry_of(me), entry_of(provider), gIODTPlane) ||
        !IORegistryEntry_attachToParent(entry_of(me), IORegistryEntry_getRegistryRoot(),
                                        IORegistryEntry_getPlane("IOACPIPlane")) ||
        !apic_start((IOPlatformExpert *)me))
        return false;
    platform_create_nubs(me);
    IOService_registerService(me, 0);
    return true;
}

bool IOACPIPlatformExpert__start(IOACPIPlatformExpert *me, IOService *provider)
{
    return IODTPlatformExpert_super_start((IODTPlatformExpert *)me, provider);
}

/* Objects are the nubs' own. */
int32_t IOACPIPlatformExpert__validateObject_cstring(IOACPIPlatformExpert *me,
                                                     IOACPIPlatformDevice *device,
                                                     const char *name)
{
    return IOACPIPlatformDevice_validateObject_cstring(device, name);
}

int32_t IOACPIPlatformExpert__evaluateObject_cstring(IOACPIPlatformExpert *me,
                                                     IOACPIPlatformDevice *device,
                                                     const char *name, OSObject **result,
                                                     OSObject **parameters, uint32_t count,
                                                     uint32_t options)
{
    return IOACPIPlatformDevice_evaluateObject_cstring(device, name, result, parameters, count,
                                                       options);
}
