/* SPDX-License-Identifier: BSD-3-Clause */
/* Hosts that offer one version of a service and no other: each is agreed on, and what the service
 * is for works in it, from the host to the daemon and back. */
#include "tests/pair/pair_daemon.h"

#include "host/devices/dynamic_memory.h"
#include "host/devices/filecopy.h"
#include "host/devices/kvp.h"
#include "host/devices/shutdown.h"
#include "host/devices/timesync.h"
#include "host/devices/vss.h"
#include "xnu/machine/clock.h"

enum { NOT_YET = 1, ADDRESS = 0x0A01A8C0 /* 192.168.1.10 in network order */ };

/* The service under test, what its host offers, and what makes it work. */
struct only {
    uint32_t framework, version;
    struct virtual_device *(*make)(uint32_t framework, uint32_t version);
    const char *control;
    void (*use)(struct pair *pair, struct virtual_device *device, struct daemon *daemon);
};

static const struct only *only;

/* ---- using the services ---- */

/* The next request reaches the daemon, which answers with `status` and no body. */
static void serve(struct pair *pair, struct daemon *daemon, uint32_t status)
{
    PAIR_CHECK(pair, daemon_serve(daemon, status));
}

static void ends_well(struct pair *pair, const struct outcome *outcome, unsigned ends)
{
    outcome_wait(outcome, ends, 2);
    PAIR_CHECK(pair, outcome->ends == ends);
    PAIR_CHECK(pair, outcome->result == 0 && outcome->status == IC_STATUS_OK);
}

static void use_shutdown(struct pair *pair, struct virtual_device *device, struct daemon *daemon)
{
    struct outcome outcome = { NOT_YET, 0, 0 };
    const bool can_restart = only->version >= IC_SHUTDOWN_3_1;

    PAIR_CHECK(pair, (shutdown_request(device, IC_SHUTDOWN_RESTART, 0, NULL, outcome_done,
                                       &outcome) == 0) == can_restart);
    if (!can_restart)
        PAIR_CHECK(pair, shutdown_request(device, IC_SHUTDOWN_FORCE, 0, NULL, outcome_done,
                                          &outcome) == 0);
    serve(pair, daemon, IC_STATUS_OK);
    ends_well(pair, &outcome, 1);
    PAIR_CHECK(pair, daemon_hear(daemon, 2) == SERVICE_CONTROL_NOTICE);
}

static uint64_t utc(void *context)
{
    return IC_TIME_UNIX_EPOCH + UINT64_C(1704067200) * IC_TIME_UNITS_PER_SECOND +
           machine_uptime() / 100;
}

static uint64_t reference(void *context)
{
    return machine_uptime() / 100;
}

static struct virtual_device *make_timesync(uint32_t framework, uint32_t version)
{
    const struct timesync_clocks clocks = { NULL, utc, reference };

    return timesync_new(framework, version, &clocks);
}

static void use_timesync(struct pair *pair, struct virtual_device *device, struct daemon *daemon)
{
    struct service_control_time time;
    uint64_t now = utc(NULL);

    PAIR_CHECK(pair, daemon_hear(daemon, 6) == SERVICE_CONTROL_NOTICE);
    memcpy(&time, daemon->message + sizeof daemon->header, sizeof time);
    PAIR_CHECK(pair, time.host_time >= now - IC_TIME_UNITS_PER_SECOND &&
                         time.host_time <= utc(NULL));
    PAIR_CHECK(pair, timesync_status(device) == IC_STATUS_OK);
}

static void copy_done(void *context, int result, uint32_t status)
{
    outcome_done(context, result, status, NULL, 0);
}

static void use_filecopy(struct pair *pair, struct virtual_device *device, struct daemon *daemon)
{
    static const struct filecopy_events events = { NULL, copy_done };
    static const char text[] = "what is in the file";
    struct outcome outcome = { NOT_YET, 0, 0 };
    struct ic_file_copy_write write;
    FILE *file = tmpfile();

    PAIR_CHECK(pair, file != NULL && fwrite(text, sizeof text, 1, file) == 1 && fflush(file) == 0);
    const struct filecopy_request request = { fileno(file), sizeof text, "name", "/name", 0 };
    PAIR_CHECK(pair, filecopy_start(device, &request, &events, &outcome) == 0);
    serve(pair, daemon, IC_STATUS_OK);
    PAIR_CHECK(pair, daemon_hear(daemon, 2) == SERVICE_CONTROL_NOTICE);
    memcpy(&write, daemon->message + sizeof daemon->header, sizeof write);
    PAIR_CHECK(pair, write.header.operation == IC_FILE_COPY_WRITE && write.size == sizeof text);
    PAIR_CHECK(pair, memcmp(write.data, text, sizeof text) == 0);
    serve(pair, daemon, IC_STATUS_OK);
    ends_well(pair, &outcome, 1);
    fclose(file);
}

