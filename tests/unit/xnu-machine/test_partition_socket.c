/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The socket client against a small host written from protocol/partition.h alone, honest and not.
 */
#include "tests/unit/xnu-machine/machine_test.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/partition.h"

#define PROCESSORS 2u
#define SIGNAL_BASE 0x1000u
#define DEVICE UINT64_C(0xFE000000)
#define VIDEO UINT64_C(0xF8000000)
#define PORT 0x64u
#define REFERENCE_TIME 0x40000020u

enum misbehaviour {
    HONEST,
    REFUSE_HELLO,
    GOODBYE_AT_HELLO,
    TOO_FEW_DESCRIPTORS,
    SHORT_SHARED_FILE,
    WRONG_COOKIE,
    CLOSE_AT_HELLO,
    REFUSE_ATTACH,
    REFUSE_START,
    GONE_AT_START,
};

static struct {
    enum misbehaviour misbehaviour;
    char path[64];
    int listener, control, processors[PROCESSORS];
    int shared_file;
    uint8_t *shared;
    int vector_event[PROCESSORS], signal_event;
    uint64_t msr[0x200];
    uint64_t written, ram_bytes;
    unsigned ram_ranges;
    atomic_bool started, answered, goodbye;
    int last_answer;
    uint32_t flags;         /* of HELLO */
    uint64_t watched;       /* the first 64 blocks of the last answer to WATCH */
    _Atomic uint64_t touched;
    uint32_t crashed;
    atomic_uint time_asked, time_late; /* how often for the reference time; so many answers late */
    pthread_t thread;
} host;

static void send_message(int socket, const void *message, size_t length, const int *descriptors,
                         unsigned count) {
    union {
        char bytes[CMSG_SPACE(8 * sizeof(int))];
        struct cmsghdr header;
    } control = {{0}};
    struct iovec vector = {(void *)(uintptr_t)message, length};
    struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};
    if (count != 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), descriptors, count * sizeof(int));
    }
    sendmsg(socket, &header, MSG_NOSIGNAL);
}

static void send_goodbye(int socket, int status, const char *text) {
    uint8_t buffer[200] = {0};
    struct partition_goodbye goodbye = {
        .header = {PARTITION_GOODBYE, (uint32_t)(sizeof goodbye + strlen(text)), 0},
        .status = status};
    memcpy(buffer, &goodbye, sizeof goodbye);
    memcpy(buffer + sizeof goodbye, text, strlen(text));
    send_message(socket, buffer, goodbye.header.length, NULL, 0);
}

static void answer_hello(int socket, const struct partition_hello *hello) {
    struct partition_hello_reply reply = {
        .header = {PARTITION_HELLO | PARTITION_REPLY, sizeof reply, hello->header.cookie},
        .version = PARTITION_VERSION,
        .signal_base = SIGNAL_BASE,
        .signal_count = 128,
        .generation = 2,
    };
    int descriptors[2 + PROCESSORS] = {host.shared_file, host.vector_event[0],
                                       host.vector_event[1], host.signal_event};
    switch (host.misbehaviour) {
    case REFUSE_HELLO:
        reply.status = -EBUSY;
        send_message(socket, &reply, sizeof reply, NULL, 0);
        return;
    case GOODBYE_AT_HELLO:
        send_goodbye(socket, -EINVAL, "no such\nversion");
        return;
    case CLOSE_AT_HELLO:
        shutdown(socket, SHUT_RDWR);
        return;
    case WRONG_COOKIE:
        reply.header.cookie++;
        break;
    case SHORT_SHARED_FILE:
        if (ftruncate(host.shared_file, 4096) != 0) {
            abort();
        }
        break;
    default:
        break;
    }
    send_message(socket, &reply, sizeof reply, descriptors,
                 host.misbehaviour == TOO_FEW_DESCRIPTORS ? 2 : 2 + PROCESSORS);
}

static void answer_status(int socket, const struct partition_header *header, int status) {
    struct partition_status_reply reply = {
        .header = {header->type | PARTITION_REPLY, sizeof reply, header->cookie},
        .status = status};
    send_message(socket, &reply, sizeof reply, NULL, 0);
}

