/* SPDX-License-Identifier: BSD-3-Clause */
/* The support table. Sources: MacHyperVSupport (README, HyperV-versions.md), OpenCorePkg (model
 * data base, Configuration), Dortania's install guide (processor limits), OSX-Hyper-V (spoofs in
 * use).
 */
#include "setup/data/support.h"

#include <stdlib.h>
#include <string.h>

#include "setup/text.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

const struct macos_release macos_releases[] = {
    {"10.4", "Tiger", 8, "iMac4,1", 4096, true, false},
    {"10.5", "Leopard", 9, "iMac7,1", 4096, true, false},
    {"10.6", "Snow Leopard", 10, "iMac12,2", 4096, true, true},
    {"10.7", "Lion", 11, "iMac12,2", 4096, true, true},
    {"10.8", "Mountain Lion", 12, "iMac12,2", 4096, false, true},
    {"10.9", "Mavericks", 13, "iMac14,2", 4096, false, true},
    {"10.10", "Yosemite", 14, "iMac14,2", 4096, false, true},
    {"10.11", "El Capitan", 15, "iMac14,2", 4096, false, true},
    {"10.12", "Sierra", 16, "iMac14,2", 4096, false, true},
    {"10.13", "High Sierra", 17, "iMacPro1,1", 4096, false, true},
    {"10.14", "Mojave", 18, "iMacPro1,1", 4096, false, true},
    {"10.15", "Catalina", 19, "iMacPro1,1", 4096, false, true},
    {"11", "Big Sur", 20, "iMacPro1,1", 8192, false, true},
    {"12", "Monterey", 21, "iMacPro1,1", 8192, false, true},
    {"13", "Ventura", 22, "iMacPro1,1", 8192, false, true},
    {"14", "Sonoma", 23, "iMacPro1,1", 8192, false, true},
    {"15", "Sequoia", 24, "iMacPro1,1", 8192, false, true},
    {"26", "Tahoe", 25, "iMac20,1", 8192, false, true},
};
const size_t macos_release_count = COUNT(macos_releases);

#define GENERATION1_UNPROVEN                                                                       \
    "Generation 1 needs OpenCore's legacy boot files (DUET) on the disk; no full success is "      \
    "known."
#define NO_GENERATION2 "Generation 2 VMs begin with Windows 8.1 and Windows Server 2012 R2."

const struct windows_host windows_hosts[] = {
    {"ws2008",
     "",
     "Windows Server 2008",
     6002,
     {"Its VMBus is older than any version that the drivers speak; Windows Server 2008 R2 is the "
      "oldest host.",
      NO_GENERATION2},
     {NULL, NULL}},
    {"ws2008r2",
     "win7",
     "Windows Server 2008 R2",
     7601,
     {NULL, NO_GENERATION2},
     {GENERATION1_UNPROVEN, NULL}},
    {"ws2012",
     "win8",
     "Windows Server 2012, Windows 8",
     9200,
     {NULL, NO_GENERATION2},
     {GENERATION1_UNPROVEN, NULL}},
    {"ws2012r2",
     "win8.1",
     "Windows Server 2012 R2, Windows 8.1",
     9600,
     {NULL, NULL},
     {GENERATION1_UNPROVEN, NULL}},
    {"win10-1507",
     "win10-1511",
     "Windows 10 1507 and 1511",
     10240,
     {NULL, NULL},
     {GENERATION1_UNPROVEN,
      "Nobody has reported this host's ACPI tables; it is treated like Windows Server 2019."}},
    {"ws2016",
     "win10-1607 win10-1703 win10-1709 win10-1803",
     "Windows Server 2016, Windows 10 1607 to 1803",
     14393,
     {NULL,
      "On Windows Server 2016 and Windows 10 1607 to 1803 the boot loader's OpenRuntime damages "
      "the firmware's memory map in generation 2 VMs, and macOS cannot start. Use generation 1, "
      "or a newer host."},
     {GENERATION1_UNPROVEN, NULL}},
    {"ws2019",
     "win10-1809 win10-1903 win10-1909",
     "Windows Server 2019, Windows 10 1809 to 1909",
     17763,
     {NULL, NULL},
     {GENERATION1_UNPROVEN, NULL}},
    {"win10",
     "win10-2004 win10-20h2 win10-21h1 win10-21h2 win10-22h2",
     "Windows 10 2004 to 22H2",
     19041,
     {NULL, NULL},
     {GENERATION1_UNPROVEN, NULL}},
    {"ws2022",
     "win11-21h2",
     "Windows Server 2022, Windows 11 21H2",
     20348,
     {NULL, NULL},
     {GENERATION1_UNPROVEN, NULL}},
    {"ws2025",
     "win11 win11-22h2 win11-23h2 win11-24h2 win11-25h2",
     "Windows Server 2025, Windows 11 22H2 and later",
     22621,
     {NULL, NULL},
     {GENERATION1_UNPROVEN, NULL}},
};
const size_t windows_host_count = COUNT(windows_hosts);

