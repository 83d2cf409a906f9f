/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys that take one of a few words. */
#include "setup/data/enumerations.h"

const struct enumeration enumerations[] = {
    {"Misc->Boot->HibernateMode", "None Auto RTC NVRAM"},
    {"Misc->Boot->PickerMode", "Builtin External Apple"},
    {"Misc->Boot->LauncherOption", "Disabled Full Short System"},
    {"Misc->Security->Vault", "Optional Basic Secure"},
    {"Misc->Security->DmgLoading", "Disabled Signed Any"},
    {"Misc->Security->SecureBootModel",
     "Default Disabled x86legacy j132 j137 j140a j140k j152f j160 j174 j185 j185f j213 j214k j215 "
     "j223 j230k j680 j780"},
    {"Kernel->Scheme->KernelArch", "Auto i386 i386-user32 x86_64"},
    {"Kernel->Scheme->KernelCache", "Auto Cacheless Mkext Prelinked"},
    {"PlatformInfo->UpdateSMBIOSMode", "TryOverwrite Create Overwrite Custom"},
    {"PlatformInfo->Generic->SystemMemoryStatus", "Auto Upgradable Soldered"},
};
const size_t enumeration_count = sizeof enumerations / sizeof enumerations[0];
