/* SPDX-License-Identifier: BSD-3-Clause */
/* The controller class. */
#include "kext/network/HyperVNetwork.h"

#include "abi/IONetworkData.h"
#include "abi/IONetworkMedium.h"
#include "abi/OSDictionary.h"
#include "abi/OSString.h"
#include "abi/kpi/ifnet.h"
#include "kext/core/boot_arguments.h"
#include "kext/core/ioreturn.h"

static struct HyperVNetwork *from(const void *me)
{
    return (struct HyperVNetwork *)(uintptr_t)me;
}

static IONetworkController *controller(struct HyperVNetwork *self)
{
    return (IONetworkController *)self;
}

/* ---- medium and link ---- */

enum { MEDIUM_TYPE = kIOMediumEthernetAuto | kIOMediumOptionFullDuplex };

static bool publish_media(struct HyperVNetwork *self)
{
    IONetworkMedium *medium = IONetworkMedium_medium(MEDIUM_TYPE, self->link_speed, 0, 0, NULL);
    bool published = false;

    self->media = OSDictionary_withCapacity(1);
    if (medium != NULL && self->media != NULL && IONetworkMedium_addMedium(self->media, medium) &&
        IONetworkController_publishMediumDictionary(controller(self), self->media))
        published = IONetworkController_setSelectedMedium(controller(self), medium);
    if (medium != NULL)
        iokit_release(medium);
    return published;
}

void network_link_changed(struct HyperVNetwork *self, bool up)
{
    if (self->interface == NULL)
        return;
    IONetworkController_setLinkStatus(
        controller(self), kIONetworkLinkValid | (up ? kIONetworkLinkActive : 0),
        IONetworkController_getSelectedMedium(controller(self)), up ? self->link_speed : 0, NULL);
}

/* Asked anew, since an indication may have come before there was an interface to be told. */
void network_read_link(struct HyperVNetwork *self)
{
    uint32_t status = RNDIS_MEDIA_DISCONNECTED;
    uint32_t length = sizeof status;

    if (network_query(self, RNDIS_OID_MEDIA_CONNECT_STATUS, NULL, 0, &status, &length) == 0 &&
        length == sizeof status)
        network_link_changed(self, status == RNDIS_MEDIA_CONNECTED);
}

/* ---- coming and going ---- */

static bool create_work_loop(IONetworkController *me)
{
    from(me)->work_loop = IOWorkLoop_workLoop();
    return from(me)->work_loop != NULL;
}

static IOWorkLoop *get_work_loop(IOService *me)
{
    return from(me)->work_loop;
}

static IOOutputQueue *create_output_queue(IONetworkController *me)
{
    return (IOOutputQueue *)IOBasicOutputQueue_withTarget_networkcontroller_integer32(
        me, NETWORK_QUEUE_CAPACITY);
}

/* en0 must be built in: what identifies a Mac to its owner's account looks for that. */
static void mark_built_in(IOService *provider)
{
    uint8_t value = 0;

    IORegistryEntry_setProperty_cstring_pointer((IORegistryEntry *)provider, "built-in", &value,
                                                sizeof value);
}

static void *find_block(IONetworkInterface *interface, const char *key, uint32_t size)
{
    IONetworkData *data = IONetworkInterface_getParameter(interface, key);

    return data != NULL && IONetworkData_getSize(data) >= size
               ? (void *)(uintptr_t)IONetworkData_getBuffer(data) : NULL;
}

/* What the system shows of an interface, the driver counts. */
static bool configure_interface(IONetworkController *me, IONetworkInterface *interface)
{
    struct HyperVNetwork *self = from(me);

    if (!IOEthernetController_super_configureInterface((IOEthernetController *)me, interface))
        return false;
    self->statistics = find_block(interface, kIONetworkStatsKey, sizeof *self->statistics);
    self->ethernet_statistics =
        find_block(interface, kIOEthernetStatsKey, sizeof *self->ethernet_statistics);
    return self->statistics != NULL && self->ethernet_statistics != NULL;
}

static bool attach_interface(struct HyperVNetwork *self)
{
    IONetworkInterface *interface = NULL;

    if (!publish_media(self) ||
        !IONetworkController_attachInterface(controller(self), &interface, false))
        return false;
    self->queue = IONetworkController_getOutputQueue(controller(self));
    self->interface = (IOEthernetInterface *)interface;
    network_read_link(self);
    IOService_registerService((IOService *)interface, 0);
    return true;
}