static void serve_processor(int socket, const uint8_t *buffer) {
    struct partition_header header;
    memcpy(&header, buffer, sizeof header);
    struct partition_header reply_header = {header.type | PARTITION_REPLY, 0, header.cookie};
    switch (header.type) {
    case PARTITION_ATTACH:
        answer_status(socket, &header, host.misbehaviour == REFUSE_ATTACH ? -EPERM : 0);
        break;
    case PARTITION_CPUID: {
        struct partition_cpuid_reply reply = {reply_header, 1, 2, 3, 4};
        reply.header.length = sizeof reply;
        send_message(socket, &reply, sizeof reply, NULL, 0);
        break;
    }
    case PARTITION_RDMSR: {
        uint32_t index = ((const struct partition_rdmsr *)buffer)->index;
        const struct timespec late = {.tv_nsec = 50000000};
        if (index == REFERENCE_TIME && atomic_fetch_add(&host.time_asked, 1) < host.time_late) {
            nanosleep(&late, NULL);
        }
        struct partition_rdmsr_reply reply = {reply_header, index == 0x400000FF ? -1 : 0,
                                              host.msr[index - 0x40000000]};
        reply.header.length = sizeof reply;
        send_message(socket, &reply, sizeof reply, NULL, 0);
        break;
    }
    case PARTITION_WRMSR: {
        const struct partition_wrmsr *request = (const void *)buffer;
        host.msr[request->index - 0x40000000] = request->value;
        answer_status(socket, &header, 0);
        break;
    }
    case PARTITION_HYPERCALL: {
        const struct partition_hypercall *request = (const void *)buffer;
        struct partition_hypercall_reply reply = {reply_header, request->input + 1};
        reply.header.length = sizeof reply;
        send_message(socket, &reply, sizeof reply, NULL, 0);
        break;
    }
    case PARTITION_READ: {
        struct partition_read_reply reply = {reply_header, host.written + 1};
        reply.header.length = sizeof reply;
        send_message(socket, &reply, sizeof reply, NULL, 0);
        break;
    }
    case PARTITION_WRITE:
        host.written = ((const struct partition_write *)buffer)->value;
        break;
    }
}

/* The ranges of devices that are there from the start come before the answer. */
static void answer_start(const struct partition_header *header) {
    struct partition_trap trap = {.header = {PARTITION_TRAP, sizeof trap, 12},
                                  .start = PORT, .size = 1, .kind = PARTITION_SPACE_PORT, .on = 1};
    atomic_store(&host.started, true);
    if (host.misbehaviour == GONE_AT_START) {
        shutdown(host.control, SHUT_RDWR);
        return;
    }
    send_message(host.control, &trap, sizeof trap, NULL, 0);
    answer_status(host.control, header, host.misbehaviour == REFUSE_START ? -EIO : 0);
}

static void serve_control(const uint8_t *buffer) {
    const struct partition_header *header = (const void *)buffer;
    switch (header->type) {
    case PARTITION_HELLO:
        host.flags = ((const struct partition_hello *)buffer)->flags;
        answer_hello(host.control, (const void *)buffer);
        break;
    case PARTITION_RAM:
        host.ram_ranges++;
        host.ram_bytes += ((const struct partition_ram *)buffer)->size;
        break;
    case PARTITION_START:
        answer_start(header);
        break;
    case PARTITION_POWER:
        host.crashed = ((const struct partition_power *)buffer)->what;
        break;
    case PARTITION_GOODBYE:
        atomic_store(&host.goodbye, true);
        break;
    case PARTITION_WRITTEN:
        atomic_store(&host.touched, ((const struct partition_written *)buffer)->gpa);
        break;
    case PARTITION_WATCH | PARTITION_REPLY:
        host.watched = ((const struct partition_watch_reply *)buffer)->written[0];
        __attribute__((fallthrough));
    default:
        host.last_answer = ((const struct partition_status_reply *)buffer)->status;
        atomic_store(&host.answered, true);
        break;
    }
}

