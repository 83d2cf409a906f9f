/* SPDX-License-Identifier: BSD-3-Clause */
/* mbuf_chain.c - operations on the data of whole packets: copy, cut, split, join. */
#include "xnu/bsd/mbuf_private.h"

#include "abi/constants/errno.h"
#include "xnu/bsd/kpi.h"

static uint64_t copied_bytes;

uint64_t mbuf_copied_bytes(void)
{
    return __atomic_load_n(&copied_bytes, __ATOMIC_RELAXED);
}

static void count_copied(size_t length)
{
    __atomic_fetch_add(&copied_bytes, length, __ATOMIC_RELAXED);
}

static size_t chain_length(mbuf_t mbuf)
{
    size_t length = 0;

    for (; mbuf; mbuf = mbuf->next)
        length += mbuf->length;
    return length;
}

static size_t smaller(size_t left, size_t right)
{
    return left < right ? left : right;
}

KPI(errno_t, mbuf_copydata, (const mbuf_t first, size_t offset, size_t length, void *to))
{
    uint8_t *out = to;
    mbuf_t mbuf = first;

    count_copied(length);
    for (; mbuf && offset >= mbuf->length && length != 0; mbuf = mbuf->next)
        offset -= mbuf->length;
    for (; length != 0; mbuf = mbuf->next, offset = 0) {
        if (!mbuf)
            return EINVAL;
        size_t part = smaller(length, mbuf->length - offset);
        __builtin_memcpy(out, mbuf->data + offset, part);
        out += part;
        length -= part;
    }
    return 0;
}

/* The part at which `*offset` lies, extending the chain with zeroes when it is too short. */
static mbuf_t reach(mbuf_t mbuf, size_t *offset)
{
    while (*offset >= mbuf->length) {
        if (!mbuf->next) {
            size_t room = mbuf_room_behind(mbuf);
            size_t wanted = *offset + 1 - mbuf->length;
            size_t grow = smaller(room, wanted);
            __builtin_memset(mbuf->data + mbuf->length, 0, grow);
            mbuf->length += grow;
            if (grow == wanted)
                break;
            mbuf->next = mbuf_create(mbuf->type, false, MBUF_CLUSTER_SIZE);
            if (!mbuf->next)
                return NULL;
        }
        *offset -= mbuf->length;
        mbuf = mbuf->next;
    }
    return mbuf;
}

KPI(errno_t, mbuf_copyback, (mbuf_t first, size_t offset, size_t length, const void *from,
                             mbuf_how_t how))
{
    const uint8_t *in = from;
    mbuf_t mbuf = first;
    errno_t error = 0;

    count_copied(length);
    while (length != 0) {
        mbuf = reach(mbuf, &offset);
        if (!mbuf) {
            error = ENOBUFS;
            break;
        }
        /* At the end of the chain all the room behind may be used at once. */
        size_t available = mbuf->length - offset;
        if (!mbuf->next && length > available)
            available += smaller(length - available, mbuf_room_behind(mbuf));
        size_t part = smaller(length, available);
        __builtin_memcpy(mbuf->data + offset, in, part);
        if (offset + part > mbuf->length)
            mbuf->length = offset + part;
        in += part;
        length -= part;
        offset += part;
    }
    if ((first->flags & MBUF_PKTHDR) && chain_length(first) > first->packet_length)
        first->packet_length = chain_length(first);
    return error;
}

/* Cuts `amount` bytes from the front, or with a negative number from the end. */
KPI(void, mbuf_adj, (mbuf_t first, int amount))
{
    size_t total = chain_length(first);
    size_t cut = smaller(amount < 0 ? (size_t)-(long)amount : (size_t)amount, total);
    size_t keep = total - cut;

    if (amount >= 0) {
        size_t left = cut;
        for (mbuf_t m = first; m && left != 0; m = m->next) {
            size_t part = smaller(left, m->length);
            m->data += part;
            m->length -= part;
            left -= part;
        }
    } else {
        size_t left = keep;
        for (mbuf_t m = first; m; m = m->next) {
            m->length = smaller(left, m->length);
            left -= m->length;
        }
    }
    if (first->flags & MBUF_PKTHDR)
        first->packet_length -= smaller(cut, first->packet_length);
}

KPI(errno_t, mbuf_adjustlen, (mbuf_t mbuf, int amount))
{
    if (amount > 0 && (size_t)amount > mbuf_room_behind(mbuf))
        return EINVAL;
    if (amount < 0 && (size_t)-(long)amount > mbuf->length)
        return EINVAL;
    mbuf->length += (size_t)(long)amount;
    return 0;
}

KPI(mbuf_t, mbuf_concatenate, (mbuf_t to, mbuf_t from))
{
    mbuf_t last = to;

    if (!to)
        return NULL;
    while (last->next)
        last = last->next;
    last->next = from;
    return to;
}

