/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of Windows releases. */
#include "host/releases.h"

#include <ctype.h>
#include <strings.h>
#include <stddef.h>
#include <string.h>

#include "protocol/hypervisor.h"

#define V(major, minor) HOST_VERSION(major, minor)

/* What every release lets its guests do. */
#define PRIVILEGES_2008 \
    (HV_PRIVILEGE_VP_RUNTIME | HV_PRIVILEGE_TIME_REF_COUNT | HV_PRIVILEGE_SYNIC | \
     HV_PRIVILEGE_SYNTHETIC_TIMERS | HV_PRIVILEGE_HYPERCALL | HV_PRIVILEGE_VP_INDEX)
#define PRIVILEGES_2008_R2 \
    (PRIVILEGES_2008 | HV_PRIVILEGE_RESET | HV_PRIVILEGE_REFERENCE_TSC | \
     HV_PRIVILEGE_GUEST_IDLE)
#define PRIVILEGES_HIGH (HV_PRIVILEGE_POST_MESSAGES | HV_PRIVILEGE_SIGNAL_EVENTS)

#define FEATURES_2008_R2 HV_FEATURE_GUEST_IDLE_STATE
#define FEATURES_2012 (FEATURES_2008_R2 | HV_FEATURE_CRASH_MSRS)
#define FEATURES_2019 (FEATURES_2012 | HV_FEATURE_DIRECT_TIMERS)

#define RECOMMENDATIONS_2008 HV_RECOMMEND_RELAXED_TIMING
#define RECOMMENDATIONS_2016 \
    (RECOMMENDATIONS_2008 | HV_RECOMMEND_NO_AUTO_EOI)

