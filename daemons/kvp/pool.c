/* SPDX-License-Identifier: BSD-3-Clause */
/* A pool of key-value pairs in a file. */
#include "daemons/kvp/pool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- Lines ---- */

/* Reads up to the tab or the end of the line into `to`; what does not fit is left out. Returns the
 * character that ended it. */
static int read_field(FILE *file, char *to, size_t size)
{
    size_t length = 0;
    int c;

    while ((c = getc(file)) != EOF && c != '\t' && c != '\n') {
        if (c == '\\') {
            c = getc(file);
            c = c == 't' ? '\t' : c == 'n' ? '\n' : c;
        }
        if (c != EOF && c != '\0' && length + 1 < size)
            to[length++] = (char)c;
    }
    to[length] = '\0';
    return c;
}

/* The next pair; false at the end. Lines without a key are passed over. */
static bool read_pair(FILE *file, struct pool_pair *pair)
{
    for (;;) {
        int end = read_field(file, pair->key, sizeof pair->key);
        char rest[2];

        pair->value[0] = '\0';
        if (end == '\t')
            end = read_field(file, pair->value, sizeof pair->value);
        while (end == '\t')
            end = read_field(file, rest, sizeof rest);
        if (pair->key[0] != '\0')
            return true;
        if (end == EOF)
            return false;
    }
}

static void write_field(FILE *file, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '\t': fputs("\\t", file); break;
        case '\n': fputs("\\n", file); break;
        case '\\': fputs("\\\\", file); break;
        default:   putc(*text, file); break;
        }
    }
}

static void write_pair(FILE *file, const char *key, const char *value)
{
    write_field(file, key);
    putc('\t', file);
    write_field(file, value);
    putc('\n', file);
}

/* ---- Reading ---- */

int pool_get(const char *path, const char *key, struct pool_pair *pair)
{
    FILE *file = fopen(path, "r");
    char wanted[sizeof pair->key];      /* `key` may be in *pair */
    bool found = false;

    if (file == NULL)
        return errno;
    snprintf(wanted, sizeof wanted, "%s", key);
    while (!found && read_pair(file, pair))
        found = strcmp(pair->key, wanted) == 0;
    fclose(file);
    return found ? 0 : ENOENT;
}

int pool_at(const char *path, unsigned index, struct pool_pair *pair)
{
    FILE *file = fopen(path, "r");
    bool found;

    if (file == NULL)
        return errno;
    while ((found = read_pair(file, pair)) && index > 0)
        index--;
    fclose(file);
    return found ? 0 : ENOENT;
}

/* ---- Changing ---- */

/* Copies the pool without `key`, then with its new value (NULL: none). *had: it was there. */
static int rewrite(const char *path, FILE *to, const char *key, const char *value, bool *had)
{
    struct pool_pair pair;
    FILE *from = fopen(path, "r");
    unsigned count = 0;
    bool written = false;

    *had = false;
    while (from != NULL && read_pair(from, &pair)) {
        bool same = strcmp(pair.key, key) == 0;

        *had |= same;
        if (same && (value == NULL || written))
            continue;
        write_pair(to, pair.key, same ? value : pair.value);
        written |= same;
        count++;
    }
    if (from != NULL)
        fclose(from);
    if (value != NULL && !written) {
        write_pair(to, key, value);
        count++;
    }
    return count > POOL_PAIRS_MAX ? ENOSPC : 0;
}

static int change(const char *path, const char *key, const char *value)
{
    char new_path[1024];
    FILE *file;
    bool had;
    int error;

    if (snprintf(new_path, sizeof new_path, "%s.new", path) >= (int)sizeof new_path)
        return ENAMETOOLONG;
    file = fopen(new_path, "w");
    if (file == NULL)
        return errno;
    error = rewrite(path, file, key, value, &had);
    if (error == 0 && value == NULL && !had)
        error = ENOENT;
    if (fflush(file) != 0 || ferror(file) || fsync(fileno(file)) != 0)
        error = error != 0 ? error : errno != 0 ? errno : EIO;
    if (fclose(file) != 0 && error == 0)
        error = errno;
    if (error == 0 && rename(new_path, path) != 0)
        error = errno;
    if (error != 0)
        unlink(new_path);
    return error;
}

int pool_set(const char *path, const char *key, const char *value)
{
    return change(path, key, value);
}

int pool_remove(const char *path, const char *key)
{
    return change(path, key, NULL);
}
