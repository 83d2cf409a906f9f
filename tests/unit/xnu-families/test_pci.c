/* SPDX-License-Identifier: BSD-3-Clause */
/* The PCI family: scanning, base addresses, properties, matching, message-signalled interrupts,
 * removal. */
#include "tests/unit/xnu-families/fake_pci.h"

#include <sys/mman.h>

#include "abi/IODeviceMemory.h"
#include "abi/IOMemoryMap.h"
#include "abi/IOPCI2PCIBridge.h"
#include "abi/constants/pci.h"

#include "xnu/iokit/interrupt_vectors.h"
#include "xnu/libkern/release.h"
#include "xnu/machine/log.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/traps.h"

enum { MSIX = 0x50, MSI = 0x70, TABLE_OFFSET = 0x100, TABLE_ENTRIES = 4 };

static void run(machine_thread_function *body)
{
    kernel_test_start = fake_pci_start;
    run_seeds(body, 3);
}

/* ---- helpers ---- */

static OSData *data_of(IOPCIDevice *nub, const char *key)
{
    return as_data(IORegistryEntry_getProperty_cstring(as_entry(nub), key));
}

static uint32_t word_of(IOPCIDevice *nub, const char *key, unsigned index)
{
    OSData *data = data_of(nub, key);
    uint32_t word = 0xdeadbeef;

    if (data && OSData_getLength(data) >= 4 * (index + 1))
        memcpy(&word, (const char *)OSData_getBytesNoCopy(data) + 4 * index, 4);
    return word;
}

static unsigned length_of(IOPCIDevice *nub, const char *key)
{
    return data_of(nub, key) ? OSData_getLength(data_of(nub, key)) : 0;
}

/* A network card: 64 KiB at BAR 0, MSI-X with its table there. */
static struct fake_function *add_card(unsigned device)
{
    struct fake_function *card = fake_add(device, 0x8086, 0x10d3, 0x020000);

    card->bars[0] = 0xffff0000;
    fake_put(card, 0x2c, 4, 0xa01f8086);
    fake_capability(card, kIOPCIMSIXCapability, MSIX);
    fake_put(card, MSIX + 2, 2, TABLE_ENTRIES - 1);
    fake_put(card, MSIX + 4, 4, TABLE_OFFSET);
    return card;
}

/* Backs the bridge's window with memory. */
static void back_window(void)
{
    int descriptor = memfd_create("window", 0);

    CHECK(ftruncate(descriptor, FAKE_WINDOW_SIZE) == 0);
    CHECK(machine_map_host_memory(FAKE_WINDOW, FAKE_WINDOW_SIZE, descriptor, 0, true) == 0);
    close(descriptor);
}

/* ---- properties ---- */

static void properties_body(void *unused)
{
    static const char compatible[] = "pci8086,a01f\0pci8086,10d3\0pciclass,020000";
    IOPCIDevice *nub;

    add_card(2);
    nub = fake_nub(fake_bridge(&FakeBridge_gMetaClass), 2);
    CHECK(nub != NULL);
    CHECK_STRING(IORegistryEntry_getName(as_entry(nub), NULL), "ethernet");
    CHECK_STRING(IORegistryEntry_getLocation(as_entry(nub), NULL), "2");
    CHECK(word_of(nub, "vendor-id", 0) == 0x8086 && word_of(nub, "device-id", 0) == 0x10d3);
    CHECK(word_of(nub, "revision-id", 0) == 2 && word_of(nub, "class-code", 0) == 0x020000);
    CHECK(word_of(nub, "subsystem-vendor-id", 0) == 0x8086);
    CHECK(word_of(nub, "subsystem-id", 0) == 0xa01f);
    CHECK(length_of(nub, "compatible") == sizeof(compatible));
    CHECK(memcmp(OSData_getBytesNoCopy(data_of(nub, "compatible")), compatible,
                 sizeof(compatible)) == 0);
    CHECK_STRING(OSData_getBytesNoCopy(data_of(nub, "name")), "ethernet");
    CHECK_STRING(OSString_getCStringNoCopy(
                     as_string(IORegistryEntry_getProperty_cstring(as_entry(nub), "pcidebug"))),
                 "16:2:0");
    CHECK(length_of(nub, "reg") == 2 * 20 && word_of(nub, "reg", 0) == 0x00101000);
    CHECK(word_of(nub, "reg", 5) == 0x02101010 && word_of(nub, "reg", 9) == 0x10000);
    CHECK(length_of(nub, "assigned-addresses") == 20);
    CHECK(word_of(nub, "assigned-addresses", 0) == 0x82101010);
    CHECK(word_of(nub, "assigned-addresses", 2) == (uint32_t)FAKE_WINDOW);
    CHECK(IORegistryEntry_getParentEntry(as_entry(nub), gIODTPlane) ==
          IORegistryEntry_getParentEntry(as_entry(nub->parent), gIOServicePlane));
    CHECK(IOPCIDevice_getBusNumber(nub) == FAKE_BUS && IOPCIDevice_getDeviceNumber(nub) == 2);
}

