/* SPDX-License-Identifier: BSD-3-Clause */
/* Chooses between the keyboards. */
#include "host/display/key_input.h"

#include <errno.h>
#include <stddef.h>

#include "host/platform/ps2.h"
#include "protocol/keyboard.h"

static bool uses_synthetic(const struct key_input *input)
{
    struct keyboard_report report = {.ready = false};
    if (input->synthetic != NULL) {
        keyboard_report(input->synthetic, &report);
    }
    return report.ready;
}

static int release(const struct key_input *input, struct keyboard_key key)
{
    int synthetic = input->synthetic != NULL ? keyboard_press(input->synthetic, key, false)
                                             : -ENOTCONN;
    int ps2 = input->ps2 != NULL ? ps2_press(input->ps2, key, false) : -ENOTCONN;
    return synthetic == 0 ? 0 : ps2 == 0 ? 0 : synthetic;
}

int key_input_press(const struct key_input *input, struct keyboard_key key, bool down)
{
    if (!down) {
        return release(input, key);
    }
    if (uses_synthetic(input)) {
        return keyboard_press(input->synthetic, key, true);
    }
    return input->ps2 != NULL ? ps2_press(input->ps2, key, true) : -ENOTCONN;
}

int key_input_type(const struct key_input *input, const char *text)
{
    if (uses_synthetic(input)) {
        return keyboard_type(input->synthetic, text);
    }
    return input->ps2 != NULL ? ps2_type(input->ps2, text) : -ENOTCONN;
}

bool key_input_is_held(const struct key_input *input, struct keyboard_key key)
{
    return (input->synthetic != NULL && keyboard_is_held(input->synthetic, key)) ||
           (input->ps2 != NULL && ps2_is_held(input->ps2, key));
}

bool key_input_caps_lock(const struct key_input *input)
{
    if (uses_synthetic(input)) {
        struct keyboard_report report;
        keyboard_report(input->synthetic, &report);
        return (report.indicators & KEYBOARD_INDICATOR_CAPS_LOCK) != 0;
    }
    return input->ps2 != NULL && ps2_caps_lock(input->ps2);
}

void key_input_release_all(const struct key_input *input)
{
    if (input->synthetic != NULL) {
        keyboard_release_all(input->synthetic);
    }
    if (input->ps2 != NULL) {
        ps2_release_all(input->ps2);
    }
}
