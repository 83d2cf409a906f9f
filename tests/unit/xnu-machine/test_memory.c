/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest RAM: allocators, addresses, failure injection, host memory.
 */
#include "tests/unit/xnu-machine/machine_test.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int start_machine(void **state) {
    struct machine_configuration configuration = {.memory_bytes = 64u << 20};
    int error = machine_start(&configuration);
    machine_log_set_output(NULL, NULL);
    return error;
}

static int stop_machine(void **state) {
    machine_stop();
    return 0;
}

static char death_reason[400];
static jmp_buf death;

static void on_death(int status, const char *reason) {
    snprintf(death_reason, sizeof death_reason, "%s", reason);
    longjmp(death, status);
}

/* The statement must panic with a line that contains the text. */
#define assert_panics(statement, text)                                                            \
    do {                                                                                          \
        machine_set_death_hook(on_death);                                                         \
        if (setjmp(death) == 0) {                                                                 \
            statement;                                                                            \
            fail_msg("no panic: %s", #statement);                                                 \
        }                                                                                         \
        machine_set_death_hook(NULL);                                                             \
        if (strstr(death_reason, text) == NULL) {                                                 \
            fail_msg("panic says \"%s\"", death_reason);                                          \
        }                                                                                         \
    } while (0)

static void pages_are_zeroed_aligned_and_below_the_limit(void **state) {
    for (unsigned shift = 12; shift <= 21; shift++) {
        uint64_t alignment = UINT64_C(1) << shift;
        uint8_t *pages = machine_pages_allocate(3 * 4096 + 1, alignment, 0x3FFFFFF);
        assert_non_null(pages);
        uint64_t physical = machine_physical_address(pages);
        assert_int_equal(physical % alignment, 0);
        assert_true(physical + 4 * 4096 - 1 <= 0x3FFFFFF);
        for (unsigned i = 0; i < 4 * 4096; i++) {
            assert_int_equal(pages[i], 0);
        }
        memset(pages, 0xFF, 4 * 4096);
        machine_pages_release(pages, 3 * 4096 + 1);
    }
    assert_null(machine_pages_allocate(4096, 0, 0xFFFFF)); /* RAM begins above */
    assert_null(machine_pages_allocate(4096, 3, MACHINE_NO_LIMIT));
    assert_null(machine_pages_allocate(0, 0, MACHINE_NO_LIMIT));
    assert_null(machine_pages_allocate(SIZE_MAX, 0, MACHINE_NO_LIMIT));
}

static void limit_is_the_highest_byte_allowed(void **state) {
    /* RAM begins at 1 MiB: one page fits exactly below the limit. */
    void *first = machine_pages_allocate(4096, 0, 0x101FFF);
    assert_true(first == NULL || machine_physical_address(first) <= 0x101000);
    assert_null(machine_pages_allocate(3 * 4096, 0, 0x101FFF));
    machine_pages_release(first, 4096);
}

static void translation_goes_both_ways_for_ram_only(void **state) {
    uint8_t *pages = machine_pages_allocate(8192, 0, MACHINE_NO_LIMIT);
    uint64_t physical = machine_physical_address(pages + 5000);
    assert_ptr_equal(machine_virtual_address(physical), pages + 5000);
    assert_true(machine_is_ram(physical, 3192));
    assert_true(machine_is_ram((64u << 20) + (1u << 20) - 4096, 4096));
    assert_false(machine_is_ram((64u << 20) + (1u << 20) - 4096, 4097));
    assert_false(machine_is_ram(0, 1));
    assert_false(machine_is_ram(UINT64_MAX, 2));
    int on_host_stack;
    assert_true(machine_physical_address(&on_host_stack) == MACHINE_NO_ADDRESS);
    assert_null(machine_virtual_address(MACHINE_PHYSICAL_LIMIT));
    machine_pages_release(pages, 8192);
}

static void whole_memory_can_be_taken_and_given_back(void **state) {
    struct machine_memory_statistics before, after;
    enum { LIMIT = 16384 };
    static void *taken[LIMIT];
    machine_memory_statistics(&before);
    unsigned count = 0;
    while (count < LIMIT &&
           (taken[count] = machine_pages_allocate(4096, 0, MACHINE_NO_LIMIT)) != NULL) {
        count++;
    }
    assert_true(count > 16000);
    assert_null(machine_allocate(5000, 0));
    for (unsigned i = 0; i < count; i += 2) {
        machine_pages_release(taken[i], 4096);
    }
    assert_null(machine_pages_allocate(8192, 0, MACHINE_NO_LIMIT)); /* only single pages free */
    for (unsigned i = 1; i < count; i += 2) {
        machine_pages_release(taken[i], 4096);
    }
    void *big = machine_pages_allocate(32u << 20, 0, MACHINE_NO_LIMIT);
    assert_non_null(big);
    machine_pages_release(big, 32u << 20);
    machine_memory_statistics(&after);
    assert_int_equal(before.pages_used, after.pages_used);
    assert_int_equal(after.page_allocations, 0);
}

static void allocations_do_not_overlap_and_keep_their_bytes(void **state) {
    enum { COUNT = 2000 };
    static uint8_t *objects[COUNT];
    static size_t sizes[COUNT];
    unsigned seed = 7;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < COUNT; i++) {
            seed = seed * 1103515245 + 12345;
            sizes[i] = seed % 97 == 0 ? 9000 : 1 + seed % 2100;
            size_t alignment = seed % 5 == 0 ? 64 : 0;
            objects[i] = machine_allocate(sizes[i], alignment);
            assert_non_null(objects[i]);
            assert_int_equal((uintptr_t)objects[i] % (alignment != 0 ? 64 : 16), 0);
            assert_true(machine_is_ram(machine_physical_address(objects[i]), sizes[i]));
            assert_int_equal(machine_allocation_size(objects[i]), sizes[i]);
            memset(objects[i], (int)(i & 0xFF), sizes[i]);
        }
        for (unsigned i = 0; i < COUNT; i++) {
            for (size_t at = 0; at < sizes[i]; at++) {
                assert_int_equal(objects[i][at], i & 0xFF);
            }
            machine_release(objects[i], i % 2 == 0 ? sizes[i] : 0);
        }
    }
    struct machine_memory_statistics statistics;
    machine_memory_statistics(&statistics);
    assert_int_equal(statistics.allocations, 0);
    assert_int_equal(statistics.allocated_bytes, 0);
}

