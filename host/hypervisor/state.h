/* SPDX-License-Identifier: BSD-3-Clause */
/* The hypervisor's state. Private to host/hypervisor. */
#ifndef HOST_HYPERVISOR_STATE_H
#define HOST_HYPERVISOR_STATE_H

#include <stdatomic.h>

#include "host/hypervisor/hypervisor.h"

/* A message that waits for its slot. */
struct synic_message {
    uint32_t type;
    uint32_t size;
    uint64_t sender;
    uint8_t payload[HV_MESSAGE_PAYLOAD_MAXIMUM];
};

/* The buffers of the port that feeds one SINT of one processor: a circular queue. */
struct synic_queue {
    struct synic_message *buffers; /* HV_MESSAGE_BUFFERS, allocated at first use */
    unsigned first, count;
    bool refused; /* someone waits for a free buffer */
};

struct synthetic_timer {
    uint64_t config;
    uint64_t count;
    uint64_t expiry;         /* reference time; meaningful while armed */
    bool armed;
    bool message_waiting;    /* expired, but the message slot is taken */
    uint64_t message_expiry; /* for that message */
};

/*
 * SynIC registers that hypervisor_signal_guest() reads without the machine lock are atomic. A
 * register that changes meanwhile means no more than on a real machine: the signal came earlier or
 * later. Guest RAM outlives everything, so a page pointer never dangles.
 */
struct hypervisor_processor {
    atomic_ullong control;                /* SCONTROL */
    atomic_ullong sint[HV_SYNIC_SINT_COUNT];
    atomic_uintptr_t event_page;          /* host address, 0: off */
    uint64_t event_register;              /* SIEFP */
    uint64_t message_register;            /* SIMP */
    uint8_t *message_page;                /* NULL: off */
    struct synic_queue queues[HV_SYNIC_SINT_COUNT];
    struct synthetic_timer timers[HV_TIMER_COUNT];
    uint64_t assist_register;             /* VP_ASSIST_PAGE */
    uint64_t runtime;
};

struct hypervisor {
    struct hypervisor_configuration configuration;
    const struct hypervisor_operations *operations;
    void *context;
    uint64_t guest_os_id;
    uint64_t hypercall_register;
    uint64_t reference_tsc_register;
    uint64_t crash_parameters[HV_CRASH_PARAMETER_COUNT];
    atomic_ullong violations;
    struct hypervisor_processor *processors;
};

/* Counts and reports it; the texts are those of struct host_violation, constants. */
void hypervisor_violation(struct hypervisor *hypervisor, const char *message, const char *state,
                          const char *rule);

/* cpuid.c: what the partition may do; HV_PRIVILEGE_*, HV_FEATURE_*. */
uint32_t hypervisor_privileges_low(const struct hypervisor *hypervisor);
uint32_t hypervisor_privileges_high(const struct hypervisor *hypervisor);
uint32_t hypervisor_features(const struct hypervisor *hypervisor);

/* synic.c: registers 0x40000080 - 0x4000009F. */
int synic_read_msr(struct hypervisor *hypervisor, uint32_t processor, uint32_t msr,
                   uint64_t *value);
int synic_write_msr(struct hypervisor *hypervisor, uint32_t processor, uint32_t msr,
                    uint64_t value, uint64_t now);
void synic_reset(struct hypervisor_processor *state);
void synic_release(struct hypervisor_processor *state);
/*
 * Puts a message into its slot now, and interrupts. Returns false if the slot is taken (then its
 * pending bit is set) or the SINT cannot deliver.
 */
bool synic_deliver(struct hypervisor *hypervisor, uint32_t processor, uint32_t sint,
                   const struct synic_message *message);
/* Gives every message that waits for this processor a try. */
void synic_retry(struct hypervisor *hypervisor, uint32_t processor, uint64_t now);

/* timer.c: registers 0x400000B0 - 0x400000B7. */
int timer_read_msr(struct hypervisor *hypervisor, uint32_t processor, uint32_t msr,
                   uint64_t *value);
int timer_write_msr(struct hypervisor *hypervisor, uint32_t processor, uint32_t msr,
                    uint64_t value, uint64_t now);
/* Tries to deliver the expiry messages that wait for this SINT's slot. */
void timer_retry(struct hypervisor *hypervisor, uint32_t processor, uint32_t sint, uint64_t now);

#endif
