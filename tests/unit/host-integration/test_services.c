/* SPDX-License-Identifier: BSD-3-Clause */
/* Shutdown, time, backup, data exchange and file copy as the guest sees them,
 * and guests that answer badly. */
#include "tests/unit/host-integration/rig.h"

#include <stdio.h>
#include <unistd.h>

#include "host/devices/filecopy.h"
#include "host/devices/kvp.h"
#include "host/devices/shutdown.h"
#include "host/devices/timesync.h"
#include "host/devices/vss.h"
#include "protocol/utf16.h"

/* ---- Calls ---- */

static void a_shutdown_has_its_flags_reason_and_text(void **state)
{
    struct rig *rig = rig_create(shutdown_new(IC_FRAMEWORK_3_0, IC_SHUTDOWN_3_2), IC_SHUTDOWN_3_2);
    struct outcome outcome = {0};
    struct ic_shutdown body;
    struct message message;
    assert_int_equal(shutdown_request(rig->device, IC_SHUTDOWN_RESTART | IC_SHUTDOWN_FORCE, 42,
                                      "grüß", rig_done, &outcome), 0);
    rig_pump(rig);
    assert_true(rig_take(rig, &message));
    assert_int_equal(message.header.message_type, IC_MESSAGE_SHUTDOWN);
    assert_int_equal(message.header.body_size, sizeof(body));
    memcpy(&body, message.body, sizeof(body));
    assert_int_equal(body.flags, 3);
    assert_int_equal(body.reason, 42);
    assert_memory_equal(body.text, u"grüß", 10);
    message.header.status = IC_STATUS_MACHINE_LOCKED;
    rig_put(rig, &message, sizeof(body));
    assert_int_equal(outcome.ends, 1);
    assert_int_equal(outcome.status, IC_STATUS_MACHINE_LOCKED);
    rig_free(rig);
}

static void flags_need_a_version_that_has_them(void **state)
{
    struct rig *rig = rig_create(shutdown_new(IC_FRAMEWORK_3_0, IC_SHUTDOWN_3_2), IC_SHUTDOWN_3_0);
    assert_int_equal(shutdown_request(rig->device, IC_SHUTDOWN_RESTART, 0, NULL, NULL, NULL),
                     -EOPNOTSUPP);
    assert_int_equal(shutdown_request(rig->device, IC_SHUTDOWN_HIBERNATE, 0, NULL, NULL, NULL),
                     -EOPNOTSUPP);
    assert_int_equal(shutdown_request(rig->device, IC_SHUTDOWN_FORCE, 0, NULL, NULL, NULL), 0);
    rig_free(rig);
}

static void calls_wait_in_line_and_a_late_answer_breaks_no_rule(void **state)
{
    struct rig *rig = rig_create(shutdown_new(IC_FRAMEWORK_3_0, IC_SHUTDOWN_3_2), IC_SHUTDOWN_3_2);
    struct outcome first = {0}, second_call = {0};
    struct message late, message;
    shutdown_request(rig->device, 0, 1, NULL, rig_done, &first);
    shutdown_request(rig->device, 0, 2, NULL, rig_done, &second_call);
    rig_pump(rig);
    assert_true(rig_take(rig, &late));
    assert_false(rig_take(rig, &message));          /* one at a time */
    rig->now_ns += 31 * second;
    rig_pump(rig);
    assert_int_equal(first.result, -ETIMEDOUT);
    assert_int_equal(first.ends, 1);
    rig_put(rig, &late, late.header.body_size);      /* after the second was sent */
    assert_int_equal(second_call.ends, 0);
    rig_answer(rig, &message, IC_STATUS_OK);
    assert_int_equal(second_call.ends, 1);
    assert_int_equal(second_call.result, 0);
    rig_free(rig);
}

