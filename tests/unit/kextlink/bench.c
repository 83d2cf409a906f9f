/* SPDX-License-Identifier: BSD-3-Clause */
/* bench.c: runs clang and kextlink for the tests. */
#include "tests/unit/kextlink/bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

const char *bench_program;
static char directory[256];
static size_t object_count;

int bench_setup(void **state)
{
    const char *temporary = getenv("TMPDIR");

    snprintf(directory, sizeof directory, "%s/kextlink-XXXXXX", temporary ? temporary : "/tmp");
    return bench_program && mkdtemp(directory) ? 0 : -1;
}

int bench_teardown(void **state)
{
    char command[300];

    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    return system(command);
}

const char *bench_path(const char *name)
{
    static char *paths[1024];
    static size_t count;
    char path[512];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    assert_true(count < sizeof paths / sizeof *paths);
    paths[count] = strdup(path);
    return paths[count++];
}

static int run(const char *command, char *output, size_t size)
{
    FILE *pipe = popen(command, "r");
    size_t used = 0, got;
    int status;

    assert_non_null(pipe);
    while (used + 1 < size && (got = fread(output + used, 1, size - 1 - used, pipe)) > 0)
        used += got;
    output[used] = '\0';
    status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* What was compiled already: the same request gives the same object. */
static struct {
    char request[1280];
    const char *object;
} compiled[256];

static const char *compile(const char *architecture, const char *source, const char *flags)
{
    bool is_64 = strcmp(architecture, "x86_64") == 0;
    char command[2048], output[8192], name[32];
    const char *object;

    snprintf(name, sizeof name, "%zu.o", object_count);
    object = bench_path(name);
    snprintf(command, sizeof command,
             "clang -target %s-apple-macosx%s -mkernel -ffreestanding -fno-builtin -fno-common "
             "-fno-stack-protector -fno-asynchronous-unwind-tables -falign-functions=16 -Os -w %s "
             "-c '%s/tests/unit/kextlink/fixtures/%s.c' -o '%s' 2>&1",
             architecture, is_64 ? "10.6" : "10.4", flags, getenv("MACHV_SOURCE_ROOT"), source,
             object);
    if (run(command, output, sizeof output) != 0)
        fail_msg("%s\n%s", command, output);
    return object;
}

const char *bench_compile(const char *architecture, const char *source, const char *flags)
{
    char request[sizeof compiled->request];

    snprintf(request, sizeof request, "%s %s %s", architecture, source, flags);
    for (size_t i = 0; i < object_count; i++)
        if (strcmp(compiled[i].request, request) == 0)
            return compiled[i].object;
    assert_in_range(object_count, 0, sizeof compiled / sizeof *compiled - 1);
    compiled[object_count].object = compile(architecture, source, flags);
    strcpy(compiled[object_count].request, request);
    return compiled[object_count++].object;
}

struct outcome bench_link(const char *format, ...)
{
    char arguments[4096], command[4608];
    struct outcome outcome;
    va_list list;

    va_start(list, format);
    vsnprintf(arguments, sizeof arguments, format, list);
    va_end(list);
    snprintf(command, sizeof command, "'%s' %s 2>&1", bench_program, arguments);
    outcome.exit_code = run(command, outcome.messages, sizeof outcome.messages);
    return outcome;
}

uint8_t *bench_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    uint8_t *bytes;

    if (!file || fstat(fileno(file), &status) != 0)
        fail_msg("cannot read %s", path);
    bytes = malloc((size_t)status.st_size + 1);
    *size = fread(bytes, 1, (size_t)status.st_size, file);
    fclose(file);
    return bytes;
}

void bench_write(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

bool bench_exists(const char *path)
{
    return access(path, F_OK) == 0;
}
