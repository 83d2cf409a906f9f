/* SPDX-License-Identifier: BSD-3-Clause */
/* Termination in three phases.
 *
 * 1. On the caller's thread, the victim and then every client that follows it (requestTerminate)
 *    becomes inactive: no new clients, no notifications, no matching.
 * 2. On the termination thread, once nothing is being started below the victim: top-down, every
 *    client is told willTerminate; bottom-up, message and didTerminate. A client may defer and
 *    stays until it closes.
 * 3. Leaves first: finalize, stop, close if still open, detach. Whose last client has left comes
 *    next.
 *
 * Calls about a provider run in the provider's gate.
 * One thread at a time plays the termination thread: a worker, or a caller that wants to wait
 * (kIOServiceSynchronous). Source of the rules: xnu iokit/Kernel/IOService.cpp. */
#include "abi/IOUserClient.h"
#include "abi/IOWorkLoop.h"
#include "abi/kpi/libkern.h"

#include "xnu/iokit/service.h"
#include "xnu/libkern/release.h"

#define OPTION_RECURSING 0x00100000u /* kIOServiceRecursing: terminate() is only being asked */
#define DEADLOCK_NOTICE UINT64_C(15000000000) /* ns */

/* Queues; service_lock. Every queued service is retained. */
static IOService *phase2_first, *finalize_first;
static struct attachment *stop_first;
static struct machine_thread *terminator; /* plays the termination thread */
static const void *terminator_event;      /* what it sleeps on, NULL while it works */
static bool worker_running, worker_stopping;
static bool work_is_new;                  /* since the worker looked last */
static unsigned work_left;                /* queued; what waits for a close stays queued */

/* ---- queues ---- */

static IOService **phase2_link(IOService *service)
{
    return &service_private(service)->phase2_next;
}

static IOService **finalize_link(IOService *service)
{
    return &service_private(service)->finalize_next;
}

static void enqueue(IOService **head, IOService **(*link)(IOService *), IOService *service)
{
    object_retain(service);
    *link(service) = NULL;
    while (*head)
        head = link(*head);
    *head = service;
    work_left++;
}

static IOService *dequeue(IOService **head, IOService **(*link)(IOService *))
{
    IOService *service = *head;

    if (service) {
        *head = *link(service);
        work_left--;
    }
    return service;
}

/* ---- the thread ---- */

static void do_work(void);

/* service_lock is held. */
static void work_as_terminator(void)
{
    terminator = machine_thread_self();
    work_is_new = false;
    do_work();
    terminator = NULL;
    machine_wakeup(&terminator, false);
}

static void worker(void *unused)
{
    kernel_lock_take(&service_lock);
    while (!worker_stopping) {
        if (work_is_new && !terminator)
            work_as_terminator();
        else
            kernel_lock_sleep(&service_lock, &worker_running, MACHINE_NEVER);
    }
    worker_running = false;
    machine_wakeup(&worker_stopping, false);
    kernel_lock_drop(&service_lock);
}

/* service_lock is held. */
static void wake_worker(void)
{
    struct machine_thread *thread;

    work_is_new = true;
    if (terminator) { /* it goes on, or the worker takes over afterwards */
        if (terminator_event)
            machine_wakeup(terminator_event, false);
        return;
    }
    if (!worker_running && !worker_stopping) {
        worker_running = true;
        thread = machine_thread_start("IOServiceTerminateThread", worker, NULL);
        if (!thread)
            machine_panic("no memory for the termination thread");
        machine_thread_release(thread);
    }
    machine_wakeup(&worker_running, false);
}

bool service_termination_idle(void)
{
    return work_left == 0 && !terminator;
}

void service_termination_stop(void)
{
    kernel_lock_take(&service_lock);
    while (terminator)
        kernel_lock_sleep(&service_lock, &terminator, MACHINE_NEVER);
    work_as_terminator(); /* what can still go goes */
    worker_stopping = true;
    machine_wakeup(&worker_running, false);
    while (worker_running)
        kernel_lock_sleep(&service_lock, &worker_stopping, MACHINE_NEVER);
    worker_stopping = false;
    kernel_lock_drop(&service_lock);
}

/* ---- phase 1 ---- */

/* Default: follow the provider if it is the only one. A driver that overrides terminate() is
 * asked through it; if that does not reach IOService, the driver stays. */
bool IOService__requestTerminate(IOService *me, IOService *provider, uint32_t options)
{
    if (!IORegistryEntry_isParent(entry_of(me), entry_of(provider), gIOServicePlane, true))
        return false;
    IOService_terminateClient(provider, me, options | OPTION_RECURSING);
    return service_private(me)->flags & SERVICE_RECURSING;
}

