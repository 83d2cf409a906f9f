/* SPDX-License-Identifier: BSD-3-Clause */
/* Backup. */
#include "host/devices/vss.h"

#include <errno.h>
#include <json-c/json.h>

#include "protocol/vmbus_classes.h"

static const uint64_t limit_ns = 120000000000ull;
static const uint32_t versions[] = {IC_VSS_4_0, IC_VSS_5_0, IC_VSS_6_0, IC_VSS_7_0};
static const struct integration_settings settings = {
    .name = "backup",
    .kind = "backup",
    .class_id = VMBUS_CLASS_VSS,
    .instance_id = VMBUS_INSTANCE_VSS,
    .message_type = IC_MESSAGE_VSS,
    .versions = versions,
    .version_count = sizeof(versions) / sizeof(versions[0]),
};

struct vss {
    struct integration_service service; /* first */
    integration_done *done;
    void *context;
    bool busy;
    uint8_t operation;
    bool frozen;
    uint64_t freezes, thaws; /* confirmed */
};

static void end_call(struct vss *vss, int result, uint32_t status)
{
    vss->busy = false;
    if (result == -ECONNRESET) {
        vss->frozen = false;
    }
    if (vss->done != NULL) {
        vss->done(vss->context, result, status, NULL, 0);
    }
}

static void answered(void *context, int result, uint32_t status, const void *body, size_t size);

static int send_operation(struct vss *vss, uint8_t operation)
{
    const struct ic_vss_freeze freeze = {.header.operation = operation};
    const struct ic_vss_flags other = {.header.operation = operation};
    const bool long_one = operation == IC_VSS_FREEZE;
    vss->operation = operation;
    return integration_service_call(&vss->service, long_one ? (const void *)&freeze : &other,
                                    long_one ? sizeof(freeze) : sizeof(other), limit_ns, answered,
                                    vss);
}

static void answered(void *context, int result, uint32_t status, const void *body, size_t size)
{
    struct vss *vss = context;
    if (result == 0 && status == IC_STATUS_OK) {
        switch (vss->operation) {
        case IC_VSS_HOT_BACKUP:
            result = send_operation(vss, IC_VSS_FREEZE);
            if (result == 0) {
                return; /* the freeze's answer ends it */
            }
            break;
        case IC_VSS_FREEZE:
            vss->frozen = true;
            vss->freezes++;
            break;
        default:
            vss->thaws++;
            break;
        }
    }
    if (vss->operation == IC_VSS_THAW) {
        vss->frozen = false; /* also when it went wrong: the guest goes on */
    }
    end_call(vss, result, status);
}

static int begin(struct virtual_device *device, uint8_t operation, integration_done *done,
                 void *context)
{
    struct vss *vss = (struct vss *)device;
    if (vss->busy) {
        return -EBUSY;
    }
    int result = send_operation(vss, operation);
    if (result == 0) {
        vss->busy = true;
        vss->done = done;
        vss->context = context;
    }
    return result;
}

int vss_freeze(struct virtual_device *device, integration_done *done, void *context)
{
    return begin(device, IC_VSS_HOT_BACKUP, done, context);
}

int vss_thaw(struct virtual_device *device, integration_done *done, void *context)
{
    return begin(device, IC_VSS_THAW, done, context);
}

bool vss_is_frozen(const struct virtual_device *device)
{
    return ((const struct vss *)device)->frozen;
}

static void describe(struct integration_service *service, struct json_object *to)
{
    const struct vss *vss = (const struct vss *)service;
    json_object_object_add(to, "frozen", json_object_new_boolean(vss->frozen));
    json_object_object_add(to, "freezes", json_object_new_uint64(vss->freezes));
    json_object_object_add(to, "thaws", json_object_new_uint64(vss->thaws));
}

struct virtual_device *vss_new(uint32_t framework, uint32_t version)
{
    struct vss *vss = integration_service_new(sizeof(*vss), &settings, framework, version);
    if (vss == NULL) {
        return NULL;
    }
    vss->service.describe = describe;
    return &vss->service.device;
}
