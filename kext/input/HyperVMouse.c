/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVMouse: the mouse as a HID device; macOS makes a pointer of the host's report
 * descriptor. */
#include "abi/IOBufferMemoryDescriptor.h"
#include "abi/IOHIDDevice.h"
#include "abi/OSNumber.h"
#include "abi/OSString.h"
#include "abi/kpi/locks.h"
#include "abi/kpi/threads.h"
#include "abi/kpi/time.h"
#include "abi/constants.h"
#include "abi/runtime.h"
#include "kext/core/boot_arguments.h"
#include "kext/core/device_channel.h"
#include "kext/core/ioreturn.h"
#include "kext/core/log.h"
#include "kext/input/mouse.h"

#define RING_PAGES          9u          /* of data; Linux has 10 with the control page */
#define ANSWER_MILLISECONDS 5000u       /* as Linux waits */
#define REPORT_INPUT        0u          /* kIOHIDReportTypeInput */

struct HyperVMouse {
    IOHIDDevice super;
    IOWorkLoop *work_loop;
    struct device_channel *channel;
    IOLock *lock; /* guards `mouse` until the device is published, and is_over */
    struct mouse mouse;
    bool is_over;                       /* nothing more will come: do not wait */
    IOBufferMemoryDescriptor *report;   /* in the channel's gate */
};
typedef struct HyperVMouse HyperVMouse;

/* ---- what comes from the host ---- */

static void send_ack(HyperVMouse *self)
{
    struct mouse_ack_packet packet;
    const struct ring_piece piece = { &packet, sizeof packet };

    mouse_make_ack(&packet);
    if (device_channel_send(self->channel, &piece, 1, 0) != 0)
        hv_log("HyperVMouse", "the acknowledgement was lost: there will be no reports");
}

static void deliver(HyperVMouse *self, const struct mouse_result *result)
{
    IOMemoryDescriptor *report = (IOMemoryDescriptor *)self->report;

    IOBufferMemoryDescriptor_setLength(self->report, result->report_length);
    IOMemoryDescriptor_writeBytes(report, 0, result->report, result->report_length);
    IOHIDDevice_handleReport(&self->super, report, REPORT_INPUT, 0);
}

static void packet_arrived(void *owner, struct device_channel *channel,
                           const struct packet_view *packet)
{
    HyperVMouse *self = owner;
    struct mouse_result result;
    int error;

    IOLockLock(self->lock);
    self->channel = channel;
    error = mouse_receive(&self->mouse, packet->data, packet->length, &result);
    if (result.action == MOUSE_DESCRIBED || error == HV_ERROR_REFUSED)
        IOLockWakeup(self->lock, &self->mouse, false);
    IOLockUnlock(self->lock);
    if (result.action == MOUSE_DESCRIBED || result.action == MOUSE_ACK)
        send_ack(self);
    else if (result.action == MOUSE_REPORT)
        deliver(self, &result);
    if (error == HV_ERROR_MALFORMED && hv_log_now(self->mouse.counters.malformed))
        hv_log("HyperVMouse", "a malformed message was dropped (%u bytes)",
               (unsigned)packet->length);
}

static void channel_gone(void *owner, struct device_channel *channel)
{
    HyperVMouse *self = owner;

    (void)channel;
    IOLockLock(self->lock);
    self->is_over = true;
    IOLockWakeup(self->lock, &self->mouse, false);
    IOLockUnlock(self->lock);
}

/* ---- start ---- */

static int open_channel(HyperVMouse *self, IOService *provider)
{
    const struct device_channel_options options = {
        .transmit_pages = RING_PAGES,
        .receive_pages = RING_PAGES,
        .request_maximum = 1,
        .packet_maximum =
            (uint32_t)(sizeof(struct vmbus_packet_header) + sizeof(struct vmbus_pipe_header)) +
            MOUSE_MESSAGE_MAXIMUM,
        .target_processor = DEVICE_CHANNEL_ANY_PROCESSOR,
        .work_loop = self->work_loop,
        .owner = self,
        .handlers = { .packet = packet_arrived, .gone = channel_gone },
    };
    struct mouse_request_packet packet;
    const struct ring_piece piece = { &packet, sizeof packet };
    int error;

    mouse_begin(&self->mouse, &packet);
    error = device_channel_open(device_of_provider(provider), 0, &options, &self->channel);
    return error != 0 ? error : device_channel_send(self->channel, &piece, 1, 0);
}

