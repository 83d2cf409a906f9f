/* SPDX-License-Identifier: BSD-3-Clause */
/* A layout from a file. */
#include "daemons/keyboard/agent.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemons/common/daemon.h"

#define TEXT_MAXIMUM 65536u

int layout_of_file(const char *path, struct layout *layout)
{
    static char text[TEXT_MAXIMUM];
    FILE *file = fopen(path, "r");
    size_t length;
    uint32_t line;

    if (file == NULL) {
        daemon_error("%s: %s", path, strerror(errno));
        return -1;
    }
    length = fread(text, 1, sizeof text, file);
    fclose(file);
    line = layout_read(layout, text, length);
    if (line == 0)
        return 0;
    daemon_error("%s:%u is no line of a layout", path, (unsigned)line);
    return -1;
}
