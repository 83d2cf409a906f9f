/* SPDX-License-Identifier: BSD-3-Clause */
/* The VNC server with a real client (libvncclient), and devices of which the test is the guest. */
#include "tests/unit/host-vmbus/bench.h"
#include "tests/unit/host-vmbus/guest_ring.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <rfb/rfbclient.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/devices/keyboard.h"
#include "host/devices/mouse.h"
#include "host/devices/video.h"
#include "host/display/vnc.h"
#include "protocol/keyboard.h"

/* What the client library itself loses (its list of capabilities) is not ours to find. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libvncclient\n";
}

/* The library leaves the picture to whoever looked at it. */
static void leave(rfbClient *client)
{
    free(client->frameBuffer);
    rfbClientCleanup(client);
}

enum { KEYBOARD_CHANNEL = 1, VIDEO_CHANNEL = 2, PATIENCE_SECONDS = 30 };

struct rig {
    struct bench *bench;
    struct virtual_device *keyboard, *video, *vnc;
    struct device_machine machine;
    int vram; /* descriptor; the device's */
    rfbClient *client;
    pthread_t thread;
    bool connected;
};

/* For loops that wait for the other side, which ends them when it never does what it should. */
static bool in_time(time_t start)
{
    return time(NULL) < start + PATIENCE_SECONDS;
}

static void pump(struct rig *rig)
{
    struct pollfd wait = {rig->vnc->operations->descriptor(rig->vnc), POLLIN, 0};
    poll(&wait, 1, 5);
    rig->vnc->operations->run(rig->vnc, 0);
    host_channel_run(vmbus_server_channel(rig->bench->server, KEYBOARD_CHANNEL));
    rig->keyboard->operations->run(rig->keyboard, 0);
    host_channel_run(vmbus_server_channel(rig->bench->server, VIDEO_CHANNEL));
    rig->video->operations->run(rig->video, 0);
}

static int map(void *context, struct virtual_device *device, uint64_t start, uint64_t size,
               int descriptor, uint64_t file_offset, uint32_t flags)
{
    ((struct rig *)context)->vram = descriptor;
    device->operations->range_ready(device, start, 0);
    return 0;
}

static int unmap(void *context, struct virtual_device *device, uint64_t start, uint64_t size)
{
    return 0;
}

static void guest_agrees(struct rig *rig)
{
    const struct keyboard_protocol_request request = {KEYBOARD_PROTOCOL_REQUEST,
                                                      KEYBOARD_VERSION_1_0};
    uint8_t packet[24];
    const struct vmbus_packet_header header = {VMBUS_PACKET_IN_BAND, 2, 3, 0, 0};
    struct guest_ring ring =
        guest_ring_at(bench_page(rig->bench, bench_ring_page(KEYBOARD_CHANNEL)), 1);
    memcpy(packet, &header, 16);
    memcpy(packet + 16, &request, 8);
    guest_ring_put(&ring, packet, sizeof(packet));
    host_channel_run(vmbus_server_channel(rig->bench->server, KEYBOARD_CHANNEL));
    ring = guest_ring_at(bench_page(rig->bench, bench_ring_page(KEYBOARD_CHANNEL) + 2), 1);
    assert_int_not_equal(guest_ring_take(&ring, packet, sizeof(packet)), 0);
}

/* A message of the guest's video driver; the first member is a struct synthvid_header. */
static void put_video(struct rig *rig, uint32_t type, void *message, uint32_t size)
{
    uint8_t packet[128] = {0};
    struct guest_ring ring =
        guest_ring_at(bench_page(rig->bench, bench_ring_page(VIDEO_CHANNEL)), 1);
    const uint32_t length = (24 + size + 7) & ~7u;
    const struct vmbus_packet_header header = {VMBUS_PACKET_IN_BAND, 2, (uint16_t)(length / 8), 0,
                                               0};
    const uint32_t pipe[2] = {VMBUS_PIPE_DATA, size}, words[2] = {type, size};
    memcpy(message, words, sizeof(words));
    memcpy(packet, &header, sizeof(header));
    memcpy(packet + 16, pipe, sizeof(pipe));
    memcpy(packet + 24, message, size);
    guest_ring_put(&ring, packet, length);
    host_channel_run(vmbus_server_channel(rig->bench->server, VIDEO_CHANNEL));
}

