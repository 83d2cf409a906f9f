/* SPDX-License-Identifier: BSD-3-Clause */
/* The 256 interrupt vectors of the processors and who handles each. */
#ifndef MACHV_XNU_IOKIT_INTERRUPT_VECTORS_H
#define MACHV_XNU_IOKIT_INTERRUPT_VECTORS_H

#include <stdbool.h>
#include <stdint.h>

enum { VECTOR_COUNT = 256, VECTOR_DYNAMIC_FIRST = 0x70, VECTOR_DYNAMIC_LAST = 0xdf };

/* Called in interrupt context on the processor that the interrupt came to. */
typedef void vector_handler(void *context, unsigned vector);

/* Takes the machine's interrupt entry. */
void vectors_start(void);

/* False if the vector has a handler already. */
bool vector_set_handler(unsigned vector, vector_handler *handler, void *context);
/* After it returns the handler does not run any more. Not in interrupt context. */
void vector_clear_handler(unsigned vector);

/* `count` consecutive free vectors for message-signalled interrupts; the first, or 0 if there
 * are none. They stay taken until vector_clear_handler. */
unsigned vectors_allocate(unsigned count, vector_handler *handler, void *context);

/* Interrupts that nobody handled. */
uint64_t vectors_spurious(void);
/* Interrupts that came to a processor where this release of macOS hears none. */
uint64_t vectors_unheard(void);

#endif
