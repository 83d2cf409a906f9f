/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Version strings.
 */
#include "xnu/loader/version.h"

#include <string.h>

#define FOUR_DIGITS_SINCE 1015u

enum stage { DEVELOPMENT = 1, ALPHA = 3, BETA = 5, CANDIDATE = 7, RELEASE = 9 };

/* Reads 1 ... digits decimal digits; -1: none, or more than that. */
static int read_number(const char **at, unsigned digits) {
    int value = 0;
    unsigned count = 0;
    while (**at >= '0' && **at <= '9') {
        if (++count > digits) {
            return -1;
        }
        value = value * 10 + (*(*at)++ - '0');
    }
    return count != 0 ? value : -1;
}

static bool is_end(char c) {
    return c == '\0' || c == ' ' || c == '\t' || c == '\n';
}

static int read_stage(const char **at) {
    switch (*(*at)++) {
    case 'd':
        return DEVELOPMENT;
    case 'a':
        return ALPHA;
    case 'b':
        return BETA;
    case 'f':
        *at += **at == 'c';
        return CANDIDATE;
    default:
        return 0;
    }
}

uint64_t kext_version_parse(const char *text, uint32_t release) {
    unsigned digits = release >= FOUR_DIGITS_SINCE ? 4 : 2;
    int parts[3] = {0, 0, 0}, stage = RELEASE, level = 0;
    for (unsigned i = 0; i < 3; i++) {
        parts[i] = read_number(&text, i == 0 ? 4 : digits);
        if (parts[i] < 0) {
            return KEXT_VERSION_INVALID;
        }
        if (*text != '.' || i == 2) {
            break;
        }
        text++;
    }
    if (!is_end(*text)) {
        stage = read_stage(&text);
        level = stage != 0 ? read_number(&text, 3) : -1;
        if (level < 1 || level > 255 || !is_end(*text)) {
            return KEXT_VERSION_INVALID;
        }
    }
    return (uint64_t)parts[0] << 48 | (uint64_t)parts[1] << 32 | (uint64_t)parts[2] << 16 |
           (uint64_t)stage << 8 | (uint64_t)level;
}
