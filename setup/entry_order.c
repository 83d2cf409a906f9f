/* SPDX-License-Identifier: BSD-3-Clause */
/* Order of entries: a short list of "this first, then that". */
#include "setup/entry_order.h"

#include <stdlib.h>
#include <string.h>

#include "setup/text.h"

struct order {
    const char *array;
    const char *key;
    const char *first;
    const char *second;
    const char *why;
};

static const struct order orders[] = {
    {"ACPI->Add", "Path", "SSDT-HV-VMBUS.aml", "SSDT-HV-DEV.aml",
     "this is the order they are made for"},
    {"ACPI->Add", "Path", "SSDT-HV-DEV.aml", "SSDT-HV-DEV-WS2022.aml",
     "this is the order they are made for"},
    {"ACPI->Add", "Path", "SSDT-HV-DEV.aml", "SSDT-HV-PLUG.aml",
     "SSDT-HV-DEV makes the processor that SSDT-HV-PLUG extends"},
    {"ACPI->Add", "Path", "SSDT-HV-DEV-WS2022.aml", "SSDT-HV-PLUG.aml",
     "this is the order they are made for"},
    {"Kernel->Add", "BundlePath", "Lilu.kext", "VirtualSMC.kext",
     "VirtualSMC is linked against Lilu"},
    {"Kernel->Add", "BundlePath", "VirtualSMC.kext", "MacHyperVSupport.kext",
     "the system management controller comes before the drivers"},
    {"Kernel->Add", "BundlePath", "VirtualSMC.kext", "MacHyperVSupportMonterey.kext",
     "the system management controller comes before the drivers"},
};

/* Index of the entry that names `name`, -1 when there is none. */
static long index_of(const struct config_document *document, const struct order *order,
                     const char *name)
{
    long index = 0;
    int array = config_find(document, order->array);
    for (int entry = config_first(document, array); entry != CONFIG_NONE;
         entry = config_next(document, entry), index++) {
        if (config_equals(document, config_child(document, entry, order->key), CONFIG_STRING,
                          name)) {
            return index;
        }
    }
    return -1;
}

void check_order(const struct config_document *document, struct report *report)
{
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        long first = index_of(document, &orders[i], orders[i].first);
        long second = index_of(document, &orders[i], orders[i].second);
        if (first < 0 || second < 0 || first < second) {
            continue;
        }
        char *path = format_string("%s[%ld]", orders[i].array, first);
        char *reason = format_string("%s comes after %s; %s", orders[i].first, orders[i].second,
                                     orders[i].why);
        char *fix = format_string("move it before %s[%ld]", orders[i].array, second);
        report_find(report,
                    &(struct report_finding){SEVERITY_ERROR, "order", path, reason, fix, true});
        free(fix);
        free(reason);
        free(path);
    }
}

void fix_order(struct config_document *document)
{
    /* Each move puts one entry before another that it must precede; as the list has no circle, a
     * pass for each of its lines is enough. */
    for (size_t pass = 0; pass < sizeof orders / sizeof orders[0]; pass++) {
        for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
            long first = index_of(document, &orders[i], orders[i].first);
            long second = index_of(document, &orders[i], orders[i].second);
            if (first > second && second >= 0) {
                config_move(document, orders[i].array, (size_t)first, (size_t)second);
            }
        }
    }
}
