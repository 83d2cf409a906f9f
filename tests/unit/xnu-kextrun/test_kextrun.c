/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program kextrun from outside: what it prints, how it ends, its control socket. Arguments:
 * kextlink, kextrun.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdbool.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/xnu-loader/kext_builder.h"
#include "xnu/machine/panic.h"

#define LIBRARIES                                                                                 \
    "<key>OSBundleLibraries</key><dict><key>com.apple.kpi.libkern</key><string>10.0</string>"     \
    "<key>com.apple.kpi.iokit</key><string>10.0</string>"                                         \
    "<key>com.apple.kpi.bsd</key><string>10.0</string></dict>"
#define HELLO "org.machv.test.hello"

static const char *kextrun;

/* A running kextrun; both outputs in one pipe. */
struct program {
    pid_t process;
    int output;
    char text[1 << 17];
    size_t length;
};

static struct program program;

static void start(const char *const arguments[]) {
    const char *all[24] = {kextrun};
    int ends[2];
    for (unsigned i = 0; arguments[i] != NULL; i++) {
        all[i + 1] = arguments[i];
    }
    assert_int_equal(pipe(ends), 0);
    program.length = 0;
    program.text[0] = '\0';
    fflush(NULL);
    program.process = fork();
    if (program.process == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv(kextrun, (char *const *)(uintptr_t)all);
        _exit(127);
    }
    close(ends[1]);
    program.output = ends[0];
}

/* Reads what comes; false at the end of the output. */
static bool read_more(void) {
    struct pollfd polled = {.fd = program.output, .events = POLLIN};
    if (poll(&polled, 1, 30000) != 1) {
        kill(program.process, SIGKILL);
        fail_msg("kextrun says no more: %s", program.text);
    }
    ssize_t count = read(program.output, program.text + program.length,
                         sizeof program.text - 1 - program.length);
    if (count <= 0) {
        return false;
    }
    program.length += (size_t)count;
    program.text[program.length] = '\0';
    return true;
}

static void wait_for(const char *text) {
    while (strstr(program.text, text) == NULL) {
        if (!read_more()) {
            fail_msg("never said \"%s\" but: %s", text, program.text);
        }
    }
}

