/* SPDX-License-Identifier: BSD-3-Clause */
/* IOHIKeyboard.c - keyboards that report ADB key codes: state of the keys, modifiers by the key
 * mapping, events for the client that has opened the keyboard. Keys do not repeat here: that is
 * left to the programs that type. (IOHIDFamily, IOHIDSystem part) */
#include "abi/IOHIKeyboard.h"

#include "abi/kpi/locks.h"

#include "xnu/families/hid/input_events.h"
#include "xnu/families/hid/key_flags.h"
#include "xnu/families/hid/key_mapping.h"
#include "xnu/families/hid/keyboard_private.h"
#include "xnu/libkern/object.h"

enum {
    KIND_KEYBOARD = 1,                  /* kHIKeyboardDevice */
    KEY_CODES_DEFAULT = 0x80,
    DEVICE_TYPE_DEFAULT = 2,
};

/* What _keyMap points at. */
struct IOHIKeyboardMapper {
    struct key_mapping mapping;
    uint16_t modifiers;                 /* bit n: modifier n is on */
    uint16_t left_down;                 /* the same without right modifiers folded in */
};

/* ---- life ----------------------------------------------------------------------------------- */

bool IOHIKeyboard__init_dictionary(IOHIKeyboard *me, OSDictionary *properties)
{
    if (!IOHIDevice_super_init_dictionary((IOHIDevice *)me, properties))
        return false;
    me->_deviceLock = IOLockAlloc();
    me->_keyStateSize = 4 * ((uint64_t)(IOHIKeyboard_maxKeyCodes(me) + 31) / 32);
    me->_keyState = kernel_allocate(me->_keyStateSize);
    return me->_deviceLock && me->_keyState;
}

void IOHIKeyboard__free(IOHIKeyboard *me)
{
    kernel_free(me->_keyMap, sizeof *me->_keyMap);
    kernel_free(me->_keyState, me->_keyStateSize);
    if (me->_deviceLock)
        IOLockFree(me->_deviceLock);
    IOHIDevice_super_free((IOHIDevice *)me);
}

bool IOHIKeyboard__start(IOHIKeyboard *me, IOService *provider)
{
    if (!IOHIDevice_super_start((IOHIDevice *)me, provider))
        return false;
    IOService_registerService((IOService *)me, 0);
    input_events_add_keyboard(me);
    return true;
}

void IOHIKeyboard__stop(IOHIKeyboard *me, IOService *provider)
{
    IOHIDevice_super_stop((IOHIDevice *)me, provider);
}

int32_t IOHIKeyboard__message(IOHIKeyboard *me, uint32_t type, IOService *provider, void *argument)
{
    return IOHIDevice_super_message((IOHIDevice *)me, type, provider, argument);
}

int32_t IOHIKeyboard__setProperties(IOHIKeyboard *me, OSObject *properties)
{
    return IOHIDevice_super_setProperties((IOHIDevice *)me, properties);
}

bool IOHIKeyboard__attachToChild(IOHIKeyboard *me, IORegistryEntry *child,
                                 const IORegistryPlane *plane)
{
    return IORegistryEntry_super_attachToChild((IORegistryEntry *)me, child, plane);
}

void IOHIKeyboard__detachFromChild(IOHIKeyboard *me, IORegistryEntry *child,
                                   const IORegistryPlane *plane)
{
    IORegistryEntry_super_detachFromChild((IORegistryEntry *)me, child, plane);
}

/* ---- what drivers may leave to the superclass
 * ------------------------------------------------ */

IOHIDKind IOHIKeyboard__hidKind(IOHIKeyboard *me)
{
    return KIND_KEYBOARD;
}

uint32_t IOHIKeyboard__maxKeyCodes(IOHIKeyboard *me)
{
    return KEY_CODES_DEFAULT;
}

const uint8_t *IOHIKeyboard__defaultKeymapOfLength(IOHIKeyboard *me, uint32_t *length)
{
    *length = 0;
    return NULL;
}

void IOHIKeyboard__setAlphaLockFeedback(IOHIKeyboard *me, bool on)
{
}

void IOHIKeyboard__setNumLockFeedback(IOHIKeyboard *me, bool on)
{
}

uint32_t IOHIKeyboard__getLEDStatus(IOHIKeyboard *me)
{
    return 0;
}

bool IOHIKeyboard__doesKeyLock(IOHIKeyboard *me, uint32_t key)
{
    return false;
}