static int await_description(HyperVMouse *self)
{
    uint64_t deadline;
    int error = 0;

    clock_interval_to_deadline(ANSWER_MILLISECONDS, kMillisecondScale, &deadline);
    IOLockLock(self->lock);
    while (self->mouse.state != MOUSE_READY && error == 0) {
        if (self->mouse.state == MOUSE_REFUSED)
            error = HV_ERROR_REFUSED;
        else if (self->is_over)
            error = HV_ERROR_GONE;
        else if (IOLockSleepDeadline(self->lock, &self->mouse, deadline, THREAD_UNINT) ==
                 THREAD_TIMED_OUT)
            error = self->mouse.state == MOUSE_READY ? 0 : HV_ERROR_TIMED_OUT;
    }
    IOLockUnlock(self->lock);
    return error;
}

static void close_channel(HyperVMouse *self)
{
    if (self->channel != NULL)
        device_channel_close(self->channel);
    self->channel = NULL;
}

/* The superclass asks for the descriptor right after this, so it must be there. */
static bool handle_start(IOHIDDevice *me, IOService *provider)
{
    HyperVMouse *self = (HyperVMouse *)me;
    int error;

    if (!IOHIDDevice_super_handleStart(me, provider))
        return false;
    self->lock = IOLockAlloc();
    self->report =
        IOBufferMemoryDescriptor_withCapacity(MOUSE_REPORT_MAXIMUM, kIODirectionInOut, false);
    error = self->lock == NULL || self->report == NULL ? HV_ERROR_NO_RESOURCES
                                                       : open_channel(self, provider);
    if (error == 0)
        error = await_description(self);
    if (error == 0)
        return true;
    hv_log("HyperVMouse", "the host gives no usable mouse (error %d)", error);
    close_channel(self);
    return false;
}

static void handle_stop(IOHIDDevice *me, IOService *provider)
{
    close_channel((HyperVMouse *)me);
    IOHIDDevice_super_handleStop(me, provider);
}

static bool mouse_start(IOService *me, IOService *provider)
{
    HyperVMouse *self = (HyperVMouse *)me;

    if (boot_argument_given("-hvmousoff") || device_of_provider(provider) == NULL)
        return false;
    self->work_loop = IOWorkLoop_workLoop();
    return self->work_loop != NULL && IOHIDDevice_super_start(&self->super, provider);
}

static void mouse_free(OSObject *me)
{
    HyperVMouse *self = (HyperVMouse *)me;

    if (self->report != NULL)
        OSMetaClassBase_release((OSMetaClassBase *)self->report);
    if (self->work_loop != NULL)
        OSMetaClassBase_release((OSMetaClassBase *)self->work_loop);
    if (self->lock != NULL)
        IOLockFree(self->lock);
    IOHIDDevice_super_free(&self->super);
}

static IOWorkLoop *get_work_loop(IOService *me)
{
    return ((HyperVMouse *)me)->work_loop;
}

/* ---- what IOHIDDevice asks ---- */

static int32_t new_report_descriptor(IOHIDDevice *me, IOMemoryDescriptor **descriptor)
{
    HyperVMouse *self = (HyperVMouse *)me;
    IOBufferMemoryDescriptor *copy = IOBufferMemoryDescriptor_withBytes(
        self->mouse.descriptor, self->mouse.descriptor_length, kIODirectionOut, false);

    *descriptor = (IOMemoryDescriptor *)copy;
    return copy != NULL ? kIOReturnSuccess : kIOReturnNoMemory;
}

static OSString *new_transport(IOHIDDevice *me)
{
    return OSString_withCString("VMBus");
}

static OSString *new_manufacturer(IOHIDDevice *me)
{
    return OSString_withCString("Microsoft");
}

static OSString *new_product(IOHIDDevice *me)
{
    return OSString_withCString("Hyper-V Mouse");
}

static OSNumber *new_number(uint32_t value)
{
    return OSNumber_withNumber_number(value, 32);
}

static OSNumber *new_vendor(IOHIDDevice *me)
{
    return new_number(((HyperVMouse *)me)->mouse.vendor);
}

static OSNumber *new_product_id(IOHIDDevice *me)
{
    return new_number(((HyperVMouse *)me)->mouse.product);
}

static OSNumber *new_version(IOHIDDevice *me)
{
    return new_number(((HyperVMouse *)me)->mouse.version);
}

static OSNumber *new_country(IOHIDDevice *me)
{
    return new_number(((HyperVMouse *)me)->mouse.country);
}

IOKIT_CLASS(11, HyperVMouse, IOHIDDevice,
            .start = mouse_start,
            .free = mouse_free,
            .getWorkLoop = get_work_loop,
            .handleStart = handle_start,
            .handleStop = handle_stop,
            .newReportDescriptor = new_report_descriptor,
            .newTransportString = new_transport,
            .newManufacturerString = new_manufacturer,
            .newProductString = new_product,
            .newVendorIDNumber = new_vendor,
            .newProductIDNumber = new_product_id,
            .newVersionNumber = new_version,
            .newCountryCodeNumber = new_country)