static void a_guest_that_goes_ends_every_call(void **state)
{
    struct rig *rig = rig_create(shutdown_new(IC_FRAMEWORK_3_0, IC_SHUTDOWN_3_2), IC_SHUTDOWN_3_2);
    struct outcome first = {0}, waiting = {0};
    shutdown_request(rig->device, 0, 1, NULL, rig_done, &first);
    shutdown_request(rig->device, 0, 2, NULL, rig_done, &waiting);
    rig_pump(rig);
    vmbus_server_reset(rig->bench->server);
    assert_int_equal(first.result, -ECONNRESET);
    assert_int_equal(waiting.result, -ECONNRESET);
    assert_int_equal(shutdown_request(rig->device, 0, 1, NULL, rig_done, &first), -ENOTCONN);
    rig_free(rig);
}

/* ---- Time ---- */

static uint64_t utc(void *context)
{
    return 133485408000000000;
}

static uint64_t reference(void *context)
{
    return 777;
}

static const struct timesync_clocks clocks = {NULL, utc, reference};

static void the_guest_is_told_to_step_then_gets_samples(void **state)
{
    struct rig *rig = rig_create(timesync_new(IC_FRAMEWORK_3_0, IC_TIME_SYNC_4_0, &clocks),
                                 IC_TIME_SYNC_4_0);
    struct ic_time_sync_4_0 body;
    struct message message;
    rig_pump(rig);
    assert_true(rig_take(rig, &message));
    memcpy(&body, message.body, sizeof(body));
    assert_int_equal(message.header.body_size, sizeof(body));
    assert_int_equal(body.host_time, utc(NULL));
    assert_int_equal(body.reference_time, 777);
    assert_int_equal(body.flags, IC_TIME_SYNC);
    rig_put(rig, &message, sizeof(body));
    assert_false(rig_take(rig, &message));
    rig->now_ns += 5 * second;
    rig_pump(rig);
    assert_true(rig_take(rig, &message));
    assert_int_equal(message.body[16], IC_TIME_SAMPLE);
    rig_put(rig, &message, sizeof(body));
    timesync_set_skew(rig->device, -30000000);
    rig_pump(rig);
    assert_true(rig_take(rig, &message));
    memcpy(&body, message.body, sizeof(body));
    assert_int_equal(body.flags, IC_TIME_SYNC);
    assert_int_equal(body.host_time, utc(NULL) - 30000000);
    rig_free(rig);
}

static void a_guest_that_goes_on_is_told_to_step_and_keeps_its_version(void **state)
{
    struct rig *rig = rig_create(timesync_new(IC_FRAMEWORK_3_0, IC_TIME_SYNC_4_0, &clocks),
                                 IC_TIME_SYNC_4_0);
    struct integration_service *service = (struct integration_service *)rig->device;
    struct message sample, message;
    rig_pump(rig);
    rig_answer(rig, &message, IC_STATUS_OK);
    rig->now_ns += 5 * second;
    rig_pump(rig);
    assert_true(rig_take(rig, &sample));            /* the guest stops with it in hand */
    assert_int_equal(sample.body[16], IC_TIME_SAMPLE);
    timesync_set_skew(rig->device, 72000000000);
    assert_int_equal(integration_service_renegotiate(rig->device), 0);
    assert_int_equal(integration_service_renegotiate(rig->device), -ENOTCONN);
    rig_put(rig, &sample, sample.header.body_size); /* late, of what was asked before */
    rig_choose(rig, IC_TIME_SYNC_4_0);
    assert_int_equal(service->channel.state, INTEGRATION_READY);
    rig_answer(rig, &message, IC_STATUS_OK);        /* the sample, asked again */
    assert_int_equal(message.body[16], IC_TIME_SAMPLE);
    assert_true(rig_take(rig, &message));
    assert_int_equal(message.body[16], IC_TIME_SYNC);
    rig_free(rig);
}

static void older_guests_get_the_older_layout(void **state)
{
    struct rig *rig = rig_create(timesync_new(IC_FRAMEWORK_3_0, IC_TIME_SYNC_4_0, &clocks),
                                 IC_TIME_SYNC_3_0);
    struct message message;
    rig_pump(rig);
    assert_true(rig_take(rig, &message));
    assert_int_equal(message.header.body_size, sizeof(struct ic_time_sync));
    assert_int_equal(message.body[24], IC_TIME_SYNC);
    rig_free(rig);
}

