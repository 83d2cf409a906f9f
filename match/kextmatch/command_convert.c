/* SPDX-License-Identifier: BSD-3-Clause */
/* convert: INF file to a property list of personalities, or kext to the hardware ids of an INF
 * file. */
#include "match/kextmatch/commands.h"
#include "match/kextmatch/print.h"
#include "match/kextmatch/windows_options.h"

#include "match/claims.h"
#include "match/convert.h"
#include "match/file.h"
#include "match/plist_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

struct task {
    struct session session;
    struct inf_target target;
    struct inf_options inf_options;
    size_t limit;
    size_t made;
    bool lost; /* something could not be carried over */
    struct json_object *json;
};

static bool is_inf(const char *path)
{
    const char *end = strrchr(path, '.');

    return end != NULL && (strcasecmp(end, ".inf") == 0 || strcasecmp(end, ".inx") == 0);
}

/* ---- INF to personalities ---- */

static void print_conversions(const struct conversions *conversions)
{
    size_t index;

    plist_write_head(stdout);
    printf("<dict>\n");
    plist_write_comment(
        stdout,
        "scores keep the order in which Windows prefers ids, as list B of kextmatch inf has "
        "it; add the kext's own keys",
        1);
    plist_write_key(stdout, "IOKitPersonalities", 1);
    printf("\t<dict>\n");
    for (index = 0; index < conversions->count; index++) {
        plist_write_comment(stdout, conversions->list[index].comment, 2);
        plist_write_key(stdout, conversions->list[index].name, 2);
        plist_write_value(stdout, conversions->list[index].personality, 2);
    }
    printf("\t</dict>\n</dict>\n");
    plist_write_tail(stdout);
}

static struct json_object *value_json(const struct plist *value)
{
    uint64_t number;
    struct json_object *array;
    size_t index;

    if (plist_integer(value, &number))
        return json_object_new_int64((int64_t)number);
    if (!plist_is(value, PLIST_ARRAY))
        return json_string(plist_string(value));
    array = json_object_new_array();
    for (index = 0; index < plist_count(value); index++)
        json_object_array_add(array, value_json(plist_value_at(value, index)));
    return array;
}

static void conversions_json(struct task *task, const char *path,
                             const struct conversions *conversions)
{
    struct json_object *file = json_object_new_object();
    struct json_object *personalities = json_object_new_object();
    size_t index;
    size_t key;

    for (index = 0; index < conversions->count; index++) {
        struct json_object *object = json_object_new_object();
        const struct plist *personality = conversions->list[index].personality;

        for (key = 0; key < plist_count(personality); key++)
            json_object_object_add(object, plist_key_at(personality, key),
                                   value_json(plist_value_at(personality, key)));
        json_object_object_add(personalities, conversions->list[index].name, object);
    }
    json_object_object_add(file, "inf", json_string(path));
    json_object_object_add(file, "IOKitPersonalities", personalities);
    json_object_array_add(task->json, file);
}

static bool convert_inf(struct task *task, const char *path)
{
    const struct options *given = &task->session.options;
    const struct convert_options options = { task->target.architecture, given->class_name,
                                             given->bundle_id };
    struct problems *problems = &task->session.problems;
    struct inf *inf = inf_load(path, &task->inf_options, problems);
    struct inf_models models = { NULL };
    struct conversions conversions = { NULL };
    size_t before = problems->count;
    bool done;

    if (inf == NULL)
        return true;
    done = inf_models_collect(inf, given->all_models ? NULL : &task->target, &models, problems) &&
           convert_models(&models, &options, &conversions, problems);
    for (; before < problems->count; before++)
        task->lost |= problems->list[before].severity == PROBLEM_WARNING;
    if (done && task->json != NULL)
        conversions_json(task, path, &conversions);
    else if (done)
        print_conversions(&conversions);
    task->made += conversions.count;
    conversions_clear(&conversions);
    inf_models_clear(&models);
    inf_free(inf);
    return done;
}

/* ---- personalities to hardware ids ---- */

/* A name as an INF file takes it: quotes doubled, percent signs too, all on one line. */
static void print_quoted(const char *name, bool quotes)
{
    if (quotes)
        putchar('"');
    for (; *name != '\0'; name++) {
        if ((*name == '"' || *name == '%') && quotes)
            putchar(*name);
        putchar((unsigned char)*name < ' ' ? ' ' : *name);
    }
    if (quotes)
        putchar('"');
}

