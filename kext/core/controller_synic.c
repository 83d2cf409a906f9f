/* SPDX-License-Identifier: BSD-3-Clause */
/* SynIC on every processor, and its interrupt. */
#include "abi/IOInterruptController.h"
#include "abi/IOPlatformExpert.h"
#include "abi/OSArray.h"
#include "abi/OSData.h"
#include "abi/OSNumber.h"
#include "abi/OSSymbol.h"
#include "abi/kpi/globals.h"
#include "abi/kpi/iolib.h"
#include "abi/kpi/libkern.h"
#include "abi/kpi/machine.h"
#include "abi/runtime.h"
#include "kext/core/controller.h"
#include "kext/core/errors.h"
#include "kext/core/event_flags.h"
#include "kext/core/log.h"
#include "kext/core/processor.h"
#include "kext/core/synic_sint.h"

static const char who[] = "HyperVController";

struct everywhere {
    void (*function)(void *argument);
    void *argument;
};

static void run_here(void *argument)
{
    const struct everywhere *everywhere = argument;
    boolean_t enabled = ml_set_interrupts_enabled(false);

    everywhere->function(everywhere->argument);
    ml_set_interrupts_enabled(enabled);
}

/* Runs `function` on all processors at once, interrupts off. (mp_rendezvous_no_intrs does that too,
 * but 10.4 does not export it.) */
static void on_all_processors(void (*function)(void *argument), void *argument)
{
    struct everywhere everywhere = { function, argument };

    mp_rendezvous(NULL, run_here, NULL, &everywhere);
}

/* ---- The interrupt --------------------------------------------------------------------------- */

/* Moves messages from a slot to the queue until the slot is empty or the queue full. Interrupts are
 * off; `processor` is this one, or nobody else runs. Returns true if there were any. */
static bool take_messages(HyperVController *controller, struct controller_processor *processor)
{
    struct hv_message *slot = &processor->message_page->slots[HV_SINT_VMBUS], *room;
    bool found = false;

    while ((room = message_queue_room(&controller->messages)) != NULL &&
           message_slot_take(slot, room)) {
        uint32_t type = room->message_type;

        if (type == HV_MESSAGE_TYPE_VMBUS) {
            message_queue_put(&controller->messages);
            found = true;
        } else {
            controller->foreign_messages++;
        }
        if (message_slot_release(slot, type))
            processor_write_msr(HV_MSR_EOM, 0);
    }
    if (room == NULL)
        controller->messages_stalled = true;    /* holds the host back until there is room */
    return found;
}

/* Flags first, then messages: the order that Windows has and other guests were asked to follow. */
static void handle_interrupt(HyperVController *controller)
{
    uint32_t number = (uint32_t)cpu_number();
    struct controller_processor *processor;

    if (number >= controller->processor_count || !controller->processors[number].ready)
        return;
    processor = &controller->processors[number];
    processor->interrupts++;
    if (controller->client.event == NULL)
        return;
    event_flags_take(&processor->event_flag_page->sints[HV_SINT_VMBUS], controller->client.event,
                     controller->client.context);
    if (number == CONTROLLER_MESSAGE_PROCESSOR && take_messages(controller, processor))
        controller->client.message(controller->client.context);
}

static void interrupt_occurred(OSObject *target, void *reference, IOService *nub, int32_t source)
{
    handle_interrupt((HyperVController *)target);
}

struct client_change {
    HyperVController *controller;
    struct controller_client client;
};

/* On all processors at once: none of them is inside the interrupt handler then. */
static void change_client(void *argument)
{
    struct client_change *change = argument;

    if (cpu_number() == CONTROLLER_MESSAGE_PROCESSOR)
        change->controller->client = change->client;
}

void controller_set_client(HyperVController *controller, const struct controller_client *client)
{
    struct client_change change = { .controller = controller };

    if (client != NULL)
        change.client = *client;
    on_all_processors(change_client, &change);
}

static void resume_messages(void *argument)
{
    HyperVController *controller = argument;

    if (cpu_number() == CONTROLLER_MESSAGE_PROCESSOR)
        take_messages(controller, &controller->processors[CONTROLLER_MESSAGE_PROCESSOR]);
}

bool controller_next_message(HyperVController *controller, struct hv_message *message)
{
    if (message_queue_get(&controller->messages, message))
        return true;
    if (!controller->messages_stalled)
        return false;
    /* The host waits with a message in the slot; its end must be told on that processor. */
    controller->messages_stalled = false;
    on_all_processors(resume_messages, controller);
    return message_queue_get(&controller->messages, message);
}

void controller_poll_messages(HyperVController *controller)
{
    for (uint32_t i = 0; i < controller->processor_count; i++)
        if (controller->processors[i].ready)
            take_messages(controller, &controller->processors[i]);
}

/* ---- Which vector ---------------------------------------------------------------------------- */

