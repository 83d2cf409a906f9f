/* SPDX-License-Identifier: BSD-3-Clause */
/* Generic matching keys, in the order in which the kernel checks them. */
#include "match/personality.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct check {
    const struct plist *personality;
    struct match_device device;
    const struct match_rules *rules;
    struct match_result *result;
    unsigned parents; /* levels of IOParentMatch gone up; bounds recursion */
};

enum { PARENT_LEVELS_MAX = 32 };

static enum match_answer match_all(struct check *check, bool family);

static unsigned release_of(const struct match_rules *rules)
{
    return rules == NULL || rules->release == 0 ? MATCH_RELEASE_NEWEST : rules->release;
}

__attribute__((format(printf, 4, 5))) static enum match_answer explain(const struct check *check,
                                                                       const char *key,
                                                                       enum match_answer answer,
                                                                       const char *format, ...)
{
    struct match_step step = { .key = key, .answer = answer };
    va_list arguments;

    if (check->rules == NULL || check->rules->explain == NULL)
        return answer;
    va_start(arguments, format);
    vsnprintf(step.text, sizeof step.text, format, arguments);
    va_end(arguments);
    check->rules->explain(check->rules->context, &step);
    return answer;
}

static enum match_answer check_provider_class(struct check *check, const struct plist *value)
{
    const struct match_device_operations *operations = check->device.operations;
    const char *name = plist_string(value);
    bool is;

    if (name == NULL)
        return explain(check, "IOProviderClass", MATCH_NO,
                       "is of type %s: the personality never enters", plist_type_name(value));
    is = operations->is_class != NULL && operations->is_class(check->device.device, name);
    return explain(check, "IOProviderClass", is ? MATCH_YES : MATCH_NO,
                   "the device is %sof class %s", is ? "" : "not ", name);
}

static enum match_answer check_names(struct check *check, const struct plist *value)
{
    struct plist *matched = match_copy_matched_name(value, check->device);

    if (matched == NULL && match_may_have_name(value, check->device))
        return explain(check, "IONameMatch", MATCH_UNDECIDED,
                       "a name of the list depends on fields that "
                       "are not known of the device");
    if (matched == NULL)
        return explain(check, "IONameMatch", MATCH_NO, "no name of the device is in the list");
    explain(check, "IONameMatch", MATCH_YES, "the device answers to \"%s\"", plist_string(matched));
    plist_release(check->result->name_matched);
    check->result->name_matched = matched;
    return MATCH_YES;
}

static enum match_answer check_location(struct check *check, const struct plist *value)
{
    const struct match_device_operations *operations = check->device.operations;
    const char *wanted = plist_string(value);
    const char *location;

    if (wanted == NULL)
        return MATCH_YES; /* a dictionary is looked at later, other types are ignored */
    location = operations->location == NULL ? NULL : operations->location(check->device.device);
    return explain(check, "IOLocationMatch",
                   location != NULL && strcmp(location, wanted) == 0 ? MATCH_YES : MATCH_NO,
                   "location is \"%s\", wanted \"%s\"", location == NULL ? "" : location, wanted);
}

static struct plist *copy_property(const struct check *check, const char *key)
{
    const struct match_device_operations *operations = check->device.operations;

    return operations->copy_property == NULL ? NULL
                                             : operations->copy_property(check->device.device, key);
}

static bool property_equals(const struct check *check, const char *key, const struct plist *wanted)
{
    struct plist *property = copy_property(check, key);
    bool equal = property != NULL && plist_equal(property, wanted);

    plist_release(property);
    return equal;
}

static enum match_answer check_property_dictionary(struct check *check,
                                                   const struct plist *dictionary)
{
    size_t index;

    for (index = 0; index < plist_count(dictionary); index++) {
        const char *key = plist_key_at(dictionary, index);

        if (!property_equals(check, key, plist_value_at(dictionary, index)))
            return explain(check, "IOPropertyMatch", MATCH_NO,
                           "property \"%s\" differs or is absent", key);
    }
    return explain(check, "IOPropertyMatch", MATCH_YES, "all %zu properties are equal",
                   plist_count(dictionary));
}

