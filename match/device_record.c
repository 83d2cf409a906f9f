/* SPDX-License-Identifier: BSD-3-Clause */
/* Records of devices: fields, lists, and the properties that a PCI nub publishes. */
#include "match/device_record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct device_record *device_list_add(struct device_list *list, const char *provider_class,
                                      const char *source, size_t line, const char *label)
{
    struct device_record *record;
    struct device_record **grown;

    if (list->count >= DEVICES_MAX)
        return NULL;
    record = calloc(1, sizeof *record);
    if (record == NULL)
        return NULL;
    if ((list->count & (list->count - 1)) == 0) {
        grown = realloc(list->records, (list->count == 0 ? 1 : list->count * 2) * sizeof *grown);
        if (grown == NULL) {
            free(record);
            return NULL;
        }
        list->records = grown;
    }
    list->records[list->count++] = record;
    snprintf(record->provider_class, sizeof record->provider_class, "%s", provider_class);
    record->line = line;
    record->source = strdup(source);
    record->label = strdup(label);
    record->properties = plist_new_dictionary();
    record->is_pci = strcmp(provider_class, "IOPCIDevice") == 0;
    if (record->source != NULL && record->label != NULL && record->properties != NULL)
        return record;
    device_list_drop(list);
    return NULL;
}

void device_list_drop(struct device_list *list)
{
    struct device_record *record = list->records[--list->count];

    free(record->source);
    free(record->label);
    free(record->registry_name);
    free(record->location);
    free(record->attached);
    plist_release(record->properties);
    free(record);
}

void device_list_clear(struct device_list *list)
{
    while (list->count > 0)
        device_list_drop(list);
    free(list->records);
    *list = (struct device_list){ NULL };
}

void device_set_ids(struct device_record *record, unsigned vendor, unsigned device)
{
    record->registers.id = device << 16 | (vendor & 0xFFFF);
    record->registers.known_id = UINT32_MAX;
}

void device_set_subsystem(struct device_record *record, unsigned vendor, unsigned device)
{
    record->registers.subsystem = device << 16 | (vendor & 0xFFFF);
    record->registers.known_subsystem = UINT32_MAX;
}

void device_set_class(struct device_record *record, unsigned class, unsigned class_bits)
{
    uint32_t known = class_bits == 24 ? 0xFFFFFF00 : class_bits == 16 ? 0xFFFF0000 : 0;

    record->registers.class_revision =
        (record->registers.class_revision & 0xFF) | (class << 8 & known);
    record->registers.known_class_revision =
        (record->registers.known_class_revision & 0xFF) | known;
}

void device_set_revision(struct device_record *record, unsigned revision)
{
    record->registers.class_revision =
        (record->registers.class_revision & ~UINT32_C(0xFF)) | (revision & 0xFF);
    record->registers.known_class_revision |= 0xFF;
}

void device_set_configuration(struct device_record *record, const unsigned char *bytes, size_t size)
{
    if (size >= 4)
        device_set_ids(record, bytes[0] | (unsigned)bytes[1] << 8,
                       bytes[2] | (unsigned)bytes[3] << 8);
    if (size >= 12) {
        device_set_revision(record, bytes[8]);
        device_set_class(record, bytes[9] | (unsigned)bytes[10] << 8 | (unsigned)bytes[11] << 16,
                         24);
    }
    if (size >= 0x30)
        device_set_subsystem(record, bytes[0x2C] | (unsigned)bytes[0x2D] << 8,
                             bytes[0x2E] | (unsigned)bytes[0x2F] << 8);
}

unsigned device_vendor(const struct device_record *record)
{
    return record->registers.id & 0xFFFF;
}

unsigned device_device(const struct device_record *record)
{
    return record->registers.id >> 16;
}

unsigned device_class(const struct device_record *record)
{
    return record->registers.class_revision >> 8;
}

unsigned device_revision(const struct device_record *record)
{
    return record->registers.class_revision & 0xFF;
}

unsigned device_class_bits(const struct device_record *record)
{
    uint32_t known = record->registers.known_class_revision;

    return (known & 0xFF00) != 0 ? 24 : (known & 0xFFFF0000) != 0 ? 16 : 0;
}

bool device_knows_subsystem(const struct device_record *record)
{
    return record->registers.known_subsystem != 0;
}

bool device_knows_revision(const struct device_record *record)
{
    return (record->registers.known_class_revision & 0xFF) != 0;
}

bool device_add_property(struct device_record *record, const char *key, struct plist *value)
{
    if (plist_get(record->properties, key) != NULL) {
        plist_release(value);
        return true;
    }
    return plist_dictionary_set(record->properties, key, value);
}

bool device_add_number(struct device_record *record, const char *key, uint32_t value)
{
    const unsigned char bytes[] = { (unsigned char)value, (unsigned char)(value >> 8),
                                    (unsigned char)(value >> 16), (unsigned char)(value >> 24) };

    return device_add_property(record, key, plist_new_data(bytes, sizeof bytes));
}