static int finish(void) {
    int status;
    while (read_more()) {
    }
    close(program.output);
    assert_int_equal(waitpid(program.process, &status, 0), program.process);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static int run(const char *const arguments[]) {
    start(arguments);
    return finish();
}

static void assert_said(int status, int expected, const char *text) {
    if (status != expected || strstr(program.text, text) == NULL) {
        fail_msg("status %d, expected %d and \"%s\": %s", status, expected, text, program.text);
    }
}

static const char *hello(const char *flags) {
    size_t size;
    uint8_t *executable = builder_kext("x86_64", "hello", flags, &size);
    const char *path = builder_bundle("hello", HELLO, LIBRARIES, executable, size);
    free(executable);
    return path;
}

static const char *socket_path(const char *name) {
    static char paths[4][300];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", builder_folder(), name);
    return path;
}

/* ---- good runs ------------------------------------------------------------------------------ */

static void a_kext_says_hello_and_goodbye(void **state) {
    int status = RUN("--ioreg", "--macos", "10.13", "--verbose", hello(""));
    assert_said(status, 0, "hello from org.machv.test.hello 1.0\n");
    assert_said(status, 0, "goodbye from org.machv.test.hello\n");
    assert_said(status, 0, "+-o Root  <class IORegistryEntry");
    assert_said(status, 0, "kextrun: org.machv.test.hello 1.0 at 0x");
}

static void every_release_is_there(void **state) {
    static const char *const releases[] = {"10.6", "10.8.5", "10.11", "10.15", "11", "12", "26"};
    const char *path = hello("");
    for (size_t i = 0; i < sizeof releases / sizeof releases[0]; i++) {
        assert_said(RUN("--ioreg", "--macos", releases[i], path), 0, "goodbye from");
    }
}

static void a_deterministic_run_prints_its_seed(void **state) {
    const char *path = hello("");
    int status = RUN("--ioreg", "--deterministic", "--seed", "77", "--processors", "3", path);
    assert_said(status, 0, "kextrun: deterministic, seed 77\n");
    assert_said(status, 0, "goodbye from");
    assert_said(RUN("--ioreg", "--deterministic", path), 0, "kextrun: deterministic, seed ");
}

static void the_control_socket_answers_and_quits(void **state) {
    const char *socket = socket_path("control");
    start((const char *const[]){"--control", socket, hello(""), NULL});
    wait_for("hello from");
    struct program machine = program;
    assert_said(RUN("ioreg", "--control", socket), 0, "AppleACPIPlatformExpert");
    assert_said(RUN("ioreg", "--control", socket, "--json"), 0, "{");
    assert_said(RUN("ioreg", "--control", socket, "--plane", "IOPower"), 0, "Root");
    assert_said(RUN("ioreg", "--control", socket, "--plane", "Nowhere"), MACHINE_EXIT_FAILURE,
                "kextrun: there is no plane Nowhere\n");
    assert_said(RUN("stats", "--control", socket), 0, "\nkexts 1\n");
    assert_said(RUN("stats", "--control", socket), 0,
                "\nnbd-bytes-moved 0\nnbd-bytes-copied 0\nbounce-bytes 0\n");
    assert_said(RUN("log", "--control", socket), 0, "hello from org.machv.test.hello 1.0\n");
    assert_said(RUN("wake", "--control", socket), 1, "kextrun: the machine does not sleep");
    assert_said(RUN("sleep", "--control", socket), 0, ""); /* no driver forbids it */
    assert_said(RUN("sleep", "--force", "--control", socket), 1,
                "kextrun: the machine sleeps already");
    assert_said(RUN("wake", "--control", socket), 0, "");
    assert_said(RUN("sleep", "--control", socket), 0, "");
    assert_said(RUN("quit", "--control", socket), 0, ""); /* a machine that sleeps ends as well */
    program = machine;
    assert_said(finish(), 0, "goodbye from");
    assert_int_not_equal(access(socket, F_OK), 0); /* and the socket is gone */
    assert_said(RUN("stats", "--control", socket), MACHINE_EXIT_FAILURE, "kextrun: no kextrun at");
}

static void signals_end_it_in_order(void **state) {
    static const int signals[] = {SIGTERM, SIGINT};
    const char *path = hello("");
    for (unsigned i = 0; i < 2; i++) {
        start((const char *const[]){path, NULL});
        wait_for("hello from");
        assert_int_equal(kill(program.process, signals[i]), 0);
        assert_said(finish(), 0, "goodbye from");
    }
}

static void a_stale_control_socket_is_replaced_a_live_one_is_not(void **state) {
    const char *socket_file = socket_path("stale");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, socket_file);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    const char *path = hello("");
    assert_said(RUN("--ioreg", "--control", socket_file, path), MACHINE_EXIT_FAILURE,
                "kextrun: cannot listen at");
    close(listener);
    assert_said(RUN("--ioreg", "--control", socket_file, path), 0, "goodbye from");
}

/* ---- bad requests on the control socket ----------------------------------------------------- */

static void ask(const char *socket_file, const void *bytes, size_t size, char *answer,
                size_t answer_size) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, socket_file);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(client, bytes, size, MSG_NOSIGNAL), size);
    shutdown(client, SHUT_WR);
    size_t length = 0;
    ssize_t count;
    while ((count = recv(client, answer + length, answer_size - 1 - length, 0)) > 0) {
        length += (size_t)count;
    }
    answer[length] = '\0';
    close(client);
}

