/* SPDX-License-Identifier: BSD-3-Clause */
/* Result codes of I/O Kit, Mach and libkern.
 *
 * Source: the public headers that each section names, of Apple's open-source releases. */
#pragma once

/* IOReturn codes (IOKit/IOReturn.h) */
#define kIOReturnSuccess 0
#define kIOReturnError ((int32_t)0xe00002bc)
#define kIOReturnNoMemory ((int32_t)0xe00002bd)
#define kIOReturnNoResources ((int32_t)0xe00002be)
#define kIOReturnIPCError ((int32_t)0xe00002bf)
#define kIOReturnNoDevice ((int32_t)0xe00002c0)
#define kIOReturnNotPrivileged ((int32_t)0xe00002c1)
#define kIOReturnBadArgument ((int32_t)0xe00002c2)
#define kIOReturnLockedRead ((int32_t)0xe00002c3)
#define kIOReturnLockedWrite ((int32_t)0xe00002c4)
#define kIOReturnExclusiveAccess ((int32_t)0xe00002c5)
#define kIOReturnBadMessageID ((int32_t)0xe00002c6)
#define kIOReturnUnsupported ((int32_t)0xe00002c7)
#define kIOReturnVMError ((int32_t)0xe00002c8)
#define kIOReturnInternalError ((int32_t)0xe00002c9)
#define kIOReturnIOError ((int32_t)0xe00002ca)
#define kIOReturnCannotLock ((int32_t)0xe00002cc)
#define kIOReturnNotOpen ((int32_t)0xe00002cd)
#define kIOReturnNotReadable ((int32_t)0xe00002ce)
#define kIOReturnNotWritable ((int32_t)0xe00002cf)
#define kIOReturnNotAligned ((int32_t)0xe00002d0)
#define kIOReturnBadMedia ((int32_t)0xe00002d1)
#define kIOReturnStillOpen ((int32_t)0xe00002d2)
#define kIOReturnRLDError ((int32_t)0xe00002d3)
#define kIOReturnDMAError ((int32_t)0xe00002d4)
#define kIOReturnBusy ((int32_t)0xe00002d5)
#define kIOReturnTimeout ((int32_t)0xe00002d6)
#define kIOReturnOffline ((int32_t)0xe00002d7)
#define kIOReturnNotReady ((int32_t)0xe00002d8)
#define kIOReturnNotAttached ((int32_t)0xe00002d9)
#define kIOReturnNoChannels ((int32_t)0xe00002da)
#define kIOReturnNoSpace ((int32_t)0xe00002db)
#define kIOReturnPortExists ((int32_t)0xe00002dd)
#define kIOReturnCannotWire ((int32_t)0xe00002de)
#define kIOReturnNoInterrupt ((int32_t)0xe00002df)
#define kIOReturnNoFrames ((int32_t)0xe00002e0)
#define kIOReturnMessageTooLarge ((int32_t)0xe00002e1)
#define kIOReturnNotPermitted ((int32_t)0xe00002e2)
#define kIOReturnNoPower ((int32_t)0xe00002e3)
#define kIOReturnNoMedia ((int32_t)0xe00002e4)
#define kIOReturnUnformattedMedia ((int32_t)0xe00002e5)
#define kIOReturnUnsupportedMode ((int32_t)0xe00002e6)
#define kIOReturnUnderrun ((int32_t)0xe00002e7)
#define kIOReturnOverrun ((int32_t)0xe00002e8)
#define kIOReturnDeviceError ((int32_t)0xe00002e9)
#define kIOReturnNoCompletion ((int32_t)0xe00002ea)
#define kIOReturnAborted ((int32_t)0xe00002eb)
#define kIOReturnNoBandwidth ((int32_t)0xe00002ec)
#define kIOReturnNotResponding ((int32_t)0xe00002ed)
#define kIOReturnIsoTooOld ((int32_t)0xe00002ee)
#define kIOReturnIsoTooNew ((int32_t)0xe00002ef)
#define kIOReturnNotFound ((int32_t)0xe00002f0)
#define kIOReturnInvalid ((int32_t)0xe0000001)

/* mach results (mach/kern_return.h) */
#define KERN_SUCCESS 0
#define KERN_INVALID_ADDRESS 1
#define KERN_PROTECTION_FAILURE 2
#define KERN_NO_SPACE 3
#define KERN_INVALID_ARGUMENT 4
#define KERN_FAILURE 5
#define KERN_RESOURCE_SHORTAGE 6
#define KERN_NO_ACCESS 8
#define KERN_ABORTED 0xe
#define KERN_NOT_WAITING 0x30
#define KERN_NOT_SUPPORTED 0x2e
#define KERN_OPERATION_TIMED_OUT 0x31

/* metaclass results (libkern/OSReturn.h) */
#define kOSReturnError ((int32_t)0xdc000001)
#define kOSMetaClassInternal ((int32_t)0xdc004001)
#define kOSMetaClassHasInstances ((int32_t)0xdc004002)
#define kOSMetaClassNoInit ((int32_t)0xdc004003)
#define kOSMetaClassNoTempData ((int32_t)0xdc004004)
#define kOSMetaClassNoDicts ((int32_t)0xdc004005)
#define kOSMetaClassNoKModSet ((int32_t)0xdc004006)
#define kOSMetaClassNoInsKModSet ((int32_t)0xdc004007)
#define kOSMetaClassNoSuper ((int32_t)0xdc004008)
#define kOSMetaClassInstNoSuper ((int32_t)0xdc004009)
#define kOSMetaClassDuplicateClass ((int32_t)0xdc00400a)
#define kOSMetaClassNoKext ((int32_t)0xdc00400b)