static void a_function_becomes_a_nub_with_its_properties(void **state)
{
    run(properties_body);
}

static void names_body(void *unused)
{
    IOPCIBridge *bridge;

    fake_add(0, 0x1414, 0x5353, 0x030000);
    fake_add(1, 0x1b36, 0x0010, 0x010802);
    bridge = fake_bridge(&FakeBridge_gMetaClass);
    CHECK_STRING(IORegistryEntry_getName(as_entry(fake_nub(bridge, 0)), NULL), "display");
    CHECK_STRING(IORegistryEntry_getName(as_entry(fake_nub(bridge, 1)), NULL), "pci1b36,10");
    CHECK(!data_of(fake_nub(bridge, 1), "subsystem-id") && !fake_nub(bridge, 2));
}

static void names_come_from_the_class_or_the_ids(void **state)
{
    run(names_body);
}

/* ---- base addresses ---- */

static void ranges_body(void *unused)
{
    struct fake_function *card = fake_add(0, 1, 2, 0x030000);
    IOPCIBridge *bridge;
    IOPCIDevice *nub;
    IODeviceMemory *memory;

    card->bars[0] = 0xfff00000;                  /* 1 MiB, where it is */
    fake_put(card, 0x10, 4, 0xf9400000);
    card->bars[1] = 0xfff0000c;                  /* 64 bits, prefetchable, no place yet */
    card->bars[2] = 0xffffffff;
    card->bars[3] = 0xff0f0000;                  /* no power of two */
    card->bars[4] = 0xffffff01;                  /* 256 ports */
    card->bars[5] = 0xfffff000;                  /* outside of the window: moved */
    fake_put(card, 0x24, 4, 0x12345000);
    card->rom = 0xffff0001;
    bridge = fake_bridge(&FakeBridge_gMetaClass);
    nub = fake_nub(bridge, 0);
    CHECK(length_of(nub, "assigned-addresses") == 5 * 20);
    memory = IOPCIDevice_getDeviceMemoryWithRegister(nub, 0x10);
    CHECK(IOService_getResources((IOService *)nub) == kIOReturnSuccess);
    memory = IOPCIDevice_getDeviceMemoryWithRegister(nub, 0x10);
    CHECK(memory && IOMemoryDescriptor_getPhysicalAddress((IOMemoryDescriptor *)memory) ==
                        0xf9400000);
    memory = IOPCIDevice_getDeviceMemoryWithRegister(nub, 0x14);
    CHECK(memory && IOMemoryDescriptor_getPhysicalAddress((IOMemoryDescriptor *)memory) ==
                        FAKE_HIGH_WINDOW);
    CHECK(IOMemoryDescriptor_getLength((IOMemoryDescriptor *)memory) == 0x100000);
    CHECK(!IOPCIDevice_getDeviceMemoryWithRegister(nub, 0x1c));
    memory = IOPCIDevice_getDeviceMemoryWithRegister(nub, 0x24);
    CHECK(memory && IOMemoryDescriptor_getPhysicalAddress((IOMemoryDescriptor *)memory) >=
                        FAKE_WINDOW);
    CHECK(IOPCIDevice_getDeviceMemoryWithRegister(nub, 0x30));
    CHECK(IOPCIDevice_extendedConfigRead32(nub, 0x18) == (uint32_t)(FAKE_HIGH_WINDOW >> 32));
    CHECK((IOPCIDevice_extendedConfigRead32(nub, 0x20) & ~3u) == 0x1000);
}

