/* SPDX-License-Identifier: BSD-3-Clause */
/* format.c - printf formatting as the kernel does it, without a C library. */
#include "xnu/bsd/format.h"

#include <stdbool.h>
#include <stdint.h>

enum { WIDTH_LIMIT = 4096, DIGITS_MAX = 64 };

struct output {
    char *buffer;
    size_t size;
    size_t length;       /* of the whole text, also the part that did not fit */
};

struct conversion {
    bool left, plus, space, alternate, zero, upper;
    int width;
    int precision;       /* -1 when none was given */
    int bytes;           /* size of the integer argument */
};

static void put(struct output *out, char c)
{
    if (out->length + 1 < out->size)
        out->buffer[out->length] = c;
    out->length++;
}

static void put_many(struct output *out, char c, int count)
{
    while (count-- > 0)
        put(out, c);
}

static void put_text(struct output *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        put(out, text[i]);
}

static int limited(long value)
{
    return value > WIDTH_LIMIT ? WIDTH_LIMIT : (int)value;
}

static int parse_number(const char **format)
{
    long value = 0;

    while (**format >= '0' && **format <= '9')
        value = limited(value * 10 + *(*format)++ - '0');
    return (int)value;
}

static void parse_flags(const char **format, struct conversion *conversion)
{
    for (;; (*format)++) {
        switch (**format) {
        case '-': conversion->left = true; break;
        case '+': conversion->plus = true; break;
        case ' ': conversion->space = true; break;
        case '#': conversion->alternate = true; break;
        case '0': conversion->zero = true; break;
        default: return;
        }
    }
}

static void parse_length(const char **format, struct conversion *conversion)
{
    conversion->bytes = sizeof(int);
    for (;; (*format)++) {
        switch (**format) {
        case 'h': conversion->bytes = conversion->bytes == 2 ? 1 : 2; break;
        case 'l': case 'q': case 'j': case 't': case 'z': conversion->bytes = 8; break;
        default: return;
        }
    }
}

/* Writes the digits backwards from `end`; returns their first. */
static char *digits(uint64_t value, unsigned base, bool upper, char *end)
{
    const char *table = upper ? "0123456789ABCDEF" : "0123456789abcdef";

    do {
        *--end = table[value % base];
        value /= base;
    } while (value != 0);
    return end;
}

static void put_padded(struct output *out, const struct conversion *conversion, const char *prefix,
                       int prefix_length, const char *text, int length)
{
    int zeroes = conversion->precision > length ? conversion->precision - length : 0;

    if (conversion->zero && !conversion->left && conversion->precision < 0 &&
        conversion->width > prefix_length + length)
        zeroes = conversion->width - prefix_length - length;
    int pad = conversion->width - prefix_length - zeroes - length;
    if (!conversion->left)
        put_many(out, ' ', pad);
    put_text(out, prefix, (size_t)prefix_length);
    put_many(out, '0', zeroes);
    put_text(out, text, (size_t)length);
    if (conversion->left)
        put_many(out, ' ', pad);
}

static void put_unsigned(struct output *out, const struct conversion *conversion, uint64_t value,
                         unsigned base)
{
    char text[DIGITS_MAX];
    char *end = text + sizeof text;
    char *start = conversion->precision == 0 && value == 0
                      ? end : digits(value, base, conversion->upper, end);
    bool prefixed = conversion->alternate && value != 0;
    const char *prefix = base == 16 ? (conversion->upper ? "0X" : "0x") : "0";
    int prefix_length = !prefixed || base == 10 ? 0 : base == 16 ? 2 : 1;

    put_padded(out, conversion, prefix, prefix_length, start, (int)(end - start));
}

static void put_signed(struct output *out, const struct conversion *conversion, int64_t value)
{
    char text[DIGITS_MAX];
    char *end = text + sizeof text;
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char *start =
        conversion->precision == 0 && value == 0 ? end : digits(magnitude, 10, false, end);
    const char *sign = value < 0 ? "-" : conversion->plus ? "+" : conversion->space ? " " : "";

    put_padded(out, conversion, sign, *sign != '\0', start, (int)(end - start));
}

static uint64_t take_unsigned(const struct conversion *conversion, va_list *arguments)
{
    if (conversion->bytes == 8)
        return va_arg(*arguments, uint64_t);
    uint32_t value = va_arg(*arguments, uint32_t);
    return conversion->bytes == 1   ? (uint8_t)value
           : conversion->bytes == 2 ? (uint16_t)value
                                    : value;
}

