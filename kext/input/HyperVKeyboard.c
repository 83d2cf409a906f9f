/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVKeyboard: the keyboard as macOS sees it, an ADB keyboard by its codes. */
#include "abi/IOUserClient.h"
#include "abi/OSData.h"
#include "abi/OSDictionary.h"
#include "abi/OSString.h"
#include "abi/constants.h"
#include "abi/kpi/iolib.h"
#include "abi/kpi/locks.h"
#include "abi/kpi/vm.h"
#include "abi/runtime.h"
#include "kext/core/boot_arguments.h"
#include "kext/core/device_channel.h"
#include "kext/core/ioreturn.h"
#include "kext/core/log.h"
#include "kext/input/adb_keyboard.h"
#include "kext/input/keymap.h"

#define RING_PAGES       9u             /* of data; Linux has 10 with the control page */
#define LAYOUT_ARGUMENT  "hvkbdlayout"  /* boot argument: name of a layout */
#define UNTYPED_PROPERTY "HVCharactersNotTyped"

static const char who[] = "HyperVKeyboard";

struct HyperVKeyboard {
    IOHIKeyboard super;
    struct device_channel *channel;
    volatile bool published;            /* the superclass has started: keys may be dispatched */
    IOLock *lock;                       /* the engine, whoever uses it, and the layout */
    struct keyboard keyboard;
    const struct key_layout *layout;    /* a built-in one, or `uploaded` */
    struct key_layout uploaded;         /* refers to `table` */
    OSData *table;
    struct adb_caps_lock caps_lock_key;
    bool caps_lock, num_lock;           /* lights */
    uint8_t keymap[KEYMAP_BYTES_MAXIMUM];
    uint32_t keymap_length;
};
typedef struct HyperVKeyboard HyperVKeyboard;

/* Text that the layout has no keys for is lost: it is counted, and seen in the registry. */
static void tell_untyped(HyperVKeyboard *self, uint64_t before, uint64_t now)
{
    if (now == before)
        return;
    IORegistryEntry_setProperty_cstring_number((IORegistryEntry *)self, UNTYPED_PROPERTY, now, 64);
    if (hv_log_now(now))
        hv_log(who, "characters that the layout does not have: %llu so far",
               (unsigned long long)now);
}

static void packet_arrived(void *owner, struct device_channel *channel,
                           const struct packet_view *packet)
{
    HyperVKeyboard *self = owner;
    struct keyboard_change changes[KEYBOARD_CHANGES_MAXIMUM];
    uint64_t untyped;
    int count;

    (void)channel;
    if (!self->published)
        return;                         /* nobody has asked the host for anything */
    IOLockLock(self->lock);
    untyped = self->keyboard.counters.unknown_characters;
    count = keyboard_receive(&self->keyboard, packet->data, packet->length, changes);
    IOLockUnlock(self->lock);
    for (int i = 0; i < count; i++)
        adb_dispatch(&self->super, &self->caps_lock_key, &changes[i]);
    tell_untyped(self, untyped, self->keyboard.counters.unknown_characters);
    if (count == HV_ERROR_REFUSED)
        hv_log(who, "the host does not speak protocol version 1.0");
    else if (count == HV_ERROR_MALFORMED && hv_log_now(self->keyboard.counters.malformed))
        hv_log(who, "a malformed message was dropped (%u bytes)", (unsigned)packet->length);
}

/* ---- the layout ---- */

/* `table`, which is retained, holds the layout's entries; NULL: it is a built-in one. */
static void use_layout(HyperVKeyboard *self, const struct key_layout *layout, OSData *table)
{
    OSData *before;

    iokit_retain(table);
    IOLockLock(self->lock);
    before = self->table;
    self->table = table;
    if (table != NULL) {
        self->uploaded = *layout;
        layout = &self->uploaded;
    }
    self->layout = layout;
    keyboard_use_layout(&self->keyboard, layout);
    IORegistryEntry_setProperty_cstring_cstring((IORegistryEntry *)self, KEY_LAYOUT_PROPERTY,
                                                layout->name);
    IOLockUnlock(self->lock);
    iokit_release_clear(before);
}

