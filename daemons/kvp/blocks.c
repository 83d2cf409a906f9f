/* SPDX-License-Identifier: BSD-3-Clause */
/* Address blocks of both forms. */
#include "daemons/kvp/blocks.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "protocol/integration.h"
#include "protocol/utf16.h"

void list_append(char *list, size_t size, const char *element)
{
    size_t length = strlen(list);

    if (element[0] != '\0' && length + strlen(element) + 2 <= size)
        snprintf(list + length, size - length, "%s%s", length > 0 ? ";" : "", element);
}

/* ---- Text ---- */

#define TEXT_PUT(bytes, field, text) \
    utf8_to_utf16(text, (bytes) + offsetof(struct ic_kvp_ip, field), \
                  sizeof(((struct ic_kvp_ip *)0)->field) / 2)
#define TEXT_TAKE(bytes, field, to) \
    utf16_to_utf8((bytes) + offsetof(struct ic_kvp_ip, field), \
                  sizeof(((struct ic_kvp_ip *)0)->field) / 2, to, sizeof to)

static void read_text(const uint8_t *bytes, struct address_lists *lists)
{
    lists->dhcp = bytes[offsetof(struct ic_kvp_ip, dhcp_enabled)] != 0;
    TEXT_TAKE(bytes, adapter_id, lists->adapter);
    TEXT_TAKE(bytes, addresses, lists->addresses);
    TEXT_TAKE(bytes, subnets, lists->subnets);
    TEXT_TAKE(bytes, gateways, lists->gateways);
    TEXT_TAKE(bytes, dns_servers, lists->dns);
}

static void write_text(uint8_t *bytes, const struct address_lists *lists)
{
    bytes[offsetof(struct ic_kvp_ip, family)] = IC_KVP_FAMILY_IPV4 | IC_KVP_FAMILY_IPV6;
    bytes[offsetof(struct ic_kvp_ip, dhcp_enabled)] = lists->dhcp;
    TEXT_PUT(bytes, addresses, lists->addresses);
    TEXT_PUT(bytes, subnets, lists->subnets);
    TEXT_PUT(bytes, gateways, lists->gateways);
    TEXT_PUT(bytes, dns_servers, lists->dns);
}

/* ---- Binary ---- */

#define AT(field)   offsetof(struct ic_kvp_ip_binary, field)
#define MOST(field) (sizeof ((struct ic_kvp_ip_binary *)0)->field / \
                     sizeof ((struct ic_kvp_ip_binary *)0)->field[0])

/* Where the addresses of a kind are: counts and arrays of both families. */
struct place {
    size_t count4, array4, count6, array6;
    uint32_t most;                      /* elements of either array */
};

static const struct place addresses_place = { AT(ipv4_address_count), AT(ipv4_addresses),
                                              AT(ipv6_address_count), AT(ipv6_addresses),
                                              MOST(ipv4_addresses) };
static const struct place gateways_place = { AT(ipv4_gateway_count), AT(ipv4_gateways),
                                             AT(ipv6_gateway_count), AT(ipv6_gateways),
                                             MOST(ipv4_gateways) };
static const struct place dns_place = { AT(ipv4_dns_count), AT(ipv4_dns), AT(ipv6_dns_count),
                                        AT(ipv6_dns), MOST(ipv4_dns) };

static uint32_t count_at(const uint8_t *bytes, size_t at, uint32_t most)
{
    uint32_t count;

    memcpy(&count, bytes + at, sizeof count);
    return count < most ? count : most;
}

static void read_array(const uint8_t *bytes, int family, uint32_t count, char *list, size_t size)
{
    const size_t step = family == AF_INET6 ? 16 : 4;
    char text[INET6_ADDRSTRLEN];

    for (; count > 0; count--, bytes += step)
        if (inet_ntop(family, bytes, text, sizeof text) != NULL)
            list_append(list, size, text);
}

static void read_place(const uint8_t *bytes, const struct place *place, char *list, size_t size)
{
    list[0] = '\0';
    read_array(bytes + place->array4, AF_INET, count_at(bytes, place->count4, place->most), list,
               size);
    read_array(bytes + place->array6, AF_INET6, count_at(bytes, place->count6, place->most), list,
               size);
}

