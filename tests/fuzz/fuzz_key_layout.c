/* SPDX-License-Identifier: BSD-3-Clause */
/* Fuzz target: a keyboard layout from outside. As a table for the driver: what it accepts types
 * each of its characters with strokes in range, through the engine, and leaves no key down. As a
 * layout's text: what is read makes a table that the driver accepts. */
#include <stdlib.h>
#include <string.h>

#include "kext/input/keyboard.h"
#include "layouts/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void type(struct keyboard *keyboard, uint32_t unit)
{
    const struct keyboard_event event = { KEYBOARD_EVENT, (uint16_t)unit, 0,
                                          KEYBOARD_EVENT_UNICODE };
    struct keyboard_change changes[KEYBOARD_CHANGES_MAXIMUM];
    bool down[ADB_CODES] = { false };
    int count = keyboard_receive(keyboard, &event, sizeof event, changes);

    if (count < 0 || count > (int)KEYBOARD_CHANGES_MAXIMUM)
        abort();
    for (int i = 0; i < count; i++) {
        if (changes[i].key >= ADB_CODES || down[changes[i].key] == changes[i].is_down)
            abort();
        down[changes[i].key] = changes[i].is_down;
    }
    for (uint32_t key = 0; key < ADB_CODES; key++)
        if (down[key])
            abort();
}

static void type_everything(const struct key_layout *layout)
{
    static const struct keyboard_protocol_response agreed = { KEYBOARD_PROTOCOL_RESPONSE,
                                                              KEYBOARD_ACCEPTED };
    const struct keyboard_options options = { false, false };
    struct keyboard_protocol_request request;
    struct keyboard_change changes[KEYBOARD_CHANGES_MAXIMUM];
    struct keyboard keyboard;

    keyboard_begin(&keyboard, &options, &request);
    keyboard_use_layout(&keyboard, layout);
    keyboard_receive(&keyboard, &agreed, sizeof agreed, changes);
    for (uint32_t i = 0; i < layout->count; i++) {
        uint32_t character = layout->entries[i].character;

        if (character >= 0x10000) {
            type(&keyboard, 0xD800 + ((character - 0x10000) >> 10));
            type(&keyboard, 0xDC00 + ((character - 0x10000) & 0x3FF));
        } else {
            type(&keyboard, character);
        }
    }
    if (keyboard.counters.unknown_characters != 0)
        abort();
}

static void read_text(const uint8_t *data, size_t size)
{
    static uint8_t table[KEY_LAYOUT_BYTES_MAXIMUM];
    static struct layout layout;
    struct key_layout checked;

    if (layout_read(&layout, (const char *)data, size) != 0)
        return;
    if (key_layout_check(table, (uint32_t)layout_make_table(&layout, table), &checked) != 0)
        abort();
    type_everything(&checked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);    /* so that reading beyond it shows */
    struct key_layout layout;

    memcpy(copy, data, size);
    if (size <= UINT32_MAX && key_layout_check(copy, (uint32_t)size, &layout) == 0)
        type_everything(&layout);
    read_text(copy, size);
    free(copy);
    return 0;
}
