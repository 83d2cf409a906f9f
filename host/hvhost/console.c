/* SPDX-License-Identifier: BSD-3-Clause */
/* The machine's console: keyboard, mouse and screen, and the verbs that use them. */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "host/devices/mouse.h"
#include "host/devices/video.h"
#include "host/display/key_input.h"
#include "host/display/keys.h"
#include "host/display/screenshot.h"
#include "host/display/vnc.h"
#include "host/hvhost/hvhost.h"
#include "host/platform/ps2.h"

/* Where the firmware of generation 2 puts the frame buffer. */
#define BOOT_SCREEN 0xf8000000u

static int make_video(struct hvhost *host)
{
    struct video_settings settings;
    const uint32_t version = host->release.versions.video;
    if (version == 0) {
        return 0;
    }
    video_default_settings(SYNTHVID_VERSION(version >> 16, version & 0xffff), &settings);
    if (host->options.largest_width != 0) {
        video_limit_settings(&settings, host->options.largest_width,
                             host->options.largest_height);
    }
    host->video = video_new(&settings);
    if (host->video == NULL) {
        return -ENOMEM;
    }
    hvhost_add_device(host, host->video);
    return 0;
}

/* The first line of the file of --vnc-password. Returns 0 or a negative errno, with the reason in
 * `error`. */
static int read_password(const char *path, char *password, size_t size, char *error,
                         size_t error_size)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        const int result = -errno;
        snprintf(error, error_size, "--vnc-password %s: %s", path, strerror(-result));
        return result;
    }
    const bool read = fgets(password, (int)size, file) != NULL;
    fclose(file);
    password[read ? strcspn(password, "\r\n") : 0] = '\0';
    if (password[0] == '\0') {
        snprintf(error, error_size, "--vnc-password %s: its first line is to be the password",
                 path);
        return -EINVAL;
    }
    return 0;
}

static int make_vnc(struct hvhost *host, char *error, size_t error_size)
{
    const struct hvhost_options *options = &host->options;
    char password[64];
    int result;
    if (!options->vnc) {
        return 0;
    }
    struct vnc_settings settings = {
        .path = options->vnc_path,
        .port = options->vnc_port,
        .video = host->video,
        .keys = host->keys,
        .mouse = host->mouse,
    };
    if (options->vnc_password_path != NULL) {
        result = read_password(options->vnc_password_path, password, sizeof(password), error,
                               error_size);
        if (result != 0) {
            return result;
        }
        settings.password = password;
    }
    host->vnc = vnc_new(&settings, &result);
    if (host->vnc == NULL) {
        if (options->vnc_path != NULL) {
            snprintf(error, error_size, "--vnc %s: %s", options->vnc_path, strerror(-result));
        } else {
            snprintf(error, error_size, "--vnc %u: %s", options->vnc_port, strerror(-result));
        }
        return result;
    }
    hvhost_add_device(host, host->vnc);
    if (options->vnc_path != NULL) {
        fprintf(stderr, "hvhost: VNC on %s\n", options->vnc_path);
    } else {
        fprintf(stderr, "hvhost: VNC on port %u of 127.0.0.1\n", vnc_port(host->vnc));
    }
    return 0;
}

uint32_t hvhost_boot_screen(const struct hvhost *host)
{
    return host->video != NULL && host->options.generation == 2 ? BOOT_SCREEN : 0;
}

void hvhost_start_console(struct hvhost *host, bool wanted)
{
    const uint32_t address = hvhost_boot_screen(host);
    int result = wanted && address != 0 ? video_show_boot_screen(host->video, address) : 0;
    if (result != 0) {
        hvhost_event(host, "screen", NULL, "the guest starts without a picture: %s",
                     strerror(-result));
    }
}

int hvhost_make_console(struct hvhost *host, char *error, size_t error_size)
{
    if (host->release.versions.keyboard != 0) {
        host->keys.synthetic = keyboard_new();
        if (host->keys.synthetic == NULL) {
            return -ENOMEM;
        }
        hvhost_add_device(host, host->keys.synthetic);
    }
    if (host->options.generation == 1) {
        host->keys.ps2 = ps2_new();
        if (host->keys.ps2 == NULL) {
            return -ENOMEM;
        }
        hvhost_add_device(host, host->keys.ps2);
    }
    if (host->release.versions.mouse != 0) {
        const struct mouse_settings settings = {
            .has_horizontal_wheel = host->options.horizontal_wheel,
        };
        host->mouse = mouse_new(&settings);
        if (host->mouse == NULL) {
            return -ENOMEM;
        }
        hvhost_add_device(host, host->mouse);
    }
    int result = make_video(host);
    return result != 0 ? result : make_vnc(host, error, error_size);
}

