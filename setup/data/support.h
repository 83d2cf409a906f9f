/* SPDX-License-Identifier: BSD-3-Clause */
/* The support table: macOS releases, Windows hosts, processors, Mac models, and which go together.
 */
#ifndef MACHV_SETUP_DATA_SUPPORT_H
#define MACHV_SETUP_DATA_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct macos_release {
    const char *version; /* "10.4" ... "10.15", "11" ... "26" */
    const char *name;
    unsigned darwin;     /* kernel major version */
    const char *model;   /* SMBIOS model that hvsetup chooses */
    unsigned memory_mib; /* what the VM needs to install and run */
    bool kernel32;       /* has a 32-bit kernel */
    bool kernel64;       /* has a 64-bit kernel that is fit for use */
};

struct windows_host {
    const char *id;      /* as given to --host */
    const char *aliases; /* other names, separated by a space */
    const char *name;
    unsigned build;         /* first Windows build of this row */
    const char *refused[2]; /* why generation 1 and 2 cannot work here; NULL when they can */
    const char *caution[2]; /* what to know although it can work; NULL for nothing */
};

/* Releases of macOS as comparable numbers: 10.15.4 is 101504, 11 is 110000. */
struct processor {
    const char *id; /* as given to --cpu */
    const char *name;
    bool amd;
    bool avx2;
    unsigned first;    /* first macOS that runs on it without a spoof; 0 never */
    unsigned last;     /* last macOS with power management for it; 0 no limit */
    unsigned spoof[2]; /* CPUID leaf 1 EAX to show: since 10.15.4, and since 10.12.6; 0 none */
};

struct mac_model {
    const char *name;
    unsigned first; /* macOS, as in struct processor */
    unsigned last;  /* 0 no limit known */
};

extern const struct macos_release macos_releases[];
extern const size_t macos_release_count;
extern const struct windows_host windows_hosts[];
extern const size_t windows_host_count;
extern const struct processor processors[];
extern const size_t processor_count;
extern const struct mac_model mac_models[];
extern const size_t mac_model_count;

enum kernel_width { KERNEL_32 = 32, KERNEL_64 = 64 };

/* One cell of the table, and what the user says about the machine. */
struct target {
    const struct macos_release *macos;
    const struct windows_host *host;
    unsigned generation; /* 1 or 2 */
    enum kernel_width kernel;
    const struct processor *processor; /* NULL: not said */
    unsigned vm_processors;            /* 0: not said */
    bool apple_id;                     /* hide the hypervisor from sysctl */
    bool framebuffer;                  /* inject MacHyperVFramebuffer.kext */
};

const struct macos_release *
find_macos(const char *version); /* "10.15.7" finds 10.15; NULL: unknown */
const struct windows_host *find_host(const char *id);
const struct processor *find_processor(const char *id);
const struct mac_model *find_mac_model(const char *name);
unsigned macos_number(const char *version);

/* Why the combination cannot work, as a sentence; NULL when it can. */
const char *target_refusal(const struct target *target);
/* Whether the model is accepted by some version of this macOS. */
bool model_fits(const struct mac_model *model, const struct macos_release *macos);

struct processor_choice {
    uint32_t spoof;       /* CPUID leaf 1 EAX, 0 none */
    bool no_power_driver; /* DummyPowerManagement */
    const char *why;
};
struct processor_choice choose_processor(const struct target *target);

#endif