static void base_addresses_are_kept_or_placed(void **state)
{
    run(ranges_body);
}

static void full_body(void *unused)
{
    fake_add(0, 1, 2, 0xff0000)->bars[0] = 0xff000000; /* all of the window */
    fake_add(1, 1, 3, 0xff0000)->bars[0] = 0xfffff000;
    IOPCIBridge *bridge = fake_bridge(&FakeBridge_gMetaClass);

    CHECK(length_of(fake_nub(bridge, 0), "assigned-addresses") == 20);
    CHECK(length_of(fake_nub(bridge, 1), "assigned-addresses") == 0);
    CHECK(length_of(fake_nub(bridge, 1), "reg") == 2 * 20); /* wanted all the same */
}

static void a_full_window_leaves_functions_without_addresses(void **state)
{
    run(full_body);
}

/* ---- configuration space ---- */

static void config_body(void *unused)
{
    struct fake_function *card = add_card(0);
    uint64_t offset = 0;
    uint8_t small;
    IOPCIDevice *nub;

    fake_put(card, 0x100, 4, 0x14010001);
    fake_put(card, 0x140, 4, 0x00010003);
    fake_capability(card, kIOPCIMSICapability, MSI);
    nub = fake_nub(fake_bridge(&FakeBridge_gMetaClass), 0);
    CHECK(!IOPCIDevice_setMemoryEnable(nub, true) && IOPCIDevice_setMemoryEnable(nub, true));
    CHECK(!IOPCIDevice_setBusMasterEnable(nub, true) && card->config[4] == 6);
    CHECK(IOPCIDevice_setConfigBits(nub, 0x60, 0xff00, 0x1234) == 0 && card->config[0x61] == 0x12);
    IOPCIDevice_extendedConfigWrite16(nub, 0x3fe, 0xabcd);
    CHECK(card->config[0x3fe] == 0xcd && IOPCIDevice_extendedConfigRead8(nub, 0x3ff) == 0xab);
    CHECK(IOPCIDevice_findPCICapability(nub, kIOPCIMSICapability, &small) != 0 && small == MSI);
    CHECK(IOPCIDevice_findPCICapability(nub, kIOPCIPowerManagementCapability, &small) == 0);
    CHECK(IOPCIDevice_extendedFindPCICapability(nub, (uint32_t)-3, &offset) != 0);
    CHECK(offset == 0x140);
    CHECK(IOPCIDevice_extendedFindPCICapability(nub, (uint32_t)-3, &offset) == 0);
    card->config[MSI + 1] = MSIX;                /* a loop */
    CHECK(IOPCIDevice_findPCICapability(nub, kIOPCIPowerManagementCapability, &small) == 0);
    CHECK(IOPCIDevice_saveDeviceState(nub, 0) == kIOReturnSuccess);
    fake_put(card, 4, 2, 0);
    CHECK(IOPCIDevice_restoreDeviceState(nub, 0) == kIOReturnSuccess);
    CHECK(IOPCIDevice_hasPCIPowerManagement(nub, 0) == false);
    CHECK(IOPCIDevice_enablePCIPowerManagement(nub, 0) == kIOReturnUnsupported);
}

