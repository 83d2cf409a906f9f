/* SPDX-License-Identifier: BSD-3-Clause */
/* IOMapper.c - there is no I/O memory management unit: bus addresses are guest-physical addresses.
 *
 * The base class's methods that a mapper would implement stay undefined; drivers only reach the
 * static functions (xnu iokit/Kernel/IOMapper.cpp). */
#include "abi/IOMapper.h"

#include "xnu/libkern/object.h"
#include "xnu/machine/panic.h"

static bool mapper_required;

/* Public in the header: NULL is "not known yet", the value below "there is none". */
IOMapper *IOMapper_gSystem __asm("__ZN8IOMapper7gSystemE") = (IOMapper *)2;

void IOMapper_setMapperRequired(bool required)
{
    mapper_required = required;
}

/* On a machine that promised a mapper, DMA waits for it for ever. */
void IOMapper_waitForSystemMapper(void)
{
    if (mapper_required)
        machine_panic("IOMapper::waitForSystemMapper: a mapper is required but none exists; macOS "
                      "waits here for ever");
}

IOMapper *IOMapper_copyMapperForDevice(IOService *device)
{
    return NULL;
}

IOMapper *IOMapper_copyMapperForDeviceWithIndex(IOService *device, uint32_t index)
{
    return NULL;
}
