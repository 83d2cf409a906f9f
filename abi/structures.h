/* SPDX-License-Identifier: BSD-3-Clause */
/* Structures that cross the I/O Kit interface by pointer or by value.
 *
 * Source: headers of Apple's open-source xnu, IOPCIFamily, IONetworkingFamily, IOGraphics,
 * IOSCSIParallelFamily; offsets as in abi/tables/structures.tsv, which the tests compare. Fields
 * that a macOS release added at the end of a reserved area carry its number. */
#pragma once

#include "abi/opaque.h"
#include "abi/types.h"

typedef struct IORPC {
    void *message;
    void *reply;
    uint32_t sendSize;
    uint32_t replySize;
} IORPC;

struct mach_timespec {
    unsigned int tv_sec;
    int32_t tv_nsec;
};
typedef struct mach_timespec mach_timespec_t;

/* -- memory */

typedef struct IOVirtualRange {
    IOVirtualAddress address;
    IOByteCount length;
} IOVirtualRange;

typedef struct IOPhysicalRange {
    IOPhysicalAddress address;
    IOByteCount length;
} IOPhysicalRange;

typedef struct IOAddressRange {
    uint64_t address;
    uint64_t length;
} IOAddressRange;

typedef struct IODeviceMemory_InitElement {
    IOPhysicalAddress start;
    IOPhysicalLength length;
    IOOptionBits tag;
} IODeviceMemory_InitElement;

typedef struct IODMACommand_Segment32 {
    uint32_t fIOVMAddr;
    uint32_t fLength;
} IODMACommand_Segment32;

typedef struct IODMACommand_Segment64 {
    uint64_t fIOVMAddr; /* bus address */
    uint64_t fLength;   /* bytes */
} IODMACommand_Segment64;

typedef struct IODMACommand_SegmentOptions {
    uint8_t fStructSize;
    uint8_t fNumAddressBits;
    uint64_t fMaxSegmentSize;
    uint64_t fMaxTransferSize;
    uint32_t fAlignment;
    uint32_t fAlignmentLength;
    uint32_t fAlignmentInternalSegments;
} IODMACommand_SegmentOptions;

typedef struct IOMemoryCursor_PhysicalSegment {
    IOPhysicalAddress location;
    IOPhysicalLength length;
} IOMemoryCursor_PhysicalSegment;

/* -- services, power, interrupts */

typedef unsigned long IOPMPowerFlags;

typedef struct IOPMPowerState {
    unsigned long version;
    IOPMPowerFlags capabilityFlags;
    IOPMPowerFlags outputPowerCharacter;
    IOPMPowerFlags inputPowerRequirement;
    unsigned long staticPower;
    unsigned long stateOrder;
    unsigned long powerToAttain;
    unsigned long timeToAttain;     /* microseconds, as all times here */
    unsigned long settleUpTime;
    unsigned long timeToLower;
    unsigned long settleDownTime;
    unsigned long powerDomainBudget;
} IOPMPowerState;

typedef void (*IOInterruptAction)(OSObject *target, void *refCon, IOService *nub, int source);
typedef void (*IOInterruptHandler)(void *target, void *refCon, void *nub, int source);

typedef struct IOInterruptSource {
    IOInterruptController *interruptController;
    OSData *vectorData;
} IOInterruptSource;

typedef struct IOInterruptVector {
    volatile char interruptActive;
    volatile char interruptDisabledSoft;
    volatile char interruptDisabledHard;
    volatile char interruptRegistered;
    struct _IOLock *interruptLock;
    IOService *nub;
    int source;
    void *target;
    IOInterruptHandler handler;
    void *refCon;
    IOSharedInterruptController *sharedController;
} IOInterruptVector;

/* -- user clients */

typedef uint64_t io_user_reference_t;

typedef struct IOExternalMethodArguments {
    uint32_t version;
    uint32_t selector;
    mach_port_t asyncWakePort;
    io_user_reference_t *asyncReference;
    uint32_t asyncReferenceCount;
    const uint64_t *scalarInput;
    uint32_t scalarInputCount;
    const void *structureInput;
    uint32_t structureInputSize;                    /* bytes */
    IOMemoryDescriptor *structureInputDescriptor;   /* for input larger than a page */
    uint64_t *scalarOutput;
    uint32_t scalarOutputCount;
    void *structureOutput;
    uint32_t structureOutputSize;
    IOMemoryDescriptor *structureOutputDescriptor;
    uint32_t structureOutputDescriptorSize;
    uint32_t reservedA;
    OSObject **structureVariableOutputData;         /* since 10.7 */
    uint32_t reserved[30];
} IOExternalMethodArguments;

typedef IOReturn (*IOExternalMethodAction)(OSObject *target, void *reference,
                                           IOExternalMethodArguments *arguments);

/* A count of 0xffffffff (kIOUCVariableStructureSize) takes any size. */
typedef struct IOExternalMethodDispatch {
    IOExternalMethodAction function;
    uint32_t checkScalarInputCount;
    uint32_t checkStructureInputSize;
    uint32_t checkScalarOutputCount;
    uint32_t checkStructureOutputSize;
} IOExternalMethodDispatch;

