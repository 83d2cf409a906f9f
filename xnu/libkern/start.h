/* SPDX-License-Identifier: BSD-3-Clause */
/* What start.c calls to bring up the pieces of libkern. */
#ifndef MACHV_XNU_LIBKERN_START_H
#define MACHV_XNU_LIBKERN_START_H

void OSBoolean_initialize(void) __asm("__ZN9OSBoolean10initializeEv");

#endif
