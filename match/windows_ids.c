/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/windows_ids.h"

#include "match/file.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct field {
    const char *name;
    size_t digits;
};

enum { FIELD_VEN, FIELD_DEV, FIELD_SUBSYS, FIELD_REV, FIELD_CC, FIELD_DT, FIELDS };

static const struct field fields[FIELDS] = {
    { "VEN_", 4 }, { "DEV_", 4 }, { "SUBSYS_", 8 }, { "REV_", 2 }, { "CC_", 6 }, { "DT_", 1 },
};

static void store(struct windows_pci_id *id, int field, unsigned number, size_t digits)
{
    switch (field) {
    case FIELD_VEN:
        id->has_vendor = true;
        id->vendor = number;
        break;
    case FIELD_DEV:
        id->has_device = true;
        id->device = number;
        break;
    case FIELD_SUBSYS:
        id->has_subsystem = true;
        id->subsystem = number;
        break;
    case FIELD_REV:
        id->has_revision = true;
        id->revision = number;
        break;
    case FIELD_CC:
        id->class_digits = (unsigned)digits;
        id->class = number;
        break;
    default:
        id->has_express_type = true;
        id->express_type = number;
    }
}

static bool take_field(const char *text, size_t length, unsigned *seen, struct windows_pci_id *id,
                       char *why, size_t why_size)
{
    unsigned number;
    int field;

    for (field = 0; field < FIELDS; field++) {
        size_t name = strlen(fields[field].name);
        size_t digits = length - name;

        if (length < name || strncasecmp(text, fields[field].name, name) != 0)
            continue;
        if ((*seen & 1u << field) != 0) {
            snprintf(why, why_size, "%.*s stands twice", (int)name - 1, fields[field].name);
            return false;
        }
        *seen |= 1u << field;
        if ((digits != fields[field].digits && !(field == FIELD_CC && digits == 4)) ||
            !hexadecimal_number(text + name, digits, digits, &number)) {
            snprintf(why, why_size, "%.40s: %s needs %zu hexadecimal digits", text,
                     fields[field].name, fields[field].digits);
            return false;
        }
        store(id, field, number, digits);
        return true;
    }
    snprintf(why, why_size, "\"%.*s\" is no field of a PCI id", (int)(length > 40 ? 40 : length),
             text);
    return false;
}

bool windows_pci_id_parse(const char *text, struct windows_pci_id *id, char *why, size_t why_size)
{
    unsigned seen = 0;
    size_t end;

    *id = (struct windows_pci_id){ 0 };
    if (strncasecmp(text, "PCI\\", 4) == 0)
        text += 4;
    end = strcspn(text, "\\ \t");
    for (;;) {
        size_t length = strcspn(text, "&");

        if (length > end)
            length = end;
        if (!take_field(text, length, &seen, id, why, why_size))
            return false;
        if (length == end)
            return true;
        text += length + 1;
        end -= length + 1;
    }
}

void windows_pci_id_format(const struct windows_pci_id *id, char text[WINDOWS_ID_SIZE])
{
    size_t length = (size_t)snprintf(text, WINDOWS_ID_SIZE, "PCI\\");

#define PUT(...) (length += (size_t)snprintf(text + length, WINDOWS_ID_SIZE - length, __VA_ARGS__))
    if (id->has_vendor)
        PUT("&VEN_%04X", id->vendor);
    if (id->has_device)
        PUT("&DEV_%04X", id->device);
    if (id->has_subsystem)
        PUT("&SUBSYS_%08X", id->subsystem);
    if (id->has_revision)
        PUT("&REV_%02X", id->revision);
    if (id->class_digits != 0)
        PUT("&CC_%0*X", (int)id->class_digits, id->class);
    if (id->has_express_type)
        PUT("&DT_%X", id->express_type);
#undef PUT
    if (text[4] == '&')
        memmove(text + 4, text + 5, strlen(text + 5) + 1);
}

bool windows_pci_id_is_generated(const struct windows_pci_id *id)
{
    bool class = id->class_digits != 0;

    if (id->has_express_type)
        return class && !id->has_vendor && !id->has_device && !id->has_subsystem &&
               !id->has_revision;
    if (!id->has_vendor)
        return class && !id->has_device && !id->has_subsystem && !id->has_revision;
    if (!id->has_device)
        return !id->has_subsystem && !id->has_revision;
    return !(class && (id->has_subsystem || id->has_revision));
}

struct builder {
    struct windows_ids *ids;
    const struct device_record *record;
    int express_type;
};

