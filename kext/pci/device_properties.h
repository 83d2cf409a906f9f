/* SPDX-License-Identifier: BSD-3-Clause */
/* Properties that a boot loader injects by device path: the buffer that macOS shows as
 * "device-properties" of IODeviceTree:/efi. A device on VMBus has the path
 * VenHw(9B17E5A2-0891-42DD-B653-80B5C22809BA,<class GUID><instance GUID>). No I/O Kit in here.
 *
 * The buffer is size, version and count of nodes, 4 bytes each; a node its size, its number of
 * properties, a device path and the properties; a property its name in UTF-16 and its value, each
 * behind a size that includes itself.
 *
 * Sources: EDK2's APPLE_DEVICE_PROPERTY_DATABASE and OpenCore; MacHyperVSupport for the path. */
#ifndef KEXT_PCI_DEVICE_PROPERTIES_H
#define KEXT_PCI_DEVICE_PROPERTIES_H

#include "kext/core/errors.h"
#include "protocol/wire.h"

#define DEVICE_PROPERTY_NAME_SIZE 128u  /* bytes of UTF-8, with the NUL; the rest is cut off */

/* A place among the properties of one node. */
struct device_properties {
    const uint8_t *at;
    uint32_t size;                      /* bytes left */
    uint32_t count;                     /* properties left */
};

struct device_property {
    char name[DEVICE_PROPERTY_NAME_SIZE];
    const uint8_t *value;               /* inside the buffer */
    uint32_t length;
};

/* Finds the node of a device. HV_ERROR_NOT_FOUND: there is none; HV_ERROR_MALFORMED: the buffer
 * breaks its format before one was found. */
int device_properties_find(const void *buffer, uint32_t size, const struct guid *class_id,
                           const struct guid *instance_id, struct device_properties *properties);

/* The next property. HV_ERROR_EMPTY: that was the last; HV_ERROR_MALFORMED: nor can there be
 * another. */
int device_properties_next(struct device_properties *properties, struct device_property *property);

#endif
