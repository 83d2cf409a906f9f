/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the processors ask of a partition behind a socket: requests in lockstep, signals and
 * interrupts through the shared pages.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "xnu/machine/machine_private.h"
#include "xnu/machine/partition_socket.h"

#define MSR_REFERENCE_TIME 0x40000020u
#define STATUS_OPERATION_DENIED UINT64_C(8)

/*
 * The host is gone and the machine is being ended because of it: this thread must not go on with an
 * answer that was never given.
 */
static void wait_for_the_end(struct socket_partition *partition, int status) {
    socket_partition_lost(partition, status, "the host has gone away");
    while (!atomic_load(&partition->closing) && thread_engine == &thread_engine_real &&
           !atomic_load(&machine_stopping)) {
        usleep(1000);
    }
}

/* One request and its reply. False: the host is lost. */
static bool transact(struct socket_partition *partition, unsigned processor,
                     struct partition_header *request, size_t request_size, void *reply,
                     size_t reply_size) {
    struct processor_connection *connection = &partition->connections[processor];
    pthread_mutex_lock(&connection->lock);
    request->length = (uint32_t)request_size;
    request->cookie = ++connection->cookie;
    int error = atomic_load(&partition->lost)
                    ? -EPIPE
                    : partition_send(connection->socket, request, request_size, -1);
    if (error == 0 && reply != NULL) {
        error = partition_receive_reply(connection->socket, request->type, request->cookie, reply,
                                        reply_size, NULL, NULL, NULL, 0);
    }
    pthread_mutex_unlock(&connection->lock);
    if (error != 0) {
        wait_for_the_end(partition, error);
    }
    return error == 0;
}

void socket_cpuid(void *context, unsigned processor, uint32_t leaf, uint32_t subleaf,
                  uint32_t registers[4]) {
    struct partition_cpuid request = {
        .header.type = PARTITION_CPUID, .leaf = leaf, .subleaf = subleaf};
    struct partition_cpuid_reply reply = {.header.type = 0};
    transact(context, processor, &request.header, sizeof request, &reply, sizeof reply);
    registers[0] = reply.eax;
    registers[1] = reply.ebx;
    registers[2] = reply.ecx;
    registers[3] = reply.edx;
}

/* The guest's clock is set by the reference time, so ours is as wrong as the answer was late: one
 * that took longer than this, on a busy machine, is good for that one time only. Nanoseconds. */
#define REFERENCE_ANSWER_MAXIMUM UINT64_C(2000000)

/* Guests read the reference time often: once the host has said it, it goes on by our clock. */
static bool reference_time(struct socket_partition *partition, uint64_t *value) {
    if (!atomic_load_explicit(&partition->time_known, memory_order_acquire)) {
        return false;
    }
    *value = partition->time_base + (machine_uptime() - partition->time_base_uptime) / 100;
    return true;
}

bool socket_rdmsr(void *context, unsigned processor, uint32_t index, uint64_t *value) {
    struct socket_partition *partition = context;
    if (index == MSR_REFERENCE_TIME && reference_time(partition, value)) {
        return true;
    }
    struct partition_rdmsr request = {.header.type = PARTITION_RDMSR, .index = index};
    struct partition_rdmsr_reply reply = {.status = PARTITION_MSR_FAULT};
    /* Ours is never behind the host's: what it says it did at a time would be in the future. */
    uint64_t asked_uptime = machine_uptime();
    transact(partition, processor, &request.header, sizeof request, &reply, sizeof reply);
    *value = reply.value;
    if (index == MSR_REFERENCE_TIME && reply.status == 0 &&
        machine_uptime() - asked_uptime <= REFERENCE_ANSWER_MAXIMUM) {
        struct processor_connection *first = &partition->connections[0];
        pthread_mutex_lock(&first->lock);
        if (!atomic_load(&partition->time_known)) {
            partition->time_base = reply.value;
            partition->time_base_uptime = asked_uptime;
            atomic_store_explicit(&partition->time_known, true, memory_order_release);
        }
        pthread_mutex_unlock(&first->lock);
    }
    return reply.status == 0;
}

