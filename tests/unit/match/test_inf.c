/* SPDX-License-Identifier: BSD-3-Clause */
/* INF files: encodings, grammar, choice of sections, ranks; and translation both ways. */
#include "tests/unit/match/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/claims.h"
#include "match/convert.h"
#include "match/inf_rank.h"

static const struct inf_target windows10 = { "amd64", 10, 0, 19041, 0, 0 };

struct answer {
    char section[80];
    char install[80];
    unsigned rank;
    size_t count;
    bool tie;
};

static struct answer ask(const struct inf *inf, const struct inf_target *target, const char *word)
{
    struct device_list list = { NULL };
    struct inf_models models = { NULL };
    struct inf_candidates candidates;
    struct answer answer = { .install = "none" };
    struct windows_ids ids;

    windows_ids_generate(add_device(&list, word), WINDOWS_LIST_B, -1, &ids);
    assert_true(inf_models_collect(inf, target, &models, NULL));
    assert_true(inf_rank(&models, &ids, target, &candidates, NULL));
    answer.count = candidates.count;
    if (candidates.count > 0) {
        snprintf(answer.section, sizeof answer.section, "%s", candidates.list[0].model->section);
        snprintf(answer.install, sizeof answer.install, "%s", candidates.list[0].model->install);
        answer.rank = candidates.list[0].rank;
        answer.tie = candidates.list[0].tie;
    }
    free(candidates.list);
    inf_models_clear(&models);
    device_list_clear(&list);
    return answer;
}

static struct inf *from_text(const char *models)
{
    char text[4096];
    struct inf *inf;

    snprintf(text, sizeof text, "[Version]\nSignature=\"$Windows NT$\"\n%s", models);
    inf = inf_parse(text, strlen(text), "test.inf", NULL, NULL);
    assert_non_null(inf);
    return inf;
}

static void every_encoding_gives_the_same_answers(void **state)
{
    static const char *const files[] = { "inf/grammar-utf16le.inf", "inf/grammar-utf16be.inf",
                                         "inf/grammar-utf16-bare.inf", "inf/grammar-cp1252.inf",
                                         "inf/grammar-utf8-mark.inf" };
    static const struct {
        const char *device;
        const char *section;
        const char *install;
        unsigned score;
    } rows[] = {
        { "1af4:1041/1af4:1100/020000/01", "Mfg.NTamd64.10.0", "Inst One", 0x2001 },
        { "1af4:1042/1af4:1100/010000/01", "Mfg.NTamd64.10.0", "Inst2", 0x3001 },
        { "1af4:1003/1af4:0003/078000/00", "Mfg.NTamd64.10.0", "Inst3", 0x3001 },
        { "1af4:1044/1af4:1100/00ff00/01", "Other.NTAMD64", "Inst4", 0x2001 },
        { "1af4:1045/1af4:1100/00ff00/01", "other.ntamd64", "Inst5", 0x2001 },
        { "1b73:1100/1b73:1100/0c0330/10", "Bare", "Inst7", 0x2005 },
        { "1af4:1046/1af4:1100/00ff00/01", "", "none",
          0 }, /* its quote is not closed: no id is left */
    };
    size_t file;
    size_t index;

    (void)state;
    for (file = 0; file < sizeof files / sizeof *files; file++) {
        const struct inf_options german = { .language = 0x0407 };
        struct problems problems = { 0 };
        struct inf *inf = inf_load(fixture(files[file]), &german, &problems);
        char *text;

        assert_non_null(inf);
        for (index = 0; index < sizeof rows / sizeof *rows; index++) {
            struct answer answer = ask(inf, &windows10, rows[index].device);

            assert_string_equal(answer.install, rows[index].install);
            assert_string_equal(answer.section, rows[index].section);
            assert_int_equal(answer.rank & 0xFFFF, rows[index].score);
        }
        text = inf_expand(inf, "%d1% and %%x%%", NULL);
        assert_string_equal(text, "Ger\xC3\xA4t eins and %x%");
        free(text);
        inf_free(inf);
        problems_clear(&problems);
    }
}

