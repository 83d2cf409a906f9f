/* SPDX-License-Identifier: BSD-3-Clause */
/* Services with a daemon, from the host's request to the daemon and back: the daemon that is not
 * there, is slow, dies, comes twice; the host that begins anew or takes the service away. */
#include "tests/pair/pair_daemon.h"

#include "host/devices/dynamic_memory.h"
#include "host/devices/shutdown.h"
#include "host/devices/timesync.h"
#include "xnu/machine/clock.h"

enum {
    SEEDS = 5, STEP_NS = 10000000, NOT_YET = 1,
    EPERM_MACOS = 1, EBUSY_MACOS = 16, EINVAL_MACOS = 22, EPROTONOSUPPORT_MACOS = 43,
};

static struct virtual_device *plug_shutdown(struct pair *pair)
{
    struct virtual_device *device = shutdown_new(IC_FRAMEWORK_3_0, IC_SHUTDOWN_3_2);

    PAIR_CHECK(pair, pair_host_plug(pair->host, device));
    pair_sleep(PAIR_SECOND);
    return device;
}

/* ---- the tests ---- */

static void shutdown_body(struct pair *pair)
{
    struct virtual_device *device = plug_shutdown(pair);
    struct outcome outcome = { NOT_YET, 0, 0 };
    static struct daemon daemon;

    PAIR_CHECK(pair, shutdown_request(device, 0, 0, NULL, outcome_done, &outcome) == 0);
    outcome_wait(&outcome, 1, 1);
    PAIR_CHECK(pair, outcome.result == 0 && outcome.status == IC_STATUS_FAIL); /* nobody is there */

    if (!daemon_start(pair, &daemon, SERVICE_CONTROL_SHUTDOWN))
        return;
    PAIR_CHECK(pair, shutdown_request(device, IC_SHUTDOWN_RESTART, 5, "text", outcome_done,
                                      &outcome) == 0);
    PAIR_CHECK(pair, daemon_hear(&daemon, 2) == SERVICE_CONTROL_REQUEST);
    PAIR_CHECK(pair, outcome.ends == 1);
    PAIR_CHECK(pair, daemon_reply(&daemon, daemon.header.sequence, IC_STATUS_OK) == 0);
    PAIR_CHECK(pair, daemon_hear(&daemon, 2) == SERVICE_CONTROL_NOTICE);
    outcome_wait(&outcome, 2, 1);
    PAIR_CHECK(pair, outcome.result == 0 && outcome.status == IC_STATUS_OK);
    PAIR_CHECK(pair, shutdown_request(device, 0, 0, NULL, outcome_done, &outcome) == 0);
    outcome_wait(&outcome, 3, 1);
    PAIR_CHECK(pair, outcome.status == IC_STATUS_SHUTDOWN_IN_PROGRESS);
    control_close(daemon.client);
}

static void a_shutdown_goes_to_the_daemon_and_back(void **state)
{
    const struct pair_options options = { .release = "2022" };

    (void)state;
    pair_run(&options, shutdown_body, SEEDS);
}

