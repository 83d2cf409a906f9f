/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel log: ring, line assembly, output.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "xnu/machine/machine_private.h"

#define LINE_MAX_BYTES 1024u

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static char ring[MACHINE_LOG_RING_SIZE];
static uint64_t ring_end; /* bytes ever written */

/* The line that is being assembled for the output. */
static char line[LINE_MAX_BYTES];
static size_t line_length;
static uint64_t line_uptime;

static void write_all(int descriptor, const char *text, size_t length) {
    while (length != 0) {
        ssize_t written = write(descriptor, text, length);
        if (written <= 0) {
            return; /* nowhere to complain */
        }
        text += written;
        length -= (size_t)written;
    }
}

static void output_default(void *context, uint64_t uptime, const char *text, size_t length) {
    char whole[LINE_MAX_BYTES + 1];
    memcpy(whole, text, length);
    whole[length] = '\n';
    write_all(STDOUT_FILENO, whole, length + 1);
}

static machine_log_output *output = output_default;
static void *output_context;
static machine_log_listener *_Atomic listener;

void machine_log_set_listener(machine_log_listener *new_listener) {
    atomic_store(&listener, new_listener);
}

static void tell_listener(void) {
    machine_log_listener *current = atomic_load(&listener);
    if (current != NULL) {
        current();
    }
}

void machine_log_set_output(machine_log_output *new_output, void *context) {
    pthread_mutex_lock(&log_lock);
    output = new_output;
    output_context = context;
    pthread_mutex_unlock(&log_lock);
}

static void line_done(void) {
    if (output != NULL) {
        output(output_context, line_uptime, line, line_length);
    }
    line_length = 0;
}

static void append_locked(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        ring[ring_end++ % sizeof ring] = text[i];
        if (line_length == 0) {
            line_uptime = text[i] == '\n' || output == NULL ? line_uptime : machine_uptime();
        }
        if (text[i] == '\n') {
            line_done();
            continue;
        }
        line[line_length++] = text[i];
        if (line_length == sizeof line) {
            line_done();
        }
    }
}

void machine_log_write(const char *text, size_t length) {
    pthread_mutex_lock(&log_lock);
    append_locked(text, length);
    pthread_mutex_unlock(&log_lock);
    tell_listener();
}

void machine_log_v(const char *format, va_list arguments) {
    char text[512];
    int length = vsnprintf(text, sizeof text, format, arguments);
    if (length < 0) {
        return;
    }
    if ((size_t)length >= sizeof text) {
        length = sizeof text - 1;
    }
    pthread_mutex_lock(&log_lock);
    append_locked(text, (size_t)length);
    append_locked("\n", 1);
    pthread_mutex_unlock(&log_lock);
    tell_listener();
}

void machine_log(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    machine_log_v(format, arguments);
    va_end(arguments);
}

uint64_t machine_log_read(uint64_t position, char *buffer, size_t size, size_t *copied,
                          uint64_t *lost) {
    pthread_mutex_lock(&log_lock);
    uint64_t oldest = ring_end > sizeof ring ? ring_end - sizeof ring : 0;
    *lost = position < oldest ? oldest - position : 0;
    position += *lost;
    size_t count = 0;
    while (count < size && position < ring_end) {
        buffer[count++] = ring[position++ % sizeof ring];
    }
    pthread_mutex_unlock(&log_lock);
    *copied = count;
    return position;
}

size_t log_tail(char *buffer, size_t size, unsigned lines) {
    /* May be called where the lock is held by the thread that crashed: look without it then. */
    bool locked = pthread_mutex_trylock(&log_lock) == 0;
    uint64_t end = ring_end;
    uint64_t start = end;
    uint64_t oldest = end > sizeof ring ? end - sizeof ring : 0;
    while (start > oldest && end - start < size) {
        if (ring[(start - 1) % sizeof ring] == '\n' && start != end && lines-- == 1) {
            break;
        }
        start--;
    }
    size_t count = 0;
    for (uint64_t at = start; at < end; at++) {
        buffer[count++] = ring[at % sizeof ring];
    }
    if (locked) {
        pthread_mutex_unlock(&log_lock);
    }
    return count;
}

void report_line(const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text - 1, format, arguments);
    va_end(arguments);
    if (length < 0) {
        return;
    }
    if ((size_t)length > sizeof text - 2) {
        length = sizeof text - 2;
    }
    text[length++] = '\n';
    write_all(STDERR_FILENO, text, (size_t)length);
}
