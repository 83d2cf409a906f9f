/* SPDX-License-Identifier: BSD-3-Clause */
/* Clocks to set. */
#include "daemons/timesync/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/time.h>

#define SECOND 1000000000

static struct timeval timeval_of(int64_t nanoseconds)
{
    struct timeval value = { .tv_sec = nanoseconds / SECOND };
    int64_t rest = nanoseconds % SECOND;

    if (rest < 0) {
        rest += SECOND;
        value.tv_sec--;
    }
    value.tv_usec = (int)(rest / 1000);
    return value;
}

static int64_t system_now(struct adjustable_clock *clock)
{
    struct timeval now;

    (void)clock;
    gettimeofday(&now, NULL);
    return (int64_t)now.tv_sec * SECOND + (int64_t)now.tv_usec * 1000;
}

static int system_step(struct adjustable_clock *clock, int64_t offset)
{
    struct timeval time = timeval_of(system_now(clock) + offset);

    return settimeofday(&time, NULL);
}

static int system_slew(struct adjustable_clock *clock, int64_t offset)
{
    struct timeval delta = timeval_of(offset);

    (void)clock;
    return adjtime(&delta, NULL);
}

void clock_of_system(struct adjustable_clock *clock)
{
    *clock = (struct adjustable_clock){ system_now, system_step, system_slew, NULL };
}

/* ---- In a file ---- */

struct file_clock {
    int64_t offset;
    unsigned steps, slews;
};

static struct file_clock read_file(const struct adjustable_clock *clock)
{
    struct file_clock state = { 0, 0, 0 };
    FILE *file = fopen(clock->path, "r");

    if (file != NULL) {
        if (fscanf(file, "%" SCNd64 " %u %u", &state.offset, &state.steps, &state.slews) < 1)
            state = (struct file_clock){ 0, 0, 0 };
        fclose(file);
    }
    return state;
}

static int write_file(const struct adjustable_clock *clock, const struct file_clock *state)
{
    char path[1024];
    FILE *file;
    int failed;

    snprintf(path, sizeof path, "%s.new", clock->path);
    file = fopen(path, "w");
    if (file == NULL)
        return -1;
    failed = fprintf(file, "%" PRId64 " %u %u\n", state->offset, state->steps, state->slews) < 0;
    failed |= fclose(file) != 0;
    return failed || rename(path, clock->path) != 0 ? -1 : 0;
}

static int64_t file_now(struct adjustable_clock *clock)
{
    return system_now(clock) + read_file(clock).offset;
}

static int file_step(struct adjustable_clock *clock, int64_t offset)
{
    struct file_clock state = read_file(clock);

    state.offset += offset;
    state.steps++;
    return write_file(clock, &state);
}

static int file_slew(struct adjustable_clock *clock, int64_t offset)
{
    struct file_clock state = read_file(clock);

    state.offset += offset;
    state.slews++;
    return write_file(clock, &state);
}

void clock_of_file(struct adjustable_clock *clock, const char *path)
{
    *clock = (struct adjustable_clock){ file_now, file_step, file_slew, path };
}
