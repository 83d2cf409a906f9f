/* SPDX-License-Identifier: BSD-3-Clause */
/* Atomic operations, strings, formatted output, serialised property lists.
 *
 * Source: xnu libkern/libkern/OSAtomic.h, libkern.h, osfmk/libsa/string.h, kern/debug.h.
 * Comments note functions that older releases lack. */
#pragma once

#include "abi/opaque.h"
#include "abi/types.h"

/* Atomics: the Add, Increment, Decrement and Bit operations return the value before; a full
 * barrier. */
int32_t OSAddAtomic(int32_t amount, volatile int32_t *address) __asm("_OSAddAtomic");
int16_t OSAddAtomic16(int32_t amount, volatile int16_t *address) __asm("_OSAddAtomic16");
int8_t OSAddAtomic8(int32_t amount, volatile int8_t *address) __asm("_OSAddAtomic8");
/* since 10.5 */
int64_t OSAddAtomic64(int64_t theAmount, volatile int64_t *address) __asm("_OSAddAtomic64");
int32_t OSIncrementAtomic(volatile int32_t *address) __asm("_OSIncrementAtomic");
int32_t OSDecrementAtomic(volatile int32_t *address) __asm("_OSDecrementAtomic");
uint32_t OSBitAndAtomic(uint32_t mask, volatile uint32_t *address) __asm("_OSBitAndAtomic");
uint32_t OSBitOrAtomic(uint32_t mask, volatile uint32_t *address) __asm("_OSBitOrAtomic");
uint32_t OSBitXorAtomic(uint32_t mask, volatile uint32_t *address) __asm("_OSBitXorAtomic");
Boolean OSCompareAndSwap(uint32_t oldValue, uint32_t newValue, volatile uint32_t *address)
    __asm("_OSCompareAndSwap");
Boolean OSCompareAndSwap64(uint64_t oldValue, uint64_t newValue, volatile uint64_t *address)
    __asm("_OSCompareAndSwap64"); /* since 10.5 */
Boolean OSCompareAndSwapPtr(void *oldValue, void *newValue, void *volatile *address)
    __asm("_OSCompareAndSwapPtr"); /* since 10.6 */
Boolean OSTestAndSet(uint32_t bit, volatile uint8_t *startAddress) __asm("_OSTestAndSet");
Boolean OSTestAndClear(uint32_t bit, volatile uint8_t *startAddress) __asm("_OSTestAndClear");

/* The compiler may call these itself, so they keep their plain names in the native form. */
void *memcpy(void *destination, const void *source, size_t bytes);
void *memmove(void *destination, const void *source, size_t bytes);
void *memset(void *destination, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *string);

void bcopy(const void *source, void *destination, size_t bytes) __asm("_bcopy");
void bzero(void *destination, size_t bytes) __asm("_bzero");
size_t strnlen(const char *string, size_t limit) __asm("_strnlen"); /* since 10.4.11 */
int strcmp(const char *a, const char *b) __asm("_strcmp");
int strncmp(const char *a, const char *b, size_t limit) __asm("_strncmp");
char *strncpy(char *destination, const char *source, size_t size) __asm("_strncpy");
int strcasecmp(const char *s1, const char *s2) __asm("_strcasecmp");
int strncasecmp(const char *s1, const char *s2, size_t n) __asm("_strncasecmp");
char *strchr(const char *s, int c) __asm("_strchr");
size_t strlcpy(char *destination, const char *source, size_t size)
    __asm("_strlcpy"); /* since 10.5 */
size_t strlcat(char *destination, const char *source, size_t size)
    __asm("_strlcat"); /* since 10.5 */
long strtol(const char *string, char **end, int base) __asm("_strtol");
unsigned long strtoul(const char *string, char **end, int base) __asm("_strtoul");

int snprintf(char *buffer, size_t size, const char *format, ...) __asm("_snprintf")
    __attribute__((format(printf, 3, 4)));
int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
    __asm("_vsnprintf"); /* since 10.5 */
int printf(const char *format, ...) __asm("_printf") __attribute__((format(printf, 1, 2)));
/* To the serial line, with the debug boot argument. */
void kprintf(const char *format, ...) __asm("_kprintf") __attribute__((format(printf, 1, 2)));
void panic(const char *format, ...) __asm("_panic") __attribute__((noreturn, format(printf, 1, 2)));

/* A new object with one reference, or NULL and, if asked for, a new error string. */
OSObject *OSUnserializeXML(const char *buffer, OSString **error)
    __asm("__Z16OSUnserializeXMLPKcPP8OSString");

typedef struct __OSMallocTag__ *OSMallocTag;
OSMallocTag OSMalloc_Tagalloc(const char *name, uint32_t flags) __asm("_OSMalloc_Tagalloc");
void OSMalloc_Tagfree(OSMallocTag tag) __asm("_OSMalloc_Tagfree");
void *OSMalloc(uint32_t size, OSMallocTag tag) __asm("_OSMalloc");
void OSFree(void *addr, uint32_t size, OSMallocTag tag) __asm("_OSFree");

void read_random(void *buffer, unsigned numBytes) __asm("_read_random");
void random_buf(void *buffer, size_t bytes) __asm("_random_buf"); /* x86_64 only, since 13.0 */