static bool network_start(IOService *me, IOService *provider)
{
    struct HyperVNetwork *self = from(me);
    int error;

    self->device = device_of_provider(provider);
    if (self->device == NULL || boot_argument_given("-hvnetoff"))
        return false;
    if (!IOEthernetController_super_start((IOEthernetController *)self, provider))
        return false;
    mark_built_in(provider);
    error = network_connect(self);
    if (error == 0 && attach_interface(self)) {
        self->started = true;
        IOService_makeUsable(me); /* or a system that saves power would take it away */
        return true;
    }
    network_log(self, "the adapter does not come up: error %d", error);
    network_disconnect(self);
    IOEthernetController_super_stop((IOEthernetController *)self, provider);
    return false;
}

static void network_stop(IOService *me, IOService *provider)
{
    struct HyperVNetwork *self = from(me);
    IOEthernetInterface *interface = self->interface;

    IOService_PMstop(me); /* a change of power that is under way ends first */
    self->enabled = false;
    if (interface != NULL)
        IONetworkController_detachInterface(controller(self), (IONetworkInterface *)interface,
                                            true);
    network_disconnect(self);
    /* Only now: the channel's thread used it. */
    self->interface = NULL;
    self->statistics = NULL;
    self->ethernet_statistics = NULL;
    if (interface != NULL)
        iokit_release(interface);
    IOEthernetController_super_stop((IOEthernetController *)self, provider);
}

static void network_free(OSObject *me)
{
    struct HyperVNetwork *self = from(me);

    if (self->media != NULL)
        iokit_release(self->media);
    if (self->work_loop != NULL)
        iokit_release(self->work_loop);
    self->media = NULL;
    self->work_loop = NULL;
    IOEthernetController_super_free((IOEthernetController *)self);
}

/* ---- up and down; all inside the controller's gate ---- */

/* What the host does not cut in one piece would cost two messages, so the stack is told how much it
 * cuts. A stack that refuses sends more, and send_parts() makes the best of it. */
static void limit_segmentation(struct HyperVNetwork *self)
{
#if NETWORK_SEGMENTS
    ifnet_t handle = self->interface == NULL
                         ? NULL
                         : IONetworkInterface_getIfnet((IONetworkInterface *)self->interface);

    if (handle != NULL && self->offload.lso_ipv4 != 0)
        (void)ifnet_set_tso_mtu(handle, KPI_AF_INET, self->offload.lso_ipv4 - NETWORK_HEADER);
    if (handle != NULL && self->offload.lso_ipv6 != 0)
        (void)ifnet_set_tso_mtu(handle, KPI_AF_INET6, self->offload.lso_ipv6 - NETWORK_HEADER);
#else
    (void)self;
#endif
}

int network_enable(struct HyperVNetwork *self)
{
    int error;

    if (self->enabled)
        return 0;
    self->enabled = true;
    error = network_set_filter(self);
    if (error != 0) {
        self->enabled = false;
        return error;
    }
    limit_segmentation(self);
    if (self->queue != NULL) {
        IOOutputQueue_setCapacity(self->queue, NETWORK_QUEUE_CAPACITY);
        IOOutputQueue_start(self->queue);
    }
    return 0;
}

void network_disable(struct HyperVNetwork *self)
{
    if (!self->enabled)
        return;
    self->enabled = false;
    if (self->queue != NULL) {
        IOOutputQueue_stop(self->queue);
        IOOutputQueue_setCapacity(self->queue, 0);
        IOOutputQueue_flush(self->queue);
        network_flush(self);
    }
    if (!self->gone && !device_is_gone(self->device))
        network_set_filter(self);
}

static int32_t enable(IONetworkController *me, IONetworkInterface *interface)
{
    (void)interface;
    return from(me)->suspended ? kIOReturnOffline : ioreturn_of(network_enable(from(me)));
}

static int32_t disable(IONetworkController *me, IONetworkInterface *interface)
{
    (void)interface;
    from(me)->enable_on_wake = false;
    network_disable(from(me));
    return kIOReturnSuccess;
}

static int32_t set_promiscuous(IOEthernetController *me, bool active)
{
    from(me)->promiscuous = active;
    return from(me)->enabled ? ioreturn_of(network_set_filter(from(me))) : kIOReturnSuccess;
}

