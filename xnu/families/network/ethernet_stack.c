/* SPDX-License-Identifier: BSD-3-Clause */
/* ethernet_stack.c - names, brings up and takes down interfaces. */
#include "xnu/families/network/ethernet_stack.h"

#include "xnu/bsd/format.h"
#include "xnu/families/network/network_private.h"
#include "xnu/iokit/symbols.h"
#include "xnu/machine/log.h"

static struct machine_spin_lock lock; /* guards the list and `observer` */
static struct ethernet_device *devices;
static const struct ethernet_observer *observer;

void ethernet_stack_observe(const struct ethernet_observer *new_observer)
{
    machine_spin_lock(&lock);
    observer = new_observer;
    machine_spin_unlock(&lock);
}

static struct ethernet_device *find_interface(const IONetworkInterface *interface)
{
    struct ethernet_device *device;

    machine_spin_lock(&lock);
    for (device = devices; device && device->interface != interface; device = device->next)
        ;
    machine_spin_unlock(&lock);
    return device;
}

bool ethernet_stack_has(const IONetworkInterface *interface)
{
    return find_interface(interface) != NULL;
}

struct ethernet_device *ethernet_find(const char *name)
{
    struct ethernet_device *device;

    machine_spin_lock(&lock);
    for (device = devices; device && __builtin_strcmp(device->name, name) != 0;
         device = device->next)
        ;
    machine_spin_unlock(&lock);
    return device;
}

static void fill_snapshot(const struct ethernet_device *device, struct ethernet_snapshot *snapshot)
{
    const struct network_interface_state *state = interface_state(device->interface);

    *snapshot = (struct ethernet_snapshot){
        .unit = device->unit,
        .mtu = device->mtu,
        .link = device->link,
        .speed = controller_state(state->controller)->link_speed,
        .input_frames = state->input_frames,
        .input_bytes = state->input_bytes,
        .output_frames = state->output_frames,
        .output_bytes = state->output_bytes,
        .statistics = state->statistics,
        .ethernet_statistics = state->ethernet_statistics,
    };
    __builtin_memcpy(snapshot->name, device->name, sizeof snapshot->name);
    __builtin_memcpy(snapshot->address, device->address, sizeof snapshot->address);
}

bool ethernet_take_snapshot(unsigned unit, struct ethernet_snapshot *snapshot)
{
    const struct ethernet_device *found = NULL;

    machine_spin_lock(&lock);
    for (const struct ethernet_device *device = devices; device; device = device->next)
        if (device->unit >= unit && (!found || device->unit < found->unit))
            found = device;
    if (found)
        fill_snapshot(found, snapshot);
    machine_spin_unlock(&lock);
    return found != NULL;
}

/* ---- commands, inside the controller's gate ------------------------------------------------ */

static int32_t enable_action(void *target, void *interface, void *param1, void *param2,
                             void *param3)
{
    interface_state(interface)->up = true;
    return IONetworkController_doEnable(target, interface);
}

static int32_t disable_action(void *target, void *interface, void *param1, void *param2,
                              void *param3)
{
    interface_state(interface)->up = false;
    return IONetworkController_doDisable(target, interface);
}

static int32_t promiscuous_action(void *target, void *on, void *param1, void *param2, void *param3)
{
    return IOEthernetController_setPromiscuousMode(target, on != NULL);
}

static int32_t multicast_action(void *target, void *on, void *param1, void *param2, void *param3)
{
    return IOEthernetController_setMulticastMode(target, on != NULL);
}

static IONetworkController *controller_of(const struct ethernet_device *device)
{
    return interface_state(device->interface)->controller;
}

static int32_t command(struct ethernet_device *device,
                       int32_t (*action)(void *, void *, void *, void *, void *), void *parameter)
{
    IONetworkController *controller = controller_of(device);

    return IONetworkController_executeCommand(controller, (OSObject *)device->interface, action,
                                              controller, parameter, NULL, NULL, NULL);
}

int32_t ethernet_set_promiscuous(struct ethernet_device *device, bool on)
{
    return command(device, promiscuous_action, on ? device : NULL);
}

int32_t ethernet_set_multicast(struct ethernet_device *device, bool on)
{
    return command(device, multicast_action, on ? device : NULL);
}

/* ---- coming -------------------------------------------------------------------------------- */

static unsigned free_unit(void)
{
    unsigned unit = 0;

    for (struct ethernet_device *device = devices; device;) {
        if (device->unit == unit) {
            unit++;
            device = devices;
        } else {
            device = device->next;
        }
    }
    return unit;
}

static struct ethernet_device *make_device(IONetworkInterface *interface)
{
    IONetworkController *controller = interface_state(interface)->controller;
    struct ethernet_device *device = machine_allocate_zeroed(sizeof *device, 0);
    uint32_t size = sizeof device->address;
    uint32_t frame = kIOEthernetMaxPacketSize;

