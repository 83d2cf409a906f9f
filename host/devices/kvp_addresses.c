/* SPDX-License-Identifier: BSD-3-Clause */
/* Address blocks of data exchange. */
#include "host/devices/kvp_addresses.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/utf16.h"

/* ---- Text ---- */

static void put_text(const char *text, void *to, size_t size)
{
    utf8_to_utf16(text, to, size / 2);
}

static void make_text(struct ic_kvp_ip *block, const char *adapter,
                      const struct kvp_addresses *addresses)
{
    uint8_t *bytes = (uint8_t *)block;
#define PUT(field, text) \
    put_text(text, bytes + offsetof(struct ic_kvp_ip, field), sizeof(block->field))
    PUT(adapter_id, adapter);
    if (addresses != NULL) {
        block->dhcp_enabled = addresses->dhcp;
        PUT(addresses, addresses->addresses);
        PUT(subnets, addresses->subnets);
        PUT(gateways, addresses->gateways);
        PUT(dns_servers, addresses->dns);
    }
#undef PUT
    block->family = IC_KVP_FAMILY_IPV4 | IC_KVP_FAMILY_IPV6;
}

static void read_text(const uint8_t *bytes, struct kvp_addresses *addresses)
{
#define TAKE(field, to) \
    utf16_to_utf8(bytes + offsetof(struct ic_kvp_ip, field), \
                  sizeof(((struct ic_kvp_ip *)0)->field) / 2, addresses->to, sizeof(addresses->to))
    addresses->dhcp = bytes[offsetof(struct ic_kvp_ip, dhcp_enabled)] != 0;
    TAKE(addresses, addresses);
    TAKE(subnets, subnets);
    TAKE(gateways, gateways);
    TAKE(dns_servers, dns);
#undef TAKE
}

/* ---- Binary ---- */

enum { ADDRESSES_MAX = 64, GATEWAYS_MAX = 5 };

/* One list while it is taken apart or put together: the arrays of both families, in memory of
 * their own because those of the block are unaligned. */
struct pair_of_arrays {
    uint32_t ipv4[ADDRESSES_MAX], ipv4_count;
    uint8_t ipv6[ADDRESSES_MAX][16];
    uint32_t ipv6_count;
};

static void split(const char *list, uint32_t most, struct pair_of_arrays *arrays)
{
    char copy[KVP_VALUE_MAX + 1], *rest = copy, *element;
    memset(arrays, 0, sizeof(*arrays));
    snprintf(copy, sizeof(copy), "%s", list);
    while ((element = strsep(&rest, "; ")) != NULL) {
        if (arrays->ipv4_count < most &&
            inet_pton(AF_INET, element, &arrays->ipv4[arrays->ipv4_count]) == 1) {
            arrays->ipv4_count++;
        } else if (arrays->ipv6_count < most &&
                   inet_pton(AF_INET6, element, arrays->ipv6[arrays->ipv6_count]) == 1) {
            arrays->ipv6_count++;
        }
    }
}

/* Prefixes are what begins with a slash. */
static void split_prefixes(const char *list, uint32_t prefixes[ADDRESSES_MAX])
{
    unsigned count = 0;
    for (const char *at = strchr(list, '/'); at != NULL && count < ADDRESSES_MAX;
         at = strchr(at + 1, '/')) {
        prefixes[count++] = (uint32_t)strtoul(at + 1, NULL, 10);
    }
}