/* ---- Backup ---- */

static void a_freeze_follows_the_question_whether_it_can_be(void **state)
{
    struct rig *rig = rig_create(vss_new(IC_FRAMEWORK_3_0, IC_VSS_7_0), IC_VSS_5_0);
    struct outcome outcome = {0};
    struct message message;
    assert_int_equal(vss_freeze(rig->device, rig_done, &outcome), 0);
    assert_int_equal(vss_thaw(rig->device, rig_done, &outcome), -EBUSY);
    rig_pump(rig);
    rig_answer(rig, &message, IC_STATUS_OK);
    assert_int_equal(message.body[0], IC_VSS_HOT_BACKUP);
    assert_false(vss_is_frozen(rig->device));
    rig_answer(rig, &message, IC_STATUS_OK);
    assert_int_equal(message.body[0], IC_VSS_FREEZE);
    assert_int_equal(outcome.ends, 1);
    assert_true(vss_is_frozen(rig->device));
    assert_int_equal(vss_thaw(rig->device, rig_done, &outcome), 0);
    rig_pump(rig);
    rig_answer(rig, &message, IC_STATUS_FAIL);
    assert_int_equal(outcome.status, IC_STATUS_FAIL);
    assert_false(vss_is_frozen(rig->device));
    rig_free(rig);
}

static void a_guest_that_cannot_be_backed_up_is_not_frozen(void **state)
{
    struct rig *rig = rig_create(vss_new(IC_FRAMEWORK_3_0, IC_VSS_7_0), IC_VSS_5_0);
    struct outcome outcome = {0};
    struct message message;
    vss_freeze(rig->device, rig_done, &outcome);
    rig_pump(rig);
    rig_answer(rig, &message, IC_STATUS_FAIL);
    assert_int_equal(outcome.status, IC_STATUS_FAIL);
    assert_false(rig_take(rig, &message));
    rig_free(rig);
}

/* ---- Data exchange ---- */

static struct kvp_item last_item;

static void item_done(void *context, int result, uint32_t status, const struct kvp_item *item)
{
    rig_done(context, result, status, NULL, 0);
    if (item != NULL) {
        last_item = *item;
    }
}

/* Lets the guest take what it is told about its host. */
static struct rig *kvp_rig(void)
{
    struct rig *rig = rig_create(kvp_new(IC_FRAMEWORK_3_0, IC_KVP_5_0, "a host"), IC_KVP_4_0);
    struct message message;
    rig_pump(rig);
    for (unsigned i = 0; i < 4; i++) {
        rig_answer(rig, &message, IC_STATUS_OK);
        assert_int_equal(message.body[0], IC_KVP_SET);
        assert_int_equal(message.body[1], IC_KVP_POOL_AUTO_EXTERNAL);
    }
    assert_false(rig_take(rig, &message));
    return rig;
}

static void an_item_is_read_with_its_text(void **state)
{
    struct rig *rig = kvp_rig();
    struct ic_kvp_enumerate body;
    struct outcome outcome = {0};
    struct message message;
    assert_int_equal(kvp_enumerate(rig->device, IC_KVP_POOL_AUTO, 5, item_done, &outcome), 0);
    assert_int_equal(kvp_get(rig->device, 0, "k", item_done, &outcome), -EBUSY);
    rig_pump(rig);
    assert_true(rig_take(rig, &message));
    memcpy(&body, message.body, sizeof(body));
    assert_int_equal(body.index, 5);
    body.item = (struct ic_kvp_value){.type = IC_KVP_TYPE_STRING};
    body.item.key_size = 2 * (uint32_t)utf8_to_utf16("OSName", body.item.key, 256);
    body.item.value_size = 2 * (uint32_t)utf8_to_utf16("macOS ✓", body.item.value, 1024);
    memcpy(message.body, &body, sizeof(body));
    rig_put(rig, &message, sizeof(body));
    assert_string_equal(last_item.key, "OSName");
    assert_string_equal(last_item.value, "macOS ✓");
    rig_free(rig);
}