enum {
    SPOOF_COMET_LAKE = 0x000A0655,
    SPOOF_COFFEE_LAKE = 0x000906EA,
    SPOOF_WHISKEY_LAKE = 0x000806EC,
    SPOOF_HASWELL = 0x000306C3,
    SPOOF_BROADWELL = 0x000306D4,
    SPOOF_IVY_BRIDGE = 0x000306A9,
};

const struct processor processors[] = {
    {"penryn", "Intel Penryn", false, false, 100410, 101399, {0, 0}},
    {"nehalem", "Intel Nehalem", false, false, 100506, 129999, {0, 0}},
    {"westmere", "Intel Westmere", false, false, 100506, 129999, {0, 0}},
    {"sandybridge", "Intel 2nd generation (Sandy Bridge)", false, false, 100607, 129999, {0, 0}},
    {"ivybridge", "Intel 3rd generation (Ivy Bridge)", false, false, 100703, 129999, {0, 0}},
    {"haswell", "Intel 4th generation (Haswell)", false, true, 100805, 0, {0, 0}},
    {"haswell-e", "Intel Haswell-E", false, true, 0, 0, {SPOOF_HASWELL, SPOOF_HASWELL}},
    {"broadwell", "Intel 5th generation (Broadwell)", false, true, 101000, 0, {0, 0}},
    {"broadwell-e", "Intel Broadwell-E", false, true, 0, 0, {SPOOF_BROADWELL, SPOOF_BROADWELL}},
    {"skylake", "Intel 6th generation (Skylake)", false, true, 101100, 0, {0, 0}},
    {"kabylake", "Intel 7th generation (Kaby Lake)", false, true, 101204, 0, {0, 0}},
    {"coffeelake", "Intel 8th and 9th generation (Coffee Lake)", false, true, 101206, 0, {0, 0}},
    {"cometlake",
     "Intel 10th generation (Comet Lake)",
     false,
     true,
     101504,
     0,
     {0, SPOOF_COFFEE_LAKE}},
    {"cometlake-u62",
     "Intel Comet Lake U62",
     false,
     true,
     0,
     0,
     {SPOOF_WHISKEY_LAKE, SPOOF_COFFEE_LAKE}},
    {"icelake", "Intel 10th generation (Ice Lake)", false, true, 101504, 0, {0, SPOOF_COFFEE_LAKE}},
    {"rocketlake",
     "Intel 11th generation (Rocket Lake, Tiger Lake)",
     false,
     true,
     0,
     0,
     {SPOOF_COMET_LAKE, SPOOF_COFFEE_LAKE}},
    {"alderlake",
     "Intel 12th generation and newer (hybrid)",
     false,
     true,
     0,
     0,
     {SPOOF_COMET_LAKE, SPOOF_COFFEE_LAKE}},
    {"intel", "an Intel processor up to the 10th generation", false, true, 0, 0, {0, 0}},
    {"amd", "an AMD processor", true, true, 0, 0, {0, 0}},
};
const size_t processor_count = COUNT(processors);

const struct mac_model mac_models[] = {
    {"iMac4,1", 100404, 100608},        {"MacPro1,1", 100407, 100705},
    {"iMac7,1", 100410, 101106},        {"MacPro3,1", 100501, 101106},
    {"MacPro5,1", 100704, 101406},      {"iMac12,2", 100606, 101306},
    {"iMac13,2", 100802, 101599},       {"iMac14,2", 100804, 101599},
    {"MacPro6,1", 100901, 129999},      {"iMac17,1", 101100, 129999},
    {"iMac18,3", 101204, 139999},       {"iMacPro1,1", 101302, 159999},
    {"iMac19,1", 101400, 159999},       {"Macmini8,1", 101400, 159999},
    {"MacPro7,1", 101501, 269999},      {"iMac20,1", 101506, 269999},
    {"iMac20,2", 101506, 269999},       {"MacBookPro16,1", 101501, 269999},
    {"MacBookPro16,2", 101504, 269999}, {"MacBookPro16,4", 101506, 269999},
};
const size_t mac_model_count = COUNT(mac_models);

unsigned macos_number(const char *version)
{
    unsigned parts[3] = {0};
    for (int i = 0; i < 3; i++) {
        char *end = NULL;
        parts[i] = (unsigned)strtoul(version, &end, 10);
        if (*end != '.') {
            break;
        }
        version = end + 1;
    }
    return parts[0] * 10000 + parts[1] % 100 * 100 + parts[2] % 100;
}

const struct macos_release *find_macos(const char *version)
{
    const struct macos_release *best = NULL;
    for (size_t i = 0; i < macos_release_count; i++) {
        size_t length = strlen(macos_releases[i].version);
        if (strncmp(version, macos_releases[i].version, length) == 0 &&
            (version[length] == '\0' || version[length] == '.')) {
            best = &macos_releases[i];
        }
    }
    return best;
}

