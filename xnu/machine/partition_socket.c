/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The partition behind a Unix socket (protocol/partition.h): set-up, and the control connection
 * with the thread that serves it. The host is not trusted: every field is checked before use.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xnu/machine/files.h"
#include "xnu/machine/machine_private.h"
#include "xnu/machine/partition_socket.h"

/* How long a host may take until it listens, and how often one looks whether it does. */
enum { HOST_START_MS = 5000, LOOK_AGAIN_MS = 20 };

static void __attribute__((format(printf, 3, 4)))
say(char *message, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, size, format, arguments);
    va_end(arguments);
}

void socket_partition_lost(struct socket_partition *partition, int status, const char *reason) {
    if (!atomic_exchange(&partition->lost, true) && !atomic_load(&partition->closing)) {
        machine_partition_power_event(MACHINE_POWER_OFF, status, reason);
    }
    pthread_mutex_lock(&partition->start_lock);
    pthread_cond_broadcast(&partition->start_answered);
    pthread_mutex_unlock(&partition->start_lock);
}

/* ---- set-up --------------------------------------------------------------------------------- */

/* The shared page file must really be as long as we are going to touch it. */
static int map_shared(struct socket_partition *partition, int descriptor) {
    struct stat status;
    partition->shared_size = (size_t)PARTITION_PAGE_SIZE * (1 + partition->processors);
    if (fstat(descriptor, &status) != 0 || (size_t)status.st_size < partition->shared_size) {
        return -EPROTO;
    }
    void *shared = mmap(NULL, partition->shared_size, PROT_READ | PROT_WRITE, MAP_SHARED,
                        descriptor, 0);
    if (shared == MAP_FAILED) {
        return -errno;
    }
    partition->signals = shared;
    partition->vectors = (struct partition_vector_page *)shared + 1;
    return 0;
}

static int take_descriptors(struct socket_partition *partition, struct partition_hello_reply *reply,
                            int *descriptors, unsigned count) {
    unsigned expected = 2 + partition->processors;
    int error = -EPROTO;
    if (reply->version == PARTITION_VERSION && count == expected &&
        reply->signal_count <= PARTITION_SIGNALS_MAX && reply->signal_count % 64 == 0 &&
        (reply->generation == 1 || reply->generation == 2)) {
        error = map_shared(partition, descriptors[0]);
    }
    if (error != 0) {
        partition_close_descriptors(descriptors, count);
        return error;
    }
    close(descriptors[0]);
    for (unsigned i = 0; i < partition->processors; i++) {
        partition->connections[i].event = descriptors[1 + i];
    }
    partition->signal_event = descriptors[expected - 1];
    partition->signal_base = reply->signal_base;
    partition->signal_count = reply->signal_count;
    machine_partition_set_generation(reply->generation);
    machine_partition_set_boot_screen(reply->boot_screen);
    return 0;
}

static int say_hello(struct socket_partition *partition, char *message, size_t size) {
    int descriptors[PARTITION_DESCRIPTORS_MAX];
    unsigned count = 0;
    struct partition_hello hello = {
        .header = {PARTITION_HELLO, sizeof hello, 1},
        .version = PARTITION_VERSION,
        .processors = partition->processors,
        .guest_mode = PARTITION_GUEST_MODE_64,
        .flags = PARTITION_HELLO_ANSWERS | PARTITION_HELLO_BARE | PARTITION_HELLO_BOOT_SCREEN |
                 PARTITION_HELLO_WATCHES,
    };
    struct partition_hello_reply reply;
    int error = partition_send(partition->control, &hello, sizeof hello, -1);
    if (error == 0) {
        error = partition_receive_reply(partition->control, PARTITION_HELLO, 1, &reply,
                                        sizeof reply, descriptors, &count, message, size);
    }
    if (error == 0 && reply.status != 0) {
        say(message, size, "the host refused HELLO: %s", machine_error_text(reply.status));
        partition_close_descriptors(descriptors, count);
        return reply.status < 0 ? reply.status : -EPROTO;
    }
    if (error == 0) {
        error = take_descriptors(partition, &reply, descriptors, count);
    }
    if (error != 0 && message[0] == '\0') {
        say(message, size, "HELLO failed: %s", machine_error_text(error));
    }
    return error;
}

