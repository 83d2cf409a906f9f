/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The window: guest-physical address space at a fixed distance in the process, RAM in it, host
 * memory mapped into it on request, and the table of trapped ranges.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "xnu/machine/machine_private.h"

#define LOW_RAM_START (UINT64_C(1) << 20)
#define LOW_RAM_END (UINT64_C(3) << 30)
#define HIGH_RAM_START (UINT64_C(4) << 30)

/* As the machine's ACPI tables have it (xnu/iokit/machine_description.c). */
#define DEVICES_LOW_START UINT64_C(0xf8000000)
#define DEVICES_LOW_END UINT64_C(0xfec00000)
#define DEVICES_HIGH_START UINT64_C(0xfe0000000)
#define DEVICES_HIGH_END UINT64_C(0x1000000000)

/* Away from heap, libraries and the sanitizers' shadow; any other place would do as well. */
#define WINDOW_HINT ((void *)UINT64_C(0x200000000000))

#define RANGES_MAX 128u

struct range {
    uint64_t start;
    uint64_t size;
    enum { RANGE_HOST, RANGE_MMIO, RANGE_PORT } kind;
    bool writable; /* host memory */
};

uint8_t *memory_window;
size_t memory_low_pages, memory_high_pages;

static int ram_descriptor = -1;

/*
 * Written under the lock, read without it by signal handlers: an entry is filled before the count
 * grows, and removal clears the size first.
 */
static pthread_mutex_t ranges_lock = PTHREAD_MUTEX_INITIALIZER;
static struct range ranges[RANGES_MAX];
static atomic_uint range_count;

static int map_ram(uint64_t physical, uint64_t size, uint64_t offset) {
    void *at = memory_window + physical;
    if (size != 0 && mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                          ram_descriptor, (off_t)offset) == MAP_FAILED) {
        return -errno;
    }
    return 0;
}

int memory_start(uint64_t bytes) {
    uint64_t low = bytes;
    if (bytes > MACHINE_PHYSICAL_LIMIT - HIGH_RAM_START) {
        return -EINVAL;
    }
    if (low > LOW_RAM_END - LOW_RAM_START) {
        low = LOW_RAM_END - LOW_RAM_START;
    }
    memory_window = mmap(WINDOW_HINT, MACHINE_PHYSICAL_LIMIT, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory_window == MAP_FAILED) {
        memory_window = NULL;
        return -errno;
    }
    ram_descriptor = memfd_create("guest-ram", MFD_CLOEXEC);
    if (ram_descriptor < 0 || ftruncate(ram_descriptor, (off_t)bytes) != 0) {
        int error = -errno;
        memory_stop();
        return error;
    }
    int error = map_ram(LOW_RAM_START, low, 0);
    if (error == 0) {
        error = map_ram(HIGH_RAM_START, bytes - low, low);
    }
    if (error == 0) {
        memory_low_pages = low >> MACHINE_PAGE_SHIFT;
        memory_high_pages = (bytes - low) >> MACHINE_PAGE_SHIFT;
        error = pages_start(memory_low_pages + memory_high_pages);
    }
    if (error == 0) {
        error = heap_start();
    }
    if (error == 0) {
        error = memory_watch_start();
    }
    if (error != 0) {
        memory_stop();
    }
    return error;
}

void memory_stop(void) {
    memory_watch_stop();
    heap_stop();
    pages_stop();
    if (ram_descriptor >= 0) {
        close(ram_descriptor);
        ram_descriptor = -1;
    }
    if (memory_window != NULL) {
        uint64_t high = (uint64_t)memory_high_pages << MACHINE_PAGE_SHIFT;
        memory_unpoison(memory_window + LOW_RAM_START,
                        (uint64_t)memory_low_pages << MACHINE_PAGE_SHIFT);
        memory_unpoison(memory_window + HIGH_RAM_START, high);
        munmap(memory_window, MACHINE_PHYSICAL_LIMIT);
        memory_window = NULL;
    }
    atomic_store(&range_count, 0);
    memset(ranges, 0, sizeof ranges);
    memory_low_pages = memory_high_pages = 0;
}

uint8_t *memory_page_address(size_t index) {
    if (index < memory_low_pages) {
        return memory_window + LOW_RAM_START + ((uint64_t)index << MACHINE_PAGE_SHIFT);
    }
    return memory_window + HIGH_RAM_START +
           ((uint64_t)(index - memory_low_pages) << MACHINE_PAGE_SHIFT);
}

