/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_kext_lint.c: a kext of any property list: matched, linted, and its claims collected. */
#include <stdlib.h>

#include "match/claims.h"
#include "match/device_text.h"
#include "match/lint.h"
#include "match/matcher.h"

static void claim(const struct kext *kext)
{
    const struct plist *personalities = kext_value(kext, "IOKitPersonalities", "x86_64");
    size_t index;

    for (index = 0; plist_is(personalities, PLIST_DICTIONARY) && index < plist_count(personalities);
         index++) {
        struct claims claims;

        if (claims_collect(plist_value_at(personalities, index), 0, NULL, 64, &claims))
            claims_clear(&claims);
    }
}

static void match(const struct kext_set *set)
{
    struct device_list list = { NULL };
    struct match_outcome outcome;
    struct matcher matcher;

    if (!device_read_word("8086:15b8/1458:e000/020000/31", "fuzz", 0, &list, NULL))
        abort();
    if (matcher_init(&matcher, 0, "x86_64") && matcher_add(&matcher, set, NULL) &&
        matcher_match(&matcher, list.records[0], MATCH_DETAIL_OTHER_CLASSES, &outcome))
        match_outcome_clear(&outcome);
    matcher_clear(&matcher);
    device_list_clear(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const struct kext_options options = { .mode = PLIST_FILE_LENIENT };
    const struct lint_options lint = { .architecture = "x86_64" };
    struct kext_set set = { NULL };
    struct problems problems = { 0 };
    struct findings findings = { NULL };
    const struct kext *kext =
        kext_set_add_text(&set, (const char *)bytes, size, "fuzz", &options, &problems);

    if (kext != NULL) {
        lint_kexts(&set, &problems, &lint, &findings);
        findings_clear(&findings);
        claim(kext);
        match(&set);
    }
    kext_set_clear(&set);
    problems_clear(&problems);
    return 0;
}
