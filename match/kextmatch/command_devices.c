/* SPDX-License-Identifier: BSD-3-Clause */
/* devices: everything that is known of a device, in all the forms in which it is written. */
#include "match/kextmatch/commands.h"
#include "match/kextmatch/print.h"

#include "match/windows_ids.h"

#include <stdio.h>
#include <string.h>

static void add_names(struct json_object *array, const struct plist *property)
{
    size_t length = 0;
    const char *bytes = plist_bytes(property, &length);
    size_t position = 0;

    for (; bytes != NULL && position < length; position += strlen(bytes + position) + 1)
        json_object_array_add(array, json_string(bytes + position));
}

/* The names that IONameMatch is compared with. */
static struct json_object *names_json(const struct device_record *record)
{
    static const char *const keys[] = { "name", "compatible", "device_type", "model" };
    struct json_object *names = json_object_new_array();
    size_t index;

    for (index = 0; index < sizeof keys / sizeof *keys; index++)
        add_names(names, plist_get(record->properties, keys[index]));
    return names;
}

static void add_register(struct json_object *object, const char *offset, uint32_t value,
                         uint32_t known)
{
    char text[32];

    snprintf(text, sizeof text, known == UINT32_MAX ? "0x%08x" : "0x%08x & 0x%08x", value, known);
    if (known != 0)
        json_object_object_add(object, offset, json_string(text));
}

static struct json_object *registers_json(const struct device_record *record)
{
    const struct pci_registers *registers = &record->registers;
    struct json_object *object = json_object_new_object();

    add_register(object, "0x00", registers->id, registers->known_id);
    add_register(object, "0x08", registers->class_revision, registers->known_class_revision);
    add_register(object, "0x2c", registers->subsystem, registers->known_subsystem);
    return object;
}

static struct json_object *windows_json(const struct device_record *record)
{
    struct json_object *object = json_object_new_object();
    struct json_object *hardware = json_object_new_array();
    struct json_object *compatible = json_object_new_array();
    struct windows_ids ids;
    size_t index;

    windows_ids_generate(record, WINDOWS_LIST_B, -1, &ids);
    for (index = 0; index < ids.hardware_count; index++)
        json_object_array_add(hardware, json_string(ids.hardware[index]));
    for (index = 0; index < ids.compatible_count; index++)
        json_object_array_add(compatible, json_string(ids.compatible[index]));
    json_object_object_add(object, "hardware", hardware);
    json_object_object_add(object, "compatible", compatible);
    return object;
}

static struct json_object *whole_json(const struct session *session,
                                      const struct device_record *record)
{
    struct json_object *object = json_object_new_object();

    json_object_object_add(object, "device", json_string(record->label));
    json_object_object_add(object, "identity", device_json(session, record));
    if (record->is_pci)
        json_object_object_add(object, "registers", registers_json(record));
    json_object_object_add(object, "names", names_json(record));
    if (record->registry_name != NULL)
        json_object_object_add(object, "registry_name", json_string(record->registry_name));
    json_object_object_add(object, "windows", windows_json(record));
    return object;
}

static void print_strings(const char *heading, struct json_object *array)
{
    size_t index;

    for (index = 0; index < json_object_array_length(array); index++)
        printf("  %-12s %s\n", index == 0 ? heading : "",
               json_object_get_string(json_object_array_get_idx(array, index)));
}

static void print_device(const struct session *session, const struct device_record *record)
{
    struct json_object *windows = windows_json(record);
    struct json_object *names = names_json(record);
    struct json_object *registers = registers_json(record);

    print_device_heading(session, record);
    printf("  %-12s %s\n", "nub class", record->provider_class);
    json_object_object_foreach(registers, offset, value)
        printf("  register %s %s\n", offset, json_object_get_string(value));
    print_strings("names", names);
    if (record->registry_name != NULL)
        printf("  %-12s %s\n", "registry", record->registry_name);
    print_strings("hardware", json_object_object_get(windows, "hardware"));
    print_strings("compatible", json_object_object_get(windows, "compatible"));
    json_object_put(windows);
    json_object_put(names);
    json_object_put(registers);
}

int command_devices(int count, char **arguments)
{
    static const char usage[] = "devices DEVICE... [OPTION...]";
    struct session session;
    struct json_object *json;
    size_t shown = 0;
    size_t index;

    if (!session_begin(&session, COMMAND_DEVICES, usage, count, arguments))
        return session_end(&session, session.options.help ? STATUS_MATCHED : STATUS_TROUBLE);
    if (session.options.operands.count + session.options.devices.count == 0 &&
        !session.options.live)
        return session_end(&session, session_usage(usage, "no device given"));
    session_load_devices(&session, session.options.operands.count > 0 ? &session.options.operands
                                                                      : &session.options.devices);
    json = session.options.json ? json_object_new_array() : NULL;
    for (index = 0; index < session.devices.count; index++) {
        if (session.devices.records[index]->skipped)
            continue;
        shown++;
        if (json != NULL)
            json_object_array_add(json, whole_json(&session, session.devices.records[index]));
        else
            print_device(&session, session.devices.records[index]);
    }
    if (json != NULL)
        print_json(json);
    return session_end(&session, shown > 0 ? STATUS_MATCHED : STATUS_NOTHING);
}