size_t memory_page_index(const void *address) {
    uint64_t physical = machine_physical_address(address);
    if (!machine_is_ram(physical, 1)) {
        return SIZE_MAX;
    }
    if (physical < LOW_RAM_END) {
        return (physical - LOW_RAM_START) >> MACHINE_PAGE_SHIFT;
    }
    return memory_low_pages + ((physical - HIGH_RAM_START) >> MACHINE_PAGE_SHIFT);
}

uint64_t machine_physical_address(const void *address) {
    uintptr_t distance = (uintptr_t)address - (uintptr_t)memory_window;
    if (memory_window == NULL || distance >= MACHINE_PHYSICAL_LIMIT) {
        return MACHINE_NO_ADDRESS;
    }
    return distance;
}

void *machine_virtual_address(uint64_t physical) {
    if (memory_window == NULL || physical >= MACHINE_PHYSICAL_LIMIT) {
        return NULL;
    }
    return memory_window + physical;
}

static bool contains(uint64_t start, uint64_t size, uint64_t inner, uint64_t inner_size) {
    return inner >= start && inner_size <= size && inner - start <= size - inner_size;
}

bool machine_is_ram(uint64_t physical, uint64_t size) {
    uint64_t start, ram_size, offset;
    for (unsigned i = 0; machine_ram_range(i, &start, &ram_size, &offset); i++) {
        if (contains(start, ram_size, physical, size)) {
            return true;
        }
    }
    return false;
}

bool machine_ram_range(unsigned index, uint64_t *physical, uint64_t *size, uint64_t *file_offset) {
    uint64_t low = (uint64_t)memory_low_pages << MACHINE_PAGE_SHIFT;
    uint64_t high = (uint64_t)memory_high_pages << MACHINE_PAGE_SHIFT;
    if (index == 0 && low != 0) {
        *physical = LOW_RAM_START;
        *size = low;
        *file_offset = 0;
        return true;
    }
    if (index == 1 && high != 0) {
        *physical = HIGH_RAM_START;
        *size = high;
        *file_offset = low;
        return true;
    }
    return false;
}

int machine_ram_descriptor(void) {
    return ram_descriptor;
}

static bool overlaps(uint64_t start, uint64_t size, uint64_t other, uint64_t other_size) {
    return start < other + other_size && other < start + size;
}

/* Checks a new range against RAM and the other ranges of its address space. */
static int range_check(uint64_t start, uint64_t size, bool port) {
    uint64_t limit = port ? 0x10000 : MACHINE_PHYSICAL_LIMIT;
    if (size == 0 || start >= limit || size > limit - start) {
        return -EINVAL;
    }
    uint64_t ram_start, ram_size, offset;
    for (unsigned i = 0; !port && machine_ram_range(i, &ram_start, &ram_size, &offset); i++) {
        if (overlaps(start, size, ram_start, ram_size)) {
            return -EINVAL;
        }
    }
    for (unsigned i = 0; i < atomic_load(&range_count); i++) {
        if (ranges[i].size != 0 && (ranges[i].kind == RANGE_PORT) == port &&
            overlaps(start, size, ranges[i].start, ranges[i].size)) {
            return -EEXIST;
        }
    }
    return 0;
}

static int range_add(uint64_t start, uint64_t size, int kind, bool writable) {
    unsigned count = atomic_load(&range_count);
    unsigned i = 0;
    while (i < count && ranges[i].size != 0) {
        i++;
    }
    if (i == RANGES_MAX) {
        return -ENOSPC;
    }
    ranges[i].start = start;
    ranges[i].kind = kind;
    ranges[i].writable = writable;
    __atomic_store_n(&ranges[i].size, size, __ATOMIC_RELEASE);
    if (i == count) {
        atomic_store(&range_count, count + 1);
    }
    return 0;
}

static int range_remove(uint64_t start, uint64_t size, int kind) {
    for (unsigned i = 0; i < atomic_load(&range_count); i++) {
        if (ranges[i].size != 0 && ranges[i].start == start && ranges[i].size == size &&
            (int)ranges[i].kind == kind) {
            __atomic_store_n(&ranges[i].size, 0, __ATOMIC_RELEASE);
            return 0;
        }
    }
    return -ENOENT;
}

