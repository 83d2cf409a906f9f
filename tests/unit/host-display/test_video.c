/* SPDX-License-Identifier: BSD-3-Clause */
/* The synthetic video device's host side, with a guest and a machine written by hand. */
#include "tests/unit/host-vmbus/bench.h"
#include "tests/unit/host-vmbus/guest_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/video.h"
#include "host/devices/video_watch.h"
#include "protocol/partition.h"

enum {
    CHANNEL = 1,
    MESSAGE_MAX = 700,
    SHAPE_PART = 3072, /* bytes; the ring holds 4096 */
    PACKET_MAX = 24 + sizeof(struct synthvid_pointer_shape) + SHAPE_PART + 8,
    FEATURES_WITH_EDID = sizeof(struct synthvid_feature_change) + SYNTHVID_EDID_SIZE,
};
static const uint64_t gpa = 0xf8000000;

struct rig {
    struct bench *bench;
    struct virtual_device *video;
    struct device_machine machine;
    uint64_t mapped_at;
    unsigned maps, unmaps, modes, changes, shapes, moves;
    bool hold;            /* the machine does not answer yet */
    int map_result;
    struct synthvid_rectangle last_change;
    bool can_watch;
    int watch_result;
    unsigned watches, writtens;
    uint32_t top, bottom; /* of the rows told last */
    struct video_observer observer;
};

/* ---- The machine ---- */

static int map(void *context, struct virtual_device *device, uint64_t start, uint64_t size,
               int descriptor, uint64_t file_offset, uint32_t flags)
{
    struct rig *rig = context;
    assert_int_equal(size, 8 << 20);
    assert_true(flags & DEVICE_MAP_WRITABLE);
    rig->maps++;
    rig->mapped_at = start;
    if (rig->map_result == 0 && !rig->hold) {
        device->operations->range_ready(device, start, 0);
    }
    return rig->map_result;
}

static int unmap(void *context, struct virtual_device *device, uint64_t start, uint64_t size)
{
    struct rig *rig = context;
    assert_int_equal(start, rig->mapped_at);
    rig->unmaps++;
    return 0;
}

static void mode_changed(void *context)
{
    ((struct rig *)context)->modes++;
}

static void changed(void *context, const struct synthvid_rectangle *rectangle)
{
    struct rig *rig = context;
    rig->changes++;
    rig->last_change = *rectangle;
}

static void written(void *context, uint32_t top, uint32_t bottom)
{
    struct rig *rig = context;
    rig->writtens++;
    rig->top = top;
    rig->bottom = bottom;
}

static int watch(void *context, struct virtual_device *device, uint64_t start, uint64_t size)
{
    struct rig *rig = context;
    assert_int_equal(start, gpa);
    assert_int_equal(size, 8 << 20);
    rig->watches++;
    return rig->watch_result;
}

static bool can_watch(void *context)
{
    return ((struct rig *)context)->can_watch;
}

static void pointer_shaped(void *context)
{
    ((struct rig *)context)->shapes++;
}

static void pointer_moved(void *context)
{
    ((struct rig *)context)->moves++;
}

static void pump(struct rig *rig)
{
    host_channel_run(vmbus_server_channel(rig->bench->server, CHANNEL));
    rig->video->operations->run(rig->video, 0);
}

static struct rig *rig_create(uint32_t version)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct video_settings settings;
    video_default_settings(version, &settings);
    settings.vram_megabytes = 8;
    rig->bench = bench_create(VMBUS_VERSION_5_3);
    rig->video = video_new(&settings);
    rig->machine = (struct device_machine){
        .context = rig, .map = map, .unmap = unmap, .watch = watch, .can_watch = can_watch};
    rig->observer = (struct video_observer){rig, mode_changed, changed, written, pointer_shaped,
                                             pointer_moved};
    video_observe(rig->video, &rig->observer);
    rig->video->operations->attach(rig->video, &rig->machine);
    assert_int_equal(rig->video->operations->plug(rig->video, rig->bench->server), 0);
    bench_connect(rig->bench, VMBUS_VERSION_5_3);
    bench_open_channel(rig->bench, CHANNEL);
    pump(rig);
    return rig;
}

static void rig_free(struct rig *rig)
{
    vmbus_server_reset(rig->bench->server);
    bench_free(rig->bench);
    rig->video->operations->free(rig->video);
    free(rig);
}

