/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Windows releases the simulated host can be: what the guest is told through CPUID, and the
 * newest protocol version that each virtual device speaks.
 *
 * Sources: Microsoft's TLFS for the CPUID leaves; Linux drivers (hv, hv_util, storvsc, netvsc,
 * hyperv_fb, pci-hyperv), FreeBSD and OpenVMM for which release first spoke which version.
 */
#ifndef HOST_RELEASES_H
#define HOST_RELEASES_H

#include <stdbool.h>
#include <stdint.h>

/* Versions of all protocols are major << 16 | minor here, also where the wire form differs. */
#define HOST_VERSION(major, minor) ((uint32_t)(major) << 16 | (uint32_t)(minor))

/* 0: the release has no such device or service. */
struct host_release_versions {
    uint32_t vmbus;     /* highest VMBus version accepted; every older one is accepted too */
    uint32_t storvsc;
    uint32_t netvsc;    /* 1.0, 2.0, 4.0, 5.0, 6.0, 6.1 as the NVSP versions are called */
    uint32_t framework; /* integration components' framework */
    uint32_t heartbeat;
    uint32_t shutdown;
    uint32_t time_sync;
    uint32_t key_value;
    uint32_t backup;    /* VSS */
    uint32_t file_copy;
    uint32_t dynamic_memory;
    uint32_t video;
    uint32_t keyboard;
    uint32_t mouse;
    uint32_t pci;
};

/* CPUID leaves 0x40000000 to 0x4000000C as far as they do not depend on the machine's size. */
struct host_release_cpuid {
    uint32_t highest_leaf;
    uint32_t build;
    uint16_t major, minor;
    uint32_t privileges_low, privileges_high; /* 0x40000003 EAX, EBX */
    uint32_t features;                        /* 0x40000003 EDX */
    uint32_t recommendations;                 /* 0x40000004 EAX */
    uint32_t maximum_processors;              /* 0x40000005 EAX */
};

struct host_release {
    const char *name;  /* as written on a command line: "2019" */
    const char *title; /* "Windows Server 2019" */
    struct host_release_cpuid cpuid;
    struct host_release_versions versions;
    bool generation_2; /* can run generation-2 machines */
};

/* All releases, oldest first. */
extern const struct host_release host_releases[];
extern const unsigned host_release_count;

/*
 * The release with this name: "2008", "2008r2" (or "2008 R2"), "2012", "2012r2", "2016", "2019",
 * "2022", "2025", or a client Windows of the same code: "7", "8", "8.1", "10-1607", "10-1809",
 * "10", "11", "11-24h2". "ws" or "win" may stand before. Case and spaces do not matter. NULL if
 * there is none.
 */
const struct host_release *host_release_find(const char *name);

/* The newest one. */
const struct host_release *host_release_newest(void);

#endif
