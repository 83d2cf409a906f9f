/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Makes kexts for the tests.
 */
#include "tests/unit/xnu-loader/kext_builder.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

const char *builder_kextlink;
static char folder[256];

int builder_setup(void **state) {
    const char *temporary = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/xnu-loader-XXXXXX", temporary != NULL ? temporary : "/tmp");
    return builder_kextlink != NULL && mkdtemp(folder) != NULL ? 0 : -1;
}

int builder_teardown(void **state) {
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

const char *builder_folder(void) {
    return folder;
}

static void run(const char *format, ...) {
    char command[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    if (system(command) != 0) {
        fail_msg("failed: %s", command);
    }
}

static uint8_t *read_file(const char *path, size_t *size) {
    struct stat status;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &status), 0);
    uint8_t *bytes = malloc((size_t)status.st_size + 1);
    *size = fread(bytes, 1, (size_t)status.st_size, file);
    fclose(file);
    return bytes;
}

static void write_file(const char *path, const void *bytes, size_t size) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

#define SYMTAB 2u
#define WEAK_REFERENCE 0x40u
#define DEFINED_EXTERNAL 0x0Fu

static uint32_t get32(const uint8_t *bytes) {
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

uint8_t *builder_symbol(uint8_t *executable, const char *name) {
    bool is_64 = get32(executable) == 0xFEEDFACF;
    uint8_t *command = executable + (is_64 ? 32 : 28);
    for (uint32_t i = get32(executable + 16); i != 0; i--, command += get32(command + 4)) {
        if (get32(command) != SYMTAB) {
            continue;
        }
        uint8_t *symbol = executable + get32(command + 8);
        const char *strings = (const char *)executable + get32(command + 16);
        for (uint32_t j = get32(command + 12); j != 0; j--, symbol += is_64 ? 16 : 12) {
            if (strcmp(strings + get32(symbol), name) == 0) {
                return symbol;
            }
        }
    }
    return NULL;
}

uint8_t *builder_kext(const char *architecture, const char *source, const char *flags,
                      size_t *size) {
    const char *root = getenv("MACHV_SOURCE_ROOT");
    char object[300], linked[300];
    snprintf(object, sizeof object, "%s/%s.o", folder, source);
    snprintf(linked, sizeof linked, "%s/%s.linked", folder, source);
    run("clang -target %s-apple-macosx%s -mkernel -ffreestanding -fno-builtin -fno-common "
        "-fno-stack-protector -fno-asynchronous-unwind-tables -falign-functions=16 -Os -w %s "
        "-I '%s' -c '%s/tests/unit/xnu-loader/fixtures/%s.c' -o '%s'",
        architecture, strcmp(architecture, "x86_64") == 0 ? "10.6" : "10.4", flags, root, root,
        source, object);
    run("'%s' -arch %s -o '%s' '%s'", builder_kextlink, architecture, linked, object);
    uint8_t *executable = read_file(linked, size);
    uint8_t *weak = builder_symbol(executable, "_kernel_weak");
    if (weak != NULL) {
        weak[6] |= WEAK_REFERENCE;
    }
    uint8_t *exported = builder_symbol(executable, "_driver_export");
    if (exported != NULL && exported[5] != 0) {
        exported[4] = DEFINED_EXTERNAL;
    }
    return executable;
}

const char *builder_bundle(const char *name, const char *identifier, const char *more,
                           const uint8_t *executable, size_t size) {
    static char paths[16][600];
    static unsigned next;
    char info[4096], file[700];
    char *path = paths[next++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s.kext", folder, name);
    run("rm -rf '%s' && mkdir -p '%s/Contents/MacOS'", path, path);
    snprintf(info, sizeof info,
             "<?xml version=\"1.0\"?>\n<plist version=\"1.0\">\n<dict>\n"
             "<key>CFBundleIdentifier</key><string>%s</string>\n"
             "<key>CFBundleVersion</key><string>1.0</string>\n%s%s</dict>\n</plist>\n",
             identifier,
             executable != NULL ? "<key>CFBundleExecutable</key><string>code</string>\n" : "",
             more);
    snprintf(file, sizeof file, "%s/Contents/Info.plist", path);
    write_file(file, info, strlen(info));
    if (executable != NULL) {
        snprintf(file, sizeof file, "%s/Contents/MacOS/code", path);
        write_file(file, executable, size);
    }
    return path;
}
