/* SPDX-License-Identifier: BSD-3-Clause */
/* The platform pieces on the user-space kernel: processors that are too many for Mac OS X 10.4, the
 * ACPI tables that 10.6 does not bear, a nub's interrupt, and sleep. */
#include "tests/pair/pair_guest.h"

#include "abi/IOACPIPlatformDevice.h"
#include "abi/IOBufferMemoryDescriptor.h"
#include "abi/IOInterruptEventSource.h"
#include "abi/IOMemoryDescriptor.h"
#include "abi/IOPMrootDomain.h"
#include "abi/IOPlatformExpert.h"
#include "abi/IOWorkLoop.h"
#include "abi/OSData.h"
#include "abi/OSString.h"
#include "abi/OSSymbol.h"
#include "abi/kpi/globals.h"
#include "abi/kpi/vm.h"
#include "abi/runtime.h"
#include "kext/core/device.h"
#include "kext/core/dma_memory.h"
#include "xnu/iokit/startup.h"

/* The kernel's own: a test is another release by writing it. */
extern int kernel_version_major __asm("_version_major");

enum { TIGER = 8, LEOPARD = 9, SNOW_LEOPARD = 10, LION = 11, QUIET = 10 };

static void *new_object(const char *class_name)
{
    OSString *name = OSString_withCString(class_name);
    OSObject *object = OSMetaClass_allocClassWithName_string(name);

    iokit_release(name);
    return object;
}

static IORegistryEntry *new_entry(const char *name, IORegistryEntry *parent)
{
    IORegistryEntry *entry = new_object("IOService");

    IORegistryEntry_init_dictionary(entry, NULL);
    IORegistryEntry_setName_cstring(entry, name, gIODTPlane);
    IORegistryEntry_attachToParent(entry, parent, gIODTPlane);
    return entry;
}

/* ---- HyperVCPU ---- */

static IOService *publish_processor(uint32_t index)
{
    IOService *platform = (IOService *)IOService_getPlatform();
    IOService *nub = new_object("IOACPIPlatformDevice");
    IORegistryEntry *entry = (IORegistryEntry *)nub;

    IOACPIPlatformDevice_init_service_pointer_dictionary((IOACPIPlatformDevice *)nub, platform,
                                                         NULL, NULL);
    IORegistryEntry_setName_cstring(entry, "processor", NULL);
    IORegistryEntry_setProperty_cstring_cstring(entry, "name", "processor");
    IORegistryEntry_setProperty_cstring_number(entry, "cpu index", index, 32);
    IOService_attach(nub, platform);
    IOService_registerService(nub, 0);
    return nub;
}

static bool is_taken(IOService *nub)
{
    return IOService_getClient(nub) != NULL;
}

static void surplus_processors(struct pair *pair)
{
    IOService *few, *many;

    kernel_version_major = TIGER;
    few = publish_processor(15);
    many = publish_processor(16);
    PAIR_CHECK(pair, xnu_wait_quiet(QUIET * PAIR_SECOND));
    PAIR_CHECK(pair, !is_taken(few));
    PAIR_CHECK(pair, is_taken(many));
    kernel_version_major = LEOPARD;
    PAIR_CHECK(pair, !is_taken(publish_processor(17)));
    PAIR_CHECK(pair, xnu_wait_quiet(QUIET * PAIR_SECOND));
}

static void processors_that_tiger_has_no_room_for_are_taken(void **state)
{
    const struct pair_options options = { .release = "2022" };

    (void)state;
    pair_run(&options, surplus_processors, 2);
}

/* ---- HyperVACPIFixup ---- */

#define TABLES 0x1000u

struct memory {
    IOBufferMemoryDescriptor *descriptor;
    uint8_t *bytes;
    uint64_t physical;
};

static struct memory memory;

static void put(uint32_t at, uint64_t value, uint32_t size)
{
    memcpy(memory.bytes + at, &value, size);
}

static void finish_table(uint32_t at, uint32_t length, uint32_t checksum)
{
    uint8_t sum = 0;

    memory.bytes[at + checksum] = 0;
    for (uint32_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + memory.bytes[at + i]);
    memory.bytes[at + checksum] = (uint8_t)-sum;
}

static void begin_table(uint32_t at, const char *signature, uint32_t length)
{
    memcpy(memory.bytes + at, signature, 4);
    put(at + 4, length, 4);
}

enum { RSDP = 0, XSDT = 0x100, FADT = 0x200, SSDT = 0x400, DSDT = 0x600 };

static const char processor[] = "\x5B\x82\x1CP001\x08_HID\x0D" "ACPI0007\0\x08_UID\x01";

