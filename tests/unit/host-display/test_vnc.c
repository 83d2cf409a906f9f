/* SPDX-License-Identifier: BSD-3-Clause */
/* The VNC server with a real client (libvncclient): who may look, the picture and its size, the
 * guest's pointer, viewers that behave badly. */
#include "tests/unit/host-display/vnc_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Who may look ---- */

static void several_viewers_are_served(void **state)
{
    struct rig *rig = rig_create(NULL, NULL);
    assert_true(try_connect(rig, ""));
    rfbClient *first = rig->client;
    assert_true(try_connect(rig, ""));
    assert_int_equal(vnc_viewers(rig->vnc), 2);
    SendKeyEvent(first, 'a', TRUE);
    expect_event(rig, 0x1e, 0);
    SendKeyEvent(rig->client, 'b', TRUE);
    expect_event(rig, 0x30, 0);
    leave(first);
    leave(rig->client);
    rig_free(rig);
}

static void a_wrong_password_is_refused_and_the_right_one_works(void **state)
{
    struct rig *rig = rig_create("secret", NULL);
    assert_false(try_connect(rig, "guess"));
    assert_true(try_connect(rig, "secret"));
    SendKeyEvent(rig->client, 'a', TRUE);
    expect_event(rig, 0x1e, 0);
    leave(rig->client);
    rig_free(rig);
}

static void a_taken_port_is_an_error(void **state)
{
    struct rig *rig = rig_create(NULL, NULL);
    const struct vnc_settings settings = {.port = vnc_port(rig->vnc)};
    int error = 0;
    assert_null(vnc_new(&settings, &error));
    assert_int_equal(error, -EADDRINUSE);
    rig_free(rig);
}

static void a_socket_in_the_file_system_is_for_its_owner_and_goes_with_the_server(void **state)
{
    char path[64];
    struct stat status;
    snprintf(path, sizeof(path), "/tmp/test-vnc-%d", (int)getpid());
    struct rig *rig = rig_create(NULL, path);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_true(try_connect(rig, ""));
    SendKeyEvent(rig->client, 'a', TRUE);
    expect_event(rig, 0x1e, 0);
    leave(rig->client);
    rig_free(rig);
    assert_int_equal(stat(path, &status), -1);
}

static void a_port_is_of_the_loopback_address_alone(void **state)
{
    struct rig *rig = rig_create(NULL, NULL);
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(vnc_port(rig->vnc)),
                                        .sin_addr = {htonl(INADDR_LOOPBACK + 1)}};
    const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(descriptor, (const struct sockaddr *)&address, sizeof(address)), -1);
    assert_int_equal(errno, ECONNREFUSED);
    close(descriptor);
    rig_free(rig);
}

/* ---- The picture ---- */

/* What the client is to have: every pixel of its picture `value`. */
struct wanted {
    int width, height;
    uint32_t value;
};

static bool has_picture(rfbClient *client, void *context)
{
    const struct wanted *wanted = context;
    bool same = client->width == wanted->width && client->height == wanted->height;
    for (int at = 0; same && at < wanted->width * wanted->height; at++) {
        uint32_t pixel;
        memcpy(&pixel, client->frameBuffer + 4 * at, 4);
        same = (pixel & 0xffffff) == wanted->value;
    }
    return same;
}

static bool client_sees(struct rig *rig, int width, int height, uint32_t value)
{
    struct wanted wanted = {width, height, value};
    return talk_until(rig, has_picture, &wanted);
}

static void what_the_guest_draws_is_what_the_viewer_sees(void **state)
{
    struct rig *rig = rig_create(NULL, NULL);
    guest_sets_mode(rig, 320, 200, 32);
    pump(rig);
    assert_true(try_connect(rig, ""));
    guest_draws(rig, 0x00123456, 320, 200, 4);
    assert_true(client_sees(rig, 320, 200, 0x563412)); /* libvncclient's own order: red first */
    guest_draws(rig, 0x00ff8001, 320, 200, 4);
    assert_true(client_sees(rig, 320, 200, 0x0180ff));
    leave(rig->client);
    rig_free(rig);
}

