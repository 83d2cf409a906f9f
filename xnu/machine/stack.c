/* SPDX-License-Identifier: BSD-3-Clause */
/* The TCP/IP stack that en0 is plugged into: lwIP as Debian builds it, with one Ethernet interface.
 * lwIP begins with the first interface and stays for the life of the process. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/pbuf.h>
#include <netif/ethernet.h>

#include "xnu/machine/log.h"
#include "xnu/machine/stack_private.h"
#include "xnu/machine/wire.h"

enum { QUEUE_MAX = 1024 /* frames that wait for the driver */ };

/* A frame on its way to the driver. */
struct frame {
    struct frame *next;
    size_t size;
    uint8_t bytes[];
};

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the queue */
static struct frame *first, **last = &first;
static unsigned queued;
static int event = -1;            /* eventfd: readable while frames wait */

static atomic_bool running;       /* lwIP has begun */
static bool plugged;              /* in the core lock */
static struct netif interface;
static uint8_t interface_address[6];
static uint32_t interface_mtu;

/* ---- frames to the driver ------------------------------------------------------------------ */

static void push(struct frame *frame)
{
    const uint64_t one = 1;

    pthread_mutex_lock(&queue_lock);
    *last = frame;
    last = &frame->next;
    if (queued++ == 0 && write(event, &one, sizeof one) < 0)
        machine_log("network: cannot wake the driver: %s", strerror(errno));
    pthread_mutex_unlock(&queue_lock);
}

static struct frame *pop(void)
{
    uint64_t count;
    struct frame *frame;

    pthread_mutex_lock(&queue_lock);
    frame = first;
    if (frame != NULL) {
        first = frame->next;
        if (first == NULL)
            last = &first;
        if (--queued == 0 && read(event, &count, sizeof count) < 0)
            machine_log("network: the event is not there: %s", strerror(errno));
    }
    pthread_mutex_unlock(&queue_lock);
    return frame;
}

static err_t link_output(struct netif *netif, struct pbuf *packet)
{
    struct frame *frame;
    bool full;

    pthread_mutex_lock(&queue_lock);
    full = queued >= QUEUE_MAX;
    pthread_mutex_unlock(&queue_lock);
    frame = full ? NULL : malloc(sizeof *frame + packet->tot_len);
    if (frame == NULL)
        return ERR_MEM;
    frame->next = NULL;
    frame->size = pbuf_copy_partial(packet, frame->bytes, packet->tot_len, 0);
    push(frame);
    return ERR_OK;
}

static size_t copy_out(const struct frame *frame, const struct machine_wire_space *spaces,
                       unsigned count)
{
    size_t done = 0;

    for (unsigned i = 0; i < count && done < frame->size; i++) {
        size_t left = frame->size - done;
        size_t part = left < spaces[i].length ? left : spaces[i].length;

        memcpy(spaces[i].bytes, frame->bytes + done, part);
        done += part;
    }
    return done;
}

static long stack_read(int descriptor, struct machine_wire_frame *about,
                       const struct machine_wire_space *spaces, unsigned count)
{
    struct frame *frame = pop();
    size_t size;

    if (frame == NULL)
        return 0;
    *about = (struct machine_wire_frame){ .segmentation = MACHINE_WIRE_WHOLE };
    size = copy_out(frame, spaces, count) == frame->size ? frame->size : 0;
    free(frame);
    return (long)size;
}

/* ---- frames from the driver ---------------------------------------------------------------- */

static bool stack_write(int descriptor, const struct machine_wire_frame *about,
                        const struct machine_wire_piece *pieces, unsigned count)
{
    struct pbuf *packet = NULL;
    size_t size = 0, done = 0;
    bool taken;

    for (unsigned i = 0; i < count; i++)
        size += pieces[i].length;
    if (size > UINT16_MAX || !stack_enter()) /* lwIP counts bytes in 16 bits */
        return false;
    packet = pbuf_alloc(PBUF_RAW, (u16_t)size, PBUF_RAM);
    for (unsigned i = 0; i < count && packet != NULL; i++) {
        memcpy((uint8_t *)packet->payload + done, pieces[i].bytes, pieces[i].length);
        done += pieces[i].length;
    }
    taken = packet != NULL && interface.input(packet, &interface) == ERR_OK;
    if (packet != NULL && !taken)
        pbuf_free(packet);
    stack_leave();
    return taken;
}

/* ---- the interface ------------------------------------------------------------------------- */

bool stack_enter(void)
{
    if (!atomic_load(&running))
        return false;
    LOCK_TCPIP_CORE();
    if (plugged)
        return true;
    UNLOCK_TCPIP_CORE();
    return false;
}

void stack_leave(void)
{
    UNLOCK_TCPIP_CORE();
}

static err_t set_up(struct netif *netif)
{
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->hwaddr_len = sizeof interface_address;
    memcpy(netif->hwaddr, interface_address, sizeof interface_address);
    netif->mtu = (u16_t)interface_mtu;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP;
    netif->output = etharp_output;
    netif->output_ip6 = ethip6_output;
    netif->linkoutput = link_output;
    return ERR_OK;
}

/* Frames come on the driver's thread, inside the core lock: no queue, no other thread. */
static void add(const struct machine_wire_interface *what)
{
    memcpy(interface_address, what->address, sizeof interface_address);
    interface_mtu = what->mtu;
    plugged = netif_add(&interface, NULL, NULL, NULL, NULL, set_up, ethernet_input) != NULL;
    if (!plugged)
        return;
    netif_set_default(&interface);
    netif_set_up(&interface);
    netif_create_ip6_linklocal_address(&interface, 1);
}

static void follow_link(bool up)
{
    if (up == (netif_is_link_up(&interface) != 0))
        return;
    if (up) {
        netif_set_link_up(&interface);
        stack_dhcp_begin(&interface);
    } else {
        stack_dhcp_end(&interface);
        netif_set_link_down(&interface);
    }
}

static void take_away(void)
{
    stack_dhcp_end(&interface);
    netif_remove(&interface);
    plugged = false;
}

static void begin(void)
{
    static atomic_flag begun = ATOMIC_FLAG_INIT;

    if (!atomic_flag_test_and_set(&begun)) {
        tcpip_init(NULL, NULL);
        atomic_store(&running, true);
    }
}

static void stack_plug(int descriptor, const struct machine_wire_interface *what)
{
    begin();
    LOCK_TCPIP_CORE();
    if (what != NULL) {
        if (!plugged)
            add(what);
        if (plugged) {
            interface.mtu = (u16_t)what->mtu;
            follow_link(what->link);
        }
    } else if (plugged) {
        take_away();
    }
    UNLOCK_TCPIP_CORE();
}

static int stack_open(const char *name, char *error, size_t error_size)
{
    event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0)
        snprintf(error, error_size, "stack: %s", strerror(errno));
    return event;
}

static void stack_close(int descriptor)
{
    struct frame *frame;

    if (stack_enter()) {
        take_away();
        stack_leave();
    }
    while ((frame = pop()) != NULL)
        free(frame);
    close(event);
    event = -1;
}

const struct machine_wire machine_stack = {
    .open = stack_open,
    .close = stack_close,
    .read = stack_read,
    .write = stack_write,
    .plug = stack_plug,
};

void machine_stack_lease(struct machine_stack_lease *lease)
{
    *lease = (struct machine_stack_lease){ .plugged = false };
    if (!stack_enter())
        return;
    lease->plugged = true;
    stack_dhcp_lease(lease);
    stack_leave();
}
