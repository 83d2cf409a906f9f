/* SPDX-License-Identifier: BSD-3-Clause */
/* mbuf_pool.h - mbufs and their memory that were given back and will be wanted again. What was used
 * last is used first: it is still in the processor's cache. Sanitizer builds keep nothing, so that
 * use after release is noticed. */
#ifndef XNU_BSD_MBUF_POOL_H
#define XNU_BSD_MBUF_POOL_H

#include <stdbool.h>

#include "xnu/bsd/mbuf_private.h"

/* An mbuf without contents, or NULL: there is none, or the failure injection is on. */
mbuf_t mbuf_pool_take(void);
/* False: it was not kept, release it. */
bool mbuf_pool_keep(mbuf_t mbuf);

/* The same for memory of a usual size; one reference, no external function. */
struct mbuf_storage *mbuf_pool_take_storage(size_t size);
bool mbuf_pool_keep_storage(struct mbuf_storage *storage);

/* Forgets all, as the memory that it was in is gone. */
void mbuf_pool_reset(void);

#endif
