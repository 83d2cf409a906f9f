/* SPDX-License-Identifier: BSD-3-Clause */
/* The synthetic video device. Facts: Linux hyperv_fb and hyperv_drm, OpenVMM uidevices. */
#include "host/devices/video.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/devices/video_edid.h"
#include "host/devices/video_watch.h"
#include "host/vmbus/device.h"
#include "protocol/vmbus_classes.h"

enum {
    MEGABYTE = 1 << 20,
    VRAM_OLD = 4, /* megabytes, before 3.2 */
    VRAM_USUAL = 8,
    EDGE_MAX = 16384, /* pixels */
    EDID_EDGE_MAX = 4095,
    EDGE_MIN = 64,    /* of a size that the host asks for */
    PAGE = 4096,
};

enum vram_state { VRAM_NOWHERE, VRAM_COMING, VRAM_THERE };

struct video {
    struct virtual_device device; /* first */
    struct video_settings settings;
    const struct device_machine *machine;
    const struct video_observer *observer;
    struct host_channel *primary;
    struct host_channel *channel; /* open */
    int descriptor;               /* of the VRAM */
    uint8_t *vram;
    enum vram_state vram_state;
    uint64_t vram_context;        /* of the acknowledgement that is due when the VRAM is there */
    bool acknowledge;
    struct video_screen screen;   /* width 0: none */
    struct video_pointer pointer;
    struct video_pointer_parts pointer_parts;
    bool changes_wanted, tell_features;
    bool guest_tells;             /* of changes, whatever the monitor can */
    struct video_watch watch;
    bool situation_wanted;        /* the size is another one: to be told with the features */
    struct video_report report;
};

static uint64_t vram_size(const struct video *video)
{
    return (uint64_t)video->settings.vram_megabytes * MEGABYTE;
}

/* The monitor says what changes, not the guest. */
static bool is_watched(const struct video *video)
{
    return !video->guest_tells && !video->watch.refused && video->machine != NULL &&
           video->machine->watch != NULL && video->machine->can_watch(video->machine->context);
}

/* A message of the host; what does not fit into the ring is lost, as it is on a real host. */
static void send(struct video *video, uint32_t type, void *message, uint32_t size)
{
    const struct synthvid_header header = {type, size};
    memcpy(message, &header, sizeof(header));
    host_channel_send_bytes(video->channel, message, size);
}

static void violation(struct video *video, const char *rule)
{
    host_channel_violation(video->channel, rule);
}

/* ---- Messages of the guest; each has the size that its row in `handlers` asks for ---- */

static void handle_version(struct video *video, const uint8_t *message, size_t size)
{
    struct synthvid_version_request request;
    memcpy(&request, message, sizeof(request));
    const bool accepted =
        SYNTHVID_VERSION_MAJOR(request.version) ==
            SYNTHVID_VERSION_MAJOR(video->settings.version_max) &&
        SYNTHVID_VERSION_MINOR(request.version) <=
            SYNTHVID_VERSION_MINOR(video->settings.version_max);
    struct synthvid_version_response response = {
        .version = request.version,
        .accepted = accepted ? SYNTHVID_ACCEPTED_WITH_EXCHANGE : 0,
        .outputs = 1,
    };
    video->report.version = accepted ? request.version : 0;
    send(video, SYNTHVID_VERSION_RESPONSE, &response, sizeof(response));
}

static void acknowledge_vram(struct video *video)
{
    struct synthvid_ack ack = {.context = video->vram_context};
    video->acknowledge = false;
    send(video, SYNTHVID_VRAM_LOCATION_ACK, &ack, sizeof(ack));
}

static void take_vram_away(struct video *video)
{
    if (video->vram_state != VRAM_NOWHERE && video->machine != NULL) {
        video->machine->unmap(video->machine->context, &video->device, video->report.vram_address,
                              vram_size(video));
    }
    video->vram_state = VRAM_NOWHERE;
    video->screen.width = 0;
    video_watch_stop(&video->watch);
}

