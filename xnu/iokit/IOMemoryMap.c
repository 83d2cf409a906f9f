/* SPDX-License-Identifier: BSD-3-Clause */
/* IOMemoryMap.c - mappings of descriptors into the kernel's address space.
 *
 * All of guest-physical memory appears in the process at one place, so a mapping is an address in
 * that window. Equal mappings are shared unless kIOMapUnique is given. */
#include "abi/IOMemoryDescriptor.h"
#include "abi/IOMemoryMap.h"
#include "abi/kpi/vm.h"

#include "xnu/iokit/memory_private.h"
#include "xnu/libkern/class.h"
#include "xnu/machine/log.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/threads.h"

/* The public class has no fields; this is what its objects are. */
struct KernelMemoryMap {
    IOMemoryMap super;
    struct KernelMemoryMap *next;             /* in `maps` */
    IOMemoryDescriptor *memory;          /* retained */
    uint64_t offset, length;
    uint64_t address;                    /* 0 after unmap */
    uint32_t options;
    task_t task;
};

KERNEL_CLASS(15, KernelMemoryMap, IOMemoryMap, )

static struct KernelMemoryMap *maps;
static struct machine_spin_lock maps_lock;

static struct KernelMemoryMap *map_of(IOMemoryMap *me)
{
    return (struct KernelMemoryMap *)(void *)me;
}

/* ---- the list of maps that can be shared ----------------------------------------------------- */

static void list_add(struct KernelMemoryMap *map)
{
    machine_spin_lock(&maps_lock);
    map->next = maps;
    maps = map;
    machine_spin_unlock(&maps_lock);
}

static void list_remove(struct KernelMemoryMap *map)
{
    machine_spin_lock(&maps_lock);
    struct KernelMemoryMap **link = &maps;
    while (*link && *link != map)
        link = &(*link)->next;
    if (*link)
        *link = map->next;
    machine_spin_unlock(&maps_lock);
}

static IOMemoryMap *find_equal(const struct KernelMemoryMap *wanted)
{
    struct KernelMemoryMap *found = NULL;

    machine_spin_lock(&maps_lock);
    for (struct KernelMemoryMap *map = maps; map && !found; map = map->next)
        if (map->memory == wanted->memory && map->offset == wanted->offset &&
            map->length == wanted->length && map->task == wanted->task && map->address != 0 &&
            ((map->options ^ wanted->options) & (kIOMapCacheMask | kIOMapReadOnly)) == 0 &&
            object_try_retain((OSObject *)&map->super))
            found = map;
    machine_spin_unlock(&maps_lock);
    return found ? &found->super : NULL;
}

/* ---- IOMemoryMap ---------------------------------------------------------------------------- */

void IOMemoryMap__free(IOMemoryMap *me)
{
    list_remove(map_of(me));
    object_release(map_of(me)->memory);
    OSObject__free((OSObject *)me);
}

void IOMemoryMap__taggedRelease(IOMemoryMap *me, const void *tag)
{
    OSObject__taggedRelease((OSObject *)me, tag);
}

uint64_t IOMemoryMap__getVirtualAddress(IOMemoryMap *me)
{
    return map_of(me)->address;
}

uint64_t IOMemoryMap__getLength(IOMemoryMap *me)
{
    return map_of(me)->length;
}

uint64_t IOMemoryMap_GetAddress(IOMemoryMap *me)
{
    return map_of(me)->address;
}

uint64_t IOMemoryMap_GetLength(IOMemoryMap *me)
{
    return map_of(me)->length;
}

uint64_t IOMemoryMap_GetOffset(IOMemoryMap *me)
{
    return map_of(me)->offset;
}

uint64_t IOMemoryMap__getPhysicalSegment_number(IOMemoryMap *me, uint64_t offset, uint64_t *length,
                                                uint32_t options)
{
    struct KernelMemoryMap *map = map_of(me);

    *length = 0;
    if (map->address == 0 || offset >= map->length)
        return 0;
    uint64_t address = IOMemoryDescriptor_getPhysicalSegment_number(
        map->memory, map->offset + offset, length, options);
    if (*length > map->length - offset)
        *length = map->length - offset;
    return address;
}

uint64_t IOMemoryMap_getPhysicalAddress(IOMemoryMap *me)
{
    uint64_t length;

    return IOMemoryMap_getPhysicalSegment_number(me, 0, &length, 0);
}

task_t IOMemoryMap__getAddressTask(IOMemoryMap *me)
{
    return map_of(me)->address != 0 ? map_of(me)->task : NULL;
}

IOMemoryDescriptor *IOMemoryMap__getMemoryDescriptor(IOMemoryMap *me)
{
    return map_of(me)->memory;
}

uint32_t IOMemoryMap__getMapOptions(IOMemoryMap *me)
{
    return map_of(me)->options & ~(uint32_t)kIOMapStatic;
}

