/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers to the host's data exchange requests. */
#include "daemons/kvp/exchange.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemons/common/daemon.h"
#include "daemons/kvp/addresses.h"
#include "daemons/kvp/blocks.h"
#include "daemons/kvp/facts.h"
#include "daemons/kvp/pool.h"
#include "protocol/utf16.h"

static struct pool_pair pair;           /* of the request under way; large */

static uint32_t status_of(int error)
{
    switch (error) {
    case 0:      return IC_STATUS_OK;
    case ENOENT: return IC_STATUS_NO_MORE_ITEMS;
    case ENOSPC: return IC_STATUS_DISK_FULL;
    default:     return IC_STATUS_FAIL;
    }
}

static bool pool_path(const struct exchange *exchange, uint8_t pool, char *path, size_t size)
{
    return pool <= IC_KVP_POOL_INTERNAL && pool != IC_KVP_POOL_AUTO &&
           snprintf(path, size, "%s/pool_%u", exchange->folder, pool) < (int)size;
}

/* ---- Pairs ---- */

static bool take_key(const uint8_t *units, uint32_t size)
{
    if (size > IC_KVP_KEY_SIZE || size % 2 != 0)
        return false;
    utf16_to_utf8(units, size / 2, pair.key, sizeof pair.key);
    return pair.key[0] != '\0';
}

static bool take_value(const struct ic_kvp_value *item)
{
    uint64_t number = 0;

    if (item->value_size > IC_KVP_VALUE_SIZE)
        return false;
    switch (item->type) {
    case IC_KVP_TYPE_STRING:
    case IC_KVP_TYPE_EXPAND_STRING:
        utf16_to_utf8(item->value, item->value_size / 2, pair.value, sizeof pair.value);
        return item->value_size % 2 == 0;
    case IC_KVP_TYPE_U32:
        memcpy(&number, item->value, 4);
        break;
    case IC_KVP_TYPE_U64:
    case IC_KVP_TYPE_U64_LINUX:
        memcpy(&number, item->value, 8);
        break;
    default:
        return false;
    }
    snprintf(pair.value, sizeof pair.value, "%" PRIu64, number);
    return true;
}

static void put_item(struct ic_kvp_value *item, const char *key, const char *value)
{
    memset(item, 0, sizeof *item);
    item->type = IC_KVP_TYPE_STRING;
    item->key_size = 2 * (uint32_t)utf8_to_utf16(key, item->key, sizeof item->key / 2);
    item->value_size = 2 * (uint32_t)utf8_to_utf16(value, item->value, sizeof item->value / 2);
}

static uint32_t get_or_set(const struct exchange *exchange, void *body, bool set, bool *replies)
{
    struct ic_kvp_exchange message;
    char path[1024];
    uint32_t status;

    memcpy(&message, body, sizeof message);
    if (!pool_path(exchange, message.header.pool, path, sizeof path) ||
        !take_key(message.item.key, message.item.key_size) || (set && !take_value(&message.item)))
        return IC_STATUS_INVALID_ARGUMENT;
    if (set)
        return status_of(pool_set(path, pair.key, pair.value));
    status = status_of(pool_get(path, pair.key, &pair));
    if (status == IC_STATUS_OK) {
        put_item(&message.item, pair.key, pair.value);
        memcpy(body, &message, sizeof message);
        *replies = true;
    }
    return status;
}

static uint32_t remove_pair(const struct exchange *exchange, const void *body)
{
    struct ic_kvp_delete message;
    char path[1024];

    memcpy(&message, body, sizeof message);
    if (!pool_path(exchange, message.header.pool, path, sizeof path) ||
        !take_key(message.key, message.key_size))
        return IC_STATUS_INVALID_ARGUMENT;
    return status_of(pool_remove(path, pair.key));
}

static uint32_t enumerate(const struct exchange *exchange, void *body, bool *replies)
{
    struct ic_kvp_enumerate message;
    char path[1024];
    const char *key = pair.key;
    uint32_t status = IC_STATUS_OK;

    memcpy(&message, body, sizeof message);
    if (message.header.pool == IC_KVP_POOL_AUTO) {
        key = fact_at(message.index, pair.value, sizeof pair.value);
        if (key == NULL)
            return IC_STATUS_NO_MORE_ITEMS;
    } else if (pool_path(exchange, message.header.pool, path, sizeof path)) {
        status = status_of(pool_at(path, message.index, &pair));
    } else {
        return IC_STATUS_INVALID_ARGUMENT;
    }
    if (status != IC_STATUS_OK)
        return status;
    put_item(&message.item, key, pair.value);
    memcpy(body, &message, sizeof message);
    *replies = true;
    return IC_STATUS_OK;
}