/* Copies `length` bytes (or all that is left) from `offset` into a new chain. */
static errno_t copy_range(const mbuf_t from, size_t offset, size_t length, mbuf_t *result)
{
    size_t total = chain_length(from);
    unsigned chunks = 0;
    mbuf_t copy;

    if (offset > total || (length != MBUF_COPYALL && length > total - offset))
        return EINVAL;
    if (length == MBUF_COPYALL)
        length = total - offset;
    errno_t error = mbuf_allocpacket(MBUF_WAITOK, length, &chunks, &copy);
    if (error)
        return error;
    for (mbuf_t m = copy; m; offset += m->length, m = m->next)
        mbuf_copydata(from, offset, m->length, m->data);
    if (from->flags & MBUF_PKTHDR)
        mbuf_copy_header_fields(copy, from);
    copy->packet_length = length;
    *result = copy;
    return 0;
}

/* One mbuf for bytes of another: a cluster is shared, what lies in an mbuf itself is copied. */
static mbuf_t copy_part(const mbuf_t from, bool packet_header, size_t offset, size_t length)
{
    if (from->flags & MBUF_EXT)
        return mbuf_create_sharing(from, packet_header, from->data + offset, length);
    mbuf_t copy = mbuf_create(from->type, packet_header, length);
    if (copy) {
        __builtin_memcpy(copy->data, from->data + offset, length);
        count_copied(length);
        copy->length = length;
    }
    return copy;
}

/* As copy_range, but clusters are shared, so the copy is to be read only. */
KPI(errno_t, mbuf_copym, (const mbuf_t from, size_t offset, size_t length, mbuf_how_t how,
                          mbuf_t *copy))
{
    size_t total = chain_length(from);
    mbuf_t first = NULL, *link = &first, part = from;

    if (offset > total || (length != MBUF_COPYALL && length > total - offset))
        return EINVAL;
    if (length == 0 || offset == total)
        return copy_range(from, offset, 0, copy);
    size_t left = length == MBUF_COPYALL ? total - offset : length;
    size_t copied = left;
    for (; offset >= part->length; part = part->next)
        offset -= part->length;
    for (; left != 0; part = part->next, offset = 0) {
        size_t here = smaller(left, part->length - offset);
        if (here == 0)
            continue;
        *link = copy_part(part, first == NULL, offset, here);
        if (!*link) {
            mbuf_freem(first);
            return ENOMEM;
        }
        link = &(*link)->next;
        left -= here;
    }
    if (from->flags & MBUF_PKTHDR)
        mbuf_copy_header_fields(first, from);
    first->packet_length = copied;
    *copy = first;
    return 0;
}

KPI(errno_t, mbuf_dup, (const mbuf_t from, mbuf_how_t how, mbuf_t *copy))
{
    return copy_range(from, 0, MBUF_COPYALL, copy);
}

KPI(errno_t, mbuf_prepend, (mbuf_t *first, size_t length, mbuf_how_t how))
{
    mbuf_t mbuf = *first;

    if (mbuf_leadingspace(mbuf) >= length) {
        mbuf->data -= length;
        mbuf->length += length;
    } else {
        mbuf_t front = length > MBUF_JUMBO_CLUSTER_SIZE ? NULL
                           : mbuf_create(mbuf->type, false, length > MBUF_PLAIN_SIZE
                                                                ? MBUF_JUMBO_CLUSTER_SIZE
                                                                : MBUF_PLAIN_SIZE);
        if (!front) {
            mbuf_freem(mbuf);
            *first = NULL;
            return ENOMEM;
        }
        mbuf_align_32(front, length);
        front->length = length;
        front->next = mbuf;
        if (mbuf->flags & MBUF_PKTHDR) {
            mbuf_copy_header_fields(front, mbuf);
            front->tags = mbuf->tags;
            mbuf->tags = NULL;
            mbuf->flags &= ~(mbuf_flags_t)MBUF_PKTHDR;
        }
        *first = mbuf = front;
    }
    if (mbuf->flags & MBUF_PKTHDR)
        mbuf->packet_length += length;
    return 0;
}

KPI(errno_t, mbuf_split, (mbuf_t from, size_t offset, mbuf_how_t how, mbuf_t *rest))
{
    size_t total = chain_length(from);
    errno_t error = copy_range(from, offset, MBUF_COPYALL, rest);

    if (error)
        return error;
    mbuf_adj(from, -(int)(total - offset));
    return 0;
}

/* Makes the first `length` bytes contiguous in the first mbuf. The chain is freed on failure. */
KPI(errno_t, mbuf_pullup, (mbuf_t *first, size_t length))
{
    mbuf_t mbuf = *first;

    if (mbuf->length >= length)
        return 0;
    if (length > chain_length(mbuf) || length > MBUF_JUMBO_CLUSTER_SIZE) {
        mbuf_freem(mbuf);
        *first = NULL;
        return length > MBUF_JUMBO_CLUSTER_SIZE ? EOVERFLOW : EINVAL;
    }
    mbuf_t front = mbuf_create(mbuf->type, false, length > MBUF_PLAIN_SIZE
                                                      ? MBUF_JUMBO_CLUSTER_SIZE : MBUF_PLAIN_SIZE);
    if (!front) {
        mbuf_freem(mbuf);
        *first = NULL;
        return ENOMEM;
    }
    mbuf_copydata(mbuf, 0, length, front->data);
    front->length = length;
    bool header = mbuf->flags & MBUF_PKTHDR;
    size_t packet_length = mbuf->packet_length;
    mbuf_adj(mbuf, (int)length);
    if (header) {
        mbuf_copy_header_fields(front, mbuf);
        front->packet_length = packet_length;
        front->tags = mbuf->tags;
        mbuf->tags = NULL;
    }
    front->next_packet = mbuf->next_packet;
    while (mbuf && mbuf->length == 0)
        mbuf = mbuf_free(mbuf);
    front->next = mbuf;
    *first = front;
    return 0;
}

