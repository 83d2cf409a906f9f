/* SPDX-License-Identifier: BSD-3-Clause */
/* The global symbols of I/O Kit: keys, notification types, interests. Source: xnu
 * iokit/Kernel/IOService.cpp, IODeviceTreeSupport.cpp, IOPlatformExpert.cpp: initialize;
 * iokit/IOKit/IOKitKeys.h, IOKitKeysPrivate.h. */
#include "abi/OSSymbol.h"
#include "abi/types.h"

#include "xnu/iokit/symbols.h"
#include "xnu/libkern/support.h"

/* X(variable, text) for each; the variable is exported with an underscore. */
#define GLOBAL_SYMBOLS(X)                                             \
    X(gIONameKey, "IOName")                                           \
    X(gIOLocationKey, "IOLocation")                                   \
    X(gIORegistryEntryIDKey, "IORegistryEntryID")                     \
    X(gIOResourcesKey, "IOResources")                                 \
    X(gIOResourceMatchKey, "IOResourceMatch")                         \
    X(gIOProviderClassKey, "IOProviderClass")                         \
    X(gIONameMatchKey, "IONameMatch")                                 \
    X(gIONameMatchedKey, "IONameMatched")                             \
    X(gIOPropertyMatchKey, "IOPropertyMatch")                         \
    X(gIOPropertyExistsMatchKey, "IOPropertyExistsMatch")             \
    X(gIOLocationMatchKey, "IOLocationMatch")                         \
    X(gIOParentMatchKey, "IOParentMatch")                             \
    X(gIOPathMatchKey, "IOPathMatch")                                 \
    X(gIOPathKey, "IOPath")                                           \
    X(gIOMatchCategoryKey, "IOMatchCategory")                         \
    X(gIODefaultMatchCategoryKey, "IODefaultMatchCategory")           \
    X(gIOMatchedServiceCountKey, "IOMatchedServiceCountMatch")        \
    X(gIOUserClientClassKey, "IOUserClientClass")                     \
    X(gIOKitDebugKey, "IOKitDebug")                                   \
    X(gIOServiceKey, "IOService")                                     \
    X(gIOClassKey, "IOClass")                                         \
    X(gIOProbeScoreKey, "IOProbeScore")                               \
    X(gIOModuleIdentifierKey, "CFBundleIdentifier")                   \
    X(gIOCommandPoolSizeKey, "IOCommandPoolSize")                     \
    X(gIOSupportedPropertiesKey, "SupportedProperties")               \
    X(gIOCompatibilityMatchKey, "IOCompatibilityMatch")               \
    X(gIOCompatibilityPropertiesKey, "IOCompatibilityProperties")     \
    X(gIODeviceMemoryKey, "IODeviceMemory")                           \
    X(gIOInterruptControllersKey, "IOInterruptControllers")           \
    X(gIOInterruptSpecifiersKey, "IOInterruptSpecifiers")             \
    X(gPlatformInterruptControllerName, "IOPlatformInterruptController") \
    X(gIOPublishNotification, "IOServicePublish")                     \
    X(gIOFirstPublishNotification, "IOServiceFirstPublish")           \
    X(gIOMatchedNotification, "IOServiceMatched")                     \
    X(gIOFirstMatchNotification, "IOServiceFirstMatch")               \
    X(gIOTerminatedNotification, "IOServiceTerminate")                \
    X(gIOWillTerminateNotification, "IOServiceWillTerminate")         \
    X(gIOGeneralInterest, "IOGeneralInterest")                        \
    X(gIOBusyInterest, "IOBusyInterest")                              \
    X(gIOAppPowerStateInterest, "IOAppPowerStateInterest")            \
    X(gIOPriorityPowerStateInterest, "IOPriorityPowerStateInterest")  \
    X(gIOPlatformSleepActionKey, "IOPlatformSleepAction")             \
    X(gIOPlatformWakeActionKey, "IOPlatformWakeAction")               \
    X(gIOPlatformQuiesceActionKey, "IOPlatformQuiesceAction")         \
    X(gIOPlatformActiveActionKey, "IOPlatformActiveAction")           \
    X(gIOPlatformHaltRestartActionKey, "IOPlatformHaltRestartAction") \
    X(gIOPlatformPanicActionKey, "IOPlatformPanicAction")             \
    X(gIOAllCPUInitializedKey, "IOAllCPUInitialized")                 \
    X(gIODTNameKey, "name")                                           \
    X(gIODTUnitKey, "AAPL,unit-string")                               \
    X(gIODTCompatibleKey, "compatible")                               \
    X(gIODTTypeKey, "device_type")                                    \
    X(gIODTModelKey, "model")                                         \
    X(gIODTSizeCellKey, "#size-cells")                                \
    X(gIODTAddressCellKey, "#address-cells")                          \
    X(gIODTRangeKey, "ranges")                                        \
    X(gIODTPHandleKey, "AAPL,phandle")                                \
    X(gIODTAAPLInterruptsKey, "AAPL,interrupts")                      \
    X(gIODTDefaultInterruptController, "IOPrimaryInterruptController") \
    X(gIODTInterruptCellKey, "#interrupt-cells")                      \
    X(gIODTInterruptParentKey, "interrupt-parent")                    \
    X(gIODTNWInterruptMappingKey, "IONWInterrupts")

#define DEFINE(variable, text) const OSSymbol *variable __asm("_" #variable);
GLOBAL_SYMBOLS(DEFINE)

int64_t gIOKitDebug;

struct global_symbol {
    const OSSymbol **variable;
    const char *text;
};

#define ROW(variable, text) {&variable, text},
static const struct global_symbol rows[] = {GLOBAL_SYMBOLS(ROW)};

void symbols_start(void)
{
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        *rows[i].variable = OSSymbol_withCStringNoCopy(rows[i].text);
        if (!*rows[i].variable)
            machine_panic("no memory for the symbol %s", rows[i].text);
    }
}
