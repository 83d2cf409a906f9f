/* SPDX-License-Identifier: BSD-3-Clause */
/* What our keyboards have in common. */
#include "kext/input/adb_keyboard.h"

#include "abi/kpi/time.h"
#include "kext/core/boot_arguments.h"

#define DEVICE_TYPE   3u                /* an extended keyboard, as IOHIDFamily's own */
#define INTERFACE_ADB 2u                /* NX_EVS_DEVICE_INTERFACE_ADB */

uint32_t adb_device_type(IOHIDevice *keyboard)
{
    return DEVICE_TYPE;
}

uint32_t adb_interface_id(IOHIDevice *keyboard)
{
    return INTERFACE_ADB;
}

uint32_t adb_max_key_codes(IOHIKeyboard *keyboard)
{
    return ADB_CODES;
}

struct keyboard_options adb_keyboard_options(void)
{
    return (struct keyboard_options){
        .swap_option_command = boot_argument_given("-hvkbdswap"),
        .swap_iso_keys = boot_argument_given("-hvkbdiso"),
    };
}

void adb_dispatch(IOHIKeyboard *keyboard, const struct keyboard_change *change)
{
    uint64_t now;

    clock_get_uptime(&now);
    IOHIKeyboard_dispatchKeyboardEvent(keyboard, change->key, change->is_down, now);
}
