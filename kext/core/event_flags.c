/* SPDX-License-Identifier: BSD-3-Clause */
/* Scans what the host has set to tell which channels have news. */
#include "kext/core/event_flags.h"

#include "kext/core/shared_memory.h"

static uint32_t take_words(uint32_t *words, uint32_t count, event_flag_handler handler,
                           void *context)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < count; i++) {
        /* Most words are 0: looking first saves a locked access each. */
        uint32_t bits = shared_load(&words[i]) != 0 ? shared_take(&words[i]) : 0;

        while (bits != 0) {
            uint32_t bit = (uint32_t)__builtin_ctz(bits);

            bits &= bits - 1;
            found++;
            handler(context, i * 32 + bit);
        }
    }
    return found;
}

uint32_t event_flags_take(struct hv_event_flags *flags, event_flag_handler handler, void *context)
{
    return take_words(flags->words, HV_EVENT_FLAG_WORDS, handler, context);
}

uint32_t event_flags_take_page(void *interrupt_page, event_flag_handler handler, void *context)
{
    uint8_t *receive = (uint8_t *)interrupt_page + VMBUS_INTERRUPT_PAGE_RECEIVE;

    return take_words((uint32_t *)(void *)receive, (VMBUS_CHANNEL_MAXIMUM_SHARED + 1) / 32,
                      handler, context);
}

void event_flags_set_page(void *interrupt_page, uint32_t channel_id)
{
    uint8_t *send = (uint8_t *)interrupt_page + VMBUS_INTERRUPT_PAGE_SEND;

    if (channel_id <= VMBUS_CHANNEL_MAXIMUM)
        __atomic_fetch_or((uint32_t *)(void *)send + channel_id / 32, 1u << channel_id % 32,
                          __ATOMIC_SEQ_CST);
}