static void configuration_space_goes_through_the_bridge(void **state)
{
    run(config_body);
}

/* ---- matching ---- */

static void add_pci_driver(const char *name, const char *extra)
{
    char xml[2048];

    snprintf(xml, sizeof(xml),
             "<key>%s</key><dict><key>IOClass</key><string>TestDriver</string>"
             "<key>IOProviderClass</key><string>IOPCIDevice</string>"
             "<key>IOMatchCategory</key><string>%s</string>"
             "<key>TestName</key><string>%s</string>%s</dict>",
             name, name, name, extra);
    add_personalities(xml);
}

static void matching_body(void *unused)
{
    static const char *const good[] = {
        "<key>IOPCIMatch</key><string>0x12345678 0x10d38086</string>",
        "<key>IOPCIMatch</key><string>0xa01f8086</string>",
        "<key>IOPCIPrimaryMatch</key><string>0x10d00000&amp;0xfff00000</string>",
        "<key>IOPCISecondaryMatch</key><string>0xa01f8086</string>",
        "<key>IOPCIClassMatch</key><string>0x02000000</string>",
        "<key>IONameMatch</key><string>ethernet</string>",
        "<key>IONameMatch</key><array><string>x</string><string>pci8086,10d3</string></array>",
        "<key>IONameMatch</key><string>pciclass,020000</string>",
    };
    static const char *const bad[] = {
        "<key>IOPCIMatch</key><string>0x10d38087</string>",
        "<key>IOPCIPrimaryMatch</key><string>0xa01f8086</string>",
        "<key>IOPCISecondaryMatch</key><string>0x10d38086</string>",
        "<key>IOPCIClassMatch</key><string>0x03000000&amp;0xff000000</string>",
        "<key>IONameMatch</key><string>pci8086,10d4</string>",
        ("<key>IOPCIMatch</key><string>0x10d38086</string>"
         "<key>IOPCIClassMatch</key><string>0x01000000</string>"),
    };
    char name[] = "good-a";
    IOPCIDevice *nub;
    unsigned i;

    add_card(0);
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++, name[5]++)
        add_pci_driver(name, good[i]);
    memcpy(name, "fail-a", sizeof(name));
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++, name[5]++)
        add_pci_driver(name, bad[i]);
    nub = fake_nub(fake_bridge(&FakeBridge_gMetaClass), 0);
    memcpy(name, "good-a", sizeof(name));
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++, name[5]++)
        CHECK(driver_of((IOService *)nub, name) != NULL);
    memcpy(name, "fail-a", sizeof(name));
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++, name[5]++)
        CHECK(driver_of((IOService *)nub, name) == NULL);
}

static void every_matching_key_decides(void **state)
{
    run(matching_body);
}

/* ---- interrupts ---- */

static unsigned counts[TABLE_ENTRIES];

static void count_interrupt(OSObject *target, void *reference, IOService *nub, int32_t source)
{
    CHECK(machine_at_interrupt_context());
    counts[source]++;
    machine_wakeup(counts, false);
}

static bool count_becomes(unsigned source, unsigned count)
{
    uint64_t deadline = machine_uptime() + SECOND;

    while (counts[source] < count && machine_uptime() < deadline)
        machine_sleep(NULL, counts, machine_uptime() + SECOND / 10, false);
    return counts[source] == count;
}

static uint32_t table_word(unsigned entry, unsigned word)
{
    return (uint32_t)machine_mmio_read(FAKE_WINDOW + TABLE_OFFSET + 16 * entry + 4 * word, 4);
}

