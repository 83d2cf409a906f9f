/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The answer to a command of the control socket, made completely before it is sent.
 */
#ifndef MACHV_XNU_KEXTRUN_ANSWER_H
#define MACHV_XNU_KEXTRUN_ANSWER_H

#include <stddef.h>

struct answer {
    char *text; /* owned */
    size_t length, room;
};

/* Without memory the answer is cut. `answer` is a struct answer (for xnu_registry_print). */
void answer_append(void *answer, const char *text, size_t length);
/* At most 299 characters. */
void answer_say(struct answer *answer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void answer_free(struct answer *answer);

#endif
