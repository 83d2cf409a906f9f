/* SPDX-License-Identifier: BSD-3-Clause */
/* The VNC server, through LibVNCServer without a thread of its own: what it listens to is in one
 * epoll set, whose descriptor is the device's. */
#include "host/display/vnc.h"

#include <errno.h>
#include <json-c/json.h>
#include <rfb/rfb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "host/devices/keyboard.h"
#include "host/devices/mouse.h"
#include "host/devices/video.h"
#include "host/display/keys.h"
#include "protocol/utf16.h"

enum {
    BLANK_WIDTH = 640,
    BLANK_HEIGHT = 480,
    BITS = 8,
    SAMPLES = 3,
    PORT_FIRST = 5900,
    STALL_MS = 1000,
};

/* Buttons of a VNC pointer, from bit 0. */
enum { VNC_LEFT, VNC_MIDDLE, VNC_RIGHT, VNC_WHEEL_UP, VNC_WHEEL_DOWN };

struct vnc {
    struct virtual_device device; /* first */
    struct vnc_settings settings;
    struct video_observer observer;
    rfbScreenInfoPtr screen;
    char *passwords[2];           /* a list, as LibVNCServer wants it */
    char *blank;                  /* what is shown while the guest shows nothing */
    int epoll;
    unsigned viewers;
    int buttons;                  /* of the last pointer event */
    bool mode_changed;
};

/* ---- Keys and pointer ---- */

static void key_event(rfbBool down, rfbKeySym symbol, rfbClientPtr client)
{
    struct vnc *vnc = client->screen->screenData;
    struct keyboard_key key;
    char text[5] = {0};
    if (vnc->settings.keyboard == NULL) {
        return;
    }
    if (key_of_symbol(symbol, &key)) {
        keyboard_press(vnc->settings.keyboard, key, down != 0);
        return;
    }
    /* No key of a US keyboard: typed as a character, once. */
    const uint32_t character = character_of_symbol(symbol);
    if (down && character != 0) {
        utf8_put(character, (uint8_t *)text);
        keyboard_type(vnc->settings.keyboard, text);
    }
}

/* Pixels to the mouse's range, so that the last pixel is its end. */
static uint32_t coordinate(int at, int size)
{
    const int64_t clamped = at < 0 ? 0 : at >= size ? size - 1 : at;
    return size < 2 ? 0
                    : (uint32_t)((clamped * (int)MOUSE_COORDINATE_MAXIMUM + (size - 1) / 2) /
                                 (size - 1));
}

static void pointer_event(int buttons, int x, int y, rfbClientPtr client)
{
    static const uint8_t button_of[] = {[VNC_LEFT] = 0, [VNC_MIDDLE] = 2, [VNC_RIGHT] = 1};
    struct vnc *vnc = client->screen->screenData;
    struct virtual_device *mouse = vnc->settings.mouse;
    const int changed = buttons ^ vnc->buttons, pressed = buttons & changed;
    if (mouse != NULL) {
        mouse_move(mouse, coordinate(x, client->screen->width),
                   coordinate(y, client->screen->height));
        for (int bit = VNC_LEFT; bit <= VNC_RIGHT; bit++) {
            if (changed >> bit & 1) {
                mouse_button(mouse, button_of[bit], buttons >> bit & 1);
            }
        }
        mouse_wheel(mouse, (pressed >> VNC_WHEEL_UP & 1) - (pressed >> VNC_WHEEL_DOWN & 1));
    }
    vnc->buttons = buttons;
    rfbDefaultPtrAddEvent(buttons, x, y, client);
}

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
    vnc->buttons = 0;
    if (vnc->settings.keyboard != NULL) {
        keyboard_release_all(vnc->settings.keyboard);
    }
    if (vnc->settings.mouse != NULL) {
        mouse_release_all(vnc->settings.mouse);
    }
    tell_guest(vnc);
}

static enum rfbNewClientAction new_client(rfbClientPtr client)
{
    struct vnc *vnc = client->screen->screenData;
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(vnc->epoll, EPOLL_CTL_ADD, client->sock, &event) != 0) {
        return RFB_CLIENT_REFUSE;
    }
    client->clientGoneHook = client_gone;
    vnc->viewers++;
    tell_guest(vnc);
    return RFB_CLIENT_ACCEPT;
}

/* ---- The picture ---- */

static void mode_changed(void *context)
{
    ((struct vnc *)context)->mode_changed = true;
}

static void changed(void *context, const struct synthvid_rectangle *rectangle)
{
    struct vnc *vnc = context;
    if (!vnc->mode_changed) {
        rfbMarkRectAsModified(vnc->screen, rectangle->left, rectangle->top, rectangle->right,
                              rectangle->bottom);
    }
}

static void set_format(rfbPixelFormat *format, uint32_t depth)
{
    format->redMax = format->blueMax = depth == 16 ? 31 : 255;
    format->greenMax = depth == 16 ? 63 : 255;
    format->redShift = depth == 16 ? 11 : 16;
    format->greenShift = depth == 16 ? 5 : 8;
    format->blueShift = 0;
    format->depth = depth == 16 ? 16 : 24;
    format->bitsPerPixel = (uint8_t)depth;
}

