/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Raw files and block devices through io_uring. The page cache stays in between: a request is
 * acknowledged when the kernel has the data, and is on the medium after a flush or, with
 * force_unit_access, at once.
 *
 * Reads that the page cache can answer end inside the submission. Writes do so only where the file
 * system can tell beforehand whether one will wait (XFS, btrfs); on others (ext4) the kernel hands
 * each to a thread of its own, and the two wake-ups cost ten times the copy. There small writes are
 * done on the spot as long as that is quick; one that had to wait sends others to io_uring.
 */
#include "host/disk/disk_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/disk/disk.h"
#include "host/disk/disk_engine.h"
#include "host/disk/disk_open.h"
#include "host/disk/write_patience.h"

enum {
    VECTOR_MAX = 1024, /* the kernel's IOV_MAX */
    ZERO_PIECE = 65536,
    ZERO_PIECES = 16,
    AT_ONCE_MAX = 65536,    /* bytes of a write that is not worth another thread */
};

struct file_disk {
    struct disk disk;
    int descriptor;
    bool block_device;
    bool punch_works; /* until the file system says no */
    bool writes_tell; /* whether they would wait, until the file system says no */
    struct write_patience patience;
    struct file_operation *spare;
};

/* One request on its way through the ring, in one or several steps. */
struct file_operation {
    struct disk_engine_operation operation; /* first: the engine gives this back */
    struct disk_request *request;
    uint64_t moved;
    bool writing_zeros; /* by hand, because the file system cannot */
    struct iovec *vector;
    unsigned vector_count;
    struct iovec zeros[ZERO_PIECES];
    struct file_operation *next;
};

static uint8_t zero_piece[ZERO_PIECE];

static struct file_operation *take_operation(struct file_disk *file)
{
    struct file_operation *operation = file->spare;
    if (operation != NULL) {
        file->spare = operation->next;
        return operation;
    }
    return malloc(sizeof(*operation));
}

static void finish(struct file_operation *operation, int result)
{
    struct disk_request *request = operation->request;
    struct file_disk *file = (struct file_disk *)request->disk;
    uint64_t transferred = result == 0 ? request->length : operation->moved;
    operation->next = file->spare;
    file->spare = operation;
    disk_complete(request, result, transferred);
}

static void prepare_zeros(struct file_operation *operation)
{
    uint64_t left = operation->request->length - operation->moved;
    unsigned count = 0;
    while (left > 0 && count < ZERO_PIECES) {
        size_t size = left < ZERO_PIECE ? (size_t)left : ZERO_PIECE;
        operation->zeros[count++] = (struct iovec){zero_piece, size};
        left -= size;
    }
    operation->vector = operation->zeros;
    operation->vector_count = count;
}

static void prepare_entry(struct file_disk *file, struct file_operation *operation,
                          struct io_uring_sqe *entry)
{
    const struct disk_request *request = operation->request;
    const int fd = file->descriptor;
    const uint64_t at = request->offset + operation->moved;
    const uint64_t left = request->length - operation->moved;
    unsigned count = operation->vector_count < VECTOR_MAX ? operation->vector_count : VECTOR_MAX;

    if (request->operation == DISK_FLUSH) {
        io_uring_prep_fsync(entry, fd, IORING_FSYNC_DATASYNC);
    } else if (request->operation == DISK_READ) {
        io_uring_prep_readv(entry, fd, operation->vector, count, at);
    } else if (request->operation == DISK_WRITE || operation->writing_zeros) {
        io_uring_prep_writev2(entry, fd, operation->vector, count, at,
                              request->force_unit_access ? RWF_DSYNC : 0);
    } else if (request->operation == DISK_DISCARD || file->block_device) {
        io_uring_prep_fallocate(entry, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, left);
    } else {
        io_uring_prep_fallocate(entry, fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, at, left);
    }
}

static void start(struct file_disk *file, struct file_operation *operation)
{
    int error;
    if (operation->writing_zeros) {
        prepare_zeros(operation);
    }
    struct io_uring_sqe *entry = disk_engine_entry(file->disk.engine, &error);
    if (entry == NULL) {
        finish(operation, error);
        return;
    }
    prepare_entry(file, operation, entry);
    disk_engine_start(file->disk.engine, entry, &operation->operation);
}

