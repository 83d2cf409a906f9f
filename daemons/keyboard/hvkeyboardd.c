/* SPDX-License-Identifier: BSD-3-Clause */
/* hvkeyboardd: tells the keyboard driver which layout the session uses, so that text typed by the
 * host arrives as it is. An agent of the user's session. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "daemons/common/daemon.h"
#include "daemons/common/private.h"
#include "daemons/keyboard/agent.h"

#define LOOK_AGAIN_MS 1000

static const char *layout_path, *control = "/var/run/machv/kextrun.sock";
static bool once, to_terminal, debug;

static int usage_error(const char *what, const char *value)
{
    fprintf(stderr, "hvkeyboardd: %s%s; see hvkeyboardd --help\n", what, value);
    return 2;
}

static void help(void)
{
    printf("usage: hvkeyboardd [OPTION...]\n"
           "Tells the keyboard driver the session's layout, for text that the host types.\n\n"
           "  --layout-file FILE  give it the layout in FILE (of the form of\n"
           "                      layouts/german.layout) instead, and again when FILE changes;\n"
           "                      needed on a system that is not macOS\n"
           "  --once              end when the driver has the layout\n"
           "  --control SOCKET    on a system that is not macOS: the control socket of kextrun\n"
           "  --foreground        log to standard error instead of the system log\n"
           "  --debug             log more\n"
           "  -h, --help          show this\n"
           "  --version           show the version\n");
}

/* 0: go on; otherwise the exit status + 1. */
static int read_option(char **argv, int *at)
{
    const char *word = argv[*at], *value = argv[*at + 1];

    if (strcmp(word, "--layout-file") == 0 || strcmp(word, "--control") == 0) {
        if (value == NULL)
            return usage_error("a value is missing after ", word) + 1;
        *(word[2] == 'l' ? &layout_path : &control) = value;
        (*at)++;
    } else if (strcmp(word, "--once") == 0) {
        once = true;
    } else if (strcmp(word, "--foreground") == 0) {
        to_terminal = true;
    } else if (strcmp(word, "--debug") == 0) {
        debug = true;
    } else if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
        help();
        return 1;
    } else if (strcmp(word, "--version") == 0) {
        printf("hvkeyboardd %s\n", DAEMON_VERSION);
        return 1;
    } else {
        return usage_error("unknown option ", word) + 1;
    }
    return 0;
}

/* The last table that the driver took. */
static uint8_t given[KEY_LAYOUT_BYTES_MAXIMUM];
static size_t given_size;

static int give_file(void)
{
    static uint8_t table[KEY_LAYOUT_BYTES_MAXIMUM];
    static struct layout layout;
    size_t size;

    if (layout_of_file(layout_path, &layout) != 0)
        return -1;
    size = layout_make_table(&layout, table);
    if (size == given_size && memcmp(table, given, size) == 0)
        return 0;
    if (layout_upload(control, table, size) != 0)
        return -1;
    memcpy(given, table, size);
    given_size = size;
    daemon_log("text is typed on %s now", layout.name);
    return 0;
}

static void follow_file(void)
{
    for (;;) {
        give_file();
        poll(NULL, 0, LOOK_AGAIN_MS);
    }
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int status = read_option(argv, &i);

        if (status != 0)
            return status - 1;
    }
    daemon_log_open("hvkeyboardd", to_terminal, debug);
    if (layout_path != NULL) {
        if (once)
            return give_file() == 0 ? 0 : 1;
        follow_file();
    }
#ifdef __APPLE__
    if (once)
        return usage_error("--once needs --layout-file", "");
    session_follow();
    return 1;
#else
    return usage_error("--layout-file is needed on a system that is not macOS", "");
#endif
}