static void release_of_something_else_panics_with_the_sizes(void **state) {
    uint8_t *object = machine_allocate(100, 0);
    assert_panics(machine_release(object, 99), "was allocated with 100");
    assert_panics(machine_release(object + 16, 0), "not a live allocation");
    machine_release(object, 100);
    assert_panics(machine_release(object, 100), "not a live allocation");
    int local;
    assert_panics(machine_release(&local, 4), "not a live allocation");
    uint8_t *pages = machine_pages_allocate(8192, 0, MACHINE_NO_LIMIT);
    assert_panics(machine_pages_release(pages, 4096), "no such allocation");
    assert_panics(machine_pages_release(pages + 4096, 4096), "no such allocation");
    assert_panics(machine_release(pages, 0), "not a live allocation");
    machine_pages_release(pages, 8192);
    assert_panics(machine_pages_release(pages, 8192), "no such allocation");
    machine_release(NULL, 10);
}

static void the_nth_allocation_fails_once_or_for_good(void **state) {
    machine_allocation_fail_at(3, false);
    void *a = machine_allocate(10, 0), *b = machine_pages_allocate(4096, 0, MACHINE_NO_LIMIT);
    void *c = machine_allocate(10, 0), *d = machine_allocate(10, 0);
    assert_non_null(a);
    assert_non_null(b);
    assert_null(c);
    assert_non_null(d);
    assert_int_equal(machine_allocation_failed(), 1);
    machine_allocation_fail_at(1, true);
    assert_null(machine_allocate(10, 0));
    assert_null(machine_pages_allocate(4096, 0, MACHINE_NO_LIMIT));
    assert_int_equal(machine_allocation_failed(), 2);
    machine_allocation_fail_at(0, false);
    void *e = machine_allocate(10, 0);
    assert_non_null(e);
    machine_release(a, 10);
    machine_pages_release(b, 4096);
    machine_release(d, 10);
    machine_release(e, 10);
}

