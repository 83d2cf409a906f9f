/* SPDX-License-Identifier: BSD-3-Clause */
/* Synthetic video's engine. */
#include "kext/graphics/video.h"

#include "kext/core/shared_memory.h"
#include "protocol/vmbus.h"

/* What this driver speaks, newest first, and the oldest VMBus version of hosts that may know it. */
static const struct {
    uint32_t version;
    uint32_t vmbus_version;
} versions[] = {
    { SYNTHVID_VERSION_3_5, VMBUS_VERSION_4_0 },    /* Windows Server 2019; older ones refuse */
    { SYNTHVID_VERSION(3, 4), VMBUS_VERSION_4_0 },
    { SYNTHVID_VERSION(3, 3), VMBUS_VERSION_3_0 },
    { SYNTHVID_VERSION_3_2, VMBUS_VERSION_2_4 },
    { SYNTHVID_VERSION_3_0, 0 },
};

enum { VERSION_COUNT = sizeof versions / sizeof *versions };

/* ---- messages to the host -------------------------------------------------------------------- */

/* Puts the headers before a message of `size` bytes, its own header included, whose last `follows`
 * bytes are not in the packet. */
static void make_packet(struct video_packet *packet, uint32_t type, void *message, uint32_t size,
                        uint32_t follows)
{
    const struct synthvid_header header = { type, size + follows };
    struct vmbus_pipe_header pipe;

    pipe.type = VMBUS_PIPE_DATA;
    pipe.length = size + follows;
    memcpy(message, &header, sizeof header);
    memcpy(packet->bytes, &pipe, sizeof pipe);
    memcpy(packet->bytes + sizeof pipe, message, size);
    packet->length = (uint32_t)sizeof pipe + size;
}

static void propose(struct video *video, struct video_packet *packet)
{
    struct synthvid_version_request request;

    request.version = versions[video->proposal].version;
    make_packet(packet, SYNTHVID_VERSION_REQUEST, &request, sizeof request, 0);
}

void video_begin(struct video *video, uint32_t vmbus_version, struct video_packet *packet)
{
    uint64_t last_context = video->last_context;    /* late answers of a former channel stay late */

    memset(video, 0, sizeof *video);
    video->last_context = last_context;
    video->features = (struct video_features){ true, true, true, true };
    while (versions[video->proposal].vmbus_version > vmbus_version)
        video->proposal++;
    propose(video, packet);
}

void video_make_location(struct video *video, uint64_t address, struct video_packet *packet)
{
    struct synthvid_vram_location location;

    video->location_context = ++video->last_context;
    location.context = video->location_context;
    location.is_specified = 1;
    location.address = address;
    make_packet(packet, SYNTHVID_VRAM_LOCATION, &location, sizeof location, 0);
}

void video_make_situation(struct video *video, const struct video_mode *mode,
                          struct video_packet *packet)
{
    struct synthvid_situation_update situation;

    video->situation_context = ++video->last_context;
    situation.context = video->situation_context;
    situation.outputs = 1;
    situation.is_active = 1;
    situation.vram_offset = 0;
    situation.depth = mode->depth;
    situation.width = mode->width;
    situation.height = mode->height;
    situation.pitch = mode->pitch;
    make_packet(packet, SYNTHVID_SITUATION_UPDATE, &situation, sizeof situation, 0);
}

void video_make_dirt(const struct synthvid_rectangle *rectangles, uint32_t count,
                     struct video_packet *packet)
{
    uint8_t message[sizeof(struct synthvid_dirt) +
                    VIDEO_RECTANGLES_MAXIMUM * sizeof(struct synthvid_rectangle)];
    struct synthvid_dirt dirt;
    uint32_t size = count * (uint32_t)sizeof *rectangles;

    dirt.output = 0;
    dirt.rectangle_count = (uint8_t)count;
    memcpy(message, &dirt, sizeof dirt);
    memcpy(message + sizeof dirt, rectangles, size);
    make_packet(packet, SYNTHVID_DIRT, message, (uint32_t)sizeof dirt + size, 0);
}

