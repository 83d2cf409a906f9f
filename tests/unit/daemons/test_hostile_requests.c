/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests that no sound host makes, and daemons that are killed between any two requests: the
 * host's status, the line in the log, what is left, and that the next request works. */
#include "tests/unit/daemons/played_service.h"

enum { KILLED = 256 + SIGKILL, PIECE = 4096 };

static char place[64], journal[64];

/* ---- file copy ---- */

static void file_daemon(void)
{
    const char *const options[] = { "--foreground", "--controls", service.controls, "--root", place,
                                    "--journal", journal, NULL };

    snprintf(place, sizeof place, "%s/place", scratch);
    snprintf(journal, sizeof journal, "%s/journal", scratch);
    mkdir(place, 0755);
    daemon_begin("hvfilecopyd", options);
    service_serve();
}

static int file_setup(void **state)
{
    int failed = scratch_make(state);

    service_open(SERVICE_CONTROL_FILE_COPY);
    return failed;
}

/* Units up to and with the first NUL of a string of char16_t; `from` may lack it. */
static void put_units(void *to, const uint16_t *from, size_t count)
{
    for (size_t i = 0; i < count && i < IC_FILE_COPY_NAME_UNITS; i++)
        memcpy((uint8_t *)to + 2 * i, &from[i], 2);
}

static uint32_t start_units(const uint16_t *name, size_t name_count, const uint16_t *path,
                            size_t path_count, uint32_t flags)
{
    struct ic_file_copy_start start = { .header.operation = IC_FILE_COPY_START, .flags = flags,
                                        .file_size = 2 * PIECE };

    put_units((uint8_t *)&start + offsetof(struct ic_file_copy_start, file_name), name, name_count);
    put_units((uint8_t *)&start + offsetof(struct ic_file_copy_start, path), path, path_count);
    return service_ask(&start, sizeof start);
}

#define UNITS(text) text, sizeof(text) / sizeof(uint16_t)
#define START(path) start_units(UNITS(u"name"), UNITS(path), 0)

static void make_piece(struct ic_file_copy_write *write, uint64_t offset)
{
    memset(write, 0x5A, sizeof *write);
    write->header.operation = IC_FILE_COPY_WRITE;
    write->offset = offset;
    write->size = PIECE;
}

static uint32_t write_piece(uint64_t offset)
{
    static struct ic_file_copy_write write;

    make_piece(&write, offset);
    return service_ask(&write, sizeof write);
}

static void give_piece(uint64_t offset)
{
    static struct ic_file_copy_write write;

    make_piece(&write, offset);
    service_tell(&write, sizeof write);
}

static uint32_t operation(uint32_t number)
{
    const struct ic_file_copy_header body = { .operation = number };

    return service_ask(&body, sizeof body);
}

static void assert_copy_works(void)
{
    assert_int_equal(start_units(UNITS(u"name"), UNITS(u"/good"), IC_FILE_COPY_OVERWRITE),
                     IC_STATUS_OK);
    assert_int_equal(write_piece(0), IC_STATUS_OK);
    assert_int_equal(write_piece(PIECE), IC_STATUS_OK);
    assert_int_equal(operation(IC_FILE_COPY_COMPLETE), IC_STATUS_OK);
    assert_int_equal(file_size("place/good"), 2 * PIECE);
    unlink(in_scratch("place/good"));
}

static void assert_nothing_left(void)
{
    assert_int_equal(entries("place"), 0);
    assert_int_equal(file_size("journal"), -1);
}

#define NO_TEXT "hvfilecopyd: a file was refused: its name is no text, or has no end\n"
#define REFUSED "hvfilecopyd: the copy was refused with 0x80070057\n"

static void assert_refused(uint32_t status, uint32_t wanted, const char *line)
{
    assert_int_equal(status, wanted);
    assert_true(logged(line));
    assert_nothing_left();
    truncate(in_scratch("log"), 0);
}

