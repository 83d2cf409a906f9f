/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory descriptors of all kinds, mappings, DMA commands, range allocators, pools. */
#include "tests/unit/xnu-runtime/runtime_test.h"

#include "abi/IOBufferMemoryDescriptor.h"
#include "abi/IOCommandPool.h"
#include "abi/IODMACommand.h"
#include "abi/IODeviceMemory.h"
#include "abi/IOMemoryMap.h"
#include "abi/IOMultiMemoryDescriptor.h"
#include "abi/IORangeAllocator.h"
#include "abi/IOSharedDataQueue.h"
#include "abi/IOSubMemoryDescriptor.h"
#include "abi/IOWorkLoop.h"
#include "abi/kpi/iolib.h"
#include "abi/kpi/vm.h"

#include "xnu/machine/machine.h"
#include "xnu/machine/memory.h"

static uint64_t segment(void *memory, uint64_t offset, uint64_t *length)
{
    return IOMemoryDescriptor_getPhysicalSegment_number(memory, offset, length, 0);
}

/* ---- descriptors ----------------------------------------------------------------------------- */

static void a_buffer_keeps_the_mask_and_its_length_body(void *argument)
{
    static const struct { uint64_t mask, alignment; } rows[] = {
        { 0xFFFFFFFFFFFFF000, 4096 }, { 0xFFFFFFFF, 4096 }, { 0xFFFF0000, 65536 }, { 0, 1 },
    };

    for (unsigned i = 0; i < 4; i++) {
        uint64_t length;
        IOBufferMemoryDescriptor *b = IOBufferMemoryDescriptor_inTaskWithPhysicalMask(
            kernel_task, kIODirectionOutIn | kIOMemoryPhysicallyContiguous, 10000, rows[i].mask);
        CHECK(b != NULL);
        uint64_t physical = segment(b, 0, &length);
        CHECK(length == 10000 && (physical & (rows[i].alignment - 1)) == 0);
        CHECK(machine_virtual_address(physical) == IOBufferMemoryDescriptor_getBytesNoCopy(b));
        CHECK(rows[i].mask == 0 || physical + 9999 <= (rows[i].mask | (rows[i].alignment - 1)));
        CHECK(IOMemoryDescriptor_getLength((IOMemoryDescriptor *)b) == 10000);
        IOBufferMemoryDescriptor_setLength(b, 100);
        CHECK(segment(b, 100, &length) == 0 && segment(b, 99, &length) == physical + 99 &&
              length == 1);
        IOBufferMemoryDescriptor_setLength(b, 20000);
        CHECK(IOMemoryDescriptor_getLength((IOMemoryDescriptor *)b) == 100);
        CHECK(IOBufferMemoryDescriptor_getCapacity(b) == 10000);
        object_release(b);
    }
}

static void a_buffer_keeps_the_mask_and_its_length(void **state)
{
    run_runtime(a_buffer_keeps_the_mask_and_its_length_body);
}

static void bytes_are_copied_and_clipped_body(void *argument)
{
    char text[16];
    IOBufferMemoryDescriptor *b =
        IOBufferMemoryDescriptor_withBytes("hello, world", 12, kIODirectionOut, false);
    IOMemoryDescriptor *m = (IOMemoryDescriptor *)b;

    CHECK(IOMemoryDescriptor_getLength(m) == 12 &&
          IOMemoryDescriptor_getDirection(m) == kIODirectionOut);
    CHECK(IOMemoryDescriptor_readBytes(m, 7, text, 16) == 5 && memcmp(text, "world", 5) == 0);
    CHECK(IOMemoryDescriptor_readBytes(m, 12, text, 1) == 0);
    CHECK(IOMemoryDescriptor_writeBytes(m, 10, "XYZ", 3) == 2);
    CHECK(memcmp(IOBufferMemoryDescriptor_getBytesNoCopy(b), "hello, worXY", 12) == 0);
    CHECK(IOBufferMemoryDescriptor_getBytesNoCopy_number(b, 7, 5) != NULL);
    CHECK(IOBufferMemoryDescriptor_getBytesNoCopy_number(b, 7, 6) == NULL);
    object_release(b);
    CHECK(IOBufferMemoryDescriptor_withCapacity(0, kIODirectionIn, false) == NULL);
}

