/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVInterruptController: the interrupts of VMBus devices. The superclass keeps who registered
 * and whether it is disabled; here an interrupt is delivered, or remembered until it can be. */
#include "kext/core/HyperVInterruptController.h"

#include "abi/IOPlatformExpert.h"
#include "abi/OSArray.h"
#include "abi/OSData.h"
#include "abi/OSSymbol.h"
#include "abi/kpi/globals.h"
#include "abi/kpi/iolib.h"
#include "abi/kpi/locks.h"
#include "kext/core/shared_memory.h"

#define VECTORS_SIZE (INTERRUPT_VECTORS * sizeof(IOInterruptVector))

static HyperVInterruptController *from(IOInterruptController *me)
{
    return (HyperVInterruptController *)me;
}

/* ---- Delivery -------------------------------------------------------------------------------- */

static bool is_wanted(const IOInterruptVector *vector, const struct interrupt_line *line)
{
    return vector->interruptRegistered && !vector->interruptDisabledSoft && !line->masked;
}

/* Interrupts are off. One handler at a time: whoever finds another at it leaves the rest to that
 * one. "Disabled hard" has the superclass call enable_vector when the handler is enabled again; if
 * that happens meanwhile, either it sees the mark or we see that the interrupt is wanted. */
static void deliver(HyperVInterruptController *self, uint32_t number)
{
    IOInterruptVector *vector = &self->super.vectors[number];
    struct interrupt_line *line = &self->lines[number];

    while (line->pending) {
        if (!is_wanted(vector, line)) {
            vector->interruptDisabledHard = 1;
            __atomic_thread_fence(__ATOMIC_SEQ_CST);
            if (!is_wanted(vector, line))
                return;
        }
        if (__atomic_exchange_n(&line->delivering, true, __ATOMIC_SEQ_CST))
            return;
        if (is_wanted(vector, line)) {
            line->pending = false;
            vector->handler(vector->target, vector->refCon, vector->nub, vector->source);
        }
        __atomic_store_n(&line->delivering, false, __ATOMIC_SEQ_CST);
    }
}

/* The superclass waits for `interruptActive` before it disables or forgets a handler. */
static int32_t handle_interrupt(IOInterruptController *me, void *reference, IOService *nub,
                                int32_t number)
{
    IOInterruptVector *vector = &me->vectors[number];

    if (number <= 0 || (uint32_t)number >= INTERRUPT_VECTORS)
        return kIOReturnNoInterrupt;
    vector->interruptActive = 1;
    __atomic_store_n(&from(me)->lines[number].pending, true, __ATOMIC_SEQ_CST);
    deliver(from(me), (uint32_t)number);
    __atomic_store_n(&vector->interruptActive, 0, __ATOMIC_SEQ_CST);
    return kIOReturnSuccess;
}

void interrupt_controller_raise(HyperVInterruptController *self, uint32_t vector)
{
    handle_interrupt(&self->super, NULL, NULL, (int32_t)vector);
}

/* A handler expects to run with interrupts off: also when a thread makes up for a late enable. */
static void deliver_in_thread(IOInterruptController *me, int32_t number)
{
    boolean_t enabled = ml_set_interrupts_enabled(false);

    deliver(from(me), (uint32_t)number);
    ml_set_interrupts_enabled(enabled);
}

/* ---- What the superclass asks ---------------------------------------------------------------- */

/* What came before was another's. */
static void init_vector(IOInterruptController *me, int32_t number, IOInterruptVector *vector)
{
    from(me)->lines[number].masked = true;
    from(me)->lines[number].pending = false;
}

static int32_t vector_type(IOInterruptController *me, int32_t number, IOInterruptVector *vector)
{
    return kIOInterruptTypeEdge;
}

static void enable_vector(IOInterruptController *me, int32_t number, IOInterruptVector *vector)
{
    __atomic_store_n(&from(me)->lines[number].masked, false, __ATOMIC_SEQ_CST);
    deliver_in_thread(me, number);
}

/* The handler is being unregistered: on return none runs that a thread has called. */
static void disable_vector(IOInterruptController *me, int32_t number, IOInterruptVector *vector)
{
    struct interrupt_line *line = &from(me)->lines[number];

    __atomic_store_n(&line->masked, true, __ATOMIC_SEQ_CST);
    while (line->delivering)
        IODelay(1);
}

static void cause_vector(IOInterruptController *me, int32_t number, IOInterruptVector *vector)
{
    __atomic_store_n(&from(me)->lines[number].pending, true, __ATOMIC_SEQ_CST);
    deliver_in_thread(me, number);
}

/* ---- Vectors of nubs ------------------------------------------------------------------------- */

