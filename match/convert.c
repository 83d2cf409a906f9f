/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/convert.h"

#include "match/windows_ids.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { KEY_SIZE = 64, SIGNATURE_SIZE = 640 };

/* The match keys of one id; empty where the id says nothing. */
struct keys {
    char provider[40];
    char primary[KEY_SIZE];
    char secondary[KEY_SIZE];
    char class[KEY_SIZE];
    char name[KEY_SIZE];
    char channel[KEY_SIZE];
    int score;
};

/* A personality in the making: the first id's keys, and the values of the key that varies. */
struct group {
    const struct inf_model *model;
    struct keys keys;
    char *list; /* values of the key in which its ids differ */
    size_t length;
    size_t room;
    size_t values;
};

struct converter {
    const struct convert_options *options;
    struct problems *problems;
    struct group *groups;
    size_t count;
    size_t capacity;
    struct plist *open;  /* what all ids of a group have in common, to the group's position */
    struct plist *names; /* of personalities that are taken */
    struct plist *seen;  /* the same with the value that varies, to the line */
};

/* Any strictly decreasing numbers would do: these keep the order in which Windows prefers the forms
 * (list B). */
static int score_of(const struct windows_pci_id *id, bool compatible)
{
    int score = 900;

    if (id->has_subsystem)
        score = id->has_revision ? 6000 : 5000;
    else if (id->has_device && id->class_digits != 0)
        score = id->class_digits == 6 ? 4500 : 4400;
    else if (id->has_device)
        score = id->has_revision ? 4000 : 3000;
    else if (id->has_vendor && id->class_digits != 0)
        score = id->class_digits == 6 ? 2000 : 1900;
    else if (id->has_vendor)
        score = 1500;
    else if (id->class_digits == 6)
        score = 1000;
    return compatible ? score - 100 : score;
}

static void class_key(const struct windows_pci_id *id, char *text)
{
    unsigned class = id->class_digits == 4 ? id->class << 8 : id->class;
    unsigned mask = id->class_digits == 0 ? 0 : id->class_digits == 4 ? 0xFFFF0000 : 0xFFFFFF00;
    unsigned value = id->class_digits == 0 ? 0 : class << 8;

    if (id->has_revision) {
        value |= id->revision;
        mask |= 0xFF;
    }
    if (mask != 0)
        snprintf(text, KEY_SIZE, "0x%08X&0x%08x", value, mask);
}

/* Returns false with a reason when no personality says what the id says. */
static bool pci_keys(const char *text, bool compatible, struct keys *keys, char *why,
                     size_t why_size)
{
    struct windows_pci_id id;

    if (!windows_pci_id_parse(text, &id, why, why_size))
        return false;
    if (!windows_pci_id_is_generated(&id) || id.has_express_type) {
        snprintf(why, why_size,
                 "Windows makes no id of this form for a device: it matches nothing");
        return false;
    }
    snprintf(keys->provider, sizeof keys->provider, "IOPCIDevice");
    if (id.has_device)
        snprintf(keys->primary, KEY_SIZE, "0x%04X%04X", id.device, id.vendor);
    else if (id.has_vendor)
        snprintf(keys->primary, KEY_SIZE, "0x0000%04X&0x0000ffff", id.vendor);
    if (id.has_subsystem)
        snprintf(keys->secondary, KEY_SIZE, "0x%08X", id.subsystem);
    class_key(&id, keys->class);
    keys->score = score_of(&id, compatible);
    return true;
}

static bool acpi_keys(const char *name, bool compatible, struct keys *keys, char *why,
                      size_t why_size)
{
    char vendor[8];
    char device[8];

    if (sscanf(name, "VEN_%4[A-Za-z0-9]&DEV_%4[0-9A-Fa-f]", vendor, device) == 2)
        snprintf(keys->name, KEY_SIZE, "%s%s", vendor, device);
    else
        snprintf(keys->name, KEY_SIZE, "%.60s", name);
    if (*keys->name == '\0' || strpbrk(keys->name, "&\\ ") != NULL) {
        snprintf(why, why_size, "no ACPI id");
        return false;
    }
    for (char *at = keys->name; *at != '\0'; at++)
        *at = (char)toupper(
            (unsigned char)*at); /* I/O Kit compares names exactly, and firmware writes capitals */
    snprintf(keys->provider, sizeof keys->provider, "IOACPIPlatformDevice");
    keys->score = compatible ? 2900 : 3000;
    return true;
}

static bool channel_keys(const char *type, bool compatible, struct keys *keys, char *why,
                         size_t why_size)
{
    size_t length = 0;

    for (type += *type == '{'; isxdigit((unsigned char)*type) || *type == '-'; type++)
        if (length < 36)
            keys->channel[length++] = (char)tolower((unsigned char)*type);
    if (length != 36) {
        snprintf(why, why_size, "no GUID");
        return false;
    }
    snprintf(keys->provider, sizeof keys->provider, "HyperVVMBusDevice");
    keys->score = compatible ? 2900 : 3000;
    return true;
}