static void bytes_are_copied_and_clipped(void **state)
{
    run_runtime(bytes_are_copied_and_clipped_body);
}

static void virtual_memory_has_segments_while_it_is_prepared_body(void *argument)
{
    uint64_t length;
    void *pages = machine_pages_allocate(8192, 0, MACHINE_NO_LIMIT);
    IOMemoryDescriptor *m = IOMemoryDescriptor_withAddressRange((uintptr_t)pages + 100, 5000,
                                                                kIODirectionIn, kernel_task);

    CHECK(segment(m, 0, &length) == 0 && length == 0);
    CHECK(IOMemoryDescriptor_prepare(m, 0) == 0 && IOMemoryDescriptor_prepare(m, 0) == 0);
    CHECK(segment(m, 0, &length) == machine_physical_address(pages) + 100 && length == 5000);
    CHECK(IOMemoryDescriptor_complete(m, 0) == 0);
    CHECK(segment(m, 4999, &length) != 0 && length == 1);
    CHECK(IOMemoryDescriptor_complete(m, 0) == 0);
    CHECK(segment(m, 0, &length) == 0);
    CHECK(IOMemoryDescriptor_complete(m, 0) == 0);
    object_release(m);
    m = IOMemoryDescriptor_withAddress_pointer(pages, 8192, kIODirectionOut);
    CHECK(segment(m, 0, &length) == machine_physical_address(pages)); /* prepared from the start */
    object_release(m);
    machine_pages_release(pages, 8192);
}

static void virtual_memory_has_segments_while_it_is_prepared(void **state)
{
    run_runtime(virtual_memory_has_segments_while_it_is_prepared_body);
}

static void parts_and_joints_are_segments_of_what_they_are_made_of_body(void *argument)
{
    uint64_t length;
    IOBufferMemoryDescriptor *b =
        IOBufferMemoryDescriptor_withCapacity(4096, kIODirectionOutIn, true);
    IOMemoryDescriptor *m = (IOMemoryDescriptor *)b;
    uint64_t start = segment(m, 0, &length);
    IOSubMemoryDescriptor *sub = IOSubMemoryDescriptor_withSubRange(m, 1000, 500, kIODirectionIn);
    IOMemoryDescriptor *list[2] = { (IOMemoryDescriptor *)sub, m };
    IOMultiMemoryDescriptor *multi =
        IOMultiMemoryDescriptor_withDescriptors(list, 2, kIODirectionIn, false);

    CHECK(segment(sub, 0, &length) == start + 1000 && length == 500);
    CHECK(IOSubMemoryDescriptor_withSubRange(m, 4000, 97, kIODirectionIn) == NULL);
    CHECK(IOMemoryDescriptor_getLength((IOMemoryDescriptor *)multi) == 4596);
    CHECK(segment(multi, 499, &length) == start + 1499 && length == 1);
    CHECK(segment(multi, 500, &length) == start && length == 4096);
    CHECK(IOMemoryDescriptor_prepare((IOMemoryDescriptor *)multi, 0) == 0);
    CHECK(IOMemoryDescriptor_complete((IOMemoryDescriptor *)multi, 0) == 0);
    CHECK(IOMemoryDescriptor_writeBytes((IOMemoryDescriptor *)multi, 498, "abcd", 4) == 4);
    CHECK(memcmp((char *)IOBufferMemoryDescriptor_getBytesNoCopy(b) + 1498, "ab", 2) == 0);
    CHECK(memcmp(IOBufferMemoryDescriptor_getBytesNoCopy(b), "cd", 2) == 0);
    object_release(multi);
    object_release(sub);
    object_release(b);
}

static void parts_and_joints_are_segments_of_what_they_are_made_of(void **state)
{
    run_runtime(parts_and_joints_are_segments_of_what_they_are_made_of_body);
}