static void the_control_socket_survives_nonsense(void **state) {
    const char *socket_file = socket_path("nonsense");
    char answer[4096], endless[4096];
    memset(endless, 'a', sizeof endless);
    start((const char *const[]){"--control", socket_file, hello(""), NULL});
    wait_for("hello from");
    ask(socket_file, "what\n", 5, answer, sizeof answer);
    assert_string_equal(answer, "usage there is no command what\n");
    ask(socket_file, "no end", 6, answer, sizeof answer);
    assert_string_equal(answer, "");
    ask(socket_file, "\n", 1, answer, sizeof answer);
    assert_string_equal(answer, "usage there is no command \n");
    ask(socket_file, endless, sizeof endless, answer, sizeof answer);
    ask(socket_file, "\0\0\n", 3, answer, sizeof answer);
    struct program machine = program;
    assert_said(RUN("display", "bogus", "--control", socket_file), MACHINE_EXIT_USAGE,
                "kextrun: display takes modes, set WIDTHxHEIGHT, draw FILE or console");
    assert_said(RUN("display", "set", "wide", "--control", socket_file), MACHINE_EXIT_USAGE,
                "kextrun: display set needs a size such as 1920x1080");
    assert_said(RUN("set", "Class", "--control", socket_file), MACHINE_EXIT_USAGE,
                "kextrun: set takes CLASS PROPERTY TEXT");
    assert_said(RUN("quit", "--control", socket_file), 0, "");
    program = machine;
    assert_said(finish(), 0, "goodbye from");
}

static void without_an_interface_the_stack_says_so(void **state) {
    const char *socket_file = socket_path("net");
    char answer[4096];
    start((const char *const[]){"--control", socket_file, hello(""), NULL});
    wait_for("hello from");
    ask(socket_file, "net list json\n", 14, answer, sizeof answer);
    assert_string_equal(answer, "ok\n[]\n");
    ask(socket_file, "net list\n", 9, answer, sizeof answer);
    assert_string_equal(answer, "ok\n");
    ask(socket_file, "net connect 10.0.2.2 80\n", 24, answer, sizeof answer);
    assert_string_equal(answer, "error en0 is not plugged into the TCP/IP stack (--net stack)\n");
    ask(socket_file, "net\n", 4, answer, sizeof answer);
    assert_string_equal(answer, "usage there is no command net\n");
    struct program machine = program;
    assert_said(RUN("net", "ping", "10.0.2.2", "--control", socket_file), MACHINE_EXIT_FAILURE,
                "kextrun: en0 is not plugged into the TCP/IP stack");
    assert_said(RUN("quit", "--control", socket_file), 0, "");
    program = machine;
    assert_said(finish(), 0, "goodbye from");
}

/* ---- failures, one line each ---------------------------------------------------------------- */

static void wrong_usage_has_status_2(void **state) {
    assert_said(RUN("--bogus"), 2, "kextrun: unknown option --bogus (see kextrun --help)\n");
    assert_said(RUN("--memory"), 2, "kextrun: option --memory needs a value");
    assert_said(RUN("--memory", "much", "x"), 2, "kextrun: --memory much: ");
    assert_said(RUN("--processors", "0", "x"), 2, "kextrun: --processors 0: ");
    assert_said(RUN("--processors", "65", "x"), 2, "kextrun: --processors 65: ");
    assert_said(RUN("--macos", "9", "x"), 2, "kextrun: --macos 9: ");
    assert_said(RUN("--macos", "cat", "x"), 2, "kextrun: --macos cat: ");
    assert_said(RUN("--arch", "ppc", "x"), 2, "kextrun: --arch ppc: ");
    assert_said(RUN("--seed", "-1", "x"), 2, "kextrun: --seed -1: ");
    assert_said(RUN("--verbose"), 2, "kextrun: no kext was given");
    assert_said(RUN("ioreg"), 2, "kextrun: ioreg needs --control SOCKET");
    assert_said(RUN("quit", "now", "--control", "x"), 2, "kextrun: quit is followed by");
    assert_said(RUN("--net", "wire", "x"), 2,
                "kextrun: --net wire: stack, tap=NAME or none is wanted");
    assert_said(RUN("--net", "tap=", "x"), 2, "kextrun: --net tap=: ");
    assert_said(RUN("net", "drop", "--control", "x"), 2, "kextrun: net drop: list, ping ");
    assert_said(RUN("net", "ping", "--control", "x"), 2, "kextrun: net ping: ");
    assert_said(RUN("net", "fetch", "ftp://10.0.2.2/", "--control", "x"), 2,
                "kextrun: net fetch ftp:");
    assert_said(RUN("net", "fetch", "http://:80/", "--control", "x"), 2,
                "kextrun: net fetch http://:80/");
    assert_said(RUN("net"), 2, "kextrun: net needs --control SOCKET");
    assert_said(RUN("--help"), 0, "usage: kextrun");
    assert_said(RUN("--version"), 0, "kextrun 0");
}

