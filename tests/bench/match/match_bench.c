/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * match_bench.c: how long it takes to load personalities and match devices, how that grows, and
 * what a personality needs of memory; beside libkmod's look-up of the same devices in a
 * modules.alias.bin. Usage: match_bench [MODULES_FOLDER] Prints rows for figures.sh: id, name,
 * value, baseline, unit, better, goal; between tabs.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libkmod.h>

#include "match/device_text.h"
#include "match/matcher.h"

enum { PER_KEXT = 10, IDS = 8, ROUNDS = 5, PERSONALITIES = 1000, DEVICES = 10000, LOOK_UPS = 2000 };

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID,
                  &time); /* one thread that never waits: other load does not count */
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static uint32_t random_state;

static uint32_t next_random(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return random_state >> 8;
}

/* Vendors and devices are drawn from few thousand, so that some devices match and most do not. */
static unsigned some_device(void)
{
    static const unsigned vendors[] = { 0x8086, 0x10DE, 0x1002, 0x10EC,
                                        0x14E4, 0x1AF4, 0x1B4B, 0x168C };

    return (next_random() % 0x1000) << 16 | vendors[next_random() % 8];
}

/* One kext of PER_KEXT personalities: lists of ids, names, and now and then a class. */
static size_t write_kext(char *text, unsigned number)
{
    size_t length =
        (size_t)sprintf(text,
                        "<plist version=\"1.0\"><dict><key>CFBundleIdentifier</key><string>org.k%u"
                        "</string><key>IOKitPersonalities</key><dict>",
                        number);
    unsigned index;
    unsigned id;

    for (index = 0; index < PER_KEXT; index++) {
        length += (size_t)sprintf(
            text + length,
            "<key>P%u</key><dict><key>IOClass</key><string>Driver%u</string>"
            "<key>IOProviderClass</key><string>IOPCIDevice</string><key>IOProbeScore</key>"
            "<integer>%u</integer>",
            index, number * PER_KEXT + index, next_random() % 5000);
        if (index % 5 == 4) {
            length += (size_t)sprintf(text + length, "<key>IONameMatch</key><array>");
            for (id = 0; id < IDS; id++) {
                unsigned device = some_device();

                length += (size_t)sprintf(text + length, "<string>pci%x,%x</string>",
                                          device & 0xFFFF, device >> 16);
            }
            length += (size_t)sprintf(text + length, "</array>");
        } else {
            length += (size_t)sprintf(text + length, "<key>%s</key><string>",
                                      index % 2 == 0 ? "IOPCIMatch" : "IOPCIPrimaryMatch");
            for (id = 0; id < IDS; id++)
                length += (size_t)sprintf(text + length, "0x%08x ", some_device());
            length += (size_t)sprintf(text + length, "</string>");
        }
        length += (size_t)sprintf(text + length, "</dict>");
    }
    return length + (size_t)sprintf(text + length, "</dict></dict></plist>");
}

static char *write_devices(unsigned count, size_t *size)
{
    char *text = malloc((size_t)count * 64 + 1);
    unsigned index;

    *size = 0;
    for (index = 0; index < count; index++) {
        unsigned device = some_device();
        unsigned subsystem = some_device();

        *size += (size_t)sprintf(text + *size, "%04x:%04x/%04x:%04x/020000/01\n", device & 0xFFFF,
                                 device >> 16, subsystem & 0xFFFF, subsystem >> 16);
    }
    return text;
}

struct world {
    struct kext_set kexts;
    struct device_list devices;
    struct matcher matcher;
    size_t matched;
    double seconds; /* reading both and matching all */
    double matching;
    size_t bytes; /* of memory for the kexts and the catalogue */
};

static void load(struct world *world, char *const *kexts, const size_t *sizes, unsigned count)
{
    const struct kext_options options = { .mode = PLIST_FILE_STRICT };
    size_t before = mallinfo2().uordblks;
    unsigned index;

    for (index = 0; index < count; index++)
        if (kext_set_add_text(&world->kexts, kexts[index], sizes[index], "bench", &options, NULL) ==
            NULL)
            abort();
    if (!matcher_init(&world->matcher, 0, "x86_64") ||
        !matcher_add(&world->matcher, &world->kexts, NULL))
        abort();
    world->bytes = mallinfo2().uordblks - before;
}

static void match(struct world *world)
{
    struct match_outcome outcome;
    size_t index;

    for (index = 0; index < world->devices.count; index++) {
        if (!matcher_match(&world->matcher, world->devices.records[index], MATCH_DETAIL_NONE,
                           &outcome))
            abort();
        world->matched += outcome.count > 0;
        match_outcome_clear(&outcome);
    }
}

