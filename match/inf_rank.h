/* SPDX-License-Identifier: BSD-3-Clause */
/* Which INF line Windows takes for a device (Microsoft: "How Windows Ranks Drivers", "Identifier
 * Score"). */
#ifndef MACHV_MATCH_INF_RANK_H
#define MACHV_MATCH_INF_RANK_H

#include "match/inf_models.h"
#include "match/windows_ids.h"

struct inf_candidate {
    const struct inf_model *model;
    uint32_t rank; /* 0xSSGGTHHH without the signature part, which an INF alone does not tell; lower
                      is better */
    const char *device_id; /* as Windows spells it; borrowed from the ids */
    bool device_hardware;  /* it is in the device's list of hardware ids */
    size_t device_position;
    size_t line_position; /* of the id on the line: 0 the hardware id, then compatible ids */
    unsigned date;
    uint64_t version;
    bool tie; /* with the one before or behind it: rank, date and version are equal */
};

struct inf_candidates {
    struct inf_candidate *list; /* best first */
    size_t count;
};

/* All lines that fit, best pair of ids each. Among equals the order of `models` stays. `ids` and
 * `models` must outlive the result, whose list is for free(). False when memory is out. Hints about
 * subsystem ids with their halves swapped go to `problems`. */
bool inf_rank(const struct inf_models *models, const struct windows_ids *ids,
              const struct inf_target *target, struct inf_candidates *candidates,
              struct problems *problems);

#endif
