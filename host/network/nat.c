/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The NAT: libslirp's TCP/IP in this process, which opens ordinary sockets. Needs no privilege.
 *
 * libslirp says before each wait which sockets it is interested in; an epoll descriptor holds that
 * set, so that the machine's loop has one descriptor to watch.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <json-c/json.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "host/network/port.h"

enum { SOCKETS_MAX = 1024, TIMERS_MAX = 4, EVENTS_A_RUN = 64, GUEST_MTU = 1500 };

struct nat_timer {
    SlirpTimerCb callback;
    void *opaque;
    int64_t due_ms; /* -1: not set */
    bool used;
};

/* What libslirp asked for, by descriptor. */
struct nat_socket {
    uint32_t wanted;  /* SLIRP_POLL_... of this round */
    uint32_t watched; /* what epoll has; 0: nothing */
    uint32_t seen;
};

struct nat {
    struct network_port port; /* first */
    Slirp *slirp;
    int epoll;
    struct nat_socket sockets[SOCKETS_MAX];
    int highest; /* descriptor in the table, -1: none */
    struct nat_timer timers[TIMERS_MAX];
    uint64_t due_ns; /* when libslirp wants to be called without news */
    bool stirred;    /* libslirp was called since the last round */
    uint64_t guest_errors;
};

static int64_t clock_ns(void *opaque)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* ---- What libslirp calls ---- */

static ssize_t frame_for_guest(const void *bytes, size_t size, void *opaque)
{
    struct nat *nat = opaque;
    /* Without offloads nobody changes the bytes. */
    struct frame frame = {.bytes = (uint8_t *)(uintptr_t)bytes, .size = size};
    network_port_receive(&nat->port, &frame);
    return (ssize_t)size;
}

static void guest_error(const char *message, void *opaque)
{
    struct nat *nat = opaque;
    nat->guest_errors++;
}

static void *timer_new(SlirpTimerCb callback, void *callback_opaque, void *opaque)
{
    struct nat *nat = opaque;
    for (int i = 0; i < TIMERS_MAX; i++) {
        if (!nat->timers[i].used) {
            nat->timers[i] = (struct nat_timer){callback, callback_opaque, -1, true};
            return &nat->timers[i];
        }
    }
    return NULL;
}

static void timer_free(void *timer, void *opaque)
{
    if (timer != NULL) {
        ((struct nat_timer *)timer)->used = false;
    }
}

static void timer_set(void *timer, int64_t due_ms, void *opaque)
{
    if (timer != NULL) {
        ((struct nat_timer *)timer)->due_ms = due_ms;
    }
}

static void socket_opened(int descriptor, void *opaque)
{
}

/* The descriptor is about to be closed; epoll forgets it by itself. */
static void socket_closed(int descriptor, void *opaque)
{
    struct nat *nat = opaque;
    if (descriptor >= 0 && descriptor < SOCKETS_MAX) {
        nat->sockets[descriptor] = (struct nat_socket){0};
    }
}

static void stirred(void *opaque)
{
    struct nat *nat = opaque;
    nat->stirred = true;
}

static const SlirpCb callbacks = {
    .send_packet = frame_for_guest,
    .guest_error = guest_error,
    .clock_get_ns = clock_ns,
    .timer_new = timer_new,
    .timer_free = timer_free,
    .timer_mod = timer_set,
    .register_poll_fd = socket_opened,
    .unregister_poll_fd = socket_closed,
    .notify = stirred,
};

/* ---- Which sockets to watch ---- */

static int want_socket(int descriptor, int events, void *opaque)
{
    struct nat *nat = opaque;
    if (descriptor < 0 || descriptor >= SOCKETS_MAX) {
        return -1;
    }
    nat->sockets[descriptor].wanted = (uint32_t)events;
    if (descriptor > nat->highest) {
        nat->highest = descriptor;
    }
    return descriptor;
}