/* ---- The guest ---- */

/* Sends a message whose first member is a struct synthvid_header. */
static void put(struct rig *rig, uint32_t type, void *message, uint32_t size)
{
    static uint8_t packet[PACKET_MAX];
    struct guest_ring ring = guest_ring_at(bench_page(rig->bench, bench_ring_page(CHANNEL)), 1);
    const uint32_t length = (24 + size + 7) & ~7u;
    const struct vmbus_packet_header header = {VMBUS_PACKET_IN_BAND, 2, (uint16_t)(length / 8), 0,
                                               0};
    const uint32_t pipe[2] = {VMBUS_PIPE_DATA, size}, words[2] = {type, size};
    memcpy(message, words, size < 8 ? size : 8);
    memcpy(packet, &header, sizeof(header));
    memcpy(packet + 16, pipe, sizeof(pipe));
    memcpy(packet + 24, message, size);
    guest_ring_put(&ring, packet, length);
    pump(rig);
}

static uint32_t take(struct rig *rig, void *message)
{
    uint8_t packet[MESSAGE_MAX + 64];
    uint32_t length;
    struct guest_ring ring = guest_ring_at(bench_page(rig->bench, bench_ring_page(CHANNEL) + 2), 1);
    if (guest_ring_take(&ring, packet, sizeof(packet)) == 0) {
        return 0;
    }
    memcpy(&length, packet + 20, 4);
    assert_in_range(length, 8, MESSAGE_MAX);
    memcpy(message, packet + 24, length);
    return length;
}

static bool ask_version(struct rig *rig, uint32_t version)
{
    struct synthvid_version_request request = {.version = version};
    uint8_t answer[MESSAGE_MAX];
    struct synthvid_version_response response;
    put(rig, SYNTHVID_VERSION_REQUEST, &request, sizeof(request));
    assert_int_equal(take(rig, answer), sizeof(response));
    memcpy(&response, answer, sizeof(response));
    assert_int_equal(response.version, version);
    return response.accepted != 0;
}

static void place(struct rig *rig, uint64_t address, bool is_specified)
{
    struct synthvid_vram_location location = {
        .context = address, .is_specified = is_specified, .address = address};
    put(rig, SYNTHVID_VRAM_LOCATION, &location, sizeof(location));
}

static void expect_ack(struct rig *rig, uint32_t type, uint64_t context)
{
    uint8_t answer[MESSAGE_MAX];
    struct synthvid_ack ack;
    assert_int_equal(take(rig, answer), sizeof(ack));
    memcpy(&ack, answer, sizeof(ack));
    assert_int_equal(ack.header.type, type);
    assert_int_equal(ack.context, context);
}

static void set_mode(struct rig *rig, uint32_t width, uint32_t height, uint8_t depth,
                     uint32_t pitch)
{
    struct synthvid_situation_update mode = {.context = 7,
                                             .outputs = 1,
                                             .is_active = 1,
                                             .depth = depth,
                                             .width = width,
                                             .height = height,
                                             .pitch = pitch};
    put(rig, SYNTHVID_SITUATION_UPDATE, &mode, sizeof(mode));
}

static void expect_nothing(struct rig *rig)
{
    uint8_t message[MESSAGE_MAX];
    assert_int_equal(take(rig, message), 0);
}

static struct rig *showing_rig(void)
{
    struct rig *rig = rig_create(SYNTHVID_VERSION_3_5);
    assert_true(ask_version(rig, SYNTHVID_VERSION_3_5));
    place(rig, gpa, true);
    expect_ack(rig, SYNTHVID_VRAM_LOCATION_ACK, gpa);
    set_mode(rig, 1024, 768, 32, 4096);
    expect_ack(rig, SYNTHVID_SITUATION_UPDATE_ACK, 7);
    return rig;
}

static void put_dirt(struct rig *rig, unsigned said, unsigned count,
                     const struct synthvid_rectangle *parts)
{
    struct {
        uint8_t head[sizeof(struct synthvid_dirt)];
        struct synthvid_rectangle parts[4];
    } message = {.head = {[9] = (uint8_t)said}};
    memcpy(message.parts, parts, count * sizeof(parts[0]));
    put(rig, SYNTHVID_DIRT, &message, (uint32_t)(sizeof(message.head) + count * sizeof(parts[0])));
}

/* ---- Tests ---- */

