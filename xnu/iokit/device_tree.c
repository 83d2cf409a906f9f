/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of device-tree nubs (xnu iokit/Kernel/IODeviceTreeSupport.cpp). */
#include "abi/kpi/libkern.h"

#include "match/personality.h"
#include "xnu/iokit/device_tree.h"
#include "xnu/iokit/service.h"

/* +1 or NULL. */
static OSString *match_text(const char *pattern, const char *text)
{
    return match_name(pattern, text, true) ? OSString_withCString(text) : NULL;
}

/* The value is a list of strings, each with its NUL. */
static OSString *match_list(const char *pattern, const char *list, size_t size)
{
    OSString *found = NULL;

    while (!found && size > 0 && list[size - 1] != '\0')
        size--; /* what has no NUL is no string */
    while (!found && size > 0) {
        size_t length = strlen(list) + 1;

        found = match_text(pattern, list);
        list += length;
        size -= length;
    }
    return found;
}

static OSString *match_property(const IORegistryEntry *entry, const char *pattern,
                                const OSSymbol *key)
{
    OSObject *value = IORegistryEntry_copyProperty_symbol((IORegistryEntry *)entry, key);
    OSString *string = as_string(value), *found = NULL;
    OSData *data = as_data(value);

    if (string)
        found = match_text(pattern, OSString_getCStringNoCopy(string));
    else if (data)
        found = match_list(pattern, OSData_getBytesNoCopy(data), OSData_getLength(data));
    object_release(value);
    return found;
}

bool IODTCompareNubName(const IORegistryEntry *entry, OSString *name, OSString **matched)
{
    const OSSymbol *const keys[] = {gIODTNameKey, gIODTCompatibleKey, gIODTTypeKey,
                                    gIODTModelKey};
    const char *pattern = OSString_getCStringNoCopy(name);
    OSString *found = NULL;
    size_t i;

    for (i = 0; !found && i < sizeof(keys) / sizeof(keys[0]); i++)
        found = match_property(entry, pattern, keys[i]);
    if (!found)
        return false;
    if (matched)
        *matched = found;
    else
        object_release(found);
    return true;
}
