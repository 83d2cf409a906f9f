/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/classes.h"

#include <string.h>
#include <strings.h>

struct class_row {
    const char *name;
    const char *parent;
};

/* From the public headers of IOKit, IOPCIFamily and IOACPIFamily. */
static const struct class_row rows[] = {
    { "IOPCIDevice", "IOService" }, /* the two asked for most stand first */
    { "IOService", NULL },
    { "IOPCIBridge", "IOService" },
    { "IOPCI2PCIBridge", "IOPCIBridge" },
    { "IOPlatformDevice", "IOService" },
    { "IOACPIPlatformDevice", "IOPlatformDevice" },
    { "IODTPlatformDevice", "IOPlatformDevice" },
    { "IOPlatformExpert", "IOService" },
    { "IODTPlatformExpert", "IOPlatformExpert" },
    { "IOACPIPlatformExpert", "IODTPlatformExpert" },
    { "IOPlatformExpertDevice", "IOService" },
    { "IOResources", "IOService" },
    { "IOUserResources", "IOService" },
    { "HyperVVMBusDevice", "IOService" },
};

static const struct class_row *find_row(const char *name)
{
    size_t index;

    for (index = 0; index < sizeof rows / sizeof *rows; index++)
        if (strcmp(rows[index].name, name) == 0)
            return &rows[index];
    return NULL;
}

bool class_is_known(const char *name)
{
    return find_row(name) != NULL;
}

const char *class_in_any_case(const char *name)
{
    size_t index;

    for (index = 0; index < sizeof rows / sizeof *rows; index++)
        if (strcasecmp(rows[index].name, name) == 0)
            return rows[index].name;
    return NULL;
}

size_t class_chain(const char *name, const char *chain[CLASS_CHAIN_MAX])
{
    const struct class_row *row = find_row(name);
    size_t count = 0;

    chain[count++] = row == NULL ? name : row->name;
    if (row == NULL)
        chain[count++] = "IOService";
    for (; row != NULL && row->parent != NULL && count < CLASS_CHAIN_MAX;
         row = find_row(row->parent))
        chain[count++] = row->parent;
    return count;
}

bool class_is(const char *name, const char *ancestor)
{
    const char *chain[CLASS_CHAIN_MAX];
    size_t count = class_chain(name, chain);
    size_t index;

    for (index = 0; index < count; index++)
        if (strcmp(chain[index], ancestor) == 0)
            return true;
    return false;
}
