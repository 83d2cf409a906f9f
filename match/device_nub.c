/* SPDX-License-Identifier: BSD-3-Clause */
/* Device records as nubs: what matching asks of them, and the keys by which the catalogue finds
 * candidates. */
#include "match/device_record.h"

#include "match/classes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t device_classes(const struct device_record *record, const char **classes)
{
    static const char *const unknown[] = { "IOPCIDevice", "IOACPIPlatformDevice",
                                           "IOPlatformDevice", "IOService" };

    if (!record->class_unknown)
        return class_chain(record->provider_class, classes);
    memcpy(classes, unknown, sizeof unknown);
    return sizeof unknown / sizeof *unknown;
}

static bool nub_is_class(const void *device, const char *class_name)
{
    const struct device_record *record = device;

    return class_is(record->provider_class, class_name) ||
           (record->class_unknown && class_is("IOACPIPlatformDevice", class_name));
}

static struct plist *nub_copy_property(const void *device, const char *key)
{
    const struct device_record *record = device;

    return plist_retain(plist_get(record->properties, key));
}

static const char *nub_name(const void *device)
{
    const struct device_record *record = device;

    return record->registry_name;
}

static const char *nub_location(const void *device)
{
    const struct device_record *record = device;

    return record->location;
}

static enum match_names nub_names(const void *device)
{
    const struct device_record *record = device;

    if (record->class_unknown || class_is(record->provider_class, "IOPlatformDevice"))
        return MATCH_NAMES_TREE_REGISTRY;
    if (record->is_pci || strcmp(record->provider_class, "IOPlatformExpertDevice") == 0)
        return MATCH_NAMES_TREE;
    return MATCH_NAMES_REGISTRY;
}

static const void *nub_parent(const void *device)
{
    const struct device_record *record = device;

    return record->parent;
}

static void say(const struct match_rules *rules, const char *key, enum match_answer answer,
                const char *text)
{
    struct match_step step = { .key = key, .answer = answer };

    if (rules == NULL || rules->explain == NULL)
        return;
    snprintf(step.text, sizeof step.text, "%s", text);
    rules->explain(rules->context, &step);
}

/* Below a Thunderbolt port only drivers that say they can stand it match (IOPCIBridge,
 * since 10.6.8). */
static enum match_answer match_tunnel(const struct plist *personality,
                                      const struct match_rules *rules)
{
    const char *class_name = plist_string(plist_get(personality, "IOClass"));
    bool compatible = false;

    if (class_name == NULL || strcmp(class_name, "IOPCI2PCIBridge") == 0)
        return MATCH_YES;
    plist_boolean(plist_get(personality, "IOPCITunnelCompatible"), &compatible);
    say(rules, "IOPCITunnelCompatible", compatible ? MATCH_YES : MATCH_NO,
        compatible ? "the device is tunnelled, the driver says it can be"
                   : "the device is tunnelled (Thunderbolt): the key must be true");
    return compatible ? MATCH_YES : MATCH_NO;
}

static enum match_answer match_channel(const struct device_record *record,
                                       const struct plist *personality,
                                       const struct match_rules *rules)
{
    const char *wanted = plist_string(plist_get(personality, "HVType"));
    const char *type = plist_string(plist_get(record->properties, "HVType"));
    bool equal = wanted != NULL && type != NULL && strcmp(wanted, type) == 0;
    char text[MATCH_EXPLANATION_SIZE];

    snprintf(text, sizeof text, "channel type is %.80s, wanted %.80s",
             type == NULL ? "unknown" : type,
             wanted == NULL ? "nothing: the key is missing or no string" : wanted);
    say(rules, "HVType", equal ? MATCH_YES : MATCH_NO, text);
    return equal ? MATCH_YES : MATCH_NO;
}

static enum match_answer nub_match_family(const void *device, const struct plist *personality,
                                          const struct match_rules *rules, int32_t *score)
{
    const struct device_record *record = device;
    enum match_answer answer;

    (void)score; /* x86 families add nothing */
    if (record->class_unknown && !record->is_pci)
        return MATCH_YES;
    if (strcmp(record->provider_class, "HyperVVMBusDevice") == 0)
        return match_channel(record, personality, rules);
    if (!record->is_pci)
        return MATCH_YES;
    answer = pci_match_registers(personality, &record->registers, rules);
    if (answer != MATCH_NO && record->tunnelled && match_tunnel(personality, rules) == MATCH_NO)
        answer = MATCH_NO;
    return answer;
}