/* Each address has its subnet, in the same order. */
static void read_subnets(const uint8_t *bytes, char *list, size_t size)
{
    const struct place *place = &addresses_place;
    uint32_t count = count_at(bytes, place->count6, place->most), prefix, i;
    char text[16];

    list[0] = '\0';
    read_array(bytes + AT(ipv4_subnets), AF_INET, count_at(bytes, place->count4, place->most),
               list, size);
    for (i = 0; i < count; i++) {
        memcpy(&prefix, bytes + AT(ipv6_prefixes) + 4 * i, sizeof prefix);
        snprintf(text, sizeof text, "/%u", prefix);
        list_append(list, size, text);
    }
}

static void read_binary(const uint8_t *bytes, struct address_lists *lists)
{
    lists->dhcp = bytes[AT(dhcp_enabled)] != 0;
    utf16_to_utf8(bytes + AT(adapter_id), MOST(adapter_id), lists->adapter, sizeof lists->adapter);
    read_place(bytes, &addresses_place, lists->addresses, sizeof lists->addresses);
    read_subnets(bytes, lists->subnets, sizeof lists->subnets);
    read_place(bytes, &gateways_place, lists->gateways, sizeof lists->gateways);
    read_place(bytes, &dns_place, lists->dns, sizeof lists->dns);
}

/* Takes the next element of the list into `element`, without the scope that an address may have
 * behind a "%". False: that was all. */
static bool next_element(const char **list, char *element, size_t size)
{
    size_t length = strcspn(*list, ";");

    if (**list == '\0')
        return false;
    snprintf(element, size, "%.*s", (int)length, *list);
    element[strcspn(element, "%")] = '\0';
    *list += length + ((*list)[length] == ';');
    return true;
}

static void write_place(uint8_t *bytes, const struct place *place, const char *list)
{
    uint32_t count4 = 0, count6 = 0;
    char text[INET6_ADDRSTRLEN + 16];

    while (next_element(&list, text, sizeof text)) {
        if (count4 < place->most &&
            inet_pton(AF_INET, text, bytes + place->array4 + 4 * count4) == 1)
            count4++;
        else if (count6 < place->most &&
                 inet_pton(AF_INET6, text, bytes + place->array6 + 16 * count6) == 1)
            count6++;
    }
    memcpy(bytes + place->count4, &count4, sizeof count4);
    memcpy(bytes + place->count6, &count6, sizeof count6);
}

static void write_subnets(uint8_t *bytes, const char *list)
{
    uint32_t count4 = 0, count6 = 0;
    char text[INET6_ADDRSTRLEN];

    while (next_element(&list, text, sizeof text)) {
        if (text[0] == '/' && count6 < MOST(ipv6_prefixes)) {
            uint32_t prefix = (uint32_t)strtol(text + 1, NULL, 10);

            memcpy(bytes + AT(ipv6_prefixes) + 4 * count6++, &prefix, sizeof prefix);
        } else if (count4 < MOST(ipv4_subnets) &&
                   inet_pton(AF_INET, text, bytes + AT(ipv4_subnets) + 4 * count4) == 1) {
            count4++;
        }
    }
}

static void write_binary(uint8_t *bytes, const struct address_lists *lists)
{
    bytes[AT(family)] = IC_KVP_FAMILY_IPV4 | IC_KVP_FAMILY_IPV6;
    bytes[AT(dhcp_enabled)] = lists->dhcp;
    memset(bytes + AT(ipv4_addresses), 0, sizeof(struct ic_kvp_ip_binary) - AT(ipv4_addresses));
    write_place(bytes, &addresses_place, lists->addresses);
    write_subnets(bytes, lists->subnets);
    write_place(bytes, &gateways_place, lists->gateways);
    write_place(bytes, &dns_place, lists->dns);
}

/* ---- Either ---- */

bool block_read(const void *body, uint32_t size, struct address_lists *lists)
{
    if (size == sizeof(struct ic_kvp_ip))
        read_text(body, lists);
    else if (size == sizeof(struct ic_kvp_ip_binary))
        read_binary(body, lists);
    else
        return false;
    return true;
}

void block_write(void *body, uint32_t size, const struct address_lists *lists)
{
    if (size == sizeof(struct ic_kvp_ip))
        write_text(body, lists);
    else
        write_binary(body, lists);
}
