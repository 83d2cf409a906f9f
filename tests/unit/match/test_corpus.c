/* SPDX-License-Identifier: BSD-3-Clause */
/* The corpus of real kexts, devices and versions with their expected answers, when it is at hand: a
 * folder named by MACHV_CORPUS. Each row is one line of TAP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/inf_rank.h"
#include "match/version.h"
#include "tests/unit/match/support.h"

struct tap {
    unsigned number;
    unsigned failed;
};

__attribute__((format(printf, 3, 4))) static void report(struct tap *tap, bool passed,
                                                         const char *format, ...)
{
    va_list arguments;

    printf("%sok %u - ", passed ? "" : "not ", ++tap->number);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    tap->failed += !passed;
}

/* Calls `row` for each line but the first. */
static void each_row(struct tap *tap, const char *folder, const char *name,
                     void (*row)(struct tap *tap, const char *folder, char **fields, size_t count))
{
    char path[600];
    char *fields[20];
    size_t size;
    char *text;
    char *line;
    char *next;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    text = read_whole(path, &size);
    for (line = strchr(text, '\n') + 1; *line != '\0'; line = next) {
        next = line + strcspn(line, "\n");
        if (*next == '\n')
            *next++ = '\0';
        row(tap, folder, fields, split_tabs(line, fields, 20));
    }
    free(text);
}

/* ---- versions.tsv ---- */

static void version_row(struct tap *tap, const char *folder, char **fields, size_t count)
{
    int64_t wanted =
        count < 2 || strcmp(fields[1], "invalid") == 0 ? VERSION_INVALID : atoll(fields[1]);
    char *escape = strstr(fields[0], "\\t");
    int64_t found;

    (void)folder;
    if (escape != NULL) {
        *escape = '\t';
        memmove(escape + 1, escape + 2, strlen(escape + 2) + 1);
    }
    found = version_parse(fields[0]);
    report(tap, found == wanted, "version \"%s\" is %lld (wanted %lld)", fields[0],
           (long long)found, (long long)wanted);
}

/* ---- expected.tsv ---- */

/* Order of addition of the two whole sets. */
static const char koush[] =
    "AHCI_3rdParty_SATA ALXEthernet AppleIGB AppleIntelE1000e AtherosE2200Ethernet EvOreboot "
    "FakeSMC NullCPUPowerManagement RealtekRTL8111";
static const char v310[] =
    "AppleALC AtherosE2200Ethernet EFICheckDisabler IntelMausiEthernet Lilu NoTouchID "
    "RealtekRTL8100 RealtekRTL8111 SATA-unsupported USBInjectAll VoodooI2C VoodooI2CELAN "
    "VoodooPS2Controller VoodooTSCSync WhateverGreen XHCI-unsupported";

static bool load_one(struct kext_set *set, const char *folder, const char *name,
                     struct problems *problems)
{
    const struct kext_options options = { .mode = PLIST_FILE_LENIENT, .without_plugins = true };
    char path[600];

    snprintf(path, sizeof path, "%s/kexts/%s.kext", folder, name);
    if (strncmp(name, "source/", 7) == 0)
        snprintf(path, sizeof path, "%s/kexts/%s", folder, name);
    return kext_set_load(set, path, &options, problems);
}

static bool load_words(struct kext_set *set, const char *folder, const char *prefix,
                       const char *words, struct problems *problems)
{
    char name[200];
    bool loaded = true;

    while (*words != '\0') {
        size_t length = strcspn(words, " ");

        snprintf(name, sizeof name, "%s%.*s", prefix, (int)length, words);
        if (strcmp(name, "koush/*") == 0)
            loaded &= load_words(set, folder, "koush/", koush, problems);
        else if (strcmp(name, "v310/*") == 0)
            loaded &= load_words(set, folder, "v310/", v310, problems);
        else
            loaded &= load_one(set, folder, name, problems);
        words += length + strspn(words + length, " ");
    }
    return loaded;
}

