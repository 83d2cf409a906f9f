/* SPDX-License-Identifier: BSD-3-Clause */
/* The built-in I/O APIC: 24 edge-triggered lines that arrive as processor vectors from "Base
 * Vector Number" on. On Hyper-V VMBus does not use its line: the driver programs the vector, base
 * plus line, into the synthetic interrupt controller. Lines of a generation 1 machine's keyboard
 * are wired. Source: class and property names as a Mac's registry shows them. */
#include "xnu/iokit/AppleAPICInterruptController.h"

#include "abi/IOInterruptController.h"
#include "abi/IOPlatformExpert.h"
#include "abi/kpi/libkern.h"
#include "abi/kpi/locks.h"

#include "xnu/iokit/interrupt_vectors.h"
#include "xnu/iokit/service.h"
#include "xnu/libkern/class.h"
#include "xnu/machine/partition.h"

enum { LINE_COUNT = 24, BASE_VECTOR = 0x40, NUMBER_BITS = 32 };

struct AppleAPICInterruptController {
    IOInterruptController super;
    bool pending[LINE_COUNT]; /* came while the line was masked */
};

static void apic_free(OSObject *object);
static int32_t apic_handle(IOInterruptController *controller, void *reference, IOService *nub,
                           int32_t source);
static void apic_enable(IOInterruptController *controller, int32_t number,
                        IOInterruptVector *vector);
static void apic_cause(IOInterruptController *controller, int32_t number,
                       IOInterruptVector *vector);

KERNEL_CLASS(28, AppleAPICInterruptController, IOInterruptController, .free = apic_free,
             .handleInterrupt = apic_handle, .enableVector = apic_enable,
             .causeVector = apic_cause)

static void interrupt(void *context, unsigned vector)
{
    apic_handle(context, NULL, NULL, (int32_t)vector - BASE_VECTOR);
}

/* A rising edge; also from threads that are no kernel threads. */
static void line_changed(void *context, unsigned line, bool level)
{
    if (level)
        machine_interrupt_raise(0, BASE_VECTOR + line);
}

/* In interrupt context. A masked line remembers that it was raised. */
static int32_t apic_handle(IOInterruptController *controller, void *reference, IOService *nub,
                           int32_t source)
{
    AppleAPICInterruptController *me = (AppleAPICInterruptController *)controller;
    IOInterruptVector *vector = &controller->vectors[source];

    vector->interruptActive = 1;
    if (vector->interruptRegistered && !vector->interruptDisabledSoft) {
        vector->handler(vector->target, vector->refCon, vector->nub, vector->source);
    } else {
        vector->interruptDisabledHard = 1;
        me->pending[source] = true;
    }
    vector->interruptActive = 0;
    return kIOReturnSuccess;
}

static void apic_enable(IOInterruptController *controller, int32_t number,
                        IOInterruptVector *vector)
{
    AppleAPICInterruptController *me = (AppleAPICInterruptController *)controller;

    if (!me->pending[number])
        return;
    me->pending[number] = false;
    apic_cause(controller, number, vector);
}

static void apic_cause(IOInterruptController *controller, int32_t number,
                       IOInterruptVector *vector)
{
    machine_interrupt_raise(0, (unsigned)(BASE_VECTOR + number));
}

static void apic_free(OSObject *object)
{
    AppleAPICInterruptController *me = (AppleAPICInterruptController *)object;
    unsigned i;

    for (i = 0; me->super.vectors && i < LINE_COUNT; i++) {
        vector_clear_handler(BASE_VECTOR + i);
        if (me->super.vectors[i].interruptLock)
            IOLockFree((IOLock *)me->super.vectors[i].interruptLock);
    }
    kernel_free(me->super.vectors, LINE_COUNT * sizeof(*me->super.vectors));
    IOInterruptController_super_free(&me->super);
}

static bool make_vectors(AppleAPICInterruptController *me)
{
    unsigned i;

    me->super.vectors = kernel_allocate(LINE_COUNT * sizeof(*me->super.vectors));
    for (i = 0; me->super.vectors && i < LINE_COUNT; i++) {
        me->super.vectors[i].interruptLock = (struct _IOLock *)IOLockAlloc();
        if (!me->super.vectors[i].interruptLock ||
            !vector_set_handler(BASE_VECTOR + i, interrupt, me))
            return false;
    }
    return me->super.vectors != NULL;
}

bool apic_start(IOPlatformExpert *platform)
{
    AppleAPICInterruptController *me = AppleAPICInterruptController_alloc();
    const OSSymbol *name = OSSymbol_withCString(APIC_NAME);
    bool good;

    good = me && name && IORegistryEntry_init_dictionary(entry_of(me), NULL) && make_vectors(me) &&
           IOService_attach((IOService *)me, (IOService *)platform);
    if (good) {
        IORegistryEntry_setProperty_cstring_number(entry_of(me), "Base Vector Number", BASE_VECTOR,
                                                   NUMBER_BITS);
        IORegistryEntry_setProperty_cstring_number(entry_of(me), "Physical Address", 0xfec00000,
                                                   NUMBER_BITS);
        IORegistryEntry_setProperty_symbol_object(entry_of(me),
                                                  gPlatformInterruptControllerName,
                                                  (OSObject *)name);
        IOPlatformExpert_registerInterruptController(platform, (OSSymbol *)name,
                                                     (IOInterruptController *)me);
        machine_lines_set_entry(line_changed, NULL);
        IOService_registerService((IOService *)me, 0);
    }
    object_release(me);
    object_release(name);
    return good;
}
