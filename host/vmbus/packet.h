/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets: taking apart what the guest sent. Works on the private copy that the ring reader made.
 * Sources: Linux hyperv.h, OpenVMM vmbus_ring.
 */
#ifndef HOST_VMBUS_PACKET_H
#define HOST_VMBUS_PACKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "host/guest_memory.h"
#include "host/vmbus/device.h"

/*
 * Fills *packet from `length` bytes at `bytes` (header included; its length and data offset have
 * been checked by the ring reader). With `pipe`, in-band data start with a pipe header, which is
 * checked and removed. Returns 0, or -EBADMSG and in *rule what the guest broke; *packet is
 * written only on success.
 */
int host_packet_parse(const uint8_t *bytes, size_t length, bool pipe, struct host_packet *packet,
                      const char **rule);

/*
 * The guest memory behind one range, or all (HOST_ALL_RANGES), of a GPA-direct packet; see
 * host_packet_map() in device.h for the results.
 */
int host_packet_map_ranges(const struct guest_memory *memory, const struct host_packet *packet,
                           int range, struct iovec *vector, unsigned capacity, size_t *size);

/*
 * Appends [host, host + size) to a scatter list of `*count` elements, merged with the last one if
 * they touch. Returns 0 or -E2BIG.
 */
int host_scatter_append(struct iovec *vector, unsigned capacity, unsigned *count, void *host,
                        size_t size);

#endif
