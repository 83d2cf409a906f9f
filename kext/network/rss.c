/* SPDX-License-Identifier: BSD-3-Clause */
#include "kext/network/rss.h"

#include "kext/core/errors.h"

/* The key of Microsoft's verification suite, which spreads well and can be checked against it. */
static const uint8_t key[NDIS_RSS_KEY_BYTES] = {
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
    0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
    0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

void rss_query(struct ndis_rss_capabilities *query)
{
    *query = (struct ndis_rss_capabilities){
        .header = { NDIS_OBJECT_RSS_CAPABILITIES, 2, sizeof *query },
    };
}

int rss_parse_capabilities(const void *information, uint32_t length, uint32_t *channels)
{
    struct ndis_rss_capabilities host;

    *channels = 1;
    if (length < sizeof host)
        return HV_ERROR_MALFORMED;
    __builtin_memcpy(&host, information, sizeof host);
    if (host.header.type != NDIS_OBJECT_RSS_CAPABILITIES || host.header.size < sizeof host)
        return HV_ERROR_MALFORMED;
    if ((host.flags & NDIS_RSS_HASH_TOEPLITZ) == 0 ||
        host.indirection_entries < NDIS_RSS_TABLE_ENTRIES || host.receive_queues < 2)
        return 0;
    *channels = host.receive_queues < NVSP_CHANNELS_MAX ? host.receive_queues : NVSP_CHANNELS_MAX;
    return 0;
}

void rss_parameters(uint32_t channels, uint8_t message[RSS_MESSAGE_BYTES])
{
    const uint32_t table_bytes = NDIS_RSS_TABLE_ENTRIES * (uint32_t)sizeof(uint32_t);
    const struct ndis_rss_parameters parameters = {
        .header = { NDIS_OBJECT_RSS_PARAMETERS, 2, sizeof parameters },
        .hash = NDIS_RSS_HASH_TOEPLITZ | NDIS_RSS_IPV4 | NDIS_RSS_TCP_IPV4 | NDIS_RSS_IPV6 |
                NDIS_RSS_TCP_IPV6,
        .table_bytes = (uint16_t)table_bytes,
        .table_offset = sizeof parameters,
        .key_bytes = NDIS_RSS_KEY_BYTES,
        .key_offset = (uint32_t)sizeof parameters + table_bytes,
    };

    __builtin_memcpy(message, &parameters, sizeof parameters);
    for (uint32_t i = 0; i < NDIS_RSS_TABLE_ENTRIES; i++) {
        uint32_t channel = i % channels;

        __builtin_memcpy(message + sizeof parameters + i * sizeof channel, &channel,
                         sizeof channel);
    }
    __builtin_memcpy(message + sizeof parameters + table_bytes, key, sizeof key);
}
