/* SPDX-License-Identifier: BSD-3-Clause */
/* inf: which line of which INF file Windows takes for a device, and the ids that it generates for
 * it. */
#include "match/kextmatch/commands.h"
#include "match/kextmatch/print.h"
#include "match/kextmatch/windows_options.h"

#include "match/inf_include.h"
#include "match/inf_rank.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct task {
    struct session session;
    struct inf_target target;
    struct inf_options options;
    int express;
    struct inf **files;
    size_t file_count;
    struct inf_models models;
    struct inf_includes includes;
    struct json_object *json;
    size_t matched;
};

static bool load(struct task *task, const char *path)
{
    struct inf *inf = inf_load(path, &task->options, &task->session.problems);

    if (inf == NULL)
        return true; /* reported; the others are used */
    task->files[task->file_count++] = inf;
    return inf_models_collect(inf, &task->target, &task->models, &task->session.problems);
}

static struct json_object *ids_json(const char (*list)[WINDOWS_ID_SIZE], size_t count)
{
    struct json_object *array = json_object_new_array();
    size_t index;

    for (index = 0; index < count; index++)
        json_object_array_add(array, json_string(list[index]));
    return array;
}

/* The service that the line's install section adds, by itself or through sections that it needs. */
static void find_service(struct task *task, const struct inf_model *model, char **service,
                         char **binary)
{
    inf_service_with_needs(&task->includes, model->inf, model->install, task->target.architecture,
                           &task->options, &task->session.problems, service, binary);
}

/* Files that the install section leans on, and whether they are beside the INF. */
static struct json_object *includes_json(struct task *task, const struct inf_model *model)
{
    const struct inf_entry *entry =
        inf_entry(inf_install_section(model->inf, model->install, task->target.architecture, ""),
                  "Include");
    struct json_object *array = json_object_new_array();
    size_t index;

    for (index = 0; entry != NULL && index < entry->count; index++) {
        struct json_object *object = json_object_new_object();
        const struct inf *file = inf_include(&task->includes, model->inf, entry->values[index],
                                             &task->options, &task->session.problems);

        json_object_object_add(object, "name", json_string(entry->values[index]));
        json_object_object_add(object, "path", json_string(file == NULL ? NULL : file->path));
        json_object_array_add(array, object);
    }
    return array;
}

static void add_owned(struct json_object *object, const char *key, char *text)
{
    json_object_object_add(object, key, json_string(text));
    free(text);
}

static struct json_object *line_json(struct task *task, const struct inf_candidate *candidate)
{
    const struct inf_model *model = candidate->model;
    struct json_object *object = json_object_new_object();
    char *service, *binary;
    char rank[16];

    find_service(task, model, &service, &binary);
    snprintf(rank, sizeof rank, "0x%08x", candidate->rank);
    json_object_object_add(object, "inf", json_string(model->inf->path));
    json_object_object_add(object, "line", json_object_new_int64((int64_t)model->line));
    json_object_object_add(object, "section", json_string(model->section));
    json_object_object_add(object, "install", json_string(model->install));
    json_object_object_add(object, "description", json_string(model->description));
    json_object_object_add(object, "manufacturer", json_string(model->manufacturer));
    json_object_object_add(object, "matched_id", json_string(candidate->device_id));
    json_object_object_add(object, "device_list",
                           json_string(candidate->device_hardware ? "hardware" : "compatible"));
    json_object_object_add(object, "device_position",
                           json_object_new_int64((int64_t)candidate->device_position));
    json_object_object_add(object, "inf_id",
                           json_string(candidate->line_position == 0 ? "hardware" : "compatible"));
    if (candidate->line_position > 0)
        json_object_object_add(object, "inf_position",
                               json_object_new_int64((int64_t)candidate->line_position - 1));
    json_object_object_add(object, "rank", json_string(rank));
    json_object_object_add(object, "identifier_score",
                           json_object_new_int64(candidate->rank & 0xFFFF));
    json_object_object_add(object, "driver_date", json_object_new_int64(candidate->date));
    json_object_object_add(object, "tie", json_object_new_boolean(candidate->tie));
    add_owned(object, "service", service);
    add_owned(object, "binary", binary);
    json_object_object_add(object, "includes", includes_json(task, model));
    return object;
}

static void add_json(struct task *task, const struct device_record *device,
                     const struct windows_ids *ids, const struct inf_candidates *candidates)
{
    struct json_object *object = json_object_new_object();
    struct json_object *all = json_object_new_array();
    size_t index;

    json_object_object_add(object, "device", json_string(device->label));
    json_object_object_add(object, "identity", device_json(&task->session, device));
    json_object_object_add(object, "hardware_ids", ids_json(ids->hardware, ids->hardware_count));
    json_object_object_add(object, "compatible_ids",
                           ids_json(ids->compatible, ids->compatible_count));
    json_object_object_add(object, "id_list",
                           json_string(task->session.options.list_a ? "A" : "B"));
    json_object_object_add(object, "winner",
                           candidates->count == 0 ? NULL : line_json(task, &candidates->list[0]));
    for (index = 0; index < candidates->count; index++)
        json_object_array_add(all, line_json(task, &candidates->list[index]));
    json_object_object_add(object, "candidates", all);
    json_object_array_add(task->json, object);
}

static void print_ids(const char *heading, const char (*list)[WINDOWS_ID_SIZE], size_t count)
{
    size_t index;

    for (index = 0; index < count; index++)
        printf("  %-10s %2zu  %s\n", heading, index, list[index]);
}