const struct windows_host *find_host(const char *id)
{
    for (size_t i = 0; i < windows_host_count; i++) {
        if (strcmp(windows_hosts[i].id, id) == 0 || has_word(windows_hosts[i].aliases, id)) {
            return &windows_hosts[i];
        }
    }
    return NULL;
}

const struct processor *find_processor(const char *id)
{
    for (size_t i = 0; i < processor_count; i++) {
        if (strcmp(processors[i].id, id) == 0) {
            return &processors[i];
        }
    }
    return NULL;
}

const struct mac_model *find_mac_model(const char *name)
{
    for (size_t i = 0; i < mac_model_count; i++) {
        if (strcmp(mac_models[i].name, name) == 0) {
            return &mac_models[i];
        }
    }
    return NULL;
}

static unsigned release_number(const struct macos_release *macos)
{
    return macos_number(macos->version);
}

/* The last number that belongs to the release: 10.15.99, 11.99.99. */
static unsigned release_last(const struct macos_release *macos)
{
    unsigned first = release_number(macos);
    return first < 110000 ? first + 99 : first + 9999;
}

bool model_fits(const struct mac_model *model, const struct macos_release *macos)
{
    return model->first <= release_last(macos) &&
           (model->last == 0 || model->last >= release_number(macos));
}

const char *target_refusal(const struct target *target)
{
    const struct processor *processor = target->processor;
    const char *refused = target->host->refused[target->generation - 1];
    if (refused != NULL) {
        return refused;
    }
    if (target->kernel == KERNEL_32 && !target->macos->kernel32) {
        return "This macOS has no 32-bit kernel; leave --arch out.";
    }
    if (target->kernel == KERNEL_64 && !target->macos->kernel64) {
        return "Mac OS X 10.4 and 10.5 have no 64-bit kernel; leave --arch out.";
    }
    if (processor != NULL && processor->amd && target->macos->darwin < 17) {
        return "The kernel patches for AMD processors begin with macOS 10.13; older systems need "
               "an "
               "Intel host.";
    }
    if (processor != NULL && !processor->avx2 && target->macos->darwin >= 22) {
        return "macOS 13 and later use AVX2 instructions, which this processor does not have. The "
               "newest macOS for it is 12.";
    }
    if (target->vm_processors >= 16 && target->macos->darwin == 8) {
        return "The drivers hold Mac OS X 10.4 to fewer than 16 virtual processors.";
    }
    if (target->vm_processors > 24 && target->macos->darwin <= 14) {
        return "OS X 10.10 and earlier panic with more than 24 processors.";
    }
    if (target->vm_processors > 64) {
        return "macOS takes at most 64 processors, and SSDT-HV-DEV describes 64.";
    }
    if (target->framebuffer && target->macos->darwin >= 20) {
        return "macOS 11 and later take MacHyperVFramebuffer.kext only from /Library/Extensions, "
               "not "
               "from the boot loader. Leave --framebuffer out and install it in the guest.";
    }
    return NULL;
}

static struct processor_choice choose_intel(const struct processor *processor,
                                            const struct macos_release *macos)
{
    unsigned first = release_number(macos), last = release_last(macos);
    if (processor->first != 0 && processor->first <= last) {
        return (struct processor_choice){0, false, "this macOS knows the host's processor"};
    }
    /* A model of the processor family that this macOS, at its last update, knows. */
    if (last >= 101504 && first >= 101500 && processor->spoof[0] != 0) {
        return (struct processor_choice){processor->spoof[0], false,
                                         "macOS does not know the host's processor; it is shown as "
                                         "one that macOS does know"};
    }
    if (first >= 101200 && processor->spoof[1] != 0) {
        return (struct processor_choice){
            processor->spoof[1], false,
            "this macOS is older than the host's processor; it is shown "
            "as one that macOS does know"};
    }
    return (struct processor_choice){
        SPOOF_IVY_BRIDGE, true,
        "this macOS is older than the host's processor: it is shown as "
        "an Ivy Bridge, and the power management driver, which would "
        "not know it, is kept away"};
}

struct processor_choice choose_processor(const struct target *target)
{
    const struct processor *processor = target->processor;
    if (processor == NULL || strcmp(processor->id, "intel") == 0) {
        bool old = target->macos->darwin < 15;
        return (struct processor_choice){
            0, false,
            old ? "no spoof: say --cpu for a host newer than this macOS, which will need one"
                : "no spoof: right for Intel up to the 10th generation; newer ones need --cpu "
                  "rocketlake or --cpu alderlake"};
    }
    if (processor->amd) {
        return (struct processor_choice){0, true,
                                         "macOS has no power management for AMD processors"};
    }
    return choose_intel(processor, target->macos);
}
