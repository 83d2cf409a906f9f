/* SPDX-License-Identifier: BSD-3-Clause */
/* network_pull.c - from macOS 10.8 on: frames wait at the interface, and a thread of its own asks
 * the driver to fetch them (outputStart, dequeueOutputPackets), for drivers that want that.
 *
 * Of a driver's polling for input it is only noted that it could: the stack polls above a rate of
 * frames that is not reached here. Source of the rules: Apple's IONetworkingFamily
 * (IONetworkInterface). */
#include "xnu/families/network/network_private.h"

#include "abi/constants.h"

#include "xnu/machine/clock.h"
#include "xnu/machine/log.h"

enum {
    QUEUE_DEFAULT = 1024,
    GATED = 1,                  /* kIONetworkWorkLoopSynchronous */
    BEST_EFFORT = 0,            /* kIOMbufServiceClassBE: all that our stack sends */
    SERVICE_CLASSES = 10,
    HALT_TRIES = 100,
    HALT_NANOSECONDS = 100000000,
};

/* ---- configuration ------------------------------------------------------------------------- */

/* In configureInterface, before the stack has the interface. */
int32_t IONetworkInterface__configureOutputPullModel(IONetworkInterface *me, uint32_t driver_size,
                                                     uint32_t options, uint32_t queue_size,
                                                     uint32_t model)
{
    struct network_pull *pull = &interface_state(me)->pull;

    if (pull->frozen)
        return kIOReturnError;
    pull->wanted = true;
    pull->gated = options & GATED;
    pull->capacity = queue_size ? queue_size : QUEUE_DEFAULT;
    return kIOReturnSuccess;
}

int32_t IONetworkInterface__configureInputPacketPolling(IONetworkInterface *me, uint32_t size,
                                                        uint32_t options)
{
    return interface_state(me)->pull.frozen ? kIOReturnError : kIOReturnSuccess;
}

void IONetworkInterface__reportDataTransferRates(IONetworkInterface *me, uint64_t output_most,
                                                 uint64_t input_most, uint64_t output,
                                                 uint64_t input)
{
}

/* What a driver that has no such methods answers. */
int32_t IONetworkController__outputStart(IONetworkController *me, IONetworkInterface *interface,
                                         uint32_t options)
{
    return kIOReturnUnsupported;
}

int32_t IONetworkController__setInputPacketPollingEnable(IONetworkController *me,
                                                         IONetworkInterface *interface,
                                                         bool enabled)
{
    return kIOReturnUnsupported;
}

void IONetworkController__pollInputPackets(IONetworkController *me, IONetworkInterface *interface,
                                           uint32_t count, IOMbufQueue *queue, void *context)
{
}

int32_t IONetworkController__networkInterfaceNotification(IONetworkController *me,
                                                          IONetworkInterface *interface,
                                                          uint32_t type, void *argument)
{
    return kIOReturnUnsupported;
}

/* ---- the thread ---------------------------------------------------------------------------- */

static int32_t start_action(void *controller, void *interface, void *param1, void *param2,
                            void *param3)
{
    return IONetworkController_outputStart(controller, interface, 0);
}

static int32_t call_driver(IONetworkInterface *me)
{
    struct network_interface_state *state = interface_state(me);

    if (!state->pull.gated)
        return IONetworkController_outputStart(state->controller, me, 0);
    return IONetworkController_executeCommand(state->controller, (OSObject *)me, start_action,
                                              state->controller, me, NULL, NULL, NULL);
}

/* What is to be done next: false when nothing is, until somebody signals. The lock is held. */
static bool has_work(struct network_pull *pull)
{
    if (pull->stopping || pull->ending) {
        pull->stopping = false;
        pull->halted = true;
        machine_wakeup(&pull->halted, false);
    }
    return !pull->halted && pull->first && !pull->starved;
}

/* Frames came, or the driver has room again, or is to be left alone. */
static void kick(struct network_pull *pull)
{
    pull->signalled = true;
    machine_wakeup(pull, false);
}

/* The driver has said that it has no room: it is asked again at the next frame or signal, unless
 * it has signalled meanwhile. Other errors likewise. */