static void the_closest_section_of_a_line_counts(void **state)
{
    static const struct inf_target windows7 = { "amd64", 6, 1, 7601, 0, 0 };
    static const struct inf_target x86 = { "x86", 10, 0, 19041, 0, 0 };
    static const struct inf_target newest = { "amd64", 10, 0, 26100, 0, 0 };
    static const char card[] = "8086:10d3/0000:0000/020000/01";
    struct inf *inf = from_text(
        "[Manufacturer]\nA=M,NTamd64.10.0...22000,NTamd64.6.1,NTx86\n"
        "[M.NTamd64.10.0...22000]\nx=New,PCI\\VEN_8086&DEV_10D3\n"
        "[M.NTamd64.6.1]\nx=Seven,PCI\\VEN_8086&DEV_10D3\n"
        "[M.NTx86]\nx=Small,PCI\\VEN_8086&DEV_10D3\n[M]\nx=Plain,PCI\\VEN_8086&DEV_10D3\n");

    (void)state;
    assert_string_equal(ask(inf, &newest, card).install, "New");
    assert_string_equal(ask(inf, &windows10, card).install, "Seven");
    assert_string_equal(ask(inf, &windows7, card).install, "Seven");
    assert_string_equal(ask(inf, &x86, card).install, "Small");
    inf_free(inf);
}

static void a_chosen_section_that_is_missing_hides_the_driver(void **state)
{
    struct inf *inf = from_text("[Manufacturer]\nA=M,NTamd64.10.0,NTamd64.6.1\n"
                                "[M.NTamd64.6.1]\nx=Seven,PCI\\VEN_8086&DEV_10D3\n");

    (void)state;
    assert_string_equal(ask(inf, &windows10, "8086:10d3/0000:0000/020000/01").install, "none");
    inf_free(inf);
}

static void ranks_put_feature_score_and_position_together(void **state)
{
    struct inf *inf = from_text(
        "[Manufacturer]\nA=M,NTamd64\n[M.NTamd64]\n"
        "a=One,PCI\\VEN_8086&DEV_10D3\nb=Two,PCI\\CC_0200\nc=Three,PCI\\X,PCI\\VEN_8086&DEV_10D3\n"
        "[Two.NT]\nFeatureScore=40\n");

    (void)state;
    /* A better feature score beats a better id. */
    assert_string_equal(ask(inf, &windows10, "8086:10d3/0000:0000/020000/01").install, "Two");
    assert_int_equal(ask(inf, &windows10, "8086:10d3/0000:0000/020000/01").rank, 0x00402006);
    assert_int_equal(ask(inf, &windows10, "8086:10d3/0000:0000/020000/01").count, 3);
    inf_free(inf);
}

static void equal_lines_are_a_tie_in_file_order(void **state)
{
    struct inf *inf =
        from_text("[Manufacturer]\nA=M,NTamd64\n[M.NTamd64]\na=First,PCI\\VEN_8086&DEV_10D3\n"
                  "b=Second,PCI\\VEN_8086&DEV_10D3\n");

    (void)state;
    assert_string_equal(ask(inf, &windows10, "8086:10d3").install, "First");
    assert_true(ask(inf, &windows10, "8086:10d3").tie);
    inf_free(inf);
}

static void odd_places_are_reported_with_their_line(void **state)
{
    static const char text[] =
        "ignored\n[Version]\nSignature=\"$CHICAGO$\"\n[Manufacturer]\n%who% = M, NTmips\n[M\n"
        "\"open = x, PCI\\VEN_1\n";
    struct problems problems = { 0 };
    struct inf_models models = { NULL };
    struct inf *inf = inf_parse(text, sizeof text - 1, "odd.inf", NULL, &problems);

    (void)state;
    assert_non_null(inf);
    assert_int_equal(problems.list[0].line, 6); /* header without ] */
    assert_int_equal(problems.list[1].line, 7); /* open quote */
    assert_true(inf_models_collect(inf, &windows10, &models, &problems));
    assert_int_equal(problems.list[2].line, 5); /* no decoration */
    inf_models_clear(&models);
    inf_free(inf);
    problems_clear(&problems);
}

static void sections_that_nobody_names_and_dates_that_never_were_are_reported(void **state)
{
    struct problems problems = { 0 };
    struct inf_models models = { NULL };
    struct inf *inf =
        from_text("DriverVer=02/30/2016,1.0\n[Manufacturer]\nA=M,NTamd64\n"
                  "[M.NTamd64]\na=One,PCI\\CC_0200\n[M.NTarm64]\na=Two,PCI\\CC_0200\n");

    (void)state;
    assert_true(inf_models_collect(inf, &windows10, &models, &problems));
    assert_int_equal(problems.count, 2);
    assert_int_equal(problems.list[0].line, 3);
    assert_int_equal(problems.list[1].line, 8);
    inf_models_clear(&models);
    inf_free(inf);
    problems_clear(&problems);
}