static void versions_up_to_the_hosts_are_accepted(void **state)
{
    struct rig *rig = rig_create(SYNTHVID_VERSION_3_2);
    assert_false(ask_version(rig, SYNTHVID_VERSION_3_5));
    place(rig, gpa, true);
    bench_expect_violation(rig->bench, "version agreed on");
    assert_false(ask_version(rig, SYNTHVID_VERSION(4, 0)));
    assert_true(ask_version(rig, SYNTHVID_VERSION_3_0));
    assert_true(ask_version(rig, SYNTHVID_VERSION_3_2));
    rig_free(rig);
}

static void resolutions_are_for_3_5_and_for_who_has_room(void **state)
{
    struct synthvid_resolutions_request request = {.maximum = 64};
    struct synthvid_resolutions_response response;
    uint8_t answer[MESSAGE_MAX];
    struct rig *rig = rig_create(SYNTHVID_VERSION_3_5);
    ask_version(rig, SYNTHVID_VERSION_3_2);
    put(rig, SYNTHVID_RESOLUTIONS_REQUEST, &request, sizeof(request));
    bench_expect_violation(rig->bench, "version agreed on");
    ask_version(rig, SYNTHVID_VERSION_3_5);
    put(rig, SYNTHVID_RESOLUTIONS_REQUEST, &request, sizeof(request));
    assert_int_equal(take(rig, answer), sizeof(response) + 14 * 4);
    memcpy(&response, answer, sizeof(response));
    assert_int_equal(response.count, 14);
    request.maximum = 1;
    put(rig, SYNTHVID_RESOLUTIONS_REQUEST, &request, sizeof(request));
    assert_int_equal(take(rig, answer), sizeof(response));
    rig_free(rig);
}

static void the_ack_comes_when_the_memory_is_there(void **state)
{
    struct rig *rig = rig_create(SYNTHVID_VERSION_3_5);
    ask_version(rig, SYNTHVID_VERSION_3_5);
    rig->hold = true;
    place(rig, gpa, true);
    expect_nothing(rig);
    rig->video->operations->range_ready(rig->video, gpa, 0);
    expect_ack(rig, SYNTHVID_VRAM_LOCATION_ACK, gpa);
    rig_free(rig);
}

static void the_memory_moves_and_goes_back(void **state)
{
    struct video_screen screen;
    struct rig *rig = showing_rig();
    place(rig, gpa, true); /* there already */
    expect_ack(rig, SYNTHVID_VRAM_LOCATION_ACK, gpa);
    assert_int_equal(rig->maps, 1);
    place(rig, gpa + 0x1000000, true);
    expect_ack(rig, SYNTHVID_VRAM_LOCATION_ACK, gpa + 0x1000000);
    assert_int_equal(rig->maps, 2);
    assert_int_equal(rig->unmaps, 1);
    place(rig, 0, false);
    expect_ack(rig, SYNTHVID_VRAM_LOCATION_ACK, 0);
    assert_int_equal(rig->unmaps, 2);
    assert_false(video_screen(rig->video, &screen));
    rig_free(rig);
}

static void memory_at_an_impossible_place_is_refused(void **state)
{
    struct rig *rig = rig_create(SYNTHVID_VERSION_3_5);
    ask_version(rig, SYNTHVID_VERSION_3_5);
    place(rig, gpa + 1, true);
    bench_expect_violation(rig->bench, "placed on a page");
    place(rig, UINT64_MAX - 4095, true);
    bench_expect_violation(rig->bench, "placed on a page");
    rig->map_result = -EEXIST;
    place(rig, gpa, true);
    bench_expect_violation(rig->bench, "where nothing else is");
    rig->map_result = 0;
    place(rig, gpa, true);
    expect_ack(rig, SYNTHVID_VRAM_LOCATION_ACK, gpa);
    rig_free(rig);
}

