/* SPDX-License-Identifier: BSD-3-Clause */
/* log.c - what drivers print (IOLog, printf, kprintf, panic) and text formatting for them. */
#include "xnu/bsd/boot_args.h"
#include "xnu/bsd/format.h"
#include "xnu/bsd/kpi.h"
#include "xnu/machine/log.h"
#include "xnu/machine/panic.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum { LINE_MAX = 1024 };            /* longer messages are cut, as the kernel may */

static void log_text(const char *format, va_list arguments)
{
    char text[LINE_MAX];
    int length = format_string(text, sizeof text, format, arguments);

    machine_log_write(text, length < LINE_MAX ? (size_t)length : LINE_MAX - 1);
}

KPI(void, IOLogv, (const char *format, va_list arguments))
{
    log_text(format, arguments);
}

KPI(void, IOLog, (const char *format, ...))
{
    va_list arguments;

    va_start(arguments, format);
    log_text(format, arguments);
    va_end(arguments);
}

KPI_AS(int, kernel_vprintf, vprintf, (const char *format, va_list arguments))
{
    log_text(format, arguments);
    return 0;
}

KPI_AS(int, kernel_printf, printf, (const char *format, ...))
{
    va_list arguments;

    va_start(arguments, format);
    log_text(format, arguments);
    va_end(arguments);
    return 0;
}

/* kprintf goes to the serial line, which is off unless debug has DB_KPRT (8). */
KPI(void, kprintf, (const char *format, ...))
{
    uint32_t debug = 0;
    va_list arguments;

    if (!boot_args_find(boot_args_line(), "debug", &debug, sizeof debug) || !(debug & 8))
        return;
    va_start(arguments, format);
    log_text(format, arguments);
    va_end(arguments);
}

KPI(void, OSReportWithBacktrace, (const char *format, ...))
{
    va_list arguments;

    va_start(arguments, format);
    log_text(format, arguments);
    va_end(arguments);
    machine_log_write("\n", 1);
}

_Noreturn static void panic_text(const char *format, va_list arguments)
{
    char text[LINE_MAX];

    format_string(text, sizeof text, format, arguments);
    machine_panic("%s", text);
}

KPI_AS(_Noreturn void, kernel_panic_export, panic, (const char *format, ...))
{
    va_list arguments;

    va_start(arguments, format);
    panic_text(format, arguments);
}

KPI(_Noreturn void, IOPanic, (const char *reason))
{
    machine_panic("%s", reason);
}

KPI(_Noreturn void, Debugger, (const char *reason))
{
    machine_panic("Debugger: %s", reason);
}

KPI(_Noreturn void, PE_enter_debugger, (const char *reason))
{
    machine_panic("Debugger: %s", reason);
}

KPI(_Noreturn void, Assert, (const char *file, int line, const char *expression))
{
    machine_panic("%s:%d: assertion failed: %s", file, line, expression);
}

/* ---- formatting into memory ----------------------------------------------------------------- */

KPI_AS(int, kernel_vsnprintf, vsnprintf,
       (char *text, size_t size, const char *format, va_list arguments))
{
    return format_string(text, size, format, arguments);
}

KPI_AS(int, kernel_snprintf, snprintf, (char *text, size_t size, const char *format, ...))
{
    va_list arguments;

    va_start(arguments, format);
    int length = format_string(text, size, format, arguments);
    va_end(arguments);
    return length;
}

/* The variants that return what was written, not what would have been. */
KPI_AS(int, kernel_vscnprintf, vscnprintf,
       (char *text, size_t size, const char *format, va_list arguments))
{
    int length = format_string(text, size, format, arguments);

    return size == 0 ? 0 : (size_t)length < size ? length : (int)size - 1;
}

KPI_AS(int, kernel_scnprintf, scnprintf, (char *text, size_t size, const char *format, ...))
{
    va_list arguments;

    va_start(arguments, format);
    int length = kernel_vscnprintf(text, size, format, arguments);
    va_end(arguments);
    return length;
}

KPI_AS(int, kernel_vsprintf, vsprintf, (char *text, const char *format, va_list arguments))
{
    return format_string(text, INT32_MAX, format, arguments);
}

KPI_AS(int, kernel_sprintf, sprintf, (char *text, const char *format, ...))
{
    va_list arguments;

    va_start(arguments, format);
    int length = format_string(text, INT32_MAX, format, arguments);
    va_end(arguments);
    return length;
}
