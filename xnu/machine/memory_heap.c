/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * General allocator on top of the pages. Small objects come from slabs of one page with objects of
 * one size class; what is known about them is kept outside guest RAM, so that a driver that writes
 * beyond its object cannot confuse the allocator, and every release is checked.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xnu/machine/machine_private.h"

#define SMALL_MAX 2048u
#define OBJECT_MIN 16u
#define OBJECTS_MAX (MACHINE_PAGE_SIZE / OBJECT_MIN)

static const uint16_t class_sizes[] = {16,  32,  48,  64,  96,   128,  192,
                                       256, 384, 512, 768, 1024, 1360, 2048};
#define CLASSES (sizeof class_sizes / sizeof class_sizes[0])

struct slab {
    uint8_t *page;
    struct slab *next, *previous; /* among those of the class with free objects */
    uint16_t class_index;
    uint16_t objects;
    uint16_t used;
    uint16_t cursor; /* objects are given out in turn, so that reuse comes late */
    uint16_t sizes[]; /* asked-for size, 0 = free */
};

static pthread_mutex_t heap_lock = PTHREAD_MUTEX_INITIALIZER;
static struct slab **slabs; /* by page index */
static uint64_t *large_sizes; /* by page index: asked-for size of a large allocation */
static struct slab *partial[CLASSES];
static uint64_t live_allocations, live_bytes;

#ifdef MACHINE_ADDRESS_SANITIZER
/* Released objects stay poisoned until as many others have been released. */
#define QUARANTINE 512u
#define RED_ZONE 16u
static void *quarantine[QUARANTINE];
static unsigned quarantine_next;

static bool in_quarantine(const void *address) {
    for (unsigned i = 0; i < QUARANTINE; i++) {
        if (quarantine[i] == address) {
            return true;
        }
    }
    return false;
}
#else
#define RED_ZONE 0u

static bool in_quarantine(const void *address) {
    return false;
}
#endif

int heap_start(void) {
    size_t pages = memory_low_pages + memory_high_pages;
    slabs = calloc(pages, sizeof *slabs);
    large_sizes = calloc(pages, sizeof *large_sizes);
    live_allocations = live_bytes = 0;
    memset(partial, 0, sizeof partial);
    if (slabs == NULL || large_sizes == NULL) {
        heap_stop();
        return -ENOMEM;
    }
    return 0;
}

void heap_stop(void) {
    size_t pages = memory_low_pages + memory_high_pages;
    for (size_t i = 0; slabs != NULL && i < pages; i++) {
        free(slabs[i]);
    }
    free(slabs);
    free(large_sizes);
    slabs = NULL;
    large_sizes = NULL;
#ifdef MACHINE_ADDRESS_SANITIZER
    memset(quarantine, 0, sizeof quarantine);
    quarantine_next = 0;
#endif
}

void heap_statistics(uint64_t *allocations, uint64_t *bytes) {
    pthread_mutex_lock(&heap_lock);
    *allocations = live_allocations;
    *bytes = live_bytes;
    pthread_mutex_unlock(&heap_lock);
}

static void partial_insert(struct slab *slab) {
    struct slab **head = &partial[slab->class_index];
    slab->previous = NULL;
    slab->next = *head;
    if (*head != NULL) {
        (*head)->previous = slab;
    }
    *head = slab;
}

static void partial_remove(struct slab *slab) {
    if (slab->previous != NULL) {
        slab->previous->next = slab->next;
    } else {
        partial[slab->class_index] = slab->next;
    }
    if (slab->next != NULL) {
        slab->next->previous = slab->previous;
    }
    slab->next = slab->previous = NULL;
}

static struct slab *slab_create(unsigned class_index) {
    unsigned objects = MACHINE_PAGE_SIZE / class_sizes[class_index];
    struct slab *slab = calloc(1, sizeof *slab + objects * sizeof slab->sizes[0]);
    if (slab == NULL) {
        return NULL;
    }
    slab->page = pages_take(MACHINE_PAGE_SIZE, 0, MACHINE_NO_LIMIT, PAGE_SLAB, false);
    if (slab->page == NULL) {
        free(slab);
        return NULL;
    }
    memory_poison(slab->page, MACHINE_PAGE_SIZE);
    slab->class_index = (uint16_t)class_index;
    slab->objects = (uint16_t)objects;
    slabs[memory_page_index(slab->page)] = slab;
    partial_insert(slab);
    return slab;
}

/* Smallest class whose objects hold the size and are aligned (the page is; so are 2^n sizes). */
static unsigned class_for(size_t size, size_t alignment) {
    unsigned i = 0;
    while (i < CLASSES && (class_sizes[i] < size || class_sizes[i] % alignment != 0)) {
        i++;
    }
    return i;
}

static void *allocate_small(size_t size, unsigned class_index) {
    pthread_mutex_lock(&heap_lock);
    struct slab *slab = partial[class_index];
    if (slab == NULL) {
        slab = slab_create(class_index);
    }
    uint8_t *object = NULL;
    if (slab != NULL) {
        unsigned at = slab->cursor;
        while (slab->sizes[at] != 0) {
            at = (at + 1) % slab->objects;
        }
        slab->sizes[at] = (uint16_t)size;
        slab->cursor = (uint16_t)((at + 1) % slab->objects);
        slab->used++;
        if (slab->used == slab->objects) {
            partial_remove(slab);
        }
        live_allocations++;
        live_bytes += size;
        object = slab->page + (size_t)at * class_sizes[class_index];
    }
    pthread_mutex_unlock(&heap_lock);
    return object;
}