static void handle_vram_location(struct video *video, const uint8_t *message, size_t size)
{
    struct synthvid_vram_location location;
    memcpy(&location, message, sizeof(location));
    video->vram_context = location.context;
    if (!location.is_specified) {
        take_vram_away(video);
        acknowledge_vram(video);
        return;
    }
    if (location.address % PAGE != 0 || location.address > UINT64_MAX - vram_size(video)) {
        violation(video, "VRAM is placed on a page and inside of the address space");
        return;
    }
    if (video->vram_state != VRAM_NOWHERE && video->report.vram_address == location.address) {
        video->acknowledge = true;
        if (video->vram_state == VRAM_THERE) {
            acknowledge_vram(video);
        }
        return;
    }
    take_vram_away(video);
    video->report.vram_address = location.address;
    video->acknowledge = true;
    video->vram_state = VRAM_COMING;
    if (video->machine == NULL ||
        video->machine->map(video->machine->context, &video->device, location.address,
                            vram_size(video), video->descriptor, 0,
                            DEVICE_MAP_WRITABLE | DEVICE_MAP_FRAMEBUFFER) != 0) {
        video->vram_state = VRAM_NOWHERE;
        violation(video, "VRAM is placed where nothing else is");
    }
}

static bool mode_fits(const struct video *video, const struct synthvid_situation_update *mode)
{
    const uint64_t bytes = mode->depth / 8;
    return (mode->depth == 16 || mode->depth == 32) && mode->width > 0 && mode->height > 0 &&
           mode->width <= EDGE_MAX && mode->height <= EDGE_MAX &&
           mode->pitch >= mode->width * bytes &&
           (uint64_t)mode->vram_offset + (uint64_t)mode->pitch * mode->height <= vram_size(video);
}

static void handle_situation(struct video *video, const uint8_t *message, size_t size)
{
    struct synthvid_situation_update mode;
    memcpy(&mode, message, sizeof(mode));
    struct synthvid_ack ack = {.context = mode.context};
    if (mode.outputs != 1 || !mode.is_active) {
        video->screen.width = 0;
    } else if (!mode_fits(video, &mode)) {
        violation(video, "a mode has 16 or 32 bits and fits into the VRAM");
        return;
    } else {
        video->screen = (struct video_screen){video->vram + mode.vram_offset, mode.width,
                                              mode.height, mode.pitch, mode.depth};
    }
    send(video, SYNTHVID_SITUATION_UPDATE_ACK, &ack, sizeof(ack));
    if (video->observer != NULL && video->observer->mode_changed != NULL) {
        video->observer->mode_changed(video->observer->context);
    }
}

static void handle_position(struct video *video, const uint8_t *message, size_t size)
{
    struct synthvid_pointer_position position;
    memcpy(&position, message, sizeof(position));
    const bool was_visible = video->pointer.is_visible;
    video->pointer.is_visible = position.is_visible != 0;
    video->pointer.x = position.x;
    video->pointer.y = position.y;
    if (video->observer == NULL) {
        return;
    }
    if (video->pointer.is_visible != was_visible && video->observer->pointer_shaped != NULL) {
        video->observer->pointer_shaped(video->observer->context);
    }
    if (video->observer->pointer_moved != NULL) {
        video->observer->pointer_moved(video->observer->context);
    }
}

static void handle_shape(struct video *video, const uint8_t *message, size_t size)
{
    int result = video_pointer_take_shape(&video->pointer, &video->pointer_parts, message, size);
    if (result < 0) {
        violation(video, "a pointer is at most 96 x 96, a message of it 8 KiB, and it is complete");
    } else if (result > 0) {
        video->report.pointer_shapes++;
        if (video->observer != NULL && video->observer->pointer_shaped != NULL) {
            video->observer->pointer_shaped(video->observer->context);
        }
    }
}

static int32_t clamp(int32_t value, uint32_t highest)
{
    return value < 0 ? 0 : (uint32_t)value > highest ? (int32_t)highest : value;
}

