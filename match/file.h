/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole files in memory, and lines of them. */
#ifndef MACHV_MATCH_FILE_H
#define MACHV_MATCH_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Reads `path` ("-": standard input). Returns a buffer that ends in a NUL which `*size` does not
 * count, for the caller to free(); NULL with errno set: also EFBIG when the file is longer than
 * `limit` bytes, EISDIR. */
char *file_read(const char *path, size_t limit, size_t *size);

/* One line of a text after the other; ends at CR LF, LF or CR. */
struct line_reader {
    const char *text;
    size_t size;
    size_t position;
    size_t number; /* of the line taken last, from 1 */
};

/* Takes the next line (borrowed, without its end). Returns false at the end of the text. */
bool line_next(struct line_reader *reader, const char **line, size_t *length);

/* Takes exactly `digits` hexadecimal digits at `text`. Returns false where there are none. */
bool hexadecimal_number(const char *text, size_t available, size_t digits, unsigned *number);

#endif
