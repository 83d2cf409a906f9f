/* SPDX-License-Identifier: BSD-3-Clause */
/* Output of lspci: -n, -nn, with -v lines and hexadecimal dumps; -mm lines and -vmm records; and
 * the PCI lines of a Linux log. Lines of other programs in between are skipped. */
#include "match/device_text.h"

#include "match/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIGURATION_SIZE = 0x40, LINE_SIZE = 1024 };

struct reader {
    const char *source;
    struct device_list *list;
    struct problems *problems;
    struct device_record *record; /* the one being read, or NULL */
    size_t header_line;
    bool verbose; /* tab lines were seen */
    bool interface_given;
    unsigned char configuration[CONFIGURATION_SIZE];
    size_t configured; /* bytes without a gap from the start */
    size_t added;
};

/* "dddd:bb:dd.f" or "bb:dd.f" before a blank. Returns its length, or 0. */
static size_t slot_length(const char *line, size_t length)
{
    size_t at = 0;
    unsigned number;

    if (hexadecimal_number(line, length, 4, &number) && length > 4 && line[4] == ':')
        at = 5;
    if (length < at + 8 || !hexadecimal_number(line + at, 2, 2, &number) || line[at + 2] != ':' ||
        !hexadecimal_number(line + at + 3, 2, 2, &number) || line[at + 5] != '.' ||
        !hexadecimal_number(line + at + 6, 1, 1, &number) ||
        (line[at + 7] != ' ' && line[at + 7] != '\t'))
        return 0;
    return at + 7;
}

static void end_record(struct reader *reader)
{
    struct device_record *record = reader->record;

    if (record == NULL)
        return;
    reader->record = NULL;
    if (reader->verbose && !reader->interface_given && device_class_bits(record) == 16)
        device_set_class(record, device_class(record), 24); /* lspci leaves out an interface of 0 */
    device_set_configuration(record, reader->configuration, reader->configured);
    if (record->registers.known_id != UINT32_MAX) {
        problems_add(reader->problems, PROBLEM_ERROR, reader->source, reader->header_line,
                     "device %s has no numeric ids: use lspci -nn or -x", record->label);
        device_list_drop(reader->list);
        return;
    }
    if (!device_finish(record))
        problems_add(reader->problems, PROBLEM_ERROR, reader->source, reader->header_line,
                     "out of memory");
    reader->added++;
}

/* The last "[vvvv:dddd]" of the text, for names may hold brackets too. */
static bool last_pair(const char *text, unsigned *first, unsigned *second)
{
    const char *found = NULL;
    const char *at;

    for (at = strchr(text, '['); at != NULL; at = strchr(at + 1, '['))
        if (hexadecimal_number(at + 1, strlen(at + 1), 4, first) && at[5] == ':' &&
            hexadecimal_number(at + 6, strlen(at + 6), 4, second) && at[10] == ']')
            found = at;
    return found != NULL && hexadecimal_number(found + 1, 4, 4, first) &&
           hexadecimal_number(found + 6, 4, 4, second);
}

/* "... [0604]: names [8086:0151] (rev 09) (prog-if 00 [..])" or "0604: 8086:0151 (rev 09)" */
static void parse_header(struct reader *reader, char *text)
{
    struct device_record *record = reader->record;
    char *revision = strstr(text, " (rev ");
    char *interface = strstr(text, " (prog-if ");
    const char *class = strstr(text, "]:");
    unsigned number;
    unsigned vendor;
    unsigned device;
    unsigned interface_number = 0;
    bool have_class = false;

    reader->interface_given =
        interface != NULL && hexadecimal_number(interface + 10, 2, 2, &interface_number);
    if (class != NULL && class - text >= 5)
        have_class = hexadecimal_number(class - 4, 4, 4, &number);
    else if (hexadecimal_number(text, strlen(text), 4, &number) && text[4] == ':')
        have_class = true;
    if (have_class)
        device_set_class(record, number << 8 | interface_number, reader->interface_given ? 24 : 16);
    device_set_revision(
        record, revision != NULL && hexadecimal_number(revision + 6, 2, 2, &number) ? number : 0);
    if (revision != NULL)
        *revision = '\0';
    if (interface != NULL)
        *interface = '\0';
    if (last_pair(text, &vendor, &device))
        device_set_ids(record, vendor, device);
    else if (strlen(text) >= 15 && text[4] == ':' && hexadecimal_number(text + 6, 4, 4, &vendor) &&
             text[10] == ':' && hexadecimal_number(text + 11, 4, 4, &device))
        device_set_ids(record, vendor, device);
}

static void begin_record(struct reader *reader, size_t line_number, char *line, size_t slot)
{
    char label[32];

    end_record(reader);
    reader->verbose = false;
    reader->configured = 0;
    reader->header_line = line_number;
    snprintf(label, sizeof label, "%.*s", (int)slot, line);
    reader->record =
        device_list_add(reader->list, "IOPCIDevice", reader->source, line_number, label);
    if (reader->record == NULL)
        problems_add(reader->problems, PROBLEM_ERROR, reader->source, line_number,
                     "no room for another device");
    else
        parse_header(reader, line + slot + 1);
}

