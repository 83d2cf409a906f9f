/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules over all personalities of a set: duplicates, and who stands in whose way. */
#include "match/lint.h"

#include "match/claims.h"
#include "match/personality.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BROAD_MAX = 256,
    CLAIMS_KEPT = 250000,     /* of all personalities; what comes after them is not compared */
    COMPARISONS_MAX = 50000000, /* of broad personalities with others */
};

struct entry {
    const struct kext *kext;
    const char *name;
    const struct plist *keys;
    const char *category;
    const char *provider;
    int32_t score;
    struct claims claims;
};

struct survey {
    const struct lint_place *place;
    struct entry *entries;
    size_t count;
    size_t capacity;
    struct plist *contents; /* content hash to position, of those that came first */
    struct plist *best;     /* category, provider and claim to the position of who is asked first */
    const struct entry *broad[BROAD_MAX]; /* those that match by class or vendor alone */
    size_t broad_count;
    size_t claims;
    size_t comparisons;
    bool failed;
};

static struct lint_place at_entry(const struct survey *survey, const struct entry *entry)
{
    struct lint_place place = *survey->place;

    place.kext = entry->kext;
    place.personality = entry->name;
    place.keys = entry->keys;
    return place;
}

static bool is_before(const struct survey *survey, const struct entry *left,
                      const struct entry *right)
{
    (void)survey;
    return left->score != right->score ? left->score > right->score : left < right;
}

static void claim_key(const struct entry *entry, const struct claim *claim, char text[256])
{
    char id[WINDOWS_ID_SIZE];

    claim_windows_id(claim, id);
    snprintf(text, 256, "%.80s|%.60s|%s%s", entry->category, entry->provider, id,
             claim->kind == CLAIM_NAME ? claim->text : "");
}

/* Only ids, no narrowing keys beside them: whoever has a device's claim takes the device. */
static bool says_all(const struct entry *entry)
{
    static const char *const others[] = { "IOPropertyMatch", "IOPropertyExistsMatch",
                                          "IOParentMatch",   "IOLocationMatch",
                                          "IOPathMatch",     "IOResourceMatch" };
    size_t index;

    for (index = 0; index < sizeof others / sizeof *others; index++)
        if (plist_get(entry->keys, others[index]) != NULL)
            return false;
    return true;
}

static void add_best(struct survey *survey, const struct entry *entry)
{
    char key[256];
    uint64_t position;
    size_t index;

    for (index = 0; says_all(entry) && index < entry->claims.count; index++) {
        claim_key(entry, &entry->claims.list[index], key);
        if (plist_integer(plist_get(survey->best, key), &position) &&
            is_before(survey, &survey->entries[position], entry))
            continue;
        survey->failed |= !plist_dictionary_set(
            survey->best, key, plist_new_integer((uint64_t)(entry - survey->entries), 64));
    }
}

static bool is_broad(const struct entry *entry)
{
    return plist_get(entry->keys, "IONameMatch") == NULL &&
           plist_get(entry->keys, "IOPCISecondaryMatch") == NULL && entry->claims.count > 0 &&
           entry->claims.list[0].kind == CLAIM_PCI && !entry->claims.list[0].pci.has_device &&
           says_all(entry);
}

static void add_entry(struct survey *survey, const struct kext *kext, const char *name,
                      const struct plist *keys)
{
    const struct lint_options *options = survey->place->options;
    const char *provider = plist_string(plist_get(keys, "IOProviderClass"));
    struct entry *entry;

    if (survey->count == survey->capacity) {
        size_t capacity = survey->capacity == 0 ? 64 : survey->capacity * 2;
        struct entry *grown = realloc(survey->entries, capacity * sizeof *grown);

        if (grown == NULL) {
            survey->failed = true;
            return;
        }
        survey->entries = grown;
        survey->capacity = capacity;
    }
    entry = &survey->entries[survey->count];
    *entry = (struct entry){ .kext = kext,
                             .name = name,
                             .keys = keys,
                             .category = match_category(keys),
                             .provider = provider == NULL ? "" : provider,
                             .score = match_probe_score(keys) };
    if (provider == NULL ||
        !claims_collect(keys, options->release, options->names, CLAIM_LIMIT, &entry->claims))
        return;
    survey->claims += entry->claims.count;
    if (survey->claims > CLAIMS_KEPT)
        claims_clear(&entry->claims);
    survey->count++;
}

static void collect(struct survey *survey)
{
    const struct kext_set *set = survey->place->set;
    size_t at;
    size_t index;

    for (at = 0; at < set->count; at++) {
        const struct plist *personalities =
            kext_value(set->kexts[at], "IOKitPersonalities", survey->place->options->architecture);

        for (index = 0;
             plist_is(personalities, PLIST_DICTIONARY) && index < plist_count(personalities);
             index++)
            if (plist_is(plist_value_at(personalities, index), PLIST_DICTIONARY))
                add_entry(survey, set->kexts[at], plist_key_at(personalities, index),
                          plist_value_at(personalities, index));
    }
}