static void sizes_beyond_their_arrays_are_no_item(void **state)
{
    static const struct { uint32_t key, value; uint16_t cut; } bad[] = {
        {514, 2, 0}, {2, 2050, 0}, {UINT32_MAX, 2, 0}, {2, 2, 8},
    };
    struct rig *rig = kvp_rig();
    struct ic_kvp_enumerate body;
    struct message message;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct outcome outcome = {0};
        assert_int_equal(kvp_enumerate(rig->device, 0, 0, item_done, &outcome), 0);
        rig_pump(rig);
        assert_true(rig_take(rig, &message));
        memcpy(&body, message.body, sizeof(body));
        body.item.key_size = bad[i].key;
        body.item.value_size = bad[i].value;
        memcpy(message.body, &body, sizeof(body));
        rig_put(rig, &message, (uint16_t)(sizeof(body) - bad[i].cut));
        assert_int_equal(outcome.result, -EPROTO);
    }
    rig_free(rig);
}

static void keys_that_do_not_fit_are_refused_before_the_guest_sees_them(void **state)
{
    struct rig *rig = kvp_rig();
    char key[300];
    struct message message;
    memset(key, 'k', sizeof(key));
    key[256] = '\0';
    assert_int_equal(kvp_get(rig->device, 0, key, item_done, NULL), -EINVAL);
    assert_int_equal(kvp_get(rig->device, 0, "", item_done, NULL), -EINVAL);
    key[255] = '\0';
    struct outcome outcome = {0};
    assert_int_equal(kvp_get(rig->device, 0, key, item_done, &outcome), 0);
    rig_pump(rig);
    rig_answer(rig, &message, IC_STATUS_NO_MORE_ITEMS);
    assert_int_equal(outcome.status, IC_STATUS_NO_MORE_ITEMS);
    rig_free(rig);
}

/* ---- File copy ---- */

static void copy_done(void *context, int result, uint32_t status)
{
    rig_done(context, result, status, NULL, 0);
}

static int make_source(uint64_t size)
{
    FILE *file = tmpfile();
    for (uint64_t i = 0; i < size; i++) {
        putc((int)(i * 7 % 251), file);
    }
    fflush(file);
    int descriptor = dup(fileno(file));
    fclose(file);
    return descriptor;
}

static struct rig *copy_rig(struct filecopy_request *request, struct outcome *outcome,
                            uint64_t size)
{
    static const struct filecopy_events events = {NULL, copy_done};
    struct rig *rig = rig_create(filecopy_new(IC_FRAMEWORK_3_0, IC_FILE_COPY_1_1),
                                 IC_FILE_COPY_1_1);
    *request = (struct filecopy_request){make_source(size), size, "name", "/path", 3};
    assert_int_equal(filecopy_start(rig->device, request, &events, outcome), 0);
    assert_int_equal(filecopy_start(rig->device, request, &events, outcome), -EBUSY);
    rig_pump(rig);
    return rig;
}

static void a_copy_is_a_start_pieces_and_an_end(void **state)
{
    struct filecopy_request request;
    struct outcome outcome = {0};
    struct rig *rig = copy_rig(&request, &outcome, 10000);
    struct ic_file_copy_start start;
    struct ic_file_copy_write write;
    struct message message;
    rig_answer(rig, &message, IC_STATUS_OK);
    memcpy(&start, message.body, sizeof(start));
    assert_int_equal(start.header.operation, IC_FILE_COPY_START);
    assert_int_equal(start.file_size, 10000);
    assert_int_equal(start.flags, IC_FILE_COPY_OVERWRITE | IC_FILE_COPY_CREATE_PATH);
    assert_memory_equal(message.body + 36, u"name", 10);
    assert_memory_equal(message.body + 556, u"/path", 12);
    uint64_t offset = 0;
    for (unsigned piece = 0; piece < 2; piece++) {
        rig_answer(rig, &message, IC_STATUS_OK);
        memcpy(&write, message.body, sizeof(write));
        assert_int_equal(write.header.operation, IC_FILE_COPY_WRITE);
        assert_int_equal(write.offset, offset);
        assert_int_equal(write.data[write.size - 1], (offset + write.size - 1) * 7 % 251);
        offset += write.size;
    }
    assert_int_equal(offset, 10000);
    rig_answer(rig, &message, IC_STATUS_OK);
    assert_int_equal(message.body[0], IC_FILE_COPY_COMPLETE);
    assert_int_equal(outcome.ends, 1);
    assert_int_equal(outcome.result, 0);
    close(request.source);
    rig_free(rig);
}