static void a_surrogate_alone_is_no_name(void **state)
{
    static const uint16_t high[] = { '/', 0xD83D, 'x', 0 }, low[] = { '/', 0xDE00, 0 };
    static const uint16_t at_end[] = { '/', 'x', 0xD83D, 0 }, name[] = { 'a', 0xD800, 0 };
    static const uint16_t swapped[] = { '/', 0xDE00, 0xD83D, 0 };

    file_daemon();
    assert_refused(START(high), IC_STATUS_INVALID_ARGUMENT, NO_TEXT);
    assert_refused(START(low), IC_STATUS_INVALID_ARGUMENT, NO_TEXT);
    assert_refused(START(at_end), IC_STATUS_INVALID_ARGUMENT, NO_TEXT);
    assert_refused(START(swapped), IC_STATUS_INVALID_ARGUMENT, NO_TEXT);
    assert_refused(start_units(UNITS(name), UNITS(u"/"), 0), IC_STATUS_INVALID_ARGUMENT, NO_TEXT);
    assert_copy_works();
}

static void a_name_of_260_characters_has_no_end(void **state)
{
    uint16_t path[IC_FILE_COPY_NAME_UNITS];

    file_daemon();
    for (unsigned i = 0; i < IC_FILE_COPY_NAME_UNITS; i++)
        path[i] = i == 0 ? '/' : 'a';
    assert_refused(START(path), IC_STATUS_INVALID_ARGUMENT, NO_TEXT);
    path[259] = 0;                      /* an end, but no file system has such a name */
    assert_refused(START(path), IC_STATUS_INVALID_ARGUMENT, REFUSED);
    path[256] = 0;
    assert_int_equal(START(path), IC_STATUS_OK);
    assert_int_equal(operation(IC_FILE_COPY_CANCEL), IC_STATUS_OK);
    assert_nothing_left();
}

static void a_name_ends_at_its_first_nul_and_may_not_be_empty(void **state)
{
    file_daemon();
    assert_refused(START(u"\0/x"), IC_STATUS_INVALID_ARGUMENT, NO_TEXT);
    assert_refused(start_units(UNITS(u"\0name"), UNITS(u"/"), 0), IC_STATUS_INVALID_ARGUMENT,
                   NO_TEXT);
    assert_int_equal(START(u"/cut\0/../../etc/passwd"), IC_STATUS_OK);
    assert_int_equal(write_piece(0), IC_STATUS_OK);
    assert_int_equal(write_piece(PIECE), IC_STATUS_OK);
    assert_int_equal(operation(IC_FILE_COPY_COMPLETE), IC_STATUS_OK);
    assert_int_equal(file_size("place/cut"), 2 * PIECE);
}

static void dots_control_characters_and_relative_paths_are_refused(void **state)
{
    file_daemon();
    assert_refused(START(u"/.."), IC_STATUS_INVALID_ARGUMENT, REFUSED);
    assert_refused(START(u"/../x"), IC_STATUS_INVALID_ARGUMENT, REFUSED);
    assert_refused(START(u"/a/../../x"), IC_STATUS_INVALID_ARGUMENT, REFUSED);
    assert_refused(START(u"/./x"), IC_STATUS_INVALID_ARGUMENT, REFUSED);
    assert_refused(START(u"C:\\..\\x"), IC_STATUS_INVALID_ARGUMENT, REFUSED);
    assert_refused(START(u"x"), IC_STATUS_INVALID_ARGUMENT, REFUSED);
    assert_refused(START(u"/a\nb"), IC_STATUS_INVALID_ARGUMENT, NO_TEXT);
    assert_refused(START(u"/a\x7F"), IC_STATUS_INVALID_ARGUMENT, NO_TEXT);
    assert_refused(start_units(UNITS(u".."), UNITS(u"/"), 0), IC_STATUS_INVALID_ARGUMENT, REFUSED);
    assert_refused(start_units(UNITS(u"a/b"), UNITS(u"/"), 0), IC_STATUS_INVALID_ARGUMENT, REFUSED);
    assert_copy_works();
}

