/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules about the lists of values and masks of the PCI keys. */
#include "match/lint.h"

#include "match/pci_registers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { VALUES_COMPARED = 512, BASE_CLASS_LAST = 0x13 };

struct list_check {
    const struct lint_place *place;
    const char *key;
    const struct plist *where;
    const char *text;
    bool is_class;
    uint64_t default_mask;
    uint64_t values[VALUES_COMPARED];
    uint64_t masks[VALUES_COMPARED];
    size_t count;
};

/* Words swapped: the low half is no vendor that goes with the high half, the other way round it is
 * one. */
static void check_swapped(const struct list_check *check, uint32_t value)
{
    static const unsigned well_known[] = { 0x8086, 0x10DE, 0x1002, 0x10EC,
                                           0x14E4, 0x1022, 0x1AF4, 0x1B4B };
    const struct pci_ids *names = check->place->options->names;
    unsigned vendor = value & 0xFFFF;
    unsigned device = value >> 16;
    bool swapped = false;
    size_t index;

    if (pci_ids_device(names, vendor, device) != NULL)
        return;
    if (pci_ids_device(names, device, vendor) != NULL)
        swapped = true;
    for (index = 0; index < sizeof well_known / sizeof *well_known; index++)
        swapped |= device == well_known[index] && pci_ids_vendor(names, vendor) == NULL;
    if (swapped)
        lint_report(check->place, LINT_PCI_SWAPPED, check->where,
                    "%s 0x%08" PRIx32 " is vendor %04x, device %04x; "
                    "swapped it would be %.60s",
                    check->key, value, vendor, device,
                    pci_ids_vendor(names, device) == NULL ? "a known vendor"
                                                          : pci_ids_vendor(names, device));
}

static void check_class_value(const struct list_check *check, const struct pci_value *value)
{
    uint32_t number = (uint32_t)value->value;
    uint32_t mask = (uint32_t)value->mask;
    unsigned base = number >> 24;

    if (mask == 0xFFFFFF00 && number != 0 && number < 0x01000000 && (number & 0xFF0000) != 0 &&
        pci_ids_class(check->place->options->names, number >> 16, 8) != NULL)
        lint_report(check->place, LINT_PCI_CLASS_BYTES, check->where,
                    "0x%06" PRIx32 " is compared as class %06x: the "
                    "class must stand in the upper three bytes",
                    number, number >> 8);
    else if (base > BASE_CLASS_LAST && base != 0x40 && base != 0xFF && (mask >> 24) == 0xFF)
        lint_report(check->place, LINT_PCI_CLASS_VALUE, check->where,
                    "0x%08" PRIx32 ": there is no base class %02x", number, base);
}

static void check_value(struct list_check *check, const struct pci_value *value)
{
    char word[48];
    size_t length = value->end - value->start;
    size_t index;

    snprintf(word, sizeof word, "%.*s", (int)(length < 40 ? length : 40),
             check->text + value->start + strspn(check->text + value->start, " \t\n"));
    if (value->mask == 0)
        lint_report(check->place, LINT_PCI_MASK_ZERO, check->where,
                    "%s \"%s\": the mask reads as 0", check->key, word);
    else if ((value->value & ~value->mask) != 0 &&
             !(check->is_class && value->mask == check->default_mask &&
               (value->value & 0xFF) != 0 && value->value < 0x01000000))
        lint_report(check->place, LINT_PCI_MASK_NARROW, check->where,
                    "%s \"%s\": bits 0x%08" PRIx64 " of the value are "
                    "outside the mask 0x%08" PRIx64,
                    check->key, word, value->value & ~value->mask, value->mask);
    if ((value->value | value->mask) > UINT32_MAX)
        lint_report(check->place, LINT_PCI_OVERLONG, check->where, "%s \"%s\": more than 32 bits",
                    check->key, word);
    for (index = 0; index < check->count; index++)
        if (check->values[index] == value->value && check->masks[index] == value->mask) {
            lint_report(check->place, LINT_PCI_DUPLICATE_VALUE, check->where,
                        "%s \"%s\" stands twice", check->key, word);
            break;
        }
    if (check->count < VALUES_COMPARED) {
        check->values[check->count] = value->value;
        check->masks[check->count++] = value->mask;
    }
    if (check->is_class)
        check_class_value(check, value);
    else if (value->mask == UINT32_MAX && strcmp(check->key, "IOPCISecondaryMatch") != 0)
        check_swapped(check, (uint32_t)value->value);
}

static void check_list(struct list_check *check)
{
    unsigned release = check->place->options->release == 0 ? MATCH_RELEASE_NEWEST : 1100;
    struct pci_value value;
    size_t position = 0;
    size_t count = 0;
    const char *rest;

    while (pci_next_value(check->text, &position, check->default_mask, release, &value)) {
        check_value(check, &value);
        count++;
    }
    rest = check->text + position + strspn(check->text + position, " \t\r\n");
    if (count == 0 && *rest == '\0')
        lint_report(check->place, LINT_PCI_EMPTY, check->where, "%s is empty", check->key);
    else if (*rest != '\0' || strchr(check->text + position, '\r') != NULL)
        lint_report(check->place, LINT_PCI_LIST_ENDS, check->where,
                    "%s is read up to \"%.30s\" and no further: %zu values "
                    "count",
                    check->key, *rest == '\0' ? "carriage return" : rest, count);
}

static void lint_list(const struct lint_place *place, const char *key)
{
    const struct plist *value = plist_get(place->keys, key);
    const char *provider = plist_string(plist_get(place->keys, "IOProviderClass"));
    struct list_check check = {
        .place = place, .key = key, .where = value, .text = plist_string(value)
    };

    if (value == NULL)
        return;
    if (check.text == NULL) {
        lint_report(place, LINT_PCI_TYPE, value, "%s is of type %s, not a string", key,
                    plist_type_name(value));
        return;
    }
    check.is_class = strcmp(key, "IOPCIClassMatch") == 0;
    check.default_mask = check.is_class ? 0xFFFFFF00 : 0xFFFFFFFF;
    check_list(&check);
    if (strcmp(key, "IOPCIMatch") == 0)
        lint_report(place, LINT_PCI_SUBSYSTEM_TOO, value,
                    "IOPCIMatch also takes devices whose subsystem has one of its "
                    "values");
    if (provider != NULL && strcmp(provider, "IOPCIDevice") != 0 &&
        strcmp(provider, "IOService") != 0)
        lint_report(place, LINT_PCI_WRONG_PROVIDER, value, "%s on %.60s is not looked at", key,
                    provider);
}

void lint_pci_keys(const struct lint_place *place)
{
    static const char *const keys[] = { "IOPCIMatch", "IOPCIPrimaryMatch", "IOPCISecondaryMatch",
                                        "IOPCIClassMatch" };
    static const char *const others[] = { "IONameMatch",           "IOPropertyMatch",
                                          "IOPropertyExistsMatch", "IOParentMatch",
                                          "IOLocationMatch",       "IOPathMatch" };
    const char *provider = plist_string(plist_get(place->keys, "IOProviderClass"));
    bool narrowed = false;
    size_t index;

    for (index = 0; index < sizeof keys / sizeof *keys; index++) {
        narrowed |= plist_get(place->keys, keys[index]) != NULL;
        lint_list(place, keys[index]);
    }
    for (index = 0; index < sizeof others / sizeof *others; index++)
        narrowed |= plist_get(place->keys, others[index]) != NULL;
    if (!narrowed && provider != NULL && strcmp(provider, "IOPCIDevice") == 0)
        lint_report(place, LINT_NO_MATCH_KEY, place->keys, "every PCI device matches");
}
