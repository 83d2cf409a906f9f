/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simulated hypervisor of one virtual machine: CPUID leaves, synthetic MSRs, hypercalls, SynIC
 * and synthetic timers. It has no thread, no clock and no lock: the machine calls it for each exit
 * of a virtual processor, with the reference time `now` (100 ns units since the partition started),
 * and gets its requests through struct hypervisor_operations.
 *
 * All functions need the machine lock (see host/vmbus/device.h), except hypervisor_signal_guest().
 *
 * Source: Microsoft's Hypervisor Top-Level Functional Specification (TLFS); where it is silent,
 * what KVM, OpenVMM and mu_msvm do.
 */
#ifndef HOST_HYPERVISOR_HYPERVISOR_H
#define HOST_HYPERVISOR_HYPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/guest_memory.h"
#include "host/releases.h"
#include "host/violation.h"
#include "protocol/hypervisor.h"

enum {
    HYPERVISOR_PROCESSORS_MAX = 2048,
    HYPERVISOR_NO_FAULT = 0,  /* MSR accesses: done */
    HYPERVISOR_RAISE_GP = -1, /* the guest gets #GP */
};

#define HYPERVISOR_NO_DEADLINE UINT64_MAX

/* An interrupt message of a PCI function that is to arrive elsewhere. */
struct hypervisor_retarget {
    uint64_t device;        /* vpci_device_id() */
    uint32_t address, data; /* of the message */
    uint8_t vector;
    uint32_t processor;     /* the first of those that were named; it exists */
};

/*
 * What the hypervisor asks of the machine. All but `violation`, `timers_changed` and
 * `retarget_interrupt` are required.
 */
struct hypervisor_operations {
    /* [any context] Injects a vector into a processor's local APIC, edge triggered. */
    void (*raise_vector)(void *context, uint32_t processor, uint8_t vector, bool auto_eoi);

    /* HvCallPostMessage and HvCallSignalEvent: return an HV_STATUS_* code. */
    uint32_t (*post_message)(void *context, uint32_t connection_id, uint32_t message_type,
                             const void *payload, size_t size);
    uint32_t (*signal_event)(void *context, uint32_t connection_id, uint16_t flag);

    /* HvCallRetargetDeviceInterrupt: an HV_STATUS_* code. NULL: there are no such devices. */
    uint32_t (*retarget_interrupt)(void *context, const struct hypervisor_retarget *retarget);

    /* After hypervisor_post_to_guest() said -EAGAIN: this port has a free buffer again. */
    void (*port_ready)(void *context, uint32_t processor, uint32_t sint);

    /* hypervisor_next_deadline() may be earlier than it was. */
    void (*timers_changed)(void *context);

    /* The guest wrote the reset MSR. */
    void (*reset)(void *context);

    /* The guest reports that it crashed: five parameters, CRASH_CTL, and its text (or ""). */
    void (*crashed)(void *context, const uint64_t parameters[HV_CRASH_PARAMETER_COUNT],
                    uint64_t control, const char *message);

    /* [any context] */
    host_violation_function *violation;
};

/* Abilities of the monitor beyond the minimum; they decide on CPUID bits. */
enum {
    HYPERVISOR_MONITOR_FREQUENCIES = 1,    /* tsc_frequency and apic_frequency are true */
    HYPERVISOR_MONITOR_APIC_MSRS = 2,      /* it serves EOI, ICR and TPR itself */
    HYPERVISOR_MONITOR_TLB_HYPERCALLS = 4, /* it serves TLB flush and IPI hypercalls itself */
};

struct hypervisor_configuration {
    const struct host_release *release;
    const struct guest_memory *memory;
    uint32_t processors;             /* 1 .. HYPERVISOR_PROCESSORS_MAX */
    uint32_t monitor_abilities;      /* HYPERVISOR_MONITOR_* */
    uint64_t tsc_frequency;          /* Hz */
    uint64_t apic_frequency;         /* Hz */
    uint32_t physical_address_bits;  /* 0: 39 */
};

struct hypervisor;

