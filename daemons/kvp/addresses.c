/* SPDX-License-Identifier: BSD-3-Clause */
/* Network addresses of the guest. */
#include "daemons/kvp/addresses.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#ifdef __APPLE__
#include <net/if_dl.h>
#else
#include <netpacket/packet.h>
#endif

enum { MAC_SIZE = 6 };

static void append(char *list, size_t size, const char *text)
{
    size_t length = strlen(list);

    if (length + strlen(text) + 2 <= size)
        snprintf(list + length, size - length, "%s%s", length > 0 ? ";" : "", text);
}

static const void *address_bytes(const struct sockaddr *address)
{
    return address->sa_family == AF_INET6
               ? (const void *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr
               : (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr;
}

static bool is_wanted(const struct ifaddrs *entry, int family, const char *interface)
{
    return entry->ifa_addr != NULL && entry->ifa_addr->sa_family == family &&
           (entry->ifa_flags & IFF_LOOPBACK) == 0 &&
           (interface == NULL || strcmp(entry->ifa_name, interface) == 0);
}

static void mask_text(const struct sockaddr *mask, bool ipv6, char *text, size_t size)
{
    const uint8_t *bytes = address_bytes(mask);
    unsigned length = 0, i;

    if (!ipv6) {
        inet_ntop(AF_INET, bytes, text, (socklen_t)size);
        return;
    }
    for (i = 0; i < 128 && (bytes[i / 8] >> (7 - i % 8) & 1) != 0; i++)
        length++;
    snprintf(text, size, "/%u", length);
}

/* macOS leaves the family and the zeroes at the end out of masks. */
static size_t mask_length(const struct sockaddr *mask, bool ipv6)
{
    size_t length = ipv6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

#ifdef __APPLE__
    if (mask->sa_len < length)
        length = mask->sa_len;
#else
    (void)mask;
#endif
    return length;
}

/* Writes what is listed of an entry; false: nothing. */
typedef bool entry_text(const struct ifaddrs *entry, bool ipv6, char *text, size_t size);

static bool address_text(const struct ifaddrs *entry, bool ipv6, char *text, size_t size)
{
    return inet_ntop(ipv6 ? AF_INET6 : AF_INET, address_bytes(entry->ifa_addr), text,
                     (socklen_t)size) != NULL;
}

static bool subnet_text(const struct ifaddrs *entry, bool ipv6, char *text, size_t size)
{
    struct sockaddr_in6 mask;

    if (entry->ifa_netmask == NULL)
        return false;
    memset(&mask, 0, sizeof mask);
    memcpy(&mask, entry->ifa_netmask, mask_length(entry->ifa_netmask, ipv6));
    mask.sin6_family = ipv6 ? AF_INET6 : AF_INET;
    mask_text((const struct sockaddr *)&mask, ipv6, text, size);
    return true;
}

static void list_entries(entry_text *write, bool ipv6, const char *interface, char *to, size_t size)
{
    struct ifaddrs *all, *entry;
    char text[INET6_ADDRSTRLEN];

    to[0] = '\0';
    if (getifaddrs(&all) != 0)
        return;
    for (entry = all; entry != NULL; entry = entry->ifa_next)
        if (is_wanted(entry, ipv6 ? AF_INET6 : AF_INET, interface) &&
            write(entry, ipv6, text, sizeof text))
            append(to, size, text);
    freeifaddrs(all);
}

void addresses_list(bool ipv6, const char *interface, char *to, size_t size)
{
    list_entries(address_text, ipv6, interface, to, size);
}

void addresses_subnets(bool ipv6, const char *interface, char *to, size_t size)
{
    list_entries(subnet_text, ipv6, interface, to, size);
}

/* ---- Routes and name servers ---- */

#ifdef __APPLE__

void addresses_gateways(const char *interface, char *to, size_t size)
{
    FILE *route = popen("/sbin/route -n get default 2>/dev/null", "r");
    char line[256], gateway[128] = "", name[64] = "";

    to[0] = '\0';
    while (route != NULL && fgets(line, sizeof line, route) != NULL) {
        sscanf(line, " gateway: %127s", gateway);
        sscanf(line, " interface: %63s", name);
    }
    if (route != NULL)
        pclose(route);
    if (strcmp(name, interface) == 0)
        append(to, size, gateway);
}

#else

void addresses_gateways(const char *interface, char *to, size_t size)
{
    FILE *routes = fopen("/proc/net/route", "r");
    char line[256], name[64], text[INET_ADDRSTRLEN];
    unsigned destination, gateway;

    to[0] = '\0';
    while (routes != NULL && fgets(line, sizeof line, routes) != NULL)
        if (sscanf(line, "%63s %x %x", name, &destination, &gateway) == 3 && destination == 0 &&
            strcmp(name, interface) == 0 &&
            inet_ntop(AF_INET, &gateway, text, sizeof text) != NULL)
            append(to, size, text);
    if (routes != NULL)
        fclose(routes);
}

#endif

void addresses_dns(char *to, size_t size)
{
    FILE *file = fopen("/etc/resolv.conf", "r");
    char line[256], server[128];

    to[0] = '\0';
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "nameserver %127s", server) == 1)
            append(to, size, server);
    if (file != NULL)
        fclose(file);
}

/* ---- Which interface? ---- */

static bool read_mac(const char *text, uint8_t mac[MAC_SIZE])
{
    unsigned digits = 0;

    memset(mac, 0, MAC_SIZE);
    for (; *text != '\0'; text++) {
        char c = (char)(*text | 0x20);
        unsigned value;

        if (*text == ':' || *text == '-')
            continue;
        if (c >= 'a' && c <= 'f')
            value = (unsigned)(c - 'a') + 10;
        else if (*text >= '0' && *text <= '9')
            value = (unsigned)(*text - '0');
        else
            return false;
        if (digits == 2 * MAC_SIZE)
            return false;
        mac[digits / 2] = (uint8_t)(mac[digits / 2] << 4 | value);
        digits++;
    }
    return digits == 2 * MAC_SIZE;
}

static const uint8_t *mac_of(const struct sockaddr *address)
{
#ifdef __APPLE__
    const struct sockaddr_dl *link = (const struct sockaddr_dl *)(const void *)address;

    return address->sa_family == AF_LINK && link->sdl_alen == MAC_SIZE
               ? (const uint8_t *)LLADDR(link)
               : NULL;
#else
    const struct sockaddr_ll *link = (const struct sockaddr_ll *)(const void *)address;

    return address->sa_family == AF_PACKET && link->sll_halen == MAC_SIZE ? link->sll_addr : NULL;
#endif
}

bool addresses_find(const char *mac, char *interface, size_t size)
{
    struct ifaddrs *all, *entry;
    uint8_t wanted[MAC_SIZE];
    bool found = false;

    if (!read_mac(mac, wanted) || getifaddrs(&all) != 0)
        return false;
    for (entry = all; entry != NULL && !found; entry = entry->ifa_next) {
        const uint8_t *bytes = entry->ifa_addr != NULL ? mac_of(entry->ifa_addr) : NULL;

        if (bytes != NULL && memcmp(bytes, wanted, MAC_SIZE) == 0) {
            snprintf(interface, size, "%s", entry->ifa_name);
            found = true;
        }
    }
    freeifaddrs(all);
    return found;
}
