/* SPDX-License-Identifier: BSD-3-Clause */
/* What matching asks of a device: a registry entry of the user-space kernel, or a record made from
 * text.
 *
 * The caller gives a table of functions; each gets the `device` pointer handed to the matching
 * call. A function that is NULL means: this device has nothing of the kind. */
#ifndef MACHV_MATCH_DEVICE_H
#define MACHV_MATCH_DEVICE_H

#include "match/plist.h"

/* The third answer is for records that lack a field (a revision, say) that a key needs. */
enum match_answer { MATCH_NO, MATCH_YES, MATCH_UNDECIDED };

/* How a device compares names (xnu: compareName of the nub's class). */
enum match_names {
    MATCH_NAMES_REGISTRY, /* IOService: the registry name alone, exactly */
    MATCH_NAMES_TREE, /* IOPCIDevice, IOPlatformExpertDevice: name, compatible, device_type, model
                       */
    MATCH_NAMES_TREE_REGISTRY, /* IOPlatformDevice and what derives from it: those four, then the
                                  registry name */
};

struct match_rules; /* match/personality.h */

struct match_device_operations {
    /* Is the device of this class or one derived from it? (metaCast) */
    bool (*is_class)(const void *device, const char *class_name);
    /* One property of the device's own table. Returns a new reference, or NULL. */
    struct plist *(*copy_property)(const void *device, const char *key);
    /* Borrowed strings; NULL where there is none. `location` is the part after '@' in the service
     * plane. */
    const char *(*name)(const void *device);
    const char *(*location)(const void *device);
    enum match_names (*names)(const void *device);
    /* Does this registry path lead to exactly this device? */
    bool (*is_at_path)(const void *device, const char *path);
    uint64_t (*registry_id)(const void *device);
    /* Clients attached to it that have a match category. */
    uint64_t (*client_count)(const void *device);
    /* The next entry towards the root of the service plane; NULL at the root. */
    const void *(*parent)(const void *device);
    /* The node that matchLocation() gives; NULL means the device itself. */
    const void *(*location_node)(const void *device);
    /* Keys of the device's family: matchPropertyTable(). May add to `*score`. NULL means: always
     * yes. */
    enum match_answer (*match_family)(const void *device, const struct plist *personality,
                                      int32_t *score);
    /* The same for a device that explains its family's keys; asked instead of match_family when
     * set. */
    enum match_answer (*explain_family)(const void *device, const struct plist *personality,
                                        const struct match_rules *rules, int32_t *score);
    /* Could the device have this name all the same (by fields that its record lacks)? NULL means:
     * never. */
    bool (*may_have_name)(const void *device, const char *pattern);
};

struct match_device {
    const struct match_device_operations *operations;
    const void *device;
};

#endif
