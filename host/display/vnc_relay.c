/* SPDX-License-Identifier: BSD-3-Clause */
/* Two sockets, and what is on its way between them. */
#include "host/display/vnc_relay.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM_FIRST = 1 << 20, PAIR_BYTES = 4 << 20 };

/* Bytes from one socket that the other has not taken yet. */
struct stream {
    int from, to;
    uint8_t *bytes;
    size_t start, count, room;
    bool ended;  /* nothing more comes from `from` */
    bool broken; /* `to` takes nothing any more */
};

struct relay {
    struct vnc_relays *relays;
    struct stream out, in; /* to the viewer, from it */
};

static bool make_room(struct stream *stream)
{
    if (stream->start > 0) {
        memmove(stream->bytes, stream->bytes + stream->start, stream->count);
        stream->start = 0;
    }
    if (stream->count < stream->room) {
        return true;
    }
    const size_t room = stream->room == 0 ? ROOM_FIRST : stream->room * 2;
    uint8_t *bytes = room <= VNC_RELAY_BYTES_MAX ? realloc(stream->bytes, room) : NULL;
    if (bytes == NULL) {
        return false;
    }
    stream->bytes = bytes;
    stream->room = room;
    return true;
}

static bool is_transient(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* False: too much is on its way. */
static bool take(struct stream *stream)
{
    if (stream->start + stream->count == stream->room && !make_room(stream)) {
        return false;
    }
    uint8_t *end = stream->bytes + stream->start + stream->count;
    const ssize_t size = recv(stream->from, end, stream->room - stream->start - stream->count,
                              MSG_DONTWAIT);
    if (size > 0 && !stream->broken) {
        stream->count += (size_t)size;
    }
    stream->ended = size == 0 || (size < 0 && !is_transient());
    return true;
}

static void give(struct stream *stream)
{
    const ssize_t size = send(stream->to, stream->bytes + stream->start, stream->count,
                              MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size >= 0) {
        stream->start = (size_t)size == stream->count ? 0 : stream->start + (size_t)size;
        stream->count -= (size_t)size;
    } else if (!is_transient()) {
        stream->broken = true;
        stream->count = stream->start = 0;
    }
}

static short events_of(const struct stream *reads, const struct stream *writes)
{
    return (short)((reads->ended ? 0 : POLLIN) | (writes->count > 0 ? POLLOUT : 0));
}

static bool move(struct stream *stream, const struct pollfd *from, const struct pollfd *to)
{
    if (stream->count > 0 && (to->revents & (POLLOUT | POLLERR)) != 0) {
        give(stream);
    }
    return stream->ended || (from->revents & (POLLIN | POLLHUP | POLLERR)) == 0 || take(stream);
}

/*
 * Until the library closes its end, or the viewer leaves too much unread. What a viewer said before
 * it went still reaches the library, and then the news that it has gone. Nothing of it comes before
 * the library has spoken, as the protocol has it: the library peeks at what a new viewer says, and
 * never ends when that is less than four bytes.
 */
static void run(struct relay *relay)
{
    struct stream *out = &relay->out, *in = &relay->in;
    bool greeted = false, told = false;
    while (!out->ended && !in->broken) {
        struct pollfd ends[] = {{out->from, events_of(out, in), 0},
                                {out->to, events_of(in, out), 0}};
        if (!greeted) {
            ends[1].events = 0;
        }
        if (ends[1].events == 0) {
            ends[1].fd = -1; /* that it hangs up is no news, or comes too early */
        }
        if (poll(ends, 2, -1) < 0 && errno != EINTR) {
            return;
        }
        if (!move(out, &ends[0], &ends[1]) || (greeted && !move(in, &ends[1], &ends[0]))) {
            return;
        }
        greeted = greeted || out->count > 0;
        if (in->ended && in->count == 0 && !told) {
            told = true;
            shutdown(in->to, SHUT_WR);
        }
    }
}

static void *relay_main(void *argument)
{
    struct relay *relay = argument;
    struct vnc_relays *relays = relay->relays;
    run(relay);
    close(relay->out.from);
    close(relay->out.to);
    free(relay->out.bytes);
    free(relay->in.bytes);
    free(relay);
    pthread_mutex_lock(&relays->lock);
    relays->count--;
    pthread_cond_signal(&relays->ended);
    pthread_mutex_unlock(&relays->lock);
    return NULL;
}

void vnc_relays_open(struct vnc_relays *relays)
{
    pthread_mutex_init(&relays->lock, NULL);
    pthread_cond_init(&relays->ended, NULL);
    relays->count = 0;
}

void vnc_relays_close(struct vnc_relays *relays)
{
    pthread_mutex_lock(&relays->lock);
    while (relays->count > 0) {
        pthread_cond_wait(&relays->ended, &relays->lock);
    }
    pthread_mutex_unlock(&relays->lock);
    pthread_cond_destroy(&relays->ended);
    pthread_mutex_destroy(&relays->lock);
}

static int start_thread(struct vnc_relays *relays, struct relay *relay)
{
    pthread_t thread;
    pthread_mutex_lock(&relays->lock);
    relays->count++;
    int result = -pthread_create(&thread, NULL, relay_main, relay);
    relays->count -= result != 0;
    pthread_mutex_unlock(&relays->lock);
    if (result == 0) {
        pthread_detach(thread);
    }
    return result;
}

int vnc_relay_start(struct vnc_relays *relays, int viewer)
{
    int pair[2];
    const int bytes = PAIR_BYTES;
    struct relay *relay = calloc(1, sizeof(*relay));
    if (relay == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        const int error = relay == NULL ? -ENOMEM : -errno;
        free(relay);
        close(viewer);
        return error;
    }
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)); /* as much as one may */
    relay->relays = relays;
    relay->out = (struct stream){.from = pair[1], .to = viewer};
    relay->in = (struct stream){.from = viewer, .to = pair[1]};
    int result = start_thread(relays, relay);
    if (result != 0) {
        free(relay);
        close(viewer);
        close(pair[0]);
        close(pair[1]);
        return result;
    }
    return pair[0];
}
