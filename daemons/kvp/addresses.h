/* SPDX-License-Identifier: BSD-3-Clause */
/* Network addresses of the guest, as text. */
#ifndef DAEMONS_KVP_ADDRESSES_H
#define DAEMONS_KVP_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>

/* Addresses of one family, separated by ";", of every interface but the loopback (`interface`
 * NULL) or
 * of one. What does not fit is left out, address by address. */
void addresses_list(bool ipv6, const char *interface, char *to, size_t size);

/* The same for their subnet masks, or for IPv6 the lengths of their prefixes. */
void addresses_subnets(bool ipv6, const char *interface, char *to, size_t size);

/* Gateway of the default route, if it leaves through the interface; name servers of the system. */
void addresses_gateways(const char *interface, char *to, size_t size);
void addresses_dns(char *to, size_t size);

/* The interface with this MAC address ("00:15:5D:...", "00-15-5d-..." or without separators).
 * False:
 * there is none. */
bool addresses_find(const char *mac, char *interface, size_t size);

#endif