int32_t IOMemoryMap__unmap(IOMemoryMap *me)
{
    map_of(me)->address = 0;
    return kIOReturnSuccess;
}

void IOMemoryMap__taskDied(IOMemoryMap *me)
{
    map_of(me)->address = 0;
}

int32_t IOMemoryMap_wireRange(IOMemoryMap *me, uint32_t options, uint64_t offset, uint64_t length)
{
    struct KernelMemoryMap *map = map_of(me);

    if (map->address == 0 || offset > map->length || length > map->length - offset)
        return kIOReturnBadArgument;
    return options & kIOMemoryDirectionMask ? IOMemoryDescriptor_prepare(map->memory, options)
                                            : IOMemoryDescriptor_complete(map->memory, options);
}

/* ---- making mappings ------------------------------------------------------------------------ */

/* The address of a range that has to be contiguous. Memory that is not prepared is prepared for the
 * question. */
static uint64_t window_address(IOMemoryDescriptor *memory, uint64_t offset, uint64_t length)
{
    uint64_t first_length, next_length, done;

    if (IOMemoryDescriptor_prepare(memory, kIODirectionNone) != kIOReturnSuccess)
        return 0;
    const char *address = memory_descriptor_pointer(memory, offset, &first_length);
    for (done = first_length; address && done < length; done += next_length) {
        const char *next = memory_descriptor_pointer(memory, offset + done, &next_length);
        if (next != address + done) {
            machine_log("IOMemoryDescriptor: %llu bytes at offset %llu are not contiguous, "
                        "not mapped", (unsigned long long)length, (unsigned long long)offset);
            address = NULL;
        }
    }
    IOMemoryDescriptor_complete(memory, kIODirectionNone);
    return (uintptr_t)address;
}

IOMemoryMap *IOMemoryDescriptor__makeMapping(IOMemoryDescriptor *me, IOMemoryDescriptor *owner,
                                             task_t task, uint64_t address, uint32_t options,
                                             uint64_t offset, uint64_t length)
{
    struct KernelMemoryMap wanted = { .memory = me, .offset = offset, .length = length,
                                 .options = options, .task = task };
    IOMemoryMap *shared = options & kIOMapUnique ? NULL : find_equal(&wanted);

    if (shared)
        return shared;
    wanted.address = window_address(me, offset, length);
    struct KernelMemoryMap *map = wanted.address != 0 ? KernelMemoryMap_alloc() : NULL;
    if (!map)
        return NULL;
    if (!OSObject_init((OSObject *)&map->super)) {
        object_release(map);
        return NULL;
    }
    wanted.super = map->super;
    *map = wanted;
    object_retain(me);
    list_add(map);
    return &map->super;
}

IOMemoryMap *IOMemoryDescriptor_createMappingInTask(IOMemoryDescriptor *me, task_t task,
                                                    uint64_t address, uint32_t options,
                                                    uint64_t offset, uint64_t length)
{
    uint64_t size = IOMemoryDescriptor_getLength(me);

    if (length == 0)
        length = offset < size ? size - offset : 0;
    if (length == 0 || offset > size || length > size - offset)
        return NULL;
    if (task != kernel_task || !(options & kIOMapAnywhere))
        return NULL; /* no other address space; no choice of address in this one */
    return IOMemoryDescriptor_makeMapping(me, me, task, address, options, offset, length);
}

IOMemoryMap *IOMemoryDescriptor__map_number(IOMemoryDescriptor *me, uint32_t options)
{
    return IOMemoryDescriptor_createMappingInTask(me, kernel_task, 0, options | kIOMapAnywhere, 0,
                                                  0);
}

IOMemoryMap *IOMemoryDescriptor__setMapping(IOMemoryDescriptor *me, task_t task, uint64_t address,
                                            uint32_t options)
{
    return NULL;                         /* only for memory that something else has mapped */
}

int32_t IOMemoryDescriptor__redirect(IOMemoryDescriptor *me, task_t task, bool redirect)
{
    return kIOReturnSuccess;
}

/* The set of mappings that the object had on older systems is kept here in a list of its own. */
void IOMemoryDescriptor__addMapping(IOMemoryDescriptor *me, IOMemoryMap *map)
{
}

void IOMemoryDescriptor__removeMapping(IOMemoryDescriptor *me, IOMemoryMap *map)
{
    object_release(map);
}

int32_t IOMemoryDescriptor__doMap(IOMemoryDescriptor *me, vm_map_t map, uint64_t *address,
                                  uint32_t options, uint64_t offset, uint64_t length)
{
    *address = window_address(me, offset, length);
    return *address != 0 ? kIOReturnSuccess : kIOReturnVMError;
}

int32_t IOMemoryDescriptor__doUnmap(IOMemoryDescriptor *me, vm_map_t map, uint64_t address,
                                    uint64_t length)
{
    return kIOReturnSuccess;
}