static void modes_beyond_the_memory_are_refused_and_the_old_one_stays(void **state)
{
    static const struct { uint32_t width, height, pitch; uint8_t depth;
    } bad[] = {
        {1920, 1200, 7680, 32},      {1024, 768, 4095, 32}, {0, 768, 4096, 32},
        {1024, 0, 4096, 32},         {1024, 768, 4096, 24}, {0x40000001, 1, 4, 32},
        {1024, 768, 0xffffffff, 32}, {16385, 1, 65540, 32},
    };
    struct video_screen screen;
    struct rig *rig = showing_rig();
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        set_mode(rig, bad[i].width, bad[i].height, bad[i].depth, bad[i].pitch);
        bench_expect_violation(rig->bench, "fits into the VRAM");
    }
    assert_true(video_screen(rig->video, &screen));
    assert_int_equal(screen.width, 1024);
    set_mode(rig, 1920, 1080, 32, 7680);
    expect_ack(rig, SYNTHVID_SITUATION_UPDATE_ACK, 7);
    assert_true(video_screen(rig->video, &screen));
    assert_int_equal(screen.pitch, 7680);
    assert_int_equal(rig->modes, 2);
    rig_free(rig);
}

static void changes_are_cut_to_the_screen(void **state)
{
    const struct synthvid_rectangle parts[] = {
        {-5, -5, 2000, 10}, {1020, 700, 1030, 800}, {3000, 0, 3001, 1}};
    const struct synthvid_rectangle empty = {5, 5, 5, 6};
    struct rig *rig = showing_rig();
    put_dirt(rig, 1, 1, parts);
    assert_int_equal(rig->last_change.left, 0);
    assert_int_equal(rig->last_change.right, 1024);
    put_dirt(rig, 3, 3, parts);
    assert_int_equal(rig->changes, 3); /* the last one is nowhere on the screen */
    assert_int_equal(rig->last_change.bottom, 768);
    put_dirt(rig, 1, 1, &empty);
    bench_expect_violation(rig->bench, "not empty");
    put_dirt(rig, 255, 2, parts);
    bench_expect_violation(rig->bench, "as many rectangles");
    put_dirt(rig, 1, 1, parts);
    assert_int_equal(rig->changes, 4);
    rig_free(rig);
}

static void the_guest_is_told_when_someone_looks(void **state)
{
    uint8_t message[MESSAGE_MAX];
    struct rig *rig = showing_rig();
    video_want_changes(rig->video, true);
    pump(rig);
    assert_int_equal(take(rig, message), FEATURES_WITH_EDID);
    assert_int_equal(message[8], 1);
    video_want_changes(rig->video, true);
    pump(rig);
    expect_nothing(rig);
    video_want_changes(rig->video, false);
    pump(rig);
    assert_int_equal(take(rig, message), FEATURES_WITH_EDID);
    assert_int_equal(message[8], 0);
    rig_free(rig);
}

static void hosts_before_3_5_tell_no_edid(void **state)
{
    uint8_t message[MESSAGE_MAX];
    struct rig *rig = rig_create(SYNTHVID_VERSION_3_2);
    assert_true(ask_version(rig, SYNTHVID_VERSION_3_2));
    assert_int_equal(video_resize(rig->video, 800, 600), -EOPNOTSUPP);
    video_want_changes(rig->video, true);
    pump(rig);
    assert_int_equal(take(rig, message), sizeof(struct synthvid_feature_change));
    rig_free(rig);
}

/* The first detailed timing of an EDID. */
static void expect_preferred(const uint8_t *edid, unsigned width, unsigned height)
{
    uint8_t sum = 0;
    for (unsigned i = 0; i < SYNTHVID_EDID_SIZE; i++) {
        sum = (uint8_t)(sum + edid[i]);
    }
    assert_int_equal(sum, 0);
    assert_int_equal(edid[1], 0xff);
    assert_int_equal(edid[56] | edid[58] >> 4 << 8, width);
    assert_int_equal(edid[59] | edid[61] >> 4 << 8, height);
}

static void another_size_is_told_with_the_features_and_preferred_in_the_list(void **state)
{
    struct synthvid_resolutions_request request = {.maximum = 64};
    struct synthvid_resolutions_response response;
    struct synthvid_resolution entry;
    uint8_t message[MESSAGE_MAX];
    struct rig *rig = showing_rig();
    assert_int_equal(video_resize(rig->video, 1500, 900), 0);
    pump(rig);
    assert_int_equal(take(rig, message), FEATURES_WITH_EDID);
    assert_int_equal(message[11], 1); /* situation needed */
    expect_preferred(message + 12, 1500, 900);
    put(rig, SYNTHVID_RESOLUTIONS_REQUEST, &request, sizeof(request));
    assert_int_equal(take(rig, message), sizeof(response) + 15 * 4);
    memcpy(&response, message, sizeof(response));
    memcpy(&entry, message + sizeof(response) + response.default_index * 4u, sizeof(entry));
    assert_int_equal(entry.width, 1500);
    assert_int_equal(entry.height, 900);
    expect_preferred(response.edid, 1500, 900);
    pump(rig);
    expect_nothing(rig); /* once */
    rig_free(rig);
}