typedef struct IOExternalMethod {
    IOService *object;
    struct member_function func;
    IOOptionBits flags;
    IOByteCount count0;
    IOByteCount count1;
} IOExternalMethod;

typedef struct IOExternalAsyncMethod {
    IOService *object;
    struct member_function func;
    IOOptionBits flags;
    IOByteCount count0;
    IOByteCount count1;
} IOExternalAsyncMethod;

typedef struct IOExternalTrap {
    IOService *object;
    struct member_function func;
} IOExternalTrap;

/* -- PCI and ACPI */

typedef union IOPCIAddressSpace {
    uint32_t bits;
    struct {
        unsigned registerNum : 8;
        unsigned functionNum : 3;
        unsigned deviceNum : 5;
        unsigned busNum : 8;
        unsigned space : 2;
        unsigned resv : 3;
        unsigned t : 1;
        unsigned prefetch : 1;
        unsigned reloc : 1;
    } s;
    struct {
        unsigned registerNum : 8;
        unsigned functionNum : 3;
        unsigned deviceNum : 5;
        unsigned busNum : 8;
        unsigned registerNumExtended : 4;
        unsigned resv : 4;
    } es;
} IOPCIAddressSpace;

typedef struct IOPCIEvent {
    IOPCIDevice *reporter;
    uint32_t event;
    uint32_t data[5];
} IOPCIEvent;

typedef union IOACPIAddress {
    uint64_t addr64;
    struct {
        unsigned offset : 16;
        unsigned function : 3;
        unsigned device : 5;
        unsigned bus : 8;
        unsigned segment : 16;
        unsigned reserved : 16;
    } pci;
} __attribute__((packed)) IOACPIAddress;

/* -- network */

typedef struct IOEthernetAddress {
    uint8_t bytes[6];
} IOEthernetAddress;

typedef struct IOPacketBufferConstraints {
    uint32_t alignStart;    /* bytes, a power of two */
    uint32_t alignLength;
    uint32_t reserved[6];
} IOPacketBufferConstraints;

typedef struct IONetworkStats {
    uint32_t inputPackets;
    uint32_t inputErrors;
    uint32_t outputPackets;
    uint32_t outputErrors;
    uint32_t collisions;
} IONetworkStats;

typedef struct IOEthernetStats {
    struct {
        uint32_t alignmentErrors, fcsErrors, singleCollisionFrames, multipleCollisionFrames;
        uint32_t sqeTestErrors, deferredTransmissions, lateCollisions, excessiveCollisions;
        uint32_t internalMacTransmitErrors, carrierSenseErrors, frameTooLongs;
        uint32_t internalMacReceiveErrors, etherChipSet, missedFrames;
    } dot3StatsEntry;
    struct {
        uint32_t collFrequencies[16];
    } dot3CollEntry;
    struct {
        uint32_t overruns, watchdogTimeouts, frameTooShorts, collisionErrors, phyErrors, timeouts;
        uint32_t interrupts, resets, resourceErrors, reserved[4];
    } dot3RxExtraEntry;
    struct {
        uint32_t underruns, jabbers, phyErrors, timeouts, interrupts, resets, resourceErrors;
        uint32_t reserved[4];
    } dot3TxExtraEntry;
} IOEthernetStats;

/* -- storage */

typedef struct IOStorageCompletion {
    void *target;
    void (*action)(void *target, void *parameter, IOReturn status, uint64_t actual_byte_count);
    void *parameter;
} IOStorageCompletion;

typedef struct IOStorageAttributes {
    uint16_t options;
    uint8_t priority;
    uint8_t reserved0024;
    uint32_t reserved0032;
    uint64_t reserved0064;
    uint64_t adjustedOffset;    /* since 10.8 */
    void *bufattr;
} IOStorageAttributes;

typedef struct SCSI_Sense_Data {
    uint8_t VALID_RESPONSE_CODE;
    uint8_t SEGMENT_NUMBER;
    uint8_t SENSE_KEY;
    uint8_t INFORMATION_1, INFORMATION_2, INFORMATION_3, INFORMATION_4;
    uint8_t ADDITIONAL_SENSE_LENGTH;
    uint8_t COMMAND_SPECIFIC_INFORMATION_1, COMMAND_SPECIFIC_INFORMATION_2;
    uint8_t COMMAND_SPECIFIC_INFORMATION_3, COMMAND_SPECIFIC_INFORMATION_4;
    uint8_t ADDITIONAL_SENSE_CODE;
    uint8_t ADDITIONAL_SENSE_CODE_QUALIFIER;
    uint8_t FIELD_REPLACEABLE_UNIT_CODE;
    uint8_t SKSV_SENSE_KEY_SPECIFIC_MSB;
    uint8_t SENSE_KEY_SPECIFIC_MID;
    uint8_t SENSE_KEY_SPECIFIC_LSB;
} SCSI_Sense_Data;

