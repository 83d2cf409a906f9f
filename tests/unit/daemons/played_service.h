/* SPDX-License-Identifier: BSD-3-Clause */
/* A daemon as a program, and the service in the kernel that it talks to, played by the test. The
 * daemon's log is in the scratch folder's file "log". */
#ifndef TESTS_UNIT_DAEMONS_PLAYED_SERVICE_H
#define TESTS_UNIT_DAEMONS_PLAYED_SERVICE_H

#include "tests/unit/daemons/scratch.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "protocol/integration.h"
#include "protocol/service_control.h"

enum { PATIENCE_MS = 60000, OPTIONS_MAXIMUM = 12 };

struct played_service {
    char controls[64]; /* folder of its control, for the daemon */
    const char *control;
    int listener, client;       /* -1: none */
    pid_t daemon;               /* 0: it does not run */
    uint32_t sequence;
    uint8_t message[SERVICE_CONTROL_MAXIMUM];
    struct service_control_header header;   /* of the message */
};

static struct played_service service;

/* ---- the program ---- */

static inline void become(const char *name, const char *const *options)
{
    const char *words[OPTIONS_MAXIMUM + 2] = { name };
    char path[4096];
    int log = open(in_scratch("log"), O_WRONLY | O_CREAT | O_APPEND, 0644);
    int output = open(in_scratch("output"), O_WRONLY | O_CREAT | O_TRUNC, 0644);

    for (unsigned i = 0; i < OPTIONS_MAXIMUM && options[i] != NULL; i++)
        words[i + 1] = options[i];
    snprintf(path, sizeof path, "%s/daemons/%s", getenv("MACHV_BUILD_ROOT"), name);
    dup2(log, STDERR_FILENO);
    dup2(output, STDOUT_FILENO);
    execv(path, (char *const *)words);
    _exit(126);
}

/* `options`: ended by NULL. */
static inline void daemon_begin(const char *name, const char *const *options)
{
    service.daemon = fork();
    assert_true(service.daemon >= 0);
    if (service.daemon == 0)
        become(name, options);
}

/* Its exit status, or 256 and the signal. */
static inline int daemon_end(int signal)
{
    int status = 0;

    if (signal != 0)
        kill(service.daemon, signal);
    assert_int_equal(waitpid(service.daemon, &status, 0), service.daemon);
    service.daemon = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

/* What is in a file of the scratch folder; valid until the next call. */
static inline const char *text_of(const char *name)
{
    static char text[65536];
    FILE *file = fopen(in_scratch(name), "r");
    size_t length = file != NULL ? fread(text, 1, sizeof text - 1, file) : 0;

    if (file != NULL)
        fclose(file);
    text[length] = '\0';
    return text;
}

static inline bool logged(const char *text)
{
    return strstr(text_of("log"), text) != NULL;
}

/* ---- the service ---- */

static inline void service_open(const char *control)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    service = (struct played_service){ .control = control, .client = -1 };
    snprintf(service.controls, sizeof service.controls, "%s/controls", scratch);
    mkdir(service.controls, 0755);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", service.controls, control);
    service.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(service.listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(service.listener, 4), 0);
}

static inline void wait_for_input(int descriptor)
{
    struct pollfd input = { descriptor, POLLIN, 0 };

    assert_int_equal(poll(&input, 1, PATIENCE_MS), 1);
}

/* The daemon's next message; false: it has closed the socket. */
static inline bool service_hear(void)
{
    ssize_t length;

    wait_for_input(service.client);
    length = recv(service.client, service.message, sizeof service.message, 0);
    if (length <= 0) {
        close(service.client);
        service.client = -1;
        return false;
    }
    assert_true((size_t)length >= sizeof service.header);
    memcpy(&service.header, service.message, sizeof service.header);
    assert_int_equal(service.header.size, length - (ssize_t)sizeof service.header);
    return true;
}

static inline void service_say(const void *message, size_t length)
{
    assert_int_equal(send(service.client, message, length, MSG_NOSIGNAL), length);
}

static inline void service_send(uint32_t type, uint32_t sequence, const void *body, uint32_t size)
{
    struct service_control_header header = { .type = type, .size = size, .sequence = sequence };

    memcpy(service.message, &header, sizeof header);
    if (size != 0)
        memcpy(service.message + sizeof header, body, size);
    service_say(service.message, sizeof header + size);
}

/* The daemon has connected and said HELLO in our version. */
static inline void service_accept(void)
{
    struct service_control_hello hello;

    wait_for_input(service.listener);
    service.client = accept(service.listener, NULL, NULL);
    assert_true(service.client >= 0);
    assert_true(service_hear());
    assert_int_equal(service.header.type, SERVICE_CONTROL_HELLO);
    memcpy(&hello, service.message, sizeof hello);
    assert_int_equal(hello.version, SERVICE_CONTROL_VERSION);
}

static inline void service_welcome(uint32_t version)
{
    const struct service_control_hello welcome = {
        .header = { .type = SERVICE_CONTROL_WELCOME, .size = 8 }, .version = version,
    };

    service_say(&welcome, sizeof welcome);
}

static inline void service_serve(void)
{
    service_accept();
    service_welcome(SERVICE_CONTROL_VERSION);
}

/* The daemon's status for a request; its body, if it has one, is in the message. */
static inline uint32_t service_ask(const void *body, uint32_t size)
{
    service_send(SERVICE_CONTROL_REQUEST, ++service.sequence, body, size);
    assert_true(service_hear());
    assert_int_equal(service.header.type, SERVICE_CONTROL_REPLY);
    assert_int_equal(service.header.sequence, service.sequence);
    return service.header.status;
}

static inline void service_tell(const void *body, uint32_t size)
{
    service_send(SERVICE_CONTROL_NOTICE, 0, body, size);
}

static inline void service_hang_up(void)
{
    if (service.client >= 0)
        close(service.client);
    service.client = -1;
}

static inline int service_close(void **state)
{
    service_hang_up();
    if (service.listener > 0)
        close(service.listener);
    if (service.daemon > 0)
        daemon_end(SIGKILL);
    service = (struct played_service){ .client = -1 };
    return scratch_remove(state);
}

#endif
