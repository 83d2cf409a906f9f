/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of device-tree nubs. */
#ifndef MACHV_XNU_IOKIT_DEVICE_TREE_H
#define MACHV_XNU_IOKIT_DEVICE_TREE_H

#include "abi/IORegistryEntry.h"

/* True if the name is one of the strings in the entry's properties name, compatible,
 * device_type, model; a name that ends in '*' matches by prefix. *matched (may be NULL): the
 * string that fits, +1. */
bool IODTCompareNubName(const IORegistryEntry *entry, OSString *name, OSString **matched)
    __asm("__Z18IODTCompareNubNamePK15IORegistryEntryP8OSStringPS3_");

#endif
