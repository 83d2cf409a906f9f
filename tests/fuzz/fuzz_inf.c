/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_inf.c: INF files over any bytes, then all that is done with one: models, ranks, translation.
 */
#include <stdlib.h>

#include "match/convert.h"
#include "match/device_text.h"
#include "match/inf_rank.h"

static void rank(const struct inf_models *models, const struct inf_target *target)
{
    struct device_list list = { NULL };
    struct inf_candidates candidates;
    struct windows_ids ids;

    if (!device_read_word("8086:15b8/1458:e000/020000/31", "fuzz", 0, &list, NULL))
        abort();
    windows_ids_generate(list.records[0], WINDOWS_LIST_B, -1, &ids);
    if (inf_rank(models, &ids, target, &candidates, NULL))
        free(candidates.list);
    device_list_clear(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const struct inf_target target = { "amd64", 10, 0, 19041, 0, 0 };
    const struct convert_options options = { .architecture = "amd64" };
    struct problems problems = { 0 };
    struct inf_models models = { NULL };
    struct conversions conversions = { NULL };
    struct inf *inf = inf_parse((const char *)bytes, size, "fuzz.inf", NULL, &problems);

    if (inf == NULL && problems.errors == 0)
        abort();
    if (inf != NULL) {
        inf_models_collect(inf, size & 1 ? &target : NULL, &models, &problems);
        rank(&models, &target);
        convert_models(&models, &options, &conversions, &problems);
        conversions_clear(&conversions);
        inf_models_clear(&models);
        inf_free(inf);
    }
    problems_clear(&problems);
    return 0;
}
