/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of devices: which form a text has, lists of Windows ids, and property lists of registry
 * entries. */
#include "match/device_text.h"

#include "match/file.h"
#include "match/plist_file.h"
#include "match/text_encoding.h"
#include "match/windows_ids.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LINE_SIZE = 512, ENTRY_DEPTH_MAX = 200 };

/* ---- Windows ids, one a line: all that Device Manager shows of one device stand together ---- */

static bool fits(const struct windows_pci_id *whole, const struct windows_pci_id *id)
{
    return (!id->has_vendor || !whole->has_vendor || id->vendor == whole->vendor) &&
           (!id->has_device || !whole->has_device || id->device == whole->device) &&
           (!id->has_subsystem || !whole->has_subsystem || id->subsystem == whole->subsystem) &&
           (!id->has_revision || !whole->has_revision || id->revision == whole->revision) &&
           (id->class_digits == 0 || whole->class_digits == 0 ||
            (id->class_digits == 6 ? id->class >> 8 : id->class) ==
                (whole->class_digits == 6 ? whole->class >> 8 : whole->class));
}

static void merge(struct windows_pci_id *whole, const struct windows_pci_id *id)
{
    if (id->has_vendor) {
        whole->has_vendor = true;
        whole->vendor = id->vendor;
    }
    if (id->has_device) {
        whole->has_device = true;
        whole->device = id->device;
    }
    if (id->has_subsystem) {
        whole->has_subsystem = true;
        whole->subsystem = id->subsystem;
    }
    if (id->has_revision) {
        whole->has_revision = true;
        whole->revision = id->revision;
    }
    if (id->class_digits > whole->class_digits) {
        whole->class_digits = id->class_digits;
        whole->class = id->class;
    }
}

struct windows_reader {
    const char *source;
    struct device_list *list;
    struct problems *problems;
    struct windows_pci_id whole;
    bool open;
    size_t line;
};

static void end_device(struct windows_reader *reader)
{
    char text[WINDOWS_ID_SIZE];

    if (!reader->open)
        return;
    reader->open = false;
    windows_pci_id_format(&reader->whole, text);
    device_read_word(text, reader->source, reader->line, reader->list, reader->problems);
}

/* A bare word in a file is more likely garbage than the name of a device. */
static bool looks_like_id(const char *line)
{
    return strpbrk(line, "\\:,*=") != NULL ||
           (strlen(line) >= 7 && strlen(line) <= 8 &&
            strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == strlen(line));
}

static void take_id(struct windows_reader *reader, const char *line, size_t number)
{
    struct windows_pci_id id;
    char why[160];

    if (strncasecmp(line, "PCI\\", 4) != 0) {
        end_device(reader);
        if (!looks_like_id(line)) {
            problems_add(reader->problems, PROBLEM_ERROR, reader->source, number,
                         "no device id: \"%.60s\"", line);
            return;
        }
        device_read_word(line, reader->source, number, reader->list, reader->problems);
        return;
    }
    if (!windows_pci_id_parse(line, &id, why, sizeof why)) {
        problems_add(reader->problems, PROBLEM_ERROR, reader->source, number, "%s", why);
        return;
    }
    if (!reader->open || !fits(&reader->whole, &id)) {
        end_device(reader);
        reader->whole = (struct windows_pci_id){ 0 };
        reader->open = true;
        reader->line = number;
    }
    merge(&reader->whole, &id);
}

size_t device_read_windows_list(const char *text, size_t size, const char *source,
                                struct device_list *list, struct problems *problems)
{
    struct windows_reader reader = { .source = source, .list = list, .problems = problems };
    struct line_reader lines = { .text = text, .size = size };
    size_t before = list->count;
    char line[LINE_SIZE];
    const char *start;
    size_t length;

    while (line_next(&lines, &start, &length)) {
        while (length > 0 && strchr(" \t\"", start[length - 1]) != NULL)
            length--;
        while (length > 0 && strchr(" \t\"", *start) != NULL) {
            start++;
            length--;
        }
        snprintf(line, sizeof line, "%.*s", (int)(length < LINE_SIZE - 1 ? length : LINE_SIZE - 1),
                 start);
        if (*line == '\0')
            end_device(&reader);
        else if (*line != '#' && *line != ';')
            take_id(&reader, line, lines.number);
    }
    end_device(&reader);
    return list->count - before;
}

/* ---- property lists: one entry, a list of them, or the tree that `ioreg -a` writes ---- */

struct entries {
    const char *source;
    struct device_list *list;
    struct problems *problems;
};

static const char *entry_class(const struct plist *entry)
{
    const char *class_name = plist_string(plist_get(entry, "IOObjectClass"));

    if (class_name != NULL)
        return device_nub_class(class_name);
    if (plist_get(entry, "vendor-id") != NULL && plist_get(entry, "device-id") != NULL)
        return "IOPCIDevice";
    if (plist_get(entry, "HVType") != NULL)
        return "HyperVVMBusDevice";
    return plist_get(entry, "name") != NULL || plist_get(entry, "compatible") != NULL
               ? "IOACPIPlatformDevice"
               : NULL;
}

static struct device_record *read_entry(const struct entries *entries, const struct plist *entry,
                                        const struct device_record *parent)
{
    const char *class_name = entry_class(entry);
    const char *name = plist_string(plist_get(entry, "IORegistryEntryName"));
    const char *location = plist_string(plist_get(entry, "IORegistryEntryLocation"));
    struct device_record *record;
    size_t index;

    if (class_name == NULL)
        return NULL;
    record = device_list_add(entries->list, class_name, entries->source, plist_line(entry),
                             name == NULL ? "registry entry" : name);
    if (record == NULL)
        return NULL;
    record->registry_name = name == NULL ? NULL : strdup(name);
    record->location = location == NULL ? NULL : strdup(location);
    record->parent = parent;
    for (index = 0; index < plist_count(entry); index++)
        if (strcmp(plist_key_at(entry, index), "IORegistryEntryChildren") != 0)
            device_add_property(record, plist_key_at(entry, index),
                                plist_retain(plist_value_at(entry, index)));
    if (!device_finish(record))
        problems_add(entries->problems, PROBLEM_ERROR, entries->source, plist_line(entry),
                     "out of memory");
    return record;
}

