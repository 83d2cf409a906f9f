/* SPDX-License-Identifier: BSD-3-Clause */
/* IOEthernetController.c - what Ethernet adds to a controller: addresses, filters, VLAN tags. */
#include "xnu/families/network/network_private.h"

bool IOEthernetController__init_dictionary(IOEthernetController *me, OSDictionary *properties)
{
    return IONetworkController__init_dictionary((IONetworkController *)me, properties);
}

void IOEthernetController__free(IOEthernetController *me)
{
    IONetworkController__free((IONetworkController *)me);
}

IONetworkInterface *IOEthernetController__createInterface(IOEthernetController *me)
{
    IOEthernetInterface *interface = object_new(&IOEthernetInterface_gMetaClass);

    if (interface && !IONetworkInterface_init_networkcontroller((IONetworkInterface *)interface,
                                                                (IONetworkController *)me)) {
        object_release(interface);
        return NULL;
    }
    return (IONetworkInterface *)interface;
}

bool IOEthernetController__publishProperties(IOEthernetController *me)
{
    IOEthernetAddress address;

    if (!IONetworkController__publishProperties((IONetworkController *)me))
        return false;
    if (IOEthernetController_getHardwareAddress_ethernetaddress(me, &address) != kIOReturnSuccess)
        return false;
    return IORegistryEntry_setProperty_cstring_pointer((IORegistryEntry *)me, kIOMACAddress,
                                                       address.bytes, kIOEthernetAddressSize);
}

int32_t IOEthernetController__getHardwareAddress(IOEthernetController *me, void *address,
                                                 uint32_t *size)
{
    if (!address || *size < kIOEthernetAddressSize) {
        *size = kIOEthernetAddressSize;
        return kIOReturnNoSpace;
    }
    *size = kIOEthernetAddressSize;
    return IOEthernetController_getHardwareAddress_ethernetaddress(me, address);
}

int32_t IOEthernetController__setHardwareAddress_ethernetaddress(IOEthernetController *me,
                                                                 const IOEthernetAddress *address)
{
    return kIOReturnUnsupported;
}

int32_t IOEthernetController__setHardwareAddress(IOEthernetController *me, const void *address,
                                                 uint32_t size)
{
    if (!address || size != kIOEthernetAddressSize)
        return kIOReturnBadArgument;
    return IOEthernetController_setHardwareAddress_ethernetaddress(me, address);
}

int32_t IOEthernetController__getMaxPacketSize(IOEthernetController *me, uint32_t *size)
{
    *size = kIOEthernetMaxPacketSize;
    return kIOReturnSuccess;
}

int32_t IOEthernetController__getMinPacketSize(IOEthernetController *me, uint32_t *size)
{
    *size = kIOEthernetMinPacketSize;
    return kIOReturnSuccess;
}

int32_t IOEthernetController__getPacketFilters_numbers(IOEthernetController *me, uint32_t *filters)
{
    *filters = kIOPacketFilterUnicast | kIOPacketFilterBroadcast | kIOPacketFilterMulticast |
               kIOPacketFilterPromiscuous;
    return kIOReturnSuccess;
}

int32_t IOEthernetController__setMulticastMode(IOEthernetController *me, bool active)
{
    return kIOReturnUnsupported;
}

int32_t IOEthernetController__setMulticastList(IOEthernetController *me,
                                               IOEthernetAddress *addresses, uint32_t count)
{
    return kIOReturnUnsupported;
}

int32_t IOEthernetController__setPromiscuousMode(IOEthernetController *me, bool active)
{
    return kIOReturnUnsupported;
}

int32_t IOEthernetController__setWakeOnMagicPacket(IOEthernetController *me, bool active)
{
    return kIOReturnUnsupported;
}

bool IOEthernetController__getVlanTagDemand(IOEthernetController *me, mbuf_t packet, uint32_t *tag)
{
    uint16_t value = 0;

    if (mbuf_get_vlan_tag(packet, &value) != 0)
        return false;
    *tag = value;
    return true;
}

void IOEthernetController__setVlanTag(IOEthernetController *me, mbuf_t packet, uint32_t tag)
{
    mbuf_set_vlan_tag(packet, (uint16_t)tag);
}

/* ---- filters by number ----------------------------------------------------------------------- */

int32_t IOEthernetController__getPacketFilters(IOEthernetController *me, const OSSymbol *group,
                                               uint32_t *filters)
{
    if (OSString_isEqualTo_cstring((OSString *)group, kIONetworkFilterGroup))
        return IOEthernetController_getPacketFilters_numbers(me, filters);
    *filters = 0; /* no Wake-on-LAN */
    return kIOReturnSuccess;
}

static int32_t set_filter(IOEthernetController *me, uint32_t filter, bool on)
{
    switch (filter) {
    case kIOPacketFilterUnicast:
    case kIOPacketFilterBroadcast:
        return kIOReturnSuccess;
    case kIOPacketFilterMulticast:
        return IOEthernetController_setMulticastMode(me, on);
    case kIOPacketFilterPromiscuous:
        return IOEthernetController_setPromiscuousMode(me, on);
    default:
        return kIOReturnUnsupported;
    }
}

int32_t IOEthernetController__enablePacketFilter(IOEthernetController *me, const OSSymbol *group,
                                                 uint32_t filter, uint32_t enabled,
                                                 uint32_t options)
{
    return set_filter(me, filter, true);
}

int32_t IOEthernetController__disablePacketFilter(IOEthernetController *me, const OSSymbol *group,
                                                  uint32_t filter, uint32_t enabled,
                                                  uint32_t options)
{
    return set_filter(me, filter, false);
}