static bool is_list(const struct plist *value)
{
    return plist_is(value, PLIST_ARRAY) || plist_is(value, PLIST_SET);
}

static enum match_answer check_properties(struct check *check, const struct plist *value)
{
    size_t index;

    if (plist_is(value, PLIST_DICTIONARY))
        return check_property_dictionary(check, value);
    if (!is_list(value))
        return explain(check, "IOPropertyMatch", MATCH_NO, "is of type %s", plist_type_name(value));
    for (index = 0; index < plist_count(value); index++) {
        const struct plist *dictionary = plist_value_at(value, index);

        if (!plist_is(dictionary, PLIST_DICTIONARY))
            break; /* the kernel's walk ends at the first element of another type */
        if (check_property_dictionary(check, dictionary) == MATCH_YES)
            return MATCH_YES;
    }
    return MATCH_NO;
}

static bool property_exists(const struct check *check, const struct plist *name)
{
    struct plist *property =
        plist_string(name) == NULL ? NULL : copy_property(check, plist_string(name));
    bool exists = property != NULL;

    plist_release(property);
    return exists;
}

static enum match_answer check_property_exists(struct check *check, const struct plist *value)
{
    bool exists = false;
    size_t index;

    if (release_of(check->rules) < 1012)
        return MATCH_YES; /* the key is unknown before 10.12 */
    if (plist_is(value, PLIST_STRING))
        exists = property_exists(check, value);
    for (index = 0; is_list(value) && !exists && index < plist_count(value); index++) {
        if (!plist_is(plist_value_at(value, index), PLIST_STRING))
            break;
        exists = property_exists(check, plist_value_at(value, index));
    }
    return explain(check, "IOPropertyExistsMatch", exists ? MATCH_YES : MATCH_NO, "%s",
                   exists ? "the property is there" : "no such property");
}

static enum match_answer check_path(struct check *check, const struct plist *value)
{
    const struct match_device_operations *operations = check->device.operations;
    const char *path = plist_string(value);

    if (path == NULL)
        return MATCH_YES;
    return explain(check, "IOPathMatch",
                   operations->is_at_path != NULL &&
                           operations->is_at_path(check->device.device, path)
                       ? MATCH_YES
                       : MATCH_NO,
                   "path \"%s\"", path);
}

/* Keys that hold a number and are ignored when they hold anything else. */
static enum match_answer check_number(struct check *check, const char *key,
                                      const struct plist *value,
                                      uint64_t (*actual)(const void *device))
{
    uint64_t wanted;
    uint64_t have;

    if (!plist_integer(value, &wanted))
        return MATCH_YES;
    have = actual == NULL ? 0 : actual(check->device.device);
    return explain(check, key, have == wanted ? MATCH_YES : MATCH_NO,
                   "is %" PRIu64 ", wanted %" PRIu64, have, wanted);
}

static enum match_answer check_registry_id(struct check *check, const struct plist *value)
{
    return check_number(check, "IORegistryEntryID", value, check->device.operations->registry_id);
}

static enum match_answer check_client_count(struct check *check, const struct plist *value)
{
    return check_number(check, "IOMatchedServiceCountMatch", value,
                        check->device.operations->client_count);
}

static enum match_answer check_bsd(struct check *check, const char *key, const struct plist *value)
{
    bool equal = property_equals(check, key, value);

    return explain(check, key, equal ? MATCH_YES : MATCH_NO, "%s",
                   equal ? "equal" : "differs or is absent");
}

static bool is_resources(const struct check *check)
{
    const struct match_device_operations *operations = check->device.operations;

    return operations->is_class != NULL &&
           (operations->is_class(check->device.device, "IOResources") ||
            operations->is_class(check->device.device, "IOUserResources"));
}