static void make_binary(struct ic_kvp_ip_binary *block, const char *adapter,
                        const struct kvp_addresses *addresses)
{
    struct pair_of_arrays arrays;
    uint32_t prefixes[ADDRESSES_MAX] = {0};
    put_text(adapter, (uint8_t *)block + offsetof(struct ic_kvp_ip_binary, adapter_id),
             sizeof(block->adapter_id));
    block->family = IC_KVP_FAMILY_IPV4 | IC_KVP_FAMILY_IPV6;
    if (addresses == NULL) {
        return;
    }
#define PUT(list, most, v4, v4_count, v6, v6_count) \
    split(addresses->list, most, &arrays); \
    memcpy(block->v4, arrays.ipv4, sizeof(block->v4)); \
    memcpy(block->v6, arrays.ipv6, sizeof(block->v6)); \
    block->v4_count = arrays.ipv4_count; \
    block->v6_count = arrays.ipv6_count
    block->dhcp_enabled = addresses->dhcp;
    PUT(addresses, ADDRESSES_MAX, ipv4_addresses, ipv4_address_count, ipv6_addresses,
        ipv6_address_count);
    PUT(gateways, GATEWAYS_MAX, ipv4_gateways, ipv4_gateway_count, ipv6_gateways,
        ipv6_gateway_count);
    PUT(dns, ADDRESSES_MAX, ipv4_dns, ipv4_dns_count, ipv6_dns, ipv6_dns_count);
#undef PUT
    split(addresses->subnets, ADDRESSES_MAX, &arrays);
    memcpy(block->ipv4_subnets, arrays.ipv4, sizeof(block->ipv4_subnets));
    split_prefixes(addresses->subnets, prefixes);
    memcpy(block->ipv6_prefixes, prefixes, sizeof(block->ipv6_prefixes));
}

static void append(char *list, const char *text)
{
    size_t length = strlen(list);
    snprintf(list + length, KVP_VALUE_MAX + 1 - length, "%s%s", length > 0 ? ";" : "", text);
}

static void join(char *list, int family, const void *array, uint32_t count)
{
    const size_t step = family == AF_INET6 ? 16 : 4;
    char text[INET6_ADDRSTRLEN];
    for (uint32_t i = 0; i < count; i++) {
        append(list, inet_ntop(family, (const uint8_t *)array + i * step, text, sizeof(text)));
    }
}

static bool read_binary(const void *body, struct kvp_addresses *addresses)
{
    static struct ic_kvp_ip_binary block; /* of the one thread; large */
    memcpy(&block, body, sizeof(block));
    if (block.ipv4_address_count > ADDRESSES_MAX || block.ipv6_address_count > ADDRESSES_MAX ||
        block.ipv4_gateway_count > GATEWAYS_MAX || block.ipv6_gateway_count > GATEWAYS_MAX ||
        block.ipv4_dns_count > ADDRESSES_MAX || block.ipv6_dns_count > ADDRESSES_MAX) {
        return false;
    }
    *addresses = (struct kvp_addresses){.dhcp = block.dhcp_enabled != 0};
    join(addresses->addresses, AF_INET, block.ipv4_addresses, block.ipv4_address_count);
    join(addresses->addresses, AF_INET6, block.ipv6_addresses, block.ipv6_address_count);
    join(addresses->subnets, AF_INET, block.ipv4_subnets, block.ipv4_address_count);
    for (uint32_t i = 0; i < block.ipv6_address_count; i++) {
        char text[16];
        snprintf(text, sizeof(text), "/%u", block.ipv6_prefixes[i]);
        append(addresses->subnets, text);
    }
    join(addresses->gateways, AF_INET, block.ipv4_gateways, block.ipv4_gateway_count);
    join(addresses->gateways, AF_INET6, block.ipv6_gateways, block.ipv6_gateway_count);
    join(addresses->dns, AF_INET, block.ipv4_dns, block.ipv4_dns_count);
    join(addresses->dns, AF_INET6, block.ipv6_dns, block.ipv6_dns_count);
    return true;
}

/* ---- Either ---- */

size_t kvp_block_make(union kvp_address_block *block, uint32_t message_version, uint8_t operation,
                      const char *adapter, const struct kvp_addresses *addresses)
{
    const bool binary = message_version >= IC_KVP_5_0;
    memset(block, 0, sizeof(*block));
    block->text.header.operation = operation;
    if (binary) {
        make_binary(&block->binary, adapter, addresses);
    } else {
        make_text(&block->text, adapter, addresses);
    }
    return binary ? sizeof(block->binary) : sizeof(block->text);
}

bool kvp_block_read(const void *body, size_t size, uint32_t message_version,
                    struct kvp_addresses *addresses)
{
    if (message_version >= IC_KVP_5_0) {
        return size >= sizeof(struct ic_kvp_ip_binary) && read_binary(body, addresses);
    }
    if (size < sizeof(struct ic_kvp_ip)) {
        return false;
    }
    read_text(body, addresses);
    return true;
}
