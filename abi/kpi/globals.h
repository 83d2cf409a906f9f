/* SPDX-License-Identifier: BSD-3-Clause */
/* Global objects of I/O Kit.
 *
 * Source: xnu iokit/IOKit/IOService.h, IOKitKeys.h, IODeviceTreeSupport.h.
 * Comments note functions that older releases lack. */
#pragma once

#include "abi/opaque.h"
#include "abi/types.h"

/* Planes, keys, notification types and the two booleans. All are set before any driver starts. */
/* C++ references: the exported word is the address of the pointer. */
extern OSBoolean *const *const kOSBooleanTrue_reference __asm("_kOSBooleanTrue");
extern OSBoolean *const *const kOSBooleanFalse_reference __asm("_kOSBooleanFalse");
#define kOSBooleanTrue (*kOSBooleanTrue_reference)
#define kOSBooleanFalse (*kOSBooleanFalse_reference)

extern const OSSymbol *gIONameKey __asm("_gIONameKey");
extern const OSSymbol *gIOLocationKey __asm("_gIOLocationKey");
extern const IORegistryPlane *gIOServicePlane __asm("_gIOServicePlane");
extern const IORegistryPlane *gIOPowerPlane __asm("_gIOPowerPlane");
extern const OSSymbol *gIOResourcesKey __asm("_gIOResourcesKey");
extern const OSSymbol *gIOResourceMatchKey __asm("_gIOResourceMatchKey");
extern const OSSymbol *gIOProviderClassKey __asm("_gIOProviderClassKey");
extern const OSSymbol *gIONameMatchKey __asm("_gIONameMatchKey");
extern const OSSymbol *gIONameMatchedKey __asm("_gIONameMatchedKey");
extern const OSSymbol *gIOPropertyMatchKey __asm("_gIOPropertyMatchKey");
extern const OSSymbol *gIOLocationMatchKey __asm("_gIOLocationMatchKey");
extern const OSSymbol *gIOParentMatchKey __asm("_gIOParentMatchKey");
extern const OSSymbol *gIOPathMatchKey __asm("_gIOPathMatchKey");
extern const OSSymbol *gIOMatchCategoryKey __asm("_gIOMatchCategoryKey");
extern const OSSymbol *gIODefaultMatchCategoryKey __asm("_gIODefaultMatchCategoryKey");
extern const OSSymbol *gIOMatchedServiceCountKey __asm("_gIOMatchedServiceCountKey");
extern const OSSymbol *gIOUserClientClassKey __asm("_gIOUserClientClassKey");
extern const OSSymbol *gIOKitDebugKey __asm("_gIOKitDebugKey");
extern const OSSymbol *gIOServiceKey __asm("_gIOServiceKey");
extern const OSSymbol *gIOCommandPoolSizeKey __asm("_gIOCommandPoolSizeKey");
extern const OSSymbol *gIOPublishNotification __asm("_gIOPublishNotification");
extern const OSSymbol *gIOFirstPublishNotification __asm("_gIOFirstPublishNotification");
extern const OSSymbol *gIOMatchedNotification __asm("_gIOMatchedNotification");
extern const OSSymbol *gIOFirstMatchNotification __asm("_gIOFirstMatchNotification");
extern const OSSymbol *gIOTerminatedNotification __asm("_gIOTerminatedNotification");
extern const OSSymbol *gIOWillTerminateNotification __asm("_gIOWillTerminateNotification");
extern const OSSymbol *gIOGeneralInterest __asm("_gIOGeneralInterest");
extern const OSSymbol *gIOBusyInterest __asm("_gIOBusyInterest");
extern const OSSymbol *gIOAppPowerStateInterest __asm("_gIOAppPowerStateInterest");
extern const OSSymbol *gIOPriorityPowerStateInterest __asm("_gIOPriorityPowerStateInterest");
extern const OSSymbol *gIODeviceMemoryKey __asm("_gIODeviceMemoryKey");
extern const OSSymbol *gIOInterruptControllersKey __asm("_gIOInterruptControllersKey");
extern const OSSymbol *gIOInterruptSpecifiersKey __asm("_gIOInterruptSpecifiersKey");
extern const OSSymbol *gIOSupportedPropertiesKey __asm("_gIOSupportedPropertiesKey");
extern const OSSymbol *gIOPlatformSleepActionKey __asm("_gIOPlatformSleepActionKey");
extern const OSSymbol *gIOPlatformWakeActionKey __asm("_gIOPlatformWakeActionKey");
extern const OSSymbol *gIOPlatformQuiesceActionKey __asm("_gIOPlatformQuiesceActionKey");
extern const OSSymbol *gIOPlatformActiveActionKey __asm("_gIOPlatformActiveActionKey");
extern const OSSymbol *gIOPlatformHaltRestartActionKey __asm("_gIOPlatformHaltRestartActionKey");
extern const OSSymbol *gIOPlatformPanicActionKey __asm("_gIOPlatformPanicActionKey");
extern const OSSymbol *gIOModuleIdentifierKey __asm("_gIOModuleIdentifierKey");
extern const OSSymbol *gIOClassKey __asm("_gIOClassKey");
extern const OSSymbol *gIOProbeScoreKey __asm("_gIOProbeScoreKey");
extern const IORegistryPlane *gIODTPlane __asm("_gIODTPlane");
extern const OSSymbol *gIODTPHandleKey __asm("_gIODTPHandleKey");
extern const OSSymbol *gIODTCompatibleKey __asm("_gIODTCompatibleKey");
extern const OSSymbol *gIODTTypeKey __asm("_gIODTTypeKey");
extern const OSSymbol *gIODTModelKey __asm("_gIODTModelKey");
extern const OSSymbol *gIODTAAPLInterruptsKey __asm("_gIODTAAPLInterruptsKey");
extern const OSSymbol *gIODTDefaultInterruptController __asm("_gIODTDefaultInterruptController");
extern const OSSymbol *gIODTNWInterruptMappingKey __asm("_gIODTNWInterruptMappingKey");

extern IOCatalogue *gIOCatalogue __asm("_gIOCatalogue");
extern int64_t gIOKitDebug __asm("_gIOKitDebug");
extern const OSSymbol *gPlatformInterruptControllerName
    __asm("_gPlatformInterruptControllerName");
