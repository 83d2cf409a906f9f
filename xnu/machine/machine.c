/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Start and stop of the machine.
 */
#include "xnu/machine/machine.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "xnu/machine/files.h"
#include "xnu/machine/machine_private.h"

#define MEMORY_DEFAULT (UINT64_C(256) << 20)

struct machine_counters machine_counters;

static bool started;
static pthread_mutex_t random_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t random_state; /* deterministic mode only */

static int start_parts(const struct machine_configuration *configuration, uint64_t bytes) {
    int error = memory_start(bytes);
    if (error != 0) {
        machine_log("machine: no guest RAM of %llu bytes: %s", (unsigned long long)bytes,
                    machine_error_text(error));
        return error;
    }
    error = traps_start();
    if (error == 0) {
        error = thread_engine->start(configuration);
    }
    if (error != 0) {
        machine_log("machine: cannot start its processors: %s", machine_error_text(error));
    }
    return error;
}

int machine_start(const struct machine_configuration *configuration) {
    uint64_t bytes =
        configuration->memory_bytes != 0 ? configuration->memory_bytes : MEMORY_DEFAULT;
    unsigned processors = configuration->processors != 0 ? configuration->processors : 1;
    if (started) {
        return -EALREADY;
    }
    if (processors > MACHINE_PROCESSORS_MAX || bytes < MACHINE_MEMORY_MIN) {
        machine_log("machine: %u processors (at most %u), %llu bytes of RAM (at least %u)",
                    processors, MACHINE_PROCESSORS_MAX, (unsigned long long)bytes,
                    MACHINE_MEMORY_MIN);
        return -EINVAL;
    }
    bytes &= ~(uint64_t)(MACHINE_PAGE_SIZE - 1);
    memset(machine_processors, 0, sizeof machine_processors);
    memset(&machine_counters, 0, sizeof machine_counters);
    machine_processors_used = processors;
    thread_engine = configuration->deterministic ? &thread_engine_fibres : &thread_engine_real;
    random_state = configuration->seed;
    started = true;
    return start_parts(configuration, bytes);
}

int machine_run(const char *name, machine_thread_function *function, void *argument) {
    return thread_engine->run(name, function, argument);
}

void machine_run_until(uint64_t uptime) {
    thread_engine->run_until(uptime);
}

void machine_stop(void) {
    if (!started) {
        return;
    }
    thread_engine->stop();
    partition_stop(0);
    waits_stop();
    threads_stop();
    traps_stop();
    memory_stop();
    clock_stop();
    machine_interrupt_set_entry(NULL, NULL);
    machine_set_death_hook(NULL);
    thread_engine = NULL;
    started = false;
}

void machine_statistics(struct machine_statistics *statistics) {
    for (unsigned i = 0; i < MACHINE_PROCESSORS_MAX; i++) {
        statistics->interrupts[i] = atomic_load(&machine_counters.interrupts[i]);
    }
    statistics->interrupts_dropped = atomic_load(&machine_counters.interrupts_dropped);
    statistics->trapped_instructions = atomic_load(&machine_counters.trapped_instructions);
    statistics->trapped_accesses = atomic_load(&machine_counters.trapped_accesses);
    statistics->hypercalls = atomic_load(&machine_counters.hypercalls);
    statistics->signals = atomic_load(&machine_counters.signals);
    statistics->nbd_bytes_moved = atomic_load(&machine_counters.nbd_bytes_moved);
    statistics->nbd_bytes_copied = atomic_load(&machine_counters.nbd_bytes_copied);
    statistics->bounce_bytes = atomic_load(&machine_counters.bounce_bytes);
}

void machine_count_bounce(uint64_t bytes) {
    count_many(&machine_counters.bounce_bytes, bytes);
}

/* SplitMix64 (Steele, Lea, Flood): one addition and a mixing function. */
static uint64_t next_deterministic(void) {
    random_state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t x = random_state;
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

void machine_random_bytes(void *buffer, size_t size) {
    uint8_t *bytes = buffer;
    if (thread_engine != &thread_engine_fibres) {
        while (size != 0) {
            ssize_t count = getrandom(bytes, size, 0);
            if (count < 0 && errno != EINTR) {
                machine_panic("the host has no random numbers: %s", machine_error_text(errno));
            }
            bytes += count > 0 ? count : 0;
            size -= count > 0 ? (size_t)count : 0;
        }
        return;
    }
    pthread_mutex_lock(&random_lock);
    while (size != 0) {
        uint64_t word = next_deterministic();
        size_t count = size < sizeof word ? size : sizeof word;
        memcpy(bytes, &word, count);
        bytes += count;
        size -= count;
    }
    pthread_mutex_unlock(&random_lock);
}

uint64_t machine_random(void) {
    uint64_t value;
    machine_random_bytes(&value, sizeof value);
    return value;
}