/* Serves until the control connection closes. */
static void *host_main(void *argument) {
    struct pollfd polled[2 + PROCESSORS] = {{.fd = host.listener, .events = POLLIN}};
    unsigned count = 1;
    for (;;) {
        poll(polled, count, -1);
        if (polled[0].revents != 0 && count < 2 + PROCESSORS) {
            int socket = accept(host.listener, NULL, NULL);
            polled[count++] = (struct pollfd){.fd = socket, .events = POLLIN};
            if (count == 2) {
                host.control = socket;
            }
        }
        for (unsigned i = 1; i < count; i++) {
            _Alignas(8) uint8_t buffer[4096];
            if (polled[i].revents == 0) {
                continue;
            }
            if (recv(polled[i].fd, buffer, sizeof buffer, 0) <= 0) {
                for (unsigned j = 1; j < count; j++) {
                    close(polled[j].fd);
                }
                return NULL;
            }
            if (i == 1) {
                serve_control(buffer);
            } else {
                serve_processor(polled[i].fd, buffer);
            }
            polled[i].revents = 0;
        }
    }
}

static void start_host(enum misbehaviour misbehaviour) {
    static unsigned number;
    memset(&host, 0, sizeof host);
    host.misbehaviour = misbehaviour;
    snprintf(host.path, sizeof host.path, "/tmp/test-partition-%d-%u", (int)getpid(), ++number);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, host.path);
    host.listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    assert_int_equal(bind(host.listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(host.listener, 8), 0);
    host.shared_file = memfd_create("shared", 0);
    assert_int_equal(ftruncate(host.shared_file, 4096 * (1 + PROCESSORS)), 0);
    host.shared = mmap(NULL, 4096 * (1 + PROCESSORS), PROT_READ | PROT_WRITE, MAP_SHARED,
                       host.shared_file, 0);
    for (unsigned i = 0; i < PROCESSORS; i++) {
        host.vector_event[i] = eventfd(0, 0);
    }
    host.signal_event = eventfd(0, 0);
    assert_int_equal(pthread_create(&host.thread, NULL, host_main, NULL), 0);
}

static void stop_host(void) {
    pthread_join(host.thread, NULL);
    close(host.listener);
    unlink(host.path);
    munmap(host.shared, 4096 * (1 + PROCESSORS));
    close(host.shared_file);
    close(host.signal_event);
    for (unsigned i = 0; i < PROCESSORS; i++) {
        close(host.vector_event[i]);
    }
}

static void start_machine(bool deterministic) {
    struct machine_configuration configuration = {
        .memory_bytes = 16u << 20, .processors = PROCESSORS, .deterministic = deterministic};
    assert_int_equal(machine_start(&configuration), 0);
    machine_log_set_output(NULL, NULL);
}

/* ---- the honest host ------------------------------------------------------------------------ */

static void requests_body(void *argument) {
    uint64_t value;
    uint32_t registers[4];
    CHECK(machine_partition_start() == 0);
    CHECK(machine_is_trapped(PORT, 1, MACHINE_PORT)); /* live when the start is over */
    machine_cpuid(0x40000001, 0, registers);
    CHECK(registers[0] == 1 && registers[3] == 4);
    CHECK(machine_wrmsr(0x40000080, 77) && machine_rdmsr(0x40000080, &value) && value == 77);
    CHECK(!machine_rdmsr(0x400000FF, &value));
    machine_trap_range(DEVICE, 4096, MACHINE_MMIO, true);
    machine_mmio_write(DEVICE, 4, 10);
    CHECK(machine_mmio_read(DEVICE, 4) == 11); /* the posted write came first */
    uint8_t *page = machine_pages_allocate(4096, 0, MACHINE_NO_LIMIT);
    CHECK(machine_wrmsr(0x40000001, machine_physical_address(page) | 1));
    uint64_t result;
    register uint64_t r8 __asm__("r8") = 0;
    uint64_t control = 0x5C, input = 0x100;
    __asm__ volatile("callq *%4"
                     : "=a"(result), "+c"(control), "+d"(input), "+r"(r8)
                     : "r"(page) : "r9", "r10", "r11", "memory", "cc");
    CHECK(result == 0x101);
}