bool IOService__terminateClient(IOService *me, IOService *client, uint32_t options)
{
    bool good;

    if (!IORegistryEntry_isParent(entry_of(client), entry_of(me), gIOServicePlane, true))
        return true; /* it has another provider */
    good = IOService_terminate(client, options);
    return good;
}

static bool become_inactive(IOService *me, uint32_t options)
{
    bool first;

    kernel_lock_take(&service_lock);
    first = !service_inactive(me);
    if (first) {
        me->__state[0] |= kIOServiceInactiveState;
        me->__state[0] &= ~(uint32_t)(kIOServiceRegisteredState | kIOServiceMatchedState |
                                      kIOServiceFirstPublishState | kIOServiceFirstMatchState);
        service_private(me)->terminate_options = options;
        service_private(me)->flags |= SERVICE_TERMINATION_BUSY | SERVICE_PHASE1;
        service_adjust_busy(me, 1);
        machine_wakeup(&service_private(me)->busy, false);
    }
    kernel_lock_drop(&service_lock);
    return first;
}

/* Puts the service and all that follow it into *victims. True if it was active until now. */
static bool phase1(IOService *me, uint32_t options, IOService **victims)
{
    OSArray *clients;
    unsigned i;

    if (!become_inactive(me, options))
        return false;
    object_retain(me);
    service_private(me)->did_next = *victims;
    *victims = me;
    if (release_behaviour()->will_terminate_notification)
        service_deliver(me, gIOWillTerminateNotification, 0, UINT32_MAX);
    service_deliver(me, gIOTerminatedNotification, 0, UINT32_MAX);
    clients = service_copy_clients(me);
    for (i = 0; clients && i < array_count(clients); i++) {
        IOService *client = array_at(clients, i);

        if (IOService_requestTerminate(client, me, options))
            phase1(client, options, victims);
    }
    object_release(clients);
    return true;
}

/* From now on phase 2 may reach them. */
static void end_phase1(IOService *victims)
{
    IOService *victim;

    kernel_lock_take(&service_lock);
    while ((victim = victims)) {
        victims = service_private(victim)->did_next;
        service_private(victim)->flags &= ~(unsigned)SERVICE_PHASE1;
        object_release(victim);
    }
    kernel_lock_drop(&service_lock);
}

bool IOService_terminatePhase1(IOService *me, uint32_t options)
{
    IOService *victims = NULL;

    if (options & OPTION_RECURSING) {
        kernel_lock_take(&service_lock);
        service_private(me)->flags |= SERVICE_RECURSING;
        kernel_lock_drop(&service_lock);
        return true;
    }
    object_retain(me);
    if (phase1(me, options, &victims)) {
        end_phase1(victims);
        service_schedule_phase2(me, options);
    }
    object_release(me);
    return true;
}

bool IOService__terminate(IOService *me, uint32_t options)
{
    return IOService_terminatePhase1(me, options | kIOServiceTerminate);
}

/* ---- calls in a gate ---- */

typedef void gated_function(IOService *service, void *argument);

struct gated_call {
    gated_function *function;
    IOService *service;
    void *argument;
};

static int32_t call_gated(OSObject *unused, void *argument, void *arg1, void *arg2, void *arg3)
{
    struct gated_call *call = argument;

    call->function(call->service, call->argument);
    return kIOReturnSuccess;
}

/* Runs the function in the work loop of the service if it has one. service_lock is given up
 * meanwhile. */
static void run_gated(IOService *service, gated_function *function, void *argument)
{
    struct gated_call call = {function, service, argument};
    IOWorkLoop *loop;

    kernel_lock_drop(&service_lock);
    loop = IOService_getWorkLoop(service);
    if (loop) {
        object_retain(loop);
        IOWorkLoop_runAction(loop, call_gated, (OSObject *)service, &call, NULL, NULL, NULL);
        object_release(loop);
    } else {
        function(service, argument);
    }
    kernel_lock_take(&service_lock);
}

/* ---- phase 2 ---- */

bool IOService__willTerminate(IOService *me, IOService *provider, uint32_t options)
{
    return true;
}

/* Default: a client that does not hold the provider open is stopped; one that does is asked to
 * close. */
