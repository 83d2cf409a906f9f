/* SPDX-License-Identifier: BSD-3-Clause */
/* The scripted monitor. */
#include "tests/unit/host-server/monitor.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

int monitor_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    int socket_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_true(socket_fd >= 0);
    assert_int_equal(connect(socket_fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return socket_fd;
}

void monitor_send(int socket, const void *message, size_t size, int descriptor)
{
    struct iovec piece = {(void *)(uintptr_t)message, size};
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr header = {.msg_iov = &piece, .msg_iovlen = 1};
    if (descriptor >= 0) {
        header.msg_control = control.space;
        header.msg_controllen = sizeof(control.space);
        struct cmsghdr *part = CMSG_FIRSTHDR(&header);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(part), &descriptor, sizeof(int));
    }
    assert_int_equal(sendmsg(socket, &header, MSG_NOSIGNAL), (ssize_t)size);
}

static void wait_readable(struct monitor *monitor, int descriptor)
{
    struct pollfd entry = {.fd = descriptor, .events = POLLIN};
    if (monitor->pump == NULL) {
        assert_int_equal(poll(&entry, 1, MONITOR_WAIT_MS), 1);
        return;
    }
    for (unsigned turns = 0; poll(&entry, 1, 0) == 0; turns++) {
        assert_true(turns < 10000); /* the server has had every chance */
        monitor->pump(monitor->pump_context);
    }
}