/* Internet checksum of a range, folded and complemented; RFC 1071. */
static uint16_t internet_checksum(mbuf_t mbuf, size_t offset, size_t length, uint32_t sum)
{
    bool odd = false;

    for (; mbuf && offset >= mbuf->length; mbuf = mbuf->next)
        offset -= mbuf->length;
    for (; mbuf && length != 0; mbuf = mbuf->next, offset = 0) {
        size_t part = smaller(length, mbuf->length - offset);
        for (size_t i = 0; i < part; i++, odd = !odd) {
            sum += odd ? mbuf->data[offset + i] : (uint32_t)mbuf->data[offset + i] << 8;
            sum = (sum & 0xFFFF) + (sum >> 16);
        }
        length -= part;
    }
    sum = (uint16_t)~sum;
    return (uint16_t)(sum << 8 | sum >> 8);
}

KPI(errno_t, mbuf_inet_cksum, (mbuf_t mbuf, int protocol, uint32_t offset, uint32_t length,
                               uint16_t *checksum))
{
    uint8_t header[20];
    uint32_t sum = 0;

    if (!mbuf || !(mbuf->flags & MBUF_PKTHDR) || !checksum ||
        (uint64_t)offset + length > mbuf->packet_length)
        return EINVAL;
    if (protocol != 0) {
        if (mbuf_copydata(mbuf, 0, sizeof header, header) != 0)
            return EINVAL;
        for (unsigned i = 12; i < 20; i += 2)
            sum += (uint32_t)header[i] << 8 | header[i + 1];
        sum += (uint32_t)protocol + length;
    }
    sum = (sum & 0xFFFF) + (sum >> 16);
    *checksum = internet_checksum(mbuf, offset, length, sum);
    return 0;
}

/* Makes a range contiguous; it may move to another mbuf of the chain, which *location names. */
KPI(errno_t, mbuf_pulldown, (mbuf_t first, size_t *offset, size_t length, mbuf_t *location))
{
    mbuf_t mbuf = first;
    size_t at = *offset;

    while (mbuf && at >= mbuf->length) {
        at -= mbuf->length;
        mbuf = mbuf->next;
    }
    if (!mbuf)
        return EINVAL;
    if (mbuf->length - at < length) {
        if (at + length > chain_length(mbuf))
            return EINVAL;
        if (mbuf == first || at + length > MBUF_JUMBO_CLUSTER_SIZE)
            return ENOTSUP;              /* the caller uses mbuf_pullup for the front */
        mbuf_t before = first;
        while (before->next != mbuf)
            before = before->next;
        errno_t error = mbuf_pullup(&before->next, at + length);
        if (error)
            return error;
        mbuf = before->next;
    }
    *location = mbuf;
    *offset = at;
    return 0;
}

/* Computes checksums that the interface was to add, for software that looks at the packet. */
KPI(void, mbuf_outbound_finalize, (mbuf_t mbuf, uint32_t family, size_t offset))
{
    uint16_t checksum;
    enum { INET = 2, TCP = 6, UDP = 17, TCP_FIELD = 16, UDP_FIELD = 6 };
    uint8_t header[20];

    if (family != INET || !(mbuf->flags & MBUF_PKTHDR) ||
        !(mbuf->checksum_requested & (MBUF_CSUM_REQ_TCP | MBUF_CSUM_REQ_UDP)) ||
        mbuf_copydata(mbuf, offset, sizeof header, header) != 0 || offset != 0)
        return;
    uint32_t start = (header[0] & 0x0Fu) * 4;
    int protocol = mbuf->checksum_requested & MBUF_CSUM_REQ_TCP ? TCP : UDP;
    size_t field = start + (protocol == TCP ? TCP_FIELD : UDP_FIELD);
    uint16_t zero = 0;
    if (mbuf->packet_length < field + 2)
        return;
    mbuf_copyback(mbuf, field, sizeof zero, &zero, MBUF_DONTWAIT);
    if (mbuf_inet_cksum(mbuf, protocol, start, (uint32_t)(mbuf->packet_length - start),
                        &checksum) == 0)
        mbuf_copyback(mbuf, field, sizeof checksum, &checksum, MBUF_DONTWAIT);
    mbuf->checksum_requested &= ~(uint32_t)(MBUF_CSUM_REQ_TCP | MBUF_CSUM_REQ_UDP);
}