static void sizes_that_cannot_be_are_refused(void **state)
{
    struct rig *rig = rig_create(SYNTHVID_VERSION_3_5);
    assert_int_equal(video_resize(rig->video, 800, 600), -ENOTCONN);
    rig_free(rig);
    rig = showing_rig();
    assert_int_equal(video_resize(rig->video, 63, 600), -ERANGE);
    assert_int_equal(video_resize(rig->video, 4096, 400), -ERANGE);
    assert_int_equal(video_resize(rig->video, 1920, 1200), -ERANGE); /* more than 8 MiB */
    pump(rig);
    expect_nothing(rig);
    assert_int_equal(video_resize(rig->video, 1920, 1080), 0);
    rig_free(rig);
}

static void the_list_does_not_grow_beyond_what_fits_into_an_answer(void **state)
{
    struct synthvid_resolutions_request request = {.maximum = 64};
    uint8_t message[MESSAGE_MAX];
    struct rig *rig = showing_rig();
    for (uint32_t width = 100; width < 200; width++) {
        assert_int_equal(video_resize(rig->video, width, 64), 0);
    }
    pump(rig);
    assert_int_equal(take(rig, message), FEATURES_WITH_EDID);
    put(rig, SYNTHVID_RESOLUTIONS_REQUEST, &request, sizeof(request));
    assert_int_equal(take(rig, message), sizeof(struct synthvid_resolutions_response) + 64 * 4);
    assert_int_equal(message[136], 64);
    assert_int_equal(message[137], 63);
    expect_preferred(message + 8, 199, 64);
    rig_free(rig);
}

static void firmwares_picture_is_there_before_a_driver_and_until_it_has_one(void **state)
{
    struct video_screen screen;
    struct rig *rig = rig_create(SYNTHVID_VERSION_3_5);
    assert_false(video_is_silent(rig->video));
    assert_int_equal(video_show_boot_screen(rig->video, gpa), 0);
    assert_int_equal(rig->mapped_at, gpa);
    assert_true(video_screen(rig->video, &screen));
    assert_int_equal(screen.width, VIDEO_BOOT_WIDTH);
    assert_true(video_is_silent(rig->video));
    ask_version(rig, SYNTHVID_VERSION_3_5);
    assert_false(video_is_silent(rig->video));
    place(rig, gpa, true); /* where it is */
    expect_ack(rig, SYNTHVID_VRAM_LOCATION_ACK, gpa);
    assert_int_equal(rig->maps, 1);
    assert_true(video_screen(rig->video, &screen));
    place(rig, gpa + 0x1000000, true);
    expect_ack(rig, SYNTHVID_VRAM_LOCATION_ACK, gpa + 0x1000000);
    assert_int_equal(rig->unmaps, 1);
    assert_false(video_screen(rig->video, &screen));
    rig_free(rig);
}

/* A part of an ARGB shape whose bytes all have this value. */
static void put_shape(struct rig *rig, uint8_t part, uint32_t width, uint32_t height, uint8_t value,
                      uint32_t bytes)
{
    static uint8_t message[sizeof(struct synthvid_pointer_shape) + SHAPE_PART];
    struct synthvid_pointer_shape head = {.part = part, .is_argb = 1, .width = width,
                                          .height = height, .hot_x = 3, .hot_y = 500};
    memcpy(message, &head, sizeof(head));
    memset(message + sizeof(head), value, bytes);
    put(rig, SYNTHVID_POINTER_SHAPE, message, (uint32_t)sizeof(head) + bytes);
}

static void a_pointer_arrives_with_its_hot_spot_inside(void **state)
{
    struct rig *rig = showing_rig();
    const struct video_pointer *pointer = video_pointer(rig->video);
    put_shape(rig, SYNTHVID_POINTER_COMPLETE, 8, 4, 0x7f, 8 * 4 * 4);
    assert_int_equal(rig->shapes, 1);
    assert_int_equal(pointer->width, 8);
    assert_int_equal(pointer->hot_x, 3);
    assert_int_equal(pointer->hot_y, 3);
    assert_int_equal(pointer->pixels[8 * 4 * 4 - 1], 0x7f);
    assert_false(video_pointer_is_blank(pointer));
    put_shape(rig, SYNTHVID_POINTER_COMPLETE, 1, 1, 1, 4); /* how Linux hides it */
    assert_true(video_pointer_is_blank(pointer));
    rig_free(rig);
}

