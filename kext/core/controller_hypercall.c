/* SPDX-License-Identifier: BSD-3-Clause */
/* The hypercall page, posting messages, signalling events. */
#include "abi/IOMemoryDescriptor.h"
#include "abi/kpi/iolib.h"
#include "abi/kpi/libkern.h"
#include "abi/kpi/machine.h"
#include "abi/kpi/platform.h"
#include "abi/kpi/vm.h"
#include "abi/runtime.h"
#include "kext/core/controller.h"
#include "kext/core/errors.h"
#include "kext/core/hypercall.h"
#include "kext/core/log.h"
#include "kext/core/processor.h"

static const char who[] = "HyperVController";

/* The page must be executable, and kexts get such memory from nowhere but the kernel's map. */
static int allocate_page(HyperVController *controller)
{
    vm_address_t address = 0;

    if (vm_allocate(kernel_map, &address, HV_PAGE_SIZE, VM_FLAGS_ANYWHERE) != KERN_SUCCESS)
        return HV_ERROR_NO_RESOURCES;
    if (vm_protect(kernel_map, address, HV_PAGE_SIZE, false, VM_PROT_ALL) != KERN_SUCCESS) {
        vm_deallocate(kernel_map, address, HV_PAGE_SIZE);
        return HV_ERROR_NO_RESOURCES;
    }
    controller->hypercall_page = address;
    *(volatile uint8_t *)address = 0xC3;        /* there must be a page behind it */
    controller->hypercall_descriptor =
        IOMemoryDescriptor_withAddress_pointer((void *)address, HV_PAGE_SIZE, kIODirectionInOut);
    if (controller->hypercall_descriptor == NULL)
        return HV_ERROR_NO_RESOURCES;
    if (IOMemoryDescriptor_prepare(controller->hypercall_descriptor, kIODirectionInOut) !=
        kIOReturnSuccess) {
        iokit_release_clear(controller->hypercall_descriptor);
        return HV_ERROR_NO_RESOURCES;
    }
    return 0;
}

static void free_page(HyperVController *controller)
{
    if (controller->hypercall_descriptor != NULL)
        IOMemoryDescriptor_complete(controller->hypercall_descriptor, kIODirectionInOut);
    iokit_release_clear(controller->hypercall_descriptor);
    if (controller->hypercall_page != 0)
        vm_deallocate(kernel_map, controller->hypercall_page, HV_PAGE_SIZE);
    controller->hypercall_page = 0;
}

int controller_hypercall_enable(HyperVController *controller)
{
    uint64_t value, address;
    int error;

    if ((error = dma_memory_allocate(&controller->post_blocks,
                                     CONTROLLER_POST_BLOCKS * sizeof(struct hv_post_message),
                                     false)) != 0 ||
        (error = allocate_page(controller)) != 0) {
        controller_hypercall_disable(controller);
        return error;
    }
    for (uint32_t i = 0; i < CONTROLLER_POST_PAGES; i++)
        controller->post_page_numbers[i] = dma_memory_page_number(&controller->post_blocks, i);
    address = dma_physical_address(controller->hypercall_descriptor, 0);
    processor_write_msr(HV_MSR_GUEST_OS_ID,
                        hypercall_guest_os_id((uint32_t)version_major, (uint32_t)version_minor));
    value = processor_read_msr(HV_MSR_HYPERCALL);
    value = (value & HV_MSR_PAGE_PRESERVE) | (address & HV_MSR_PAGE_ADDRESS) | HV_MSR_PAGE_ENABLE;
    processor_write_msr(HV_MSR_HYPERCALL, value);
    if ((processor_read_msr(HV_MSR_HYPERCALL) & HV_MSR_PAGE_ENABLE) == 0) {
        hv_log(who, "the hypervisor did not accept the hypercall page");
        controller_hypercall_disable(controller);
        return HV_ERROR_IO;
    }
    return 0;
}