static void *allocate_large(size_t size, size_t alignment) {
    void *address = pages_take(size + RED_ZONE, alignment, MACHINE_NO_LIMIT, PAGE_LARGE, false);
    if (address != NULL) {
        pthread_mutex_lock(&heap_lock);
        large_sizes[memory_page_index(address)] = size;
        live_allocations++;
        live_bytes += size;
        pthread_mutex_unlock(&heap_lock);
        size_t mapped = (size + RED_ZONE + MACHINE_PAGE_SIZE - 1) & ~(size_t)4095;
        memory_poison((uint8_t *)address + size, mapped - size);
    }
    return address;
}

void *machine_allocate(size_t size, size_t alignment) {
    if (size == 0 || size > MACHINE_PHYSICAL_LIMIT || alignment > MACHINE_PAGE_SIZE ||
        (alignment & (alignment - 1)) != 0 || allocation_must_fail()) {
        return NULL;
    }
    alignment = alignment < OBJECT_MIN ? OBJECT_MIN : alignment;
    unsigned class_index = class_for(size + RED_ZONE, alignment);
    void *address = class_index < CLASSES ? allocate_small(size, class_index)
                                          : allocate_large(size, alignment);
#ifdef MACHINE_ADDRESS_SANITIZER
    if (address != NULL) {
        memory_unpoison(address, size);
        memset(address, 0xA5, size);
    }
#endif
    return address;
}

void *machine_allocate_zeroed(size_t size, size_t alignment) {
    void *address = machine_allocate(size, alignment);
    if (address != NULL) {
        memset(address, 0, size);
    }
    return address;
}

/* The slab and the object's number; NULL if the address is not the start of an object. */
static struct slab *find_object(const void *address, unsigned *number) {
    size_t index = memory_page_index(address);
    struct slab *slab = index == SIZE_MAX || slabs == NULL ? NULL : slabs[index];
    if (slab == NULL) {
        return NULL;
    }
    size_t offset = (size_t)((const uint8_t *)address - slab->page);
    unsigned size = class_sizes[slab->class_index];
    *number = (unsigned)(offset / size);
    return offset % size == 0 && *number < slab->objects ? slab : NULL;
}

static size_t size_locked(const void *address) {
    unsigned number;
    struct slab *slab = find_object(address, &number);
    if (slab != NULL) {
        return slab->sizes[number];
    }
    size_t index = memory_page_index(address);
    if (index == SIZE_MAX || large_sizes == NULL || (uintptr_t)address % MACHINE_PAGE_SIZE != 0) {
        return 0;
    }
    return large_sizes[index];
}

size_t machine_allocation_size(const void *address) {
    pthread_mutex_lock(&heap_lock);
    size_t size = in_quarantine(address) ? 0 : size_locked(address);
    pthread_mutex_unlock(&heap_lock);
    return size;
}

/* Gives an object back whose size is known to be right; called with the lock, which it drops. */
static void free_small_and_unlock(struct slab *slab, unsigned number) {
    struct slab *empty = NULL;
    slab->sizes[number] = 0;
    if (slab->used == slab->objects) {
        partial_insert(slab);
    }
    slab->used--;
    if (slab->used == 0 && (slab->next != NULL || slab->previous != NULL)) {
        partial_remove(slab);
        slabs[memory_page_index(slab->page)] = NULL;
        empty = slab;
    }
    pthread_mutex_unlock(&heap_lock);
    if (empty != NULL) {
        pages_give(empty->page, 1, PAGE_SLAB);
        free(empty);
    }
}

static void release_now(void *address) {
    unsigned number;
    pthread_mutex_lock(&heap_lock);
    struct slab *slab = find_object(address, &number);
    if (slab != NULL) {
        free_small_and_unlock(slab, number);
        return;
    }
    large_sizes[memory_page_index(address)] = 0;
    pthread_mutex_unlock(&heap_lock);
    size_t pages = 0;
    pages_owner(address, &pages);
    pages_give(address, pages, PAGE_LARGE);
}

#ifdef MACHINE_ADDRESS_SANITIZER
/* Poisons the object and lets the one that was released QUARANTINE releases ago go. */
static void release_later(void *address, size_t size) {
    memory_poison(address, size);
    pthread_mutex_lock(&heap_lock);
    void *oldest = quarantine[quarantine_next];
    quarantine[quarantine_next] = size <= SMALL_MAX ? address : NULL;
    quarantine_next = (quarantine_next + 1) % QUARANTINE;
    pthread_mutex_unlock(&heap_lock);
    if (oldest != NULL) {
        release_now(oldest);
    }
    if (size > SMALL_MAX) {
        release_now(address);
    }
}

#else
static void release_later(void *address, size_t size) {
    release_now(address);
}
#endif

void machine_release(void *address, size_t size) {
    if (address == NULL) {
        return;
    }
    pthread_mutex_lock(&heap_lock);
    size_t known = in_quarantine(address) ? 0 : size_locked(address);
    if (known != 0 && (size == 0 || size == known)) {
        live_allocations--;
        live_bytes -= known;
    }
    pthread_mutex_unlock(&heap_lock);
    if (known == 0) {
        machine_panic("release of %p, %zu bytes: not a live allocation", address, size);
    }
    if (size != 0 && size != known) {
        machine_panic("release of %p with %zu bytes, but it was allocated with %zu", address, size,
                      known);
    }
    release_later(address, known);
}

void machine_memory_statistics(struct machine_memory_statistics *statistics) {
    statistics->ram_bytes = (uint64_t)(memory_low_pages + memory_high_pages)
                            << MACHINE_PAGE_SHIFT;
    statistics->pages_used = pages_used();
    statistics->page_allocations = pages_caller_runs();
    heap_statistics(&statistics->allocations, &statistics->allocated_bytes);
}
