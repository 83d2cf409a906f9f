/* SPDX-License-Identifier: BSD-3-Clause */
/* The log of a daemon. */
#include "daemons/common/private.h"

#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

static const char *log_name;
static bool log_to_terminal, log_debug, log_started;

void daemon_log_open(const char *name, bool to_terminal, bool debug)
{
    log_name = name;
    log_to_terminal = to_terminal;
    log_debug = debug;
    if (!to_terminal)
        openlog(name, LOG_PID, LOG_DAEMON);
}

void daemon_log_started(void)
{
    log_started = true;
}

static void write_line(int priority, const char *format, va_list arguments)
{
    char line[1024];

    vsnprintf(line, sizeof line, format, arguments);
    if (log_to_terminal || !log_started)
        fprintf(stderr, "%s: %s\n", log_name != NULL ? log_name : "daemon", line);
    if (!log_to_terminal && log_name != NULL)
        syslog(priority, "%s", line);
}

void daemon_log(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line(LOG_NOTICE, format, arguments);
    va_end(arguments);
}

void daemon_error(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line(LOG_ERR, format, arguments);
    va_end(arguments);
}

void daemon_debug(const char *format, ...)
{
    va_list arguments;

    if (!log_debug)
        return;
    va_start(arguments, format);
    write_line(LOG_DEBUG, format, arguments);
    va_end(arguments);
}