static void mappings_are_shared_unless_unique_body(void *argument)
{
    uint64_t length;
    IODeviceMemory *device = IODeviceMemory_withRange(0x100000, 0x2000);
    IOMemoryDescriptor *m = (IOMemoryDescriptor *)device;

    CHECK(segment(m, 0x1000, &length) == 0x101000 && length == 0x1000);
    IOMemoryMap *first = IOMemoryDescriptor_map_number(m, 0);
    IOMemoryMap *same = IOMemoryDescriptor_map_number(m, 0);
    IOMemoryMap *other = IOMemoryDescriptor_map_number(m, kIOMapUnique);
    IOMemoryMap *cached = IOMemoryDescriptor_map_number(m, kIOMapInhibitCache);
    CHECK(first == same && first != other && first != cached);
    CHECK((void *)IOMemoryMap_getVirtualAddress(first) == machine_virtual_address(0x100000));
    CHECK(IOMemoryMap_getLength(first) == 0x2000);
    CHECK(IOMemoryMap_getPhysicalSegment_number(first, 0x1800, &length, 0) == 0x101800 &&
          length == 0x800);
    object_release(same);
    object_release(first);
    object_release(other);
    object_release(cached);
    CHECK(OSMetaClassBase_getRetainCount((OSMetaClassBase *)m) == 1);
    object_release(m);
}

static void mappings_are_shared_unless_unique(void **state)
{
    run_runtime(mappings_are_shared_unless_unique_body);
}

/* ---- DMA commands ---------------------------------------------------------------------------- */

static IODMACommand *command(uint8_t bits, uint64_t max_segment, uint64_t max_transfer,
                             uint32_t alignment)
{
    return IODMACommand_withSpecification_number(IODMACommand_OutputHost64, bits, max_segment,
                                                 kIODMAMapOptionMapped, max_transfer, alignment,
                                                 NULL, NULL);
}

static void specifications_are_checked_body(void *argument)
{
    CHECK(command(11, 0, 0, 1) == NULL);
    CHECK(command(64, 0, 0, 3) == NULL);
    CHECK(IODMACommand_withSpecification_number(NULL, 64, 0, 0, 0, 1, NULL, NULL) == NULL);
    CHECK(IODMACommand_withSpecification_number(IODMACommand_OutputHost32, 64, 0, 0, 0, 1, NULL,
                                                NULL) == NULL);
    CHECK(IODMACommand_withSpecification_number(IODMACommand_OutputHost64, 64, 0, 7, 0, 1, NULL,
                                                NULL) == NULL);
    IODMACommand *good = command(64, 0, 0, 0);
    CHECK(good && IODMACommand_getAlignment(good) == 1);
    object_release(good);
}

static void specifications_are_checked(void **state)
{
    run_runtime(specifications_are_checked_body);
}

static void segments_are_split_and_continued_body(void *argument)
{
    IODMACommand_Segment64 list[3];
    uint64_t offset = 0, length, total = 0;
    uint32_t count = 3;
    IOBufferMemoryDescriptor *b =
        IOBufferMemoryDescriptor_withCapacity(20000, kIODirectionOut, true);
    IODMACommand *c = command(64, 4096, 0, 1);
    uint64_t start = segment(b, 0, &length);

    CHECK(IODMACommand_prepare(c, 0, 0, true, true) == kIOReturnNotReady);
    CHECK(IODMACommand_setMemoryDescriptor(c, (IOMemoryDescriptor *)b, false) == 0);
    CHECK(IODMACommand_genIOVMSegments_numbers_pointer(c, &offset, list, &count) ==
          kIOReturnNotReady);
    CHECK(IODMACommand_prepare(c, 100, 19000, true, true) == 0);
    count = 0;
    CHECK(IODMACommand_genIOVMSegments_numbers_pointer(c, &offset, list, &count) ==
          kIOReturnBadArgument);
    while (offset < 19000) {
        count = 3;
        CHECK(IODMACommand_genIOVMSegments_numbers_pointer(c, &offset, list, &count) == 0 &&
              count > 0);
        for (uint32_t i = 0; i < count; i++) {
            CHECK(list[i].fIOVMAddr == start + 100 + total && list[i].fLength <= 4096);
            total += list[i].fLength;
        }
        CHECK(total == offset);
    }
    count = 1;
    CHECK(IODMACommand_genIOVMSegments_numbers_pointer(c, &offset, list, &count) ==
          kIOReturnOverrun);
    CHECK(IODMACommand_complete(c, true, true) == 0);
    CHECK(IODMACommand_complete(c, true, true) == kIOReturnNotReady);
    object_release(c);
    object_release(b);
}

