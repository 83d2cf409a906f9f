/* SPDX-License-Identifier: BSD-3-Clause */
/* Data exchange: key-value pairs in pools, and the guest's network addresses. */
#ifndef HOST_DEVICES_KVP_H
#define HOST_DEVICES_KVP_H

#include "host/devices/integration_service.h"

enum {
    KVP_KEY_MAX = 255 * 3,     /* bytes of UTF-8 that 255 UTF-16 units can become */
    KVP_VALUE_MAX = 1023 * 3,
};

struct kvp_item {
    char key[KVP_KEY_MAX + 1];
    char value[KVP_VALUE_MAX + 1]; /* numbers in decimal */
};

/* Lists as the guest wrote them, "; " or ";" between the elements. */
struct kvp_addresses {
    bool dhcp;
    char addresses[KVP_VALUE_MAX + 1], subnets[KVP_VALUE_MAX + 1];
    char gateways[KVP_VALUE_MAX + 1], dns[KVP_VALUE_MAX + 1];
};

/* Ends of calls: `result` as of integration_done, -EPROTO when the answer is not as it should be;
 * `item` and `addresses` only with 0 and IC_STATUS_OK (NULL for set and remove). */
typedef void kvp_item_done(void *context, int result, uint32_t status,
                           const struct kvp_item *item);
typedef void kvp_addresses_done(void *context, int result, uint32_t status,
                                const struct kvp_addresses *addresses);

/* framework and version are host_release's; `host_name` is what the guest is told of its host.
 * Returns NULL when memory is short. */
struct virtual_device *kvp_new(uint32_t framework, uint32_t version, const char *host_name);

/* pool: enum ic_kvp_pool. Results of integration_service_call(), -EBUSY (the last one is still
 * under way), and -EINVAL: a key or value is too long or empty. */
int kvp_get(struct virtual_device *device, uint8_t pool, const char *key, kvp_item_done *done,
            void *context);
int kvp_set(struct virtual_device *device, uint8_t pool, const char *key, const char *value,
            kvp_item_done *done, void *context);
int kvp_remove(struct virtual_device *device, uint8_t pool, const char *key, kvp_item_done *done,
               void *context);
int kvp_enumerate(struct virtual_device *device, uint8_t pool, uint32_t index, kvp_item_done *done,
                  void *context);

/* adapter: its MAC address as text ("00:15:5D:01:02:03") to get, its instance GUID to set. */
int kvp_get_addresses(struct virtual_device *device, const char *adapter,
                      kvp_addresses_done *done, void *context);
int kvp_set_addresses(struct virtual_device *device, const char *adapter,
                      const struct kvp_addresses *addresses, kvp_addresses_done *done,
                      void *context);

#endif
