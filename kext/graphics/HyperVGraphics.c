/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVGraphics: attaches the video engine to its channel. Everything from the first message to
 * the first mode happens on the work loop, as the host answers; then the service is published. */
#include "kext/graphics/HyperVGraphics.h"

#include "abi/IOUserClient.h"
#include "abi/OSDictionary.h"
#include "abi/OSString.h"
#include "abi/OSSymbol.h"
#include "abi/constants.h"
#include "abi/kpi/iolib.h"
#include "abi/kpi/libkern.h"
#include "abi/kpi/vm.h"
#include "kext/core/boot_arguments.h"
#include "kext/core/ioreturn.h"
#include "kext/core/log.h"
#include "kext/core/shared_memory.h"

#define RING_PAGES          31u         /* of data; Linux has 128 KB with the control page */
#define ANSWER_MILLISECONDS 5000u
#define MODES_ARGUMENT      "hvgfxmode" /* boot argument: sizes, the first one is used */
#define MODES_PROPERTY      "HVDisplayMode"     /* the same, at run time */

static const char who[] = "HyperVGraphics";

int graphics_send(HyperVGraphics *self, const struct video_packet *packet, const uint8_t *pixels,
                  uint32_t pixel_bytes)
{
    const struct ring_piece pieces[2] = { { packet->bytes, packet->length },
                                          { pixels, pixel_bytes } };
    int error = device_channel_send(self->channel, pieces, pixels != NULL ? 2 : 1, 0);

    if (error == HV_ERROR_FULL && hv_log_now(++self->messages_lost))
        hv_log(who, "the host does not take messages: %llu so far",
               (unsigned long long)self->messages_lost);
    return error;
}

/* ---- properties ------------------------------------------------------------------------------ */

static void publish_mode(HyperVGraphics *self)
{
    char text[16];

    snprintf(text, sizeof text, "%ux%u", self->mode.width, self->mode.height);
    IORegistryEntry_setProperty_cstring_cstring((IORegistryEntry *)self, MODES_PROPERTY, text);
}

static void publish_device(HyperVGraphics *self)
{
    IORegistryEntry *entry = (IORegistryEntry *)self;

    IORegistryEntry_setProperty_cstring_number(entry, "HVVersion", self->video.version, 32);
    IORegistryEntry_setProperty_cstring_number(entry, "HVVideoMemory", self->memory.size, 32);
    IORegistryEntry_setProperty_cstring_number(entry, "HVVideoAddress", self->memory.address, 64);
}

static void tell_client(HyperVGraphics *self)
{
    if (self->client.modes_changed != NULL)
        self->client.modes_changed(self->client.owner);
}

static int32_t tell_client_gated(OSObject *owner, void *param0, void *param1, void *param2,
                                 void *param3)
{
    tell_client((HyperVGraphics *)owner);
    return 0;
}

/* A person asks for a mode. It joins the list, is the preferred one from now on, and the
 * framebuffer is told. */
static int32_t graphics_set_properties(IORegistryEntry *me, OSObject *properties)
{
    HyperVGraphics *self = (HyperVGraphics *)me;
    OSDictionary *dictionary = iokit_cast(OSDictionary, properties);
    OSString *text;
    int error;

    if (IOUserClient_clientHasPrivilege(current_task(), kIOClientPrivilegeAdministrator) !=
        kIOReturnSuccess)
        return kIOReturnNotPrivileged;
    text = dictionary == NULL
               ? NULL
               : iokit_cast(OSString, OSDictionary_getObject_cstring(dictionary, MODES_PROPERTY));
    if (text == NULL)
        return kIOReturnBadArgument;
    if (self->lock == NULL)
        return kIOReturnNotReady;       /* it has not started */
    IOLockLock(self->lock);
    error = graphics_take_user_modes(self, OSString_getCStringNoCopy(text),
                                     OSString_getLength(text));
    IOLockUnlock(self->lock);
    if (error == 0)
        IOWorkLoop_runAction(self->work_loop, tell_client_gated, (OSObject *)self, NULL, NULL,
                             NULL, NULL);
    return ioreturn_of(error);
}

static int32_t graphics_call_platform_function(IOService *me, const OSSymbol *function, bool wait,
                                               void *param1, void *param2, void *param3,
                                               void *param4)
{
    struct graphics_interface *interface = param1;

    if (function == NULL || !OSString_isEqualTo_cstring((OSString *)function, GRAPHICS_INTERFACE))
        return IOService_super_callPlatformFunction_symbol(me, function, wait, param1, param2,
                                                           param3, param4);
    if (interface == NULL || interface->version != GRAPHICS_INTERFACE_VERSION)
        return kIOReturnUnsupported;
    graphics_fill_interface((HyperVGraphics *)me, interface);
    return kIOReturnSuccess;
}

/* ---- the steps to the first mode, on the work loop ------------------------------------------- */