static void read_entries(const struct entries *entries, const struct plist *value,
                         const struct device_record *parent, unsigned depth)
{
    const struct device_record *record;
    size_t index;

    if (depth > ENTRY_DEPTH_MAX)
        return;
    if (plist_is(value, PLIST_ARRAY)) {
        for (index = 0; index < plist_count(value); index++)
            read_entries(entries, plist_value_at(value, index), parent, depth + 1);
        return;
    }
    if (!plist_is(value, PLIST_DICTIONARY))
        return;
    record = read_entry(entries, value, parent);
    read_entries(entries, plist_get(value, "IORegistryEntryChildren"),
                 record == NULL ? parent : record, depth + 1);
}

size_t device_read_plist(const char *text, size_t size, const char *source,
                         struct device_list *list, struct problems *problems)
{
    struct entries entries = { source, list, problems };
    struct plist *value = plist_read(text, size, source, PLIST_FILE_LENIENT, problems);
    size_t before = list->count;

    if (value == NULL)
        return 0;
    read_entries(&entries, value, NULL, 0);
    if (list->count == before)
        problems_add(problems, PROBLEM_ERROR, source, 0,
                     "the property list holds no registry entry of a device");
    plist_release(value);
    return list->count - before;
}

/* ---- which form ---- */

struct form {
    const char *name;
    size_t (*read)(const char *text, size_t size, const char *source, struct device_list *list,
                   struct problems *problems);
};

enum { FORM_PLIST, FORM_IOREG, FORM_MACHINE, FORM_LOG, FORM_LSPCI, FORM_LIST };

static const struct form forms[] = {
    [FORM_PLIST] = { "property list of registry entries", device_read_plist },
    [FORM_IOREG] = { "ioreg -l", device_read_ioreg },
    [FORM_MACHINE] = { "lspci -vmm", device_read_lspci_machine },
    [FORM_LOG] = { "PCI lines of a Linux kernel log", device_read_kernel_log },
    [FORM_LSPCI] = { "lspci", device_read_lspci },
    [FORM_LIST] = { "list of device ids", device_read_windows_list },
};

static bool holds(const char *text, size_t size, const char *what)
{
    return memmem(text, size, what, strlen(what)) != NULL;
}

/* "bb:dd.f " at the start of some line, with or without a domain. */
static bool has_slots(const char *text, size_t size)
{
    struct line_reader lines = { .text = text, .size = size };
    const char *line;
    size_t length;
    unsigned number;

    while (line_next(&lines, &line, &length)) {
        if (length > 5 && hexadecimal_number(line, length, 4, &number) && line[4] == ':') {
            line += 5;
            length -= 5;
        }
        if (length > 8 && hexadecimal_number(line, 2, 2, &number) && line[2] == ':' &&
            hexadecimal_number(line + 3, 2, 2, &number) && line[5] == '.' && line[7] == ' ')
            return true;
    }
    return false;
}

static const struct form *recognise(const char *text, size_t size)
{
    size_t start = strspn(text, " \t\r\n");

    if (strncmp(text + start, "<?xml", 5) == 0 || strncmp(text + start, "<plist", 6) == 0 ||
        strncmp(text, "\xEF\xBB\xBF<", 4) == 0)
        return &forms[FORM_PLIST];
    if (holds(text, size, "+-o ") && holds(text, size, "<class "))
        return &forms[FORM_IOREG];
    if (strncmp(text + start, "Slot:\t", 6) == 0 || holds(text, size, "\nVendor:\t"))
        return &forms[FORM_MACHINE];
    if (holds(text, size, "] type 0") && holds(text, size, " class 0x"))
        return &forms[FORM_LOG];
    return has_slots(text, size) ? &forms[FORM_LSPCI] : &forms[FORM_LIST];
}

bool device_read_text(const char *text, size_t size, const char *source, struct device_list *list,
                      struct problems *problems)
{
    struct text_encoding encoding;
    size_t decoded_size;
    char *decoded =
        text_decode(text, size, 1252, &encoding, &decoded_size); /* PowerShell writes UTF-16 */
    const struct form *form;
    size_t added;

    if (size >= 8 && memcmp(text, "bplist0", 7) == 0) { /* no text, so nothing to decode */
        free(decoded);
        list->format = forms[FORM_PLIST].name;
        return device_read_plist(text, size, source, list, problems) > 0;
    }
    if (decoded == NULL) {
        problems_add(problems, PROBLEM_ERROR, source, 0, "out of memory");
        return false;
    }
    form = recognise(decoded, decoded_size);
    list->format = form->name;
    added = form->read(decoded, decoded_size, source, list, problems);
    free(decoded);
    if (added > 0)
        return true;
    problems_add(problems, PROBLEM_ERROR, source, 0, "no device found in it (taken for %s)",
                 form->name);
    return false;
}

bool device_read_file(const char *path, struct device_list *list, struct problems *problems)
{
    size_t size;
    char *text = file_read(path, DEVICE_TEXT_MAX, &size);
    bool read;

    if (text == NULL) {
        problems_add(problems, PROBLEM_ERROR, path, 0, "cannot be read: %s", strerror(errno));
        return false;
    }
    read = device_read_text(text, size, path, list, problems);
    free(text);
    return read;
}
