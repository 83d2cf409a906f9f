/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys and pointer of viewers on their way to the guest. Viewers send symbols: what a key means to
 * them. A symbol becomes the key of a US keyboard when pressing it gives that symbol just now, and
 * a character of its own otherwise; so what is typed arrives whatever the viewer's layout. Viewers
 * that speak QEMU's extension send scan codes, which need no guessing.
 */
#include <stdlib.h>

#include "host/devices/mouse.h"
#include "host/display/dead_keys.h"
#include "host/display/keys.h"
#include "host/display/vnc_internal.h"
#include "protocol/keyboard.h"
#include "protocol/utf16.h"

/* ---- Symbols ---- */

static void type_character(struct vnc *vnc, uint32_t character)
{
    char text[5] = {0};
    utf8_put(character, (uint8_t *)text);
    key_input_type(&vnc->settings.keys, text);
}

static bool is_held(const struct vnc *vnc, uint16_t code, uint32_t prefix)
{
    return key_input_is_held(&vnc->settings.keys, (struct keyboard_key){code, prefix});
}

/* Control, Alt and the Windows keys make commands of keys, whatever is written on them. */
static bool commands(const struct vnc *vnc)
{
    return is_held(vnc, 0x1d, 0) || is_held(vnc, 0x1d, KEYBOARD_EVENT_E0) ||
           is_held(vnc, 0x38, 0) || is_held(vnc, 0x5b, KEYBOARD_EVENT_E0) ||
           is_held(vnc, 0x5c, KEYBOARD_EVENT_E0);
}

/* Whether the key that has the symbol gives it, with the modifiers that the guest knows of. */
static bool key_gives(const struct vnc *vnc, uint32_t symbol)
{
    enum symbol_shift wanted = shift_of_symbol(symbol);
    if (wanted == SYMBOL_SHIFT_ANY || commands(vnc)) {
        return true;
    }
    bool shifted = is_held(vnc, 0x2a, 0) || is_held(vnc, 0x36, 0);
    if (symbol_is_letter(symbol) && key_input_caps_lock(&vnc->settings.keys)) {
        shifted = !shifted;
    }
    return shifted == (wanted == SYMBOL_SHIFT_WANTED);
}

/* True: the symbol was part of an accented character. */
static bool take_accent(struct vnc *vnc, struct vnc_viewer *viewer, uint32_t symbol)
{
    const uint32_t accent = accent_of_symbol(symbol), letter = character_of_symbol(symbol);
    const uint32_t before = viewer->accent;
    if (before == 0 || (letter == 0 && accent == 0)) {
        viewer->accent = accent != 0 ? accent : before; /* modifiers do not end the wait */
        return accent != 0;
    }
    viewer->accent = 0;
    const uint32_t character = accented_character(before, accent != 0 ? accent : letter);
    if (character == 0) {
        type_character(vnc, before);
        return take_accent(vnc, viewer, symbol);
    }
    type_character(vnc, character);
    return true;
}

void vnc_key_event(rfbBool down, rfbKeySym symbol, rfbClientPtr client)
{
    struct vnc *vnc = client->screen->screenData;
    struct keyboard_key key;
    if (down && take_accent(vnc, client->clientData, symbol)) {
        return;
    }
    const bool has_key = key_of_symbol(symbol, &key);
    if (has_key && (!down || key_gives(vnc, symbol))) {
        key_input_press(&vnc->settings.keys, key, down != 0);
    } else if (down && character_of_symbol(symbol) != 0) {
        type_character(vnc, character_of_symbol(symbol));
    }
}

/* ---- Scan codes: "QEMU extended key event" of the RFB protocol's registry ---- */

enum { SCAN_E0 = 0x80, SCAN_HANJA = 0xf1, SCAN_HANGUL = 0xf2, HANJA = 0x71, HANGUL = 0x72 };

/* One byte for a code, with bit 7 for the prefix E0; some send both bytes. */
static struct keyboard_key key_of_scan(uint32_t scan)
{
    if (scan == SCAN_HANJA || scan == HANJA) {
        return (struct keyboard_key){SCAN_HANJA, 0};
    }
    if (scan == SCAN_HANGUL || scan == HANGUL) {
        return (struct keyboard_key){SCAN_HANGUL, 0};
    }
    const bool has_prefix = scan >> 8 == 0xe0 || scan & SCAN_E0;
    return (struct keyboard_key){(uint16_t)(scan & 0x7f), has_prefix ? KEYBOARD_EVENT_E0 : 0};
}

static rfbBool take_client(struct _rfbClientRec *client, void **data)
{
    return TRUE;
}

/* An empty rectangle of this encoding tells the viewer that we understand. */
static rfbBool enable(struct _rfbClientRec *client, void **data, int encoding)
{
    struct {
        rfbFramebufferUpdateMsg update;
        rfbFramebufferUpdateRectHeader rectangle;
    } answer = {
        {.type = rfbFramebufferUpdate, .nRects = Swap16IfLE(1)},
        {.encoding = Swap32IfLE(rfbEncodingQemuExtendedKeyEvent)},
    };
    if ((uint32_t)encoding != rfbEncodingQemuExtendedKeyEvent) {
        return FALSE;
    }
    return rfbWriteExact(client, (char *)&answer.update, sz_rfbFramebufferUpdateMsg) > 0 &&
           rfbWriteExact(client, (char *)&answer.rectangle, sz_rfbFramebufferUpdateRectHeader) > 0;
}