static void handle_dirt(struct video *video, const uint8_t *message, size_t size)
{
    struct synthvid_dirt dirt;
    struct synthvid_rectangle part;
    memcpy(&dirt, message, sizeof(dirt));
    if (size < sizeof(dirt) + dirt.rectangle_count * sizeof(part)) {
        violation(video, "as many rectangles come as the message says");
        return;
    }
    video->report.dirt_messages++;
    for (unsigned i = 0; i < dirt.rectangle_count && video->screen.width != 0; i++) {
        memcpy(&part, message + sizeof(dirt) + i * sizeof(part), sizeof(part));
        if (part.left >= part.right || part.top >= part.bottom) {
            violation(video, "a rectangle of changes is not empty");
            continue;
        }
        part = (struct synthvid_rectangle){
            clamp(part.left, video->screen.width), clamp(part.top, video->screen.height),
            clamp(part.right, video->screen.width), clamp(part.bottom, video->screen.height)};
        if (part.left < part.right && part.top < part.bottom) {
            video->report.rectangles++;
            if (video->observer != NULL && video->observer->changed != NULL) {
                video->observer->changed(video->observer->context, &part);
            }
        }
    }
}

static void handle_bios_info(struct video *video, const uint8_t *message, size_t size)
{
    struct synthvid_bios_info_response response = {.is_stop_device_supported = 1};
    send(video, SYNTHVID_BIOS_INFO_RESPONSE, &response, sizeof(response));
}

static void handle_capability(struct video *video, const uint8_t *message, size_t size)
{
    struct synthvid_capability_response response = {.is_locked_on_disconnect = 0};
    send(video, SYNTHVID_CAPABILITY_RESPONSE, &response, sizeof(response));
}

/* Of the size that the list prefers. */
static void preferred_edid(const struct video *video, uint8_t edid[SYNTHVID_EDID_SIZE])
{
    const struct synthvid_resolution *preferred =
        &video->settings.resolutions[video->settings.resolution_default];
    video_edid_make(edid, preferred->width, preferred->height);
}

static void handle_resolutions(struct video *video, const uint8_t *message, size_t size)
{
    struct synthvid_resolutions_request request;
    struct {
        struct synthvid_resolutions_response head;
        struct synthvid_resolution list[SYNTHVID_RESOLUTIONS_MAXIMUM];
    } WIRE_PACKED *response = calloc(1, sizeof(*response));
    memcpy(&request, message, sizeof(request));
    if (response == NULL) {
        return;
    }
    /* Hosts answer a guest that does not have room for all with none. */
    const unsigned count =
        request.maximum >= video->settings.resolution_count ? video->settings.resolution_count : 0;
    response->head.count = (uint8_t)count;
    response->head.default_index = (uint8_t)video->settings.resolution_default;
    preferred_edid(video, response->head.edid);
    memcpy(response->list, video->settings.resolutions, count * sizeof(response->list[0]));
    send(video, SYNTHVID_RESOLUTIONS_RESPONSE, response,
         (uint32_t)(sizeof(response->head) + count * sizeof(response->list[0])));
    free(response);
}

static const struct handler {
    void (*handle)(struct video *video, const uint8_t *message, size_t size);
    size_t size_minimum;
    uint32_t minor; /* of the version that brought it */
} handlers[] = {
    [SYNTHVID_VERSION_REQUEST] = {handle_version, sizeof(struct synthvid_version_request), 0},
    [SYNTHVID_VRAM_LOCATION] = {handle_vram_location, sizeof(struct synthvid_vram_location), 0},
    [SYNTHVID_SITUATION_UPDATE] = {handle_situation, sizeof(struct synthvid_situation_update), 0},
    [SYNTHVID_POINTER_POSITION] = {handle_position, sizeof(struct synthvid_pointer_position), 0},
    [SYNTHVID_POINTER_SHAPE] = {handle_shape, sizeof(struct synthvid_pointer_shape), 0},
    [SYNTHVID_DIRT] = {handle_dirt, sizeof(struct synthvid_dirt), 0},
    [SYNTHVID_BIOS_INFO_REQUEST] = {handle_bios_info, sizeof(struct synthvid_header), 3},
    [SYNTHVID_RESOLUTIONS_REQUEST] = {handle_resolutions,
                                      sizeof(struct synthvid_resolutions_request), 5},
    [SYNTHVID_CAPABILITY_REQUEST] = {handle_capability, sizeof(struct synthvid_header), 5},
};