static void signals_body(void *argument) {
    uint64_t *words = (uint64_t *)host.shared;
    uint64_t count = 0;
    const struct partition_operations *operations = argument;
    (void)operations;
    uint8_t *page = machine_pages_allocate(4096, 0, MACHINE_NO_LIMIT);
    CHECK(machine_wrmsr(0x40000001, machine_physical_address(page) | 1));
    for (uint64_t id = SIGNAL_BASE + 3; id <= SIGNAL_BASE + 4; id++) {
        uint64_t result, control = 0x1005D, input = id;
        register uint64_t r8 __asm__("r8") = 0;
        __asm__ volatile("callq *%4"
                         : "=a"(result), "+c"(control), "+d"(input), "+r"(r8)
                         : "r"(page) : "r9", "r10", "r11", "memory", "cc");
        CHECK(result == 0);
    }
    CHECK(words[0] == 0x18);
    CHECK(read(host.signal_event, &count, sizeof count) == sizeof count && count == 1);
}

static atomic_uint vectors_seen[PROCESSORS];

static void on_vector(void *context, unsigned vector) {
    CHECK(vector == 0xE0 || vector == 0x35);
    atomic_fetch_add(&vectors_seen[machine_processor_number()], 1);
    machine_wakeup(&vectors_seen[machine_processor_number()], false);
}

static void raise_as_host(unsigned processor, unsigned vector) {
    uint64_t one = 1;
    uint64_t *words = (uint64_t *)(host.shared + 4096 * (1 + processor));
    if (__atomic_fetch_or(&words[vector / 64], UINT64_C(1) << vector % 64, __ATOMIC_SEQ_CST) == 0) {
        CHECK(write(host.vector_event[processor], &one, sizeof one) == sizeof one);
    }
}

static void vectors_body(void *argument) {
    machine_interrupt_set_entry(on_vector, NULL);
    for (unsigned cpu = 0; cpu < PROCESSORS; cpu++) {
        atomic_store(&vectors_seen[cpu], 0);
        for (unsigned i = 1; i <= 20; i++) {
            raise_as_host(cpu, i % 2 ? 0xE0 : 0x35);
            while (atomic_load(&vectors_seen[cpu]) < i) {
                machine_wait_prepare(&vectors_seen[cpu], MACHINE_NEVER, false);
                if (atomic_load(&vectors_seen[cpu]) < i) {
                    machine_wait_block();
                } else {
                    machine_wait_cancel();
                }
            }
        }
        CHECK(atomic_load(&vectors_seen[cpu]) == 20);
    }
}

static void honest_session(bool deterministic) {
    char message[200];
    atomic_store(&machine_test_failures, 0);
    start_host(HONEST);
    start_machine(deterministic);
    assert_int_equal(machine_partition_connect(host.path, message, sizeof message), 0);
    assert_int_equal(machine_partition_generation(), 2);
    assert_int_equal(machine_run("requests", requests_body, NULL), 0);
    assert_int_equal(machine_run("signals", signals_body, NULL), 0);
    assert_int_equal(machine_run("vectors", vectors_body, NULL), 0);
    machine_power(MACHINE_POWER_CRASHED, NULL);
    machine_stop();
    stop_host();
    assert_int_equal(host.ram_ranges, 1);
    assert_int_equal(host.ram_bytes, 16u << 20);
    assert_true(host.started && host.goodbye);
    assert_int_equal(host.crashed, MACHINE_POWER_CRASHED);
    assert_int_equal(atomic_load(&machine_test_failures), 0);
}

static void a_session_carries_requests_signals_and_vectors(void **state) {
    honest_session(false);
    honest_session(true);
}

/* ---- the reference time, which goes on by the client's clock ---- */

/* An answer that came late would put the guest's time ahead for good: the host is asked again. */
static void reference_time_body(void *argument) {
    enum { LATE = 3, TRIES = 1000 };
    uint64_t value, before;
    unsigned asked;
    host.msr[REFERENCE_TIME - 0x40000000] = 5000;
    atomic_store(&host.time_asked, 0);
    atomic_store(&host.time_late, LATE);
    for (asked = 1; asked <= LATE; asked++) {
        CHECK(machine_rdmsr(REFERENCE_TIME, &value) && value == 5000);
        CHECK(atomic_load(&host.time_asked) == asked);
    }
    do {
        CHECK(machine_rdmsr(REFERENCE_TIME, &value) && value >= 5000);
    } while (atomic_load(&host.time_asked) == asked && ++asked < TRIES);
    CHECK(asked < TRIES);
    for (unsigned i = 0; i < 100; i++) {
        before = value;
        CHECK(machine_rdmsr(REFERENCE_TIME, &value) && value >= before);
    }
    CHECK(atomic_load(&host.time_asked) == asked - 1);
}

