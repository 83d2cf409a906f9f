/* SPDX-License-Identifier: BSD-3-Clause */
/* kpi_string.h - the exported string functions by their C names, for the kernel and its tests. */
#ifndef XNU_BSD_KPI_STRING_H
#define XNU_BSD_KPI_STRING_H

#include <stddef.h>
#include <stdint.h>

size_t kernel_strnlen(const char *text, size_t limit) __asm("_strnlen");
size_t kernel_strlcpy(char *to, const char *from, size_t size) __asm("_strlcpy");
size_t kernel_strlcat(char *to, const char *from, size_t size) __asm("_strlcat");
char *kernel_strncpy(char *to, const char *from, size_t size) __asm("_strncpy");
char *kernel_strncat(char *to, const char *from, size_t limit) __asm("_strncat");
int kernel_strncmp(const char *left, const char *right, size_t limit) __asm("_strncmp");
int kernel_strcasecmp(const char *left, const char *right) __asm("_strcasecmp");
int kernel_strncasecmp(const char *left, const char *right, size_t limit) __asm("_strncasecmp");
char *kernel_strchr(const char *text, int c) __asm("_strchr");
char *kernel_strrchr(const char *text, int c) __asm("_strrchr");
char *kernel_strnstr(char *text, const char *wanted, size_t limit) __asm("_strnstr");
char *kernel_strsep(char **text, const char *separators) __asm("_strsep");
long kernel_strtol(const char *text, char **end, int base) __asm("_strtol");
unsigned long kernel_strtoul(const char *text, char **end, int base) __asm("_strtoul");
int kernel_snprintf(char *text, size_t size, const char *format, ...) __asm("_snprintf");
uint32_t kernel_crc32(uint32_t crc, const void *data, size_t size) __asm("_crc32");

#endif
