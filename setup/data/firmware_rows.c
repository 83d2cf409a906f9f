/* SPDX-License-Identifier: BSD-3-Clause */
/* Booter, UEFI, NVRAM and Misc settings. (MacHyperVSupport, README; OpenCorePkg, Configuration.) */
#include "setup/data/rows.h"

#define VALUE(id, path, type, value, condition, level, text)                                       \
    {                                                                                              \
        id, ROW_VALUE, path, {{NULL, type, value}}, condition, level, text                         \
    }
#define BOOLEAN(id, path, condition, text)                                                         \
    VALUE(id, path, CONFIG_BOOLEAN, "true", condition, SEVERITY_ERROR, text)
#define WHEN(...)                                                                                  \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define ALWAYS                                                                                     \
    {                                                                                              \
        0                                                                                          \
    }

const struct row firmware_rows[] = {
    BOOLEAN(
        "booter-relocation", "Booter->Quirks->AllowRelocationBlock", WHEN(.darwin_last = 11),
        "the boot loader of Mac OS X 10.7 and earlier needs low memory that the firmware occupies"),
    BOOLEAN("booter-defrag", "Booter->Quirks->AvoidRuntimeDefrag", ALWAYS,
            "keeps runtime memory where the Hyper-V firmware has it"),
    BOOLEAN(
        "booter-task-switch", "Booter->Quirks->ClearTaskSwitchBit", WHEN(.darwin_last = 11),
        "10.7 and earlier call the firmware with the task-switched bit set, where it would fault"),
    BOOLEAN("booter-exit", "Booter->Quirks->ForceExitBootServices", WHEN(.darwin_last = 11),
            "10.7 and earlier do not try again when the memory map changes under them"),
    BOOLEAN("booter-slide", "Booter->Quirks->ProvideCustomSlide", ALWAYS,
            "Hyper-V's memory map leaves too little room for a random kernel slide"),
    BOOLEAN("booter-memory-map", "Booter->Quirks->RebuildAppleMemoryMap", WHEN(.darwin_last = 10),
            "10.6 and earlier cannot read a memory map as long as this firmware's"),
    BOOLEAN("uefi-security-policy", "UEFI->Quirks->DisableSecurityPolicy",
            WHEN(.build_first = 10240),
            "the firmware of Windows 10 and Server 2019 refuses OpenCore's drivers otherwise"),
    BOOLEAN("uefi-boot-routing", "UEFI->Quirks->RequestBootVarRouting", ALWAYS,
            "the Startup Disk choice of macOS goes to OpenCore's boot variables"),
    BOOLEAN("uefi-connect-drivers", "UEFI->ConnectDrivers", ALWAYS,
            "the file system drivers must be connected to the disks"),
    {"uefi-driver-runtime",
     ROW_ENTRY,
     "UEFI->Drivers",
     {{"Path", CONFIG_STRING, "OpenRuntime.efi", true}},
     ALWAYS,
     SEVERITY_ERROR,
     "the Booter quirks are done by this driver",
     "OpenRuntime.efi"},
    {"uefi-driver-hfs",
     ROW_ENTRY,
     "UEFI->Drivers",
     {{"Path", CONFIG_STRING, "OpenHfsPlus.efi", true, "HfsPlus.efi"}},
     ALWAYS,
     SEVERITY_ERROR,
     "installers and macOS before 10.13 are on HFS+ volumes",
     "OpenHfsPlus.efi"},
    BOOLEAN("apfs-jumpstart", "UEFI->APFS->EnableJumpstart", WHEN(.darwin_first = 17),
            "macOS 10.13 and later are on APFS volumes"),
    VALUE("apfs-date", "UEFI->APFS->MinDate", CONFIG_INTEGER, "-1",
          WHEN(.darwin_first = 17, .darwin_last = 19), SEVERITY_ERROR,
          "the APFS drivers of 10.13 to 10.15 are older than OpenCore lets through by itself"),
    VALUE("apfs-version", "UEFI->APFS->MinVersion", CONFIG_INTEGER, "-1",
          WHEN(.darwin_first = 17, .darwin_last = 19), SEVERITY_ERROR,
          "the APFS drivers of 10.13 to 10.15 are older than OpenCore lets through by itself"),
    VALUE("security-scan", "Misc->Security->ScanPolicy", CONFIG_INTEGER, "0", ALWAYS,
          SEVERITY_ERROR,
          "the default leaves HFS+ volumes out: installers and recovery would not be listed"),
    VALUE("security-model", "Misc->Security->SecureBootModel", CONFIG_STRING, "Disabled",
          WHEN(.darwin_last = 19), SEVERITY_WARNING,
          "kexts that Apple did not sign, and older systems, need it off"),
    {"security-model",
     ROW_VALUE,
     "Misc->Security->SecureBootModel",
     {{NULL, CONFIG_STRING, "Disabled", false, "Default"}},
     {.darwin_first = 20},
     SEVERITY_WARNING,
     "kexts that Apple did not sign start without questions; Default works on a hypervisor too"},
    VALUE("security-vault", "Misc->Security->Vault", CONFIG_STRING, "Optional", ALWAYS,
          SEVERITY_ERROR, "OpenCore halts without a signed vault otherwise"),
    VALUE("security-default", "Misc->Security->AllowSetDefault", CONFIG_BOOLEAN, "true", ALWAYS,
          SEVERITY_WARNING, "lets the user choose the entry that starts by itself (Ctrl+Enter)"),
    {"nvram-legacy",
     ROW_WORD,
     "NVRAM->Add->7C436110-AB2A-4BBB-A880-FE41995C9F82->boot-args",
     {{NULL, CONFIG_STRING, "-legacy"}},
     {.kernel = KERNEL_32},
     SEVERITY_ERROR,
     "a 32-bit kernel must not call the 64-bit firmware: no 64-bit programs and no NVRAM there"},
};
const size_t firmware_row_count = sizeof firmware_rows / sizeof firmware_rows[0];