static void slow_daemon_body(struct pair *pair)
{
    struct virtual_device *device = plug_shutdown(pair);
    struct outcome outcome = { NOT_YET, 0, 0 };
    static struct daemon daemon;
    uint32_t late;

    if (!daemon_start(pair, &daemon, SERVICE_CONTROL_SHUTDOWN))
        return;
    PAIR_CHECK(pair, shutdown_request(device, 0, 0, NULL, outcome_done, &outcome) == 0);
    PAIR_CHECK(pair, daemon_hear(&daemon, 2) == SERVICE_CONTROL_REQUEST);
    late = daemon.header.sequence;
    outcome_wait(&outcome, 1, 10);
    PAIR_CHECK(pair, outcome.result == 0 && outcome.status == IC_STATUS_FAIL);
    PAIR_CHECK(pair, daemon_hear(&daemon, 1) == SERVICE_CONTROL_RESET);
    PAIR_CHECK(pair, daemon_reply(&daemon, late, IC_STATUS_OK) == 0);   /* dropped */
    PAIR_CHECK(pair, daemon_hear(&daemon, 1) == 0);

    PAIR_CHECK(pair, shutdown_request(device, 0, 0, NULL, outcome_done, &outcome) == 0);
    PAIR_CHECK(pair, daemon_hear(&daemon, 2) == SERVICE_CONTROL_REQUEST);
    PAIR_CHECK(pair, daemon_reply(&daemon, late, IC_STATUS_OK) == 0);
    pair_sleep(PAIR_SECOND);
    PAIR_CHECK(pair, outcome.ends == 1);
    control_close(daemon.client);                                       /* dies with the request */
    outcome_wait(&outcome, 2, 1);
    PAIR_CHECK(pair, outcome.ends == 2 && outcome.status == IC_STATUS_FAIL);
    PAIR_CHECK(pair, daemon_start(pair, &daemon, SERVICE_CONTROL_SHUTDOWN));
    control_close(daemon.client);
}

static void a_daemon_that_is_slow_or_dies_is_answered_for(void **state)
{
    const struct pair_options options = { .release = "2022" };

    (void)state;
    pair_run(&options, slow_daemon_body, SEEDS);
}

static void clients_body(struct pair *pair)
{
    struct virtual_device *device = plug_shutdown(pair);
    static const uint8_t nonsense[40];
    struct outcome outcome = { NOT_YET, 0, 0 };
    static struct daemon daemon, second;
    struct control_client *client = NULL;
    uint32_t id = 0;

    PAIR_CHECK(pair, control_id(SERVICE_CONTROL_SHUTDOWN, &id) == 0);
    PAIR_CHECK(pair, control_connect(id, 0, false, false, &client) == EPERM_MACOS);
    PAIR_CHECK(pair, daemon_open(&daemon, SERVICE_CONTROL_SHUTDOWN) == 0);
    PAIR_CHECK(pair, daemon_open(&second, SERVICE_CONTROL_SHUTDOWN) == EBUSY_MACOS);
    PAIR_CHECK(pair, control_send(daemon.client, nonsense, sizeof nonsense) == EINVAL_MACOS);
    PAIR_CHECK(pair, daemon_hello(&daemon, SERVICE_CONTROL_VERSION + 1) == EPROTONOSUPPORT_MACOS);
    PAIR_CHECK(pair, shutdown_request(device, 0, 0, NULL, outcome_done, &outcome) == 0);
    outcome_wait(&outcome, 1, 1);
    /* A client that has not said hello is no daemon. */
    PAIR_CHECK(pair, outcome.status == IC_STATUS_FAIL);
    PAIR_CHECK(pair, daemon_hello(&daemon, SERVICE_CONTROL_VERSION) == 0);
    PAIR_CHECK(pair, daemon_hear(&daemon, 1) == SERVICE_CONTROL_WELCOME);
    control_close(daemon.client);
    PAIR_CHECK(pair, daemon_start(pair, &second, SERVICE_CONTROL_SHUTDOWN));
    control_close(second.client);
}

static void only_one_privileged_client_that_speaks_our_version_is_served(void **state)
{
    const struct pair_options options = { .release = "2022" };

    (void)state;
    pair_run(&options, clients_body, SEEDS);
}

/* How long the host waits for the end of a shutdown, in whole seconds. */
static uint64_t seconds_of_shutdown(struct pair *pair, struct virtual_device *device,
                                    struct outcome *outcome)
{
    const uint64_t begin = machine_uptime();
    const unsigned ends = outcome->ends + 1;

    PAIR_CHECK(pair, shutdown_request(device, 0, 0, NULL, outcome_done, outcome) == 0);
    outcome_wait(outcome, ends, 20);
    PAIR_CHECK(pair, outcome->ends == ends && outcome->status == IC_STATUS_FAIL);
    return (machine_uptime() - begin) / PAIR_SECOND;
}

