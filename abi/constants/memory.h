/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory descriptors, DMA, mapping and caching, protection.
 *
 * Source: the public headers that each section names, of Apple's open-source releases. */
#pragma once

/* Mapping and cache modes (IOKit/IOTypes.h) */
#define kIODefaultMemoryType 0
#define kIODefaultCache 0
#define kIOInhibitCache 1
#define kIOWriteThruCache 2
#define kIOCopybackCache 3
#define kIOWriteCombineCache 4
#define kIOCopybackInnerCache 5
#define kIOPostedWrite 6
#define kIORealTimeCache 7
#define kIOPostedReordered 8
#define kIOPostedCombinedReordered 9
#define kIOMapAnywhere 1
#define kIOMapCacheMask 0xf00  /* 0x700 before 10.15 */
#define kIOMapCacheShift 8
#define kIOMapDefaultCache 0
#define kIOMapInhibitCache 0x100
#define kIOMapWriteThruCache 0x200
#define kIOMapCopybackCache 0x300
#define kIOMapWriteCombineCache 0x400
#define kIOMapCopybackInnerCache 0x500
#define kIOMapPostedWrite 0x600
#define kIOMapRealTimeCache 0x700
#define kIOMapPostedReordered 0x800
#define kIOMapPostedCombinedReordered 0x900
#define kIOMapUserOptionsMask 0xfff
#define kIOMapReadOnly 0x1000
#define kIOMapStatic 0x1000000
#define kIOMapReference 0x2000000
#define kIOMapUnique 0x4000000
#define kIOMapPrefault 0x10000000
#define kIOMapOverwrite 0x20000000
#define kIOConnectMethodVarOutputSize (-3)

/* Memory descriptors (IOKit/IOMemoryDescriptor.h) */
#define kIODirectionNone 0
#define kIODirectionIn 1
#define kIODirectionOut 2
#define kIODirectionOutIn 3
#define kIODirectionInOut 3
#define kIODirectionPrepareToPhys32 4
#define kIODirectionPrepareNoFault 8
#define kIODirectionPrepareReserved1 0x10
#define kIODirectionPrepareNonCoherent 0x20
#define kIODirectionCompleteWithError 0x40
#define kIODirectionCompleteWithDataValid 0x80
#define kIOMemoryDirectionMask 7
#define kIOMemoryTypeVirtual 0x10
#define kIOMemoryTypePhysical 0x20
#define kIOMemoryTypeUPL 0x30
#define kIOMemoryTypePersistentMD 0x40
#define kIOMemoryTypeUIO 0x50
#if defined(__i386__)
#define kIOMemoryTypeVirtual64 0x60
#else
#define kIOMemoryTypeVirtual64 0x10
#endif
#if defined(__i386__)
#define kIOMemoryTypePhysical64 0x70
#else
#define kIOMemoryTypePhysical64 0x20
#endif
#define kIOMemoryTypeMask 0xf0
#define kIOMemoryAsReference 0x100
#define kIOMemoryBufferPageable 0x400
#define kIOMemoryMapperNone 0x800
#define kIOMemoryHostOnly 0x1000
#define kIOMemoryPersistent 0x10000
#define kIOMemoryMapCopyOnWrite 0x20000
#define kIOMemoryRemote 0x40000
#define kIOMemoryThreadSafe 0x100000
#define kIOMemoryClearEncrypt 0x200000
#define kIOMemoryUseReserve 0x800000
#define kIOMemoryLedgerTagDefault 1
#define kIOmemoryLedgerTagNetwork 2
#define kIOMemoryLedgerTagMedia 3
#define kIOMemoryLedgerTagGraphics 4
#define kIOMemoryLedgerTagNeural 5
#define kIOMemoryLedgerFlagNoFootprint 1
#define kIOMemoryPurgeableKeepCurrent 1
#define kIOMemoryPurgeableNonVolatile 2
#define kIOMemoryPurgeableVolatile 3
#define kIOMemoryPurgeableEmpty 4
#define kIOMemoryPurgeableVolatileGroup0 0
#define kIOMemoryPurgeableVolatileGroup1 0x100
#define kIOMemoryPurgeableVolatileGroup2 0x200
#define kIOMemoryPurgeableVolatileGroup3 0x300
#define kIOMemoryPurgeableVolatileGroup4 0x400
#define kIOMemoryPurgeableVolatileGroup5 0x500
#define kIOMemoryPurgeableVolatileGroup6 0x600
#define kIOMemoryPurgeableVolatileGroup7 0x700
#define kIOMemoryPurgeableVolatileBehaviorFifo 0
#define kIOMemoryPurgeableVolatileBehaviorLifo 0x40
#define kIOMemoryPurgeableVolatileOrderingObsolete 0x20
#define kIOMemoryPurgeableVolatileOrderingNormal 0
#define kIOMemoryPurgeableFaultOnAccess 0x2000
#define kIOMemoryIncoherentIOFlush 1
#define kIOMemoryIncoherentIOStore 2
#define kIOMemoryClearEncrypted 0x32
#define kIOMemorySetEncrypted 0x33
#define kIODMAMapReadAccess 1
#define kIODMAMapWriteAccess 2
#define kIODMAMapPhysicallyContiguous 0x10
#define kIODMAMapDeviceMemory 0x20
#define kIODMAMapPagingPath 0x40
#define kIODMAMapIdentityMap 0x80
#define kIODMAMapPageListFullyOccupied 0x100
#define kIODMAMapFixedAddress 0x200
#define kIOPreparationIDUnprepared 0
#define kIOPreparationIDUnsupported 1
#define kIOPreparationIDAlwaysPrepared 2

/* IOBufferMemoryDescriptor */
#define kIOMemoryPhysicallyContiguous 0x10
#define kIOMemoryPageable 0x20
#define kIOMemoryPurgeable 0x40
#define kIOMemoryHostPhysicallyContiguous 0x80
#define kIOMemorySharingTypeMask 0xf0000
#define kIOMemoryUnshared 0
#define kIOMemoryKernelUserShared 0x10000
#define kIOBufferDescriptorMemoryFlags 0xb00807  /* of 10.13; older releases accept fewer bits */

/* IODMACommand */
#define kIODMAMapOptionMapped 0
#define kIODMAMapOptionBypassed 1
#define kIODMAMapOptionNonCoherent 2
#define kIODMAMapOptionUnmapped 3
#define kIODMAMapOptionTypeMask 0xf
#define kIODMAMapOptionNoCacheStore 0x10
#define kIODMAMapOptionOnChip 0x20
#define kIODMAMapOptionIterateOnly 0x40

/* Virtual memory protection (mach/vm_prot.h) */
#define VM_PROT_NONE 0
#define VM_PROT_READ 1
#define VM_PROT_WRITE 2
#define VM_PROT_EXECUTE 4
#define VM_PROT_DEFAULT 3
#define VM_PROT_ALL 7
#define VM_PROT_NO_CHANGE 8
#define VM_PROT_COPY 0x10
#define VM_PROT_WANTS_COPY 0x10
#define VM_PROT_IS_MASK 0x40
#define VM_PROT_STRIP_READ 0x80
#define VM_PROT_EXECUTE_ONLY 0x84
