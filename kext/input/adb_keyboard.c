/* SPDX-License-Identifier: BSD-3-Clause */
/* What our keyboards have in common. */
#include "kext/input/adb_keyboard.h"

#include "abi/kpi/platform.h"
#include "abi/kpi/time.h"
#include "kext/core/boot_arguments.h"
#include "kext/input/scan_codes.h"

#define DEVICE_TYPE   3u                /* an extended keyboard, as IOHIDFamily's own */
#define INTERFACE_ADB 2u                /* NX_EVS_DEVICE_INTERFACE_ADB */

#define DARWIN_OF_MACOS_10_12 16

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

static void dispatch(IOHIKeyboard *keyboard, uint8_t key, bool is_down)
{
    uint64_t now;

    clock_get_uptime(&now);
    IOHIKeyboard_dispatchKeyboardEvent(keyboard, key, is_down, now);
}

void adb_dispatch(IOHIKeyboard *keyboard, struct adb_caps_lock *caps_lock,
                  const struct keyboard_change *change)
{
    if (change->key != ADB_CAPS_LOCK || version_major < DARWIN_OF_MACOS_10_12) {
        dispatch(keyboard, change->key, change->is_down);
        return;
    }
    caps_lock->stroking = current_thread();
    dispatch(keyboard, ADB_CAPS_LOCK, true);
    dispatch(keyboard, ADB_CAPS_LOCK, false);
    caps_lock->stroking = NULL;
}

bool adb_means_light(const struct adb_caps_lock *caps_lock)
{
    return caps_lock->stroking != current_thread();
}
