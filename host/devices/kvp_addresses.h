/* SPDX-License-Identifier: BSD-3-Clause */
/* Address blocks of data exchange: text up to version 4.0, binary from 5.0 on. */
#ifndef HOST_DEVICES_KVP_ADDRESSES_H
#define HOST_DEVICES_KVP_ADDRESSES_H

#include "host/devices/kvp.h"
#include "protocol/integration.h"

union kvp_address_block {
    struct ic_kvp_ip text;
    struct ic_kvp_ip_binary binary;
};

/* Makes the body of IC_KVP_GET_IP (`addresses` NULL) or IC_KVP_SET_IP; returns its bytes. What is
 * no address, or one too many, is left out of a binary block. */
size_t kvp_block_make(union kvp_address_block *block, uint32_t message_version, uint8_t operation,
                      const char *adapter, const struct kvp_addresses *addresses);

/* Reads a guest's answer. False: it is too short, or counts more addresses than there can be. */
bool kvp_block_read(const void *body, size_t size, uint32_t message_version,
                    struct kvp_addresses *addresses);

#endif