/*
 * The configuration is copied; release, memory, operations and context must outlive the
 * hypervisor. NULL when memory is short or the number of processors is out of range.
 */
struct hypervisor *hypervisor_create(const struct hypervisor_configuration *configuration,
                                     const struct hypervisor_operations *operations,
                                     void *context);
void hypervisor_free(struct hypervisor *hypervisor);

/* The state after power-on: MSRs at their reset values, no message waits. */
void hypervisor_reset(struct hypervisor *hypervisor);

/* ---- Exits of virtual processors; `processor` below the configured number ---- */

struct hypervisor_cpuid {
    uint32_t eax, ebx, ecx, edx;
};

/* Leaves 0x40000000 to 0x400000FF; all zero where there is none. */
struct hypervisor_cpuid hypervisor_read_cpuid(const struct hypervisor *hypervisor, uint32_t leaf);

/* MSRs 0x40000000 to 0x400001FF. Return HYPERVISOR_NO_FAULT or HYPERVISOR_RAISE_GP. */
int hypervisor_read_msr(struct hypervisor *hypervisor, uint32_t processor, uint32_t msr,
                        uint64_t now, uint64_t *value);
int hypervisor_write_msr(struct hypervisor *hypervisor, uint32_t processor, uint32_t msr,
                         uint64_t value, uint64_t now);

/*
 * A hypercall: `control` as in the TLFS; `input` and `output` are guest-physical addresses, or the
 * two register inputs of a fast call. Returns the result value.
 */
uint64_t hypervisor_hypercall(struct hypervisor *hypervisor, uint32_t processor, uint64_t control,
                              uint64_t input, uint64_t output);

/* The processor has ended an interrupt at its local APIC: messages that wait get a new try. */
void hypervisor_end_of_interrupt(struct hypervisor *hypervisor, uint32_t processor, uint64_t now);

/* ---- Towards the guest ---- */

/*
 * Queues a message on the port that belongs to a SINT. Returns 0, -EAGAIN (all
 * HV_MESSAGE_BUFFERS in use: port_ready will be called) or -EINVAL (no such processor or SINT,
 * size > 240, type 0). A message for a SynIC that is off or a SINT that is masked waits.
 */
int hypervisor_post_to_guest(struct hypervisor *hypervisor, uint32_t processor, uint32_t sint,
                             uint32_t message_type, uint64_t sender, const void *payload,
                             size_t size);

/*
 * True if a message for this port would find no buffer; then port_ready will be called once one is
 * free. False for a port that does not exist.
 */
bool hypervisor_port_full(struct hypervisor *hypervisor, uint32_t processor, uint32_t sint);

/*
 * [any context] Sets an event flag, and interrupts the guest if it was not set. Returns
 * HV_STATUS_SUCCESS, HV_STATUS_INVALID_SYNIC_STATE (SynIC, page or SINT off: the flag is not set),
 * HV_STATUS_INVALID_VP_INDEX or HV_STATUS_INVALID_PARAMETER.
 */
uint32_t hypervisor_signal_guest(struct hypervisor *hypervisor, uint32_t processor, uint32_t sint,
                                 uint16_t flag);

/* ---- Time ---- */

/* The reference time at which hypervisor_run_timers() is next needed, or HYPERVISOR_NO_DEADLINE. */
uint64_t hypervisor_next_deadline(const struct hypervisor *hypervisor);

/* Expires the synthetic timers that are due. */
void hypervisor_run_timers(struct hypervisor *hypervisor, uint64_t now);

/* Adds to what HV_MSR_VP_RUNTIME says; for machines that measure it. 100 ns. */
void hypervisor_add_runtime(struct hypervisor *hypervisor, uint32_t processor, uint64_t time);

/* ---- Looking at the state ---- */

/* How many have been reported since it was made. */
uint64_t hypervisor_violations(const struct hypervisor *hypervisor);
/* True once the guest has identified itself and enabled its hypercall page. */
bool hypervisor_hypercalls_enabled(const struct hypervisor *hypervisor);

#endif
