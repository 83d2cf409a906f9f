/* SPDX-License-Identifier: BSD-3-Clause */
/* What goes wrong in one simulated run: chosen by its seed from what a correct guest has to live
 * through. */
#ifndef TESTS_SIM_SIM_PLAN_H
#define TESTS_SIM_SIM_PLAN_H

#include "tests/pair/pair_host.h"

enum { SIM_RULE_LENGTH = 64 };

struct sim_plan {
    char rules[PAIR_FAULTS_MAX][SIM_RULE_LENGTH];
    unsigned rule_count;
    uint32_t disk_error_ppm, disk_short_ppm, disk_delay_ppm, disk_lost_ppm;
    uint32_t internal_error_ppm, busy_ppm;
    const char *release;
    bool remove_controller; /* while requests are in flight */
};

void sim_plan_make(struct sim_plan *plan, uint64_t seed);
/* One line of text, for who has to repeat the run. */
void sim_plan_print(const struct sim_plan *plan, uint64_t seed);

#endif