    if (!device)
        return NULL;
    object_retain(interface);
    device->interface = interface;
    IONetworkController_getHardwareAddress(controller, device->address, &size);
    IONetworkController_getMaxPacketSize(controller, &frame);
    device->mtu = frame - 14 - kIOEthernetCRCSize;
    device->features = IONetworkController_getFeatures(controller);
    IONetworkController_getChecksumSupport(controller, &device->checksums, 1, true);
    device->link = (controller_state(controller)->link_status & kIONetworkLinkActive) != 0;
    machine_spin_lock(&lock);
    device->unit = free_unit();
    format_text(device->name, sizeof device->name, "en%u", device->unit);
    device->next = devices;
    devices = device;
    machine_spin_unlock(&lock);
    return device;
}

static bool interface_published(void *target, void *reference, IOService *service,
                                IONotifier *notifier)
{
    IONetworkInterface *interface = iokit_cast(IONetworkInterface, service);
    struct ethernet_device *device;

    if (!interface || find_interface(interface))
        return true;
    device = make_device(interface);
    if (!device)
        return true;
    if (!network_pull_start(interface))
        machine_log("%s: no memory for its output thread", device->name);
    interface_state(interface)->unit = (uint16_t)device->unit;
    IORegistryEntry_setProperty_cstring_cstring((IORegistryEntry *)interface, "BSD Name",
                                                device->name);
    IOService_registerInterestedDriver((IOService *)controller_of(device), (IOService *)interface);
    int32_t result = command(device, enable_action, interface);
    if (result != kIOReturnSuccess) {
        machine_log("%s: the driver does not enable it: 0x%x", device->name, (unsigned)result);
        return true;
    }
    if (observer)
        observer->added(device);
    machine_log("%s: address %02x:%02x:%02x:%02x:%02x:%02x, MTU %u, link %s", device->name,
                device->address[0], device->address[1], device->address[2], device->address[3],
                device->address[4], device->address[5], device->mtu, device->link ? "up" : "down");
    return true;
}

void ethernet_stack_start(void)
{
    OSDictionary *matching = IOService_serviceMatching_cstring("IOEthernetInterface", NULL);

    IOService_addMatchingNotification(gIOPublishNotification, matching, interface_published, NULL,
                                      NULL, 0);
    object_release(matching);
}

/* ---- going --------------------------------------------------------------------------------- */

void ethernet_stack_remove(IONetworkInterface *interface)
{
    struct ethernet_device *device = NULL;

    machine_spin_lock(&lock);
    for (struct ethernet_device **link = &devices; *link; link = &(*link)->next)
        if ((*link)->interface == interface) {
            device = *link;
            *link = device->next;
            break;
        }
    machine_spin_unlock(&lock);
    if (!device)
        return;
    if (observer)
        observer->removed(device);
    IOService_deRegisterInterestedDriver((IOService *)controller_of(device),
                                         (IOService *)interface);
    command(device, disable_action, interface);
    network_pull_stop(interface);
    machine_log("%s: gone", device->name);
    object_release(device->interface);
    machine_release(device, sizeof *device);
}

/* ---- frames and news ----------------------------------------------------------------------- */

/* Without a queue the driver takes one frame at a time. */
static void output_directly(IONetworkController *controller, mbuf_t packet)
{
    while (packet) {
        mbuf_t next = mbuf_nextpkt(packet);

        mbuf_setnextpkt(packet, NULL);
        IONetworkController_outputPacket(controller, packet, NULL);
        packet = next;
    }
}

void ethernet_stack_output(struct ethernet_device *device, mbuf_t packets)
{
    IONetworkController *controller = controller_of(device);
    struct network_interface_state *state = interface_state(device->interface);
    IOOutputQueue *queue = controller_state(controller)->queue;

    for (mbuf_t packet = packets; packet; packet = mbuf_nextpkt(packet)) {
        state->output_frames++;
        state->output_bytes += mbuf_pkthdr_len(packet);
    }
    if (network_pull_output(device->interface, packets))
        return;
    if (queue)
        IOOutputQueue_enqueue(queue, packets, NULL);
    else
        output_directly(controller, packets);
}

void ethernet_stack_input(IONetworkInterface *interface, mbuf_t packets)
{
    struct ethernet_device *device = find_interface(interface);

    if (device && observer)
        observer->input(device, packets);
    else
        mbuf_freem_list(packets);
}

/* Of both families; a wire has one limit. */
static uint32_t smaller_tso_mtu(const struct network_interface_state *state)
{
    uint32_t ipv4 = state->tso_mtu_ipv4, ipv6 = state->tso_mtu_ipv6;

    return ipv4 == 0 || (ipv6 != 0 && ipv6 < ipv4) ? ipv6 : ipv4;
}

bool ethernet_stack_set_tso_mtu(IONetworkInterface *interface, uint32_t *field, uint32_t bytes)
{
    struct ethernet_device *device = find_interface(interface);

    if (!device || bytes < device->mtu)
        return false;
    *field = bytes;
    device->tso_mtu = smaller_tso_mtu(interface_state(interface));
    if (observer)
        observer->changed(device);
    return true;
}

void ethernet_stack_link(IONetworkController *controller, bool up)
{
    struct ethernet_device *device;

    machine_spin_lock(&lock);
    for (device = devices; device && controller_of(device) != controller; device = device->next)
        ;
    if (device)
        device->link = up;
    machine_spin_unlock(&lock);
    if (!device)
        return;
    machine_log("%s: link %s", device->name, up ? "up" : "down");
    if (observer)
        observer->changed(device);
}