static const char *text_of(struct json_object *arguments, const char *name)
{
    struct json_object *value;
    return json_object_object_get_ex(arguments, name, &value) &&
                   json_object_is_type(value, json_type_string)
               ? json_object_get_string(value)
               : NULL;
}

/* Answers a verb whose device said `result`. */
static void answer(struct control_ticket *ticket, int result, const char *device)
{
    switch (result) {
    case 0:
        control_answer(ticket, NULL);
        break;
    case -ENOTCONN:
        control_refuse(ticket, result, "the guest's driver does not use the %s", device);
        break;
    case -EAGAIN:
        control_refuse(ticket, result, "the guest does not keep up with the %s", device);
        break;
    case -EILSEQ:
        control_refuse(ticket, result,
                       "no key of the PS/2 %s types one of the characters; the synthetic one could",
                       device);
        break;
    default:
        control_refuse(ticket, result, "%s: %s", device, strerror(-result));
        break;
    }
}

/* ---- The keyboard ---- */

void hvhost_verb_type_text(struct hvhost *host, struct json_object *arguments,
                           struct control_ticket *ticket)
{
    const char *text = text_of(arguments, "text");
    if (text == NULL) {
        control_refuse(ticket, -EINVAL, "type-text needs \"text\"");
    } else {
        answer(ticket, key_input_type(&host->keys, text), "keyboard");
    }
}

enum { CHORD_KEYS = 8 };

/* "ctrl+alt+delete" -> keys; their number, or -EINVAL. The plus sign is "=" with shift. */
static int read_chord(const char *text, struct keyboard_key keys[CHORD_KEYS], char *wrong,
                      size_t size)
{
    int count = 0;
    for (;;) {
        size_t length = strcspn(text, "+");
        snprintf(wrong, size, "%.*s", (int)length, text);
        if (count == CHORD_KEYS || !key_of_name(wrong, &keys[count])) {
            return -EINVAL;
        }
        count++;
        if (text[length] == '\0') {
            return count;
        }
        text += length + 1;
    }
}

static int play_chord(const struct key_input *input, const struct keyboard_key *keys, int count,
                      bool down, bool up)
{
    int result = 0, pressed = 0;
    for (; down && result == 0 && pressed < count; pressed++) {
        result = key_input_press(input, keys[pressed], true);
    }
    /* Those that went down go up again, also when the last one did not fit. */
    for (int i = (down ? pressed : count) - 1; (up || result != 0) && i >= 0; i--) {
        int released = key_input_press(input, keys[i], false);
        result = result != 0 ? result : released;
    }
    return result;
}

void hvhost_verb_key(struct hvhost *host, struct json_object *arguments,
                     struct control_ticket *ticket)
{
    struct keyboard_key keys[CHORD_KEYS];
    char wrong[32];
    const char *text = text_of(arguments, "keys"), *way = text_of(arguments, "way");
    if (text == NULL ||
        (way != NULL && strcmp(way, "press") != 0 && strcmp(way, "down") != 0 &&
         strcmp(way, "up") != 0)) {
        control_refuse(ticket, -EINVAL, "key needs \"keys\"; \"way\" is press, down or up");
        return;
    }
    int count = read_chord(text, keys, wrong, sizeof(wrong));
    if (count < 0) {
        control_refuse(ticket, count, "%s: no such key; a character, a name such as enter or f12, "
                                      "or a code such as 0x56 or e0-4b", wrong);
        return;
    }
    const bool down = way == NULL || strcmp(way, "up") != 0;
    const bool up = way == NULL || strcmp(way, "down") != 0;
    answer(ticket, play_chord(&host->keys, keys, count, down, up), "keyboard");
}

/* ---- The mouse ---- */

static bool number_of(struct json_object *arguments, const char *name, int *number)
{
    struct json_object *value;
    if (!json_object_object_get_ex(arguments, name, &value) ||
        !json_object_is_type(value, json_type_int)) {
        return false;
    }
    *number = json_object_get_int(value);
    return true;
}

