/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel log: a ring in memory (msgbuf) plus an output function. What the kernel's printf,
 * IOLog and panic write ends here, as bytes; the machine's own messages go through machine_log().
 */
#ifndef MACHV_XNU_MACHINE_LOG_H
#define MACHV_XNU_MACHINE_LOG_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define MACHINE_LOG_RING_SIZE (256u * 1024u)

/* Appends bytes as they are (the caller ends lines with \n). Any context. */
void machine_log_write(const char *text, size_t length);
/* Appends one formatted line (libc printf rules, cut at 511 bytes); \n is added. */
void machine_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
void machine_log_v(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

/*
 * Where complete lines go besides the ring, one call a line without its \n, and the uptime (ns) at
 * which it began. NULL: nowhere. The default writes to standard output as macOS would show it.
 */
typedef void machine_log_output(void *context, uint64_t uptime, const char *line, size_t length);
void machine_log_set_output(machine_log_output *output, void *context);

/*
 * Called after bytes were appended, in the context of whoever appended them: it must only take
 * notice, and wake somebody. NULL: nobody.
 */
typedef void machine_log_listener(void);
void machine_log_set_listener(machine_log_listener *listener);

/*
 * Copies log bytes from `position` (0 = the first byte ever written) into `buffer`. Returns the
 * position after the last byte copied; *copied says how many, *lost how many had been overwritten.
 */
uint64_t machine_log_read(uint64_t position, char *buffer, size_t size, size_t *copied,
                          uint64_t *lost);

#endif