static void use_backup(struct pair *pair, struct virtual_device *device, struct daemon *daemon)
{
    struct outcome outcome = { NOT_YET, 0, 0 };

    PAIR_CHECK(pair, vss_freeze(device, outcome_done, &outcome) == 0);
    serve(pair, daemon, IC_STATUS_OK);          /* can it? */
    serve(pair, daemon, IC_STATUS_OK);
    ends_well(pair, &outcome, 1);
    PAIR_CHECK(pair, vss_is_frozen(device));
    PAIR_CHECK(pair, vss_thaw(device, outcome_done, &outcome) == 0);
    serve(pair, daemon, IC_STATUS_OK);
    ends_well(pair, &outcome, 2);
}

/* ---- data exchange: a pair and an address, written into the request's own body ---- */

static struct kvp_item item;
static struct kvp_addresses addresses;

static void item_done(void *context, int result, uint32_t status, const struct kvp_item *found)
{
    if (found != NULL)
        item = *found;
    outcome_done(context, result, status, NULL, 0);
}

static void addresses_done(void *context, int result, uint32_t status,
                           const struct kvp_addresses *found)
{
    if (found != NULL)
        addresses = *found;
    outcome_done(context, result, status, NULL, 0);
}

static int reply_with_body(struct daemon *daemon)
{
    daemon->header.type = SERVICE_CONTROL_REPLY;
    daemon->header.status = IC_STATUS_OK;
    memcpy(daemon->message, &daemon->header, sizeof daemon->header);
    return control_send(daemon->client, daemon->message,
                        sizeof daemon->header + daemon->header.size);
}

static void answer_addresses(struct pair *pair, struct daemon *daemon)
{
    uint8_t *body = daemon->message + sizeof daemon->header;
    struct ic_kvp_ip_binary binary;
    struct ic_kvp_ip text;

    PAIR_CHECK(pair, daemon_hear(daemon, 2) == SERVICE_CONTROL_REQUEST);
    if (only->version >= IC_KVP_5_0) {
        PAIR_CHECK(pair, daemon->header.size == sizeof binary);
        memcpy(&binary, body, sizeof binary);
        PAIR_CHECK(pair, binary.header.operation == IC_KVP_GET_IP);
        binary.ipv4_address_count = 1;
        binary.ipv4_addresses[0] = ADDRESS;
        memcpy(body, &binary, sizeof binary);
    } else {
        static const uint16_t words[] = u"192.168.1.10";
        PAIR_CHECK(pair, daemon->header.size == sizeof text);
        memcpy(&text, body, sizeof text);
        PAIR_CHECK(pair, text.header.operation == IC_KVP_GET_IP);
        memcpy((uint8_t *)&text + offsetof(struct ic_kvp_ip, addresses), words, sizeof words);
        memcpy(body, &text, sizeof text);
    }
    PAIR_CHECK(pair, reply_with_body(daemon) == 0);
}

static void use_kvp(struct pair *pair, struct virtual_device *device, struct daemon *daemon)
{
    static const uint8_t value[] = { 'r', 0, 'e', 0, 'd', 0, 0, 0 };
    struct outcome outcome = { NOT_YET, 0, 0 };
    struct ic_kvp_exchange exchange;

    PAIR_CHECK(pair, kvp_get(device, 0, "colour", item_done, &outcome) == 0);
    PAIR_CHECK(pair, daemon_hear(daemon, 2) == SERVICE_CONTROL_REQUEST);
    memcpy(&exchange, daemon->message + sizeof daemon->header, sizeof exchange);
    exchange.item.value_size = sizeof value;
    memcpy(exchange.item.value, value, sizeof value);
    memcpy(daemon->message + sizeof daemon->header, &exchange, sizeof exchange);
    PAIR_CHECK(pair, reply_with_body(daemon) == 0);
    ends_well(pair, &outcome, 1);
    PAIR_CHECK(pair, strcmp(item.key, "colour") == 0 && strcmp(item.value, "red") == 0);

    PAIR_CHECK(pair, kvp_get_addresses(device, "00:15:5D:01:02:03", addresses_done,
                                       &outcome) == 0);
    answer_addresses(pair, daemon);
    ends_well(pair, &outcome, 2);
    PAIR_CHECK(pair, strcmp(addresses.addresses, "192.168.1.10") == 0);
}

static struct virtual_device *make_kvp(uint32_t framework, uint32_t version)
{
    return kvp_new(framework, version, "host");
}

/* ---- the hosts ---- */

