/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A scripted monitor: the other end of the partition socket, one call a message. With a `pump` the
 * server runs in the same thread and is given a turn while the monitor waits; without one it is
 * another process.
 */
#ifndef TESTS_HOST_SERVER_MONITOR_H
#define TESTS_HOST_SERVER_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/partition.h"

enum { MONITOR_PROCESSORS_MAX = 4, MONITOR_WAIT_MS = 10000 };

struct monitor {
    void (*pump)(void *context);
    void *pump_context;
    int control;
    int processors[MONITOR_PROCESSORS_MAX];
    uint32_t processor_count;
    uint32_t signal_base, signal_count, generation, boot_screen;
    int page_file, signal_event, interrupt_events[MONITOR_PROCESSORS_MAX];
    struct partition_signal_page *signals;
    struct partition_vector_page *vectors;
    int ram_file;
    uint8_t *ram;
    size_t ram_size;
    uint64_t cookie;
};

/* Connects one socket to the path. Asserts that it works. */
int monitor_connect(const char *path);

/* Sends raw bytes, with a descriptor if >= 0. */
void monitor_send(int socket, const void *message, size_t size, int descriptor);

/*
 * Waits for a datagram. Returns its size, 0 at the end of the connection; up to `capacity`
 * descriptors are stored and *count says how many.
 */
size_t monitor_receive(struct monitor *monitor, int socket, void *message, size_t size,
                       int *descriptors, unsigned capacity, unsigned *count);

/* Waits for GOODBYE on a socket, asserts that its text contains `part`; returns its status. */
int monitor_expect_goodbye(struct monitor *monitor, int socket, const char *part);

/* HELLO with `processors`; takes what the reply brings. Asserts success. */
void monitor_hello(struct monitor *monitor, const char *path, uint32_t processors, uint32_t flags);

/* HELLO, ATTACH for each processor, RAM of `ram_size` bytes at 0, START. */
void monitor_start(struct monitor *monitor, const char *path, uint32_t processors,
                   size_t ram_size);

/* One ATTACH on a new connection; returns the status. */
int monitor_attach(struct monitor *monitor, const char *path, uint32_t processor);

void monitor_ram(struct monitor *monitor, uint64_t gpa, uint64_t size, uint64_t file_offset);
void monitor_send_header(struct monitor *monitor, int socket, uint32_t type);
void monitor_power(struct monitor *monitor, uint32_t what);
void monitor_goodbye(struct monitor *monitor, int32_t status, const char *text);

/* Exits of a processor. */
struct partition_cpuid_reply monitor_cpuid(struct monitor *monitor, uint32_t processor,
                                           uint32_t leaf);
int monitor_rdmsr(struct monitor *monitor, uint32_t processor, uint32_t index, uint64_t *value);
int monitor_wrmsr(struct monitor *monitor, uint32_t processor, uint32_t index, uint64_t value);
uint64_t monitor_hypercall(struct monitor *monitor, uint32_t processor, uint64_t control,
                           uint64_t input, uint64_t output);

/* Sets a signal bit, and writes the event descriptor when the rule says so. */
void monitor_signal(struct monitor *monitor, uint32_t connection_id);

/* Waits until a vector is pending on a processor, and takes all: true if `vector` was there. */
bool monitor_wait_vector(struct monitor *monitor, uint32_t processor, uint8_t vector);

/* Closes everything without a word. */
void monitor_vanish(struct monitor *monitor);

#endif
