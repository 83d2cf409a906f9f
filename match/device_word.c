/* SPDX-License-Identifier: BSD-3-Clause */
/* One device as people write it on a command line. */
#include "match/device_text.h"

#include "match/file.h"
#include "match/windows_ids.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct word {
    const char *text;
    const char *source;
    size_t line;
    struct device_list *list;
    struct problems *problems;
};

static bool refuse(const struct word *word, const char *why)
{
    problems_add(word->problems, PROBLEM_ERROR, word->source, word->line, "\"%.120s\": %s",
                 word->text, why);
    return false;
}

static struct device_record *add(const struct word *word, const char *provider_class)
{
    struct device_record *record =
        device_list_add(word->list, provider_class, word->source, word->line, word->text);

    if (record == NULL)
        refuse(word, "no room for another device");
    return record;
}

static bool finish(const struct word *word, struct device_record *record)
{
    return device_finish(record) || refuse(word, "out of memory");
}

static bool is_pair(const char *text)
{
    unsigned number;

    return hexadecimal_number(text, strlen(text), 4, &number) && text[4] == ':' &&
           hexadecimal_number(text + 5, strlen(text + 5), 4, &number) &&
           !isalnum((unsigned char)text[9]);
}

/* One part between separators. Which field it is shows in its form: vvvv:dddd, cccccc or cccc, rr.
 */
static bool take_part(struct device_record *record, const char *part, size_t length)
{
    unsigned number;
    unsigned second;

    if (length == 9 && hexadecimal_number(part, length, 4, &number) && part[4] == ':' &&
        hexadecimal_number(part + 5, length - 5, 4, &second)) {
        device_set_subsystem(record, number, second);
        return true;
    }
    if ((length != 6 && length != 4 && length != 2) ||
        !hexadecimal_number(part, length, length, &number))
        return false;
    if (length == 2)
        device_set_revision(record, number);
    else
        device_set_class(record, length == 6 ? number : number << 8, length == 6 ? 24 : 16);
    return true;
}

/* "8086:15b8/1458:e000/020000/31", or with colons throughout as in "10ec:8168:1043:8505:020000:09".
 */
static bool read_ids(const struct word *word)
{
    struct device_record *record = add(word, "IOPCIDevice");
    const char *at = word->text;
    unsigned vendor;
    unsigned device;

    if (record == NULL)
        return false;
    hexadecimal_number(at, 4, 4, &vendor);
    hexadecimal_number(at + 5, 4, 4, &device);
    device_set_ids(record, vendor, device);
    for (at += 9; *at != '\0';) {
        size_t length;

        if (*at == '/' || *at == ':' || *at == ',')
            at++;
        length = is_pair(at) ? 9 : strcspn(at, "/:,");
        if (length == 0 && *at == '/')
            continue; /* left out */
        if (!take_part(record, at, length)) {
            device_list_drop(word->list);
            return refuse(word, "after VENDOR:DEVICE there may be SUBVENDOR:SUBDEVICE, a class of "
                                "4 or 6 digits and "
                                "a revision of 2, each after a '/'");
        }
        at += length;
    }
    return finish(word, record);
}

static bool read_windows_pci(const struct word *word)
{
    struct windows_pci_id id;
    struct device_record *record;
    char why[160];

    if (!windows_pci_id_parse(word->text, &id, why, sizeof why))
        return refuse(word, why);
    record = add(word, "IOPCIDevice");
    if (record == NULL)
        return false;
    if (id.has_vendor && id.has_device)
        device_set_ids(record, id.vendor, id.device);
    else if (id.has_vendor) {
        record->registers.id = id.vendor;
        record->registers.known_id = 0xFFFF;
    }
    if (id.has_subsystem)
        device_set_subsystem(record, id.subsystem & 0xFFFF, id.subsystem >> 16);
    if (id.has_revision)
        device_set_revision(record, id.revision);
    if (id.class_digits != 0)
        device_set_class(record, id.class_digits == 6 ? id.class : id.class << 8,
                         id.class_digits == 6 ? 24 : 16);
    return finish(word, record);
}

static bool read_acpi_names(const struct word *word, const char *names)
{
    struct device_record *record = add(word, "IOACPIPlatformDevice");
    char name[64];
    bool first = true;

    if (record == NULL)
        return false;
    while (*names != '\0') {
        size_t length = strcspn(names, ", ");
        bool added;

        snprintf(name, sizeof name, "%.*s", (int)(length > 63 ? 63 : length), names);
        names += length + strspn(names + length, ", ");
        if (*name == '\0')
            continue;
        added = first ? device_add_property(record, "name", plist_new_data(name, strlen(name) + 1))
                      : device_add_compatible(record, name);
        if (!added)
            return refuse(word, "out of memory");
        first = false;
    }
    return !first || refuse(word, "no name");
}

/* "ACPI\PNP0303", "ACPI\VEN_PNP&DEV_0303", "*PNP0303". */
static bool read_windows_acpi(const struct word *word, const char *id)
{
    char name[64];
    int vendor = 0;
    int device = 0;
    size_t end = strcspn(id, "\\");

    if (sscanf(id, "VEN_%*4[A-Z0-9a-z]%n&DEV_%*4[0-9A-Fa-f]%n", &vendor, &device) >= 0 &&
        device > 0)
        snprintf(name, sizeof name, "%.*s%.4s", vendor - 4, id + 4, id + vendor + 5);
    else
        snprintf(name, sizeof name, "%.*s", (int)(end > 63 ? 63 : end), id);
    return read_acpi_names(word, name);
}