static int what_was_seen(int index, void *opaque)
{
    struct nat *nat = opaque;
    return index < 0 || index >= SOCKETS_MAX ? 0 : (int)nat->sockets[index].seen;
}

static uint32_t to_epoll(uint32_t events)
{
    return (events & SLIRP_POLL_IN ? (uint32_t)EPOLLIN : 0) |
           (events & SLIRP_POLL_OUT ? (uint32_t)EPOLLOUT : 0) |
           (events & SLIRP_POLL_PRI ? (uint32_t)EPOLLPRI : 0);
}

static uint32_t from_epoll(uint32_t events)
{
    return (events & EPOLLIN ? SLIRP_POLL_IN : 0u) | (events & EPOLLOUT ? SLIRP_POLL_OUT : 0u) |
           (events & EPOLLPRI ? SLIRP_POLL_PRI : 0u) | (events & EPOLLERR ? SLIRP_POLL_ERR : 0u) |
           (events & EPOLLHUP ? SLIRP_POLL_HUP : 0u);
}

static void watch(struct nat *nat, int descriptor)
{
    struct nat_socket *socket = &nat->sockets[descriptor];
    struct epoll_event event = {.events = to_epoll(socket->wanted), .data.fd = descriptor};
    if (socket->wanted == socket->watched) {
        return;
    }
    int how = socket->watched == 0 ? EPOLL_CTL_ADD
              : socket->wanted == 0 ? EPOLL_CTL_DEL
                                    : EPOLL_CTL_MOD;
    if (epoll_ctl(nat->epoll, how, descriptor, &event) == 0 || how == EPOLL_CTL_DEL) {
        socket->watched = socket->wanted;
    }
}

static void ask_what_to_watch(struct nat *nat)
{
    uint32_t timeout_ms = UINT32_MAX;
    int highest = nat->highest;
    for (int i = 0; i <= highest; i++) {
        nat->sockets[i].wanted = 0;
    }
    nat->highest = -1;
    slirp_pollfds_fill(nat->slirp, &timeout_ms, want_socket, nat);
    if (highest < nat->highest) {
        highest = nat->highest;
    }
    for (int i = 0; i <= highest; i++) {
        watch(nat, i);
        nat->sockets[i].seen = 0;
    }
    uint64_t now = (uint64_t)clock_ns(NULL);
    nat->due_ns = timeout_ms == UINT32_MAX ? UINT64_MAX : now + timeout_ms * 1000000ull;
    for (int i = 0; i < TIMERS_MAX; i++) {
        const struct nat_timer *timer = &nat->timers[i];
        if (timer->used && timer->due_ms >= 0 && (uint64_t)timer->due_ms * 1000000 < nat->due_ns) {
            nat->due_ns = (uint64_t)timer->due_ms * 1000000;
        }
    }
    nat->stirred = false;
}

/* ---- The port ---- */

static void nat_send(struct network_port *port, struct frame *frame)
{
    struct nat *nat = (struct nat *)port;
    slirp_input(nat->slirp, frame->bytes, (int)frame->size);
    nat->stirred = true;
}

static void run_timers(struct nat *nat, uint64_t now_ns)
{
    for (int i = 0; i < TIMERS_MAX; i++) {
        struct nat_timer *timer = &nat->timers[i];
        if (timer->used && timer->due_ms >= 0 && (uint64_t)timer->due_ms * 1000000 <= now_ns) {
            timer->due_ms = -1;
            timer->callback(timer->opaque);
        }
    }
}

static void nat_run(struct network_port *port, uint64_t now_ns)
{
    struct nat *nat = (struct nat *)port;
    struct epoll_event events[EVENTS_A_RUN];
    /* Sockets are read only while the guest takes frames: TCP then slows its peers down. */
    bool room = port->has_room == NULL || port->has_room(port->adapter);
    if (nat->stirred && room) {
        ask_what_to_watch(nat);
    }
    int count = room ? epoll_wait(nat->epoll, events, EVENTS_A_RUN, 0) : 0;
    if (count <= 0 && now_ns < nat->due_ns) {
        return;
    }
    for (int i = 0; i < count; i++) {
        nat->sockets[events[i].data.fd].seen = from_epoll(events[i].events);
    }
    slirp_pollfds_poll(nat->slirp, 0, what_was_seen, nat);
    run_timers(nat, now_ns);
    ask_what_to_watch(nat);
}