static void note_answer(struct network_pull *pull, int32_t answer)
{
    if (answer != kIOReturnSuccess && !pull->signalled)
        pull->starved = true;
}

static void output_thread(void *argument)
{
    IONetworkInterface *me = argument;
    struct network_pull *pull = &interface_state(me)->pull;

    machine_mutex_lock(pull->lock);
    while (!pull->ending) {
        if (!has_work(pull)) {
            machine_sleep(pull->lock, pull, MACHINE_NEVER, false);
            continue;
        }
        pull->signalled = false;
        pull->in_driver = machine_thread_self();
        machine_mutex_unlock(pull->lock);
        int32_t answer = call_driver(me);
        machine_mutex_lock(pull->lock);
        pull->in_driver = NULL;
        note_answer(pull, answer);
    }
    has_work(pull); /* whoever waits for the halt */
    machine_mutex_unlock(pull->lock);
}

/* ---- for the stack ------------------------------------------------------------------------- */

bool network_pull_start(IONetworkInterface *me)
{
    struct network_pull *pull = &interface_state(me)->pull;

    pull->frozen = true;
    if (!pull->wanted)
        return true;
    pull->halted = true; /* until the driver starts it */
    pull->lock = machine_mutex_create("network output");
    if (pull->lock)
        pull->thread = machine_thread_start("network output", output_thread, me);
    return pull->thread != NULL;
}

static void drop_all(struct network_pull *pull)
{
    if (pull->first)
        mbuf_freem_list(pull->first);
    pull->first = pull->last = NULL;
    pull->size = 0;
}

void network_pull_stop(IONetworkInterface *me)
{
    struct network_pull *pull = &interface_state(me)->pull;

    if (!pull->thread)
        return;
    machine_mutex_lock(pull->lock);
    pull->ending = true;
    kick(pull);
    machine_mutex_unlock(pull->lock);
    machine_thread_join(pull->thread);
    machine_thread_release(pull->thread);
    pull->thread = NULL;
    drop_all(pull);
}

void network_pull_free(IONetworkInterface *me)
{
    struct network_pull *pull = &interface_state(me)->pull;

    network_pull_stop(me);
    if (pull->lock)
        machine_mutex_destroy(pull->lock);
    pull->lock = NULL;
}

bool network_pull_output(IONetworkInterface *me, mbuf_t packets)
{
    struct network_pull *pull = &interface_state(me)->pull;

    if (!pull->thread)
        return false;
    machine_mutex_lock(pull->lock);
    while (packets && pull->size < pull->capacity && !pull->purging) {
        mbuf_t next = mbuf_nextpkt(packets);

        mbuf_setnextpkt(packets, NULL);
        if (pull->last)
            mbuf_setnextpkt(pull->last, packets);
        else
            pull->first = packets;
        pull->last = packets;
        pull->size++;
        packets = next;
    }
    pull->starved = false;
    kick(pull);
    machine_mutex_unlock(pull->lock);
    if (packets)
        mbuf_freem_list(packets);
    return true;
}

/* ---- for the driver ------------------------------------------------------------------------ */

static void take(struct network_pull *pull, uint32_t most, mbuf_t *head, mbuf_t *tail,
                 uint32_t *count, uint64_t *bytes)
{
    *head = pull->first;
    *count = 0;
    *bytes = 0;
    *tail = NULL;
    while (pull->first && *count < most) {
        *tail = pull->first;
        *bytes += mbuf_pkthdr_len(pull->first);
        ++*count;
        pull->first = mbuf_nextpkt(pull->first);
    }
    if (*tail)
        mbuf_setnextpkt(*tail, NULL);
    if (!pull->first)
        pull->last = NULL;
    pull->size -= *count;
}

