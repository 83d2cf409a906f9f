/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a machine dies: reports, and the one way out of the process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "xnu/machine/machine_private.h"

#define FRAMES_MAX 32
#define LOG_LINES 12

static void (*death_hook)(int status, const char *reason);
static void (*panic_actions)(void);
static atomic_bool panicking, dying;
static _Atomic(const struct machine_thread *) panicker; /* who runs the actions */

bool machine_is_panicking(void) {
    return atomic_load_explicit(&panicking, memory_order_relaxed);
}

bool panic_is_mine(void) {
    return machine_is_panicking() && machine_current == atomic_load(&panicker);
}

void panic_stop_here(void) {
    while (machine_is_panicking() && thread_engine == &thread_engine_real && !panic_is_mine()) {
        pause();
    }
}

void machine_set_panic_actions(void (*actions)(void)) {
    panic_actions = actions;
}

void machine_set_death_hook(void (*hook)(int status, const char *reason)) {
    death_hook = hook;
}

bool machine_has_death_hook(void) {
    return death_hook != NULL;
}

void machine_call_death_hook(int status, const char *reason) {
    if (death_hook != NULL) {
        death_hook(status, reason);
    }
}

bool read_carefully(uintptr_t address, void *buffer, size_t size) {
    struct iovec local = {buffer, size};
    struct iovec remote = {(void *)address, size};
    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)size;
}

void report_backtrace(uintptr_t instruction, uintptr_t frame) {
    char text[160];
    for (unsigned i = 0; i < FRAMES_MAX && instruction != 0; i++) {
        uintptr_t next[2];
        machine_describe_address(instruction, text, sizeof text);
        report_line("  %2u  0x%016lx  %s", i, (unsigned long)instruction, text);
        if (frame % sizeof(uintptr_t) != 0 || !read_carefully(frame, next, sizeof next) ||
            next[0] <= frame) {
            return;
        }
        frame = next[0];
        instruction = next[1];
    }
}

static void report_log(void) {
    static char tail[4096];
    size_t length = log_tail(tail, sizeof tail - 1, LOG_LINES);
    tail[length] = '\0';
    report_line("last lines of the log:");
    char *rest = tail;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        if (line[0] != '\0') {
            report_line("  | %s", line);
        }
    }
}

void panic_call_actions(void) {
    panic_stop_here(); /* a panic of another thread is at work, and will end the process */
    /* A panic in one of the actions comes here again, and ends it. */
    if (machine_current != NULL && panic_actions != NULL && !machine_is_panicking()) {
        thread_engine->quiesce();
        atomic_store(&panicker, machine_current);
        atomic_store(&panicking, true);
        panic_actions();
    }
}

_Noreturn void machine_exit(int status) {
    fflush(NULL);
    _exit(status);
}

_Noreturn void machine_die(int status, const char *reason) {
    if (atomic_exchange(&dying, true)) {
        for (;;) {
            pause(); /* another thread is writing its report and will end the process */
        }
    }
    report_log();
    atomic_store(&panicker, machine_current);
    atomic_store(&panicking, true); /* the host answers POWER crashed with its own */
    if (partition_current.operations != NULL && partition_current.operations->power != NULL &&
        (status == MACHINE_EXIT_PANIC || status == MACHINE_EXIT_CRASH)) {
        partition_current.operations->power(partition_current.context, MACHINE_POWER_CRASHED,
                                            NULL);
    }
    machine_exit(status);
}

_Noreturn void machine_panic_v(const char *format, va_list arguments) {
    char reason[400];
    vsnprintf(reason, sizeof reason, format, arguments);
    size_t length = strlen(reason);
    while (length != 0 && reason[length - 1] == '\n') {
        reason[--length] = '\0';
    }
    machine_call_death_hook(MACHINE_EXIT_PANIC, reason);
    const struct machine_thread *thread = machine_current;
    report_line("panic(cpu %u thread \"%s\"): %s", machine_processor_number(),
                thread != NULL ? thread->name : "none", reason);
    report_backtrace((uintptr_t)__builtin_return_address(0),
                     (uintptr_t)__builtin_frame_address(0));
    panic_call_actions();
    machine_die(MACHINE_EXIT_PANIC, reason);
}

_Noreturn void machine_panic(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    machine_panic_v(format, arguments);
}
