/* SPDX-License-Identifier: BSD-3-Clause */
/* The control connection: HELLO, RAM, START, POWER, GOODBYE from the monitor; MAP, UNMAP, TRAP,
 * POWER and GOODBYE to it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/server/partition_internal.h"

/* ---- From the monitor ---- */

static int send_hello_reply(struct partition_server *server, const struct partition_hello *hello,
                            int status)
{
    int descriptors[PARTITION_DESCRIPTORS_MAX];
    unsigned count = 0;
    struct partition_hello_reply reply = {
        .header = {PARTITION_HELLO | PARTITION_REPLY, sizeof(reply), hello->header.cookie},
        .version = PARTITION_VERSION,
        .status = status,
    };
    if (status == 0) {
        reply.signal_base = server->settings.signal_base;
        reply.signal_count = server->settings.signal_count;
        reply.generation = server->settings.generation;
        reply.boot_screen = (hello->flags & PARTITION_HELLO_BOOT_SCREEN) != 0
                                ? server->settings.boot_screen
                                : 0;
        descriptors[count++] = server->page_file;
        for (uint32_t i = 0; i < server->processor_count; i++) {
            descriptors[count++] = server->interrupt_events[i];
        }
        descriptors[count++] = server->signal_event;
    }
    return partition_send(server->control.socket, &reply, sizeof(reply), descriptors, count);
}

static const char *refuse_hello(const struct partition_hello *hello)
{
    if (hello->version != PARTITION_VERSION) {
        return "HELLO: this host speaks version 1 of the protocol";
    }
    if (hello->processors == 0 || hello->processors > PARTITION_PROCESSORS_MAX) {
        return "HELLO: there are 1 to 240 processors";
    }
    if (hello->guest_mode != PARTITION_GUEST_MODE_32 &&
        hello->guest_mode != PARTITION_GUEST_MODE_64) {
        return "HELLO: the guest mode is 32 or 64";
    }
    if ((hello->flags & ~PARTITION_HELLO_FLAGS_ALL) != 0) {
        return "HELLO: unknown flags";
    }
    return NULL;
}

void partition_hello(struct partition_server *server, const struct partition_hello *hello)
{
    const char *refusal = refuse_hello(hello);
    if (refusal != NULL) {
        partition_fail(server, hello->version != PARTITION_VERSION ? -EPROTONOSUPPORT : -EINVAL,
                       "%s", refusal);
        return;
    }
    server->greeted = true;
    server->processor_count = hello->processors;
    server->guest_mode = hello->guest_mode;
    server->flags = hello->flags;
    int status = partition_pages_open(server);
    if (status == 0) {
        server->signals.socket = server->signal_event;
        status = partition_watch(server, &server->signals);
    }
    if (status == 0) {
        status = server->operations->hello(server->context, hello);
    }
    int error = send_hello_reply(server, hello, status);
    if (status != 0) {
        partition_fail(server, status, "HELLO: the machine cannot be made: %s", strerror(-status));
    } else if (error != 0) {
        partition_fail(server, error, "HELLO: the reply cannot be sent: %s", strerror(-error));
    }
}

static int map_ram(struct partition_server *server, const struct partition_ram *ram,
                   int descriptor)
{
    struct stat status;
    if (((ram->gpa | ram->size | ram->file_offset) & (PARTITION_PAGE_SIZE - 1)) != 0 ||
        ram->size == 0 || ram->gpa + ram->size < ram->gpa ||
        fstat(descriptor, &status) != 0 || status.st_size < 0 ||
        ram->file_offset > (uint64_t)status.st_size ||
        ram->size > (uint64_t)status.st_size - ram->file_offset) {
        return -EINVAL;
    }
    if (server->ram_count == PARTITION_RAM_RANGES_MAX) {
        return -ENOSPC;
    }
    void *host = mmap(NULL, ram->size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor,
                      (off_t)ram->file_offset);
    if (host == MAP_FAILED) {
        return -errno;
    }
    int result = server->operations->ram(server->context, ram->gpa, ram->size, host);
    if (result != 0) {
        munmap(host, ram->size);
        return result;
    }
    server->ram[server->ram_count++] = (struct partition_ram_mapping){host, ram->gpa, ram->size};
    server->ram_bytes += ram->size;
    return 0;
}

