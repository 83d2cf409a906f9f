/* SPDX-License-Identifier: BSD-3-Clause */
/* The video engine, fed by a host written by hand: versions, resolutions, memory, modes, features;
 * after each message that is refused the next good one works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kext/graphics/video.h"
#include "protocol/vmbus.h"

static struct video video;
static struct video_result result;

static int receive(uint32_t type, const void *body, uint32_t size)
{
    static uint8_t packet[SYNTHVID_MESSAGE_MAXIMUM + 64];
    const uint32_t header[4] = { VMBUS_PIPE_DATA, 8 + size, type, 8 + size };

    memset(packet, 0, sizeof packet);
    memcpy(packet, header, sizeof header);
    memcpy(packet + sizeof header, body, size);
    return video_receive(&video, packet, (uint32_t)sizeof header + size, &result);
}

/* The message in a packet of ours; fails if it is not of this type and size. */
static const void *message_of(const struct video_packet *packet, uint32_t type, size_t size)
{
    uint32_t header[4];

    memcpy(header, packet->bytes, sizeof header);
    assert_int_equal(header[0], VMBUS_PIPE_DATA);
    assert_int_equal(header[1], size);
    assert_int_equal(header[2], type);
    assert_int_equal(header[3], size);
    assert_int_equal(packet->length, 8 + size);
    return packet->bytes + 8;
}

static uint32_t proposed(const struct video_packet *packet)
{
    struct synthvid_version_request request;

    memcpy(&request, message_of(packet, SYNTHVID_VERSION_REQUEST, sizeof request), sizeof request);
    return request.version;
}

static uint32_t begin(uint32_t vmbus_version)
{
    struct video_packet packet;

    memset(&video, 0, sizeof video);
    video_begin(&video, vmbus_version, &packet);
    return proposed(&packet);
}

static int answer_version(uint32_t version, uint8_t accepted)
{
    struct synthvid_version_response response = { .version = version, .accepted = accepted,
                                                  .outputs = 1 };

    return receive(SYNTHVID_VERSION_RESPONSE, (uint8_t *)&response + 8, sizeof response - 8);
}

static int answer_resolutions(uint8_t count, uint8_t default_index, uint32_t entries)
{
    struct {
        struct synthvid_resolutions_response head;
        struct synthvid_resolution list[256];
    } WIRE_PACKED response;

    memset(&response, 0, sizeof response);
    response.head.count = count;
    response.head.default_index = default_index;
    for (uint16_t i = 0; i < 256; i++)
        response.list[i] = (struct synthvid_resolution){ (uint16_t)(1000 + i),
                                                         (uint16_t)(800 + i) };
    return receive(SYNTHVID_RESOLUTIONS_RESPONSE, (uint8_t *)&response + 8,
                   (uint32_t)(sizeof response.head - 8 + entries * sizeof response.list[0]));
}

static int acknowledge(uint32_t type, uint64_t context)
{
    return receive(type, &context, sizeof context);
}

static void begin_ready(void)
{
    begin(VMBUS_VERSION_2_4);
    assert_int_equal(answer_version(SYNTHVID_VERSION_3_2, SYNTHVID_ACCEPTED_WITH_EXCHANGE), 0);
    assert_int_equal(result.event, VIDEO_READY);
}

/* A mode set and acknowledged: what every test ends with. */
static void expect_mode_works(void)
{
    const struct video_mode mode = { 1920, 1080, 7680, 32 };
    struct synthvid_situation_update situation;
    struct video_packet packet;

    video_make_situation(&video, &mode, &packet);
    memcpy(&situation, message_of(&packet, SYNTHVID_SITUATION_UPDATE, sizeof situation),
           sizeof situation);
    assert_int_equal(situation.outputs, 1);
    assert_int_equal(situation.is_active, 1);
    assert_int_equal(situation.vram_offset, 0);
    assert_int_equal(situation.depth, 32);
    assert_int_equal(situation.width, 1920);
    assert_int_equal(situation.height, 1080);
    assert_int_equal(situation.pitch, 7680);
    assert_int_equal(acknowledge(SYNTHVID_SITUATION_UPDATE_ACK, situation.context), 0);
    assert_int_equal(result.event, VIDEO_MODE_SET);
}

/* ---- versions -------------------------------------------------------------------------------- */