bool socket_wrmsr(void *context, unsigned processor, uint32_t index, uint64_t value) {
    struct partition_wrmsr request = {
        .header.type = PARTITION_WRMSR, .index = index, .value = value};
    struct partition_status_reply reply = {.status = PARTITION_MSR_FAULT};
    transact(context, processor, &request.header, sizeof request, &reply, sizeof reply);
    return reply.status == 0;
}

uint64_t socket_hypercall(void *context, unsigned processor, uint64_t control, uint64_t input,
                          uint64_t output, const uint64_t fast[PARTITION_FAST_WORDS]) {
    struct partition_hypercall request = {
        .header.type = PARTITION_HYPERCALL, .control = control, .input = input, .output = output};
    struct partition_hypercall_reply reply = {.result = STATUS_OPERATION_DENIED};
    _Static_assert(PARTITION_FAST_WORDS == PARTITION_FAST_REGISTERS, "same registers");
    memcpy(request.fast, fast, sizeof request.fast);
    transact(context, processor, &request.header, sizeof request, &reply, sizeof reply);
    return reply.result;
}

bool socket_signal(void *context, uint32_t connection_id) {
    struct socket_partition *partition = context;
    uint32_t bit = connection_id - partition->signal_base;
    if (bit >= partition->signal_count) {
        return false;
    }
    uint64_t one = 1;
    uint64_t before = __atomic_fetch_or(&partition->signals->words[bit / 64],
                                        UINT64_C(1) << (bit % 64), __ATOMIC_SEQ_CST);
    if (before == 0 && write(partition->signal_event, &one, sizeof one) < 0) {
        return true; /* the counter is full: the host sees it readable anyway */
    }
    return true;
}

uint64_t socket_read(void *context, unsigned processor, uint64_t address, unsigned size,
                     enum machine_address_kind kind) {
    struct partition_read request = {.header.type = PARTITION_READ,
                                     .address = address,
                                     .size = size,
                                     .kind = (uint32_t)kind};
    struct partition_read_reply reply = {.value = UINT64_MAX};
    transact(context, processor, &request.header, sizeof request, &reply, sizeof reply);
    return reply.value;
}

void socket_write(void *context, unsigned processor, uint64_t address, unsigned size,
                  enum machine_address_kind kind, uint64_t value) {
    struct partition_write request = {.header.type = PARTITION_WRITE,
                                      .address = address,
                                      .size = size,
                                      .kind = (uint32_t)kind,
                                      .value = value};
    transact(context, processor, &request.header, sizeof request, NULL, 0);
}

int socket_interrupt_descriptor(void *context, unsigned processor) {
    struct socket_partition *partition = context;
    return partition->connections[processor].event;
}

bool socket_vectors_pending(void *context, unsigned processor) {
    struct socket_partition *partition = context;
    const uint64_t *shared = partition->vectors[processor].words;
    uint64_t any = 0;
    for (unsigned i = 0; i < PARTITION_VECTOR_WORDS; i++) {
        any |= __atomic_load_n(&shared[i], __ATOMIC_RELAXED);
    }
    return any != 0;
}

void socket_watch_vectors(void *context, unsigned processor, bool on) {
    struct socket_partition *partition = context;
    __atomic_fetch_add(&partition->vectors[processor].watchers, on ? 1u : -1u, __ATOMIC_SEQ_CST);
}

void socket_take_vectors(void *context, unsigned processor,
                         uint64_t words[PARTITION_VECTOR_WORDS]) {
    struct socket_partition *partition = context;
    uint64_t *shared = partition->vectors[processor].words;
    for (unsigned i = 0; i < PARTITION_VECTOR_WORDS; i++) {
        if (__atomic_load_n(&shared[i], __ATOMIC_RELAXED) != 0) {
            words[i] |= __atomic_exchange_n(&shared[i], 0, __ATOMIC_SEQ_CST);
        }
    }
}
