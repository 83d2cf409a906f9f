/* SPDX-License-Identifier: BSD-3-Clause */
/* Services: messages, states, keys of matching and of the registry, user clients, platform.
 *
 * Source: the public headers that each section names, of Apple's open-source releases. */
#pragma once

/* Messages to clients and drivers (IOKit/IOMessage.h) */
#define kIOMessageServiceIsTerminated 0xe0000010u
#define kIOMessageServiceIsSuspended 0xe0000020u
#define kIOMessageServiceIsResumed 0xe0000030u
#define kIOMessageServiceIsRequestingClose 0xe0000100u
#define kIOMessageServiceIsAttemptingOpen 0xe0000101u
#define kIOMessageServiceWasClosed 0xe0000110u
#define kIOMessageServiceBusyStateChange 0xe0000120u
#define kIOMessageConsoleSecurityChange 0xe0000128u
#define kIOMessageServicePropertyChange 0xe0000130u
#define kIOMessageCopyClientID 0xe0000330u
#define kIOMessageSystemCapabilityChange 0xe0000340u
#define kIOMessageDeviceSignaledWakeup 0xe0000350u
#define kIOMessageDeviceWillPowerOff 0xe0000210u
#define kIOMessageDeviceHasPoweredOn 0xe0000230u
#define kIOMessageSystemWillPowerOff 0xe0000250u
#define kIOMessageSystemWillRestart 0xe0000310u
#define kIOMessageSystemPagingOff 0xe0000255u
#define kIOMessageCanSystemSleep 0xe0000270u
#define kIOMessageSystemWillNotSleep 0xe0000290u
#define kIOMessageSystemWillSleep 0xe0000280u
#define kIOMessageSystemWillPowerOn 0xe0000320u
#define kIOMessageSystemHasPoweredOn 0xe0000300u
#define kIOMessageCanDevicePowerOff 0xe0000200u
#define kIOMessageDeviceWillNotPowerOff 0xe0000220u
#define kIOMessageSystemWillNotPowerOff 0xe0000260u
#define kIOMessageCanSystemPowerOff 0xe0000240u
#define kIOMessageDeviceWillPowerOn 0xe0000215u
#define kIOMessageDeviceHasPoweredOff 0xe0000225u

/* IOService (IOKit/IOService.h) */
#define kIODefaultProbeScore 0
#define kIOServiceInactiveState 1
#define kIOServiceRegisteredState 2
#define kIOServiceMatchedState 4
#define kIOServiceFirstPublishState 8
#define kIOServiceFirstMatchState 0x10
#define kIOServiceExclusive 1
#define kIOServiceRequired 1
#define kIOServiceTerminate 4
#define kIOServiceTerminateWithRematch 0x10
#define kIOServiceSynchronous 2
#define kIOServiceAsynchronous 8
#define kIOServiceSeize 1
#define kIOServiceFamilyOpenOptions 0xffff0000u
#define kIOServiceFamilyCloseOptions 0xffff0000u

/* Matching and property keys (IOKit/IOKitKeys.h) */
#define kIOKitBuildVersionKey "IOKitBuildVersion"
#define kIOKitDiagnosticsKey "IOKitDiagnostics"
#define kIORegistryPlanesKey "IORegistryPlanes"
#define kIOCatalogueKey "IOCatalogue"
#define kIOServicePlane "IOService"
#define kIOPowerPlane "IOPower"
#define kIODeviceTreePlane "IODeviceTree"
#define kIOAudioPlane "IOAudio"
#define kIOFireWirePlane "IOFireWire"
#define kIOUSBPlane "IOUSB"
#define kIORegistryEntryIDKey "IORegistryEntryID"
#define kIORegistryEntryPropertyKeysKey "IORegistryEntryPropertyKeys"
#define kIOServiceClass "IOService"
#define kIOResourcesClass "IOResources"
#define kIOClassKey "IOClass"
#define kIOProbeScoreKey "IOProbeScore"
#define kIOKitDebugKey "IOKitDebug"
#define kIOSupportedPropertiesKey "IOSupportedProperties"
#define kIOUserServicePropertiesKey "IOUserServiceProperties"
#define kIOProviderClassKey "IOProviderClass"
#define kIONameMatchKey "IONameMatch"
#define kIOPropertyMatchKey "IOPropertyMatch"
#define kIOPropertyExistsMatchKey "IOPropertyExistsMatch"
#define kIOPathMatchKey "IOPathMatch"
#define kIOLocationMatchKey "IOLocationMatch"
#define kIOParentMatchKey "IOParentMatch"
#define kIOResourceMatchKey "IOResourceMatch"
#define kIOResourceMatchedKey "IOResourceMatched"
#define kIOMatchedServiceCountKey "IOMatchedServiceCountMatch"
#define kIONameMatchedKey "IONameMatched"
#define kIOMatchCategoryKey "IOMatchCategory"
#define kIODefaultMatchCategoryKey "IODefaultMatchCategory"
#define kIOMatchedPersonalityKey "IOMatchedPersonality"
#define kIORematchPersonalityKey "IORematchPersonality"
#define kIORematchCountKey "IORematchCount"
#define kIODEXTMatchCountKey "IODEXTMatchCount"
#define kIOServiceDEXTEntitlementsKey "IOServiceDEXTEntitlements"
#define kIODriverKitEntitlementKey "com.apple.developer.driverkit"
#define kIODriverKitUserClientEntitlementsKey "com.apple.developer.driverkit.userclient-access"
#define kIODriverKitUserClientEntitlementAllowAnyKey                                               \
    "com.apple.developer.driverkit.allow-any-userclient-access"
