/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Hyper-V partition that the machine is the guest of. The machine calls it through a table of
 * operations: the socket client (partition_socket.c, protocol/partition.h) is one implementation,
 * a test that links the host library is another. Without a partition the machine is a bare PC: no
 * hypervisor CPUID leaves, Hyper-V MSRs fault.
 */
#ifndef MACHV_XNU_MACHINE_PARTITION_H
#define MACHV_XNU_MACHINE_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xnu/machine/memory.h"

#define PARTITION_FAST_WORDS 14u
#define PARTITION_VECTOR_WORDS 4u

enum machine_power {
    MACHINE_POWER_OFF = 0,
    MACHINE_POWER_RESET = 1,
    MACHINE_POWER_CRASHED = 2,
};

/*
 * `partition` is the context given to machine_partition_attach(). All but idle may be called from
 * several threads at once, also out of a signal handler that interrupted a driver's instruction,
 * hence: no allocation of kernel memory, no machine sleep inside. `processor` is the calling one.
 */
struct partition_operations {
    /* Leaves 0x40000000 - 0x400000FF. registers: eax, ebx, ecx, edx. */
    void (*cpuid)(void *partition, unsigned processor, uint32_t leaf, uint32_t subleaf,
                  uint32_t registers[4]);
    /* MSRs 0x40000000 - 0x400001FF; false: the instruction raises #GP. */
    bool (*rdmsr)(void *partition, unsigned processor, uint32_t index, uint64_t *value);
    bool (*wrmsr)(void *partition, unsigned processor, uint32_t index, uint64_t value);
    /* The registers of the call; `fast` as in struct partition_hypercall. Returns the result. */
    uint64_t (*hypercall)(void *partition, unsigned processor, uint64_t control, uint64_t input,
                          uint64_t output, const uint64_t fast[PARTITION_FAST_WORDS]);
    /*
     * HvSignalEvent, flag 0, without a round trip. False: this connection id does not go this way,
     * make the hypercall. NULL: none does.
     */
    bool (*signal)(void *partition, uint32_t connection_id);
    /* Accesses of 1, 2, 4 or 8 bytes in trapped ranges. */
    uint64_t (*read)(void *partition, unsigned processor, uint64_t address, unsigned size,
                     enum machine_address_kind kind);
    void (*write)(void *partition, unsigned processor, uint64_t address, unsigned size,
                  enum machine_address_kind kind, uint64_t value);
    /* The guest turned itself off, reset or crashed. `crash`: five parameters or NULL. */
    void (*power)(void *partition, enum machine_power what, const uint64_t *crash);
    /*
     * An event descriptor that becomes readable when vectors of this processor are pending; NULL if
     * the partition calls machine_interrupt_raise() instead.
     */
    int (*interrupt_descriptor)(void *partition, unsigned processor);
    /* Takes (clears) the pending vectors, ORing them in. NULL as above. */
    void (*take_vectors)(void *partition, unsigned processor,
                         uint64_t words[PARTITION_VECTOR_WORDS]);
    /* True if take_vectors would give some; cheap. NULL as above. */
    bool (*vectors_pending)(void *partition, unsigned processor);
    /*
     * Between on and off the caller looks at vectors_pending itself, and the descriptor need not
     * tell of new ones; it looks once more after off. Several may at a time. NULL as above.
     */
    void (*watch_vectors)(void *partition, unsigned processor, bool on);
    /*
     * Fibres only. Called when nothing can run (now < deadline), and from time to time with
     * deadline == now: lets the partition do its own work that is due, or wait in real time for its
     * peer. Returns the uptime at which something happened, in now ... deadline; deadline when
     * nothing did. MACHINE_NEVER in answer to a deadline of MACHINE_NEVER: nothing ever will.
     * NULL: the partition never acts by itself.
     */
    uint64_t (*idle)(void *partition, uint64_t now, uint64_t deadline);
    /* All processors run from now on. NULL allowed. 0 or a negative errno. */
    int (*start)(void *partition);
    /* machine_stop(): orderly goodbye, then frees the partition. */
    void (*detach)(void *partition, int status);
};

/*
 * Gives the machine its partition, before any kernel thread uses Hyper-V; `operations` must outlive
 * it. machine_partition_start() tells it that all is set up (interrupt entry included).
 */
void machine_partition_attach(const struct partition_operations *operations, void *partition);
int machine_partition_start(void);
bool machine_partition_attached(void);
/* 1 or 2; what the partition said, 0 without one. Set by the partition's implementation. */
unsigned machine_partition_generation(void);
void machine_partition_set_generation(unsigned generation);

/*
 * Interrupt lines of the PC, numbered as its I/O APIC does. `entry` is called for each change, by
 * any thread: it must only take notice. Changes before it is set are lost. NULL for none.
 */
#define MACHINE_LINES 24u
typedef void machine_line_entry(void *context, unsigned line, bool level);
void machine_lines_set_entry(machine_line_entry *entry, void *context);
/* For implementations of a partition: a line (below MACHINE_LINES) has changed. */
void machine_line_set(unsigned line, bool level);

/*
 * Guest-physical address of the picture that firmware leaves, mapped once machine_partition_start()
 * has returned: 1024 x 768, 32 bits a pixel (blue, green, red, unused), rows without a gap; 0:
 * there is none. Set by the partition's implementation.
 */
enum { MACHINE_BOOT_SCREEN_WIDTH = 1024, MACHINE_BOOT_SCREEN_HEIGHT = 768 };
uint64_t machine_partition_boot_screen(void);
void machine_partition_set_boot_screen(uint64_t address);

/*
 * Connects to hvhost at a Unix socket, says HELLO, hands over guest RAM and attaches a connection
 * per processor. After machine_start(). A host that does not listen yet is waited for, 5 seconds.
 * 0, or a negative errno with one clear line in `message`.
 */
int machine_partition_connect(const char *socket_path, char *message, size_t message_size);

/*
 * What the host wants: power off or reset (an orderly shutdown is the integration service's job,
 * this is the plug), or that it has gone (`what` is MACHINE_POWER_OFF, `status` negative, `reason`
 * one line). Called on a host thread that is not a kernel thread, or by the fibre scheduler: it
 * must only take notice, and wake somebody. Without a hook the process ends (MACHINE_EXIT_PARTITION
 * if status is negative).
 */
typedef void machine_power_hook(void *context, enum machine_power what, int status,
                                const char *reason);
void machine_partition_set_power_hook(machine_power_hook *hook, void *context);
/* For implementations of a partition: reports such an event. */
void machine_partition_power_event(enum machine_power what, int status, const char *reason);

/*
 * The guest turns itself off, resets or has crashed; `crash`: five parameters or NULL. The
 * partition is told, then the power hook is called with status 0 (without a hook this returns).
 */
void machine_power(enum machine_power what, const uint64_t *crash);

#endif
