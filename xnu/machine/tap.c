/* SPDX-License-Identifier: BSD-3-Clause */
/* TAP devices, with Linux's header that describes offloads. The device takes the interface's
 * address and follows its link. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "xnu/machine/tap_headers.h"
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

/* Moves the first bytes of a frame to `head`, from where they are in the pieces. Returns how many
 * there are. */
static size_t take_head(struct iovec *pieces, unsigned count, uint8_t *head, size_t capacity)
{
    size_t length = 0;

    for (unsigned i = 0; i < count && length < capacity; i++) {
        size_t part =
            pieces[i].iov_len < capacity - length ? pieces[i].iov_len : capacity - length;

        memcpy(head + length, pieces[i].iov_base, part);
        pieces[i].iov_base = (uint8_t *)pieces[i].iov_base + part;
        pieces[i].iov_len -= part;
        length += part;
    }
    return length;
}

/* Linux takes nobody's word that a checksum is good (tun_get_user passes over
 * VIRTIO_NET_HDR_F_DATA_VALID), and would sum the frame again. One that is still to be computed it
 * does not look at, so a good one is made such. */
static bool tap_write(int descriptor, const struct machine_wire_frame *about,
                      const struct machine_wire_piece *pieces, unsigned count)
{
    struct virtio_net_hdr header = { 0 };
    struct iovec vector[2 + MACHINE_WIRE_PIECES_MAX] = { { &header, sizeof header } };
    uint8_t head[TAP_HEADERS_MAX];
    struct tap_checksum checksum;
    size_t size = sizeof header;

    if (count > MACHINE_WIRE_PIECES_MAX)
        return false;
    for (unsigned i = 0; i < count; i++) {
        vector[2 + i] = (struct iovec){ (void *)(uintptr_t)pieces[i].bytes, pieces[i].length };
        size += pieces[i].length;
    }
    vector[1] = (struct iovec){ head, 0 };
    if (about->checksum_good) {
        vector[1].iov_len = take_head(vector + 2, count, head, sizeof head);
        if (tap_leave_checksum(head, vector[1].iov_len, &checksum))
            header = (struct virtio_net_hdr){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                              .csum_start = checksum.start,
                                              .csum_offset = checksum.offset };
    }
    return writev(descriptor, vector, 2 + (int)count) == (ssize_t)size;
}

/* Asks Linux for frames of at most `bytes` to be segmented (IFLA_GSO_MAX_SIZE, rtnetlink(7)); there
 * is no ioctl for it. Without the right to, larger ones come, and the driver cuts them in parts. */
static void limit_segmented(const char *name, uint32_t bytes)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg interface;
        struct rtattr attribute;
        uint32_t value;
    } request = {
        .header = { .nlmsg_len = sizeof request,
                    .nlmsg_type = RTM_SETLINK,
                    .nlmsg_flags = NLM_F_REQUEST },
        .interface = { .ifi_family = AF_UNSPEC, .ifi_index = (int)if_nametoindex(name) },
        .attribute = { .rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = IFLA_GSO_MAX_SIZE },
        .value = bytes,
    };
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (netlink < 0)
        return;
    (void)!send(netlink, &request, sizeof request, 0);
    close(netlink);
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
    if (interface != NULL && interface->tso_mtu != 0 && ioctl(descriptor, TUNGETIFF, &request) == 0)
        limit_segmented(request.ifr_name, interface->tso_mtu);
}

const struct machine_wire machine_tap = {
    .open = tap_open,
    .close = tap_close,
    .read = tap_read,
    .write = tap_write,
    .plug = tap_plug,
};
