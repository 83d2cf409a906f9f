/* SPDX-License-Identifier: BSD-3-Clause */
/* IORegistryIterator: goes through the children (or parents) of an entry, with option
 * recursively: each entry before those below it. It is a stack of places; a change of the array
 * it walks makes it invalid. Source of the rules: xnu iokit/Kernel/IORegistryEntry.cpp. */
#include "abi/kpi/libkern.h"

#include "xnu/iokit/registry.h"
#include "xnu/iokit/symbols.h"

enum { OPTION_INVALID = 0x80000000u, DONE_ROOM = 10 };

struct IORegistryIterator_IORegCursor {
    IORegistryIterator_IORegCursor *next; /* the place above */
    IORegistryEntry *current;             /* retained unless it is the start */
    OSIterator *iterator;                 /* over the links of what `current` was at first */
};

_Static_assert(sizeof(IORegistryIterator_IORegCursor) ==
                   sizeof(((IORegistryIterator *)0)->start),
               "the start lies inside the object");

static IORegistryIterator_IORegCursor *start_of(IORegistryIterator *me)
{
    return (IORegistryIterator_IORegCursor *)me->start;
}

static OSArray *links_of(IORegistryIterator *me, IORegistryEntry *entry)
{
    return registry_links(entry,
                          me->options & kIORegistryIterateParents ? REGISTRY_PARENTS
                                                                  : REGISTRY_CHILDREN,
                          me->plane);
}

IORegistryIterator *IORegistryIterator_iterateOver_entry(IORegistryEntry *root,
                                                         const IORegistryPlane *plane,
                                                         uint32_t options)
{
    IORegistryIterator *me;

    if (!root || !plane)
        return NULL;
    me = object_new(&IORegistryIterator_gMetaClass);
    if (!me)
        return NULL;
    object_retain(root);
    me->root = root;
    me->where = start_of(me);
    start_of(me)->current = root;
    me->plane = plane;
    me->options = options & ~OPTION_INVALID;
    return me;
}

IORegistryIterator *IORegistryIterator_iterateOver_plane(const IORegistryPlane *plane,
                                                         uint32_t options)
{
    return IORegistryIterator_iterateOver_entry(IORegistryEntry_getRegistryRoot(), plane, options);
}

bool IORegistryIterator__isValid(IORegistryIterator *me)
{
    IORegistryIterator_IORegCursor *cursor;
    bool valid = !(me->options & OPTION_INVALID);

    kernel_lock_take(&registry_lock);
    for (cursor = me->where; valid && cursor; cursor = cursor->next) {
        if (cursor->iterator)
            valid = OSIterator_isValid(cursor->iterator);
    }
    kernel_lock_drop(&registry_lock);
    return valid;
}

void IORegistryIterator__enterEntry_plane(IORegistryIterator *me, const IORegistryPlane *plane)
{
    IORegistryIterator_IORegCursor *cursor = kernel_allocate(sizeof(*cursor));

    if (!cursor) {
        me->options |= OPTION_INVALID; /* rather than walk past what lies below */
        return;
    }
    cursor->next = me->where;
    cursor->current = me->where->current;
    me->where = cursor;
    me->plane = plane;
}

void IORegistryIterator__enterEntry(IORegistryIterator *me)
{
    IORegistryIterator_enterEntry_plane(me, me->plane);
}

/* Back to the place above; false at the start. */
bool IORegistryIterator__exitEntry(IORegistryIterator *me)
{
    IORegistryIterator_IORegCursor *gone = me->where;

    if (gone->iterator) {
        object_release_clear(&gone->iterator);
        object_release(gone->current);
    }
    if (gone == start_of(me))
        return false;
    me->where = gone->next;
    kernel_free(gone, sizeof(*gone));
    return true;
}

void IORegistryIterator__reset(IORegistryIterator *me)
{
    while (IORegistryIterator_exitEntry(me))
        ;
    object_release_clear(&me->done);
    me->where->current = me->root;
    me->options &= ~OPTION_INVALID;
}

void IORegistryIterator__free(IORegistryIterator *me)
{
    if (me->root)
        OSIterator_reset((OSIterator *)me);
    object_release(me->root);
    OSObject_super_free((OSObject *)me);
}

IORegistryEntry *IORegistryIterator__getNextObjectFlat(IORegistryIterator *me)
{
    IORegistryIterator_IORegCursor *where = me->where;
    IORegistryEntry *next = NULL;
    OSArray *links;

    kernel_lock_take(&registry_lock);
    if (!where->iterator) {
        links = where->current && OSIterator_isValid((OSIterator *)me)
                    ? links_of(me, where->current)
                    : NULL;
        if (links)
            where->iterator =
                (OSIterator *)OSCollectionIterator_withCollection((OSCollection *)links);
    } else {
        object_release(where->current);
    }
    if (where->iterator)
        next = iterator_next(where->iterator);
    if (next)
        object_retain(next);
    else if (!OSIterator_isValid((OSIterator *)me))
        me->options |= OPTION_INVALID;
    where->current = next;
    kernel_lock_drop(&registry_lock);
    return next;
}

IORegistryEntry *IORegistryIterator__getNextObjectRecursive(IORegistryIterator *me)
{
    IORegistryEntry *next;

    do {
        next = IORegistryIterator_getNextObjectFlat(me);
        /* A list that changed under the walk ends it: the caller is to reset. */
    } while (!next && !(me->options & OPTION_INVALID) && IORegistryIterator_exitEntry(me));
    if (!next)
        return NULL;
    if (!me->done)
        me->done = OSOrderedSet_withCapacity(DONE_ROOM, NULL, NULL);
    /* An entry with two parents is entered once. */
    if (me->done && OSOrderedSet_setObject_metaclassbase(me->done, (OSMetaClassBase *)next))
        IORegistryIterator_enterEntry(me);
    return next;
}

IORegistryEntry *IORegistryIterator__getNextObject(IORegistryIterator *me)
{
    return me->options & kIORegistryIterateRecursively
               ? IORegistryIterator_getNextObjectRecursive(me)
               : IORegistryIterator_getNextObjectFlat(me);
}

IORegistryEntry *IORegistryIterator__getCurrentEntry(IORegistryIterator *me)
{
    return OSIterator_isValid((OSIterator *)me) ? me->where->current : NULL;
}

/* All entries of a recursive walk, +1; the registry stands still meanwhile. NULL if there are
 * none. */
OSOrderedSet *IORegistryIterator__iterateAll(IORegistryIterator *me)
{
    OSOrderedSet *all;

    kernel_lock_take(&registry_lock);
    OSIterator_reset((OSIterator *)me);
    while (IORegistryIterator_getNextObjectRecursive(me))
        ;
    all = me->done;
    if (all)
        object_retain(all);
    OSIterator_reset((OSIterator *)me);
    kernel_lock_drop(&registry_lock);
    return all;
}
