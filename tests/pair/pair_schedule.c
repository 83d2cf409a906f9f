/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/pair/pair_schedule.h"

#include "kext/core/channel.h"
#include "kext/core/errors.h"
#include "kext/core/vmbus.h"
#include "xnu/machine/threads.h"

/* Enough for the host to have its turn (every 32 switches) and the interrupt's thread its own. */
enum { YIELDS = 100, WRITERS_MAX = 64 };

static bool begun;
static unsigned intrusions;
static unsigned long turns;

/* The rings with an unpublished burst, and whose it is. */
static struct {
    const struct ring_transmit *ring;
    const struct machine_thread *thread;
} bursts[WRITERS_MAX];

static void let_others_go_first(unsigned yields)
{
    if (!begun || machine_thread_self() == NULL || !machine_preemption_enabled())
        return;
    turns++;
    while (yields-- > 0)
        machine_yield();
}

/* Place of the ring's burst, or a free one. */
static unsigned burst_of(const struct ring_transmit *ring)
{
    unsigned i, found = WRITERS_MAX;

    for (i = 0; i < WRITERS_MAX; i++) {
        if (bursts[i].ring == ring)
            return i;
        if (bursts[i].ring == NULL && found == WRITERS_MAX)
            found = i;
    }
    return found;
}

static bool enter(const struct ring_transmit *ring)
{
    unsigned burst = burst_of(ring);
    bool first = bursts[burst].ring == NULL;

    intrusions += !first && bursts[burst].thread != machine_thread_self();
    bursts[burst].ring = ring;
    bursts[burst].thread = machine_thread_self();
    return first;
}

static void leave(const struct ring_transmit *ring)
{
    bursts[burst_of(ring)].ring = NULL;
}

/* ---- what the linker puts before the kext's own ---- */

int __real_ring_transmit_append(struct ring_transmit *ring, const struct ring_packet *packet,
                                const struct ring_piece *pieces, uint32_t count);
bool __real_ring_transmit_publish(struct ring_transmit *ring);
void __real_vmbus_signal(HyperVVMBus *bus, const struct offer *offer);
int __real_controller_post_message(HyperVController *controller,
                                   const struct connection_message *message, bool first_contact);
int __wrap_ring_transmit_append(struct ring_transmit *ring, const struct ring_packet *packet,
                                const struct ring_piece *pieces, uint32_t count);
bool __wrap_ring_transmit_publish(struct ring_transmit *ring);
void __wrap_vmbus_signal(HyperVVMBus *bus, const struct offer *offer);
int __wrap_controller_post_message(HyperVController *controller,
                                   const struct connection_message *message, bool first_contact);

int __wrap_ring_transmit_append(struct ring_transmit *ring, const struct ring_packet *packet,
                                const struct ring_piece *pieces, uint32_t count)
{
    bool first = enter(ring);
    int error;

    let_others_go_first(2);
    error = __real_ring_transmit_append(ring, packet, pieces, count);
    let_others_go_first(2);
    if (error != 0 && first)
        leave(ring);            /* there is nothing of this thread's in it */
    return error;
}

bool __wrap_ring_transmit_publish(struct ring_transmit *ring)
{
    bool ring_doorbell;

    enter(ring);
    let_others_go_first(2);
    ring_doorbell = __real_ring_transmit_publish(ring);
    leave(ring);
    return ring_doorbell;
}

void __wrap_vmbus_signal(HyperVVMBus *bus, const struct offer *offer)
{
    __real_vmbus_signal(bus, offer);
    let_others_go_first(YIELDS);
}

int __wrap_controller_post_message(HyperVController *controller,
                                   const struct connection_message *message, bool first_contact)
{
    int error = __real_controller_post_message(controller, message, first_contact);

    let_others_go_first(YIELDS);
    return error;
}

/* ---- the test's side ---- */

void pair_schedule_begin(void)
{
    begun = true;
}

unsigned pair_schedule_intrusions(void)
{
    return intrusions;
}

unsigned long pair_schedule_turns(void)
{
    return turns;
}
