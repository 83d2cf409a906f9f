/* SPDX-License-Identifier: BSD-3-Clause */
/* Planes and links of the registry. */
#include "abi/kpi/libkern.h"

#include "xnu/iokit/registry.h"
#include "xnu/iokit/symbols.h"

enum { KEY_ROOM = 128, LINKS_ROOM = 4 };

struct kernel_lock registry_lock = KERNEL_LOCK("registry");

const IORegistryPlane *gIOServicePlane;
const IORegistryPlane *gIOPowerPlane;
const IORegistryPlane *gIODTPlane;

static IORegistryEntry *root;
static struct IORegistryPlane *planes;
static int32_t generation;

/* ---- planes ---- */

static const OSSymbol *plane_key(const char *plane, const char *suffix)
{
    char text[KEY_ROOM];

    strlcpy(text, plane, sizeof(text));
    strlcat(text, suffix, sizeof(text));
    return OSSymbol_withCString(text);
}

const IORegistryPlane *IORegistryEntry_getPlane(const char *name)
{
    const struct IORegistryPlane *plane;

    kernel_lock_take(&registry_lock);
    for (plane = planes; plane; plane = plane->next) {
        if (OSString_isEqualTo_cstring((OSString *)plane->name, name))
            break;
    }
    kernel_lock_drop(&registry_lock);
    return plane;
}

const IORegistryPlane *IORegistryEntry_makePlane(const char *name)
{
    struct IORegistryPlane *plane = (struct IORegistryPlane *)IORegistryEntry_getPlane(name);

    if (plane)
        return plane;
    plane = kernel_allocate(sizeof(*plane));
    if (!plane)
        return NULL;
    plane->name = OSSymbol_withCString(name);
    plane->links[REGISTRY_PARENTS] = plane_key(name, "ParentLinks");
    plane->links[REGISTRY_CHILDREN] = plane_key(name, "ChildLinks");
    plane->name_key = plane_key(name, "Name");
    plane->location_key = plane_key(name, "Location");
    kernel_lock_take(&registry_lock);
    plane->next = planes;
    planes = plane;
    kernel_lock_drop(&registry_lock);
    return plane;
}

IORegistryEntry *IORegistryEntry_getRegistryRoot(void)
{
    return root;
}

int32_t IORegistryEntry_getGenerationCount(void)
{
    return __atomic_load_n(&generation, __ATOMIC_RELAXED);
}

void registry_changed(void)
{
    __atomic_fetch_add(&generation, 1, __ATOMIC_RELAXED);
}

IORegistryEntry *IORegistryEntry_initialize(void)
{
    if (!root)
        registry_start();
    return root;
}

void registry_start(void)
{
    if (root)
        return;
    gIOServicePlane = IORegistryEntry_makePlane("IOService");
    gIOPowerPlane = IORegistryEntry_makePlane("IOPower");
    gIODTPlane = IORegistryEntry_makePlane("IODeviceTree");
    IORegistryEntry_makePlane("IOACPIPlane");
    root = object_new(&IORegistryEntry_gMetaClass);
    if (!root || !IORegistryEntry_init_dictionary(root, NULL))
        machine_panic("no memory for the root of the registry");
    registry_give_id(root);
    IORegistryEntry_setName_cstring(root, "Root", NULL);
}

/* ---- links; registry_lock is held ---- */

OSArray *registry_links(const IORegistryEntry *entry, enum registry_relation relation,
                        const IORegistryPlane *plane)
{
    if (!entry->fRegistryTable || !plane)
        return NULL;
    return (OSArray *)OSDictionary_getObject_symbol(entry->fRegistryTable,
                                                    plane->links[relation]);
}

OSArray *registry_copy_links(const IORegistryEntry *entry, enum registry_relation relation,
                             const IORegistryPlane *plane)
{
    OSArray *links, *copy;

    kernel_lock_take(&registry_lock);
    links = registry_links(entry, relation, plane);
    copy = links ? OSArray_withArray(links, 0) : OSArray_withCapacity(1);
    kernel_lock_drop(&registry_lock);
    return copy;
}

