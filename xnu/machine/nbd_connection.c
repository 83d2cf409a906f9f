/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One NBD client: its thread reads requests and starts them; replies are queued by whoever ends
 * them.
 *
 * The thread waits on an epoll descriptor that holds the socket and an event descriptor. It does
 * not read while too much is in flight. The connection lives until its thread and all its jobs are
 * done with it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "xnu/machine/log.h"
#include "xnu/machine/machine_private.h"
#include "xnu/machine/nbd_private.h"

enum {
    STAGING_SIZE = 256 << 10,        /* requests and small payloads are read in one go */
    JOBS_MAX = 256,                  /* in flight */
    BYTES_MAX = 64 << 20,            /* of their data */
    VECTORS_MAX = 128,               /* of one sendmsg */
    REPLIES_LEFT_MAX = 32,           /* to the end of a burst; more are work enough for a client */
    POLL_NS = 40000,                 /* an answer out of the page cache takes no longer */
    POLL_JOBS = 4,                   /* with more in flight something else is always to be done */
    POLL_PAUSE_MAX = 64,             /* waits without polling after polls in vain */
    LOOKS_MAX = 8,                   /* with more in flight: looks in vain before a wait */
    FEW_WAITS = 1024,                /* in a row with few in flight: this client has no more */
};

struct nbd_connection_io {
    struct nbd_server *server;
    struct nbd_connection_io *next;  /* in the server's list */
    struct nbd_connection protocol;
    int socket, epoll, event;
    uint8_t *staging;
    size_t first, last;              /* the bytes of `staging` that are not used yet */
    unsigned poll_pause, poll_failures;
    bool patient;                    /* lets the client finish asking */
    unsigned few_waits;              /* in a row */
    unsigned looks;                  /* in vain, since something was there */
    bool drained;                    /* the socket gave less than asked for: wait, then read */

    pthread_mutex_t lock;            /* guards what follows */
    struct nbd_job *replies, *last_reply;
    unsigned queued;                 /* replies */
    struct nbd_job *free_jobs;
    unsigned jobs;                   /* in flight */
    size_t bytes;
    bool waiting;                    /* the thread is in, or on its way to, its wait */
    bool stalled;                    /* ... because too much is in flight */
    bool want_write;                 /* the socket is full */
    bool closing;                    /* no more requests: only the replies in flight are left */
    bool broken;                     /* nothing can be sent any more */
    bool left;                       /* a thread sends the replies at the end of its burst */
    unsigned bursts;                 /* whose end still needs the connection */
    bool event_set;                  /* `event` is readable */
};

/* What the thread waits for. */
enum wait_reason {
    WAIT_REQUEST,
    WAIT_PAYLOAD,                    /* of a request that has begun: always read on */
    WAIT_JOBS,                       /* to end */
};

struct nbd_connection_io *nbd_connection_next(struct nbd_connection_io *connection)
{
    return connection->next;
}

void nbd_connection_shut_down(struct nbd_connection_io *connection)
{
    shutdown(connection->socket, SHUT_RDWR);
}

/* ---- replies, with the lock held ------------------------------------------------------------- */

/* Bytes of guest memory that a request takes. */
static size_t job_bytes(const struct nbd_request *request)
{
    bool has_data = request->command == NBD_CMD_READ || request->command == NBD_CMD_WRITE;

    return has_data && request->error == NBD_SUCCESS ? request->length : 0;
}

static size_t data_length(const struct nbd_job *job)
{
    return job->request.command == NBD_CMD_READ && job->error == NBD_SUCCESS ? job->request.length
                                                                             : 0;
}

static size_t total_length(const struct nbd_job *job)
{
    return job->reply_length + data_length(job);
}

static size_t add_vectors(const struct nbd_job *job, struct iovec *vectors)
{
    size_t count = 0, sent = job->sent;

    if (sent < job->reply_length) {
        vectors[count++] = (struct iovec){ (void *)(job->reply + sent), job->reply_length - sent };
        sent = job->reply_length;
    }
    size_t done = sent - job->reply_length;
    if (done < data_length(job))
        vectors[count++] = (struct iovec){ (uint8_t *)job->data + done, data_length(job) - done };
    return count;
}

/* Data that a request has moved, either way. */
static size_t moved_length(const struct nbd_job *job)
{
    return job->error == NBD_SUCCESS ? job_bytes(&job->request) : 0;
}