static void a_reference_time_that_came_late_is_not_kept(void **state) {
    char message[200];
    atomic_store(&machine_test_failures, 0);
    start_host(HONEST);
    start_machine(false);
    assert_int_equal(machine_partition_connect(host.path, message, sizeof message), 0);
    assert_int_equal(machine_run("reference time", reference_time_body, NULL), 0);
    machine_stop();
    stop_host();
    assert_int_equal(atomic_load(&machine_test_failures), 0);
}

/* ---- interrupt lines ---- */

static atomic_uint lines_seen; /* line << 1 | level, plus 0x100 */

static void on_line(void *context, unsigned line, bool level) {
    atomic_store(&lines_seen, 0x100 | line << 1 | level);
    machine_wakeup(&lines_seen, false);
}

static void lines_body(void *argument) {
    machine_lines_set_entry(on_line, NULL);
    for (unsigned i = 0; i < 10; i++) {
        unsigned level = i % 2 == 0, line = i % 4 < 2 ? 1 : PARTITION_LINES - 1;
        struct partition_line message = {{PARTITION_LINE, sizeof message, 0}, line, level};
        unsigned expected = 0x100 | line << 1 | level;
        send_message(host.control, &message, sizeof message, NULL, 0);
        while (atomic_load(&lines_seen) != expected) {
            machine_wait_prepare(&lines_seen, machine_uptime() + 1000000, false);
            if (atomic_load(&lines_seen) != expected) {
                machine_wait_block();
            } else {
                machine_wait_cancel();
            }
        }
    }
    machine_line_set(MACHINE_LINES, true); /* there is none: nobody is told */
    CHECK((atomic_load(&lines_seen) >> 1 & 0x7f) != MACHINE_LINES);
}

static void lines_change(void **state) {
    char message[200];
    atomic_store(&machine_test_failures, 0);
    start_host(HONEST);
    start_machine(false);
    assert_int_equal(machine_partition_connect(host.path, message, sizeof message), 0);
    assert_int_equal(machine_run("lines", lines_body, NULL), 0);
    machine_stop();
    stop_host();
    assert_int_equal(atomic_load(&machine_test_failures), 0);
}

static void refused_body(void *argument) {
    CHECK(machine_partition_start() == *(int *)argument);
}

static void on_power(void *context, enum machine_power what, int status, const char *reason);

static void a_start_that_fails_is_reported(void **state) {
    static const struct {
        enum misbehaviour misbehaviour;
        int status;
    } cases[] = {{REFUSE_START, -EIO}, {GONE_AT_START, -EPIPE}};
    char message[200];
    for (unsigned i = 0; i < 2; i++) {
        int expected = cases[i].status;
        atomic_store(&machine_test_failures, 0);
        start_host(cases[i].misbehaviour);
        start_machine(false);
        assert_int_equal(machine_partition_connect(host.path, message, sizeof message), 0);
        machine_partition_set_power_hook(on_power, NULL);
        assert_int_equal(machine_run("start", refused_body, &expected), 0);
        machine_stop();
        stop_host();
        assert_int_equal(atomic_load(&machine_test_failures), 0);
    }
}

/* Waits for the client's answer, as the host must. */
static int answer_to(const void *message, size_t length, const int *descriptor) {
    atomic_store(&host.answered, false);
    send_message(host.control, message, length, descriptor, descriptor != NULL);
    while (!atomic_load(&host.answered)) {
        poll(NULL, 0, 1);
    }
    return host.last_answer;
}

