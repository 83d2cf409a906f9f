/* SPDX-License-Identifier: BSD-3-Clause */
/* The VNC server, through LibVNCServer without a thread of its own: what it listens to is in one
 * epoll set, whose descriptor is the device's. */
#include "host/display/vnc.h"

#include <errno.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <rfb/rfb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/devices/mouse.h"
#include "host/display/vnc_internal.h"
#include "host/server/listen.h"

enum { PORT_FIRST = 5900, PORT_LAST = 5999, BACKLOG = 8, HALF_MESSAGE_MS = 1000 };

/* ---- Viewers ---- */

static void tell_guest(struct vnc *vnc)
{
    if (vnc->settings.video != NULL) {
        video_want_changes(vnc->settings.video, vnc->viewers > 0);
    }
}

static void client_gone(rfbClientPtr client)
{
    struct vnc *vnc = client->screen->screenData;
    vnc->viewers--;
    vnc_scan_codes_end(client);
    vnc_alpha_end(client);
    free(client->clientData);
    client->clientData = NULL;
    key_input_release_all(&vnc->settings.keys);
    if (vnc->settings.mouse != NULL) {
        mouse_release_all(vnc->settings.mouse);
    }
    tell_guest(vnc);
}

static enum rfbNewClientAction new_client(rfbClientPtr client)
{
    struct vnc *vnc = client->screen->screenData;
    struct epoll_event event = {.events = EPOLLIN};
    struct vnc_viewer *viewer = calloc(1, sizeof(*viewer));
    if (viewer == NULL || epoll_ctl(vnc->epoll, EPOLL_CTL_ADD, client->sock, &event) != 0) {
        free(viewer);
        return RFB_CLIENT_REFUSE;
    }
    viewer->x = -1;
    client->clientData = viewer;
    client->clientGoneHook = client_gone;
    vnc->picture.all_changed |= vnc->viewers == 0; /* nothing was copied until now */
    vnc->viewers++;
    tell_guest(vnc);
    return RFB_CLIENT_ACCEPT;
}

/* A viewer wants another size of the screen: it is the guest's to follow. */
static int size_wanted(int width, int height, int screens, struct rfbExtDesktopScreen *layout,
                       rfbClientPtr client)
{
    struct vnc *vnc = client->screen->screenData;
    if (screens != 1 || width <= 0 || height <= 0) {
        return rfbExtDesktopSize_InvalidScreenLayout;
    }
    if (vnc->settings.video == NULL) {
        return rfbExtDesktopSize_ResizeProhibited;
    }
    switch (video_resize(vnc->settings.video, (uint32_t)width, (uint32_t)height)) {
    case 0:
        return rfbExtDesktopSize_Success;
    case -ERANGE:
        return rfbExtDesktopSize_OutOfResources;
    default:
        return rfbExtDesktopSize_ResizeProhibited;
    }
}

/*
 * Before an update: a viewer that can follow and set the size is told once that we can too. The
 * library's list of messages that it knows is not sent: it lacks our scan codes, and viewers made
 * with its client library would believe it.
 */
static void announce(rfbClientPtr client)
{
    struct vnc_viewer *viewer = client->clientData;
    client->enableSupportedMessages = FALSE;
    if (client->useExtDesktopSize && !viewer->knows_size) {
        viewer->knows_size = true;
        client->newFBSizePending = TRUE;
    }
    vnc_shape_send(client);
}

static void accept_viewers(struct vnc *vnc)
{
    const int at_once = 1;
    int descriptor;
    while ((descriptor = listen_accept(vnc->listener)) >= 0) {
        if (vnc->settings.path == NULL) {
            setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once));
        }
        descriptor = vnc_relay_start(&vnc->relays, descriptor);
        if (descriptor >= 0) {
            rfbNewClient(vnc->screen, descriptor); /* closes it when it cannot take it */
        }
    }
}

/* ---- The virtual device ---- */

static int vnc_plug(struct virtual_device *device, struct vmbus_server *server)
{
    return 0;
}

static void vnc_unplug(struct virtual_device *device)
{
}

static int vnc_descriptor(struct virtual_device *device)
{
    return ((struct vnc *)device)->epoll;
}

static uint64_t vnc_deadline_ns(struct virtual_device *device)
{
    return vnc_picture_deadline((struct vnc *)device);
}

static void vnc_run(struct virtual_device *device, uint64_t now_ns)
{
    struct vnc *vnc = (struct vnc *)device;
    struct epoll_event event;
    vnc_picture_update(vnc, now_ns);
    /* The library's own look at its sockets costs more than this one, after which most calls are
     * over. */
    if (vnc->viewers > 0 || epoll_wait(vnc->epoll, &event, 1, 0) > 0) {
        accept_viewers(vnc);
        rfbProcessEvents(vnc->screen, 0);
    }
}

static void vnc_describe(struct virtual_device *device, struct json_object *to)
{
    const struct vnc *vnc = (const struct vnc *)device;
    if (vnc->settings.path != NULL) {
        json_object_object_add(to, "socket", json_object_new_string(vnc->settings.path));
    } else {
        json_object_object_add(to, "port", json_object_new_int(vnc_port(device)));
    }
    json_object_object_add(to, "viewers", json_object_new_int((int)vnc_viewers(device)));
}