static void one_vector_body(void *unused)
{
    struct fake_function *card = add_card(0);
    IOService *nub;
    int32_t type;

    back_window();
    nub = (IOService *)fake_nub(fake_bridge(&FakeBridge_gMetaClass), 0);
    CHECK(IOService_getResources(nub) == kIOReturnSuccess);
    CHECK(fake_pci.asked == 0); /* nobody has looked at them */
    CHECK(IOService_getInterruptType(nub, 3, &type) == kIOReturnSuccess && type == 0x10000);
    CHECK(IOService_getInterruptType(nub, 4, &type) == kIOReturnNoInterrupt);
    CHECK(fake_pci.asked == 1 && fake_pci.vectors_asked[0] >= VECTOR_DYNAMIC_FIRST);
    CHECK(table_word(3, 0) == FAKE_MESSAGE_ADDRESS && table_word(3, 2) == FAKE_MESSAGE_DATA);
    CHECK(table_word(3, 3) == 1 && (card->config[4] & 2) == 0);
    CHECK(IOService_registerInterrupt(nub, 1, (OSObject *)nub, count_interrupt, NULL) == 0);
    CHECK(IOService_registerInterrupt(nub, 1, (OSObject *)nub, count_interrupt, NULL) ==
          kIOReturnNoResources);
    CHECK(card->config[MSIX + 3] == 0x80 && (card->config[5] & 4) && (card->config[4] & 4));
    machine_interrupt_raise(0, (unsigned)fake_pci.vectors_asked[0]);
    CHECK(!count_becomes(1, 1)); /* disabled: remembered */
    CHECK(IOService_enableInterrupt(nub, 1) == 0 && table_word(1, 3) == 0);
    CHECK(count_becomes(1, 1));
    CHECK(IOService_registerInterrupt(nub, 2, (OSObject *)nub, count_interrupt, NULL) == 0);
    CHECK(IOService_enableInterrupt(nub, 2) == 0);
    machine_interrupt_raise(0, (unsigned)fake_pci.vectors_asked[0]);
    CHECK(count_becomes(1, 2) && count_becomes(2, 1)); /* one vector serves all */
    CHECK(IOService_unregisterInterrupt(nub, 1) == 0 && card->config[MSIX + 3] == 0x80);
    CHECK(IOService_unregisterInterrupt(nub, 2) == 0 && card->config[MSIX + 3] == 0);
}

static void one_vector_serves_all_sources(void **state)
{
    run(one_vector_body);
}

static void set_word(void *nub, const char *key, uint32_t value)
{
    IORegistryEntry_setProperty_cstring_pointer(as_entry(nub), key, &value, sizeof(value));
}

static void many_vectors_body(void *unused)
{
    unsigned first, i;
    IOService *nub;

    add_card(0);
    back_window();
    nub = (IOService *)fake_nub(fake_bridge(&FakeBridge_gMetaClass), 0);
    CHECK(IOService_getResources(nub) == kIOReturnSuccess);
    set_word(nub, "pci-msi-flags", 1);
    for (i = 0; i < TABLE_ENTRIES; i++) {
        CHECK(IOService_registerInterrupt(nub, (int)i, (OSObject *)nub, count_interrupt, NULL) ==
              0);
        CHECK(IOService_enableInterrupt(nub, (int)i) == 0);
        CHECK(table_word(i, 2) == FAKE_MESSAGE_DATA + i);
    }
    first = (unsigned)fake_pci.vectors_asked[0];
    CHECK(fake_pci.asked == 1 && (first - VECTOR_DYNAMIC_FIRST) % TABLE_ENTRIES == 0);
    machine_interrupt_raise(0, first + 3);
    CHECK(count_becomes(3, 1) && count_becomes(0, 0));
    CHECK(IOService_causeInterrupt(nub, 2) == 0 && count_becomes(2, 1));
    CHECK(IOService_disableInterrupt(nub, 2) == 0);
    machine_interrupt_raise(0, first + 2);
    CHECK(!count_becomes(2, 2));
    CHECK(IOService_enableInterrupt(nub, 2) == 0 && count_becomes(2, 2));
}

static void a_function_that_asks_has_a_vector_for_each_source(void **state)
{
    run(many_vectors_body);
}

