/* SPDX-License-Identifier: BSD-3-Clause */
/* Options, signals and the loop of a daemon. */
#include "daemons/common/private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_OK = 0, EXIT_SYSTEM = 1, EXIT_USAGE = 2 };
enum { RETRY_MS = 500, RETRY_BUSY_MS = 5000 };

#ifndef DAEMON_VERSION
#define DAEMON_VERSION "unknown"
#endif

static int signal_pipe[2] = { -1, -1 };
static const char *foreground, *debugging;
static const char *controls = "/var/run/machv";

/* ---- Options ---- */

static const struct daemon_option common_options[] = {
    { "--foreground", NULL, "log to standard error, not to the system log", &foreground },
    { "--debug", NULL, "log more", &debugging },
#ifndef __APPLE__
    { "--controls", "FOLDER", "where kextrun --kernel-controls puts its sockets", &controls },
#endif
    { NULL, NULL, NULL, NULL },
};

static void print_options(const struct daemon_option *option)
{
    for (; option != NULL && option->word != NULL; option++)
        printf("  %s%s%-*s %s\n", option->word, option->value != NULL ? " " : "",
               (int)(24 - strlen(option->word)), option->value != NULL ? option->value : " ",
               option->help);
}

static int print_help(const struct daemon_program *program)
{
    printf("usage: %s [OPTION...]\n%s\n\n", program->name, program->purpose);
    print_options(program->options);
    print_options(common_options);
    printf("  -h, --help                show this\n"
           "  --version                 show the version\n");
    return EXIT_OK;
}

static const struct daemon_option *find(const struct daemon_option *option, const char *word)
{
    while (option != NULL && option->word != NULL && strcmp(option->word, word) != 0)
        option++;
    return option != NULL && option->word != NULL ? option : NULL;
}

/* Returns -1, or an exit status when that is all. */
static int read_options(int argc, char **argv, const struct daemon_program *program)
{
    int i;

    for (i = 1; i < argc; i++) {
        const struct daemon_option *option = find(program->options, argv[i]);

        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
            return print_help(program);
        if (strcmp(argv[i], "--version") == 0) {
            printf("%s %s\n", program->name, DAEMON_VERSION);
            return EXIT_OK;
        }
        if (option == NULL)
            option = find(common_options, argv[i]);
        if (option == NULL || (option->value != NULL && i + 1 == argc)) {
            fprintf(stderr, "%s: %s: %s; try --help\n", program->name, argv[i],
                    option == NULL ? "not an option" : "a value is missing");
            return EXIT_USAGE;
        }
        *option->text = option->value != NULL ? argv[++i] : argv[i];
    }
    return -1;
}

/* ---- Signals and time ---- */

static void take_signal(int number)
{
    char byte = (char)number;
    ssize_t written = write(signal_pipe[1], &byte, 1);

    (void)written;                      /* full: there is one in it */
}

static int catch_signals(void)
{
    struct sigaction action;

    if (pipe(signal_pipe) != 0)
        return -1;
    fcntl(signal_pipe[0], F_SETFD, FD_CLOEXEC);
    fcntl(signal_pipe[1], F_SETFD, FD_CLOEXEC);
    fcntl(signal_pipe[1], F_SETFL, O_NONBLOCK);
    memset(&action, 0, sizeof action);
    action.sa_handler = take_signal;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);           /* a file too large is an error, no reason to die */
    return 0;
}

/* ---- The loop ---- */

static void tick(const struct daemon_program *program)
{
    if (program->wait_ms != NULL && program->wait_ms() == 0)
        program->timer();
}

/* Waits for input of `descriptor` (-1: for nothing), at most `limit` ms (-1: for ever). Returns 1:
 * there is some; 0: not; -1: the program is to end. */
static int wait_for(const struct daemon_program *program, int descriptor, int limit)
{
    struct pollfd waits[2] = { { signal_pipe[0], POLLIN, 0 }, { descriptor, POLLIN, 0 } };
    int due = program->wait_ms != NULL ? program->wait_ms() : -1;
    int result;

    if (due >= 0 && (limit < 0 || due < limit))
        limit = due;
    result = poll(waits, descriptor >= 0 ? 2 : 1, limit);
    tick(program);
    if (result > 0 && waits[0].revents != 0)
        return -1;
    return result > 0 && waits[1].revents != 0 ? 1 : 0;
}

/* Serves one connection. Returns false when the program is to end. *welcome: the service took us.
 */
static bool serve(const struct daemon_program *program, int descriptor, bool *welcome)
{
    static uint8_t message[SERVICE_CONTROL_MAXIMUM + 1];
    struct conversation conversation;
    int ready = 0;

    if (conversation_begin(&conversation, program, descriptor) != 0)
        return true;
    while ((ready = wait_for(program, descriptor, -1)) >= 0) {
        ssize_t length;

        if (ready == 0)
            continue;
        length = recv(descriptor, message, sizeof message, 0);
        if (length < 0 && errno == EINTR)
            continue;
        if (length <= 0 || (size_t)length > SERVICE_CONTROL_MAXIMUM ||
            conversation_take(&conversation, message, (uint32_t)length) == CONVERSATION_OVER)
            break;
    }
    *welcome = conversation.welcomed;
    if (conversation.welcomed)
        daemon_log("the service is gone");
    return ready >= 0;
}

/* Waits until the service may be there, by why it is not. Returns as wait_for(). */
static int wait_for_service(const struct daemon_program *program, int error, int *told)
{
    if (error != *told)
        daemon_log("%s: %s; waiting for it", program->control, strerror(error));
    *told = error;
    return wait_for(program, -1, error == EBUSY ? RETRY_BUSY_MS : RETRY_MS);
}

static int run(const struct daemon_program *program)
{
    bool goes_on = true;
    int told = 0;

    while (goes_on) {
        int descriptor = service_socket_open(program->control, controls);
        int error = errno;

        if (descriptor >= 0) {
            bool welcome = false;

            goes_on = serve(program, descriptor, &welcome);
            if (program->reset != NULL)
                program->reset();
            close(descriptor);
            /* Either it went, which has been said, or it refused us: somebody else is there. */
            error = welcome ? ENOENT : EBUSY;
            if (welcome)
                told = ENOENT;
        }
        if (goes_on)
            goes_on = wait_for_service(program, error, &told) >= 0;
    }
    return EXIT_OK;
}

int daemon_main(int argc, char **argv, const struct daemon_program *program)
{
    int status = read_options(argc, argv, program);

    if (status >= 0)
        return status;
    daemon_log_open(program->name, foreground != NULL, debugging != NULL);
    if (catch_signals() != 0) {
        daemon_error("no pipe: %s", strerror(errno));
        return EXIT_SYSTEM;
    }
    if (program->start != NULL) {
        status = program->start();
        if (status != 0)
            return status;
    }
    daemon_log_started();
    return run(program);
}

/* ---- Help for the programs ---- */

uint64_t daemon_uptime(void)
{
#ifdef __APPLE__
    extern uint64_t mach_absolute_time(void);   /* nanoseconds on Intel */

    return mach_absolute_time();
#else
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}