static int32_t set_multicast(IOEthernetController *me, bool active)
{
    from(me)->multicast = active;
    return from(me)->enabled ? ioreturn_of(network_set_filter(from(me))) : kIOReturnSuccess;
}

/* The host has no list: it lets all multicast through, and the stack chooses. */
static int32_t set_multicast_list(IOEthernetController *me, IOEthernetAddress *addresses,
                                  uint32_t count)
{
    (void)addresses;
    (void)count;
    return set_multicast(me, true);
}

/* ---- what the adapter is ---- */

static int32_t get_address(IOEthernetController *me, IOEthernetAddress *address)
{
    *address = from(me)->address;
    return kIOReturnSuccess;
}

static uint32_t get_features(IONetworkController *me)
{
    struct HyperVNetwork *self = from(me);
    uint32_t features = kIONetworkFeatureMultiPages;

    if (self->nvs.version >= NVSP_VERSION_2)
        features |= kIONetworkFeatureHardwareVlan;
#if !defined(__i386__)
    if (self->offload.lso_ipv4 != 0)
        features |= kIONetworkFeatureTSOIPv4;
    if (self->offload.lso_ipv6 != 0)
        features |= kIONetworkFeatureTSOIPv6;
#endif
    return features;
}

static int32_t get_checksum_support(IONetworkController *me, uint32_t *mask, uint32_t family,
                                    bool is_output)
{
    const struct rndis_offload *offload = &from(me)->offload;

    if (family != 1) /* TCP/IP */
        return kIOReturnUnsupported;
    *mask = 0;
    if (!is_output) {
        *mask = offload->receive ? MBUF_CSUM_REQ_IP | MBUF_CSUM_REQ_TCP | MBUF_CSUM_REQ_UDP : 0;
        return kIOReturnSuccess;
    }
    if (offload->transmit_ipv4)
        *mask |= MBUF_CSUM_REQ_IP;
    if (offload->transmit_tcp_ipv4)
        *mask |= MBUF_CSUM_REQ_TCP;
    if (offload->transmit_udp_ipv4)
        *mask |= MBUF_CSUM_REQ_UDP;
    if (offload->transmit_tcp_ipv6)
        *mask |= MBUF_CSUM_REQ_TCPIPV6;
    if (offload->transmit_udp_ipv6)
        *mask |= MBUF_CSUM_REQ_UDPIPV6;
    return kIOReturnSuccess;
}

static int32_t get_max_packet_size(IONetworkController *me, uint32_t *size)
{
    *size = from(me)->mtu + NETWORK_CRC;
    return kIOReturnSuccess;
}

/* The host was told the largest from the start, so nothing has to be done anew. */
static int32_t set_max_packet_size(IONetworkController *me, uint32_t size)
{
    return size <= from(me)->mtu + NETWORK_CRC ? kIOReturnSuccess : kIOReturnBadArgument;
}

static int32_t select_medium(IONetworkController *me, const IONetworkMedium *medium)
{
    IONetworkController_setSelectedMedium(me, medium);
    return kIOReturnSuccess;
}

static const OSString *vendor(IONetworkController *me)
{
    (void)me;
    return OSString_withCString("Microsoft");
}

static const OSString *model(IONetworkController *me)
{
    (void)me;
    return OSString_withCString("Hyper-V Network");
}

static const OSString *revision(IONetworkController *me)
{
    (void)me;
    return OSString_withCString(KEXT_VERSION);
}

IOKIT_CLASS(13, HyperVNetwork, IOEthernetController,
    .start = network_start,
    .stop = network_stop,
    .free = network_free,
    .registerWithPolicyMaker = network_register_power,
    .setPowerState = network_set_power_state,
    .getWorkLoop = get_work_loop,
    .createWorkLoop = create_work_loop,
    .createOutputQueue = create_output_queue,
    .outputPacket = network_output_packet,
    .configureInterface = configure_interface,
    .enable_networkinterface = enable,
    .disable_networkinterface = disable,
    .setPromiscuousMode = set_promiscuous,
    .setMulticastMode = set_multicast,
    .setMulticastList = set_multicast_list,
    .getHardwareAddress_ethernetaddress = get_address,
    .getFeatures = get_features,
    .getChecksumSupport = get_checksum_support,
    .getMaxPacketSize = get_max_packet_size,
    .setMaxPacketSize = set_max_packet_size,
    .selectMedium = select_medium,
    .newVendorString = vendor,
    .newModelString = model,
    .newRevisionString = revision)
