/* SPDX-License-Identifier: BSD-3-Clause */
/* Data exchange. */
#include "host/devices/kvp.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "host/devices/kvp_addresses.h"
#include "protocol/utf16.h"
#include "protocol/vmbus_classes.h"

static const uint64_t limit_ns = 30000000000ull;
static const uint32_t versions[] = {IC_KVP_1_0, IC_KVP_3_0, IC_KVP_4_0, IC_KVP_5_0};
static const struct integration_settings settings = {
    .name = "data exchange",
    .kind = "kvp",
    .class_id = VMBUS_CLASS_KVP,
    .instance_id = VMBUS_INSTANCE_KVP,
    .message_type = IC_MESSAGE_KVP,
    .versions = versions,
    .version_count = sizeof(versions) / sizeof(versions[0]),
};

struct kvp {
    struct integration_service service; /* first */
    const char *host_name;
    bool busy;                          /* a call of the owner's is under way */
    uint8_t operation;
    kvp_item_done *item_done;
    kvp_addresses_done *addresses_done;
    void *context;
    uint64_t told;                      /* items about the host that the guest took */
};

/* ---- Items ---- */

static uint32_t put_text(const char *text, uint8_t *to, size_t size)
{
    return (uint32_t)(2 * utf8_to_utf16(text, to, size / 2));
}

static bool take_item(const struct ic_kvp_value *value, struct kvp_item *item)
{
    if (value->key_size > sizeof(value->key) || value->value_size > sizeof(value->value)) {
        return false;
    }
    utf16_to_utf8(value->key, value->key_size / 2, item->key, sizeof(item->key));
    if (value->type == IC_KVP_TYPE_STRING || value->type == IC_KVP_TYPE_EXPAND_STRING) {
        utf16_to_utf8(value->value, value->value_size / 2, item->value, sizeof(item->value));
    } else {
        uint64_t number = 0;
        memcpy(&number, value->value, value->type == IC_KVP_TYPE_U32 ? 4 : 8);
        snprintf(item->value, sizeof(item->value), "%" PRIu64, number);
    }
    return true;
}

static void end_item(struct kvp *kvp, int result, uint32_t status, const struct kvp_item *item)
{
    kvp->busy = false;
    if (kvp->item_done != NULL) {
        kvp->item_done(kvp->context, result, status, item);
    }
}

static void item_answered(void *context, int result, uint32_t status, const void *body, size_t size)
{
    struct kvp *kvp = context;
    const size_t at = kvp->operation == IC_KVP_ENUMERATE ? offsetof(struct ic_kvp_enumerate, item)
                                                         : offsetof(struct ic_kvp_exchange, item);
    struct ic_kvp_value value;
    static struct kvp_item item; /* of the one thread; large */
    if (result != 0 || status != IC_STATUS_OK ||
        (kvp->operation != IC_KVP_GET && kvp->operation != IC_KVP_ENUMERATE)) {
        end_item(kvp, result, status, NULL);
        return;
    }
    if (size < at + sizeof(value)) {
        end_item(kvp, -EPROTO, status, NULL);
        return;
    }
    memcpy(&value, (const uint8_t *)body + at, sizeof(value));
    if (!take_item(&value, &item)) {
        end_item(kvp, -EPROTO, status, NULL);
        return;
    }
    end_item(kvp, 0, status, &item);
}

static bool fits(const char *text, size_t size, bool may_be_empty)
{
    uint8_t units[IC_KVP_VALUE_SIZE + 2];
    return (may_be_empty || text[0] != '\0') &&
           2 * utf8_to_utf16(text, units, size / 2 + 1) <= size;
}

static int call(struct kvp *kvp, uint8_t operation, const void *body, size_t size,
                integration_done *answered, void *context)
{
    if (kvp->busy) {
        return -EBUSY;
    }
    int result = integration_service_call(&kvp->service, body, size, limit_ns, answered, kvp);
    if (result == 0) {
        kvp->busy = true;
        kvp->operation = operation;
        kvp->context = context;
    }
    return result;
}

static int item_call(struct kvp *kvp, uint8_t operation, const void *body, size_t size,
                     kvp_item_done *done, void *context)
{
    int result = call(kvp, operation, body, size, item_answered, context);
    if (result == 0) {
        kvp->item_done = done;
    }
    return result;
}

static void fill_exchange(struct ic_kvp_enumerate *body, uint8_t operation, uint8_t pool,
                          const char *key, const char *value)
{
    /* Hosts send the length of an enumeration for every operation; the item is at 4 in these. */
    struct ic_kvp_exchange exchange = {.header = {operation, pool}};
    exchange.item.type = IC_KVP_TYPE_STRING;
    exchange.item.key_size = put_text(key, exchange.item.key, sizeof(exchange.item.key));
    if (value != NULL) {
        exchange.item.value_size = put_text(value, exchange.item.value,
                                            sizeof(exchange.item.value));
    }
    memset(body, 0, sizeof(*body));
    memcpy(body, &exchange, sizeof(exchange));
}

int kvp_get(struct virtual_device *device, uint8_t pool, const char *key, kvp_item_done *done,
            void *context)
{
    struct ic_kvp_enumerate body;
    if (!fits(key, IC_KVP_KEY_SIZE, false)) {
        return -EINVAL;
    }
    fill_exchange(&body, IC_KVP_GET, pool, key, NULL);
    return item_call((struct kvp *)device, IC_KVP_GET, &body, sizeof(body), done, context);
}