static void ranges_are_mapped_trapped_and_checked(void **state) {
    char message[200];
    start_host(HONEST);
    start_machine(false);
    assert_int_equal(machine_partition_connect(host.path, message, sizeof message), 0);
    int file = memfd_create("video", 0);
    assert_int_equal(ftruncate(file, 8192), 0);
    assert_int_equal(pwrite(file, "pixels", 6, 0), 6);
    struct partition_map map = {.header = {PARTITION_MAP, sizeof map, 9},
                                .gpa = VIDEO, .size = 8192, .flags = PARTITION_MAP_WRITABLE};
    assert_int_equal(answer_to(&map, sizeof map, &file), 0);
    assert_memory_equal(machine_virtual_address(VIDEO), "pixels", 6);
    assert_int_equal(answer_to(&map, sizeof map, &file), -EEXIST);
    map.gpa += 8192;
    assert_int_equal(answer_to(&map, sizeof map, NULL), -EINVAL); /* no descriptor */
    map.size = 12288;
    assert_int_equal(answer_to(&map, sizeof map, &file), -EINVAL); /* beyond the file */
    map.size = 4096;
    map.file_offset = UINT64_MAX - 4095;
    assert_int_equal(answer_to(&map, sizeof map, &file), -EINVAL);
    map.file_offset = 0;
    map.gpa = 1u << 20;
    assert_int_equal(answer_to(&map, sizeof map, &file), -EINVAL); /* over RAM */
    struct partition_trap trap = {.header = {PARTITION_TRAP, sizeof trap, 10},
                                  .start = DEVICE, .size = 4096, .on = 1};
    assert_int_equal(answer_to(&trap, sizeof trap, NULL), 0);
    assert_true(machine_is_trapped(DEVICE, 4, MACHINE_MMIO));
    trap.kind = 2;
    assert_int_equal(answer_to(&trap, sizeof trap, NULL), -EINVAL);
    struct partition_unmap unmap = {{PARTITION_UNMAP, sizeof unmap, 11}, VIDEO, 8192};
    assert_int_equal(answer_to(&unmap, sizeof unmap, NULL), 0);
    assert_int_equal(answer_to(&unmap, sizeof unmap, NULL), -ENOENT);
    close(file);
    machine_stop();
    stop_host();
}

static void writes_are_told(void **state) {
    char message[200];
    start_host(HONEST);
    start_machine(false);
    assert_int_equal(machine_partition_connect(host.path, message, sizeof message), 0);
    assert_true(host.flags & PARTITION_HELLO_WATCHES);
    int file = memfd_create("video", 0);
    assert_int_equal(ftruncate(file, 0x100000), 0);
    struct partition_map map = {.header = {PARTITION_MAP, sizeof map, 9},
                                .gpa = VIDEO, .size = 0x100000, .flags = PARTITION_MAP_WRITABLE};
    assert_int_equal(answer_to(&map, sizeof map, &file), 0);
    close(file);
    struct partition_watch watch = {{PARTITION_WATCH, sizeof watch, 10}, VIDEO, 0x100000};
    assert_int_equal(answer_to(&watch, sizeof watch, NULL), 0);
    assert_int_equal(host.watched, 0xffff);
    assert_int_equal(answer_to(&watch, sizeof watch, NULL), 0);
    assert_int_equal(host.watched, 0);
    *(volatile uint8_t *)machine_virtual_address(VIDEO + 0x30000) = 1;
    while (atomic_load(&host.touched) != VIDEO) {
        poll(NULL, 0, 1);
    }
    assert_int_equal(answer_to(&watch, sizeof watch, NULL), 0);
    assert_int_equal(host.watched, 8);
    watch.size = 0x10000;
    assert_int_equal(answer_to(&watch, sizeof watch, NULL), -ENOENT);
    watch.header.length = sizeof watch.header;
    assert_int_equal(answer_to(&watch, sizeof watch.header, NULL), -EINVAL);
    machine_stop();
    stop_host();
}

/* ---- the end by the host -------------------------------------------------------------------- */

static struct {
    atomic_uint count;
    enum machine_power what;
    int status;
    char reason[200];
} event;

static void on_power(void *context, enum machine_power what, int status, const char *reason) {
    event.what = what;
    event.status = status;
    snprintf(event.reason, sizeof event.reason, "%s", reason);
    atomic_fetch_add(&event.count, 1);
}

static void wait_for_event(void) {
    while (atomic_load(&event.count) == 0) {
        poll(NULL, 0, 1);
    }
}