struct wanted_pixel {
    int at;
    uint32_t value;
};

static bool has_pixel(rfbClient *client, void *context)
{
    const struct wanted_pixel *wanted = context;
    uint32_t pixel;
    memcpy(&pixel, client->frameBuffer + 4 * wanted->at, 4);
    return (pixel & 0xffffff) == wanted->value;
}

/* A monitor that notes writes: what the guest draws arrives without a word of the guest. */
static unsigned watches;

static int watch(void *context, struct virtual_device *device, uint64_t start, uint64_t size)
{
    watches++;
    return 0;
}

static bool can_watch(void *context)
{
    return true;
}

static void answer_watch(struct rig *rig, uint64_t blocks)
{
    struct video_report report;
    uint64_t written[PARTITION_WATCH_BLOCKS_MAX / 64] = {blocks};
    video_report(rig->video, &report);
    rig->video->operations->range_written(rig->video, report.vram_address, 0, written, 128);
}

static void touch(struct rig *rig)
{
    struct video_report report;
    video_report(rig->video, &report);
    rig->video->operations->range_touched(rig->video, report.vram_address);
    for (unsigned asked = watches; watches == asked;) {
        pump(rig);
        rig->video->operations->run(rig->video, rig->now_ns + 1000000000);
    }
}

static void paint(struct rig *rig, uint32_t x, uint32_t y, uint32_t pixel)
{
    assert_int_equal(pwrite(rig->vram, &pixel, 4, 4 * (y * 320 + x)), 4);
}

/* A block has 51 rows of 320 pixels. */
static void what_the_monitor_says_was_written_is_what_the_viewer_sees(void **state)
{
    struct rig *rig = rig_create(NULL, NULL);
    rig->machine.watch = watch;
    rig->machine.can_watch = can_watch;
    watches = 0;
    guest_sets_mode(rig, 320, 200, 32);
    paint(rig, 0, 199, 0x112233);
    assert_true(try_connect(rig, ""));
    while (watches == 0) {
        pump(rig);
    }
    answer_watch(rig, UINT64_MAX);
    struct wanted_pixel first = {199 * 320, 0x332211};
    assert_true(talk_until(rig, has_pixel, &first));
    paint(rig, 319, 100, 0x445566);
    touch(rig);
    answer_watch(rig, 1 << 1 | 1 << 2);
    struct wanted_pixel second = {100 * 320 + 319, 0x665544};
    assert_true(talk_until(rig, has_pixel, &second));
    paint(rig, 0, 0, 0x778899);
    touch(rig);
    answer_watch(rig, 1);
    struct wanted_pixel third = {0, 0x998877};
    assert_true(talk_until(rig, has_pixel, &third));
    leave(rig->client);
    rig_free(rig);
}

static void the_viewer_follows_the_guests_size_and_depth(void **state)
{
    struct rig *rig = rig_create(NULL, NULL);
    assert_true(try_connect(rig, ""));
    assert_int_equal(rig->client->width, 640); /* nothing is shown yet */
    guest_sets_mode(rig, 400, 300, 32);
    guest_draws(rig, 0x00ffffff, 400, 300, 4);
    assert_true(client_sees(rig, 400, 300, 0xffffff));
    guest_sets_mode(rig, 320, 240, 16);
    guest_draws(rig, 0xf800f800, 320, 240, 2);
    assert_true(client_sees(rig, 320, 240, 0x0000ff)); /* red */
    leave(rig->client);
    rig_free(rig);
}

static void write_pixel(struct rig *rig, int at, uint32_t value)
{
    assert_int_equal(pwrite(rig->vram, &value, 4, 4 * at), 4);
}

