/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Allocator of RAM pages: a bitmap (1 = in use) that is searched a word at a time, and one record a
 * page that says what a run is for, so that a wrong release is noticed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "xnu/machine/machine_private.h"

struct page_record {
    uint32_t run; /* pages in the run, at its first page */
    uint8_t owner;
};

static pthread_mutex_t pages_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t *used_bitmap;
static struct page_record *records;
static size_t page_count;
static size_t used_count;
static size_t caller_runs;
static size_t rover; /* where the last search ended */

/* Failure injection counts every kind of allocation. */
static atomic_uint_fast64_t fail_countdown;
static atomic_bool fail_sticky;
static atomic_uint_fast64_t fail_count;

int pages_start(size_t pages) {
    page_count = pages;
    used_bitmap = calloc((pages + 63) / 64, sizeof *used_bitmap);
    records = calloc(pages, sizeof *records);
    used_count = caller_runs = rover = 0;
    if (used_bitmap == NULL || records == NULL) {
        pages_stop();
        return -ENOMEM;
    }
    memory_poison(memory_page_address(0), (uint64_t)memory_low_pages << MACHINE_PAGE_SHIFT);
    memory_poison(memory_page_address(memory_low_pages),
                  (uint64_t)memory_high_pages << MACHINE_PAGE_SHIFT);
    return 0;
}

void pages_stop(void) {
    free(used_bitmap);
    free(records);
    used_bitmap = NULL;
    records = NULL;
    page_count = 0;
    machine_allocation_fail_at(0, false);
}

void machine_allocation_fail_at(uint64_t nth, bool sticky) {
    atomic_store(&fail_sticky, sticky);
    atomic_store(&fail_count, 0);
    atomic_store(&fail_countdown, nth);
}

uint64_t machine_allocation_failed(void) {
    return atomic_load(&fail_count);
}

bool machine_allocation_fail_is_on(void) {
    return atomic_load_explicit(&fail_countdown, memory_order_relaxed) != 0;
}

bool allocation_must_fail(void) {
    uint64_t left = atomic_load_explicit(&fail_countdown, memory_order_relaxed);
    while (left != 0) {
        uint64_t next = left > 1 ? left - 1 : atomic_load(&fail_sticky) ? 1 : 0;
        if (atomic_compare_exchange_weak(&fail_countdown, &left, next)) {
            if (left == 1) {
                atomic_fetch_add(&fail_count, 1);
            }
            return left == 1;
        }
    }
    return false;
}

static bool page_is_used(size_t index) {
    return (used_bitmap[index / 64] >> (index % 64)) & 1;
}

static void mark(size_t first, size_t count, bool used) {
    for (size_t i = first; i < first + count; i++) {
        uint64_t bit = UINT64_C(1) << (i % 64);
        used_bitmap[i / 64] = used ? used_bitmap[i / 64] | bit : used_bitmap[i / 64] & ~bit;
    }
    used_count = used ? used_count + count : used_count - count;
}

/* First page >= index whose physical address is a multiple of the alignment. */
static size_t align_index(size_t index, size_t base_index, uint64_t alignment) {
    uint64_t physical = machine_physical_address(memory_page_address(base_index)) +
                        ((uint64_t)(index - base_index) << MACHINE_PAGE_SHIFT);
    uint64_t up = (physical + alignment - 1) & ~(alignment - 1);
    return index + ((up - physical) >> MACHINE_PAGE_SHIFT);
}

/* Looks for `count` free pages in [first, end), which is physically contiguous; SIZE_MAX: none. */
static size_t search(size_t first, size_t end, size_t base, size_t count, uint64_t alignment) {
    size_t at = align_index(first, base, alignment);
    while (at < end && count <= end - at) {
        if (at % 64 == 0 && used_bitmap[at / 64] == UINT64_MAX) {
            at = align_index(at + 64, base, alignment);
            continue;
        }
        size_t run = 0;
        while (run < count && !page_is_used(at + run)) {
            run++;
        }
        if (run == count) {
            return at;
        }
        at = align_index(at + run + 1, base, alignment);
    }
    return SIZE_MAX;
}

/* Searches one of the two RAM ranges, from the rover on and then from its start. */
static size_t search_range(size_t base, size_t pages, size_t count, uint64_t alignment,
                           uint64_t physical_limit) {
    if (pages == 0 || count > pages) {
        return SIZE_MAX;
    }
    uint64_t start = machine_physical_address(memory_page_address(base));
    if (physical_limit < start + MACHINE_PAGE_SIZE - 1) {
        return SIZE_MAX;
    }
    uint64_t below_limit = (physical_limit - start + (physical_limit != UINT64_MAX)) >>
                           MACHINE_PAGE_SHIFT;
    size_t end = base + (below_limit < pages ? below_limit : pages);
    size_t found = SIZE_MAX;
    if (rover > base && rover < end) {
        found = search(rover, end, base, count, alignment);
    }
    return found != SIZE_MAX ? found : search(base, end, base, count, alignment);
}

