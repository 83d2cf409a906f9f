/* SPDX-License-Identifier: BSD-3-Clause */
/* process.c - the one process there is, the kernel itself (pid 0, root), and BSD sleeping and
 * waking. */
#include "xnu/bsd/kpi.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/threads.h"

#include "abi/constants/errno.h"
#include "abi/kpi/bsd.h"
#include "abi/kpi/locks.h"

#include "xnu/bsd/lck.h"

static struct { int pid; } kernel_process_object;
static struct { uint32_t uid; } kernel_credential_object;

KPI_DATA(proc_t, kernproc) = (proc_t)&kernel_process_object;

KPI(proc_t, proc_self, (void)) { return kernproc; }
KPI(proc_t, current_proc, (void)) { return kernproc; }
KPI(int, proc_rele, (proc_t process)) { return 0; }
KPI(int, proc_selfpid, (void)) { return 0; }
KPI(int, proc_pid, (proc_t process)) { return 0; }
KPI(int, proc_suser, (proc_t process)) { return 0; }
KPI(kauth_cred_t, kauth_cred_get, (void)) { return (kauth_cred_t)&kernel_credential_object; }
KPI(int, kauth_cred_issuser, (kauth_cred_t credential)) { return 1; }
KPI(uint32_t, kauth_cred_getuid, (kauth_cred_t credential)) { return 0; }

KPI(void, proc_name, (int pid, char *buffer, int size))
{
    static const char name[] = "kernel_task";

    for (int i = 0; i < size; i++) {
        buffer[i] = i < (int)sizeof name - 1 && i < size - 1 ? name[i] : '\0';
        if (buffer[i] == '\0')
            break;
    }
}

/* ---- sleep and wakeup ------------------------------------------------------------------------ */

KPI(void, wakeup, (void *channel))
{
    machine_wakeup(channel, false);
}

KPI(void, wakeup_one, (char *channel))
{
    machine_wakeup(channel, true);
}

struct timespec_64 {
    long seconds, nanoseconds;
};

/* Flags in `priority`: PCATCH makes the sleep interruptible, PDROP leaves the mutex unlocked. */
KPI(int, msleep, (void *channel, lck_mtx_t *mutex, int priority, const char *message,
                  struct timespec_64 *timeout))
{
    enum { PCATCH = 0x100, PDROP = 0x400 };
    uint64_t deadline = 0;

    if (timeout && (timeout->seconds || timeout->nanoseconds))
        deadline = machine_uptime() + (uint64_t)timeout->seconds * 1000000000 +
                   (uint64_t)timeout->nanoseconds;
    wait_result_t result = lck_mtx_sleep_deadline(
        mutex, priority & PDROP ? LCK_SLEEP_UNLOCK : LCK_SLEEP_DEFAULT, channel,
        priority & PCATCH ? THREAD_ABORTSAFE : THREAD_UNINT, deadline);
    return result == THREAD_AWAKENED ? 0 : result == THREAD_TIMED_OUT ? EAGAIN : EINTR;
}
