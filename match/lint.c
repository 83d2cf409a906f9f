/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *lint_severity_name(enum lint_severity severity)
{
    static const char *const names[] = { "note", "warning", "error" };

    return names[severity];
}

static void add(struct findings *findings, struct finding *finding, const char *path,
                const char *personality)
{
    if (findings->count == findings->capacity) {
        size_t capacity = findings->capacity == 0 ? 32 : findings->capacity * 2;
        struct finding *grown = realloc(findings->list, capacity * sizeof *grown);

        if (grown == NULL) {
            findings->failed = true;
            return;
        }
        findings->list = grown;
        findings->capacity = capacity;
    }
    finding->path = strdup(path);
    finding->personality = personality == NULL ? NULL : strdup(personality);
    if (finding->path != NULL)
        findings->list[findings->count++] = *finding;
}

void lint_report(const struct lint_place *place, enum lint_rule_number rule,
                 const struct plist *where, const char *format, ...)
{
    struct finding finding = { .rule = rule, .line = plist_line(where) };
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(finding.text, sizeof finding.text, format, arguments);
    va_end(arguments);
    add(place->findings, &finding, place->kext->plist_path, place->personality);
}

void lint_report_file(const struct lint_place *place, enum lint_rule_number rule, const char *path,
                      const char *format, ...)
{
    struct finding finding = { .rule = rule };
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(finding.text, sizeof finding.text, format, arguments);
    va_end(arguments);
    add(place->findings, &finding, path, NULL);
}

/* What the readers said becomes findings. */
static void take_problems(const struct problems *problems, struct findings *findings)
{
    size_t index;

    for (index = 0; index < problems->count; index++) {
        const struct problem *problem = &problems->list[index];
        struct finding finding = {
            .rule = problem->severity == PROBLEM_ERROR ? LINT_PLIST_UNREADABLE : LINT_PLIST_DIALECT,
            .line = problem->line,
        };

        snprintf(finding.text, sizeof finding.text,
                 problem->times > 1 ? "%.200s (%u times)" : "%.200s", problem->text,
                 problem->times);
        add(findings, &finding, problem->place, NULL);
    }
}

static void lint_personalities(struct lint_place *place)
{
    const struct plist *personalities =
        kext_value(place->kext, "IOKitPersonalities", place->options->architecture);
    size_t index;

    if (personalities == NULL)
        return;
    if (!plist_is(personalities, PLIST_DICTIONARY)) {
        lint_report(place, LINT_PERSONALITIES_TYPE, personalities,
                    "IOKitPersonalities is of type %s", plist_type_name(personalities));
        return;
    }
    for (index = 0; index < plist_count(personalities); index++) {
        place->personality = plist_key_at(personalities, index);
        place->keys = plist_value_at(personalities, index);
        if (plist_is(place->keys, PLIST_DICTIONARY)) {
            lint_personality(place);
            lint_pci_keys(place);
        } else {
            lint_report(place, LINT_PERSONALITIES_TYPE, place->keys,
                        "the personality is of type %s", plist_type_name(place->keys));
        }
    }
    place->personality = NULL;
}

void lint_kexts(const struct kext_set *set, const struct problems *loading,
                const struct lint_options *options, struct findings *findings)
{
    struct lint_place place = { findings, options, set, NULL, NULL, NULL };
    size_t index;

    take_problems(loading, findings);
    for (index = 0; index < set->count; index++) {
        place.kext = set->kexts[index];
        place.keys = place.kext->info;
        lint_bundle(&place);
        lint_personalities(&place);
        place.keys = place.kext->info;
        if (options->install_rules && place.kext->is_bundle && place.kext->container == NULL)
            lint_files(&place);
    }
    if (set->count > 0)
        lint_shadows(&place);
}

void findings_clear(struct findings *findings)
{
    size_t index;

    for (index = 0; index < findings->count; index++) {
        free(findings->list[index].path);
        free(findings->list[index].personality);
    }
    free(findings->list);
    *findings = (struct findings){ NULL };
}