uint16_t vnc_port(const struct virtual_device *device)
{
    return ((const struct vnc *)device)->port;
}

unsigned vnc_viewers(const struct virtual_device *device)
{
    return ((const struct vnc *)device)->viewers;
}

static void vnc_free(struct virtual_device *device)
{
    struct vnc *vnc = (struct vnc *)device;
    if (vnc->settings.video != NULL) {
        video_observe(vnc->settings.video, NULL);
    }
    if (vnc->screen != NULL) {
        rfbShutdownServer(vnc->screen, TRUE);
        vnc_cursor_close(vnc);
        rfbScreenCleanup(vnc->screen);
    }
    vnc_picture_close(vnc);
    vnc_relays_close(&vnc->relays);
    if (vnc->epoll >= 0) {
        close(vnc->epoll);
    }
    if (vnc->listener >= 0) {
        close(vnc->listener);
    }
    if (vnc->listener >= 0 && vnc->settings.path != NULL) {
        unlink(vnc->settings.path);
    }
    free((char *)vnc->settings.path);
    free(vnc->passwords[0]);
    free(vnc);
}

static const struct virtual_device_operations operations = {
    .kind = "vnc",
    .plug = vnc_plug,
    .unplug = vnc_unplug,
    .descriptor = vnc_descriptor,
    .deadline_ns = vnc_deadline_ns,
    .run = vnc_run,
    .describe = vnc_describe,
    .free = vnc_free,
};

/* On the loopback interface only. */
static int try_port(struct vnc *vnc, uint16_t port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(port),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int again = 1;
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0) {
        return -errno;
    }
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &again, sizeof(again));
    if (bind(listener, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, BACKLOG) != 0) {
        const int error = -errno;
        close(listener);
        return error;
    }
    vnc->listener = listener;
    vnc->port = port;
    return 0;
}

static int listen_for_viewers(struct vnc *vnc)
{
    char error[256];
    if (vnc->settings.path != NULL) {
        return listen_open(vnc->settings.path, SOCK_STREAM, BACKLOG, &vnc->listener, error,
                           sizeof(error));
    }
    if (vnc->settings.port != 0) {
        return try_port(vnc, vnc->settings.port);
    }
    int result = -EADDRINUSE;
    for (uint16_t port = PORT_FIRST; result == -EADDRINUSE && port <= PORT_LAST; port++) {
        result = try_port(vnc, port);
    }
    return result;
}

static int start_server(struct vnc *vnc)
{
    struct epoll_event event = {.events = EPOLLIN};
    rfbScreenInfoPtr screen =
        rfbGetScreen(NULL, NULL, VNC_BLANK_WIDTH, VNC_BLANK_HEIGHT, VNC_BITS, VNC_SAMPLES, 4);
    if (screen == NULL) {
        return -ENOMEM;
    }
    vnc->screen = screen;
    screen->screenData = vnc;
    screen->desktopName = "machv";
    screen->alwaysShared = TRUE;
    screen->deferUpdateTime = 0;
    screen->kbdAddEvent = vnc_key_event;
    screen->ptrAddEvent = vnc_pointer_event;
    screen->newClientHook = new_client;
    screen->setDesktopSizeHook = size_wanted;
    screen->displayHook = announce;
    screen->cursor = NULL;
    if (vnc->passwords[0] != NULL) {
        screen->authPasswdData = vnc->passwords;
        screen->passwordCheck = rfbCheckPasswordByList;
    }
    screen->port = screen->ipv6port = -1; /* the library does not listen itself */
    int result = vnc_picture_open(vnc);
    if (result == 0) {
        result = listen_for_viewers(vnc);
    }
    if (result != 0) {
        return result;
    }
    rfbInitServer(screen);
    return epoll_ctl(vnc->epoll, EPOLL_CTL_ADD, vnc->listener, &event) == 0 ? 0 : -errno;
}

static void say_nothing(const char *format, ...)
{
}

struct virtual_device *vnc_new(const struct vnc_settings *settings, int *error)
{
    struct vnc *vnc = calloc(1, sizeof(*vnc));
    *error = -ENOMEM;
    if (vnc == NULL) {
        return NULL;
    }
    rfbLog = rfbErr = say_nothing; /* what goes wrong is told by errno */
    /* The library waits, and the machine with it, for the rest of a message that has begun. */
    rfbMaxClientWait = HALF_MESSAGE_MS;
    vnc_scan_codes_offer();
    vnc_alpha_offer();
    vnc->device.operations = &operations;
    vnc->settings = *settings;
    vnc->settings.path = settings->path != NULL ? strdup(settings->path) : NULL;
    vnc->passwords[0] = settings->password != NULL ? strdup(settings->password) : NULL;
    vnc->listener = -1;
    vnc_relays_open(&vnc->relays);
    vnc->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (vnc->epoll >= 0 && (settings->path == NULL || vnc->settings.path != NULL)) {
        *error = start_server(vnc);
    }
    if (*error != 0) {
        vnc_free(&vnc->device);
        return NULL;
    }
    if (settings->video != NULL) {
        video_observe(settings->video, &vnc->observer);
    }
    return &vnc->device;
}
