/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the files of the partition server. */
#ifndef HOST_SERVER_PARTITION_INTERNAL_H
#define HOST_SERVER_PARTITION_INTERNAL_H

#include "host/server/partition_server.h"
#include "host/server/partition_socket.h"

struct partition_connection {
    struct partition_server *server;
    int socket; /* -1: none */
    enum { CONNECTION_NEW, CONNECTION_CONTROL, CONNECTION_PROCESSOR, CONNECTION_SIGNALS,
           CONNECTION_LISTENER } kind;
    uint32_t processor;
    struct partition_connection *next; /* of those that have not said what they are */
    /* Processors: requests to the monitor that its writes caused, and the reply that waits. */
    unsigned ranges_under_way;
    uint8_t reply[sizeof(struct partition_cpuid_reply)]; /* the longest */
    size_t reply_size; /* 0: none waits */
};

/* A MAP, UNMAP, TRAP or WATCH that the monitor has not answered yet. */
struct partition_pending {
    uint32_t type;
    uint64_t cookie;
    partition_done *done;
    partition_watched *watched; /* of a WATCH, instead */
    void *context;
    struct partition_connection *cause; /* the processor whose write led to it, or NULL */
    struct partition_pending *next;
};

struct partition_ram_mapping {
    void *host;
    uint64_t gpa, size;
};

struct partition_server {
    struct partition_settings settings;
    char *path; /* owned; NULL when there is no listening socket */
    const struct partition_operations *operations;
    void *context;
    int epoll;
    struct partition_connection listener, control, signals;
    struct partition_connection *new_connections;
    unsigned new_count;
    struct partition_connection processors[PARTITION_PROCESSORS_MAX];
    uint32_t processor_count, attached_count;
    uint32_t guest_mode, flags;
    bool greeted, started, ended;
    uint32_t lines, lines_sent; /* levels, a bit a line; they differ while the socket is full */
    uint64_t cookie;
    struct partition_pending *pending;
    struct partition_connection *cause; /* whose write is being carried out */

    int page_file;
    struct partition_signal_page *signal_page;
    struct partition_vector_page *vector_pages;
    size_t pages_size;
    int interrupt_events[PARTITION_PROCESSORS_MAX];
    int signal_event;

    struct partition_ram_mapping ram[PARTITION_RAM_RANGES_MAX];
    unsigned ram_count;
    uint64_t ram_bytes;
    uint64_t exits, signals_seen, interrupts;
};

/* The monitor broke a rule, or a system call failed: tells it, and ends the session. */
void partition_fail(struct partition_server *server, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The session is over. Only the first call counts. */
void partition_end(struct partition_server *server, enum partition_end how, int status,
                   const char *text);

/* Starts watching a connection. Returns 0 or a negative errno. */
int partition_watch(struct partition_server *server, struct partition_connection *connection);

/* partition_pages.c: the shared page file and the event descriptors. */
int partition_pages_open(struct partition_server *server);
void partition_pages_close(struct partition_server *server);

/* partition_control.c: one message of the control connection; partition_connect.c decides who. */
void partition_control_message(struct partition_server *server, union partition_datagram *datagram,
                               int size, int descriptor);
void partition_hello(struct partition_server *server, const struct partition_hello *hello);

/* partition_control.c: a request has its answer; `watched` is that to a WATCH, NULL: none came. */
void partition_settle(struct partition_pending *pending, int status,
                      const struct partition_watch_reply *watched);

/* partition_control.c: sends changes of lines that did not fit before. */
void partition_send_lines(struct partition_server *server);

/* partition_processor.c: one exit of a processor. */
void partition_processor_message(struct partition_server *server,
                                 struct partition_connection *connection,
                                 const union partition_datagram *datagram, int size);
/* A range that this processor's write asked for is live or gone: its reply may go. */
void partition_range_settled(struct partition_server *server,
                             struct partition_connection *connection);

#endif
