/* SPDX-License-Identifier: BSD-3-Clause */
/* IOHIKeyboard, as macOS up to 10.11 opens it, and IOHIDDevice with drivers of the test: what ends
 * in the input log. */
#include "tests/unit/xnu-hid/keyboard_test.h"

/* ---- a pointer ---------------------------------------------------------------------------------
 */

/* Two buttons, six bits of nothing, relative X and Y of 8 bits. */
static const uint8_t descriptor[] = {
    0x05, 1,    0x09, 2,    0xa1, 1,    0x05, 9,    0x19, 1,    0x29, 2,    0x15, 0,    0x25,
    1,    0x75, 1,    0x95, 2,    0x81, 2,    0x75, 6,    0x95, 1,    0x81, 3,    0x05, 1,
    0x09, 0x30, 0x09, 0x31, 0x15, 0x81, 0x25, 0x7f, 0x75, 8,    0x95, 2,    0x81, 6,    0xc0,
};

static uint32_t descriptor_length;

struct TestPointer {
    IOHIDDevice super;
    IOWorkLoop *work_loop;
};
typedef struct TestPointer TestPointer;

static int32_t test_descriptor(IOHIDDevice *me, IOMemoryDescriptor **memory)
{
    *memory = (IOMemoryDescriptor *)IOBufferMemoryDescriptor_withBytes(
        descriptor, descriptor_length, kIODirectionOut, false);
    return kIOReturnSuccess;
}

static IOWorkLoop *test_work_loop(IOService *me)
{
    return ((TestPointer *)me)->work_loop;
}

KERNEL_CLASS(11, TestPointer, IOHIDDevice, .newReportDescriptor = test_descriptor,
             .getWorkLoop = test_work_loop)

/* ---- keyboards ---------------------------------------------------------------------------------
 */

static void keys_type_by_the_mapping_body(void *argument)
{
    given.keymap = keymap;
    given.keymap_length = sizeof keymap;
    log_open();
    TestKeyboard *keyboard = start_keyboard();
    log_expect("keyboard opened TestKeyboard\n");
    key(keyboard, KEY_A, true);
    key(keyboard, KEY_A, false);
    key(keyboard, KEY_SHIFT, true);
    key(keyboard, KEY_TWO, true);
    key(keyboard, KEY_SHIFT, false);
    log_expect("key down 0x00 flags 0x0 char U+0061\nkey up 0x00 flags 0x0\nflags 0x20002\n"
               "key down 0x01 flags 0x20002 char U+0040\nflags 0x0\n");
    key(keyboard, KEY_CAPS, true);
    CHECK(given.caps_lock);
    key(keyboard, KEY_CAPS, false);
    key(keyboard, KEY_A, true);
    log_expect("flags 0x10000\nflags 0x10000\nkey down 0x00 flags 0x10000 char U+0041\n");
    key(keyboard, 0x7f, true); /* the mapping has no such key */
    log_expect("");
    log_close();
}

static void keys_type_by_the_mapping(void **state)
{
    run_family(keys_type_by_the_mapping_body);
}

static void held_keys_go_up_when_it_is_closed_body(void *argument)
{
    given.keymap = keymap;
    given.keymap_length = sizeof keymap;
    log_open();
    TestKeyboard *keyboard = start_keyboard();
    key(keyboard, KEY_A, true);
    key(keyboard, KEY_SHIFT, true);
    log_expect(
        "keyboard opened TestKeyboard\nkey down 0x00 flags 0x0 char U+0061\nflags 0x20002\n");
    CHECK(IOService_terminate((IOService *)keyboard, kIOServiceSynchronous));
    log_expect("key up 0x00 flags 0x20002\nflags 0x0\nkeyboard closed TestKeyboard\n");
    log_close();
}

static void held_keys_go_up_when_it_is_closed(void **state)
{
    run_family(held_keys_go_up_when_it_is_closed_body);
}

static void a_bad_mapping_leaves_the_keyboard_closed_body(void *argument)
{
    given.keymap = keymap;
    given.keymap_length = sizeof keymap - 1;
    log_open();
    TestKeyboard *keyboard = start_keyboard();
    key(keyboard, KEY_A, true);
    log_expect("");
    log_close();
}

static void a_bad_mapping_leaves_the_keyboard_closed(void **state)
{
    run_family(a_bad_mapping_leaves_the_keyboard_closed_body);
}

static void a_key_code_out_of_range_panics_body(void *argument)
{
    given.keymap = keymap;
    given.keymap_length = sizeof keymap;
    key(start_keyboard(), 0x80, true);
}

static void a_key_code_out_of_range_panics(void **state)
{
    run_family_panic(a_key_code_out_of_range_panics_body);
}

/* ---- pointers ----------------------------------------------------------------------------------
 */

static TestPointer *make_pointer(void)
{
    TestPointer *pointer = object_new(&TestPointer_gMetaClass);

    provider = object_new(&IOService_gMetaClass);
    CHECK(IORegistryEntry_init_dictionary((IORegistryEntry *)provider, NULL));
    CHECK(IORegistryEntry_init_dictionary((IORegistryEntry *)pointer, NULL));
    CHECK(IOService_attach((IOService *)pointer, provider));
    pointer->work_loop = IOWorkLoop_workLoop();
    return pointer;
}

static int32_t report(TestPointer *pointer, uint8_t buttons, int8_t x, int8_t y, uint32_t length)
{
    const uint8_t bytes[3] = { buttons, (uint8_t)x, (uint8_t)y };
    IOMemoryDescriptor *memory = (IOMemoryDescriptor *)IOBufferMemoryDescriptor_withBytes(
        bytes, length, kIODirectionOut, false);
    int32_t result = IOHIDDevice_handleReport(&pointer->super, memory, 0, 0);

    object_release(memory);
    return result;
}

static void reports_move_the_pointer_body(void *argument)
{
    log_open();
    descriptor_length = sizeof descriptor;
    TestPointer *pointer = make_pointer();
    CHECK(report(pointer, 0, 1, 1, 3) == (int32_t)kIOReturnOffline);
    CHECK(IOService_start((IOService *)pointer, provider));
    CHECK(report(pointer, 1, 5, -7, 3) == kIOReturnSuccess);
    CHECK(report(pointer, 2, -1, -1, 3) == kIOReturnSuccess);
    CHECK(report(pointer, 1, 0, 0, 1) == kIOReturnSuccess); /* shorter: what is missing stays */
    log_expect("pointer opened TestPointer\npointer x 5 y -7 buttons 0x1\n"
               "pointer x 4 y -8 buttons 0x2\npointer x 4 y -8 buttons 0x1\n");
    log_close();
}

static void reports_move_the_pointer(void **state)
{
    run_family(reports_move_the_pointer_body);
}

static void a_bad_descriptor_stops_the_start_body(void *argument)
{
    for (descriptor_length = 1; descriptor_length < sizeof descriptor; descriptor_length++)
        CHECK(!IOService_start((IOService *)make_pointer(), provider));
    descriptor_length = sizeof descriptor;
    CHECK(IOService_start((IOService *)make_pointer(), provider));
}

static void a_bad_descriptor_stops_the_start(void **state)
{
    run_family(a_bad_descriptor_stops_the_start_body);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_type_by_the_mapping),
        cmocka_unit_test(held_keys_go_up_when_it_is_closed),
        cmocka_unit_test(a_bad_mapping_leaves_the_keyboard_closed),
        cmocka_unit_test(a_key_code_out_of_range_panics),
        cmocka_unit_test(reports_move_the_pointer),
        cmocka_unit_test(a_bad_descriptor_stops_the_start),
    };

    release_select("10.11.6");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