void video_make_position(int32_t x, int32_t y, bool visible, struct video_packet *packet)
{
    struct synthvid_pointer_position position;

    position.is_visible = visible;
    position.output = 0;
    position.x = x;
    position.y = y;
    make_packet(packet, SYNTHVID_POINTER_POSITION, &position, sizeof position, 0);
}

void video_make_shape(uint8_t part, uint32_t width, uint32_t height, uint32_t hot_x,
                      uint32_t hot_y, uint32_t pixel_bytes, struct video_packet *packet)
{
    struct synthvid_pointer_shape shape;

    shape.part = part;
    shape.is_argb = 1;
    shape.width = width;
    shape.height = height;
    shape.hot_x = hot_x;
    shape.hot_y = hot_y;
    make_packet(packet, SYNTHVID_POINTER_SHAPE, &shape, sizeof shape, pixel_bytes);
}

/* ---- messages from the host ------------------------------------------------------------------ */

static void ask_for_resolutions(struct video *video, struct video_result *result)
{
    struct synthvid_resolutions_request request;

    request.maximum = SYNTHVID_RESOLUTIONS_MAXIMUM;     /* with less, hosts name none */
    make_packet(&result->packet, SYNTHVID_RESOLUTIONS_REQUEST, &request, sizeof request, 0);
    video->state = VIDEO_LISTING;
    result->event = VIDEO_SEND;
}

static void become_ready(struct video *video, struct video_result *result)
{
    video->state = VIDEO_AGREED;
    result->event = VIDEO_READY;
}

/* The version proposed last was not taken. */
static void go_down(struct video *video, struct video_result *result)
{
    if (video->proposal + 1 == VERSION_COUNT) {
        video->state = VIDEO_REFUSED;
        result->event = VIDEO_OVER;
        return;
    }
    video->proposal++;
    propose(video, &result->packet);
    result->event = VIDEO_SEND;
}

static int handle_version(struct video *video, const uint8_t *message, uint32_t length,
                          struct video_result *result)
{
    struct synthvid_version_response response;

    if (length < sizeof response)
        return HV_ERROR_MALFORMED;
    memcpy(&response, message, sizeof response);
    /* The answer to an older proposal, which was given up, is none to this one. */
    if (video->state != VIDEO_ASKED || response.version != versions[video->proposal].version)
        return HV_ERROR_UNEXPECTED;
    if (!response.accepted) {
        go_down(video, result);
        return 0;
    }
    video->version = response.version;
    if (SYNTHVID_VERSION_MINOR(video->version) >= SYNTHVID_VERSION_MINOR(SYNTHVID_VERSION_3_5))
        ask_for_resolutions(video, result);
    else
        become_ready(video, result);
    return 0;
}

static bool is_set(const uint8_t *bytes, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return true;
    return false;
}

static bool is_equal(const uint8_t *one, const uint8_t *other, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        if (one[i] != other[i])
            return false;
    return true;
}

static int handle_resolutions(struct video *video, const uint8_t *message, uint32_t length,
                              struct video_result *result)
{
    struct synthvid_resolutions_response response;
    uint32_t size;

    if (length < sizeof response)
        return HV_ERROR_MALFORMED;
    if (video->state != VIDEO_LISTING)
        return HV_ERROR_UNEXPECTED;
    memcpy(&response, message, sizeof response);
    size = response.count * (uint32_t)sizeof video->resolutions[0];
    if (response.count > SYNTHVID_RESOLUTIONS_MAXIMUM || size > length - sizeof response)
        return HV_ERROR_MALFORMED;
    memcpy(video->resolutions, message + sizeof response, size);
    video->resolution_count = response.count;
    video->resolution_default =
        response.default_index < response.count ? response.default_index : 0;
    video->has_edid = is_set(response.edid, sizeof response.edid);
    memcpy(video->edid, response.edid, sizeof video->edid);
    become_ready(video, result);
    return 0;
}