const struct host_release host_releases[] = {
    {
        .name = "2008",
        .title = "Windows Server 2008",
        .cpuid = {0x40000005, 6001, 6, 0, PRIVILEGES_2008, PRIVILEGES_HIGH, 0,
                  RECOMMENDATIONS_2008, 4},
        .versions = {.vmbus = V(0, 13), .storvsc = V(2, 0), .netvsc = V(1, 0),
                     .framework = V(1, 0), .heartbeat = V(1, 0), .shutdown = V(1, 0),
                     .time_sync = V(1, 0), .key_value = V(1, 0), .video = V(3, 0),
                     .mouse = V(2, 0)},
    },
    {
        .name = "2008r2",
        .title = "Windows Server 2008 R2",
        .cpuid = {0x40000006, 7601, 6, 1, PRIVILEGES_2008_R2, PRIVILEGES_HIGH, FEATURES_2008_R2,
                  RECOMMENDATIONS_2008, 4},
        .versions = {.vmbus = V(1, 1), .storvsc = V(4, 2), .netvsc = V(2, 0),
                     .framework = V(3, 0), .heartbeat = V(3, 0), .shutdown = V(3, 0),
                     .time_sync = V(3, 0), .key_value = V(3, 0), .dynamic_memory = V(0, 3),
                     .video = V(3, 0), .mouse = V(2, 0)},
    },
    {
        .name = "2012",
        .title = "Windows Server 2012",
        .cpuid = {0x40000006, 9200, 6, 2, PRIVILEGES_2008_R2, PRIVILEGES_HIGH, FEATURES_2012,
                  RECOMMENDATIONS_2008, 64},
        .versions = {.vmbus = V(2, 4), .storvsc = V(5, 1), .netvsc = V(4, 0),
                     .framework = V(3, 0), .heartbeat = V(3, 0), .shutdown = V(3, 0),
                     .time_sync = V(3, 0), .key_value = V(4, 0),
                     .dynamic_memory = V(1, 0), .video = V(3, 2), .keyboard = V(1, 0),
                     .mouse = V(2, 0)},
    },
    {
        .name = "2012r2",
        .title = "Windows Server 2012 R2",
        .cpuid = {0x40000006, 9600, 6, 3, PRIVILEGES_2008_R2, PRIVILEGES_HIGH, FEATURES_2012,
                  RECOMMENDATIONS_2008, 64},
        .versions = {.vmbus = V(3, 0), .storvsc = V(6, 0), .netvsc = V(5, 0),
                     .framework = V(3, 0), .heartbeat = V(3, 0), .shutdown = V(3, 0),
                     .time_sync = V(3, 0), .key_value = V(4, 0), .backup = V(5, 0),
                     .file_copy = V(1, 1), .dynamic_memory = V(1, 0), .video = V(3, 3),
                     .keyboard = V(1, 0), .mouse = V(2, 0)},
        .generation_2 = true,
    },
    {
        .name = "2016",
        .title = "Windows Server 2016",
        .cpuid = {0x4000000B, 14393, 10, 0, PRIVILEGES_2008_R2, PRIVILEGES_HIGH, FEATURES_2012,
                  RECOMMENDATIONS_2016, 240},
        .versions = {.vmbus = V(4, 0), .storvsc = V(6, 2), .netvsc = V(6, 0),
                     .framework = V(3, 0), .heartbeat = V(3, 0), .shutdown = V(3, 1),
                     .time_sync = V(4, 0), .key_value = V(5, 0), .backup = V(6, 0),
                     .file_copy = V(1, 1), .dynamic_memory = V(2, 0), .video = V(3, 4),
                     .keyboard = V(1, 0), .mouse = V(2, 0), .pci = V(1, 2)},
        .generation_2 = true,
    },
    {
        .name = "2019",
        .title = "Windows Server 2019",
        .cpuid = {0x4000000B, 17763, 10, 0, PRIVILEGES_2008_R2, PRIVILEGES_HIGH, FEATURES_2019,
                  RECOMMENDATIONS_2016, 240},
        .versions = {.vmbus = V(5, 2), .storvsc = V(6, 2), .netvsc = V(6, 1),
                     .framework = V(3, 0), .heartbeat = V(3, 0), .shutdown = V(3, 2),
                     .time_sync = V(4, 0), .key_value = V(5, 0), .backup = V(7, 0),
                     .file_copy = V(1, 1), .dynamic_memory = V(2, 0), .video = V(3, 5),
                     .keyboard = V(1, 0), .mouse = V(2, 0), .pci = V(1, 2)},
        .generation_2 = true,
    },
    {
        .name = "2022",
        .title = "Windows Server 2022",
        .cpuid = {0x4000000C, 20348, 10, 0, PRIVILEGES_2008_R2, PRIVILEGES_HIGH, FEATURES_2019,
                  RECOMMENDATIONS_2016, 1024},
        .versions = {.vmbus = V(5, 3), .storvsc = V(6, 2), .netvsc = V(6, 1),
                     .framework = V(3, 0), .heartbeat = V(3, 1), .shutdown = V(3, 2),
                     .time_sync = V(4, 0), .key_value = V(5, 0), .backup = V(7, 0),
                     .file_copy = V(1, 1), .dynamic_memory = V(2, 0), .video = V(3, 5),
                     .keyboard = V(1, 0), .mouse = V(2, 0), .pci = V(1, 4)},
        .generation_2 = true,
    },
    {
        .name = "2025",
        .title = "Windows Server 2025",
        .cpuid = {0x4000000C, 26100, 10, 0, PRIVILEGES_2008_R2, PRIVILEGES_HIGH, FEATURES_2019,
                  RECOMMENDATIONS_2016, 2048},
        .versions = {.vmbus = V(6, 0), .storvsc = V(6, 2), .netvsc = V(6, 1),
                     .framework = V(3, 0), .heartbeat = V(3, 1), .shutdown = V(3, 2),
                     .time_sync = V(4, 0), .key_value = V(5, 0), .backup = V(7, 0),
                     .file_copy = V(1, 1), .dynamic_memory = V(2, 0), .video = V(3, 5),
                     .keyboard = V(1, 0), .mouse = V(2, 0), .pci = V(1, 4)},
        .generation_2 = true,
    },
};

const unsigned host_release_count = sizeof(host_releases) / sizeof(host_releases[0]);

/* Client Windows are built from the same code as a server release. */
static const struct {
    const char *client, *server;
} clients[] = {
    {"7", "2008r2"},       {"8", "2012"},       {"8.1", "2012r2"}, {"10-1607", "2016"},
    {"10-1809", "2019"},   {"10", "2019"},      {"11", "2022"},    {"11-24h2", "2025"},
};

/* Compares, not looking at case and spaces. */
static bool same_name(const char *a, const char *b)
{
    for (;;) {
        while (*a == ' ') {
            a++;
        }
        while (*b == ' ') {
            b++;
        }
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b)) {
            return false;
        }
        if (*a == '\0') {
            return true;
        }
        a++;
        b++;
    }
}

/* "ws2022" is how people write "Windows Server 2022" for short, "win11" a client. */
static const char *without_prefix(const char *name)
{
    if (strncasecmp(name, "ws", 2) == 0) {
        return name + 2;
    }
    return strncasecmp(name, "win", 3) == 0 ? name + 3 : name;
}

const struct host_release *host_release_find(const char *name)
{
    name = without_prefix(name);
    for (unsigned i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
        if (same_name(name, clients[i].client)) {
            name = clients[i].server;
            break;
        }
    }
    for (unsigned i = 0; i < host_release_count; i++) {
        if (same_name(name, host_releases[i].name)) {
            return &host_releases[i];
        }
    }
    return NULL;
}

const struct host_release *host_release_newest(void)
{
    return &host_releases[host_release_count - 1];
}
