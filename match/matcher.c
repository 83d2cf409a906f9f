/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/matcher.h"

#include "match/classes.h"
#include "match/pci_registers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool matcher_init(struct matcher *matcher, unsigned release, const char *architecture)
{
    *matcher = (struct matcher){ catalogue_create(), release, architecture };
    return matcher->catalogue != NULL;
}

void matcher_clear(struct matcher *matcher)
{
    catalogue_destroy(matcher->catalogue);
    matcher->catalogue = NULL;
}

/* The personality as it is sent to the kernel. NULL when memory is out. */
static struct plist *prepare(const struct plist *personality, const struct kext *kext)
{
    struct plist *copy = plist_new_dictionary();
    const char *bundle = plist_string(plist_get(personality, "CFBundleIdentifier"));
    bool done = copy != NULL;
    size_t index;

    for (index = 0; done && index < plist_count(personality); index++)
        done = plist_dictionary_set(copy, plist_key_at(personality, index),
                                    plist_retain(plist_value_at(personality, index)));
    if (done && bundle == NULL)
        done = plist_dictionary_set(copy, "CFBundleIdentifier",
                                    plist_new_string(kext->identifier, strlen(kext->identifier)));
    else if (done && strcmp(bundle, kext->identifier) != 0)
        done = plist_dictionary_set(copy, "IOPersonalityPublisher",
                                    plist_new_string(kext->identifier, strlen(kext->identifier)));
    if (done)
        return copy;
    plist_release(copy);
    return NULL;
}

static bool add_personality(struct matcher *matcher, const struct kext *kext, const char *name,
                            const struct plist *personality, struct problems *problems)
{
    struct plist *prepared;
    enum catalogue_added added;

    if (!plist_is(personality, PLIST_DICTIONARY)) {
        problems_add(problems, PROBLEM_WARNING, kext->plist_path, plist_line(personality),
                     "personality \"%.80s\" is of type %s, not a dictionary", name,
                     plist_type_name(personality));
        return true;
    }
    prepared = prepare(personality, kext);
    if (prepared == NULL)
        return false;
    added = catalogue_add(matcher->catalogue, prepared, name, kext->identifier, (void *)kext);
    plist_release(prepared);
    if (added == CATALOGUE_NO_PROVIDER_CLASS)
        problems_add(
            problems, PROBLEM_WARNING, kext->plist_path, plist_line(personality),
            "personality \"%.80s\" has no string IOProviderClass: it never enters the catalogue",
            name);
    return added != CATALOGUE_NO_MEMORY;
}

bool matcher_add(struct matcher *matcher, const struct kext_set *set, struct problems *problems)
{
    size_t at;
    size_t index;

    for (at = 0; at < set->count; at++) {
        const struct kext *kext = set->kexts[at];
        const struct plist *personalities =
            kext_value(kext, "IOKitPersonalities", matcher->architecture);

        if (personalities != NULL && !plist_is(personalities, PLIST_DICTIONARY))
            problems_add(problems, PROBLEM_WARNING, kext->plist_path, plist_line(personalities),
                         "IOKitPersonalities is of type %s, not a dictionary",
                         plist_type_name(personalities));
        if (!plist_is(personalities, PLIST_DICTIONARY))
            continue;
        for (index = 0; index < plist_count(personalities); index++)
            if (!add_personality(matcher, kext, plist_key_at(personalities, index),
                                 plist_value_at(personalities, index), problems))
                return false;
    }
    return true;
}

struct visit {
    const struct matcher *matcher;
    const struct device_record *device;
    enum match_detail detail;
    struct match_outcome *outcome;
    struct match_rules rules;
    struct candidate *current;
    bool failed;
};

static void keep_step(void *context, const struct match_step *step)
{
    struct visit *visit = context;
    struct candidate *candidate = visit->current;
    struct match_step *grown =
        realloc(candidate->steps, (candidate->step_count + 1) * sizeof *grown);

    if (grown == NULL) {
        visit->failed = true;
        return;
    }
    candidate->steps = grown;
    grown[candidate->step_count++] = *step;
}

