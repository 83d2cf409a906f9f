/* SPDX-License-Identifier: BSD-3-Clause */
/* NVSP, guest side: agreement on a version, the two buffers, checks of what the host answers.
 *
 * No I/O Kit, locks, clock or allocation. Each nvs_..._message fills a message, which is always
 * sent with all its NVSP_MESSAGE_SIZE bytes; each nvs_..._reply takes a private copy of the
 * completion's payload, any content. Errors are those of kext/core/errors.h. Sources: Linux
 * drivers/net/hyperv/netvsc.c, FreeBSD hn_nvs.c, OpenVMM netvsp. */
#ifndef KEXT_NETWORK_NVS_H
#define KEXT_NETWORK_NVS_H

#include "protocol/netvsc.h"

/* Counters of what was dropped or refused; each grows by one at a time. */
struct nvs_counters {
    uint32_t short_packets;      /* fewer bytes than the part that is read */
    uint32_t unexpected_packets; /* a reply nobody waits for, an unknown type */
    uint32_t versions_refused;
};

struct nvs {
    uint32_t version;        /* agreed, 0 before */
    uint8_t ladder;          /* index of the version under negotiation */
    uint32_t unit_size;      /* of the receive buffer: what one RNDIS message may have */
    uint32_t receive_bytes;  /* of the receive buffer that the host uses */
    uint32_t section_size;   /* of the send buffer */
    uint32_t section_count;
    struct nvs_counters counters;
};

enum {
    NVS_SECTION_SIZE_MIN = 2048, /* a host with smaller sections is refused */
    NVS_UNIT_SIZE_MIN = 1514 + 44,
};

/* Begins with the newest version. */
void nvs_begin(struct nvs *nvs, struct nvsp_message *message);

/* The answer to a version. 0: agreed; HV_ERROR_REFUSED with `again` true: `message` has the next
 * older one, with `again` false: there is none left; HV_ERROR_MALFORMED. */
int nvs_version_reply(struct nvs *nvs, const void *reply, uint32_t size,
                      struct nvsp_message *message, bool *again);

/* NDIS configuration; false if the version has none, and nothing is to be sent. `mtu` counts the
 * Ethernet header. */
bool nvs_configuration_message(const struct nvs *nvs, uint32_t mtu, struct nvsp_message *message);
void nvs_ndis_version_message(const struct nvs *nvs, struct nvsp_message *message);

/* Bytes that the buffers may have at most. */
uint32_t nvs_receive_buffer_maximum(const struct nvs *nvs);

void nvs_receive_buffer_message(uint32_t gpadl_id, struct nvsp_message *message);
/* 0, HV_ERROR_REFUSED, HV_ERROR_MALFORMED (short, or units that do not lie inside `buffer_size`
 * bytes). */
int nvs_receive_buffer_reply(struct nvs *nvs, const void *reply, uint32_t size,
                             uint32_t buffer_size);

void nvs_send_buffer_message(uint32_t gpadl_id, struct nvsp_message *message);
int nvs_send_buffer_reply(struct nvs *nvs, const void *reply, uint32_t size, uint32_t buffer_size);

enum nvs_buffer { NVS_RECEIVE_BUFFER, NVS_SEND_BUFFER };
void nvs_revoke_message(enum nvs_buffer which, struct nvsp_message *message);

/* A message that carries RNDIS: in section `section` (`bytes` of it), or NVSP_NO_SECTION with 0. */
void nvs_rndis_message(uint32_t channel_type, uint32_t section, uint32_t bytes,
                       struct nvsp_message *message);
void nvs_acknowledgement(struct nvsp_message *message);

/* The payload of a transfer-page packet: 0 and its channel type, or HV_ERROR_MALFORMED. Counted by
 * the channel that it came on, as what follows. */
int nvs_receive_header(struct nvs_counters *counters, const void *payload, uint32_t size,
                       uint32_t *channel_type);

/* The completion of an RNDIS message: true if the host took it. Counted if it is no such
 * completion. */
bool nvs_send_succeeded(struct nvs_counters *counters, const void *payload, uint32_t size);

/* Sub-channels are asked for, version 5 on; `count` of them. */
void nvs_sub_channel_message(uint32_t count, struct nvsp_message *message);
/* 0 with how many there will be, at most as many as were asked for; HV_ERROR_REFUSED,
 * HV_ERROR_MALFORMED. */
int nvs_sub_channel_reply(struct nvs *nvs, const void *reply, uint32_t size, uint32_t asked,
                          uint32_t *granted);

/* The table that the host sends by itself (message 134): 0 and 16 channel numbers,
 * HV_ERROR_UNEXPECTED for another message (counted unless it is one that may be ignored),
 * HV_ERROR_MALFORMED. `channels` is how many there are; entries beyond are taken modulo that. */
int nvs_indirection_table(struct nvs *nvs, const void *payload, uint32_t size, uint32_t channels,
                          uint8_t table[NVSP_INDIRECTION_ENTRIES]);

#endif
