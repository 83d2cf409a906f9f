/* SPDX-License-Identifier: BSD-3-Clause */
/* Sources of the rules: Apple's IOHIDFamily (IOHIDEventDriver, IOHIDKeyboardFilter). */
#include "xnu/families/hid/keyboard_reports.h"

#include "xnu/families/hid/input_events.h"
#include "xnu/families/hid/key_flags.h"
#include "xnu/families/hid/keyboard_private.h"
#include "xnu/families/hid/keyboard_usages.h"

bool keyboard_reports_begin(struct keyboard_reports *reports, const uint8_t *mapping,
                            uint32_t length)
{
    return key_mapping_read(&reports->mapping, mapping, length);
}

static bool contains(const uint8_t keys[KEYBOARD_REPORT_KEYS], uint8_t usage)
{
    for (unsigned i = 0; i < KEYBOARD_REPORT_KEYS; i++)
        if (keys[i] == usage)
            return true;
    return false;
}

/* ---- modifiers ------------------------------------------------------------------------------ */

static uint16_t modifiers_down(uint8_t bits)
{
    static const uint8_t by_bit[USAGE_MODIFIERS] = {
        KEY_MODIFIER_CONTROL,       KEY_MODIFIER_SHIFT,
        KEY_MODIFIER_OPTION,        KEY_MODIFIER_COMMAND,
        KEY_MODIFIER_RIGHT_CONTROL, KEY_MODIFIER_RIGHT_SHIFT,
        KEY_MODIFIER_RIGHT_OPTION,  KEY_MODIFIER_RIGHT_COMMAND,
    };
    uint16_t down = 0;

    for (unsigned bit = 0; bit < USAGE_MODIFIERS; bit++)
        if (bits >> bit & 1)
            down |= (uint16_t)(1u << by_bit[bit]);
    return down;
}

static void take_modifiers(struct keyboard_reports *reports, const struct keyboard_report *report)
{
    if (contains(report->keys, USAGE_CAPS_LOCK) && !contains(reports->last.keys, USAGE_CAPS_LOCK))
        reports->caps_lock = !reports->caps_lock;
    uint32_t flags =
        key_flags(modifiers_down(report->modifiers), reports->caps_lock, &reports->modifiers);

    if (flags != reports->flags)
        input_events_flags(flags);
    reports->flags = flags;
}

/* ---- keys ----------------------------------------------------------------------------------- */

static void key_up(struct keyboard_reports *reports, uint8_t usage)
{
    uint8_t code = keyboard_code_of_usage(usage);

    if (code != ADB_CODE_NONE && code != ADB_CODE_CAPS_LOCK)
        input_events_key_up(code, reports->flags);
}

static void key_down(struct keyboard_reports *reports, uint8_t usage)
{
    uint8_t code = keyboard_code_of_usage(usage);
    uint32_t set = 0, character = 0;

    if (code == ADB_CODE_NONE || code == ADB_CODE_CAPS_LOCK)
        return;
    if (!key_mapping_character(&reports->mapping, code, reports->modifiers, &set, &character))
        character = set = 0;
    input_events_key_down(&reports->text, code, reports->flags, set, character);
}

static void special(uint8_t usage, bool down)
{
    uint8_t flavor = special_of_consumer_usage(usage);

    if (flavor != SPECIAL_KEY_NONE)
        input_events_special(flavor, down);
}

void keyboard_reports_take(struct keyboard_reports *reports, const struct keyboard_report *report)
{
    const struct keyboard_report last = reports->last;

    for (unsigned i = 0; i < KEYBOARD_REPORT_KEYS; i++) {
        if (!contains(report->keys, last.keys[i]))
            key_up(reports, last.keys[i]);
        if (!contains(report->consumer, last.consumer[i]))
            special(last.consumer[i], false);
    }
    take_modifiers(reports, report);
    for (unsigned i = 0; i < KEYBOARD_REPORT_KEYS; i++) {
        if (!contains(last.keys, report->keys[i]))
            key_down(reports, report->keys[i]);
        if (!contains(last.consumer, report->consumer[i]))
            special(report->consumer[i], true);
    }
    reports->last = *report;
}