static void a_refusal_ends_the_copy_with_its_status(void **state)
{
    struct filecopy_request request;
    struct outcome outcome = {0};
    struct rig *rig = copy_rig(&request, &outcome, 10000);
    struct message message;
    rig_answer(rig, &message, IC_STATUS_OK);
    rig_answer(rig, &message, IC_STATUS_DISK_FULL);
    assert_int_equal(outcome.ends, 1);
    assert_int_equal(outcome.status, IC_STATUS_DISK_FULL);
    assert_false(rig_take(rig, &message));
    close(request.source);
    rig_free(rig);
}

static void a_source_that_shrinks_cancels_the_copy(void **state)
{
    struct filecopy_request request;
    struct outcome outcome = {0};
    struct rig *rig = copy_rig(&request, &outcome, 10000);
    struct message message;
    assert_int_equal(ftruncate(request.source, 0), 0);
    rig_answer(rig, &message, IC_STATUS_OK);
    assert_int_equal(outcome.result, -EIO);
    rig_answer(rig, &message, IC_STATUS_OK);
    assert_int_equal(message.body[0], IC_FILE_COPY_CANCEL);
    close(request.source);
    rig_free(rig);
}

static void names_that_do_not_fit_are_refused(void **state)
{
    struct rig *rig = rig_create(filecopy_new(IC_FRAMEWORK_3_0, IC_FILE_COPY_1_1),
                                 IC_FILE_COPY_1_1);
    static const struct filecopy_events events = {NULL, copy_done};
    struct outcome outcome = {0};
    char path[300];
    memset(path, 'p', sizeof(path));
    path[260] = '\0';
    struct filecopy_request request = {-1, 0, "name", path, 0};
    assert_int_equal(filecopy_start(rig->device, &request, &events, &outcome), -ENAMETOOLONG);
    path[259] = '\0';
    assert_int_equal(filecopy_start(rig->device, &request, &events, &outcome), 0);
    filecopy_cancel(rig->device);
    assert_int_equal(outcome.result, -ECANCELED);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shutdown_has_its_flags_reason_and_text),
        cmocka_unit_test(flags_need_a_version_that_has_them),
        cmocka_unit_test(calls_wait_in_line_and_a_late_answer_breaks_no_rule),
        cmocka_unit_test(a_guest_that_goes_ends_every_call),
        cmocka_unit_test(the_guest_is_told_to_step_then_gets_samples),
        cmocka_unit_test(a_guest_that_goes_on_is_told_to_step_and_keeps_its_version),
        cmocka_unit_test(older_guests_get_the_older_layout),
        cmocka_unit_test(a_freeze_follows_the_question_whether_it_can_be),
        cmocka_unit_test(a_guest_that_cannot_be_backed_up_is_not_frozen),
        cmocka_unit_test(an_item_is_read_with_its_text),
        cmocka_unit_test(sizes_beyond_their_arrays_are_no_item),
        cmocka_unit_test(keys_that_do_not_fit_are_refused_before_the_guest_sees_them),
        cmocka_unit_test(a_copy_is_a_start_pieces_and_an_end),
        cmocka_unit_test(a_refusal_ends_the_copy_with_its_status),
        cmocka_unit_test(a_source_that_shrinks_cancels_the_copy),
        cmocka_unit_test(names_that_do_not_fit_are_refused),
    };

    return cmocka_run_group_tests_name("host integration", tests, NULL, NULL);
}
