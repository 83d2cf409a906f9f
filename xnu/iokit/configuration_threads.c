/* SPDX-License-Identifier: BSD-3-Clause */
/* The pool of threads on which services are matched (xnu iokit/Kernel/IOService.cpp:
 * _IOConfigThread). */
#include "xnu/iokit/configuration_threads.h"

#include "xnu/iokit/service.h"
#include "xnu/libkern/release.h"

struct job {
    struct job *next;
    IOService *service; /* +1 */
    uint32_t options;
};

static struct kernel_lock pool_lock = KERNEL_LOCK("matching jobs");
static struct job *first_job;
static unsigned threads, idle, running, queued;
static bool stopping;

static void put(struct job *job, bool first)
{
    struct job **link = &first_job;

    while (!first && *link)
        link = &(*link)->next;
    job->next = *link;
    *link = job;
    queued++;
}

static struct job *take(void)
{
    struct job *job = first_job;

    if (job) {
        first_job = job->next;
        queued--;
    }
    return job;
}

static void run(struct job *job)
{
    running++;
    kernel_lock_drop(&pool_lock);
    service_match(job->service, job->options);
    object_release(job->service);
    kernel_free(job, sizeof(*job));
    kernel_lock_take(&pool_lock);
    running--;
    if (running == 0 && queued == 0)
        machine_wakeup(&running, false);
}

static void thread_function(void *unused)
{
    struct job *job;

    kernel_lock_take(&pool_lock);
    while (!stopping) {
        job = take();
        if (job) {
            run(job);
            continue;
        }
        idle++;
        kernel_lock_sleep(&pool_lock, &first_job, MACHINE_NEVER);
        idle--;
    }
    threads--;
    machine_wakeup(&threads, false);
    kernel_lock_drop(&pool_lock);
}

/* pool_lock is held. */
static void add_thread(void)
{
    struct machine_thread *thread;

    threads++;
    thread = machine_thread_start("IOConfigThread", thread_function, NULL);
    if (thread)
        machine_thread_release(thread);
    else
        threads--;
}

bool configuration_queue(IOService *service, uint32_t options, bool first)
{
    struct job *job = kernel_allocate(sizeof(*job));
    bool good = false;

    if (!job)
        return false;
    kernel_lock_take(&pool_lock);
    if (!stopping) {
        object_retain(service);
        job->service = service;
        job->options = options;
        put(job, first);
        if (queued > idle && (threads < release_behaviour()->configuration_threads || first))
            add_thread();
        machine_wakeup(&first_job, true);
        good = true;
    }
    kernel_lock_drop(&pool_lock);
    if (!good)
        kernel_free(job, sizeof(*job));
    return good;
}

bool configuration_wait_idle(uint64_t deadline)
{
    bool good = true;

    kernel_lock_take(&pool_lock);
    while (running > 0 || queued > 0) {
        if (kernel_lock_sleep(&pool_lock, &running, deadline) == MACHINE_TIMED_OUT) {
            good = running == 0 && queued == 0;
            break;
        }
    }
    kernel_lock_drop(&pool_lock);
    return good;
}

void configuration_stop(void)
{
    struct job *job;

    kernel_lock_take(&pool_lock);
    stopping = true;
    while ((job = take())) {
        object_release(job->service);
        kernel_free(job, sizeof(*job));
    }
    machine_wakeup(&first_job, false);
    while (threads > running)
        kernel_lock_sleep(&pool_lock, &threads, MACHINE_NEVER);
    kernel_lock_drop(&pool_lock);
}

unsigned configuration_thread_count(void)
{
    return threads;
}