bool IOService__didTerminate(IOService *me, IOService *provider, uint32_t options, bool *defer)
{
    if (*defer)
        return true;
    IOService_lockForArbitration(provider, true);
    if (IOService_handleIsOpen(provider, me))
        IOService_message(me, kIOMessageServiceIsRequestingClose, provider,
                          (void *)(uintptr_t)options);
    if (!IOService_handleIsOpen(provider, me))
        service_schedule_stop(me, provider);
    IOService_unlockForArbitration(provider);
    return true;
}

/* Told in the victim's gate, to its clients. */
static void tell_will_terminate(IOService *victim, void *clients)
{
    unsigned i;

    for (i = 0; i < array_count(clients); i++)
        IOService_willTerminate(array_at(clients, i), victim,
                                service_private(victim)->terminate_options);
}

static void tell_did_terminate(IOService *victim, void *unused)
{
    uint32_t options = service_private(victim)->terminate_options;
    OSArray *clients = service_copy_clients(victim);
    unsigned i;

    IOService_messageClients(victim, kIOMessageServiceIsTerminated, (void *)(uintptr_t)options, 0);
    for (i = 0; clients && i < array_count(clients); i++) {
        bool defer = false;

        IOService_didTerminate(array_at(clients, i), victim, options, &defer);
    }
    object_release(clients);
}

/* Not before phase 1 is over, nor while the victim or one of its clients is being matched or
 * started: whoever does that comes back. */
static bool ready_for_phase2(IOService *victim)
{
    OSArray *clients;
    bool ready;
    unsigned i;

    ready = service_inactive(victim) &&
            !(service_private(victim)->flags &
              (SERVICE_PHASE1 | SERVICE_PHASE2 | SERVICE_CONFIGURING | SERVICE_STARTING));
    clients = ready ? service_copy_clients(victim) : NULL;
    for (i = 0; clients && i < array_count(clients); i++) {
        if (service_private(array_at(clients, i))->flags & SERVICE_STARTING)
            ready = false;
    }
    object_release(clients);
    return ready;
}

/* Top-down. Prepends each victim that has clients to *did, so that it ends up bottom-up. */
static void will_terminate(IOService *victim, IOService **did)
{
    OSArray *clients;
    unsigned i;

    if (!ready_for_phase2(victim))
        return;
    service_private(victim)->flags |= SERVICE_PHASE2;
    clients = service_copy_clients(victim);
    if (!clients || array_count(clients) == 0) {
        service_schedule_finalize(victim);
        object_release(clients);
        return;
    }
    run_gated(victim, tell_will_terminate, clients);
    object_retain(victim);
    service_private(victim)->did_next = *did;
    *did = victim;
    for (i = 0; i < array_count(clients); i++)
        will_terminate(array_at(clients, i), did);
    object_release(clients);
}

static void phase2(IOService *first)
{
    IOService *victim, *did = NULL;

    will_terminate(first, &did);
    while ((victim = did)) {
        did = service_private(victim)->did_next;
        service_private(victim)->flags |= SERVICE_PHASE3;
        run_gated(victim, tell_did_terminate, NULL);
        object_release(victim);
    }
}

/* ---- phase 3 ---- */

/* A victim below a provider that stays is stopped from here; below one that goes too, by
 * didTerminate or when it closes. */
bool IOService__finalize(IOService *me, uint32_t options)
{
    OSArray *providers = service_copy_providers(me);
    unsigned i;

    for (i = 0; providers && i < array_count(providers); i++) {
        IOService *provider = array_at(providers, i);

        if (!(service_private(provider)->flags & SERVICE_PHASE3))
            service_schedule_stop(me, provider);
    }
    object_release(providers);
    return true;
}

static void finalize_gated(IOService *victim, void *unused)
{
    IOService_finalize(victim, service_private(victim)->terminate_options);
}

static void finalize(IOService *victim)
{
    struct service_private *private = service_private(victim);

    private->flags |= SERVICE_PHASE3;
    run_gated(victim, finalize_gated, NULL);
    /* Nothing above it: nobody will detach it. */
    if ((private->flags & SERVICE_TERMINATION_BUSY) && !IOService_getProvider(victim)) {
        private->flags &= ~(unsigned)SERVICE_TERMINATION_BUSY;
        service_adjust_busy(victim, -1);
    }
}

static void stop_gated(IOService *provider, void *argument)
{
    IOService *client = argument;

    IOService_stop(client, provider);
    if (IOService_isOpen(provider, client))
        IOService_close(provider, client, 0);
    IOService_detach(client, provider);
}

/* Takes the first client out of the stop queue that has no clients of its own left; NULL if
 * there is none. */