static void take_ram(struct partition_server *server, const struct partition_ram *ram,
                     int descriptor)
{
    if (server->started) {
        partition_fail(server, -EBUSY, "RAM: it is given before START");
        return;
    }
    int result = map_ram(server, ram, descriptor);
    if (result != 0) {
        partition_fail(server, result, "RAM: range %#llx+%#llx at %#llx of its file: %s",
                       (unsigned long long)ram->gpa, (unsigned long long)ram->size,
                       (unsigned long long)ram->file_offset, strerror(-result));
    }
}

static void answer_start(struct partition_server *server, const struct partition_header *header,
                         int status)
{
    const struct partition_status_reply reply = {
        .header = {PARTITION_START | PARTITION_REPLY, sizeof(reply), header->cookie},
        .status = status,
    };
    if ((server->flags & PARTITION_HELLO_BARE) != 0 && !server->ended) {
        partition_send(server->control.socket, &reply, sizeof(reply), NULL, 0);
    }
}

static void take_start(struct partition_server *server, const struct partition_header *header)
{
    if (server->started) {
        partition_fail(server, -EBUSY, "START: it has started already");
    } else if (server->attached_count != server->processor_count) {
        partition_fail(server, -EINVAL, "START: %u of %u processors are attached",
                       server->attached_count, server->processor_count);
    } else if (server->ram_count == 0) {
        partition_fail(server, -EINVAL, "START: the guest has no RAM");
    } else {
        server->started = true;
        answer_start(server, header, server->operations->start(server->context));
    }
}

static void take_power(struct partition_server *server, const struct partition_power *power)
{
    uint64_t crash[PARTITION_CRASH_PARAMETERS];
    if (power->what > PARTITION_POWER_CRASHED) {
        partition_fail(server, -EINVAL, "POWER: unknown kind %u", power->what);
        return;
    }
    memcpy(crash, power->crash, sizeof(crash));
    server->operations->power(server->context, power->what, crash);
}

static void take_goodbye(struct partition_server *server, const struct partition_goodbye *goodbye,
                         int size)
{
    char text[PARTITION_TEXT_MAX + 1];
    size_t length = (size_t)size - sizeof(*goodbye);
    if (length > PARTITION_TEXT_MAX) {
        length = PARTITION_TEXT_MAX;
    }
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)goodbye->text[i];
        text[i] = c >= ' ' && c < 0x7f ? (char)c : '?'; /* it goes into logs */
    }
    text[length] = '\0';
    partition_end(server, PARTITION_END_GOODBYE, goodbye->status, text);
}

void partition_settle(struct partition_pending *pending, int status,
                      const struct partition_watch_reply *watched)
{
    uint64_t written[PARTITION_WATCH_BLOCKS_MAX / 64] = {0};
    if (pending->watched == NULL) {
        pending->done(pending->context, status);
        return;
    }
    if (watched != NULL) {
        memcpy(written, watched->written, sizeof(written));
    }
    pending->watched(pending->context, status, written);
}

/* Any answer begins like this one. */
static void take_answer(struct partition_server *server, const union partition_datagram *datagram)
{
    const struct partition_status_reply *answer = &datagram->status_reply;
    uint32_t type = answer->header.type & ~PARTITION_REPLY;
    for (struct partition_pending **link = &server->pending; *link != NULL;
         link = &(*link)->next) {
        struct partition_pending *pending = *link;
        if (pending->cookie == answer->header.cookie && pending->type == type) {
            *link = pending->next;
            server->cause = pending->cause; /* of what `done` asks for, too */
            partition_settle(pending, answer->status <= 0 ? answer->status : -EINVAL,
                             &datagram->watch_reply);
            server->cause = NULL;
            if (pending->cause != NULL) {
                partition_range_settled(server, pending->cause);
            }
            free(pending);
            return;
        }
    }
    if ((server->flags & PARTITION_HELLO_ANSWERS) != 0) {
        partition_fail(server, -EPROTO, "an answer of type %u that nobody waits for", type);
    }
}