/* "\tSubsystem: name [1043:84ca]" or "\tSubsystem: 1043:84ca" */
static void parse_detail(struct reader *reader, const char *line)
{
    unsigned vendor;
    unsigned device;
    const char *text;

    reader->verbose = true;
    line += strspn(line, "\t ");
    if (strncmp(line, "Subsystem: ", 11) != 0)
        return;
    text = line + 11;
    if (last_pair(text, &vendor, &device) ||
        (hexadecimal_number(text, strlen(text), 4, &vendor) && text[4] == ':' &&
         hexadecimal_number(text + 5, strlen(text + 5), 4, &device)))
        device_set_subsystem(reader->record, vendor, device);
}

/* "20: 00 00 ..." or "fa0: ...". Returns false when the line is none of the dump. */
static bool parse_dump(struct reader *reader, size_t line_number, const char *line)
{
    char *end;
    unsigned long offset = strtoul(line, &end, 16);
    size_t count = 0;
    unsigned byte;

    if (end == line || end - line > 3 || end[0] != ':' || end[1] != ' ')
        return false;
    for (end += 2; count < 16 && hexadecimal_number(end, strlen(end), 2, &byte); count++) {
        if (offset + count == reader->configured && reader->configured < CONFIGURATION_SIZE)
            reader->configuration[reader->configured++] = (unsigned char)byte;
        end += 2;
        end += *end == ' ';
    }
    if (count == 0 && *end != '\0')
        return false; /* "00: Primary host bus" */
    if (count < 16)
        problems_add(reader->problems, PROBLEM_ERROR, reader->source, line_number,
                     "the dump of %s is cut off in this line after %zu bytes",
                     reader->record->label, count);
    return true;
}

/* The number in "name [8086]", or the whole text when it is a number. */
static bool bracketed(const char *text, unsigned *number)
{
    const char *bracket = strrchr(text, '[');

    if (bracket != NULL && hexadecimal_number(bracket + 1, strlen(bracket + 1), 4, number) &&
        bracket[5] == ']')
        return true;
    return strlen(text) == 4 && hexadecimal_number(text, 4, 4, number);
}

struct machine_record {
    unsigned vendor;
    unsigned device;
    unsigned subsystem_vendor;
    unsigned subsystem;
    bool have_vendor;
    bool have_device;
    bool have_subsystem_vendor;
    bool have_subsystem;
    unsigned class;
    bool have_class;
    unsigned interface;
    unsigned revision;
};

static void machine_field(struct machine_record *record, const char *key, const char *value)
{
    if (strcmp(key, "Vendor") == 0)
        record->have_vendor = bracketed(value, &record->vendor);
    else if (strcmp(key, "Device") == 0 && strchr(value, '.') == NULL)
        record->have_device = bracketed(value, &record->device);
    else if (strcmp(key, "SVendor") == 0)
        record->have_subsystem_vendor = bracketed(value, &record->subsystem_vendor);
    else if (strcmp(key, "SDevice") == 0)
        record->have_subsystem = bracketed(value, &record->subsystem);
    else if (strcmp(key, "Class") == 0)
        record->have_class = bracketed(value, &record->class);
    else if (strcmp(key, "ProgIf") == 0)
        hexadecimal_number(value, strlen(value), 2, &record->interface);
    else if (strcmp(key, "Rev") == 0)
        hexadecimal_number(value, strlen(value), 2, &record->revision);
}

static void end_machine_record(struct reader *reader, const struct machine_record *fields,
                               const char *slot)
{
    struct device_record *record;

    if (*slot == '\0')
        return;
    if (!fields->have_vendor || !fields->have_device) {
        problems_add(
            reader->problems, PROBLEM_ERROR, reader->source, reader->header_line,
            "record of %s has no numeric vendor and device: use lspci with -nn, or it is cut off",
            slot);
        return;
    }
    record =
        device_list_add(reader->list, "IOPCIDevice", reader->source, reader->header_line, slot);
    if (record == NULL) {
        problems_add(reader->problems, PROBLEM_ERROR, reader->source, reader->header_line,
                     "no room");
        return;
    }
    device_set_ids(record, fields->vendor, fields->device);
    if (fields->have_class)
        device_set_class(record, fields->class << 8 | fields->interface, 24);
    device_set_revision(record, fields->revision);
    if (fields->have_subsystem && fields->have_subsystem_vendor)
        device_set_subsystem(record, fields->subsystem_vendor, fields->subsystem);
    else
        device_set_subsystem(record, 0, 0); /* these records leave out only what is 0 */
    if (!device_finish(record))
        problems_add(reader->problems, PROBLEM_ERROR, reader->source, reader->header_line,
                     "out of memory");
    reader->added++;
}