static struct attachment *next_to_stop(void)
{
    struct attachment **link = &stop_first, *attachment;

    while ((attachment = *link)) {
        if (!attachment->client || !service_inactive(attachment->client) ||
            !service_has_clients(attachment->client)) {
            *link = attachment->queue_next;
            work_left--;
            return attachment;
        }
        link = &attachment->queue_next;
    }
    return NULL;
}

/* The queue's references keep both ends alive; an attachment without client was detached
 * meanwhile. */
static void stop(struct attachment *attachment, IOService *client)
{
    IOService *provider = attachment->provider;

    attachment->queued = false;
    if (client)
        run_gated(provider, stop_gated, client);
    else
        kernel_free(attachment, sizeof(*attachment));
    object_release(provider);
}

static bool work_once(void)
{
    IOService *victim = dequeue(&phase2_first, phase2_link);
    struct attachment *attachment;

    if (victim) {
        service_private(victim)->phase2_queued = false;
        phase2(victim);
        object_release(victim);
        return true;
    }
    victim = dequeue(&finalize_first, finalize_link);
    if (victim) {
        finalize(victim);
        object_release(victim);
        return true;
    }
    attachment = next_to_stop();
    if (attachment) {
        IOService *client = attachment->client;

        if (client)
            object_retain(client);
        stop(attachment, client);
        object_release(client);
        return true;
    }
    return false;
}

/* service_lock is held, and given up around every call to a driver. */
static void do_work(void)
{
    while (work_once())
        ;
}

/* ---- scheduling ---- */

void service_schedule_finalize(IOService *me)
{
    kernel_lock_take(&service_lock);
    if (!(service_private(me)->flags & SERVICE_FINALIZED)) {
        service_private(me)->flags |= SERVICE_FINALIZED;
        enqueue(&finalize_first, finalize_link, me);
        wake_worker();
    }
    kernel_lock_drop(&service_lock);
}

void service_schedule_stop(IOService *client, IOService *provider)
{
    struct attachment *attachment, **link;

    kernel_lock_take(&service_lock);
    attachment = service_private(client)->attachments;
    while (attachment && attachment->provider != provider)
        attachment = attachment->next;
    if (attachment && !attachment->queued) {
        object_retain(provider);
        attachment->queued = true;
        attachment->queue_next = NULL;
        for (link = &stop_first; *link; link = &(*link)->queue_next)
            ;
        *link = attachment;
        work_left++;
        wake_worker();
    }
    kernel_lock_drop(&service_lock);
}

void IOService_scheduleStop(IOService *me, IOService *provider)
{
    service_schedule_stop(me, provider);
}

/* The caller becomes the termination thread until the victim has gone. */
static void terminate_here(IOService *victim)
{
    struct service_private *private = service_private(victim);
    uint64_t deadline = machine_uptime() + DEADLOCK_NOTICE;
    enum machine_wait_result result = MACHINE_AWAKENED;

    while (terminator)
        kernel_lock_sleep(&service_lock, &terminator, MACHINE_NEVER);
    terminator = machine_thread_self();
    do {
        work_is_new = false;
        do_work();
        if (private->busy == 0)
            break;
        terminator_event = &private->busy;
        result = kernel_lock_sleep(&service_lock, terminator_event, deadline);
        terminator_event = NULL;
        if (result == MACHINE_TIMED_OUT) {
            machine_log("%s[0x%llx]::terminate(kIOServiceSynchronous): still busy after 15 s. "
                        "Attempting to auto-resolve your deadlock.",
                        IORegistryEntry_getName(entry_of(victim), NULL),
                        (unsigned long long)IORegistryEntry_getRegistryEntryID(entry_of(victim)));
            deadline = MACHINE_NEVER;
            if (release_number() >= RELEASE(10, 15, 0))
                break;
        }
    } while (true);
    terminator = NULL;
    machine_wakeup(&terminator, false);
    if (work_is_new)
        wake_worker();
}

void service_schedule_phase2(IOService *me, uint32_t options)
{
    kernel_lock_take(&service_lock);
    object_retain(me);
    if (!service_private(me)->phase2_queued) {
        service_private(me)->phase2_queued = true;
        enqueue(&phase2_first, phase2_link, me);
    }
    if ((options & kIOServiceSynchronous) && terminator != machine_thread_self())
        terminate_here(me);
    else
        wake_worker();
    object_release(me);
    kernel_lock_drop(&service_lock);
}

void IOService_scheduleTerminatePhase2(IOService *me, uint32_t options)
{
    service_schedule_phase2(me, options);
}