static void the_largest_pointer_comes_in_parts(void **state)
{
    enum { WHOLE = 96 * 96 * 4, PART = SHAPE_PART };
    struct rig *rig = showing_rig();
    const struct video_pointer *pointer = video_pointer(rig->video);
    for (uint8_t part = 0; part < WHOLE / PART - 1; part++) {
        put_shape(rig, part, 96, 96, (uint8_t)(part + 1), PART);
    }
    assert_int_equal(rig->shapes, 0);
    put_shape(rig, SYNTHVID_POINTER_COMPLETE, 96, 96, 9, PART);
    assert_int_equal(rig->shapes, 1);
    assert_int_equal(pointer->width, 96);
    /* Rows come from the bottom; eight are a part. */
    assert_int_equal(pointer->pixels[WHOLE - 1], 1);
    assert_int_equal(pointer->pixels[WHOLE - PART], 1);
    assert_int_equal(pointer->pixels[WHOLE - PART - 1], 2);
    assert_int_equal(pointer->pixels[0], 9);
    rig_free(rig);
}

static void parts_that_do_not_fit_together_are_refused_and_the_old_shape_stays(void **state)
{
    static const struct { uint8_t first, second; uint32_t width, bytes; } bad[] = {
        {0, 2, 16, 64}, {0, 0xff, 15, 512}, {0, 0xff, 16, 500}, {0, 1, 16, 1000}};
    struct rig *rig = showing_rig();
    const struct video_pointer *pointer = video_pointer(rig->video);
    put_shape(rig, SYNTHVID_POINTER_COMPLETE, 4, 4, 0xff, 64);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        put_shape(rig, bad[i].first, 16, 16, 1, 512);
        put_shape(rig, bad[i].second, bad[i].width, 16, 2, bad[i].bytes);
        bench_expect_violation(rig->bench, "a pointer is at most");
        assert_int_equal(pointer->width, 4);
    }
    put_shape(rig, SYNTHVID_POINTER_COMPLETE, 5, 5, 0xff, 100);
    assert_int_equal(pointer->width, 5);
    rig_free(rig);
}

static void a_two_coloured_pointer_becomes_one_with_alpha(void **state)
{
    /* Four pixels in a row: kept, black, white, inverted. */
    struct {
        uint8_t head[sizeof(struct synthvid_pointer_shape)];
        uint8_t and_mask, xor_mask;
    } message = {.and_mask = 0x90, .xor_mask = 0x30};
    struct synthvid_pointer_shape head = {.part = SYNTHVID_POINTER_COMPLETE, .width = 4,
                                          .height = 1};
    static const uint8_t expected[] = {0, 0, 0, 0,   0, 0, 0, 255,
                                       255, 255, 255, 255, 0, 0, 0, 255};
    struct rig *rig = showing_rig();
    memcpy(message.head, &head, sizeof(head));
    put(rig, SYNTHVID_POINTER_SHAPE, &message, sizeof(message));
    assert_memory_equal(video_pointer(rig->video)->pixels, expected, sizeof(expected));
    rig_free(rig);
}

static void the_pointer_moves_shows_hides_and_goes_with_its_driver(void **state)
{
    struct synthvid_pointer_position position = {.is_visible = 1, .x = 100, .y = -5};
    struct rig *rig = showing_rig();
    const struct video_pointer *pointer = video_pointer(rig->video);
    put(rig, SYNTHVID_POINTER_POSITION, &position, sizeof(position));
    assert_int_equal(rig->moves, 1);
    assert_int_equal(rig->shapes, 1); /* it shows now */
    assert_int_equal(pointer->y, -5);
    position.is_visible = 0;
    put(rig, SYNTHVID_POINTER_POSITION, &position, sizeof(position));
    assert_int_equal(rig->shapes, 2);
    put_shape(rig, SYNTHVID_POINTER_COMPLETE, 4, 4, 0xff, 64);
    vmbus_server_reset(rig->bench->server);
    assert_int_equal(pointer->width, 0);
    rig_free(rig);
}