static void handle(struct video *video, const uint8_t *message, size_t size)
{
    struct synthvid_header header;
    if (size < sizeof(header)) {
        violation(video, "a video message has a header");
        return;
    }
    memcpy(&header, message, sizeof(header));
    if (header.type >= sizeof(handlers) / sizeof(handlers[0]) ||
        handlers[header.type].handle == NULL) {
        violation(video, "a video message is one that guests send");
        return;
    }
    const struct handler *handler = &handlers[header.type];
    if (size < handler->size_minimum) {
        violation(video, "a video message is as long as its type asks for");
    } else if (header.type != SYNTHVID_VERSION_REQUEST &&
               (video->report.version == 0 ||
                handler->minor > SYNTHVID_VERSION_MINOR(video->report.version))) {
        violation(video, "a video message belongs to the version agreed on");
    } else {
        handler->handle(video, message, size);
    }
}

/* The next driver starts without one. */
static void hide_pointer(struct video *video)
{
    memset(&video->pointer_parts, 0, sizeof(video->pointer_parts));
    video->pointer.width = video->pointer.height = 0;
    video->pointer.is_visible = false;
    if (video->observer != NULL && video->observer->pointer_shaped != NULL) {
        video->observer->pointer_shaped(video->observer->context);
    }
}

/* ---- The channel ---- */

static int opened(void *device, struct host_channel *channel,
                  const struct vmbus_open_request *request)
{
    ((struct video *)device)->channel = channel;
    return 0;
}

/* The VRAM stays where it is, and so does the picture: the guest's processors may still draw. */
static void closed(void *device, struct host_channel *channel)
{
    struct video *video = device;
    video->channel = NULL;
    video->report.version = 0;
    video->acknowledge = video->tell_features = false;
    hide_pointer(video);
    host_channel_released(channel);
}

static void ready(void *device, struct host_channel *channel)
{
    struct video *video = device;
    struct host_packet packet;
    while (host_channel_receive_in_band(channel, &packet) == 1) {
        handle(video, packet.payload, packet.payload_size);
    }
}

static const struct vmbus_device_operations bus_operations = {
    .name = "video", .opened = opened, .closed = closed, .ready = ready};

/* ---- The virtual device ---- */

static void video_range_ready(struct virtual_device *device, uint64_t start, int status)
{
    struct video *video = (struct video *)device;
    if (video->vram_state != VRAM_COMING || start != video->report.vram_address) {
        return; /* an older place was taken away */
    }
    video->vram_state = status == 0 ? VRAM_THERE : VRAM_NOWHERE;
    if (video->channel == NULL || !video->acknowledge) {
        return;
    }
    if (status != 0) {
        video->acknowledge = false;
        violation(video, "VRAM is placed where nothing else is");
        return;
    }
    acknowledge_vram(video);
    host_channel_flush(video->channel);
}

static bool has_list(const struct video *video)
{
    return video->report.version != 0 && SYNTHVID_VERSION_MINOR(video->report.version) >= 5;
}

/* Newer hosts tell the display's EDID with it. */
static void send_features(struct video *video)
{
    const uint8_t wanted = video->changes_wanted;
    struct {
        struct synthvid_feature_change change;
        uint8_t edid[SYNTHVID_EDID_SIZE];
    } WIRE_PACKED message = {
        .change = {.is_dirt_needed = wanted && !is_watched(video),
                   .is_position_needed = wanted,
                   .is_shape_needed = wanted,
                   .is_situation_needed = video->situation_wanted}};
    uint32_t size = sizeof(message.change);
    if (has_list(video)) {
        preferred_edid(video, message.edid);
        size = sizeof(message);
    }
    video->situation_wanted = false;
    send(video, SYNTHVID_FEATURE_CHANGE, &message, size);
}

/* ---- Changes that the monitor tells ---- */

static bool may_ask(const struct video *video)
{
    return video->changes_wanted && video->vram_state == VRAM_THERE &&
           video->screen.width != 0 && is_watched(video);
}

static uint64_t video_deadline(struct virtual_device *device)
{
    const struct video *video = (const struct video *)device;
    return may_ask(video) ? video_watch_deadline(&video->watch) : UINT64_MAX;
}

static void ask_what_was_written(struct video *video, uint64_t now_ns)
{
    if (!may_ask(video) || now_ns < video_watch_deadline(&video->watch)) {
        return;
    }
    video_watch_asked(&video->watch, now_ns);
    int result = video->machine->watch(video->machine->context, &video->device,
                                       video->report.vram_address, vram_size(video));
    if (result != 0) {
        video_watch_answered(&video->watch, result);
        video->tell_features = true; /* the guest is to say it */
    }
}

