/* SPDX-License-Identifier: BSD-3-Clause */
/* IOCommandPool.c - commands that are handed out and given back through a command gate
 * (xnu iokit/Kernel/IOCommandPool.cpp). */
#include "abi/IOCommandGate.h"
#include "abi/IOCommandPool.h"
#include "abi/IOWorkLoop.h"
#include "abi/kpi/threads.h"

#include "xnu/iokit/command_private.h"
#include "xnu/libkern/object.h"

IOCommandPool *IOCommandPool_withWorkLoop(IOWorkLoop *work_loop)
{
    IOCommandPool *me = object_new(&IOCommandPool_gMetaClass);

    if (me && !IOCommandPool_initWithWorkLoop(me, work_loop)) {
        object_release(me);
        return NULL;
    }
    return me;
}

IOCommandPool *IOCommandPool_commandPool(IOService *owner, IOWorkLoop *work_loop, uint32_t size)
{
    return IOCommandPool_withWorkLoop(work_loop);
}

bool IOCommandPool__initWithWorkLoop(IOCommandPool *me, IOWorkLoop *work_loop)
{
    if (!work_loop || !OSObject_super_init((OSObject *)me))
        return false;
    queue_init(pool_head(me));
    me->fSerializer = IOCommandGate_commandGate((OSObject *)me, NULL);
    if (!me->fSerializer)
        return false;
    return IOWorkLoop_addEventSource(work_loop, (IOEventSource *)me->fSerializer) ==
           kIOReturnSuccess;
}

bool IOCommandPool__init_service_workloop_number(IOCommandPool *me, IOService *owner,
                                                 IOWorkLoop *work_loop, uint32_t size)
{
    return IOCommandPool_initWithWorkLoop(me, work_loop);
}

void IOCommandPool__free(IOCommandPool *me)
{
    if (me->fSerializer) {
        IOWorkLoop *work_loop = IOEventSource_getWorkLoop((IOEventSource *)me->fSerializer);
        if (work_loop)
            IOWorkLoop_removeEventSource(work_loop, (IOEventSource *)me->fSerializer);
        object_release_clear(&me->fSerializer);
    }
    OSObject_super_free((OSObject *)me);
}

static int32_t get_action(OSObject *owner, void *command, void *block, void *argument2,
                          void *argument3)
{
    return IOCommandPool_gatedGetCommand((IOCommandPool *)owner, command, block != NULL);
}

static int32_t return_action(OSObject *owner, void *command, void *argument1, void *argument2,
                             void *argument3)
{
    return IOCommandPool_gatedReturnCommand((IOCommandPool *)owner, command);
}

IOCommand *IOCommandPool__getCommand(IOCommandPool *me, bool block)
{
    IOCommand *command = NULL;

    if (IOCommandGate_runAction(me->fSerializer, get_action, &command, (void *)(uintptr_t)block,
                                NULL, NULL) != kIOReturnSuccess)
        return NULL;
    return command;
}

int32_t IOCommandPool__gatedGetCommand(IOCommandPool *me, IOCommand **command, bool block)
{
    while (queue_is_empty(pool_head(me))) {
        *command = NULL;
        if (!block)
            return kIOReturnNoResources;
        me->fSleepers++;
        int32_t result = IOCommandGate_commandSleep(me->fSerializer, &me->fSleepers, THREAD_UNINT);
        me->fSleepers--;
        if (result != THREAD_AWAKENED)
            return result;
    }
    struct queue_link *link = pool_head(me)->next;
    queue_remove(link);
    *command = command_of(link);
    return kIOReturnSuccess;
}

void IOCommandPool__returnCommand(IOCommandPool *me, IOCommand *command)
{
    IOCommandGate_runAction(me->fSerializer, return_action, command, NULL, NULL, NULL);
}

/* Last in, first out: the command that was used last is warm in the caches. */
int32_t IOCommandPool__gatedReturnCommand(IOCommandPool *me, IOCommand *command)
{
    struct queue_link *head = pool_head(me);

    queue_add(head->next, command_link(command));
    if (me->fSleepers != 0)
        IOCommandGate_commandWakeup(me->fSerializer, &me->fSleepers, true);
    return kIOReturnSuccess;
}
