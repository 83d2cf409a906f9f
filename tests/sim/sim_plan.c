/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/sim_plan.h"

#include "tests/sim/sim_random.h"

#include <stdio.h>
#include <string.h>

/* What a guest must survive without losing a request or a byte. %u is a number up to `most`. */
static const struct {
    const char *rule;
    uint32_t most;
} survivable[] = {
    { "message,delay=100000,percent=%u", 30 },    /* control messages 10 ms late, out of order */
    { "message,duplicate,percent=%u", 40 },
    { "message,reorder,percent=%u", 20 },
    { "message,drop,type=12,percent=%u", 100 },   /* GPADL_TORNDOWN: the memory is leaked */
    { "message,drop,type=17", 0 },                /* UNLOAD_RESPONSE */
    { "post,refuse=0x13,percent=%u", 50 },        /* HV_STATUS_INSUFFICIENT_BUFFERS */
    { "post,refuse=0xb,percent=%u", 30 },         /* HV_STATUS_INSUFFICIENT_MEMORY */
    { "completion,delay=50000,percent=%u", 50 },  /* 5 ms */
    { "completion,reorder,percent=%u", 50 },
    { "completion,duplicate,percent=%u", 30 },
    { "packet,delay=20000,percent=%u", 50 },
    { "packet,duplicate,percent=%u", 30 },
    { "packet,drop,percent=%u", 20 },             /* heartbeats, bus changes */
};

static const char *const releases[] = {
    "2008r2", "2012", "2012r2", "2016", "2019", "2022", "2025"
};

static void add_rule(struct sim_plan *plan, uint64_t *random)
{
    uint32_t choice = sim_random_below(random, sizeof survivable / sizeof *survivable);
    uint32_t number =
        1 + sim_random_below(random, survivable[choice].most == 0 ? 1 : survivable[choice].most);
    char rule[SIM_RULE_LENGTH];
    unsigned index;

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wformat-nonliteral"
#pragma clang diagnostic ignored "-Wformat-extra-args"
    snprintf(rule, sizeof rule, survivable[choice].rule, number);
#pragma clang diagnostic pop
    for (index = 0; index < plan->rule_count; index++)
        if (strncmp(plan->rules[index], rule, 14) == 0)
            return;
    memcpy(plan->rules[plan->rule_count++], rule, sizeof rule);
}

/* Half of the runs have none of a kind, so that kinds are also seen alone. */
static uint32_t sometimes(uint64_t *random, uint32_t most)
{
    return sim_random_below(random, 2) == 0 ? 0 : sim_random_below(random, most);
}

void sim_plan_make(struct sim_plan *plan, uint64_t seed)
{
    uint64_t random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    uint32_t rules;

    memset(plan, 0, sizeof *plan);
    sim_random(&random);
    plan->release = releases[sim_random_below(&random, sizeof releases / sizeof *releases)];
    for (rules = sim_random_below(&random, 6); rules > 0; rules--)
        add_rule(plan, &random);
    plan->disk_error_ppm = sometimes(&random, 100000);
    plan->disk_short_ppm = sometimes(&random, 100000);
    plan->disk_delay_ppm = sometimes(&random, 500000);
    plan->internal_error_ppm = sometimes(&random, 100000);
    plan->busy_ppm = sometimes(&random, 200000);
    plan->disk_lost_ppm = sometimes(&random, 10000);
    plan->remove_controller = sim_random_below(&random, 4) == 0;
}

void sim_plan_print(const struct sim_plan *plan, uint64_t seed)
{
    unsigned index;

    printf("# seed %llu: Windows %s; disk errors %u, short %u, late %u, held until a reset %u; "
           "internal errors %u, busy %u of a million%s",
           (unsigned long long)seed, plan->release, plan->disk_error_ppm, plan->disk_short_ppm,
           plan->disk_delay_ppm, plan->disk_lost_ppm, plan->internal_error_ppm, plan->busy_ppm,
           plan->remove_controller ? "; controller removed" : "");
    for (index = 0; index < plan->rule_count; index++)
        printf("; %s", plan->rules[index]);
    printf("\n");
}
