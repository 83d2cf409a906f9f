/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests of any content to hvkvpd's answers and hvfilecopyd's names, and pools of any content.
 * The first byte chooses. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemons/filecopy/name.h"
#include "daemons/kvp/exchange.h"
#include "daemons/kvp/pool.h"
#include "protocol/integration.h"
#include "protocol/utf16.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static char folder[] = "/tmp/machv-fuzz-daemons-XXXXXX";

static void remove_folder(void)
{
    char path[64];

    for (unsigned pool = 0; pool <= IC_KVP_POOL_INTERNAL; pool++) {
        snprintf(path, sizeof path, "%s/pool_%u", folder, pool);
        unlink(path);
    }
    rmdir(folder);
}

static void make_folder(void)
{
    static bool made;

    if (!made && mkdtemp(folder) == NULL)
        abort();
    if (!made)
        atexit(remove_folder);
    made = true;
}

static void try_exchange(uint8_t *body, uint32_t size)
{
    const struct exchange exchange = { .folder = folder };
    bool replies = false;

    make_folder();
    if (size > 0 && body[0] == IC_KVP_SET_IP)
        body[0] = IC_KVP_GET;                           /* commands are not for the fuzzer */
    exchange_answer(&exchange, body, size, &replies);
}

static void try_pool(const uint8_t *text, size_t size)
{
    static struct pool_pair pair;
    char path[64];
    FILE *file;

    make_folder();
    snprintf(path, sizeof path, "%s/pool_4", folder);
    file = fopen(path, "w");
    if (file == NULL)
        abort();
    fwrite(text, 1, size, file);
    fclose(file);
    for (unsigned i = 0; i < 4; i++)
        if (pool_at(path, i, &pair) == 0 && pair.key[0] == '\0')
            abort();
    if (pool_set(path, "key", "value") == 0 &&
        (pool_get(path, "key", &pair) != 0 || strcmp(pair.value, "value") != 0))
        abort();
}

static void try_name(const uint8_t *units, size_t size)
{
    char name[FILE_NAME_MAX];

    if (size / 2 > IC_FILE_COPY_NAME_UNITS)
        size = 2 * IC_FILE_COPY_NAME_UNITS;
    if (!file_name_read(units, size / 2, name))
        return;
    if (file_path_normalise(name) &&
        (name[0] != '/' || strstr(name, "/../") != NULL || strstr(name, "/./") != NULL))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t *copy;

    if (size == 0)
        return 0;
    copy = malloc(size);
    if (copy == NULL)
        return 0;
    memcpy(copy, bytes, size);
    switch (bytes[0] % 3) {
    case 0:  try_exchange(copy + 1, (uint32_t)size - 1); break;
    case 1:  try_pool(copy + 1, size - 1); break;
    default: try_name(copy + 1, size - 1); break;
    }
    free(copy);
    return 0;
}
