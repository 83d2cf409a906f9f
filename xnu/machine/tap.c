/* SPDX-License-Identifier: BSD-3-Clause */
/* TAP devices, with Linux's header that describes offloads. The device takes the interface's
 * address and follows its link. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "xnu/machine/wire.h"

#ifndef TUNSETCARRIER
#define TUNSETCARRIER _IOW('T', 226, int)
#endif

static int tap_open(const char *name, char *error, size_t error_size)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    int descriptor;

    if (name[0] == '\0' || strlen(name) >= IFNAMSIZ) {
        snprintf(error, error_size, "tap=%s: a name of 1 to 15 characters is wanted", name);
        return -1;
    }
    strcpy(request.ifr_name, name);
    descriptor = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (descriptor >= 0 && ioctl(descriptor, TUNSETIFF, &request) == 0 &&
        ioctl(descriptor, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) == 0)
        return descriptor;
    snprintf(error, error_size, "tap=%s: %s%s", name, strerror(errno),
             errno == EPERM || errno == EACCES
                 ? " (root makes it: ip tuntap add NAME mode tap user $USER)"
                 : "");
    if (descriptor >= 0)
        close(descriptor);
    return -1;
}

static void tap_close(int descriptor)
{
    close(descriptor);
}

static long tap_read(int descriptor, struct machine_wire_frame *about,
                     const struct machine_wire_space *spaces, unsigned count)
{
    struct virtio_net_hdr header;
    struct iovec vector[1 + MACHINE_WIRE_PIECES_MAX] = { { &header, sizeof header } };
    ssize_t size;

    if (count > MACHINE_WIRE_PIECES_MAX)
        return -EINVAL;
    for (unsigned i = 0; i < count; i++)
        vector[1 + i] = (struct iovec){ spaces[i].bytes, spaces[i].length };
    size = readv(descriptor, vector, 1 + (int)count);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if ((size_t)size <= sizeof header)
        return 0;
    *about = (struct machine_wire_frame){
        .needs_checksum = (header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0,
        .checksum_start = header.csum_start,
        .checksum_offset = header.csum_offset,
        .segment_size = header.gso_size,
        .header_size = header.hdr_len,
    };
    if ((header.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_TCPV4)
        about->segmentation = MACHINE_WIRE_TCP_IPV4;
    else if ((header.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_TCPV6)
        about->segmentation = MACHINE_WIRE_TCP_IPV6;
    return size - (ssize_t)sizeof header;
}

static bool tap_write(int descriptor, const struct machine_wire_frame *about,
                      const struct machine_wire_piece *pieces, unsigned count)
{
    struct virtio_net_hdr header = { .flags =
                                         about->checksum_good ? VIRTIO_NET_HDR_F_DATA_VALID : 0 };
    struct iovec vector[1 + MACHINE_WIRE_PIECES_MAX] = { { &header, sizeof header } };
    size_t size = sizeof header;

    if (count > MACHINE_WIRE_PIECES_MAX)
        return false;
    for (unsigned i = 0; i < count; i++) {
        vector[1 + i] = (struct iovec){ (void *)(uintptr_t)pieces[i].bytes, pieces[i].length };
        size += pieces[i].length;
    }
    return writev(descriptor, vector, 1 + (int)count) == (ssize_t)size;
}

/* Whoever opened the device may do this; what the system refuses all the same, its user has to do.
 */
static void tap_plug(int descriptor, const struct machine_wire_interface *interface)
{
    struct ifreq request = { .ifr_hwaddr.sa_family = ARPHRD_ETHER };
    int carrier = interface != NULL && interface->link;

    if (interface != NULL) {
        memcpy(request.ifr_hwaddr.sa_data, interface->address, sizeof interface->address);
        (void)ioctl(descriptor, SIOCSIFHWADDR, &request);
    }
    (void)ioctl(descriptor, TUNSETCARRIER, &carrier);
}

const struct machine_wire machine_tap = {
    .open = tap_open,
    .close = tap_close,
    .read = tap_read,
    .write = tap_write,
    .plug = tap_plug,
};
