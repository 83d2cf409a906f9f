/* SPDX-License-Identifier: BSD-3-Clause */
/* The daemons as programs: options, exit status, log, signals, and a service that says what it
 * should not. */
#include <sched.h>
#include <sys/mount.h>

#include "tests/unit/daemons/played_service.h"

enum { EXIT_OK = 0, EXIT_SYSTEM = 1, EXIT_USAGE = 2 };

static const char *const names[] = { "hvshutdownd", "hvtimesyncd", "hvfilecopyd", "hvkvpd",
                                     "hvbackupd" };
enum { NAMES = sizeof names / sizeof *names };

/* Runs the program to its end, with one word or two. */
static int run(const char *name, const char *first, const char *second)
{
    const char *const options[] = { first, second, NULL };

    unlink(in_scratch("log"));
    daemon_begin(name, options);
    return daemon_end(0);
}

static void every_daemon_shows_its_options(void **state)
{
    char usage[64];

    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(usage, sizeof usage, "usage: %s [OPTION...]\n", names[i]);
        assert_int_equal(run(names[i], "-h", NULL), EXIT_OK);
        assert_memory_equal(text_of("output"), usage, strlen(usage));
        assert_non_null(strstr(text_of("output"), "--foreground"));
        assert_non_null(strstr(text_of("output"), "--debug"));
        assert_string_equal(text_of("log"), "");
        assert_int_equal(run(names[i], "--help", NULL), EXIT_OK);
        assert_memory_equal(text_of("output"), usage, strlen(usage));
    }
}

static void every_daemon_says_its_version(void **state)
{
    unsigned major, minor, patch;
    char name[32], rest;

    for (unsigned i = 0; i < NAMES; i++) {
        assert_int_equal(run(names[i], "--version", NULL), EXIT_OK);
        assert_int_equal(sscanf(text_of("output"), "%31s %u.%u.%u%c", name, &major, &minor,
                                &patch, &rest), 5);
        assert_string_equal(name, names[i]);
        assert_int_equal(rest, '\n');
    }
}

static void what_is_no_option_is_one_line_and_status_2(void **state)
{
    char line[96];

    for (unsigned i = 0; i < NAMES; i++) {
        assert_int_equal(run(names[i], "--nonsense", NULL), EXIT_USAGE);
        snprintf(line, sizeof line, "%s: --nonsense: not an option; try --help\n", names[i]);
        assert_string_equal(text_of("log"), line);
        assert_int_equal(run(names[i], "--foreground", "--controls"), EXIT_USAGE);
        snprintf(line, sizeof line, "%s: --controls: a value is missing; try --help\n", names[i]);
        assert_string_equal(text_of("log"), line);
    }
}

static void what_would_change_this_machine_must_be_said(void **state)
{
    assert_int_equal(run("hvshutdownd", "--foreground", NULL), EXIT_USAGE);
    assert_string_equal(text_of("log"),
                        "hvshutdownd: --command is needed on a system that is not macOS\n");
    assert_int_equal(run("hvtimesyncd", "--foreground", NULL), EXIT_USAGE);
    assert_string_equal(text_of("log"),
                        "hvtimesyncd: --clock-file is needed on a system that is not macOS\n");
}

static void what_keeps_a_daemon_from_starting_is_said_without_foreground_too(void **state)
{
    assert_int_equal(run("hvshutdownd", NULL, NULL), EXIT_USAGE);
    assert_string_equal(text_of("log"),
                        "hvshutdownd: --command is needed on a system that is not macOS\n");
    assert_int_equal(run("hvfilecopyd", "--root", "/nonexistent"), EXIT_SYSTEM);
    assert_string_equal(text_of("log"), "hvfilecopyd: --root /nonexistent: No such file or "
                                        "directory; make the folder first\n");
}

static void a_limit_that_is_none_is_refused(void **state)
{
    static const char *const bad[] = { "0", "3601", "-1", "ten", "10s", "" };

    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(run("hvbackupd", "--limit", bad[i]), EXIT_USAGE);
    }
}

