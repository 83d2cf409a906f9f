/* SPDX-License-Identifier: BSD-3-Clause */
/* Kernel section: kexts, patches, blocks, quirks. (MacHyperVSupport, README; OpenCorePkg;
 * OSX-Hyper-V.) */
#include "setup/data/rows.h"

#define KEXT(suffix, name, condition, low, high, text)                                             \
    {                                                                                              \
        "kernel-kext-" suffix, ROW_ENTRY, "Kernel->Add",                                           \
            {{"Arch", CONFIG_STRING, "Any"},                                                       \
             {"BundlePath", CONFIG_STRING, name ".kext", true},                                    \
             {"ExecutablePath", CONFIG_STRING, "Contents/MacOS/" name},                            \
             {"MaxKernel", CONFIG_STRING, high},                                                   \
             {"MinKernel", CONFIG_STRING, low},                                                    \
             {"PlistPath", CONFIG_STRING, "Contents/Info.plist"}},                                 \
            condition, SEVERITY_ERROR, text, name ".kext"                                          \
    }

#define FORCE(suffix, name, executable, plist, high, condition)                                    \
    {                                                                                              \
        "kernel-force-" suffix, ROW_ENTRY, "Kernel->Force",                                        \
            {{"Arch", CONFIG_STRING, "Any"},                                                       \
             {"BundlePath", CONFIG_STRING, "System/Library/Extensions/" name ".kext"},             \
             {"ExecutablePath", CONFIG_STRING, executable},                                        \
             {"Identifier", CONFIG_STRING, "com.apple.iokit." name, true},                         \
             {"MaxKernel", CONFIG_STRING, high},                                                   \
             {"PlistPath", CONFIG_STRING, plist}},                                                 \
            condition, SEVERITY_ERROR,                                                             \
            "the drivers are linked against it, and the kernel cache of an older macOS may lack "  \
            "it",                                                                                  \
            NULL                                                                                   \
    }

#define WHEN(...)                                                                                  \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define MOUSE_SYMBOL                                                                               \
    "__ZN16IOHIDEventDriver21handleInterruptReportE12UnsignedWideP18IOMemoryDescriptor15IOHID"     \
    "ReportTypem"

/* "hibernatehidready", "hibernatecount" and "boot session UUID", "hv_vmm_present" in the kernel's
 * string pool, each ended by NUL: the two patches swap the names of two sysctls. */
#define HIBERNATE_READY_COUNT "68696265726E61746568696472656164790068696265726E617465636F756E7400"
#define HIBERNATE_READY_VMM "68696265726E61746568696472656164790068765F766D6D5F70726573656E7400"
#define BOOT_SESSION_VMM "626F6F742073657373696F6E20555549440068765F766D6D5F70726573656E7400"
#define BOOT_SESSION_COUNT "626F6F742073657373696F6E20555549440068696265726E617465636F756E7400"