bool IOHIKeyboard__updateProperties(IOHIKeyboard *me)
{
    return IOHIDevice_super_updateProperties((IOHIDevice *)me);
}

int32_t IOHIKeyboard__setParamProperties(IOHIKeyboard *me, OSDictionary *parameters)
{
    return IOHIDevice_super_setParamProperties((IOHIDevice *)me, parameters);
}

/* ---- state ---------------------------------------------------------------------------------- */

uint32_t IOHIKeyboard__eventFlags(IOHIKeyboard *me)
{
    return me->_eventFlags;
}

uint32_t IOHIKeyboard__deviceFlags(IOHIKeyboard *me)
{
    return me->_eventFlags;
}

void IOHIKeyboard__setDeviceFlags(IOHIKeyboard *me, uint32_t flags)
{
    me->_eventFlags = flags;
}

bool IOHIKeyboard__alphaLock(IOHIKeyboard *me)
{
    return me->_alphaLock;
}

void IOHIKeyboard__setAlphaLock(IOHIKeyboard *me, bool on)
{
    me->_alphaLock = on;
    IOHIKeyboard_setAlphaLockFeedback(me, on);
}

bool IOHIKeyboard__numLock(IOHIKeyboard *me)
{
    return me->_numLock;
}

void IOHIKeyboard__setNumLock(IOHIKeyboard *me, bool on)
{
    me->_numLock = on;
    IOHIKeyboard_setNumLockFeedback(me, on);
}

bool IOHIKeyboard__charKeyActive(IOHIKeyboard *me)
{
    return me->_charKeyActive;
}

void IOHIKeyboard__setCharKeyActive(IOHIKeyboard *me, bool active)
{
    me->_charKeyActive = active;
}

/* ---- opening -------------------------------------------------------------------------------- */

bool IOHIKeyboard__resetKeyboard(IOHIKeyboard *me)
{
    uint32_t length = 0;
    const uint8_t *bytes = IOHIKeyboard_defaultKeymapOfLength(me, &length);
    struct IOHIKeyboardMapper *mapper = kernel_allocate(sizeof *mapper);

    if (!mapper || !key_mapping_read(&mapper->mapping, bytes, length)) {
        machine_log("%s: its key mapping (%u bytes) is not in order", object_class_name(me),
                    length);
        kernel_free(mapper, sizeof *mapper);
        return false;
    }
    IOLockLock(me->_deviceLock);
    kernel_free(me->_keyMap, sizeof *me->_keyMap);
    me->_keyMap = mapper;
    me->_interfaceType = IOHIDevice_interfaceID((IOHIDevice *)me);
    me->_deviceType = IOHIDevice_deviceType((IOHIDevice *)me);
    me->_eventFlags = me->_alphaLock ? KEY_FLAG_CAPS_LOCK : 0;
    IOLockUnlock(me->_deviceLock);
    return true;
}

bool IOHIKeyboard__open_service_number_function_function_function(
    IOHIKeyboard *me, IOService *client, uint32_t options,
    void (*key)(OSObject *, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t,
                uint32_t, bool, uint64_t),
    void (*special)(OSObject *, uint32_t, uint32_t, uint32_t, uint32_t, uint64_t, bool, uint64_t),
    void (*flags)(OSObject *, uint32_t))
{
    if (!IOService_open((IOService *)me, client, options, NULL))
        return false;
    me->_keyboardEventTarget = (OSObject *)client;
    me->_keyboardEventAction = key;
    me->_keyboardSpecialEventTarget = (OSObject *)client;
    me->_keyboardSpecialEventAction = special;
    me->_updateEventFlagsTarget = (OSObject *)client;
    me->_updateEventFlagsAction = flags;
    if (IOHIKeyboard_resetKeyboard(me))
        return true;
    IOService_close((IOService *)me, client, options);
    return false;
}

void IOHIKeyboard__close(IOHIKeyboard *me, IOService *client, uint32_t options)
{
    uint64_t now = machine_uptime();

    for (uint32_t key = 0; me->_keyMap && key < 8 * me->_keyStateSize; key++)
        if (me->_keyState[key / 32] >> (key % 32) & 1)
            IOHIKeyboard_dispatchKeyboardEvent(me, key, false, now);
    IOLockLock(me->_deviceLock);
    kernel_free(me->_keyMap, sizeof *me->_keyMap);
    me->_keyMap = NULL;
    me->_keyboardEventAction = NULL;
    me->_keyboardSpecialEventAction = NULL;
    me->_updateEventFlagsAction = NULL;
    IOLockUnlock(me->_deviceLock);
    IOHIDevice_super_close((IOHIDevice *)me, client, options);
}