/* ---- log ---- */

/* A time daemon, whose log tells what --debug adds. */
static void time_daemon(const char *first, const char *second)
{
    static char clock[64];
    const char *const options[] = { "--controls", service.controls, "--clock-file", clock, first,
                                    second, NULL };

    snprintf(clock, sizeof clock, "%s/clock", scratch);
    daemon_begin("hvtimesyncd", options);
}

/* A time that is taken, then an impossible one, after whose line all before has been logged. */
static void tell_times(void)
{
    struct service_control_time time = { .host_time = IC_TIME_UNIX_EPOCH, .flags = IC_TIME_SYNC };

    service_tell(&time, sizeof time);
    service_send(SERVICE_CONTROL_GOODBYE, 0, NULL, 0);
    assert_false(service_hear());
}

static void the_log_goes_to_standard_error_when_asked(void **state)
{
    service_open(SERVICE_CONTROL_TIME_SYNC);
    time_daemon("--foreground", NULL);
    service_serve();
    tell_times();
    assert_true(logged("hvtimesyncd: serving org.machv.timesync\n"));
    assert_true(logged("hvtimesyncd: the host says an impossible time; the clock stays"));
    assert_false(logged("host is ahead by"));
    assert_int_equal(daemon_end(SIGTERM), EXIT_OK);
}

static void debug_logs_more(void **state)
{
    service_open(SERVICE_CONTROL_TIME_SYNC);
    time_daemon("--debug", "--foreground");
    service_serve();
    tell_times();
    assert_true(logged("hvtimesyncd: host is ahead by"));
    assert_int_equal(daemon_end(SIGTERM), EXIT_OK);
}

static void otherwise_nothing_goes_to_standard_error(void **state)
{
    service_open(SERVICE_CONTROL_TIME_SYNC);
    time_daemon("--debug", NULL);
    service_serve();
    tell_times();
    assert_int_equal(daemon_end(SIGTERM), EXIT_OK);
    assert_string_equal(text_of("log"), "");
}

static bool write_to(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CLOEXEC);
    bool written = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);

    if (file >= 0)
        close(file);
    return written;
}

/* From here on, for this process and its children, the system log is a socket of the test's. */
static bool own_system_log(void)
{
    char users[32], groups[32];

    snprintf(users, sizeof users, "0 %u 1", geteuid());
    snprintf(groups, sizeof groups, "0 %u 1", getegid());
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_to("/proc/self/uid_map", users) &&
           write_to("/proc/self/setgroups", "deny") && write_to("/proc/self/gid_map", groups) &&
           mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", "/dev", "tmpfs", 0, NULL) == 0 &&
           symlink(in_scratch("syslog"), "/dev/log") == 0;
}

static int listen_to_system_log(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int log = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s/syslog", scratch);
    assert_int_equal(bind(log, (struct sockaddr *)&address, sizeof address), 0);
    return log;
}

/* The next line of the system log has the text. */
static void assert_system_log(int log, const char *text)
{
    char line[1024];
    ssize_t length;

    wait_for_input(log);
    length = recv(log, line, sizeof line - 1, 0);
    assert_true(length > 0);
    line[length] = '\0';
    assert_non_null(strstr(line, text));
}

