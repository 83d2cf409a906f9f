/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest of a pair: the kext in its native form on the user-space kernel, and the host in the
 * same process. Each test runs in a child process on the fibre scheduler, once per seed. */
#ifndef TESTS_PAIR_PAIR_GUEST_H
#define TESTS_PAIR_PAIR_GUEST_H

#include "tests/pair/pair_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PAIR_FAILED = 100 };

#define PAIR_SECOND UINT64_C(1000000000)

struct pair {
    struct pair_host *host;
    unsigned failures;
    uint64_t seed; /* of the scheduler */
};

/* In a body, which runs on a kernel thread: counts and shows what does not hold. */
#define PAIR_CHECK(pair, condition)                                                               \
    do {                                                                                          \
        if (!(condition)) {                                                                       \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);             \
            (pair)->failures++;                                                                   \
        }                                                                                         \
    } while (0)

typedef void pair_body(struct pair *pair);

/* Boots the guest, waits until its drivers are quiet, runs `body`, shuts down, and checks that the
 * host saw no rule broken and has nothing of the guest left. With every seed from 1 to `seeds`. */
void pair_run(const struct pair_options *options, pair_body *body, unsigned seeds);

/* The same with this one seed. */
void pair_run_seed(const struct pair_options *options, pair_body *body, uint64_t seed);

/* The machine is told to go down after so many times that another thread had its turn, wherever its
 * start is by then; there is no body. Nothing of the kext and nothing at the host may be left. */
void pair_run_and_stop(const struct pair_options *options, unsigned turns, uint64_t seed);

/* Runs `body` on a thread of that processor, and waits for it. */
void pair_on_processor(struct pair *pair, unsigned processor, pair_body *body);

/* ---- disks of the guest; errors are macOS errno values ---- */

/* Waits (virtual time) until the disk is there or gone. False after ten seconds. */
bool pair_wait_for_disk(const char *name, bool there);
uint64_t pair_disk_size(const char *name);
/* One request of up to 8 MiB; `bytes` is copied. 0 or an errno. */
int pair_disk_read(const char *name, uint64_t offset, void *bytes, size_t length);
int pair_disk_write(const char *name, uint64_t offset, const void *bytes, size_t length);
int pair_disk_flush(const char *name);
/* A write that is on the medium when it is done. */
int pair_disk_write_through(const char *name, uint64_t offset, const void *bytes, size_t length);
int pair_disk_discard(const char *name, uint64_t offset, uint64_t length);
int pair_disk_write_zeroes(const char *name, uint64_t offset, uint64_t length);
struct block_device_information;
/* What the kernel knows of the disk. False: there is none. */
bool pair_disk_information(const char *name, struct block_device_information *information);
/* A write that goes on while the test does something else. */
struct pair_write;
struct pair_write *pair_disk_begin_write(const char *name, uint64_t offset, uint8_t fill,
                                         size_t length);
bool pair_write_is_done(const struct pair_write *write);
/* Waits for its end, at most so many seconds of virtual time, and frees it. Its error; -1: it has
 * none yet (and is not freed). */
int pair_write_end(struct pair_write *write, unsigned seconds);
/* Resets the disk's LUN as the SCSI stack would. True: the driver says that it is done. */
bool pair_disk_reset(const char *name);
/* How often a task found no room in a ring of its controller. */
uint64_t pair_disk_ring_full(const char *name);
/* Writes `count` blocks of `length` bytes with all requests in flight at once, block i filled with
 * i + 1, from offset 0. Returns how many failed. */
unsigned pair_disk_write_many(const char *name, unsigned count, size_t length);
/* The same with one buffer full of `fill` for all, at offset 0. */
unsigned pair_disk_write_same(const char *name, unsigned count, size_t length, uint8_t fill);

/* ---- the network of the guest ---- */

/* Collects what en0 receives; before the drivers start, so first thing in pair_run. */
void pair_network_start(void);
bool pair_wait_for_network(bool there);
bool pair_network_link(void);
bool pair_wait_for_link(bool up);
const uint8_t *pair_network_address(void);

enum pair_frame_offload {
    PAIR_PLAIN = 0,
    PAIR_TCP_CHECKSUM = 1,
    PAIR_SEGMENT = 2,
    PAIR_TAGGED = 4
};

/* Bytes of the largest IP packet that en0's driver lets the stack leave to it; 0: any. */
uint32_t pair_network_segment_limit(void);
/* Sends a frame from en0; with PAIR_TCP_CHECKSUM the hardware is to compute it, with PAIR_SEGMENT
 * to cut it to 1448 bytes of payload. False: there is no en0. */
bool pair_network_send(const void *bytes, size_t size, unsigned offload, uint16_t tag);

/* Sends `count` copies of a frame in one go, as a stack does that has many: the byte at `mark`
 * counts them up from 0. */
bool pair_network_send_many(const void *bytes, size_t size, unsigned count, size_t mark);

struct pair_frame {
    uint8_t bytes[70000];
    size_t size;
    bool tagged;
    uint16_t tag;
    uint32_t checksum_performed; /* MBUF_CSUM_... */
};

/* The next frame that came to en0. Waits for it, a second of virtual time at most. */
bool pair_network_receive(struct pair_frame *frame);
/* Receives what comes until nothing does. */
void pair_network_forget(void);

/* A plain frame, its contents made of `seed`, that the host's network gives back. */
void pair_network_make_frame(uint8_t *bytes, size_t size, unsigned seed);
/* Sends one of at most 9014 bytes. True: the next frame that comes is it. */
bool pair_network_round_trip(size_t size, unsigned seed);
/* Frames that came so far. */
uint64_t pair_network_received(void);
/* What the driver counts for en0's users, what the stack saw itself, and the link's speed. */
struct pair_statistics {
    uint32_t input_packets, input_errors, output_packets, output_errors;
    uint32_t receive_errors, transmit_errors;
    uint64_t stack_input, stack_output;
    uint64_t speed; /* bit/s */
};
void pair_network_statistics(struct pair_statistics *statistics);
/* Calls the driver's setPowerState, with nothing of what the family does before and after. */
void pair_network_set_power(bool on);
int pair_network_set_promiscuous(bool on);
int pair_network_set_multicast(bool on);

/* Live allocations, of the heap and of pages. */
uint64_t pair_allocations(void);
/* MacHyperVFramebuffer.kext is installed after all (pair_options.no_framebuffer). */
void pair_install_framebuffer(void);

/* Adds the personalities in the property list file that the environment names, for classes of the
 * test's own; in a body. */
void pair_add_personalities(const char *variable);

/* Takes the power from all drivers, as a machine that goes to sleep, or gives it back; waits for
 * them. The system's own sleep stays prevented (pair_sleep_system says so). */
void pair_set_power(bool on);
/* An IOReturn. */
int pair_sleep_system(void);

/* Virtual time passes. */
void pair_sleep(uint64_t nanoseconds);

#endif