static void guest_sets_mode(struct rig *rig, uint32_t width, uint32_t height, uint8_t depth)
{
    struct synthvid_situation_update mode = {.outputs = 1,
                                             .is_active = 1,
                                             .depth = depth,
                                             .width = width,
                                             .height = height,
                                             .pitch = width * depth / 8};
    put_video(rig, SYNTHVID_SITUATION_UPDATE, &mode, sizeof(mode));
}

/* Draws a whole picture of one 32-bit (or two 16-bit) pixel value and says so. */
static void guest_draws(struct rig *rig, uint32_t value, uint32_t width, uint32_t height,
                        uint32_t bytes)
{
    struct {
        uint8_t head[sizeof(struct synthvid_dirt)];
        struct synthvid_rectangle part;
    } message = {.head = {[9] = 1}, .part = {0, 0, (int32_t)width, (int32_t)height}};
    for (uint32_t i = 0; i < width * height * bytes; i += 4) {
        assert_int_equal(pwrite(rig->vram, &value, 4, i), 4);
    }
    put_video(rig, SYNTHVID_DIRT, &message, sizeof(message.head) + sizeof(message.part));
}

static void guest_shows(struct rig *rig)
{
    struct synthvid_version_request request = {.version = SYNTHVID_VERSION_3_5};
    struct synthvid_vram_location location = {.is_specified = 1, .address = 0xf8000000};
    put_video(rig, SYNTHVID_VERSION_REQUEST, &request, sizeof(request));
    put_video(rig, SYNTHVID_VRAM_LOCATION, &location, sizeof(location));
}

static struct rig *rig_create(const char *password)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    int error;
    rig->bench = bench_create(VMBUS_VERSION_5_3);
    rig->keyboard = keyboard_new();
    rig->keyboard->operations->plug(rig->keyboard, rig->bench->server);
    bench_connect(rig->bench, VMBUS_VERSION_5_3);
    bench_open_channel(rig->bench, KEYBOARD_CHANNEL);
    guest_agrees(rig);
    struct video_settings video_settings;
    video_default_settings(SYNTHVID_VERSION_3_5, &video_settings);
    rig->video = video_new(&video_settings);
    rig->machine = (struct device_machine){rig, map, unmap, NULL};
    rig->video->operations->attach(rig->video, &rig->machine);
    rig->video->operations->plug(rig->video, rig->bench->server);
    bench_open_channel(rig->bench, VIDEO_CHANNEL);
    guest_shows(rig);
    const struct vnc_settings settings = {
        .port = 0, .password = password, .video = rig->video,
        .keys = {.synthetic = rig->keyboard}};
    rig->vnc = vnc_new(&settings, &error);
    assert_non_null(rig->vnc);
    return rig;
}

static void rig_free(struct rig *rig)
{
    rig->vnc->operations->free(rig->vnc);
    vmbus_server_reset(rig->bench->server);
    bench_free(rig->bench);
    rig->keyboard->operations->free(rig->keyboard);
    rig->video->operations->free(rig->video);
    free(rig);
}

/* ---- The client: connecting blocks, so it has a thread until it is connected ---- */

static const char *client_password;

static char *give_password(rfbClient *client)
{
    return strdup(client_password);
}

static void *connect_client(void *argument)
{
    struct rig *rig = argument;
    rig->connected = rfbInitClient(rig->client, NULL, NULL);
    return NULL;
}

static bool try_connect(struct rig *rig, const char *password)
{
    rig->client = rfbGetClient(8, 3, 4);
    rig->client->serverHost = strdup("127.0.0.1");
    rig->client->serverPort = vnc_port(rig->vnc);
    client_password = password;
    rig->client->GetPassword = give_password;
    assert_int_equal(pthread_create(&rig->thread, NULL, connect_client, rig), 0);
    for (time_t start = time(NULL);
         pthread_tryjoin_np(rig->thread, NULL) == EBUSY && in_time(start);) {
        pump(rig);
    }
    return rig->connected; /* a client that could not connect is freed by then */
}

static void expect_event(struct rig *rig, uint16_t code, uint32_t flags)
{
    uint8_t packet[64];
    struct keyboard_event event;
    struct guest_ring ring =
        guest_ring_at(bench_page(rig->bench, bench_ring_page(KEYBOARD_CHANNEL) + 2), 1);
    uint32_t length = 0;
    for (time_t start = time(NULL); length == 0 && in_time(start);) {
        pump(rig);
        length = guest_ring_take(&ring, packet, sizeof(packet));
    }
    assert_int_not_equal(length, 0);
    memcpy(&event, packet + 16, sizeof(event));
    assert_int_equal(event.make_code, code);
    assert_int_equal(event.flags, flags);
}