static void what_is_no_inf_is_refused(void **state)
{
    static const char *const texts[] = { "", "[Version]\n", "[Version]\nSignature=x\n", "hello",
                                         "\xFF\xFE" };
    size_t index;

    (void)state;
    for (index = 0; index < sizeof texts / sizeof *texts; index++) {
        struct problems problems = { 0 };

        assert_null(inf_parse(texts[index], strlen(texts[index]), "x", NULL, &problems));
        assert_int_equal(problems.errors, 1);
        problems_clear(&problems);
    }
}

static void swapped_subsystems_get_a_hint(void **state)
{
    struct inf *inf = from_text("[Manufacturer]\nA=M,NTamd64\n[M.NTamd64]\n"
                                "a=One,PCI\\VEN_10EC&DEV_8168&SUBSYS_10438505\n");
    struct problems problems = { 0 };
    struct device_list list = { NULL };
    struct inf_models models = { NULL };
    struct inf_candidates candidates;
    struct windows_ids ids;

    (void)state;
    windows_ids_generate(add_device(&list, "10ec:8168/1043:8505/020000/06"), WINDOWS_LIST_B, -1,
                         &ids);
    assert_true(inf_models_collect(inf, &windows10, &models, NULL));
    assert_true(inf_rank(&models, &ids, &windows10, &candidates, &problems));
    assert_int_equal(candidates.count, 0);
    assert_int_equal(problems.count, 1);
    free(candidates.list);
    inf_models_clear(&models);
    inf_free(inf);
    device_list_clear(&list);
    problems_clear(&problems);
}

/* ---- translation ---- */

static size_t collect_ids(const struct conversions *conversions, char (*ids)[WINDOWS_ID_SIZE],
                          size_t room)
{
    size_t count = 0;
    size_t index;
    size_t at;

    for (index = 0; index < conversions->count; index++) {
        struct claims claims;

        assert_true(
            claims_collect(conversions->list[index].personality, 0, NULL, CLAIM_LIMIT, &claims));
        for (at = 0; at < claims.count; at++) {
            assert_true(count < room);
            claim_windows_id(&claims.list[at], ids[count++]);
        }
        claims_clear(&claims);
    }
    return count;
}

static bool is_among(const char *id, char (*ids)[WINDOWS_ID_SIZE], size_t count)
{
    while (count-- > 0)
        if (strcasecmp(id, ids[count]) == 0)
            return true;
    return false;
}

/* INF -> personality -> ids is the same set of ids. */
static void translation_there_and_back_keeps_the_ids(void **state)
{
    struct inf *inf = from_text(
        "[Manufacturer]\nA=M,NTamd64\n[M.NTamd64]\n"
        "a=I,PCI\\VEN_10EC&DEV_8168&REV_06\na=I,PCI\\VEN_10EC&DEV_8168&SUBSYS_816810EC&REV_06\n"
        "a=I,PCI\\VEN_10EC&DEV_8169\na=I,PCI\\VEN_10EC&DEV_816A\na=J,PCI\\VEN_8086&CC_0C0500\na=J,"
        "PCI\\VEN_8086&CC_0C05\n"
        "a=J,PCI\\CC_0402\na=J,PCI\\VEN_1234\na=J,PCI\\VEN_1234&DEV_1111&CC_0300\na=K,"
        "ACPI\\PNP0303\na=K,*PNP0501\n"
        "a=L,VMBUS\\{F8615163-DF3E-46C5-913F-F2D2F965ED0E}\na=L,PCI\\VEN_1AF4&DEV_1002&SUBSYS_"
        "00051AF4\n");
    const struct convert_options options = { .architecture = "amd64" };
    struct inf_models models = { NULL };
    struct conversions conversions;
    static char ids[64][WINDOWS_ID_SIZE];
    size_t count;
    size_t index;

    (void)state;
    assert_true(inf_models_collect(inf, &windows10, &models, NULL));
    assert_true(convert_models(&models, &options, &conversions, NULL));
    count = collect_ids(&conversions, ids, 64);
    assert_int_equal(count, models.count);
    for (index = 0; index < models.count; index++) {
        const char *id = models.list[index].ids[0];

        if (id[0] == '*')
            id = "ACPI\\PNP0501";
        if (!is_among(id, ids, count))
            fail_msg("%s is lost", id);
    }
    conversions_clear(&conversions);
    inf_models_clear(&models);
    inf_free(inf);
}