static void say_dirty(struct rig *rig, int32_t left, int32_t top, int32_t right, int32_t bottom)
{
    struct {
        uint8_t head[sizeof(struct synthvid_dirt)];
        struct synthvid_rectangle part;
    } message = {.head = {[9] = 1}, .part = {left, top, right, bottom}};
    put_video(rig, SYNTHVID_DIRT, &message, sizeof(message.head) + sizeof(message.part));
}

static void only_what_the_guest_says_has_changed_is_read(void **state)
{
    struct rig *rig = rig_create(NULL, NULL);
    guest_sets_mode(rig, 320, 200, 32);
    guest_draws(rig, 0, 320, 200, 4);
    assert_true(try_connect(rig, ""));
    assert_true(client_sees(rig, 320, 200, 0));
    write_pixel(rig, 10, 0x112233);
    write_pixel(rig, 20, 0x445566);
    say_dirty(rig, 10, 0, 11, 1);
    struct wanted_pixel told = {10, 0x332211}, untold = {20, 0};
    assert_true(talk_until(rig, has_pixel, &told));
    assert_true(has_pixel(rig->client, &untold));
    leave(rig->client);
    rig_free(rig);
}

static void changes_of_an_earlier_mode_are_harmless(void **state)
{
    struct rig *rig = rig_create(NULL, NULL);
    guest_sets_mode(rig, 640, 480, 32);
    assert_true(try_connect(rig, ""));
    pump(rig);
    guest_draws(rig, 0x00010101, 640, 480, 4); /* told, and not yet copied */
    guest_sets_mode(rig, 320, 200, 32);
    guest_draws(rig, 0x00ffffff, 320, 200, 4);
    assert_true(client_sees(rig, 320, 200, 0xffffff));
    leave(rig->client);
    rig_free(rig);
}

/* Firmware, or a driver that has gone. */
static void a_silent_guest_is_looked_at_as_long_as_somebody_looks(void **state)
{
    struct rig *rig = rig_create(NULL, NULL);
    guest_sets_mode(rig, 320, 200, 32);
    guest_draws(rig, 0, 320, 200, 4);
    vmbus_server_reset(rig->bench->server);
    pump(rig);
    assert_true(rig->vnc->operations->deadline_ns(rig->vnc) == UINT64_MAX);
    assert_true(try_connect(rig, ""));
    assert_true(client_sees(rig, 320, 200, 0));
    assert_true(rig->vnc->operations->deadline_ns(rig->vnc) != UINT64_MAX);
    write_pixel(rig, 320 * 199 + 7, 0xa0b0c0); /* in the last row */
    struct wanted_pixel last = {320 * 199 + 7, 0xc0b0a0};
    assert_true(talk_until(rig, has_pixel, &last));
    leave(rig->client);
    rig_free(rig);
}

/* ---- The size ---- */

/* The next message of the type to the guest's driver, sent soon. */
static void take_video(struct rig *rig, uint32_t type, void *message, uint32_t size)
{
    uint8_t packet[1024];
    struct synthvid_header header = {0, 0};
    struct guest_ring ring =
        guest_ring_at(bench_page(rig->bench, bench_ring_page(VIDEO_CHANNEL) + 2), 1);
    for (time_t start = time(NULL); header.type != type && in_time(start);) {
        if (guest_ring_take(&ring, packet, sizeof(packet)) == 0) {
            pump(rig);
        } else {
            memcpy(&header, packet + 24, sizeof(header));
        }
    }
    assert_int_equal(header.type, type);
    memcpy(message, packet + 24, size);
}

static bool may_set_size(rfbClient *client, void *context)
{
    return client->screen.width != 0;
}