#define kIODriverKitUSBTransportEntitlementKey "com.apple.developer.driverkit.transport.usb"
#define kIODriverKitHIDTransportEntitlementKey "com.apple.developer.driverkit.transport.hid"
#define kIODriverKitHIDFamilyDeviceEntitlementKey "com.apple.developer.driverkit.family.hid.device"
#define kIODriverKitHIDFamilyEventServiceEntitlementKey                                            \
    "com.apple.developer.driverkit.family.hid.eventservice"
#define kIODriverKitTransportBuiltinEntitlementKey "com.apple.developer.driverkit.builtin"
#define kIOMatchDeferKey "IOMatchDefer"
#define kIOUserClientClassKey "IOUserClientClass"
#define kIOMapperIDKey "IOMapperID"
#define kIOUserClientCrossEndianKey "IOUserClientCrossEndian"
#define kIOUserClientCrossEndianCompatibleKey "IOUserClientCrossEndianCompatible"
#define kIOUserClientSharedInstanceKey "IOUserClientSharedInstance"
#define kIOUserClientCreatorKey "IOUserClientCreator"
#define kIOUserUserClientKey "IOUserUserClient"
#define kIOPublishNotification "IOServicePublish"
#define kIOFirstPublishNotification "IOServiceFirstPublish"
#define kIOMatchedNotification "IOServiceMatched"
#define kIOFirstMatchNotification "IOServiceFirstMatch"
#define kIOTerminatedNotification "IOServiceTerminate"
#define kIOWillTerminateNotification "IOServiceWillTerminate"
#define kIOGeneralInterest "IOGeneralInterest"
#define kIOBusyInterest "IOBusyInterest"
#define kIOAppPowerStateInterest "IOAppPowerStateInterest"
#define kIOPriorityPowerStateInterest "IOPriorityPowerStateInterest"
#define kIOPlatformDeviceMessageKey "IOPlatformDeviceMessage"
#define kIOCFPlugInTypesKey "IOCFPlugInTypes"
#define kIOCommandPoolSizeKey "IOCommandPoolSize"
#define kIOMaximumPriorityCountKey "IOMaximumPriorityCount"
#define kIOMaximumBlockCountReadKey "IOMaximumBlockCountRead"
#define kIOMaximumBlockCountWriteKey "IOMaximumBlockCountWrite"
#define kIOMaximumByteCountReadKey "IOMaximumByteCountRead"
#define kIOMaximumByteCountWriteKey "IOMaximumByteCountWrite"
#define kIOMaximumSegmentCountReadKey "IOMaximumSegmentCountRead"
#define kIOMaximumSegmentCountWriteKey "IOMaximumSegmentCountWrite"
#define kIOMaximumSegmentByteCountReadKey "IOMaximumSegmentByteCountRead"
#define kIOMaximumSegmentByteCountWriteKey "IOMaximumSegmentByteCountWrite"
#define kIOMinimumSegmentAlignmentByteCountKey "IOMinimumSegmentAlignmentByteCount"
#define kIOMaximumSegmentAddressableBitCountKey "IOMaximumSegmentAddressableBitCount"
#define kIOMinimumSaturationByteCountKey "IOMinimumSaturationByteCount"
#define kIOMaximumSwapWriteKey "IOMaximumSwapWrite"
#define kIOIconKey "IOIcon"
#define kIOBundleResourceFileKey "IOBundleResourceFile"
#define kIOBusBadgeKey "IOBusBadge"
#define kIODeviceIconKey "IODeviceIcon"
#define kIOPlatformSerialNumberKey "IOPlatformSerialNumber"
#define kIOPlatformUUIDKey "IOPlatformUUID"
#define kIONVRAMBootArgsKey "boot-args"
#define kIONVRAMDeletePropertyKey "IONVRAM-DELETE-PROPERTY"
#define kIONVRAMSyncNowPropertyKey "IONVRAM-SYNCNOW-PROPERTY"
#define kIONVRAMActivateCSRConfigPropertyKey "IONVRAM-ARMCSR-PROPERTY"
#define kIODTNVRAMPanicInfoKey "aapl,panic-info"
#define kIOBootDeviceKey "IOBootDevice"
#define kIOBootDevicePathKey "IOBootDevicePath"
#define kIOBootDeviceSizeKey "IOBootDeviceSize"