static void msi_body(void *unused)
{
    struct fake_function *card = fake_add(0, 1, 2, 0xff0000);
    IOService *nub;

    fake_capability(card, kIOPCIMSICapability, MSI);
    fake_put(card, MSI + 2, 2, 0x0080 | 2 << 1);  /* 64 bits, four messages */
    nub = (IOService *)fake_nub(fake_bridge(&FakeBridge_gMetaClass), 0);
    CHECK(IOService_getResources(nub) == kIOReturnSuccess);
    set_word(nub, "pci-msi-flags", 1);
    set_word(nub, "pci-msi-limit", 2);
    CHECK(IOService_registerInterrupt(nub, 1, (OSObject *)nub, count_interrupt, NULL) == 0);
    CHECK(IOService_registerInterrupt(nub, 2, (OSObject *)nub, count_interrupt, NULL) ==
          kIOReturnNoInterrupt);
    CHECK((card->config[MSI + 2] & 0x71) == 0x11); /* two of them, on */
    CHECK(memcmp(&card->config[MSI + 4], &(uint32_t){FAKE_MESSAGE_ADDRESS}, 4) == 0);
    CHECK(card->config[MSI + 12] == FAKE_MESSAGE_DATA);
    CHECK(IOService_enableInterrupt(nub, 1) == 0);
    machine_interrupt_raise(0, (unsigned)fake_pci.vectors_asked[0] + 1);
    CHECK(count_becomes(1, 1));
}

static void plain_messages_work_too(void **state)
{
    run(msi_body);
}

static void both_kinds_body(void *unused)
{
    struct fake_function *card = add_card(0);
    IOService *nub;

    fake_capability(card, kIOPCIMSICapability, MSI);
    fake_put(card, MSI + 2, 2, 0x0080);
    back_window();
    nub = (IOService *)fake_nub(fake_bridge(&FakeBridge_gMetaClass), 0);
    CHECK(IOService_getResources(nub) == kIOReturnSuccess);
    CHECK(IOService_registerInterrupt(nub, 0, (OSObject *)nub, count_interrupt, NULL) == 0);
    CHECK((card->config[MSI + 2] & 1) == !release_behaviour()->msix);
    CHECK((card->config[MSIX + 3] & 0x80) == (release_behaviour()->msix ? 0x80 : 0));
}

/* Which release it is, xnu-libkern/release says; the classes of this file are of 12. */
static void of_both_kinds_the_release_chooses(void **state)
{
    struct release_behaviour *behaviour = (struct release_behaviour *)release_behaviour();

    (void)state;
    run(both_kinds_body);
    behaviour->msix = false;
    run(both_kinds_body);
    behaviour->msix = true;
}

static void refused_body(void *unused)
{
    IOService *nub;
    int32_t type;

    add_card(0);
    fake_pci.interrupts_refused = true;
    nub = (IOService *)fake_nub(fake_bridge(&FakeBridge_gMetaClass), 0);
    CHECK(IOService_getResources(nub) == kIOReturnSuccess);
    CHECK(IOService_getInterruptType(nub, 0, &type) == kIOReturnNoResources);
}

static void a_refused_address_leaves_no_interrupts(void **state)
{
    run(refused_body);
}

/* ---- removal ---- */

static void removal_body(void *unused)
{
    uint64_t spurious = vectors_spurious();
    IOPCIBridge *bridge;
    IOService *nub;
    unsigned i;

    back_window();
    for (i = 0; i < 40; i++) { /* more often than there are windows or vectors for */
        struct fake_function *card = add_card(0);

        card->bars[1] = 0xff800000;
        bridge = fake_bridge(&FakeBridge_gMetaClass);
        nub = (IOService *)fake_nub(bridge, 0);
        CHECK(nub && length_of((IOPCIDevice *)nub, "assigned-addresses") == 40);
        CHECK(IOService_getResources(nub) == kIOReturnSuccess);
        set_word(nub, "pci-msi-flags", 1);
        CHECK(IOService_registerInterrupt(nub, 0, (OSObject *)nub, count_interrupt, NULL) == 0);
        CHECK(IOService_enableInterrupt(nub, 0) == 0);
        CHECK(IOService_terminate(nub, kIOServiceSynchronous | kIOServiceRequired));
        CHECK(!fake_nub(bridge, 0));
        CHECK(IOService_terminate(IOService_getProvider((IOService *)bridge),
                                  kIOServiceSynchronous | kIOServiceRequired));
    }
    machine_interrupt_raise(0, (unsigned)fake_pci.vectors_asked[0]);
    while (vectors_spurious() == spurious)
        machine_sleep(NULL, counts, machine_uptime() + SECOND / 100, false);
    CHECK(counts[0] == 0);
}