OSArray *IORegistryEntry_getParentSetReference(IORegistryEntry *me, const IORegistryPlane *plane)
{
    return registry_links(me, REGISTRY_PARENTS, plane);
}

OSArray *IORegistryEntry_getChildSetReference(IORegistryEntry *me, const IORegistryPlane *plane)
{
    return registry_links(me, REGISTRY_CHILDREN, plane);
}

bool IORegistryEntry_arrayMember(IORegistryEntry *me, OSArray *set, const IORegistryEntry *member,
                                 uint32_t *index)
{
    uint32_t found = OSArray_getNextIndexOfObject(set, (const OSMetaClassBase *)member, 0);

    if (found != UINT32_MAX && index)
        *index = found;
    return found != UINT32_MAX;
}

/* True also if the link is there already. */
bool IORegistryEntry_makeLink(IORegistryEntry *me, IORegistryEntry *to, uint32_t relation,
                              const IORegistryPlane *plane)
{
    OSArray *links = registry_links(me, relation, plane);
    bool good;

    if (links) {
        if (IORegistryEntry_arrayMember(me, links, to, NULL))
            return true;
        good = OSArray_setObject_metaclassbase(links, (OSMetaClassBase *)to);
    } else {
        links = OSArray_withCapacity(LINKS_ROOM);
        good = links && OSArray_setObject_metaclassbase(links, (OSMetaClassBase *)to) &&
               OSDictionary_setObject_symbol(me->fRegistryTable, plane->links[relation],
                                             (OSMetaClassBase *)links);
        object_release(links);
    }
    if (good)
        registry_changed();
    return good;
}

void IORegistryEntry_breakLink(IORegistryEntry *me, IORegistryEntry *to, uint32_t relation,
                               const IORegistryPlane *plane)
{
    OSArray *links = registry_links(me, relation, plane);
    uint32_t index;

    if (!links || !IORegistryEntry_arrayMember(me, links, to, &index))
        return;
    OSArray_removeObject(links, index);
    registry_changed();
}

static IORegistryEntry *first_link(const IORegistryEntry *me, enum registry_relation relation,
                                   const IORegistryPlane *plane)
{
    IORegistryEntry *first = NULL;
    OSArray *links;

    kernel_lock_take(&registry_lock);
    links = registry_links(me, relation, plane);
    if (links)
        first = array_at(links, 0);
    if (first)
        object_retain(first);
    kernel_lock_drop(&registry_lock);
    return first;
}

IORegistryEntry *IORegistryEntry__copyParentEntry(IORegistryEntry *me, const IORegistryPlane *plane)
{
    return first_link(me, REGISTRY_PARENTS, plane);
}

IORegistryEntry *IORegistryEntry__copyChildEntry(IORegistryEntry *me, const IORegistryPlane *plane)
{
    return first_link(me, REGISTRY_CHILDREN, plane);
}

/* The get variants give what the registry holds, without a reference of their own. */
IORegistryEntry *IORegistryEntry__getParentEntry(IORegistryEntry *me, const IORegistryPlane *plane)
{
    IORegistryEntry *entry = IORegistryEntry_copyParentEntry(me, plane);

    object_release(entry);
    return entry;
}

IORegistryEntry *IORegistryEntry__getChildEntry(IORegistryEntry *me, const IORegistryPlane *plane)
{
    IORegistryEntry *entry = IORegistryEntry_copyChildEntry(me, plane);

    object_release(entry);
    return entry;
}

static OSIterator *iterate_links(const IORegistryEntry *me, enum registry_relation relation,
                                 const IORegistryPlane *plane)
{
    OSArray *links = registry_copy_links(me, relation, plane);
    OSCollectionIterator *iterator =
        links ? OSCollectionIterator_withCollection((OSCollection *)links) : NULL;

    object_release(links);
    return (OSIterator *)iterator;
}

