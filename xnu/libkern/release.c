/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of what differs by release. Sources: the xnu, IOPCIFamily, IOHIDFamily and
 * IONetworkingFamily versions that Apple published for each release. */
#include <stddef.h>

#include "xnu/libkern/release.h"

enum { NUMBER_PARTS = 3, PART_MAX = 99 };

/* Since which release a behaviour is what its comment in release.h says. */
struct introduced {
    size_t field; /* of struct release_behaviour, a bool */
    unsigned since;
};

#define INTRODUCED(name, major, minor) \
    {offsetof(struct release_behaviour, name), RELEASE(major, minor, 0)}

static const struct introduced introduced[] = {
    INTRODUCED(immutable_collections_panic, 10, 6), /* x86_64; i386 reports */
    INTRODUCED(msix, 10, 7),
    INTRODUCED(catalogue_by_class, 10, 9),
    INTRODUCED(resources_match_anything, 10, 9),
    INTRODUCED(gate_checks_work_loop, 10, 11),
    INTRODUCED(panic_actions, 10, 11),
    INTRODUCED(client_closes_once, 10, 11),
    INTRODUCED(keyboard_event_device, 10, 12),
    INTRODUCED(will_terminate_notification, 10, 13),
    INTRODUCED(client_locking, 11, 0),
    INTRODUCED(first_processor_only, 12, 0), /* MacHyperVSupport found it so */
    INTRODUCED(host_bridge_class, 12, 0),
    INTRODUCED(client_entitlements, 13, 0),
    INTRODUCED(resource_match_array, 14, 0),
};

static unsigned selected = RELEASE_DEFAULT;
static struct release_behaviour behaviour; /* of `filled_for` */
static unsigned filled_for;

/* One number of at most two digits; NULL if there is none. */
static const char *read_part(const char *text, unsigned *value)
{
    const char *start = text;

    for (*value = 0; *text >= '0' && *text <= '9' && *value <= PART_MAX; text++)
        *value = *value * 10 + (unsigned)(*text - '0');
    return text == start || *value > PART_MAX ? NULL : text;
}

/* Mac OS X 10.6 to 10.16 (as Big Sur calls itself to old programs), macOS 11 to 15, and 26. */
static bool exists(unsigned major, unsigned minor)
{
    return major == 10 ? minor >= 6 && minor <= 16 : (major >= 11 && major <= 15) || major == 26;
}

bool release_select(const char *name)
{
    unsigned parts[NUMBER_PARTS] = {0};
    unsigned i;

    for (i = 0; i < NUMBER_PARTS; i++) {
        name = read_part(name, &parts[i]);
        if (!name)
            return false;
        if (*name != '.')
            break;
        name++;
    }
    if (*name != '\0' || !exists(parts[0], parts[1]))
        return false;
    selected = RELEASE(parts[0], parts[1], parts[2]);
    if (selected == RELEASE(12, 0, 0))
        selected = RELEASE(12, 0, 1); /* there was none before */
    return true;
}

void release_select_number(unsigned release)
{
    selected = release;
}

unsigned release_number(void)
{
    return selected;
}

static void fill(struct release_behaviour *row, unsigned release)
{
    unsigned major = release / 10000, minor = release / 100 % 100;
    size_t i;

    /* Darwin 10 is 10.6, 19 is 10.15, 20 is 11, 24 is 15; 25 is 26. */
    row->darwin = major == 10 ? minor + 4 : major < 26 ? major + 9 : major - 1;
    row->configuration_threads = release >= RELEASE(11, 0, 0) ? 500 : 64;
    for (i = 0; i < sizeof(introduced) / sizeof(introduced[0]); i++)
        *((bool *)((char *)row + introduced[i].field)) = release >= introduced[i].since;
}

const struct release_behaviour *release_behaviour(void)
{
    if (filled_for != selected) {
        fill(&behaviour, selected);
        filled_for = selected;
    }
    return &behaviour;
}

void release_kernel_version(unsigned *major, unsigned *minor, unsigned *revision)
{
    unsigned release_major = selected / 10000, release_minor = selected / 100 % 100;

    *major = release_behaviour()->darwin;
    /* 10.6.8 is 10.8, 13.5 is 22.6, 14.5 is 23.5: 11 to 13 began with .1. */
    *minor = release_major == 10 ? selected % 100
                                 : release_minor + (release_major >= 11 && release_major <= 13);
    *revision = 0;
}
