/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients of the TCP/IP stack: each has a thread of the process, which the kernel does not know, so
 * the kernel never waits for it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lwip/ip_addr.h>

#include "xnu/machine/stack_private.h"

enum { REQUEST_MAX = 200, PINGS_MAX = 1000 };

struct client {
    int socket;
    char request[REQUEST_MAX];
};

void stack_refuse(int socket, const char *format, ...)
{
    char line[REQUEST_MAX] = "error ";
    size_t prefix = strlen(line);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line + prefix, sizeof line - prefix - 1, format, arguments);
    va_end(arguments);
    strcat(line, "\n");
    stack_answer(socket, line, strlen(line));
}

bool stack_answer(int socket, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    while (size != 0) {
        ssize_t sent = send(socket, at, size, MSG_NOSIGNAL);

        if (sent < 0 && errno != EINTR)
            return false;
        at += sent > 0 ? sent : 0;
        size -= sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

static bool number(const char *text, unsigned long most, unsigned long *value)
{
    char *end;

    if (text == NULL)
        return false;
    *value = strtoul(text, &end, 10);
    return end != text && *end == '\0' && text[0] != '-' && *value >= 1 && *value <= most;
}

static void serve(int socket, char *request)
{
    char *rest = request;
    const char *verb = strsep(&rest, " "), *where = strsep(&rest, " ");
    bool ping = strcmp(verb, "ping") == 0;
    ip_addr_t address;
    unsigned long value;

    if (!ping && strcmp(verb, "connect") != 0)
        stack_refuse(socket, "net has no command %.40s: list, ping, fetch or connect is wanted",
                     verb);
    else if (where == NULL || !ipaddr_aton(where, &address))
        stack_refuse(socket, "%.80s is no address: one in numbers is wanted, such as 10.0.2.2",
                     where != NULL ? where : "nothing");
    else if (!number(rest, ping ? PINGS_MAX : UINT16_MAX, &value))
        stack_refuse(socket, "%.40s is no %s", rest != NULL ? rest : "nothing",
                     ping ? "number of echoes from 1 to 1000" : "port");
    else if (ping)
        stack_ping(socket, &address, (unsigned)value);
    else
        stack_connect(socket, &address, (uint16_t)value);
}

static void *client_main(void *argument)
{
    struct client *client = argument;

    if (stack_enter()) {
        stack_leave();
        serve(client->socket, client->request);
    } else {
        stack_refuse(client->socket, "en0 is not plugged into the TCP/IP stack (--net stack)");
    }
    close(client->socket);
    free(client);
    return NULL;
}

/* The kernel's signals are none of this thread's business. */
static int start_thread(struct client *client)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, &attributes, client_main, client);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}

void machine_stack_serve(int socket, const char *request)
{
    struct client *client = malloc(sizeof *client);

    fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) & ~O_NONBLOCK);
    if (client != NULL) {
        client->socket = socket;
        snprintf(client->request, sizeof client->request, "%s", request);
        if (start_thread(client) == 0)
            return;
    }
    stack_refuse(socket, "no memory");
    close(socket);
    free(client);
}
