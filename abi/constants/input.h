/* SPDX-License-Identifier: BSD-3-Clause */
/* HID devices, keyboards and pointers.
 *
 * Source: the public headers that each section names, of Apple's open-source releases. */
#pragma once

/* HID devices (IOKit/hid/IOHIDKeys.h) */
#define kIOHIDOptionsTypeNone 0
#define kIOHIDOptionsTypeSeizeDevice 1
#define kIOHIDQueueOptionsTypeNone 0
#define kIOHIDQueueOptionsTypeEnqueueAll 1
#define kIOHIDStandardTypeANSI 0
#define kIOHIDStandardTypeISO 1
#define kIOHIDStandardTypeJIS 2
#define kIOHIDStandardTypeUnspecified 0xffffffffu
#define kIOHIDSystemButtonPressedDuringDarkBoot 0xe0038007u
#define kIOHIDDeviceKey "IOHIDDevice"
#define kIOHIDVendorIDSourceKey "VendorIDSource"
#define kIOHIDStandardTypeKey "StandardType"
#define kIOHIDSampleIntervalKey "SampleInterval"
#define kIOHIDResetKey "Reset"
#define kIOHIDKeyboardLanguageKey "KeyboardLanguage"
#define kIOHIDAltHandlerIdKey "alt_handler_id"
#define kIOHIDDisplayIntegratedKey "DisplayIntegrated"
#define kIOHIDProductIDMaskKey "ProductIDMask"
#define kIOHIDProductIDArrayKey "ProductIDArray"
#define kIOHIDPowerOnDelayNSKey "HIDPowerOnDelayNS"
#define kIOHIDCategoryKey "Category"
#define kIOHIDMaxResponseLatencyKey "MaxResponseLatency"
#define kIOHIDUniqueIDKey "UniqueID"
#define kIOHIDModelNumberKey "ModelNumber"
#define kIOHIDTransportUSBValue "USB"
#define kIOHIDTransportBluetoothValue "Bluetooth"
#define kIOHIDTransportBluetoothLowEnergyValue "BluetoothLowEnergy"
#define kIOHIDTransportAIDBValue "AID"
#define kIOHIDTransportI2CValue "I2C"
#define kIOHIDTransportSPIValue "SPI"
#define kIOHIDTransportSerialValue "Serial"
#define kIOHIDTransportIAPValue "iAP"
#define kIOHIDTransportAirPlayValue "AirPlay"
#define kIOHIDTransportSPUValue "SPU"
#define kIOHIDTransportBTAACPValue "BT-AACP"
#define kIOHIDCategoryAutomotiveValue "Automotive"
#define kIOHIDElementKey "Elements"
#define kIOHIDElementCookieKey "ElementCookie"
#define kIOHIDElementTypeKey "Type"
#define kIOHIDElementCollectionTypeKey "CollectionType"
#define kIOHIDElementUsageKey "Usage"
#define kIOHIDElementUsagePageKey "UsagePage"
#define kIOHIDElementMinKey "Min"
#define kIOHIDElementMaxKey "Max"
#define kIOHIDElementScaledMinKey "ScaledMin"
#define kIOHIDElementScaledMaxKey "ScaledMax"
#define kIOHIDElementSizeKey "Size"
#define kIOHIDElementReportSizeKey "ReportSize"
#define kIOHIDElementReportCountKey "ReportCount"
#define kIOHIDElementReportIDKey "ReportID"
#define kIOHIDElementIsArrayKey "IsArray"
#define kIOHIDElementIsRelativeKey "IsRelative"
#define kIOHIDElementIsWrappingKey "IsWrapping"
#define kIOHIDElementIsNonLinearKey "IsNonLinear"
#define kIOHIDElementHasPreferredStateKey "HasPreferredState"
#define kIOHIDElementHasNullStateKey "HasNullState"
#define kIOHIDElementFlagsKey "Flags"
#define kIOHIDElementUnitKey "Unit"
#define kIOHIDElementUnitExponentKey "UnitExponent"
#define kIOHIDElementNameKey "Name"
#define kIOHIDElementValueLocationKey "ValueLocation"
#define kIOHIDElementDuplicateIndexKey "DuplicateIndex"
#define kIOHIDElementParentCollectionKey "ParentCollection"
#define kIOHIDElementVariableSizeKey "VariableSize"
#define kIOHIDElementVendorSpecificKey "VendorSpecific"
#define kIOHIDElementCookieMinKey "ElementCookieMin"
#define kIOHIDElementCookieMaxKey "ElementCookieMax"
#define kIOHIDElementUsageMinKey "UsageMin"
#define kIOHIDElementUsageMaxKey "UsageMax"
#define kIOHIDElementCalibrationMinKey "CalibrationMin"
#define kIOHIDElementCalibrationMaxKey "CalibrationMax"
#define kIOHIDElementCalibrationSaturationMinKey "CalibrationSaturationMin"
#define kIOHIDElementCalibrationSaturationMaxKey "CalibrationSaturationMax"
#define kIOHIDElementCalibrationDeadZoneMinKey "CalibrationDeadZoneMin"
#define kIOHIDElementCalibrationDeadZoneMaxKey "CalibrationDeadZoneMax"
#define kIOHIDElementCalibrationGranularityKey "CalibrationGranularity"
#define kIOHIDKeyboardSupportsEscKey "HIDKeyboardSupportsEscKey"
#define kIOHIDDigitizerGestureCharacterStateKey "DigitizerCharacterGestureState"
#define kIOHIDKeyboardCapsLockDelay "CapsLockDelay"
#define kIOHIDKeyboardEjectDelay "EjectDelay"
#define kFnFunctionUsageMapKey "FnFunctionUsageMap"
#define kFnKeyboardUsageMapKey "FnKeyboardUsageMap"
#define kNumLockKeyboardUsageMapKey "NumLockKeyboardUsageMap"
#define kKeyboardUsageMapKey "KeyboardUsageMap"
#define kIOHIDDeviceOpenedByEventSystemKey "DeviceOpenedByEventSystem"
#define kIOHIDDeviceSuspendKey "IOHIDDeviceSuspend"
#define kIOHIDSensorPropertyMaxFIFOEventsKey "MaxFIFOEvents"
#define kIOHIDDigitizerSurfaceSwitchKey "DigitizerSurfaceSwitch"

