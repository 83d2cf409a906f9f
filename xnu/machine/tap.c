/* SPDX-License-Identifier: BSD-3-Clause */
/* TAP devices, with Linux's header that describes offloads. */
#include "xnu/machine/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

int machine_tap_open(const char *name, char *error, size_t error_size)
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
             errno == EPERM || errno == EACCES ? " (root makes it: ip tuntap add NAME mode tap user $USER)" : "");
    if (descriptor >= 0)
        close(descriptor);
    return -1;
}

void machine_tap_close(int descriptor)
{
    close(descriptor);
}

long machine_tap_read(int descriptor, struct machine_tap_frame *about, void *bytes, size_t capacity)
{
    struct virtio_net_hdr header;
    const struct iovec pieces[] = { { &header, sizeof header }, { bytes, capacity } };
    ssize_t size = readv(descriptor, pieces, 2);

    if (size < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if ((size_t)size <= sizeof header)
        return 0;
    *about = (struct machine_tap_frame){
        .needs_checksum = (header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0,
        .checksum_start = header.csum_start,
        .checksum_offset = header.csum_offset,
        .segment_size = header.gso_size,
        .header_size = header.hdr_len,
    };
    if ((header.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_TCPV4)
        about->segmentation = MACHINE_TAP_TCP_IPV4;
    else if ((header.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_TCPV6)
        about->segmentation = MACHINE_TAP_TCP_IPV6;
    return size - (ssize_t)sizeof header;
}

bool machine_tap_write(int descriptor, const struct machine_tap_frame *about, const void *bytes, size_t size)
{
    struct virtio_net_hdr header = { .flags = 0 };
    const struct iovec pieces[] = { { &header, sizeof header }, { (void *)(uintptr_t)bytes, size } };

    if (about->checksum_good)
        header.flags = VIRTIO_NET_HDR_F_DATA_VALID;
    return writev(descriptor, pieces, 2) == (ssize_t)(size + sizeof header);
}
