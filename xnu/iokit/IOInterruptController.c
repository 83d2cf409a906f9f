/* SPDX-License-Identifier: BSD-3-Clause */
/* IOInterruptController: the part that all controllers share. A subclass makes the vectors,
 * masks and unmasks them, and calls their handlers. Source of the rules: xnu
 * iokit/Kernel/IOInterruptController.cpp. */
#include "abi/IOInterruptController.h"
#include "abi/IOPlatformExpert.h"
#include "abi/kpi/libkern.h"
#include "abi/kpi/locks.h"

#include "xnu/iokit/service.h"

/* The vector of a nub's source: the first 32-bit word of its specifier. */
static IOInterruptVector *vector_of(IOInterruptController *me, IOService *nub, int source,
                                    int32_t *number)
{
    OSData *data = nub->_interruptSources[source].vectorData;
    uint32_t word;

    memcpy(&word, OSData_getBytesNoCopy(data), sizeof(word));
    *number = (int32_t)word;
    return &me->vectors[word];
}

static bool has_vector(IOService *nub, int source)
{
    return nub->_interruptSources && source >= 0 && source < nub->_numInterruptSources &&
           nub->_interruptSources[source].vectorData &&
           OSData_getLength(nub->_interruptSources[source].vectorData) >= sizeof(uint32_t);
}

/* The vector starts disabled, hard and soft. */
int32_t IOInterruptController__registerInterrupt_service_number_pointer_function_pointer(
    IOInterruptController *me, IOService *nub, int32_t source, void *target,
    void (*handler)(void *, void *, void *, int32_t), void *reference)
{
    IOInterruptVector *vector;
    int32_t number;

    if (!has_vector(nub, source))
        return kIOReturnNoInterrupt;
    vector = vector_of(me, nub, source, &number);
    IOLockLock((IOLock *)vector->interruptLock);
    if (vector->interruptRegistered) {
        /* Vectors here are edge-triggered and never wired together. */
        IOLockUnlock((IOLock *)vector->interruptLock);
        return kIOReturnNoResources;
    }
    IOInterruptController_initVector(me, number, vector);
    vector->handler = handler;
    vector->nub = nub;
    vector->source = source;
    vector->target = target;
    vector->refCon = reference;
    vector->interruptDisabledHard = 1;
    vector->interruptDisabledSoft = 1;
    vector->interruptRegistered = 1;
    IOLockUnlock((IOLock *)vector->interruptLock);
    return kIOReturnSuccess;
}

/* Spins until no handler runs, unless this is one. */
static void wait_inactive(const IOInterruptVector *vector)
{
    IOPlatformExpert *platform = IOService_getPlatform();

    if (platform && IOPlatformExpert_atInterruptLevel(platform))
        return;
    while (vector->interruptActive)
        machine_yield();
}

int32_t IOInterruptController__unregisterInterrupt_service_number(IOInterruptController *me,
                                                                  IOService *nub, int32_t source)
{
    IOInterruptVector *vector;
    int32_t number;

    if (!has_vector(nub, source))
        return kIOReturnNoInterrupt;
    vector = vector_of(me, nub, source, &number);
    IOLockLock((IOLock *)vector->interruptLock);
    if (vector->interruptRegistered) {
        vector->interruptDisabledSoft = 1;
        vector->interruptDisabledHard = 1;
        IOInterruptController_disableVectorHard(me, number, vector);
        wait_inactive(vector);
        vector->interruptRegistered = 0;
        vector->nub = NULL;
        vector->source = 0;
        vector->handler = NULL;
        vector->target = NULL;
        vector->refCon = NULL;
    }
    IOLockUnlock((IOLock *)vector->interruptLock);
    return kIOReturnSuccess;
}

