/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's end of the partition socket (docs/partition-protocol.md): one monitor, its control
 * connection, one connection a virtual processor, and the shared page file.
 *
 * Everything that comes in is checked here; what is passed on is well formed. The first broken
 * rule ends the session. It owns no thread: the caller waits on the descriptor and calls run().
 */
#ifndef HOST_SERVER_PARTITION_SERVER_H
#define HOST_SERVER_PARTITION_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/partition.h"

struct partition_server;

/* How a session ended. */
enum partition_end {
    PARTITION_END_GOODBYE,  /* the monitor said so, with a status */
    PARTITION_END_VANISHED, /* its control connection closed without a word */
    PARTITION_END_PROTOCOL, /* it broke a rule; it has been told */
    PARTITION_END_OURS,     /* partition_server_goodbye() */
};

/* What the machine behind the socket does. All are required. */
struct partition_operations {
    /* HELLO: make the machine. Returns 0 or a negative errno, which refuses the monitor. */
    int (*hello)(void *context, const struct partition_hello *hello);
    /* A range of guest RAM, mapped at `host` until the server is freed. 0 or a negative errno. */
    int (*ram)(void *context, uint64_t gpa, uint64_t size, void *host);
    /* START; TRAPs sent in here are live before a monitor that asked for it lets the guest run.
     * Returns 0 or a negative errno. */
    int (*start)(void *context);
    void (*cpuid)(void *context, uint32_t processor, uint32_t leaf, uint32_t subleaf,
                  struct partition_cpuid_reply *reply);
    /* 0 or PARTITION_MSR_FAULT. */
    int (*read_msr)(void *context, uint32_t processor, uint32_t index, uint64_t *value);
    int (*write_msr)(void *context, uint32_t processor, uint32_t index, uint64_t value);
    uint64_t (*hypercall)(void *context, uint32_t processor,
                          const struct partition_hypercall *call);
    uint64_t (*read)(void *context, uint32_t processor, const struct partition_read *access);
    void (*write)(void *context, uint32_t processor, const struct partition_write *access);
    /* HvSignalEvent with flag 0 on this connection id, through the signal bitmap. */
    void (*signal)(void *context, uint32_t connection_id);
    /* The monitor has done it: off, reset or crashed. */
    void (*power)(void *context, uint32_t what, const uint64_t crash[PARTITION_CRASH_PARAMETERS]);
    /* WRITTEN: the range at `gpa` that is watched is being written to. */
    void (*written)(void *context, uint64_t gpa);
    /* The session is over. The server may be freed, but not from within this call. */
    void (*ended)(void *context, enum partition_end how, int status, const char *text);
};

struct partition_settings {
    const char *path;       /* of the socket; an old one that nobody listens on is replaced */
    uint32_t generation;    /* 1 or 2 */
    uint32_t signal_base;   /* connection id of the first signal bit */
    uint32_t signal_count;  /* multiple of 64, <= PARTITION_SIGNALS_MAX */
    uint32_t boot_screen;   /* where video memory will be for monitors that ask for it; 0: none */
};

/*
 * Returns 0 and *server listening, or a negative errno and a line in `error`. `operations` and
 * `context` must outlive the server.
 */
int partition_server_open(const struct partition_settings *settings,
                          const struct partition_operations *operations, void *context,
                          struct partition_server **server, char *error, size_t error_size);

/*
 * The same around one connected control socket instead of a listening one; processor connections
 * are handed in with partition_server_adopt(). For tests. Takes the descriptor.
 */
int partition_server_adopt_control(const struct partition_settings *settings,
                                   const struct partition_operations *operations, void *context,
                                   int control, struct partition_server **server);
void partition_server_adopt(struct partition_server *server, int connection);

/* Unmaps RAM, closes everything and removes the socket. NULL is allowed. */
void partition_server_free(struct partition_server *server);

/* Readable when run() has something to do. */
int partition_server_descriptor(const struct partition_server *server);

/* Handles what has come. Returns the number of messages handled. */
unsigned partition_server_run(struct partition_server *server);

/* Looks at the signal bitmap only, without a system call. Returns the number of signals. */
unsigned partition_server_poll_signals(struct partition_server *server);

/* Injects an interrupt vector into a processor. */
void partition_server_raise(struct partition_server *server, uint32_t processor, uint8_t vector);

/* A line (below PARTITION_LINES) goes up or down; nothing for a monitor that has lines of its own.
 */
void partition_server_line(struct partition_server *server, uint32_t line, bool level);

/* Asks the monitor for power off, reset, or to stop a crashed guest. 0 or a negative errno. */
int partition_server_power(struct partition_server *server, uint32_t what,
                           const uint64_t crash[PARTITION_CRASH_PARAMETERS]);

/*
 * MAP, UNMAP and TRAP: `done` is called once the monitor has answered; for a monitor that does not
 * answer (PARTITION_HELLO_ANSWERS not set) before the call returns. status: 0 or a negative errno.
 * `descriptor` stays the caller's. Return 0 or a negative errno (then `done` is not called).
 */
typedef void partition_done(void *context, int status);
int partition_server_map(struct partition_server *server, uint64_t gpa, uint64_t size,
                         int descriptor, uint64_t file_offset, uint32_t flags,
                         partition_done *done, void *context);
int partition_server_unmap(struct partition_server *server, uint64_t gpa, uint64_t size,
                           partition_done *done, void *context);
int partition_server_trap(struct partition_server *server, uint32_t kind, uint64_t start,
                          uint64_t size, bool on, partition_done *done, void *context);

/*
 * WATCH: `done` gets the monitor's answer; `written` is valid until it returns. -EOPNOTSUPP: this
 * monitor cannot watch.
 */
typedef void partition_watched(void *context, int status,
                               const uint64_t written[PARTITION_WATCH_BLOCKS_MAX / 64]);
int partition_server_watch(struct partition_server *server, uint64_t gpa, uint64_t size,
                           partition_watched *done, void *context);
bool partition_server_can_watch(const struct partition_server *server);

/* Ends the session from our side: GOODBYE, then ended(PARTITION_END_OURS). */
void partition_server_goodbye(struct partition_server *server, int status, const char *text);

/* ---- For reports ---- */

struct partition_report {
    bool connected, started;
    uint32_t processors, processors_attached, guest_mode, flags;
    uint64_t ram_bytes;
    uint64_t exits, signals, interrupts;
};
/* Fills in how things stand now. */
void partition_server_report(const struct partition_server *server,
                             struct partition_report *report);

#endif
