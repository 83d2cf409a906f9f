/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVVMBus: getting connected to the host, and leaving it. */
#include "kext/core/device.h"

#include "abi/kpi/iolib.h"
#include "abi/kpi/threads.h"
#include "abi/kpi/time.h"
#include "kext/core/boot_arguments.h"
#include "kext/core/errors.h"
#include "kext/core/log.h"
#include "protocol/vmbus_classes.h"

static const char who[] = "HyperVVMBus";

#define PCI_WAIT_SECONDS 3u

/* Sleeps until the next control message has been handled. Returns false at the deadline. */
static bool wait_for_message(HyperVVMBus *bus, uint64_t deadline)
{
    return IOLockSleepDeadline(bus->lock, bus->connection, deadline, THREAD_UNINT) !=
           THREAD_TIMED_OUT;
}

static uint64_t deadline_after(uint32_t milliseconds)
{
    uint64_t deadline;

    clock_interval_to_deadline(milliseconds, kMillisecondScale, &deadline);
    return deadline;
}

/* Waits for the answer to the posted proposal, with the lock held. Returns 0 when connected,
 * HV_ERROR_REFUSED when the host wants none of ours, HV_ERROR_EMPTY with the next proposal in
 * `message`. */
static int await_answer(HyperVVMBus *bus, struct connection_message *message)
{
    uint64_t deadline = deadline_after(VMBUS_CONTACT_TIMEOUT_MS);
    bool in_time = true;

    while (bus->connection->state == CONNECTION_CONTACTING && !bus->proposal_ready && in_time)
        in_time = wait_for_message(bus, deadline);
    if (bus->was_connected)         /* even if the system has begun to go down since */
        return 0;
    if (bus->connection->state != CONNECTION_CONTACTING)
        return HV_ERROR_REFUSED;
    if (bus->proposal_ready) {
        bus->proposal_ready = false;
        *message = bus->proposal;
        return HV_ERROR_EMPTY;
    }
    return connection_proposal_failed(bus->connection, message) == 0 ? HV_ERROR_EMPTY
                                                                     : HV_ERROR_REFUSED;
}

/* hvvmbusver=0x30000 keeps to 3.0, for finding out whether a newer version is to blame. A number
 * that is no version would leave the guest without its disks: it is as if it had not been given. */
static uint32_t version_maximum(void)
{
    uint32_t version = boot_argument_number("hvvmbusver", 0);

    if (version == 0 || connection_knows_version(version))
        return version;
    hv_log(who, "boot argument hvvmbusver=0x%x is no VMBus version, so it is ignored; 0x%x is 3.0",
           version, VMBUS_VERSION_3_0);
    return 0;
}

int vmbus_connect(HyperVVMBus *bus)
{
    const struct connection_parameters parameters = {
        .version_maximum = version_maximum(),
        .target_vp = controller_vp_index(bus->controller, CONTROLLER_MESSAGE_PROCESSOR),
        .interrupt_page = dma_memory_page_number(&bus->interrupt_page, 0) << HV_PAGE_SHIFT,
    };
    struct connection_message message;
    int error;

    IOLockLock(bus->lock);
    error = connection_start(bus->connection, &parameters, &message);
    IOLockUnlock(bus->lock);
    if (error != 0)
        return error;
    do {
        error = controller_post_message(bus->controller, &message, true);
        if (error != 0 && error != HV_ERROR_REFUSED)
            return error;
        IOLockLock(bus->lock);
        if (error == 0)
            error = await_answer(bus, &message);
        else if (connection_proposal_failed(bus->connection, &message) == 0)
            error = HV_ERROR_EMPTY;
        IOLockUnlock(bus->lock);
    } while (error == HV_ERROR_EMPTY);
    if (error == 0)
        hv_log(who, "connected, version %u.%u", VMBUS_VERSION_MAJOR(vmbus_version(bus)),
               VMBUS_VERSION_MINOR(vmbus_version(bus)));
    return error;
}

/* ---- Devices that others look for early ------------------------------------------------------ */

