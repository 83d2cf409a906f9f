/* SPDX-License-Identifier: BSD-3-Clause */
/* Receive side scaling. Source: Microsoft, "RSS hashing functions". */
#include <string.h>

#include "host/devices/netvsc_internal.h"

enum { HASH_INPUT_MAX = 36 };

uint32_t netvsc_toeplitz(const uint8_t key[NDIS_RSS_KEY_BYTES], const uint8_t *input, size_t size)
{
    uint32_t hash = 0;
    uint32_t window = (uint32_t)key[0] << 24 | (uint32_t)key[1] << 16 | (uint32_t)key[2] << 8 |
                      key[3];
    for (size_t i = 0; i < size; i++) {
        for (int bit = 7; bit >= 0; bit--) {
            if (input[i] >> bit & 1) {
                hash ^= window;
            }
            window = window << 1 | (i + 4 < NDIS_RSS_KEY_BYTES ? key[i + 4] >> bit & 1u : 0u);
        }
    }
    return hash;
}

/* Addresses, and ports if they count. Returns the bytes, 0 when the frame has no hash. */
static size_t hash_input(uint32_t wanted, const uint8_t *bytes, const struct frame_layout *layout,
                         uint8_t *input, uint32_t *type)
{
    size_t size = layout->ipv4 ? 8 : 32;
    uint32_t with_ports = layout->ipv4 ? NDIS_RSS_TCP_IPV4 : NDIS_RSS_TCP_IPV6;
    uint32_t without = layout->ipv4 ? NDIS_RSS_IPV4 : NDIS_RSS_IPV6;
    if (!layout->ipv4 && !layout->ipv6) {
        return 0;
    }
    memcpy(input, bytes + layout->network + (layout->ipv4 ? 12 : 8), size);
    if (layout->kind == FRAME_TCP && (wanted & with_ports) != 0) {
        memcpy(input + size, bytes + layout->transport, 4);
        *type = with_ports;
        return size + 4;
    }
    *type = without;
    return (wanted & without) != 0 ? size : 0;
}

uint16_t netvsc_queue_of(const struct netvsc_control *control, const uint8_t *bytes, size_t size,
                         uint32_t *hash, uint32_t *type)
{
    uint8_t input[HASH_INPUT_MAX];
    struct frame_layout layout;
    *hash = *type = 0;
    if (!control->rss || control->table_entries == 0) {
        return 0;
    }
    frame_parse(bytes, size, &layout);
    size_t length = hash_input(control->hash, bytes, &layout, input, type);
    if (length == 0) {
        *type = 0;
        return 0;
    }
    *hash = netvsc_toeplitz(control->key, input, length);
    *type |= NDIS_RSS_HASH_TOEPLITZ;
    return control->table[*hash % control->table_entries];
}
