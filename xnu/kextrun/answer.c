/* SPDX-License-Identifier: BSD-3-Clause */
#include "xnu/kextrun/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void answer_append(void *context, const char *text, size_t length) {
    struct answer *answer = context;
    if (length > answer->room - answer->length) {
        size_t room = (answer->room + length) * 2;
        char *grown = realloc(answer->text, room);
        if (grown == NULL) {
            return; /* the answer is cut */
        }
        answer->text = grown;
        answer->room = room;
    }
    memcpy(answer->text + answer->length, text, length);
    answer->length += length;
}

void answer_say(struct answer *answer, const char *format, ...) {
    char text[300];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    answer_append(answer, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

void answer_free(struct answer *answer) {
    free(answer->text);
    *answer = (struct answer){0};
}