/* RSDP -> XSDT -> FADT -> DSDT, and an SSDT; a processor in both of the last. */
static void make_tables(void)
{
    memory.descriptor = IOBufferMemoryDescriptor_inTaskWithPhysicalMask(
        kernel_task, kIODirectionInOut | kIOMemoryPhysicallyContiguous, TABLES,
        UINT64_C(0xFFFFF000));
    memory.bytes = IOBufferMemoryDescriptor_getBytesNoCopy(memory.descriptor);
    memory.physical = dma_physical_address((IOMemoryDescriptor *)memory.descriptor, 0);
    memset(memory.bytes, 0, TABLES);
    memcpy(memory.bytes, "RSD PTR ", 8);
    memory.bytes[15] = 2;
    put(24, memory.physical + XSDT, 8);
    finish_table(RSDP, 20, 8);
    finish_table(RSDP, 36, 32);
    begin_table(XSDT, "XSDT", 36 + 24);
    put(XSDT + 36, memory.physical + FADT, 8);
    put(XSDT + 44, memory.physical + SSDT, 8);
    finish_table(XSDT, 36 + 24, 9);
    begin_table(FADT, "FACP", 244);
    put(FADT + 140, memory.physical + DSDT, 8);
    finish_table(FADT, 244, 9);
    for (uint32_t at = SSDT; at <= DSDT; at += DSDT - SSDT) {
        begin_table(at, at == SSDT ? "SSDT" : "DSDT", 36 + sizeof processor + 1);
        memcpy(memory.bytes + at + 36, processor, sizeof processor);
        finish_table(at, 36 + sizeof processor + 1, 9);
    }
}

/* As a boot loader describes it. */
static void make_configuration_table(void)
{
    static const uint8_t guid[16] = { 0x71, 0xe8, 0x68, 0x88, 0xf1, 0xe4, 0xd3, 0x11,
                                      0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 };
    uint64_t address = memory.physical;
    IORegistryEntry *root = IORegistryEntry_fromPath("/", gIODTPlane, NULL, NULL, NULL);
    IORegistryEntry *efi = new_entry("efi", root), *table = new_entry("configuration-table", efi);
    IORegistryEntry *acpi = new_entry("8868E871-E4F1-11D3-BC22-0080C73C8881", table);

    IORegistryEntry_setProperty_cstring_pointer(acpi, "guid", (void *)(uintptr_t)guid, sizeof guid);
    IORegistryEntry_setProperty_cstring_pointer(acpi, "table", &address, sizeof address);
    iokit_release(root);
}

static bool is_hidden(uint32_t at)
{
    return memory.bytes[at + 36] == 0x08 && memcmp(memory.bytes + at + 37, "P001\x11", 5) == 0;
}

static void ask_fixup(struct pair *pair)
{
    IOService *fixup = new_object("HyperVACPIFixup");
    int32_t score = 0;

    IORegistryEntry_init_dictionary((IORegistryEntry *)fixup, NULL);
    PAIR_CHECK(pair, IOService_probe(fixup, (IOService *)IOService_getPlatform(), &score) == NULL);
    iokit_release(fixup);
}

static void old_tables(struct pair *pair)
{
    kernel_version_major = SNOW_LEOPARD;
    ask_fixup(pair);            /* no tables: nothing happens */
    make_tables();
    make_configuration_table();
    kernel_version_major = LION;
    ask_fixup(pair);
    PAIR_CHECK(pair, !is_hidden(SSDT) && !is_hidden(DSDT));
    kernel_version_major = SNOW_LEOPARD;
    memory.bytes[SSDT + 20]++;  /* a table that is damaged stays as it is */
    ask_fixup(pair);
    PAIR_CHECK(pair, !is_hidden(SSDT) && is_hidden(DSDT));
    memory.bytes[SSDT + 20]--;
    ask_fixup(pair);
    PAIR_CHECK(pair, is_hidden(SSDT));
    put(24, 0, 8);              /* nor does a root pointer to nowhere harm */
    put(16, UINT32_MAX, 4);
    finish_table(RSDP, 20, 8);
    finish_table(RSDP, 36, 32);
    memory.bytes[3] ^= 1;
    ask_fixup(pair);
}

static void processors_are_hidden_in_snow_leopards_tables(void **state)
{
    const struct pair_options options = { .release = "2022" };

    (void)state;
    pair_run_seed(&options, old_tables, 1);
}

/* ---- a nub's interrupt ---- */

static unsigned interrupts;

static IOInterruptController *controller_named(const char *text)
{
    const OSSymbol *name = OSSymbol_withCString(text);
    IOInterruptController *found =
        IOPlatformExpert_lookUpInterruptController(IOService_getPlatform(), (OSSymbol *)name);

    iokit_release(name);
    return found;
}

static void interrupted(OSObject *owner, IOInterruptEventSource *source, int32_t count)
{
    interrupts++;
}