/* Takes a word, or a text in quotes with \" and \\ in it. NULL: there is none, or it is cut off. */
static const char *next_word(const char *at, char *to, size_t size)
{
    size_t length = 0;
    bool quoted;

    at += strspn(at, " ");
    quoted = *at == '"';
    for (at += quoted; *at != '\0' && *at != (quoted ? '"' : ' '); at++) {
        at += quoted && at[0] == '\\' && at[1] != '\0';
        if (length < size - 1)
            to[length++] = *at;
    }
    to[length] = '\0';
    if (quoted)
        return *at == '"' ? at + 1 : NULL;
    return length > 0 ? at : NULL;
}

/* -mm: a line a device, class, vendor, device, -rREVISION, -pINTERFACE and the subsystem's two, in
 * quotes. */
static void read_quoted(struct reader *reader, size_t line_number, char *line, size_t slot)
{
    static const char *const keys[] = { "Class", "Vendor", "Device", "SVendor", "SDevice" };
    struct machine_record fields = { 0 };
    const char *at = line + slot + 1;
    char word[LINE_SIZE];
    size_t key = 0;

    end_record(reader);
    reader->header_line = line_number;
    line[slot] = '\0';
    while (key < sizeof keys / sizeof *keys && (at = next_word(at, word, sizeof word)) != NULL) {
        if (strncmp(word, "-r", 2) == 0)
            machine_field(&fields, "Rev", word + 2);
        else if (strncmp(word, "-p", 2) == 0)
            machine_field(&fields, "ProgIf", word + 2);
        else
            machine_field(&fields, keys[key++], word);
    }
    end_machine_record(reader, &fields, line);
}

size_t device_read_lspci(const char *text, size_t size, const char *source,
                         struct device_list *list, struct problems *problems)
{
    struct reader reader = { .source = source, .list = list, .problems = problems };
    struct line_reader lines = { .text = text, .size = size };
    const char *start;
    size_t length;
    char line[LINE_SIZE];

    while (line_next(&lines, &start, &length)) {
        size_t slot;

        snprintf(line, sizeof line, "%.*s", (int)(length < LINE_SIZE - 1 ? length : LINE_SIZE - 1),
                 start);
        slot = slot_length(line, strlen(line));
        if (slot != 0 && line[slot + 1] == '"')
            read_quoted(&reader, lines.number, line, slot);
        else if (slot != 0)
            begin_record(&reader, lines.number, line, slot);
        else if (reader.record != NULL && (line[0] == '\t' || line[0] == ' '))
            parse_detail(&reader, line);
        else if (reader.record != NULL)
            parse_dump(&reader, lines.number, line);
    }
    end_record(&reader);
    return reader.added;
}

size_t device_read_lspci_machine(const char *text, size_t size, const char *source,
                                 struct device_list *list, struct problems *problems)
{
    struct reader reader = { .source = source, .list = list, .problems = problems };
    struct line_reader lines = { .text = text, .size = size };
    struct machine_record fields = { 0 };
    char slot[32] = "";
    char line[LINE_SIZE];
    const char *start;
    size_t length;

    while (line_next(&lines, &start, &length)) {
        char *value;

        snprintf(line, sizeof line, "%.*s", (int)(length < LINE_SIZE - 1 ? length : LINE_SIZE - 1),
                 start);
        value = strchr(line, ':');
        if (value == NULL)
            continue;
        *value++ = '\0';
        value += strspn(value, " \t");
        /* Without -D the first line of old versions is "Device:" with the slot. */
        if (strcmp(line, "Slot") == 0 ||
            (strcmp(line, "Device") == 0 && strchr(value, '.') != NULL &&
             strchr(value, '[') == NULL)) {
            end_machine_record(&reader, &fields, slot);
            fields = (struct machine_record){ 0 };
            reader.header_line = lines.number;
            snprintf(slot, sizeof slot, "%.31s", value);
        } else {
            machine_field(&fields, line, value);
        }
    }
    end_machine_record(&reader, &fields, slot);
    return reader.added;
}

size_t device_read_kernel_log(const char *text, size_t size, const char *source,
                              struct device_list *list, struct problems *problems)
{
    struct line_reader lines = { .text = text, .size = size };
    char line[LINE_SIZE];
    const char *start;
    size_t length;
    size_t added = 0;

    while (line_next(&lines, &start, &length)) {
        struct device_record *record;
        unsigned vendor;
        unsigned device;
        unsigned class;
        const char *at;
        char slot[16];

        snprintf(line, sizeof line, "%.*s", (int)(length < LINE_SIZE - 1 ? length : LINE_SIZE - 1),
                 start);
        at = strstr(line, "pci ");
        if (at == NULL || sscanf(at, "pci %15[0-9a-f:.] [%4x:%4x] type %*2x class 0x%6x", slot,
                                 &vendor, &device, &class) != 4)
            continue;
        if (slot[strlen(slot) - 1] == ':')
            slot[strlen(slot) - 1] = '\0';
        record = device_list_add(list, "IOPCIDevice", source, lines.number, slot);
        if (record == NULL)
            break;
        device_set_ids(record, vendor, device);
        device_set_class(record, class, 24);
        if (!device_finish(record))
            problems_add(problems, PROBLEM_ERROR, source, lines.number, "out of memory");
        added++;
    }
    return added;
}