void *pages_take(size_t size, uint64_t alignment, uint64_t physical_limit, enum page_owner owner,
                 bool zero) {
    if (size == 0 || size > SIZE_MAX - MACHINE_PAGE_SIZE || (alignment & (alignment - 1)) != 0) {
        return NULL;
    }
    size_t count = (size + MACHINE_PAGE_SIZE - 1) >> MACHINE_PAGE_SHIFT;
    if (alignment < MACHINE_PAGE_SIZE) {
        alignment = MACHINE_PAGE_SIZE;
    }
    pthread_mutex_lock(&pages_lock);
    size_t found = search_range(0, memory_low_pages, count, alignment, physical_limit);
    if (found == SIZE_MAX) {
        found = search_range(memory_low_pages, memory_high_pages, count, alignment,
                             physical_limit);
    }
    if (found != SIZE_MAX) {
        mark(found, count, true);
        records[found].run = (uint32_t)count;
        records[found].owner = (uint8_t)owner;
        for (size_t i = 1; i < count; i++) {
            records[found + i].owner = PAGE_TAIL;
        }
        caller_runs += owner == PAGE_CALLER;
        rover = found + count;
    }
    pthread_mutex_unlock(&pages_lock);
    if (found == SIZE_MAX) {
        return NULL;
    }
    uint8_t *address = memory_page_address(found);
    memory_unpoison(address, count << MACHINE_PAGE_SHIFT);
    if (zero) {
        memset(address, 0, count << MACHINE_PAGE_SHIFT);
    }
    return address;
}

void pages_give(void *address, size_t pages, enum page_owner owner) {
    size_t index = memory_page_index(address);
    memory_poison(address, pages << MACHINE_PAGE_SHIFT);
    pthread_mutex_lock(&pages_lock);
    bool wrong = index == SIZE_MAX || records[index].owner != owner || records[index].run != pages;
    if (!wrong) {
        mark(index, pages, false);
        for (size_t i = 0; i < pages; i++) {
            records[index + i] = (struct page_record){0};
        }
        caller_runs -= owner == PAGE_CALLER;
    }
    pthread_mutex_unlock(&pages_lock);
    if (wrong) {
        machine_panic("release of %zu pages at %p, which are not such an allocation", pages,
                      address);
    }
}

enum page_owner pages_owner(const void *address, size_t *pages) {
    size_t index = memory_page_index(address);
    if (index == SIZE_MAX || records == NULL) {
        return PAGE_FREE;
    }
    pthread_mutex_lock(&pages_lock);
    enum page_owner owner = records[index].owner;
    *pages = records[index].run;
    pthread_mutex_unlock(&pages_lock);
    return owner;
}

uint64_t pages_used(void) {
    return used_count;
}

uint64_t pages_caller_runs(void) {
    return caller_runs;
}

void *machine_pages_allocate(size_t size, uint64_t alignment, uint64_t physical_limit) {
    if (allocation_must_fail()) {
        return NULL;
    }
    return pages_take(size, alignment, physical_limit, PAGE_CALLER, true);
}

void machine_pages_release(void *address, size_t size) {
    if (address == NULL) {
        return;
    }
    size_t pages = 0;
    size_t wanted = (size + MACHINE_PAGE_SIZE - 1) >> MACHINE_PAGE_SHIFT;
    enum page_owner owner = pages_owner(address, &pages);
    if ((uintptr_t)address % MACHINE_PAGE_SIZE != 0 || owner != PAGE_CALLER || pages != wanted) {
        machine_panic("release of pages at %p, %zu bytes: no such allocation (%s, %zu pages there)",
                      address, size, owner == PAGE_CALLER ? "allocated" : "not one", pages);
    }
    machine_pages_protect(address, size, MACHINE_READ | MACHINE_WRITE);
    pages_give(address, pages, PAGE_CALLER);
}

int machine_pages_protect(void *address, size_t size, unsigned protection) {
    uint64_t physical = machine_physical_address(address);
    size_t rounded = (size + MACHINE_PAGE_SIZE - 1) & ~(size_t)(MACHINE_PAGE_SIZE - 1);
    if (physical % MACHINE_PAGE_SIZE != 0 || !machine_is_ram(physical, rounded)) {
        return -EINVAL;
    }
    int flags = (protection & MACHINE_READ ? PROT_READ : 0) |
                (protection & MACHINE_WRITE ? PROT_WRITE : 0) |
                (protection & MACHINE_EXECUTE ? PROT_EXEC : 0);
    return mprotect(address, rounded, flags) == 0 ? 0 : -errno;
}

void *stack_allocate(size_t size) {
    if (allocation_must_fail()) {
        return NULL;
    }
    uint8_t *stack = pages_take(size + MACHINE_PAGE_SIZE, 0, MACHINE_NO_LIMIT, PAGE_STACK, false);
    if (stack != NULL) {
        machine_pages_protect(stack, MACHINE_PAGE_SIZE, 0);
    }
    return stack;
}

void stack_release(void *stack, size_t size) {
    machine_pages_protect(stack, MACHINE_PAGE_SIZE, MACHINE_READ | MACHINE_WRITE);
    pages_give(stack, (size + MACHINE_PAGE_SIZE) >> MACHINE_PAGE_SHIFT, PAGE_STACK);
}
