/* SPDX-License-Identifier: BSD-3-Clause */
/* IONameMatch: patterns against the names a device answers to (xnu IORegistryEntry.cpp:
 * compareNames; IODeviceTreeSupport.cpp: IODTCompareNubName; IOPlatformExpert.cpp: compareNubName).
 */
#include "match/personality.h"

#include <string.h>

bool match_name(const char *pattern, const char *name, bool wildcard)
{
    size_t length = strlen(pattern);

    if (wildcard && length > 0 && pattern[length - 1] == '*')
        return strncmp(pattern, name, length - 1) == 0;
    return strcmp(pattern, name) == 0;
}

/* A property is one string, or data that lists NUL-terminated ones. Returns the string that fits.
 */
static struct plist *match_in_property(const char *pattern, const struct plist *property)
{
    size_t length;
    const char *bytes = plist_bytes(property, &length); /* a NUL stands behind the last byte */
    size_t position = 0;

    if (bytes == NULL)
        return NULL;
    do {
        const char *name = bytes + position;

        if (match_name(pattern, name, true))
            return plist_new_string(name, strlen(name));
        position += strlen(name) + 1;
    } while (position < length);
    return NULL;
}

static struct plist *match_in_tree(const char *pattern, struct match_device device)
{
    static const char *const keys[] = { "name", "compatible", "device_type", "model" };
    struct plist *matched = NULL;
    size_t index;

    if (device.operations->copy_property == NULL)
        return NULL;
    for (index = 0; index < sizeof keys / sizeof *keys && matched == NULL; index++) {
        struct plist *property = device.operations->copy_property(device.device, keys[index]);

        matched = match_in_property(pattern, property);
        plist_release(property);
    }
    return matched;
}

static struct plist *match_in_registry(const char *pattern, struct match_device device)
{
    const char *name =
        device.operations->name == NULL ? NULL : device.operations->name(device.device);

    if (name == NULL || !match_name(pattern, name, false))
        return NULL;
    return plist_new_string(pattern, strlen(pattern));
}

static struct plist *match_pattern(const char *pattern, struct match_device device)
{
    enum match_names names = device.operations->names == NULL
                                 ? MATCH_NAMES_REGISTRY
                                 : device.operations->names(device.device);
    struct plist *matched = NULL;

    if (names != MATCH_NAMES_REGISTRY)
        matched = match_in_tree(pattern, device);
    if (matched == NULL && names != MATCH_NAMES_TREE)
        matched = match_in_registry(pattern, device);
    return matched;
}

struct plist *match_copy_matched_name(const struct plist *patterns, struct match_device device)
{
    struct plist *matched = NULL;
    size_t index;

    if (plist_is(patterns, PLIST_STRING))
        return match_pattern(plist_string(patterns), device);
    if (!plist_is(patterns, PLIST_ARRAY) && !plist_is(patterns, PLIST_SET))
        return NULL;
    for (index = 0; index < plist_count(patterns) && matched == NULL; index++) {
        const char *pattern = plist_string(plist_value_at(patterns, index));

        if (pattern == NULL)
            break; /* the kernel's walk ends at the first element that is no string */
        matched = match_pattern(pattern, device);
    }
    return matched;
}

bool match_may_have_name(const struct plist *patterns, struct match_device device)
{
    size_t index;

    if (device.operations->may_have_name == NULL)
        return false;
    if (plist_is(patterns, PLIST_STRING))
        return device.operations->may_have_name(device.device, plist_string(patterns));
    if (!plist_is(patterns, PLIST_ARRAY) && !plist_is(patterns, PLIST_SET))
        return false;
    for (index = 0; index < plist_count(patterns); index++) {
        const char *pattern = plist_string(plist_value_at(patterns, index));

        if (pattern == NULL)
            return false;
        if (device.operations->may_have_name(device.device, pattern))
            return true;
    }
    return false;
}