static int64_t take_signed(const struct conversion *conversion, va_list *arguments)
{
    if (conversion->bytes == 8)
        return va_arg(*arguments, int64_t);
    int32_t value = va_arg(*arguments, int32_t);
    return conversion->bytes == 1 ? (int8_t)value : conversion->bytes == 2 ? (int16_t)value : value;
}

static void put_string(struct output *out, const struct conversion *conversion, const char *text)
{
    int length = 0;
    struct conversion plain = *conversion;

    if (!text)
        text = "(null)";
    while ((conversion->precision < 0 || length < conversion->precision) && text[length] != '\0' &&
           length < INT32_MAX)
        length++;
    plain.precision = -1;
    plain.zero = false;
    put_padded(out, &plain, "", 0, text, length);
}

/* "%b": the value in the base that the first byte gives, then the names of the bits that are set.
 * A name runs until the next byte that is no printable character. */
static void put_bits(struct output *out, const struct conversion *conversion, uint64_t value,
                     const char *names)
{
    unsigned base = (unsigned char)*names;
    bool any = false;

    if (base != 8 && base != 10 && base != 16)
        base = 16;
    else
        names++;
    put_unsigned(out, conversion, value, base);
    while (*names != '\0') {
        unsigned bit = (unsigned char)*names++;
        bool set = bit >= 1 && bit <= 64 && (value >> (bit - 1) & 1);
        if (set)
            put(out, any ? ',' : '<');
        any |= set;
        for (; *names > ' '; names++)
            if (set)
                put(out, *names);
    }
    if (any)
        put(out, '>');
}

static bool put_conversion(struct output *out, struct conversion *conversion, char type,
                           va_list *arguments)
{
    switch (type) {
    case 'd': case 'i':
        put_signed(out, conversion, take_signed(conversion, arguments));
        return true;
    case 'u':
        put_unsigned(out, conversion, take_unsigned(conversion, arguments), 10);
        return true;
    case 'o':
        put_unsigned(out, conversion, take_unsigned(conversion, arguments), 8);
        return true;
    case 'x': case 'X':
        conversion->upper = type == 'X';
        put_unsigned(out, conversion, take_unsigned(conversion, arguments), 16);
        return true;
    case 'p':
        conversion->alternate = true;
        put_unsigned(out, conversion, (uintptr_t)va_arg(*arguments, void *), 16);
        return true;
    case 'c': {
        char c = (char)va_arg(*arguments, int);
        conversion->precision = -1;
        conversion->zero = false;
        put_padded(out, conversion, "", 0, &c, 1);
        return true;
    }
    case 's':
        put_string(out, conversion, va_arg(*arguments, const char *));
        return true;
    case 'b': {
        uint64_t value = take_unsigned(conversion, arguments);
        put_bits(out, conversion, value, va_arg(*arguments, const char *));
        return true;
    }
    case '%':
        put(out, '%');
        return true;
    default:
        return false;
    }
}

static void parse_width(const char **format, struct conversion *conversion, va_list *arguments)
{
    if (**format == '*') {
        int width = va_arg(*arguments, int);
        (*format)++;
        conversion->left |= width < 0;
        conversion->width = limited(width < 0 ? -(long)width : width);
    } else {
        conversion->width = parse_number(format);
    }
    conversion->precision = -1;
    if (**format != '.')
        return;
    (*format)++;
    if (**format == '*') {
        (*format)++;
        int precision = va_arg(*arguments, int);
        conversion->precision = precision < 0 ? -1 : limited(precision);
    } else {
        conversion->precision = parse_number(format);
    }
}

int format_string(char *buffer, size_t size, const char *format, va_list list)
{
    struct output out = { buffer, size, 0 };
    va_list arguments;

    va_copy(arguments, list);
    while (*format != '\0') {
        const char *start = format;
        if (*format++ != '%') {
            put(&out, *start);
            continue;
        }
        struct conversion conversion = { .bytes = sizeof(int) };
        parse_flags(&format, &conversion);
        parse_width(&format, &conversion, &arguments);
        parse_length(&format, &conversion);
        if (*format == '\0' || !put_conversion(&out, &conversion, *format, &arguments)) {
            put_text(&out, start, (size_t)(format - start));
            continue;
        }
        format++;
    }
    va_end(arguments);
    if (size != 0)
        buffer[out.length < size ? out.length : size - 1] = '\0';
    return (int)out.length;
}

int format_text(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = format_string(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}
