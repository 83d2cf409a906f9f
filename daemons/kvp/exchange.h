/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers to the host's data exchange requests. */
#ifndef DAEMONS_KVP_EXCHANGE_H
#define DAEMONS_KVP_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

struct exchange {
    const char *folder;         /* of the pools' files "pool_0", "pool_1", "pool_3" */
    const char *set_command;    /* that configures an adapter; NULL: it cannot be done */
};

/* Answers the request of `size` bytes in `body`, in place. *replies: the body was changed. Returns
 * IC_STATUS_*. */
uint32_t exchange_answer(const struct exchange *exchange, void *body, uint32_t size, bool *replies);

#endif
