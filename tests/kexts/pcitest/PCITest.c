/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver: registers, DMA both ways, each interrupt once. */
#include "tests/kexts/pcitest/PCITest.h"

#include "abi/kpi/libkern.h"

/* A page to anywhere below 4 GiB: the copies begin in the middle of it. */
#define MEMORY_SIZE (2 * PCI_TEST_BUFFER_SIZE)
#define MEMORY_MASK UINT64_C(0xFFFFF000)
#define COPY_SIZE 50000u
#define COPY_OFFSET 1234u

static PCITest *from(IOService *me)
{
    return (PCITest *)me;
}

static IOMemoryMap *map(PCITest *self, uint8_t bar)
{
    return IOPCIDevice_mapDeviceMemoryWithRegister(
        self->device, (uint8_t)(kIOPCIConfigBaseAddress0 + 4 * bar), 0);
}

static bool acquire(PCITest *self)
{
    IOPCIDevice_setMemoryEnable(self->device, true);
    IOPCIDevice_setBusMasterEnable(self->device, true);
    self->registers_map = map(self, PCI_TEST_REGISTERS_BAR);
    self->buffer_map = map(self, PCI_TEST_BUFFER_BAR);
    self->memory = IOBufferMemoryDescriptor_inTaskWithPhysicalMask(
        kernel_task, kIODirectionInOut | kIOMemoryPhysicallyContiguous, MEMORY_SIZE, MEMORY_MASK);
    if (self->registers_map == NULL || self->buffer_map == NULL || self->memory == NULL)
        return false;
    self->registers = (volatile uint32_t *)IOMemoryMap_getVirtualAddress(self->registers_map);
    self->buffer = (volatile uint8_t *)IOMemoryMap_getVirtualAddress(self->buffer_map);
    self->bytes = IOBufferMemoryDescriptor_getBytesNoCopy(self->memory);
    self->physical = IOMemoryDescriptor_getPhysicalAddress((IOMemoryDescriptor *)self->memory);
    return true;
}

static void release(PCITest *self)
{
    IOPCIDevice_setBusMasterEnable(self->device, false);
    IOPCIDevice_setMemoryEnable(self->device, false);
    iokit_release_clear(self->registers_map);
    iokit_release_clear(self->buffer_map);
    iokit_release_clear(self->memory);
}

static void check_registers(PCITest *self)
{
    PCITEST_CHECK(self, pcitest_read(self, PCI_TEST_IDENTITY) == PCI_TEST_IDENTITY_VALUE);
    pcitest_write(self, PCI_TEST_ECHO, 0x12345678);
    PCITEST_CHECK(self, pcitest_read(self, PCI_TEST_ECHO) == ~0x12345678u);
    self->buffer[17] = 0x5a;
    PCITEST_CHECK(self, self->buffer[17] == 0x5a);
    pcitest_write(self, PCI_TEST_COMMAND, PCI_TEST_COMMAND_CLEAR);
    PCITEST_CHECK(self, (pcitest_read(self, PCI_TEST_STATUS), self->buffer[17] == 0));
}

static uint32_t fill(uint8_t *bytes, uint32_t size)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < size; i++)
        sum += bytes[i] = (uint8_t)(i * 7 + i / 256);
    return sum;
}

/* One copy by the device, whose end is an interrupt of `source`. */
static bool copy(PCITest *self, uint32_t command, uint64_t address, uint32_t source)
{
    uint32_t before = self->sources[source].count;

    pcitest_write(self, PCI_TEST_COPY_ADDRESS, (uint32_t)address);
    pcitest_write(self, PCI_TEST_COPY_ADDRESS + 4, (uint32_t)(address >> 32));
    pcitest_write(self, PCI_TEST_COPY_OFFSET, COPY_OFFSET);
    pcitest_write(self, PCI_TEST_COPY_LENGTH, COPY_SIZE);
    pcitest_write(self, PCI_TEST_COPY_VECTOR, source);
    pcitest_write(self, PCI_TEST_COMMAND, command);
    return pcitest_await(self, source, before + 1) &&
           pcitest_read(self, PCI_TEST_STATUS) == PCI_TEST_STATUS_DONE;
}

static void check_copies(PCITest *self)
{
    uint32_t sum = fill(self->bytes + 100, COPY_SIZE);
    uint8_t *back = self->bytes + PCI_TEST_BUFFER_SIZE;

    PCITEST_CHECK(self, copy(self, PCI_TEST_COMMAND_IN, self->physical + 100, 0));
    PCITEST_CHECK(self, pcitest_read(self, PCI_TEST_CHECKSUM) == sum);
    PCITEST_CHECK(self, self->buffer[COPY_OFFSET + 300] == self->bytes[400]);
    PCITEST_CHECK(self, copy(self, PCI_TEST_COMMAND_OUT, self->physical + PCI_TEST_BUFFER_SIZE,
                             self->source_count - 1));
    PCITEST_CHECK(self, memcmp(back, self->bytes + 100, COPY_SIZE) == 0);
    pcitest_publish(self, "TestBytes", 2 * COPY_SIZE);
}

/* Each source on its own, and none of the others with it. */
static void check_interrupts(PCITest *self)
{
    uint32_t arrived = 0;

    for (uint32_t i = 0; i < self->source_count; i++) {
        uint32_t before = self->sources[i].count, other = (i + 1) % self->source_count;
        uint32_t others = self->sources[other].count;

        pcitest_write(self, PCI_TEST_RAISE, i);
        PCITEST_CHECK(self, pcitest_await(self, i, before + 1));
        PCITEST_CHECK(self, self->source_count == 1 || self->sources[other].count == others);
        arrived += self->sources[i].count;
    }
    PCITEST_CHECK(self, pcitest_read(self, PCI_TEST_INTERRUPTS) == arrived);
    pcitest_publish(self, "TestInterrupts", arrived);
    pcitest_publish(self, "TestSources", self->source_count);
}

static bool start(IOService *me, IOService *provider)
{
    PCITest *self = from(me);

    self->device = iokit_cast(IOPCIDevice, provider);
    if (self->device == NULL || !IOService_super_start(me, provider))
        return false;
    if (!acquire(self) || !pcitest_start_interrupts(self)) {
        pcitest_log("FAILED: the device lacks memory or interrupts");
        release(self);
        IOService_super_stop(me, provider);
        return false;
    }
    check_registers(self);
    check_copies(self);
    check_interrupts(self);
    pcitest_measure(self);
    pcitest_publish(self, "TestFaults", self->faults);
    pcitest_log("%u sources, %u faults", (unsigned)self->source_count, (unsigned)self->faults);
    IOService_registerService(me, 0);
    return true;
}

static void stop(IOService *me, IOService *provider)
{
    pcitest_stop_interrupts(from(me));
    release(from(me));
    pcitest_log("stopped");
    IOService_super_stop(me, provider);
}

IOKIT_CLASS(7, PCITest, IOService, .start = start, .stop = stop)
