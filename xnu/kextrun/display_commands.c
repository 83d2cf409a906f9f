/* SPDX-License-Identifier: BSD-3-Clause */
#include "xnu/kextrun/display_commands.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xnu/console/console.h"
#include "xnu/families/graphics/framebuffer.h"
#include "xnu/machine/files.h"

#define MODES_MAX 256u
#define PICTURE_FILE_MAX (UINT64_C(256) << 20) /* bytes */

static void list_modes(struct answer *answer) {
    struct framebuffer_mode modes[MODES_MAX];
    unsigned count = framebuffer_modes(modes, MODES_MAX);
    if (count == 0) {
        answer_say(answer, "error there is no framebuffer: load MacHyperVFramebuffer.kext\n");
        return;
    }
    answer_say(answer, "ok\n");
    for (unsigned i = 0; i < count && i < MODES_MAX; i++) {
        answer_say(answer, "%ux%u%s%s\n", modes[i].width, modes[i].height,
                   modes[i].is_current ? " current" : "", modes[i].is_default ? " default" : "");
    }
}

static void set_mode(struct answer *answer, const char *words) {
    unsigned width, height;
    char end;
    if (words == NULL || sscanf(words, "%ux%u%c", &width, &height, &end) != 2) {
        answer_say(answer, "usage display set needs a size such as 1920x1080\n");
        return;
    }
    switch (framebuffer_set_mode(width, height)) {
    case 0:
        answer_say(answer, "ok\n");
        break;
    case -ENODEV:
        answer_say(answer, "error there is no framebuffer: load MacHyperVFramebuffer.kext\n");
        break;
    case -ENOENT:
        answer_say(answer, "error there is no mode %ux%u: see kextrun display modes\n", width,
                   height);
        break;
    default:
        answer_say(answer, "error the driver refused %ux%u: the log says why\n", width, height);
        break;
    }
}

/* ---- a picture from a file ------------------------------------------------------------------ */

/* A binary PPM (P6) with 255 as its maximum, without comments. */
struct ppm {
    unsigned width, height;
    const uint8_t *pixels; /* red, green, blue; rows from the top */
};

static bool read_ppm(const uint8_t *file, size_t size, struct ppm *ppm) {
    int header = 0;
    unsigned maximum = 0;
    if (sscanf((const char *)file, "P6 %u %u %u%n", &ppm->width, &ppm->height, &maximum,
               &header) != 3 ||
        maximum != 255 || ppm->width == 0 || ppm->height == 0 || (size_t)header >= size) {
        return false;
    }
    ppm->pixels = file + header + 1;
    return ppm->height <= (size - (size_t)header - 1) / 3 / ppm->width;
}

static uint32_t component(uint8_t value, uint32_t mask) {
    unsigned shift = (unsigned)__builtin_ctz(mask);
    unsigned bits = (unsigned)__builtin_popcount(mask);
    return (uint32_t)value >> (8 - bits) << shift;
}

static void draw(const struct framebuffer_picture *screen, const struct ppm *ppm) {
    const uint8_t *from = ppm->pixels;
    for (uint32_t y = 0; y < screen->height; y++) {
        uint8_t *to = screen->pixels + (size_t)y * screen->pitch;
        for (uint32_t x = 0; x < screen->width; x++, from += 3, to += screen->bits / 8) {
            uint32_t pixel = component(from[0], screen->red) | component(from[1], screen->green) |
                             component(from[2], screen->blue);
            memcpy(to, &pixel, screen->bits / 8);
        }
    }
}

static void draw_file(struct answer *answer, const char *path) {
    struct framebuffer_picture screen;
    struct ppm ppm;
    uint8_t *file;
    size_t size;
    if (path == NULL) {
        answer_say(answer, "usage display draw needs a file: a binary PPM of the screen's size\n");
        return;
    }
    if (!framebuffer_picture(&screen)) {
        answer_say(answer, "error there is no framebuffer: load MacHyperVFramebuffer.kext\n");
        return;
    }
    int status = machine_file_read(path, PICTURE_FILE_MAX, &file, &size);
    if (status != 0) {
        answer_say(answer, "error %.200s: %s\n", path, machine_error_text(status));
        return;
    }
    if (!read_ppm(file, size, &ppm)) {
        answer_say(answer, "error %.200s is no binary PPM with 8 bits a colour\n", path);
    } else if (ppm.width != screen.width || ppm.height != screen.height) {
        answer_say(answer, "error %.200s is %ux%u, and the screen is %ux%u\n", path, ppm.width,
                   ppm.height, screen.width, screen.height);
    } else {
        console_pause(true);
        draw(&screen, &ppm);
        answer_say(answer, "ok\n");
    }
    machine_file_free(file);
}

void display_command(struct answer *answer, char *words) {
    const char *verb = words == NULL ? "" : strsep(&words, " ");
    if (strcmp(verb, "modes") == 0) {
        list_modes(answer);
    } else if (strcmp(verb, "set") == 0) {
        set_mode(answer, words);
    } else if (strcmp(verb, "draw") == 0) {
        draw_file(answer, words);
    } else if (strcmp(verb, "console") == 0) {
        console_pause(false);
        answer_say(answer, "ok\n");
    } else {
        answer_say(answer, "usage display takes modes, set WIDTHxHEIGHT, draw FILE or console\n");
    }
}
