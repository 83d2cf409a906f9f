/* SPDX-License-Identifier: BSD-3-Clause */
/* A TCP connection of the stack, joined with a client's socket: what comes in at one end goes out
 * at the other, and the end of a direction is passed on. */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lwip/pbuf.h>
#include <lwip/tcp.h>

#include "xnu/machine/stack_private.h"

enum { CONNECT_MS = 10000, CHUNK = 16384 };

struct connection {
    int client;
    int event;              /* eventfd: something changed on lwIP's side */
    /* In the core lock: */
    struct tcp_pcb *tcp;    /* NULL when lwIP has let go of it */
    struct pbuf *received;  /* not fetched by the thread yet */
    atomic_bool connected;
    bool peer_ended;
    err_t error;
    /* The thread's: */
    struct pbuf *giving;    /* on its way to the client, from `given` on */
    size_t given;
    uint8_t chunk[CHUNK];   /* on its way to the peer */
    size_t chunk_length;
    bool client_ended, end_passed_on;
};

/* ---- on lwIP's side ---- */

static void ring(struct connection *connection)
{
    const uint64_t one = 1;

    (void)!write(connection->event, &one, sizeof one); /* it is full only when it has rung */
}

static err_t on_connected(void *argument, struct tcp_pcb *tcp, err_t error)
{
    struct connection *connection = argument;

    connection->connected = true;
    ring(connection);
    return ERR_OK;
}

static err_t on_received(void *argument, struct tcp_pcb *tcp, struct pbuf *packet, err_t error)
{
    struct connection *connection = argument;

    if (packet == NULL)
        connection->peer_ended = true;
    else if (connection->received == NULL)
        connection->received = packet;
    else if ((uint32_t)connection->received->tot_len + packet->tot_len <= UINT16_MAX)
        pbuf_cat(connection->received, packet);
    else
        return ERR_MEM; /* lwIP keeps it and offers it again */
    ring(connection);
    return ERR_OK;
}

static err_t on_sent(void *argument, struct tcp_pcb *tcp, u16_t length)
{
    ring(argument);
    return ERR_OK;
}

static void on_error(void *argument, err_t error)
{
    struct connection *connection = argument;

    connection->tcp = NULL;
    connection->error = error;
    ring(connection);
}

/* ---- the thread: each step in the core lock ---- */

static bool begin(struct connection *connection, const ip_addr_t *address, uint16_t port)
{
    if (!stack_enter())
        return false;
    connection->tcp = tcp_new();
    if (connection->tcp != NULL) {
        tcp_arg(connection->tcp, connection);
        tcp_recv(connection->tcp, on_received);
        tcp_sent(connection->tcp, on_sent);
        tcp_err(connection->tcp, on_error);
        tcp_nagle_disable(connection->tcp);
        if (tcp_connect(connection->tcp, address, port, on_connected) != ERR_OK) {
            tcp_abort(connection->tcp); /* calls on_error */
        }
    }
    stack_leave();
    return connection->tcp != NULL;
}

static void fetch_received(struct connection *connection)
{
    if (connection->giving == NULL) {
        connection->giving = connection->received;
        connection->given = 0;
        connection->received = NULL;
    }
}

static void pass_to_peer(struct connection *connection)
{
    struct tcp_pcb *tcp = connection->tcp;
    size_t room, length;

    if (tcp == NULL)
        return;
    room = tcp_sndbuf(tcp);
    length = connection->chunk_length < room ? connection->chunk_length : room;
    if (length != 0 &&
        tcp_write(tcp, connection->chunk, (u16_t)length, TCP_WRITE_FLAG_COPY) == ERR_OK) {
        connection->chunk_length -= length;
        memmove(connection->chunk, connection->chunk + length, connection->chunk_length);
        tcp_output(tcp);
    }
    if (connection->client_ended && connection->chunk_length == 0 && !connection->end_passed_on &&
        tcp_shutdown(tcp, 0, 1) == ERR_OK)
        connection->end_passed_on = true;
}

