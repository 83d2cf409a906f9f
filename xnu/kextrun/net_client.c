/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kextrun net list|ping|fetch|connect: the client's side. A connection of the machine's TCP/IP
 * stack comes here as a stream of bytes; HTTP is spoken here.
 */
#include "xnu/kextrun/net_client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "xnu/machine/panic.h"

#define CHUNK 65536
#define HEADER_MAX 8192

/* ---- words -> request ----------------------------------------------------------------------- */

struct url {
    char host[64], port[8];
    const char *path; /* in the text given */
};

/* http://ADDRESS[:PORT][/PATH] */
static bool parse_url(const char *text, struct url *url) {
    static const char scheme[] = "http://";
    if (strncmp(text, scheme, sizeof scheme - 1) != 0) {
        return false;
    }
    const char *host = text + sizeof scheme - 1;
    size_t length = strcspn(host, ":/"), digits = 0;
    if (length == 0 || length >= sizeof url->host) {
        return false;
    }
    snprintf(url->host, sizeof url->host, "%.*s", (int)length, host);
    strcpy(url->port, "80");
    const char *rest = host + length;
    if (*rest == ':') {
        digits = strspn(++rest, "0123456789");
        if (digits == 0 || digits >= sizeof url->port) {
            return false;
        }
        snprintf(url->port, sizeof url->port, "%.*s", (int)digits, rest);
        rest += digits;
    }
    url->path = *rest == '\0' ? "/" : rest;
    return url->path[0] == '/' && strpbrk(url->path, " \r\n") == NULL;
}

static bool wrong(const char *format, const char *value) {
    fprintf(stderr, "kextrun: net ");
    fprintf(stderr, format, value);
    fprintf(stderr, " (see kextrun --help)\n");
    return false;
}

static bool set_request(struct kextrun_options *options, const char *verb, const char *where,
                        const char *number) {
    int length = snprintf(options->request, sizeof options->request, "net %s %s %s", verb, where,
                          number);
    return length < (int)sizeof options->request &&
                   strpbrk(options->request, "\r\n") == NULL
               ? true
               : wrong("%s: that is no address", where);
}

bool net_client_parse(struct kextrun_options *options) {
    const char *const *words = options->words;
    const char *verb = options->word_count == 0 ? "list" : words[0];
    size_t rest = options->word_count == 0 ? 0 : options->word_count - 1;
    struct url url;
    if (strcmp(verb, "list") == 0 && rest == 0) {
        bool json = strstr(options->request, " json") != NULL;
        strcpy(options->request, json ? "net list json" : "net list");
        return true;
    }
    if (strcmp(verb, "ping") == 0 && (rest == 1 || rest == 2)) {
        return set_request(options, "ping", words[1], rest == 2 ? words[2] : "5");
    }
    if (strcmp(verb, "connect") == 0 && rest == 2) {
        return set_request(options, "connect", words[1], words[2]);
    }
    if (strcmp(verb, "fetch") == 0 && rest == 1) {
        return parse_url(words[1], &url)
                   ? set_request(options, "connect", url.host, url.port)
                   : wrong("fetch %s: http://ADDRESS[:PORT]/PATH is wanted, the address in numbers",
                           words[1]);
    }
    return wrong("%s: list, ping ADDRESS [COUNT], fetch URL or connect ADDRESS PORT is wanted",
                 verb);
}

bool net_client_converses(const struct kextrun_options *options) {
    return strcmp(options->command, "net") == 0 && options->word_count != 0 &&
           (strcmp(options->words[0], "connect") == 0 || strcmp(options->words[0], "fetch") == 0);
}

/* ---- connect ------------------------------------------------------------------------------- */

static bool write_all(int descriptor, const char *bytes, size_t size) {
    while (size != 0) {
        ssize_t count = write(descriptor, bytes, size);
        if (count < 0 && errno != EINTR) {
            return false;
        }
        bytes += count > 0 ? count : 0;
        size -= count > 0 ? (size_t)count : 0;
    }
    return true;
}

static int fail_writing(void) {
    fprintf(stderr, "kextrun: cannot write what arrived: %s\n", strerror(errno));
    return MACHINE_EXIT_FAILURE;
}

