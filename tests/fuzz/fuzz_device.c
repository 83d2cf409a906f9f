/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_device.c: every reader of devices over any bytes. What is read must match without harm. */
#include <stdlib.h>
#include <string.h>

#include "match/device_text.h"
#include "match/matcher.h"
#include "match/windows_ids.h"

static void match_all(const struct device_list *list)
{
    static const char text[] = "<plist><dict><key>IOKitPersonalities</key><dict><key>P</"
                               "key><dict><key>IOProviderClass</key>"
                               "<string>IOService</string><key>IONameMatch</key><string>pci8086,*</"
                               "string><key>IOPCIMatch</key>"
                               "<string>0x15b88086</string></dict></dict></dict></plist>";
    const struct kext_options options = { .mode = PLIST_FILE_STRICT };
    struct kext_set set = { NULL };
    struct matcher matcher;
    struct match_outcome outcome;
    struct windows_ids ids;
    size_t index;

    if (kext_set_add_text(&set, text, sizeof text - 1, "fuzz", &options, NULL) == NULL ||
        !matcher_init(&matcher, 0, "x86_64") || !matcher_add(&matcher, &set, NULL))
        abort();
    for (index = 0; index < list->count && index < 16; index++) {
        if (matcher_match(&matcher, list->records[index], MATCH_DETAIL_ALL, &outcome))
            match_outcome_clear(&outcome);
        windows_ids_generate(list->records[index], WINDOWS_LIST_A, 1, &ids);
    }
    matcher_clear(&matcher);
    kext_set_clear(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct device_list list = { NULL };
    struct problems problems = { 0 };
    char *copy = malloc(size + 1);

    if (copy == NULL)
        return 0;
    memcpy(copy, bytes, size);
    copy[size] = '\0';
    if (!device_read_text(copy, size, "fuzz", &list, &problems) && problems.errors == 0)
        abort();
    match_all(&list);
    if (size < 200)
        device_read_word(copy, "fuzz", 0, &list, &problems);
    device_list_clear(&list);
    problems_clear(&problems);
    free(copy);
    return 0;
}