static void end_session(const void *message, size_t length, enum machine_power what, int status,
                        const char *reason) {
    char text[200];
    memset(&event, 0, sizeof event);
    start_host(HONEST);
    start_machine(false);
    assert_int_equal(machine_partition_connect(host.path, text, sizeof text), 0);
    machine_partition_set_power_hook(on_power, NULL);
    if (message != NULL) {
        send_message(host.control, message, length, NULL, 0);
    } else {
        shutdown(host.control, SHUT_RDWR);
    }
    wait_for_event();
    assert_int_equal(event.what, what);
    assert_int_equal(event.status, status);
    if (strstr(event.reason, reason) == NULL) {
        fail_msg("says %s", event.reason);
    }
    machine_stop();
    stop_host();
    assert_int_equal(atomic_load(&event.count), 1);
}

static void the_hosts_end_of_the_session_is_reported_once(void **state) {
    struct partition_power power = {.header = {PARTITION_POWER, sizeof power, 0},
                                    .what = PARTITION_POWER_RESET};
    end_session(&power, sizeof power, MACHINE_POWER_RESET, 0, "resets the machine");
    power.what = 99;
    end_session(&power, sizeof power, MACHINE_POWER_OFF, -EPROTO, "malformed POWER");
    struct partition_header unknown = {1234, sizeof unknown, 0};
    end_session(&unknown, sizeof unknown, MACHINE_POWER_OFF, -EPROTO, "unknown message");
    unknown.length = 17;
    end_session(&unknown, sizeof unknown, MACHINE_POWER_OFF, -EPROTO, "malformed message");
    struct partition_goodbye goodbye = {{PARTITION_GOODBYE, sizeof goodbye, 0}, -EINVAL};
    end_session(&goodbye, sizeof goodbye, MACHINE_POWER_OFF, -EINVAL, "goodbye");
    struct partition_line line = {{PARTITION_LINE, sizeof line, 0}, PARTITION_LINES, 1};
    end_session(&line, sizeof line, MACHINE_POWER_OFF, -EPROTO, "malformed LINE");
    line = (struct partition_line){{PARTITION_LINE, sizeof line, 0}, 1, 2};
    end_session(&line, sizeof line, MACHINE_POWER_OFF, -EPROTO, "malformed LINE");
    struct partition_header started = {PARTITION_START | PARTITION_REPLY, sizeof started, 0};
    end_session(&started, sizeof started, MACHINE_POWER_OFF, -EPROTO, "answer to START");
    end_session(NULL, 0, MACHINE_POWER_OFF, -EPIPE, "gone away");
}

/* ---- hosts that fail at the start ----------------------------------------------------------- */

static void assert_refused(enum misbehaviour misbehaviour, int status, const char *reason) {
    char message[200];
    start_host(misbehaviour);
    start_machine(false);
    assert_int_equal(machine_partition_connect(host.path, message, sizeof message), status);
    if (strstr(message, reason) == NULL) {
        fail_msg("says %s", message);
    }
    assert_false(machine_partition_attached());
    machine_stop();
    stop_host();
}

static void a_bad_start_gives_one_clear_line(void **state) {
    char message[200];
    assert_refused(REFUSE_HELLO, -EBUSY, "refused HELLO");
    assert_refused(GOODBYE_AT_HELLO, -EPROTO, "says goodbye: no such?version");
    assert_refused(TOO_FEW_DESCRIPTORS, -EPROTO, "HELLO failed");
    assert_refused(SHORT_SHARED_FILE, -EPROTO, "HELLO failed");
    assert_refused(WRONG_COOKIE, -EPROTO, "HELLO failed");
    assert_refused(CLOSE_AT_HELLO, -EPIPE, "HELLO failed");
    assert_refused(REFUSE_ATTACH, -EPERM, "cannot attach processor 0");
    start_machine(false);
    assert_int_equal(machine_partition_connect("/nonexistent/socket", message, sizeof message),
                     -ENOENT);
    assert_non_null(strstr(message, "no host at /nonexistent/socket"));
    machine_stop();
    honest_session(false); /* and the next good one works */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_carries_requests_signals_and_vectors),
        cmocka_unit_test(a_reference_time_that_came_late_is_not_kept),
        cmocka_unit_test(lines_change),
        cmocka_unit_test(a_start_that_fails_is_reported),
        cmocka_unit_test(ranges_are_mapped_trapped_and_checked),
        cmocka_unit_test(writes_are_told),
        cmocka_unit_test(the_hosts_end_of_the_session_is_reported_once),
        cmocka_unit_test(a_bad_start_gives_one_clear_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