static struct candidate *new_candidate(struct visit *visit, const struct catalogue_entry *entry)
{
    struct match_outcome *outcome = visit->outcome;
    const char *class_name = plist_string(plist_get(entry->personality, "IOClass"));
    const char *bundle = plist_string(plist_get(entry->personality, "CFBundleIdentifier"));

    if (outcome->count == outcome->capacity) {
        size_t capacity = outcome->capacity == 0 ? 4 : outcome->capacity * 2;
        struct candidate *grown = realloc(outcome->candidates, capacity * sizeof *grown);

        if (grown == NULL)
            return NULL;
        outcome->candidates = grown;
        outcome->capacity = capacity;
    }
    outcome->candidates[outcome->count] = (struct candidate){
        .entry = entry,
        .kext = entry->owner,
        .state = CANDIDATE_NO_MATCH,
        .category = match_category(entry->personality),
        .class_name = class_name == NULL ? "" : class_name,
        .bundle = bundle == NULL ? "" : bundle,
        .score = entry->score,
    };
    return &outcome->candidates[outcome->count++];
}

static void take_result(struct candidate *candidate, struct match_result *result, bool invalid)
{
    candidate->state = result->answer == MATCH_YES         ? CANDIDATE_LOSER
                       : result->answer == MATCH_UNDECIDED ? CANDIDATE_UNDECIDED
                       : invalid                           ? CANDIDATE_INVALID
                                                           : CANDIDATE_NO_MATCH;
    candidate->score = result->score;
    if (result->name_matched != NULL)
        candidate->name_matched = strdup(plist_string(result->name_matched));
    plist_release(result->name_matched);
    result->name_matched = NULL;
}

static bool visit_entry(void *context, const struct catalogue_entry *entry)
{
    struct visit *visit = context;
    struct match_device device = device_match(visit->device);
    struct match_result result = match_personality(entry->personality, device, &visit->rules);
    struct match_rules explaining = visit->rules;
    bool invalid = result.answer == MATCH_NO && visit->device->is_pci &&
                   pci_bad_key(entry->personality) != NULL;
    struct candidate *candidate;

    if (result.answer == MATCH_NO && !invalid && visit->detail < MATCH_DETAIL_ALL)
        return true;
    candidate = new_candidate(visit, entry);
    if (candidate == NULL) {
        plist_release(result.name_matched);
        visit->failed = true;
        return false;
    }
    take_result(candidate, &result, false);
    if (visit->detail == MATCH_DETAIL_NONE && !invalid)
        return true;
    visit->current = candidate;
    explaining.explain = keep_step;
    explaining.context = visit;
    result = match_personality(entry->personality, device, &explaining);
    plist_release(result.name_matched);
    /* The key of the wrong type counts only when matching gets as far as it. */
    if (invalid && candidate->step_count > 0 &&
        strstr(candidate->steps[candidate->step_count - 1].text, "is no string") != NULL)
        candidate->state = CANDIDATE_INVALID;
    return !visit->failed;
}

/* Wrapping comparison, as the kernel's; candidates are in the catalogue's order, which stays among
 * equals. */
static bool is_behind(const struct candidate *left, const struct candidate *right)
{
    return (int32_t)((uint32_t)right->score - (uint32_t)left->score) > 0;
}

/* Families may have changed scores: a stable sort, nearly always of sorted input. */
static void sort_candidates(struct match_outcome *outcome)
{
    size_t index;

    for (index = 1; index < outcome->count; index++) {
        struct candidate moved = outcome->candidates[index];
        size_t at = index;

        for (; at > 0 && is_behind(&outcome->candidates[at - 1], &moved); at--)
            outcome->candidates[at] = outcome->candidates[at - 1];
        outcome->candidates[at] = moved;
    }
}

static void choose_winners(struct match_outcome *outcome)
{
    size_t index;
    size_t earlier;

    for (index = 0; index < outcome->count; index++) {
        struct candidate *candidate = &outcome->candidates[index];

        if (candidate->state != CANDIDATE_LOSER)
            continue;
        candidate->state = CANDIDATE_WINNER;
        for (earlier = 0; earlier < index; earlier++) {
            struct candidate *other = &outcome->candidates[earlier];

            if (other->state != CANDIDATE_WINNER ||
                strcmp(other->category, candidate->category) != 0)
                continue;
            candidate->state = CANDIDATE_LOSER;
            candidate->better = other;
            candidate->tie = other->score == candidate->score;
            other->tie |= candidate->tie;
            break;
        }
    }
}