const struct row kernel_rows[] = {
    {"kernel-cpu-info",
     ROW_VALUE,
     "Kernel->Quirks->ProvideCurrentCpuInfo",
     {{NULL, CONFIG_BOOLEAN, "true"}},
     {0},
     SEVERITY_ERROR,
     "the kernel gets the clock frequencies and the topology from Hyper-V instead of guessing"},
    {"kernel-linkedit",
     ROW_VALUE,
     "Kernel->Quirks->DisableLinkeditJettison",
     {{NULL, CONFIG_BOOLEAN, "true"}},
     {0},
     SEVERITY_WARNING,
     "Lilu finds the kernel's symbols faster, and OpenCore's own checker wants it with Lilu"},
    {"kernel-arch-32",
     ROW_VALUE,
     "Kernel->Scheme->KernelArch",
     {{NULL, CONFIG_STRING, "i386"}},
     {.kernel = KERNEL_32},
     SEVERITY_ERROR,
     "this target boots the 32-bit kernel"},
    {"kernel-arch-64",
     ROW_VALUE,
     "Kernel->Scheme->KernelArch",
     {{NULL, CONFIG_STRING, "x86_64"}},
     {.kernel = KERNEL_64, .darwin_last = 11},
     SEVERITY_ERROR,
     "Mac OS X 10.6 and 10.7 have both kernels; this target boots the 64-bit one"},
    {"kernel-fuzzy-match",
     ROW_VALUE,
     "Kernel->Scheme->FuzzyMatch",
     {{NULL, CONFIG_BOOLEAN, "true"}},
     {.darwin_last = 10},
     SEVERITY_ERROR,
     "the kernel caches of 10.6 and earlier have no checksum of their own"},
    KEXT("lilu", "Lilu", {0}, "", "", "patches and library functions that VirtualSMC needs"),
    KEXT("smc", "VirtualSMC", {0}, "", "",
         "macOS does not start without a system management controller"),
    KEXT("core", "MacHyperVSupport", WHEN(.darwin_last = 20), "8.0.0", "20.99.99",
         "the Hyper-V drivers for Mac OS X 10.4 to macOS 11"),
    KEXT("core-monterey", "MacHyperVSupportMonterey", WHEN(.darwin_first = 21), "21.0.0", "",
         "the Hyper-V drivers for macOS 12 and later"),
    KEXT("framebuffer", "MacHyperVFramebuffer", WHEN(.option = OPTION_FRAMEBUFFER), "", "19.99.99",
         "screen sizes beyond 1024 x 768; can be injected up to 10.15"),
    {"kernel-block-efi",
     ROW_ENTRY,
     "Kernel->Block",
     {{"Arch", CONFIG_STRING, "i386"},
      {"Comment", CONFIG_STRING, "No EFI runtime services in 32 bits"},
      {"Identifier", CONFIG_STRING, "com.apple.driver.AppleEFIRuntime", true},
      {"Strategy", CONFIG_STRING, "Disable"}},
     {.kernel = KERNEL_32},
     SEVERITY_ERROR,
     "the 32-bit kernel cannot call Hyper-V's 64-bit firmware; NVRAM is not available",
     NULL},
    FORCE("network", "IONetworkingFamily", "Contents/MacOS/IONetworkingFamily",
          "Contents/Info.plist", "13.99.99", WHEN(.darwin_last = 13)),
    FORCE("scsi", "IOSCSIParallelFamily", "Contents/MacOS/IOSCSIParallelFamily",
          "Contents/Info.plist", "13.99.99", WHEN(.darwin_last = 13)),
    FORCE("graphics", "IOGraphicsFamily", "IOGraphicsFamily", "Info.plist", "19.99.99",
          WHEN(.option = OPTION_FRAMEBUFFER)),
    {"kernel-patch-hpet",
     ROW_ENTRY,
     "Kernel->Patch",
     {{"Arch", CONFIG_STRING, "i386"},
      {"Base", CONFIG_STRING, "_hpet_init", true},
      {"Comment", CONFIG_STRING, "Disable _hpet_init, there is no HPET hardware"},
      {"Count", CONFIG_INTEGER, "1"},
      {"Find", CONFIG_DATA, ""},
      {"Identifier", CONFIG_STRING, "kernel"},
      {"MaxKernel", CONFIG_STRING, "9.5.99"},
      {"MinKernel", CONFIG_STRING, ""},
      {"Replace", CONFIG_DATA, "C3"}},
     {.darwin_last = 9},
     SEVERITY_ERROR,
     "a Hyper-V VM has no HPET, which these kernels insist on",
     NULL},
    {"kernel-patch-transport",
     ROW_ENTRY,
     "Kernel->Patch",
     {{"Arch", CONFIG_STRING, "i386"},
      {"Base", CONFIG_STRING, "__ZNK15IOHIDDeviceShim18newTransportStringEv", true},
      {"Comment", CONFIG_STRING, "Disable IOHIDDeviceShim::newTransportString()"},
      {"Count", CONFIG_INTEGER, "1"},
      {"Find", CONFIG_DATA, ""},
      {"Identifier", CONFIG_STRING, "com.apple.iokit.IOHIDFamily"},
      {"MaxKernel", CONFIG_STRING, "9.6.99"},
      {"MinKernel", CONFIG_STRING, "9.5.0", false, "9.4.0"},
      {"Replace", CONFIG_DATA, "31C0C3"}},
     {.darwin_first = 9, .darwin_last = 9},
     SEVERITY_ERROR,
     "late 10.5 updates crash on a keyboard or mouse without a device type",
     NULL},
    {"kernel-patch-mouse",
     ROW_ENTRY,
     "Kernel->Patch",
     {{"Arch", CONFIG_STRING, "i386"},
      {"Base", CONFIG_STRING, MOUSE_SYMBOL, true},
      {"Comment", CONFIG_STRING, "Disable the scaling of X and Y mouse movement"},
      {"Count", CONFIG_INTEGER, "0", false, "1"},
      {"Find", CONFIG_DATA, "BA1F85EB51"},
      {"Identifier", CONFIG_STRING, "com.apple.iokit.IOHIDFamily"},
      {"MaxKernel", CONFIG_STRING, "8.11.99"},
      {"MinKernel", CONFIG_STRING, "8.0.0"},
      {"Replace", CONFIG_DATA, "BA00000000"}},
     {.darwin_first = 8, .darwin_last = 8},
     SEVERITY_ERROR,
     "10.4 has no AbsoluteAxisBoundsRemovalPercentage: the pointer would miss the screen's edges",
     NULL},
    {"kernel-patch-amd-syscall",
     ROW_ENTRY,
     "Kernel->Patch",
     {{"Arch", CONFIG_STRING, "x86_64"},
      {"Base", CONFIG_STRING, "_cpu_syscall_init", true},
      {"Comment", CONFIG_STRING, "AMD: no wrmsr in _cpu_syscall_init"},
      {"Count", CONFIG_INTEGER, "3"},
      {"Find", CONFIG_DATA, "0F30"},
      {"Identifier", CONFIG_STRING, "kernel"},
      {"MinKernel", CONFIG_STRING, "17.0.0"},
      {"Replace", CONFIG_DATA, "9090"}},
     {.option = OPTION_AMD, .darwin_first = 17},
     SEVERITY_ERROR,
     "Hyper-V on AMD refuses these register writes",
     NULL},
    {"kernel-patch-apple-id-1",
     ROW_ENTRY,
     "Kernel->Patch",
     {{"Arch", CONFIG_STRING, "x86_64"},
      {"Comment", CONFIG_STRING, "Hide kern.hv_vmm_present, first half"},
      {"Count", CONFIG_INTEGER, "1"},
      {"Find", CONFIG_DATA, HIBERNATE_READY_COUNT, true},
      {"Identifier", CONFIG_STRING, "kernel"},
      {"MinKernel", CONFIG_STRING, "20.4.0"},
      {"Replace", CONFIG_DATA, HIBERNATE_READY_VMM}},
     {.option = OPTION_APPLE_ID, .darwin_first = 20},
     SEVERITY_ERROR,
     "Apple's services refuse a Mac whose kern.hv_vmm_present is 1",
     NULL},
    {"kernel-patch-apple-id-2",
     ROW_ENTRY,
     "Kernel->Patch",
     {{"Arch", CONFIG_STRING, "x86_64"},
      {"Comment", CONFIG_STRING, "Hide kern.hv_vmm_present, second half"},
      {"Count", CONFIG_INTEGER, "1"},
      {"Find", CONFIG_DATA, BOOT_SESSION_VMM, true},
      {"Identifier", CONFIG_STRING, "kernel"},
      {"MinKernel", CONFIG_STRING, "22.0.0"},
      {"Replace", CONFIG_DATA, BOOT_SESSION_COUNT}},
     {.option = OPTION_APPLE_ID, .darwin_first = 22},
     SEVERITY_ERROR,
     "without the second half two sysctls have one name from macOS 13 on",
     NULL},
};
const size_t kernel_row_count = sizeof kernel_rows / sizeof kernel_rows[0];