static void segments_are_split_and_continued(void **state)
{
    run_runtime(segments_are_split_and_continued_body);
}

static void preparation_is_counted_and_bounded_body(void *argument)
{
    uint64_t offset, length;
    IOBufferMemoryDescriptor *b =
        IOBufferMemoryDescriptor_withCapacity(8192, kIODirectionOutIn, true);
    IOBufferMemoryDescriptor *other =
        IOBufferMemoryDescriptor_withCapacity(10, kIODirectionIn, true);
    IODMACommand *c = command(64, 0, 4096, 1);

    IODMACommand_setMemoryDescriptor(c, (IOMemoryDescriptor *)b, false);
    CHECK(IODMACommand_prepare(c, 0, 0, true, true) == kIOReturnNoSpace);
    CHECK(IODMACommand_prepare(c, 8000, 200, true, true) == kIOReturnOverrun);
    CHECK(IODMACommand_prepare(c, 4096, 4096, true, true) == 0);
    CHECK(IODMACommand_prepare(c, 0, 4096, true, true) == kIOReturnNotReady);
    CHECK(IODMACommand_prepare(c, 4096, 4096, true, true) == 0);
    CHECK(IODMACommand_getPreparedOffsetAndLength(c, &offset, &length) == 0);
    CHECK(offset == 4096 && length == 4096);
    CHECK(IODMACommand_setMemoryDescriptor(c, (IOMemoryDescriptor *)other, false) == kIOReturnBusy);
    CHECK(IODMACommand_clearMemoryDescriptor(c, false) == kIOReturnNotReady);
    CHECK(IODMACommand_complete(c, true, true) == 0);
    CHECK(IODMACommand_complete(c, true, true) == 0);
    CHECK(IODMACommand_setMemoryDescriptor(c, (IOMemoryDescriptor *)other, true) == 0);
    CHECK(IODMACommand_clearMemoryDescriptor(c, true) == 0);
    object_release(c);
    object_release(b);
    object_release(other);
}

static void preparation_is_counted_and_bounded(void **state)
{
    run_runtime(preparation_is_counted_and_bounded_body);
}

static void misaligned_memory_is_bounced_there_and_back_body(void *argument)
{
    IODMACommand_Segment64 list[1];
    uint64_t offset = 0, length;
    uint32_t count = 1;
    IOBufferMemoryDescriptor *b =
        IOBufferMemoryDescriptor_withCapacity(8192, kIODirectionOutIn, true);
    char *bytes = IOBufferMemoryDescriptor_getBytesNoCopy(b);
    IODMACommand *c = command(32, 0, 0, 512);
    struct machine_statistics before, after;

    machine_statistics(&before);
    memcpy(bytes + 3, "out", 3);
    IODMACommand_setMemoryDescriptor(c, (IOMemoryDescriptor *)b, false);
    CHECK(IODMACommand_prepare(c, 3, 1000, true, true) == 0);
    CHECK(IODMACommand_genIOVMSegments_numbers_pointer(c, &offset, list, &count) == 0 &&
          count == 1);
    CHECK((list[0].fIOVMAddr & 511) == 0 && list[0].fIOVMAddr != segment(b, 3, &length));
    char *device = machine_virtual_address(list[0].fIOVMAddr);
    CHECK(memcmp(device, "out", 3) == 0);
    memcpy(device, "IN!", 3);
    CHECK(memcmp(bytes + 3, "out", 3) == 0);
    CHECK(IODMACommand_synchronize(c, kIODirectionIn) == 0 && memcmp(bytes + 3, "IN!", 3) == 0);
    memcpy(device, "end", 3);
    CHECK(IODMACommand_complete(c, true, true) == 0 && memcmp(bytes + 3, "end", 3) == 0);
    CHECK(IODMACommand_prepare(c, 512, 1000, true, true) == 0);
    offset = 0;
    CHECK(IODMACommand_genIOVMSegments_numbers_pointer(c, &offset, list, &count) == 0);
    CHECK(list[0].fIOVMAddr == segment(b, 512, &length));   /* aligned: no copy */
    machine_statistics(&after);
    CHECK(after.bounce_bytes - before.bounce_bytes == 3 * 1000); /* out, in and at the end */
    object_release(c);
    object_release(b);
}