static void devices_and_links_in_the_middle_and_at_the_end_are_refused(void **state)
{
    static const char denied[] = "hvfilecopyd: the copy was refused with 0x80070005\n";

    file_daemon();
    mkdir(in_scratch("elsewhere"), 0755);
    mkdir(in_scratch("place/folder"), 0755);
    assert_int_equal(symlink("../elsewhere", in_scratch("place/link")), 0);
    assert_int_equal(symlink("../../elsewhere/file", in_scratch("place/folder/link")), 0);
    assert_int_equal(mkfifo(in_scratch("place/pipe"), 0644), 0);
    static const uint16_t *const paths[] = { u"/link", u"/link/x", u"/folder/link",
                                             u"/folder/link/x", u"/pipe" };
    for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
        size_t count = 0;

        while (paths[i][count] != 0)
            count++;
        assert_int_equal(start_units(UNITS(u"name"), paths[i], count + 1,
                                     IC_FILE_COPY_OVERWRITE | IC_FILE_COPY_CREATE_PATH),
                         IC_STATUS_ACCESS_DENIED);
        assert_true(logged(denied));
        truncate(in_scratch("log"), 0);
    }
    assert_int_equal(entries("elsewhere"), 0);
    assert_int_equal(entries("place"), 3);
    assert_copy_works();
}