size_t monitor_receive(struct monitor *monitor, int socket, void *message, size_t size,
                       int *descriptors, unsigned capacity, unsigned *count)
{
    struct iovec piece = {message, size};
    char control[CMSG_SPACE(sizeof(int) * (MONITOR_PROCESSORS_MAX + 2))];
    struct msghdr header = {.msg_iov = &piece, .msg_iovlen = 1,
                            .msg_control = control, .msg_controllen = sizeof(control)};
    wait_readable(monitor, socket);
    ssize_t got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == ECONNRESET) {
        got = 0;
    }
    assert_true(got >= 0);
    unsigned found = 0;
    struct cmsghdr *part = CMSG_FIRSTHDR(&header);
    if (part != NULL && part->cmsg_type == SCM_RIGHTS) {
        found = (unsigned)((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        assert_true(found <= capacity);
        memcpy(descriptors, CMSG_DATA(part), found * sizeof(int));
    }
    if (count != NULL) {
        *count = found;
    }
    return (size_t)got;
}

/* A request and its reply, whose type, cookie and size are checked. */
static void exchange(struct monitor *monitor, int socket, void *request, size_t request_size,
                     void *reply, size_t reply_size)
{
    struct partition_header *sent = request, *got = reply;
    sent->length = (uint32_t)request_size;
    sent->cookie = ++monitor->cookie;
    monitor_send(socket, request, request_size, -1);
    assert_int_equal(monitor_receive(monitor, socket, reply, reply_size, NULL, 0, NULL),
                     reply_size);
    assert_int_equal(got->type, sent->type | PARTITION_REPLY);
    assert_int_equal(got->cookie, sent->cookie);
    assert_int_equal(got->length, reply_size);
}

int monitor_expect_goodbye(struct monitor *monitor, int socket, const char *part)
{
    struct {
        struct partition_header header;
        int32_t status;
        char text[PARTITION_TEXT_MAX + 1];
    } __attribute__((packed)) message = {0};
    size_t size = monitor_receive(monitor, socket, &message, sizeof(message) - 1, NULL, 0, NULL);
    assert_true(size >= sizeof(struct partition_goodbye));
    assert_int_equal(message.header.type, PARTITION_GOODBYE);
    if (strstr(message.text, part) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", message.text, part);
    }
    return message.status;
}

void monitor_hello(struct monitor *monitor, const char *path, uint32_t processors, uint32_t flags)
{
    int descriptors[MONITOR_PROCESSORS_MAX + 2];
    unsigned count;
    struct partition_hello hello = {
        .header = {PARTITION_HELLO, sizeof(hello), ++monitor->cookie},
        .version = PARTITION_VERSION,
        .processors = processors,
        .guest_mode = PARTITION_GUEST_MODE_64,
        .flags = flags,
    };
    struct partition_hello_reply reply;
    monitor->control = monitor_connect(path);
    monitor->processor_count = processors;
    for (uint32_t i = 0; i < MONITOR_PROCESSORS_MAX; i++) {
        monitor->processors[i] = monitor->interrupt_events[i] = -1;
    }
    monitor_send(monitor->control, &hello, sizeof(hello), -1);
    assert_int_equal(monitor_receive(monitor, monitor->control, &reply, sizeof(reply), descriptors,
                                     MONITOR_PROCESSORS_MAX + 2, &count),
                     sizeof(reply));
    assert_int_equal(reply.header.type, PARTITION_HELLO | PARTITION_REPLY);
    assert_int_equal(reply.status, 0);
    assert_int_equal(count, processors + 2);
    monitor->signal_base = reply.signal_base;
    monitor->signal_count = reply.signal_count;
    monitor->generation = reply.generation;
    monitor->boot_screen = reply.boot_screen;
    monitor->page_file = descriptors[0];
    memcpy(monitor->interrupt_events, descriptors + 1, processors * sizeof(int));
    monitor->signal_event = descriptors[1 + processors];
    void *pages = mmap(NULL, (1 + processors) * PARTITION_PAGE_SIZE, PROT_READ | PROT_WRITE,
                       MAP_SHARED, monitor->page_file, 0);
    assert_ptr_not_equal(pages, MAP_FAILED);
    monitor->signals = pages;
    monitor->vectors = (struct partition_vector_page *)pages + 1;
}

int monitor_attach(struct monitor *monitor, const char *path, uint32_t processor)
{
    struct partition_attach attach = {.header = {.type = PARTITION_ATTACH},
                                      .processor = processor};
    struct partition_status_reply reply;
    int socket = monitor_connect(path);
    exchange(monitor, socket, &attach, sizeof(attach), &reply, sizeof(reply));
    if (reply.status == 0) {
        monitor->processors[processor] = socket;
    } else {
        close(socket);
    }
    return reply.status;
}

void monitor_ram(struct monitor *monitor, uint64_t gpa, uint64_t size, uint64_t file_offset)
{
    struct partition_ram ram = {
        .header = {PARTITION_RAM, sizeof(ram), ++monitor->cookie},
        .gpa = gpa,
        .size = size,
        .file_offset = file_offset,
    };
    monitor_send(monitor->control, &ram, sizeof(ram), monitor->ram_file);
}

void monitor_send_header(struct monitor *monitor, int socket, uint32_t type)
{
    struct partition_header header = {type, sizeof(header), ++monitor->cookie};
    monitor_send(socket, &header, sizeof(header), -1);
}

void monitor_start(struct monitor *monitor, const char *path, uint32_t processors,
                   size_t ram_size)
{
    monitor_hello(monitor, path, processors, PARTITION_HELLO_ANSWERS);
    for (uint32_t i = 0; i < processors; i++) {
        assert_int_equal(monitor_attach(monitor, path, i), 0);
    }
    monitor->ram_file = memfd_create("ram", MFD_CLOEXEC);
    assert_int_equal(ftruncate(monitor->ram_file, (off_t)ram_size), 0);
    monitor->ram_size = ram_size;
    monitor->ram = mmap(NULL, ram_size, PROT_READ | PROT_WRITE, MAP_SHARED, monitor->ram_file, 0);
    assert_ptr_not_equal(monitor->ram, MAP_FAILED);
    monitor_ram(monitor, 0, ram_size, 0);
    monitor_send_header(monitor, monitor->control, PARTITION_START);
}

void monitor_power(struct monitor *monitor, uint32_t what)
{
    struct partition_power power = {
        .header = {PARTITION_POWER, sizeof(power), ++monitor->cookie},
        .what = what,
    };
    monitor_send(monitor->control, &power, sizeof(power), -1);
}

void monitor_goodbye(struct monitor *monitor, int32_t status, const char *text)
{
    uint8_t bytes[sizeof(struct partition_goodbye) + PARTITION_TEXT_MAX];
    size_t size = sizeof(struct partition_goodbye) + strlen(text);
    struct partition_goodbye goodbye = {
        .header = {PARTITION_GOODBYE, (uint32_t)size, ++monitor->cookie},
        .status = status,
    };
    memcpy(bytes, &goodbye, sizeof(goodbye));
    memcpy(bytes + sizeof(goodbye), text, strlen(text));
    monitor_send(monitor->control, bytes, size, -1);
}

struct partition_cpuid_reply monitor_cpuid(struct monitor *monitor, uint32_t processor,
                                           uint32_t leaf)
{
    struct partition_cpuid request = {.header = {.type = PARTITION_CPUID}, .leaf = leaf};
    struct partition_cpuid_reply reply;
    exchange(monitor, monitor->processors[processor], &request, sizeof(request), &reply,
             sizeof(reply));
    return reply;
}

int monitor_rdmsr(struct monitor *monitor, uint32_t processor, uint32_t index, uint64_t *value)
{
    struct partition_rdmsr request = {.header = {.type = PARTITION_RDMSR}, .index = index};
    struct partition_rdmsr_reply reply;
    exchange(monitor, monitor->processors[processor], &request, sizeof(request), &reply,
             sizeof(reply));
    *value = reply.value;
    return reply.status;
}

int monitor_wrmsr(struct monitor *monitor, uint32_t processor, uint32_t index, uint64_t value)
{
    struct partition_wrmsr request = {.header = {.type = PARTITION_WRMSR}, .index = index,
                                      .value = value};
    struct partition_status_reply reply;
    exchange(monitor, monitor->processors[processor], &request, sizeof(request), &reply,
             sizeof(reply));
    return reply.status;
}

uint64_t monitor_hypercall(struct monitor *monitor, uint32_t processor, uint64_t control,
                           uint64_t input, uint64_t output)
{
    struct partition_hypercall request = {.header = {.type = PARTITION_HYPERCALL},
                                          .control = control, .input = input, .output = output};
    struct partition_hypercall_reply reply;
    exchange(monitor, monitor->processors[processor], &request, sizeof(request), &reply,
             sizeof(reply));
    return reply.result;
}

void monitor_signal(struct monitor *monitor, uint32_t connection_id)
{
    const uint64_t one = 1;
    uint32_t bit = connection_id - monitor->signal_base;
    assert_true(bit < monitor->signal_count);
    if (__atomic_fetch_or(&monitor->signals->words[bit / 64], 1ull << bit % 64,
                          __ATOMIC_SEQ_CST) == 0) {
        assert_int_equal(write(monitor->signal_event, &one, sizeof(one)), sizeof(one));
    }
}

bool monitor_wait_vector(struct monitor *monitor, uint32_t processor, uint8_t vector)
{
    uint64_t count;
    wait_readable(monitor, monitor->interrupt_events[processor]);
    assert_int_equal(read(monitor->interrupt_events[processor], &count, sizeof(count)),
                     sizeof(count));
    bool found = false;
    for (unsigned i = 0; i < PARTITION_VECTORS / 64; i++) {
        uint64_t word = __atomic_exchange_n(&monitor->vectors[processor].words[i], 0,
                                            __ATOMIC_SEQ_CST);
        if (i == vector / 64u) {
            found = (word >> vector % 64 & 1) != 0;
        }
    }
    return found;
}

void monitor_vanish(struct monitor *monitor)
{
    close(monitor->control);
    for (uint32_t i = 0; i < monitor->processor_count; i++) {
        if (monitor->processors[i] >= 0) {
            close(monitor->processors[i]);
        }
        close(monitor->interrupt_events[i]);
    }
    close(monitor->signal_event);
    close(monitor->page_file);
    munmap(monitor->signals, (1 + monitor->processor_count) * PARTITION_PAGE_SIZE);
    if (monitor->ram != NULL) {
        munmap(monitor->ram, monitor->ram_size);
        close(monitor->ram_file);
    }
    *monitor = (struct monitor){.pump = monitor->pump, .pump_context = monitor->pump_context};
}
