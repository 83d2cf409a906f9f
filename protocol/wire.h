/* SPDX-License-Identifier: BSD-3-Clause */
/* What every wire-format header shares: packing, layout checks and GUIDs.
 *
 * All of Hyper-V's formats are little-endian and so is every machine that can run it, so structures
 * are read as they lie; copy them out of shared memory before looking at them. */
#ifndef PROTOCOL_WIRE_H
#define PROTOCOL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_PACKED __attribute__((packed))

/* Layout checks: the size of a structure, and where a member lies in it. */
#define WIRE_SIZE(type, bytes) \
    _Static_assert(sizeof(type) == (bytes), #type " must be " #bytes " bytes long")
#define WIRE_OFFSET(type, member, bytes) \
    _Static_assert(offsetof(type, member) == (bytes), #type "." #member " must be at " #bytes)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "wire formats are little-endian");

/* A GUID as Windows lays it out in memory and on the wire: three little-endian fields, 8 bytes. */
struct guid {
    uint32_t data1;
    uint16_t data2;
    uint16_t data3;
    uint8_t data4[8];
} WIRE_PACKED;
WIRE_SIZE(struct guid, 16);

/* Initialiser for struct guid in the order of the text form:
 * f8615163-df3e-46c5-913f-f2d2f965ed0e is
 * GUID_INIT(0xf8615163, 0xdf3e, 0x46c5, 0x91, 0x3f, 0xf2, 0xd2, 0xf9, 0x65, 0xed, 0x0e). */
#define GUID_INIT(d1, d2, d3, b0, b1, b2, b3, b4, b5, b6, b7) \
    { (d1), (d2), (d3), { (b0), (b1), (b2), (b3), (b4), (b5), (b6), (b7) } }

/* Characters of the text form, without and with the final NUL. */
#define GUID_TEXT_LENGTH 36
#define GUID_TEXT_SIZE   (GUID_TEXT_LENGTH + 1)

static inline bool guid_equal(const struct guid *a, const struct guid *b)
{
    const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)b;
    uint8_t difference = 0;

    for (size_t i = 0; i < sizeof *a; i++)
        difference |= (uint8_t)(x[i] ^ y[i]);
    return difference == 0;
}

static inline bool guid_is_zero(const struct guid *g)
{
    static const struct guid zero;

    return guid_equal(g, &zero);
}

/* Writes the lower-case text form of `g`, NUL included, to `text` (GUID_TEXT_SIZE bytes). */
static inline void guid_format(const struct guid *g, char text[GUID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    /* Order in which the text form names the bytes in memory. */
    static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
    const uint8_t *bytes = (const uint8_t *)g;
    size_t out = 0;

    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[out++] = '-';
        text[out++] = digits[bytes[order[i]] >> 4];
        text[out++] = digits[bytes[order[i]] & 15];
    }
    text[out] = '\0';
}

static inline int guid_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Reads the 36-character text form (either case, no braces) at `text`, which may go on after it.
 * Returns false, with `*g` untouched, if it is malformed. */
static inline bool guid_parse(const char *text, struct guid *g)
{
    static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
    uint8_t bytes[16];

    for (size_t i = 0; i < 16; i++) {
        int high, low;

        if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
            return false;
        if ((high = guid_hex_digit(text[0])) < 0 || (low = guid_hex_digit(text[1])) < 0)
            return false;
        bytes[order[i]] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    for (size_t i = 0; i < 16; i++)
        ((uint8_t *)g)[i] = bytes[i];
    return true;
}

#endif