static void keys_of_a_viewer_reach_the_guest(void **state)
{
    struct rig *rig = rig_create(NULL);
    assert_true(try_connect(rig, ""));
    assert_int_equal(vnc_viewers(rig->vnc), 1);
    SendKeyEvent(rig->client, 'a', TRUE);
    SendKeyEvent(rig->client, 'a', FALSE);
    SendKeyEvent(rig->client, 0xff51, TRUE); /* left */
    SendKeyEvent(rig->client, 0xe9, TRUE);   /* e with acute: no key of a US keyboard */
    expect_event(rig, 0x1e, 0);
    expect_event(rig, 0x1e, KEYBOARD_EVENT_BREAK);
    expect_event(rig, 0x4b, KEYBOARD_EVENT_E0);
    expect_event(rig, 0xe9, KEYBOARD_EVENT_UNICODE);
    expect_event(rig, 0xe9, KEYBOARD_EVENT_UNICODE | KEYBOARD_EVENT_BREAK);
    leave(rig->client); /* vanishes with a key down */
    expect_event(rig, 0x4b, KEYBOARD_EVENT_E0 | KEYBOARD_EVENT_BREAK);
    assert_int_equal(vnc_viewers(rig->vnc), 0);
    rig_free(rig);
}

static void several_viewers_are_served(void **state)
{
    struct rig *rig = rig_create(NULL);
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
    struct rig *rig = rig_create("secret");
    assert_false(try_connect(rig, "guess"));
    assert_true(try_connect(rig, "secret"));
    SendKeyEvent(rig->client, 'a', TRUE);
    expect_event(rig, 0x1e, 0);
    leave(rig->client);
    rig_free(rig);
}

/* What the client is to have: every pixel of its picture `value`. */
struct wanted {
    rfbClient *client;
    int width, height;
    uint32_t value;
    bool seen;
};

static bool has_picture(const struct wanted *wanted)
{
    bool same =
        wanted->client->width == wanted->width && wanted->client->height == wanted->height;
    for (int at = 0; same && at < wanted->width * wanted->height; at++) {
        uint32_t pixel;
        memcpy(&pixel, wanted->client->frameBuffer + 4 * at, 4);
        same = (pixel & 0xffffff) == wanted->value;
    }
    return same;
}

static void *watch(void *argument)
{
    struct wanted *wanted = argument;
    for (time_t start = time(NULL); in_time(start) && !wanted->seen;) {
        /* What the client has read ahead does not show on its socket any more. */
        if ((wanted->client->buffered > 0 || WaitForMessage(wanted->client, 1000) > 0) &&
            !HandleRFBServerMessage(wanted->client)) {
            break;
        }
        wanted->seen = has_picture(wanted);
    }
    return NULL;
}

/* Lets client and server talk, each on a thread, until the client has the picture. */
static bool client_sees(struct rig *rig, int width, int height, uint32_t value)
{
    struct wanted wanted = {rig->client, width, height, value, false};
    assert_int_equal(pthread_create(&rig->thread, NULL, watch, &wanted), 0);
    while (pthread_tryjoin_np(rig->thread, NULL) == EBUSY) {
        pump(rig);
    }
    return wanted.seen;
}

static void what_the_guest_draws_is_what_the_viewer_sees(void **state)
{
    struct rig *rig = rig_create(NULL);
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

static void the_viewer_follows_the_guests_size_and_depth(void **state)
{
    struct rig *rig = rig_create(NULL);
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

static void a_taken_port_is_an_error(void **state)
{
    struct rig *rig = rig_create(NULL);
    const struct vnc_settings settings = {.port = vnc_port(rig->vnc)};
    int error = 0;
    assert_null(vnc_new(&settings, &error));
    assert_int_equal(error, -EADDRINUSE);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_a_viewer_reach_the_guest),
        cmocka_unit_test(several_viewers_are_served),
        cmocka_unit_test(a_wrong_password_is_refused_and_the_right_one_works),
        cmocka_unit_test(what_the_guest_draws_is_what_the_viewer_sees),
        cmocka_unit_test(the_viewer_follows_the_guests_size_and_depth),
        cmocka_unit_test(a_taken_port_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