static void messages_too_short_for_what_they_say_are_refused(void **state)
{
    struct ic_file_copy_write write;
    static const struct ic_file_copy_start start = { .header.operation = IC_FILE_COPY_START };
    const uint32_t head = offsetof(struct ic_file_copy_write, data);

    file_daemon();
    assert_int_equal(service_ask(&start, 3), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(service_ask(&start, sizeof start - 1), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(operation(4), IC_STATUS_NOT_SUPPORTED);
    assert_int_equal(operation(UINT32_MAX), IC_STATUS_NOT_SUPPORTED);
    for (uint32_t size = 4; size < head + PIECE; size = size * 3 + 1) {
        make_piece(&write, 0);
        assert_int_equal(START(u"/x"), IC_STATUS_OK);
        assert_int_equal(service_ask(&write, size), IC_STATUS_INVALID_ARGUMENT);
        assert_nothing_left();
    }
    assert_copy_works();
}

static void what_is_out_of_turn_fails_and_leaves_nothing(void **state)
{
    file_daemon();
    assert_int_equal(operation(IC_FILE_COPY_COMPLETE), IC_STATUS_FAIL);
    assert_int_equal(write_piece(0), IC_STATUS_FAIL);
    assert_int_equal(START(u"/x"), IC_STATUS_OK);
    assert_int_equal(write_piece(PIECE), IC_STATUS_INVALID_ARGUMENT);   /* a hole */
    assert_nothing_left();
    assert_int_equal(START(u"/x"), IC_STATUS_OK);
    assert_int_equal(write_piece(0), IC_STATUS_OK);
    assert_int_equal(write_piece(0), IC_STATUS_INVALID_ARGUMENT);       /* twice */
    assert_nothing_left();
    assert_int_equal(START(u"/x"), IC_STATUS_OK);
    assert_int_equal(write_piece(0), IC_STATUS_OK);
    assert_int_equal(operation(IC_FILE_COPY_COMPLETE), IC_STATUS_FAIL); /* half of it */
    assert_true(logged("hvfilecopyd: the copy failed with 0x80004005; nothing is left of it\n"));
    assert_nothing_left();
    assert_copy_works();
}

static void what_goes_wrong_with_a_piece_ahead_is_the_next_requests_status(void **state)
{
    static const struct ic_file_copy_header short_one = { .operation = IC_FILE_COPY_WRITE };

    file_daemon();
    assert_int_equal(START(u"/x"), IC_STATUS_OK);
    give_piece(0);
    give_piece(0);                      /* twice */
    give_piece(PIECE);                  /* of a copy that is no more */
    assert_int_equal(operation(IC_FILE_COPY_COMPLETE), IC_STATUS_INVALID_ARGUMENT);
    assert_true(logged("hvfilecopyd: the copy failed with 0x80070057; nothing is left of it\n"));
    assert_nothing_left();
    assert_int_equal(START(u"/x"), IC_STATUS_OK);
    service_tell(&short_one, sizeof short_one);
    assert_int_equal(write_piece(0), IC_STATUS_INVALID_ARGUMENT);
    assert_nothing_left();
    give_piece(0);                      /* without a beginning; the next beginning forgets it */
    assert_int_equal(START(u"/x"), IC_STATUS_OK);
    give_piece(0);
    give_piece(PIECE);
    assert_int_equal(operation(IC_FILE_COPY_COMPLETE), IC_STATUS_OK);
    assert_int_equal(file_size("place/x"), 2 * PIECE);
    give_piece(0);
    service_send(SERVICE_CONTROL_RESET, 0, NULL, 0);
    assert_copy_works();
}

/* The steps of a copy, each the last that the daemon takes. */
static void killed_after(unsigned steps)
{
    unsigned taken = 0;

    file_daemon();
    if (taken++ < steps)
        assert_int_equal(START(u"/x"), IC_STATUS_OK);
    if (taken++ < steps)
        assert_int_equal(write_piece(0), IC_STATUS_OK);
    if (taken++ < steps)
        give_piece(PIECE);
    assert_int_equal(daemon_end(SIGKILL), KILLED);
    assert_int_equal(file_size("place/x"), -1);
    service_hang_up();
    file_daemon();
    assert_nothing_left();
    assert_int_equal(logged("removed what a copy that was cut short left"), steps > 0);
    assert_copy_works();
    assert_int_equal(daemon_end(SIGTERM), 0);
    service_hang_up();
    truncate(in_scratch("log"), 0);
}

static void a_daemon_that_is_killed_at_any_step_of_a_copy_leaves_nothing(void **state)
{
    for (unsigned steps = 0; steps <= 3; steps++)
        killed_after(steps);
    file_daemon();
    assert_int_equal(START(u"/x"), IC_STATUS_OK);
    assert_int_equal(write_piece(0), IC_STATUS_OK);
    assert_int_equal(write_piece(PIECE), IC_STATUS_OK);
    assert_int_equal(operation(IC_FILE_COPY_COMPLETE), IC_STATUS_OK);
    assert_int_equal(daemon_end(SIGKILL), KILLED);      /* what the host was told is there stays */
    service_hang_up();
    file_daemon();
    assert_int_equal(file_size("place/x"), 2 * PIECE);
}

static void a_signal_or_a_host_that_begins_anew_in_mid_copy_leaves_nothing(void **state)
{
    file_daemon();
    assert_int_equal(START(u"/x"), IC_STATUS_OK);
    give_piece(0);
    service_send(SERVICE_CONTROL_RESET, 0, NULL, 0);
    assert_int_equal(operation(IC_FILE_COPY_COMPLETE), IC_STATUS_FAIL);
    assert_nothing_left();
    assert_int_equal(START(u"/x"), IC_STATUS_OK);
    assert_int_equal(write_piece(0), IC_STATUS_OK);
    assert_int_equal(daemon_end(SIGTERM), 0);
    assert_nothing_left();
}

/* ---- time ---- */

static int time_setup(void **state)
{
    int failed = scratch_make(state);

    service_open(SERVICE_CONTROL_TIME_SYNC);
    return failed;
}

static void tell_time(uint64_t host_time, uint32_t size)
{
    const struct service_control_time time = { .host_time = host_time, .flags = IC_TIME_SYNC };

    service_tell(&time, size);
}

static void impossible_and_cut_times_leave_the_clock_alone(void **state)
{
    static const char line[] =
        "hvtimesyncd: the host says an impossible time; the clock stays as it is\n";
    const uint64_t soon = IC_TIME_UNIX_EPOCH + UINT64_C(4000000000) * IC_TIME_UNITS_PER_SECOND;
    const struct { uint64_t host_time; uint32_t size; bool impossible; } bad[] = {
        { 0, 16, true },                            /* 1601 */
        { INT64_MAX, 16, true },                    /* 30828 */
        { UINT64_MAX, 16, true }, { soon, 15, false }, { soon, 17, false }, { soon, 0, false },
    };
    char clock[64];
    const char *const options[] = { "--foreground", "--controls", service.controls, "--clock-file",
                                    clock, NULL };

    snprintf(clock, sizeof clock, "%s/clock", scratch);
    daemon_begin("hvtimesyncd", options);
    service_serve();
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t body[32] = { 0 };

        memcpy(body, &bad[i].host_time, 8);
        service_tell(body, bad[i].size);
        assert_int_equal(service_ask(NULL, 0), IC_STATUS_NOT_SUPPORTED);    /* it has heard */
        assert_int_equal(logged(line), bad[i].impossible);
        assert_int_equal(file_size("clock"), -1);
        truncate(in_scratch("log"), 0);
    }
    tell_time(soon, 16);
    assert_int_equal(service_ask(NULL, 0), IC_STATUS_NOT_SUPPORTED);
    assert_true(logged("hvtimesyncd: the clock is set forward by "));
    assert_true(file_size("clock") > 0);
}

/* ---- shutdown, backup, pairs ---- */

static int bare_setup(void **state)
{
    return scratch_make(state);
}

static void shutdowns_that_are_cut_or_hibernate_run_nothing(void **state)
{
    struct ic_shutdown body = { .flags = IC_SHUTDOWN_HIBERNATE };
    char command[96];
    const char *const options[] = { "--foreground", "--controls", service.controls, "--command",
                                    command, NULL };

    service_open(SERVICE_CONTROL_SHUTDOWN);
    snprintf(command, sizeof command, "echo $1 $2 >>%s/ran", scratch);
    daemon_begin("hvshutdownd", options);
    service_serve();
    for (uint32_t size = 0; size < IC_SHUTDOWN_SIZE_MINIMUM; size++) {
        assert_int_equal(service_ask(&body, size), IC_STATUS_INVALID_ARGUMENT);
        service_tell(&body, size);
    }
    assert_int_equal(service_ask(&body, sizeof body), IC_STATUS_NOT_SUPPORTED);
    assert_int_equal(file_size("ran"), -1);
    body.flags = IC_SHUTDOWN_RESTART | IC_SHUTDOWN_FORCE;
    assert_int_equal(service_ask(&body, sizeof body), IC_STATUS_OK);
    assert_int_equal(file_size("ran"), -1);             /* not before the host has the answer */
    service_tell(&body, sizeof body);
    assert_int_equal(service_ask(&body, sizeof body), IC_STATUS_OK);
    assert_string_equal(text_of("ran"), "restart force\n");
    assert_true(logged("hvshutdownd: the host asks for a restart by force, reason 0x00000000\n"));
}

/* Asked, and told to do it with what the service keeps of the request. */
static void shut_down(const struct ic_shutdown *body, uint32_t size)
{
    assert_int_equal(service_ask(body, size), IC_STATUS_OK);
    service_tell(body, IC_SHUTDOWN_SIZE_MINIMUM);
}

static void the_hosts_reason_is_one_line_of_the_log_however_it_comes(void **state)
{
    static const uint16_t lines[] = u"new disk\nhvshutdownd: forged \x7F";
    static const uint16_t lone[] = { 'a', 0xD800, 'b', 0 };
    struct ic_shutdown body = { .reason = 0x80000000 };
    const char *const options[] = { "--foreground", "--controls", service.controls, "--command",
                                    "true", NULL };

    service_open(SERVICE_CONTROL_SHUTDOWN);
    daemon_begin("hvshutdownd", options);
    service_serve();
    memcpy(body.text, lines, sizeof lines);
    shut_down(&body, sizeof body);
    memcpy(body.text, lone, sizeof lone);
    shut_down(&body, sizeof body);
    shut_down(&body, offsetof(struct ic_shutdown, text) + 3);        /* and a half */
    memset(body.text, 'x', sizeof body.text);                           /* without an end */
    shut_down(&body, sizeof body);
    assert_int_equal(service_ask(&body, sizeof body), IC_STATUS_OK);
    assert_true(logged("for a shutdown, reason 0x80000000: new disk hvshutdownd: forged  \n"));
    assert_true(logged("for a shutdown, reason 0x80000000: a\xEF\xBF\xBD" "b\n"));
    assert_true(logged("for a shutdown, reason 0x80000000: a\n"));
}

static void a_backup_daemon_that_is_killed_while_frozen_is_thawed_by_the_next(void **state)
{
    const struct ic_vss_freeze freeze = { .header.operation = IC_VSS_FREEZE };
    const uint8_t unknown[8] = { 0x77 };
    char hook[96];
    const char *const options[] = { "--foreground", "--controls", service.controls, "--journal",
                                    journal, "--hook", hook, NULL };

    service_open(SERVICE_CONTROL_BACKUP);
    snprintf(journal, sizeof journal, "%s/journal", scratch);
    snprintf(hook, sizeof hook, "echo $1 >>%s/hooks", scratch);
    daemon_begin("hvbackupd", options);
    service_serve();
    for (uint32_t size = 0; size < sizeof unknown; size++)
        assert_int_equal(service_ask(unknown, size), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(service_ask(unknown, sizeof unknown), IC_STATUS_NOT_SUPPORTED);
    assert_int_equal(service_ask(&freeze, sizeof freeze), IC_STATUS_OK);
    assert_int_equal(daemon_end(SIGKILL), KILLED);
    assert_string_equal(text_of("hooks"), "freeze\n");
    service_hang_up();
    daemon_begin("hvbackupd", options);
    service_serve();
    assert_string_equal(text_of("hooks"), "freeze\nthaw\n");
    assert_int_equal(file_size("journal"), -1);
}

static uint32_t pair(uint8_t action, const char *key, const char *value)
{
    struct ic_kvp_exchange body = { .header = { action, IC_KVP_POOL_EXTERNAL } };

    body.item.type = IC_KVP_TYPE_STRING;
    for (body.item.key_size = 0; *key != '\0'; body.item.key_size += 2)
        body.item.key[body.item.key_size] = (uint8_t)*key++;
    for (body.item.value_size = 0; *value != '\0'; body.item.value_size += 2)
        body.item.value[body.item.value_size] = (uint8_t)*value++;
    return service_ask(&body, sizeof body);
}

static void a_pair_daemon_that_is_killed_keeps_what_it_has_confirmed(void **state)
{
    static const uint8_t request[8192] = { IC_KVP_GET };
    char pools[64];
    const char *const options[] = { "--foreground", "--controls", service.controls, "--pools",
                                    pools, NULL };

    service_open(SERVICE_CONTROL_KVP);
    snprintf(pools, sizeof pools, "%s/pools", scratch);
    daemon_begin("hvkvpd", options);
    service_serve();
    for (uint32_t size = 0; size < sizeof(struct ic_kvp_exchange); size += 97)
        assert_int_not_equal(service_ask(request, size), IC_STATUS_OK);
    assert_true(logged("hvkvpd: request 0 was refused with 0x80070057\n"));
    assert_int_equal(pair(IC_KVP_SET, "colour", "red"), IC_STATUS_OK);
    assert_int_equal(daemon_end(SIGKILL), KILLED);
    service_hang_up();
    daemon_begin("hvkvpd", options);
    service_serve();
    assert_int_equal(pair(IC_KVP_GET, "colour", ""), IC_STATUS_OK);
    assert_int_equal(pair(IC_KVP_GET, "size", ""), IC_STATUS_NO_MORE_ITEMS);
}

int main(void)
{
#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, file_setup, service_close)
    const struct CMUnitTest tests[] = {
        FILE_TEST(a_surrogate_alone_is_no_name),
        FILE_TEST(a_name_of_260_characters_has_no_end),
        FILE_TEST(a_name_ends_at_its_first_nul_and_may_not_be_empty),
        FILE_TEST(dots_control_characters_and_relative_paths_are_refused),
        FILE_TEST(devices_and_links_in_the_middle_and_at_the_end_are_refused),
        FILE_TEST(messages_too_short_for_what_they_say_are_refused),
        FILE_TEST(what_is_out_of_turn_fails_and_leaves_nothing),
        FILE_TEST(what_goes_wrong_with_a_piece_ahead_is_the_next_requests_status),
        FILE_TEST(a_daemon_that_is_killed_at_any_step_of_a_copy_leaves_nothing),
        FILE_TEST(a_signal_or_a_host_that_begins_anew_in_mid_copy_leaves_nothing),
        cmocka_unit_test_setup_teardown(impossible_and_cut_times_leave_the_clock_alone, time_setup,
                                        service_close),
        cmocka_unit_test_setup_teardown(shutdowns_that_are_cut_or_hibernate_run_nothing,
                                        bare_setup, service_close),
        cmocka_unit_test_setup_teardown(
            the_hosts_reason_is_one_line_of_the_log_however_it_comes, bare_setup, service_close),
        cmocka_unit_test_setup_teardown(
            a_backup_daemon_that_is_killed_while_frozen_is_thawed_by_the_next, bare_setup,
            service_close),
        cmocka_unit_test_setup_teardown(a_pair_daemon_that_is_killed_keeps_what_it_has_confirmed,
                                        bare_setup, service_close),
    };

    return cmocka_run_group_tests_name("hostile_requests", tests, NULL, NULL);
}