static const struct {
    uint32_t type;
    size_t size_min, size_max;
    bool descriptor;
} messages[] = {
    {PARTITION_HELLO, sizeof(struct partition_hello), sizeof(struct partition_hello), false},
    {PARTITION_RAM, sizeof(struct partition_ram), sizeof(struct partition_ram), true},
    {PARTITION_START, sizeof(struct partition_start), sizeof(struct partition_start), false},
    {PARTITION_POWER, sizeof(struct partition_power), sizeof(struct partition_power), false},
    {PARTITION_GOODBYE, sizeof(struct partition_goodbye), PARTITION_MESSAGE_SIZE_MAX, false},
    {PARTITION_MAP | PARTITION_REPLY, sizeof(struct partition_status_reply),
     sizeof(struct partition_status_reply), false},
    {PARTITION_UNMAP | PARTITION_REPLY, sizeof(struct partition_status_reply),
     sizeof(struct partition_status_reply), false},
    {PARTITION_TRAP | PARTITION_REPLY, sizeof(struct partition_status_reply),
     sizeof(struct partition_status_reply), false},
    {PARTITION_WATCH | PARTITION_REPLY, sizeof(struct partition_watch_reply),
     sizeof(struct partition_watch_reply), false},
    {PARTITION_WRITTEN, sizeof(struct partition_written), sizeof(struct partition_written), false},
};

/* True if there is such a message and it has the right size and descriptor; fails otherwise. */
static bool is_well_formed(struct partition_server *server,
                           const union partition_datagram *datagram, int size, int descriptor)
{
    const uint32_t type = datagram->header.type;
    for (unsigned i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        if (messages[i].type != type) {
            continue;
        }
        if ((size_t)size < messages[i].size_min || (size_t)size > messages[i].size_max) {
            partition_fail(server, -EBADMSG, "a message of type %u with %d bytes instead of %zu",
                           type, size, messages[i].size_min);
            return false;
        }
        if (messages[i].descriptor != (descriptor >= 0)) {
            partition_fail(server, -EBADMSG, "a message of type %u %s a descriptor", type,
                           descriptor >= 0 ? "does not carry" : "carries");
            return false;
        }
        return true;
    }
    partition_fail(server, -EPROTO, "a control message of unknown type %#x", type);
    return false;
}

void partition_control_message(struct partition_server *server, union partition_datagram *datagram,
                               int size, int descriptor)
{
    if (!is_well_formed(server, datagram, size, descriptor)) {
        return;
    }
    switch (datagram->header.type) {
    case PARTITION_HELLO:
        if (server->greeted) {
            partition_fail(server, -EBUSY, "HELLO: there has been one");
        } else {
            partition_hello(server, &datagram->hello);
        }
        break;
    case PARTITION_RAM:
        take_ram(server, &datagram->ram, descriptor);
        break;
    case PARTITION_START:
        take_start(server, &datagram->header);
        break;
    case PARTITION_POWER:
        take_power(server, &datagram->power);
        break;
    case PARTITION_WRITTEN:
        server->operations->written(server->context, datagram->written.gpa);
        break;
    case PARTITION_GOODBYE:
        take_goodbye(server, &datagram->goodbye, size);
        break;
    default:
        take_answer(server, datagram);
        break;
    }
}

/* ---- To the monitor ---- */

void partition_send_lines(struct partition_server *server)
{
    for (uint32_t changed = server->lines ^ server->lines_sent; changed != 0;
         changed &= changed - 1) {
        const uint32_t line = (uint32_t)__builtin_ctz(changed);
        const struct partition_line message = {
            .header = {PARTITION_LINE, sizeof(message), ++server->cookie},
            .line = line,
            .level = server->lines >> line & 1,
        };
        if (partition_send(server->control.socket, &message, sizeof(message), NULL, 0) != 0) {
            return; /* later: partition_server_run() */
        }
        server->lines_sent ^= 1u << line;
    }
}

void partition_server_line(struct partition_server *server, uint32_t line, bool level)
{
    if ((server->flags & PARTITION_HELLO_BARE) == 0 || !server->started || server->ended) {
        return;
    }
    server->lines = (server->lines & ~(1u << line)) | (uint32_t)level << line;
    partition_send_lines(server);
}

