/* SPDX-License-Identifier: BSD-3-Clause */
/* Scalar types of the I/O Kit and Mach interfaces, for kexts and for the user-space kernel.
 *
 * Source: Apple's open-source xnu (IOKit/IOTypes.h, libkern/OSTypes.h, mach/) and the widths in
 * abi/tables. Integer types are chosen so that one source serves both architectures: what i386
 * declares as a 32-bit `long` is uint32_t here (C does not mangle, so only the width counts). */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The oldest macOS that the binary must load on: 1004 (i386), 1006 or 1200 (x86_64).
 * It chooses the names of inherited vtable slots (X_INHERIT). */
#ifndef ABI_OLDEST
#if defined(__i386__)
#define ABI_OLDEST 1004
#else
#define ABI_OLDEST 1006
#endif
#endif

typedef uint8_t UInt8;
typedef uint16_t UInt16;
typedef uint32_t UInt32;
typedef uint64_t UInt64;
typedef int8_t SInt8;
typedef int16_t SInt16;
typedef int32_t SInt32;
typedef int64_t SInt64;
typedef unsigned char Boolean;
typedef int32_t OSReturn;
typedef int32_t OSStatus;

typedef int32_t IOReturn;
typedef uint32_t IOOptionBits;
typedef int32_t IOFixed;
typedef uint32_t IOVersion;
typedef uint32_t IOItemCount;
typedef uint32_t IOCacheMode;
typedef uint64_t AbsoluteTime;  /* the same two words as the structure UnsignedWide on i386 */
typedef uint64_t IOPhysicalAddress64;
typedef uint64_t IOByteCount64;
typedef uint32_t IOPhysicalAddress32;
typedef uint32_t IOByteCount32;
#if defined(__i386__)
typedef uint32_t IOByteCount;
typedef uint32_t IOPhysicalAddress;
typedef uint32_t IOPhysicalLength;
typedef uint32_t IOVirtualAddress;
typedef uint32_t vm_address_t;
typedef uint32_t vm_offset_t;
typedef uint32_t vm_size_t;
#else
typedef uint64_t IOByteCount;
typedef uint64_t IOPhysicalAddress;
typedef uint64_t IOPhysicalLength;
typedef uint64_t IOVirtualAddress;
typedef unsigned long vm_address_t;
typedef unsigned long vm_offset_t;
typedef unsigned long vm_size_t;
#endif
typedef IOVirtualAddress IOLogicalAddress;
typedef uint64_t mach_vm_address_t;
typedef uint64_t mach_vm_size_t;
typedef uint64_t addr64_t;
typedef uint32_t ppnum_t;
typedef int32_t vm_prot_t;
typedef int32_t kern_return_t;
typedef int32_t errno_t;
typedef int32_t wait_result_t;
typedef int32_t wait_interrupt_t;
typedef void *event_t;
#if defined(__i386__)
typedef int boolean_t;
#else
typedef unsigned int boolean_t;
#endif

typedef struct task *task_t;
typedef struct thread *thread_t;
typedef struct processor *processor_t;
typedef struct semaphore *semaphore_t;
typedef struct ipc_port *ipc_port_t;
typedef struct ipc_port *mach_port_t;   /* in the kernel a port is its object */
typedef struct _vm_map *vm_map_t;
typedef struct vnode *vnode_t;
typedef struct __mbuf *mbuf_t;
typedef struct __ifnet *ifnet_t;
typedef struct thread_call *thread_call_t;
typedef struct proc *proc_t;

/* Enumerations whose names occur in method signatures; their values are in abi/constants.h. */
typedef uint32_t IODirection;
typedef uint32_t SCSIServiceResponse;
typedef uint32_t SCSITaskStatus;
typedef uint32_t SCSITaskAttribute;
typedef uint32_t SCSITaskMode;
typedef uint32_t SCSITaskState;
typedef uint32_t SCSIParallelFeature;
typedef uint32_t SCSIParallelFeatureRequest;
typedef uint32_t SCSIParallelFeatureResult;
typedef uint32_t IOHIDKind;
typedef uint32_t IOHIDReportType;
typedef uint32_t IOMbufServiceClass;
typedef uint32_t IOHIDElementType;
typedef uint32_t IODebuggerLockState;
typedef uint32_t IOEthernetControllerAVBState;
typedef uint32_t IOEthernetControllerAVBStateEvent;
typedef uint32_t IOEthernetControllerAVBTimeSyncSupport;
typedef uint32_t IODMACommand_MappingOptions;
/* IODMACommand::MappingOptions (IOKit/IODMACommand.h) */
#define IODMACommand_kMapped 0
#define IODMACommand_kBypassed 1
#define IODMACommand_kNonCoherent 2
typedef uint32_t tIOPCIDeviceResetTypes;
typedef uint32_t tIOPCIDeviceResetOptions;
typedef uint32_t tIOPCILinkSpeed;
typedef uint32_t IOPCIResetType;
typedef uint32_t zone_create_flags_t;

/* Graphics and SCSI names of plain integers (IOGraphicsTypes.h, SCSITask.h). */
typedef int32_t IOIndex;
typedef uint32_t IOSelect;
typedef uint32_t IOFixed1616;
typedef int32_t IODisplayModeID;
typedef uint32_t IOAppleTimingID;
typedef uint16_t IOColorComponent;
typedef char IOPixelEncoding[64];
typedef int32_t IOPixelAperture;
typedef uint64_t SCSIDeviceIdentifier;
typedef uint32_t SCSIInitiatorIdentifier;
typedef uint64_t SCSITargetIdentifier;
typedef uint64_t SCSILogicalUnitNumber;
typedef uint64_t SCSITaggedTaskIdentifier;
typedef uint8_t SCSICommandDescriptorBlock[16];
typedef struct OSObject *SCSIParallelTaskIdentifier;
typedef struct OSObject *SCSITaskIdentifier;

/* A C++ pointer to member function, passed and stored by value. */
struct member_function {
#if defined(__i386__)
    int16_t adjustment; /* of `this`, bytes */
    int16_t index;      /* -1: `function` is called as it is; else slot + 1 */
    uint32_t function;
#else
    uintptr_t function; /* address, or byte offset of the slot + 1 */
    intptr_t adjustment;
#endif
};

/* The pointer to a member function that is the plain function `function`. */
#if defined(__i386__)
#define MEMBER_FUNCTION(callee) ((struct member_function){0, -1, (uint32_t)(callee)})
#else
#define MEMBER_FUNCTION(callee) ((struct member_function){(uintptr_t)(callee), 0})
#endif

/* What a slot without implementation holds. */
void iokit_pure_virtual(void) __asm("___cxa_pure_virtual");

#include "abi/constants.h"
