/* SPDX-License-Identifier: BSD-3-Clause */
/* SCSI tasks, commands and parallel controllers; storage property keys.
 *
 * Source: the public headers that each section names, of Apple's open-source releases. */
#pragma once

/* SCSI tasks (IOKit/scsi/SCSITask.h) */
#define kSCSIUntaggedTaskIdentifier 0
#define kSCSITask_SIMPLE 0
#define kSCSITask_ORDERED 1
#define kSCSITask_HEAD_OF_QUEUE 2
#define kSCSITask_ACA 3
#define kSCSITaskState_NEW_TASK 0
#define kSCSITaskState_ENABLED 1
#define kSCSITaskState_BLOCKED 2
#define kSCSITaskState_DORMANT 3
#define kSCSITaskState_ENDED 4
#define kSCSIServiceResponse_Request_In_Process 0
#define kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE 1
#define kSCSIServiceResponse_TASK_COMPLETE 2
#define kSCSIServiceResponse_LINK_COMMAND_COMPLETE 3
#define kSCSIServiceResponse_FUNCTION_COMPLETE 4
#define kSCSIServiceResponse_FUNCTION_REJECTED 5
#define kSCSITaskStatus_GOOD 0
#define kSCSITaskStatus_CHECK_CONDITION 2
#define kSCSITaskStatus_CONDITION_MET 4
#define kSCSITaskStatus_BUSY 8
#define kSCSITaskStatus_INTERMEDIATE 0x10
#define kSCSITaskStatus_INTERMEDIATE_CONDITION_MET 0x14
#define kSCSITaskStatus_RESERVATION_CONFLICT 0x18
#define kSCSITaskStatus_TASK_SET_FULL 0x28
#define kSCSITaskStatus_ACA_ACTIVE 0x30
#define kSCSITaskStatus_TaskTimeoutOccurred 1
#define kSCSITaskStatus_ProtocolTimeoutOccurred 2
#define kSCSITaskStatus_DeviceNotResponding 3
#define kSCSITaskStatus_DeviceNotPresent 4
#define kSCSITaskStatus_DeliveryFailure 5
#define kSCSITaskStatus_No_Status 0xff
#define kSCSICDBSize_Maximum 0x10
#define kSCSICDBSize_6Byte 6
#define kSCSICDBSize_10Byte 0xa
#define kSCSICDBSize_12Byte 0xc
#define kSCSICDBSize_16Byte 0x10
#define kSCSIDataTransfer_NoDataTransfer 0
#define kSCSIDataTransfer_FromInitiatorToTarget 1
#define kSCSIDataTransfer_FromTargetToInitiator 2
#define kSCSITaskMode_CommandExecution 1
#define kSCSITaskMode_Autosense 2

/* SCSI parallel controllers */
#define kSCSIParallelFeature_WideDataTransfer 0
#define kSCSIParallelFeature_SynchronousDataTransfer 1
#define kSCSIParallelFeature_QuickArbitrationAndSelection 2
#define kSCSIParallelFeature_DoubleTransitionDataTransfers 3
#define kSCSIParallelFeature_InformationUnitTransfers 4
#define kSCSIParallelFeature_TotalFeatureCount 5
#define kSCSIParallelFeature_NoNegotiation 0
#define kSCSIParallelFeature_AttemptNegotiation 1
#define kSCSIParallelFeature_ClearNegotiation 2
#define kSCSIParallelFeature_NegotitiationUnchanged 0
#define kSCSIParallelFeature_NegotitiationCleared 1
#define kSCSIParallelFeature_NegotitiationSuccess 2
#define kSCSIParallelMessage_TASK_COMPLETE 0
#define kSCSIParallelMessage_EXTENDED_MESSAGE 1
#define kSCSIParallelMessage_SAVE_DATA_POINTER 2
#define kSCSIParallelMessage_RESTORE_POINTERS 3
#define kSCSIParallelMessage_DISCONNECT 4
#define kSCSIParallelMessage_INITIATOR_DETECTED_ERROR 5
#define kSCSIParallelMessage_MESSAGE_REJECT 7
#define kSCSIParallelMessage_NO_OPERATION 8
#define kSCSIParallelMessage_MESSAGE_PARITY_ERROR 9
#define kSCSIParallelMessage_IGNORE_WIDE_RESIDUE 0x23
#define kSCSIParallelMessage_QAS_REQUEST 0x55
#define kSCSIParallelMessage_IDENTIFY 0x80
#define kSCSIParallelMessage_MODIFY_DATA_POINTER 0
#define kSCSIParallelMessage_SYNCHONOUS_DATA_TRANSFER_REQUEST 1
#define kSCSIParallelMessage_WIDE_DATA_TRANSFER_REQUEST 3
#define kSCSIParallelMessage_PARALLEL_PROTOCOL_REQUEST 4
#define kSCSIParallelMessage_ACA 0x24
#define kSCSIParallelMessage_HEAD_OF_QUEUE 0x21
#define kSCSIParallelMessage_LINKED_COMMAND_COMPLETE 0xa
#define kSCSIParallelMessage_ORDERED 0x22
#define kSCSIParallelMessage_SIMPLE 0x20
#define kSCSIParallelMessage_ABORT_TASK 0xd
#define kSCSIParallelMessage_ABORT_TASK_SET 6
#define kSCSIParallelMessage_CLEAR_ACA 0x16
#define kSCSIParallelMessage_CLEAR_TASK_SET 0xe
#define kSCSIParallelMessage_LOGICAL_UNIT_RESET 0x17
#define kSCSIParallelMessage_TARGET_RESET 0xc
#define kSCSIParallelTaskControllerIDQueueHead 0
#define kSCSIControllerNotificationBusReset 0x68000000
#define kIOPropertySCSIDeviceFeaturesKey "SCSI Device Features"
#define kIOPropertySCSI_I_T_NexusFeaturesKey "SCSI I_T Nexus Features"
#define kIOHierarchicalLogicalUnitSupportKey "SCSI Hierarchical Logical Unit Support"
#define kIOMinimumHBADataAlignmentMaskKey "HBA Data Alignment"

