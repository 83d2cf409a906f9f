/* SPDX-License-Identifier: BSD-3-Clause */
/* The registry inside: planes, links and the lock that protects them.
 *
 * An entry keeps one array of parents and one of children a plane, in its registry table; both
 * ends of a link hold a reference, so what is in a plane lives. Source of the rules: xnu
 * iokit/Kernel/IORegistryEntry.cpp. */
#ifndef MACHV_XNU_IOKIT_REGISTRY_H
#define MACHV_XNU_IOKIT_REGISTRY_H

#include "abi/IORegistryEntry.h"
#include "abi/IORegistryIterator.h"

#include "xnu/libkern/object.h"

enum registry_relation { REGISTRY_PARENTS, REGISTRY_CHILDREN };

struct IORegistryPlane {
    const OSSymbol *name;
    const OSSymbol *links[2];     /* keys of the arrays, by relation */
    const OSSymbol *name_key;     /* key of a name that holds in this plane only */
    const OSSymbol *location_key;
    struct IORegistryPlane *next;
};

/* What hangs on an entry's reserved pointer. */
struct registry_private {
    uint64_t id;                        /* 0: never attached */
    struct kernel_lock property_lock;
    OSObject *indexed[2];
};

/* Links of all planes, names and ids; recursive. */
extern struct kernel_lock registry_lock;

/* Makes the root and the planes that exist before any driver. */
void registry_start(void);

struct registry_private *registry_private(const IORegistryEntry *entry);
/* Borrowed; NULL if the entry has never had such a link. registry_lock must be held. */
OSArray *registry_links(const IORegistryEntry *entry, enum registry_relation relation,
                        const IORegistryPlane *plane);
/* A copy of the links, +1, for callers that call out while they walk; never NULL unless memory
 * is out. */
OSArray *registry_copy_links(const IORegistryEntry *entry, enum registry_relation relation,
                             const IORegistryPlane *plane);
/* Gives an entry its registry id, once. registry_lock must be held after start-up. */
void registry_give_id(IORegistryEntry *entry);
/* Grows with every change of a link. */
void registry_changed(void);

void property_lock(const IORegistryEntry *entry);
void property_unlock(const IORegistryEntry *entry);

#endif