static void a_viewers_size_is_offered_to_the_guest_and_followed(void **state)
{
    struct {
        struct synthvid_feature_change change;
        uint8_t edid[SYNTHVID_EDID_SIZE];
    } WIRE_PACKED features;
    struct rig *rig = rig_create(NULL, NULL);
    guest_sets_mode(rig, 320, 200, 32);
    guest_draws(rig, 0, 320, 200, 4);
    assert_true(try_connect(rig, ""));
    assert_true(talk_until(rig, may_set_size, NULL));
    take_video(rig, SYNTHVID_FEATURE_CHANGE, &features, sizeof(features));
    assert_int_equal(features.change.is_situation_needed, 0); /* somebody looks, that is all */
    assert_true(SendExtDesktopSize(rig->client, 800, 600));
    take_video(rig, SYNTHVID_FEATURE_CHANGE, &features, sizeof(features));
    assert_int_equal(features.change.is_situation_needed, 1);
    assert_int_equal(features.edid[56] | features.edid[58] >> 4 << 8, 800);
    guest_sets_mode(rig, 800, 600, 32);
    guest_draws(rig, 0x00ffffff, 800, 600, 4);
    assert_true(client_sees(rig, 800, 600, 0xffffff));
    leave(rig->client);
    rig_free(rig);
}

static void a_size_that_cannot_be_is_refused_and_the_next_one_works(void **state)
{
    struct synthvid_feature_change change;
    struct rig *rig = rig_create(NULL, NULL);
    guest_sets_mode(rig, 320, 200, 32);
    guest_draws(rig, 0, 320, 200, 4);
    assert_true(try_connect(rig, ""));
    assert_true(talk_until(rig, may_set_size, NULL));
    take_video(rig, SYNTHVID_FEATURE_CHANGE, &change, sizeof(change));
    assert_true(SendExtDesktopSize(rig->client, 5000, 5000));
    assert_true(SendExtDesktopSize(rig->client, 400, 300));
    take_video(rig, SYNTHVID_FEATURE_CHANGE, &change, sizeof(change));
    struct json_object *description = json_object_new_object(), *list;
    rig->video->operations->describe(rig->video, description);
    assert_true(json_object_object_get_ex(description, "resolutions", &list));
    assert_string_equal(json_object_get_string(
                            json_object_array_get_idx(list, json_object_array_length(list) - 1)),
                        "400x300"); /* the only one that was added */
    assert_int_equal(json_object_array_length(list), 15);
    json_object_put(description);
    leave(rig->client);
    rig_free(rig);
}

/* ---- The guest's pointer ---- */

static struct {
    bool has_shape;
    int hot_x, hot_y, width, height, x, y;
    bool was_dragged;
} pointer_seen;

static void take_shape(rfbClient *client, int hot_x, int hot_y, int width, int height, int bytes)
{
    pointer_seen.has_shape = true;
    pointer_seen.hot_x = hot_x;
    pointer_seen.hot_y = hot_y;
    pointer_seen.width = width;
    pointer_seen.height = height;
}

static rfbBool take_position(rfbClient *client, int x, int y)
{
    pointer_seen.x = x;
    pointer_seen.y = y;
    pointer_seen.was_dragged |= x == 101;
    return TRUE;
}

/* A rig whose viewer shows a picture and follows the pointer. */
static struct rig *pointing_rig(void)
{
    struct rig *rig = rig_create(NULL, NULL);
    memset(&pointer_seen, 0, sizeof(pointer_seen));
    guest_sets_mode(rig, 320, 200, 32);
    guest_draws(rig, 0, 320, 200, 4);
    assert_true(try_connect(rig, ""));
    rig->client->GotCursorShape = take_shape;
    rig->client->HandleCursorPos = take_position;
    assert_true(client_sees(rig, 320, 200, 0));
    return rig;
}

/* Three by two pixels, B, G, R, A, the lowest row first: opaque red, half green, nothing; faint
 * blue, opaque white, opaque black. */
static void guest_gives_a_shape(struct rig *rig)
{
    struct {
        uint8_t head[sizeof(struct synthvid_pointer_shape)];
        uint8_t pixels[24];
    } message = {.pixels = {0, 0, 255, 255, 0, 255, 0, 128, 0, 0, 0, 0,
                            255, 0, 0, 100, 255, 255, 255, 255, 0, 0, 0, 255}};
    const struct synthvid_pointer_shape head = {.part = SYNTHVID_POINTER_COMPLETE, .is_argb = 1,
                                                .width = 3, .height = 2, .hot_x = 2, .hot_y = 1};
    memcpy(message.head, &head, sizeof(head));
    put_video(rig, SYNTHVID_POINTER_SHAPE, &message, sizeof(message));
}

