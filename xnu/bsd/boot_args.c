/* SPDX-License-Identifier: BSD-3-Clause */
/* boot_args.c - reads values from the boot argument line. */
#include "xnu/bsd/boot_args.h"

#include <stdint.h>

struct number {
    uint64_t value;
    bool is_number;
};

static char boot_args[BOOT_ARGS_MAX];

static bool is_separator(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 16;
}

static unsigned number_base(const char **text, const char *end)
{
    const char *at = *text;

    if (end - at < 2 || at[0] != '0')
        return 10;
    if (at[1] == 'x' || at[1] == 'X') {
        *text += 2;
        return 16;
    }
    if (at[1] == 'b' || at[1] == 'B') {
        *text += 2;
        return 2;
    }
    *text += 1;
    return 8;
}

static unsigned suffix_shift(char c)
{
    switch (c) {
    case 'k': case 'K': return 10;
    case 'm': case 'M': return 20;
    case 'g': case 'G': return 30;
    default: return 0;
    }
}

static struct number parse_number(const char *text, const char *end)
{
    static const struct number none = { 0, false };
    bool negative = text < end && *text == '-';
    uint64_t value = 0;

    text += negative;
    if (text == end)
        return none;
    unsigned base = number_base(&text, end);
    if (text == end)
        return none;
    for (; text < end && digit_value(*text) < base; text++)
        value = value * base + digit_value(*text);
    if (end - text == 1 && suffix_shift(*text) != 0)
        value <<= suffix_shift(*text++);
    if (text != end)
        return none;
    return (struct number){ negative ? 0 - value : value, true };
}

/* Integers are stored in the buffer's own width, low bytes first. */
static void store_number(uint64_t number, void *value, size_t size)
{
    unsigned char *bytes = value;

    for (size_t i = 0; i < size && i < sizeof number; i++)
        bytes[i] = (unsigned char)(number >> (8 * i));
}

static void store_string(const char *text, const char *end, char *value, size_t size)
{
    size_t length = 0;

    if (size == 0)
        return;
    for (; text < end && length < size - 1; text++)
        value[length++] = *text;
    value[length] = '\0';
}

static void store_value(const char *name, const char *text, const char *end, void *value,
                        size_t size)
{
    struct number number = parse_number(text, end);

    if (number.is_number && name[0] != '_')
        store_number(number.value, value, size);
    else
        store_string(text, end, value, size);
}

/* The end of `name` within the word if the word is that name, else NULL. */
static const char *match_name(const char *word, const char *end, const char *name)
{
    while (word < end && *name != '\0' && *word == *name)
        word++, name++;
    if (*name != '\0' || (word != end && *word != '='))
        return NULL;
    return word;
}

bool boot_args_find(const char *line, const char *name, void *value, size_t size)
{
    if (name[0] == '\0')
        return false;
    while (*line != '\0') {
        while (is_separator(*line))
            line++;
        const char *word = line;
        while (*line != '\0' && !is_separator(*line))
            line++;
        const char *rest = match_name(word, line, name);
        if (!rest)
            continue;
        if (rest == line || word[0] == '-')
            store_number(1, value, size);
        else
            store_value(name, rest + 1, line, value, size);
        return true;
    }
    return false;
}

void boot_args_set(const char *line)
{
    size_t length = 0;

    while (length < sizeof boot_args - 1 && line[length] != '\0') {
        boot_args[length] = line[length];
        length++;
    }
    boot_args[length] = '\0';
}

const char *boot_args_line(void)
{
    return boot_args;
}
