/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest file copy. */
#include "kext/services/file_copy.h"

#include "kext/core/shared_memory.h"

static uint32_t check_write(const struct file_copy *copy, const void *body, uint32_t size)
{
    struct ic_file_copy_write write;
    const uint32_t head = offsetof(struct ic_file_copy_write, data);

    if (size < head)
        return IC_STATUS_INVALID_ARGUMENT;
    memcpy(&write, body, head);
    if (write.size == 0 || write.size > IC_FILE_COPY_DATA_SIZE || write.size > size - head ||
        write.offset > copy->file_size || write.size > copy->file_size - write.offset)
        return IC_STATUS_INVALID_ARGUMENT;
    return copy->copying ? IC_STATUS_OK : IC_STATUS_FAIL;
}

static uint32_t check_start(struct file_copy *copy, const void *body, uint32_t size)
{
    struct ic_file_copy_start start;

    if (size < sizeof start)
        return IC_STATUS_INVALID_ARGUMENT;
    if (copy->copying)
        daemon_reset(copy->port);           /* the host has forgotten the last one */
    copy->copying = false;
    memcpy(&copy->file_size, (const uint8_t *)body + offsetof(struct ic_file_copy_start, file_size),
           sizeof copy->file_size);
    return (int64_t)copy->file_size < 0 ? IC_STATUS_INVALID_ARGUMENT : IC_STATUS_OK;
}

static uint32_t check(struct file_copy *copy, uint32_t operation, const void *body, uint32_t size)
{
    switch (operation) {
    case IC_FILE_COPY_START:    return check_start(copy, body, size);
    case IC_FILE_COPY_WRITE:    return check_write(copy, body, size);
    case IC_FILE_COPY_COMPLETE: return copy->copying ? IC_STATUS_OK : IC_STATUS_FAIL;
    case IC_FILE_COPY_CANCEL:   return IC_STATUS_OK;
    default:                    return IC_STATUS_NOT_SUPPORTED;
    }
}

/* A piece that the host need not wait for. False: it has to, for what the daemon says. */
static bool give_ahead(struct file_copy *copy, uint32_t operation, const void *body, uint32_t size)
{
    if (operation != IC_FILE_COPY_WRITE || copy->ahead == FILE_COPY_AHEAD_MAXIMUM ||
        !daemon_tell(copy->port, body, size))
        return false;
    copy->ahead++;
    return true;
}

static enum integration_answer copy_file(struct integration_engine *engine, void *body,
                                         uint32_t *body_size, uint32_t capacity, uint32_t *status)
{
    struct file_copy *copy = engine->context;
    uint32_t operation;

    memcpy(&operation, body, sizeof operation);
    *status = check(copy, operation, body, *body_size);
    if (*status != IC_STATUS_OK || (operation == IC_FILE_COPY_CANCEL && !copy->copying))
        return INTEGRATION_REPLY;
    if (give_ahead(copy, operation, body, *body_size))
        return INTEGRATION_REPLY;
    copy->operation = operation;
    copy->ahead = 0;
    if (daemon_ask(copy->port, body, *body_size)) {
        if (operation == IC_FILE_COPY_START)
            copy->copying = true;
        return INTEGRATION_LATER;
    }
    copy->copying = false;
    *status = IC_STATUS_FAIL;
    return INTEGRATION_REPLY;
}

void file_copy_answered(void *context, uint32_t status)
{
    struct file_copy *copy = context;
    bool over = copy->operation == IC_FILE_COPY_COMPLETE || copy->operation == IC_FILE_COPY_CANCEL;

    if (copy->operation == IC_FILE_COPY_COMPLETE && status == IC_STATUS_OK)
        copy->copies++;
    if (status != IC_STATUS_OK || over)
        copy->copying = false;
}

static void reset(struct integration_engine *engine)
{
    struct file_copy *copy = engine->context;

    copy->copying = false;
    daemon_reset(copy->port);
}

const struct integration_service file_copy_service = {
    .name = "file copy",
    .message_type = IC_MESSAGE_FILE_COPY,
    .body_minimum = sizeof(struct ic_file_copy_header),
    .framework_versions = { IC_FRAMEWORK_3_0 },
    .message_versions = { IC_FILE_COPY_1_1 },
    .handle = copy_file,
    .reset = reset,
};