static int use_named_layout(HyperVKeyboard *self, const char *name, uint32_t length)
{
    const struct key_layout *layout = key_layout_named(name, length);

    if (layout == NULL)
        return HV_ERROR_NOT_FOUND;
    use_layout(self, layout, NULL);
    return 0;
}

static int use_uploaded_layout(HyperVKeyboard *self, OSData *table)
{
    struct key_layout layout;
    int error = key_layout_check(OSData_getBytesNoCopy(table), OSData_getLength(table), &layout);

    if (error == 0)
        use_layout(self, &layout, table);
    return error;
}

static void use_first_layout(HyperVKeyboard *self)
{
    char *name = IOMalloc(BOOT_ARGUMENT_MAXIMUM);
    uint32_t length = 0;

    use_layout(self, key_layout_default(), NULL);
    if (name == NULL)
        return;
    if (boot_argument_text(LAYOUT_ARGUMENT, name)) {
        while (name[length] != '\0')
            length++;
        if (use_named_layout(self, name, length) != 0)
            hv_log(who, LAYOUT_ARGUMENT "=%s: there is no such layout; U.S. is used", name);
    }
    IOFree(name, BOOT_ARGUMENT_MAXIMUM);
}

/* The agent in the user's session, or a person, says which layout macOS uses. Whoever sits at the
 * screen may: it is their text. */
static bool may_set_layout(void)
{
    return IOUserClient_clientHasPrivilege(current_task(), kIOClientPrivilegeConsoleUser) ==
               kIOReturnSuccess ||
           IOUserClient_clientHasPrivilege(current_task(), kIOClientPrivilegeAdministrator) ==
               kIOReturnSuccess;
}

static int32_t keyboard_set_properties(IORegistryEntry *me, OSObject *properties)
{
    HyperVKeyboard *self = (HyperVKeyboard *)me;
    OSDictionary *dictionary = iokit_cast(OSDictionary, properties);
    OSObject *value = dictionary == NULL
                          ? NULL
                          : OSDictionary_getObject_cstring(dictionary, KEY_LAYOUT_PROPERTY);
    OSString *name = iokit_cast(OSString, value);
    OSData *table = iokit_cast(OSData, value);

    if (value == NULL)                  /* the system's own */
        return IOHIKeyboard_super_setProperties(&self->super, properties);
    if (!may_set_layout())
        return kIOReturnNotPrivileged;
    if (self->lock == NULL)
        return kIOReturnNotReady;       /* it has not started */
    if (name != NULL)
        return ioreturn_of(
            use_named_layout(self, OSString_getCStringNoCopy(name), OSString_getLength(name)));
    return table != NULL ? ioreturn_of(use_uploaded_layout(self, table)) : kIOReturnBadArgument;
}

/* ---- the channel ---- */

static int open_channel(HyperVKeyboard *self, IOService *provider)
{
    const struct device_channel_options options = {
        .transmit_pages = RING_PAGES,
        .receive_pages = RING_PAGES,
        .request_maximum = 1,
        .packet_maximum = (uint32_t)sizeof(struct vmbus_packet_header) + KEYBOARD_MESSAGE_MAXIMUM,
        .target_processor = DEVICE_CHANNEL_ANY_PROCESSOR,
        .owner = self,
        .handlers = { .packet = packet_arrived },
    };
    HyperVVMBusDevice *device = device_of_provider(provider);

    return device == NULL ? HV_ERROR_INVALID
                          : device_channel_open(device, 0, &options, &self->channel);
}