/* The same content twice, and the same bundle: the catalogue keeps one. */
static void check_duplicate(struct survey *survey, struct entry *entry)
{
    struct lint_place place = at_entry(survey, entry);
    char key[32];
    uint64_t position;

    snprintf(key, sizeof key, "%016llx", (unsigned long long)plist_hash(entry->keys));
    if (plist_integer(plist_get(survey->contents, key), &position)) {
        const struct entry *first = &survey->entries[position];

        if (plist_equal(first->keys, entry->keys) &&
            strcmp(first->kext->identifier, entry->kext->identifier) == 0)
            lint_report(&place, LINT_PERSONALITY_DUPLICATE, entry->keys,
                        "equal to \"%.80s\" of %.120s", first->name, first->kext->path);
        return;
    }
    survey->failed |= !plist_dictionary_set(
        survey->contents, key, plist_new_integer((uint64_t)(entry - survey->entries), 64));
}

/* Every claim is somebody else's first. */
static void check_unreachable(struct survey *survey, const struct entry *entry)
{
    struct lint_place place = at_entry(survey, entry);
    const struct entry *other = NULL;
    char key[256];
    uint64_t position;
    size_t index;

    for (index = 0; index < entry->claims.note_count; index++)
        if (entry->claims.notes[index].lost)
            return;
    for (index = 0; index < entry->claims.count; index++) {
        claim_key(entry, &entry->claims.list[index], key);
        if (!plist_integer(plist_get(survey->best, key), &position) ||
            &survey->entries[position] == entry ||
            (plist_equal(survey->entries[position].keys, entry->keys)))
            return;
        other = &survey->entries[position];
    }
    if (other != NULL)
        lint_report(&place, LINT_PERSONALITY_UNREACHABLE, entry->keys,
                    "\"%.80s\" of %.80s (score %d) is asked first for "
                    "all of its devices",
                    other->name, other->kext->identifier, (int)other->score);
}

static bool covers(const struct claim *broad, const struct claim *claim)
{
    if (claim->kind != CLAIM_PCI)
        return false;
    if (broad->pci.has_vendor && (!claim->pci.has_vendor || broad->pci.vendor != claim->pci.vendor))
        return false;
    if (broad->pci.class_digits == 0)
        return true;
    if (claim->pci.class_digits < broad->pci.class_digits)
        return false;
    return (claim->pci.class_digits > broad->pci.class_digits
                ? claim->pci.class >> 8
                : claim->pci.class) == broad->pci.class;
}

/* A broad personality in front of one that knows its devices. Reported once for each broad one. */
static void check_broad(struct survey *survey, const struct entry *broad)
{
    struct lint_place place = at_entry(survey, broad);
    const struct entry *first = NULL;
    size_t shadowed = 0;
    size_t index;
    size_t own;
    size_t claim;

    for (index = 0; index < survey->count; index++) {
        const struct entry *entry = &survey->entries[index];
        bool covered = false;

        if (entry == broad || strcmp(entry->category, broad->category) != 0 || is_broad(entry) ||
            !is_before(survey, broad, entry) ||
            strcmp(entry->kext->identifier, broad->kext->identifier) == 0)
            continue;
        survey->comparisons += entry->claims.count * broad->claims.count + 1;
        if (survey->comparisons > COMPARISONS_MAX)
            break;
        for (claim = 0; claim < entry->claims.count && !covered; claim++)
            for (own = 0; own < broad->claims.count && !covered; own++)
                covered = covers(&broad->claims.list[own], &entry->claims.list[claim]);
        shadowed += covered;
        first = covered && first == NULL ? entry : first;
    }
    if (shadowed > 0)
        lint_report(&place,
                    broad->claims.list[0].pci.class_digits != 0 ? LINT_CLASS_SHADOWS
                                                                : LINT_VENDOR_SHADOWS,
                    broad->keys,
                    "with score %d it is asked before \"%.80s\" of %.80s (score %d) and %zu more",
                    (int)broad->score, first->name, first->kext->identifier, (int)first->score,
                    shadowed - 1);
}

void lint_shadows(const struct lint_place *place)
{
    struct survey survey = { .place = place,
                             .contents = plist_new_dictionary(),
                             .best = plist_new_dictionary() };
    size_t index;

    survey.failed = survey.contents == NULL || survey.best == NULL;
    if (!survey.failed)
        collect(&survey);
    for (index = 0; index < survey.count && !survey.failed; index++) {
        check_duplicate(&survey, &survey.entries[index]);
        add_best(&survey, &survey.entries[index]);
        if (is_broad(&survey.entries[index]) && survey.broad_count < BROAD_MAX)
            survey.broad[survey.broad_count++] = &survey.entries[index];
    }
    for (index = 0; index < survey.count && !survey.failed; index++)
        check_unreachable(&survey, &survey.entries[index]);
    for (index = 0; index < survey.broad_count && !survey.failed; index++)
        check_broad(&survey, survey.broad[index]);
    for (index = 0; index < survey.count; index++)
        claims_clear(&survey.entries[index].claims);
    free(survey.entries);
    plist_release(survey.contents);
    plist_release(survey.best);
    place->findings->failed |= survey.failed;
}