static void misaligned_memory_is_bounced_there_and_back(void **state)
{
    run_runtime(misaligned_memory_is_bounced_there_and_back_body);
}

static void last_complete_body(void *argument)
{
    void *pages = machine_pages_allocate(4096, 0, MACHINE_NO_LIMIT);
    IOMemoryDescriptor *m =
        IOMemoryDescriptor_withAddressRange((uintptr_t)pages, 4096, kIODirectionIn, kernel_task);
    IODMACommand *c = command(64, 0, 0, 1);

    IOMemoryDescriptor_prepare(m, 0);
    IODMACommand_setMemoryDescriptor(c, m, true);
    IOMemoryDescriptor_complete(m, 0);
}

static void the_last_complete_under_a_dma_command_panics(void **state)
{
    run_runtime_panic(last_complete_body);
}

static void segments_have_the_byte_order_asked_for_body(void *argument)
{
    IODMACommand_Segment64 wide = { 0x12345678, 0x1000 };
    IODMACommand_Segment32 narrow[2] = { { 0, 0 }, { 0, 0 } };
    IODMACommand_Segment64 big[1];

    CHECK(IODMACommand_OutputHost32(NULL, wide, narrow, 1) && narrow[1].fIOVMAddr == 0x12345678);
    CHECK(IODMACommand_OutputBig32(NULL, wide, narrow, 0) && narrow[0].fIOVMAddr == 0x78563412 &&
          narrow[0].fLength == 0x00100000);
    CHECK(IODMACommand_OutputBig64(NULL, wide, big, 0) && big[0].fIOVMAddr == 0x7856341200000000);
}

static void segments_have_the_byte_order_asked_for(void **state)
{
    run_runtime(segments_have_the_byte_order_asked_for_body);
}

/* ---- ranges, pools, queues ------------------------------------------------------------------- */

static void ranges_are_cut_and_joined_body(void *argument)
{
    uint64_t at;
    IORangeAllocator *r = IORangeAllocator_withRange(0xFFFF, 0x100, 4, 1);

    CHECK(IORangeAllocator_getFreeCount(r) == 0x10000);
    CHECK(IORangeAllocator_allocateRange(r, 0x1000, 0x1000));
    CHECK(!IORangeAllocator_allocateRange(r, 0x1F00, 0x200));
    CHECK(IORangeAllocator_allocate(r, 1, &at, 0) && at == 0);       /* rounded to 0x100 */
    CHECK(IORangeAllocator_allocate(r, 0x2000, &at, 0x4000) && at == 0x4000);
    CHECK(IORangeAllocator_getFragmentCount(r) == 3);
    CHECK(!IORangeAllocator_allocate(r, 0xF000, &at, 0));
    IORangeAllocator_deallocate(r, 0x1000, 0x1000);
    CHECK(IORangeAllocator_getFragmentCount(r) == 2);
    IORangeAllocator_deallocate(r, 0, 0x100);
    IORangeAllocator_deallocate(r, 0x4000, 0x2000);
    CHECK(IORangeAllocator_getFragmentCount(r) == 1 && IORangeAllocator_getFreeCount(r) == 0x10000);
    object_release(r);
}

static void ranges_are_cut_and_joined(void **state)
{
    run_runtime(ranges_are_cut_and_joined_body);
}

static IOCommandPool *pool;
static IOCommand *got;

static void get_command(void *argument)
{
    got = IOCommandPool_getCommand(pool, true);
}