static uint32_t free_vector(const HyperVInterruptController *self)
{
    uint32_t number = 1;

    while (number < INTERRUPT_VECTORS && self->nubs[number] != NULL)
        number++;
    return number < INTERRUPT_VECTORS ? number : 0;
}

/* One source, named as families look for it: the name must be a symbol. */
static bool publish(IOService *nub, uint32_t number)
{
    const OSSymbol *name = OSSymbol_withCString(INTERRUPT_CONTROLLER_NAME);
    OSData *specifier = OSData_withBytes(&number, sizeof number);
    OSArray *names = OSArray_withCapacity(1), *specifiers = OSArray_withCapacity(1);
    IORegistryEntry *entry = (IORegistryEntry *)nub;
    bool good = name != NULL && specifier != NULL && names != NULL && specifiers != NULL &&
                OSArray_setObject_metaclassbase(names, (OSMetaClassBase *)name) &&
                OSArray_setObject_metaclassbase(specifiers, (OSMetaClassBase *)specifier) &&
                IORegistryEntry_setProperty_symbol_object(entry, gIOInterruptControllersKey,
                                                          (OSObject *)names) &&
                IORegistryEntry_setProperty_symbol_object(entry, gIOInterruptSpecifiersKey,
                                                          (OSObject *)specifiers);

    iokit_release(specifiers);
    iokit_release(names);
    iokit_release(specifier);
    iokit_release(name);
    return good;
}

uint32_t interrupt_controller_add(HyperVInterruptController *self, IOService *nub)
{
    uint32_t number = free_vector(self);
    IOInterruptVector *vector = &self->super.vectors[number];

    if (number != 0 && vector->interruptLock == NULL)
        vector->interruptLock = (struct _IOLock *)IOLockAlloc();
    if (number == 0 || vector->interruptLock == NULL || !publish(nub, number))
        return 0;
    self->nubs[number] = nub;
    return number;
}

/* A driver that forgot to unregister its handler is not called any more. */
void interrupt_controller_remove(HyperVInterruptController *self, uint32_t number)
{
    if (number == 0)
        return;
    self->super.vectors[number].interruptRegistered = 0;
    self->nubs[number] = NULL;
}

/* ---- Start and end --------------------------------------------------------------------------- */

static bool register_as_ours(IOInterruptController *controller)
{
    const OSSymbol *name = OSSymbol_withCString(INTERRUPT_CONTROLLER_NAME);
    bool good = name != NULL &&
                IOPlatformExpert_registerInterruptController(
                    IOService_getPlatform(), (OSSymbol *)(uintptr_t)name, controller) ==
                    kIOReturnSuccess;

    iokit_release(name);
    return good;
}

static bool set_up(HyperVInterruptController *self)
{
    IORegistryEntry *entry = (IORegistryEntry *)self;

    self->super.vectors = IOMalloc(VECTORS_SIZE);
    if (self->super.vectors != NULL)
        memset(self->super.vectors, 0, VECTORS_SIZE);
    if (self->super.vectors == NULL ||
        !IOService_attach((IOService *)self, (IOService *)IOService_getPlatform()))
        return false;
    IORegistryEntry_setProperty_cstring_cstring(entry, "InterruptControllerName",
                                                INTERRUPT_CONTROLLER_NAME);
    if (!register_as_ours(&self->super)) {
        IOService_detach((IOService *)self, (IOService *)IOService_getPlatform());
        return false;
    }
    IOService_registerService((IOService *)self, 0);
    return true;
}

HyperVInterruptController *interrupt_controller_start(void)
{
    HyperVInterruptController *self = HyperVInterruptController_alloc();

    if (self != NULL && IORegistryEntry_init_dictionary((IORegistryEntry *)self, NULL) &&
        set_up(self))
        return self;
    iokit_release(self);
    return NULL;
}

void interrupt_controller_stop(HyperVInterruptController *self, IOInterruptController *successor)
{
    register_as_ours(successor);
    IOService_detach((IOService *)self, (IOService *)IOService_getPlatform());
}

static void controller_free(OSObject *me)
{
    IOInterruptVector *vectors = ((HyperVInterruptController *)me)->super.vectors;

    for (uint32_t i = 0; vectors != NULL && i < INTERRUPT_VECTORS; i++)
        if (vectors[i].interruptLock != NULL)
            IOLockFree((IOLock *)vectors[i].interruptLock);
    if (vectors != NULL)
        IOFree(vectors, VECTORS_SIZE);
    IOInterruptController_super_free((IOInterruptController *)me);
}

IOKIT_CLASS(25, HyperVInterruptController, IOInterruptController,
            .handleInterrupt = handle_interrupt,
            .initVector = init_vector,
            .getVectorType = vector_type,
            .enableVector = enable_vector,
            .disableVectorHard = disable_vector,
            .causeVector = cause_vector,
            .free = controller_free)
