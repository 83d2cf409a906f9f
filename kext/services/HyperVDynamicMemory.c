/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVDynamicMemory: attaches the dynamic memory engine to its channel, and reports once a
 * second. */
#include "abi/IOService.h"
#include "abi/IOTimerEventSource.h"
#include "abi/constants.h"
#include "abi/kpi/libkern.h"
#include "abi/kpi/sysctl.h"
#include "abi/kpi/vm.h"
#include "abi/runtime.h"
#include "kext/core/boot_arguments.h"
#include "kext/core/device_channel.h"
#include "kext/core/log.h"
#include "kext/services/dynamic_memory.h"

enum { RING_PAGES = 3, MESSAGE_MAXIMUM = 4096, REPORT_MS = 1000, PAGE_BYTES = 4096 };

struct HyperVDynamicMemory {
    IOService super;
    struct device_channel *channel;
    IOTimerEventSource *timer;
    struct dynamic_memory memory;
    uint64_t lost;                  /* messages that the ring had no room for */
};
typedef struct HyperVDynamicMemory HyperVDynamicMemory;

static const char who[] = "HyperVDynamicMemory";

static void send(HyperVDynamicMemory *self, const void *message, uint32_t length)
{
    const struct ring_piece piece = { message, length };
    int error = device_channel_send(self->channel, &piece, 1, 0);

    if (error != 0 && hv_log_now(++self->lost))
        hv_log(who, "a message to the host was lost (error %d)", error);
}

/* What is free, as the kernel counts it; false where it does not tell. */
static bool read_figures(struct dynamic_memory_figures *figures)
{
    uint32_t free_pages = 0;
    size_t size = sizeof free_pages;

    figures->total = max_mem / PAGE_BYTES;
    if (sysctlbyname("vm.page_free_count", &free_pages, &size, NULL, 0) != 0 ||
        size != sizeof free_pages || free_pages > figures->total)
        return false;
    figures->available = free_pages;
    return true;
}

static void report(OSObject *owner, IOTimerEventSource *timer)
{
    HyperVDynamicMemory *self = (HyperVDynamicMemory *)owner;
    uint8_t message[DYNAMIC_MEMORY_MESSAGE_MAXIMUM];
    struct dynamic_memory_figures figures;

    if (self->memory.state != DYNAMIC_MEMORY_READY || !read_figures(&figures))
        return;
    send(self, message, dynamic_memory_report(&self->memory, &figures, message));
    IOTimerEventSource_setTimeoutMS(timer, REPORT_MS);
}

static void packet_arrived(void *owner, struct device_channel *channel,
                           const struct packet_view *packet)
{
    HyperVDynamicMemory *self = owner;
    uint8_t answer[DYNAMIC_MEMORY_MESSAGE_MAXIMUM];
    enum dynamic_memory_state before = self->memory.state;
    int length = dynamic_memory_receive(&self->memory, packet->data, packet->length, answer);

    self->channel = channel;
    if (length > 0)
        send(self, answer, (uint32_t)length);
    if (before != self->memory.state && self->memory.state == DYNAMIC_MEMORY_READY &&
        self->timer != NULL)
        IOTimerEventSource_setTimeoutMS(self->timer, REPORT_MS);
}

static void add_timer(HyperVDynamicMemory *self)
{
    self->timer = IOTimerEventSource_timerEventSource_object((OSObject *)self, report);
    if (self->timer != NULL &&
        IOWorkLoop_addEventSource(device_channel_work_loop(self->channel),
                                  (IOEventSource *)self->timer) != kIOReturnSuccess)
        iokit_release_clear(self->timer);
}

static bool memory_start(IOService *me, IOService *provider)
{
    HyperVDynamicMemory *self = (HyperVDynamicMemory *)me;
    HyperVVMBusDevice *device = device_of_provider(provider);
    const struct device_channel_options options = {
        .transmit_pages = RING_PAGES,
        .receive_pages = RING_PAGES,
        .request_maximum = 1,
        .packet_maximum = MESSAGE_MAXIMUM,
        .target_processor = DEVICE_CHANNEL_ANY_PROCESSOR,
        .owner = self,
        .handlers = { .packet = packet_arrived },
    };
    uint8_t message[DYNAMIC_MEMORY_MESSAGE_MAXIMUM];
    uint32_t length;

    if (device == NULL || boot_argument_given("-hvmemoryoff") ||
        !IOService_super_start(me, provider))
        return false;
    length = dynamic_memory_begin(&self->memory, max_mem / PAGE_BYTES, message);
    if (device_channel_open(device, 0, &options, &self->channel) != 0) {
        hv_log(who, "cannot open the channel");
        IOService_super_stop(me, provider);
        return false;
    }
    add_timer(self);
    send(self, message, length);
    IOService_registerService(me, 0);
    return true;
}

static void memory_stop(IOService *me, IOService *provider)
{
    HyperVDynamicMemory *self = (HyperVDynamicMemory *)me;

    if (self->timer != NULL) {
        IOTimerEventSource_cancelTimeout(self->timer);
        IOWorkLoop_removeEventSource(device_channel_work_loop(self->channel),
                                     (IOEventSource *)self->timer);
        iokit_release_clear(self->timer);
    }
    device_channel_close(self->channel);
    IOService_super_stop(me, provider);
}

IOKIT_CLASS(19, HyperVDynamicMemory, IOService,
            .start = memory_start,
            .stop = memory_stop)