/* The personalities made of the picture's INF choose as Windows does. */
static void translated_personalities_decide_as_the_inf_does(void **state)
{
    static const char *const devices[] = { "10ec:8168/1043:8505/020000/06",
                                           "10ec:8168/10ec:8168/020000/06",
                                           "10ec:8168/1043:8385/020000/01",
                                           "10ec:8168/1043:83a3/020000/03",
                                           "10ec:8168/1043:8505/020000/09" };
    struct inf *inf = inf_load(fixture("inf/rtl8168.inf"), NULL, NULL);
    const struct convert_options options = { .architecture = "amd64" };
    struct inf_models models = { NULL };
    struct conversions conversions;
    struct catalogue *catalogue = catalogue_create();
    size_t index;

    (void)state;
    assert_non_null(inf);
    assert_true(inf_models_collect(inf, &windows10, &models, NULL));
    assert_true(convert_models(&models, &options, &conversions, NULL));
    for (index = 0; index < sizeof devices / sizeof *devices; index++) {
        struct device_list list = { NULL };
        struct match_device device = device_match(add_device(&list, devices[index]));
        struct answer answer = ask(inf, &windows10, devices[index]);
        const struct conversion *best = NULL;
        size_t at;

        for (at = 0; at < conversions.count; at++)
            if (match_personality(conversions.list[at].personality, device, NULL).answer ==
                    MATCH_YES &&
                (best == NULL || match_probe_score(conversions.list[at].personality) >
                                     match_probe_score(best->personality)))
                best = &conversions.list[at];
        assert_int_equal(best != NULL, answer.count > 0);
        if (best != NULL)
            assert_non_null(strstr(best->comment, answer.install));
        device_list_clear(&list);
    }
    catalogue_destroy(catalogue);
    conversions_clear(&conversions);
    inf_models_clear(&models);
    inf_free(inf);
}

static void check_claims(const char *keys, const char *const *wanted, size_t count, bool lost)
{
    struct kext_set set = { NULL };
    const struct kext *kext = add_kext(&set, "org.test", personality("P", keys));
    struct claims claims;
    char id[WINDOWS_ID_SIZE];
    bool any = false;
    size_t index;

    assert_true(claims_collect(plist_get(plist_get(kext->info, "IOKitPersonalities"), "P"), 0, NULL,
                               CLAIM_LIMIT, &claims));
    if (claims.count != count)
        fail_msg("%s: %zu ids", keys, claims.count);
    for (index = 0; index < count; index++) {
        claim_windows_id(&claims.list[index], id);
        assert_string_equal(id, wanted[index]);
    }
    for (index = 0; index < claims.note_count; index++)
        any |= claims.notes[index].lost;
    assert_int_equal(any, lost);
    claims_clear(&claims);
    kext_set_clear(&set);
}

static void masks_and_names_become_ids_or_are_reported(void **state)
{
    static const char *const audio[] = { "PCI\\CC_0402", "PCI\\CC_0403" };
    static const char *const vendor[] = { "PCI\\VEN_8086" };
    static const char *const pair[] = { "PCI\\VEN_14E4&DEV_1641" };
    static const char *const bridge[] = { "PCI\\CC_0604" };
    static const char *const product[] = { "PCI\\VEN_8086&DEV_0001&SUBSYS_00021043",
                                           "PCI\\VEN_8086&DEV_0001&SUBSYS_00031043" };
    static const char *const class[] = { "PCI\\VEN_8086&CC_0C0330" };

    (void)state;
    check_claims("<key>IOPCIClassMatch</key><string>0x04020000&amp;0xFFFE0000</string>", audio, 2,
                 false);
    check_claims("<key>IOPCIPrimaryMatch</key><string>0x00008086&amp;0x0000ffff</string>", vendor,
                 1, false);
    check_claims("<key>IONameMatch</key><string>pci14e4,1641</string>", pair, 1, false);
    check_claims("<key>IONameMatch</key><string>pci8086,*</string>", vendor, 1, false);
    check_claims("<key>IONameMatch</key><string>pci-bridge</string>", bridge, 1, false);
    check_claims(
        "<key>IOPCIPrimaryMatch</key><string>0x00018086</string><key>IOPCISecondaryMatch</key>"
        "<string>0x00021043 0x00031043</string>",
        product, 2, false);
    check_claims("<key>IOPCIPrimaryMatch</key><string>0x00008086&amp;0xffff</"
                 "string><key>IOPCIClassMatch</key>"
                 "<string>0x0c033000</string>",
                 class, 1, false);
    check_claims("<key>IOPCIMatch</key><string>0x164114e4</string>", pair, 1, true);
    check_claims("<key>IOPCIPrimaryMatch</key><string>0x164114e4&amp;0xffff0000</string>", NULL, 0,
                 true);
    check_claims("<key>IOPCIPrimaryMatch</key><string>0x164114e4&amp;</string>", NULL, 0, true);
    check_claims("<key>IOPCISecondaryMatch</key><string>0x00021043</string>", NULL, 0, true);
    check_claims("<key>IOPCIClassMatch</key><string>0x06&amp;0xff</string>", NULL, 0, true);
    check_claims("", NULL, 0, true);
}