static bool is_unsupported(int result)
{
    return result == -EOPNOTSUPP || result == -ENOSYS || result == -EINVAL || result == -ENODEV;
}

/* A discard is a hint; zeros are a promise, kept by hand when the file system cannot. */
static void finished_fallocate(struct file_disk *file, struct file_operation *operation,
                               int result)
{
    if (!is_unsupported(result)) {
        finish(operation, result < 0 ? result : 0);
    } else if (operation->request->operation == DISK_DISCARD) {
        file->punch_works = false;
        finish(operation, 0);
    } else {
        operation->writing_zeros = true;
        start(file, operation);
    }
}

static void finished(struct disk_engine_operation *engine_operation, int result)
{
    struct file_operation *operation = (struct file_operation *)engine_operation;
    struct disk_request *request = operation->request;
    struct file_disk *file = (struct file_disk *)request->disk;

    if (result == -EINTR || result == -EAGAIN) {
        start(file, operation);
        return;
    }
    bool moves_data = request->operation == DISK_READ || request->operation == DISK_WRITE ||
                      operation->writing_zeros;
    if (!moves_data) {
        if (request->operation == DISK_FLUSH) {
            finish(operation, result < 0 ? result : 0);
        } else {
            finished_fallocate(file, operation, result);
        }
        return;
    }
    if (result <= 0) {
        finish(operation, result < 0 ? result : -EIO); /* 0: the file is shorter than it was */
        return;
    }
    operation->moved += (unsigned)result;
    file->disk.counters.bytes_copied += (unsigned)result;
    if (operation->moved == request->length) {
        finish(operation, 0);
        return;
    }
    if (!operation->writing_zeros) {
        disk_vector_advance(&operation->vector, &operation->vector_count, (unsigned)result);
    }
    start(file, operation);
}

/* ---- Writes on the spot ---- */

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static bool is_for_at_once(const struct disk_request *request)
{
    return request->operation == DISK_WRITE && !request->force_unit_access &&
           request->length <= AT_ONCE_MAX;
}

/* Bytes written, -EAGAIN if the ring is the better way, or another errno. */
static int write_at_once(struct file_disk *file, const struct disk_request *request)
{
    const int count = request->vector_count < VECTOR_MAX ? (int)request->vector_count : VECTOR_MAX;
    const off_t at = (off_t)request->offset;
    if (file->writes_tell) {
        ssize_t written = pwritev2(file->descriptor, request->vector, count, at, RWF_NOWAIT);
        if (written >= 0 || errno != EOPNOTSUPP) {
            return written >= 0 ? (int)written : -errno;
        }
        file->writes_tell = false;
    }
    if (!write_patience_allows(&file->patience)) {
        return -EAGAIN;
    }
    const uint64_t before_ns = now_ns();
    ssize_t written = pwritev(file->descriptor, request->vector, count, at);
    int result = written >= 0 ? (int)written : -errno;
    write_patience_learn(&file->patience, now_ns() - before_ns);
    return result;
}

static void file_submit(struct disk *disk, struct disk_request *request)
{
    struct file_disk *file = (struct file_disk *)disk;
    if (request->operation == DISK_DISCARD && !file->punch_works) {
        disk_complete(request, 0, request->length);
        return;
    }
    struct file_operation *operation = take_operation(file);
    if (operation == NULL) {
        disk_complete(request, -ENOMEM, 0);
        return;
    }
    operation->operation.finished = finished;
    operation->request = request;
    operation->moved = 0;
    operation->writing_zeros = false;
    operation->vector = request->vector;
    operation->vector_count = request->vector_count;
    /* As the ring would end it: -EAGAIN, and what was not written, go there. */
    finished(&operation->operation,
             is_for_at_once(request) ? write_at_once(file, request) : -EAGAIN);
}

static int file_resize(struct disk *disk, uint64_t size)
{
    struct file_disk *file = (struct file_disk *)disk;
    if (file->block_device) {
        return -EOPNOTSUPP;
    }
    return ftruncate(file->descriptor, (off_t)size) == 0 ? 0 : -errno;
}

