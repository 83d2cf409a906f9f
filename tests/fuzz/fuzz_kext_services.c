/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of any content to the services that have a daemon, and of the daemon to them. The first
 * byte chooses the
 * service; then messages, each preceded by who sends it (even: the host, odd: the daemon) and its
 * length in two bytes. */
#include <stdlib.h>
#include <string.h>

#include "kext/services/backup.h"
#include "kext/services/daemon_link.h"
#include "kext/services/dynamic_memory.h"
#include "kext/services/file_copy.h"
#include "kext/services/kvp.h"
#include "kext/services/shutdown.h"
#include "kext/services/time_sync.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct daemon_link link;
static uint8_t to_daemon[SERVICE_CONTROL_MAXIMUM];

static bool ask(void *context, const void *body, uint32_t size)
{
    struct service_control_header header;

    if (!link.ready)
        return false;
    if (size > SERVICE_CONTROL_BODY_MAXIMUM)
        abort();
    memcpy(to_daemon, body, size);
    daemon_link_request(&link, size, &header);
    return true;
}

static bool tell(void *context, const void *body, uint32_t size)
{
    memcpy(to_daemon, body, size);
    return link.ready;
}

static uint64_t reference_now(void *context)
{
    return UINT64_C(123456789012);
}

static const struct daemon_port port = { .ask = ask, .tell = tell };
static struct shutdown shutdown = { .port = &port };
static struct time_sync time_sync = { .port = &port, .reference_now = reference_now };
static struct file_copy file_copy = { .port = &port };
static struct kvp kvp = { .port = &port };
static struct backup backup = { .port = &port };

static const struct {
    const struct integration_service *service;
    void *context;
} services[] = {
    { &shutdown_service, &shutdown }, { &time_sync_service, &time_sync },
    { &file_copy_service, &file_copy }, { &kvp_service, &kvp }, { &backup_service, &backup },
};
enum { SERVICES = sizeof services / sizeof services[0] };

static void from_host(struct integration_engine *engine, uint8_t *message, uint32_t length)
{
    int result = integration_receive(engine, message, length, length);

    if (result > 0 && ((uint32_t)result > length ||
                       (uint32_t)result < sizeof(struct ic_message_header)))
        abort();
}

static void from_daemon(const uint8_t *message, uint32_t length)
{
    struct daemon_reply reply;

    if (daemon_link_receive(&link, message, length, &reply) != DAEMON_REPLY)
        return;
    if (reply.size > length || (reply.size != 0 && reply.size != link.request_size))
        abort();
    shutdown_answered(&shutdown, reply.status);
    file_copy_answered(&file_copy, reply.status);
}

static void to_memory(struct dynamic_memory *memory, const uint8_t *message, uint32_t length)
{
    uint8_t answer[DYNAMIC_MEMORY_MESSAGE_MAXIMUM];

    if (dynamic_memory_receive(memory, message, length, answer) > (int)sizeof answer)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct integration_engine engine;
    struct dynamic_memory memory;
    uint8_t first[DYNAMIC_MEMORY_MESSAGE_MAXIMUM];
    size_t at = 1;
    unsigned chosen = size > 0 ? bytes[0] % (SERVICES + 1) : 0;

    memset(&link, 0, sizeof link);
    shutdown.in_progress = time_sync.known = file_copy.copying = false;
    daemon_link_connect(&link);
    dynamic_memory_begin(&memory, 1000, first);
    integration_init(&engine, services[chosen % SERVICES].service,
                     services[chosen % SERVICES].context);
    while (at + 3 <= size) {
        bool daemon = (bytes[at] & 1) != 0;
        uint32_t length = bytes[at + 1] | (uint32_t)bytes[at + 2] << 8;
        uint8_t *message;

        at += 3;
        if (length > size - at)
            length = (uint32_t)(size - at);
        message = malloc(length > 0 ? length : 1);          /* exactly as large as it says */
        if (message == NULL)
            return 0;
        memcpy(message, bytes + at, length);
        at += length;
        if (daemon)
            from_daemon(message, length);
        else if (chosen == SERVICES)
            to_memory(&memory, message, length);
        else
            from_host(&engine, message, length);
        free(message);
    }
    return 0;
}