static void expect_answer(HyperVGraphics *self, bool expected)
{
    if (self->answer_timer == NULL)
        return;
    if (expected)
        IOTimerEventSource_setTimeoutMS(self->answer_timer, ANSWER_MILLISECONDS);
    else
        IOTimerEventSource_cancelTimeout(self->answer_timer);
}

static void locate(HyperVGraphics *self)
{
    struct video_packet packet;
    int error = graphics_memory_take(self, &self->wanted);

    if (error == 0) {
        IOLockLock(self->lock);
        graphics_make_modes(self);
        video_make_location(&self->video, self->memory.address, &packet);
        IOLockUnlock(self->lock);
        error = graphics_send(self, &packet, NULL, 0);
    }
    if (error != 0)
        hv_log(who, "no room for %u MB of video memory (error %d)", self->memory.size >> 20,
               error);
    expect_answer(self, error == 0);
}

/* The boot screen goes on as it is; without one the preferred mode is set. */
static void set_first_mode(HyperVGraphics *self)
{
    int error = HV_ERROR_NOT_FOUND;

    IOLockLock(self->lock);
    if (self->wanted.width == 0 && self->modes.count != 0)
        self->wanted =
            graphics_mode_of_size(self, &self->modes.sizes[self->modes.preferred]);
    if (self->wanted.width != 0) {
        const struct video_mode mode = self->wanted;

        error = graphics_ask_for_mode(self, &mode);
    }
    IOLockUnlock(self->lock);
    if (error != 0)
        hv_log(who, "no mode fits into %u MB of video memory (error %d)", self->memory.size >> 20,
               error);
    expect_answer(self, error == 0);
}

static void mode_is_set(HyperVGraphics *self)
{
    bool is_first;

    expect_answer(self, false);
    IOLockLock(self->lock);
    is_first = self->mode.width == 0;
    self->mode = self->wanted;
    self->is_mode_pending = false;
    IOLockWakeup(self->lock, &self->mode, false);
    IOLockUnlock(self->lock);
    publish_mode(self);
    graphics_screen_changed(self);
    if (!is_first)
        return;
    publish_device(self);
    hv_log(who, "version %u.%u, %u MB at 0x%llx, %ux%u",
           SYNTHVID_VERSION_MAJOR(self->video.version),
           SYNTHVID_VERSION_MINOR(self->video.version), self->memory.size >> 20,
           (unsigned long long)self->memory.address, self->mode.width, self->mode.height);
    IOService_registerService((IOService *)self, 0);
}

/* The host asks for the mode again, wants other news, or its display has another size. */
static void features_changed(HyperVGraphics *self, bool edid_changed)
{
    IOLockLock(self->lock);
    if (self->video.features.situation && self->mode.width != 0 && !self->is_mode_pending) {
        const struct video_mode mode = self->mode;

        graphics_ask_for_mode(self, &mode);
    }
    if (edid_changed && self->memory.size != 0)
        graphics_make_modes(self);
    IOLockUnlock(self->lock);
    if (self->mode.width != 0)
        graphics_features_changed(self);
    if (edid_changed)
        tell_client(self);
}

static void act(HyperVGraphics *self, const struct video_result *result)
{
    switch (result->event) {
    case VIDEO_SEND:
        expect_answer(self, graphics_send(self, &result->packet, NULL, 0) == 0);
        break;
    case VIDEO_READY:
        locate(self);
        break;
    case VIDEO_LOCATED:
        set_first_mode(self);
        break;
    case VIDEO_MODE_SET:
        mode_is_set(self);
        break;
    case VIDEO_FEATURES_CHANGED:
        features_changed(self, result->edid_changed);
        break;
    case VIDEO_OVER:
        expect_answer(self, false);
        hv_log(who, "the host takes no version of synthetic video that we speak");
        break;
    default:
        break;
    }
}

static void packet_arrived(void *owner, struct device_channel *channel,
                           const struct packet_view *packet)
{
    HyperVGraphics *self = owner;
    struct video_result result;
    int error;

    IOLockLock(self->lock);
    self->channel = channel;
    error = video_receive(&self->video, packet->data, packet->length, &result);
    IOLockUnlock(self->lock);
    if (error == HV_ERROR_MALFORMED && hv_log_now(self->video.counters.malformed))
        hv_log(who, "a malformed message was dropped (%u bytes)", (unsigned)packet->length);
    act(self, &result);
}

static void answer_is_late(OSObject *owner, IOTimerEventSource *timer)
{
    HyperVGraphics *self = (HyperVGraphics *)owner;
    struct video_result result;

    IOLockLock(self->lock);
    video_timed_out(&self->video, &result);
    IOLockUnlock(self->lock);
    if (self->video.location_context != 0)
        hv_log(who, "the host does not say that it has placed the video memory");
    else if (self->mode.width == 0 && self->is_mode_pending)
        hv_log(who, "the host does not say that it shows the screen");
    act(self, &result);
}

