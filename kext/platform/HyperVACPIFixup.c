/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVACPIFixup: mends the machine's ACPI tables before Mac OS X 10.6 and older read them. It
 * competes with the ACPI platform expert for the root of all services, only so as to be asked
 * before that one starts; it never takes it.
 *
 * The tables are where the boot loader says, in "/efi/configuration-table" of the device tree. */
#include "abi/IODeviceMemory.h"
#include "abi/IOMemoryMap.h"
#include "abi/IOService.h"
#include "abi/OSData.h"
#include "abi/OSIterator.h"
#include "abi/constants/memory.h"
#include "abi/kpi/globals.h"
#include "abi/kpi/libkern.h"
#include "abi/kpi/platform.h"
#include "abi/runtime.h"
#include "kext/core/boot_arguments.h"
#include "kext/core/errors.h"
#include "kext/core/log.h"
#include "kext/core/shared_memory.h"
#include "kext/platform/acpi_tables.h"
#include "protocol/wire.h"

static const char who[] = "HyperVACPIFixup";

#define NEWEST_DARWIN 10u               /* Mac OS X 10.6 */
#define ROOT_TABLES   2048u             /* entries looked at */

/* EFI_ACPI_20_TABLE_GUID and ACPI_TABLE_GUID of the UEFI specification. */
static const struct guid table_guids[] = {
    GUID_INIT(0x8868e871, 0xe4f1, 0x11d3, 0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81),
    GUID_INIT(0xeb9d2d30, 0x2d88, 0x11d3, 0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d),
};

struct HyperVACPIFixup {
    IOService super;
};
typedef struct HyperVACPIFixup HyperVACPIFixup;

/* ---- Memory ---------------------------------------------------------------------------------- */

struct window {
    IODeviceMemory *range;
    IOMemoryMap *map;
    uint8_t *bytes;
};

static void close_window(struct window *window)
{
    iokit_release_clear(window->map);
    iokit_release_clear(window->range);
    window->bytes = NULL;
}

/* Returns 0, HV_ERROR_INVALID (not reachable) or HV_ERROR_NO_RESOURCES. */
static int open_window(struct window *window, uint64_t address, uint32_t length)
{
    *window = (struct window){ NULL };
    if (address == 0 || address + length < address ||
        (sizeof(IOPhysicalAddress) == 4 && address + length > UINT32_MAX))
        return HV_ERROR_INVALID;
    window->range = IODeviceMemory_withRange((IOPhysicalAddress)address, length);
    if (window->range != NULL)
        window->map = IOMemoryDescriptor_map_number((IOMemoryDescriptor *)window->range,
                                                    kIOMapDefaultCache);
    if (window->map == NULL) {
        close_window(window);
        return HV_ERROR_NO_RESOURCES;
    }
    window->bytes = (uint8_t *)(uintptr_t)IOMemoryMap_getVirtualAddress(window->map);
    return 0;
}

/* The whole table; a checksum that is wrong, or one of these four bytes that is: no table. */
static int open_table(struct window *window, uint64_t address, uint32_t *length)
{
    int error = open_window(window, address, ACPI_HEADER_SIZE);

    if (error != 0)
        return error;
    *length = acpi_table_length(window->bytes);
    close_window(window);
    if (*length == 0)
        return HV_ERROR_MALFORMED;
    error = open_window(window, address, *length);
    if (error == 0 && !acpi_checksum_is_good(window->bytes, *length)) {
        close_window(window);
        error = HV_ERROR_MALFORMED;
    }
    return error;
}

/* ---- Tables ---------------------------------------------------------------------------------- */

/* Mends one table if it is a DSDT or SSDT; *dsdt becomes the DSDT's address if it is the FADT. */
static uint32_t mend_table(uint64_t address, uint64_t *dsdt)
{
    struct window window;
    uint32_t length, hidden = 0;

    if (open_table(&window, address, &length) != 0)
        return 0;
    if (acpi_table_is(window.bytes, "FACP"))
        *dsdt = acpi_dsdt_of_fadt(window.bytes, length);
    else if (acpi_table_is(window.bytes, "DSDT") || acpi_table_is(window.bytes, "SSDT"))
        hidden = acpi_hide_processors(window.bytes, length);
    close_window(&window);
    return hidden;
}

