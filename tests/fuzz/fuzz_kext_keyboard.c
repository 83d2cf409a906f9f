/* SPDX-License-Identifier: BSD-3-Clause */
/* Fuzz target: messages of a hostile host to the keyboard's engine. First byte: options; then
 * messages, each a length byte and as many bytes. What the engine reports must be in range, and no
 * key may stay down at the end. */
#include <stdlib.h>
#include <string.h>

#include "kext/input/keyboard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool down[ADB_CODES];

static void apply(const struct keyboard_change *change)
{
    if (change->key >= ADB_CODES || down[change->key] == change->is_down)
        abort();
    down[change->key] = change->is_down;
}

static void receive(struct keyboard *keyboard, const uint8_t *data, uint32_t length)
{
    struct keyboard_change changes[KEYBOARD_CHANGES_MAXIMUM];
    uint8_t *copy = malloc(length ? length : 1);        /* so that reading beyond it shows */
    int count;

    memcpy(copy, data, length);
    count = keyboard_receive(keyboard, copy, length, changes);
    free(copy);
    if (count > (int)KEYBOARD_CHANGES_MAXIMUM)
        abort();
    for (int i = 0; i < count; i++)
        apply(&changes[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct keyboard_protocol_response agreed = { KEYBOARD_PROTOCOL_RESPONSE,
                                                              KEYBOARD_ACCEPTED };
    struct keyboard keyboard;
    struct keyboard_options options = { false, false };
    struct keyboard_protocol_request request;
    struct keyboard_change change;

    if (size == 0)
        return 0;
    options.swap_option_command = data[0] & 1;
    options.swap_iso_keys = data[0] & 2;
    memset(down, 0, sizeof down);
    keyboard_begin(&keyboard, &options, &request);
    if (!(data[0] & 4))
        receive(&keyboard, (const uint8_t *)&agreed, sizeof agreed);
    for (data++, size--; size > 0;) {
        uint32_t length = data[0] < size - 1 ? data[0] : (uint32_t)(size - 1);

        receive(&keyboard, data + 1, length);
        data += 1 + length;
        size -= 1 + length;
    }
    while (keyboard_release_next(&keyboard, &change))
        apply(&change);
    for (uint32_t key = 0; key < ADB_CODES; key++)
        if (down[key])
            abort();
    return 0;
}
