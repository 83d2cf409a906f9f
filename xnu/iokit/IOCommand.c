/* SPDX-License-Identifier: BSD-3-Clause */
/* IOCommand.c - base class of pooled commands (xnu iokit/Kernel/IOCommand.cpp). */
#include "abi/IOCommand.h"

#include "xnu/iokit/command_private.h"
#include "xnu/libkern/object.h"

bool IOCommand__init(IOCommand *me)
{
    if (!OSObject_super_init((OSObject *)me))
        return false;
    queue_init(command_link(me));
    return true;
}