static bool read_keys(const char *id, bool compatible, struct keys *keys, char *why,
                      size_t why_size)
{
    memset(keys, 0, sizeof *keys);
    if (strncasecmp(id, "PCI\\", 4) == 0)
        return pci_keys(id, compatible, keys, why, why_size);
    if (strncasecmp(id, "ACPI\\", 5) == 0)
        return acpi_keys(id + 5, compatible, keys, why, why_size);
    if (id[0] == '*')
        return acpi_keys(id + 1, compatible, keys, why, why_size);
    if (strncasecmp(id, "VMBUS\\", 6) == 0)
        return channel_keys(id + 6, compatible, keys, why, why_size);
    snprintf(why, why_size, "devices of this enumerator have no counterpart");
    return false;
}

/* The key in which ids of one group may differ. */
static const char *varying(const struct keys *keys)
{
    return *keys->secondary != '\0' ? keys->secondary
           : *keys->primary != '\0' ? keys->primary
           : *keys->name != '\0'    ? keys->name
                                    : keys->channel;
}

/* What must be equal of two ids that go into one personality. */
static void make_signature(const struct inf_model *model, const struct keys *keys, char *text)
{
    bool by_secondary = *keys->secondary != '\0';
    bool by_primary = !by_secondary && *keys->primary != '\0';
    int length =
        snprintf(text, SIGNATURE_SIZE, "%p|%.255s|%s|%d|%s|%s|%d%d|%s", (const void *)model->inf,
                 model->install, keys->provider, keys->score, keys->class,
                 by_primary ? "" : keys->primary, by_primary, by_secondary, keys->channel);

    for (char *at = text; at < text + length; at++)
        *at = (char)tolower((unsigned char)*at); /* section names compare without case */
}

static bool append_value(struct group *group, const char *value)
{
    size_t more = strlen(value) + 2;

    if (group->length + more > group->room) {
        size_t room = (group->length + more) * 2;
        char *grown = realloc(group->list, room);

        if (grown == NULL)
            return false;
        group->list = grown;
        group->room = room;
    }
    group->length +=
        (size_t)sprintf(group->list + group->length, "%s%s", group->values == 0 ? "" : " ", value);
    group->values++;
    return true;
}

static bool new_group(struct converter *converter, const struct inf_model *model,
                      const struct keys *keys)
{
    if (converter->count == converter->capacity) {
        size_t capacity = converter->capacity == 0 ? 16 : converter->capacity * 2;
        struct group *grown = realloc(converter->groups, capacity * sizeof *grown);

        if (grown == NULL)
            return false;
        converter->groups = grown;
        converter->capacity = capacity;
    }
    converter->groups[converter->count++] = (struct group){ .model = model, .keys = *keys };
    return append_value(&converter->groups[converter->count - 1], varying(keys));
}

static bool add_keys(struct converter *converter, const struct inf_model *model,
                     const struct keys *keys)
{
    char signature[SIGNATURE_SIZE];
    char whole[SIGNATURE_SIZE + KEY_SIZE + 1];
    uint64_t number;

    make_signature(model, keys, signature);
    snprintf(whole, sizeof whole, "%s|%s", signature, varying(keys));
    if (plist_integer(plist_get(converter->seen, whole), &number)) {
        problems_add(converter->problems, PROBLEM_NOTE, model->inf->path, model->line,
                     "an id that stands in line %u already", (unsigned)number);
        return true;
    }
    if (!plist_dictionary_set(converter->seen, whole, plist_new_integer(model->line, 64)))
        return false;
    if (plist_integer(plist_get(converter->open, signature), &number))
        return append_value(&converter->groups[number], varying(keys));
    return plist_dictionary_set(converter->open, signature,
                                plist_new_integer(converter->count, 64)) &&
           new_group(converter, model, keys);
}

static bool add_model(struct converter *converter, const struct inf_model *model)
{
    struct keys keys;
    char why[160];
    size_t index;

    for (index = 0; index < model->id_count; index++) {
        if (*model->ids[index] == '\0')
            continue;
        if (!read_keys(model->ids[index], index > 0, &keys, why, sizeof why))
            problems_add(converter->problems, PROBLEM_WARNING, model->inf->path, model->line,
                         "%.80s is left out: %s", model->ids[index], why);
        else if (!add_keys(converter, model, &keys))
            return false;
    }
    return true;
}

/* ---- personalities ---- */

static bool set_string(struct plist *dictionary, const char *key, const char *text)
{
    return *text == '\0' ||
           plist_dictionary_set(dictionary, key, plist_new_string(text, strlen(text)));
}

static bool set_names(struct plist *dictionary, const char *list)
{
    struct plist *names = plist_new_array();

    while (names != NULL && *list != '\0') {
        size_t length = strcspn(list, " ");

        if (!plist_array_append(names, plist_new_string(list, length))) {
            plist_release(names);
            return false;
        }
        list += length + strspn(list + length, " ");
    }
    return plist_dictionary_set(dictionary, "IONameMatch", names);
}