static void an_empty_pool_blocks_or_says_so_body(void *argument)
{
    IOWorkLoop *loop = IOWorkLoop_workLoop();
    IOCommand *one = object_new(&IOCommand_gMetaClass);

    OSObject_init((OSObject *)one);
    pool = IOCommandPool_withWorkLoop(loop);
    CHECK(IOCommandPool_getCommand(pool, false) == NULL);
    struct machine_thread *thread = start_thread(get_command, NULL);
    sleep_ms(5);
    CHECK(got == NULL);
    IOCommandPool_returnCommand(pool, one);
    join_thread(thread);
    CHECK(got == one);
    object_release(pool);
    object_release(loop);
}

static void an_empty_pool_blocks_or_says_so(void **state)
{
    run_runtime(an_empty_pool_blocks_or_says_so_body);
}

static void a_shared_queue_wraps_and_refuses_when_full_body(void *argument)
{
    IOSharedDataQueue *q = IOSharedDataQueue_withCapacity(64);
    char data[64];
    uint32_t size = sizeof data;

    CHECK(!IOSharedDataQueue_dequeue(q, data, &size));
    for (int round = 0; round < 20; round++) {
        char text[20];
        memset(text, 'a' + round, sizeof text);
        CHECK(IODataQueue_enqueue((IODataQueue *)q, text, 20));
        CHECK(IODataQueue_enqueue((IODataQueue *)q, text, 5));
        for (int i = 0; i < 2; i++) {
            size = sizeof data;
            CHECK(IOSharedDataQueue_dequeue(q, data, &size) && size == (i == 0 ? 20 : 5));
            CHECK(data[size - 1] == 'a' + round);
        }
    }
    CHECK(!IODataQueue_enqueue((IODataQueue *)q, data, 61));
    object_release(q);
}

static void a_shared_queue_wraps_and_refuses_when_full(void **state)
{
    run_runtime(a_shared_queue_wraps_and_refuses_when_full_body);
}

static void kernel_pages_can_be_made_executable_body(void *argument)
{
    vm_address_t address = 0;

    CHECK(vm_allocate(kernel_map, &address, 4096, VM_FLAGS_ANYWHERE) == KERN_SUCCESS);
    *(uint8_t *)address = 0xC3;          /* ret */
    CHECK(vm_protect(kernel_map, address, 4096, false, VM_PROT_ALL) == KERN_SUCCESS);
    ((void (*)(void))address)();
    CHECK(vm_protect(kernel_map, address, 4096, false, 0x100) == KERN_INVALID_ARGUMENT);
    CHECK(vm_deallocate(kernel_map, address, 4096) == KERN_SUCCESS);
    CHECK(vm_allocate(NULL, &address, 4096, VM_FLAGS_ANYWHERE) == KERN_INVALID_ARGUMENT);
}

static void kernel_pages_can_be_made_executable(void **state)
{
    run_runtime(kernel_pages_can_be_made_executable_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_keeps_the_mask_and_its_length),
        cmocka_unit_test(bytes_are_copied_and_clipped),
        cmocka_unit_test(virtual_memory_has_segments_while_it_is_prepared),
        cmocka_unit_test(parts_and_joints_are_segments_of_what_they_are_made_of),
        cmocka_unit_test(mappings_are_shared_unless_unique),
        cmocka_unit_test(specifications_are_checked),
        cmocka_unit_test(segments_are_split_and_continued),
        cmocka_unit_test(preparation_is_counted_and_bounded),
        cmocka_unit_test(misaligned_memory_is_bounced_there_and_back),
        cmocka_unit_test(the_last_complete_under_a_dma_command_panics),
        cmocka_unit_test(segments_have_the_byte_order_asked_for),
        cmocka_unit_test(ranges_are_cut_and_joined),
        cmocka_unit_test(an_empty_pool_blocks_or_says_so),
        cmocka_unit_test(a_shared_queue_wraps_and_refuses_when_full),
        cmocka_unit_test(kernel_pages_can_be_made_executable),
    };
    return cmocka_run_group_tests_name("memory descriptors and DMA", tests, NULL, NULL);
}