/* ---- events --------------------------------------------------------------------------------- */

static void fold_modifiers(IOHIKeyboard *me)
{
    me->_eventFlags = key_flags(me->_keyMap->left_down, me->_alphaLock, &me->_keyMap->modifiers);
}

static void modifier_event(IOHIKeyboard *me, uint32_t key, uint8_t modifier, bool down)
{
    struct IOHIKeyboardMapper *mapper = me->_keyMap;

    if (modifier == KEY_MODIFIER_CAPS_LOCK) {
        if (down && !IOHIKeyboard_doesKeyLock(me, key))
            IOHIKeyboard_setAlphaLock(me, !me->_alphaLock);
        else if (IOHIKeyboard_doesKeyLock(me, key))
            IOHIKeyboard_setAlphaLock(me, down);
    } else if (down) {
        mapper->left_down |= (uint16_t)(1u << modifier);
    } else {
        mapper->left_down &= (uint16_t)~(1u << modifier);
    }
    fold_modifiers(me);
    IOHIKeyboard_updateEventFlags(me, me->_eventFlags);
    IOHIKeyboard_keyboardEvent(me, KEY_EVENT_FLAGS_CHANGED, me->_eventFlags, key, 0, 0, 0, 0);
}

static void character_event(IOHIKeyboard *me, uint32_t key, bool down)
{
    struct IOHIKeyboardMapper *mapper = me->_keyMap;
    uint32_t set = 0, code = 0, plain_set = 0, plain = 0;

    if (!key_mapping_character(&mapper->mapping, key, mapper->modifiers, &set, &code))
        return;
    key_mapping_character(&mapper->mapping, key, 0, &plain_set, &plain);
    IOHIKeyboard_keyboardEvent(me, down ? KEY_EVENT_DOWN : KEY_EVENT_UP, me->_eventFlags, key, code,
                               set, plain, plain_set);
}

void IOHIKeyboard__dispatchKeyboardEvent(IOHIKeyboard *me, uint32_t key, bool down, uint64_t time)
{
    /* The state has a bit a code; the original writes beyond it without looking. */
    if (key >= 8 * me->_keyStateSize)
        machine_panic("%s dispatched key code 0x%x; it has %u of them", object_class_name(me), key,
                      IOHIKeyboard_maxKeyCodes(me));
    IOLockLock(me->_deviceLock);
    if (me->_keyMap) {
        uint32_t bit = 1u << (key % 32);
        uint8_t modifier = me->_keyMap->mapping.modifier[key];

        me->_lastEventTime = time;
        if (down)
            me->_keyState[key / 32] |= bit;
        else
            me->_keyState[key / 32] &= ~bit;
        if (modifier != KEY_MAPPING_NO_MODIFIER)
            modifier_event(me, key, modifier, down);
        else
            character_event(me, key, down);
    }
    IOLockUnlock(me->_deviceLock);
}

/* Called with the device's lock held, as there. */
void IOHIKeyboard__keyboardEvent(IOHIKeyboard *me, uint32_t type, uint32_t flags, uint32_t key,
                                 uint32_t character, uint32_t set, uint32_t original,
                                 uint32_t original_set)
{
    if (me->_keyboardEventAction)
        me->_keyboardEventAction(me->_keyboardEventTarget, type, flags, key, character, set,
                                 original, original_set, me->_deviceType, me->_isRepeat,
                                 me->_lastEventTime);
}

void IOHIKeyboard__keyboardSpecialEvent(IOHIKeyboard *me, uint32_t type, uint32_t flags,
                                        uint32_t key, uint32_t flavor)
{
    if (me->_keyboardSpecialEventAction)
        me->_keyboardSpecialEventAction(me->_keyboardSpecialEventTarget, type, flags, key, flavor,
                                        IOHIDevice_getGUID((IOHIDevice *)me), me->_isRepeat,
                                        me->_lastEventTime);
}

void IOHIKeyboard__updateEventFlags(IOHIKeyboard *me, uint32_t flags)
{
    if (me->_updateEventFlagsAction)
        me->_updateEventFlagsAction(me->_updateEventFlagsTarget, flags);
}
