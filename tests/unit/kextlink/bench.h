/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench.h: compiles the fixtures with the system's clang and runs kextlink on the objects, in a
 * directory that is gone after the test program.
 */
#ifndef TESTS_KEXTLINK_BENCH_H
#define TESTS_KEXTLINK_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outcome {
    int exit_code;
    char messages[16384]; /* standard error */
};

/* cmocka group fixtures; `bench_program` is the kextlink to run, from the test's first argument. */
extern const char *bench_program;
int bench_setup(void **state);
int bench_teardown(void **state);

/* A path in the directory, valid for the whole program. */
const char *bench_path(const char *name);

/* Compiles fixtures/`source`.c for "x86_64" or "i386" with more `flags`; the object's path, valid
 * for the whole program and not to be written to. Fails the test if clang does. */
const char *bench_compile(const char *architecture, const char *source, const char *flags);

/* Runs kextlink with the formatted arguments. */
struct outcome bench_link(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A whole file and room for one byte more, to be freed by the caller. Fails the test if
 * it cannot be read. */
uint8_t *bench_read(const char *path, size_t *size);
void bench_write(const char *path, const void *bytes, size_t size);
bool bench_exists(const char *path);

#endif
