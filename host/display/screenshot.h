/* SPDX-License-Identifier: BSD-3-Clause */
/* A picture of the screen as a PNG file, or as a plain PPM (P6) when the name ends with .ppm. */
#ifndef HOST_DISPLAY_SCREENSHOT_H
#define HOST_DISPLAY_SCREENSHOT_H

#include "host/devices/video.h"

/* Writes the picture to a new file, or over an old one, with the pointer on it where it shows
 * (NULL: without). 0 or a negative errno. */
int screenshot_write(const struct video_screen *screen, const struct video_pointer *pointer,
                     const char *path);

#endif