/* "pci8086,*" against names of the form pci%x,%x: could one begin like this? */
static bool may_be_pair(const char *pattern)
{
    if (strncmp(pattern, "pci", strlen("pci")) != 0 ||
        strncmp(pattern, "pciclass,", strlen("pciclass,")) == 0)
        return pattern[0] == '*' || strcmp(pattern, "p*") == 0 || strcmp(pattern, "pc*") == 0;
    for (pattern += strlen("pci"); *pattern != '\0' && *pattern != '*'; pattern++)
        if (strchr("0123456789abcdef,", *pattern) == NULL)
            return false;
    return true;
}

static bool may_be_class(const struct device_record *record, const char *pattern)
{
    static const char *const generic[] = { "display", "scsi", "ethernet", "pci-bridge" };
    unsigned bits = device_class_bits(record);
    char known[32];
    size_t length;
    size_t index;

    snprintf(known, sizeof known, bits == 16 ? "pciclass,%04x" : "pciclass,",
             device_class(record) >> 8);
    length = strlen(pattern);
    if (length > strlen(known))
        length = strlen(known);
    if (strncmp(pattern, known, length) == 0 &&
        (strlen(pattern) == strlen("pciclass,000000") || strchr(pattern, '*') != NULL))
        return true;
    if (bits == 16)
        return device_class(record) >> 8 == 0x0001 && match_name(pattern, "display", true);
    for (index = 0; index < sizeof generic / sizeof *generic; index++)
        if (match_name(pattern, generic[index], true))
            return true;
    return false;
}

static bool nub_may_have_name(const void *device, const char *pattern)
{
    const struct device_record *record = device;

    if (!record->is_pci)
        return false;
    if ((record->registers.known_id != UINT32_MAX || record->registers.known_subsystem == 0) &&
        may_be_pair(pattern))
        return true;
    return device_class_bits(record) != 24 && may_be_class(record, pattern);
}

struct match_device device_match(const struct device_record *record)
{
    static const struct match_device_operations operations = {
        .is_class = nub_is_class,
        .copy_property = nub_copy_property,
        .name = nub_name,
        .location = nub_location,
        .names = nub_names,
        .parent = nub_parent,
        .explain_family = nub_match_family,
        .may_have_name = nub_may_have_name,
    };

    return (struct match_device){ &operations, record };
}

static bool add_key_name(struct device_keys *keys, const char *name)
{
    if (keys->keys.name_count == DEVICE_KEY_NAMES_MAX)
        return false;
    keys->names[keys->keys.name_count++] = name;
    return true;
}

static bool add_key_property(struct device_keys *keys, const struct plist *property)
{
    size_t length = 0;
    const char *bytes = plist_bytes(property, &length);
    size_t position = 0;

    if (bytes == NULL)
        return true;
    do {
        if (!add_key_name(keys, bytes + position))
            return false;
        position += strlen(bytes + position) + 1;
    } while (position < length);
    return true;
}

bool device_keys_make(const struct device_record *record, struct device_keys *keys)
{
    static const char *const name_keys[] = { "name", "compatible", "device_type", "model" };
    bool made = true;
    size_t index;

    keys->keys = (struct catalogue_keys){ .names = keys->names };
    /* On other nubs nobody looks at the PCI keys by which personalities are filed. */
    if (record->class_unknown || !record->is_pci || record->registers.known_id != UINT32_MAX ||
        record->registers.known_subsystem != UINT32_MAX ||
        (record->registers.known_class_revision & 0xFFFFFF00) != 0xFFFFFF00)
        return false;
    for (index = 0; index < sizeof name_keys / sizeof *name_keys && made; index++)
        made = add_key_property(keys, plist_get(record->properties, name_keys[index]));
    if (made && record->registry_name != NULL)
        made = add_key_name(keys, record->registry_name);
    if (!made)
        return false;
    keys->registers[0] = record->registers.id;
    keys->registers[1] = record->registers.subsystem;
    keys->keys.registers = keys->registers;
    keys->keys.register_count = 2;
    return true;
}
