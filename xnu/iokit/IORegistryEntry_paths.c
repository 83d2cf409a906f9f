/* SPDX-License-Identifier: BSD-3-Clause */
/* Paths of the registry: "IOService:/AppleACPIPlatformExpert/PCI0@0". A component is a name,
 * with a location after '@'; the entry below the root of a plane is "/". A component may leave
 * the location out. Source of the rules: xnu iokit/Kernel/IORegistryEntry.cpp. */
#include "abi/kpi/libkern.h"

#include "xnu/bsd/format.h"
#include "xnu/iokit/registry.h"
#include "xnu/iokit/symbols.h"

enum { PLANE_NAME_ROOM = 64, DEPTH_MAX = 64 };

/* ---- writing ---- */

/* *length: room before, characters written after. False: no room. */
bool IORegistryEntry__getPathComponent(IORegistryEntry *me, char *path, int32_t *length,
                                       const IORegistryPlane *plane)
{
    const char *location = IORegistryEntry_getLocation(me, plane);
    const char *name = IORegistryEntry_getName(me, plane);
    int written = format_text(path, (size_t)*length, "%s%s%s", name, location ? "@" : "",
                              location ? location : "");

    if (written >= *length)
        return false;
    *length = written;
    return true;
}

/* The entries from below the plane's first entry down to `me`; returns how many. */
static unsigned collect_path(IORegistryEntry *me, const IORegistryPlane *plane,
                             IORegistryEntry *entries[DEPTH_MAX])
{
    IORegistryEntry *root = IORegistryEntry_getRegistryRoot();
    IORegistryEntry *entry = me, *parent;
    unsigned count = 0;

    while (count < DEPTH_MAX && (parent = IORegistryEntry_getParentEntry(entry, plane)) &&
           parent != root) {
        entries[count++] = entry;
        entry = parent;
    }
    return count;
}

bool IORegistryEntry__getPath(IORegistryEntry *me, char *path, int32_t *length,
                              const IORegistryPlane *plane)
{
    IORegistryEntry *entries[DEPTH_MAX];
    int32_t used, room = *length;
    bool good = true;
    unsigned i;

    if (!path || !plane || room <= 0 || !IORegistryEntry_inPlane(me, plane))
        return false;
    kernel_lock_take(&registry_lock);
    i = collect_path(me, plane, entries);
    used = format_text(path, (size_t)room, "%s:%s",
                       OSString_getCStringNoCopy((OSString *)plane->name), i ? "" : "/");
    good = used < room;
    while (good && i-- > 0) {
        int32_t left = room - used - 1;

        good = left > 0;
        if (!good)
            break;
        path[used++] = '/';
        good = IORegistryEntry_getPathComponent(entries[i], path + used, &left, plane);
        used += good ? left : 0;
    }
    kernel_lock_drop(&registry_lock);
    if (good)
        *length = used;
    return good;
}

/* ---- reading ---- */

/* The rest of the path behind the location if it fits, else NULL. */
const char *IORegistryEntry_matchPathLocation(IORegistryEntry *me, const char *path,
                                              const IORegistryPlane *plane)
{
    const char *location = IORegistryEntry_getLocation(me, plane);
    size_t length = location ? strlen(location) : 0;

    if (!location || strncmp(path, location, length) != 0)
        return NULL;
    path += length;
    return *path == '\0' || *path == '/' || *path == ':' ? path : NULL;
}

static const char *match_component(IORegistryEntry *entry, const char *path,
                                   const IORegistryPlane *plane)
{
    const char *name = IORegistryEntry_getName(entry, plane);
    size_t length = strlen(name);

    if (*path == '@') /* by location alone */
        return IORegistryEntry_matchPathLocation(entry, path + 1, plane);
    if (strncmp(path, name, length) != 0)
        return NULL;
    path += length;
    if (*path == '@')
        return IORegistryEntry_matchPathLocation(entry, path + 1, plane);
    return *path == '\0' || *path == '/' || *path == ':' ? path : NULL;
}

/* Consumes one component of *path; borrowed, NULL if no child fits. */
IORegistryEntry *IORegistryEntry_getChildFromComponent(IORegistryEntry *me, const char **path,
                                                       const IORegistryPlane *plane)
{
    OSArray *children = registry_links(me, REGISTRY_CHILDREN, plane);
    unsigned i;

    for (i = 0; children && i < array_count(children); i++) {
        IORegistryEntry *child = array_at(children, i);
        const char *rest = match_component(child, *path, plane);

        if (rest) {
            *path = rest;
            return child;
        }
    }
    return NULL;
}

const char *IORegistryEntry_dealiasPath(const char **path, const IORegistryPlane *plane)
{
    return NULL; /* aliases are a device tree's of Open Firmware; there is none here */
}

const OSSymbol *IORegistryEntry_hasAlias(IORegistryEntry *me, const IORegistryPlane *plane,
                                         char *path, int32_t *length)
{
    return NULL;
}

static const IORegistryPlane *plane_of_path(const char **path)
{
    char name[PLANE_NAME_ROOM];
    const char *colon = strchr(*path, ':');
    size_t length = colon ? (size_t)(colon - *path) : 0;

    if (!colon || length >= sizeof(name))
        return NULL;
    memcpy(name, *path, length);
    name[length] = '\0';
    *path = colon + 1;
    return IORegistryEntry_getPlane(name);
}

/* Goes down from `entry` as far as the path leads; *path is what is left of it. */
static IORegistryEntry *descend(IORegistryEntry *entry, const char **path,
                                const IORegistryPlane *plane)
{
    const char *rest = *path;

    for (;;) {
        IORegistryEntry *child;

        while (*rest == '/')
            rest++;
        if (*rest == '\0' || *rest == ':')
            break;
        child = IORegistryEntry_getChildFromComponent(entry, &rest, plane);
        if (!child)
            break;
        entry = child;
    }
    *path = rest;
    return entry;
}

/* +1. The part of the path that leads nowhere goes to residual (*residual_length: its room, then
 * its length); without residual such a path is NULL. */
IORegistryEntry *IORegistryEntry_fromPath(const char *path, const IORegistryPlane *plane,
                                          char *residual, int32_t *residual_length,
                                          IORegistryEntry *from)
{
    IORegistryEntry *entry = from;
    int32_t length;

    if (!path)
        return NULL;
    if (!plane || strchr(path, ':')) {
        const char *rest = path;
        const IORegistryPlane *named = plane_of_path(&rest);

        if (named) {
            plane = named;
            path = rest;
        }
    }
    if (!plane || (!from && *path != '/'))
        return NULL;
    kernel_lock_take(&registry_lock);
    if (!from)
        entry = IORegistryEntry_getChildEntry(IORegistryEntry_getRegistryRoot(), plane);
    if (entry)
        entry = descend(entry, &path, plane);
    length = (int32_t)strlen(path);
    if (entry && residual && residual_length && length < *residual_length)
        strlcpy(residual, path, (size_t)*residual_length);
    else if (length > 0)
        entry = NULL;
    if (entry)
        object_retain(entry);
    kernel_lock_drop(&registry_lock);
    if (entry && residual_length)
        *residual_length = length;
    return entry;
}

IORegistryEntry *IORegistryEntry__childFromPath(IORegistryEntry *me, const char *path,
                                                const IORegistryPlane *plane, char *residual,
                                                int32_t *residual_length)
{
    return IORegistryEntry_fromPath(path, plane, residual, residual_length, me);
}
