/* SPDX-License-Identifier: BSD-3-Clause */
/* Echo requests to a host (ICMP, RFC 792). */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lwip/icmp.h>
#include <lwip/inet_chksum.h>
#include <lwip/pbuf.h>
#include <lwip/prot/ip4.h>
#include <lwip/raw.h>

#include "xnu/machine/stack_private.h"

enum {
    PAYLOAD = 56,
    ANSWER_MS = 1000, /* how long one echo is waited for */
    PAUSE_MS = 20,
};

struct ping {
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t answered;
    uint16_t identifier, sequence; /* that is waited for */
    bool got;
    struct timespec came;
};

static double milliseconds_between(const struct timespec *from, const struct timespec *to)
{
    return (double)(to->tv_sec - from->tv_sec) * 1e3 + (double)(to->tv_nsec - from->tv_nsec) / 1e6;
}

/* On lwIP's side; 1: the packet is ours. */
static u8_t arrived(void *argument, struct raw_pcb *socket, struct pbuf *packet,
                    const ip_addr_t *from)
{
    struct ping *ping = argument;
    struct icmp_echo_hdr echo;
    u16_t header;
    bool ours;

    if (pbuf_get_at(packet, 0) >> 4 != 4)
        return 0;
    header = (u16_t)((pbuf_get_at(packet, 0) & 15) * 4);
    if (pbuf_copy_partial(packet, &echo, sizeof echo, header) != sizeof echo ||
        echo.type != ICMP_ER)
        return 0;
    pthread_mutex_lock(&ping->lock);
    ours = echo.id == ping->identifier && echo.seqno == ping->sequence && !ping->got;
    if (ours) {
        ping->got = true;
        clock_gettime(CLOCK_MONOTONIC, &ping->came);
        pthread_cond_signal(&ping->answered);
    }
    pthread_mutex_unlock(&ping->lock);
    if (ours)
        pbuf_free(packet);
    return ours;
}

static bool send_echo(struct raw_pcb *socket, const struct ping *ping, const ip_addr_t *address)
{
    struct pbuf *packet;
    struct icmp_echo_hdr *echo;
    bool sent = false;

    if (!stack_enter())
        return false;
    packet = pbuf_alloc(PBUF_IP, sizeof *echo + PAYLOAD, PBUF_RAM);
    if (packet != NULL) {
        echo = packet->payload;
        memset(echo, 0, sizeof *echo + PAYLOAD);
        echo->type = ICMP_ECHO;
        echo->id = ping->identifier;
        echo->seqno = ping->sequence;
        echo->chksum = inet_chksum(echo, sizeof *echo + PAYLOAD);
        sent = raw_sendto(socket, packet, address) == ERR_OK;
        pbuf_free(packet);
    }
    stack_leave();
    return sent;
}

/* Waits on the monotonic clock. */
static bool wait_for_answer(struct ping *ping, const struct timespec *sent)
{
    struct timespec deadline = { sent->tv_sec + ANSWER_MS / 1000, sent->tv_nsec };
    bool got;

    pthread_mutex_lock(&ping->lock);
    while (!ping->got && pthread_cond_timedwait(&ping->answered, &ping->lock, &deadline) == 0)
        ;
    got = ping->got;
    pthread_mutex_unlock(&ping->lock);
    return got;
}

/* One echo: its round-trip time in milliseconds, or a negative number. */
static double echo_once(struct raw_pcb *socket, struct ping *ping, const ip_addr_t *address,
                        uint16_t sequence)
{
    struct timespec sent;

    pthread_mutex_lock(&ping->lock);
    ping->sequence = lwip_htons(sequence);
    ping->got = false;
    pthread_mutex_unlock(&ping->lock);
    clock_gettime(CLOCK_MONOTONIC, &sent);
    if (!send_echo(socket, ping, address) || !wait_for_answer(ping, &sent))
        return -1;
    return milliseconds_between(&sent, &ping->came);
}

static void ping_all(int client, struct raw_pcb *socket, struct ping *ping,
                     const ip_addr_t *address, unsigned count)
{
    const struct timespec pause = { 0, PAUSE_MS * 1000000 };
    double least = 0, most = 0, sum = 0;
    unsigned got = 0;
    char line[120];

    for (unsigned i = 1; i <= count; i++) {
        double time = echo_once(socket, ping, address, (uint16_t)i);

        if (time < 0)
            continue;
        least = got == 0 || time < least ? time : least;
        most = time > most ? time : most;
        sum += time;
        got++;
        if (i != count)
            nanosleep(&pause, NULL);
    }
    if (got == 0) {
        stack_refuse(client, "%u echoes sent, none answered", count);
        return;
    }
    snprintf(line, sizeof line, "ok\n%u sent, %u answered, least %.3f average %.3f most %.3f ms\n",
             count, got, least, sum / got, most);
    stack_answer(client, line, strlen(line));
}

void stack_ping(int socket, const ip_addr_t *address, unsigned count)
{
    struct ping ping = { .lock = PTHREAD_MUTEX_INITIALIZER, .identifier = (uint16_t)random() };
    pthread_condattr_t attributes;
    struct raw_pcb *raw = NULL;

    if (!IP_IS_V4(address)) {
        stack_refuse(socket, "ping knows IPv4 only");
        return;
    }
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&ping.answered, &attributes);
    if (stack_enter()) {
        raw = raw_new(IP_PROTO_ICMP);
        if (raw != NULL)
            raw_recv(raw, arrived, &ping);
        stack_leave();
    }
    if (raw != NULL) {
        ping_all(socket, raw, &ping, address, count);
        LOCK_TCPIP_CORE();
        raw_remove(raw);
        UNLOCK_TCPIP_CORE();
    } else {
        stack_refuse(socket, "the stack has no socket left");
    }
    pthread_cond_destroy(&ping.answered);
    pthread_condattr_destroy(&attributes);
}
