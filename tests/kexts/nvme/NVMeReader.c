/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver: from the controller's capabilities to the first block. */
#include "tests/kexts/nvme/NVMeReader.h"

#include "abi/kpi/libkern.h"

IOKIT_MODULE(KEXT_IDENTIFIER, KEXT_VERSION, iokit_module_nothing, iokit_module_nothing);

/* Two pairs of queues and a page for data. */
#define PAGES 5u
#define DATA_OFFSET (4u * NVME_READER_PAGE)
#define MEMORY_MASK UINT64_C(0xFFFFFFFFFFFFF000)
#define BLOCK_SHOWN 512u

static NVMeReader *from(IOService *me)
{
    return (NVMeReader *)me;
}

static bool acquire(NVMeReader *self)
{
    IOPCIDevice_setMemoryEnable(self->device, true);
    IOPCIDevice_setBusMasterEnable(self->device, true);
    self->map = IOPCIDevice_mapDeviceMemoryWithRegister(self->device, kIOPCIConfigBaseAddress0, 0);
    self->memory = IOBufferMemoryDescriptor_inTaskWithPhysicalMask(
        kernel_task, kIODirectionInOut | kIOMemoryPhysicallyContiguous, PAGES * NVME_READER_PAGE,
        MEMORY_MASK);
    if (self->map == NULL || self->memory == NULL)
        return false;
    self->registers = (volatile uint8_t *)IOMemoryMap_getVirtualAddress(self->map);
    self->bytes = IOBufferMemoryDescriptor_getBytesNoCopy(self->memory);
    self->physical = IOMemoryDescriptor_getPhysicalAddress((IOMemoryDescriptor *)self->memory);
    return true;
}

static void release(NVMeReader *self)
{
    IOPCIDevice_setBusMasterEnable(self->device, false);
    IOPCIDevice_setMemoryEnable(self->device, false);
    iokit_release_clear(self->map);
    iokit_release_clear(self->memory);
}

static uint16_t identify(NVMeReader *self)
{
    struct nvme_command command = { .opcode = NVME_IDENTIFY,
                                    .namespace_id = 1,
                                    .prp1 = self->physical + DATA_OFFSET,
                                    .cdw10 = NVME_IDENTIFY_NAMESPACE };
    struct nvme_identify_namespace *namespace = (void *)(self->bytes + DATA_OFFSET);
    uint16_t status = nvme_run(self, &self->admin, &command);

    if (status == NVME_SUCCESS)
        IORegistryEntry_setProperty_cstring_number((IORegistryEntry *)self, "Blocks",
                                                   namespace->size, 64);
    return status;
}

static uint16_t make_queues(NVMeReader *self)
{
    uint32_t sizes = self->io.number | (NVME_READER_ENTRIES - 1) << 16;
    struct nvme_command completion = { .opcode = NVME_CREATE_COMPLETION_QUEUE,
                                       .prp1 = self->io.completions_address,
                                       .cdw10 = sizes,
                                       .cdw11 = NVME_QUEUE_CONTIGUOUS | NVME_QUEUE_INTERRUPTS |
                                                1u << 16 };
    struct nvme_command submission = { .opcode = NVME_CREATE_SUBMISSION_QUEUE,
                                       .prp1 = self->io.commands_address,
                                       .cdw10 = sizes,
                                       .cdw11 = NVME_QUEUE_CONTIGUOUS | self->io.number << 16 };
    uint16_t status = nvme_run(self, &self->admin, &completion);

    return status != NVME_SUCCESS ? status : nvme_run(self, &self->admin, &submission);
}

static uint16_t read_block(NVMeReader *self)
{
    struct nvme_command command = { .opcode = NVME_READ,
                                    .namespace_id = 1,
                                    .prp1 = self->physical + DATA_OFFSET };
    uint16_t status = nvme_run(self, &self->io, &command);

    if (status == NVME_SUCCESS)
        IORegistryEntry_setProperty_cstring_pointer((IORegistryEntry *)self, "FirstBlock",
                                                    self->bytes + DATA_OFFSET, BLOCK_SHOWN);
    return status;
}

static bool bring_up(NVMeReader *self)
{
    uint16_t status;

    if (!acquire(self) || !nvme_start_interrupts(self)) {
        nvme_log("FAILED: no interrupts: the controller has MSI-X alone, which 10.6 does not know");
        return false;
    }
    if (!nvme_reset(self)) {
        nvme_log("FAILED: the controller does not start");
        return false;
    }
    if ((status = identify(self)) != NVME_SUCCESS || (status = make_queues(self)) != NVME_SUCCESS ||
        (status = read_block(self)) != NVME_SUCCESS) {
        nvme_log("FAILED: status 0x%x", status);
        return false;
    }
    return true;
}

static bool start(IOService *me, IOService *provider)
{
    NVMeReader *self = from(me);

    self->device = iokit_cast(IOPCIDevice, provider);
    if (self->device == NULL || !IOService_super_start(me, provider))
        return false;
    if (!bring_up(self)) {
        nvme_stop_interrupts(self);
        release(self);
        IOService_super_stop(me, provider);
        return false;
    }
    IORegistryEntry_setProperty_cstring_number((IORegistryEntry *)me, "AdminInterrupts",
                                               self->admin.interrupts, 32);
    IORegistryEntry_setProperty_cstring_number((IORegistryEntry *)me, "ReadInterrupts",
                                               self->io.interrupts, 32);
    nvme_log("a block read");
    IOService_registerService(me, 0);
    return true;
}

static void stop(IOService *me, IOService *provider)
{
    NVMeReader *self = from(me);

    nvme_shut_down(self);
    nvme_stop_interrupts(self);
    release(self);
    nvme_log("stopped");
    IOService_super_stop(me, provider);
}

IOKIT_CLASS(10, NVMeReader, IOService, .start = start, .stop = stop)