static void guest_puts_the_pointer(struct rig *rig, bool visible, int32_t x, int32_t y)
{
    struct synthvid_pointer_position position = {.is_visible = visible, .x = x, .y = y};
    put_video(rig, SYNTHVID_POINTER_POSITION, &position, sizeof(position));
}

static bool has_shape(rfbClient *client, void *context)
{
    return pointer_seen.has_shape && (pointer_seen.width == 3) == *(bool *)context;
}

static void the_guests_pointer_is_the_viewers(void **state)
{
    static const uint8_t mask[] = {0, 1, 1, 1, 1, 0}; /* half and more is seen */
    bool wanted = true;
    struct rig *rig = pointing_rig();
    guest_puts_the_pointer(rig, true, 0, 0);
    guest_gives_a_shape(rig);
    assert_true(talk_until(rig, has_shape, &wanted));
    assert_int_equal(pointer_seen.height, 2);
    assert_int_equal(pointer_seen.hot_x, 2);
    assert_int_equal(pointer_seen.hot_y, 1);
    assert_memory_equal(rig->client->rcMask, mask, sizeof(mask));
    assert_int_equal(rig->client->rcSource[3 * 4], 255);     /* red, the library's first */
    assert_int_equal(rig->client->rcSource[3 * 4 + 2], 0);
    assert_int_equal(rig->client->rcSource[4 * 4 + 1], 255); /* green, not darkened */
    leave(rig->client);
    rig_free(rig);
}

static void a_hidden_pointer_is_gone_and_comes_back(void **state)
{
    bool wanted = true;
    struct rig *rig = pointing_rig();
    guest_puts_the_pointer(rig, true, 0, 0);
    guest_gives_a_shape(rig);
    assert_true(talk_until(rig, has_shape, &wanted));
    guest_puts_the_pointer(rig, false, 0, 0);
    wanted = false;
    pointer_seen.has_shape = false;
    assert_true(talk_until(rig, has_shape, &wanted));
    guest_puts_the_pointer(rig, true, 0, 0);
    wanted = true;
    assert_true(talk_until(rig, has_shape, &wanted));
    leave(rig->client);
    rig_free(rig);
}

static bool is_put_to_50_60(rfbClient *client, void *context)
{
    return pointer_seen.x == 50 && pointer_seen.y == 60;
}

static bool has_wide_shape(rfbClient *client, void *context)
{
    return pointer_seen.width == SYNTHVID_POINTER_EDGE;
}

/* In parts, since the ring of the test is small. */
static void guest_gives_the_largest_shape(struct rig *rig)
{
    enum { ROWS = 6, PART = SYNTHVID_POINTER_EDGE * 4 * ROWS };
    static uint8_t message[sizeof(struct synthvid_pointer_shape) + PART];
    struct synthvid_pointer_shape head = {.is_argb = 1, .width = SYNTHVID_POINTER_EDGE,
                                          .height = SYNTHVID_POINTER_EDGE, .hot_y = 95};
    memset(message, 0xff, sizeof(message));
    for (unsigned row = 0; row < SYNTHVID_POINTER_EDGE; row += ROWS) {
        head.part = row + ROWS == SYNTHVID_POINTER_EDGE ? SYNTHVID_POINTER_COMPLETE
                                                        : (uint8_t)(row / ROWS);
        memcpy(message, &head, sizeof(head));
        put_video(rig, SYNTHVID_POINTER_SHAPE, message, sizeof(message));
    }
}

