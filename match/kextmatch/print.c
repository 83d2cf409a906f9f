/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/kextmatch/print.h"

#include "match/text_encoding.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void device_ids_text(const struct device_record *record, char text[DEVICE_TEXT_SIZE])
{
    const struct pci_registers *registers = &record->registers;
    unsigned bits = device_class_bits(record);
    char subsystem[16] = "?";
    char class[16] = "?";
    char revision[8] = "?";

    if (!record->is_pci || registers->known_id != UINT32_MAX) {
        const char *type = plist_string(plist_get(record->properties, "HVType"));

        snprintf(text, DEVICE_TEXT_SIZE, "%s", type == NULL ? record->label : type);
        return;
    }
    if (device_knows_subsystem(record))
        snprintf(subsystem, sizeof subsystem, "%04x:%04x", registers->subsystem & 0xFFFF,
                 registers->subsystem >> 16);
    if (bits != 0)
        snprintf(class, sizeof class, bits == 24 ? "%06x" : "%04x",
                 bits == 24 ? device_class(record) : device_class(record) >> 8);
    if (device_knows_revision(record))
        snprintf(revision, sizeof revision, "%02x", device_revision(record));
    snprintf(text, DEVICE_TEXT_SIZE, "%04x:%04x/%s/%s/%s", device_vendor(record),
             device_device(record), subsystem, class, revision);
}

void device_names_text(const struct device_record *record, const struct pci_ids *names,
                       char text[DEVICE_TEXT_SIZE])
{
    const char *vendor;
    const char *device;

    text[0] = '\0';
    if (!record->is_pci || record->registers.known_id != UINT32_MAX)
        return;
    vendor = pci_ids_vendor(names, device_vendor(record));
    device = pci_ids_device(names, device_vendor(record), device_device(record));
    snprintf(text, DEVICE_TEXT_SIZE, "%s%s%s", vendor == NULL ? "" : vendor,
             vendor != NULL && device != NULL ? " " : "", device == NULL ? "" : device);
}

static const char *class_text(const struct device_record *record, const struct pci_ids *names)
{
    unsigned bits = device_class_bits(record);
    const char *name = bits == 24 ? pci_ids_class(names, device_class(record), 24) : NULL;

    if (name == NULL || strchr(name, '[') != NULL)
        name = bits == 0 ? NULL : pci_ids_class(names, device_class(record) >> 8, 16);
    return name;
}

void print_device_heading(const struct session *session, const struct device_record *record)
{
    char ids[DEVICE_TEXT_SIZE];
    char name[DEVICE_TEXT_SIZE];
    const char *class = class_text(record, session->names);

    device_ids_text(record, ids);
    device_names_text(record, session->names, name);
    if (strcmp(record->label, ids) == 0)
        printf("%s", ids);
    else
        printf("%s  %s", record->label, ids);
    if (*name != '\0')
        printf("  %s", name);
    if (record->is_pci && class != NULL)
        printf(" (%s)", class);
    printf("\n");
    if (record->class_unknown)
        printf("  only a name is given: considered as a PCI and as an ACPI nub\n");
    if (record->attached != NULL)
        printf("  attached in the dump: %s\n", record->attached);
}

struct json_object *json_string(const char *text)
{
    char *repaired = text == NULL ? NULL : text_repair_utf8(text);
    struct json_object *string = repaired == NULL ? NULL : json_object_new_string(repaired);

    free(repaired);
    return string;
}

struct json_object *device_json(const struct session *session, const struct device_record *record)
{
    struct json_object *object = json_object_new_object();
    char text[DEVICE_TEXT_SIZE];

    json_object_object_add(object, "class", json_string(record->provider_class));
    device_ids_text(record, text);
    json_object_object_add(object, "ids", json_string(text));
    if (record->is_pci && record->registers.known_id == UINT32_MAX) {
        json_object_object_add(object, "vendor",
                               json_string(pci_ids_vendor(session->names, device_vendor(record))));
        json_object_object_add(object, "name",
                               json_string(pci_ids_device(session->names, device_vendor(record),
                                                          device_device(record))));
        json_object_object_add(object, "function", json_string(class_text(record, session->names)));
    }
    json_object_object_add(object, "source", json_string(record->source));
    if (record->line != 0)
        json_object_object_add(object, "line", json_object_new_int64((int64_t)record->line));
    if (record->attached != NULL)
        json_object_object_add(object, "attached", json_string(record->attached));
    return object;
}

