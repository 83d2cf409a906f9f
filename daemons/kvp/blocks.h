/* SPDX-License-Identifier: BSD-3-Clause */
/* Address blocks as the host sends them: lists of text up to version 4.0 of data exchange, arrays
 * of binary addresses from 5.0 on. The service passes each with exactly its own length. */
#ifndef DAEMONS_KVP_BLOCKS_H
#define DAEMONS_KVP_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lists separated by ";", IPv4 before IPv6. Prefixes of IPv6 are "/64" among the subnets. */
struct address_lists {
    char adapter[128 * 3], addresses[3072], subnets[3072], gateways[1536], dns[3072];
    bool dhcp;
};

/* Body of IC_KVP_GET_IP or IC_KVP_SET_IP. False: `size` is that of neither form. Counts beyond
 * their arrays are clamped; what does not fit a list is left out. */
bool block_read(const void *body, uint32_t size, struct address_lists *lists);

/* Fills all of the body but its adapter. What is no address, or has no room, is left out. */
void block_write(void *body, uint32_t size, const struct address_lists *lists);

/* Adds an element to a list of `size` bytes, if there is room. */
void list_append(char *list, size_t size, const char *element);

#endif
