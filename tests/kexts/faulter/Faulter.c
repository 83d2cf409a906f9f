/* SPDX-License-Identifier: BSD-3-Clause */
/* A driver with a defect: as soon as the machine has its Hyper-V controller, it faults, in the way
 * that the boot argument fault= names. */
#include "abi/IOService.h"
#include "abi/kpi/iolib.h"
#include "abi/kpi/platform.h"
#include "abi/runtime.h"

#define WAY_LENGTH 16u

struct Faulter {
    IOService super;
};

__attribute__((noinline)) static void faulter_write(void)
{
    *(volatile uint32_t *)(uintptr_t)0x18 = 1;
}

__attribute__((noinline)) static void faulter_invalid(void)
{
    __asm__ volatile("ud2");
}

/* Through a pointer that nobody has set. */
static void (*volatile faulter_nothing)(void);

__attribute__((noinline)) static void faulter_call(void)
{
    faulter_nothing();
    __asm__ volatile(""); /* so that it is a call, not a jump */
}

__attribute__((noinline)) static void faulter_stack(uint32_t depth)
{
    volatile uint8_t frame[1024];

    frame[depth % sizeof frame] = 1;
    if (depth != UINT32_MAX)
        faulter_stack(depth + frame[depth % sizeof frame]);
    frame[0] = 0;
}

static bool start(IOService *me, IOService *provider)
{
    char way[WAY_LENGTH] = "";

    if (!PE_parse_boot_argn("fault", way, (int)sizeof way) ||
        !IOService_super_start(me, provider))
        return false;
    switch (way[0]) {
    case 'w':
        faulter_write();
        break;
    case 'i':
        faulter_invalid();
        break;
    case 'c':
        faulter_call();
        break;
    case 's':
        faulter_stack(0);
        break;
    default:
        break;
    }
    IOLog("Faulter: no such fault: %s\n", way);
    return false;
}

IOKIT_CLASS(7, Faulter, IOService, .start = start)

IOKIT_MODULE(KEXT_IDENTIFIER, KEXT_VERSION, iokit_module_nothing, iokit_module_nothing);