static void host_memory_appears_at_its_address_and_goes(void **state) {
    int file = memfd_create("video", 0);
    assert_int_equal(ftruncate(file, 3 * 4096), 0);
    assert_int_equal(pwrite(file, "shown", 5, 4096), 5);
    uint64_t at = UINT64_C(0xF8000000);
    assert_int_equal(machine_map_host_memory(at, 8192, file, 4096, true), 0);
    char *seen = machine_virtual_address(at);
    assert_memory_equal(seen, "shown", 5);
    seen[4096] = 'x';
    char back;
    assert_int_equal(pread(file, &back, 1, 8192), 1);
    assert_int_equal(back, 'x');
    assert_int_equal(machine_map_host_memory(at + 4096, 4096, file, 0, true), -EEXIST);
    assert_int_equal(machine_map_host_memory(1u << 20, 4096, file, 0, true), -EINVAL);
    assert_int_equal(machine_map_host_memory(at + 1, 4096, file, 0, true), -EINVAL);
    assert_int_equal(machine_map_host_memory(MACHINE_PHYSICAL_LIMIT, 4096, file, 0, true),
                     -EINVAL);
    assert_int_equal(machine_map_host_memory(0u - UINT64_C(4096), 8192, file, 0, true), -EINVAL);
    assert_int_equal(machine_unmap_host_memory(at, 4096), -ENOENT);
    assert_int_equal(machine_unmap_host_memory(at, 8192), 0);
    assert_int_equal(machine_unmap_host_memory(at, 8192), -ENOENT);
    assert_int_equal(machine_map_host_memory(at, 8192, file, 4096, false), 0);
    assert_int_equal(machine_unmap_host_memory(at, 8192), 0);
    close(file);
}

/* ---- writes that are noted ---- */

/* The machine starts within these tests: cmocka's own handler of faults comes before them. */

#define WATCHED UINT64_C(0xF8000000)
#define BLOCK MACHINE_WATCH_BLOCK

static uint64_t written[MACHINE_WATCH_BLOCKS_MAX / 64];

static volatile uint8_t *watched_memory(uint64_t size) {
    int file = memfd_create("video", 0);
    assert_int_equal(ftruncate(file, (off_t)size), 0);
    assert_int_equal(machine_map_host_memory(WATCHED, size, file, 0, true), 0);
    close(file);
    return machine_virtual_address(WATCHED);
}

static uint64_t asked(uint64_t size) {
    assert_int_equal(machine_watch_host_memory(WATCHED, size, written), 0);
    for (unsigned i = 1; i < MACHINE_WATCH_BLOCKS_MAX / 64; i++) {
        assert_int_equal(written[i], 0);
    }
    return written[0];
}

static bool is_told(void) {
    uint64_t count;
    return read(machine_watch_descriptor(), &count, sizeof count) == sizeof count;
}

static void writes_are_noted_once_a_block(void **state) {
    start_machine(state);
    const uint64_t size = 5 * BLOCK + 4096; /* the last block is a page */
    volatile uint8_t *bytes = watched_memory(size);
    assert_int_equal(asked(size), 0x3f); /* at first: all */
    assert_false(is_told());
    assert_int_equal(asked(size), 0);
    assert_int_equal(bytes[0], 0); /* reading is nothing */
    assert_false(is_told());
    bytes[2 * BLOCK] = 1;
    assert_true(is_told());
    bytes[3 * BLOCK - 1] = 2;
    bytes[5 * BLOCK + 4095] = 3;
    assert_false(is_told()); /* the first told of all */
    assert_int_equal(asked(size), 0x24);
    assert_int_equal(bytes[2 * BLOCK], 1);
    assert_int_equal(bytes[5 * BLOCK + 4095], 3);
    bytes[2 * BLOCK] = 4; /* and again */
    assert_true(is_told());
    assert_int_equal(asked(size), 0x4);
    assert_int_equal(machine_unmap_host_memory(WATCHED, size), 0);
    machine_stop();
}