int partition_server_power(struct partition_server *server, uint32_t what,
                           const uint64_t crash[PARTITION_CRASH_PARAMETERS])
{
    struct partition_power power = {
        .header = {PARTITION_POWER, sizeof(power), ++server->cookie},
        .what = what,
    };
    if (!server->greeted || server->ended) {
        return -ENOTCONN;
    }
    if (crash != NULL) {
        memcpy(power.crash, crash, sizeof(power.crash));
    }
    return partition_send(server->control.socket, &power, sizeof(power), NULL, 0);
}

/* Sends a request whose answer is a status. */
static int request(struct partition_server *server, void *message, size_t size, int descriptor,
                   partition_done *done, partition_watched *watched, void *context)
{
    struct partition_header *header = message;
    const bool answered = (server->flags & PARTITION_HELLO_ANSWERS) != 0;
    if (!server->greeted || server->ended) {
        return -ENOTCONN;
    }
    struct partition_pending *pending = answered ? calloc(1, sizeof(*pending)) : NULL;
    if (answered && pending == NULL) {
        return -ENOMEM;
    }
    header->length = (uint32_t)size;
    header->cookie = ++server->cookie;
    int result = partition_send(server->control.socket, message, size, &descriptor,
                                descriptor >= 0 ? 1 : 0);
    if (result != 0) {
        free(pending);
        return result;
    }
    if (!answered) {
        done(context, 0);
        return 0;
    }
    *pending = (struct partition_pending){header->type, header->cookie, done, watched, context,
                                          server->cause, server->pending};
    server->pending = pending;
    if (server->cause != NULL) {
        server->cause->ranges_under_way++;
    }
    return 0;
}

int partition_server_map(struct partition_server *server, uint64_t gpa, uint64_t size,
                         int descriptor, uint64_t file_offset, uint32_t flags,
                         partition_done *done, void *context)
{
    struct partition_map map = {
        .header = {.type = PARTITION_MAP},
        .gpa = gpa,
        .size = size,
        .file_offset = file_offset,
        .flags = flags,
    };
    return request(server, &map, sizeof(map), descriptor, done, NULL, context);
}

int partition_server_unmap(struct partition_server *server, uint64_t gpa, uint64_t size,
                           partition_done *done, void *context)
{
    struct partition_unmap unmap = {
        .header = {.type = PARTITION_UNMAP},
        .gpa = gpa,
        .size = size,
    };
    return request(server, &unmap, sizeof(unmap), -1, done, NULL, context);
}

int partition_server_trap(struct partition_server *server, uint32_t kind, uint64_t start,
                          uint64_t size, bool on, partition_done *done, void *context)
{
    struct partition_trap trap = {
        .header = {.type = PARTITION_TRAP},
        .start = start,
        .size = size,
        .kind = kind,
        .on = on,
    };
    return request(server, &trap, sizeof(trap), -1, done, NULL, context);
}

bool partition_server_can_watch(const struct partition_server *server)
{
    return (server->flags & PARTITION_HELLO_WATCHES) != 0 &&
           (server->flags & PARTITION_HELLO_ANSWERS) != 0;
}

int partition_server_watch(struct partition_server *server, uint64_t gpa, uint64_t size,
                           partition_watched *done, void *context)
{
    struct partition_watch watch = {
        .header = {.type = PARTITION_WATCH},
        .gpa = gpa,
        .size = size,
    };
    return partition_server_can_watch(server)
               ? request(server, &watch, sizeof(watch), -1, NULL, done, context)
               : -EOPNOTSUPP;
}

void partition_server_goodbye(struct partition_server *server, int status, const char *text)
{
    struct {
        struct partition_header header;
        int32_t status;
        char text[PARTITION_TEXT_MAX];
    } __attribute__((packed)) message = {
        .header = {.type = PARTITION_GOODBYE, .cookie = ++server->cookie},
        .status = status,
    };
    size_t length = strnlen(text, PARTITION_TEXT_MAX);
    memcpy(message.text, text, length);
    size_t size = sizeof(struct partition_goodbye) + length;
    message.header.length = (uint32_t)size;
    if (server->control.socket >= 0 && !server->ended) {
        partition_send(server->control.socket, &message, size, NULL, 0);
    }
    partition_end(server, PARTITION_END_OURS, status, text);
}
