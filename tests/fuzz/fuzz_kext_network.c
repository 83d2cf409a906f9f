/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of any content to the network driver's engines: NVSP replies, RNDIS control messages,
 * frames. The first byte says which. */
#include <stdlib.h>
#include <string.h>

#include "kext/network/nvs.h"
#include "kext/network/rndis.h"
#include "kext/network/rss.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static uint8_t consumed;

/* Reads all that was accepted: what lies outside the message shows. */
static void consume(const uint8_t *at, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        consumed ^= at[i];
}

static void nvsp(uint8_t what, const uint8_t *message, uint32_t size)
{
    struct nvs nvs;
    struct nvsp_message next;
    uint8_t table[NVSP_INDIRECTION_ENTRIES];
    uint32_t type, granted;
    bool again;

    nvs_begin(&nvs, &next);
    nvs_version_reply(&nvs, message, size, &next, &again);
    nvs.version = what & 0x40 ? NVSP_VERSION_6_1 : NVSP_VERSION_6;
    if (nvs_receive_buffer_reply(&nvs, message, size, 16 << 20) == 0 &&
        (nvs.unit_size == 0 || nvs.receive_bytes > 16 << 20 || nvs.receive_bytes < nvs.unit_size))
        abort();
    if (nvs_send_buffer_reply(&nvs, message, size, 4 << 20) == 0 &&
        (uint64_t)nvs.section_size * nvs.section_count > 4 << 20)
        abort();
    if (nvs_sub_channel_reply(&nvs, message, size, 7, &granted) == 0 && granted > 7)
        abort();
    nvs_receive_header(&nvs.counters, message, size, &type);
    nvs_send_succeeded(&nvs.counters, message, size);
    if (nvs_indirection_table(&nvs, message, size, 3, table) == 0)
        for (uint32_t i = 0; i < NVSP_INDIRECTION_ENTRIES; i++)
            if (table[i] >= 3)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct rndis_control control;
    struct rndis_receive receive;
    struct rndis_offload offload;
    uint32_t channels;
    uint8_t *message;

    if (size < 1 || size > 4096)
        return 0;
    message = malloc(size); /* exactly as large as it says */
    if (message == NULL)
        return 0;
    memcpy(message, bytes + 1, size - 1);
    if ((bytes[0] & 3) == 0) {
        nvsp(bytes[0], message, (uint32_t)size - 1);
    } else if ((bytes[0] & 3) == 1) {
        if (rndis_parse_control(message, (uint32_t)size - 1, &control) == 0 && control.length != 0)
            consume(control.data, control.length);
    } else if ((bytes[0] & 3) == 2) {
        if (rndis_parse_packet(message, (uint32_t)size - 1, &receive) == 0)
            consume(message + receive.offset, receive.length);
    } else {
        rndis_parse_offload(message, (uint32_t)size - 1, true, &offload);
        if (rss_parse_capabilities(message, (uint32_t)size - 1, &channels) == 0 &&
            (channels < 1 || channels > NVSP_CHANNELS_MAX))
            abort();
    }
    free(message);
    return 0;
}