static int send_ram(struct socket_partition *partition, char *message, size_t size) {
    struct partition_ram ram = {.header = {PARTITION_RAM, sizeof ram, 2}};
    uint64_t physical, bytes, offset;
    for (unsigned i = 0; machine_ram_range(i, &physical, &bytes, &offset); i++) {
        ram.gpa = physical;
        ram.size = bytes;
        ram.file_offset = offset;
        int error =
            partition_send(partition->control, &ram, sizeof ram, machine_ram_descriptor());
        if (error != 0) {
            say(message, size, "cannot hand over guest RAM: %s", machine_error_text(error));
            return error;
        }
    }
    return 0;
}

static int attach_processors(struct socket_partition *partition, const char *path, char *message,
                             size_t size) {
    for (unsigned i = 0; i < partition->processors; i++) {
        struct partition_attach attach = {.header = {PARTITION_ATTACH, sizeof attach, i + 1},
                                          .processor = i};
        struct partition_status_reply reply = {0};
        int error = partition_open(path, &partition->connections[i].socket);
        if (error == 0) {
            error = partition_send(partition->connections[i].socket, &attach, sizeof attach, -1);
        }
        if (error == 0) {
            error = partition_receive_reply(partition->connections[i].socket, PARTITION_ATTACH,
                                            i + 1, &reply, sizeof reply, NULL, NULL, message,
                                            size);
        }
        error = error == 0 ? reply.status : error;
        if (error != 0) {
            if (message[0] == '\0') {
                say(message, size, "cannot attach processor %u: %s", i,
                    machine_error_text(error));
            }
            return error < 0 ? error : -EPROTO;
        }
    }
    return 0;
}

/* ---- the control connection's thread -------------------------------------------------------- */

static void answer(struct socket_partition *partition, const struct partition_header *request,
                   int status) {
    struct partition_status_reply reply = {
        .header = {request->type | PARTITION_REPLY, sizeof reply, request->cookie},
        .status = status,
    };
    partition_send(partition->control, &reply, sizeof reply, -1);
}

static int serve_map(const struct partition_map *map, size_t length, int descriptor) {
    struct stat status;
    if (length != sizeof *map || descriptor < 0 || fstat(descriptor, &status) != 0 ||
        map->file_offset > (uint64_t)status.st_size ||
        map->size > (uint64_t)status.st_size - map->file_offset) {
        return -EINVAL;
    }
    return machine_map_host_memory(map->gpa, map->size, descriptor, map->file_offset,
                                   (map->flags & PARTITION_MAP_WRITABLE) != 0);
}

static void serve_watch(struct socket_partition *partition, const struct partition_watch *watch,
                        size_t length) {
    struct partition_watch_reply reply = {
        .header = {PARTITION_WATCH | PARTITION_REPLY, sizeof reply, watch->header.cookie},
        .status = -EINVAL,
    };
    uint64_t written[MACHINE_WATCH_BLOCKS_MAX / 64] = {0};
    if (length == sizeof *watch) {
        reply.status = machine_watch_host_memory(watch->gpa, watch->size, written);
    }
    memcpy(reply.written, written, sizeof reply.written);
    partition_send(partition->control, &reply, sizeof reply, -1);
}

static void tell_written(struct socket_partition *partition) {
    struct partition_written message = {.header = {PARTITION_WRITTEN, sizeof message, 6},
                                        .gpa = machine_watched_range()};
    uint64_t count;
    if (read(machine_watch_descriptor(), &count, sizeof count) == sizeof count &&
        message.gpa != MACHINE_NO_ADDRESS) {
        partition_send(partition->control, &message, sizeof message, -1);
    }
}

static void serve_goodbye(struct socket_partition *partition, const uint8_t *buffer,
                          size_t length) {
    struct partition_goodbye goodbye;
    char reason[PARTITION_TEXT_MAX + 32];
    if (length < sizeof goodbye) {
        socket_partition_lost(partition, -EPROTO, "the host sent a malformed GOODBYE");
        return;
    }
    memcpy(&goodbye, buffer, sizeof goodbye);
    int text = (int)(length - sizeof goodbye);
    snprintf(reason, sizeof reason, "the host says goodbye: %.*s",
             text > (int)PARTITION_TEXT_MAX ? (int)PARTITION_TEXT_MAX : text,
             text > 0 ? (const char *)buffer + sizeof goodbye : "");
    for (char *c = reason; *c != '\0'; c++) {
        *c = *c < ' ' || *c > '~' ? '?' : *c;
    }
    socket_partition_lost(partition, goodbye.status > 0 ? -EPROTO : goodbye.status, reason);
}

