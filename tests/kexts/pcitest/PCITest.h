/* SPDX-License-Identifier: BSD-3-Clause */
/* A driver of machv's PCI test device: what a driver of other people would do, checked at each
 * step. Results are properties of the driver, for make run and the benches to read. */
#ifndef TESTS_KEXTS_PCITEST_PCITEST_H
#define TESTS_KEXTS_PCITEST_PCITEST_H

#include "abi/IOBufferMemoryDescriptor.h"
#include "abi/IOMemoryMap.h"
#include "abi/IOPCIDevice.h"
#include "abi/constants.h"
#include "abi/kpi/iolib.h"
#include "abi/kpi/threads.h"
#include "abi/kpi/time.h"
#include "abi/kpi/vm.h"
#include "abi/runtime.h"
#include "protocol/pci_test_device.h"

enum { PCITEST_WAIT_MILLISECONDS = 20000 };

struct PCITest;

/* Reference constant of a source's handler. */
struct pcitest_source {
    struct PCITest *driver;
    volatile uint32_t count;
};

struct PCITest {
    IOService super;
    IOPCIDevice *device; /* the provider */
    IOMemoryMap *registers_map;
    IOMemoryMap *buffer_map;
    volatile uint32_t *registers;
    volatile uint8_t *buffer;
    IOBufferMemoryDescriptor *memory; /* for the device's DMA */
    uint8_t *bytes;
    uint64_t physical;
    uint32_t source_count;
    uint32_t registered;
    struct pcitest_source sources[PCI_TEST_VECTORS];
    uint32_t faults;
};
IOKIT_CLASS_DECLARE(7, PCITest, IOService);

#define pcitest_log(format, ...) IOLog("PCITest: " format "\n", ##__VA_ARGS__)

/* Counts and logs what is not as it should be. */
#define PCITEST_CHECK(driver, condition)                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            pcitest_log("FAILED: %s", #condition);                                                 \
            (driver)->faults++;                                                                    \
        }                                                                                          \
    } while (0)

static inline uint32_t pcitest_read(const PCITest *driver, uint32_t offset)
{
    return driver->registers[offset / 4];
}

static inline void pcitest_write(PCITest *driver, uint32_t offset, uint32_t value)
{
    driver->registers[offset / 4] = value;
}

static inline void pcitest_publish(PCITest *driver, const char *key, uint64_t value)
{
    IORegistryEntry_setProperty_cstring_number((IORegistryEntry *)driver, key, value, 64);
}

/* Registers and enables a handler for each interrupt that the device has, which counts. */
bool pcitest_start_interrupts(PCITest *driver);
void pcitest_stop_interrupts(PCITest *driver);
/* Waits until the source has interrupted `count` times. */
bool pcitest_await(PCITest *driver, uint32_t source, uint32_t count);

/* Latencies, when the boot argument -pcibench was given. */
void pcitest_measure(PCITest *driver);

#endif