static enum match_answer resource_published(struct check *check, const struct plist *name)
{
    bool there = property_exists(check, name);

    return explain(check, "IOResourceMatch", there ? MATCH_YES : MATCH_NO,
                   "resource \"%s\" is %spublished",
                   plist_string(name) == NULL ? "?" : plist_string(name), there ? "" : "not ");
}

/* IOResourceMatched (10.12): a resource that must be published already. The nub lists those in a
 * property of the same name; one that has become a property of its own counts as well. */
static enum match_answer check_published_before(struct check *check, const struct plist *name)
{
    struct plist *list = copy_property(check, "IOResourceMatched");
    bool there = property_exists(check, name);
    size_t index;

    for (index = 0; plist_is(list, PLIST_ARRAY) && index < plist_count(list) && !there; index++)
        there = plist_equal(plist_value_at(list, index), name);
    plist_release(list);
    return explain(check, "IOResourceMatched", there ? MATCH_YES : MATCH_NO,
                   "resource \"%s\" is %spublished", plist_string(name), there ? "" : "not ");
}

/* Only on IOResources; the rules for its absence and for arrays changed with releases. */
static enum match_answer check_resources(struct check *check)
{
    const struct plist *value = plist_get(check->personality, "IOResourceMatch");
    const struct plist *before = plist_get(check->personality, "IOResourceMatched");
    unsigned release = release_of(check->rules);
    size_t index;

    if (!is_resources(check))
        return MATCH_YES;
    if (plist_is(value, PLIST_STRING))
        return resource_published(check, value);
    if (plist_is(value, PLIST_SET) || (plist_is(value, PLIST_ARRAY) && release >= 1400)) {
        for (index = 0; index < plist_count(value); index++)
            if (resource_published(check, plist_value_at(value, index)) != MATCH_YES)
                return MATCH_NO;
        return MATCH_YES;
    }
    if (value == NULL && release >= 1012 && plist_is(before, PLIST_STRING))
        return check_published_before(check, before);
    return explain(check, "IOResourceMatch", release >= 1009 ? MATCH_YES : MATCH_NO,
                   "is of type %s: %s in this release", plist_type_name(value),
                   release >= 1009 ? "ignored" : "no match");
}

struct generic_key {
    const char *key;
    enum match_answer (*check)(struct check *check, const struct plist *value);
};

static const struct generic_key generic_keys[] = {
    { "IOProviderClass", check_provider_class },
    { "IONameMatch", check_names },
    { "IOLocationMatch", check_location },
    { "IOPropertyMatch", check_properties },
    { "IOPropertyExistsMatch", check_property_exists },
    { "IOPathMatch", check_path },
    { "IORegistryEntryID", check_registry_id },
    { "IOMatchedServiceCountMatch", check_client_count },
};

static const char *const bsd_keys[] = { "BSD Name", "BSD Major", "BSD Minor", "BSD Unit" };

static enum match_answer weaker(enum match_answer left, enum match_answer right)
{
    if (left == MATCH_NO || right == MATCH_NO)
        return MATCH_NO;
    return left == MATCH_YES ? right : left;
}

static enum match_answer match_generic(struct check *check)
{
    enum match_answer answer = MATCH_YES;
    const struct plist *value;
    size_t index;

    for (index = 0; index < sizeof generic_keys / sizeof *generic_keys; index++) {
        value = plist_get(check->personality, generic_keys[index].key);
        if (value != NULL)
            answer = weaker(answer, generic_keys[index].check(check, value));
        if (answer == MATCH_NO)
            return MATCH_NO;
    }
    for (index = 0; index < sizeof bsd_keys / sizeof *bsd_keys; index++) {
        value = plist_get(check->personality, bsd_keys[index]);
        if (value != NULL && check_bsd(check, bsd_keys[index], value) == MATCH_NO)
            return MATCH_NO;
    }
    return weaker(answer, check_resources(check));
}

