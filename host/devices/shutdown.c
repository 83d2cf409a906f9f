/* SPDX-License-Identifier: BSD-3-Clause */
/* The shutdown service. */
#include "host/devices/shutdown.h"

#include <errno.h>

#include "protocol/utf16.h"
#include "protocol/vmbus_classes.h"

enum { GUEST_TIMEOUT_SECONDS = 300 };
static const uint64_t limit_ns = 30000000000ull;
static const uint32_t versions[] = {IC_SHUTDOWN_1_0, IC_SHUTDOWN_3_0, IC_SHUTDOWN_3_1,
                                    IC_SHUTDOWN_3_2};
static const struct integration_settings settings = {
    .name = "shutdown",
    .kind = "shutdown",
    .class_id = VMBUS_CLASS_SHUTDOWN,
    .instance_id = VMBUS_INSTANCE_SHUTDOWN,
    .message_type = IC_MESSAGE_SHUTDOWN,
    .versions = versions,
    .version_count = sizeof(versions) / sizeof(versions[0]),
};

int shutdown_request(struct virtual_device *device, uint32_t flags, uint32_t reason,
                     const char *text, integration_done *done, void *context)
{
    struct integration_service *service = (struct integration_service *)device;
    const uint32_t version = service->channel.message_version;
    struct ic_shutdown body = {.reason = reason, .timeout = GUEST_TIMEOUT_SECONDS, .flags = flags};
    if (service->channel.state == INTEGRATION_READY &&
        (((flags & IC_SHUTDOWN_RESTART) != 0 && version < IC_SHUTDOWN_3_1) ||
         ((flags & IC_SHUTDOWN_HIBERNATE) != 0 && version < IC_SHUTDOWN_3_2))) {
        return -EOPNOTSUPP;
    }
    if (text != NULL) {
        utf8_to_utf16(text, body.text, sizeof(body.text) / 2);
    }
    return integration_service_call(service, &body, sizeof(body), limit_ns, done, context);
}

struct virtual_device *shutdown_new(uint32_t framework, uint32_t version)
{
    struct integration_service *service =
        integration_service_new(sizeof(*service), &settings, framework, version);
    return service != NULL ? &service->device : NULL;
}
