/* SPDX-License-Identifier: BSD-3-Clause */
/* OpenCore's configuration schema as a table. */
#include "setup/data/schema.h"

#include <stdio.h>
#include <string.h>

#define KEXT_KEYS "Arch:s BundlePath:s Comment:s Enabled:b ExecutablePath:s "

const struct schema_section schema_sections[] = {
    {"", "ACPI:D Booter:D DeviceProperties:D Kernel:D Misc:D NVRAM:D PlatformInfo:D UEFI:D"},
    {"ACPI", "Add:A Delete:A Patch:A Quirks:D"},
    {"ACPI->Add[]", "Comment:s Enabled:b Path:s"},
    {"ACPI->Delete[]", "All:b Comment:s Enabled:b OemTableId:d8 TableLength:i TableSignature:d4"},
    {"ACPI->Patch[]",
     "Base:s BaseSkip:i Comment:s Count:i Enabled:b Find:d Limit:i Mask:d OemTableId:d8 Replace:d "
     "ReplaceMask:d Skip:i TableLength:i TableSignature:d4"},
    {"ACPI->Quirks", "FadtEnableReset:b NormalizeHeaders:b RebaseRegions:b ResetHwSig:b "
                     "ResetLogoStatus:b SyncTableIds:b"},
    {"Booter", "MmioWhitelist:A Patch:A Quirks:D"},
    {"Booter->MmioWhitelist[]", "Address:i Comment:s Enabled:b"},
    {"Booter->Patch[]", "Arch:s Comment:s Count:i Enabled:b Find:d Identifier:s Limit:i Mask:d "
                        "Replace:d ReplaceMask:d Skip:i"},
    {"Booter->Quirks",
     "AllowRelocationBlock:b AvoidRuntimeDefrag:b ClearTaskSwitchBit:b* DevirtualiseMmio:b "
     "DisableSingleUser:b DisableVariableWrite:b DiscardHibernateMap:b EnableSafeModeSlide:b "
     "EnableWriteUnprotector:b FixupAppleEfiImages:b* ForceBooterSignature:b "
     "ForceExitBootServices:b "
     "ProtectMemoryRegions:b ProtectSecureBoot:b ProtectUefiServices:b ProvideCustomSlide:b "
     "ProvideMaxSlide:i RebuildAppleMemoryMap:b ResizeAppleGpuBars:i SetupVirtualMap:b "
     "SignalAppleOS:b SyncRuntimePermissions:b"},
    {"DeviceProperties", "Add:D Delete:D"},
    {"Kernel", "Add:A Block:A Emulate:D Force:A Patch:A Quirks:D Scheme:D"},
    {"Kernel->Add[]", KEXT_KEYS "MaxKernel:s MinKernel:s PlistPath:s"},
    {"Kernel->Block[]",
     "Arch:s Comment:s Enabled:b Identifier:s MaxKernel:s MinKernel:s Strategy:s"},
    {"Kernel->Emulate",
     "Cpuid1Data:d16 Cpuid1Mask:d16 DummyPowerManagement:b MaxKernel:s MinKernel:s"},
    {"Kernel->Force[]", KEXT_KEYS "Identifier:s MaxKernel:s MinKernel:s PlistPath:s"},
    {"Kernel->Patch[]",
     "Arch:s Base:s Comment:s Count:i Enabled:b Find:d Identifier:s Limit:i Mask:d MaxKernel:s "
     "MinKernel:s Replace:d ReplaceMask:d Skip:i"},
    {"Kernel->Quirks",
     "AppleCpuPmCfgLock:b AppleXcpmCfgLock:b AppleXcpmExtraMsrs:b AppleXcpmForceBoost:b "
     "CustomPciSerialDevice:b CustomSMBIOSGuid:b DisableIoMapper:b DisableIoMapperMapping:b* "
     "DisableLinkeditJettison:b DisableRtcChecksum:b ExtendBTFeatureFlags:b ExternalDiskIcons:b "
     "ForceAquantiaEthernet:b ForceSecureBootScheme:b IncreasePciBarSize:b LapicKernelPanic:b "
     "LegacyCommpage:b PanicNoKextDump:b PowerTimeoutKernelPanic:b ProvideCurrentCpuInfo:b "
     "SetApfsTrimTimeout:i ThirdPartyDrives:b XhciPortLimit:b"},
    {"Kernel->Scheme", "CustomKernel:b FuzzyMatch:b KernelArch:s KernelCache:s"},
    {"Misc", "BlessOverride:A Boot:D Debug:D Entries:A Security:D Serial:D Tools:A"},
    {"Misc->Boot",
     "ConsoleAttributes:i HibernateMode:s HibernateSkipsPicker:b HideAuxiliary:b "
     "InstanceIdentifier:s* LauncherOption:s LauncherPath:s PickerAttributes:i PickerAudioAssist:b "
     "PickerMode:s PickerVariant:s PollAppleHotKeys:b ShowPicker:b TakeoffDelay:i Timeout:i"},
    {"Misc->Debug", "AppleDebug:b ApplePanic:b DisableWatchDog:b DisplayDelay:i DisplayLevel:i "
                    "LogModules:s SysReport:b Target:i"},
    {"Misc->Entries[]", "Arguments:s Auxiliary:b Comment:s Enabled:b Flavour:s Name:s Path:s "
                        "TextMode:b"},
    {"Misc->Security",
     "AllowSetDefault:b ApECID:i AuthRestart:b BlacklistAppleUpdate:b DmgLoading:s "
     "EnablePassword:b "
     "ExposeSensitiveData:i HaltLevel:i PasswordHash:d64 PasswordSalt:d ScanPolicy:i "
     "SecureBootModel:s Vault:s"},
    {"Misc->Serial", "Custom:D? Init:b Override:b"},
    {"Misc->Tools[]", "Arguments:s Auxiliary:b Comment:s Enabled:b Flavour:s FullNvramAccess:b* "
                      "Name:s Path:s RealPath:b TextMode:b"},
    {"NVRAM", "Add:D Delete:D LegacyOverwrite:b LegacySchema:D WriteFlash:b"},
    {"NVRAM->Add->*", "*:m"},
    {"PlatformInfo",
     "Automatic:b CustomMemory:b DataHub:D? Generic:D Memory:D? PlatformNVRAM:D? SMBIOS:D? "
     "UpdateDataHub:b UpdateNVRAM:b UpdateSMBIOS:b UpdateSMBIOSMode:s UseRawUuidEncoding:b"},
    {"PlatformInfo->Generic",
     "AdviseFeatures:b MLB:s MaxBIOSVersion:b ProcessorType:i ROM:d6 SpoofVendor:b "
     "SystemMemoryStatus:s SystemProductName:s SystemSerialNumber:s SystemUUID:s"},
    {"UEFI", "APFS:D AppleInput:D Audio:D ConnectDrivers:b Drivers:A Input:D Output:D "
             "ProtocolOverrides:D Quirks:D ReservedMemory:A Unload:A?"},
    {"UEFI->APFS", "EnableJumpstart:b GlobalConnect:b HideVerbose:b JumpstartHotPlug:b MinDate:i "
                   "MinVersion:i"},
    {"UEFI->AppleInput",
     "AppleEvent:s CustomDelays:b GraphicsInputMirroring:b KeyInitialDelay:i KeySubsequentDelay:i "
     "PointerDwellClickTimeout:i* PointerDwellDoubleClickTimeout:i* PointerDwellRadius:i* "
     "PointerPollMask:i* PointerPollMax:i* PointerPollMin:i* PointerSpeedDiv:i PointerSpeedMul:i"},
    {"UEFI->Audio",
     "AudioCodec:i AudioDevice:s AudioOutMask:i AudioSupport:b DisconnectHda:b MaximumGain:i "
     "MinimumAssistGain:i MinimumAudibleGain:i PlayChime:s ResetTrafficClass:b SetupDelay:i"},
    {"UEFI->Drivers[]", "Arguments:s Comment:s Enabled:b HideVerbose:b* LoadEarly:b Path:s"},
    {"UEFI->Input", "KeyFiltering:b KeyForgetThreshold:i KeySupport:b KeySupportMode:s KeySwap:b "
                    "PointerSupport:b PointerSupportMode:s TimerResolution:i"},
    {"UEFI->Output",
     "ClearScreenOnModeSwitch:b ConsoleFont:s* ConsoleMode:s DirectGopRendering:b "
     "ForceResolution:b "
     "GopBurstMode:b* GopPassThrough:s IgnoreTextInGraphics:b InitialMode:s* ProvideConsoleGop:b "
     "ReconnectGraphicsOnConnect:b ReconnectOnResChange:b ReplaceTabWithSpace:b Resolution:s "
     "SanitiseClearScreen:b TextRenderer:s UIScale:i UgaPassThrough:b"},
    {"UEFI->ProtocolOverrides",
     "AppleAudio:b AppleBootPolicy:b AppleDebugLog:b AppleEg2Info:b AppleFramebufferInfo:b "
     "AppleImageConversion:b AppleImg4Verification:b AppleKeyMap:b AppleRtcRam:b AppleSecureBoot:b "
     "AppleSmcIo:b AppleUserInterfaceTheme:b DataHub:b DeviceProperties:b FirmwareVolume:b "
     "HashServices:b OSInfo:b PciIo:b* UnicodeCollation:b"},
    {"UEFI->Quirks",
     "ActivateHpetSupport:b DisableSecurityPolicy:b EnableVectorAcceleration:b EnableVmx:b "
     "ExitBootServicesDelay:i ForceOcWriteFlash:b ForgeUefiSupport:b IgnoreInvalidFlexRatio:b "
     "ReleaseUsbOwnership:b ReloadOptionRoms:b RequestBootVarRouting:b ResizeGpuBars:i "
     "ResizeUsePciRbIo:b* ShimRetainProtocol:b* TscSyncTimeout:i UnblockFsConnect:b"},
    {"UEFI->ReservedMemory[]", "Address:i Comment:s Enabled:b Size:i Type:s"},
};
const size_t schema_section_count = sizeof schema_sections / sizeof schema_sections[0];

const struct schema_section *schema_of_array(const char *array_path)
{
    size_t length = strlen(array_path);
    for (size_t i = 0; i < schema_section_count; i++) {
        const char *path = schema_sections[i].path;
        if (strncmp(path, array_path, length) == 0 && strcmp(path + length, "[]") == 0) {
            return &schema_sections[i];
        }
    }
    return NULL;
}

const char *schema_next_key(const char *keys, char *name, char *type)
{
    int used = 0;
    if (sscanf(keys, " %63[^: ]:%7[^ ]%n", name, type, &used) != 2) {
        return NULL;
    }
    return keys + used;
}
