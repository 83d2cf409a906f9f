/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest file copy: START, WRITE for each piece, COMPLETE; each waits for the guest's answer. */
#include "host/devices/filecopy.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

#include "protocol/utf16.h"
#include "protocol/vmbus_classes.h"

static const uint64_t limit_ns = 60000000000ull;
static const uint32_t versions[] = {IC_FILE_COPY_1_1};
static const struct integration_settings settings = {
    .name = "file copy",
    .kind = "filecopy",
    .class_id = VMBUS_CLASS_FILE_COPY,
    .instance_id = VMBUS_INSTANCE_FILE_COPY,
    .message_type = IC_MESSAGE_FILE_COPY,
    .versions = versions,
    .version_count = sizeof(versions) / sizeof(versions[0]),
};

struct filecopy {
    struct integration_service service; /* first */
    bool copying;
    struct filecopy_request request;
    struct filecopy_events events;
    void *context;
    uint64_t copied; /* confirmed */
    uint32_t piece;  /* bytes of the message under way */
    uint32_t operation;
    struct ic_file_copy_write write; /* the message under way: too large for the stack's taste */
    uint64_t copies, bytes;
};

static void step(struct filecopy *copy);

static void end_copy(struct filecopy *copy, int result, uint32_t status)
{
    copy->copying = false;
    copy->copies += result == 0 && status == IC_STATUS_OK;
    if (copy->events.done != NULL) {
        copy->events.done(copy->context, result, status);
    }
}

static void tell_cancel(struct filecopy *copy)
{
    const struct ic_file_copy_header body = {.operation = IC_FILE_COPY_CANCEL};
    integration_service_call(&copy->service, &body, sizeof(body), limit_ns, NULL, NULL);
}

static void answered(void *context, int result, uint32_t status, const void *body, size_t size)
{
    struct filecopy *copy = context;
    if (!copy->copying) {
        return;
    }
    if (result != 0 || status != IC_STATUS_OK) {
        if (result == -ETIMEDOUT) {
            tell_cancel(copy);
        }
        end_copy(copy, result, status);
        return;
    }
    if (copy->operation == IC_FILE_COPY_COMPLETE) {
        end_copy(copy, 0, status);
        return;
    }
    copy->copied += copy->piece;
    copy->bytes += copy->piece;
    if (copy->piece > 0 && copy->events.progress != NULL) {
        copy->events.progress(copy->context, copy->copied);
    }
    if (copy->copying) { /* the event may have cancelled */
        step(copy);
    }
}

static int call(struct filecopy *copy, const void *body, size_t size)
{
    return integration_service_call(&copy->service, body, size, limit_ns, answered, copy);
}

static int send_piece(struct filecopy *copy)
{
    struct ic_file_copy_write *write = &copy->write;
    uint64_t left = copy->request.size - copy->copied;
    ssize_t count = pread(copy->request.source, write->data,
                          left < sizeof(write->data) ? (size_t)left : sizeof(write->data),
                          (off_t)copy->copied);
    if (count <= 0) {
        tell_cancel(copy); /* shrunk under our hands, or broken */
        return -EIO;
    }
    write->header.operation = copy->operation = IC_FILE_COPY_WRITE;
    write->offset = copy->copied;
    write->size = copy->piece = (uint32_t)count;
    memset(write->data + count, 0, sizeof(write->data) - (size_t)count);
    return call(copy, write, sizeof(*write));
}

static void step(struct filecopy *copy)
{
    const struct ic_file_copy_header complete = {.operation = IC_FILE_COPY_COMPLETE};
    int result;
    if (copy->copied < copy->request.size) {
        result = send_piece(copy);
    } else {
        copy->operation = IC_FILE_COPY_COMPLETE;
        copy->piece = 0;
        result = call(copy, &complete, sizeof(complete));
    }
    if (result != 0) {
        end_copy(copy, result, 0);
    }
}

static bool put_name(const char *text, uint16_t *units)
{
    uint16_t wide[IC_FILE_COPY_NAME_UNITS + 1]; /* one more, to see that it is too long */
    size_t count = utf8_to_utf16(text, wide, IC_FILE_COPY_NAME_UNITS + 1);
    if (count > IC_FILE_COPY_NAME_UNITS) {
        return false;
    }
    memcpy(units, wide, count * sizeof(*units));
    return true;
}

int filecopy_start(struct virtual_device *device, const struct filecopy_request *request,
                   const struct filecopy_events *events, void *context)
{
    struct filecopy *copy = (struct filecopy *)device;
    struct ic_file_copy_start start = {
        .header.operation = IC_FILE_COPY_START,
        .flags = request->flags,
        .file_size = request->size,
    };
    uint16_t name[IC_FILE_COPY_NAME_UNITS] = {0}, path[IC_FILE_COPY_NAME_UNITS] = {0};
    if (copy->copying) {
        return -EBUSY;
    }
    if (!put_name(request->name, name) || !put_name(request->path, path)) {
        return -ENAMETOOLONG;
    }
    memcpy(start.file_name, name, sizeof(name));
    memcpy(start.path, path, sizeof(path));
    int result = call(copy, &start, sizeof(start));
    if (result != 0) {
        return result;
    }
    copy->copying = true;
    copy->request = *request;
    copy->request.name = copy->request.path = NULL;
    copy->events = *events;
    copy->context = context;
    copy->copied = 0;
    copy->piece = 0;
    copy->operation = IC_FILE_COPY_START;
    return 0;
}

void filecopy_cancel(struct virtual_device *device)
{
    struct filecopy *copy = (struct filecopy *)device;
    if (copy->copying) {
        tell_cancel(copy); /* in line behind what the guest is doing */
        end_copy(copy, -ECANCELED, 0);
    }
}

static void describe(struct integration_service *service, struct json_object *to)
{
    const struct filecopy *copy = (const struct filecopy *)service;
    json_object_object_add(to, "copying", json_object_new_boolean(copy->copying));
    json_object_object_add(to, "copies", json_object_new_uint64(copy->copies));
    json_object_object_add(to, "bytes", json_object_new_uint64(copy->bytes));
}

struct virtual_device *filecopy_new(uint32_t framework, uint32_t version)
{
    struct filecopy *copy = integration_service_new(sizeof(*copy), &settings, framework, version);
    if (copy == NULL) {
        return NULL;
    }
    copy->service.describe = describe;
    return &copy->service.device;
}