static const struct only hosts[] = {
    { IC_FRAMEWORK_1_0, IC_SHUTDOWN_1_0, shutdown_new, SERVICE_CONTROL_SHUTDOWN, use_shutdown },
    { IC_FRAMEWORK_3_0, IC_SHUTDOWN_3_0, shutdown_new, SERVICE_CONTROL_SHUTDOWN, use_shutdown },
    { IC_FRAMEWORK_3_0, IC_SHUTDOWN_3_1, shutdown_new, SERVICE_CONTROL_SHUTDOWN, use_shutdown },
    { IC_FRAMEWORK_3_0, IC_SHUTDOWN_3_2, shutdown_new, SERVICE_CONTROL_SHUTDOWN, use_shutdown },
    { IC_FRAMEWORK_1_0, IC_TIME_SYNC_1_0, make_timesync, SERVICE_CONTROL_TIME_SYNC, use_timesync },
    { IC_FRAMEWORK_3_0, IC_TIME_SYNC_3_0, make_timesync, SERVICE_CONTROL_TIME_SYNC, use_timesync },
    { IC_FRAMEWORK_3_0, IC_TIME_SYNC_4_0, make_timesync, SERVICE_CONTROL_TIME_SYNC, use_timesync },
    { IC_FRAMEWORK_3_0, IC_FILE_COPY_1_1, filecopy_new, SERVICE_CONTROL_FILE_COPY, use_filecopy },
    { IC_FRAMEWORK_1_0, IC_KVP_1_0, make_kvp, SERVICE_CONTROL_KVP, use_kvp },
    { IC_FRAMEWORK_3_0, IC_KVP_3_0, make_kvp, SERVICE_CONTROL_KVP, use_kvp },
    { IC_FRAMEWORK_3_0, IC_KVP_4_0, make_kvp, SERVICE_CONTROL_KVP, use_kvp },
    { IC_FRAMEWORK_3_0, IC_KVP_5_0, make_kvp, SERVICE_CONTROL_KVP, use_kvp },
    { IC_FRAMEWORK_3_0, IC_VSS_4_0, vss_new, SERVICE_CONTROL_BACKUP, use_backup },
    { IC_FRAMEWORK_3_0, IC_VSS_5_0, vss_new, SERVICE_CONTROL_BACKUP, use_backup },
};

/* Plugs a service whose host has never heard of another version. */
static struct integration_channel *plug_only(struct pair *pair)
{
    struct virtual_device *device = only->make(only->framework, only->version);
    struct integration_channel *channel = &((struct integration_service *)device)->channel;
    static struct integration_settings settings;
    static uint32_t version;

    version = only->version;
    settings = *channel->settings;
    settings.versions = &version;
    settings.version_count = 1;
    channel->settings = &settings;
    PAIR_CHECK(pair, pair_host_plug(pair->host, device));
    return channel;
}

static void only_body(struct pair *pair)
{
    struct integration_channel *channel = plug_only(pair);
    static struct daemon daemon;

    if (!daemon_start(pair, &daemon, only->control))
        return;
    PAIR_CHECK(pair, channel->state == INTEGRATION_READY);
    PAIR_CHECK(pair, channel->message_version == only->version);
    PAIR_CHECK(pair, channel->framework_version == only->framework);
    only->use(pair, channel->service, &daemon);
    control_close(daemon.client);
}

static void a_host_with_a_single_version_of_a_service_is_served_in_it(void **state)
{
    const struct pair_options options = { .release = "2022" };
    size_t index;

    (void)state;
    for (index = 0; index < sizeof hosts / sizeof *hosts; index++) {
        only = &hosts[index];
        pair_run(&options, only_body, 1);
    }
}

/* ---- dynamic memory, which has a ladder of its own ---- */

static uint32_t memory_version;

static void memory_body(struct pair *pair)
{
    struct virtual_device *device = dynamic_memory_new(memory_version);
    struct dynamic_memory_state state;

    PAIR_CHECK(pair, pair_host_plug(pair->host, device));
    pair_sleep(4 * PAIR_SECOND);
    dynamic_memory_state(device, &state);
    PAIR_CHECK(pair, state.ready && state.version == memory_version);
    PAIR_CHECK(pair, state.capabilities == 0);
    PAIR_CHECK(pair, state.reports >= 2 && state.available_pages > 0);
}

static void dynamic_memory_of_every_version_hears_of_the_pressure(void **state)
{
    static const uint32_t versions[] = { DYNAMIC_MEMORY_VERSION_0_3, DYNAMIC_MEMORY_VERSION_1_0,
                                         DYNAMIC_MEMORY_VERSION_2_0 };
    const struct pair_options options = { .release = "2022" };
    size_t index;

    (void)state;
    for (index = 0; index < sizeof versions / sizeof *versions; index++) {
        memory_version = versions[index];
        pair_run(&options, memory_body, 1);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_with_a_single_version_of_a_service_is_served_in_it),
        cmocka_unit_test(dynamic_memory_of_every_version_hears_of_the_pressure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
