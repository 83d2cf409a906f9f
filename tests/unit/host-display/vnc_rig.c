/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest's end of three devices, and a client on a thread. */
#include "tests/unit/host-display/vnc_rig.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/mouse.h"

/* What the libraries themselves lose is not ours to find: the client's list of capabilities, the
 * server's iterator over the viewers of a size that was set. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libvncclient\nleak:rfbGetClientIterator\n";
}

/* The library leaves the picture to whoever looked at it. */
void leave(rfbClient *client)
{
    free(client->frameBuffer);
    rfbClientCleanup(client);
}

bool in_time(time_t start)
{
    return time(NULL) < start + PATIENCE_SECONDS;
}

void pump(struct rig *rig)
{
    struct virtual_device *const devices[] = {rig->keyboard, rig->video, rig->mouse};
    struct pollfd wait = {rig->vnc->operations->descriptor(rig->vnc), POLLIN, 0};
    poll(&wait, 1, 5);
    rig->now_ns += 1000000;
    rig->vnc->operations->run(rig->vnc, rig->now_ns);
    for (unsigned i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        struct host_channel *channel =
            vmbus_server_channel(rig->bench->server, KEYBOARD_CHANNEL + i);
        if (channel != NULL) { /* the guest is there */
            host_channel_run(channel);
        }
        devices[i]->operations->run(devices[i], 0);
    }
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
void put_video(struct rig *rig, uint32_t type, void *message, uint32_t size)
{
    static uint8_t packet[4096];
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

void guest_sets_mode(struct rig *rig, uint32_t width, uint32_t height, uint8_t depth)
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
void guest_draws(struct rig *rig, uint32_t value, uint32_t width, uint32_t height,
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

/* A message of the mouse driver. */
static void put_mouse(struct rig *rig, const void *message, uint32_t size)
{
    uint8_t packet[64] = {0};
    struct guest_ring ring =
        guest_ring_at(bench_page(rig->bench, bench_ring_page(MOUSE_CHANNEL)), 1);
    const uint32_t length = (24 + size + 7) & ~7u, pipe[2] = {VMBUS_PIPE_DATA, size};
    const struct vmbus_packet_header header = {VMBUS_PACKET_IN_BAND, 2, (uint16_t)(length / 8), 0,
                                               0};
    memcpy(packet, &header, sizeof(header));
    memcpy(packet + 16, pipe, sizeof(pipe));
    memcpy(packet + 24, message, size);
    guest_ring_put(&ring, packet, length);
    host_channel_run(vmbus_server_channel(rig->bench->server, MOUSE_CHANNEL));
}

static uint32_t take_mouse(struct rig *rig, uint8_t *packet, uint32_t size)
{
    struct guest_ring ring =
        guest_ring_at(bench_page(rig->bench, bench_ring_page(MOUSE_CHANNEL) + 2), 1);
    return guest_ring_take(&ring, packet, size);
}

static void guest_takes_the_mouse(struct rig *rig)
{
    const struct mouse_protocol_request request = {{MOUSE_PROTOCOL_REQUEST, 4}, MOUSE_VERSION_2_0};
    const struct mouse_device_info_ack ack = {{MOUSE_DEVICE_INFO_ACK, 1}, 0};
    uint8_t packet[512];
    put_mouse(rig, &request, sizeof(request));
    assert_int_not_equal(take_mouse(rig, packet, sizeof(packet)), 0); /* response */
    assert_int_not_equal(take_mouse(rig, packet, sizeof(packet)), 0); /* description */
    put_mouse(rig, &ack, sizeof(ack));
}

static void start_mouse(struct rig *rig)
{
    const struct mouse_settings settings = {.has_horizontal_wheel = true};
    rig->mouse = mouse_new(&settings);
    rig->mouse->operations->plug(rig->mouse, rig->bench->server);
    bench_open_channel(rig->bench, MOUSE_CHANNEL);
    guest_takes_the_mouse(rig);
}

struct rig *rig_create(const char *password, const char *path)
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
    rig->machine = (struct device_machine){.context = rig, .map = map, .unmap = unmap};
    rig->video->operations->attach(rig->video, &rig->machine);
    rig->video->operations->plug(rig->video, rig->bench->server);
    bench_open_channel(rig->bench, VIDEO_CHANNEL);
    guest_shows(rig);
    start_mouse(rig);
    const struct vnc_settings settings = {.path = path,
                                          .password = password,
                                          .video = rig->video,
                                          .mouse = rig->mouse,
                                          .keys = {.synthetic = rig->keyboard}};
    rig->path = path;
    rig->vnc = vnc_new(&settings, &error);
    assert_non_null(rig->vnc);
    return rig;
}

void rig_free(struct rig *rig)
{
    rig->vnc->operations->free(rig->vnc);
    vmbus_server_reset(rig->bench->server);
    bench_free(rig->bench);
    rig->keyboard->operations->free(rig->keyboard);
    rig->video->operations->free(rig->video);
    rig->mouse->operations->free(rig->mouse);
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

bool try_connect(struct rig *rig, const char *password)
{
    rig->client = rfbGetClient(8, 3, 4);
    rig->client->serverHost = strdup(rig->path != NULL ? rig->path : "127.0.0.1");
    rig->client->serverPort = rig->path != NULL ? 0 : vnc_port(rig->vnc);
    rig->client->appData.useRemoteCursor = !rig->plain_client;
    client_password = password;
    rig->client->GetPassword = give_password;
    assert_int_equal(pthread_create(&rig->thread, NULL, connect_client, rig), 0);
    for (time_t start = time(NULL);
         pthread_tryjoin_np(rig->thread, NULL) == EBUSY && in_time(start);) {
        pump(rig);
    }
    return rig->connected; /* a client that could not connect is freed by then */
}

/* ---- What arrives ---- */

static bool take_event(struct rig *rig, struct keyboard_event *event)
{
    uint8_t packet[64];
    struct guest_ring ring =
        guest_ring_at(bench_page(rig->bench, bench_ring_page(KEYBOARD_CHANNEL) + 2), 1);
    if (guest_ring_take(&ring, packet, sizeof(packet)) == 0) {
        return false;
    }
    memcpy(event, packet + 16, sizeof(*event));
    return true;
}

void expect_event(struct rig *rig, uint16_t code, uint32_t flags)
{
    struct keyboard_event event;
    bool taken = take_event(rig, &event);
    for (time_t start = time(NULL); !taken && in_time(start);) {
        pump(rig);
        taken = take_event(rig, &event);
    }
    assert_true(taken);
    assert_int_equal(event.make_code, code);
    assert_int_equal(event.flags, flags);
}

unsigned drain_events(struct rig *rig)
{
    struct keyboard_event event;
    unsigned count = 0;
    pump(rig);
    while (take_event(rig, &event)) {
        count++;
    }
    return count;
}

struct mouse_report_with_pan next_report(struct rig *rig)
{
    uint8_t packet[64];
    struct mouse_report_with_pan report;
    uint32_t length = take_mouse(rig, packet, sizeof(packet));
    for (time_t start = time(NULL); length == 0 && in_time(start);) {
        pump(rig);
        length = take_mouse(rig, packet, sizeof(packet));
    }
    assert_int_not_equal(length, 0);
    memcpy(&report, packet + 24 + sizeof(struct mouse_message_header), sizeof(report));
    return report;
}

/* ---- Talking ---- */

struct talk {
    rfbClient *client;
    bool (*done)(rfbClient *client, void *context);
    void *context;
    bool result;
};

static void *listen_to_server(void *argument)
{
    struct talk *talk = argument;
    for (time_t start = time(NULL); in_time(start) && !talk->result;) {
        /* What the client has read ahead does not show on its socket any more. */
        if ((talk->client->buffered > 0 || WaitForMessage(talk->client, 1000) > 0) &&
            !HandleRFBServerMessage(talk->client)) {
            break;
        }
        talk->result = talk->done(talk->client, talk->context);
    }
    return NULL;
}

bool talk_until(struct rig *rig, bool (*done)(rfbClient *client, void *context), void *context)
{
    struct talk talk = {rig->client, done, context, done(rig->client, context)};
    assert_int_equal(pthread_create(&rig->thread, NULL, listen_to_server, &talk), 0);
    while (pthread_tryjoin_np(rig->thread, NULL) == EBUSY) {
        pump(rig);
    }
    return talk.result;
}