/* The acknowledgement of a request whose context is `*waited`, which becomes 0. */
static int handle_ack(const uint8_t *message, uint32_t length, uint64_t *waited,
                      enum video_event event, struct video_result *result)
{
    struct synthvid_ack ack;

    if (length < sizeof ack)
        return HV_ERROR_MALFORMED;
    memcpy(&ack, message, sizeof ack);
    if (*waited == 0 || ack.context != *waited)
        return HV_ERROR_UNEXPECTED;
    *waited = 0;
    result->event = event;
    return 0;
}

static int handle_features(struct video *video, const uint8_t *message, uint32_t length,
                           struct video_result *result)
{
    struct synthvid_feature_change change;

    if (length < sizeof change)
        return HV_ERROR_MALFORMED;
    memcpy(&change, message, sizeof change);
    video->features = (struct video_features){
        change.is_dirt_needed != 0,
        change.is_position_needed != 0,
        change.is_shape_needed != 0,
        change.is_situation_needed != 0,
    };
    if (length >= sizeof change + SYNTHVID_EDID_SIZE &&
        is_set(message + sizeof change, SYNTHVID_EDID_SIZE)) {
        result->edid_changed =
            !video->has_edid || !is_equal(video->edid, message + sizeof change, SYNTHVID_EDID_SIZE);
        memcpy(video->edid, message + sizeof change, SYNTHVID_EDID_SIZE);
        video->has_edid = true;
    }
    result->event = VIDEO_FEATURES_CHANGED;
    return 0;
}

static int handle(struct video *video, const uint8_t *message, uint32_t length,
                  struct video_result *result)
{
    struct synthvid_header header;

    if (length < sizeof header)
        return HV_ERROR_MALFORMED;
    memcpy(&header, message, sizeof header);
    switch (header.type) {
    case SYNTHVID_VERSION_RESPONSE:
        return handle_version(video, message, length, result);
    case SYNTHVID_RESOLUTIONS_RESPONSE:
        return handle_resolutions(video, message, length, result);
    case SYNTHVID_VRAM_LOCATION_ACK:
        return handle_ack(message, length, &video->location_context, VIDEO_LOCATED, result);
    case SYNTHVID_SITUATION_UPDATE_ACK:
        return handle_ack(message, length, &video->situation_context, VIDEO_MODE_SET, result);
    case SYNTHVID_FEATURE_CHANGE:
        return handle_features(video, message, length, result);
    default:
        return HV_ERROR_UNEXPECTED;
    }
}

/* The size in the message's header is what peers disagree about; the pipe's length counts. */
int video_receive(struct video *video, const void *packet, uint32_t length,
                  struct video_result *result)
{
    struct vmbus_pipe_header pipe;
    int error = HV_ERROR_MALFORMED;

    result->event = VIDEO_NOTHING;
    result->edid_changed = false;
    result->packet.length = 0;
    if (length >= sizeof pipe) {
        memcpy(&pipe, packet, sizeof pipe);
        if (pipe.type == VMBUS_PIPE_DATA && pipe.length <= length - sizeof pipe &&
            pipe.length <= SYNTHVID_MESSAGE_MAXIMUM)
            error = handle(video, (const uint8_t *)packet + sizeof pipe, pipe.length, result);
    }
    if (error == HV_ERROR_MALFORMED)
        video->counters.malformed++;
    else if (error == HV_ERROR_UNEXPECTED)
        video->counters.unexpected++;
    return error;
}

void video_timed_out(struct video *video, struct video_result *result)
{
    result->event = VIDEO_NOTHING;
    result->edid_changed = false;
    result->packet.length = 0;
    if (video->state == VIDEO_ASKED)
        go_down(video, result);
    else if (video->state == VIDEO_LISTING)
        become_ready(video, result);
}

uint8_t video_depth(const struct video *video)
{
    return SYNTHVID_VERSION_MINOR(video->version) < SYNTHVID_VERSION_MINOR(SYNTHVID_VERSION_3_2)
               ? 16
               : 32;
}