void hvhost_verb_mouse(struct hvhost *host, struct json_object *arguments,
                       struct control_ticket *ticket)
{
    const char *action = text_of(arguments, "action");
    int first, second, result = -EINVAL;
    if (host->mouse == NULL) {
        control_refuse(ticket, -ENODEV, "this release has no synthetic mouse");
        return;
    }
    const bool has_number = number_of(arguments, "first", &first) && first >= 0;
    if (action == NULL || !number_of(arguments, "first", &first)) {
        result = -EINVAL;
    } else if (strcmp(action, "move") == 0 && has_number &&
               number_of(arguments, "second", &second) && second >= 0) {
        result = mouse_move(host->mouse, (uint32_t)first, (uint32_t)second);
    } else if (strcmp(action, "wheel") == 0) {
        result = mouse_wheel(host->mouse, first);
    } else if (strcmp(action, "pan") == 0) {
        result = mouse_pan(host->mouse, first);
    } else if (has_number && (strcmp(action, "down") == 0 || strcmp(action, "click") == 0)) {
        result = mouse_button(host->mouse, (unsigned)first, true);
        if (result == 0 && action[0] == 'c') {
            result = mouse_button(host->mouse, (unsigned)first, false);
        }
    } else if (has_number && strcmp(action, "up") == 0) {
        result = mouse_button(host->mouse, (unsigned)first, false);
    }
    if (result == -ENODEV) {
        control_refuse(ticket, result, "the mouse has no horizontal wheel: start hvhost with "
                                       "--horizontal-wheel");
        return;
    }
    if (result == -EINVAL) {
        control_refuse(ticket, result, "mouse takes move X Y (0 to 32767), down, up or click "
                                       "BUTTON (0 to 4), wheel or pan DETENTS");
        return;
    }
    answer(ticket, result, "mouse");
}

/* ---- The screen ---- */

void hvhost_verb_screenshot(struct hvhost *host, struct json_object *arguments,
                            struct control_ticket *ticket)
{
    struct video_screen screen;
    const char *path = text_of(arguments, "file");
    if (path == NULL) {
        control_refuse(ticket, -EINVAL, "screenshot needs \"file\"");
        return;
    }
    if (host->video == NULL || !video_screen(host->video, &screen)) {
        control_refuse(ticket, -ENODATA, "the guest shows no picture");
        return;
    }
    struct json_object *pointer;
    const bool with_pointer = json_object_object_get_ex(arguments, "pointer", &pointer) &&
                              json_object_get_boolean(pointer);
    int result = screenshot_write(&screen, with_pointer ? video_pointer(host->video) : NULL, path);
    if (result != 0) {
        control_refuse(ticket, result, "%s: %s", path, strerror(-result));
        return;
    }
    struct json_object *object = json_object_new_object();
    json_object_object_add(object, "width", json_object_new_int((int)screen.width));
    json_object_object_add(object, "height", json_object_new_int((int)screen.height));
    control_answer(ticket, object);
}

/* True: answered, with why not. */
static bool refuse_size(struct hvhost *host, int width, int height, struct control_ticket *ticket)
{
    int result = width <= 0 || height <= 0
                     ? -ERANGE
                     : video_resize(host->video, (uint32_t)width, (uint32_t)height);
    switch (result) {
    case 0:
        return false;
    case -ERANGE:
        control_refuse(ticket, result, "%d x %d: 64 to 4095 pixels each way, and what fits into "
                                       "the video memory", width, height);
        return true;
    case -EOPNOTSUPP:
        control_refuse(ticket, result, "a guest learns of another size from video protocol 3.5 on: "
                                       "another --release, or set the mode in the guest");
        return true;
    default:
        control_refuse(ticket, result, "the guest's driver does not use the display");
        return true;
    }
}

void hvhost_verb_display(struct hvhost *host, struct json_object *arguments,
                         struct control_ticket *ticket)
{
    int width, height;
    const char *changes = text_of(arguments, "changes");
    if (host->video == NULL) {
        control_refuse(ticket, -ENODEV, "this release has no synthetic video device");
        return;
    }
    if (changes != NULL) {
        video_let_guest_tell(host->video, strcmp(changes, "guest") == 0);
    }
    if (number_of(arguments, "width", &width) && number_of(arguments, "height", &height) &&
        refuse_size(host, width, height, ticket)) {
        return;
    }
    struct json_object *object = json_object_new_object();
    host->video->operations->describe(host->video, object);
    control_answer(ticket, object);
}
