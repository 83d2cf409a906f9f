/* SPDX-License-Identifier: BSD-3-Clause */
/* string.c - the mem*, str* and b* functions that kexts import.
 *
 * Copies and fills go to the compiler's builtins (and so to the C library of the process, which is
 * fast); the rest is short enough to be here. */
#include "xnu/bsd/kpi.h"
#include "xnu/bsd/kpi_string.h"

#include <stdint.h>

KPI_AS(void *, kernel_memcpy, memcpy, (void *to, const void *from, size_t size))
{
    return __builtin_memcpy(to, from, size);
}

KPI_AS(void *, kernel_memmove, memmove, (void *to, const void *from, size_t size))
{
    return __builtin_memmove(to, from, size);
}

KPI_AS(void *, kernel_memset, memset, (void *to, int value, size_t size))
{
    return __builtin_memset(to, value, size);
}

KPI_AS(int, kernel_memset_s, memset_s, (void *to, size_t to_size, int value, size_t size))
{
    __builtin_memset(to, value, size < to_size ? size : to_size);
    __asm volatile("" : : "r"(to) : "memory");   /* the reason for this function: never left out */
    return size > to_size ? 84 /* EOVERFLOW */ : 0;
}

KPI_AS(int, kernel_memcmp, memcmp, (const void *left, const void *right, size_t size))
{
    return __builtin_memcmp(left, right, size);
}

KPI_AS(void *, kernel_memchr, memchr, (const void *memory, int value, size_t size))
{
    return __builtin_memchr(memory, value, size);
}

KPI_AS(void, kernel_bcopy, bcopy, (const void *from, void *to, size_t size))
{
    __builtin_memmove(to, from, size);
}

KPI_AS(void, kernel_ovbcopy, ovbcopy, (const void *from, void *to, size_t size))
{
    __builtin_memmove(to, from, size);
}

KPI_AS(void, kernel_bzero, bzero, (void *memory, size_t size))
{
    __builtin_memset(memory, 0, size);
}

KPI_AS(void, kernel___bzero, __bzero, (void *memory, size_t size))
{
    __builtin_memset(memory, 0, size);
}

KPI_AS(int, kernel_bcmp, bcmp, (const void *left, const void *right, size_t size))
{
    return __builtin_memcmp(left, right, size) != 0;
}

KPI_AS(size_t, kernel_strlen, strlen, (const char *text))
{
    return __builtin_strlen(text);
}

KPI_AS(size_t, kernel_strnlen, strnlen, (const char *text, size_t limit))
{
    size_t length = 0;

    while (length < limit && text[length] != '\0')
        length++;
    return length;
}

KPI_AS(char *, kernel_strcpy, strcpy, (char *to, const char *from))
{
    return __builtin_memcpy(to, from, __builtin_strlen(from) + 1);
}

KPI_AS(char *, kernel_strncpy, strncpy, (char *to, const char *from, size_t size))
{
    size_t length = kernel_strnlen(from, size);

    __builtin_memcpy(to, from, length);
    __builtin_memset(to + length, 0, size - length);
    return to;
}

KPI_AS(size_t, kernel_strlcpy, strlcpy, (char *to, const char *from, size_t size))
{
    size_t length = __builtin_strlen(from);

    if (size != 0) {
        size_t copied = length < size ? length : size - 1;
        __builtin_memcpy(to, from, copied);
        to[copied] = '\0';
    }
    return length;
}

KPI_AS(size_t, kernel_strlcat, strlcat, (char *to, const char *from, size_t size))
{
    size_t used = kernel_strnlen(to, size);

    if (used == size)
        return size + __builtin_strlen(from);
    return used + kernel_strlcpy(to + used, from, size - used);
}

KPI_AS(char *, kernel_strcat, strcat, (char *to, const char *from))
{
    kernel_strcpy(to + __builtin_strlen(to), from);
    return to;
}

KPI_AS(char *, kernel_strncat, strncat, (char *to, const char *from, size_t limit))
{
    size_t used = __builtin_strlen(to);
    size_t length = kernel_strnlen(from, limit);

    __builtin_memcpy(to + used, from, length);
    to[used + length] = '\0';
    return to;
}

static int compare(const char *left, const char *right, size_t limit, int (*fold)(int))
{
    for (size_t i = 0; i < limit; i++) {
        int l = fold((unsigned char)left[i]), r = fold((unsigned char)right[i]);
        if (l != r)
            return l - r;
        if (l == 0)
            break;
    }
    return 0;
}

static int fold_none(int c)
{
    return c;
}

static int fold_case(int c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

KPI_AS(int, kernel_strcmp, strcmp, (const char *left, const char *right))
{
    return __builtin_strcmp(left, right);
}

KPI_AS(int, kernel_strncmp, strncmp, (const char *left, const char *right, size_t limit))
{
    return compare(left, right, limit, fold_none);
}

KPI_AS(int, kernel_strcasecmp, strcasecmp, (const char *left, const char *right))
{
    return compare(left, right, SIZE_MAX, fold_case);
}

KPI_AS(int, kernel_strncasecmp, strncasecmp, (const char *left, const char *right, size_t limit))
{
    return compare(left, right, limit, fold_case);
}

KPI(int, strprefix, (const char *text, const char *prefix))
{
    return compare(text, prefix, __builtin_strlen(prefix), fold_none) == 0;
}

KPI_AS(char *, kernel_strchr, strchr, (const char *text, int c))
{
    for (;; text++) {
        if (*text == (char)c)
            return (char *)(uintptr_t)text;
        if (*text == '\0')
            return NULL;
    }
}

KPI_AS(char *, kernel_strrchr, strrchr, (const char *text, int c))
{
    const char *found = NULL;

    for (;; text++) {
        if (*text == (char)c)
            found = text;
        if (*text == '\0')
            return (char *)(uintptr_t)found;
    }
}

KPI_AS(char *, kernel_strnstr, strnstr, (char *text, const char *wanted, size_t limit))
{
    size_t length = __builtin_strlen(wanted);

    for (size_t i = 0; i + length <= limit; i++) {
        if (compare(text + i, wanted, length, fold_none) == 0)
            return text + i;
        if (text[i] == '\0')
            break;
    }
    return NULL;
}

KPI_AS(char *, kernel_strsep, strsep, (char **text, const char *separators))
{
    char *start = *text;

    if (!start)
        return NULL;
    for (char *at = start; *at != '\0'; at++) {
        if (kernel_strchr(separators, *at)) {
            *at = '\0';
            *text = at + 1;
            return start;
        }
    }
    *text = NULL;
    return start;
}

KPI_AS(int, kernel_ffs, ffs, (unsigned value))
{
    return __builtin_ffs((int)value);
}

/* The checked variants that a compiler makes of the above (_FORTIFY_SOURCE, -fstack-protector). */
KPI_AS(void *, kernel___memcpy_chk, __memcpy_chk,
       (void *to, const void *from, size_t size, size_t to_size))
{
    if (size > to_size)
        __builtin_trap();
    return __builtin_memcpy(to, from, size);
}

KPI_AS(void *, kernel___memmove_chk, __memmove_chk,
       (void *to, const void *from, size_t size, size_t to_size))
{
    if (size > to_size)
        __builtin_trap();
    return __builtin_memmove(to, from, size);
}

KPI_AS(void *, kernel___memset_chk, __memset_chk,
       (void *to, int value, size_t size, size_t to_size))
{
    if (size > to_size)
        __builtin_trap();
    return __builtin_memset(to, value, size);
}