static void print_ids(const char *name, const struct claims *claims)
{
    char id[WINDOWS_ID_SIZE];
    size_t index;

    printf("; ");
    print_quoted(name, false);
    printf("\n");
    for (index = 0; index < claims->note_count; index++)
        printf("; %s: %s\n", claims->notes[index].lost ? "not carried over" : "left out",
               claims->notes[index].text);
    for (index = 0; index < claims->count; index++) {
        claim_windows_id(&claims->list[index], id);
        if (*id == '\0')
            continue;
        print_quoted(name, true);
        printf(" = Install, %s\n", id);
    }
}

static void ids_json(struct task *task, const struct kext *kext, const char *name,
                     const struct claims *claims)
{
    struct json_object *object = json_object_new_object();
    struct json_object *ids = json_object_new_array();
    struct json_object *lost = json_object_new_array();
    char id[WINDOWS_ID_SIZE];
    size_t index;

    for (index = 0; index < claims->count; index++) {
        claim_windows_id(&claims->list[index], id);
        if (*id != '\0')
            json_object_array_add(ids, json_string(id));
    }
    for (index = 0; index < claims->note_count; index++)
        json_object_array_add(lost, json_string(claims->notes[index].text));
    json_object_object_add(object, "bundle", json_string(kext->identifier));
    json_object_object_add(object, "personality", json_string(name));
    json_object_object_add(object, "ids", ids);
    json_object_object_add(object, "not_carried_over", lost);
    json_object_array_add(task->json, object);
}

static bool convert_personality(struct task *task, const struct kext *kext, const char *name,
                                const struct plist *personality)
{
    struct claims claims;
    size_t index;

    if (!claims_collect(personality, task->session.release, task->session.names, task->limit,
                        &claims))
        return false;
    for (index = 0; index < claims.note_count; index++)
        task->lost |= claims.notes[index].lost;
    for (index = 0; index < claims.count; index++)
        task->made += claims.list[index].kind != CLAIM_NAME;
    if (task->json != NULL)
        ids_json(task, kext, name, &claims);
    else
        print_ids(name, &claims);
    claims_clear(&claims);
    return true;
}

static bool convert_kexts(struct task *task)
{
    struct session *session = &task->session;
    size_t at;
    size_t index;

    for (at = 0; at < session->kexts.count; at++) {
        const struct kext *kext = session->kexts.kexts[at];
        const struct plist *personalities =
            kext_value(kext, "IOKitPersonalities", session->architecture);

        if (task->json == NULL)
            printf("; from %s\n", kext->plist_path);
        for (index = 0;
             plist_is(personalities, PLIST_DICTIONARY) && index < plist_count(personalities);
             index++)
            if (!convert_personality(task, kext, plist_key_at(personalities, index),
                                     plist_value_at(personalities, index)))
                return false;
    }
    return true;
}

int command_convert(int count, char **arguments)
{
    static const char usage[] = "convert INF_OR_KEXT... [OPTION...]";
    struct task task = { .limit = CLAIM_LIMIT };
    struct session *session = &task.session;
    bool memory = true;
    size_t index;

    if (!session_begin(session, COMMAND_CONVERT, usage, count, arguments))
        return session_end(session, session->options.help ? STATUS_MATCHED : STATUS_TROUBLE);
    if (session->options.operands.count == 0)
        return session_end(session, session_usage(usage, "no INF file and no kext given"));
    if (!windows_options(session, &task.target, &task.inf_options))
        return session_end(session, STATUS_TROUBLE);
    if (session->options.limit != NULL)
        task.limit = strtoul(session->options.limit, NULL, 10);
    task.json = session->options.json ? json_object_new_array() : NULL;
    for (index = 0; memory && index < session->options.operands.count; index++) {
        const char *path = session->options.operands.strings[index];

        if (is_inf(path))
            memory = convert_inf(&task, path);
        else
            session_load_kexts(session, &(struct string_list){ &path, 1 });
    }
    memory = memory && convert_kexts(&task);
    if (!memory)
        problems_add(&session->problems, PROBLEM_ERROR, "kextmatch", 0, "out of memory");
    if (task.json != NULL)
        print_json(task.json);
    return session_end(session, task.made > 0 && !task.lost ? STATUS_MATCHED : STATUS_NOTHING);
}
