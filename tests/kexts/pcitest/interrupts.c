/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupts of the test device, counted in primary interrupt context; and how fast all is. */
#include "tests/kexts/pcitest/PCITest.h"

#include "abi/kpi/platform.h"

enum { ROUNDS = 2000, BURST = 4096 };

static void interrupted(OSObject *target, void *reference, IOService *nub, int32_t number)
{
    struct pcitest_source *source = reference;

    __atomic_fetch_add(&source->count, 1, __ATOMIC_SEQ_CST);
    thread_wakeup((event_t)&source->count);
}

bool pcitest_start_interrupts(PCITest *driver)
{
    IOService *nub = (IOService *)driver->device;
    int32_t type;

    while (driver->source_count < PCI_TEST_VECTORS &&
           IOService_getInterruptType(nub, (int32_t)driver->source_count, &type) ==
               kIOReturnSuccess)
        driver->source_count++;
    for (uint32_t i = 0; i < driver->source_count; i++, driver->registered++) {
        driver->sources[i].driver = driver;
        if (IOService_registerInterrupt(nub, (int32_t)i, (OSObject *)driver, interrupted,
                                        &driver->sources[i]) != kIOReturnSuccess ||
            IOService_enableInterrupt(nub, (int32_t)i) != kIOReturnSuccess)
            break;
    }
    if (driver->registered == driver->source_count && driver->source_count != 0)
        return true;
    pcitest_stop_interrupts(driver);
    return false;
}

void pcitest_stop_interrupts(PCITest *driver)
{
    while (driver->registered > 0) {
        IOService_disableInterrupt((IOService *)driver->device, (int32_t)--driver->registered);
        IOService_unregisterInterrupt((IOService *)driver->device, (int32_t)driver->registered);
    }
}

bool pcitest_await(PCITest *driver, uint32_t number, uint32_t count)
{
    struct pcitest_source *source = &driver->sources[number];
    uint64_t deadline;
    wait_result_t result = THREAD_AWAKENED;

    clock_interval_to_deadline(PCITEST_WAIT_MILLISECONDS, kMillisecondScale, &deadline);
    while (source->count < count && result != THREAD_TIMED_OUT) {
        assert_wait_deadline((event_t)&source->count, THREAD_UNINT, deadline);
        if (source->count >= count)
            thread_wakeup((event_t)&source->count); /* it came in between: do not sleep */
        result = thread_block(THREAD_CONTINUE_NULL);
    }
    return source->count >= count;
}

/* ---- speed ---- */

static uint64_t nanoseconds_since(uint64_t begin)
{
    uint64_t nanoseconds;

    absolutetime_to_nanoseconds(mach_absolute_time() - begin, &nanoseconds);
    return nanoseconds;
}

void pcitest_measure(PCITest *driver)
{
    uint32_t given = 0, before;
    uint64_t begin;

    if (!PE_parse_boot_argn("-pcibench", &given, sizeof given))
        return;
    begin = mach_absolute_time();
    for (uint32_t i = 0; i < ROUNDS; i++)
        (void)pcitest_read(driver, PCI_TEST_IDENTITY);
    pcitest_publish(driver, "BenchRegisterRead", nanoseconds_since(begin) / ROUNDS);
    begin = mach_absolute_time();
    for (uint32_t i = 0; i < ROUNDS; i++)
        (void)IOPCIDevice_extendedConfigRead32(driver->device, kIOPCIConfigCapabilitiesPtr);
    pcitest_publish(driver, "BenchConfigRead", nanoseconds_since(begin) / ROUNDS);
    begin = mach_absolute_time();
    for (uint32_t i = 0; i < ROUNDS; i++)
        (void)IOPCIDevice_extendedConfigRead32(driver->device, kIOPCIConfigVendorID);
    pcitest_publish(driver, "BenchShadowRead", nanoseconds_since(begin) / ROUNDS);
    begin = mach_absolute_time();
    for (uint32_t i = 0; i < ROUNDS; i++) {
        before = driver->sources[0].count;
        pcitest_write(driver, PCI_TEST_RAISE, 0);
        if (!pcitest_await(driver, 0, before + 1))
            break;
    }
    pcitest_publish(driver, "BenchInterruptRoundTrip", nanoseconds_since(begin) / ROUNDS);
    before = driver->sources[0].count;
    begin = mach_absolute_time();
    pcitest_write(driver, PCI_TEST_BURST, BURST << 8);
    (void)pcitest_read(driver, PCI_TEST_INTERRUPTS); /* all of them are sent */
    pcitest_publish(driver, "BenchBurstMessages",
                    BURST * UINT64_C(1000000000) / nanoseconds_since(begin));
    pcitest_await(driver, 0, before + 1);
    pcitest_publish(driver, "BenchBurstHandled", driver->sources[0].count - before);
}
