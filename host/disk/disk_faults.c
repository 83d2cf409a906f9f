/* SPDX-License-Identifier: BSD-3-Clause */
/* The fault filter for disks. */
#include "host/disk/disk_faults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/disk/disk.h"
#include "host/disk/disk_engine.h"

enum { MILLION = 1000000 };

struct faulty_disk {
    struct disk disk;
    struct disk *below;
    struct disk_fault_settings settings;
    struct disk_fault_counters counters;
    uint64_t random;
    struct disk_request *lost;
};

/* What the filter has decided for one request; also the request it makes to the disk below. */
struct faulty_request {
    struct disk_request below; /* first: `done` gets it */
    struct disk_request *above;
    uint64_t delay_ns;
    bool lose;
};

/* xorshift64*: small, good enough, and the same everywhere. */
static uint64_t next_random(struct faulty_disk *disk)
{
    disk->random ^= disk->random >> 12;
    disk->random ^= disk->random << 25;
    disk->random ^= disk->random >> 27;
    return disk->random * 0x2545f4914f6cdd1dull;
}

static bool hits(struct faulty_disk *disk, uint32_t ppm)
{
    /* Always draws, so that changing one rate does not shift the other faults. */
    return (next_random(disk) >> 20) % MILLION < ppm;
}

static void expired(struct disk_request *above)
{
    disk_complete(above, above->result, above->transferred);
}

static void below_done(struct disk_request *below)
{
    struct faulty_request *faulty = (struct faulty_request *)below;
    struct disk_request *above = faulty->above;
    struct faulty_disk *disk = (struct faulty_disk *)above->disk;
    above->result = below->result;
    above->transferred = below->transferred;
    if (faulty->lose) {
        above->next = disk->lost;
        disk->lost = above;
    } else if (faulty->delay_ns > 0) {
        disk_engine_delay(disk->disk.engine, above, faulty->delay_ns, expired);
    } else {
        disk_complete(above, above->result, above->transferred);
    }
    free(faulty);
}

/* Cuts a read or write to some whole blocks less; a request of one block moves nothing. */
static bool shorten(struct faulty_disk *disk, struct disk_request *request)
{
    const uint64_t blocks = request->length / disk->disk.geometry.block_size;
    uint64_t length = next_random(disk) % blocks * disk->disk.geometry.block_size;
    uint64_t sum = 0;
    unsigned count = 0;
    while (sum < length) {
        struct iovec *piece = &request->vector[count++];
        if (piece->iov_len > length - sum) {
            piece->iov_len = length - sum;
        }
        sum += piece->iov_len;
    }
    request->vector_count = count;
    request->length = length;
    return length > 0;
}

static void faulty_submit(struct disk *base, struct disk_request *above)
{
    struct faulty_disk *disk = (struct faulty_disk *)base;
    const struct disk_fault_settings *settings = &disk->settings;
    bool fail = hits(disk, settings->error_ppm);
    bool cut = hits(disk, settings->short_ppm);
    bool late = hits(disk, settings->delay_ppm);
    bool lose = hits(disk, settings->lost_ppm);
    uint64_t span = settings->delay_max_ns - settings->delay_min_ns;
    uint64_t delay = settings->delay_min_ns + (span > 0 ? next_random(disk) % (span + 1) : 0);

    if (fail) {
        disk->counters.errors++;
        disk_complete(above, -EIO, 0);
        return;
    }
    struct faulty_request *faulty = calloc(1, sizeof(*faulty));
    if (faulty == NULL) {
        disk_complete(above, -ENOMEM, 0);
        return;
    }
    faulty->above = above;
    faulty->delay_ns = late ? delay : 0;
    faulty->lose = lose;
    faulty->below.operation = above->operation;
    faulty->below.force_unit_access = above->force_unit_access;
    faulty->below.offset = above->offset;
    faulty->below.length = above->length;
    faulty->below.vector = above->vector;
    faulty->below.vector_count = above->vector_count;
    faulty->below.done = below_done;
    disk->counters.delays += late;
    disk->counters.lost += lose;
    if (cut && (above->operation == DISK_READ || above->operation == DISK_WRITE)) {
        disk->counters.shorts++;
        if (!shorten(disk, &faulty->below)) {
            free(faulty);
            disk_complete(above, 0, 0);
            return;
        }
    }
    disk_submit(disk->below, &faulty->below);
}

static int faulty_resize(struct disk *base, uint64_t size)
{
    return disk_resize(((struct faulty_disk *)base)->below, size);
}