int machine_map_host_memory(uint64_t physical, uint64_t size, int descriptor,
                            uint64_t file_offset, bool writable) {
    if ((physical | size | file_offset) % MACHINE_PAGE_SIZE != 0 || memory_window == NULL ||
        file_offset > INT64_MAX) {
        return -EINVAL;
    }
    pthread_mutex_lock(&ranges_lock);
    int error = range_check(physical, size, false);
    if (error == 0) {
        error = range_add(physical, size, RANGE_HOST, writable);
    }
    if (error == 0 && mmap(memory_window + physical, size,
                           PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED | MAP_FIXED,
                           descriptor, (off_t)file_offset) == MAP_FAILED) {
        error = -errno;
        range_remove(physical, size, RANGE_HOST);
    }
    pthread_mutex_unlock(&ranges_lock);
    return error;
}

int machine_unmap_host_memory(uint64_t physical, uint64_t size) {
    pthread_mutex_lock(&ranges_lock);
    int error = range_remove(physical, size, RANGE_HOST);
    if (error == 0) {
        memory_watch_forget(physical);
    }
    if (error == 0 && mmap(memory_window + physical, size, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
                           0) == MAP_FAILED) {
        error = -errno;
    }
    pthread_mutex_unlock(&ranges_lock);
    return error;
}

int machine_watch_host_memory(uint64_t physical, uint64_t size,
                              uint64_t written[MACHINE_WATCH_BLOCKS_MAX / 64]) {
    int error = -ENOENT;
    pthread_mutex_lock(&ranges_lock);
    for (unsigned i = 0; i < atomic_load(&range_count); i++) {
        if (ranges[i].kind == RANGE_HOST && ranges[i].writable && ranges[i].start == physical &&
            ranges[i].size == size && size != 0) {
            error = memory_watch_take(physical, size, written);
        }
    }
    pthread_mutex_unlock(&ranges_lock);
    return error;
}

/* Removal of a range waits for the lock. */
bool machine_memory_hold(uint64_t physical, uint64_t size) {
    pthread_mutex_lock(&ranges_lock);
    if (memory_window != NULL && machine_is_ram(physical, size)) {
        return true;
    }
    for (unsigned i = 0; i < atomic_load(&range_count); i++) {
        if (ranges[i].kind == RANGE_HOST &&
            contains(ranges[i].start, ranges[i].size, physical, size)) {
            return true;
        }
    }
    pthread_mutex_unlock(&ranges_lock);
    return false;
}

void machine_memory_let_go(void) {
    pthread_mutex_unlock(&ranges_lock);
}

int machine_trap_range(uint64_t start, uint64_t size, enum machine_address_kind kind, bool on) {
    int range_kind = kind == MACHINE_PORT ? RANGE_PORT : RANGE_MMIO;
    pthread_mutex_lock(&ranges_lock);
    int error;
    if (!on) {
        error = range_remove(start, size, range_kind);
    } else {
        error = range_check(start, size, kind == MACHINE_PORT);
        if (error == 0) {
            error = range_add(start, size, range_kind, false);
        }
    }
    pthread_mutex_unlock(&ranges_lock);
    return error;
}

bool machine_is_device_room(uint64_t physical) {
    return (physical >= DEVICES_LOW_START && physical < DEVICES_LOW_END) ||
           (physical >= DEVICES_HIGH_START && physical < DEVICES_HIGH_END);
}

bool memory_copy_device(uint64_t physical, uint64_t *value, unsigned size, bool write) {
    struct iovec local = {value, size}, remote = {memory_window + physical, size};
    ssize_t copied = write ? process_vm_writev(getpid(), &local, 1, &remote, 1, 0)
                           : process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
    return copied == (ssize_t)size;
}

bool machine_is_trapped(uint64_t address, uint64_t size, enum machine_address_kind kind) {
    int range_kind = kind == MACHINE_PORT ? RANGE_PORT : RANGE_MMIO;
    unsigned count = atomic_load(&range_count);
    for (unsigned i = 0; i < count; i++) {
        uint64_t range_size = __atomic_load_n(&ranges[i].size, __ATOMIC_ACQUIRE);
        if ((int)ranges[i].kind == range_kind &&
            contains(ranges[i].start, range_size, address, size)) {
            return true;
        }
    }
    return false;
}
