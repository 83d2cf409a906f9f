/* SPDX-License-Identifier: BSD-3-Clause */
/* mbuf.c - allocation of mbufs and their fields (KPI bsd, sys/kpi_mbuf.h). Data lies in guest RAM.
 */
#include "xnu/bsd/mbuf_private.h"

#include "abi/constants/errno.h"
#include "xnu/bsd/kpi.h"
#include "xnu/bsd/mbuf_pool.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/panic.h"

static long mbufs;

long mbuf_count(void)
{
    return __atomic_load_n(&mbufs, __ATOMIC_RELAXED);
}

static struct mbuf_storage *storage_create(size_t size)
{
    struct mbuf_storage *storage = mbuf_pool_take_storage(size);

    if (storage)
        return storage;
    storage = machine_allocate(sizeof *storage, 0);
    if (!storage)
        return NULL;
    *storage = (struct mbuf_storage){ .references = 1, .size = size };
    storage->base = machine_allocate(size, size >= MBUF_CLUSTER_SIZE ? MBUF_CLUSTER_SIZE : 0);
    if (!storage->base) {
        machine_release(storage, sizeof *storage);
        return NULL;
    }
    return storage;
}

static void storage_release(struct mbuf_storage *storage)
{
    if (!storage || __atomic_sub_fetch(&storage->references, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    if (mbuf_pool_keep_storage(storage))
        return;
    if (storage->external_free)
        storage->external_free((char *)storage->base, (unsigned)storage->size,
                               storage->external_argument);
    else
        machine_release(storage->base, storage->size);
    machine_release(storage, sizeof *storage);
}

static void set_storage(mbuf_t mbuf, struct mbuf_storage *storage, bool external)
{
    storage_release(mbuf->storage);
    mbuf->storage = storage;
    mbuf->data = storage->base;
    if (external)
        mbuf->flags |= MBUF_EXT;
}

static mbuf_t create_empty(void)
{
    mbuf_t mbuf = mbuf_pool_take();

    if (mbuf)
        *mbuf = (struct __mbuf){ 0 };
    else
        mbuf = machine_allocate_zeroed(sizeof *mbuf, 0);
    return mbuf;
}

mbuf_t mbuf_create(mbuf_type_t type, bool packet_header, size_t size)
{
    mbuf_t mbuf = create_empty();

    if (!mbuf)
        return NULL;
    struct mbuf_storage *storage = storage_create(size);
    if (!storage) {
        machine_release(mbuf, sizeof *mbuf);
        return NULL;
    }
    mbuf->type = type;
    mbuf->flags = packet_header ? MBUF_PKTHDR : 0;
    set_storage(mbuf, storage, size >= MBUF_CLUSTER_SIZE);
    __atomic_fetch_add(&mbufs, 1, __ATOMIC_RELAXED);
    return mbuf;
}

mbuf_t mbuf_create_sharing(const mbuf_t with, bool packet_header, const uint8_t *data,
                           size_t length)
{
    mbuf_t mbuf = create_empty();

    if (!mbuf)
        return NULL;
    __atomic_fetch_add(&with->storage->references, 1, __ATOMIC_RELAXED);
    mbuf->type = with->type;
    mbuf->flags = (packet_header ? MBUF_PKTHDR : 0) | MBUF_EXT;
    mbuf->storage = with->storage;
    mbuf->data = (uint8_t *)(uintptr_t)data;
    mbuf->length = length;
    __atomic_fetch_add(&mbufs, 1, __ATOMIC_RELAXED);
    return mbuf;
}

static errno_t created(mbuf_t mbuf, mbuf_t *result)
{
    *result = mbuf;
    return mbuf ? 0 : ENOMEM;
}

KPI(errno_t, mbuf_get, (mbuf_how_t how, mbuf_type_t type, mbuf_t *mbuf))
{
    return created(mbuf_create(type, false, MBUF_PLAIN_SIZE), mbuf);
}

KPI(errno_t, mbuf_gethdr, (mbuf_how_t how, mbuf_type_t type, mbuf_t *mbuf))
{
    return created(mbuf_create(type, true, MBUF_HEADER_SIZE), mbuf);
}

KPI(errno_t, mbuf_getpacket, (mbuf_how_t how, mbuf_t *mbuf))
{
    return created(mbuf_create(MBUF_TYPE_DATA, true, MBUF_CLUSTER_SIZE), mbuf);
}

KPI(errno_t, mbuf_getcluster, (mbuf_how_t how, mbuf_type_t type, size_t size, mbuf_t *mbuf))
{
    bool made = false;

    if (size != MBUF_CLUSTER_SIZE && size != MBUF_BIG_CLUSTER_SIZE &&
        size != MBUF_JUMBO_CLUSTER_SIZE)
        return EINVAL;
    if (!*mbuf) {
        *mbuf = mbuf_create(type, false, MBUF_PLAIN_SIZE);
        made = true;
    }
    struct mbuf_storage *storage = *mbuf ? storage_create(size) : NULL;
    if (!storage) {
        if (made && *mbuf) {
            mbuf_free(*mbuf);
            *mbuf = NULL;
        }
        return ENOMEM;
    }
    set_storage(*mbuf, storage, true);
    return 0;
}

KPI(errno_t, mbuf_mclget, (mbuf_how_t how, mbuf_type_t type, mbuf_t *mbuf))
{
    return mbuf_getcluster(how, type, MBUF_CLUSTER_SIZE, mbuf);
}

KPI(errno_t, mbuf_attachcluster, (mbuf_how_t how, mbuf_type_t type, mbuf_t *mbuf, char *base,
                                  void (*external_free)(char *, unsigned, char *), size_t size,
                                  char *argument))
{
    if (!base || !external_free || size == 0)
        return EINVAL;
    if (!*mbuf)
        *mbuf = mbuf_create(type, false, MBUF_PLAIN_SIZE);
    struct mbuf_storage *storage = *mbuf ? machine_allocate(sizeof *storage, 0) : NULL;
    if (!storage)
        return ENOMEM;
    *storage = (struct mbuf_storage){ 1, size, (uint8_t *)base, external_free, argument, NULL };
    set_storage(*mbuf, storage, true);
    return 0;
}

static size_t chunk_size(size_t left)
{
    if (left <= MBUF_HEADER_SIZE)
        return MBUF_HEADER_SIZE;
    if (left <= MBUF_CLUSTER_SIZE)
        return MBUF_CLUSTER_SIZE;
    return left <= MBUF_BIG_CLUSTER_SIZE ? MBUF_BIG_CLUSTER_SIZE : MBUF_JUMBO_CLUSTER_SIZE;
}

/* Room for a packet of `length` bytes; the parts' lengths are set so that they add up to it. */
KPI(errno_t, mbuf_allocpacket, (mbuf_how_t how, size_t length, unsigned *chunks, mbuf_t *mbuf))
{
    unsigned limit = chunks && *chunks != 0 ? *chunks : UINT32_MAX;
    unsigned count = 0;
    mbuf_t first = NULL, *link = &first;
    size_t left = length;

    do {
        size_t size = chunk_size(left);
        if (count == limit)
            size = 0;
        mbuf_t part = size == 0 ? NULL : mbuf_create(MBUF_TYPE_DATA, count == 0, size);
        if (!part) {
            mbuf_freem(first);
            return count == limit ? ENOBUFS : ENOMEM;
        }
        part->length = left < size ? left : size;
        left -= part->length;
        *link = part;
        link = &part->next;
        count++;
    } while (left != 0);
    first->packet_length = length;
    if (chunks)
        *chunks = count;
    *mbuf = first;
    return 0;
}

KPI(errno_t, mbuf_allocpacket_list, (unsigned packets, mbuf_how_t how, size_t length,
                                     unsigned *chunks, mbuf_t *mbuf))
{
    mbuf_t first = NULL, *link = &first;
    unsigned limit = chunks ? *chunks : 0;

    for (unsigned i = 0; i < packets; i++) {
        unsigned used = limit;
        errno_t error = mbuf_allocpacket(how, length, &used, link);
        if (error) {
            mbuf_freem_list(first);
            return error;
        }
        link = &(*link)->next_packet;
        if (chunks)
            *chunks = used;
    }
    *mbuf = first;
    return 0;
}

/* ---- release -------------------------------------------------------------------------------- */

KPI(mbuf_t, mbuf_free, (mbuf_t mbuf))
{
    mbuf_t next = mbuf->next;

    if (mbuf->type == MBUF_TYPE_FREE)
        machine_panic("mbuf_free: mbuf %p has been freed already", (void *)mbuf);
    while (mbuf->tags) {
        struct mbuf_tag *tag = mbuf->tags;
        mbuf->tags = tag->next;
        machine_release(tag, sizeof *tag + tag->length);
    }
    storage_release(mbuf->storage);
    mbuf->type = MBUF_TYPE_FREE;
    if (!mbuf_pool_keep(mbuf))
        machine_release(mbuf, sizeof *mbuf);
    __atomic_fetch_sub(&mbufs, 1, __ATOMIC_RELAXED);
    return next;
}

KPI(void, mbuf_freem, (mbuf_t mbuf))
{
    while (mbuf)
        mbuf = mbuf_free(mbuf);
}

KPI(int, mbuf_freem_list, (mbuf_t mbuf))
{
    int packets = 0;

    while (mbuf) {
        mbuf_t next = mbuf->next_packet;
        mbuf_freem(mbuf);
        mbuf = next;
        packets++;
    }
    return packets;
}

/* ---- fields --------------------------------------------------------------------------------- */

KPI(void *, mbuf_data, (const mbuf_t mbuf)) { return mbuf->data; }
KPI(void *, mbuf_datastart, (const mbuf_t mbuf)) { return mbuf->storage->base; }
KPI(size_t, mbuf_len, (const mbuf_t mbuf)) { return mbuf->length; }
KPI(void, mbuf_setlen, (mbuf_t mbuf, size_t length)) { mbuf->length = length; }
KPI(size_t, mbuf_maxlen, (const mbuf_t mbuf)) { return mbuf->storage->size; }
KPI(mbuf_t, mbuf_next, (const mbuf_t mbuf)) { return mbuf->next; }
KPI(mbuf_t, mbuf_nextpkt, (const mbuf_t mbuf)) { return mbuf->next_packet; }
KPI(void, mbuf_setnextpkt, (mbuf_t mbuf, mbuf_t next)) { mbuf->next_packet = next; }
KPI(mbuf_type_t, mbuf_type, (const mbuf_t mbuf)) { return mbuf->type; }
KPI(mbuf_flags_t, mbuf_flags, (const mbuf_t mbuf)) { return mbuf->flags; }
KPI(size_t, mbuf_pkthdr_len, (const mbuf_t mbuf)) { return mbuf->packet_length; }
KPI(void, mbuf_pkthdr_setlen, (mbuf_t mbuf, size_t length)) { mbuf->packet_length = length; }
KPI(ifnet_t, mbuf_pkthdr_rcvif, (const mbuf_t mbuf)) { return mbuf->receive_interface; }
KPI(void *, mbuf_pkthdr_header, (const mbuf_t mbuf)) { return mbuf->header; }
KPI(void, mbuf_pkthdr_setheader, (mbuf_t mbuf, void *header)) { mbuf->header = header; }
KPI(uint32_t, mbuf_get_mlen, (void)) { return MBUF_PLAIN_SIZE; }
KPI(uint32_t, mbuf_get_mhlen, (void)) { return MBUF_HEADER_SIZE; }
KPI(uint32_t, mbuf_get_minclsize, (void)) { return MBUF_PLAIN_SIZE + MBUF_HEADER_SIZE; }

KPI(errno_t, mbuf_setnext, (mbuf_t mbuf, mbuf_t next))
{
    if (next && next->type == MBUF_TYPE_FREE)
        return EINVAL;
    mbuf->next = next;
    return 0;
}

size_t mbuf_room_before(const mbuf_t mbuf)
{
    return (size_t)(mbuf->data - mbuf->storage->base);
}

size_t mbuf_room_behind(const mbuf_t mbuf)
{
    return mbuf->storage->size - mbuf_room_before(mbuf) - mbuf->length;
}

KPI(errno_t, mbuf_setdata, (mbuf_t mbuf, void *data, size_t length))
{
    uint8_t *start = data;
    uint8_t *end = mbuf->storage->base + mbuf->storage->size;

    if (start < mbuf->storage->base || start > end || length > (size_t)(end - start))
        return EINVAL;
    mbuf->data = start;
    mbuf->length = length;
    return 0;
}

KPI(errno_t, mbuf_align_32, (mbuf_t mbuf, size_t length))
{
    if (length > mbuf->storage->size)
        return ENOTSUP;
    mbuf->data = mbuf->storage->base + ((mbuf->storage->size - length) & ~(size_t)3);
    return 0;
}

KPI(addr64_t, mbuf_data_to_physical, (void *data))
{
    uint64_t physical = machine_physical_address(data);

    return physical == MACHINE_NO_ADDRESS ? 0 : physical;
}

static bool storage_is_shared(const mbuf_t mbuf)
{
    return __atomic_load_n(&mbuf->storage->references, __ATOMIC_ACQUIRE) > 1;
}

KPI(int, mbuf_mclhasreference, (mbuf_t mbuf))
{
    return (mbuf->flags & MBUF_EXT) && storage_is_shared(mbuf);
}

KPI(size_t, mbuf_leadingspace, (const mbuf_t mbuf))
{
    return storage_is_shared(mbuf) ? 0 : mbuf_room_before(mbuf);
}

KPI(size_t, mbuf_trailingspace, (const mbuf_t mbuf))
{
    return storage_is_shared(mbuf) ? 0 : mbuf_room_behind(mbuf);
}

KPI(errno_t, mbuf_settype, (mbuf_t mbuf, mbuf_type_t type))
{
    if (type == MBUF_TYPE_FREE)
        return EINVAL;
    mbuf->type = type;
    return 0;
}

/* Only these flags are the callers' to change. */
static const mbuf_flags_t settable_flags = MBUF_EOR | MBUF_LOOP | MBUF_BCAST | MBUF_MCAST |
                                           MBUF_FRAG | MBUF_FIRSTFRAG | MBUF_LASTFRAG |
                                           MBUF_PROMISC | MBUF_HASFCS | MBUF_PKTHDR;

KPI(errno_t, mbuf_setflags_mask, (mbuf_t mbuf, mbuf_flags_t flags, mbuf_flags_t mask))
{
    if ((mask | flags) & ~(settable_flags | MBUF_EXT))
        return EINVAL;
    mask &= settable_flags;
    mbuf->flags = (mbuf->flags & ~mask) | (flags & mask);
    return 0;
}

KPI(errno_t, mbuf_setflags, (mbuf_t mbuf, mbuf_flags_t flags))
{
    return mbuf_setflags_mask(mbuf, flags, settable_flags);
}

KPI(void, mbuf_pkthdr_adjustlen, (mbuf_t mbuf, int amount))
{
    mbuf->packet_length += (size_t)(long)amount;
}

KPI(errno_t, mbuf_pkthdr_setrcvif, (mbuf_t mbuf, ifnet_t interface))
{
    mbuf->receive_interface = interface;
    return 0;
}

void mbuf_copy_header_fields(mbuf_t to, const mbuf_t from)
{
    to->packet_length = from->packet_length;
    to->receive_interface = from->receive_interface;
    to->header = NULL;
    to->checksum_requested = from->checksum_requested;
    to->checksum_start = from->checksum_start;
    to->checksum_performed = from->checksum_performed;
    to->checksum_value = from->checksum_value;
    to->tso_requested = from->tso_requested;
    to->tso_segment_size = from->tso_segment_size;
    to->vlan_tag = from->vlan_tag;
    to->vlan_valid = from->vlan_valid;
    to->traffic_class = from->traffic_class;
    to->flags |= MBUF_PKTHDR | (from->flags & (settable_flags & ~MBUF_EOR));
}

KPI(errno_t, mbuf_copy_pkthdr, (mbuf_t to, const mbuf_t from))
{
    if (!(from->flags & MBUF_PKTHDR))
        return EINVAL;
    mbuf_copy_header_fields(to, from);
    return 0;
}
