/* SPDX-License-Identifier: BSD-3-Clause */
/* The pool that makes equal symbols one object. */
#ifndef MACHV_XNU_LIBKERN_SYMBOL_POOL_H
#define MACHV_XNU_LIBKERN_SYMBOL_POOL_H

/* Gives each symbol whose borrowed text lies in [start, end) a copy of its own: the memory goes
 * away. */
void symbol_pool_unload(const void *start, const void *end);
/* Number of symbols, for tests. */
unsigned symbol_pool_count(void);

#endif
