/* SPDX-License-Identifier: BSD-3-Clause */
/* log_view.h - text as it comes (UTF-8, lines end with \n) in some rows of a text screen: the
 * newest at the bottom, long lines broken. The name before the first ": " of a line stands out. */
#ifndef XNU_CONSOLE_LOG_VIEW_H
#define XNU_CONSOLE_LOG_VIEW_H

#include "xnu/console/text_screen.h"

enum { LOG_VIEW_LINE_MAX = 512 }; /* characters; longer lines go on as another one */

struct log_view {
    struct text_screen *screen;
    uint32_t first, last;               /* rows first ... last - 1 */
    uint32_t next;                      /* row of the next line */
    uint16_t line[LOG_VIEW_LINE_MAX];   /* what has come of it */
    uint32_t length;
    uint32_t code, missing;             /* of a UTF-8 sequence that is not whole */
};

void log_view_open(struct log_view *view, struct text_screen *screen, uint32_t first,
                   uint32_t last);
void log_view_write(struct log_view *view, const char *text, size_t length);
/* Ends the line that is being written, if one is, and adds one of its own style. */
void log_view_add_line(struct log_view *view, const uint16_t *characters, uint32_t count,
                       enum text_style style);

#endif
