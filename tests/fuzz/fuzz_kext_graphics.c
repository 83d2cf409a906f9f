/* SPDX-License-Identifier: BSD-3-Clause */
/* Fuzz target: a hostile host's messages to the video engine, each two length bytes and as many
 * bytes; a first byte says which VMBus version the host has and whether it answers in time. Lists,
 * modes and sizes that come of it must be within bounds, and the engine ready for the
 * next message. */
#include <stdlib.h>
#include <string.h>

#include "kext/graphics/display_modes.h"
#include "kext/graphics/edid.h"
#include "kext/graphics/video.h"
#include "protocol/vmbus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ASSERT(condition)   \
    do {                    \
        if (!(condition))   \
            abort();        \
    } while (0)

static void check_modes(const struct video *video, const uint8_t *text, size_t length)
{
    static struct display_modes modes;
    struct display_size user[DISPLAY_MODES_USER];
    const struct display_limits limits = {
        .vram_bytes = 8u << 20,
        .bytes_per_pixel = video_depth(video) / 8,
        .maximum = { DISPLAY_EDGE_MAXIMUM, DISPLAY_EDGE_MAXIMUM },
    };
    struct display_sources sources = {
        .host = video->resolutions,
        .host_count = video->resolution_count,
        .host_default = video->resolution_default,
        .user = user,
        .user_count = display_sizes_read((const char *)text, length, user),
    };

    ASSERT(video->resolution_count <= SYNTHVID_RESOLUTIONS_MAXIMUM);
    ASSERT(video->resolution_count == 0 || video->resolution_default < video->resolution_count);
    if (video->has_edid)
        edid_preferred_size(video->edid, &sources.host_wish.width, &sources.host_wish.height);
    display_modes_make(&modes, &limits, &sources);
    ASSERT(modes.count <= DISPLAY_MODES_MAXIMUM);
    ASSERT(modes.count == 0 || modes.preferred < modes.count);
    for (uint32_t i = 0; i < modes.count; i++) {
        ASSERT(display_size_fits(&limits, &modes.sizes[i]));
        ASSERT(display_modes_find(&modes, &modes.sizes[i]) == (int)i);
    }
}

/* What the driver would do next with this result. */
static void go_on(struct video *video, const struct video_result *result)
{
    const struct video_mode mode = { 1024, 768, 4096, 32 };
    struct video_packet packet;

    ASSERT(result->packet.length <= sizeof result->packet.bytes);
    ASSERT((result->event == VIDEO_SEND) == (result->packet.length != 0));
    if (result->event == VIDEO_READY)
        video_make_location(video, 0xF8000000, &packet);
    else if (result->event == VIDEO_LOCATED)
        video_make_situation(video, &mode, &packet);
}

static void receive(struct video *video, const uint8_t *data, uint32_t length)
{
    uint8_t *copy = malloc(length ? length : 1);        /* so that reading beyond it shows */
    struct video_result result;

    memcpy(copy, data, length);
    if (video_receive(video, copy, length, &result) != 0)
        ASSERT(result.event == VIDEO_NOTHING);
    go_on(video, &result);
    check_modes(video, copy, length);
    free(copy);
}

/* After all of it a host that answers properly is understood. */
static void check_good_host(struct video *video)
{
    struct {
        struct vmbus_pipe_header pipe;
        struct synthvid_version_response response;
    } WIRE_PACKED message = { { VMBUS_PIPE_DATA, { sizeof message.response } },
                              { { SYNTHVID_VERSION_RESPONSE, sizeof message.response },
                                SYNTHVID_VERSION_3_2, SYNTHVID_ACCEPTED, 1 } };
    struct video_packet packet;
    struct video_result result;

    video_begin(video, VMBUS_VERSION_2_4, &packet);
    ASSERT(video_receive(video, &message, sizeof message, &result) == 0);
    ASSERT(result.event == VIDEO_READY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t versions[] = { VMBUS_VERSION_1_1, VMBUS_VERSION_2_4, VMBUS_VERSION_3_0,
                                         VMBUS_VERSION_5_3 };
    static struct video video;
    struct video_packet packet;
    struct video_result result;

    if (size == 0)
        return 0;
    memset(&video, 0, sizeof video);
    video_begin(&video, versions[data[0] & 3], &packet);
    for (unsigned late = data[0] >> 4; late > 0; late--) {
        video_timed_out(&video, &result);
        go_on(&video, &result);
    }
    for (data++, size--; size >= 2;) {
        uint32_t length = (uint32_t)data[0] | (uint32_t)(data[1] & 3) << 8;

        data += 2;
        size -= 2;
        if (length > size)
            length = (uint32_t)size;
        receive(&video, data, length);
        data += length;
        size -= length;
    }
    check_good_host(&video);
    return 0;
}
