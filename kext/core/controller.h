/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVController: the hypervisor as seen from the kext. Detects it, lends it pages for hypercalls
 * and SynIC on every processor, takes its interrupts, and starts VMBus. One instance, on the ACPI
 * device of VMBus, which has the interrupt.
 *
 * Interrupts arrive on the processor that a message or event was aimed at. The handler clears the
 * event flags and copies messages out in interrupt context, so the end of a message is always
 * written on the right processor; everything else happens on work loops. */
#ifndef KEXT_CORE_CONTROLLER_H
#define KEXT_CORE_CONTROLLER_H

#include "abi/IOService.h"
#include "abi/kpi/locks.h"
#include "kext/core/connection.h"
#include "kext/core/dma_memory.h"
#include "kext/core/identity.h"
#include "kext/core/message_slot.h"
#include "kext/core/write_hold.h"

#define CONTROLLER_POST_BLOCKS 64u      /* by processor number; macOS knows no more processors */

#define CONTROLLER_POST_PAGES \
    (CONTROLLER_POST_BLOCKS * sizeof(struct hv_post_message) / HV_PAGE_SIZE)

/* What one virtual processor shares with the hypervisor. */
struct controller_processor {
    struct dma_memory pages;                    /* message page, event flag page */
    struct hv_message_page *message_page;
    struct hv_event_flag_page *event_flag_page;
    uint64_t message_page_number;
    uint64_t event_flag_page_number;
    uint32_t vp_index;
    bool ready;
    uint64_t interrupts;
};

/* Who is told of events; called in interrupt context. */
struct controller_client {
    void *context;
    void (*event)(void *context, uint32_t flag);    /* a flag of SINT2 was set */
    void (*message)(void *context);                 /* controller_next_message has news */
};

struct HyperVController {
    IOService super;
    struct identity identity;
    vm_address_t hypercall_page;
    IOMemoryDescriptor *hypercall_descriptor;
    struct dma_memory post_blocks;
    uint64_t post_page_numbers[CONTROLLER_POST_PAGES];
    struct controller_processor *processors;        /* by processor number */
    uint32_t processor_count;
    uint8_t vector;
    IOInterruptController *line_controller;         /* the machine's own, whose line VMBus has */
    bool synic_enabled;
    bool interrupt_registered;
    bool spread_interrupts;                         /* channels may be aimed at any processor */
    bool power_joined;
    struct controller_client client;
    struct message_queue messages;
    bool messages_stalled;                          /* the queue was full, the slot is not empty */
    uint64_t foreign_messages;                      /* of other types, dropped */
    IOService *bus;                                 /* HyperVVMBus */
    const OSSymbol *panic_action;
    struct write_hold write_hold;                   /* of the disks' drivers */
};
typedef struct HyperVController HyperVController;

/* Processor whose SynIC takes control messages: the boot processor. */
#define CONTROLLER_MESSAGE_PROCESSOR 0u

/* ---- For HyperVVMBus ------------------------------------------------------------------------- */

/* Sets who is told of events and messages, or NULL for nobody; on return the old client is not
 * being called any more. */
void controller_set_client(HyperVController *controller, const struct controller_client *client);

/* Copies the next control message out of the queue. Returns false if there is none. Only one
 * thread may call this. */
bool controller_next_message(HyperVController *controller, struct hv_message *message);

/* Posts a control message, waiting and trying again while the host slows us down (at most about
 * HYPERCALL_RETRY_BUDGET_US). Blocks. Returns 0; HV_ERROR_REFUSED if the connection id is unknown
 * during the first contact; HV_ERROR_TIMED_OUT; HV_ERROR_IO. */
int controller_post_message(HyperVController *controller, const struct connection_message *message,
                            bool first_contact);

/* Signals an event connection; any context. Returns 0 or HV_ERROR_IO. */
int controller_signal_event(HyperVController *controller, uint32_t connection_id);

/* Virtual processor index of processor `number` (below processor_count). */
uint32_t controller_vp_index(const HyperVController *controller, uint32_t number);

/* ---- For every driver ------------------------------------------------------------------------ */

/* The one controller, or NULL before it has started. Borrowed. */
HyperVController *controller_instance(void);

/* Makes a hypercall with `size` bytes of input (at most sizeof(struct hv_post_message)), `variable`
 * 8-byte words of them in the variable header, and no output. Returns 0 or HV_ERROR_IO. */
int controller_hypercall_input(HyperVController *controller, uint16_t code, const void *input,
                               uint32_t size, uint32_t variable);

/* Partition reference time, 100 ns units; 0 if the hypervisor does not tell. */
uint64_t controller_reference_time(const HyperVController *controller);

/* ---- Between the controller's files ---------------------------------------------------------- */

/* 0 or HV_ERROR_*; then what was done until there is undone by the disabling function, which may be
 * called at any time. */
int controller_hypercall_enable(HyperVController *controller);
void controller_hypercall_disable(HyperVController *controller);
int controller_synic_enable(HyperVController *controller, IOService *provider);
void controller_synic_disable(HyperVController *controller, IOService *provider);

/* Reports a crash of the guest to the host and lets the bus unload, without interrupts, locks or
 * other processors. */
void controller_crash(HyperVController *controller);

/* Takes messages out of every processor's slot into the queue, for when there are no interrupts. */
void controller_poll_messages(HyperVController *controller);

#endif