static bool verdict_holds(const struct verdict *verdict, char **fields)
{
    if (strcmp(fields[8], "invalid") == 0)
        return strcmp(verdict->winner, "none") == 0 && verdict->invalid == 1;
    return strcmp(verdict->winner, fields[8]) == 0 && strcmp(verdict->class_name, fields[9]) == 0 &&
           verdict->score == (strcmp(fields[10], "-") == 0 ? 0 : atoi(fields[10])) &&
           verdict->matches == (unsigned)atoi(fields[11]) && verdict->undecided == 0 &&
           verdict->invalid == 0 && (verdict->tie || strstr(fields[6], "tie") == NULL);
}

/* Names that firmware adds: a column of their own, or for a row "with ACPI name" the one that is
 * said to match. */
static void add_names(struct device_record *device, char **fields)
{
    char *name = fields[5];

    if (strcmp(name, "-") == 0 && strstr(fields[2], "with ACPI name") != NULL)
        name = strrchr(fields[12], ' ') + 1;
    if (strcmp(name, "-") == 0)
        return;
    for (name = strtok(name, ","); name != NULL; name = strtok(NULL, ","))
        device_add_name(device, name);
}

static void match_row(struct tap *tap, const char *folder, char **fields, size_t count)
{
    struct kext_set set = { NULL };
    struct device_list list = { NULL };
    struct problems problems = { 0 };
    struct verdict verdict;

    if (count < 13 || !load_words(&set, folder, "", fields[1], &problems) ||
        !device_read_word(fields[4], fields[0], 0, &list, &problems)) {
        report(tap, false, "%s: %s", fields[0],
               problems.count > 0 ? problems.list[0].text : "row of wrong form");
    } else {
        add_names(list.records[0], fields);
        verdict = judge(&set, list.records[0], fields[7], 0);
        report(tap, verdict_holds(&verdict, fields), "%s: %s on %s: %s (%s, %d, %u candidates)",
               fields[0], fields[4], fields[1], verdict.winner, verdict.class_name,
               (int)verdict.score, verdict.matches);
    }
    kext_set_clear(&set);
    device_list_clear(&list);
    problems_clear(&problems);
}

/* ---- the dumps that rows of expected.tsv come from ---- */

struct dump {
    const char *source; /* as device_source begins */
    const char *file;
};

static const struct dump dumps[] = {
    { "pci/asus-h77 ", "pci/asus-h77-lspci-nnvvxxx.txt" },
    { "pci/virtio-net ", "pci/virtio-net-lspci-vvxxx.txt" },
    { "pci/hyperv-gen1 ", "pci/hyperv-gen1-azure-dmesg-pci.txt" },
    { "ioreg/dell ", "ioreg/dell-13gen-ventura-ioreg-l.txt" },
};

/* "04:00.0" is "0000:04:00.0" too, and "PS2K" is "PS2K@...". */
static const struct device_record *find_label(const struct device_list *list, const char *wanted)
{
    size_t index;

    for (index = 0; index < list->count; index++) {
        const char *label = list->records[index]->label;
        size_t length = strlen(wanted);

        if (strcmp(label, wanted) == 0 ||
            (strlen(label) == length + 5 && strcmp(label + 5, wanted) == 0) ||
            (strncmp(label, wanted, length) == 0 && label[length] == '@'))
            return list->records[index];
    }
    return NULL;
}

/* What the dump tells must not contradict the row's device. */
static bool agrees(const struct device_record *dumped, const struct device_record *row)
{
    const struct pci_registers *left = &dumped->registers;
    const struct pci_registers *right = &row->registers;

    return strcmp(dumped->provider_class, row->provider_class) == 0 &&
           ((left->id ^ right->id) & left->known_id) == 0 &&
           ((left->class_revision ^ right->class_revision) & left->known_class_revision) == 0 &&
           ((left->subsystem ^ right->subsystem) & left->known_subsystem) == 0;
}

