/* SPDX-License-Identifier: BSD-3-Clause */
/* kern_control_client.c - the process' side of kernel controls: connect, send, receive, close. */
#include "xnu/bsd/kern_control_private.h"

#include "abi/constants/errno.h"
#include "xnu/bsd/platform.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/panic.h"

extern int version_major __asm("_version_major");

enum { DARWIN_10_7 = 11 }; /* disconnect is also called after a refused connect from here on */

int control_id(const char *name, uint32_t *id)
{
    int error = ENOENT;

    machine_mutex_lock(control_lock);
    for (const struct control *control = controls; control; control = control->next) {
        if (__builtin_strcmp(control->registration.ctl_name, name) == 0) {
            *id = control->registration.ctl_id;
            error = 0;
            break;
        }
    }
    machine_mutex_unlock(control_lock);
    return error;
}

static struct control *control_for_connect(uint32_t id, uint32_t unit)
{
    for (struct control *control = controls; control; control = control->next) {
        const struct kern_ctl_reg *registration = &control->registration;
        if (registration->ctl_id == id && (!(registration->ctl_flags & CTL_FLAG_REG_ID_UNIT) ||
                                           registration->ctl_unit == unit))
            return control;
    }
    return NULL;
}

static uint32_t lowest_free_unit(struct control *control)
{
    uint32_t unit = 1;

    while (control_client_by_unit(control, unit))
        unit++;
    return unit;
}

static int check_connect(struct control *control, uint32_t unit, bool stream, bool privileged)
{
    uint32_t flags = control->registration.ctl_flags;

    if (stream != ((flags & CTL_FLAG_REG_SOCK_STREAM) != 0))
        return EPROTOTYPE;
    if ((flags & CTL_FLAG_PRIVILEGED) && !privileged)
        return EPERM;
    if ((unit != 0 || (flags & CTL_FLAG_REG_ID_UNIT)) && control_client_by_unit(control, unit))
        return EBUSY;
    return 0;
}

/* Reserves the unit, so that the driver's function can be called with no lock held. */
static int reserve(struct control_client *client, uint32_t id, uint32_t unit, bool stream,
                   bool privileged)
{
    struct control *control = control_for_connect(id, unit);
    int error = control ? check_connect(control, unit, stream, privileged) : ENOENT;

    if (error)
        return error;
    if (unit == 0 && !(control->registration.ctl_flags & CTL_FLAG_REG_ID_UNIT))
        unit = lowest_free_unit(control);
    client->control = control;
    client->unit = unit;
    client->next = control->clients;
    control->clients = client;
    return 0;
}

static void unlink_client(struct control_client *client)
{
    struct control_client **link = &client->control->clients;

    machine_mutex_lock(control_lock);
    while (*link != client)
        link = &(*link)->next;
    *link = client->next;
    while (client->first) {
        struct control_record *record = client->first;
        client->first = record->next;
        machine_release(record, sizeof *record + record->length);
    }
    machine_mutex_unlock(control_lock);
    machine_release(client, sizeof *client);
}

static void call_disconnect(struct control_client *client)
{
    const struct kern_ctl_reg *registration = &client->control->registration;

    if (registration->ctl_disconnect)
        registration->ctl_disconnect((kern_ctl_ref)client->control->handle, client->unit,
                                     client->unit_info);
}

int control_connect(uint32_t id, uint32_t unit, bool stream, bool privileged,
                    struct control_client **result)
{
    struct control_client *client = machine_allocate_zeroed(sizeof *client, 0);