static void only_whole_writable_ranges_are_watched(void **state) {
    start_machine(state);
    int file = memfd_create("rom", 0);
    watched_memory(2 * BLOCK);
    assert_int_equal(machine_watch_host_memory(WATCHED, BLOCK, written), -ENOENT);
    assert_int_equal(machine_watch_host_memory(WATCHED + BLOCK, BLOCK, written), -ENOENT);
    assert_int_equal(machine_watch_host_memory(0, 0, written), -ENOENT);
    assert_int_equal(machine_watched_range(), MACHINE_NO_ADDRESS);
    assert_int_equal(asked(2 * BLOCK), 3);
    assert_int_equal(machine_watched_range(), WATCHED);
    assert_int_equal(machine_unmap_host_memory(WATCHED, 2 * BLOCK), 0);
    assert_int_equal(machine_watched_range(), MACHINE_NO_ADDRESS);
    assert_int_equal(machine_watch_host_memory(WATCHED, 2 * BLOCK, written), -ENOENT);
    assert_int_equal(ftruncate(file, (off_t)BLOCK), 0);
    assert_int_equal(machine_map_host_memory(WATCHED, BLOCK, file, 0, false), 0);
    assert_int_equal(machine_watch_host_memory(WATCHED, BLOCK, written), -ENOENT);
    assert_int_equal(machine_unmap_host_memory(WATCHED, BLOCK), 0);
    close(file);
    machine_stop();
}

static void another_range_takes_the_watch_over(void **state) {
    start_machine(state);
    int file = memfd_create("other", 0);
    const uint64_t other = WATCHED + (16u << 20);
    volatile uint8_t *bytes = watched_memory(BLOCK);
    assert_int_equal(asked(BLOCK), 1);
    assert_int_equal(ftruncate(file, (off_t)BLOCK), 0);
    assert_int_equal(machine_map_host_memory(other, BLOCK, file, 0, true), 0);
    assert_int_equal(machine_watch_host_memory(other, BLOCK, written), 0);
    assert_int_equal(written[0], 1);
    bytes[0] = 1; /* writable without anybody's knowledge */
    assert_false(is_told());
    assert_int_equal(asked(BLOCK), 1);
    assert_int_equal(machine_unmap_host_memory(WATCHED, BLOCK), 0);
    assert_int_equal(machine_unmap_host_memory(other, BLOCK), 0);
    close(file);
    machine_stop();
}

/* Writers and the one who asks, all at once: what was written last is always told. */
static atomic_bool writers_end;

static void *writer(void *argument) {
    volatile uint32_t *counter = argument;
    while (!atomic_load(&writers_end)) {
        ++*counter;
    }
    return NULL;
}

static void no_write_is_lost_between_two_questions(void **state) {
    start_machine(state);
    const uint64_t size = 4 * BLOCK;
    volatile uint8_t *bytes = watched_memory(size);
    uint32_t seen[2] = {0};
    pthread_t threads[2];
    asked(size);
    atomic_store(&writers_end, false);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, writer,
                                        (void *)(bytes + 2 * i * BLOCK)), 0);
    }
    for (unsigned round = 0; round < 2000; round++) {
        uint64_t blocks = asked(size);
        for (unsigned i = 0; i < 2; i++) {
            if ((blocks >> (2 * i) & 1) != 0) {
                seen[i] = *(volatile uint32_t *)(bytes + 2 * i * BLOCK);
            }
        }
        assert_int_equal(blocks & 0xa, 0);
    }
    atomic_store(&writers_end, true);
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    uint64_t blocks = asked(size);
    for (unsigned i = 0; i < 2; i++) {
        uint32_t last = *(volatile uint32_t *)(bytes + 2 * i * BLOCK);
        assert_true((blocks >> (2 * i) & 1) != 0 || seen[i] == last);
    }
    assert_int_equal(machine_unmap_host_memory(WATCHED, size), 0);
    machine_stop();
}

