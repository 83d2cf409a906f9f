/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtual PCI: the protocol's engine for one bus. It agrees on a version, keeps the list of
 * functions that the host tells, and makes and reads messages. No I/O Kit in here; calls are
 * serialised by the caller.
 *
 * The host may tell its list at any time, the same one several times, and ask for a function back
 * before the bus is up. A function is the same one as before if slot, ids and serial number are.
 *
 * Sources: Linux pci-hyperv, FreeBSD vmbus_pcib, OpenVMM vpci and vpci_client. */
#ifndef KEXT_PCI_VPCI_H
#define KEXT_PCI_VPCI_H

#include <stdbool.h>

#include "kext/core/errors.h"
#include "protocol/vpci.h"

#define VPCI_BUS_FUNCTIONS 8u           /* at most, of one bus; hosts give one */

/* Hosts refuse assignments without room for an entry of any version. */
#define VPCI_ASSIGNED_SIZE \
    ((uint32_t)sizeof(struct vpci_resources_assigned) + VPCI_ASSIGNED_ENTRY_3)

enum vpci_function_state {
    VPCI_FUNCTION_NONE,
    VPCI_FUNCTION_LISTED,               /* the host has it */
    VPCI_FUNCTION_EJECTING,             /* the host wants it back: remove it, then tell */
    VPCI_FUNCTION_GONE                  /* no longer listed: remove it */
};

struct vpci_bus_function {
    struct vpci_function description;
    enum vpci_function_state state;
};

struct vpci_counters {
    uint64_t malformed;                 /* events and answers that break their format */
    uint64_t unexpected;                /* events of no known type or for no function of ours */
    uint64_t relations;                 /* lists taken */
    uint64_t repeated_ejects;
    uint64_t ignored_functions;         /* listed, but more than the bus has room for, or twice */
};

struct vpci {
    uint32_t version;                   /* proposed, then agreed on; 0: none left to propose */
    bool listed;                        /* a list has come */
    struct vpci_bus_function functions[VPCI_BUS_FUNCTIONS];
    struct vpci_counters counters;
};

/* ---- Versions -------------------------------------------------------------------------------- */

/* Begins anew, with the newest version not above `newest` (a VPCI_VERSION_*) as the first to
 * propose. */
void vpci_begin(struct vpci *vpci, uint32_t newest);

/* The next proposal. HV_ERROR_NOT_SUPPORTED: the host refused all that there are. */
int vpci_make_version(const struct vpci *vpci, struct vpci_query_version *message);

/* Takes the answer. 0: agreed, `version` is in force; HV_ERROR_NOT_SUPPORTED: propose the next one,
 * if any; HV_ERROR_REFUSED; HV_ERROR_MALFORMED. */
int vpci_version_answer(struct vpci *vpci, const void *answer, uint32_t length);

/* ---- Events ---------------------------------------------------------------------------------- */

enum vpci_event_kind {
    VPCI_EVENT_NONE,
    VPCI_EVENT_CHANGED,                 /* functions have other states now */
    VPCI_EVENT_ASK_AGAIN,               /* send QUERY_BUS_RELATIONS */
    VPCI_EVENT_BLOCKS                   /* `blocks` of `slot` are out of date */
};

struct vpci_event {
    enum vpci_event_kind kind;
    uint32_t slot;
    uint64_t blocks;
};

/* Handles the data of one in-band packet, `length` bytes with its padding (private memory). Returns
 * 0 with `event`; HV_ERROR_MALFORMED; HV_ERROR_UNEXPECTED. Nothing changes on an error. */
int vpci_receive(struct vpci *vpci, const void *packet, uint32_t length, struct vpci_event *event);

/* The function at a slot, or NULL. */
struct vpci_bus_function *vpci_function_at(struct vpci *vpci, uint32_t slot);

/* The first function in this state, or NULL. */
struct vpci_bus_function *vpci_function_in(struct vpci *vpci, enum vpci_function_state state);

/* ---- Requests; all answers but those noted are a status alone -------------------------------- */

void vpci_make_header(struct vpci_header *message, uint32_t type);
void vpci_make_slot(struct vpci_slot_message *message, uint32_t type, uint32_t slot);
void vpci_make_d0_entry(struct vpci_d0_entry *message, uint64_t window);
void vpci_make_ejection_complete(struct vpci_ejection_complete *message, uint32_t slot);

/* RESOURCES_ASSIGNED in the version's form, VPCI_ASSIGNED_SIZE bytes at `message`: base addresses
 * are written by the guest, so all of it is zero. */
void vpci_make_assigned(const struct vpci *vpci, uint8_t message[VPCI_ASSIGNED_SIZE],
                        uint32_t slot);

/* Where interrupts go. */
struct vpci_target {
    uint32_t vector;                    /* the first; those of one request are consecutive */
    uint32_t vector_count;              /* 1 .. VPCI_VECTORS_MAXIMUM, a power of two */
    const uint32_t *processors;         /* indices of virtual processors */
    uint32_t processor_count;           /* 1 .. VPCI_PROCESSORS_MAXIMUM */
};

union vpci_create_message {
    struct vpci_create_interrupt v1;
    struct vpci_create_interrupt_2 v2;
    struct vpci_create_interrupt_3 v3;
};

/* CREATE_INTERRUPT in the version's form. Returns 0 with its `*size`; HV_ERROR_INVALID: no such
 * target in this version (a vector above 255, a processor above 63 with 1.1, counts). */
int vpci_make_create(const struct vpci *vpci, union vpci_create_message *message, uint32_t *size,
                     uint32_t slot, const struct vpci_target *target);

void vpci_make_delete(struct vpci_delete_interrupt *message, uint32_t slot,
                      const struct vpci_message_interrupt *interrupt);

/* ---- Answers: `length` bytes of private memory ----------------------------------------------- */

/* 0, HV_ERROR_REFUSED (the host says no) or HV_ERROR_MALFORMED. */
int vpci_take_status(struct vpci *vpci, const void *answer, uint32_t length);

/* The probe masks of QUERY_REQUIREMENTS. */
int vpci_take_requirements(struct vpci *vpci, const void *answer, uint32_t length,
                           uint32_t masks[VPCI_BARS]);

/* What the device is to be programmed with. HV_ERROR_MALFORMED also if the host gave another number
 * of vectors than `vector_count`. */
int vpci_take_interrupt(struct vpci *vpci, const void *answer, uint32_t length,
                        uint32_t vector_count, struct vpci_message_interrupt *interrupt);

#endif