int32_t IOInterruptController__getInterruptType_service_number_numbers(IOInterruptController *me,
                                                                       IOService *nub,
                                                                       int32_t source,
                                                                       int32_t *type)
{
    IOInterruptVector *vector;
    int32_t number;

    if (!type)
        return kIOReturnBadArgument;
    if (!has_vector(nub, source))
        return kIOReturnNoInterrupt;
    vector = vector_of(me, nub, source, &number);
    *type = IOInterruptController_getVectorType(me, number, vector);
    return kIOReturnSuccess;
}

int32_t IOInterruptController__enableInterrupt_service_number(IOInterruptController *me,
                                                              IOService *nub, int32_t source)
{
    IOInterruptVector *vector;
    int32_t number;

    if (!has_vector(nub, source))
        return kIOReturnNoInterrupt;
    vector = vector_of(me, nub, source, &number);
    if (!vector->interruptDisabledSoft)
        return kIOReturnSuccess;
    vector->interruptDisabledSoft = 0;
    wait_inactive(vector);
    if (vector->interruptDisabledHard) {
        vector->interruptDisabledHard = 0;
        IOInterruptController_enableVector(me, number, vector);
    }
    return kIOReturnSuccess;
}

int32_t IOInterruptController__disableInterrupt_service_number(IOInterruptController *me,
                                                               IOService *nub, int32_t source)
{
    IOInterruptVector *vector;
    int32_t number;

    if (!has_vector(nub, source))
        return kIOReturnNoInterrupt;
    vector = vector_of(me, nub, source, &number);
    vector->interruptDisabledSoft = 1;
    wait_inactive(vector);
    return kIOReturnSuccess;
}

int32_t IOInterruptController__causeInterrupt_service_number(IOInterruptController *me,
                                                             IOService *nub, int32_t source)
{
    IOInterruptVector *vector;
    int32_t number;

    if (!has_vector(nub, source))
        return kIOReturnNoInterrupt;
    vector = vector_of(me, nub, source, &number);
    IOInterruptController_causeVector(me, number, vector);
    return kIOReturnSuccess;
}

/* ---- what a subclass overrides; the defaults ---- */

void (*IOInterruptController__getInterruptHandlerAddress(IOInterruptController *me))(OSObject *,
                                                                                      void *,
                                                                                      IOService *,
                                                                                      int32_t)
{
    return NULL;
}

int32_t IOInterruptController__handleInterrupt(IOInterruptController *me, void *reference,
                                               IOService *nub, int32_t source)
{
    return kIOReturnInvalid;
}

bool IOInterruptController__vectorCanBeShared(IOInterruptController *me, int32_t number,
                                              IOInterruptVector *vector)
{
    return false;
}

void IOInterruptController__initVector(IOInterruptController *me, int32_t number,
                                       IOInterruptVector *vector)
{
}

int32_t IOInterruptController__getVectorType(IOInterruptController *me, int32_t number,
                                             IOInterruptVector *vector)
{
    return kIOInterruptTypeEdge;
}

void IOInterruptController__disableVectorHard(IOInterruptController *me, int32_t number,
                                              IOInterruptVector *vector)
{
}

void IOInterruptController__enableVector(IOInterruptController *me, int32_t number,
                                         IOInterruptVector *vector)
{
}

void IOInterruptController__causeVector(IOInterruptController *me, int32_t number,
                                        IOInterruptVector *vector)
{
}

void IOInterruptController__setCPUInterruptProperties(IOInterruptController *me,
                                                      IOService *service)
{
}

void IOInterruptController__sendIPI(IOInterruptController *me, uint32_t processor, bool deferred)
{
}

void IOInterruptController__cancelDeferredIPI(IOInterruptController *me, uint32_t processor)
{
}

/* Interrupt accounting: nobody reads it here. */
void IOInterruptController_timeStampSpuriousInterrupt(IOInterruptController *me)
{
}

void IOInterruptController_timeStampInterruptHandlerStart(IOInterruptController *me, int32_t number,
                                                          IOInterruptVector *vector)
{
}

void IOInterruptController_timeStampInterruptHandlerEnd(IOInterruptController *me, int32_t number,
                                                        IOInterruptVector *vector)
{
}
