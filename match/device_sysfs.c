/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices of a running Linux: PCI functions with the names of their ACPI objects, ACPI devices,
 * VMBus channels. */
#include "match/device_text.h"

#include "match/file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 512, VALUE_SIZE = 256, CONFIGURATION_SIZE = 256 };

struct machine {
    const char *root;
    struct device_list *list;
    struct problems *problems;
};

/* The first line of an attribute. */
static bool read_attribute(const char *folder, const char *device, const char *attribute,
                           char value[VALUE_SIZE])
{
    char path[PATH_SIZE];
    char *bytes;
    size_t size;

    snprintf(path, sizeof path, "%s/%s/%s", folder, device, attribute);
    bytes = file_read(path, VALUE_SIZE * 4, &size);
    if (bytes == NULL)
        return false;
    bytes[strcspn(bytes, "\n")] = '\0';
    snprintf(value, VALUE_SIZE, "%s", bytes);
    free(bytes);
    return *value != '\0';
}

static bool read_number(const char *folder, const char *device, const char *attribute,
                        unsigned *number)
{
    char value[VALUE_SIZE];

    if (!read_attribute(folder, device, attribute, value))
        return false;
    *number = (unsigned)strtoul(value, NULL, 16);
    return true;
}

/* "\_SB_.PCI0.ISA_": the last segment without the underscores that only pad it. */
static void add_acpi_name(struct device_record *record, const char *folder, const char *device)
{
    char path[VALUE_SIZE];
    char *name;
    size_t length;

    if (!read_attribute(folder, device, "firmware_node/path", path))
        return;
    name = strrchr(path, '.');
    name = name == NULL ? path : name + 1;
    for (length = strlen(name); length > 1 && name[length - 1] == '_'; length--)
        name[length - 1] = '\0';
    device_add_name(record, name);
}

static void read_configuration(struct device_record *record, const char *folder, const char *device)
{
    char path[PATH_SIZE];
    char *bytes;
    size_t size;

    snprintf(path, sizeof path, "%s/%s/config", folder, device);
    bytes = file_read(path, 1 << 16, &size);
    if (bytes != NULL && size >= 0x40)
        device_set_configuration(record, (const unsigned char *)bytes, size);
    free(bytes);
}

static bool add_pci(const struct machine *machine, const char *folder, const char *device)
{
    unsigned vendor;
    unsigned id;
    unsigned class;
    unsigned revision = 0;
    struct device_record *record;

    if (!read_number(folder, device, "vendor", &vendor) ||
        !read_number(folder, device, "device", &id) ||
        !read_number(folder, device, "class", &class))
        return false;
    record = device_list_add(machine->list, "IOPCIDevice", folder, 0, device);
    if (record == NULL)
        return false;
    device_set_ids(record, vendor, id);
    device_set_class(record, class, 24);
    if (read_number(folder, device, "revision", &revision))
        device_set_revision(record, revision);
    if (read_number(folder, device, "subsystem_vendor", &vendor) &&
        read_number(folder, device, "subsystem_device", &id))
        device_set_subsystem(record, vendor, id);
    read_configuration(record, folder, device);
    if (!device_finish(record))
        return false;
    add_acpi_name(record, folder, device);
    return true;
}

static bool add_acpi(const struct machine *machine, const char *folder, const char *device)
{
    char id[VALUE_SIZE];
    char path[VALUE_SIZE];
    struct device_record *record;
    const char *name;

    if (!read_attribute(folder, device, "hid", id))
        return true; /* a processor, a thermal zone, the node of a PCI function */
    record = device_list_add(machine->list, "IOACPIPlatformDevice", folder, 0, device);
    if (record == NULL)
        return false;
    if (read_attribute(folder, device, "path", path)) {
        name = strrchr(path, '.');
        record->registry_name = strdup(name == NULL ? path : name + 1);
    }
    return device_add_property(record, "name", plist_new_data(id, strlen(id) + 1));
}

static bool add_channel(const struct machine *machine, const char *folder, const char *device)
{
    char type[VALUE_SIZE];
    struct device_record *record;
    size_t index;
    size_t length;

    if (!read_attribute(folder, device, "class_id", type))
        return false;
    length = strcspn(type + 1, "}");
    for (index = 1; index <= length; index++)
        type[index] = (char)tolower((unsigned char)type[index]);
    record = device_list_add(machine->list, "HyperVVMBusDevice", folder, 0, device);
    return record != NULL &&
           device_add_property(record, "HVType", plist_new_string(type + 1, length));
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Names in a folder, sorted; the caller frees each and the array. */
static char **list_folder(const char *folder, size_t *count)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    char **names = NULL;

    *count = 0;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        char **grown;

        if (entry->d_name[0] == '.')
            continue;
        grown = realloc(names, (*count + 1) * sizeof *grown);
        if (grown == NULL)
            break;
        names = grown;
        names[*count] = strdup(entry->d_name);
        *count += names[*count] != NULL;
    }
    if (directory != NULL)
        closedir(directory);
    if (*count > 1)
        qsort(names, *count, sizeof *names, compare_names);
    return names;
}

static void read_bus(const struct machine *machine, const char *bus,
                     bool (*add)(const struct machine *, const char *, const char *))
{
    char folder[PATH_SIZE];
    char **names;
    size_t count;
    size_t index;

    snprintf(folder, sizeof folder, "%s/bus/%s/devices", machine->root, bus);
    names = list_folder(folder, &count);
    for (index = 0; index < count; index++) {
        if (!add(machine, folder, names[index]))
            problems_add(machine->problems, PROBLEM_ERROR, folder, 0, "device %s cannot be read",
                         names[index]);
        free(names[index]);
    }
    free(names);
}

size_t device_read_sysfs(const char *root, struct device_list *list, struct problems *problems)
{
    struct machine machine = { root, list, problems };
    size_t before = list->count;

    list->format = "sysfs of this machine";
    read_bus(&machine, "pci", add_pci);
    read_bus(&machine, "acpi", add_acpi);
    read_bus(&machine, "vmbus", add_channel);
    if (list->count == before)
        problems_add(problems, PROBLEM_ERROR, root, 0, "no devices found below it");
    return list->count - before;
}
