/* SPDX-License-Identifier: BSD-3-Clause */
/* match: for each device, who wins in each match category. who: all kexts that could claim a
 * device. */
#include "match/kextmatch/commands.h"
#include "match/kextmatch/print.h"

#include <stdio.h>
#include <string.h>

struct task {
    struct session session;
    struct matcher matcher;
    bool who; /* list every kext that could claim the device, winners and losers alike */
    struct json_object *json;
    size_t matched; /* devices with a winner */
};

static bool is_match(const struct candidate *candidate)
{
    return candidate->state == CANDIDATE_WINNER || candidate->state == CANDIDATE_LOSER;
}

static void note_states(struct task *task, const struct match_outcome *outcome)
{
    bool matched = false;
    size_t index;

    for (index = 0; index < outcome->count; index++) {
        const struct candidate *candidate = &outcome->candidates[index];

        matched |= candidate->state == CANDIDATE_WINNER ||
                   (task->who && candidate->state == CANDIDATE_UNDECIDED);
        if (candidate->state == CANDIDATE_INVALID)
            problems_add(
                &task->session.problems, PROBLEM_WARNING, candidate->kext->plist_path,
                plist_line(candidate->entry->personality),
                "personality \"%.80s\" has a match key of a type that the kernel does not survive",
                candidate->entry->name);
    }
    task->matched += matched;
}

static void add_json(struct task *task, const struct device_record *device,
                     const struct match_outcome *outcome)
{
    struct json_object *object = json_object_new_object();
    struct json_object *winners = json_object_new_array();
    struct json_object *losers = json_object_new_array();
    size_t index;

    json_object_object_add(object, "device", json_string(device->label));
    json_object_object_add(object, "winners", winners);
    json_object_object_add(object, "losers", losers);
    json_object_object_add(object, "identity", device_json(&task->session, device));
    for (index = 0; index < outcome->count; index++)
        json_object_array_add(
            outcome->candidates[index].state == CANDIDATE_WINNER ? winners : losers,
            candidate_json(&outcome->candidates[index], task->session.options.explain));
    json_object_array_add(task->json, object);
}

static void print_categories(const struct task *task, const struct match_outcome *outcome)
{
    size_t winner;
    size_t index;

    for (winner = 0; winner < outcome->count; winner++) {
        const struct candidate *first = &outcome->candidates[winner];

        if (first->state != CANDIDATE_WINNER)
            continue;
        printf("  %s (assuming its probe accepts)\n", first->category);
        print_candidate(first, task->session.options.explain);
        for (index = 0; index < winner; index++)
            if (outcome->candidates[index].state == CANDIDATE_UNDECIDED &&
                strcmp(outcome->candidates[index].category, first->category) == 0)
                printf("      %s would come before it, if what is not known of the device fits\n",
                       outcome->candidates[index].entry->name);
    }
}

static void print_others(const struct task *task, const struct match_outcome *outcome,
                         enum candidate_state state, const char *heading)
{
    bool first = true;
    size_t index;

    for (index = 0; index < outcome->count; index++) {
        if (outcome->candidates[index].state != state)
            continue;
        if (first)
            printf("  %s\n", heading);
        first = false;
        print_candidate(&outcome->candidates[index], task->session.options.explain);
    }
}

static void print_outcome(const struct task *task, const struct device_record *device,
                          const struct match_outcome *outcome)
{
    bool details = task->session.options.all || task->session.options.explain || task->who;
    size_t matches = 0;
    size_t undecided = 0;
    size_t index;

    print_device_heading(&task->session, device);
    for (index = 0; index < outcome->count; index++) {
        matches += is_match(&outcome->candidates[index]);
        undecided += outcome->candidates[index].state == CANDIDATE_UNDECIDED;
    }
    print_categories(task, outcome);
    if (matches == 0)
        printf("  no personality matches\n");
    if (details) {
        print_others(task, outcome, CANDIDATE_LOSER, "match too, but lose");
        print_others(task, outcome, CANDIDATE_UNDECIDED,
                     "undecided: more must be known of the device");
        print_others(task, outcome, CANDIDATE_INVALID, "invalid");
        print_others(task, outcome, CANDIDATE_NO_MATCH, "do not match");
    } else if (undecided > 0) {
        printf("  %zu personalities are undecided, for lack of fields of the device (--all shows "
               "them)\n",
               undecided);
    }
}