static void file_close(struct disk *disk)
{
    struct file_disk *file = (struct file_disk *)disk;
    while (file->spare != NULL) {
        struct file_operation *operation = file->spare;
        file->spare = operation->next;
        free(operation);
    }
    close(file->descriptor);
    disk_release(disk);
    free(file);
}

static const struct disk_operations file_operations = {
    .kind = "file",
    .submit = file_submit,
    .resize = file_resize,
    .close = file_close,
};

/* ---- Opening ---- */

static int lock_file(int descriptor, bool read_only)
{
    struct flock lock = {
        .l_type = read_only ? F_RDLCK : F_WRLCK,
        .l_whence = SEEK_SET,
    };
    return fcntl(descriptor, F_OFD_SETLK, &lock) == 0 ? 0 : -errno;
}

static int size_of(int descriptor, bool *block_device, uint64_t *size)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0) {
        return -errno;
    }
    if (S_ISREG(status.st_mode)) {
        *size = (uint64_t)status.st_size;
        return 0;
    }
    if (S_ISBLK(status.st_mode)) {
        *block_device = true;
        return ioctl(descriptor, BLKGETSIZE64, size) == 0 ? 0 : -errno;
    }
    return S_ISDIR(status.st_mode) ? -EISDIR : -ENODEV;
}

static int describe_open_error(int failure, const struct disk_options *options, char *error,
                               size_t error_size)
{
    const char *remedy = "";
    if (failure == -EAGAIN || failure == -EACCES) {
        snprintf(error, error_size,
                 "disk %s: in use by another process or another --disk; stop that, or open both "
                 "with ,readonly", options->path);
        return -EBUSY;
    }
    if (failure == -EPERM || failure == -EROFS) {
        remedy = "; add ,readonly or change its permissions";
    } else if (failure == -ENOENT) {
        remedy = options->read_only ? "; name an image that is there"
                                    : "; create it with: qemu-img create -f raw FILE 20G";
    }
    snprintf(error, error_size, "disk %s: %s%s", options->path, strerror(-failure), remedy);
    return failure;
}

static int open_and_lock(const struct disk_options *options, struct file_disk *file,
                         uint64_t *size, char *error, size_t error_size)
{
    int mode = options->read_only ? O_RDONLY : O_RDWR;
    file->descriptor = open(options->path, mode | O_CLOEXEC);
    if (file->descriptor < 0) {
        int failure = errno == EACCES ? -EPERM : -errno;
        return describe_open_error(failure, options, error, error_size);
    }
    int failure = size_of(file->descriptor, &file->block_device, size);
    if (failure == 0) {
        failure = lock_file(file->descriptor, options->read_only);
    }
    if (failure != 0) {
        return describe_open_error(failure, options, error, error_size);
    }
    if (*size == 0 || *size % options->block_size != 0) {
        snprintf(error, error_size,
                 "disk %s: its size of %llu bytes is not a whole number of %u-byte blocks; "
                 "round it up with: truncate -s %%%u FILE", options->path,
                 (unsigned long long)*size, options->block_size, options->block_size);
        return -EINVAL;
    }
    return 0;
}

int disk_file_open(struct disk_engine *engine, const struct disk_options *options,
                   struct disk **disk, char *error, size_t error_size)
{
    struct file_disk *file = calloc(1, sizeof(*file));
    if (file == NULL) {
        snprintf(error, error_size, "disk %s: out of memory", options->path);
        return -ENOMEM;
    }
    file->punch_works = true;
    file->writes_tell = true;
    uint64_t size = 0;
    int result = open_and_lock(options, file, &size, error, error_size);
    if (result == 0) {
        const struct disk_geometry geometry = {
            .size = size,
            .block_size = options->block_size,
            .physical_block_size = 4096,
            .read_only = options->read_only,
            .can_discard = true,
        };
        result = disk_initialise(&file->disk, engine, &file_operations, options->path, "raw",
                                 &geometry);
        if (result != 0) {
            snprintf(error, error_size, "disk %s: out of memory", options->path);
        }
    }
    if (result != 0) {
        if (file->descriptor >= 0) {
            close(file->descriptor);
        }
        free(file);
        return result;
    }
    *disk = &file->disk;
    return 0;
}