/* A class name from a service: letters, digits and underscores, no digit first. */
static void class_from_service(const struct inf_model *model, const char *architecture, char *name,
                               size_t size)
{
    char *service = inf_service(model->inf, model->install, architecture);
    const char *from = service == NULL ? model->install : service;
    size_t length = 0;

    if (isdigit((unsigned char)*from))
        name[length++] = '_';
    for (; *from != '\0' && length + 1 < size; from++)
        name[length++] = isalnum((unsigned char)*from) ? *from : '_';
    name[length] = '\0';
    free(service);
}

static struct plist *make_personality(const struct converter *converter, const struct group *group)
{
    const struct convert_options *options = converter->options;
    struct plist *personality = plist_new_dictionary();
    bool by_secondary = *group->keys.secondary != '\0';
    bool by_primary = !by_secondary && *group->keys.primary != '\0';
    char class_name[128];
    bool done;

    class_from_service(group->model, options->architecture, class_name, sizeof class_name);
    done = personality != NULL &&
           (options->bundle_identifier == NULL ||
            set_string(personality, "CFBundleIdentifier", options->bundle_identifier)) &&
           set_string(personality, "IOClass",
                      options->class_name == NULL ? class_name : options->class_name) &&
           set_string(personality, "IOProviderClass", group->keys.provider) &&
           set_string(personality, "IOPCIPrimaryMatch",
                      by_primary ? group->list : group->keys.primary) &&
           (!by_secondary || set_string(personality, "IOPCISecondaryMatch", group->list)) &&
           set_string(personality, "IOPCIClassMatch", group->keys.class) &&
           set_string(personality, "HVType", group->keys.channel) &&
           (*group->keys.name == '\0' || set_names(personality, group->list)) &&
           plist_dictionary_set(personality, "IOProbeScore",
                                plist_new_integer((uint64_t)group->keys.score, 64));
    if (done)
        return personality;
    plist_release(personality);
    return NULL;
}

/* The description, with a number behind it when it is taken. `names` counts how often each was
 * wanted. */
static char *unique_name(struct plist *names, const char *description)
{
    const char *wanted = *description == '\0' ? "device" : description;
    char *name = strdup(wanted);
    uint64_t number = 1;

    plist_integer(plist_get(names, wanted), &number);
    while (name != NULL && plist_get(names, name) != NULL) {
        free(name);
        if (asprintf(&name, "%s (%u)", wanted, (unsigned)++number) < 0)
            return NULL;
    }
    if (name != NULL && (!plist_dictionary_set(names, wanted, plist_new_integer(number, 64)) ||
                         (strcmp(name, wanted) != 0 &&
                          !plist_dictionary_set(names, name, plist_new_integer(1, 64))))) {
        free(name);
        return NULL;
    }
    return name;
}

static char *make_comment(const struct converter *converter, const struct group *group)
{
    const struct inf_model *model = group->model;
    char *service = inf_service(model->inf, model->install, converter->options->architecture);
    const char *date = inf_value(inf_section(model->inf, "Version"), "DriverVer", 0);
    char *comment = NULL;

    if (asprintf(&comment,
                 "line %zu of [%s], install section %s, service %s, DriverVer %s, %zu ids",
                 model->line, model->section, model->install, service == NULL ? "none" : service,
                 date == NULL ? "none" : date, group->values) < 0)
        comment = NULL;
    free(service);
    return comment;
}

static bool make_conversion(const struct converter *converter, const struct group *group,
                            struct plist *names, struct conversions *conversions)
{
    struct conversion *conversion = &conversions->list[conversions->count];

    conversion->name = unique_name(names, group->model->description);
    conversion->personality = make_personality(converter, group);
    conversion->comment = make_comment(converter, group);
    conversions->count++;
    return conversion->name != NULL && conversion->personality != NULL &&
           conversion->comment != NULL;
}

bool convert_models(const struct inf_models *models, const struct convert_options *options,
                    struct conversions *conversions, struct problems *problems)
{
    struct converter converter = { .options = options,
                                   .problems = problems,
                                   .open = plist_new_dictionary(),
                                   .seen = plist_new_dictionary(),
                                   .names = plist_new_dictionary() };
    bool done = converter.open != NULL && converter.seen != NULL && converter.names != NULL;
    size_t index;

    for (index = 0; done && index < models->count; index++)
        done = add_model(&converter, &models->list[index]);
    *conversions =
        (struct conversions){ calloc(converter.count + 1, sizeof *conversions->list), 0 };
    done = done && conversions->list != NULL;
    for (index = 0; done && index < converter.count; index++)
        done = make_conversion(&converter, &converter.groups[index], converter.names, conversions);
    for (index = 0; index < converter.count; index++)
        free(converter.groups[index].list);
    free(converter.groups);
    plist_release(converter.open);
    plist_release(converter.seen);
    plist_release(converter.names);
    return done;
}

void conversions_clear(struct conversions *conversions)
{
    size_t index;

    for (index = 0; index < conversions->count; index++) {
        free(conversions->list[index].name);
        free(conversions->list[index].comment);
        plist_release(conversions->list[index].personality);
    }
    free(conversions->list);
    *conversions = (struct conversions){ NULL };
}