static uint32_t mend_tables(uint64_t root)
{
    struct window window;
    uint32_t length, hidden = 0;
    uint64_t dsdt = 0, unused = 0;

    if (open_table(&window, root, &length) != 0)
        return 0;
    for (uint32_t i = 0; i < ROOT_TABLES && acpi_root_entry(window.bytes, length, i) != 0; i++)
        hidden += mend_table(acpi_root_entry(window.bytes, length, i), &dsdt);
    close_window(&window);
    if (dsdt != 0)
        hidden += mend_table(dsdt, &unused);
    return hidden;
}

static uint32_t mend_from_root_pointer(uint64_t address)
{
    struct acpi_roots roots = { 0, 0 };
    struct window window;
    int error = open_window(&window, address, ACPI_RSDP_SIZE_2);

    if (error == 0) {
        error = acpi_read_rsdp(window.bytes, ACPI_RSDP_SIZE_2, &roots);
        close_window(&window);
    }
    if (error != 0) {
        hv_log(who, "no ACPI root pointer at 0x%llx (error %d)", (unsigned long long)address,
               error);
        return 0;
    }
    return mend_tables(roots.xsdt != 0 ? roots.xsdt : roots.rsdt);
}

/* ---- Where they are -------------------------------------------------------------------------- */

/* The entry's "guid" says which configuration table it is, "table" where: 4 or 8 bytes. */
static uint64_t table_address(IORegistryEntry *entry, const struct guid *guid)
{
    OSData *id = iokit_cast(OSData, IORegistryEntry_getProperty_cstring(entry, "guid"));
    OSData *table = iokit_cast(OSData, IORegistryEntry_getProperty_cstring(entry, "table"));
    uint64_t address = 0;
    struct guid found;

    if (id == NULL || table == NULL || OSData_getLength(id) != sizeof found ||
        OSData_getLength(table) < 4)
        return 0;
    memcpy(&found, OSData_getBytesNoCopy(id), sizeof found);
    if (!guid_equal(&found, guid))
        return 0;
    memcpy(&address, OSData_getBytesNoCopy(table), OSData_getLength(table) < 8 ? 4 : 8);
    return address;
}

static uint64_t find_table(IORegistryEntry *configuration, const struct guid *guid)
{
    OSIterator *iterator = IORegistryEntry_getChildIterator(configuration, gIODTPlane);
    OSObject *next;
    uint64_t address = 0;

    while (address == 0 && iterator != NULL &&
           (next = OSIterator_getNextObject(iterator)) != NULL)
        address = table_address((IORegistryEntry *)next, guid);
    iokit_release(iterator);
    return address;
}

static uint64_t find_root_pointer(void)
{
    IORegistryEntry *configuration =
        IORegistryEntry_fromPath("/efi/configuration-table", gIODTPlane, NULL, NULL, NULL);
    uint64_t address = 0;

    for (uint32_t i = 0; configuration != NULL && address == 0 &&
                         i < sizeof table_guids / sizeof *table_guids; i++)
        address = find_table(configuration, &table_guids[i]);
    iokit_release(configuration);
    return address;
}

/* ---- IOService ------------------------------------------------------------------------------- */

static IOService *fixup_probe(IOService *me, IOService *provider, int32_t *score)
{
    uint64_t root_pointer;
    uint32_t hidden;

    if ((uint32_t)version_major > NEWEST_DARWIN || boot_argument_given("-hvacpifixoff"))
        return NULL;
    root_pointer = find_root_pointer();
    if (root_pointer == 0)
        return NULL;
    hidden = mend_from_root_pointer(root_pointer);
    if (hidden != 0)
        hv_log(who, "%u processor devices hidden", hidden);
    return NULL;
}

IOKIT_CLASS(15, HyperVACPIFixup, IOService,
            .probe = fixup_probe)
