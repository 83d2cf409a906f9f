/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/pci_registers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct number {
    uint64_t value;
    bool found;
};

static int hexadecimal_digit(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if ((character | 0x20) >= 'a' && (character | 0x20) <= 'f')
        return (character | 0x20) - 'a' + 10;
    return -1;
}

/* The kernel's strtoul in base 16: blanks but not carriage returns, a sign, 0x, saturation. */
static struct number take_number(const char *text, size_t *position)
{
    size_t at = *position;
    struct number number = { 0, false };
    bool negative = false;
    bool saturated = false;

    while (text[at] == ' ' || text[at] == '\t' || text[at] == '\n')
        at++;
    if (text[at] == '+' || text[at] == '-')
        negative = text[at++] == '-';
    if (text[at] == '0' && (text[at + 1] | 0x20) == 'x')
        at += 2;
    for (; hexadecimal_digit(text[at]) >= 0; at++) {
        saturated = saturated || number.value >> 60 != 0;
        number.value = number.value << 4 | (unsigned)hexadecimal_digit(text[at]);
        number.found = true;
    }
    if (!number.found)
        return number;
    if (saturated)
        number.value = UINT64_MAX;
    else if (negative)
        number.value = 0 - number.value;
    *position = at;
    return number;
}

bool pci_next_value(const char *text, size_t *position, uint64_t default_mask, unsigned release,
                    struct pci_value *value)
{
    size_t at = *position;
    struct number number = take_number(text, &at);

    if (!number.found)
        return false;
    *value = (struct pci_value){ number.value, default_mask, *position, at };
    while (text[at] == ' ')
        at++;
    if (text[at] == '&') {
        at++;
        number = take_number(text, &at);
        value->mask = number.found ? number.value : 0;
        value->end = at;
    }
    if (release < 1100) {
        value->value &= UINT32_MAX;
        value->mask &= UINT32_MAX;
    }
    *position = value->end;
    return true;
}

struct pci_register {
    const char *name;
    uint32_t value;
    uint32_t known;
};

struct pci_key {
    const char *key;
    uint64_t default_mask;
    bool primary;
    bool subsystem;
};

static const struct pci_key keys[] = {
    { "IOPCIMatch", 0xFFFFFFFF, true, true },
    { "IOPCIPrimaryMatch", 0xFFFFFFFF, true, false },
    { "IOPCISecondaryMatch", 0xFFFFFFFF, false, true },
    { "IOPCIClassMatch", 0xFFFFFF00, false, false },
};

static enum match_answer compare(const struct pci_value *value,
                                 const struct pci_register *pci_register)
{
    uint64_t different = (value->value ^ pci_register->value) & value->mask;

    if ((different & (UINT64_C(0xFFFFFFFF00000000) | pci_register->known)) != 0)
        return MATCH_NO;
    return (value->mask & ~(uint64_t)pci_register->known & UINT32_MAX) == 0 ? MATCH_YES
                                                                            : MATCH_UNDECIDED;
}

static void explain(const struct match_rules *rules, const char *key, enum match_answer answer,
                    const struct pci_register *pci_register, const struct pci_value *value)
{
    struct match_step step = { .key = key, .answer = answer };

    if (rules == NULL || rules->explain == NULL)
        return;
    if (value == NULL)
        snprintf(step.text, sizeof step.text, "no value fits register %s = 0x%08" PRIx32,
                 pci_register->name, pci_register->value);
    else if (answer == MATCH_UNDECIDED)
        snprintf(step.text, sizeof step.text,
                 "needs 0x%08" PRIx64 " & 0x%08" PRIx64 " in register %s, of which the "
                 "bits 0x%08" PRIx64 " are not known",
                 value->value, value->mask, pci_register->name,
                 value->mask & ~(uint64_t)pci_register->known & UINT32_MAX);
    else
        snprintf(step.text, sizeof step.text,
                 "register %s = 0x%08" PRIx32 ", & 0x%08" PRIx64 " = 0x%08" PRIx64
                 "; value 0x%08" PRIx64 " & mask = 0x%08" PRIx64,
                 pci_register->name, pci_register->value, value->mask,
                 pci_register->value & value->mask, value->value, value->value & value->mask);
    rules->explain(rules->context, &step);
}

/* Tries every value of the list on one register. */
static enum match_answer match_list(const char *text, const struct pci_key *key,
                                    const struct pci_register *pci_register,
                                    const struct match_rules *rules)
{
    unsigned release = rules == NULL || rules->release == 0 ? MATCH_RELEASE_NEWEST : rules->release;
    enum match_answer best = MATCH_NO;
    struct pci_value value;
    struct pci_value best_value = { 0 };
    size_t position = 0;

    while (best != MATCH_YES &&
           pci_next_value(text, &position, key->default_mask, release, &value)) {
        enum match_answer answer = compare(&value, pci_register);

        if (answer == MATCH_YES || (answer == MATCH_UNDECIDED && best == MATCH_NO)) {
            best = answer;
            best_value = value;
        }
    }
    explain(rules, key->key, best, pci_register, best == MATCH_NO ? NULL : &best_value);
    return best;
}

static enum match_answer match_key(const char *text, const struct pci_key *key,
                                   const struct pci_registers *registers,
                                   const struct match_rules *rules)
{
    const struct pci_register id = { "0x00", registers->id, registers->known_id };
    const struct pci_register subsystem = { "0x2c", registers->subsystem,
                                            registers->known_subsystem };
    const struct pci_register class = { "0x08", registers->class_revision,
                                        registers->known_class_revision };
    enum match_answer answer = MATCH_NO;
    enum match_answer other;

    if (!key->primary && !key->subsystem)
        return match_list(text, key, &class, rules);
    if (key->primary)
        answer = match_list(text, key, &id, rules);
    if (answer == MATCH_YES || !key->subsystem)
        return answer;
    other = match_list(text, key, &subsystem, rules);
    return other == MATCH_NO ? answer : other;
}

static enum match_answer refuse_type(const struct match_rules *rules, const char *key,
                                     const struct plist *value)
{
    struct match_step step = { .key = key, .answer = MATCH_NO };

    if (rules == NULL || rules->explain == NULL)
        return MATCH_NO;
    snprintf(step.text, sizeof step.text,
             "is no string but of type %s: the kernel reads it as one all the same, "
             "in practice it panics",
             plist_type_name(value));
    rules->explain(rules->context, &step);
    return MATCH_NO;
}

const char *pci_bad_key(const struct plist *personality)
{
    size_t index;

    for (index = 0; index < sizeof keys / sizeof *keys; index++) {
        const struct plist *value = plist_get(personality, keys[index].key);

        if (value != NULL && !plist_is(value, PLIST_STRING))
            return keys[index].key;
    }
    return NULL;
}

enum match_answer pci_match_registers(const struct plist *personality,
                                      const struct pci_registers *registers,
                                      const struct match_rules *rules)
{
    enum match_answer all = MATCH_YES;
    size_t index;

    for (index = 0; index < sizeof keys / sizeof *keys; index++) {
        const struct plist *value = plist_get(personality, keys[index].key);
        enum match_answer answer;

        if (value == NULL)
            continue;
        answer = plist_is(value, PLIST_STRING)
                     ? match_key(plist_string(value), &keys[index], registers, rules)
                     : refuse_type(rules, keys[index].key, value);
        if (answer == MATCH_NO)
            return MATCH_NO;
        if (answer == MATCH_UNDECIDED)
            all = MATCH_UNDECIDED;
    }
    return all;
}