static const char *answer_text(enum match_answer answer)
{
    return answer == MATCH_YES ? "yes" : answer == MATCH_NO ? "no" : "undecided";
}

static const char *state_text(enum candidate_state state)
{
    static const char *const texts[] = {
        [CANDIDATE_WINNER] = "winner",       [CANDIDATE_LOSER] = "matches",
        [CANDIDATE_UNDECIDED] = "undecided", [CANDIDATE_NO_MATCH] = "no match",
        [CANDIDATE_INVALID] = "invalid",
    };

    return texts[state];
}

static struct json_object *steps_json(const struct candidate *candidate)
{
    struct json_object *steps = json_object_new_array();
    size_t index;

    for (index = 0; index < candidate->step_count; index++) {
        struct json_object *step = json_object_new_object();

        json_object_object_add(step, "key", json_string(candidate->steps[index].key));
        json_object_object_add(step, "answer",
                               json_string(answer_text(candidate->steps[index].answer)));
        json_object_object_add(step, "text", json_string(candidate->steps[index].text));
        json_object_array_add(steps, step);
    }
    return steps;
}

struct json_object *candidate_json(const struct candidate *candidate, bool with_steps)
{
    struct json_object *object = json_object_new_object();
    char why[WHY_SIZE];

    candidate_why(candidate, why, sizeof why);
    json_object_object_add(object, "category", json_string(candidate->category));
    json_object_object_add(object, "bundle", json_string(candidate->bundle));
    json_object_object_add(object, "personality", json_string(candidate->entry->name));
    json_object_object_add(object, "class", json_string(candidate->class_name));
    json_object_object_add(object, "score", json_object_new_int(candidate->score));
    json_object_object_add(object, "why", json_string(why));
    json_object_object_add(object, "state", json_string(state_text(candidate->state)));
    json_object_object_add(object, "publisher", json_string(candidate->kext->identifier));
    json_object_object_add(object, "path", json_string(candidate->kext->path));
    json_object_object_add(object, "tie", json_object_new_boolean(candidate->tie));
    if (candidate->name_matched != NULL)
        json_object_object_add(object, "name_matched", json_string(candidate->name_matched));
    if (with_steps)
        json_object_object_add(object, "steps", steps_json(candidate));
    return object;
}

void print_candidate(const struct candidate *candidate, bool steps)
{
    char why[WHY_SIZE];
    size_t index;

    candidate_why(candidate, why, sizeof why);
    printf("    %s: class %s, score %" PRId32 ", %s", candidate->entry->name, candidate->class_name,
           candidate->score, *candidate->bundle == '\0' ? "no bundle" : candidate->bundle);
    if (strcmp(candidate->bundle, candidate->kext->identifier) != 0)
        printf(" (published by %s)", *candidate->kext->identifier == '\0'
                                         ? candidate->kext->path
                                         : candidate->kext->identifier);
    printf("\n");
    if (!steps || candidate->state == CANDIDATE_LOSER)
        printf("      %s%s\n", candidate->state == CANDIDATE_INVALID ? "INVALID: " : "", why);
    for (index = 0; steps && index < candidate->step_count; index++)
        printf("      %-9s %s: %s\n", answer_text(candidate->steps[index].answer),
               candidate->steps[index].key, candidate->steps[index].text);
    if (candidate->name_matched != NULL)
        printf("      IONameMatched becomes \"%s\"\n", candidate->name_matched);
    if (candidate->tie && candidate->state == CANDIDATE_WINNER)
        printf("      another match has the same score: on a real system their order may differ\n");
}

void print_json(struct json_object *object)
{
    printf("%s\n", json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
                                                              JSON_C_TO_STRING_SPACED |
                                                              JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(object);
}