/* It connects, and never looks at what comes. */
static void deaf_daemon_body(struct pair *pair)
{
    enum { REQUESTS_MAXIMUM = 4 * SERVICE_CONTROL_MAXIMUM / sizeof(struct ic_shutdown) };
    struct virtual_device *device = plug_shutdown(pair);
    struct outcome outcome = { NOT_YET, 0, 0 };
    static struct daemon daemon;
    unsigned waited = 0, heard = 0;

    if (!daemon_start(pair, &daemon, SERVICE_CONTROL_SHUTDOWN))
        return;
    while (waited <= REQUESTS_MAXIMUM && seconds_of_shutdown(pair, device, &outcome) >= 4)
        waited++;
    PAIR_CHECK(pair, waited > 1 && waited <= REQUESTS_MAXIMUM);     /* then its queue was full, */
    PAIR_CHECK(pair, seconds_of_shutdown(pair, device, &outcome) < 1);      /* and said so */
    while (daemon_hear(&daemon, 1) != 0)
        heard++;
    PAIR_CHECK(pair, heard >= waited && heard <= 2 * waited);       /* requests and resets */
    PAIR_CHECK(pair, shutdown_request(device, 0, 0, NULL, outcome_done, &outcome) == 0);
    PAIR_CHECK(pair, daemon_serve(&daemon, IC_STATUS_OK));
    outcome_wait(&outcome, outcome.ends + 1, 1);
    PAIR_CHECK(pair, outcome.status == IC_STATUS_OK);
    control_close(daemon.client);
}

static void the_queue_of_a_daemon_that_does_not_read_is_bounded(void **state)
{
    const struct pair_options options = { .release = "2022" };

    (void)state;
    pair_run(&options, deaf_daemon_body, SEEDS);
}

static void anew_body(struct pair *pair)
{
    struct virtual_device *device = plug_shutdown(pair);
    struct outcome outcome = { NOT_YET, 0, 0 };
    static struct daemon daemon;
    uint32_t first;

    if (!daemon_start(pair, &daemon, SERVICE_CONTROL_SHUTDOWN))
        return;
    PAIR_CHECK(pair, shutdown_request(device, 0, 0, NULL, outcome_done, &outcome) == 0);
    PAIR_CHECK(pair, daemon_hear(&daemon, 2) == SERVICE_CONTROL_REQUEST);
    first = daemon.header.sequence;
    PAIR_CHECK(pair,
               integration_renegotiate(&((struct integration_service *)device)->channel) == 0);
    PAIR_CHECK(pair, daemon_hear(&daemon, 2) == SERVICE_CONTROL_RESET);
    PAIR_CHECK(pair, daemon_hear(&daemon, 2) == SERVICE_CONTROL_REQUEST); /* the host asks again */
    PAIR_CHECK(pair, daemon.header.sequence != first);
    PAIR_CHECK(pair, daemon_reply(&daemon, first, IC_STATUS_OK) == 0);
    pair_sleep(PAIR_SECOND);
    PAIR_CHECK(pair, outcome.ends == 0);
    PAIR_CHECK(pair, daemon_reply(&daemon, daemon.header.sequence, IC_STATUS_MACHINE_LOCKED) == 0);
    outcome_wait(&outcome, 1, 1);
    PAIR_CHECK(pair, outcome.result == 0 && outcome.status == IC_STATUS_MACHINE_LOCKED);

    /* And with a request under way the host takes the whole service away. */
    PAIR_CHECK(pair, shutdown_request(device, 0, 0, NULL, outcome_done, &outcome) == 0);
    PAIR_CHECK(pair, daemon_hear(&daemon, 2) == SERVICE_CONTROL_REQUEST);
    device->operations->unplug(device);
    PAIR_CHECK(pair, daemon_hear(&daemon, 5) == SERVICE_CONTROL_GOODBYE);
    control_close(daemon.client);
    outcome_wait(&outcome, 2, 5);
    PAIR_CHECK(pair, outcome.ends == 2);
    pair_sleep(5 * PAIR_SECOND);
    PAIR_CHECK(pair, control_id(SERVICE_CONTROL_SHUTDOWN, &first) != 0);
}

