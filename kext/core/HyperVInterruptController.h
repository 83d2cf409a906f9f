/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVInterruptController: the interrupts of VMBus devices as I/O Kit's families know them. It
 * is registered with the platform under its name, and each nub's IOInterruptControllers and
 * IOInterruptSpecifiers name it and a vector of it. A vector is a device's primary channel, while
 * no driver has that open: drivers of ours take a channel's events by opening it, but on 10.4 the
 * SCSI family insists on a source of its provider before, and other people's drivers may want one.
 *
 * Message-signalled interrupts of passed-through PCI devices are not its: macOS's own
 * IOPCIMessagedInterruptController has those, and HyperVPCIBridge gives it the messages. */
#ifndef KEXT_CORE_HYPERVINTERRUPTCONTROLLER_H
#define KEXT_CORE_HYPERVINTERRUPTCONTROLLER_H

#include "abi/IOInterruptController.h"
#include "abi/runtime.h"

#define INTERRUPT_CONTROLLER_NAME "HyperVInterruptController"

#define INTERRUPT_VECTORS 256u          /* 0 is nobody's */

struct interrupt_line {
    volatile bool pending;              /* came and was not delivered yet */
    volatile bool masked;               /* registered, but never enabled */
    volatile bool delivering;           /* a handler runs, or is about to */
};

struct HyperVInterruptController {
    IOInterruptController super;        /* its vectors have a lock as soon as they are used */
    struct interrupt_line lines[INTERRUPT_VECTORS];
    IOService *nubs[INTERRUPT_VECTORS]; /* whose vector it is; not retained */
};
IOKIT_CLASS_DECLARE(25, HyperVInterruptController, IOInterruptController);

/* A new one, registered with the platform; the caller has a reference. NULL: no memory. */
HyperVInterruptController *interrupt_controller_start(void);

/* No nub has a vector any more: the platform is to let go of it. Platforms before 10.10 cannot
 * forget a name, so `successor`, a controller that stays, gets it. */
void interrupt_controller_stop(HyperVInterruptController *self, IOInterruptController *successor);

/* Gives the nub, before it is registered, a vector and the properties that say so. Returns 1 to
 * INTERRUPT_VECTORS - 1, or 0 without memory or when all are taken: then the nub has no interrupt.
 * Calls of add and remove are serialised by the caller. */
uint32_t interrupt_controller_add(HyperVInterruptController *self, IOService *nub);

/* The nub is going and nothing raises its vector any more. 0 is taken, too. */
void interrupt_controller_remove(HyperVInterruptController *self, uint32_t vector);

/* An interrupt came; interrupt context. While its handler is disabled it is remembered, once. */
void interrupt_controller_raise(HyperVInterruptController *self, uint32_t vector);

#endif
