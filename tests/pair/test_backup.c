/* SPDX-License-Identifier: BSD-3-Clause */
/* Backups: while the host takes its checkpoint no write reaches the disk, reads do, and whatever
 * happens to host, daemon or disk, writes go on in the end. */
#include "tests/pair/pair_daemon.h"

#include "host/devices/vss.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/threads.h"

enum { SEEDS = 5, STEP_NS = 10000000, MEBIBYTE = 1 << 20, AT = 65536, HOLD_SECONDS = 20 };

static const struct pair_options options = { .release = "2022", .disk_bytes = { MEBIBYTE } };

/* What a body needs: the host's service, the daemon, and somebody who writes. */
struct scene {
    struct pair *pair;
    struct virtual_device *service;
    struct daemon daemon;
    struct outcome outcome;
    uint8_t fill;           /* what the writer writes next */
    int write_error;
    bool written;
};

static void write_block(void *argument)
{
    struct scene *scene = argument;
    uint8_t bytes[4096];

    memset(bytes, scene->fill, sizeof bytes);
    scene->write_error = pair_disk_write("disk0", AT, bytes, sizeof bytes);
    __atomic_store_n(&scene->written, true, __ATOMIC_RELEASE);
}

/* Begins a write on a thread of its own. */
static void begin_write(struct scene *scene)
{
    struct machine_thread *thread;

    scene->fill++;
    scene->written = false;
    thread = machine_thread_start("writer", write_block, scene);
    PAIR_CHECK(scene->pair, thread != NULL);
    machine_thread_release(thread);
}

static bool write_ends(struct scene *scene, unsigned seconds)
{
    uint64_t deadline = machine_uptime() + seconds * PAIR_SECOND;

    while (!__atomic_load_n(&scene->written, __ATOMIC_ACQUIRE) && machine_uptime() < deadline)
        pair_sleep(STEP_NS);
    return scene->written;
}

static bool on_medium(struct scene *scene, uint8_t byte)
{
    const uint8_t *disk = pair_host_disk(scene->pair->host, 0);

    return disk[AT] == byte && disk[AT + 4095] == byte;
}

static bool set_scene(struct scene *scene, struct pair *pair)
{
    memset(scene, 0, sizeof *scene);
    scene->pair = pair;
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    scene->service = vss_new(IC_FRAMEWORK_3_0, IC_VSS_7_0);
    PAIR_CHECK(pair, pair_host_plug(pair->host, scene->service));
    pair_sleep(PAIR_SECOND);
    return daemon_start(pair, &scene->daemon, SERVICE_CONTROL_BACKUP);
}

/* The host freezes, the daemon does it. */
static void freeze(struct scene *scene)
{
    struct pair *pair = scene->pair;

    PAIR_CHECK(pair, vss_freeze(scene->service, outcome_done, &scene->outcome) == 0);
    PAIR_CHECK(pair, daemon_serve(&scene->daemon, IC_STATUS_OK));       /* can it? */
    PAIR_CHECK(pair, daemon_serve(&scene->daemon, IC_STATUS_OK));
    outcome_wait(&scene->outcome, scene->outcome.ends + 1, 1);
    PAIR_CHECK(pair, scene->outcome.result == 0 && scene->outcome.status == IC_STATUS_OK);
}

static void thaw(struct scene *scene, uint32_t wanted)
{
    struct pair *pair = scene->pair;

    PAIR_CHECK(pair, vss_thaw(scene->service, outcome_done, &scene->outcome) == 0);
    PAIR_CHECK(pair, daemon_serve(&scene->daemon, IC_STATUS_OK));
    outcome_wait(&scene->outcome, scene->outcome.ends + 1, 1);
    PAIR_CHECK(pair, scene->outcome.result == 0 && scene->outcome.status == wanted);
}

/* A write begins now and does not end for so long. */
static void check_held(struct scene *scene, unsigned seconds)
{
    static uint8_t bytes[4096];

    begin_write(scene);
    PAIR_CHECK(scene->pair, !write_ends(scene, seconds));
    PAIR_CHECK(scene->pair, !on_medium(scene, scene->fill));
    PAIR_CHECK(scene->pair, pair_disk_read("disk0", 0, bytes, sizeof bytes) == 0);
}

static void check_written(struct scene *scene, unsigned seconds)
{
    PAIR_CHECK(scene->pair, write_ends(scene, seconds));
    PAIR_CHECK(scene->pair, scene->write_error == 0 && on_medium(scene, scene->fill));
}

/* ---- the tests ---- */

static void frozen_body(struct pair *pair)
{
    static struct scene scene;

    if (!set_scene(&scene, pair))
        return;
    begin_write(&scene);
    check_written(&scene, 1);
    freeze(&scene);
    check_held(&scene, 5);
    PAIR_CHECK(pair, vss_thaw(scene.service, outcome_done, &scene.outcome) == 0);
    check_written(&scene, 1);       /* before the daemon has thawed: it may have to write */
    PAIR_CHECK(pair, daemon_serve(&scene.daemon, IC_STATUS_OK));
    outcome_wait(&scene.outcome, 2, 1);
    PAIR_CHECK(pair, scene.outcome.ends == 2 && scene.outcome.status == IC_STATUS_OK);
    freeze(&scene);                 /* and a second time */
    check_held(&scene, 5);
    thaw(&scene, IC_STATUS_OK);
    check_written(&scene, 1);
    control_close(scene.daemon.client);
}

static void writes_wait_from_freeze_to_thaw_and_reads_do_not(void **state)
{
    (void)state;
    pair_run(&options, frozen_body, SEEDS);
}