/* The whole dictionary, family keys too, against some ancestor (IOParentMatch). */
static enum match_answer check_parents(struct check *check)
{
    const struct match_device_operations *operations = check->device.operations;
    const struct plist *wanted = plist_get(check->personality, "IOParentMatch");
    const void *ancestor = check->device.device;
    enum match_answer best = MATCH_NO;

    if (!plist_is(wanted, PLIST_DICTIONARY))
        return MATCH_YES;
    while (operations->parent != NULL && check->parents < PARENT_LEVELS_MAX && best == MATCH_NO &&
           (ancestor = operations->parent(ancestor)) != NULL) {
        struct match_result result = { .answer = MATCH_NO };
        struct check above = {
            wanted, { operations, ancestor }, check->rules, &result, check->parents + 1
        };

        best = match_all(&above, true);
        plist_release(result.name_matched);
    }
    return explain(check, "IOParentMatch", best, "%s",
                   best == MATCH_NO ? "no entry above fits" : "an entry above fits");
}

static enum match_answer check_location_node(struct check *check)
{
    const struct match_device_operations *operations = check->device.operations;
    const struct plist *wanted = plist_get(check->personality, "IOLocationMatch");
    struct match_result result = { .answer = MATCH_NO };
    struct check there = { wanted, check->device, check->rules, &result, check->parents + 1 };
    enum match_answer answer;

    if (!plist_is(wanted, PLIST_DICTIONARY) || check->parents >= PARENT_LEVELS_MAX)
        return MATCH_YES;
    if (operations->location_node != NULL &&
        operations->location_node(check->device.device) != NULL)
        there.device.device = operations->location_node(check->device.device);
    answer = match_all(&there, true);
    plist_release(result.name_matched);
    return explain(check, "IOLocationMatch", answer, "the location's node %s",
                   answer == MATCH_NO ? "does not fit" : "fits");
}

static enum match_answer match_all(struct check *check, bool family)
{
    const struct match_device_operations *operations = check->device.operations;
    enum match_answer answer = match_generic(check);

    if (answer != MATCH_NO && family && operations->explain_family != NULL)
        answer = weaker(answer, operations->explain_family(check->device.device, check->personality,
                                                           check->rules, &check->result->score));
    else if (answer != MATCH_NO && family && operations->match_family != NULL)
        answer = weaker(answer, operations->match_family(check->device.device, check->personality,
                                                         &check->result->score));
    if (answer != MATCH_NO)
        answer = weaker(answer, check_parents(check));
    if (answer != MATCH_NO)
        answer = weaker(answer, check_location_node(check));
    return answer;
}

static struct match_result match(const struct plist *personality, struct match_device device,
                                 const struct match_rules *rules, bool family)
{
    struct match_result result = { .score = match_probe_score(personality) };
    struct check check = { personality, device, rules, &result, 0 };

    result.answer = match_all(&check, family);
    if (result.answer == MATCH_NO) {
        plist_release(result.name_matched);
        result.name_matched = NULL;
    }
    return result;
}

struct match_result match_personality(const struct plist *personality, struct match_device device,
                                      const struct match_rules *rules)
{
    return match(personality, device, rules, true);
}

struct match_result match_generic_keys(const struct plist *personality, struct match_device device,
                                       const struct match_rules *rules)
{
    return match(personality, device, rules, false);
}

int32_t match_probe_score(const struct plist *personality)
{
    uint64_t score;

    return plist_integer(plist_get(personality, "IOProbeScore"), &score) ? (int32_t)(uint32_t)score
                                                                         : 0;
}

const char *match_category(const struct plist *personality)
{
    const char *category = plist_string(plist_get(personality, "IOMatchCategory"));

    return category == NULL ? "IODefaultMatchCategory" : category;
}