static void broken_messages_are_told_and_the_next_good_one_works(void **state)
{
    uint8_t message[64] = {0};
    struct synthvid_pointer_shape shape = {.part = 0xff, .is_argb = 1, .width = 97, .height = 1};
    struct rig *rig = showing_rig();
    put(rig, 0, message, 4);
    bench_expect_violation(rig->bench, "has a header");
    put(rig, 2, message, 16);
    bench_expect_violation(rig->bench, "one that guests send");
    put(rig, 0xffffffff, message, 16);
    bench_expect_violation(rig->bench, "one that guests send");
    put(rig, SYNTHVID_SITUATION_UPDATE, message, 34);
    bench_expect_violation(rig->bench, "as long as its type");
    put(rig, SYNTHVID_POINTER_SHAPE, &shape, sizeof(shape));
    bench_expect_violation(rig->bench, "a pointer is at most");
    set_mode(rig, 800, 600, 32, 3200);
    expect_ack(rig, SYNTHVID_SITUATION_UPDATE_ACK, 7);
    rig_free(rig);
}

/* ---- Changes that the monitor tells ---- */

static struct synthvid_feature_change features_told(struct rig *rig)
{
    uint8_t message[MESSAGE_MAX];
    struct synthvid_feature_change features;
    assert_int_equal(take(rig, message), FEATURES_WITH_EDID);
    memcpy(&features, message, sizeof(features));
    return features;
}

static void answer_watch(struct rig *rig, int status, uint64_t blocks)
{
    uint64_t bits[PARTITION_WATCH_BLOCKS_MAX / 64] = {blocks};
    rig->video->operations->range_written(rig->video, gpa, status, bits, 128);
}

static uint64_t deadline(struct rig *rig)
{
    return rig->video->operations->deadline_ns(rig->video);
}

static void run_at(struct rig *rig, uint64_t now_ns)
{
    rig->video->operations->run(rig->video, now_ns);
}

/* A screen of 1024 x 768 has 16 rows in a block. */
static void a_monitor_that_watches_tells_what_changes(void **state)
{
    struct rig *rig = showing_rig();
    rig->can_watch = true;
    run_at(rig, 0);
    assert_int_equal(rig->watches, 0); /* nobody looks */
    assert_int_equal(deadline(rig), UINT64_MAX);
    video_want_changes(rig->video, true);
    assert_int_equal(deadline(rig), 0);
    pump(rig);
    struct synthvid_feature_change features = features_told(rig);
    assert_false(features.is_dirt_needed);
    assert_true(features.is_shape_needed);
    assert_int_equal(rig->watches, 1);
    run_at(rig, 1000000000);
    assert_int_equal(rig->watches, 1); /* the answer is due */
    answer_watch(rig, 0, UINT64_MAX);
    assert_int_equal(rig->writtens, 1);
    assert_int_equal(rig->top, 0);
    assert_int_equal(rig->bottom, 768);
    assert_int_equal(deadline(rig), UINT64_MAX); /* nothing happens */
    run_at(rig, 2000000000);
    assert_int_equal(rig->watches, 1);
    rig->video->operations->range_touched(rig->video, gpa + 4096); /* another range */
    assert_int_equal(deadline(rig), UINT64_MAX);
    rig->video->operations->range_touched(rig->video, gpa);
    run_at(rig, 2000000000);
    assert_int_equal(rig->watches, 2);
    answer_watch(rig, 0, 0x6);
    assert_int_equal(rig->writtens, 2);
    assert_int_equal(rig->top, 16);
    assert_int_equal(rig->bottom, 48);
    rig_free(rig);
}

static void the_monitor_is_not_asked_too_often(void **state)
{
    struct rig *rig = showing_rig();
    rig->can_watch = true;
    video_want_changes(rig->video, true);
    run_at(rig, 1000000000);
    answer_watch(rig, 0, 0);
    rig->video->operations->range_touched(rig->video, gpa);
    assert_int_equal(deadline(rig), 1000000000 + VIDEO_WATCH_PERIOD_NS);
    run_at(rig, 1000000000 + VIDEO_WATCH_PERIOD_NS - 1);
    assert_int_equal(rig->watches, 1);
    run_at(rig, 1000000000 + VIDEO_WATCH_PERIOD_NS);
    assert_int_equal(rig->watches, 2);
    video_want_changes(rig->video, false);
    answer_watch(rig, 0, 1);
    rig->video->operations->range_touched(rig->video, gpa);
    assert_int_equal(deadline(rig), UINT64_MAX); /* the viewer has gone */
    rig_free(rig);
}