static int nat_descriptor(struct network_port *port)
{
    return ((struct nat *)port)->epoll;
}

static uint64_t nat_deadline_ns(struct network_port *port)
{
    struct nat *nat = (struct nat *)port;
    if (port->has_room != NULL && !port->has_room(port->adapter)) {
        return UINT64_MAX; /* the guest gives room back: that is news */
    }
    return nat->stirred ? 0 : nat->due_ns;
}

static void nat_describe(struct network_port *port, struct json_object *to)
{
    struct nat *nat = (struct nat *)port;
    json_object_object_add(to, "guest_errors", json_object_new_uint64(nat->guest_errors));
}

static void nat_free(struct network_port *port)
{
    struct nat *nat = (struct nat *)port;
    if (nat->slirp != NULL) {
        slirp_cleanup(nat->slirp);
    }
    if (nat->epoll >= 0) {
        close(nat->epoll);
    }
    free(nat);
}

static const struct network_port_operations operations = {
    .kind = "nat",
    .send = nat_send,
    .waits = true,
    .descriptor = nat_descriptor,
    .deadline_ns = nat_deadline_ns,
    .run = nat_run,
    .describe = nat_describe,
    .free = nat_free,
};

static struct in_addr address(const char *text)
{
    struct in_addr result;
    inet_pton(AF_INET, text, &result);
    return result;
}

static Slirp *start(struct nat *nat)
{
    SlirpConfig configuration = {
        .version = 4,
        .in_enabled = true,
        .vnetwork = address("10.0.2.0"),
        .vnetmask = address("255.255.255.0"),
        .vhost = address("10.0.2.2"),
        .vdhcp_start = address("10.0.2.15"),
        .vnameserver = address("10.0.2.3"),
        .in6_enabled = true,
        .vprefix_len = 64,
        .vhostname = "machv",
        .if_mtu = GUEST_MTU,
        .if_mru = GUEST_MTU,
    };
    inet_pton(AF_INET6, "fec0::", &configuration.vprefix_addr6);
    inet_pton(AF_INET6, "fec0::2", &configuration.vhost6);
    inet_pton(AF_INET6, "fec0::3", &configuration.vnameserver6);
    return slirp_new(&configuration, &callbacks, nat);
}

static int add_forwards(struct nat *nat, const struct network_nat_options *options, char *error,
                        size_t error_size)
{
    for (unsigned i = 0; options != NULL && i < options->forward_count; i++) {
        if (slirp_add_hostfwd(nat->slirp, 0, address("127.0.0.1"), options->forwards[i].host,
                              address("10.0.2.15"), options->forwards[i].guest) != 0) {
            snprintf(error, error_size, "port %u cannot be forwarded: %s",
                     options->forwards[i].host, strerror(errno));
            return -1;
        }
    }
    return 0;
}

struct network_port *network_nat_open(const struct network_nat_options *options, char *error,
                                      size_t error_size)
{
    struct nat *nat = calloc(1, sizeof(*nat));
    if (nat == NULL) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    nat->port.operations = &operations;
    nat->highest = -1;
    nat->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (nat->epoll < 0) {
        snprintf(error, error_size, "epoll: %s", strerror(errno));
        nat_free(&nat->port);
        return NULL;
    }
    nat->slirp = start(nat);
    if (nat->slirp == NULL) {
        snprintf(error, error_size, "libslirp does not start");
        nat_free(&nat->port);
        return NULL;
    }
    if (add_forwards(nat, options, error, error_size) != 0) {
        nat_free(&nat->port);
        return NULL;
    }
    nat->stirred = true;
    return &nat->port;
}