static void limit_body(struct pair *pair)
{
    static struct scene scene;

    if (!set_scene(&scene, pair))
        return;
    freeze(&scene);
    check_held(&scene, 5);
    check_written(&scene, HOLD_SECONDS);
    thaw(&scene, IC_STATUS_FAIL);   /* the checkpoint is worth nothing */
    freeze(&scene);
    pair_sleep(2 * PAIR_SECOND);
    thaw(&scene, IC_STATUS_OK);
    freeze(&scene);                 /* not ended by the limit of the one before */
    pair_sleep((HOLD_SECONDS - 4) * PAIR_SECOND);
    check_held(&scene, 3);
    control_close(scene.daemon.client);
    check_written(&scene, 1);
}

static void a_host_that_does_not_thaw_in_time_is_told_so(void **state)
{
    (void)state;
    pair_run(&options, limit_body, SEEDS);
}

static void refused_body(struct pair *pair)
{
    static struct scene scene;

    if (!set_scene(&scene, pair))
        return;
    PAIR_CHECK(pair, vss_freeze(scene.service, outcome_done, &scene.outcome) == 0);
    PAIR_CHECK(pair, daemon_serve(&scene.daemon, IC_STATUS_OK));
    PAIR_CHECK(pair, daemon_serve(&scene.daemon, IC_STATUS_FAIL));
    outcome_wait(&scene.outcome, 1, 1);
    PAIR_CHECK(pair, scene.outcome.status == IC_STATUS_FAIL);
    begin_write(&scene);
    check_written(&scene, 1);

    /* A second freeze before the thaw: the hold that is there cannot be begun. */
    freeze(&scene);
    PAIR_CHECK(pair, vss_freeze(scene.service, outcome_done, &scene.outcome) == 0);
    PAIR_CHECK(pair, daemon_serve(&scene.daemon, IC_STATUS_OK));
    PAIR_CHECK(pair, daemon_serve(&scene.daemon, IC_STATUS_OK));
    PAIR_CHECK(pair, daemon_hear(&scene.daemon, 2) == SERVICE_CONTROL_RESET);
    outcome_wait(&scene.outcome, 3, 1);
    PAIR_CHECK(pair, scene.outcome.status == IC_STATUS_FAIL);
    begin_write(&scene);
    check_written(&scene, 1);
    freeze(&scene);
    check_held(&scene, 5);
    thaw(&scene, IC_STATUS_OK);
    check_written(&scene, 1);
    control_close(scene.daemon.client);
}

static void what_is_not_frozen_is_not_held(void **state)
{
    (void)state;
    pair_run(&options, refused_body, SEEDS);
}

static void late_daemon_body(struct pair *pair)
{
    static struct scene scene;

    if (!set_scene(&scene, pair))
        return;
    freeze(&scene);
    check_held(&scene, 5);
    scene.service->operations->unplug(scene.service);
    check_written(&scene, 1);
    pair_sleep(10 * PAIR_SECOND);   /* the service has stopped waiting for the daemon */
    PAIR_CHECK(pair, daemon_hear(&scene.daemon, 1) == SERVICE_CONTROL_GOODBYE);
    PAIR_CHECK(pair, daemon_reply(&scene.daemon, 1, IC_STATUS_OK) != 0);
    control_close(scene.daemon.client);
}

static void a_daemon_that_does_not_let_go_does_no_harm(void **state)
{
    struct pair_options kept = options;

    (void)state;
    kept.unloading_off = true;
    pair_run(&kept, late_daemon_body, SEEDS);
}

static void anew_body(struct pair *pair)
{
    static struct scene scene;

    if (!set_scene(&scene, pair))
        return;
    freeze(&scene);
    check_held(&scene, 5);
    PAIR_CHECK(pair, integration_renegotiate(
                         &((struct integration_service *)scene.service)->channel) == 0);
    check_written(&scene, 1);
    PAIR_CHECK(pair, daemon_hear(&scene.daemon, 2) == SERVICE_CONTROL_RESET);
    freeze(&scene);
    check_held(&scene, 5);
    scene.service->operations->unplug(scene.service);
    check_written(&scene, 10);
    PAIR_CHECK(pair, daemon_hear(&scene.daemon, 5) == SERVICE_CONTROL_GOODBYE);
    control_close(scene.daemon.client);
    pair_sleep(5 * PAIR_SECOND);
}

static void a_host_that_begins_anew_or_goes_lets_writes_go_on(void **state)
{
    (void)state;
    pair_run(&options, anew_body, SEEDS);
}

static void removed_body(struct pair *pair)
{
    static struct scene scene;

    if (!set_scene(&scene, pair))
        return;
    freeze(&scene);
    check_held(&scene, 5);
    pair_host_remove_controller(pair->host);
    PAIR_CHECK(pair, write_ends(&scene, 2) && scene.write_error != 0);
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", false));
    thaw(&scene, IC_STATUS_OK);
    control_close(scene.daemon.client);
}

static void a_write_that_waits_on_a_disk_that_goes_away_ends(void **state)
{
    (void)state;
    pair_run(&options, removed_body, SEEDS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_wait_from_freeze_to_thaw_and_reads_do_not),
        cmocka_unit_test(a_host_that_does_not_thaw_in_time_is_told_so),
        cmocka_unit_test(what_is_not_frozen_is_not_held),
        cmocka_unit_test(a_host_that_begins_anew_or_goes_lets_writes_go_on),
        cmocka_unit_test(a_daemon_that_does_not_let_go_does_no_harm),
        cmocka_unit_test(a_write_that_waits_on_a_disk_that_goes_away_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