    if (!client)
        return ENOMEM;
    machine_mutex_lock(control_lock);
    int error = reserve(client, id, unit, stream, privileged);
    machine_mutex_unlock(control_lock);
    if (error) {
        machine_release(client, sizeof *client);
        return error;
    }
    struct sockaddr_ctl address = {
        .sc_len = sizeof address,
        .sc_family = 32,             /* AF_SYSTEM */
        .ss_sysaddr = 2,             /* AF_SYS_CONTROL */
        .sc_id = id,
        .sc_unit = client->unit,
    };
    error = client->control->registration.ctl_connect((kern_ctl_ref)client->control->handle,
                                                      &address, &client->unit_info);
    if (error) {
        if (version_major >= DARWIN_10_7)
            call_disconnect(client);
        unlink_client(client);
        return error;
    }
    client->connected = true;
    *result = client;
    return 0;
}

int control_send(struct control_client *client, const void *data, size_t length)
{
    const struct kern_ctl_reg *registration = &client->control->registration;
    bool stream = registration->ctl_flags & CTL_FLAG_REG_SOCK_STREAM;
    unsigned chunks = 0;
    mbuf_t mbuf;

    if (!registration->ctl_send)
        return ENOTSUP;
    if (!stream && length > registration->ctl_sendsize)
        return EMSGSIZE;
    if (mbuf_allocpacket(MBUF_WAITOK, length, &chunks, &mbuf) != 0)
        return ENOBUFS;
    mbuf_copyback(mbuf, 0, length, data, MBUF_WAITOK);
    /* The chain is the driver's from here on, also when it returns an error. */
    return registration->ctl_send((kern_ctl_ref)client->control->handle, client->unit,
                                  client->unit_info, mbuf, 0);
}

int control_receive(struct control_client *client, void *data, size_t size, size_t *length,
                    bool *complete)
{
    machine_mutex_lock(control_lock);
    struct control_record *record = client->first;
    if (!record) {
        machine_mutex_unlock(control_lock);
        return EAGAIN;
    }
    client->first = record->next;
    if (!record->next)
        client->last = NULL;
    client->queued -= record->length;
    machine_mutex_unlock(control_lock);
    *length = record->length < size ? record->length : size;
    __builtin_memcpy(data, record->data, *length);
    if (complete)
        *complete = record->complete;
    machine_release(record, sizeof *record + record->length);
    return 0;
}

int control_setopt(struct control_client *client, int option, const void *data, size_t length)
{
    const struct kern_ctl_reg *registration = &client->control->registration;
    void *copy = NULL;

    if (!registration->ctl_setopt)
        return ENOTSUP;
    if (length != 0) {
        copy = machine_allocate(length, 0);
        if (!copy)
            return ENOMEM;
        __builtin_memcpy(copy, data, length);
    }
    int error = registration->ctl_setopt((kern_ctl_ref)client->control->handle, client->unit,
                                         client->unit_info, option, copy, length);
    machine_release(copy, length);
    return error;
}

int control_getopt(struct control_client *client, int option, void *data, size_t *length)
{
    const struct kern_ctl_reg *registration = &client->control->registration;
    size_t given = *length;
    void *copy = NULL;

    if (!registration->ctl_getopt)
        return ENOTSUP;
    if (data && given != 0) {
        copy = machine_allocate(given, 0);
        if (!copy)
            return ENOMEM;
        __builtin_memcpy(copy, data, given);
    }
    int error = registration->ctl_getopt((kern_ctl_ref)client->control->handle, client->unit,
                                         client->unit_info, option, copy, length);
    if (copy && !error && *length > given)
        machine_panic("ctl_getopt of %s returned %zu bytes in a buffer of %zu",
                      registration->ctl_name, *length, given);
    if (copy && !error)
        __builtin_memcpy(data, copy, *length);
    machine_release(copy, given);
    return error;
}

void control_close(struct control_client *client)
{
    call_disconnect(client);
    unlink_client(client);
}

void control_set_notify(struct control_client *client, void (*notify)(void *context), void *context)
{
    machine_mutex_lock(control_lock);
    client->notify = notify;
    client->notify_context = context;
    while (client->notifying != 0)
        machine_sleep(control_lock, &client->notifying, MACHINE_NEVER, false);
    machine_mutex_unlock(control_lock);
}
