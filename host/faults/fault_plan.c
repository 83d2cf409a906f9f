/* SPDX-License-Identifier: BSD-3-Clause */
/* Plans of faults: rules, chance, and what they do to bytes. */
#include "host/faults/fault_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void fault_plan_initialise(struct fault_plan *plan, uint64_t seed)
{
    memset(plan, 0, sizeof(*plan));
    plan->random = seed;
}

/* splitmix64 (public domain, Sebastiano Vigna). */
static uint64_t next_random(struct fault_plan *plan)
{
    uint64_t value = plan->random += UINT64_C(0x9E3779B97F4A7C15);
    value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
    return value ^ value >> 31;
}

/* ---- Rules in words ---- */

static const char *const subjects[] = {
    [FAULT_MESSAGE] = "message",       [FAULT_POST] = "post",       [FAULT_PACKET] = "packet",
    [FAULT_COMPLETION] = "completion", [FAULT_REQUEST] = "request",
};

static const char *const actions[] = {
    [FAULT_DROP] = "drop",         [FAULT_DELAY] = "delay",
    [FAULT_DUPLICATE] = "duplicate", [FAULT_REORDER] = "reorder",
    [FAULT_TRUNCATE] = "truncate", [FAULT_CORRUPT] = "corrupt",
    [FAULT_REFUSE] = "refuse",     [FAULT_FAIL] = "fail",
    [FAULT_RESCIND] = "rescind",
};

/* One word of a rule: name, and value if it has one. */
struct rule_word {
    const char *start;
    size_t name_length;
    bool has_value;
    uint64_t value;
};

/* Reads the word at *text and steps over it and its comma. Returns false if the value is bad. */
static bool next_word(const char **text, struct rule_word *word)
{
    size_t length = strcspn(*text, ",");
    *word = (struct rule_word){.start = *text, .name_length = length};
    const char *equals = memchr(*text, '=', length);
    if (equals != NULL) {
        char *end;
        word->name_length = (size_t)(equals - *text);
        word->has_value = true;
        errno = 0;
        word->value = strtoull(equals + 1, &end, 0);
        if (end != *text + length || end == equals + 1 || errno != 0 || equals[1] == '-') {
            return false;
        }
    }
    *text += length;
    if (**text == ',') {
        *text += 1;
    }
    return word->name_length > 0;
}

static bool word_is(const struct rule_word *word, const char *name)
{
    return strlen(name) == word->name_length && memcmp(word->start, name, word->name_length) == 0;
}

/* The index of the word in a list, or -1. */
static int find_word(const struct rule_word *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (word_is(word, list[i])) {
            return (int)i;
        }
    }
    return -1;
}

static bool set_condition(struct fault_rule *rule, const struct rule_word *word)
{
    if (!word->has_value) {
        return false;
    }
    if (word_is(word, "nth")) {
        rule->nth = word->value;
    } else if (word_is(word, "times")) {
        rule->times = word->value;
    } else if (word_is(word, "type") && word->value <= UINT32_MAX) {
        rule->type = (uint32_t)word->value;
    } else if (word_is(word, "channel") && word->value <= UINT32_MAX) {
        rule->channel = (uint32_t)word->value;
    } else if (word_is(word, "percent") && word->value >= 1 && word->value <= 100) {
        rule->percent = (uint32_t)word->value;
    } else {
        return false;
    }
    return true;
}

/* Whether the action makes sense for the subject, with or without its argument. */
static bool action_possible(const struct fault_rule *rule)
{
    bool is_post = rule->subject == FAULT_POST;
    bool to_guest = !is_post && rule->subject != FAULT_REQUEST;
    switch (rule->action) {
    case FAULT_DELAY:
        return to_guest && rule->has_argument;
    case FAULT_DUPLICATE:
    case FAULT_REORDER:
        return to_guest && !rule->has_argument;
    case FAULT_TRUNCATE:
        return !is_post && rule->has_argument;
    case FAULT_CORRUPT:
        return !is_post;
    case FAULT_FAIL:
        return is_post && !rule->has_argument;
    case FAULT_REFUSE:
        return is_post && rule->has_argument && rule->argument != 0;
    default:
        return !rule->has_argument;
    }
}

