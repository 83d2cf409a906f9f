/* SPDX-License-Identifier: BSD-3-Clause */
/* hvfilecopyd: writes the files that the host copies into the guest (Copy-VMFile). */
#include "daemons/common/daemon.h"
#include "daemons/filecopy/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_JOURNAL "/var/run/hvfilecopyd.journal"

static const char *root = "/";
static const char *journal = DEFAULT_JOURNAL;
static struct target target;
static uint32_t notice_status;  /* of the first piece that went wrong since the last request */

static const struct daemon_option options[] = {
    { "--root", "FOLDER", "take paths of the host as below FOLDER", &root },
    { "--journal", "FILE", "where to note what to remove after a crash", &journal },
    { NULL, NULL, NULL, NULL },
};

static int start(void)
{
    const struct folder_root from = { root, strcmp(root, "/") == 0 };
    int folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0) {
        daemon_error("--root %s: %s; make the folder first", root, strerror(errno));
        return 1;
    }
    close(folder);
    target_init(&target, &from, journal);
    return 0;
}

static uint32_t begin(const uint8_t *body, uint32_t size)
{
    struct ic_file_copy_start start;
    char name[FILE_NAME_MAX], path[FILE_NAME_MAX];
    uint32_t status;

    if (size < sizeof start)
        return IC_STATUS_INVALID_ARGUMENT;
    memcpy(&start, body, sizeof start);
    if (!file_name_read(body + offsetof(struct ic_file_copy_start, file_name),
                        IC_FILE_COPY_NAME_UNITS, name) ||
        !file_name_read(body + offsetof(struct ic_file_copy_start, path), IC_FILE_COPY_NAME_UNITS,
                        path)) {
        daemon_error("a file was refused: its name is no text, or has no end");
        return IC_STATUS_INVALID_ARGUMENT;
    }
    daemon_log("the host copies \"%s\", %llu bytes, to \"%s\"", name,
               (unsigned long long)start.file_size, path);
    status = target_begin(&target, name, path, start.flags, start.file_size);
    if (status != IC_STATUS_OK)
        daemon_error("the copy was refused with 0x%08x", status);
    return status;
}

static uint32_t write_piece(const uint8_t *body, uint32_t size)
{
    struct ic_file_copy_write write;
    const uint32_t head = offsetof(struct ic_file_copy_write, data);

    if (size < head)
        return IC_STATUS_INVALID_ARGUMENT;
    memcpy(&write, body, head);
    if (write.size > size - head)
        return IC_STATUS_INVALID_ARGUMENT;
    return target_write(&target, write.offset, body + head, write.size);
}

/* What became of a piece, or of the end: after a failure there is no copy any more. */
static uint32_t ended(uint32_t status)
{
    if (status != IC_STATUS_OK) {
        target_cancel(&target);
        daemon_error("the copy failed with 0x%08x; nothing is left of it", status);
    }
    return status;
}

/* A piece that the host does not wait for. */
static void notice(const void *body, uint32_t size)
{
    uint32_t operation;

    if (size < sizeof operation || notice_status != IC_STATUS_OK)
        return;
    memcpy(&operation, body, sizeof operation);
    if (operation == IC_FILE_COPY_WRITE)
        notice_status = ended(write_piece(body, size));
}

/* What became of the pieces since the last request. */
static uint32_t take_notice_status(void)
{
    uint32_t status = notice_status;

    notice_status = IC_STATUS_OK;
    return status;
}

static uint32_t complete(void)
{
    uint32_t status = target_complete(&target);

    if (status == IC_STATUS_OK)
        daemon_log("the copy is complete");
    return ended(status);
}

static uint32_t request(void *body, uint32_t size, bool *replies)
{
    uint32_t operation, earlier = take_notice_status();

    (void)replies;
    if (size < sizeof operation)
        return IC_STATUS_INVALID_ARGUMENT;
    memcpy(&operation, body, sizeof operation);
    switch (operation) {
    case IC_FILE_COPY_START:
        return begin(body, size);
    case IC_FILE_COPY_WRITE:
        return earlier != IC_STATUS_OK ? earlier : ended(write_piece(body, size));
    case IC_FILE_COPY_COMPLETE:
        return earlier != IC_STATUS_OK ? earlier : complete();
    case IC_FILE_COPY_CANCEL:
        daemon_log("the host gave the copy up");
        target_cancel(&target);
        return IC_STATUS_OK;
    default:
        return IC_STATUS_NOT_SUPPORTED;
    }
}

static void reset(void)
{
    notice_status = IC_STATUS_OK;
    target_cancel(&target);
}

int main(int argc, char **argv)
{
    static const struct daemon_program program = {
        .name = "hvfilecopyd",
        .control = SERVICE_CONTROL_FILE_COPY,
        .purpose = "Writes the files that the Hyper-V host copies into the guest.",
        .options = options,
        .start = start,
        .request = request,
        .notice = notice,
        .reset = reset,
    };
    int status = daemon_main(argc, argv, &program);

    return status;
}