/* Every line fits, and all lean on one section of as many entries. */
static void long_sections_are_asked_in_constant_time(void **state)
{
    enum { LINES = 30000 };
    char *text = malloc(LINES * 70 + 300);
    size_t length = (size_t)sprintf(text, "[Version]\nSignature=\"$Windows NT$\"\n[Manufacturer]\n"
                                          "A=M,NTamd64\n[M.NTamd64]\n");
    struct inf *inf;
    unsigned index;

    (void)state;
    for (index = 0; index < LINES; index++)
        length += (size_t)sprintf(text + length, "d=I,PCI\\CC_0200\n");
    length += (size_t)sprintf(text + length, "[I.NT]\n");
    for (index = 0; index < LINES; index++)
        length += (size_t)sprintf(text + length, "key%u=1\n", index);
    length += (size_t)sprintf(text + length, "featurescore=7F\n");
    inf = inf_parse(text, length, "long.inf", NULL, NULL);
    assert_non_null(inf);
    assert_int_equal(ask(inf, &windows10, "1234:5678/0000:0000/020000/00").count, LINES);
    assert_int_equal(ask(inf, &windows10, "1234:5678/0000:0000/020000/00").rank >> 16, 0x7F);
    inf_free(inf);
    free(text);
}

/* Tens of thousands of lines must not take more than moments. */
static void big_files_are_read_in_linear_time(void **state)
{
    enum { LINES = 60000 };
    char *text = malloc(LINES * 60 + 200);
    size_t length =
        (size_t)sprintf(text, "[Version]\nSignature=\"$Windows NT$\"\n[Manufacturer]\nA=M,NTamd64\n"
                              "[M.NTamd64]\n");
    const struct convert_options options = { .architecture = "amd64" };
    struct inf_models models = { NULL };
    struct conversions conversions;
    struct inf *inf;
    unsigned index;

    (void)state;
    for (index = 0; index < LINES; index++)
        length += (size_t)sprintf(text + length, "d%u=I,PCI\\VEN_%04X&DEV_%04X\n", index,
                                  0x1000 + index / 0x8000, index);
    inf = inf_parse(text, length, "big.inf", NULL, NULL);
    assert_non_null(inf);
    assert_string_equal(ask(inf, &windows10, "1001:ea00").install, "I");
    assert_true(inf_models_collect(inf, &windows10, &models, NULL));
    assert_int_equal(models.count, LINES);
    assert_true(convert_models(&models, &options, &conversions, NULL));
    assert_int_equal(conversions.count, 1); /* one list */
    conversions_clear(&conversions);
    inf_models_clear(&models);
    inf_free(inf);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_encoding_gives_the_same_answers),
        cmocka_unit_test(the_closest_section_of_a_line_counts),
        cmocka_unit_test(a_chosen_section_that_is_missing_hides_the_driver),
        cmocka_unit_test(ranks_put_feature_score_and_position_together),
        cmocka_unit_test(equal_lines_are_a_tie_in_file_order),
        cmocka_unit_test(odd_places_are_reported_with_their_line),
        cmocka_unit_test(sections_that_nobody_names_and_dates_that_never_were_are_reported),
        cmocka_unit_test(what_is_no_inf_is_refused),
        cmocka_unit_test(swapped_subsystems_get_a_hint),
        cmocka_unit_test(translation_there_and_back_keeps_the_ids),
        cmocka_unit_test(translated_personalities_decide_as_the_inf_does),
        cmocka_unit_test(masks_and_names_become_ids_or_are_reported),
        cmocka_unit_test(long_sections_are_asked_in_constant_time),
        cmocka_unit_test(big_files_are_read_in_linear_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