static void serve_power(struct socket_partition *partition, const struct partition_power *power,
                        size_t length) {
    if (length != sizeof *power || power->what > PARTITION_POWER_CRASHED) {
        socket_partition_lost(partition, -EPROTO, "the host sent a malformed POWER");
        return;
    }
    machine_partition_power_event((enum machine_power)power->what, 0,
                                  power->what == PARTITION_POWER_RESET
                                      ? "the host resets the machine"
                                      : "the host turns the machine off");
}

static void serve_line(struct socket_partition *partition, const struct partition_line *line,
                       size_t length) {
    if (length != sizeof *line || line->line >= PARTITION_LINES || line->level > 1) {
        socket_partition_lost(partition, -EPROTO, "the host sent a malformed LINE");
        return;
    }
    machine_line_set(line->line, line->level != 0);
}

static void serve_started(struct socket_partition *partition,
                          const struct partition_status_reply *reply, size_t length) {
    if (length != sizeof *reply) {
        socket_partition_lost(partition, -EPROTO, "the host sent a malformed answer to START");
        return;
    }
    pthread_mutex_lock(&partition->start_lock);
    partition->started = true;
    partition->start_status = reply->status <= 0 ? reply->status : -EPROTO;
    pthread_cond_broadcast(&partition->start_answered);
    pthread_mutex_unlock(&partition->start_lock);
}

static void serve(struct socket_partition *partition, const uint8_t *buffer, size_t length,
                  int descriptor) {
    const struct partition_header *header = (const struct partition_header *)buffer;
    const struct partition_unmap *unmap = (const struct partition_unmap *)buffer;
    const struct partition_trap *trap = (const struct partition_trap *)buffer;
    switch (header->type) {
    case PARTITION_MAP:
        answer(partition, header,
               serve_map((const struct partition_map *)buffer, length, descriptor));
        break;
    case PARTITION_UNMAP:
        answer(partition, header, length != sizeof *unmap
                                      ? -EINVAL
                                      : machine_unmap_host_memory(unmap->gpa, unmap->size));
        break;
    case PARTITION_TRAP:
        answer(partition, header,
               length != sizeof *trap || trap->kind > PARTITION_SPACE_PORT
                   ? -EINVAL
                   : machine_trap_range(trap->start, trap->size,
                                        (enum machine_address_kind)trap->kind, trap->on != 0));
        break;
    case PARTITION_WATCH:
        serve_watch(partition, (const struct partition_watch *)buffer, length);
        break;
    case PARTITION_POWER:
        serve_power(partition, (const struct partition_power *)buffer, length);
        break;
    case PARTITION_GOODBYE:
        serve_goodbye(partition, buffer, length);
        break;
    case PARTITION_LINE:
        serve_line(partition, (const struct partition_line *)buffer, length);
        break;
    case PARTITION_START | PARTITION_REPLY:
        serve_started(partition, (const struct partition_status_reply *)buffer, length);
        break;
    default:
        socket_partition_lost(partition, -EPROTO, "the host sent an unknown message");
        break;
    }
}

static void *control_main(void *argument) {
    struct socket_partition *partition = argument;
    _Alignas(8) uint8_t buffer[PARTITION_MESSAGE_SIZE_MAX];
    while (!atomic_load(&partition->lost)) {
        struct pollfd polled[3] = {{.fd = partition->control, .events = POLLIN},
                                   {.fd = partition->close_event, .events = POLLIN},
                                   {.fd = machine_watch_descriptor(), .events = POLLIN}};
        if (poll(polled, 3, -1) < 0 && errno != EINTR) {
            break;
        }
        if (atomic_load(&partition->closing)) {
            break;
        }
        if (polled[2].revents != 0) {
            tell_written(partition);
        }
        if (polled[0].revents == 0) {
            continue;
        }
        int descriptors[PARTITION_DESCRIPTORS_MAX];
        unsigned count = 0;
        int length = partition_receive(partition->control, buffer, descriptors, &count);
        if (length <= 0) {
            socket_partition_lost(partition, length == 0 ? -EPIPE : length,
                                  length == 0 ? "the host has gone away"
                                              : "the host sent a malformed message");
            break;
        }
        serve(partition, buffer, (size_t)length, count != 0 ? descriptors[0] : -1);
        partition_close_descriptors(descriptors, count);
    }
    return NULL;
}

/* ---- operations of the whole partition ------------------------------------------------------ */

static void socket_power(void *context, enum machine_power what, const uint64_t *crash) {
    struct socket_partition *partition = context;
    struct partition_power power = {.header = {PARTITION_POWER, sizeof power, 3},
                                    .what = (uint32_t)what};
    if (crash != NULL) {
        memcpy(power.crash, crash, sizeof power.crash);
    }
    partition_send(partition->control, &power, sizeof power, -1);
}