static void but_to_the_system_log(void **state)
{
    int log = listen_to_system_log();
    const pid_t child = fork();
    int status;

    if (child == 0) {
        if (!own_system_log())
            _exit(1);
        service_open(SERVICE_CONTROL_TIME_SYNC);
        time_daemon(NULL, NULL);
        service_serve();
        tell_times();
        _exit(daemon_end(SIGTERM) == EXIT_OK ? 0 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 1) {
        close(log);
        print_message("no user namespaces here\n");
        skip();
    }
    assert_int_equal(status, 0);
    assert_system_log(log, ": serving org.machv.timesync");
    assert_system_log(log, ": the host says an impossible time; the clock stays as it is");
    assert_system_log(log, ": the service is gone");
    assert_string_equal(text_of("log"), "");
    close(log);
}

/* ---- signals ---- */

static void a_signal_ends_it_in_order_whether_it_serves_or_waits(void **state)
{
    static const int signals[] = { SIGTERM, SIGINT };

    for (unsigned i = 0; i < 2; i++) {
        service_open(SERVICE_CONTROL_TIME_SYNC);
        time_daemon("--foreground", NULL);
        service_serve();
        assert_int_equal(daemon_end(signals[i]), EXIT_OK);
        assert_false(service_hear());
        close(service.listener);
        unlink(in_scratch("controls/" SERVICE_CONTROL_TIME_SYNC));
    }
    service_open(SERVICE_CONTROL_TIME_SYNC);
    time_daemon("--foreground", NULL);
    service_serve();
    service_hang_up();                  /* it waits for the next service ... */
    service_accept();                   /* ... which says nothing */
    assert_int_equal(daemon_end(SIGTERM), EXIT_OK);
}

/* ---- a service that errs ---- */

static void a_service_of_another_version_is_not_served(void **state)
{
    char line[96];

    service_open(SERVICE_CONTROL_TIME_SYNC);
    time_daemon("--foreground", NULL);
    service_accept();
    service_welcome(SERVICE_CONTROL_VERSION + 1);
    assert_false(service_hear());
    snprintf(line, sizeof line, "hvtimesyncd: the kernel extension speaks version %u, this daemon "
             "%u\n", SERVICE_CONTROL_VERSION + 1, SERVICE_CONTROL_VERSION);
    assert_true(logged(line));
    assert_false(logged("serving"));
}

static void what_makes_no_sense_ends_the_conversation_and_a_new_one_begins(void **state)
{
    static const uint8_t huge[SERVICE_CONTROL_MAXIMUM + 1];
    const struct service_control_header wrong_size = { .type = SERVICE_CONTROL_NOTICE, .size = 9 };
    const struct service_control_header unknown = { .type = 99 };
    const struct {
        const void *message;
        size_t length;
    } bad[] = {
        { huge, 1 }, { huge, sizeof unknown - 1 }, { &wrong_size, sizeof wrong_size },
        { &unknown, sizeof unknown }, { huge, sizeof huge },
    };

    service_open(SERVICE_CONTROL_TIME_SYNC);
    time_daemon("--foreground", NULL);
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        service_serve();
        service_say(bad[i].message, bad[i].length);
        assert_false(service_hear());
    }
    service_accept();
    service_send(SERVICE_CONTROL_NOTICE, 0, NULL, 0);   /* before the welcome */
    assert_false(service_hear());
    assert_int_equal(daemon_end(SIGTERM), EXIT_OK);
}

static void a_request_that_nobody_expects_is_refused(void **state)
{
    service_open(SERVICE_CONTROL_TIME_SYNC);
    time_daemon("--foreground", NULL);
    service_serve();
    assert_int_equal(service_ask(NULL, 0), IC_STATUS_NOT_SUPPORTED);
    assert_int_equal(service_ask("x", 1), IC_STATUS_NOT_SUPPORTED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, service_close)
    const struct CMUnitTest tests[] = {
        TEST(every_daemon_shows_its_options),
        TEST(every_daemon_says_its_version),
        TEST(what_is_no_option_is_one_line_and_status_2),
        TEST(what_would_change_this_machine_must_be_said),
        TEST(what_keeps_a_daemon_from_starting_is_said_without_foreground_too),
        TEST(a_limit_that_is_none_is_refused),
        TEST(the_log_goes_to_standard_error_when_asked),
        TEST(debug_logs_more),
        TEST(otherwise_nothing_goes_to_standard_error),
        TEST(but_to_the_system_log),
        TEST(a_signal_ends_it_in_order_whether_it_serves_or_waits),
        TEST(a_service_of_another_version_is_not_served),
        TEST(what_makes_no_sense_ends_the_conversation_and_a_new_one_begins),
        TEST(a_request_that_nobody_expects_is_refused),
    };

    return cmocka_run_group_tests_name("programs", tests, NULL, NULL);
}