static void count_copied(size_t bytes)
{
    count_many(&machine_counters.nbd_bytes_copied, bytes);
}

/* Puts finished jobs on `*finished`: their buffers are given back without the lock. */
static void account_sent(struct nbd_connection_io *c, size_t sent, struct nbd_job **finished)
{
    size_t moved = 0;

    while (c->replies) {
        struct nbd_job *job = c->replies;
        size_t rest = total_length(job) - job->sent;
        if (sent < rest) {
            job->sent += sent;
            break;
        }
        sent -= rest;
        c->replies = job->next;
        c->queued--;
        if (!c->replies)
            c->last_reply = NULL;
        job->next = *finished;
        *finished = job;
        moved += moved_length(job);
    }
    if (!c->broken)
        count_many(&machine_counters.nbd_bytes_moved, moved);
}

static void update_interest(struct nbd_connection_io *c)
{
    struct epoll_event interest = {
        .events = (c->stalled ? 0u : EPOLLIN) | (c->want_write ? EPOLLOUT : 0u),
        .data.fd = c->socket,
    };

    epoll_ctl(c->epoll, EPOLL_CTL_MOD, c->socket, &interest);
}

/* Sends as much as the socket takes. */
static void send_replies(struct nbd_connection_io *c, struct nbd_job **finished)
{
    while (c->replies && !c->broken) {
        struct iovec vectors[VECTORS_MAX];
        struct msghdr message = { .msg_iov = vectors };
        for (struct nbd_job *job = c->replies; job && message.msg_iovlen + 2 <= VECTORS_MAX;
             job = job->next)
            message.msg_iovlen += add_vectors(job, vectors + message.msg_iovlen);
        ssize_t sent = sendmsg(c->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN && !c->closing) {
            if (!c->want_write) {
                c->want_write = true;
                update_interest(c);
            }
            return;
        }
        if (sent < 0) {
            c->broken = true;
            shutdown(c->socket, SHUT_RDWR);
            break;
        }
        count_copied((size_t)sent);
        account_sent(c, (size_t)sent, finished);
    }
    while (c->broken && c->replies)
        account_sent(c, SIZE_MAX, finished);
    if (c->want_write) {
        c->want_write = false;
        update_interest(c);
    }
}

/* With the lock held. */
static void wake_thread(struct nbd_connection_io *c)
{
    uint64_t one = 1;

    /* Cannot fail but for a full counter, and then the thread is awake as it is. */
    c->event_set = write(c->event, &one, sizeof one) > 0 || c->event_set;
}

/* Gives the buffers of jobs back and lets the thread go on if it was held up by them. With the last
 * job the connection may be gone as soon as the lock is. */
static void finish_jobs(struct nbd_connection_io *c, struct nbd_job *finished)
{
    while (finished) {
        struct nbd_job *job = finished;
        finished = job->next;
        c->server->operations->finish(c->server->context, job);
        pthread_mutex_lock(&c->lock);
        c->jobs--;
        c->bytes -= job_bytes(&job->request);
        job->next = c->free_jobs;
        c->free_jobs = job;
        if (c->stalled || c->closing)
            wake_thread(c);
        pthread_mutex_unlock(&c->lock);
    }
}

static void queue_reply(struct nbd_connection_io *c, struct nbd_job *job)
{
    job->next = NULL;
    if (c->last_reply)
        c->last_reply->next = job;
    else
        c->replies = job;
    c->last_reply = job;
    c->queued++;
}

/* The end of a thread's burst. With its last step the connection may be gone. */
static void burst_ended(void *context)
{
    struct nbd_connection_io *c = context;
    struct nbd_job *finished = NULL;

    pthread_mutex_lock(&c->lock);
    c->left = false;
    if (c->waiting && !c->want_write)
        send_replies(c, &finished);
    pthread_mutex_unlock(&c->lock);
    finish_jobs(c, finished);
    pthread_mutex_lock(&c->lock);
    c->bursts--;
    if (c->closing)
        wake_thread(c);
    pthread_mutex_unlock(&c->lock);
}

/* True: a burst is going on, at whose end the replies are sent together. With the lock held. */
static bool left_to_burst(struct nbd_connection_io *c)
{
    if (!c->left && machine_leave_to_burst_end(burst_ended, c)) {
        c->left = true;
        c->bursts++;
    }
    return c->left && c->queued < REPLIES_LEFT_MAX;
}