/* A channel by its type. Windows writes GUIDs in capitals, the nub publishes small letters. */
static bool read_channel(const struct word *word, const char *type, bool lower)
{
    struct device_record *record;
    char guid[40];
    size_t length = 0;

    if (*type == '{')
        type++;
    while (length < sizeof guid - 1 &&
           (isxdigit((unsigned char)type[length]) || type[length] == '-')) {
        guid[length] = (char)(lower ? tolower((unsigned char)type[length]) : type[length]);
        length++;
    }
    guid[length] = '\0';
    if (length != 36)
        return refuse(word, "a channel type is a GUID of 36 characters");
    record = add(word, "HyperVVMBusDevice");
    return record != NULL &&
           (device_add_property(record, "HVType", plist_new_string(guid, length)) ||
            refuse(word, "out of memory"));
}

/* "pci8086,15b8": the ids are taken for the device's own, though a subsystem has the same form. */
static bool read_pci_name(const struct word *word, unsigned vendor, unsigned device)
{
    struct device_record *record = add(word, "IOPCIDevice");

    if (record == NULL)
        return false;
    device_set_ids(record, vendor, device);
    return finish(word, record);
}

static bool is_acpi_id(const char *text)
{
    size_t letters = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    unsigned number;

    return (letters == 3 || letters == 4) && strlen(text) == letters + 4 &&
           hexadecimal_number(text + letters, 4, 4, &number);
}

static bool read_name(const struct word *word)
{
    struct device_record *record;
    size_t index;

    if (is_acpi_id(word->text))
        return read_acpi_names(word, word->text);
    for (index = 0; word->text[index] != '\0'; index++)
        if (!isprint((unsigned char)word->text[index]))
            return refuse(word, "holds characters that no name of a device has");
    if (index > 63 || strchr(word->text, '/') != NULL || strpbrk(word->text, ":&= ") != NULL)
        return refuse(word, "is no file and has no form of a device that is known");
    record = add(word, "IOPCIDevice");
    if (record == NULL)
        return false;
    record->class_unknown = true;
    record->registry_name = strdup(word->text);
    return device_add_compatible(record, word->text) || refuse(word, "out of memory");
}

static bool read_register_value(const struct word *word)
{
    unsigned number;
    struct device_record *record;

    if (strlen(word->text) != 10 || !hexadecimal_number(word->text + 2, 8, 8, &number))
        return refuse(word, "a register value has the form 0xDDDDVVVV");
    record = add(word, "IOPCIDevice");
    if (record == NULL)
        return false;
    device_set_ids(record, number & 0xFFFF, number >> 16);
    return finish(word, record);
}

/* "ACPI name=DLLK0C1D compatible=PNP0303" */
static bool read_acpi_fields(const struct word *word)
{
    char names[160];
    const char *name = strstr(word->text, "name=");
    const char *compatible = strstr(word->text, "compatible=");

    if (name == NULL)
        return refuse(word, "\"ACPI name=NAME\" needs a name");
    name += strlen("name=");
    snprintf(names, sizeof names, "%.*s,%.80s",
             (int)(strcspn(name, " ") > 60 ? 60 : strcspn(name, " ")), name,
             compatible == NULL ? "" : compatible + strlen("compatible="));
    return read_acpi_names(word, names);
}

bool device_read_word(const char *text, const char *source, size_t line, struct device_list *list,
                      struct problems *problems)
{
    struct word word = { text, source, line, list, problems };
    unsigned vendor;
    unsigned device;
    int end = 0;

    if (list->format == NULL)
        list->format = "device id";
    if (*text == '\0')
        return refuse(&word, "empty");
    if (is_pair(text))
        return read_ids(&word);
    if (strncasecmp(text, "PCI\\", 4) == 0 || strncasecmp(text, "VEN_", 4) == 0)
        return read_windows_pci(&word);
    if (strncasecmp(text, "ACPI\\", 5) == 0)
        return read_windows_acpi(&word, text + 5);
    if (text[0] == '*' && text[1] != '\0')
        return read_windows_acpi(&word, text + 1);
    if (strncasecmp(text, "VMBUS\\", 6) == 0)
        return read_channel(&word, text + 6, true);
    if (strncmp(text, "HVType=", 7) == 0)
        return read_channel(&word, text + 7, false);
    if (strncmp(text, "ACPI ", 5) == 0)
        return read_acpi_fields(&word);
    if (strncmp(text, "acpi:", 5) == 0)
        return read_acpi_names(&word, text + 5);
    if (strncasecmp(text, "0x", 2) == 0)
        return read_register_value(&word);
    if (sscanf(text, "pci%4x,%4x%n", &vendor, &device, &end) == 2 && text[end] == '\0')
        return read_pci_name(&word, vendor, device);
    if (strchr(text, '\\') != NULL)
        return refuse(&word, "of this enumerator no I/O Kit nub is known: PCI, ACPI and VMBUS are");
    return read_name(&word);
}
