/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVVMBus: requests of devices to the host, and waiting for the replies. */
#include "kext/core/vmbus.h"

#include "abi/kpi/threads.h"
#include "abi/kpi/time.h"
#include "kext/core/errors.h"
#include "kext/core/log.h"

static const char who[] = "HyperVVMBus";

uint32_t vmbus_version(HyperVVMBus *bus)
{
    return bus->connection->version;
}

int vmbus_post(HyperVVMBus *bus, const struct connection_message *message)
{
    bool connected;
    int error;

    IOLockLock(bus->lock);
    connected = bus->connection->state == CONNECTION_CONNECTED && !bus->unloading;
    bus->posting += connected;
    IOLockUnlock(bus->lock);
    if (!connected)
        return HV_ERROR_GONE;
    error = controller_post_message(bus->controller, message, false);
    IOLockLock(bus->lock);
    if (--bus->posting == 0)
        IOLockWakeup(bus->lock, &bus->posting, false);
    IOLockUnlock(bus->lock);
    return error;
}

/* Waits for the reply to `request`. Whatever happens, the request is over on return. */
static int await_reply(HyperVVMBus *bus, connection_request_handle request)
{
    uint64_t deadline;
    int result;

    clock_interval_to_deadline(VMBUS_REPLY_TIMEOUT_MS, kMillisecondScale, &deadline);
    IOLockLock(bus->lock);
    while (!connection_request_result(bus->connection, request, &result)) {
        if (IOLockSleepDeadline(bus->lock, bus->connection, deadline, THREAD_UNINT) !=
            THREAD_TIMED_OUT)
            continue;
        if (connection_request_result(bus->connection, request, &result))
            break;
        connection_request_abandon(bus->connection, request);
        result = HV_ERROR_TIMED_OUT;
        break;
    }
    IOLockUnlock(bus->lock);
    return result;
}

/* Posts the message of `request` and waits for the reply. */
static int post_and_wait(HyperVVMBus *bus, const struct connection_message *message,
                         connection_request_handle request)
{
    int error = vmbus_post(bus, message);

    if (error == 0)
        return await_reply(bus, request);
    IOLockLock(bus->lock);
    connection_request_unsent(bus->connection, request);
    IOLockUnlock(bus->lock);
    return error;
}

int vmbus_open_channel(HyperVVMBus *bus, uint32_t channel_id,
                       const struct connection_open_parameters *parameters)
{
    struct connection_message message;
    connection_request_handle request;
    int error;

    IOLockLock(bus->lock);
    error = connection_open_channel(bus->connection, channel_id, parameters, &message, &request);
    IOLockUnlock(bus->lock);
    return error != 0 ? error : post_and_wait(bus, &message, request);
}

int vmbus_close_channel(HyperVVMBus *bus, uint32_t channel_id)
{
    struct connection_message message;
    int error;

    IOLockLock(bus->lock);
    error = connection_close_channel(bus->connection, channel_id, &message);
    IOLockUnlock(bus->lock);
    return error != 0 ? error : vmbus_post(bus, &message);
}

/* Posts all messages of a GPADL. Returns how many went out in `*sent`. */
static int post_gpadl(HyperVVMBus *bus, struct gpadl_builder *builder, uint32_t *sent)
{
    struct connection_message message;
    int error = 0;

    *sent = 0;
    while (error == 0 && connection_gpadl_message(bus->connection, builder, &message)) {
        error = vmbus_post(bus, &message);
        if (error == 0)
            ++*sent;
    }
    return error;
}

int vmbus_create_gpadl(HyperVVMBus *bus, uint32_t channel_id, struct dma_memory *memory,
                       uint32_t *gpadl_id)
{
    const struct gpadl_range range = { .length = memory->size };
    struct gpadl_builder builder;
    connection_request_handle request;
    uint32_t sent;
    int error;

    *gpadl_id = 0;
    IOLockLock(bus->lock);
    error = connection_create_gpadl(bus->connection, channel_id, &range, 1, dma_memory_page_source,
                                    memory, &builder, gpadl_id, &request);
    IOLockUnlock(bus->lock);
    if (error != 0)
        return error;
    error = post_gpadl(bus, &builder, &sent);
    if (error == 0) {
        error = await_reply(bus, request);
    } else {
        IOLockLock(bus->lock);
        if (sent == 0)
            connection_request_unsent(bus->connection, request);
        else
            connection_request_abandon(bus->connection, request);
        IOLockUnlock(bus->lock);
    }
    if (error == HV_ERROR_REFUSED || (error != 0 && sent == 0))
        *gpadl_id = 0;              /* the host knows nothing of it */
    return error;
}

/* Once the end has begun, memory comes back with UNLOAD; the lock is held. */
static void await_unload(HyperVVMBus *bus)
{
    while (bus->unloading && !bus->unload_over)
        IOLockSleep(bus->lock, bus->connection, THREAD_UNINT);
}

int vmbus_teardown_gpadl(HyperVVMBus *bus, uint32_t gpadl_id)
{
    struct connection_message message;
    connection_request_handle request;
    int error;

    IOLockLock(bus->lock);
    await_unload(bus);
    if (bus->unloaded)              /* the host has forgotten everything */
        error = HV_ERROR_EMPTY;
    else
        error = connection_teardown_gpadl(bus->connection, gpadl_id, &message, &request);
    IOLockUnlock(bus->lock);
    if (error != 0)
        return error == HV_ERROR_EMPTY ? 0 : error;
    error = post_and_wait(bus, &message, request);
    if (error == HV_ERROR_GONE) {   /* UNLOAD came between */
        IOLockLock(bus->lock);
        await_unload(bus);
        if (bus->unloaded)
            error = 0;
        IOLockUnlock(bus->lock);
    }
    if (error == HV_ERROR_TIMED_OUT)
        hv_log(who, "the host did not tear GPADL 0x%x down", gpadl_id);
    return error;
}

void vmbus_release_channel(HyperVVMBus *bus, uint32_t channel_id)
{
    struct connection_message message;
    int error;

    IOLockLock(bus->lock);
    error = connection_release_channel(bus->connection, channel_id, &message);
    bus->devices[channel_id] = NULL;
    IOLockUnlock(bus->lock);
    if (error == 0)
        vmbus_post(bus, &message);
}