static void the_largest_pointer_arrives_whole_and_no_update_is_lost(void **state)
{
    struct rig *rig = pointing_rig();
    bool wanted = true;
    guest_puts_the_pointer(rig, true, 0, 0);
    guest_gives_the_largest_shape(rig);
    guest_draws(rig, 0x00ffffff, 320, 200, 4);
    assert_true(talk_until(rig, has_wide_shape, NULL));
    assert_true(client_sees(rig, 320, 200, 0xffffff));
    assert_int_equal(pointer_seen.height, SYNTHVID_POINTER_EDGE);
    assert_int_equal(pointer_seen.hot_y, SYNTHVID_POINTER_EDGE - 1);
    for (unsigned i = 0; i < SYNTHVID_POINTER_EDGE * SYNTHVID_POINTER_EDGE; i++) {
        assert_int_equal(rig->client->rcMask[i], 1);
        assert_int_equal(rig->client->rcSource[4 * i + 1], 0xff);
    }
    guest_gives_a_shape(rig); /* and the next one */
    assert_true(talk_until(rig, has_shape, &wanted));
    leave(rig->client);
    rig_free(rig);
}

/* The guest repeats where the viewer has put it, a rounding apart: the viewer's pointer stays. */
static void the_guest_moves_viewers_pointers_but_does_not_drag_at_them(void **state)
{
    struct rig *rig = pointing_rig();
    SendPointerEvent(rig->client, 100, 100, 0);
    next_report(rig);
    guest_puts_the_pointer(rig, true, 101, 99);
    guest_puts_the_pointer(rig, true, 50, 60);
    assert_true(talk_until(rig, is_put_to_50_60, NULL));
    assert_false(pointer_seen.was_dragged);
    leave(rig->client);
    rig_free(rig);
}

/* Viewers that cannot draw a pointer have it in their picture, blended; the guest's stays
 * clean. */
static void viewers_without_a_pointer_get_it_drawn(void **state)
{
    struct rig *rig = rig_create(NULL, NULL);
    uint32_t in_memory;
    guest_sets_mode(rig, 320, 200, 32);
    guest_draws(rig, 0, 320, 200, 4);
    guest_puts_the_pointer(rig, true, 50, 60);
    guest_gives_a_shape(rig);
    rig->plain_client = true;
    assert_true(try_connect(rig, ""));
    struct wanted_pixel red = {60 * 320 + 48, 0x0000ff};
    assert_true(talk_until(rig, has_pixel, &red));
    assert_int_equal(pread(rig->vram, &in_memory, 4, 4 * (60 * 320 + 48)), 4);
    assert_int_equal(in_memory, 0);
    leave(rig->client);
    rig_free(rig);
}

/* ---- Viewers that behave badly ---- */

static int raw_connection(struct rig *rig)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(vnc_port(rig->vnc)),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(descriptor, (const struct sockaddr *)&address, sizeof(address)), 0);
    return descriptor;
}

static void say(int descriptor, const void *bytes, size_t size)
{
    assert_int_equal(send(descriptor, bytes, size, MSG_NOSIGNAL), size);
}

/* Whatever the server says, `size` bytes of it, while it runs. */
static void hear(struct rig *rig, int descriptor, size_t size)
{
    uint8_t byte;
    for (time_t start = time(NULL); size > 0 && in_time(start);) {
        pump(rig);
        size -= recv(descriptor, &byte, 1, MSG_DONTWAIT) == 1;
    }
    assert_int_equal(size, 0);
}

static void await_viewers(struct rig *rig, unsigned count)
{
    for (time_t start = time(NULL); vnc_viewers(rig->vnc) != count && in_time(start);) {
        pump(rig);
    }
    assert_int_equal(vnc_viewers(rig->vnc), count);
}