/* Asks for the protocol; keys come once the host has answered. */
static int begin(HyperVKeyboard *self)
{
    const struct keyboard_options keys = adb_keyboard_options();
    struct keyboard_protocol_request request;
    const struct ring_piece piece = { &request, sizeof request };

    IOLockLock(self->lock);
    keyboard_begin(&self->keyboard, &keys, &request);
    keyboard_use_layout(&self->keyboard, self->layout);
    IOLockUnlock(self->lock);
    self->published = true;
    return device_channel_send(self->channel, &piece, 1, 0);
}

static void close_channel(HyperVKeyboard *self)
{
    struct keyboard_change change;

    if (self->channel != NULL)
        device_channel_close(self->channel);
    self->channel = NULL;
    while (keyboard_release_next(&self->keyboard, &change))
        adb_dispatch(&self->super, &self->caps_lock_key, &change);
}

/* ---- IOService ---- */

/* The superclass publishes the keyboard in its start, and others may open it at once, so nothing
 * may fail after that: the key mapping and the channel are there before, and keys come after. */
static bool keyboard_start(IOService *me, IOService *provider)
{
    HyperVKeyboard *self = (HyperVKeyboard *)me;
    int error;

    if (boot_argument_given("-hvkbdoff") || device_of_provider(provider) == NULL)
        return false;
    self->lock = IOLockAlloc();
    if (self->lock == NULL)
        return false;
    self->keymap_length = keymap_build(self->keymap);
    use_first_layout(self);
    error = open_channel(self, provider);
    if (error != 0)
        hv_log(who, "cannot open the channel (error %d)", error);
    if (error != 0 || !IOHIKeyboard_super_start(&self->super, provider)) {
        close_channel(self);
        return false;
    }
    error = begin(self);
    if (error != 0)
        hv_log(who, "the host cannot be asked for keys (error %d)", error);
    return true;
}

static void keyboard_stop(IOService *me, IOService *provider)
{
    HyperVKeyboard *self = (HyperVKeyboard *)me;

    close_channel(self);
    IOHIKeyboard_super_stop(&self->super, provider);
}

static void keyboard_free(OSObject *me)
{
    HyperVKeyboard *self = (HyperVKeyboard *)me;

    iokit_release_clear(self->table);
    if (self->lock != NULL)
        IOLockFree(self->lock);
    IOHIKeyboard_super_free(&self->super);
}

/* ---- what IOHIKeyboard asks ---- */

static const uint8_t *default_keymap(IOHIKeyboard *me, uint32_t *length)
{
    HyperVKeyboard *self = (HyperVKeyboard *)me;

    *length = self->keymap_length;
    return self->keymap;
}

/* Called while a key is dispatched, so on the channel's work loop, or from a thread of the event
 * system, which is gone before the channel: sending does not wait. */
static void send_indicators(HyperVKeyboard *self)
{
    struct keyboard_set_indicators message;
    const struct ring_piece piece = { &message, sizeof message };

    keyboard_indicators(self->caps_lock, self->num_lock, &message);
    if (self->channel != NULL && self->keyboard.state == KEYBOARD_READY)
        device_channel_send(self->channel, &piece, 1, 0);
}

static void set_caps_lock(IOHIKeyboard *me, bool on)
{
    HyperVKeyboard *self = (HyperVKeyboard *)me;

    if (!adb_means_light(&self->caps_lock_key))
        return;
    self->caps_lock = on;
    send_indicators(self);
}

static void set_num_lock(IOHIKeyboard *me, bool on)
{
    ((HyperVKeyboard *)me)->num_lock = on;
    send_indicators((HyperVKeyboard *)me);
}

IOKIT_CLASS(14, HyperVKeyboard, IOHIKeyboard,
            .start = keyboard_start,
            .stop = keyboard_stop,
            .setProperties = keyboard_set_properties,
            .free = keyboard_free,
            .deviceType = adb_device_type,
            .interfaceID = adb_interface_id,
            .maxKeyCodes = adb_max_key_codes,
            .defaultKeymapOfLength = default_keymap,
            .setAlphaLockFeedback = set_caps_lock,
            .setNumLockFeedback = set_num_lock)