static void the_guest_is_asked_where_the_monitor_fails(void **state)
{
    struct rig *rig = showing_rig();
    video_want_changes(rig->video, true);
    pump(rig);
    assert_true(features_told(rig).is_dirt_needed); /* it cannot at all */
    assert_int_equal(rig->watches, 0);
    rig->can_watch = true;
    pump(rig);
    assert_int_equal(rig->watches, 1);
    answer_watch(rig, -EINVAL, 1);
    assert_int_equal(rig->writtens, 0);
    pump(rig);
    assert_true(features_told(rig).is_dirt_needed);
    assert_int_equal(rig->watches, 1); /* and never again */
    rig_free(rig);
    rig = showing_rig();
    rig->can_watch = true;
    rig->watch_result = -ENOTCONN;
    video_want_changes(rig->video, true);
    pump(rig);
    assert_true(features_told(rig).is_dirt_needed);
    rig_free(rig);
}

static void a_person_may_have_the_guest_tell(void **state)
{
    struct rig *rig = showing_rig();
    rig->can_watch = true;
    video_want_changes(rig->video, true);
    pump(rig);
    assert_false(features_told(rig).is_dirt_needed);
    answer_watch(rig, 0, 0);
    video_let_guest_tell(rig->video, true);
    pump(rig);
    assert_true(features_told(rig).is_dirt_needed);
    assert_int_equal(deadline(rig), UINT64_MAX);
    video_let_guest_tell(rig->video, false);
    pump(rig);
    assert_false(features_told(rig).is_dirt_needed);
    assert_int_equal(rig->watches, 2);
    rig_free(rig);
}

/* An answer of a place where the memory was before says nothing of where it is. */
static void an_answer_of_memory_that_has_moved_is_nothing(void **state)
{
    struct rig *rig = showing_rig();
    rig->can_watch = true;
    video_want_changes(rig->video, true);
    pump(rig);
    features_told(rig);
    place(rig, gpa + 0x1000000, true);
    answer_watch(rig, 0, UINT64_MAX);
    assert_int_equal(rig->writtens, 0);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_monitor_that_watches_tells_what_changes),
        cmocka_unit_test(the_monitor_is_not_asked_too_often),
        cmocka_unit_test(the_guest_is_asked_where_the_monitor_fails),
        cmocka_unit_test(a_person_may_have_the_guest_tell),
        cmocka_unit_test(an_answer_of_memory_that_has_moved_is_nothing),
        cmocka_unit_test(versions_up_to_the_hosts_are_accepted),
        cmocka_unit_test(resolutions_are_for_3_5_and_for_who_has_room),
        cmocka_unit_test(the_ack_comes_when_the_memory_is_there),
        cmocka_unit_test(the_memory_moves_and_goes_back),
        cmocka_unit_test(memory_at_an_impossible_place_is_refused),
        cmocka_unit_test(modes_beyond_the_memory_are_refused_and_the_old_one_stays),
        cmocka_unit_test(changes_are_cut_to_the_screen),
        cmocka_unit_test(the_guest_is_told_when_someone_looks),
        cmocka_unit_test(hosts_before_3_5_tell_no_edid),
        cmocka_unit_test(another_size_is_told_with_the_features_and_preferred_in_the_list),
        cmocka_unit_test(sizes_that_cannot_be_are_refused),
        cmocka_unit_test(the_list_does_not_grow_beyond_what_fits_into_an_answer),
        cmocka_unit_test(firmwares_picture_is_there_before_a_driver_and_until_it_has_one),
        cmocka_unit_test(a_pointer_arrives_with_its_hot_spot_inside),
        cmocka_unit_test(the_largest_pointer_comes_in_parts),
        cmocka_unit_test(parts_that_do_not_fit_together_are_refused_and_the_old_shape_stays),
        cmocka_unit_test(a_two_coloured_pointer_becomes_one_with_alpha),
        cmocka_unit_test(the_pointer_moves_shows_hides_and_goes_with_its_driver),
        cmocka_unit_test(broken_messages_are_told_and_the_next_good_one_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
