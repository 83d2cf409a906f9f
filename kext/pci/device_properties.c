/* SPDX-License-Identifier: BSD-3-Clause */
/* Properties that a boot loader injects by device path. */
#include "kext/pci/device_properties.h"

#include "kext/core/shared_memory.h"
#include "protocol/utf16.h"

#define VERSION       1u
#define PATH_HARDWARE 0x01u
#define PATH_VENDOR   0x04u
#define PATH_END      0x7fu
#define PATH_END_ALL  0xffu

struct buffer_header {
    uint32_t size;
    uint32_t version;
    uint32_t node_count;
} WIRE_PACKED;
WIRE_SIZE(struct buffer_header, 12);

struct node_header {
    uint32_t size;
    uint32_t property_count;
} WIRE_PACKED;
WIRE_SIZE(struct node_header, 8);

struct path_header {
    uint8_t type;
    uint8_t subtype;
    uint16_t length;                    /* with the header */
} WIRE_PACKED;
WIRE_SIZE(struct path_header, 4);

struct vmbus_path {
    struct path_header header;
    struct guid vendor;
    struct guid class_id;
    struct guid instance_id;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_path, 52);

static const struct guid vmbus_vendor =
    GUID_INIT(0x9b17e5a2, 0x0891, 0x42dd, 0xb6, 0x53, 0x80, 0xb5, 0xc2, 0x28, 0x09, 0xba);

/* Bytes of the path at `at`, its end included; 0: it does not end within `size`. */
static uint32_t path_size(const uint8_t *at, uint32_t size)
{
    uint32_t used = 0;
    struct path_header header;

    while (size - used >= sizeof header) {
        memcpy(&header, at + used, sizeof header);
        if (header.length < sizeof header || header.length > size - used)
            return 0;
        used += header.length;
        if (header.type == PATH_END && header.subtype == PATH_END_ALL)
            return used;
    }
    return 0;
}

static bool path_is(const uint8_t *at, uint32_t size, const struct guid *class_id,
                    const struct guid *instance_id)
{
    struct vmbus_path path;

    if (size < sizeof path)
        return false;
    memcpy(&path, at, sizeof path);
    return path.header.type == PATH_HARDWARE && path.header.subtype == PATH_VENDOR &&
           path.header.length == sizeof path && guid_equal(&path.vendor, &vmbus_vendor) &&
           guid_equal(&path.class_id, class_id) && guid_equal(&path.instance_id, instance_id);
}

int device_properties_find(const void *buffer, uint32_t size, const struct guid *class_id,
                           const struct guid *instance_id, struct device_properties *properties)
{
    const uint8_t *at = buffer;
    struct buffer_header header;
    struct node_header node;
    uint32_t path;

    if (size < sizeof header)
        return HV_ERROR_MALFORMED;
    memcpy(&header, at, sizeof header);
    if (header.size != size || header.version != VERSION)
        return HV_ERROR_MALFORMED;
    at += sizeof header;
    size -= sizeof header;
    for (; header.node_count > 0; header.node_count--, at += node.size, size -= node.size) {
        if (size < sizeof node)
            return HV_ERROR_MALFORMED;
        memcpy(&node, at, sizeof node);
        if (node.size < sizeof node || node.size > size)
            return HV_ERROR_MALFORMED;
        path = path_size(at + sizeof node, node.size - sizeof node);
        if (path == 0)
            return HV_ERROR_MALFORMED;
        if (!path_is(at + sizeof node, path, class_id, instance_id))
            continue;
        properties->at = at + sizeof node + path;
        properties->size = node.size - (uint32_t)sizeof node - path;
        properties->count = node.property_count;
        return 0;
    }
    return HV_ERROR_NOT_FOUND;
}

/* Takes one sized item. Returns false if there is none within what is left. */
static bool take(struct device_properties *properties, const uint8_t **bytes, uint32_t *length)
{
    uint32_t size;

    if (properties->size < sizeof size)
        return false;
    memcpy(&size, properties->at, sizeof size);
    if (size < sizeof size || size > properties->size)
        return false;
    *bytes = properties->at + sizeof size;
    *length = size - (uint32_t)sizeof size;
    properties->at += size;
    properties->size -= size;
    return true;
}

int device_properties_next(struct device_properties *properties, struct device_property *property)
{
    const uint8_t *name;
    uint32_t length;

    if (properties->count == 0)
        return HV_ERROR_EMPTY;
    if (!take(properties, &name, &length) ||
        !take(properties, &property->value, &property->length)) {
        properties->count = 0;
        return HV_ERROR_MALFORMED;
    }
    properties->count--;
    utf16_to_utf8(name, length / 2, property->name, sizeof property->name);
    return 0;
}