static void dump_row(struct tap *tap, const char *folder, char **fields, size_t count)
{
    struct device_list dumped = { NULL };
    struct device_list row = { NULL };
    struct problems problems = { 0 };
    const struct device_record *record;
    char path[600];
    size_t index;

    assert_true(count >= 5);
    for (index = 0; index < sizeof dumps / sizeof *dumps; index++) {
        char *label = fields[2] + strlen(dumps[index].source);

        if (strncmp(fields[2], dumps[index].source, strlen(dumps[index].source)) != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, dumps[index].file);
        label[strcspn(label, " ")] = '\0';
        assert_true(device_read_file(path, &dumped, &problems));
        assert_true(device_read_word(fields[4], fields[0], 0, &row, &problems));
        record = find_label(&dumped, label);
        report(tap, record != NULL && agrees(record, row.records[0]) && problems.errors == 0,
               "%s: %s in %s is %s", fields[0], label, dumps[index].file, fields[4]);
    }
    device_list_clear(&dumped);
    device_list_clear(&row);
    problems_clear(&problems);
}

/* ---- inf-expected.tsv ---- */

static bool line_holds(const struct inf_candidates *candidates, char **fields)
{
    const struct inf_candidate *best = candidates->list;
    char position[64];
    char inf_id[32] = "hardware";
    char score[16];

    if (strcmp(fields[4], "none") == 0)
        return candidates->count == 0;
    if (candidates->count == 0)
        return false;
    snprintf(position, sizeof position, "%s %zu", best->device_hardware ? "hardware" : "compatible",
             best->device_position);
    if (best->line_position > 0)
        snprintf(inf_id, sizeof inf_id, "compatible %zu", best->line_position - 1);
    snprintf(score, sizeof score, "0x%04x", best->rank & 0xFFFF);
    return strcmp(best->model->section, fields[4]) == 0 &&
           strcmp(best->model->install, fields[5]) == 0 &&
           strcmp(best->device_id, fields[6]) == 0 && strcmp(position, fields[7]) == 0 &&
           strcmp(inf_id, fields[8]) == 0 && strcmp(score, fields[9]) == 0;
}

static void inf_row(struct tap *tap, const char *folder, char **fields, size_t count)
{
    struct device_list list = { NULL };
    struct problems problems = { 0 };
    struct inf_models models = { NULL };
    struct inf_candidates candidates = { NULL };
    struct inf_target target = { .architecture = strtok(fields[2], " ") };
    struct windows_ids ids;
    struct inf *inf;
    char path[600];

    assert_true(count >= 10);
    sscanf(strtok(NULL, " "), "%u.%u.%u", &target.major, &target.minor, &target.build);
    snprintf(path, sizeof path, "%s/inf/%s", folder, fields[1]);
    inf = inf_load(path, &(struct inf_options){ .architecture = "amd64" }, &problems);
    if (inf == NULL || !device_read_word(fields[3], fields[0], 0, &list, &problems)) {
        report(tap, false, "%s: %s", fields[0], problems.list[0].text);
    } else {
        windows_ids_generate(list.records[0], WINDOWS_LIST_B, -1, &ids);
        assert_true(inf_models_collect(inf, &target, &models, &problems));
        assert_true(inf_rank(&models, &ids, &target, &candidates, &problems));
        report(tap, line_holds(&candidates, fields), "%s: %s in %s: %s by %s", fields[0], fields[3],
               fields[1], candidates.count == 0 ? "none" : candidates.list[0].model->install,
               candidates.count == 0 ? "-" : candidates.list[0].device_id);
    }
    free(candidates.list);
    inf_models_clear(&models);
    inf_free(inf);
    device_list_clear(&list);
    problems_clear(&problems);
}

int main(void)
{
    const char *folder = corpus_folder();
    struct tap tap = { 0 };

    if (folder == NULL) {
        printf("1..0 # SKIP the corpus is not at hand: MACHV_CORPUS names its folder\n");
        return 77;
    }
    each_row(&tap, folder, "versions.tsv", version_row);
    each_row(&tap, folder, "expected.tsv", match_row);
    each_row(&tap, folder, "expected.tsv", dump_row);
    each_row(&tap, folder, "inf-expected.tsv", inf_row);
    printf("1..%u\n", tap.number);
    return tap.failed == 0 ? 0 : 1;
}