static void finish(struct connection *connection)
{
    LOCK_TCPIP_CORE();
    if (connection->tcp != NULL) {
        tcp_arg(connection->tcp, NULL);
        tcp_recv(connection->tcp, NULL);
        tcp_sent(connection->tcp, NULL);
        tcp_err(connection->tcp, NULL);
        if (tcp_close(connection->tcp) != ERR_OK)
            tcp_abort(connection->tcp);
    }
    if (connection->received != NULL)
        pbuf_free(connection->received);
    if (connection->giving != NULL)
        pbuf_free(connection->giving);
    UNLOCK_TCPIP_CORE();
}

/* ---- the thread: the client's side ---- */

/* Gives the client what it takes now; false: it is gone. */
static bool give(struct connection *connection)
{
    struct pbuf *part = connection->giving;
    size_t skip = connection->given, before = connection->given;

    while (part != NULL && skip >= part->len) {
        skip -= part->len;
        part = part->next;
    }
    for (; part != NULL; part = part->next, skip = 0) {
        ssize_t sent = send(connection->client, (const uint8_t *)part->payload + skip,
                            part->len - skip, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (sent > 0)
            connection->given += (size_t)sent;
        if (sent < (ssize_t)(part->len - skip))
            break;
    }
    LOCK_TCPIP_CORE();
    if (connection->tcp != NULL && connection->given != before)
        tcp_recved(connection->tcp, (u16_t)(connection->given - before));
    if (connection->given == connection->giving->tot_len) {
        pbuf_free(connection->giving);
        connection->giving = NULL;
    }
    UNLOCK_TCPIP_CORE();
    return true;
}

static void take(struct connection *connection)
{
    ssize_t got = recv(connection->client, connection->chunk + connection->chunk_length,
                       CHUNK - connection->chunk_length, MSG_DONTWAIT);

    if (got > 0)
        connection->chunk_length += (size_t)got;
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        connection->client_ended = true;
}

/* Waits until something can be done. */
static void wait_for_work(struct connection *connection, int milliseconds)
{
    bool room =
        connection->connected && !connection->client_ended && connection->chunk_length < CHUNK;
    struct pollfd polled[] = {
        { .fd = connection->event, .events = POLLIN },
        { .fd = connection->client,
          .events = (short)((room ? POLLIN : 0) | (connection->giving != NULL ? POLLOUT : 0)) },
    };
    uint64_t count;

    if (polled[1].events == 0)
        polled[1].fd = -1; /* its end alone is no work */
    if (poll(polled, 2, milliseconds) <= 0)
        return;
    if (polled[0].revents != 0)
        (void)!read(connection->event, &count, sizeof count);
    if ((polled[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && room)
        take(connection);
}

static void join_ends(struct connection *connection)
{
    bool over = false;

    while (!over) {
        LOCK_TCPIP_CORE();
        fetch_received(connection);
        pass_to_peer(connection);
        over = connection->giving == NULL && (connection->peer_ended || connection->tcp == NULL);
        UNLOCK_TCPIP_CORE();
        if (connection->giving != NULL) {
            if (!give(connection))
                return;
            if (connection->giving == NULL)
                continue; /* more may have been received meanwhile, and nobody rings for it again */
        }
        if (!over)
            wait_for_work(connection, -1);
    }
}

static bool wait_for_peer(struct connection *connection)
{
    bool waiting = true;

    for (int rounds = 0; rounds < 2 && waiting; rounds++) {
        LOCK_TCPIP_CORE();
        waiting = !connection->connected && connection->tcp != NULL;
        UNLOCK_TCPIP_CORE();
        if (waiting)
            wait_for_work(connection, CONNECT_MS);
    }
    return connection->connected && connection->tcp != NULL;
}

void stack_connect(int socket, const ip_addr_t *address, uint16_t port)
{
    struct connection connection = { .client = socket,
                                     .event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
    char text[IPADDR_STRLEN_MAX];

    ipaddr_ntoa_r(address, text, sizeof text);
    if (connection.event >= 0 && begin(&connection, address, port)) {
        if (wait_for_peer(&connection)) {
            if (stack_answer(socket, "ok\n", 3))
                join_ends(&connection);
        } else {
            stack_refuse(socket, "%s port %u %s", text, port,
                         connection.error == ERR_RST ? "refuses the connection"
                                                     : "does not answer");
        }
    } else {
        stack_refuse(socket, "no connection to %s port %u: no memory, or no way there", text, port);
    }
    finish(&connection);
    if (connection.event >= 0)
        close(connection.event);
}
