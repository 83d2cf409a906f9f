/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char *read_stream(FILE *file, size_t limit, size_t *size)
{
    size_t capacity = 1 << 16;
    char *bytes = malloc(capacity + 1);
    size_t length = 0;
    size_t got;

    while (bytes != NULL && (got = fread(bytes + length, 1, capacity - length, file)) > 0) {
        char *grown;

        length += got;
        if (length > limit) {
            free(bytes);
            errno = EFBIG;
            return NULL;
        }
        if (length < capacity)
            continue;
        capacity *= 2;
        grown = realloc(bytes, capacity + 1);
        if (grown == NULL)
            free(bytes);
        bytes = grown;
    }
    if (bytes == NULL)
        return NULL;
    if (ferror(file)) {
        free(bytes);
        errno = EIO;
        return NULL;
    }
    bytes[length] = '\0';
    *size = length;
    return bytes;
}

char *file_read(const char *path, size_t limit, size_t *size)
{
    struct stat status;
    FILE *file;
    char *bytes;
    int saved;

    if (strcmp(path, "-") == 0)
        return read_stream(stdin, limit, size);
    file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    if (fstat(fileno(file), &status) == 0 && S_ISDIR(status.st_mode)) {
        fclose(file);
        errno = EISDIR;
        return NULL;
    }
    bytes = read_stream(file, limit, size);
    saved = errno;
    fclose(file);
    errno = saved;
    return bytes;
}

bool line_next(struct line_reader *reader, const char **line, size_t *length)
{
    size_t start = reader->position;
    size_t end = start;

    if (start >= reader->size)
        return false;
    while (end < reader->size && reader->text[end] != '\n' && reader->text[end] != '\r')
        end++;
    *line = reader->text + start;
    *length = end - start;
    if (end + 1 < reader->size && reader->text[end] == '\r' && reader->text[end + 1] == '\n')
        end++;
    reader->position = end < reader->size ? end + 1 : end;
    reader->number++;
    return true;
}

bool hexadecimal_number(const char *text, size_t available, size_t digits, unsigned *number)
{
    size_t index;

    *number = 0;
    if (available < digits)
        return false;
    for (index = 0; index < digits; index++) {
        char character = text[index];
        unsigned digit;

        if (character >= '0' && character <= '9')
            digit = (unsigned)(character - '0');
        else if ((character | 0x20) >= 'a' && (character | 0x20) <= 'f')
            digit = (unsigned)((character | 0x20) - 'a' + 10);
        else
            return false;
        *number = *number << 4 | digit;
    }
    return true;
}
