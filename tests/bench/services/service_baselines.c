/* SPDX-License-Identifier: BSD-3-Clause */
/* What the integration services are measured against.
 *
 *   service_baselines memcpy FILE       microseconds to copy one piece of a file copy of FILE,
 *                                       which is in memory
 *   service_baselines round-trip COUNT  microseconds there and back between two processes over a
 *                                       socket, median */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "protocol/integration.h"

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int fail(const char *what)
{
    fprintf(stderr, "service_baselines: %s: %s\n", what, strerror(errno));
    return 1;
}

/* ---- memcpy ---- */

static void copy_pieces(const uint8_t *from, uint64_t size)
{
    static uint8_t piece[IC_FILE_COPY_DATA_SIZE];
    uint64_t at;

    for (at = 0; at < size; at += sizeof piece) {
        memcpy(piece, from + at, size - at < sizeof piece ? size - at : sizeof piece);
        __asm__ volatile("" : : "r"(piece) : "memory");     /* each one is wanted */
    }
}

static int measure_memcpy(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    uint64_t begin;
    void *bytes;

    if (file < 0 || fstat(file, &status) != 0)
        return fail(path);
    bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    if (bytes == MAP_FAILED)
        return fail(path);
    begin = now_ns();
    copy_pieces(bytes, (uint64_t)status.st_size);
    printf("%.3f\n", (double)(now_ns() - begin) / 1000 / (double)status.st_size *
                         IC_FILE_COPY_DATA_SIZE);
    return 0;
}

/* ---- round trips ---- */

static void echo(int socket)
{
    char byte;

    while (read(socket, &byte, 1) == 1 && write(socket, &byte, 1) == 1)
        ;
    _exit(0);
}

static int by_size(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return a < b ? -1 : a > b;
}

static int measure_round_trip(size_t count)
{
    uint64_t *times = calloc(count, sizeof *times);
    int ends[2];
    char byte = 0;
    size_t i;

    if (times == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        return fail("round-trip");
    if (fork() == 0) {
        close(ends[1]);
        echo(ends[0]);
    }
    close(ends[0]);
    for (i = 0; i < count; i++) {
        const uint64_t begin = now_ns();

        if (write(ends[1], &byte, 1) != 1 || read(ends[1], &byte, 1) != 1)
            return fail("round-trip");
        times[i] = now_ns() - begin;
    }
    qsort(times, count, sizeof *times, by_size);
    printf("%.0f\n", (double)times[count / 2] / 1000);
    free(times);
    return 0;
}

int main(int argc, char **argv)
{
    const long count = argc == 3 ? strtol(argv[2], NULL, 10) : 0;

    if (argc == 3 && strcmp(argv[1], "memcpy") == 0)
        return measure_memcpy(argv[2]);
    if (count > 0 && strcmp(argv[1], "round-trip") == 0)
        return measure_round_trip((size_t)count);
    fprintf(stderr, "usage: service_baselines memcpy FILE | round-trip COUNT\n");
    return 2;
}
