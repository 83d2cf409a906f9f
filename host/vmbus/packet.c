/* SPDX-License-Identifier: BSD-3-Clause */
/* Parsing of packets, and GPA-direct ranges as scatter lists. */
#include "host/vmbus/packet.h"

#include <errno.h>
#include <string.h>

/* Reads the range header at *position. Returns its pages, or -1 if the range is malformed. */
static int64_t next_range(const uint8_t *ranges, size_t size, size_t *position,
                          struct vmbus_gpa_range *range)
{
    if (size - *position < sizeof(*range)) {
        return -1;
    }
    memcpy(range, ranges + *position, sizeof(*range));
    *position += sizeof(*range);
    if (range->byte_count == 0 || range->byte_offset >= HV_PAGE_SIZE) {
        return -1;
    }
    uint64_t pages =
        ((uint64_t)range->byte_offset + range->byte_count + HV_PAGE_SIZE - 1) / HV_PAGE_SIZE;
    if (pages > (size - *position) / sizeof(uint64_t)) {
        return -1;
    }
    return (int64_t)pages;
}

static int parse_ranges(const uint8_t *bytes, size_t data_offset, struct host_packet *packet,
                        const char **rule)
{
    struct vmbus_packet_gpa_direct direct;
    if (data_offset < sizeof(direct)) {
        *rule = "a GPA-direct packet has a range count";
        return -EBADMSG;
    }
    memcpy(&direct, bytes, sizeof(direct));
    packet->ranges = bytes + sizeof(direct);
    packet->ranges_size = data_offset - sizeof(direct);
    packet->range_count = direct.range_count;
    if (direct.range_count == 0) {
        *rule = "a GPA-direct packet has at least one range";
        return -EBADMSG;
    }
    size_t position = 0;
    for (uint32_t i = 0; i < direct.range_count; i++) {
        struct vmbus_gpa_range range;
        int64_t pages = next_range(packet->ranges, packet->ranges_size, &position, &range);
        if (pages < 0) {
            *rule = "each range has a length, an offset below 4096 and all its page numbers";
            return -EBADMSG;
        }
        position += (size_t)pages * sizeof(uint64_t);
    }
    return 0;
}

static int strip_pipe_header(struct host_packet *packet, const char **rule)
{
    struct vmbus_pipe_header header;
    if (packet->payload_size < sizeof(header)) {
        *rule = "pipe data start with a pipe header";
        return -EBADMSG;
    }
    memcpy(&header, packet->payload, sizeof(header));
    if (header.type != VMBUS_PIPE_DATA) {
        *rule = "a pipe carries data only (type 1)";
        return -EBADMSG;
    }
    if (header.length > packet->payload_size - sizeof(header)) {
        *rule = "a pipe's data length lies inside its packet";
        return -EBADMSG;
    }
    packet->payload += sizeof(header);
    packet->payload_size = header.length;
    return 0;
}

int host_packet_parse(const uint8_t *bytes, size_t length, bool pipe, struct host_packet *packet,
                      const char **rule)
{
    struct vmbus_packet_header header;
    memcpy(&header, bytes, sizeof(header));
    size_t data_offset = header.data_offset8 * 8u;
    struct host_packet parsed = {
        .type = header.type,
        .completion_requested = (header.flags & VMBUS_PACKET_FLAG_COMPLETION_REQUESTED) != 0,
        .transaction_id = header.transaction_id,
        .payload = bytes + data_offset,
        .payload_size = length - data_offset,
    };
    if ((header.flags & ~VMBUS_PACKET_FLAG_COMPLETION_REQUESTED) != 0) {
        *rule = "packet flags other than bit 0 are zero";
        return -EBADMSG;
    }
    int result = 0;
    switch (header.type) {
    case VMBUS_PACKET_IN_BAND:
        if (pipe) {
            result = strip_pipe_header(&parsed, rule);
        }
        break;
    case VMBUS_PACKET_GPA_DIRECT:
        result = parse_ranges(bytes, data_offset, &parsed, rule);
        break;
    case VMBUS_PACKET_COMPLETION:
        if (parsed.completion_requested) {
            *rule = "a completion asks for no completion";
            result = -EBADMSG;
        }
        break;
    default:
        *rule = "a guest sends in-band, GPA-direct and completion packets only";
        result = -EBADMSG;
        break;
    }
    if (result == 0) {
        *packet = parsed;
    }
    return result;
}

int host_scatter_append(struct iovec *vector, unsigned capacity, unsigned *count, void *host,
                        size_t size)
{
    if (*count > 0) {
        struct iovec *last = &vector[*count - 1];
        if ((uint8_t *)last->iov_base + last->iov_len == (uint8_t *)host) {
            last->iov_len += size;
            return 0;
        }
    }
    if (*count == capacity) {
        return -E2BIG;
    }
    vector[*count] = (struct iovec){host, size};
    *count += 1;
    return 0;
}

/* Appends the memory of one range, whose page numbers are at `numbers`. */
static int map_range(const struct guest_memory *memory, const struct vmbus_gpa_range *range,
                     const uint8_t *numbers, struct iovec *vector, unsigned capacity,
                     unsigned *count)
{
    uint32_t offset = range->byte_offset;
    uint32_t left = range->byte_count;
    for (size_t i = 0; left > 0; i++) {
        uint64_t number;
        memcpy(&number, numbers + i * sizeof(number), sizeof(number));
        uint8_t *page = guest_memory_page(memory, number);
        if (page == NULL) {
            return -EFAULT;
        }
        uint32_t here = HV_PAGE_SIZE - offset < left ? HV_PAGE_SIZE - offset : left;
        int result = host_scatter_append(vector, capacity, count, page + offset, here);
        if (result < 0) {
            return result;
        }
        left -= here;
        offset = 0;
    }
    return 0;
}

int host_packet_map_ranges(const struct guest_memory *memory, const struct host_packet *packet,
                           int range, struct iovec *vector, unsigned capacity, size_t *size)
{
    if (range != HOST_ALL_RANGES &&
        (range < 0 || (uint32_t)range >= packet->range_count)) {
        return -EINVAL;
    }
    size_t position = 0;
    size_t total = 0;
    unsigned count = 0;
    for (uint32_t i = 0; i < packet->range_count; i++) {
        struct vmbus_gpa_range header;
        int64_t pages = next_range(packet->ranges, packet->ranges_size, &position, &header);
        if (pages < 0) {
            return -EINVAL;
        }
        if (range == HOST_ALL_RANGES || i == (uint32_t)range) {
            int result = map_range(memory, &header, packet->ranges + position, vector, capacity,
                                   &count);
            if (result < 0) {
                return result;
            }
            total += header.byte_count;
        }
        position += (size_t)pages * sizeof(uint64_t);
    }
    *size = total;
    return (int)count;
}