__attribute__((format(printf, 3, 4))) static void put(struct builder *builder, bool hardware,
                                                      const char *format, ...)
{
    struct windows_ids *ids = builder->ids;
    size_t *count = hardware ? &ids->hardware_count : &ids->compatible_count;
    va_list arguments;

    if (*count == WINDOWS_IDS_MAX)
        return;
    va_start(arguments, format);
    vsnprintf(hardware ? ids->hardware[*count] : ids->compatible[*count], WINDOWS_ID_SIZE, format,
              arguments);
    va_end(arguments);
    (*count)++;
}

/* The two class forms behind a prefix ("VEN_8086&" or ""), six digits first. */
static void put_class(struct builder *builder, bool hardware, const char *prefix)
{
    unsigned class = device_class(builder->record);
    unsigned bits = device_class_bits(builder->record);
    bool express = builder->express_type >= 0 && *prefix == '\0';

    builder->ids->incomplete |= bits != 24;
    if (bits == 24 && express)
        put(builder, hardware, "PCI\\CC_%06X&DT_%X", class, (unsigned)builder->express_type);
    if (bits == 24)
        put(builder, hardware, "PCI\\%sCC_%06X", prefix, class);
    if (bits != 0 && express)
        put(builder, hardware, "PCI\\CC_%04X&DT_%X", class >> 8, (unsigned)builder->express_type);
    if (bits != 0)
        put(builder, hardware, "PCI\\%sCC_%04X", prefix, class >> 8);
}

static void put_revision(struct builder *builder, bool hardware, const char *pair)
{
    if (device_knows_revision(builder->record))
        put(builder, hardware, "PCI\\%s&REV_%02X", pair, device_revision(builder->record));
    else
        builder->ids->incomplete = true;
}

static void generate_pci(struct builder *builder, enum windows_list list)
{
    const struct device_record *record = builder->record;
    char pair[32];
    char device[32];
    char vendor[32];

    if (record->registers.known_id != UINT32_MAX) {
        builder->ids->incomplete = true;
        put_class(builder, false, "");
        return;
    }
    snprintf(pair, sizeof pair, "VEN_%04X&DEV_%04X", device_vendor(record), device_device(record));
    snprintf(device, sizeof device, "%s&", pair);
    snprintf(vendor, sizeof vendor, "VEN_%04X&", device_vendor(record));
    if (device_knows_subsystem(record)) {
        if (device_knows_revision(record))
            put(builder, true, "PCI\\%s&SUBSYS_%08X&REV_%02X", pair, record->registers.subsystem,
                device_revision(record));
        put(builder, true, "PCI\\%s&SUBSYS_%08X", pair, record->registers.subsystem);
    } else {
        builder->ids->incomplete = true;
    }
    if (list == WINDOWS_LIST_A) {
        put_revision(builder, true, pair);
        put(builder, true, "PCI\\%s", pair);
    }
    put_class(builder, true, device);
    put_revision(builder, false, pair);
    put(builder, false, "PCI\\%s", pair);
    put_class(builder, false, vendor);
    put(builder, false, "PCI\\VEN_%04X", device_vendor(record));
    put_class(builder, false, "");
}

/* "PNP0303" as the three spellings that ACPI enumerates: with VEN_ and DEV_, plain, and with the
 * star. */
static void put_acpi(struct builder *builder, bool hardware, const char *name)
{
    size_t letters = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    if (strlen(name) == letters + 4 && (letters == 3 || letters == 4))
        put(builder, hardware, "ACPI\\VEN_%.*s&DEV_%s", (int)letters, name, name + letters);
    put(builder, hardware, "ACPI\\%.60s", name);
    put(builder, hardware, "*%.60s", name);
}

static void generate_acpi(struct builder *builder)
{
    static const char *const keys[] = { "name", "compatible" };
    size_t index;

    for (index = 0; index < sizeof keys / sizeof *keys; index++) {
        size_t length = 0;
        const char *bytes =
            plist_bytes(plist_get(builder->record->properties, keys[index]), &length);
        size_t position = 0;

        for (; bytes != NULL && position < length; position += strlen(bytes + position) + 1)
            put_acpi(builder, index == 0, bytes + position);
    }
}

static void generate_channel(struct builder *builder)
{
    const char *type = plist_string(plist_get(builder->record->properties, "HVType"));

    if (type != NULL)
        put(builder, true, "VMBUS\\{%.60s}", type);
}

void windows_ids_generate(const struct device_record *record, enum windows_list list,
                          int express_type, struct windows_ids *ids)
{
    struct builder builder = { ids, record, express_type };

    memset(ids, 0, sizeof *ids);
    if (record->is_pci)
        generate_pci(&builder, list);
    else if (strcmp(record->provider_class, "HyperVVMBusDevice") == 0)
        generate_channel(&builder);
    else
        generate_acpi(&builder);
}