/* SCSI protocol interface */
#define kSCSIProtocolNotification_DeviceRemoved 0x69000010
#define kSCSIProtocolNotification_VerifyDeviceState 0x69000020
#define kSCSIServicesNotification_ExclusivityChanged 0x69000030
#define kSCSIProtocolNotification_ForcePowerDown 0x69000040
#define kSCSIProtocolNotification_ForcePowerUp 0x69000050
#define kSCSIProtocolFeature_ACA 1
#define kSCSIProtocolFeature_CPUInDiskMode 2
#define kSCSIProtocolFeature_ProtocolSpecificPolling 3
#define kSCSIProtocolFeature_ProtocolSpecificSleepCommand 4
#define kSCSIProtocolFeature_GetMaximumLogicalUnitNumber 5
#define kSCSIProtocolFeature_MaximumReadBlockTransferCount 6
#define kSCSIProtocolFeature_MaximumWriteBlockTransferCount 7
#define kSCSIProtocolFeature_MaximumReadTransferByteCount 8
#define kSCSIProtocolFeature_MaximumWriteTransferByteCount 9
#define kSCSIProtocolFeature_SubmitDefaultInquiryData 0xa
#define kSCSIProtocolFeature_ProtocolAlwaysReportsAutosenseData 0xb
#define kSCSIProtocolFeature_ProtocolSpecificPowerOff 0xc
#define kSCSIProtocolFeature_ProtocolSpecificPowerControl 0xd
#define kSCSIProtocolFeature_ProtocolSpecificAsyncNotification 0xe
#define kSCSIProtocolFeature_HierarchicalLogicalUnits 0xf
#define kSCSIProtocolFeature_MultiPathing 0x10
#define kSCSIProtocolFeature_ProtocolSpecificLinkRetrain 0x11
#define kSCSIProtocolPowerStateOff 0
#define kSCSIProtocolPowerStateOn 1
#define kIOPropertySCSIDeviceCharacteristicsKey "SCSI Device Characteristics"
#define kIOPropertySCSIInquiryLengthKey "Inquiry Length"
#define kIOPropertySCSIManualEjectKey "Manual Eject"
#define kIOPropertyReadTimeOutDurationKey "Read Time Out Duration"
#define kIOPropertyWriteTimeOutDurationKey "Write Time Out Duration"
#define kIOPropertyRetryCountKey "Retry Count"
#define kIOPropertyAutonomousSpinDownKey "Autonomous Spin Down"
#define kIOPropertyDoNotPreventMediumRemovalKey "Do Not Prevent Medium Removal"
#define kIOPropertyEjectRequireStartStopUnitKey "Eject Requires START_STOP_UNIT"
#define kIOPropertyRequiresRestartEjectKey "Require Restart Eject"
#define kIOPropertyNoSenseDebounceRetries "NO_SENSE Debounce Retries"
#define kIOSCSIArchitectureBundleIdentifierKey "com.apple.iokit.IOSCSIArchitectureModelFamily"

