/* SPDX-License-Identifier: BSD-3-Clause */
/* mbuf_private.h - what lies behind an mbuf_t. Kexts know the accessors only (KPI bsd,
 * sys/kpi_mbuf.h), so the layout is ours. */
#ifndef XNU_BSD_MBUF_PRIVATE_H
#define XNU_BSD_MBUF_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/kpi/mbuf.h"

typedef uint32_t mbuf_tag_id_t;
typedef uint16_t mbuf_tag_type_t;
typedef uint32_t mbuf_traffic_class_t;

enum {
    MBUF_PLAIN_SIZE = 224,       /* data bytes of an mbuf without a cluster (MLEN) */
    MBUF_HEADER_SIZE = 176,      /* the same with a packet header (MHLEN) */
    MBUF_CLUSTER_SIZE = 2048,
    MBUF_BIG_CLUSTER_SIZE = 4096,
    MBUF_JUMBO_CLUSTER_SIZE = 16384,
};

/* Data memory, shared by all mbufs that were made of it by mbuf_copym and the like. */
struct mbuf_storage {
    uint32_t references;
    size_t size;
    uint8_t *base;
    void (*external_free)(char *base, unsigned size, char *argument);   /* NULL: ours */
    char *external_argument;
    struct mbuf_storage *next_free;  /* in the pool (mbuf_pool.h) */
};

struct mbuf_tag {
    struct mbuf_tag *next;
    mbuf_tag_id_t module;
    mbuf_tag_type_t type;
    size_t length;
    uint64_t data[];
};

struct __mbuf {
    struct __mbuf *next;         /* next part of the same packet */
    struct __mbuf *next_packet;
    uint8_t *data;
    size_t length;
    struct mbuf_storage *storage;
    mbuf_type_t type;
    mbuf_flags_t flags;
    /* With MBUF_PKTHDR: */
    size_t packet_length;
    ifnet_t receive_interface;
    void *header;
    struct mbuf_tag *tags;
    uint32_t checksum_requested, checksum_start;
    uint32_t checksum_performed, checksum_value;
    uint32_t tso_requested, tso_segment_size;
    uint16_t vlan_tag;
    bool vlan_valid;
    mbuf_traffic_class_t traffic_class;
};

/* An mbuf with room for `size` bytes; NULL when there is no memory. */
mbuf_t mbuf_create(mbuf_type_t type, bool packet_header, size_t size);

/* An mbuf for these bytes of another one, which it shares the memory with. */
mbuf_t mbuf_create_sharing(const mbuf_t with, bool packet_header, const uint8_t *data,
                           size_t length);

/* The packet header of `from`, tags not included. */
void mbuf_copy_header_fields(mbuf_t to, const mbuf_t from);

/* Bytes before and behind the data within the storage. */
size_t mbuf_room_before(const mbuf_t mbuf);
size_t mbuf_room_behind(const mbuf_t mbuf);

errno_t mbuf_attachcluster(mbuf_how_t how, mbuf_type_t type, mbuf_t *mbuf, char *base,
                           void (*external_free)(char *, unsigned, char *), size_t size,
                           char *argument) __asm("_mbuf_attachcluster");
errno_t mbuf_align_32(mbuf_t mbuf, size_t length) __asm("_mbuf_align_32");

/* Number of mbufs that exist, for leak tests. */
long mbuf_count(void);

/* Bytes that were copied into and out of mbufs since the start, by drivers and by ourselves. */
uint64_t mbuf_copied_bytes(void);

#endif