static void video_range_touched(struct virtual_device *device, uint64_t start)
{
    struct video *video = (struct video *)device;
    if (start == video->report.vram_address) {
        video_watch_written(&video->watch);
    }
}

static void video_range_written(struct virtual_device *device, uint64_t start, int status,
                                const uint64_t *written, size_t blocks)
{
    struct video *video = (struct video *)device;
    const struct video_screen *screen = &video->screen;
    if (start != video->report.vram_address || video->watch.state != VIDEO_WATCH_ASKED) {
        return; /* of a place before */
    }
    video_watch_answered(&video->watch, status);
    video->tell_features |= status != 0;
    if (status != 0 || screen->width == 0 || video->observer == NULL ||
        video->observer->written == NULL) {
        return;
    }
    video->report.watch_answers++;
    const uint32_t offset = (uint32_t)(screen->pixels - video->vram);
    for (uint32_t row = 0, end;
         video_watch_rows(written, blocks, offset, screen->pitch, screen->height, &row, &end);
         row = end) {
        video->observer->written(video->observer->context, row, end);
    }
}

void video_let_guest_tell(struct virtual_device *device, bool guest_tells)
{
    struct video *video = (struct video *)device;
    video->tell_features |= video->guest_tells != guest_tells;
    video->guest_tells = guest_tells;
    video_watch_stop(&video->watch); /* all of the picture is compared when it begins */
}

static void video_run(struct virtual_device *device, uint64_t now_ns)
{
    struct video *video = (struct video *)device;
    ask_what_was_written(video, now_ns);
    if (!video->tell_features || video->channel == NULL || video->report.version == 0) {
        return;
    }
    video->tell_features = false;
    send_features(video);
    host_channel_flush(video->channel);
}

/* A size that is not in the list takes the place of the last one, which is the largest. */
static void prefer(struct video_settings *settings, uint32_t width, uint32_t height)
{
    unsigned at = 0;
    while (at < settings->resolution_count && (settings->resolutions[at].width != width ||
                                               settings->resolutions[at].height != height)) {
        at++;
    }
    if (at == SYNTHVID_RESOLUTIONS_MAXIMUM) {
        at--;
    } else if (at == settings->resolution_count) {
        settings->resolution_count++;
    }
    settings->resolutions[at] =
        (struct synthvid_resolution){(uint16_t)width, (uint16_t)height};
    settings->resolution_default = at;
}

int video_resize(struct virtual_device *device, uint32_t width, uint32_t height)
{
    struct video *video = (struct video *)device;
    if (width < EDGE_MIN || height < EDGE_MIN || width > EDID_EDGE_MAX ||
        height > EDID_EDGE_MAX || (uint64_t)width * height * 4 > vram_size(video)) {
        return -ERANGE;
    }
    if (video->channel == NULL || video->report.version == 0) {
        return -ENOTCONN;
    }
    if (!has_list(video)) {
        return -EOPNOTSUPP;
    }
    prefer(&video->settings, width, height);
    video->tell_features = video->situation_wanted = true;
    return 0;
}

int video_show_boot_screen(struct virtual_device *device, uint64_t address)
{
    struct video *video = (struct video *)device;
    if (video->machine == NULL || vram_size(video) < VIDEO_BOOT_WIDTH * VIDEO_BOOT_HEIGHT * 4) {
        return -ENODEV;
    }
    video->report.vram_address = address;
    video->vram_state = VRAM_COMING;
    int result = video->machine->map(video->machine->context, device, address, vram_size(video),
                                     video->descriptor, 0,
                                     DEVICE_MAP_WRITABLE | DEVICE_MAP_FRAMEBUFFER);
    if (result != 0) {
        video->vram_state = VRAM_NOWHERE;
        return result;
    }
    video->screen = (struct video_screen){video->vram, VIDEO_BOOT_WIDTH, VIDEO_BOOT_HEIGHT,
                                          VIDEO_BOOT_WIDTH * 4, 32};
    if (video->observer != NULL && video->observer->mode_changed != NULL) {
        video->observer->mode_changed(video->observer->context);
    }
    return 0;
}

