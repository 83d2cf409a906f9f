/* SPDX-License-Identifier: BSD-3-Clause */
/* numbers.c - strtol and its family, CRC-32 and random numbers for kexts. */
#include "xnu/bsd/kpi.h"
#include "xnu/bsd/kpi_string.h"
#include "xnu/machine/machine.h"

#include <limits.h>
#include <stdbool.h>

struct scanned {
    uint64_t magnitude;
    bool negative;
    bool overflow;
};

static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A') + 10;
    return 64;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct scanned scan(const char *text, char **end, int base)
{
    struct scanned result = { 0, false, false };
    const char *at = text;
    const char *after = text;

    while (is_space(*at))
        at++;
    if (*at == '-' || *at == '+')
        result.negative = *at++ == '-';
    if ((base == 0 || base == 16) && at[0] == '0' && (at[1] | 0x20) == 'x' &&
        digit_of(at[2]) < 16) {
        at += 2;
        base = 16;
    } else if (base == 0) {
        base = at[0] == '0' ? 8 : 10;
    }
    for (; digit_of(*at) < (unsigned)base; after = ++at) {
        uint64_t next;
        if (__builtin_mul_overflow(result.magnitude, (unsigned)base, &next) ||
            __builtin_add_overflow(next, digit_of(*at), &next))
            result.overflow = true;
        result.magnitude = next;
    }
    if (end)
        *end = (char *)(uintptr_t)after;
    return result;
}

static int64_t as_signed(struct scanned number)
{
    uint64_t limit = (uint64_t)INT64_MAX + number.negative;

    if (number.overflow || number.magnitude > limit)
        return number.negative ? INT64_MIN : INT64_MAX;
    return (int64_t)(number.negative ? 0 - number.magnitude : number.magnitude);
}

static uint64_t as_unsigned(struct scanned number)
{
    if (number.overflow)
        return UINT64_MAX;
    return number.negative ? 0 - number.magnitude : number.magnitude;
}

KPI_AS(long, kernel_strtol, strtol, (const char *text, char **end, int base))
{
    return as_signed(scan(text, end, base));
}

KPI_AS(unsigned long, kernel_strtoul, strtoul, (const char *text, char **end, int base))
{
    return as_unsigned(scan(text, end, base));
}

KPI_AS(int64_t, kernel_strtoq, strtoq, (const char *text, char **end, int base))
{
    return as_signed(scan(text, end, base));
}

KPI_AS(uint64_t, kernel_strtouq, strtouq, (const char *text, char **end, int base))
{
    return as_unsigned(scan(text, end, base));
}

KPI_AS(uint32_t, kernel_crc32, crc32, (uint32_t crc, const void *data, size_t size))
{
    const uint8_t *bytes = data;

    crc = ~crc;
    while (size-- != 0) {
        crc ^= *bytes++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

KPI_AS(uint32_t, kernel_random, random, (void))
{
    return (uint32_t)machine_random() & 0x7FFFFFFF;
}

KPI(void, read_random, (void *buffer, unsigned size))
{
    machine_random_bytes(buffer, size);
}

KPI(void, random_buf, (void *buffer, size_t size))
{
    machine_random_bytes(buffer, size);
}