void controller_hypercall_disable(HyperVController *controller)
{
    if (controller->hypercall_page != 0) {
        processor_write_msr(HV_MSR_HYPERCALL, 0);
        processor_write_msr(HV_MSR_GUEST_OS_ID, 0);
    }
    free_page(controller);
    dma_memory_free(&controller->post_blocks);
}

/* One attempt, in this processor's own block with interrupts off: nothing can come in between. */
static uint16_t post_once(HyperVController *controller, const struct connection_message *message)
{
    boolean_t enabled = ml_set_interrupts_enabled(false);
    uint32_t offset = (uint32_t)cpu_number() % CONTROLLER_POST_BLOCKS *
                      (uint32_t)sizeof(struct hv_post_message);
    struct hv_post_message *block = (void *)(controller->post_blocks.bytes + offset);
    uint64_t address, result;

    hypercall_fill_post(block, message->connection_id, message->payload, message->size);
    address = (controller->post_page_numbers[offset / HV_PAGE_SIZE] << HV_PAGE_SHIFT) +
              offset % HV_PAGE_SIZE;
    result = processor_hypercall((void *)controller->hypercall_page, HV_CALL_POST_MESSAGE, address,
                                 0);
    ml_set_interrupts_enabled(enabled);
    return HV_HYPERCALL_STATUS(result);
}

int controller_post_message(HyperVController *controller, const struct connection_message *message,
                            bool first_contact)
{
    struct hypercall_retry retry = { 0 };
    uint32_t delay;

    if (message->size > HV_MESSAGE_PAYLOAD_MAXIMUM)
        return HV_ERROR_TOO_LARGE;
    for (;;) {
        uint16_t status = post_once(controller, message);

        switch (hypercall_post_verdict(status, first_contact)) {
        case HYPERCALL_DONE:
            return 0;
        case HYPERCALL_RETRY:
            if (hypercall_retry_next(&retry, &delay) == 0)
                break;
            hv_log(who, "the host takes no messages (status 0x%x)", status);
            return HV_ERROR_TIMED_OUT;
        case HYPERCALL_FATAL:
            if (first_contact && status == HV_STATUS_INVALID_CONNECTION_ID)
                return HV_ERROR_REFUSED;
            hv_log(who, "posting a message failed for good (status 0x%x)", status);
            return HV_ERROR_IO;
        }
        IODelay(delay);
    }
}

int controller_signal_event(HyperVController *controller, uint32_t connection_id)
{
    uint64_t result = processor_hypercall((void *)controller->hypercall_page,
                                          HV_CALL_SIGNAL_EVENT | HV_HYPERCALL_FAST, connection_id,
                                          0);

    return hypercall_signal_verdict(HV_HYPERCALL_STATUS(result)) == HYPERCALL_DONE ? 0
                                                                                  : HV_ERROR_IO;
}

int controller_hypercall_input(HyperVController *controller, uint16_t code, const void *input,
                               uint32_t size, uint32_t variable)
{
    boolean_t enabled = ml_set_interrupts_enabled(false);
    uint32_t offset = (uint32_t)cpu_number() % CONTROLLER_POST_BLOCKS *
                      (uint32_t)sizeof(struct hv_post_message);
    uint64_t address, result = HV_STATUS_INVALID_PARAMETER;

    if (size <= sizeof(struct hv_post_message)) {
        memcpy(controller->post_blocks.bytes + offset, input, size);
        address = (controller->post_page_numbers[offset / HV_PAGE_SIZE] << HV_PAGE_SHIFT) +
                  offset % HV_PAGE_SIZE;
        result = processor_hypercall((void *)controller->hypercall_page,
                                     code | (uint64_t)variable << HV_HYPERCALL_HEADER_SHIFT,
                                     address, 0);
    }
    ml_set_interrupts_enabled(enabled);
    return HV_HYPERCALL_STATUS(result) == HV_STATUS_SUCCESS ? 0 : HV_ERROR_IO;
}

uint64_t controller_reference_time(const HyperVController *controller)
{
    if ((controller->identity.privileges & HV_PRIVILEGE_TIME_REF_COUNT) == 0)
        return 0;
    return processor_read_msr(HV_MSR_TIME_REF_COUNT);
}