void nbd_server_complete(struct nbd_job *job, uint32_t error)
{
    struct nbd_connection_io *c = job->connection;
    struct nbd_job *finished = NULL;

    job->error = error;
    job->sent = 0;
    job->reply_length = nbd_reply(&c->protocol, &job->request, error, job->reply);
    pthread_mutex_lock(&c->lock);
    queue_reply(c, job);
    if (c->waiting && !c->want_write && !left_to_burst(c))
        send_replies(c, &finished);
    pthread_mutex_unlock(&c->lock);
    if (finished)
        finish_jobs(c, finished);
}

/* ---- the thread: waiting --------------------------------------------------------------------- */

/* With the lock held. */
static void clear_event(struct nbd_connection_io *c)
{
    uint64_t count;

    if (c->event_set && read(c->event, &count, sizeof count) == sizeof count)
        c->event_set = false;
}

/* By jobs in flight or threads that still have its replies to send. */
static bool is_needed(const struct nbd_connection_io *c)
{
    return c->jobs != 0 || c->bursts != 0;
}

static bool too_much(const struct nbd_connection_io *c)
{
    return c->jobs >= JOBS_MAX || c->bytes >= BYTES_MAX;
}

/* Sends what has gathered. */
static void flush_replies(struct nbd_connection_io *c)
{
    struct nbd_job *finished = NULL;

    pthread_mutex_lock(&c->lock);
    if (!c->want_write)
        send_replies(c, &finished);
    pthread_mutex_unlock(&c->lock);
    finish_jobs(c, finished);
}

/* With few requests in flight every wake-up counts: looks for their interrupt for a while, less and
 * less often if it does not come. */
static void poll_for_interrupt(struct nbd_connection_io *c)
{
    if (c->poll_pause != 0) {
        c->poll_pause--;
    } else if (machine_poll_interrupts(POLL_NS)) {
        c->poll_failures = 0;
    } else {
        c->poll_failures = c->poll_failures == 0 ? 1 : c->poll_failures * 2;
        if (c->poll_failures > POLL_PAUSE_MAX)
            c->poll_failures = POLL_PAUSE_MAX;
        c->poll_pause = c->poll_failures;
    }
}

/* A client with many requests in flight has more to ask when it wakes the thread up. One with few
 * waits for the answer, and it is others who would have the processor meanwhile. Served one at a
 * time, a client with many looks like one with few: so it is called that only after a long time. */
static void choose_policy(struct nbd_connection_io *c, bool many)
{
    c->few_waits = many ? 0 : c->few_waits + 1;
    if (many != c->patient && (many || c->few_waits >= FEW_WAITS)) {
        c->patient = many;
        machine_thread_let_clients_finish(many);
    }
}

/* Sends what has gathered and sleeps until there is something to do. */
static void wait_for_work(struct nbd_connection_io *c, enum wait_reason reason)
{
    struct nbd_job *finished = NULL;

    pthread_mutex_lock(&c->lock);
    send_replies(c, &finished);
    bool stall = reason == WAIT_REQUEST && too_much(c);
    if (stall != c->stalled) {
        c->stalled = stall;
        update_interest(c);
    }
    bool idle = !finished && (reason != WAIT_JOBS || is_needed(c));
    bool many = c->jobs > POLL_JOBS;
    bool poll = idle && reason == WAIT_REQUEST && c->jobs != 0 && !many;
    c->waiting = idle;
    pthread_mutex_unlock(&c->lock);
    finish_jobs(c, finished);
    if (!idle)
        return;
    if (reason == WAIT_REQUEST)
        choose_policy(c, many);
    if (poll)
        poll_for_interrupt(c);
    /* With many in flight the next request or answer is about to come. A socket that has been hung
     * up is always ready: do not look at it when only jobs matter. */
    if (reason != WAIT_REQUEST || !many || !machine_look_around(&c->looks, LOOKS_MAX))
        machine_poll(reason == WAIT_JOBS ? c->event : c->epoll, false, MACHINE_NEVER, false);
    pthread_mutex_lock(&c->lock);
    c->waiting = false;
    clear_event(c);
    pthread_mutex_unlock(&c->lock);
}

/* ---- the thread: reading --------------------------------------------------------------------- */