/* ---- Addresses ---- */

static struct address_lists lists;      /* of the request under way; large */

/* Appends what there is of the other family. */
static void add_other(void (*list)(bool, const char *, char *, size_t), const char *interface,
                      char *to, size_t size)
{
    static char more[1024];

    list(false, interface, to, size);
    list(true, interface, more, sizeof more);
    list_append(to, size, more);
}

static uint32_t get_addresses(void *body, uint32_t size, bool *replies)
{
    char interface[64];

    if (!block_read(body, size, &lists))
        return IC_STATUS_INVALID_ARGUMENT;
    if (!addresses_find(lists.adapter, interface, sizeof interface))
        return IC_STATUS_WMI_NOT_FOUND;
    add_other(addresses_list, interface, lists.addresses, sizeof lists.addresses);
    add_other(addresses_subnets, interface, lists.subnets, sizeof lists.subnets);
    addresses_gateways(interface, lists.gateways, sizeof lists.gateways);
    addresses_dns(lists.dns, sizeof lists.dns);
    block_write(body, size, &lists);
    *replies = true;
    return IC_STATUS_OK;
}

/* Only what addresses are made of goes to the command's input: it is a script, run as root. */
static bool is_harmless(const char *list)
{
    return strspn(list, "0123456789abcdefABCDEF.:/;{}-% ") == strlen(list);
}

static uint32_t set_addresses(const struct exchange *exchange, const void *body, uint32_t size)
{
    char input[sizeof lists + 64];
    int status;

    if (!block_read(body, size, &lists))
        return IC_STATUS_INVALID_ARGUMENT;
    if (exchange->set_command == NULL)
        return IC_STATUS_NOT_SUPPORTED;
    if (!is_harmless(lists.adapter) || !is_harmless(lists.addresses) ||
        !is_harmless(lists.subnets) || !is_harmless(lists.gateways) || !is_harmless(lists.dns))
        return IC_STATUS_INVALID_ARGUMENT;
    snprintf(input, sizeof input,
             "adapter=%s\ndhcp=%u\naddresses=%s\nsubnets=%s\ngateways=%s\ndns=%s\n",
             lists.adapter, lists.dhcp, lists.addresses, lists.subnets, lists.gateways, lists.dns);
    status = daemon_run(exchange->set_command, NULL, NULL, input);
    daemon_log("the host sets the addresses of %s: status %d", lists.adapter, status);
    return status == 0 ? IC_STATUS_OK : status == 2 ? IC_STATUS_WMI_NOT_FOUND : IC_STATUS_FAIL;
}

/* ---- All of them ---- */

static uint32_t size_of(uint8_t operation)
{
    switch (operation) {
    case IC_KVP_GET:
    case IC_KVP_SET:       return sizeof(struct ic_kvp_exchange);
    case IC_KVP_DELETE:    return sizeof(struct ic_kvp_delete);
    case IC_KVP_ENUMERATE: return sizeof(struct ic_kvp_enumerate);
    default:               return sizeof(struct ic_kvp_header);
    }
}

uint32_t exchange_answer(const struct exchange *exchange, void *body, uint32_t size, bool *replies)
{
    const uint8_t operation = size > 0 ? *(uint8_t *)body : UINT8_MAX;

    if (operation > IC_KVP_SET_IP)
        return IC_STATUS_NOT_SUPPORTED;
    if (size < size_of(operation))
        return IC_STATUS_INVALID_ARGUMENT;
    switch (operation) {
    case IC_KVP_GET:       return get_or_set(exchange, body, false, replies);
    case IC_KVP_SET:       return get_or_set(exchange, body, true, replies);
    case IC_KVP_DELETE:    return remove_pair(exchange, body);
    case IC_KVP_ENUMERATE: return enumerate(exchange, body, replies);
    case IC_KVP_GET_IP:    return get_addresses(body, size, replies);
    default:               return set_addresses(exchange, body, size);
    }
}