static bool match_device(struct task *task, const struct device_record *device)
{
    const struct options *options = &task->session.options;
    enum match_detail detail = options->all && options->explain   ? MATCH_DETAIL_OTHER_CLASSES
                               : options->all || options->explain ? MATCH_DETAIL_ALL
                                                                  : MATCH_DETAIL_STEPS;
    struct match_outcome outcome;
    bool done;

    if (task->who && !options->all)
        detail = MATCH_DETAIL_STEPS;
    done = matcher_match(&task->matcher, device, detail, &outcome);
    if (done) {
        note_states(task, &outcome);
        if (options->json)
            add_json(task, device, &outcome);
        else
            print_outcome(task, device, &outcome);
    }
    match_outcome_clear(&outcome);
    return done;
}

static int run(struct task *task, const struct string_list *devices)
{
    struct session *session = &task->session;
    bool memory = true;
    size_t index;
    int status;

    session_load_kexts(session, &session->options.kexts);
    session_load_devices(session, devices);
    memory = matcher_init(&task->matcher, session->release, session->architecture) &&
             matcher_add(&task->matcher, &session->kexts, &session->problems);
    task->json = session->options.json ? json_object_new_array() : NULL;
    for (index = 0; memory && index < session->devices.count; index++)
        if (!session->devices.records[index]->skipped)
            memory = match_device(task, session->devices.records[index]);
    if (!memory)
        problems_add(&session->problems, PROBLEM_ERROR, "kextmatch", 0, "out of memory");
    if (task->json != NULL)
        print_json(task->json);
    status = task->matched > 0 ? STATUS_MATCHED : STATUS_NOTHING;
    matcher_clear(&task->matcher);
    return session_end(session, status);
}

int command_match(int count, char **arguments)
{
    static const char usage[] = "match -k KEXT_OR_FOLDER... -d DEVICE... [OPTION...]";
    struct task task = { .who = false };

    if (!session_begin(&task.session, COMMAND_MATCH, usage, count, arguments))
        return session_end(&task.session,
                           task.session.options.help ? STATUS_MATCHED : STATUS_TROUBLE);
    if (task.session.options.kexts.count == 0)
        return session_end(&task.session, session_usage(usage, "no kext given: -k KEXT_OR_FOLDER"));
    if (task.session.options.devices.count == 0 && !task.session.options.live)
        return session_end(&task.session,
                           session_usage(usage, "no device given: -d DEVICE or --live"));
    if (task.session.options.operands.count > 0)
        return session_end(&task.session, session_usage(usage, "words that belong to no option"));
    return run(&task, &task.session.options.devices);
}

int command_who(int count, char **arguments)
{
    static const char usage[] = "who DEVICE... -k KEXT_OR_FOLDER... [OPTION...]";
    struct task task = { .who = true };
    const struct options *options = &task.session.options;

    if (!session_begin(&task.session, COMMAND_WHO, usage, count, arguments))
        return session_end(&task.session,
                           task.session.options.help ? STATUS_MATCHED : STATUS_TROUBLE);
    if (options->kexts.count == 0)
        return session_end(&task.session,
                           session_usage(usage, "no kexts to look among: -k KEXT_OR_FOLDER"));
    if (options->operands.count == 0 && options->devices.count == 0 && !options->live)
        return session_end(&task.session, session_usage(usage, "no device given"));
    if (options->operands.count > 0 && options->devices.count > 0)
        return session_end(&task.session,
                           session_usage(usage, "give devices either as words or with -d"));
    return run(&task, options->operands.count > 0 ? &options->operands : &options->devices);
}