/* More bytes into the staging buffer: 1 some came, 0 none at the moment, -1 the end. */
static int read_more(struct nbd_connection_io *c)
{
    if (c->first == c->last)
        c->first = c->last = 0;
    if (c->last == STAGING_SIZE) {
        memmove(c->staging, c->staging + c->first, c->last - c->first);
        count_copied(c->last - c->first);
        c->last -= c->first;
        c->first = 0;
    }
    for (;;) {
        ssize_t got = recv(c->socket, c->staging + c->last, STAGING_SIZE - c->last, MSG_DONTWAIT);
        if (got > 0) {
            c->last += (size_t)got;
            c->looks = 0;
            count_copied((size_t)got);
            c->drained = c->last < STAGING_SIZE;
            return 1;
        }
        if (got < 0 && errno == EINTR)
            continue;
        return got < 0 && errno == EAGAIN ? 0 : -1;
    }
}

/* Exactly `size` bytes, from the staging buffer first, the rest straight to where they belong;
 * NULL: they are thrown away. */
static bool read_exactly(struct nbd_connection_io *c, uint8_t *to, size_t size)
{
    uint8_t waste[4096];

    while (size != 0) {
        size_t staged = c->last - c->first;
        if (staged != 0) {
            size_t part = staged < size ? staged : size;
            if (to) {
                memcpy(to, c->staging + c->first, part);
                count_copied(part);
            }
            c->first += part;
            size -= part;
            to = to ? to + part : NULL;
            continue;
        }
        size_t room = to ? size : size < sizeof waste ? size : sizeof waste;
        ssize_t got = recv(c->socket, to ? to : waste, room, MSG_DONTWAIT);
        if (got > 0) {
            count_copied((size_t)got);
            size -= (size_t)got;
            to = to ? to + got : NULL;
        } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            return false;
        } else if (errno == EAGAIN) {
            wait_for_work(c, WAIT_PAYLOAD);
        }
    }
    return true;
}

/* ---- the thread: requests -------------------------------------------------------------------- */

static struct nbd_job *job_get(struct nbd_connection_io *c, const struct nbd_request *request)
{
    pthread_mutex_lock(&c->lock);
    struct nbd_job *job = c->free_jobs;
    if (job)
        c->free_jobs = job->next;
    c->jobs++;
    c->bytes += job_bytes(request);
    pthread_mutex_unlock(&c->lock);
    if (!job)
        job = malloc(sizeof *job);
    if (job) {
        job->request = *request;
        job->connection = c;
        job->data = NULL;
        job->buffer = NULL;
    }
    return job;
}

/* False: the stream cannot be used any more. */
static bool start_request(struct nbd_connection_io *c, struct nbd_request *request)
{
    if (request->error != NBD_SUCCESS || request->command == NBD_CMD_FLUSH)
        request->length = request->command == NBD_CMD_READ ? request->length : 0;
    struct nbd_job *job = job_get(c, request);
    if (!job)
        return false;
    bool ready = request->error == NBD_SUCCESS &&
                 c->server->operations->prepare(c->server->context, job);
    if (request->payload != 0 && !read_exactly(c, ready ? job->data : NULL, request->payload)) {
        pthread_mutex_lock(&c->lock);
        c->broken = true;
        pthread_mutex_unlock(&c->lock);
        nbd_server_complete(job, NBD_ESHUTDOWN);
        return false;
    }
    if (ready)
        c->server->operations->submit(c->server->context, job);
    else
        nbd_server_complete(job, request->error != NBD_SUCCESS ? request->error : NBD_ENOMEM);
    return true;
}

/* Handles the requests that are in the staging buffer. False: the client has gone or talks
 * nonsense. */
static bool handle_requests(struct nbd_connection_io *c)
{
    while (c->last - c->first >= NBD_REQUEST_SIZE) {
        struct nbd_request request;
        pthread_mutex_lock(&c->lock);
        bool wait = too_much(c) || c->broken;
        bool broken = c->broken;
        pthread_mutex_unlock(&c->lock);
        if (broken)
            return false;
        if (wait) {
            wait_for_work(c, WAIT_REQUEST);
            continue;
        }
        if (nbd_request_parse(&c->protocol, c->staging + c->first, &request) != 0)
            return false;
        c->first += NBD_REQUEST_SIZE;
        if (request.command == NBD_CMD_DISC || !start_request(c, &request))
            return false;
    }
    return true;
}

