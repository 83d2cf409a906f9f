/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of values and masks of the PCI register keys, written out as fields of ids. */
#include "match/claims.h"

#include "match/pci_registers.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void claims_note(struct claims *claims, bool lost, const char *format, ...)
{
    struct claim_note *note;
    va_list arguments;

    if (claims->note_count == CLAIM_NOTES_MAX)
        return;
    note = &claims->notes[claims->note_count++];
    note->lost = lost;
    va_start(arguments, format);
    vsnprintf(note->text, sizeof note->text, format, arguments);
    va_end(arguments);
}

bool claim_set_add(struct claim_set *set, const struct windows_pci_id *id)
{
    if (set->count == set->capacity) {
        size_t capacity = set->capacity == 0 ? 16 : set->capacity * 2;
        struct windows_pci_id *grown = realloc(set->list, capacity * sizeof *grown);

        if (grown == NULL)
            return false;
        set->list = grown;
        set->capacity = capacity;
    }
    set->list[set->count++] = *id;
    return true;
}

static unsigned count_bits(uint32_t bits)
{
    return (unsigned)__builtin_popcount(bits);
}

/* The next number whose bits lie within `free`, after `number`; 0 at the end. */
static uint32_t next_within(uint32_t number, uint32_t free)
{
    return ((number | ~free) + 1) & free;
}

static bool each_value(struct claims *claims, const struct plist *value, const char *key,
                       uint64_t default_mask, unsigned release, size_t *position,
                       struct pci_value *found)
{
    const char *text = plist_string(value);

    if (text == NULL) {
        if (*position == 0)
            claims_note(claims, true, "%s is of type %s, not a string: nothing can be said", key,
                        plist_type_name(value));
        *position = 1;
        return false;
    }
    if (!pci_next_value(text, position, default_mask, release == 0 ? MATCH_RELEASE_NEWEST : release,
                        found))
        return false;
    if ((found->mask & UINT32_MAX) == 0)
        claims_note(claims, true, "%s: a value with mask 0 matches every device: no id says that",
                    key);
    return true;
}

bool claims_read_primary(struct claims *claims, const struct plist *value, const char *key,
                         unsigned release, size_t limit, struct claim_set *set)
{
    struct pci_value found;
    size_t position = 0;

    set->present = value != NULL;
    while (value != NULL &&
           each_value(claims, value, key, UINT32_MAX, release, &position, &found)) {
        uint32_t mask = (uint32_t)found.mask;
        struct windows_pci_id id = { .has_vendor = true, .vendor = (uint32_t)found.value & 0xFFFF };
        uint32_t free = ~mask >> 16 & 0xFFFF;
        uint32_t bits = 0;

        if (mask == 0)
            continue;
        if ((mask & 0xFFFF) != 0xFFFF) {
            claims_note(claims, true,
                        "%s: mask 0x%08" PRIx32 " leaves the vendor open: no id says that", key,
                        mask);
            continue;
        }
        if (free == 0xFFFF) {
            if (!claim_set_add(set, &id))
                return false;
            continue;
        }
        if ((size_t)1 << count_bits(free) > limit) {
            claims_note(claims, true,
                        "%s: mask 0x%08" PRIx32 " stands for %u devices, more than %zu", key, mask,
                        1u << count_bits(free), limit);
            continue;
        }
        id.has_device = true;
        do {
            id.device = ((uint32_t)(found.value >> 16) & ~free & 0xFFFF) | bits;
            if (!claim_set_add(set, &id))
                return false;
            bits = next_within(bits, free);
        } while (bits != 0);
    }
    return true;
}

bool claims_read_secondary(struct claims *claims, const struct plist *value, unsigned release,
                           struct claim_set *set)
{
    struct pci_value found;
    size_t position = 0;

    set->present = value != NULL;
    while (value != NULL && each_value(claims, value, "IOPCISecondaryMatch", UINT32_MAX, release,
                                       &position, &found)) {
        struct windows_pci_id id = { .has_subsystem = true, .subsystem = (unsigned)found.value };

        if ((uint32_t)found.mask != UINT32_MAX)
            claims_note(claims, true,
                        "IOPCISecondaryMatch: mask 0x%08" PRIx32 " on a subsystem: no id says that",
                        (uint32_t)found.mask);
        else if (!claim_set_add(set, &id))
            return false;
    }
    return true;
}

struct base_class {
    struct claim_set *set;
    struct windows_pci_id id;
    unsigned base;
    bool failed;
    size_t found;
};

static void add_sub_class(void *context, unsigned sub_class)
{
    struct base_class *base = context;

    base->id.class = base->base << 8 | sub_class;
    base->failed |= !claim_set_add(base->set, &base->id);
    base->found++;
}

/* A base class as all its known sub-classes. */
static bool expand_base(struct claims *claims, struct windows_pci_id id, unsigned base,
                        const struct pci_ids *names, struct claim_set *set)
{
    struct base_class context = { set, id, base, false, 0 };

    context.id.class_digits = 4;
    pci_ids_sub_classes(names, base, add_sub_class, &context);
    claims_note(
        claims, true,
        "IOPCIClassMatch: base class %02x as a whole: only the %zu sub-classes that the list of "
        "names knows are said",
        base, context.found);
    return !context.failed;
}

static bool expand_class(struct claims *claims, const struct pci_value *found,
                         const struct pci_ids *names, size_t limit, struct claim_set *set)
{
    uint32_t mask = (uint32_t)found->mask;
    uint32_t class_mask = mask >> 8;
    uint32_t class = (uint32_t)found->value >> 8 & class_mask;
    struct windows_pci_id id = { .has_revision = (mask & 0xFF) == 0xFF,
                                 .revision = (unsigned)found->value & 0xFF };
    uint32_t free;
    uint32_t bits = 0;

    if ((mask & 0xFF) != 0 && !id.has_revision) {
        claims_note(claims, true,
                    "IOPCIClassMatch: mask 0x%08" PRIx32
                    " cuts through the revision: no id says that",
                    mask);
        return true;
    }
    if (class_mask == 0)
        return claim_set_add(set, &id);
    if (class_mask == 0xFF0000)
        return expand_base(claims, id, class >> 16, names, set);
    id.class_digits = (class_mask & 0xFF) == 0 ? 4 : 6;
    free = ~class_mask & (id.class_digits == 4 ? 0xFFFF00 : 0xFFFFFF);
    if (count_bits(free) > 16 || (size_t)1 << count_bits(free) > limit) {
        claims_note(claims, true,
                    "IOPCIClassMatch: mask 0x%08" PRIx32 " stands for more than %zu classes", mask,
                    limit);
        return true;
    }
    do {
        id.class = (class | bits) >> (id.class_digits == 4 ? 8 : 0);
        if (!claim_set_add(set, &id))
            return false;
        bits = next_within(bits, free);
    } while (bits != 0);
    return true;
}

bool claims_read_class(struct claims *claims, const struct plist *value, unsigned release,
                       const struct pci_ids *names, size_t limit, struct claim_set *set)
{
    struct pci_value found;
    size_t position = 0;

    set->present = value != NULL;
    while (value != NULL &&
           each_value(claims, value, "IOPCIClassMatch", 0xFFFFFF00, release, &position, &found))
        if ((uint32_t)found.mask != 0 && !expand_class(claims, &found, names, limit, set))
            return false;
    return true;
}