static void channel_gone(void *owner, struct device_channel *channel)
{
    HyperVGraphics *self = owner;

    IOLockLock(self->lock);
    self->is_over = true;
    IOLockWakeup(self->lock, &self->mode, false);
    IOLockUnlock(self->lock);
    refresh_want(&self->refresh, false);
    expect_answer(self, false);
}

/* ---- start and stop -------------------------------------------------------------------------- */

static IOTimerEventSource *add_timer(HyperVGraphics *self,
                                     void (*action)(OSObject *, IOTimerEventSource *))
{
    IOTimerEventSource *timer =
        IOTimerEventSource_timerEventSource_object((OSObject *)self, action);

    if (timer != NULL && IOWorkLoop_addEventSource(self->work_loop, (IOEventSource *)timer) !=
                             kIOReturnSuccess)
        iokit_release_clear(timer);
    return timer;
}

static void remove_timer(HyperVGraphics *self, IOTimerEventSource **timer)
{
    if (*timer == NULL)
        return;
    IOTimerEventSource_cancelTimeout(*timer);
    IOWorkLoop_removeEventSource(self->work_loop, (IOEventSource *)*timer);
    iokit_release_clear(*timer);
}

static bool allocate(HyperVGraphics *self)
{
    self->lock = IOLockAlloc();
    self->work_loop = IOWorkLoop_workLoop();
    if (self->lock == NULL || self->work_loop == NULL)
        return false;
    self->answer_timer = add_timer(self, answer_is_late);
    self->screen_timer = add_timer(self, graphics_tick);
    return self->answer_timer != NULL && self->screen_timer != NULL;
}

static void read_boot_argument(HyperVGraphics *self)
{
    char *text = IOMalloc(BOOT_ARGUMENT_MAXIMUM);

    if (text == NULL)
        return;
    if (boot_argument_text(MODES_ARGUMENT, text))
        self->user_count = display_sizes_read(text, BOOT_ARGUMENT_MAXIMUM, self->user);
    IOFree(text, BOOT_ARGUMENT_MAXIMUM);
}

static int open_channel(HyperVGraphics *self)
{
    const struct device_channel_options options = {
        .transmit_pages = RING_PAGES,
        .receive_pages = RING_PAGES,
        .request_maximum = 1,
        .packet_maximum =
            (uint32_t)(sizeof(struct vmbus_packet_header) + sizeof(struct vmbus_pipe_header)) +
            SYNTHVID_MESSAGE_MAXIMUM,
        .target_processor = DEVICE_CHANNEL_ANY_PROCESSOR,
        .work_loop = self->work_loop,
        .owner = self,
        .handlers = { .packet = packet_arrived, .gone = channel_gone },
    };
    struct video_packet packet;
    int error;

    video_begin(&self->video, device_protocol_version(self->device), &packet);
    error = device_channel_open(self->device, 0, &options, &self->channel);
    if (error != 0)
        return error;
    expect_answer(self, true);          /* opening may have taken longer than an answer may */
    return graphics_send(self, &packet, NULL, 0);
}

/* The channel goes first: no handler runs after that, and what a timer sends is refused. */
static void tear_down(HyperVGraphics *self)
{
    if (self->channel != NULL)
        device_channel_close(self->channel);
    remove_timer(self, &self->answer_timer);
    remove_timer(self, &self->screen_timer);
    self->channel = NULL;
    graphics_memory_give_back(self);
}

static bool graphics_start(IOService *me, IOService *provider)
{
    HyperVGraphics *self = (HyperVGraphics *)me;
    int error = HV_ERROR_NO_RESOURCES;

    self->device = device_of_provider(provider);
    if (self->device == NULL || boot_argument_given("-hvgfxoff") ||
        !IOService_super_start(me, provider))
        return false;
    read_boot_argument(self);
    if (allocate(self))
        error = open_channel(self);
    if (error == 0)
        return true;
    hv_log(who, "cannot open the channel (error %d)", error);
    if (self->work_loop != NULL)
        tear_down(self);
    IOService_super_stop(me, provider);
    return false;
}

static void graphics_stop(IOService *me, IOService *provider)
{
    tear_down((HyperVGraphics *)me);
    IOService_super_stop(me, provider);
}

static void graphics_free(OSObject *me)
{
    HyperVGraphics *self = (HyperVGraphics *)me;

    if (self->marks != NULL)
        IOFree(self->marks, self->mark_count * sizeof *self->marks);
    iokit_release_clear(self->work_loop);
    if (self->lock != NULL)
        IOLockFree(self->lock);
    IOService_super_free((IOService *)me);
}

IOKIT_CLASS(14, HyperVGraphics, IOService,
            .start = graphics_start,
            .stop = graphics_stop,
            .setProperties = graphics_set_properties,
            .callPlatformFunction_symbol = graphics_call_platform_function,
            .free = graphics_free)