static bool send_handshake(struct nbd_connection_io *c)
{
    while (c->protocol.output_length != 0) {
        ssize_t sent = send(c->socket, c->protocol.output, c->protocol.output_length,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0)
            nbd_output_sent(&c->protocol, (size_t)sent);
        else if (errno == EAGAIN)
            machine_poll(c->socket, true, MACHINE_NEVER, false);
        else if (errno != EINTR)
            return false;
    }
    return true;
}

static bool handle_input(struct nbd_connection_io *c)
{
    while (c->protocol.phase < NBD_PHASE_TRANSMISSION && c->first < c->last) {
        c->first += nbd_handshake_input(&c->protocol, c->staging + c->first, c->last - c->first);
        if (!send_handshake(c))
            return false;
    }
    if (c->protocol.phase == NBD_PHASE_CLOSED)
        return false;
    return c->protocol.phase != NBD_PHASE_TRANSMISSION || handle_requests(c);
}

static void serve(struct nbd_connection_io *c)
{
    if (!send_handshake(c))
        return;
    for (;;) {
        int more = read_more(c);
        if (more < 0 || (more > 0 && !handle_input(c)))
            return;
        if (more == 0 || c->drained)
            wait_for_work(c, WAIT_REQUEST);
        else
            flush_replies(c);
    }
}

/* ---- life ----------------------------------------------------------------------------------- */

static void wait_for_jobs(struct nbd_connection_io *c)
{
    for (;;) {
        pthread_mutex_lock(&c->lock);
        c->closing = true;
        bool none = !is_needed(c);
        pthread_mutex_unlock(&c->lock);
        if (none)
            return;
        wait_for_work(c, WAIT_JOBS);
    }
}

static void unlist(struct nbd_connection_io *c)
{
    struct nbd_server *server = c->server;

    pthread_mutex_lock(&server->lock);
    struct nbd_connection_io **link = &server->connections;
    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
    close(c->socket);                    /* not before: the server may shut it down */
    pthread_mutex_unlock(&server->lock);
}

static void destroy(struct nbd_connection_io *c)
{
    while (c->free_jobs) {
        struct nbd_job *job = c->free_jobs;
        c->free_jobs = job->next;
        free(job);
    }
    close(c->epoll);
    close(c->event);
    pthread_mutex_destroy(&c->lock);
    free(c->staging);
    free(c);
}

static void connection_thread(void *argument)
{
    struct nbd_connection_io *c = argument;
    struct nbd_server *server = c->server;

    serve(c);
    wait_for_jobs(c);
    unlist(c);
    destroy(c);
    pthread_mutex_lock(&server->lock);
    server->count--;                     /* the last touch of the server */
    pthread_mutex_unlock(&server->lock);
}

static bool set_up(struct nbd_connection_io *c)
{
    struct epoll_event interest = { .events = EPOLLIN, .data.fd = c->socket };
    struct epoll_event event = { .events = EPOLLIN };

    c->staging = malloc(STAGING_SIZE);
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    c->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    event.data.fd = c->event;
    return c->staging && c->epoll >= 0 && c->event >= 0 &&
           epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->socket, &interest) == 0 &&
           epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->event, &event) == 0;
}

static void give_up(struct nbd_connection_io *c)
{
    machine_log("NBD: no memory for a client of %s", c->server->export->name);
    close(c->socket);
    destroy(c);
}

void nbd_connection_start(struct nbd_server *server, int descriptor)
{
    struct nbd_connection_io *c = calloc(1, sizeof *c);
    int size = 4 << 20;

    if (!c) {
        close(descriptor);
        return;
    }
    c->server = server;
    c->socket = descriptor;
    pthread_mutex_init(&c->lock, NULL);
    /* Best effort: fewer, larger pieces. */
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (!set_up(c)) {
        give_up(c);
        return;
    }
    nbd_connection_init(&c->protocol, server->export);
    pthread_mutex_lock(&server->lock);
    c->next = server->connections;
    server->connections = c;
    server->count++;
    pthread_mutex_unlock(&server->lock);
    struct machine_thread *thread = machine_thread_start("nbd client", connection_thread, c);
    if (thread) {
        machine_thread_release(thread);
        return;
    }
    pthread_mutex_lock(&server->lock);
    server->connections = c->next;
    server->count--;
    pthread_mutex_unlock(&server->lock);
    give_up(c);
}