/* HID input (IOKit/hidsystem) */
#define NX_EVS_INFO_MAX 0x400
#define NX_EVS_DEVICE_MAX 0x10
#define NX_EVS_DEVICE_INTERFACE_OTHER 0
#define NX_EVS_DEVICE_INTERFACE_NeXT 1
#define NX_EVS_DEVICE_INTERFACE_ADB 2
#define NX_EVS_DEVICE_INTERFACE_ACE 3
#define NX_EVS_DEVICE_INTERFACE_SERIAL_ACE 4
#define NX_EVS_DEVICE_INTERFACE_BUS_ACE 5
#define NX_EVS_DEVICE_INTERFACE_HIL 6
#define NX_EVS_DEVICE_INTERFACE_TYPE5 7
#define NX_EVS_DEVICE_TYPE_OTHER 0
#define NX_EVS_DEVICE_TYPE_KEYBOARD 1
#define NX_EVS_DEVICE_TYPE_MOUSE 2
#define NX_EVS_DEVICE_TYPE_TABLET 3
#define kAppleOnboardGUID 0x610000000000000ULL
#define NX_EVS_DEVICE_INFO "Evs_EventDeviceInfo"

/* HID reports (IOKit/hid/IOHIDDeviceTypes.h) */
#define kIOHIDReportTypeInput 0
#define kIOHIDReportTypeOutput 1
#define kIOHIDReportTypeFeature 2
#define kIOHIDReportTypeCount 3
#define kIOHIDReportOptionNotInterrupt 0x100
#define kIOHIDReportOptionVariableSize 0x200
#define kIOHIDReportCommandSetReport 0
#define kIOHIDReportCommandGetReport 1

/* HI devices */
#define kHIUnknownDevice 0
#define kHIKeyboardDevice 1
#define kHIRelativePointingDevice 2