/* tail, count and bytes may be NULL. */
int32_t IONetworkInterface__dequeueOutputPackets(IONetworkInterface *me, uint32_t most,
                                                 mbuf_t *head, mbuf_t *tail, uint32_t *count,
                                                 uint64_t *bytes)
{
    struct network_pull *pull = &interface_state(me)->pull;
    mbuf_t first = NULL, last = NULL;
    uint32_t number = 0;
    uint64_t sum = 0;

    if (most == 0 || !head)
        return kIOReturnBadArgument;
    if (pull->thread && !pull->ending) {
        machine_mutex_lock(pull->lock);
        take(pull, most, &first, &last, &number, &sum);
        machine_mutex_unlock(pull->lock);
    }
    *head = first;
    if (tail)
        *tail = last;
    if (count)
        *count = number;
    if (bytes)
        *bytes = sum;
    return first ? kIOReturnSuccess : kIOReturnNoFrames;
}

int32_t IONetworkInterface__dequeueOutputPacketsWithServiceClass(
    IONetworkInterface *me, uint32_t most, IOMbufServiceClass class, mbuf_t *head, mbuf_t *tail,
    uint32_t *count, uint64_t *bytes)
{
    if ((unsigned)class >= SERVICE_CLASSES)
        return kIOReturnBadArgument;
    if ((unsigned)class == BEST_EFFORT)
        return IONetworkInterface__dequeueOutputPackets(me, most, head, tail, count, bytes);
    if (most == 0 || !head)
        return kIOReturnBadArgument;
    *head = NULL;
    return kIOReturnNoFrames;
}

void IONetworkInterface_signalOutputThread(IONetworkInterface *me, uint32_t options)
{
    struct network_pull *pull = &interface_state(me)->pull;

    if (!pull->thread)
        return;
    machine_mutex_lock(pull->lock);
    pull->starved = false;
    kick(pull);
    machine_mutex_unlock(pull->lock);
}

int32_t IONetworkInterface_startOutputThread(IONetworkInterface *me, uint32_t options)
{
    struct network_pull *pull = &interface_state(me)->pull;

    if (pull->ending)
        return kIOReturnNotAttached;
    if (!pull->thread)
        return kIOReturnSuccess;
    machine_mutex_lock(pull->lock);
    pull->halted = pull->stopping = pull->purging = pull->starved = false;
    kick(pull);
    machine_mutex_unlock(pull->lock);
    return kIOReturnSuccess;
}

/* Waits for the end of a call of outputStart, at most ten seconds; not in that call itself, nor in
 * the driver's gate when the call needs that. */
int32_t IONetworkInterface_stopOutputThread(IONetworkInterface *me, uint32_t options)
{
    struct network_interface_state *state = interface_state(me);
    struct network_pull *pull = &state->pull;
    IOWorkLoop *work_loop = controller_state(state->controller)->work_loop;
    int32_t result = kIOReturnSuccess;

    if (!pull->thread)
        return kIOReturnSuccess;
    machine_mutex_lock(pull->lock);
    pull->purging = false;
    if (pull->in_driver == machine_thread_self() ||
        (pull->gated && IOWorkLoop_inGate(work_loop)) || !pull->in_driver)
        pull->halted = true;
    for (unsigned tries = 0; !pull->halted && result == kIOReturnSuccess; tries++) {
        pull->stopping = true;
        kick(pull);
        machine_sleep(pull->lock, &pull->halted, machine_uptime() + HALT_NANOSECONDS, false);
        if (!pull->halted && tries == HALT_TRIES)
            result = kIOReturnTimeout;
    }
    machine_mutex_unlock(pull->lock);
    return result;
}

/* What waits is dropped, and what comes too while the thread is stopped. */
void IONetworkInterface_flushOutputQueue(IONetworkInterface *me, uint32_t options)
{
    struct network_pull *pull = &interface_state(me)->pull;

    if (!pull->thread)
        return;
    machine_mutex_lock(pull->lock);
    pull->purging = pull->halted;
    drop_all(pull);
    machine_mutex_unlock(pull->lock);
}

/* The queue of a poll is never given out here, so it is the one of inputPacket. */
int32_t IONetworkInterface__enqueueInputPacket(IONetworkInterface *me, mbuf_t packet,
                                               IOMbufQueue *queue, uint32_t options)
{
    if (!packet)
        return kIOReturnBadArgument;
    IONetworkInterface_inputPacket(me, packet, 0, 1 /* queue it */, NULL);
    return kIOReturnSuccess;
}