static void strangers_that_vanish_or_talk_nonsense_harm_nobody(void **state)
{
    static const char *const nonsense[] = {"", "RFB", "RFB 003.008\n", "RFB 003.008\n\1\1",
                                           "GET / HTTP/1.1\r\n\r\n", "RFB 999.999\n\377\377"};
    struct rig *rig = rig_create(NULL, NULL);
    for (unsigned i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
        const int descriptor = raw_connection(rig);
        say(descriptor, nonsense[i], strlen(nonsense[i]));
        pump(rig);
        pump(rig);
        close(descriptor);
    }
    assert_true(try_connect(rig, ""));
    await_viewers(rig, 1);
    SendKeyEvent(rig->client, 'a', TRUE);
    expect_event(rig, 0x1e, 0);
    leave(rig->client);
    rig_free(rig);
}

static void introduce(struct rig *rig, int descriptor)
{
    hear(rig, descriptor, 12);
    say(descriptor, "RFB 003.008\n", 12);
    hear(rig, descriptor, 2);
    say(descriptor, "\1", 1);
    hear(rig, descriptor, 4);
    say(descriptor, "\1", 1);
    hear(rig, descriptor, 24 + 5); /* ServerInit with "machv" */
}

static void hear_bytes(struct rig *rig, int descriptor, void *bytes, size_t size)
{
    size_t got = 0;
    for (time_t start = time(NULL); got < size && in_time(start);) {
        pump(rig);
        ssize_t count = recv(descriptor, (uint8_t *)bytes + got, size - got, MSG_DONTWAIT);
        got += count > 0 ? (size_t)count : 0;
    }
    assert_int_equal(got, size);
}

/* Raw pixels, and pointers with alpha: colours multiplied by it, red first, the upper row first. */
static void viewers_that_know_alpha_get_it(void **state)
{
    static const uint8_t encodings[] = {2, 0, 0, 2, 0, 0, 0, 0, 0xff, 0xff, 0xfe, 0xc6};
    static const uint8_t request[] = {3, 1, 0, 0, 0, 0, 0, 1, 0, 1};
    static const uint8_t head[] = {0, 0, 0, 1, 0, 2, 0, 1, 0, 3, 0, 2, 0xff, 0xff, 0xfe, 0xc6,
                                   0, 0, 0, 0};
    static const uint8_t shape[] = {0, 0, 100, 100, 255, 255, 255, 255, 0, 0, 0, 255,
                                    255, 0, 0, 255, 0, 128, 0, 128, 0, 0, 0, 0};
    uint8_t heard[sizeof(head)], pixels[SYNTHVID_POINTER_EDGE * SYNTHVID_POINTER_EDGE * 4];
    struct rig *rig = rig_create(NULL, NULL);
    guest_sets_mode(rig, 320, 200, 32);
    guest_draws(rig, 0, 320, 200, 4);
    guest_puts_the_pointer(rig, true, 50, 60);
    guest_gives_a_shape(rig);
    const int viewer = raw_connection(rig);
    introduce(rig, viewer);
    say(viewer, encodings, sizeof(encodings));
    say(viewer, request, sizeof(request));
    hear_bytes(rig, viewer, heard, sizeof(head));
    assert_memory_equal(heard, head, sizeof(head) - 4);
    hear_bytes(rig, viewer, pixels, sizeof(shape));
    assert_memory_equal(pixels, shape, sizeof(shape));
    guest_gives_the_largest_shape(rig);
    say(viewer, request, sizeof(request));
    for (heard[12] = 0; heard[12] != 0xff;) { /* a pixel that was asked for may come before */
        hear_bytes(rig, viewer, heard, 16);
        if (heard[12] != 0xff) {
            hear(rig, viewer, 4u * (heard[9] | heard[8] << 8) * (heard[11] | heard[10] << 8));
        }
    }
    assert_int_equal(heard[9], SYNTHVID_POINTER_EDGE);
    hear(rig, viewer, 4);
    hear_bytes(rig, viewer, pixels, sizeof(pixels));
    for (unsigned i = 0; i < sizeof(pixels); i++) {
        assert_int_equal(pixels[i], 0xff);
    }
    close(viewer);
    await_viewers(rig, 0);
    rig_free(rig);
}

