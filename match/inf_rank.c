/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/inf_rank.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    SCORE_COMPATIBLE_LINE =
        0x1000, /* a compatible id of the line against a hardware id of the device */
    SCORE_COMPATIBLE_DEVICE = 0x2000, /* and the other way round */
    SCORE_COMPATIBLE_BOTH = 0x3000,
    SCORE_LINE_STEP = 0x100, /* for each compatible id before it on the line */
    SCORE_MAX = 0x3FFF,
};

static unsigned identifier_score(bool device_hardware, size_t device_position, size_t line_position)
{
    size_t score = device_position;

    if (device_hardware)
        score += line_position == 0 ? 0 : SCORE_COMPATIBLE_LINE;
    else if (line_position == 0)
        score += SCORE_COMPATIBLE_DEVICE;
    else
        score += SCORE_COMPATIBLE_BOTH + (line_position - 1) * SCORE_LINE_STEP;
    return score > SCORE_MAX ? SCORE_MAX : (unsigned)score;
}

static void try_list(const struct inf_model *model, const char (*list)[WINDOWS_ID_SIZE],
                     size_t count, bool hardware, struct inf_candidate *best, unsigned *best_score)
{
    size_t position;
    size_t line;

    for (line = 0; line < model->id_count; line++)
        for (position = 0; position < count; position++) {
            unsigned score = identifier_score(hardware, position, line);

            if (score >= *best_score || strcasecmp(model->ids[line], list[position]) != 0)
                continue;
            *best_score = score;
            best->device_id = list[position];
            best->device_hardware = hardware;
            best->device_position = position;
            best->line_position = line;
        }
}

/* "SUBSYS_10EC8168" where "SUBSYS_816810EC" would fit: a mistake that matches nothing. */
static void hint_swapped(const struct inf_model *model, const struct windows_ids *ids,
                         struct problems *problems)
{
    struct windows_pci_id id;
    char text[WINDOWS_ID_SIZE];
    char why[160];
    size_t line;
    size_t position;

    for (line = 0; line < model->id_count; line++) {
        if (strcasestr(model->ids[line], "SUBSYS_") == NULL ||
            !windows_pci_id_parse(model->ids[line], &id, why, sizeof why) || !id.has_subsystem)
            continue;
        id.subsystem = id.subsystem << 16 | id.subsystem >> 16;
        windows_pci_id_format(&id, text);
        for (position = 0; position < ids->hardware_count; position++)
            if (strcasecmp(text, ids->hardware[position]) == 0)
                problems_add(
                    problems, PROBLEM_NOTE, model->inf->path, model->line,
                    "%.60s would fit as %s: the subsystem's device comes first, then its vendor",
                    model->ids[line], text);
    }
}

struct ordered {
    struct inf_candidate candidate;
    size_t order;
};

static int compare(const void *left_pointer, const void *right_pointer)
{
    const struct ordered *left = left_pointer;
    const struct ordered *right = right_pointer;

    if (left->candidate.rank != right->candidate.rank)
        return left->candidate.rank < right->candidate.rank ? -1 : 1;
    if (left->candidate.date != right->candidate.date)
        return left->candidate.date > right->candidate.date ? -1 : 1;
    if (left->candidate.version != right->candidate.version)
        return left->candidate.version > right->candidate.version ? -1 : 1;
    return left->order < right->order ? -1 : left->order > right->order;
}

static bool is_tie(const struct inf_candidate *left, const struct inf_candidate *right)
{
    return left->rank == right->rank && left->date == right->date &&
           left->version == right->version;
}

static void finish(struct ordered *ordered, struct inf_candidates *candidates)
{
    size_t index;

    if (candidates->count > 1)
        qsort(ordered, candidates->count, sizeof *ordered, compare);
    for (index = 0; index < candidates->count; index++)
        candidates->list[index] = ordered[index].candidate;
    for (index = 1; index < candidates->count; index++)
        if (is_tie(&candidates->list[index - 1], &candidates->list[index]))
            candidates->list[index - 1].tie = candidates->list[index].tie = true;
}

bool inf_rank(const struct inf_models *models, const struct windows_ids *ids,
              const struct inf_target *target, struct inf_candidates *candidates,
              struct problems *problems)
{
    struct ordered *ordered = malloc((models->count + 1) * sizeof *ordered);
    size_t index;

    *candidates =
        (struct inf_candidates){ malloc((models->count + 1) * sizeof *candidates->list), 0 };
    if (ordered == NULL || candidates->list == NULL) {
        free(ordered);
        free(candidates->list);
        *candidates = (struct inf_candidates){ NULL };
        return false;
    }
    for (index = 0; index < models->count; index++) {
        const struct inf_model *model = &models->list[index];
        struct inf_candidate found = { .model = model };
        unsigned score = SCORE_MAX + 1;

        try_list(model, ids->hardware, ids->hardware_count, true, &found, &score);
        try_list(model, ids->compatible, ids->compatible_count, false, &found, &score);
        if (score > SCORE_MAX) {
            hint_swapped(model, ids, problems);
            continue;
        }
        found.rank =
            inf_feature_score(model->inf, model->install, target->architecture) << 16 | score;
        inf_driver_version(model->inf, &found.date, &found.version);
        ordered[candidates->count] = (struct ordered){ found, candidates->count };
        candidates->count++;
    }
    finish(ordered, candidates);
    free(ordered);
    return true;
}