/* Personalities of classes that the device is none of, for those who wonder why theirs is not
 * considered. */
static bool visit_others(struct visit *visit, const char *const *classes, size_t count)
{
    const struct catalogue_entry *entry;
    size_t index = 0;
    size_t at;

    while ((entry = catalogue_next(visit->matcher->catalogue, &index)) != NULL) {
        const char *provider = plist_string(plist_get(entry->personality, "IOProviderClass"));

        for (at = 0; at < count && strcmp(classes[at], provider) != 0; at++)
            continue;
        if (at == count && !visit_entry(visit, entry))
            return false;
    }
    return true;
}

bool matcher_match(const struct matcher *matcher, const struct device_record *device,
                   enum match_detail detail, struct match_outcome *outcome)
{
    struct visit visit = { matcher, device, detail, outcome, { .release = matcher->release },
                           NULL,    false };
    const char *classes[CLASS_CHAIN_MAX];
    size_t count = device_classes(device, classes);
    struct device_keys keys;
    bool keyed = detail < MATCH_DETAIL_ALL && device_keys_make(device, &keys);

    *outcome = (struct match_outcome){ NULL };
    if (!catalogue_find_keyed(matcher->catalogue, classes, count, keyed ? &keys.keys : NULL,
                              matcher->release, visit_entry, &visit))
        visit.failed = true;
    if (!visit.failed)
        sort_candidates(outcome);
    if (!visit.failed && detail == MATCH_DETAIL_OTHER_CLASSES &&
        !visit_others(&visit, classes, count))
        visit.failed = true;
    choose_winners(
        outcome); /* last: it points from one candidate to another, so the array must not move */
    return !visit.failed;
}

void match_outcome_clear(struct match_outcome *outcome)
{
    size_t index;

    for (index = 0; index < outcome->count; index++) {
        free(outcome->candidates[index].name_matched);
        free(outcome->candidates[index].steps);
    }
    free(outcome->candidates);
    *outcome = (struct match_outcome){ NULL };
}

static void why_matched(const struct candidate *candidate, char *text, size_t size)
{
    size_t length = 0;
    size_t index;

    text[0] = '\0';
    for (index = 0; index < candidate->step_count && length < size; index++) {
        const struct match_step *step = &candidate->steps[index];

        if (step->answer == MATCH_NO || strcmp(step->key, "IOProviderClass") == 0)
            continue;
        length += (size_t)snprintf(text + length, size - length, "%s%s: %s",
                                   length == 0 ? "" : "; ", step->key, step->text);
    }
    if (length == 0)
        snprintf(text, size, "IOProviderClass is the only key that is looked at");
}

void candidate_why(const struct candidate *candidate, char *text, size_t size)
{
    const struct match_step *last =
        candidate->step_count == 0 ? NULL : &candidate->steps[candidate->step_count - 1];

    switch (candidate->state) {
    case CANDIDATE_WINNER:
    case CANDIDATE_UNDECIDED:
        why_matched(candidate, text, size);
        break;
    case CANDIDATE_LOSER:
        if (candidate->tie)
            snprintf(
                text, size, "matches with the same score %" PRId32 " as %s, which comes first (%s)",
                candidate->score, candidate->better->entry->name,
                strcmp(plist_string(plist_get(candidate->entry->personality, "IOProviderClass")),
                       plist_string(plist_get(candidate->better->entry->personality,
                                              "IOProviderClass"))) == 0
                    ? "added earlier"
                    : "its provider class is more derived");
        else
            snprintf(text, size, "matches, but score %" PRId32 " is below %" PRId32 " of %s",
                     candidate->score, candidate->better->score, candidate->better->entry->name);
        break;
    default:
        if (last == NULL)
            snprintf(text, size, "does not match");
        else
            snprintf(text, size, "%s: %s", last->key, last->text);
    }
}
