/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole runs of guest and host on virtual time, with random work on a disk and random faults, each
 * decided by one number.
 *
 *   SIM_SEEDS=1000          seeds 1 to 1000 instead of the first few
 *   SIM_FIRST=17            begins with this seed; SIM_FIRST=17 SIM_SEEDS=1 repeats run 17 */
#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_plan.h"

#include "xnu/machine/clock.h"
#include "xnu/machine/threads.h"

enum { SEEDS = 12, REQUESTS = 250, DEPTH = 32 };

static struct sim_plan plan; /* of the present run; the guest's process inherits it */

static void begin_faults(struct pair *pair)
{
    pair_host_disk_faults(pair->host, 0, plan.disk_error_ppm, plan.disk_short_ppm,
                          plan.disk_delay_ppm, plan.disk_lost_ppm);
    pair_host_storage_faults(pair->host, plan.internal_error_ppm, plan.busy_ppm);
}

/* The controller goes in the middle of the work: every request ends, and what was acknowledged is
 * on the medium. */
static void lose_controller(struct pair *pair, struct sim_disk *disk)
{
    PAIR_CHECK(pair, sim_disk_work(disk, REQUESTS / 2, DEPTH));
    pair_host_remove_controller(pair->host);
    PAIR_CHECK(pair, sim_disk_work(disk, REQUESTS / 2, DEPTH));
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", false));
}

static void storage_body(struct pair *pair)
{
    const struct sim_counters *counters;
    struct sim_disk *disk;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    disk = sim_disk_create("disk0", pair->seed);
    PAIR_CHECK(pair, disk != NULL);
    if (disk == NULL)
        return;
    counters = sim_disk_counters(disk);
    begin_faults(pair);
    if (plan.remove_controller) {
        lose_controller(pair, disk);
    } else {
        PAIR_CHECK(pair, sim_disk_work(disk, REQUESTS, DEPTH));
        pair_host_end_faults(pair->host);
        PAIR_CHECK(pair, sim_disk_work(disk, REQUESTS / 10, DEPTH));
        sim_disk_verify(disk, pair_host_disk(pair->host, 0));
    }
    PAIR_CHECK(pair, counters->completed == counters->submitted);
    PAIR_CHECK(pair, counters->wrong_blocks == 0);
    printf("# seed %llu: %u requests, %u failed\n", (unsigned long long)pair->seed,
           counters->submitted, counters->failed);
    if (counters->completed == counters->submitted)
        sim_disk_destroy(disk);
}

static void run(uint64_t seed)
{
    struct pair_options options = { .disk_bytes = { SIM_DISK_BYTES }, .seed = seed };
    unsigned index;

    sim_plan_make(&plan, seed);
    sim_plan_print(&plan, seed);
    options.release = plan.release;
    for (index = 0; index < plan.rule_count; index++)
        options.faults[index] = plan.rules[index];
    pair_run_seed(&options, storage_body, seed);
}

/* ---- two disks, worked on by two threads through one ring ---- */

struct worker {
    struct pair *pair;
    struct sim_disk *disk;
    uint64_t finished; /* uptime; 0: works */
};

static void work(void *argument)
{
    struct worker *worker = argument;

    PAIR_CHECK(worker->pair, sim_disk_work(worker->disk, REQUESTS, DEPTH));
    __atomic_store_n(&worker->finished, machine_uptime(), __ATOMIC_RELEASE);
    machine_wakeup(worker, false);
}

static void two_disks_body(struct pair *pair)
{
    struct worker workers[2];
    unsigned index;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true) && pair_wait_for_disk("disk1", true));
    pair_host_disk_faults(pair->host, 0, 0, 0, 1000000, 0);
    for (index = 0; index < 2; index++) {
        struct machine_thread *thread;

        workers[index] =
            (struct worker){ .pair = pair,
                             .disk = sim_disk_create(index == 0 ? "disk0" : "disk1", index + 1) };
        thread = machine_thread_start("worker", work, &workers[index]);
        PAIR_CHECK(pair, thread != NULL && workers[index].disk != NULL);
        machine_thread_release(thread);
    }
    for (index = 0; index < 2; index++)
        while (__atomic_load_n(&workers[index].finished, __ATOMIC_ACQUIRE) == 0)
            machine_sleep(NULL, &workers[index], machine_uptime() + PAIR_SECOND / 100, false);
    PAIR_CHECK(pair, workers[1].finished < workers[0].finished);
    for (index = 0; index < 2; index++) {
        sim_disk_verify(workers[index].disk, pair_host_disk(pair->host, index));
        PAIR_CHECK(pair, sim_disk_counters(workers[index].disk)->failed == 0);
        PAIR_CHECK(pair, sim_disk_counters(workers[index].disk)->wrong_blocks == 0);
        sim_disk_destroy(workers[index].disk);
    }
}

static void two_writers_share_a_ring_and_a_slow_disk_delays_no_other(void **state)
{
    const struct pair_options options = { .disk_bytes = { SIM_DISK_BYTES, SIM_DISK_BYTES } };

    (void)state;
    pair_run(&options, two_disks_body, SEEDS);
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text == NULL ? otherwise : strtoull(text, NULL, 0);
}

static void no_acknowledged_byte_and_no_request_is_lost_whatever_goes_wrong(void **state)
{
    uint64_t first = number_from("SIM_FIRST", 1);
    uint64_t count = number_from("SIM_SEEDS", SEEDS);
    uint64_t seed;

    (void)state;
    printf("# note: seeds %llu to %llu\n", (unsigned long long)first,
           (unsigned long long)(first + count - 1));
    for (seed = first; seed < first + count; seed++)
        run(seed);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_writers_share_a_ring_and_a_slow_disk_delays_no_other),
        cmocka_unit_test(no_acknowledged_byte_and_no_request_is_lost_whatever_goes_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
