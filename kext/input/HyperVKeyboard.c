/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVKeyboard: the keyboard as macOS sees it, an ADB keyboard by its codes. */
#include "abi/runtime.h"
#include "kext/core/boot_arguments.h"
#include "kext/core/device_channel.h"
#include "kext/core/log.h"
#include "kext/input/adb_keyboard.h"
#include "kext/input/keymap.h"

#define RING_PAGES       9u             /* of data; Linux has 10 with the control page */

struct HyperVKeyboard {
    IOHIKeyboard super;
    struct device_channel *channel;
    struct keyboard keyboard;           /* in the channel's gate, and when it is closed */
    bool caps_lock, num_lock;
    uint8_t keymap[KEYMAP_BYTES_MAXIMUM];
    uint32_t keymap_length;
};
typedef struct HyperVKeyboard HyperVKeyboard;

static void packet_arrived(void *owner, struct device_channel *channel,
                           const struct packet_view *packet)
{
    HyperVKeyboard *self = owner;
    struct keyboard_change changes[KEYBOARD_CHANGES_MAXIMUM];
    int count = keyboard_receive(&self->keyboard, packet->data, packet->length, changes);

    (void)channel;
    for (int i = 0; i < count; i++)
        adb_dispatch(&self->super, &changes[i]);
    if (count == HV_ERROR_REFUSED)
        hv_log("HyperVKeyboard", "the host does not speak protocol version 1.0");
    else if (count == HV_ERROR_MALFORMED && hv_log_now(self->keyboard.counters.malformed))
        hv_log("HyperVKeyboard", "a malformed message was dropped (%u bytes)",
               (unsigned)packet->length);
}

static int open_channel(HyperVKeyboard *self, IOService *provider)
{
    const struct keyboard_options keys = adb_keyboard_options();
    const struct device_channel_options options = {
        .transmit_pages = RING_PAGES,
        .receive_pages = RING_PAGES,
        .request_maximum = 1,
        .packet_maximum = (uint32_t)sizeof(struct vmbus_packet_header) + KEYBOARD_MESSAGE_MAXIMUM,
        .target_processor = DEVICE_CHANNEL_ANY_PROCESSOR,
        .owner = self,
        .handlers = { .packet = packet_arrived },
    };
    struct keyboard_protocol_request request;
    const struct ring_piece piece = { &request, sizeof request };
    HyperVVMBusDevice *device = device_of_provider(provider);
    int error;

    if (device == NULL)
        return HV_ERROR_INVALID;
    keyboard_begin(&self->keyboard, &keys, &request);
    error = device_channel_open(device, 0, &options, &self->channel);
    if (error == 0)
        error = device_channel_send(self->channel, &piece, 1, 0);
    return error;
}

static void close_channel(HyperVKeyboard *self)
{
    struct keyboard_change change;

    if (self->channel != NULL)
        device_channel_close(self->channel);
    self->channel = NULL;
    while (keyboard_release_next(&self->keyboard, &change))
        adb_dispatch(&self->super, &change);
}

/* ---- IOService ---- */

/* The superclass publishes the keyboard in its start, and may open it at once: the key mapping is
 * made before, the channel, from which keys come, opened after. */
static bool keyboard_start(IOService *me, IOService *provider)
{
    HyperVKeyboard *self = (HyperVKeyboard *)me;
    int error;

    if (boot_argument_given("-hvkbdoff") || device_of_provider(provider) == NULL)
        return false;
    self->keymap_length = keymap_build(self->keymap);
    if (!IOHIKeyboard_super_start(&self->super, provider))
        return false;
    error = open_channel(self, provider);
    if (error == 0)
        return true;
    hv_log("HyperVKeyboard", "cannot open the channel (error %d)", error);
    close_channel(self);
    IOHIKeyboard_super_stop(&self->super, provider);
    return false;
}

static void keyboard_stop(IOService *me, IOService *provider)
{
    HyperVKeyboard *self = (HyperVKeyboard *)me;

    close_channel(self);
    IOHIKeyboard_super_stop(&self->super, provider);
}

/* ---- what IOHIKeyboard asks ---- */

static const uint8_t *default_keymap(IOHIKeyboard *me, uint32_t *length)
{
    HyperVKeyboard *self = (HyperVKeyboard *)me;

    *length = self->keymap_length;
    return self->keymap;
}

/* Called while a key is dispatched, so on the channel's work loop: sending does not wait. */
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
    ((HyperVKeyboard *)me)->caps_lock = on;
    send_indicators((HyperVKeyboard *)me);
}

static void set_num_lock(IOHIKeyboard *me, bool on)
{
    ((HyperVKeyboard *)me)->num_lock = on;
    send_indicators((HyperVKeyboard *)me);
}

IOKIT_CLASS(14, HyperVKeyboard, IOHIKeyboard,
            .start = keyboard_start,
            .stop = keyboard_stop,
            .deviceType = adb_device_type,
            .interfaceID = adb_interface_id,
            .maxKeyCodes = adb_max_key_codes,
            .defaultKeymapOfLength = default_keymap,
            .setAlphaLockFeedback = set_caps_lock,
            .setNumLockFeedback = set_num_lock)