static void memory_is_held_only_where_it_is(void **state) {
    int file = memfd_create("video", 0);
    const uint64_t at = UINT64_C(0xF8000000), ram = UINT64_C(1) << 20;
    assert_int_equal(ftruncate(file, 8192), 0);
    assert_false(machine_memory_hold(at, 4096));
    assert_int_equal(machine_map_host_memory(at, 8192, file, 0, true), 0);
    assert_true(machine_memory_hold(at + 100, 8092));
    machine_memory_let_go();
    assert_false(machine_memory_hold(at + 100, 8093));
    assert_false(machine_memory_hold(at, UINT64_MAX));
    assert_true(machine_memory_hold(ram, 4096));
    machine_memory_let_go();
    assert_int_equal(machine_unmap_host_memory(at, 8192), 0);
    assert_false(machine_memory_hold(at, 4096));
    close(file);
}

static void trapped_ranges_are_found_by_address_and_kind(void **state) {
    assert_int_equal(machine_trap_range(0xFEC00000, 4096, MACHINE_MMIO, true), 0);
    assert_int_equal(machine_trap_range(0xFEC00800, 4096, MACHINE_MMIO, true), -EEXIST);
    assert_int_equal(machine_trap_range(0x60, 5, MACHINE_PORT, true), 0);
    assert_int_equal(machine_trap_range(0xFFFF, 2, MACHINE_PORT, true), -EINVAL);
    assert_int_equal(machine_trap_range(0x200000, 4096, MACHINE_MMIO, true), -EINVAL); /* RAM */
    assert_true(machine_is_trapped(0xFEC00FFC, 4, MACHINE_MMIO));
    assert_false(machine_is_trapped(0xFEC00FFD, 4, MACHINE_MMIO));
    assert_true(machine_is_trapped(0x64, 1, MACHINE_PORT));
    assert_false(machine_is_trapped(0x65, 1, MACHINE_PORT));
    assert_false(machine_is_trapped(0x64, 1, MACHINE_MMIO));
    assert_int_equal(machine_trap_range(0xFEC00000, 4096, MACHINE_MMIO, false), 0);
    assert_false(machine_is_trapped(0xFEC00000, 1, MACHINE_MMIO));
    assert_int_equal(machine_trap_range(0xFEC00000, 4096, MACHINE_MMIO, false), -ENOENT);
    assert_int_equal(machine_trap_range(0xFEC00000, 4096, MACHINE_MMIO, true), 0);
    for (unsigned i = 0; i < 200; i++) {
        int error = machine_trap_range(0xE0000000 + i * 4096, 4096, MACHINE_MMIO, true);
        assert_true(error == (i < 126 ? 0 : -ENOSPC));
    }
}

static void large_ram_leaves_the_hole_below_four_gigabytes(void **state) {
    machine_stop();
    struct machine_configuration configuration = {.memory_bytes = UINT64_C(5) << 30};
    assert_int_equal(machine_start(&configuration), 0);
    uint64_t physical, size, offset, total = 0;
    for (unsigned i = 0; machine_ram_range(i, &physical, &size, &offset); i++) {
        assert_int_equal(offset, total);
        assert_false(physical < (UINT64_C(4) << 30) && physical + size > (UINT64_C(3) << 30));
        total += size;
    }
    assert_int_equal(total, UINT64_C(5) << 30);
    void *low = machine_pages_allocate(4096, 0, UINT32_MAX);
    assert_true(machine_physical_address(low) < (UINT64_C(3) << 30));
    machine_pages_release(low, 4096);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_machine, stop_machine)
    const struct CMUnitTest tests[] = {
        TEST(pages_are_zeroed_aligned_and_below_the_limit),
        TEST(limit_is_the_highest_byte_allowed),
        TEST(translation_goes_both_ways_for_ram_only),
        TEST(whole_memory_can_be_taken_and_given_back),
        TEST(allocations_do_not_overlap_and_keep_their_bytes),
        TEST(release_of_something_else_panics_with_the_sizes),
        TEST(the_nth_allocation_fails_once_or_for_good),
        TEST(host_memory_appears_at_its_address_and_goes),
        cmocka_unit_test(writes_are_noted_once_a_block),
        cmocka_unit_test(only_whole_writable_ranges_are_watched),
        cmocka_unit_test(another_range_takes_the_watch_over),
        cmocka_unit_test(no_write_is_lost_between_two_questions),
        TEST(memory_is_held_only_where_it_is),
        TEST(trapped_ranges_are_found_by_address_and_kind),
        TEST(large_ram_leaves_the_hole_below_four_gigabytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