/* -- input */

typedef struct IOHIDCompletion {
    void *target;
    void (*action)(void *target, void *parameter, IOReturn status, uint32_t buffer_size_remaining);
    void *parameter;
} IOHIDCompletion;

/* -- graphics */

typedef struct IOGPoint {
    int16_t x, y;
} IOGPoint;

typedef struct IOGSize {
    int16_t width, height;
} IOGSize;

typedef struct IOGBounds {
    int16_t minx, maxx, miny, maxy;
} IOGBounds;

typedef struct IOColorEntry {
    uint16_t index;
    IOColorComponent red, green, blue;
} IOColorEntry;

typedef struct IODisplayModeInformation {
    uint32_t nominalWidth;      /* pixels */
    uint32_t nominalHeight;
    IOFixed1616 refreshRate;    /* hertz, 16.16 */
    IOIndex maxDepthIndex;
    uint32_t flags;
    uint16_t imageWidth;        /* millimetres, since 10.7 */
    uint16_t imageHeight;
    uint32_t reserved[3];
} IODisplayModeInformation;

typedef struct IOPixelInformation {
    uint32_t bytesPerRow;
    uint32_t bytesPerPlane;
    uint32_t bitsPerPixel;
    uint32_t pixelType;
    uint32_t componentCount;
    uint32_t bitsPerComponent;
    uint32_t componentMasks[16];
    IOPixelEncoding pixelFormat;
    uint32_t flags;
    uint32_t activeWidth;
    uint32_t activeHeight;
    uint32_t reserved[2];
} IOPixelInformation;

typedef struct IODetailedTimingInformationV1 {
    uint32_t pixelClock;
    uint32_t horizontalActive, horizontalBlanking, horizontalBorder;
    uint32_t horizontalSyncOffset, horizontalSyncWidth;
    uint32_t verticalActive, verticalBlanking, verticalBorder;
    uint32_t verticalSyncOffset, verticalSyncWidth;
} IODetailedTimingInformationV1;

typedef struct IODetailedTimingInformationV2 {
    uint32_t reservedA[3];
    uint32_t horizontalScaledInset, verticalScaledInset, scalerFlags;
    uint32_t horizontalScaled, verticalScaled;
    uint32_t signalConfig, signalLevels;
    uint64_t pixelClock, minPixelClock, maxPixelClock;  /* hertz */
    uint32_t horizontalActive, horizontalBlanking, horizontalSyncOffset, horizontalSyncPulseWidth;
    uint32_t verticalActive, verticalBlanking, verticalSyncOffset, verticalSyncPulseWidth;
    uint32_t horizontalBorderLeft, horizontalBorderRight, verticalBorderTop, verticalBorderBottom;
    uint32_t horizontalSyncConfig, horizontalSyncLevel, verticalSyncConfig, verticalSyncLevel;
    uint32_t numLinks;
    uint32_t verticalBlankingExtension; /* this and what follows: newer releases only */
    uint16_t pixelEncoding, bitsPerColorComponent, colorimetry, dynamicRange;
    uint16_t dscCompressedBitsPerPixel, dscSliceHeight, dscSliceWidth;
    uint16_t reservedB[5];
} IODetailedTimingInformationV2;

typedef struct IOTimingInformation {
    IOAppleTimingID appleTimingID;
    uint32_t flags;
    union {
        IODetailedTimingInformationV1 v1;
        IODetailedTimingInformationV2 v2;
    } detailedInfo;
} IOTimingInformation;

typedef struct IOHardwareCursorDescriptor {
    uint16_t majorVersion;
    uint16_t minorVersion;
    uint32_t height;            /* pixels */
    uint32_t width;
    uint32_t bitDepth;
    uint32_t maskBitDepth;
    uint32_t numColors;
    uint32_t *colorEncodings;
    uint32_t flags;
    uint32_t supportedSpecialEncodings;
    uint32_t specialEncodings[16];
} IOHardwareCursorDescriptor;

typedef struct IOHardwareCursorInfo {
    uint16_t majorVersion;
    uint16_t minorVersion;
    uint32_t cursorHeight;
    uint32_t cursorWidth;
    IOColorEntry *colorMap;
    uint8_t *hardwareCursorData;
    uint16_t cursorHotSpotX;    /* since 10.6 */
    uint16_t cursorHotSpotY;
    uint32_t reserved[5];
} IOHardwareCursorInfo;

typedef struct PE_Video {
    unsigned long v_baseAddr;   /* physical; bit 0 is a flag on some releases */
    unsigned long v_rowBytes;
    unsigned long v_width;
    unsigned long v_height;
    unsigned long v_depth;
    unsigned long v_display;
    char v_pixelFormat[64];
    unsigned long v_offset;
    unsigned long v_length;
    unsigned char v_rotate;
    unsigned char v_scale;
    char reserved1[2];
#if defined(__i386__)
    long v_baseAddrHigh;
#else
    long reserved2;
#endif
} PE_Video;