bool video_is_silent(const struct virtual_device *device)
{
    const struct video *video = (const struct video *)device;
    return video->screen.width != 0 && video->report.version == 0 && !is_watched(video);
}

const struct video_pointer *video_pointer(const struct virtual_device *device)
{
    return &((const struct video *)device)->pointer;
}

void video_want_changes(struct virtual_device *device, bool wanted)
{
    struct video *video = (struct video *)device;
    video->tell_features |= video->changes_wanted != wanted;
    video->changes_wanted = wanted;
}

void video_observe(struct virtual_device *device, const struct video_observer *observer)
{
    ((struct video *)device)->observer = observer;
}

bool video_screen(const struct virtual_device *device, struct video_screen *screen)
{
    const struct video *video = (const struct video *)device;
    *screen = video->screen;
    return screen->width != 0;
}

void video_report(const struct virtual_device *device, struct video_report *report)
{
    const struct video *video = (const struct video *)device;
    *report = video->report;
    report->mapped = video->vram_state == VRAM_THERE;
    report->active = video->screen.width != 0;
}

static void video_attach(struct virtual_device *device, const struct device_machine *machine)
{
    struct video *video = (struct video *)device;
    video->machine = machine;
    video->vram_state = VRAM_NOWHERE; /* a new machine has nothing mapped */
    video->watch = (struct video_watch){.state = VIDEO_WATCH_OFF};
    video->screen.width = 0;
}

static int video_plug(struct virtual_device *device, struct vmbus_server *server)
{
    struct video *video = (struct video *)device;
    struct vmbus_device_offer offer = {
        .class_id = VMBUS_CLASS_VIDEO,
        .instance_id = VMBUS_INSTANCE_VIDEO,
        .flags = VMBUS_OFFER_ENUMERATE_INTERFACE | VMBUS_OFFER_PIPE,
        .mmio_megabytes = (uint16_t)video->settings.vram_megabytes,
    };
    const uint32_t pipe_type = VMBUS_OFFER_PIPE_TYPE_MESSAGE;
    memcpy(offer.user_data, &pipe_type, sizeof(pipe_type));
    return host_device_plug(server, &offer, &bus_operations, video, &video->primary);
}

static void video_unplug(struct virtual_device *device)
{
    struct video *video = (struct video *)device;
    if (video->primary != NULL) {
        host_device_unplug(video->primary);
        video->primary = NULL;
    }
}

static void describe_pointer(const struct video_pointer *pointer, struct json_object *to)
{
    struct json_object *object = json_object_new_object();
    json_object_object_add(object, "visible", json_object_new_boolean(pointer->is_visible));
    json_object_object_add(object, "x", json_object_new_int(pointer->x));
    json_object_object_add(object, "y", json_object_new_int(pointer->y));
    json_object_object_add(object, "width", json_object_new_int((int)pointer->width));
    json_object_object_add(object, "height", json_object_new_int((int)pointer->height));
    json_object_object_add(object, "hot_x", json_object_new_int((int)pointer->hot_x));
    json_object_object_add(object, "hot_y", json_object_new_int((int)pointer->hot_y));
    json_object_object_add(to, "pointer", object);
}

static void video_describe(struct virtual_device *device, struct json_object *to)
{
    const struct video *video = (const struct video *)device;
    const struct video_report *report = &video->report;
    char text[32] = "none";
    if (report->version != 0) {
        snprintf(text, sizeof(text), "%u.%u", SYNTHVID_VERSION_MAJOR(report->version),
                 SYNTHVID_VERSION_MINOR(report->version));
    }
    json_object_object_add(to, "version", json_object_new_string(text));
    json_object_object_add(to, "vram_mib",
                           json_object_new_int((int)video->settings.vram_megabytes));
    if (video->vram_state == VRAM_THERE) {
        snprintf(text, sizeof(text), "0x%llx", (unsigned long long)report->vram_address);
        json_object_object_add(to, "vram_address", json_object_new_string(text));
    }
    json_object_object_add(to, "width", json_object_new_int((int)video->screen.width));
    if (video->screen.width != 0) {
        json_object_object_add(to, "height", json_object_new_int((int)video->screen.height));
        json_object_object_add(to, "depth", json_object_new_int((int)video->screen.depth));
    }
    json_object_object_add(to, "dirt_messages", json_object_new_uint64(report->dirt_messages));
    json_object_object_add(to, "changes_told_by",
                           json_object_new_string(is_watched(video) ? "monitor" : "guest"));
    json_object_object_add(to, "watch_answers", json_object_new_uint64(report->watch_answers));
    json_object_object_add(to, "rectangles", json_object_new_uint64(report->rectangles));
    describe_pointer(&video->pointer, to);
    struct json_object *list = json_object_new_array();
    for (unsigned i = 0; i < video->settings.resolution_count; i++) {
        snprintf(text, sizeof(text), "%ux%u", video->settings.resolutions[i].width,
                 video->settings.resolutions[i].height);
        json_object_array_add(list, json_object_new_string(text));
    }
    json_object_object_add(to, "resolutions", list);
}

