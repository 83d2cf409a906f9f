/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory, delays and logging of IOLib.
 *
 * Source: xnu iokit/IOKit/IOLib.h.
 * Comments note functions that older releases lack. */
#pragma once

#include "abi/types.h"

/* Memory. Blocking; NULL when there is none or for size 0; the content is undefined. The size
 * given to IOFree is the one that was asked for, bytes. Never in interrupt context or with a spin
 * lock. */
void *IOMalloc(vm_size_t size) __asm("_IOMalloc");
void IOFree(void *address, vm_size_t size) __asm("_IOFree");
void *IOMallocAligned(vm_size_t size, vm_offset_t alignment) __asm("_IOMallocAligned");
void IOFreeAligned(void *address, vm_size_t size) __asm("_IOFreeAligned");
/* `physicalAddress` may be NULL; if it is not, the memory lies below 4 GiB. */
void *IOMallocContiguous(vm_size_t size, vm_size_t alignment, IOPhysicalAddress *physicalAddress)
    __asm("_IOMallocContiguous");
void IOFreeContiguous(void *address, vm_size_t size) __asm("_IOFreeContiguous");
void *IOMallocPageable(vm_size_t size, vm_size_t alignment) __asm("_IOMallocPageable");
void IOFreePageable(void *address, vm_size_t size) __asm("_IOFreePageable");

/* Delays. Both block, except IODelay for very short times or with preemption off. */
void IOSleep(unsigned int milliseconds) __asm("_IOSleep");
void IODelay(unsigned int microseconds) __asm("_IODelay");
void IOPause(unsigned int nanoseconds) __asm("_IOPause"); /* since 10.5 */

/* To the message buffer, and to the screen before the console is released. */
void IOLog(const char *format, ...) __asm("_IOLog") __attribute__((format(printf, 1, 2)));
void IOLogv(const char *format, va_list arguments) __asm("_IOLogv"); /* since 10.6 */

typedef void (*IOThreadFunc)(void *argument);
typedef thread_t IOThread;
IOThread IOCreateThread(IOThreadFunc function, void *argument) __asm("_IOCreateThread");
void IOExitThread(void) __asm("_IOExitThread");

/* Registers at physical addresses, mapped for the one access. */
uint8_t IOMappedRead8(IOPhysicalAddress address) __asm("_IOMappedRead8");
uint16_t IOMappedRead16(IOPhysicalAddress address) __asm("_IOMappedRead16");
uint32_t IOMappedRead32(IOPhysicalAddress address) __asm("_IOMappedRead32");
uint64_t IOMappedRead64(IOPhysicalAddress address) __asm("_IOMappedRead64");
void IOMappedWrite8(IOPhysicalAddress address, uint8_t value) __asm("_IOMappedWrite8");
void IOMappedWrite16(IOPhysicalAddress address, uint16_t value) __asm("_IOMappedWrite16");
void IOMappedWrite32(IOPhysicalAddress address, uint32_t value) __asm("_IOMappedWrite32");
void IOMappedWrite64(IOPhysicalAddress address, uint64_t value) __asm("_IOMappedWrite64");
IOReturn IOFlushProcessorCache(task_t task, IOVirtualAddress address, IOByteCount length)
    __asm("_IOFlushProcessorCache");
IOReturn IOSetProcessorCacheMode(task_t task, IOVirtualAddress address, IOByteCount length,
    IOOptionBits cacheMode)
    __asm("_IOSetProcessorCacheMode");
