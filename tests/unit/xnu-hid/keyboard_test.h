/* SPDX-License-Identifier: BSD-3-Clause */
/* A keyboard of the test, and the input log that its keys end in. For one file each. */
#ifndef TESTS_UNIT_XNU_HID_KEYBOARD_TEST_H
#define TESTS_UNIT_XNU_HID_KEYBOARD_TEST_H

#include "tests/unit/xnu-families/family_test.h"

#include <stdio.h>
#include <unistd.h>

#include "abi/IOBufferMemoryDescriptor.h"
#include "abi/IOHIDDevice.h"
#include "abi/IOHIKeyboard.h"
#include "abi/IOWorkLoop.h"
#include "abi/constants.h"

#include "xnu/libkern/class.h"
#include "xnu/libkern/release.h"
#include "xnu/machine/files.h"
#include "xnu/machine/input_log.h"

/* ---- a keyboard with two keys that type, shift and caps lock --------------------------------- */

enum { KEY_A = 0, KEY_TWO = 1, KEY_SHIFT = 2, KEY_CAPS = 3 };

static const uint8_t keymap[] = {
    0, 0, 2, 1, 1, KEY_SHIFT, 0, 1, KEY_CAPS,                          /* modifiers */
    4, 0x03, 0, 'a', 0, 'A', 0, 'A', 0, 'A', 0x02, 0, '2', 0, '@', 0xff, 0xff, /* keys */
    0, 0,                                                              /* sequences, specials */
};

static struct {
    const uint8_t *keymap;
    uint32_t keymap_length;
    bool caps_lock;                     /* the light */
    const void *stroking;               /* thread whose keys say nothing of the light */
} given;

struct TestKeyboard {
    IOHIKeyboard super;
};
typedef struct TestKeyboard TestKeyboard;

static const uint8_t *test_keymap(IOHIKeyboard *me, uint32_t *length)
{
    *length = given.keymap_length;
    return given.keymap;
}

static void test_caps_lock(IOHIKeyboard *me, bool on)
{
    if (given.stroking != machine_thread_self())
        given.caps_lock = on;
}

KERNEL_CLASS(12, TestKeyboard, IOHIKeyboard,
             .defaultKeymapOfLength = test_keymap,
             .setAlphaLockFeedback = test_caps_lock)

/* ---- the log -------------------------------------------------------------------------------- */

static char log_path[64];

static void log_open(void)
{
    snprintf(log_path, sizeof log_path, "/tmp/test-input-%d", (int)getpid());
    CHECK(machine_input_log_open(log_path) == 0);
}

/* Compares the whole log, and begins a new one. */
static void log_expect(const char *expected)
{
    uint8_t *text;
    size_t size;

    CHECK(machine_file_read(log_path, 65536, &text, &size) == 0);
    if (strcmp((char *)text, expected) != 0)
        fprintf(stderr, "the log is:\n%s", (char *)text);
    CHECK(strcmp((char *)text, expected) == 0);
    machine_file_free(text);
    CHECK(machine_input_log_open(log_path) == 0);
}

static void log_close(void)
{
    machine_input_log_close();
    unlink(log_path);
}

/* ---- life ----------------------------------------------------------------------------------- */

static IOService *provider;

static TestKeyboard *start_keyboard(void)
{
    TestKeyboard *keyboard = object_new(&TestKeyboard_gMetaClass);

    provider = object_new(&IOService_gMetaClass);
    CHECK(IORegistryEntry_init_dictionary((IORegistryEntry *)provider, NULL));
    CHECK(IORegistryEntry_init_dictionary((IORegistryEntry *)keyboard, NULL));
    CHECK(IOService_attach((IOService *)keyboard, provider));
    CHECK(IOService_start((IOService *)keyboard, provider));
    return keyboard;
}

static void key(TestKeyboard *keyboard, uint32_t code, bool down)
{
    IOHIKeyboard_dispatchKeyboardEvent(&keyboard->super, code, down, machine_uptime());
}

#endif