static void video_free(struct virtual_device *device)
{
    struct video *video = (struct video *)device;
    if (video->vram != NULL) {
        munmap(video->vram, vram_size(video));
    }
    if (video->descriptor >= 0) {
        close(video->descriptor);
    }
    free(video);
}

static const struct virtual_device_operations operations = {
    .kind = "video",
    .attach = video_attach,
    .plug = video_plug,
    .unplug = video_unplug,
    .deadline_ns = video_deadline,
    .run = video_run,
    .range_ready = video_range_ready,
    .range_written = video_range_written,
    .range_touched = video_range_touched,
    .describe = video_describe,
    .free = video_free,
};

static int make_vram(struct video *video)
{
    video->descriptor = memfd_create("vram", MFD_CLOEXEC);
    if (video->descriptor < 0 || ftruncate(video->descriptor, (off_t)vram_size(video)) != 0) {
        return -errno;
    }
    void *at = mmap(NULL, vram_size(video), PROT_READ | PROT_WRITE, MAP_SHARED,
                    video->descriptor, 0);
    if (at == MAP_FAILED) {
        return -errno;
    }
    video->vram = at;
    return 0;
}

struct virtual_device *video_new(const struct video_settings *settings)
{
    struct video *video = calloc(1, sizeof(*video));
    if (video == NULL) {
        return NULL;
    }
    video->device.operations = &operations;
    video->settings = *settings;
    if (make_vram(video) != 0) {
        video_free(&video->device);
        return NULL;
    }
    return &video->device;
}

void video_default_settings(uint32_t version_max, struct video_settings *settings)
{
    static const struct synthvid_resolution usual[] = {
        {1024, 768}, {1152, 864}, {1280, 720}, {1280, 1024}, {1366, 768}, {1440, 900},
        {1600, 900}, {1600, 1200}, {1680, 1050}, {1920, 1080}, {1920, 1200}, {2560, 1440},
        {2560, 1600}, {3840, 2160},
    };
    *settings = (struct video_settings){.version_max = version_max};
    settings->vram_megabytes = SYNTHVID_VERSION_MINOR(version_max) < 2 ? VRAM_OLD : VRAM_USUAL;
    if (SYNTHVID_VERSION_MINOR(version_max) >= 5) {
        memcpy(settings->resolutions, usual, sizeof(usual));
        settings->resolution_count = sizeof(usual) / sizeof(usual[0]);
        settings->vram_megabytes = 32; /* as Set-VMVideo makes it for 3840 x 2160 */
    }
}

void video_limit_settings(struct video_settings *settings, uint32_t width, uint32_t height)
{
    unsigned kept = 0;
    if (settings->resolution_count == 0) {
        return;
    }
    for (unsigned i = 0; i < settings->resolution_count; i++) {
        const struct synthvid_resolution size = settings->resolutions[i];
        if (size.width <= width && size.height <= height &&
            (size.width != width || size.height != height)) {
            settings->resolutions[kept++] = size;
        }
    }
    settings->resolutions[kept++] =
        (struct synthvid_resolution){(uint16_t)width, (uint16_t)height};
    settings->resolution_count = kept;
    settings->resolution_default = 0;
    for (settings->vram_megabytes = VRAM_USUAL;
         (uint64_t)settings->vram_megabytes * MEGABYTE < (uint64_t)width * height * 4;) {
        settings->vram_megabytes *= 2;
    }
}