bool device_add_compatible(struct device_record *record, const char *name)
{
    const struct plist *old = plist_get(record->properties, "compatible");
    size_t old_length = 0;
    const char *old_bytes = plist_bytes(old, &old_length);
    size_t length = strlen(name) + 1;
    struct plist *value;
    char *bytes;

    if (old_bytes != NULL && old_length > 0 && old_bytes[old_length - 1] != '\0')
        old_length++; /* a string, or data without its NUL: one stands behind the last byte */
    bytes = malloc(old_length + length);
    if (bytes == NULL)
        return false;
    if (old_bytes != NULL)
        memcpy(bytes, old_bytes, old_length);
    memcpy(bytes + old_length, name, length);
    value = plist_new_data(bytes, old_length + length);
    free(bytes);
    return plist_dictionary_set(record->properties, "compatible", value);
}

/* The low 32 bits of data in little-endian order, or of a number. */
static bool property_number(const struct device_record *record, const char *key, unsigned *number)
{
    const struct plist *value = plist_get(record->properties, key);
    const unsigned char *bytes;
    uint64_t wide;
    size_t length;
    size_t index;

    *number = 0;
    if (plist_integer(value, &wide)) {
        *number = (unsigned)wide;
        return true;
    }
    if (!plist_is(value, PLIST_DATA))
        return false;
    bytes = plist_bytes(value, &length);
    for (index = 0; index < length && index < 4; index++)
        *number |= (unsigned)bytes[index] << (index * 8);
    return length > 0;
}

/* As IOPCIBridge rewrites the snapshot before it registers a nub: injected ids change the
 * registers. */
static void registers_from_properties(struct device_record *record)
{
    unsigned vendor;
    unsigned device;
    unsigned number;

    if (!property_number(record, "vendor-id", &vendor) ||
        !property_number(record, "device-id", &device))
        return;
    device_set_ids(record, vendor, device);
    if (property_number(record, "class-code", &number))
        device_set_class(record, number & 0xFFFFFF, 24);
    if (property_number(record, "revision-id", &number))
        device_set_revision(record, number);
    if (record->registers.known_subsystem == 0)
        device_set_subsystem(record, 0,
                             0); /* the family publishes these only when they are not 0 */
    if (property_number(record, "subsystem-vendor-id", &vendor) &&
        property_number(record, "subsystem-id", &device) && vendor != 0 && device != 0)
        device_set_subsystem(record, vendor, device);
}

struct generic_name {
    uint32_t class;
    uint32_t mask;
    const char *name;
};

static const struct generic_name generic_names[] = {
    { 0x000100, 0xFFFFFF, "display" },    { 0x010000, 0xFFFF00, "scsi" },
    { 0x020000, 0xFFFF00, "ethernet" },   { 0x030000, 0xFF0000, "display" },
    { 0x060400, 0xFFFF00, "pci-bridge" },
};

static const char *generic_name(const struct device_record *record)
{
    size_t index;

    for (index = 0; index < sizeof generic_names / sizeof *generic_names; index++)
        if ((device_class(record) & generic_names[index].mask) == generic_names[index].class)
            return generic_names[index].name;
    return NULL;
}

static bool add_data_string(struct device_record *record, const char *key, const char *text)
{
    return device_add_property(record, key, plist_new_data(text, strlen(text) + 1));
}

static bool add_names(struct device_record *record)
{
    unsigned bits = device_class_bits(record);
    const char *generic = bits == 24 || (bits == 16 && device_class(record) >> 8 != 0x0001)
                              ? generic_name(record)
                              : NULL;
    char pair[32];
    char text[32];
    bool done = true;

    snprintf(pair, sizeof pair, "pci%x,%x", device_vendor(record), device_device(record));
    if (bits != 0)
        done = add_data_string(record, "name", generic == NULL ? pair : generic);
    if (plist_get(record->properties, "compatible") != NULL || !done)
        return done;
    if (record->registers.known_subsystem != 0 && record->registers.subsystem != 0 &&
        record->registers.subsystem != record->registers.id) {
        snprintf(text, sizeof text, "pci%x,%x", record->registers.subsystem & 0xFFFF,
                 record->registers.subsystem >> 16);
        done = device_add_compatible(record, text);
    }
    done = done && device_add_compatible(record, pair);
    snprintf(text, sizeof text, "pciclass,%06x", device_class(record));
    return done && (bits != 24 || device_add_compatible(record, text));
}

static bool add_pci_properties(struct device_record *record)
{
    const struct pci_registers *registers = &record->registers;
    bool done;

    if (registers->known_id != UINT32_MAX)
        return true;
    done = device_add_number(record, "vendor-id", device_vendor(record)) &&
           device_add_number(record, "device-id", device_device(record));
    if (device_class_bits(record) == 24)
        done = done && device_add_number(record, "class-code", device_class(record));
    if (device_knows_revision(record))
        done = done && device_add_number(record, "revision-id", device_revision(record));
    if (registers->known_subsystem != 0 && registers->subsystem != 0)
        done = done &&
               device_add_number(record, "subsystem-vendor-id", registers->subsystem & 0xFFFF) &&
               device_add_number(record, "subsystem-id", registers->subsystem >> 16);
    return done && add_names(record);
}

bool device_finish(struct device_record *record)
{
    bool tunnelled;

    if (!record->is_pci)
        return true;
    if (plist_boolean(plist_get(record->properties, "IOPCITunnelled"), &tunnelled))
        record->tunnelled = tunnelled;
    registers_from_properties(record);
    return add_pci_properties(record);
}

bool device_add_name(struct device_record *record, const char *name)
{
    if (record->is_pci && record->registry_name == NULL)
        record->registry_name = strdup(name);
    return device_add_compatible(record, name);
}