int fault_plan_add(struct fault_plan *plan, const char *text, const char **problem)
{
    struct fault_rule rule = {0};
    struct rule_word word;
    *problem = text;
    bool good = next_word(&text, &word);
    int subject = good ? find_word(&word, subjects, sizeof(subjects) / sizeof(subjects[0])) : -1;
    if (subject < 0 || word.has_value) {
        return -EINVAL;
    }
    rule.subject = (enum fault_subject)subject;
    *problem = text;
    good = next_word(&text, &word);
    int action = good ? find_word(&word, actions, sizeof(actions) / sizeof(actions[0])) : -1;
    rule.action = (enum fault_action)action;
    rule.has_argument = word.has_value;
    rule.argument = word.value;
    if (action < 0 || !action_possible(&rule)) {
        return -EINVAL;
    }
    while (*text != '\0') {
        *problem = text;
        if (!next_word(&text, &word) || !set_condition(&rule, &word)) {
            return -EINVAL;
        }
    }
    if (plan->count == FAULT_RULES_MAX) {
        return -ENOSPC;
    }
    plan->rules[plan->count++] = rule;
    return 0;
}

/* ---- Applying ---- */

static bool fires(struct fault_plan *plan, struct fault_rule *rule, enum fault_subject subject,
                  uint32_t type, uint32_t channel)
{
    if (rule->subject != subject || (rule->type != 0 && rule->type != type) ||
        (rule->channel != 0 && rule->channel != channel)) {
        return false;
    }
    rule->matched++;
    if (rule->matched < rule->nth || (rule->times != 0 && rule->fired >= rule->times) ||
        (rule->percent != 0 && next_random(plan) % 100 >= rule->percent)) {
        return false;
    }
    rule->fired++;
    return true;
}

static void truncate_bytes(const struct fault_rule *rule, size_t *length, size_t minimum,
                           size_t multiple)
{
    size_t wanted = rule->argument < *length ? (size_t)rule->argument : *length;
    wanted -= wanted % multiple;
    *length = wanted > minimum ? wanted : minimum;
}

static void corrupt_byte(struct fault_plan *plan, const struct fault_rule *rule, uint8_t *bytes,
                         size_t length, size_t minimum)
{
    uint64_t random = next_random(plan);
    uint64_t offset = rule->argument;
    if (!rule->has_argument) {
        if (length <= minimum) {
            return;
        }
        offset = minimum + random / 8 % (length - minimum);
    }
    if (offset < length) {
        bytes[offset] ^= (uint8_t)(1u << random % 8);
    }
}

struct fault_outcome fault_plan_apply(struct fault_plan *plan, enum fault_subject subject,
                                      uint32_t type, uint32_t channel, uint8_t *bytes,
                                      size_t *length, size_t minimum, size_t multiple)
{
    struct fault_outcome outcome = {0};
    for (unsigned i = 0; i < plan->count; i++) {
        struct fault_rule *rule = &plan->rules[i];
        if (!fires(plan, rule, subject, type, channel)) {
            continue;
        }
        switch (rule->action) {
        case FAULT_DROP:      outcome.drop = true; break;
        case FAULT_DELAY:     outcome.delay += rule->argument; break;
        case FAULT_DUPLICATE: outcome.duplicate = true; break;
        case FAULT_REORDER:   outcome.reorder = true; break;
        case FAULT_TRUNCATE:  truncate_bytes(rule, length, minimum, multiple); break;
        case FAULT_CORRUPT:   corrupt_byte(plan, rule, bytes, *length, minimum); break;
        case FAULT_REFUSE:    outcome.status = (uint32_t)rule->argument; break;
        case FAULT_FAIL:      outcome.fail = true; break;
        case FAULT_RESCIND:   outcome.rescind = true; break;
        }
    }
    return outcome;
}

uint64_t fault_plan_fired(const struct fault_plan *plan, unsigned index)
{
    return index < plan->count ? plan->rules[index].fired : 0;
}