/* SCSI commands used by the storage driver (SCSICommandOperationCodes.h) */
#define kSCSICmd_INQUIRY 0x12
#define kSCSICmd_MODE_SENSE_6 0x1a
#define kSCSICmd_MODE_SENSE_10 0x5a
#define kSCSICmd_PREVENT_ALLOW_MEDIUM_REMOVAL 0x1e
#define kSCSICmd_READ_6 8
#define kSCSICmd_READ_10 0x28
#define kSCSICmd_READ_12 0xa8
#define kSCSICmd_READ_16 0x88
#define kSCSICmd_READ_CAPACITY 0x25
#define kSCSICmd_REPORT_LUNS 0xa0
#define kSCSICmd_REQUEST_SENSE 3
#define kSCSICmd_SERVICE_ACTION_IN 0x9e
#define kSCSICmd_START_STOP_UNIT 0x1b
#define kSCSICmd_SYNCHRONIZE_CACHE 0x35
#define kSCSICmd_TEST_UNIT_READY 0
#define kSCSICmd_UNMAP 0x42
#define kSCSICmd_VERIFY_10 0x2f
#define kSCSICmd_WRITE_6 0xa
#define kSCSICmd_WRITE_10 0x2a
#define kSCSICmd_WRITE_12 0xaa
#define kSCSICmd_WRITE_16 0x8a

/* Messages of storage devices (IOKit/storage/IOBlockStorageDevice.h) */
#define kIOMessageMediaParametersHaveChanged 0xe0010002u

/* Protocol characteristics */
#define kIOPropertyProtocolCharacteristicsKey "Protocol Characteristics"
#define kIOPropertySCSIInitiatorIdentifierKey "SCSI Initiator Identifier"
#define kIOPropertySCSIDomainIdentifierKey "SCSI Domain Identifier"
#define kIOPropertySCSITargetIdentifierKey "SCSI Target Identifier"
#define kIOPropertySCSILogicalUnitNumberKey "SCSI Logical Unit Number"
#define kIOPropertyPhysicalInterconnectTypeKey "Physical Interconnect"
#define kIOPropertyPhysicalInterconnectLocationKey "Physical Interconnect Location"
#define kIOPropertySCSIProtocolMultiInitKey "Multiple Initiators"
#define kIOPropertyInternalKey "Internal"
#define kIOPropertyExternalKey "External"
#define kIOPropertyInternalExternalKey "Internal/External"
#define kIOPropertyInterconnectFileKey "File"
#define kIOPropertyInterconnectRAMKey "RAM"
#define kIOPropertyPhysicalInterconnectTypeATA "ATA"
#define kIOPropertyPhysicalInterconnectTypeSerialATA "SATA"
#define kIOPropertyPhysicalInterconnectTypeSerialAttachedSCSI "SAS"
#define kIOPropertyPhysicalInterconnectTypeATAPI "ATAPI"
#define kIOPropertyPhysicalInterconnectTypeUSB "USB"
#define kIOPropertyPhysicalInterconnectTypeFireWire "FireWire"
#define kIOPropertyPhysicalInterconnectTypeSecureDigital "Secure Digital"
#define kIOPropertyPhysicalInterconnectTypeSCSIParallel "SCSI Parallel Interface"
#define kIOPropertyPhysicalInterconnectTypeFibreChannel "Fibre Channel Interface"
#define kIOPropertyPhysicalInterconnectTypeVirtual "Virtual Interface"
#define kIOPropertyPhysicalInterconnectTypePCI "PCI"

/* Device characteristics */
#define kIOPropertyDeviceCharacteristicsKey "Device Characteristics"
#define kIOPropertyVendorNameKey "Vendor Name"
#define kIOPropertyProductNameKey "Product Name"
#define kIOPropertyProductRevisionLevelKey "Product Revision Level"
#define kIOPropertySupportedCDFeaturesKey "CD Features"
#define kIOPropertySupportedDVDFeaturesKey "DVD Features"
#define kIOPropertySupportedBDFeaturesKey "BD Features"
#define kIOPropertyRigidDiskGeometryKey "Rigid Disk Geometry"
#define kIOPropertySectorCountPerTrackKey "Sector Count per Track"
#define kIOPropertyHeadCountKey "Head Count"
#define kIOPropertyCylinderCountKey "Cylinder Count"
#define kIOPropertyBytesPerPhysicalSectorKey "Bytes per Physical Sector"
#define kIOPropertyPhysicalBlockSizeKey "Physical Block Size"
#define kIOPropertyLogicalBlockSizeKey "Logical Block Size"
#define kIOPropertyTargetDiskModeKey "Target Disk Mode"
#define kIOPropertyInvalidStartupDiskKey "Invalid Startup Disk"
#define kIOPropertyMediumTypeKey "Medium Type"
#define kIOPropertyMediumTypeRotationalKey "Rotational"
#define kIOPropertyMediumTypeSolidStateKey "Solid State"
#define kIOPropertyMediumRotationRateKey "Rotation Rate"