OSIterator *IORegistryEntry__getParentIterator(IORegistryEntry *me, const IORegistryPlane *plane)
{
    return iterate_links(me, REGISTRY_PARENTS, plane);
}

OSIterator *IORegistryEntry__getChildIterator(IORegistryEntry *me, const IORegistryPlane *plane)
{
    return iterate_links(me, REGISTRY_CHILDREN, plane);
}

static void apply(const IORegistryEntry *me, enum registry_relation relation,
                  void (*applier)(IORegistryEntry *, void *), void *context,
                  const IORegistryPlane *plane)
{
    OSArray *links = registry_copy_links(me, relation, plane);
    unsigned i;

    for (i = 0; links && i < array_count(links); i++)
        applier(array_at(links, i), context);
    object_release(links);
}

void IORegistryEntry__applyToParents(IORegistryEntry *me,
                                     void (*applier)(IORegistryEntry *, void *), void *context,
                                     const IORegistryPlane *plane)
{
    apply(me, REGISTRY_PARENTS, applier, context, plane);
}

void IORegistryEntry__applyToChildren(IORegistryEntry *me,
                                      void (*applier)(IORegistryEntry *, void *), void *context,
                                      const IORegistryPlane *plane)
{
    apply(me, REGISTRY_CHILDREN, applier, context, plane);
}

static bool is_linked(const IORegistryEntry *me, IORegistryEntry *other,
                      enum registry_relation relation, const IORegistryPlane *plane, bool only)
{
    enum registry_relation back = relation == REGISTRY_CHILDREN ? REGISTRY_PARENTS
                                                                : REGISTRY_CHILDREN;
    OSArray *links, *links_back;
    bool found;

    kernel_lock_take(&registry_lock);
    links = registry_links(me, relation, plane);
    links_back = registry_links(other, back, plane);
    found = links && links_back && (!only || array_count(links) == 1) &&
            OSArray_getNextIndexOfObject(links, (OSMetaClassBase *)other, 0) != UINT32_MAX &&
            OSArray_getNextIndexOfObject(links_back, (const OSMetaClassBase *)me, 0) != UINT32_MAX;
    kernel_lock_drop(&registry_lock);
    return found;
}

bool IORegistryEntry__isChild(IORegistryEntry *me, IORegistryEntry *child,
                              const IORegistryPlane *plane, bool only)
{
    return is_linked(me, child, REGISTRY_CHILDREN, plane, only);
}

bool IORegistryEntry__isParent(IORegistryEntry *me, IORegistryEntry *parent,
                               const IORegistryPlane *plane, bool only)
{
    return is_linked(me, parent, REGISTRY_PARENTS, plane, only);
}

static bool in_plane(const IORegistryEntry *me, const IORegistryPlane *plane)
{
    OSArray *parents = registry_links(me, REGISTRY_PARENTS, plane);

    return me == root || (parents && array_count(parents) > 0);
}

/* plane NULL: in any of them? */
bool IORegistryEntry__inPlane(IORegistryEntry *me, const IORegistryPlane *plane)
{
    const struct IORegistryPlane *any;
    bool result = false;

    kernel_lock_take(&registry_lock);
    if (plane) {
        result = in_plane(me, plane);
    } else {
        for (any = planes; any && !result; any = any->next)
            result = in_plane(me, any);
    }
    kernel_lock_drop(&registry_lock);
    return result;
}

/* Links to the root; an entry directly below it has depth 1. */
uint32_t IORegistryEntry__getDepth(IORegistryEntry *me, const IORegistryPlane *plane)
{
    IORegistryEntry *entry = me;
    uint32_t depth = 1;
    OSArray *parents;

    kernel_lock_take(&registry_lock);
    while ((parents = registry_links(entry, REGISTRY_PARENTS, plane)) &&
           (entry = array_at(parents, 0)) && entry != root)
        depth++;
    kernel_lock_drop(&registry_lock);
    return depth;
}