/* The interrupt line of the ACPI device, plus the first vector of the controller it belongs to. */
static int find_vector(HyperVController *controller, IOService *provider)
{
    OSArray *controllers = iokit_cast(
        OSArray, IORegistryEntry_getProperty_symbol((IORegistryEntry *)provider,
                                                    gIOInterruptControllersKey));
    OSArray *specifiers = iokit_cast(
        OSArray, IORegistryEntry_getProperty_symbol((IORegistryEntry *)provider,
                                                    gIOInterruptSpecifiersKey));
    OSSymbol *name;
    OSData *specifier;
    OSNumber *base;
    IOInterruptController *lines;
    uint32_t line, first = 0;

    if (controllers == NULL || specifiers == NULL)
        return HV_ERROR_NOT_FOUND;
    name = iokit_cast(OSSymbol, OSArray_getObject(controllers, 0));
    specifier = iokit_cast(OSData, OSArray_getObject(specifiers, 0));
    if (name == NULL || specifier == NULL || OSData_getLength(specifier) < sizeof line)
        return HV_ERROR_NOT_FOUND;
    memcpy(&line, OSData_getBytesNoCopy(specifier), sizeof line);
    lines = IOPlatformExpert_lookUpInterruptController(IOService_getPlatform(), name);
    if (lines == NULL)
        return HV_ERROR_NOT_FOUND;
    base = iokit_cast(OSNumber, IORegistryEntry_getProperty_cstring((IORegistryEntry *)lines,
                                                                    "Base Vector Number"));
    if (base != NULL)
        first = OSNumber_unsigned32BitValue(base);
    if (first > 0xFF || line > 0xFF - first || first + line < HV_SINT_VECTOR_MINIMUM)
        return HV_ERROR_INVALID;
    controller->line_controller = lines;
    controller->vector = (uint8_t)(first + line);
    return 0;
}

/* ---- Setting up and tearing down ------------------------------------------------------------- */

static void write_page_msr(uint32_t msr, uint64_t page_number)
{
    uint64_t kept = processor_read_msr(msr) & HV_MSR_PAGE_PRESERVE;

    processor_write_msr(msr, kept | page_number << HV_PAGE_SHIFT | HV_MSR_PAGE_ENABLE);
}

/* Runs on every processor at once with interrupts off. */
static void enable_here(void *argument)
{
    HyperVController *controller = argument;
    uint32_t number = (uint32_t)cpu_number();
    struct controller_processor *processor;

    if (number >= controller->processor_count)
        return;
    processor = &controller->processors[number];
    processor->vp_index = (uint32_t)processor_read_msr(HV_MSR_VP_INDEX);
    write_page_msr(HV_MSR_SIMP, processor->message_page_number);
    write_page_msr(HV_MSR_SIEFP, processor->event_flag_page_number);
    processor_write_msr(HV_MSR_SINT(HV_SINT_VMBUS),
                        synic_sint(controller->vector, controller->identity.recommendations));
    processor_write_msr(HV_MSR_SCONTROL,
                        processor_read_msr(HV_MSR_SCONTROL) | HV_SCONTROL_ENABLE);
    processor->ready = true;
}

static void disable_here(void *argument)
{
    HyperVController *controller = argument;
    uint32_t number = (uint32_t)cpu_number();

    if (number >= controller->processor_count || !controller->processors[number].ready)
        return;
    controller->processors[number].ready = false;
    processor_write_msr(HV_MSR_SINT(HV_SINT_VMBUS), HV_SINT_MASKED | controller->vector);
    processor_write_msr(HV_MSR_SIMP, 0);
    processor_write_msr(HV_MSR_SIEFP, 0);
    processor_write_msr(HV_MSR_SCONTROL, 0);
}

static int allocate_processors(HyperVController *controller)
{
    uint32_t count = real_ncpus != 0 ? real_ncpus : 1;

    controller->processors = IOMalloc(count * sizeof *controller->processors);
    if (controller->processors == NULL)
        return HV_ERROR_NO_RESOURCES;
    memset(controller->processors, 0, count * sizeof *controller->processors);
    controller->processor_count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct controller_processor *processor = &controller->processors[i];
        int error = dma_memory_allocate(&processor->pages, 2 * HV_PAGE_SIZE, false);

        if (error != 0)
            return error;
        processor->message_page = (void *)processor->pages.bytes;
        processor->event_flag_page = (void *)(processor->pages.bytes + HV_PAGE_SIZE);
        processor->message_page_number = dma_memory_page_number(&processor->pages, 0);
        processor->event_flag_page_number = dma_memory_page_number(&processor->pages, 1);
    }
    return 0;
}

int controller_synic_enable(HyperVController *controller, IOService *provider)
{
    int error = find_vector(controller, provider);

    if (error != 0) {
        hv_log(who, "no usable interrupt on the ACPI device of VMBus");
        return error;
    }
    if ((error = allocate_processors(controller)) != 0)
        return error;
    if (IOService_registerInterrupt(provider, 0, (OSObject *)controller, interrupt_occurred,
                                    NULL) != kIOReturnSuccess)
        return HV_ERROR_NO_RESOURCES;
    controller->interrupt_registered = true;
    if (IOService_enableInterrupt(provider, 0) != kIOReturnSuccess)
        return HV_ERROR_NO_RESOURCES;
    controller->synic_enabled = true;
    on_all_processors(enable_here, controller);
    if (!controller->processors[CONTROLLER_MESSAGE_PROCESSOR].ready)
        return HV_ERROR_STATE;
    return 0;
}

void controller_synic_disable(HyperVController *controller, IOService *provider)
{
    if (controller->synic_enabled)
        on_all_processors(disable_here, controller);
    controller->synic_enabled = false;
    if (controller->interrupt_registered) {
        IOService_disableInterrupt(provider, 0);
        IOService_unregisterInterrupt(provider, 0);
    }
    controller->interrupt_registered = false;
    if (controller->processors == NULL)
        return;
    for (uint32_t i = 0; i < controller->processor_count; i++)
        dma_memory_free(&controller->processors[i].pages);
    IOFree(controller->processors, controller->processor_count * sizeof *controller->processors);
    controller->processors = NULL;
    controller->processor_count = 0;
}

uint32_t controller_vp_index(const HyperVController *controller, uint32_t number)
{
    return controller->processors[number].vp_index;
}
