/* SPDX-License-Identifier: BSD-3-Clause */
/* The least that can be done with a frame between two TAP devices: what comes out of one is written
 * into the other, from one buffer, offloads as they are; a thread for each direction. What passes
 * through the driver is measured against this, beside the veth pair. Large frames cannot be expected
 * to pass faster; small segments can, where they are put together.
 *
 *   tap_relay DEVICE NAMESPACE DEVICE   makes the first device in the network namespace it is
 *                                       started in, the second in the one whose file is NAMESPACE
 *                                       (/proc/PID/ns/net); says "ready", runs until it is ended.
 *                                       Exit status 1: it could not. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { FRAME_MAX = sizeof(struct virtio_net_hdr) + 65536 + 18 };

struct direction {
    int from, to;
};

static int fail(const char *what)
{
    fprintf(stderr, "tap_relay: %s: %s\n", what, strerror(errno));
    return -1;
}

static int make_device(const char *name)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    int descriptor = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (descriptor < 0)
        return fail("/dev/net/tun");
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (ioctl(descriptor, TUNSETIFF, &request) != 0 ||
        ioctl(descriptor, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) != 0)
        return fail(name);
    return descriptor;
}

static int enter_namespace(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    int result = file < 0 ? -1 : setns(file, CLONE_NEWNET);

    if (result != 0)
        fail(path);
    if (file >= 0)
        close(file);
    return result;
}

static int wait_for(int descriptor, short events)
{
    struct pollfd wanted = { descriptor, events, 0 };

    return poll(&wanted, 1, -1) >= 0 || errno == EINTR ? 0 : fail("poll");
}

/* A frame that the other side does not take, being down, is lost as on any wire. */
static int write_frame(int descriptor, const void *frame, size_t size)
{
    while (write(descriptor, frame, size) < 0) {
        if (errno != EAGAIN)
            return errno == EIO ? 0 : fail("write");
        if (wait_for(descriptor, POLLOUT) != 0)
            return -1;
    }
    return 0;
}

static void *relay(void *context)
{
    const struct direction *direction = context;
    char frame[FRAME_MAX];

    for (;;) {
        ssize_t size = read(direction->from, frame, sizeof frame);

        if (size > 0 && write_frame(direction->to, frame, (size_t)size) != 0)
            return NULL;
        if (size < 0 && errno != EAGAIN && errno != EINTR) {
            fail("read");
            return NULL;
        }
        if (size <= 0 && wait_for(direction->from, POLLIN) != 0)
            return NULL;
    }
}

int main(int count, char **arguments)
{
    struct direction there, back;
    pthread_t thread;

    if (count != 4) {
        fprintf(stderr, "usage: tap_relay DEVICE NAMESPACE DEVICE\n");
        return 1;
    }
    there.from = make_device(arguments[1]);
    if (there.from < 0 || enter_namespace(arguments[2]) != 0)
        return 1;
    there.to = make_device(arguments[3]);
    if (there.to < 0)
        return 1;
    back = (struct direction){ there.to, there.from };
    errno = pthread_create(&thread, NULL, relay, &back);
    if (errno != 0) {
        fail("thread");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    relay(&there);
    return 1;
}