/* Everything once: `personalities` and `devices` from text to verdicts. */
static struct world run(unsigned personalities, unsigned devices)
{
    struct world world = { { NULL } };
    unsigned count = personalities / PER_KEXT;
    char **kexts = calloc(count, sizeof *kexts);
    size_t *sizes = calloc(count, sizeof *sizes);
    size_t size;
    char *list;
    unsigned index;
    double start;

    random_state = 20240601;
    for (index = 0; index < count; index++) {
        kexts[index] = malloc(8192);
        sizes[index] = write_kext(kexts[index], index);
    }
    list = write_devices(devices, &size);
    start = now();
    load(&world, kexts, sizes, count);
    if (!device_read_windows_list(list, size, "bench", &world.devices, NULL))
        abort();
    world.matching = now();
    match(&world);
    world.seconds = now() - start;
    world.matching = now() - world.matching;
    for (index = 0; index < count; index++)
        free(kexts[index]);
    free(kexts);
    free(sizes);
    free(list);
    return world;
}

static void clear(struct world *world)
{
    matcher_clear(&world->matcher);
    kext_set_clear(&world->kexts);
    device_list_clear(&world->devices);
}

static int compare(const void *left, const void *right)
{
    double difference = *(const double *)left - *(const double *)right;

    return difference < 0 ? -1 : difference > 0;
}

/* The median of several runs. */
static double median_seconds(unsigned personalities, unsigned devices, double *matching,
                             size_t *bytes)
{
    double all[ROUNDS];
    double only[ROUNDS];
    unsigned round;

    for (round = 0; round < ROUNDS; round++) {
        struct world world = run(personalities, devices);

        all[round] = world.seconds;
        only[round] = world.matching;
        *bytes = world.bytes;
        clear(&world);
    }
    qsort(all, ROUNDS, sizeof *all, compare);
    qsort(only, ROUNDS, sizeof *only, compare);
    *matching = only[ROUNDS / 2];
    return all[ROUNDS / 2];
}

/* Nanoseconds of one look-up of a device's alias. */
static double kmod_round(struct kmod_ctx *context)
{
    double start;
    unsigned index;

    random_state = 20240601;
    start = now();
    for (index = 0; index < LOOK_UPS; index++) {
        unsigned device = some_device();
        unsigned subsystem = some_device();
        struct kmod_list *list = NULL;
        char alias[120];

        snprintf(alias, sizeof alias, "pci:v%08Xd%08Xsv%08Xsd%08Xbc02sc00i00", device & 0xFFFF,
                 device >> 16, subsystem & 0xFFFF, subsystem >> 16);
        kmod_module_new_from_lookup(context, alias, &list);
        kmod_module_unref_list(list);
    }
    return (now() - start) / LOOK_UPS * 1e9;
}

/* The median of several rounds; 0 when it cannot be measured. */
static double kmod_look_up(const char *folder)
{
    const char *null_config = NULL;
    struct kmod_ctx *context = folder == NULL ? NULL : kmod_new(folder, &null_config);
    double all[ROUNDS] = { 0 };
    unsigned round;

    if (context != NULL && kmod_load_resources(context) == 0)
        for (round = 0; round < ROUNDS; round++)
            all[round] = kmod_round(context);
    kmod_unref(context);
    qsort(all, ROUNDS, sizeof *all, compare);
    return all[ROUNDS / 2];
}

static void row(const char *id, const char *name, double value, double baseline, const char *unit,
                const char *goal)
{
    char text[32] = "-";

    if (baseline > 0)
        snprintf(text, sizeof text, "%.3g", baseline);
    printf("%s\t%s\t%.3g\t%s\t%s\tlower\t%s\n", id, name, value, text, unit, goal);
}

int main(int count, char **arguments)
{
    double matching;
    double double_personalities;
    double double_devices;
    double ignored;
    size_t bytes;
    size_t other_bytes;
    double all = median_seconds(PERSONALITIES, DEVICES, &matching, &bytes);
    double look_up = kmod_look_up(count > 1 ? arguments[1] : NULL);

    double_personalities = median_seconds(PERSONALITIES * 2, DEVICES, &ignored, &other_bytes);
    double_devices = median_seconds(PERSONALITIES, DEVICES * 2, &ignored, &other_bytes);
    row("match-whole", "1,000 personalities, 10,000 devices", all, 0, "s", "< 1");
    row("match-personalities", "twice the personalities, times", double_personalities / all, 0, "x",
        "<= 2");
    row("match-devices", "twice the devices, times", double_devices / all, 0, "x", "<= 2");
    row("match-look-up", "one device among 1,000 personalities", matching / DEVICES * 1e9, look_up,
        "ns", "<= 1 x");
    row("match-memory", "memory for one personality", (double)bytes / PERSONALITIES, 0, "bytes",
        "-");
    return 0;
}