static void the_first_proposal_is_the_newest_for_the_vmbus(void **state)
{
    static const struct {
        uint32_t vmbus, video;
    } rows[] = {
        { VMBUS_VERSION_0_13, SYNTHVID_VERSION_3_0 },
        { VMBUS_VERSION_1_1, SYNTHVID_VERSION_3_0 },
        { VMBUS_VERSION_2_4, SYNTHVID_VERSION_3_2 },
        { VMBUS_VERSION_3_0, SYNTHVID_VERSION(3, 3) },
        { VMBUS_VERSION_4_0, SYNTHVID_VERSION_3_5 },
        { VMBUS_VERSION_5_3, SYNTHVID_VERSION_3_5 },
        { VMBUS_VERSION(9, 0), SYNTHVID_VERSION_3_5 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(begin(rows[i].vmbus), rows[i].video);
}

static void a_refused_version_is_followed_by_the_next_older(void **state)
{
    static const uint32_t ladder[] = { SYNTHVID_VERSION_3_5, SYNTHVID_VERSION(3, 4),
                                       SYNTHVID_VERSION(3, 3), SYNTHVID_VERSION_3_2,
                                       SYNTHVID_VERSION_3_0 };

    (void)state;
    for (size_t accepted = 0; accepted < 5; accepted++) {
        assert_int_equal(begin(VMBUS_VERSION_5_3), ladder[0]);
        for (size_t i = 0; i < accepted; i++) {
            assert_int_equal(answer_version(ladder[i], 0), 0);
            assert_int_equal(result.event, VIDEO_SEND);
            assert_int_equal(proposed(&result.packet), ladder[i + 1]);
        }
        assert_int_equal(answer_version(ladder[accepted], SYNTHVID_ACCEPTED), 0);
        assert_int_equal(video.version, ladder[accepted]);
        assert_int_equal(result.event, accepted == 0 ? VIDEO_SEND : VIDEO_READY);
        assert_int_equal(video_depth(&video), accepted == 4 ? 16 : 32);
    }
}

static void a_host_that_takes_none_ends_it(void **state)
{
    (void)state;
    begin(VMBUS_VERSION_1_1);
    assert_int_equal(answer_version(SYNTHVID_VERSION_3_0, 0), 0);
    assert_int_equal(result.event, VIDEO_OVER);
    assert_int_equal(video.state, VIDEO_REFUSED);
    assert_int_equal(answer_version(SYNTHVID_VERSION_3_0, 1), HV_ERROR_UNEXPECTED);
    begin_ready();
    expect_mode_works();
}

static void a_host_that_does_not_answer_is_asked_for_an_older_version(void **state)
{
    (void)state;
    begin(VMBUS_VERSION_5_0);
    video_timed_out(&video, &result);
    assert_int_equal(result.event, VIDEO_SEND);
    assert_int_equal(proposed(&result.packet), SYNTHVID_VERSION(3, 4));
    /* The late answer to the first proposal is none to the second. */
    assert_int_equal(answer_version(SYNTHVID_VERSION_3_5, 1), HV_ERROR_UNEXPECTED);
    assert_int_equal(video.state, VIDEO_ASKED);
    assert_int_equal(answer_version(SYNTHVID_VERSION(3, 4), 1), 0);
    assert_int_equal(result.event, VIDEO_READY);
    expect_mode_works();
}

static void the_attempt_after_one_that_failed_begins_anew(void **state)
{
    struct video_packet packet;

    (void)state;
    begin(VMBUS_VERSION_5_3);
    do
        video_timed_out(&video, &result);
    while (result.event == VIDEO_SEND);
    assert_int_equal(video.state, VIDEO_REFUSED);
    video_begin(&video, VMBUS_VERSION_5_3, &packet);
    assert_int_equal(proposed(&packet), SYNTHVID_VERSION_3_5);
    assert_int_equal(answer_version(SYNTHVID_VERSION_3_5, 0), 0);
    assert_int_equal(answer_version(SYNTHVID_VERSION(3, 4), 1), 0);
    assert_int_equal(result.event, VIDEO_READY);
    video_begin(&video, VMBUS_VERSION_5_3, &packet);    /* after one that succeeded, too */
    assert_int_equal(video.version, 0);
    assert_int_equal(proposed(&packet), SYNTHVID_VERSION_3_5);
}

static void versions_never_seen_are_not_believed(void **state)
{
    (void)state;
    begin(VMBUS_VERSION_5_3);
    assert_int_equal(answer_version(SYNTHVID_VERSION(4, 0), 1), HV_ERROR_UNEXPECTED);
    assert_int_equal(answer_version(SYNTHVID_VERSION(3, 0xFFFF), 1), HV_ERROR_UNEXPECTED);
    assert_int_equal(answer_version(0, 1), HV_ERROR_UNEXPECTED);
    assert_int_equal(answer_version(SYNTHVID_VERSION_3_5, 1), 0);
    assert_int_equal(result.event, VIDEO_SEND);
}

/* ---- resolutions ----------------------------------------------------------------------------- */

static void begin_listing(void)
{
    struct synthvid_resolutions_request request;

    begin(VMBUS_VERSION_5_3);
    assert_int_equal(answer_version(SYNTHVID_VERSION_3_5, SYNTHVID_ACCEPTED_WITH_EXCHANGE), 0);
    memcpy(&request, message_of(&result.packet, SYNTHVID_RESOLUTIONS_REQUEST, sizeof request),
           sizeof request);
    assert_int_equal(request.maximum, 64);
}

static void the_hosts_resolutions_are_taken(void **state)
{
    (void)state;
    begin_listing();
    assert_int_equal(answer_resolutions(3, 1, 3), 0);
    assert_int_equal(result.event, VIDEO_READY);
    assert_int_equal(video.resolution_count, 3);
    assert_int_equal(video.resolution_default, 1);
    assert_int_equal(video.resolutions[2].width, 1002);
    assert_false(video.has_edid);
    expect_mode_works();
}

static void an_empty_list_is_no_list(void **state)
{
    (void)state;
    begin_listing();
    assert_int_equal(answer_resolutions(0, 7, 0), 0);
    assert_int_equal(result.event, VIDEO_READY);
    assert_int_equal(video.resolution_count, 0);
    assert_int_equal(video.resolution_default, 0);
}

static void a_full_list_fits_and_a_longer_one_is_refused(void **state)
{
    (void)state;
    begin_listing();
    assert_int_equal(answer_resolutions(65, 0, 65), HV_ERROR_MALFORMED);
    assert_int_equal(answer_resolutions(255, 0, 255), HV_ERROR_MALFORMED);
    assert_int_equal(answer_resolutions(64, 0, 63), HV_ERROR_MALFORMED);
    assert_int_equal(video.resolution_count, 0);
    assert_int_equal(answer_resolutions(64, 200, 64), 0);
    assert_int_equal(video.resolution_count, 64);
    assert_int_equal(video.resolution_default, 0);      /* 200 is none of them */
    assert_int_equal(answer_resolutions(1, 0, 1), HV_ERROR_UNEXPECTED);
    assert_int_equal(video.resolution_count, 64);
    expect_mode_works();
}

static void a_host_without_an_answer_has_no_list(void **state)
{
    (void)state;
    begin_listing();
    video_timed_out(&video, &result);
    assert_int_equal(result.event, VIDEO_READY);
    assert_int_equal(video.resolution_count, 0);
    video_timed_out(&video, &result);
    assert_int_equal(result.event, VIDEO_NOTHING);
    expect_mode_works();
}

/* ---- memory and modes ------------------------------------------------------------------------ */

static void acknowledgements_are_matched_by_context(void **state)
{
    struct synthvid_vram_location location;
    struct video_packet packet;

    (void)state;
    begin_ready();
    video_make_location(&video, 0xF8000000, &packet);
    memcpy(&location, message_of(&packet, SYNTHVID_VRAM_LOCATION, sizeof location),
           sizeof location);
    assert_int_equal(location.is_specified, 1);
    assert_int_equal(location.address, 0xF8000000);
    assert_int_equal(acknowledge(SYNTHVID_VRAM_LOCATION_ACK, 0), HV_ERROR_UNEXPECTED);
    assert_int_equal(acknowledge(SYNTHVID_VRAM_LOCATION_ACK, location.context + 1),
                     HV_ERROR_UNEXPECTED);
    assert_int_equal(acknowledge(SYNTHVID_SITUATION_UPDATE_ACK, location.context),
                     HV_ERROR_UNEXPECTED);
    assert_int_equal(acknowledge(SYNTHVID_VRAM_LOCATION_ACK, location.context), 0);
    assert_int_equal(result.event, VIDEO_LOCATED);
    assert_int_equal(acknowledge(SYNTHVID_VRAM_LOCATION_ACK, location.context),
                     HV_ERROR_UNEXPECTED);
    expect_mode_works();
}

static void only_the_latest_mode_is_acknowledged(void **state)
{
    const struct video_mode mode = { 1024, 768, 4096, 32 };
    struct synthvid_situation_update first;
    struct video_packet packet;

    (void)state;
    begin_ready();
    video_make_situation(&video, &mode, &packet);
    memcpy(&first, packet.bytes + 8, sizeof first);
    video_make_situation(&video, &mode, &packet);
    assert_int_equal(acknowledge(SYNTHVID_SITUATION_UPDATE_ACK, first.context),
                     HV_ERROR_UNEXPECTED);
    expect_mode_works();
}

static void a_new_channel_takes_no_answer_of_the_old_one(void **state)
{
    struct video_packet packet;
    uint64_t context;

    (void)state;
    begin_ready();
    video_make_location(&video, 0xF8000000, &packet);
    context = video.location_context;
    video_begin(&video, VMBUS_VERSION_2_4, &packet);
    assert_int_equal(answer_version(SYNTHVID_VERSION_3_2, 1), 0);
    video_make_location(&video, 0xF8000000, &packet);
    assert_int_equal(acknowledge(SYNTHVID_VRAM_LOCATION_ACK, context), HV_ERROR_UNEXPECTED);
    assert_int_equal(acknowledge(SYNTHVID_VRAM_LOCATION_ACK, video.location_context), 0);
}

/* ---- features -------------------------------------------------------------------------------- */

static void every_combination_of_features_is_stored(void **state)
{
    (void)state;
    begin_ready();
    for (unsigned bits = 0; bits < 16; bits++) {
        const uint8_t body[4] = { bits & 1, bits >> 1 & 1, bits >> 2 & 1, bits >> 3 & 1 };

        assert_int_equal(receive(SYNTHVID_FEATURE_CHANGE, body, sizeof body), 0);
        assert_int_equal(result.event, VIDEO_FEATURES_CHANGED);
        assert_false(result.edid_changed);
        assert_int_equal(video.features.dirt, bits & 1);
        assert_int_equal(video.features.position, bits >> 1 & 1);
        assert_int_equal(video.features.shape, bits >> 2 & 1);
        assert_int_equal(video.features.situation, bits >> 3 & 1);
    }
    expect_mode_works();
}

static void an_edid_counts_when_it_is_another_one(void **state)
{
    uint8_t body[4 + SYNTHVID_EDID_SIZE] = { 1, 1, 1, 0 };

    (void)state;
    begin_ready();
    assert_int_equal(receive(SYNTHVID_FEATURE_CHANGE, body, sizeof body), 0);
    assert_false(result.edid_changed);  /* all zero: none */
    assert_false(video.has_edid);
    body[4 + 54] = 1;
    assert_int_equal(receive(SYNTHVID_FEATURE_CHANGE, body, sizeof body), 0);
    assert_true(result.edid_changed);
    assert_int_equal(receive(SYNTHVID_FEATURE_CHANGE, body, sizeof body), 0);
    assert_false(result.edid_changed);
    body[4 + 127] = 9;
    assert_int_equal(receive(SYNTHVID_FEATURE_CHANGE, body, sizeof body), 0);
    assert_true(result.edid_changed);
    assert_int_equal(video.edid[127], 9);
    assert_int_equal(receive(SYNTHVID_FEATURE_CHANGE, body, sizeof body - 1), 0);
    assert_false(result.edid_changed);  /* cut: as the older form */
}

/* ---- packets that are not in order ----------------------------------------------------------- */

static void every_message_that_is_cut_is_dropped(void **state)
{
    static const struct {
        uint32_t type, size;            /* of the body at least */
    } rows[] = {
        { SYNTHVID_VERSION_RESPONSE, 6 },
        { SYNTHVID_VRAM_LOCATION_ACK, 8 },
        { SYNTHVID_SITUATION_UPDATE_ACK, 8 },
        { SYNTHVID_FEATURE_CHANGE, 4 },
        { SYNTHVID_RESOLUTIONS_RESPONSE, 131 },
    };
    static const uint8_t body[256];
    uint64_t malformed;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin_ready();
        malformed = video.counters.malformed;
        for (uint32_t size = 0; size < rows[i].size; size++)
            assert_int_equal(receive(rows[i].type, body, size), HV_ERROR_MALFORMED);
        assert_int_equal(video.counters.malformed, malformed + rows[i].size);
        assert_int_equal(result.event, VIDEO_NOTHING);
        expect_mode_works();
    }
}

static void packets_that_lie_about_their_length_are_dropped(void **state)
{
    uint32_t packet[8] = { VMBUS_PIPE_DATA, 1000, SYNTHVID_FEATURE_CHANGE, 12 };

    (void)state;
    begin_ready();
    assert_int_equal(video_receive(&video, packet, sizeof packet, &result), HV_ERROR_MALFORMED);
    packet[1] = 7;                      /* not even a header */
    assert_int_equal(video_receive(&video, packet, sizeof packet, &result), HV_ERROR_MALFORMED);
    packet[0] = VMBUS_PIPE_PARTIAL_DATA;
    packet[1] = 12;
    assert_int_equal(video_receive(&video, packet, sizeof packet, &result), HV_ERROR_MALFORMED);
    assert_int_equal(video_receive(&video, packet, 7, &result), HV_ERROR_MALFORMED);
    packet[0] = VMBUS_PIPE_DATA;
    packet[1] = UINT32_MAX;
    assert_int_equal(video_receive(&video, packet, sizeof packet, &result), HV_ERROR_MALFORMED);
    expect_mode_works();
}

static void messages_that_hosts_do_not_send_are_dropped(void **state)
{
    static const uint8_t body[64];

    (void)state;
    begin_ready();
    for (uint32_t type = 0; type < 40; type++)
        if (type != SYNTHVID_FEATURE_CHANGE && type != SYNTHVID_RESOLUTIONS_RESPONSE)
            assert_int_equal(receive(type, body, sizeof body), HV_ERROR_UNEXPECTED);
    assert_int_equal(receive(UINT32_MAX, body, sizeof body), HV_ERROR_UNEXPECTED);
    expect_mode_works();
}

/* ---- the other messages of ours -------------------------------------------------------------- */

static void changes_and_the_pointer_look_as_hosts_expect(void **state)
{
    const struct synthvid_rectangle rectangles[VIDEO_RECTANGLES_MAXIMUM] = {
        { 1, 2, 3, 4 }, [15] = { 5, 6, 7, 8 },
    };
    struct synthvid_pointer_position position;
    struct synthvid_pointer_shape shape;
    struct synthvid_dirt dirt;
    struct video_packet packet;
    uint32_t header[4];

    (void)state;
    video_make_dirt(rectangles, VIDEO_RECTANGLES_MAXIMUM, &packet);
    memcpy(&dirt, message_of(&packet, SYNTHVID_DIRT, sizeof dirt + sizeof rectangles), sizeof dirt);
    assert_int_equal(dirt.rectangle_count, 16);
    assert_memory_equal(packet.bytes + 8 + sizeof dirt, rectangles, sizeof rectangles);
    video_make_position(-5, 70000, true, &packet);
    memcpy(&position, message_of(&packet, SYNTHVID_POINTER_POSITION, sizeof position),
           sizeof position);
    assert_int_equal(position.is_visible, 1);
    assert_int_equal(position.x, -5);
    assert_int_equal(position.y, 70000);
    video_make_shape(SYNTHVID_POINTER_COMPLETE, 3, 2, 1, 0, 24, &packet);
    memcpy(header, packet.bytes, sizeof header);
    assert_int_equal(header[1], sizeof shape + 24);     /* the pixels follow */
    assert_int_equal(packet.length, 8 + sizeof shape);
    memcpy(&shape, packet.bytes + 8, sizeof shape);
    assert_int_equal(shape.part, 0xFF);
    assert_int_equal(shape.is_argb, 1);
    assert_int_equal(shape.width, 3);
    assert_int_equal(shape.hot_x, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_proposal_is_the_newest_for_the_vmbus),
        cmocka_unit_test(a_refused_version_is_followed_by_the_next_older),
        cmocka_unit_test(a_host_that_takes_none_ends_it),
        cmocka_unit_test(a_host_that_does_not_answer_is_asked_for_an_older_version),
        cmocka_unit_test(the_attempt_after_one_that_failed_begins_anew),
        cmocka_unit_test(versions_never_seen_are_not_believed),
        cmocka_unit_test(the_hosts_resolutions_are_taken),
        cmocka_unit_test(an_empty_list_is_no_list),
        cmocka_unit_test(a_full_list_fits_and_a_longer_one_is_refused),
        cmocka_unit_test(a_host_without_an_answer_has_no_list),
        cmocka_unit_test(acknowledgements_are_matched_by_context),
        cmocka_unit_test(only_the_latest_mode_is_acknowledged),
        cmocka_unit_test(a_new_channel_takes_no_answer_of_the_old_one),
        cmocka_unit_test(every_combination_of_features_is_stored),
        cmocka_unit_test(an_edid_counts_when_it_is_another_one),
        cmocka_unit_test(every_message_that_is_cut_is_dropped),
        cmocka_unit_test(packets_that_lie_about_their_length_are_dropped),
        cmocka_unit_test(messages_that_hosts_do_not_send_are_dropped),
        cmocka_unit_test(changes_and_the_pointer_look_as_hosts_expect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
