/* SPDX-License-Identifier: BSD-3-Clause */
/* A folder of its own for a test, removed with all that is in it. */
#ifndef TESTS_UNIT_DAEMONS_SCRATCH_H
#define TESTS_UNIT_DAEMONS_SCRATCH_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[64];

static inline int scratch_make(void **state)
{
    strcpy(scratch, "/tmp/machv-daemons-XXXXXX");
    return mkdtemp(scratch) != NULL ? 0 : -1;
}

static inline int scratch_remove(void **state)
{
    char command[128];

    snprintf(command, sizeof command, "chmod -R u+rwX %s; rm -rf %s", scratch, scratch);
    return system(command);
}

/* Path in the folder; valid until the fourth next call. */
static inline const char *in_scratch(const char *name)
{
    static char paths[4][4096];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
    return path;
}

static inline void put_file(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(in_scratch(name), "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* Size of the file, -1: there is none. */
static inline long file_size(const char *name)
{
    struct stat status;

    return lstat(in_scratch(name), &status) == 0 ? (long)status.st_size : -1;
}

/* How many entries a folder has. */
static inline unsigned entries(const char *name)
{
    DIR *folder = opendir(in_scratch(name));
    unsigned count = 0;

    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 2;
}

#endif