static const uint8_t full_request[] = {3, 0, 0, 0, 0, 0, 7, 128, 4, 56}; /* 1920 x 1080 */

/* A viewer that asks for pictures of eight megabytes and reads none of them. */
static int stuck_viewer(struct rig *rig)
{
    const int room = 4096, descriptor = raw_connection(rig);
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    introduce(rig, descriptor);
    say(descriptor, full_request, sizeof(full_request));
    return descriptor;
}

static void a_viewer_that_is_stuck_holds_up_nobody(void **state)
{
    struct rig *rig = rig_create(NULL, NULL);
    guest_sets_mode(rig, 1920, 1080, 32);
    pump(rig);
    const int descriptor = stuck_viewer(rig);
    assert_true(try_connect(rig, ""));
    struct wanted_pixel last = {1920 * 1080 - 1, 0x563412};
    write_pixel(rig, last.at, 0x123456);
    say_dirty(rig, 0, 0, 1920, 1080);
    assert_true(talk_until(rig, has_pixel, &last));
    SendKeyEvent(rig->client, 'a', TRUE);
    expect_event(rig, 0x1e, 0);
    assert_int_equal(vnc_viewers(rig->vnc), 2);
    close(descriptor);
    await_viewers(rig, 1);
    leave(rig->client);
    rig_free(rig);
}

static void a_viewer_that_never_reads_is_sent_away_in_the_end(void **state)
{
    struct rig *rig = rig_create(NULL, NULL);
    guest_sets_mode(rig, 1920, 1080, 32);
    pump(rig);
    const int descriptor = stuck_viewer(rig);
    for (time_t start = time(NULL); vnc_viewers(rig->vnc) > 0 && in_time(start);) {
        send(descriptor, full_request, sizeof(full_request), MSG_NOSIGNAL);
        say_dirty(rig, 0, 0, 1920, 1080);
        pump(rig);
    }
    assert_int_equal(vnc_viewers(rig->vnc), 0);
    close(descriptor);
    assert_true(try_connect(rig, ""));
    leave(rig->client);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_viewers_are_served),
        cmocka_unit_test(a_wrong_password_is_refused_and_the_right_one_works),
        cmocka_unit_test(a_taken_port_is_an_error),
        cmocka_unit_test(a_socket_in_the_file_system_is_for_its_owner_and_goes_with_the_server),
        cmocka_unit_test(a_port_is_of_the_loopback_address_alone),
        cmocka_unit_test(what_the_guest_draws_is_what_the_viewer_sees),
        cmocka_unit_test(what_the_monitor_says_was_written_is_what_the_viewer_sees),
        cmocka_unit_test(the_viewer_follows_the_guests_size_and_depth),
        cmocka_unit_test(only_what_the_guest_says_has_changed_is_read),
        cmocka_unit_test(changes_of_an_earlier_mode_are_harmless),
        cmocka_unit_test(a_silent_guest_is_looked_at_as_long_as_somebody_looks),
        cmocka_unit_test(a_viewers_size_is_offered_to_the_guest_and_followed),
        cmocka_unit_test(a_size_that_cannot_be_is_refused_and_the_next_one_works),
        cmocka_unit_test(the_guests_pointer_is_the_viewers),
        cmocka_unit_test(a_hidden_pointer_is_gone_and_comes_back),
        cmocka_unit_test(the_largest_pointer_arrives_whole_and_no_update_is_lost),
        cmocka_unit_test(the_guest_moves_viewers_pointers_but_does_not_drag_at_them),
        cmocka_unit_test(viewers_without_a_pointer_get_it_drawn),
        cmocka_unit_test(viewers_that_know_alpha_get_it),
        cmocka_unit_test(strangers_that_vanish_or_talk_nonsense_harm_nobody),
        cmocka_unit_test(a_viewer_that_is_stuck_holds_up_nobody),
        cmocka_unit_test(a_viewer_that_never_reads_is_sent_away_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