static rfbBool take_message(struct _rfbClientRec *client, void *data,
                            const rfbClientToServerMsg *message)
{
    struct vnc *vnc = client->screen->screenData;
    struct {
        uint8_t type, kind;
        uint16_t down;
        uint32_t symbol, scan;
    } event;
    if (message->type != rfbQemuEvent) {
        return FALSE;
    }
    if (rfbReadExact(client, (char *)&event.kind, sizeof(event) - 1) <= 0) {
        rfbCloseClient(client);
        return TRUE;
    }
    const uint32_t scan = Swap32IfLE(event.scan);
    if (event.kind != 0) {
        return TRUE;
    }
    if (scan == 0) {
        vnc_key_event(event.down != 0, Swap32IfLE(event.symbol), client);
    } else {
        key_input_press(&vnc->settings.keys, key_of_scan(scan), event.down != 0);
    }
    return TRUE;
}

static int encodings[] = {(int)rfbEncodingQemuExtendedKeyEvent, 0};

/* The library links it into its list. */
static rfbProtocolExtension scan_codes = {
    .newClient = take_client,
    .pseudoEncodings = encodings,
    .enablePseudoEncoding = enable,
    .handleMessage = take_message,
};

void vnc_scan_codes_offer(void)
{
    rfbRegisterProtocolExtension(&scan_codes);
}

void vnc_extension_end(rfbClientPtr client, rfbProtocolExtension *extension)
{
    for (rfbExtensionData *data = client->extensions; data != NULL; data = data->next) {
        if (data->extension == extension) {
            rfbDisableExtension(client, extension);
            free(data); /* the library unlinks it, and leaks it */
            return;
        }
    }
}

void vnc_scan_codes_end(rfbClientPtr client)
{
    vnc_extension_end(client, &scan_codes);
}

/* ---- The pointer ---- */

/* Buttons of a VNC pointer, from bit 0. */
enum {
    VNC_LEFT, VNC_MIDDLE, VNC_RIGHT, VNC_WHEEL_UP, VNC_WHEEL_DOWN, VNC_WHEEL_LEFT,
    VNC_WHEEL_RIGHT, VNC_BACK, VNC_BUTTONS,
};

/* The mouse's, or -1: the wheels. */
static const int8_t button_of[VNC_BUTTONS] = {0, 2, 1, -1, -1, -1, -1, 3};

/*
 * The middle of the pixel, so that every guest finds the same pixel, whether it multiplies by the
 * size and divides by 32767 or by 32768. The first and the last pixel are the ends of the range:
 * screen corners and edges mean something.
 */
static uint32_t coordinate(int at, int size)
{
    const int64_t range = (int64_t)MOUSE_COORDINATE_MAXIMUM + 1;
    if (at <= 0 || size < 2) {
        return 0;
    }
    return at >= size - 1 ? MOUSE_COORDINATE_MAXIMUM
                          : (uint32_t)((2 * (int64_t)at + 1) * range / (2 * size));
}

static void remember(struct vnc *vnc, int x, int y)
{
    vnc->positions[vnc->position_count % VNC_POSITIONS_KEPT] = (struct vnc_position){x, y};
    vnc->position_count++;
}

/* Each detent of a wheel is a press of its button. */
static int detents(int pressed, int up, int down)
{
    return (pressed >> up & 1) - (pressed >> down & 1);
}

void vnc_pointer_event(int buttons, int x, int y, rfbClientPtr client)
{
    struct vnc *vnc = client->screen->screenData;
    struct vnc_viewer *viewer = client->clientData;
    struct virtual_device *mouse = vnc->settings.mouse;
    const int changed = buttons ^ viewer->buttons, pressed = buttons & changed;
    const bool moved = x != viewer->x || y != viewer->y;
    viewer->buttons = buttons;
    viewer->x = x;
    viewer->y = y;
    remember(vnc, x, y);
    if (mouse != NULL && moved) {
        mouse_move(mouse, coordinate(x, client->screen->width),
                   coordinate(y, client->screen->height));
    }
    if (mouse != NULL) {
        for (int bit = 0; bit < VNC_BUTTONS; bit++) {
            if (changed >> bit & 1 && button_of[bit] >= 0) {
                mouse_button(mouse, (unsigned)button_of[bit], buttons >> bit & 1);
            }
        }
        mouse_wheel(mouse, detents(pressed, VNC_WHEEL_UP, VNC_WHEEL_DOWN));
        mouse_pan(mouse, detents(pressed, VNC_WHEEL_RIGHT, VNC_WHEEL_LEFT));
    }
    rfbDefaultPtrAddEvent(buttons, x, y, client);
}