static void a_host_that_begins_anew_or_goes_leaves_no_old_answers(void **state)
{
    const struct pair_options options = { .release = "2022" };

    (void)state;
    pair_run(&options, anew_body, SEEDS);
}

static uint64_t told_utc;
static uint32_t resumed_version;

static uint64_t utc(void *context)
{
    (void)context;
    return told_utc;
}

static uint64_t reference(void *context)
{
    (void)context;
    return machine_uptime() / 100;
}

static void time_body(struct pair *pair)
{
    const struct timesync_clocks clocks = { NULL, utc, reference };
    struct service_control_time time;
    struct virtual_device *device;
    static struct daemon daemon;

    told_utc = IC_TIME_UNIX_EPOCH + UINT64_C(1704067200) * IC_TIME_UNITS_PER_SECOND;
    device = timesync_new(IC_FRAMEWORK_3_0, IC_TIME_SYNC_4_0, &clocks);
    PAIR_CHECK(pair, pair_host_plug(pair->host, device));
    pair_sleep(3 * PAIR_SECOND);                    /* the sync has come; nobody heard it */
    if (!daemon_start(pair, &daemon, SERVICE_CONTROL_TIME_SYNC))
        return;
    PAIR_CHECK(pair, daemon_hear(&daemon, 1) == SERVICE_CONTROL_NOTICE);
    memcpy(&time, daemon.message + sizeof daemon.header, sizeof time);
    PAIR_CHECK(pair, time.flags == IC_TIME_SYNC);
    PAIR_CHECK(pair, time.host_time >= told_utc + 2 * IC_TIME_UNITS_PER_SECOND &&
                     time.host_time < told_utc + 4 * IC_TIME_UNITS_PER_SECOND);
    /* A sample, every five seconds. */
    PAIR_CHECK(pair, daemon_hear(&daemon, 6) == SERVICE_CONTROL_NOTICE);
    memcpy(&time, daemon.message + sizeof daemon.header, sizeof time);
    PAIR_CHECK(pair, time.flags == IC_TIME_SAMPLE);
    told_utc = 0;                                   /* the host's clock breaks: 1601 */
    PAIR_CHECK(pair, daemon_hear(&daemon, 6) == 0);
    PAIR_CHECK(pair, timesync_status(device) == IC_STATUS_INVALID_ARGUMENT);
    control_close(daemon.client);
}

static void a_daemon_hears_the_right_time_whenever_it_comes_and_never_a_wrong_one(void **state)
{
    const struct pair_options options = { .release = "2022" };

    (void)state;
    pair_run(&options, time_body, SEEDS);
}

/* ---- a guest that was saved ---- */

enum { SAVED_SECONDS = 2 * 3600 };

/* The notice that the daemon hears next; false: it hears none. */
static bool hear_time(struct daemon *daemon, struct service_control_time *time)
{
    if (daemon_hear(daemon, 6) != SERVICE_CONTROL_NOTICE)
        return false;
    memcpy(time, daemon->message + sizeof daemon->header, sizeof *time);
    return true;
}

