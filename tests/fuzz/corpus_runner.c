/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs a fuzz target as a unit test: over every file of its corpus, and over a fixed number of
 * mutations of each, made from a fixed seed, so that each run does the same. A finding of a
 * sanitizer, or the target's abort, ends the program.
 * Usage: PROGRAM CORPUS_FOLDER
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MUTATIONS = 200, INPUT_MAX = 1 << 20, GROWTH = 64 };

static uint64_t random_state = 20240601;

static uint32_t next_random(uint32_t bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % bound;
}

/* Changes a few bytes, cuts or lengthens. Returns the new size. */
static size_t mutate(uint8_t *bytes, size_t size)
{
    static const uint8_t interesting[] = {0x00, 0x01, 0x07, 0x08, 0x7F, 0x80, 0xFE, 0xFF};
    unsigned changes = 1 + next_random(8);
    for (unsigned i = 0; i < changes && size > 0; i++) {
        uint32_t at = next_random((uint32_t)size);
        switch (next_random(4)) {
        case 0: bytes[at] ^= (uint8_t)(1u << next_random(8)); break;
        case 1: bytes[at] = interesting[next_random(sizeof(interesting))]; break;
        case 2: bytes[at] = (uint8_t)next_random(256); break;
        case 3: bytes[at] = bytes[next_random((uint32_t)size)]; break;
        }
    }
    switch (next_random(6)) {
    case 0:
        return size > 0 ? next_random((uint32_t)size) : 0;
    case 1:
        for (unsigned i = next_random(GROWTH); i > 0; i--) {
            bytes[size++] = (uint8_t)next_random(256);
        }
        return size;
    default:
        return size;
    }
}

/* Runs a copy of exactly this size, so that a read behind its end is noticed. */
static void run(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static int run_file(const char *folder, const char *name)
{
    static uint8_t original[INPUT_MAX], bytes[INPUT_MAX + GROWTH];
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return -1;
    }
    size_t size = fread(original, 1, sizeof(original), file);
    fclose(file);
    run(original, size);
    for (unsigned i = 0; i < MUTATIONS; i++) {
        memcpy(bytes, original, size);
        run(bytes, mutate(bytes, size));
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    if (argc != 2) {
        fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
        return 2;
    }
    int count = scandir(argv[1], &entries, NULL, alphasort);
    if (count < 0) {
        printf("1..0 # skipped: no corpus in %s\n", argv[1]);
        return 77;
    }
    int number = 0;
    int failures = 0;
    run((const uint8_t *)"", 0);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            int result = run_file(argv[1], entries[i]->d_name);
            printf("%sok %d - %s and %d mutations of it\n", result < 0 ? "not " : "", ++number,
                   entries[i]->d_name, MUTATIONS);
            failures += result < 0;
        }
        free(entries[i]);
    }
    free(entries);
    printf("1..%d\n", number);
    return failures > 0 || number == 0;
}