/* Input goes to the peer, what it says to the output, until it ends. */
static int pass_both_ways(int connection) {
    static char chunk[CHUNK];
    struct pollfd polled[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                              {.fd = connection, .events = POLLIN}};
    for (;;) {
        if (poll(polled, 2, -1) < 0 && errno != EINTR) {
            return MACHINE_EXIT_FAILURE;
        }
        if (polled[1].revents != 0) {
            ssize_t count = read(connection, chunk, sizeof chunk);
            if (count <= 0) {
                return count == 0 ? MACHINE_EXIT_OK : MACHINE_EXIT_FAILURE;
            }
            if (!write_all(STDOUT_FILENO, chunk, (size_t)count)) {
                return fail_writing();
            }
        }
        if (polled[0].revents != 0) {
            ssize_t count = read(STDIN_FILENO, chunk, sizeof chunk);
            if (count > 0 && !write_all(connection, chunk, (size_t)count)) {
                fprintf(stderr, "kextrun: the connection ended before all was sent\n");
                return MACHINE_EXIT_FAILURE;
            }
            if (count <= 0) {
                shutdown(connection, SHUT_WR);
                polled[0].fd = -1;
            }
        }
    }
}

/* ---- fetch --------------------------------------------------------------------------------- */

/* An answer's header: where the body begins in `text`, how long it is (SIZE_MAX: not said). */
static int read_header(FILE *stream, const char *url, size_t *length) {
    char line[HEADER_MAX];
    unsigned status;
    *length = SIZE_MAX;
    if (fgets(line, sizeof line, stream) == NULL ||
        sscanf(line, "HTTP/%*u.%*u %u", &status) != 1) {
        fprintf(stderr, "kextrun: %s: the server does not answer in HTTP\n", url);
        return -1;
    }
    if (status != 200) {
        fprintf(stderr, "kextrun: %s: the server says %.60s", url, line + strcspn(line, " ") + 1);
        return -1;
    }
    while (fgets(line, sizeof line, stream) != NULL) {
        if (strcmp(line, "\r\n") == 0 || strcmp(line, "\n") == 0) {
            return 0;
        }
        if (strncasecmp(line, "content-length:", 15) == 0) {
            *length = strtoul(line + 15, NULL, 10);
        }
    }
    fprintf(stderr, "kextrun: %s: the answer ends in its header\n", url);
    return -1;
}

static int print_body(FILE *stream, const char *url, size_t length) {
    static char chunk[CHUNK];
    size_t done = 0, count;
    while (done < length && (count = fread(chunk, 1, sizeof chunk, stream)) != 0) {
        if (!write_all(STDOUT_FILENO, chunk, count)) {
            return fail_writing();
        }
        done += count;
    }
    if (length != SIZE_MAX && done != length) {
        fprintf(stderr, "kextrun: %s: %zu bytes of %zu arrived\n", url, done, length);
        return MACHINE_EXIT_FAILURE;
    }
    return MACHINE_EXIT_OK;
}

static int fetch(int connection, const char *text) {
    char request[HEADER_MAX];
    struct url url;
    size_t length;
    if (!parse_url(text, &url)) {
        return MACHINE_EXIT_USAGE;
    }
    int size = snprintf(request, sizeof request, "GET %s HTTP/1.0\r\nHost: %s:%s\r\n\r\n",
                        url.path, url.host, url.port);
    FILE *stream = fdopen(dup(connection), "r");
    if (stream == NULL || size >= (int)sizeof request ||
        !write_all(connection, request, (size_t)size)) {
        fprintf(stderr, "kextrun: %s: the request cannot be sent\n", text);
        if (stream != NULL) {
            fclose(stream);
        }
        return MACHINE_EXIT_FAILURE;
    }
    int status = read_header(stream, text, &length) != 0 ? MACHINE_EXIT_FAILURE
                                                         : print_body(stream, text, length);
    fclose(stream);
    return status;
}

int net_client_converse(const struct kextrun_options *options, int connection) {
    return strcmp(options->words[0], "fetch") == 0 ? fetch(connection, options->words[1])
                                                   : pass_both_ways(connection);
}