int kvp_set(struct virtual_device *device, uint8_t pool, const char *key, const char *value,
            kvp_item_done *done, void *context)
{
    struct ic_kvp_enumerate body;
    if (!fits(key, IC_KVP_KEY_SIZE, false) || !fits(value, IC_KVP_VALUE_SIZE, true)) {
        return -EINVAL;
    }
    fill_exchange(&body, IC_KVP_SET, pool, key, value);
    return item_call((struct kvp *)device, IC_KVP_SET, &body, sizeof(body), done, context);
}

int kvp_remove(struct virtual_device *device, uint8_t pool, const char *key, kvp_item_done *done,
               void *context)
{
    uint8_t body[sizeof(struct ic_kvp_enumerate)] = {0};
    struct ic_kvp_delete remove = {.header = {IC_KVP_DELETE, pool}};
    if (!fits(key, IC_KVP_KEY_SIZE, false)) {
        return -EINVAL;
    }
    remove.key_size = put_text(key, remove.key, sizeof(remove.key));
    memcpy(body, &remove, sizeof(remove));
    return item_call((struct kvp *)device, IC_KVP_DELETE, body, sizeof(body), done, context);
}

int kvp_enumerate(struct virtual_device *device, uint8_t pool, uint32_t index, kvp_item_done *done,
                  void *context)
{
    struct ic_kvp_enumerate body = {.header = {IC_KVP_ENUMERATE, pool}, .index = index};
    return item_call((struct kvp *)device, IC_KVP_ENUMERATE, &body, sizeof(body), done, context);
}

/* ---- Addresses ---- */

static void end_addresses(struct kvp *kvp, int result, uint32_t status,
                          const struct kvp_addresses *addresses)
{
    kvp->busy = false;
    if (kvp->addresses_done != NULL) {
        kvp->addresses_done(kvp->context, result, status, addresses);
    }
}

static void addresses_answered(void *context, int result, uint32_t status, const void *body,
                               size_t size)
{
    struct kvp *kvp = context;
    static struct kvp_addresses addresses; /* of the one thread; large */
    if (result != 0 || status != IC_STATUS_OK || kvp->operation == IC_KVP_SET_IP) {
        end_addresses(kvp, result, status, NULL);
        return;
    }
    const bool good =
        kvp_block_read(body, size, kvp->service.channel.message_version, &addresses);
    end_addresses(kvp, good ? 0 : -EPROTO, status, good ? &addresses : NULL);
}

static int addresses_call(struct kvp *kvp, uint8_t operation, const char *adapter,
                          const struct kvp_addresses *addresses, kvp_addresses_done *done,
                          void *context)
{
    union kvp_address_block block;
    const size_t size = kvp_block_make(&block, kvp->service.channel.message_version, operation,
                                       adapter, addresses);
    int result = call(kvp, operation, &block, size, addresses_answered, context);
    if (result == 0) {
        kvp->addresses_done = done;
    }
    return result;
}

int kvp_get_addresses(struct virtual_device *device, const char *adapter,
                      kvp_addresses_done *done, void *context)
{
    return addresses_call((struct kvp *)device, IC_KVP_GET_IP, adapter, NULL, done, context);
}

int kvp_set_addresses(struct virtual_device *device, const char *adapter,
                      const struct kvp_addresses *addresses, kvp_addresses_done *done,
                      void *context)
{
    return addresses_call((struct kvp *)device, IC_KVP_SET_IP, adapter, addresses, done, context);
}

/* ---- The service ---- */

static void host_item_answered(void *context, int result, uint32_t status, const void *body,
                               size_t size)
{
    struct kvp *kvp = context;
    kvp->told += result == 0 && status == IC_STATUS_OK;
}

/* What Windows tells every guest about its host, as soon as it can. */
static void negotiated(struct integration_service *service)
{
    struct kvp *kvp = (struct kvp *)service;
    static const char *const keys[] = {"HostName", "PhysicalHostName",
                                       "PhysicalHostNameFullyQualified", "VirtualMachineName"};
    if (service->first != NULL) {
        return; /* agreed anew in mid-call: the guest knows its host */
    }
    for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct ic_kvp_enumerate body;
        fill_exchange(&body, IC_KVP_SET, IC_KVP_POOL_AUTO_EXTERNAL, keys[i], kvp->host_name);
        integration_service_call(service, &body, sizeof(body), limit_ns, host_item_answered, kvp);
    }
}

static void describe(struct integration_service *service, struct json_object *to)
{
    const struct kvp *kvp = (const struct kvp *)service;
    json_object_object_add(to, "host_items_taken", json_object_new_uint64(kvp->told));
}

struct virtual_device *kvp_new(uint32_t framework, uint32_t version, const char *host_name)
{
    struct kvp *kvp = integration_service_new(sizeof(*kvp), &settings, framework, version);
    if (kvp == NULL) {
        return NULL;
    }
    kvp->host_name = host_name;
    kvp->service.negotiated = negotiated;
    kvp->service.describe = describe;
    return &kvp->service.device;
}