/* Neither the guest's clocks nor the reference time went on; the host's clock did. */
static void resume_body(struct pair *pair)
{
    const struct timesync_clocks clocks = { NULL, utc, reference };
    struct virtual_device *device = timesync_new(IC_FRAMEWORK_3_0, resumed_version, &clocks);
    struct integration_channel *channel = &((struct integration_service *)device)->channel;
    struct service_control_time time;
    static struct daemon daemon, later;

    told_utc = IC_TIME_UNIX_EPOCH + UINT64_C(1704067200) * IC_TIME_UNITS_PER_SECOND;
    PAIR_CHECK(pair, pair_host_plug(pair->host, device));
    if (!daemon_start(pair, &daemon, SERVICE_CONTROL_TIME_SYNC))
        return;
    PAIR_CHECK(pair, hear_time(&daemon, &time) && time.flags == IC_TIME_SYNC);
    PAIR_CHECK(pair, hear_time(&daemon, &time) && time.flags == IC_TIME_SAMPLE);

    told_utc += SAVED_SECONDS * IC_TIME_UNITS_PER_SECOND;
    PAIR_CHECK(pair, integration_renegotiate(channel) == 0);
    PAIR_CHECK(pair, daemon_hear(&daemon, 2) == SERVICE_CONTROL_NOTICE);
    memcpy(&time, daemon.message + sizeof daemon.header, sizeof time);
    PAIR_CHECK(pair, time.flags == IC_TIME_SYNC);           /* not the sample that was due */
    PAIR_CHECK(pair, time.host_time >= told_utc &&
                         time.host_time < told_utc + IC_TIME_UNITS_PER_SECOND);
    PAIR_CHECK(pair, timesync_status(device) == IC_STATUS_OK);
    PAIR_CHECK(pair, hear_time(&daemon, &time) && time.flags == IC_TIME_SAMPLE);

    /* The daemon died meanwhile: its follower hears the time of after. */
    control_close(daemon.client);
    told_utc += SAVED_SECONDS * IC_TIME_UNITS_PER_SECOND;
    PAIR_CHECK(pair, integration_renegotiate(channel) == 0);
    pair_sleep(6 * PAIR_SECOND);            /* the host looks at the service every five */
    if (!daemon_start(pair, &later, SERVICE_CONTROL_TIME_SYNC))
        return;
    PAIR_CHECK(pair, hear_time(&later, &time) && time.flags == IC_TIME_SYNC);
    PAIR_CHECK(pair, time.host_time >= told_utc &&
                         time.host_time < told_utc + 8 * IC_TIME_UNITS_PER_SECOND);
    control_close(later.client);
}

static void a_guest_that_was_saved_hears_the_time_at_once_when_it_goes_on(void **state)
{
    static const uint32_t versions[] = { IC_TIME_SYNC_3_0, IC_TIME_SYNC_4_0 };
    const struct pair_options options = { .release = "2022" };
    size_t index;

    (void)state;
    for (index = 0; index < sizeof versions / sizeof *versions; index++) {
        resumed_version = versions[index];
        pair_run(&options, resume_body, SEEDS);
    }
}

static void memory_body(struct pair *pair)
{
    struct virtual_device *device = dynamic_memory_new(DYNAMIC_MEMORY_VERSION_1_0);
    struct dynamic_memory_state state;

    PAIR_CHECK(pair, pair_host_plug(pair->host, device));
    pair_sleep(2 * PAIR_SECOND);
    dynamic_memory_state(device, &state);
    PAIR_CHECK(pair, state.ready && state.version == DYNAMIC_MEMORY_VERSION_1_0 &&
                         state.capabilities == 0);
    PAIR_CHECK(pair, dynamic_memory_balloon(device, 1000) == 0);
    for (unsigned steps = 0; steps < 100 && state.answers == 0; steps++) {
        pair_sleep(STEP_NS);
        dynamic_memory_state(device, &state);
    }
    PAIR_CHECK(pair, state.answers == 1 && state.ballooned_pages == 0);
}

static void dynamic_memory_is_connected_and_gives_no_memory_away(void **state)
{
    const struct pair_options options = { .release = "2022" };

    (void)state;
    pair_run(&options, memory_body, SEEDS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shutdown_goes_to_the_daemon_and_back),
        cmocka_unit_test(a_daemon_that_is_slow_or_dies_is_answered_for),
        cmocka_unit_test(only_one_privileged_client_that_speaks_our_version_is_served),
        cmocka_unit_test(the_queue_of_a_daemon_that_does_not_read_is_bounded),
        cmocka_unit_test(a_host_that_begins_anew_or_goes_leaves_no_old_answers),
        cmocka_unit_test(dynamic_memory_is_connected_and_gives_no_memory_away),
        cmocka_unit_test(a_daemon_hears_the_right_time_whenever_it_comes_and_never_a_wrong_one),
        cmocka_unit_test(a_guest_that_was_saved_hears_the_time_at_once_when_it_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
