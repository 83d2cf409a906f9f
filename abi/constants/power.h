/* SPDX-License-Identifier: BSD-3-Clause */
/* Power management.
 *
 * Source: the public headers that each section names, of Apple's open-source releases. */
#pragma once

/* Power management (IOKit/pwr_mgt/IOPM.h) */
#define kIOPMMaxPowerStates 0xa
#define kIOPMPowerOn 2
#define kIOPMDeviceUsable 0x8000
#define kIOPMLowPower 0x10000
#define kIOPMPreventIdleSleep 0x40
#define kIOPMSleepCapability 4
#define kIOPMRestartCapability 0x80
#define kIOPMSleep 1
#define kIOPMRestart 0x80
#define kIOPMInitialDeviceState 0x100
#define kIOPMRootDomainState 0x200
#define kIOPMClockNormal 4
#define kIOPMPreventSystemSleep 0x10
#define kIOPMDoze 0x400
#define kIOPMChildClamp 0x80
#define kIOPMChildClamp2 0x200
#define kIOPMMaxPerformance 0x4000
#define kIOPMAuxPowerOn 0x20
#define kIOPMStaticPowerValid 0x800
#define kIOPMSoftSleep 0x400
#define IOPMPowerOn 2
#define IOPMClockNormal 4
#define IOPMDeviceUsable 0x8000
#define IOPMMaxPerformance 0x4000
#define IOPMContextRetained 0x2000
#define IOPMNotPowerManaged 0x800
#define kIOPMNextHigherState 1
#define kIOPMHighestState 2
#define kIOPMNextLowerState 3
#define kIOPMLowestState 4
#define kIOPMDriverAssertionPreventSystemIdleSleepBit 2
#define kIOPMDriverAssertionPreventDisplaySleepBit 0x40
#define kIOPMSleepNow 1
#define kIOPMAllowSleep 2
#define kIOPMPreventSleep 4
#define kIOPMNoSuchState 5
#define IOPMNoErr 0
#define IOPMAckImplied 0
#define IOPMWillAckLater 1
#define IOPMNoSuchState 5
#define IOPMNotYetInitialized 8
#define kIOPMRawLowBattery 0x80
#define kIOPMForceLowSpeed 0x100
#define kIOPMClamshellStateOnWake 0x400
#define kIOPMMessageClamshellStateChange 0xe0034100u
#define kIOPMMessageSleepWakeUUIDChange 0xe0034140u
#define kIOPMSleepWakeUUIDKey "SleepWakeUUID"
#define kIOPMDeepSleepEnabledKey "Standby Enabled"
#define kIOPMDeepSleepDelayKey "Standby Delay"
#define kIOPMDeepSleepDelayHighKey "High Standby Delay"
#define kIOPMResetPowerStateOnWakeKey "IOPMResetPowerStateOnWake"
#define kIOPMPSMaxCapacityKey "MaxCapacity"
#define kIOPMPSMaxErrKey "MaxErr"
#define kIOPMSettingRestartOnPowerLossKey "Automatic Restart On Power Loss"
#define kIOPMSettingSleepOnPowerButtonKey "Sleep On Power Button"
#define kIOPMSettingDisplaySleepUsesDimKey "Display Sleep Uses Dim"

/* Power state version */
#define kIOPMPowerStateVersion1 1
#define kIOPMPowerStateVersion2 2
