/* SPDX-License-Identifier: BSD-3-Clause */
/* kern_control_export.c - joins the table of kernel controls and the sockets for real processes. */
#include "xnu/bsd/kern_control_export.h"

#include "xnu/bsd/kern_control.h"
#include "xnu/machine/control_socket.h"

#include "abi/constants/errno.h"

static struct control_sockets *sockets;

static int connect_client(uint32_t control, bool stream, bool privileged, void **client)
{
    return control_connect(control, 0, stream, privileged, (struct control_client **)client);
}

static int send_message(void *client, const void *data, size_t length)
{
    return control_send(client, data, length);
}

static int receive_record(void *client, void *data, size_t size, size_t *length, bool *complete)
{
    return control_receive(client, data, size, length, complete) == 0 ? 0 : -1;
}

static void set_notify(void *client, void (*notify)(void *context), void *context)
{
    control_set_notify(client, notify, context);
}

static void close_client(void *client)
{
    control_close(client);
}

static void registered(void *context, const char *name, uint32_t id, uint32_t send_size,
                       bool stream, bool privileged)
{
    control_sockets_publish(sockets, name, id, send_size, stream, privileged);
}

static void deregistered(void *context, const char *name, uint32_t id)
{
    control_sockets_withdraw(sockets, name);
}

int kern_control_export_start(const char *directory)
{
    static const struct control_socket_operations operations = {
        connect_client, send_message, receive_record, set_notify, close_client,
    };
    static const struct control_observer observer = { registered, deregistered, NULL };

    sockets = control_sockets_start(directory, &operations);
    if (!sockets)
        return ENOMEM;
    kern_control_observe(&observer);
    return 0;
}

void kern_control_export_stop(void)
{
    kern_control_observe(NULL);
    control_sockets_stop(sockets);
    sockets = NULL;
}