/* What became of one section that is needed. */
static void print_needed(struct task *task, const struct inf_model *model,
                         const struct inf_section *section, const char *needed)
{
    const struct inf *home;

    inf_needed(&task->includes, model->inf, section, needed, &task->options,
               &task->session.problems, &home);
    if (home != NULL)
        printf("      needs [%s], which is in %s\n", needed, home->path);
    else
        printf("      needs [%s], which is in no file at hand\n", needed);
}

/* INF files that the install section leans on. */
static void print_needs(struct task *task, const struct inf_model *model)
{
    const struct inf_section *section =
        inf_install_section(model->inf, model->install, task->target.architecture, "");
    const struct inf_entry *includes = inf_entry(section, "Include");
    const struct inf_entry *needs = inf_entry(section, "Needs");
    size_t index;

    if (section == NULL)
        printf("      the install section [%s] is not in the file\n", model->install);
    for (index = 0; includes != NULL && index < includes->count; index++)
        printf("      includes %s%s\n", includes->values[index],
               inf_include(&task->includes, model->inf, includes->values[index], &task->options,
                           &task->session.problems) == NULL
                   ? ", which is not beside it"
                   : "");
    for (index = 0; needs != NULL && index < needs->count; index++)
        print_needed(task, model, section, needs->values[index]);
}

static void print_line(struct task *task, const struct inf_candidate *candidate, bool winner)
{
    const struct inf_model *model = candidate->model;
    char *service, *binary;

    find_service(task, model, &service, &binary);
    printf("  %s rank 0x%08x  %s:%zu  [%s] %s\n", winner ? "takes" : "     ", candidate->rank,
           model->inf->path, model->line, model->section, model->install);
    printf("      \"%s\" by %s\n", model->description, candidate->device_id);
    printf("      id %zu of the device's %s ids, %s of the line\n", candidate->device_position,
           candidate->device_hardware ? "hardware" : "compatible",
           candidate->line_position == 0 ? "the hardware id" : "a compatible id");
    if (service != NULL)
        printf("      service %s%s%s\n", service, binary == NULL ? "" : ", ",
               binary == NULL ? "" : binary);
    if (winner)
        print_needs(task, model);
    if (candidate->tie)
        printf(
            "      another line has the same rank, date and version: file order is taken here\n");
    free(service);
    free(binary);
}

static void print_result(struct task *task, const struct device_record *device,
                         const struct windows_ids *ids, const struct inf_candidates *candidates)
{
    size_t index;

    print_device_heading(&task->session, device);
    print_ids("hardware", ids->hardware, ids->hardware_count);
    print_ids("compatible", ids->compatible, ids->compatible_count);
    if (ids->incomplete)
        printf("  ids that need what is not known of the device are left out\n");
    if (candidates->count == 0)
        printf("  no line of the INF files fits\n");
    for (index = 0; index < candidates->count && (index == 0 || task->session.options.all); index++)
        print_line(task, &candidates->list[index], index == 0);
    if (candidates->count > 1 && !task->session.options.all)
        printf("  %zu more lines fit (--all)\n", candidates->count - 1);
}

static bool rank_device(struct task *task, const struct device_record *device)
{
    struct inf_candidates candidates;
    struct windows_ids ids;

    windows_ids_generate(device, task->session.options.list_a ? WINDOWS_LIST_A : WINDOWS_LIST_B,
                         task->express, &ids);
    if (!inf_rank(&task->models, &ids, &task->target, &candidates, &task->session.problems))
        return false;
    task->matched += candidates.count > 0;
    if (task->json != NULL)
        add_json(task, device, &ids, &candidates);
    else
        print_result(task, device, &ids, &candidates);
    free(candidates.list);
    return true;
}

static int run(struct task *task)
{
    struct session *session = &task->session;
    const struct string_list *paths = &session->options.operands;
    bool memory;
    size_t index;

    task->files = calloc(paths->count, sizeof *task->files);
    memory = task->files != NULL;
    for (index = 0; memory && index < paths->count; index++)
        memory = load(task, paths->strings[index]);
    session_load_devices(session, &session->options.devices);
    task->json = session->options.json ? json_object_new_array() : NULL;
    if (task->json == NULL)
        printf("Windows %u.%u.%u, %s; list %s of ids; the signature part of ranks is unknown and "
               "left 0\n",
               task->target.major, task->target.minor, task->target.build,
               task->target.architecture, session->options.list_a ? "A" : "B");
    for (index = 0; memory && index < session->devices.count; index++)
        if (!session->devices.records[index]->skipped)
            memory = rank_device(task, session->devices.records[index]);
    if (!memory)
        problems_add(&session->problems, PROBLEM_ERROR, "kextmatch", 0, "out of memory");
    if (task->json != NULL)
        print_json(task->json);
    inf_models_clear(&task->models);
    inf_includes_clear(&task->includes);
    for (index = 0; index < task->file_count; index++)
        inf_free(task->files[index]);
    free(task->files);
    return session_end(session, task->matched > 0 ? STATUS_MATCHED : STATUS_NOTHING);
}

int command_inf(int count, char **arguments)
{
    static const char usage[] = "inf FILE... -d DEVICE... [OPTION...]";
    struct task task = { .express = -1 };
    struct session *session = &task.session;

    if (!session_begin(session, COMMAND_INF, usage, count, arguments))
        return session_end(session, session->options.help ? STATUS_MATCHED : STATUS_TROUBLE);
    if (session->options.operands.count == 0)
        return session_end(session, session_usage(usage, "no INF file given"));
    if (session->options.devices.count == 0 && !session->options.live)
        return session_end(session, session_usage(usage, "no device given: -d DEVICE or --live"));
    if (!windows_options(session, &task.target, &task.options))
        return session_end(session, STATUS_TROUBLE);
    if (session->options.express != NULL)
        task.express = atoi(session->options.express) & 0xF;
    return run(&task);
}