static void faulty_close(struct disk *base)
{
    struct faulty_disk *disk = (struct faulty_disk *)base;
    disk_close(disk->below);
    disk_release(base);
    free(disk);
}

static const struct disk_operations faulty_operations = {
    .kind = "faults",
    .submit = faulty_submit,
    .resize = faulty_resize,
    .close = faulty_close,
};

struct disk *disk_faults_open(struct disk *below, const struct disk_fault_settings *settings,
                              uint64_t seed)
{
    struct faulty_disk *disk = calloc(1, sizeof(*disk));
    if (disk == NULL) {
        return NULL;
    }
    if (disk_initialise(&disk->disk, below->engine, &faulty_operations, below->name,
                        below->format, &below->geometry) != 0) {
        free(disk);
        return NULL;
    }
    disk->below = below;
    disk->settings = *settings;
    disk->random = seed != 0 ? seed : 0x9e3779b97f4a7c15ull; /* the generator's one bad state */
    return &disk->disk;
}

bool disk_is_faulty(const struct disk *disk)
{
    return disk->operations == &faulty_operations;
}

void disk_faults_set(struct disk *filter, const struct disk_fault_settings *settings)
{
    ((struct faulty_disk *)filter)->settings = *settings;
}

void disk_faults_get(const struct disk *filter, struct disk_fault_settings *settings,
                     struct disk_fault_counters *counters)
{
    const struct faulty_disk *disk = (const struct faulty_disk *)filter;
    *settings = disk->settings;
    *counters = disk->counters;
}

void disk_faults_release_lost(struct disk *filter)
{
    struct faulty_disk *disk = (struct faulty_disk *)filter;
    while (disk->lost != NULL) {
        struct disk_request *request = disk->lost;
        disk->lost = request->next;
        disk_complete(request, request->result, request->transferred);
    }
}

/* ---- Text ---- */

int disk_faults_parse_rate(const char *text, uint32_t *ppm)
{
    char *end;
    double rate = strtod(text, &end);
    if (end == text) {
        return -EINVAL;
    }
    if (*end == '%') {
        rate /= 100;
        end++;
    }
    if (*end != '\0' || !(rate >= 0 && rate <= 1)) {
        return -EINVAL;
    }
    *ppm = (uint32_t)(rate * MILLION + 0.5);
    return 0;
}

static int parse_time(const char *text, const char **end, uint64_t *ns)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {{"ns", 1}, {"us", 1000}, {"ms", MILLION}, {"s", 1000ull * MILLION}};
    char *after;
    errno = 0;
    unsigned long long number = strtoull(text, &after, 10);
    if (after == text || *text == '-' || errno != 0) {
        return -EINVAL;
    }
    for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        size_t length = strlen(units[i].name);
        if (strncmp(after, units[i].name, length) == 0 && number <= UINT64_MAX / 2 / units[i].ns) {
            *ns = number * units[i].ns;
            *end = after + length;
            return 0;
        }
    }
    return -EINVAL;
}

static int parse_delay(const char *text, struct disk_fault_settings *settings)
{
    uint64_t least, most;
    uint32_t ppm = MILLION;
    if (parse_time(text, &text, &least) != 0) {
        return -EINVAL;
    }
    most = least;
    if (*text == '-' && parse_time(text + 1, &text, &most) != 0) {
        return -EINVAL;
    }
    if (*text == '@') {
        if (disk_faults_parse_rate(text + 1, &ppm) != 0) {
            return -EINVAL;
        }
    } else if (*text != '\0') {
        return -EINVAL;
    }
    if (most < least) {
        return -EINVAL;
    }
    settings->delay_min_ns = least;
    settings->delay_max_ns = most;
    settings->delay_ppm = ppm;
    return 0;
}

int disk_faults_parse(const char *text, struct disk_fault_settings *settings)
{
    if (strncmp(text, "error=", 6) == 0) {
        return disk_faults_parse_rate(text + 6, &settings->error_ppm);
    }
    if (strncmp(text, "short=", 6) == 0) {
        return disk_faults_parse_rate(text + 6, &settings->short_ppm);
    }
    if (strncmp(text, "lost=", 5) == 0) {
        return disk_faults_parse_rate(text + 5, &settings->lost_ppm);
    }
    if (strncmp(text, "delay=", 6) == 0) {
        return parse_delay(text + 6, settings);
    }
    return -EINVAL;
}