static void a_nub_that_goes_leaves_nothing_behind(void **state)
{
    run(removal_body);
}

static void class_body(void *unused)
{
    add_card(0);
    CHECK(fake_bridge(&PlainBridge_gMetaClass) == NULL);
    CHECK(fake_bridge(&FakeBridge_gMetaClass) != NULL);
}

static void from_macos_12_a_host_bridge_has_its_own_class(void **state)
{
    run(class_body);
}

/* ---- a bridge behind a bridge ---- */

struct LowerBridge {
    IOPCI2PCIBridge super;
};
typedef struct LowerBridge LowerBridge;

IOKIT_CLASS(11, LowerBridge, IOPCI2PCIBridge, )

static void refused_lower_bridge_body(void *unused)
{
    IOService *nub, *driver = (IOService *)LowerBridge_alloc();
    int32_t score = 0;
    static char log[65536];
    size_t length;
    uint64_t lost;

    add_card(0);
    nub = (IOService *)fake_nub(fake_bridge(&FakeBridge_gMetaClass), 0);
    CHECK(IORegistryEntry_init_dictionary((IORegistryEntry *)driver, NULL));
    CHECK(IOService_attach(driver, nub));
    CHECK(IOService_probe(driver, nub, &score) == NULL);
    machine_log_read(0, log, sizeof log - 1, &length, &lost);
    log[length] = '\0';
    CHECK(strstr(log, "LowerBridge: no driver for ethernet: this kernel looks for ") != NULL);
    IOService_detach(driver, nub);
    object_release(driver);
}

static void a_driver_for_a_bridge_behind_a_bridge_is_refused(void **state)
{
    run(refused_lower_bridge_body);
}

static void started_lower_bridge_body(void *unused)
{
    IOService *driver = (IOService *)LowerBridge_alloc();

    CHECK(IORegistryEntry_init_dictionary((IORegistryEntry *)driver, NULL));
    IOService_start(driver, NULL);
}

static void what_such_a_bridge_would_do_panics(void **state)
{
    kernel_test_start = fake_pci_start;
    run_panic(started_lower_bridge_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_becomes_a_nub_with_its_properties),
        cmocka_unit_test(names_come_from_the_class_or_the_ids),
        cmocka_unit_test(base_addresses_are_kept_or_placed),
        cmocka_unit_test(a_full_window_leaves_functions_without_addresses),
        cmocka_unit_test(configuration_space_goes_through_the_bridge),
        cmocka_unit_test(every_matching_key_decides),
        cmocka_unit_test(one_vector_serves_all_sources),
        cmocka_unit_test(a_function_that_asks_has_a_vector_for_each_source),
        cmocka_unit_test(plain_messages_work_too),
        cmocka_unit_test(of_both_kinds_the_release_chooses),
        cmocka_unit_test(a_refused_address_leaves_no_interrupts),
        cmocka_unit_test(a_nub_that_goes_leaves_nothing_behind),
        cmocka_unit_test(from_macos_12_a_host_bridge_has_its_own_class),
        cmocka_unit_test(a_driver_for_a_bridge_behind_a_bridge_is_refused),
        cmocka_unit_test(what_such_a_bridge_would_do_panics),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
