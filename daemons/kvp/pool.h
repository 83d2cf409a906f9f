/* SPDX-License-Identifier: BSD-3-Clause */
/* A pool of key-value pairs, kept in a text file: a pair a line, "KEY<tab>VALUE", with \t, \n and
 * \\
 * for what would be in the way. Each change is written to a new file that replaces the old one, so
 * what is read is always whole. Programs in the guest may change the file in the same way. */
#ifndef DAEMONS_KVP_POOL_H
#define DAEMONS_KVP_POOL_H

#include <stdbool.h>
#include <stddef.h>

enum {
    POOL_KEY_MAX = 255 * 3 + 1,         /* bytes of UTF-8, NUL included */
    POOL_VALUE_MAX = 1023 * 3 + 1,
    POOL_PAIRS_MAX = 1024
};

struct pool_pair {
    char key[POOL_KEY_MAX];
    char value[POOL_VALUE_MAX];
};

/* All return 0 or an errno; ENOENT: there is no such pair (or, for reading, no such file). */
int pool_get(const char *path, const char *key, struct pool_pair *pair);
int pool_at(const char *path, unsigned index, struct pool_pair *pair);
int pool_set(const char *path, const char *key, const char *value);     /* ENOSPC: too many */
int pool_remove(const char *path, const char *key);

#endif
