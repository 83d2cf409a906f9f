/* SPDX-License-Identifier: BSD-3-Clause */
/* Scans what the host has set to tell which channels have news.
 *
 * Since VMBus 2.4 that is the SynIC event flags of SINT2, flag = channel id. Before, flag 0 says
 * "look into the interrupt page", where bit = channel id. Flags are cleared, atomically, before
 * the channel is looked at, so that nothing is lost. Sources: TLFS, Linux vmbus_chan_sched. */
#ifndef KEXT_CORE_EVENT_FLAGS_H
#define KEXT_CORE_EVENT_FLAGS_H

#include "protocol/vmbus.h"

/* Called for each flag found, with its number. */
typedef void (*event_flag_handler)(void *context, uint32_t flag);

/* Clears all flags of one SINT (shared memory) and calls `handler` for each that was set, 0
 * included. Returns how many there were. */
uint32_t event_flags_take(struct hv_event_flags *flags, event_flag_handler handler, void *context);

/* The same for the host-to-guest half of the interrupt page (a whole page, shared memory), channel
 * ids 1 .. VMBUS_CHANNEL_MAXIMUM_SHARED. */
uint32_t event_flags_take_page(void *interrupt_page, event_flag_handler handler, void *context);

/* Sets channel `channel_id`'s bit (at most VMBUS_CHANNEL_MAXIMUM) in the guest-to-host half of the
 * interrupt page, as hosts before 2.4 want before a signal. */
void event_flags_set_page(void *interrupt_page, uint32_t channel_id);

#endif
