/* SPDX-License-Identifier: BSD-3-Clause */
/* kern_control.c - the driver's side of kernel controls: ctl_register, ctl_enqueuedata ... */
#include "xnu/bsd/kern_control_private.h"

#include "abi/constants/errno.h"
#include "xnu/bsd/kpi.h"
#include "xnu/machine/memory.h"

struct machine_mutex *control_lock;
struct control *controls;

static struct control_observer observer;
static uint32_t last_id;
static uintptr_t last_handle;

int kern_control_start(void)
{
    if (!control_lock)
        control_lock = machine_mutex_create("kernel controls");
    return control_lock ? 0 : ENOMEM;
}

void kern_control_observe(const struct control_observer *new_observer)
{
    observer = new_observer ? *new_observer : (struct control_observer){ NULL };
}

struct control *control_by_handle(kern_ctl_ref handle)
{
    struct control *control = controls;

    while (control && control->handle != (uintptr_t)handle)
        control = control->next;
    return control;
}

struct control_client *control_client_by_unit(struct control *control, uint32_t unit)
{
    struct control_client *client = control->clients;

    while (client && client->unit != unit)
        client = client->next;
    return client;
}

/* ---- registration --------------------------------------------------------------------------- */

static bool name_is_valid(const char *name)
{
    if (name[0] == '\0')
        return false;
    for (unsigned i = 0; i < sizeof ((struct kern_ctl_reg *)0)->ctl_name; i++)
        if (name[i] == '\0')
            return true;
    return false;
}

static bool collides(const struct kern_ctl_reg *left, const struct kern_ctl_reg *right)
{
    if (right->ctl_flags & CTL_FLAG_REG_ID_UNIT)
        return left->ctl_id == right->ctl_id && left->ctl_unit == right->ctl_unit;
    return __builtin_strcmp(left->ctl_name, right->ctl_name) == 0;
}

static bool id_in_use(uint32_t id)
{
    for (const struct control *control = controls; control; control = control->next)
        if (control->registration.ctl_id == id)
            return true;
    return false;
}

static uint32_t next_id(void)
{
    do
        last_id++;
    while (last_id == 0 || id_in_use(last_id));
    return last_id;
}

/* Adds the control to the table, with the lock held. */
static errno_t add(struct control *control)
{
    struct kern_ctl_reg *registration = &control->registration;

    for (const struct control *other = controls; other; other = other->next)
        if (collides(&other->registration, registration))
            return EEXIST;
    if (!(registration->ctl_flags & CTL_FLAG_REG_ID_UNIT)) {
        registration->ctl_id = next_id();
        registration->ctl_unit = UINT32_MAX;
    }
    if (registration->ctl_sendsize == 0)
        registration->ctl_sendsize = CONTROL_SEND_SIZE;
    if (registration->ctl_recvsize == 0)
        registration->ctl_recvsize = CONTROL_RECEIVE_SIZE;
    control->handle = ++last_handle;
    control->next = controls;
    controls = control;
    return 0;
}

KPI(errno_t, ctl_register, (struct kern_ctl_reg *registration, kern_ctl_ref *handle))
{
    if (!registration || !registration->ctl_connect || !name_is_valid(registration->ctl_name))
        return EINVAL;
    struct control *control = machine_allocate_zeroed(sizeof *control, 0);
    if (!control)
        return ENOMEM;
    control->registration = *registration;
    machine_mutex_lock(control_lock);
    errno_t error = add(control);
    machine_mutex_unlock(control_lock);
    if (error) {
        machine_release(control, sizeof *control);
        return error;
    }
    registration->ctl_id = control->registration.ctl_id;
    registration->ctl_sendsize = control->registration.ctl_sendsize;
    registration->ctl_recvsize = control->registration.ctl_recvsize;
    *handle = (kern_ctl_ref)control->handle;
    if (observer.registered)
        observer.registered(observer.context, registration->ctl_name, registration->ctl_id,
                            registration->ctl_sendsize,
                            registration->ctl_flags & CTL_FLAG_REG_SOCK_STREAM,
                            registration->ctl_flags & CTL_FLAG_PRIVILEGED);
    return 0;
}