static int socket_start(void *context) {
    struct socket_partition *partition = context;
    struct partition_start start = {.header = {PARTITION_START, sizeof start, 4}};
    int error = partition_send(partition->control, &start, sizeof start, -1);
    if (error != 0) {
        return error;
    }
    pthread_mutex_lock(&partition->start_lock);
    while (!partition->started && !atomic_load(&partition->lost)) {
        pthread_cond_wait(&partition->start_answered, &partition->start_lock);
    }
    error = partition->started ? partition->start_status : -EPIPE;
    pthread_mutex_unlock(&partition->start_lock);
    return error;
}

static void free_partition(struct socket_partition *partition) {
    for (unsigned i = 0; i < partition->processors; i++) {
        struct processor_connection *connection = &partition->connections[i];
        partition_close_descriptors((int[]){connection->socket, connection->event}, 2);
        pthread_mutex_destroy(&connection->lock);
    }
    partition_close_descriptors(
        (int[]){partition->control, partition->signal_event, partition->close_event}, 3);
    pthread_cond_destroy(&partition->start_answered);
    pthread_mutex_destroy(&partition->start_lock);
    if (partition->signals != NULL) {
        munmap(partition->signals, partition->shared_size);
    }
    free(partition);
}

static void socket_detach(void *context, int status) {
    struct socket_partition *partition = context;
    struct partition_goodbye goodbye = {.header = {PARTITION_GOODBYE, sizeof goodbye, 5},
                                        .status = status};
    uint64_t one = 1;
    atomic_store(&partition->closing, true);
    partition_send(partition->control, &goodbye, sizeof goodbye, -1);
    if (write(partition->close_event, &one, sizeof one) == sizeof one) {
        pthread_join(partition->control_thread, NULL);
    }
    free_partition(partition);
}

static const struct partition_operations socket_operations = {
    .cpuid = socket_cpuid,
    .rdmsr = socket_rdmsr,
    .wrmsr = socket_wrmsr,
    .hypercall = socket_hypercall,
    .signal = socket_signal,
    .read = socket_read,
    .write = socket_write,
    .power = socket_power,
    .interrupt_descriptor = socket_interrupt_descriptor,
    .take_vectors = socket_take_vectors,
    .vectors_pending = socket_vectors_pending,
    .watch_vectors = socket_watch_vectors,
    .start = socket_start,
    .detach = socket_detach,
};

static struct socket_partition *new_partition(void) {
    struct socket_partition *partition = calloc(1, sizeof *partition);
    if (partition == NULL) {
        return NULL;
    }
    partition->processors = machine_processors_used;
    partition->control = partition->signal_event = -1;
    for (unsigned i = 0; i < partition->processors; i++) {
        partition->connections[i].socket = partition->connections[i].event = -1;
        pthread_mutex_init(&partition->connections[i].lock, NULL);
    }
    pthread_mutex_init(&partition->start_lock, NULL);
    pthread_cond_init(&partition->start_answered, NULL);
    partition->close_event = eventfd(0, EFD_CLOEXEC);
    return partition;
}

/* A host that is started in the same breath needs a moment until it listens. */
static int open_when_it_listens(const char *path, int *descriptor) {
    int error;
    for (int waited = 0; (error = partition_open(path, descriptor)) == -ENOENT ||
                         error == -ECONNREFUSED;
         waited += LOOK_AGAIN_MS) {
        if (waited >= HOST_START_MS) {
            break;
        }
        poll(NULL, 0, LOOK_AGAIN_MS);
    }
    return error;
}

int machine_partition_connect(const char *socket_path, char *message, size_t message_size) {
    message[0] = '\0';
    struct socket_partition *partition = new_partition();
    if (partition == NULL) {
        say(message, message_size, "no memory");
        return -ENOMEM;
    }
    int error = open_when_it_listens(socket_path, &partition->control);
    if (error != 0) {
        say(message, message_size, "no host at %s: %s; start one with: hvhost --socket %s",
            socket_path, machine_error_text(error), socket_path);
    }
    if (error == 0) {
        error = say_hello(partition, message, message_size);
    }
    if (error == 0) {
        error = send_ram(partition, message, message_size);
    }
    if (error == 0) {
        error = attach_processors(partition, socket_path, message, message_size);
    }
    if (error == 0) {
        error = -pthread_create(&partition->control_thread, NULL, control_main, partition);
    }
    if (error != 0) {
        free_partition(partition);
        return error;
    }
    machine_partition_attach(&socket_operations, partition);
    return 0;
}