/* Device tree (IOKit/IODeviceTreeSupport.h) */
#define kIODTRecursive 1
#define kIODTExclusive 2
#define kIODTInterruptShared 1

/* Registry (IOKit/IORegistryEntry.h) */
#define kIORegistryIterateRecursively 1
#define kIORegistryIterateParents 2

/* Interrupts */
#define kIOInterruptTypeEdge 0
#define kIOInterruptTypeLevel 1

/* Timers */
#define kIOTimerEventSourceOptionsPriorityMask 0xff
#define kIOTimerEventSourceOptionsPriorityHigh 0
#define kIOTimerEventSourceOptionsPriorityKernelHigh 1
#define kIOTimerEventSourceOptionsPriorityKernel 2
#define kIOTimerEventSourceOptionsPriorityUser 3
#define kIOTimerEventSourceOptionsPriorityLow 4
#define kIOTimerEventSourceOptionsPriorityWorkLoop 0xff
#define kIOTimerEventSourceOptionsAllowReenter 0x100
#define kIOTimerEventSourceOptionsDefault 1
#define kIOTimeOptionsWithLeeway 0x20
#define kIOTimeOptionsContinuous 0x100

/* User clients (IOKit/IOUserClient.h) */
#define kIOUCTypeMask 0xf
#define kIOUCScalarIScalarO 0
#define kIOUCScalarIStructO 2
#define kIOUCStructIStructO 3
#define kIOUCScalarIStructI 4
#define kIOUCForegroundOnly 0x10
#define kIOUCVariableStructureSize 0xffffffffu
#define kIOUserNotifyMaxMessageSize 0x40
#define kIOUserNotifyOptionCanDrop 1
#define kIOExternalMethodScalarInputCountMax 0x10
#define kIOExternalMethodScalarOutputCountMax 0x10
#define kIOExternalMethodArgumentsCurrentVersion 2  /* 1 before 10.7 */
#define kIOExternalMethodACID32Padding 0xffff0000u
#define kIOClientPrivilegeAdministrator "root"
#define kIOClientPrivilegeLocalUser "local"
#define kIOClientPrivilegeForeground "foreground"
#define kIOClientPrivilegeConsoleUser "console" /* whose session is on the screen; not in 10.4 */

/* Platform (IOKit/IOPlatformExpert.h) */
#define kCoprocessorVersionNone 0
#define kCoprocessorVersion1 0x10000
#define kCoprocessorVersion2 0x20000
#define kPEHaltCPU 0
#define kPERestartCPU 1
#define kPEHangCPU 2
#define kPEUPSDelayHaltCPU 3
#define kPEPanicRestartCPU 4
#define kPEPanicSync 5
#define kPEPagingOff 6
#define kPEPanicBegin 7
#define kPEPanicEnd 8
#define kPEPanicDiskShutdown 9
#define kPEPanicRestartCPUNoPanicEndCallouts 0xa
#define kPEPanicRestartCPUNoCallouts 0xb  /* 0x9 in macOS 11 */
#define kIOPlatformMapperPresentKey "IOPlatformMapperPresent"

/* Console (pexpert/pexpert.h) */
#define kPEReadTOD 0
#define kPEWriteTOD 1
#define kPEWaitForInput 1
#define kPERawInput 2
#define kDebugTypeNone 0
#define kDebugTypeDisplay 1
#define kDebugTypeSerial 2
#define kPEScaleFactorUnknown 0
#define kPEScaleFactor1x 1
#define kPEScaleFactor2x 2
#define kPEOptionKey 0x3a
#define kPECommandKey 0x37
#define kPEControlKey 0x36
#define kPEShiftKey 0x38
#define kPEGraphicsMode 1
#define kPETextMode 2
#define kPETextScreen 3
#define kPEAcquireScreen 4
#define kPEReleaseScreen 5
#define kPEEnableScreen 6
#define kPEDisableScreen 7
#define kPEBaseAddressChange 8
#define kPERefreshBootGraphics 9