KPI(errno_t, ctl_deregister, (kern_ctl_ref handle))
{
    machine_mutex_lock(control_lock);
    struct control *control = control_by_handle(handle);
    errno_t error = !control ? EINVAL : control->clients ? EBUSY : 0;
    if (error) {
        machine_mutex_unlock(control_lock);
        return error;
    }
    struct control **link = &controls;
    while (*link != control)
        link = &(*link)->next;
    *link = control->next;
    machine_mutex_unlock(control_lock);
    if (observer.deregistered)
        observer.deregistered(observer.context, control->registration.ctl_name,
                              control->registration.ctl_id);
    machine_release(control, sizeof *control);
    return 0;
}

/* ---- data to the process -------------------------------------------------------------------- */

static size_t space(const struct control_client *client)
{
    size_t size = client->control->registration.ctl_recvsize;

    return client->queued < size ? size - client->queued : 0;
}

/* Adds data to the last record unless that was ended, as the socket buffer does. Returns where to
 * copy `length` bytes to, or NULL when there is no memory. */
static uint8_t *append(struct control_client *client, size_t length, bool ends)
{
    struct control_record *open = client->last && !client->last->complete ? client->last : NULL;
    size_t before = open ? open->length : 0;
    struct control_record *record = machine_allocate(sizeof *record + before + length, 0);

    if (!record)
        return NULL;
    *record = (struct control_record){ .length = before + length, .complete = ends };
    struct control_record **link = &client->first;
    while (*link && *link != open)
        link = &(*link)->next;
    if (open) {
        __builtin_memcpy(record->data, open->data, before);
        machine_release(open, sizeof *open + before);
    }
    *link = record;
    client->last = record;
    client->queued += length;
    return record->data + before;
}

/* Tells the process' side, which may take records in the call: with no lock held. */
static void call_notify(struct control_client *client, void (*notify)(void *), void *context)
{
    notify(context);
    machine_mutex_lock(control_lock);
    client->notifying--;
    machine_wakeup(&client->notifying, false);
    machine_mutex_unlock(control_lock);
}

/* Copies out of a buffer or an mbuf chain, whichever is given. */
static errno_t enqueue(kern_ctl_ref handle, uint32_t unit, const void *data, mbuf_t mbuf,
                       size_t length, uint32_t flags)
{
    void (*notify)(void *) = NULL;
    void *context = NULL;
    errno_t error = 0;

    machine_mutex_lock(control_lock);
    struct control *control = control_by_handle(handle);
    struct control_client *client = control ? control_client_by_unit(control, unit) : NULL;
    if (!client) {
        error = EINVAL;
    } else if (length > space(client)) {
        error = ENOBUFS;
    } else {
        uint8_t *to = append(client, length, flags & CTL_DATA_EOR);
        if (!to)
            error = ENOMEM;
        else if (mbuf)
            mbuf_copydata(mbuf, 0, length, to);
        else
            __builtin_memcpy(to, data, length);
        if (!error && !(flags & CTL_DATA_NOWAKEUP)) {
            notify = client->notify;
            context = client->notify_context;
            client->notifying += notify != NULL;
        }
    }
    machine_mutex_unlock(control_lock);
    if (notify)
        call_notify(client, notify, context);
    return error;
}

KPI(errno_t, ctl_enqueuedata, (kern_ctl_ref handle, uint32_t unit, void *data, size_t length,
                               uint32_t flags))
{
    return enqueue(handle, unit, data, NULL, length, flags);
}

/* The chain is consumed only on success. */
KPI(errno_t, ctl_enqueuembuf, (kern_ctl_ref handle, uint32_t unit, mbuf_t mbuf, uint32_t flags))
{
    size_t length = 0;

    for (mbuf_t part = mbuf; part; part = mbuf_next(part))
        length += mbuf_len(part);
    errno_t error = enqueue(handle, unit, NULL, mbuf, length, flags);
    if (!error)
        mbuf_freem(mbuf);
    return error;
}

KPI(errno_t, ctl_getenqueuespace, (kern_ctl_ref handle, uint32_t unit, size_t *bytes))
{
    machine_mutex_lock(control_lock);
    struct control *control = control_by_handle(handle);
    struct control_client *client = control ? control_client_by_unit(control, unit) : NULL;
    if (client)
        *bytes = space(client);
    machine_mutex_unlock(control_lock);
    return client ? 0 : EINVAL;
}