/* The next device of PCI passthrough above channel id `*id`, retained, or NULL. */
static IOService *next_pci_device(HyperVVMBus *bus, uint32_t *id)
{
    static const struct guid pci = VMBUS_CLASS_PCI;
    HyperVVMBusDevice *found = NULL;

    IOLockLock(bus->lock);
    while (found == NULL && *id < VMBUS_CHANNEL_MAXIMUM) {
        HyperVVMBusDevice *device = bus->devices[++*id];

        if (device != NULL && guid_equal(&device_offer(device)->class_id, &pci))
            found = device;
    }
    iokit_retain(found);
    IOLockUnlock(bus->lock);
    return (IOService *)found;
}

void vmbus_await_early_devices(HyperVVMBus *bus)
{
    struct mach_timespec limit = { .tv_sec = boot_argument_number("hvpciwait", PCI_WAIT_SECONDS) };
    uint64_t deadline = deadline_after(VMBUS_OFFERS_TIMEOUT_MS);
    bool in_time = true;
    IOService *device;
    uint32_t id = 0;

    IOLockLock(bus->lock);
    while (!bus->connection->offers_delivered && in_time &&
           bus->connection->state == CONNECTION_CONNECTED)
        in_time = wait_for_message(bus, deadline);
    IOLockUnlock(bus->lock);
    while (limit.tv_sec != 0 && (device = next_pci_device(bus, &id)) != NULL) {
        /* One that has not settled in time is not waited for, and none after it. */
        if (IOService_waitQuiet_mach_timespec(device, &limit) != kIOReturnSuccess)
            limit.tv_sec = 0;
        iokit_release(device);
    }
}

/* Returns 0 when the host has confirmed. */
static int unload(HyperVVMBus *bus)
{
    uint64_t deadline = deadline_after(VMBUS_UNLOAD_TIMEOUT_MS);
    struct connection_message message;
    bool in_time = true;
    int error;

    vmbus_stop_signals(bus); /* the host would take one that comes after UNLOAD for a mistake */
    IOLockLock(bus->lock);
    error = connection_unload(bus->connection, &message);
    IOLockWakeup(bus->lock, bus->connection, false);
    while (bus->posting != 0 && in_time)    /* what is on its way comes before UNLOAD */
        in_time = IOLockSleepDeadline(bus->lock, &bus->posting, deadline, THREAD_UNINT) !=
                  THREAD_TIMED_OUT;
    IOLockUnlock(bus->lock);
    if (error != 0)                 /* not connected, or unloaded already */
        return bus->unloaded ? 0 : error;
    error = controller_post_message(bus->controller, &message, false);
    IOLockLock(bus->lock);
    while (error == 0 && bus->connection->state == CONNECTION_UNLOADING && in_time)
        in_time = wait_for_message(bus, deadline);
    if (bus->connection->state == CONNECTION_UNLOADING) {
        hv_log(who, "the host did not confirm the unload");
        connection_forget(bus->connection);
        error = HV_ERROR_TIMED_OUT;
    }
    IOLockUnlock(bus->lock);
    return error;
}

int vmbus_disconnect(HyperVVMBus *bus)
{
    int error = unload(bus);

    IOLockLock(bus->lock);
    bus->unload_over = true;
    IOLockWakeup(bus->lock, bus->connection, false);
    IOLockUnlock(bus->lock);
    if (bus->unloaded)
        vmbus_devices_unloaded(bus);
    return error;
}

void vmbus_crash_unload(HyperVVMBus *bus)
{
    struct connection_message message;
    struct connection_output output;
    struct hv_message received;

    /* Nobody else runs any more, so the lock is of no use; whoever holds it will not go on. */
    bus->unloading = true;
    if (bus->connection == NULL || connection_unload(bus->connection, &message) != 0 ||
        controller_post_message(bus->controller, &message, false) != 0)
        return;
    for (uint32_t i = 0; i < VMBUS_UNLOAD_TIMEOUT_MS; i++) {
        controller_poll_messages(bus->controller);
        while (message_queue_get(&bus->controller->messages, &received)) {
            connection_receive(bus->connection, received.payload, received.payload_size, &output);
            if (output.event == CONNECTION_EVENT_UNLOADED)
                return;
        }
        IODelay(1000);
    }
}