/* Viewers read the guest's memory itself: nothing is copied. */
static void take_mode(struct vnc *vnc)
{
    struct video_screen screen;
    vnc->mode_changed = false;
    if (vnc->settings.video == NULL || !video_screen(vnc->settings.video, &screen)) {
        screen = (struct video_screen){(uint8_t *)vnc->blank, BLANK_WIDTH, BLANK_HEIGHT,
                                       BLANK_WIDTH * 4, 32};
    }
    rfbNewFramebuffer(vnc->screen, (char *)(uintptr_t)screen.pixels, (int)screen.width,
                      (int)screen.height, BITS, SAMPLES, (int)screen.depth / 8);
    vnc->screen->paddedWidthInBytes = (int)screen.pitch;
    set_format(&vnc->screen->serverFormat, screen.depth);
    rfbClientIteratorPtr clients = rfbGetClientIterator(vnc->screen);
    for (rfbClientPtr client; (client = rfbClientIteratorNext(clients)) != NULL;) {
        rfbSetTranslateFunction(client);
    }
    rfbReleaseClientIterator(clients);
    rfbMarkRectAsModified(vnc->screen, 0, 0, (int)screen.width, (int)screen.height);
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

static void vnc_run(struct virtual_device *device, uint64_t now_ns)
{
    struct vnc *vnc = (struct vnc *)device;
    struct epoll_event event;
    if (vnc->mode_changed) {
        take_mode(vnc);
    }
    /* The library's own look at its sockets costs more than this one, after which most calls are
     * over. */
    if (vnc->viewers > 0 || epoll_wait(vnc->epoll, &event, 1, 0) > 0) {
        rfbProcessEvents(vnc->screen, 0);
    }
}

static void vnc_describe(struct virtual_device *device, struct json_object *to)
{
    json_object_object_add(to, "port", json_object_new_int(vnc_port(device)));
    json_object_object_add(to, "viewers", json_object_new_int((int)vnc_viewers(device)));
}

uint16_t vnc_port(const struct virtual_device *device)
{
    return (uint16_t)((const struct vnc *)device)->screen->port;
}

unsigned vnc_viewers(const struct virtual_device *device)
{
    return ((const struct vnc *)device)->viewers;
}

static void vnc_free(struct virtual_device *device)
{
    struct vnc *vnc = (struct vnc *)device;
    if (vnc->screen != NULL) {
        /* They may be gone already: viewers that are sent away must not release keys any more. */
        vnc->settings.video = vnc->settings.keyboard = vnc->settings.mouse = NULL;
        rfbShutdownServer(vnc->screen, TRUE);
        rfbScreenCleanup(vnc->screen);
    }
    if (vnc->epoll >= 0) {
        close(vnc->epoll);
    }
    free(vnc->passwords[0]);
    free(vnc->blank);
    free(vnc);
}

static const struct virtual_device_operations operations = {
    .kind = "vnc",
    .plug = vnc_plug,
    .unplug = vnc_unplug,
    .descriptor = vnc_descriptor,
    .run = vnc_run,
    .describe = vnc_describe,
    .free = vnc_free,
};

static int start_server(struct vnc *vnc)
{
    rfbScreenInfoPtr screen =
        rfbGetScreen(NULL, NULL, BLANK_WIDTH, BLANK_HEIGHT, BITS, SAMPLES, 4);
    if (screen == NULL) {
        return -ENOMEM;
    }
    vnc->screen = screen;
    screen->screenData = vnc;
    screen->desktopName = "machv";
    screen->frameBuffer = vnc->blank;
    set_format(&screen->serverFormat, 32);
    screen->alwaysShared = TRUE;
    screen->deferUpdateTime = 0;
    screen->port = vnc->settings.port != 0 ? vnc->settings.port : PORT_FIRST;
    screen->autoPort = vnc->settings.port == 0;
    screen->ipv6port = -1;
    screen->listenInterface = htonl(INADDR_LOOPBACK);
    screen->kbdAddEvent = key_event;
    screen->ptrAddEvent = pointer_event;
    screen->newClientHook = new_client;
    screen->cursor = NULL;
    if (vnc->passwords[0] != NULL) {
        screen->authPasswdData = vnc->passwords;
        screen->passwordCheck = rfbCheckPasswordByList;
    }
    rfbInitServer(screen);
    struct epoll_event event = {.events = EPOLLIN};
    if (screen->listenSock < 0) {
        return -EADDRINUSE;
    }
    return epoll_ctl(vnc->epoll, EPOLL_CTL_ADD, screen->listenSock, &event) == 0 ? 0 : -errno;
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
    /* The machine waits while a viewer's socket is full: one that takes too long is sent away. */
    rfbMaxClientWait = STALL_MS;
    vnc->device.operations = &operations;
    vnc->settings = *settings;
    vnc->observer = (struct video_observer){vnc, mode_changed, changed};
    vnc->blank = calloc(BLANK_WIDTH * 4, BLANK_HEIGHT);
    vnc->passwords[0] = settings->password != NULL ? strdup(settings->password) : NULL;
    vnc->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (vnc->blank != NULL && vnc->epoll >= 0) {
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
