/* SPDX-License-Identifier: BSD-3-Clause */
/* ids: all devices that a kext claims, by name. */
#include "match/kextmatch/commands.h"
#include "match/kextmatch/print.h"

#include "match/claims.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct task {
    struct session session;
    size_t limit;
    struct json_object *json;
    size_t claimed;
};

/* "8086:15b8/1458:e000", "8086:*", "class 020000", with what is fixed and no more. */
static void claim_text(const struct claim *claim, char *text, size_t size)
{
    const struct windows_pci_id *id = &claim->pci;
    size_t length = 0;

    if (claim->kind != CLAIM_PCI) {
        snprintf(text, size, "%s%s", claim->kind == CLAIM_CHANNEL ? "channel " : "name ",
                 claim->text);
        return;
    }
    text[0] = '\0';
    if (id->has_device)
        length += (size_t)snprintf(text, size, "%04x:%04x", id->vendor, id->device);
    else if (id->has_vendor)
        length += (size_t)snprintf(text, size, "%04x:*", id->vendor);
    if (id->has_subsystem)
        length += (size_t)snprintf(text + length, size - length, "/%04x:%04x",
                                   id->subsystem & 0xFFFF, id->subsystem >> 16);
    if (id->class_digits != 0)
        length += (size_t)snprintf(text + length, size - length, "%sclass %0*x",
                                   length == 0 ? "" : " ", (int)id->class_digits, id->class);
    if (id->has_revision)
        snprintf(text + length, size - length, " revision %02x", id->revision);
}

static void claim_name(const struct claim *claim, const struct pci_ids *names, char *text,
                       size_t size)
{
    const struct windows_pci_id *id = &claim->pci;
    const char *vendor = id->has_vendor ? pci_ids_vendor(names, id->vendor) : NULL;
    const char *device = id->has_device ? pci_ids_device(names, id->vendor, id->device) : NULL;
    const char *class =
        id->class_digits == 0 ? NULL : pci_ids_class(names, id->class, id->class_digits * 4);

    if (class == NULL && id->class_digits == 6)
        class = pci_ids_class(names, id->class >> 8, 16);
    snprintf(text, size, "%s%s%s%s%s", vendor == NULL ? "" : vendor, device == NULL ? "" : " ",
             device == NULL ? (id->has_vendor && !id->has_device ? ", any device" : "") : device,
             class == NULL    ? ""
             : vendor == NULL ? ""
                              : ", ",
             class == NULL ? "" : class);
}

/* Names that are no ids are claims of their own here: nothing is lost. */
static bool is_about_name(const struct claim_note *note)
{
    return strncmp(note->text, "IONameMatch \"", strlen("IONameMatch \"")) == 0;
}

static void print_claims(const struct task *task, const struct claims *claims)
{
    char text[128];
    char name[256];
    size_t index;

    for (index = 0; index < claims->count; index++) {
        claim_text(&claims->list[index], text, sizeof text);
        claim_name(&claims->list[index], task->session.names, name, sizeof name);
        printf("    %-24s%s%s\n", text, *name == '\0' ? "" : "  ", name);
    }
    for (index = 0; index < claims->note_count; index++)
        if (claims->notes[index].lost && !is_about_name(&claims->notes[index]))
            printf("    note: %s\n", claims->notes[index].text);
}

static struct json_object *claims_json(const struct task *task, const struct claims *claims)
{
    struct json_object *array = json_object_new_array();
    size_t index;

    for (index = 0; index < claims->count; index++) {
        struct json_object *object = json_object_new_object();
        char text[256];

        claim_text(&claims->list[index], text, sizeof text);
        json_object_object_add(object, "id", json_string(text));
        claim_name(&claims->list[index], task->session.names, text, sizeof text);
        json_object_object_add(object, "name", json_string(text));
        claim_windows_id(&claims->list[index], text);
        json_object_object_add(object, "windows", *text == '\0' ? NULL : json_string(text));
        json_object_array_add(array, object);
    }
    return array;
}

static struct json_object *notes_json(const struct claims *claims)
{
    struct json_object *array = json_object_new_array();
    size_t index;

    for (index = 0; index < claims->note_count; index++)
        json_object_array_add(array, json_string(claims->notes[index].text));
    return array;
}

static bool list_personality(struct task *task, const struct kext *kext, const char *name,
                             const struct plist *personality)
{
    const char *provider = plist_string(plist_get(personality, "IOProviderClass"));
    struct claims claims;

    if (!claims_collect(personality, task->session.release, task->session.names, task->limit,
                        &claims))
        return false;
    task->claimed += claims.count;
    if (task->json != NULL) {
        struct json_object *object = json_object_new_object();

        json_object_object_add(object, "bundle", json_string(kext->identifier));
        json_object_object_add(object, "personality", json_string(name));
        json_object_object_add(object, "provider", json_string(provider));
        json_object_object_add(object, "devices", claims_json(task, &claims));
        json_object_object_add(object, "notes", notes_json(&claims));
        json_object_array_add(task->json, object);
    } else {
        printf("  %s (on %s)\n", name, provider == NULL ? "no provider class" : provider);
        print_claims(task, &claims);
    }
    claims_clear(&claims);
    return true;
}

static bool list_kext(struct task *task, const struct kext *kext)
{
    const struct plist *personalities =
        kext_value(kext, "IOKitPersonalities", task->session.architecture);
    char version[32];
    size_t index;

    snprintf(version, sizeof version, "%.30s",
             kext_string(kext, "CFBundleVersion") == NULL ? "no version"
                                                          : kext_string(kext, "CFBundleVersion"));
    if (task->json == NULL)
        printf("%s %s (%s)\n", *kext->identifier == '\0' ? "no identifier" : kext->identifier,
               version, kext->path);
    if (task->json == NULL && plist_count(personalities) == 0)
        printf("  no personalities: it matches nothing by itself\n");
    for (index = 0; plist_is(personalities, PLIST_DICTIONARY) && index < plist_count(personalities);
         index++)
        if (!list_personality(task, kext, plist_key_at(personalities, index),
                              plist_value_at(personalities, index)))
            return false;
    return true;
}

int command_ids(int count, char **arguments)
{
    static const char usage[] = "ids KEXT_OR_FOLDER... [OPTION...]";
    struct task task = { .limit = CLAIM_LIMIT };
    struct session *session = &task.session;
    bool memory = true;
    size_t index;

    if (!session_begin(session, COMMAND_IDS, usage, count, arguments))
        return session_end(session, session->options.help ? STATUS_MATCHED : STATUS_TROUBLE);
    if (session->options.operands.count + session->options.kexts.count == 0)
        return session_end(session, session_usage(usage, "no kext given"));
    if (session->options.limit != NULL)
        task.limit = strtoul(session->options.limit, NULL, 10);
    session_load_kexts(session, &session->options.kexts);
    session_load_kexts(session, &session->options.operands);
    task.json = session->options.json ? json_object_new_array() : NULL;
    for (index = 0; memory && index < session->kexts.count; index++)
        memory = list_kext(&task, session->kexts.kexts[index]);
    if (!memory)
        problems_add(&session->problems, PROBLEM_ERROR, "kextmatch", 0, "out of memory");
    if (task.json != NULL)
        print_json(task.json);
    return session_end(session, task.claimed > 0 ? STATUS_MATCHED : STATUS_NOTHING);
}
