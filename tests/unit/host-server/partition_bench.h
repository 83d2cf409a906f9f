/* SPDX-License-Identifier: BSD-3-Clause */
/* A partition server, the machine behind it and a scripted monitor before it, for tests. */
#ifndef TESTS_HOST_SERVER_PARTITION_BENCH_H
#define TESTS_HOST_SERVER_PARTITION_BENCH_H

#include "host/server/partition_server.h"
#include "tests/unit/host-server/monitor.h"

/* A machine that writes down what it is told. */
struct bench {
    struct partition_server *server;
    struct monitor monitor;
    char folder[64], path[96];
    int hello_result;
    unsigned hellos, rams, starts, powers, writes;
    uint32_t signals[8], signal_count;
    uint64_t ram_gpa, ram_size;
    uint8_t *ram;
    struct partition_write last_write;
    uint32_t power;
    bool ended;
    enum partition_end how;
    int status;
    char text[PARTITION_TEXT_MAX + 1];
    unsigned writtens, watched_count;
    uint64_t written_gpa, watched_first, watched_last;
    int done_status;
    unsigned done_count;
};

/* What writes things down; for servers that a test opens itself, with a bench as their context. */
extern const struct partition_operations bench_operations;

/* A server that listens at bench->path, as a cmocka test's state. */
int bench_set_up(void **state);
int bench_tear_down(void **state);

/* Lets the server do what there is to do, once, or until all of a short exchange is done. */
void bench_pump(void *context);
void bench_pump_often(struct bench *bench);

/* A monitor with two processors and 1 MiB of RAM says hello, attaches and starts. */
void bench_start(struct bench *bench);
/* A monitor without PC devices of its own, and with RAM and processors; PARTITION_HELLO_*. */
void bench_start_bare(struct bench *bench, uint32_t flags);

#endif