static void kexts_that_cannot_run_have_their_statuses(void **state) {
    assert_said(RUN("/nonexistent.kext"), MACHINE_EXIT_KEXT,
                "kextrun: /nonexistent.kext: there is no kext bundle; check the path");
    assert_said(RUN(hello("-DUNKNOWN")), MACHINE_EXIT_LINK,
                "kextrun: " HELLO ": missing symbol, exported by none of its libraries: "
                "_no_such_function_anywhere");
    assert_said(RUN(hello("-DFAIL_START")), MACHINE_EXIT_START,
                "kextrun: " HELLO ": its start function returned 0x5");
    assert_said(RUN("--ioreg", hello("-DFAIL_STOP")), MACHINE_EXIT_START,
                "kextrun: " HELLO ": its stop function returned 0x5");
    assert_said(RUN(hello("-DPANIC")), MACHINE_EXIT_PANIC, "): hello 42");
    assert_said(RUN(hello("-DCRASH")), MACHINE_EXIT_CRASH, "page fault writing address 0x8 at");
    assert_said(RUN("--arch", "i386", hello("")), MACHINE_EXIT_KEXT,
                "kextrun: " HELLO ": the executable is for processor type 0x1000007, not for i386");
    assert_non_null(strstr(program.text, "kextrun: "));
}

static void missing_and_vanishing_hosts_have_status_6(void **state) {
    const char *path = hello("");
    assert_said(RUN("--partition", "/nonexistent", path), MACHINE_EXIT_PARTITION,
                "kextrun: no host at /nonexistent: No such file or directory; "
                "start one with: hvhost");
    /* One that accepts and goes away. */
    const char *socket_file = socket_path("host");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, socket_file);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    start((const char *const[]){"--partition", socket_file, path, NULL});
    close(accept(listener, NULL, NULL));
    assert_said(finish(), MACHINE_EXIT_PARTITION, "kextrun: ");
    close(listener);
}

int main(int argc, char **argv) {
    builder_kextlink = argc > 1 ? argv[1] : NULL;
    kextrun = argc > 2 ? argv[2] : NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kext_says_hello_and_goodbye),
        cmocka_unit_test(every_release_is_there),
        cmocka_unit_test(a_deterministic_run_prints_its_seed),
        cmocka_unit_test(the_control_socket_answers_and_quits),
        cmocka_unit_test(signals_end_it_in_order),
        cmocka_unit_test(a_stale_control_socket_is_replaced_a_live_one_is_not),
        cmocka_unit_test(the_control_socket_survives_nonsense),
        cmocka_unit_test(without_an_interface_the_stack_says_so),
        cmocka_unit_test(wrong_usage_has_status_2),
        cmocka_unit_test(kexts_that_cannot_run_have_their_statuses),
        cmocka_unit_test(missing_and_vanishing_hosts_have_status_6),
    };
    return cmocka_run_group_tests(tests, builder_setup, builder_teardown);
}
