/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ways a machine ends, and its exit statuses (documented in docs/kextrun.md).
 */
#ifndef MACHV_XNU_MACHINE_PANIC_H
#define MACHV_XNU_MACHINE_PANIC_H

#include <stdarg.h>
#include <stdbool.h>

enum machine_exit_status {
    MACHINE_EXIT_OK = 0,
    MACHINE_EXIT_FAILURE = 1,       /* the operating system refused something */
    MACHINE_EXIT_USAGE = 2,         /* bad command line */
    MACHINE_EXIT_KEXT = 3,          /* a kext or its Info.plist is damaged or not runnable */
    MACHINE_EXIT_LINK = 4,          /* a kext does not link: symbols, vtables, libraries */
    MACHINE_EXIT_START = 5,         /* a kext's start function refused */
    MACHINE_EXIT_PARTITION = 6,     /* no host at the socket, it vanished or ended in error */
    MACHINE_EXIT_PANIC = 7,         /* the kernel or a kext called panic() */
    MACHINE_EXIT_CRASH = 8,         /* the same, for a fault in a kext */
    MACHINE_EXIT_DEADLOCK = 9,      /* deterministic mode: nothing can ever run again */
};

/*
 * panic(): one line, the backtrace with kext symbols, the last lines of the log; tells the
 * partition (POWER crashed) and ends the process with MACHINE_EXIT_PANIC.
 */
_Noreturn void machine_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void machine_panic_v(const char *format, va_list arguments)
    __attribute__((format(printf, 1, 0)));

/*
 * Called on the panicking thread between the report and the end: what drivers do in a panic. From
 * then on no interrupt is delivered and the host's wish for the end is not heard, as on a machine
 * whose other processors have stopped. NULL for none.
 */
void machine_set_panic_actions(void (*actions)(void));
bool machine_is_panicking(void);

/* Ends the process at once with the status, the log written out; nothing is stopped in order. */
_Noreturn void machine_exit(int status);

/*
 * Called first when the machine is about to die, with the exit status and the line that says why;
 * a test may leave it by longjmp to a point in the same kernel thread. NULL for none.
 */
void machine_set_death_hook(void (*hook)(int status, const char *reason));

#endif