static void nub_interrupt(struct pair *pair)
{
    IOWorkLoop *loop = IOWorkLoop_workLoop();
    OSDictionary *matching = IOService_serviceMatching_cstring("HyperVVMBusDevice", NULL);
    HyperVVMBusDevice *device = (HyperVVMBusDevice *)IOService_waitForService(matching, NULL);
    IOService *nub = (IOService *)device;
    IOInterruptEventSource *source =
        IOInterruptEventSource_interruptEventSource((OSObject *)nub, interrupted, nub, 0);
    int32_t type = -1;

    PAIR_CHECK(pair, device->vector != 0 &&
                         device->bus->vectors[device_offer(device)->channel_id] == device->vector);
    PAIR_CHECK(pair, controller_named(INTERRUPT_CONTROLLER_NAME) ==
                         &device->bus->interrupts->super);
    PAIR_CHECK(pair, IOService_getInterruptType(nub, 0, &type) == kIOReturnSuccess && type == 0);
    PAIR_CHECK(pair, IOService_getInterruptType(nub, 1, &type) == kIOReturnNoInterrupt);
    PAIR_CHECK(pair, source != NULL);
    PAIR_CHECK(pair, IOService_registerInterrupt(nub, 0, NULL, (IOInterruptAction)interrupted,
                                                 NULL) == kIOReturnNoResources);
    PAIR_CHECK(pair, IOWorkLoop_addEventSource(loop, (IOEventSource *)source) == kIOReturnSuccess);
    interrupt_controller_raise(device->bus->interrupts, device->vector); /* before the enable */
    pair_sleep(PAIR_SECOND / 10);
    PAIR_CHECK(pair, interrupts == 0);
    IOEventSource_enable((IOEventSource *)source);
    pair_sleep(PAIR_SECOND / 10);
    PAIR_CHECK(pair, interrupts == 1);
    interrupt_controller_raise(device->bus->interrupts, device->vector);
    pair_sleep(PAIR_SECOND / 10);
    PAIR_CHECK(pair, interrupts == 2);
    IOWorkLoop_removeEventSource(loop, (IOEventSource *)source);
    iokit_release(source);
    interrupt_controller_raise(device->bus->interrupts, device->vector); /* nobody has it */
    PAIR_CHECK(pair, interrupts == 2);
    iokit_release(loop);
}

static void a_family_can_have_the_nubs_interrupt(void **state)
{
    const struct pair_options options = { .release = "2022" };

    (void)state;
    pair_run(&options, nub_interrupt, 3);
}

/* ---- auto-EOI ---- */

static bool auto_eoi_expected;

static void auto_eoi(struct pair *pair)
{
    for (unsigned processor = 0; processor < 2; processor++) {
        uint64_t sint = pair_host_sint(pair->host, processor, HV_SINT_VMBUS);

        PAIR_CHECK(pair, ((sint & HV_SINT_AUTO_EOI) != 0) == auto_eoi_expected);
        PAIR_CHECK(pair, (sint & HV_SINT_MASKED) == 0 && (sint & 0xFF) >= HV_SINT_VECTOR_MINIMUM);
    }
    pair_sleep(5 * PAIR_SECOND);
    PAIR_CHECK(pair, pair_host_heartbeats(pair->host) >= 2);
}

static void auto_eoi_is_as_the_hypervisor_recommends(void **state)
{
    static const struct {
        const char *release;
        bool expected;
    } hosts[] = { { "2008r2", true }, { "2012r2", true }, { "2016", false }, { "2022", false } };

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        const struct pair_options options = { .release = hosts[i].release };

        auto_eoi_expected = hosts[i].expected;
        pair_run_seed(&options, auto_eoi, 1);
    }
}

/* ---- sleep ---- */

static void sleep_body(struct pair *pair)
{
    IOPMrootDomain *root = IOService_getPMRootDomain();

    PAIR_CHECK(pair, IOPMrootDomain_sleepSystem(root) == kIOReturnUnsupported);
    /* The kernel would offer it. */
    PAIR_CHECK(pair, IORegistryEntry_getProperty_cstring((IORegistryEntry *)root,
                                                         "IOSleepSupported") == NULL);
    IOPMrootDomain_receivePowerNotification(root, kIOPMAllowSleep);
    PAIR_CHECK(pair, IORegistryEntry_getProperty_cstring((IORegistryEntry *)root,
                                                         "IOSleepSupported") != NULL);
}

static void a_guest_does_not_sleep(void **state)
{
    const struct pair_options options = { .release = "2022" };

    (void)state;
    pair_run_seed(&options, sleep_body, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(processors_that_tiger_has_no_room_for_are_taken),
        cmocka_unit_test(processors_are_hidden_in_snow_leopards_tables),
        cmocka_unit_test(a_family_can_have_the_nubs_interrupt),
        cmocka_unit_test(auto_eoi_is_as_the_hypervisor_recommends),
        cmocka_unit_test(a_guest_does_not_sleep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
