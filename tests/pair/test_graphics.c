/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest and host in one process: every version of synthetic video, modes, changes, the pointer, a
 * display of another size, one that goes and comes back, and hosts that answer late, wrong or not
 * at all. */
#include "tests/pair/pair_guest.h"

#include "abi/IODeviceMemory.h"
#include "abi/IOMemoryDescriptor.h"
#include "abi/IOPCIDevice.h"
#include "abi/IOService.h"
#include "abi/OSData.h"
#include "abi/OSDictionary.h"
#include "abi/OSString.h"
#include "abi/constants.h"
#include "abi/constants/errno.h"
#include "abi/runtime.h"
#include "kext/graphics/graphics_interface.h"
#include "protocol/synthvid.h"
#include "tests/pair/pair_video.h"
#include "xnu/families/graphics/framebuffer.h"
#include "xnu/iokit/startup.h"
#include "xnu/libkern/object.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/memory.h"

enum { SEEDS = 3, MODES_MAX = 128, MILLISECOND = 1000000, CHANNEL = 3 /* of the display */ };

static struct framebuffer_picture picture;
static struct pair_screen screen;
static struct pair_changes changes;

static bool wait_for_framebuffer(bool there)
{
    uint64_t deadline = machine_uptime() + 60 * PAIR_SECOND;

    while (framebuffer_picture(&picture) != there && machine_uptime() < deadline)
        pair_sleep(10 * MILLISECOND);
    return framebuffer_picture(&picture) == there;
}

static bool host_shows(struct pair *pair, uint32_t width, uint32_t height)
{
    uint64_t deadline = machine_uptime() + 10 * PAIR_SECOND;

    do {
        pair_sleep(10 * MILLISECOND);
        pair_video_screen(pair->host, &screen);
    } while ((screen.width != width || screen.height != height) && machine_uptime() < deadline);
    return screen.width == width && screen.height == height;
}

/* Fills the guest's screen with noise; lines have no gap. */
static void draw(uint32_t seed)
{
    uint32_t *pixels = (uint32_t *)(void *)picture.pixels;

    for (size_t i = 0; i < (size_t)picture.pitch * picture.height / 4; i++)
        pixels[i] = seed = seed * 1664525 + 1013904223;
}

/* Both have the same picture, in the same memory format. */
static void check_picture(struct pair *pair)
{
    PAIR_CHECK(pair, framebuffer_picture(&picture));
    draw(picture.width);
    pair_video_screen(pair->host, &screen);
    PAIR_CHECK(pair, screen.pixels != NULL && screen.width == picture.width &&
                         screen.height == picture.height);
    PAIR_CHECK(pair, screen.pitch == picture.pitch && screen.depth == picture.bits);
    if (screen.pixels != NULL)
        PAIR_CHECK(pair, memcmp(screen.pixels, picture.pixels,
                                (size_t)picture.pitch * picture.height) == 0);
}

static bool has_mode(uint32_t width, uint32_t height)
{
    static struct framebuffer_mode modes[MODES_MAX];
    unsigned count = framebuffer_modes(modes, MODES_MAX);

    for (unsigned i = 0; i < count && i < MODES_MAX; i++)
        if (modes[i].width == width && modes[i].height == height)
            return true;
    return false;
}

/* ---- versions and modes ---- */

static uint32_t expected_minor;

static void version_body(struct pair *pair)
{
    PAIR_CHECK(pair, wait_for_framebuffer(true));
    pair_video_screen(pair->host, &screen);
    PAIR_CHECK(pair, screen.version_major == 3 && screen.version_minor == expected_minor);
    PAIR_CHECK(pair, picture.bits == (expected_minor < 2 ? 16 : 32));
    check_picture(pair);
    PAIR_CHECK(pair, framebuffer_set_mode(1280, 1024) == 0);
    PAIR_CHECK(pair, host_shows(pair, 1280, 1024));
    check_picture(pair);
    PAIR_CHECK(pair, framebuffer_set_mode(640, 480) == 0);
    check_picture(pair);
}

static void every_release_of_the_host_shows_what_is_drawn(void **state)
{
    static const struct {
        const char *release;
        uint32_t minor;
    } rows[] = { { "2008", 0 }, { "2008r2", 0 }, { "2012", 2 }, { "2012r2", 3 },
                 { "2016", 4 }, { "2019", 5 },   { "2025", 5 } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct pair_options options = { .release = rows[i].release, .video = true };

        expected_minor = rows[i].minor;
        pair_run(&options, version_body, 1);
    }
}

static void a_new_host_with_an_old_display_is_met_where_it_is(void **state)
{
    (void)state;
    for (uint32_t minor = 0; minor <= 5; minor++) {
        const struct pair_options options = { .release = "2022", .video = true,
                                              .video_version = SYNTHVID_VERSION(3, minor) };

        expected_minor = minor == 1 ? 0 : minor;        /* nobody speaks 3.1 */
        pair_run(&options, version_body, 1);
    }
}

static void newest_body(struct pair *pair)
{
    PAIR_CHECK(pair, wait_for_framebuffer(true));
    check_picture(pair);
    PAIR_CHECK(pair, framebuffer_set_mode(3840, 2160) == 0);
    PAIR_CHECK(pair, host_shows(pair, 3840, 2160));
    check_picture(pair);
}

static void a_version_never_seen_is_not_needed(void **state)
{
    const struct pair_options options = { .release = "2022", .video = true,
                                          .video_version = SYNTHVID_VERSION(3, 99) };

    (void)state;
    pair_run(&options, newest_body, SEEDS);
}

static void too_large_body(struct pair *pair)
{
    PAIR_CHECK(pair, wait_for_framebuffer(true));
    PAIR_CHECK(pair, has_mode(1920, 1080) && !has_mode(1920, 1200) && !has_mode(2560, 1440));
    PAIR_CHECK(pair, framebuffer_set_mode(1920, 1200) == -ENOENT);
    PAIR_CHECK(pair, framebuffer_set_mode(0xffffffff, 0xffffffff) == -ENOENT);
    check_picture(pair);
    PAIR_CHECK(pair, framebuffer_set_mode(1920, 1080) == 0);
    PAIR_CHECK(pair, host_shows(pair, 1920, 1080));
    check_picture(pair);
}

static void modes_beyond_the_memory_are_not_there(void **state)
{
    const struct pair_options options = { .release = "2012", .video = true, .video_megabytes = 8 };

    (void)state;
    pair_run(&options, too_large_body, SEEDS);
}

static void no_room_body(struct pair *pair)
{
    pair_sleep(20 * PAIR_SECOND);
    PAIR_CHECK(pair, !framebuffer_picture(&picture));
    PAIR_CHECK(pair, pair_host_heartbeats(pair->host) >= 1);
}

static void a_display_too_small_for_any_mode_is_left_alone(void **state)
{
    const struct pair_options options = { .release = "2022", .video = true, .video_megabytes = 1 };

    (void)state;
    pair_run(&options, no_room_body, 1);
}

static void boot_argument_body(struct pair *pair)
{
    PAIR_CHECK(pair, wait_for_framebuffer(true));
    PAIR_CHECK(pair, picture.width == 1444 && picture.height == 999);
    PAIR_CHECK(pair, has_mode(1666, 777) && !has_mode(9000, 9000));
    check_picture(pair);
}

static void the_boot_argument_names_modes_and_the_first_that_fits_is_used(void **state)
{
    const struct pair_options options = { .release = "2022", .video = true,
                                          .boot_args = "hvgfxmode=9000x9000,1444x999,1666x777" };

    (void)state;
    pair_run(&options, boot_argument_body, 1);
}

static void off_body(struct pair *pair)
{
    pair_sleep(PAIR_SECOND);
    PAIR_CHECK(pair, !framebuffer_picture(&picture));
}

static void boot_arguments_leave_the_display_alone(void **state)
{
    const struct pair_options device = { .video = true, .boot_args = "-hvgfxoff" };
    const struct pair_options framebuffer = { .video = true, .boot_args = "-hvgfxfboff" };

    (void)state;
    pair_run(&device, off_body, 1);
    pair_run(&framebuffer, off_body, 1);
}

/* ---- the property ---- */

static IOService *find_service(const char *name)
{
    OSDictionary *matching = IOService_serviceMatching_cstring(name, NULL);
    OSIterator *found = IOService_getMatchingServices(matching);
    IOService *service = found == NULL ? NULL : iterator_next(found);

    object_release(found);
    object_release(matching);
    return service; /* borrowed: nothing goes away meanwhile */
}

static int32_t set_property(const char *text)
{
    IORegistryEntry *graphics = (IORegistryEntry *)find_service("HyperVGraphics");
    OSDictionary *properties = OSDictionary_withCapacity(1);
    OSString *value = OSString_withCString(text);
    int32_t result = kIOReturnNoDevice;

    OSDictionary_setObject_cstring(properties, "HVDisplayMode", (OSMetaClassBase *)value);
    if (graphics != NULL)
        result = IORegistryEntry_setProperties(graphics, (OSObject *)properties);
    object_release(value);
    object_release(properties);
    return result;
}

static void property_body(struct pair *pair)
{
    PAIR_CHECK(pair, wait_for_framebuffer(true));
    PAIR_CHECK(pair, set_property("1777x888") == kIOReturnSuccess);
    PAIR_CHECK(pair, host_shows(pair, 1777, 888));
    check_picture(pair);
    PAIR_CHECK(pair, set_property("20000x888") == kIOReturnBadArgument);
    PAIR_CHECK(pair, set_property("16000x16000") == kIOReturnBadArgument);
    PAIR_CHECK(pair, set_property("large") == kIOReturnBadArgument);
    PAIR_CHECK(pair, host_shows(pair, 1777, 888));
    PAIR_CHECK(pair, set_property("800x600") == kIOReturnSuccess);
    PAIR_CHECK(pair, host_shows(pair, 800, 600));
    check_picture(pair);
}

static void the_property_sets_a_mode_at_run_time(void **state)
{
    const struct pair_options options = { .release = "2022", .video = true };

    (void)state;
    pair_run(&options, property_body, SEEDS);
}

/* ---- changes ---- */

/* What the host was told within a while. */
static void take_changes(struct pair *pair)
{
    pair_sleep(PAIR_SECOND / 2);
    pair_video_take_changes(pair->host, &changes);
}

static void changes_body(struct pair *pair)
{
    uint64_t messages;

    PAIR_CHECK(pair, wait_for_framebuffer(true));
    pair_video_watch(pair->host, true);
    take_changes(pair);
    PAIR_CHECK(pair, changes.left == 0 && changes.top == 0 &&
                         changes.right == (int32_t)picture.width &&
                         changes.bottom == (int32_t)picture.height);
    take_changes(pair);
    PAIR_CHECK(pair, changes.rectangles == 0);  /* nothing has changed */
    for (uint32_t y = 0; y < picture.height; y += 97) {
        picture.pixels[y * picture.pitch + 4 * y]++;
        take_changes(pair);
        PAIR_CHECK(pair, changes.rectangles == 1 && changes.left <= (int32_t)y &&
                             changes.right > (int32_t)y && changes.top <= (int32_t)y &&
                             changes.bottom > (int32_t)y);
    }
    pair_video_screen(pair->host, &screen);
    messages = screen.dirt_messages;
    for (unsigned i = 0; i < 1000; i++) {       /* a film: changes all the time for a second */
        draw(i);
        pair_sleep(MILLISECOND);
    }
    pair_video_screen(pair->host, &screen);
    PAIR_CHECK(pair, screen.dirt_messages - messages >= 30 &&
                         screen.dirt_messages - messages <= 65);
    pair_video_watch(pair->host, false);
    pair_sleep(PAIR_SECOND / 10);
    pair_video_screen(pair->host, &screen);
    messages = screen.dirt_messages;
    draw(5);
    pair_sleep(PAIR_SECOND);
    pair_video_screen(pair->host, &screen);
    PAIR_CHECK(pair, screen.dirt_messages == messages); /* nobody looks */
}

static void changes_are_told_at_a_bounded_rate_and_only_to_those_who_look(void **state)
{
    const struct pair_options options = { .release = "2022", .video = true };

    (void)state;
    pair_run(&options, changes_body, 1);
}

/* ---- the pointer ---- */

static void pointer_body(struct pair *pair)
{
    static uint32_t pixels[96 * 96];
    const struct framebuffer_cursor cursor = { pixels, 96, 96, 5, 90 };
    const struct framebuffer_cursor large = { pixels, 97, 95, 0, 0 };
    struct pair_pointer pointer;

    PAIR_CHECK(pair, wait_for_framebuffer(true));
    pair_video_watch(pair->host, true);
    for (uint32_t i = 0; i < 96 * 96; i++)
        pixels[i] = i * 0x01030507u;
    PAIR_CHECK(pair, framebuffer_set_cursor(&cursor) == 0);
    PAIR_CHECK(pair, framebuffer_move_cursor(100, -3, true) == 0);
    pair_sleep(PAIR_SECOND / 5);
    pair_video_pointer(pair->host, &pointer);
    PAIR_CHECK(pair, pointer.is_visible && pointer.x == 100 && pointer.y == -3);
    PAIR_CHECK(pair, pointer.width == 96 && pointer.height == 96 && pointer.hot_x == 5 &&
                         pointer.hot_y == 90);
    PAIR_CHECK(pair, memcmp(pointer.pixels, pixels, sizeof pixels) == 0);
    PAIR_CHECK(pair, framebuffer_set_cursor(&large) == -ENOTSUP);
    for (int i = 0; i < 1000; i++)      /* as fast as a hand never is */
        PAIR_CHECK(pair, framebuffer_move_cursor(i, i, true) == 0);
    pair_sleep(PAIR_SECOND / 5);
    pair_video_pointer(pair->host, &pointer);
    PAIR_CHECK(pair, pointer.x == 999 && pointer.y == 999 && pointer.width == 96);
    PAIR_CHECK(pair, framebuffer_move_cursor(7, 7, false) == 0);
    pair_sleep(PAIR_SECOND / 5);
    pair_video_pointer(pair->host, &pointer);
    PAIR_CHECK(pair, !pointer.is_visible);
    PAIR_CHECK(pair, framebuffer_move_cursor(7, 7, true) == 0);
    pair_sleep(PAIR_SECOND / 5);
    pair_video_pointer(pair->host, &pointer);
    PAIR_CHECK(pair, pointer.is_visible && pointer.width == 96);
}

static void the_pointer_is_the_hosts_with_alpha_and_hot_spot(void **state)
{
    const struct pair_options options = { .release = "2022", .video = true };

    (void)state;
    pair_run(&options, pointer_body, SEEDS);
}

/* ---- the host's wishes ---- */

static void resize_body(struct pair *pair)
{
    PAIR_CHECK(pair, wait_for_framebuffer(true));
    PAIR_CHECK(pair, pair_video_resize(pair->host, 1500, 900) == 0);
    PAIR_CHECK(pair, host_shows(pair, 1500, 900));
    check_picture(pair);
    PAIR_CHECK(pair, framebuffer_set_mode(1024, 768) == 0);
    PAIR_CHECK(pair, host_shows(pair, 1024, 768));
    PAIR_CHECK(pair, pair_video_resize(pair->host, 1920, 1080) == 0);
    PAIR_CHECK(pair, host_shows(pair, 1920, 1080));
    check_picture(pair);
    pair_video_watch(pair->host, true); /* a viewer is no reason to change anything */
    pair_sleep(PAIR_SECOND);
    PAIR_CHECK(pair, host_shows(pair, 1920, 1080));
}

static void a_display_of_another_size_is_followed(void **state)
{
    const struct pair_options options = { .release = "2022", .video = true,
                                          .boot_args = "hvgfxmode=1280x720" };

    (void)state;
    pair_run(&options, resize_body, SEEDS);
}

static void storm_body(struct pair *pair)
{
    PAIR_CHECK(pair, wait_for_framebuffer(true));
    for (uint32_t i = 0; i < 200; i++) {
        PAIR_CHECK(pair, pair_video_resize(pair->host, 800 + i % 50 * 8, 600 + i % 7) == 0);
        pair_video_watch(pair->host, i % 2 == 0);
        if (i % 16 == 0)
            framebuffer_set_mode(1024, 768);    /* somebody else wants something, too */
        pair_sleep(i % 5 * MILLISECOND);
    }
    PAIR_CHECK(pair, pair_video_resize(pair->host, 1600, 900) == 0);
    PAIR_CHECK(pair, host_shows(pair, 1600, 900));
    check_picture(pair);
}

static void a_storm_of_sizes_ends_with_the_last_one(void **state)
{
    const struct pair_options options = { .release = "2022", .video = true };

    (void)state;
    pair_run(&options, storm_body, SEEDS);
}

/* ---- the interface between the two kexts ---- */

static void interface_body(struct pair *pair)
{
    struct graphics_interface graphics = { .version = GRAPHICS_INTERFACE_VERSION + 1 };
    const struct display_size large = { 16000, 16000 }, good = { 800, 600 };
    const struct graphics_client client = { &graphics, NULL };
    IOService *service;

    PAIR_CHECK(pair, wait_for_framebuffer(true));
    service = find_service("HyperVGraphics");
    PAIR_CHECK(pair, service != NULL);
    if (service == NULL)
        return;
    PAIR_CHECK(pair, IOService_callPlatformFunction_cstring(service, GRAPHICS_INTERFACE, false,
                                                            &graphics, NULL, NULL,
                                                            NULL) == kIOReturnUnsupported);
    PAIR_CHECK(pair, IOService_callPlatformFunction_cstring(service, GRAPHICS_INTERFACE, false,
                                                            NULL, NULL, NULL,
                                                            NULL) == kIOReturnUnsupported);
    PAIR_CHECK(pair, graphics.service == NULL);
    graphics.version = GRAPHICS_INTERFACE_VERSION;
    PAIR_CHECK(pair, IOService_callPlatformFunction_cstring(service, GRAPHICS_INTERFACE, false,
                                                            &graphics, NULL, NULL,
                                                            NULL) == kIOReturnSuccess);
    /* The framebuffer has it; whoever is not connected takes nothing away. */
    PAIR_CHECK(pair, graphics.connect(graphics.service, &client) == HV_ERROR_STATE);
    graphics.disconnect(graphics.service, &graphics);
    PAIR_CHECK(pair, graphics.set_mode(graphics.service, &large) == HV_ERROR_INVALID);
    PAIR_CHECK(pair, graphics.set_mode(graphics.service, &good) == 0);
    PAIR_CHECK(pair, host_shows(pair, 800, 600));
    /* And the framebuffer hears of it. */
    PAIR_CHECK(pair, pair_video_resize(pair->host, 1600, 900) == 0);
    PAIR_CHECK(pair, host_shows(pair, 1600, 900));
    check_picture(pair);
}

static void the_device_has_one_client_and_refuses_what_it_does_not_have(void **state)
{
    const struct pair_options options = { .release = "2022", .video = true };

    (void)state;
    pair_run(&options, interface_body, SEEDS);
}

/* ---- without MacHyperVFramebuffer.kext ---- */

static void come_back(struct pair *pair)
{
    pair_host_end_faults(pair->host);
    PAIR_CHECK(pair, wait_for_framebuffer(false));
    pair_sleep(2 * PAIR_SECOND);
    PAIR_CHECK(pair, pair_video_add(pair->host));
    PAIR_CHECK(pair, wait_for_framebuffer(true));
    check_picture(pair);
    PAIR_CHECK(pair, pair_host_heartbeats(pair->host) >= 1);
}

static void bridge_body(struct pair *pair)
{
    IOService *display;
    IODeviceMemory *memory;
    OSData *identity;

    pair_sleep(5 * PAIR_SECOND);
    PAIR_CHECK(pair, !framebuffer_picture(&picture));
    PAIR_CHECK(pair, find_service("HyperVGraphicsBridge") != NULL);
    display = find_service("IOPCIDevice");
    PAIR_CHECK(pair, display != NULL);
    if (display == NULL)
        return;
    identity = iokit_cast(OSData, IORegistryEntry_getProperty_cstring(
                                      (IORegistryEntry *)display, "vendor-id"));
    PAIR_CHECK(pair, identity != NULL &&
                         memcmp(OSData_getBytesNoCopy(identity), "\x14\x14", 2) == 0);
    /* As before a driver is tried. */
    PAIR_CHECK(pair, IOService_getResources(display) == kIOReturnSuccess);
    memory = IOPCIDevice_getDeviceMemoryWithRegister((IOPCIDevice *)display, 0x10);
    pair_video_screen(pair->host, &screen);
    PAIR_CHECK(pair, memory != NULL && screen.pixels != NULL);
    if (memory == NULL)
        return;
    PAIR_CHECK(pair, IOMemoryDescriptor_getPhysicalAddress((IOMemoryDescriptor *)memory) ==
                         screen.vram_address);
    PAIR_CHECK(pair, IOMemoryDescriptor_getLength((IOMemoryDescriptor *)memory) >=
                         screen.pitch * screen.height);
}

static void without_the_framebuffer_kext_a_pci_display_has_the_screens_memory(void **state)
{
    const struct pair_options options = { .release = "2022", .video = true,
                                          .no_framebuffer = true };

    (void)state;
    pair_run(&options, bridge_body, SEEDS);
}

static void late_body(struct pair *pair)
{
    pair_sleep(5 * PAIR_SECOND);
    PAIR_CHECK(pair, find_service("IOPCIDevice") != NULL && !framebuffer_picture(&picture));
    pair_install_framebuffer();
    PAIR_CHECK(pair, wait_for_framebuffer(true));
    check_picture(pair);
    PAIR_CHECK(pair, framebuffer_set_mode(1920, 1080) == 0);
    check_picture(pair);
    pair_video_remove(pair->host);
    come_back(pair);
}

static void a_framebuffer_kext_that_comes_later_takes_the_pci_display(void **state)
{
    const struct pair_options options = { .release = "2022", .video = true,
                                          .no_framebuffer = true };

    (void)state;
    pair_run(&options, late_body, SEEDS);
}

static void no_bridge_body(struct pair *pair)
{
    pair_sleep(2 * PAIR_SECOND);
    PAIR_CHECK(pair, find_service("HyperVGraphics") != NULL);
    PAIR_CHECK(pair, find_service("HyperVGraphicsBridge") == NULL &&
                         find_service("IOPCIDevice") == NULL);
}

static void the_bridge_can_be_left_out(void **state)
{
    const struct pair_options options = { .release = "2022", .video = true, .no_framebuffer = true,
                                          .boot_args = "-hvgfxboff" };

    (void)state;
    pair_run(&options, no_bridge_body, 1);
}

static void first_generation_body(struct pair *pair)
{
    pair_sleep(2 * PAIR_SECOND);
    PAIR_CHECK(pair, find_service("HyperVGraphics") != NULL);
    PAIR_CHECK(pair, find_service("HyperVGraphicsBridge") == NULL);
    pair_video_remove(pair->host);
    pair_sleep(PAIR_SECOND);
    PAIR_CHECK(pair, pair_video_add(pair->host));
    pair_sleep(PAIR_SECOND);
    PAIR_CHECK(pair, find_service("HyperVGraphics") != NULL);
}

static void a_machine_of_generation_1_needs_no_bridge(void **state)
{
    const struct pair_options options = { .release = "2022", .video = true,
                                          .no_framebuffer = true, .generation = 1 };

    (void)state;
    pair_run(&options, first_generation_body, SEEDS);
}

/* ---- going and coming ---- */

static void rescind_body(struct pair *pair)
{
    PAIR_CHECK(pair, wait_for_framebuffer(true));
    pair_video_watch(pair->host, true);
    draw(1);
    pair_video_remove(pair->host);
    PAIR_CHECK(pair, framebuffer_set_mode(1280, 1024) != 0);
    come_back(pair);
}

static void a_display_taken_away_comes_back(void **state)
{
    const struct pair_options options = { .release = "2022", .video = true };

    (void)state;
    pair_run(&options, rescind_body, SEEDS);
}

static void rescinded_step_body(struct pair *pair)
{
    pair_sleep(PAIR_SECOND);
    come_back(pair);
}

/* The first packets of the host: the version, the resolutions, the memory, the first mode,
 * the framebuffer's mode. */
static void a_display_taken_away_at_any_step_comes_back(void **state)
{
    (void)state;
    for (unsigned step = 1; step <= 5; step++) {
        char rule[64];
        const struct pair_options options = { .release = "2022", .video = true,
                                              .faults = { rule } };

        snprintf(rule, sizeof rule, "packet,rescind,channel=%u,nth=%u,times=1", CHANNEL, step);
        pair_run(&options, rescinded_step_body, 1);
    }
}

/* Takes the display away and offers it again with the nth allocation from there on failing;
 * 0: none. False: there were not so many. */
static bool attach_again(struct pair *pair, uint64_t nth)
{
    bool refused;

    pair_video_remove(pair->host);
    PAIR_CHECK(pair, wait_for_framebuffer(false));
    pair_sleep(PAIR_SECOND);
    machine_allocation_fail_at(nth, false);
    PAIR_CHECK(pair, pair_video_add(pair->host));
    pair_sleep(PAIR_SECOND);
    refused = machine_allocation_failed() != 0;
    machine_allocation_fail_at(0, false);
    PAIR_CHECK(pair, xnu_wait_quiet(60 * PAIR_SECOND));
    return refused;
}

static void scarce_body(struct pair *pair)
{
    uint64_t nth = 1;

    PAIR_CHECK(pair, wait_for_framebuffer(true));
    /* Close together at first, where each allocation is another one; further apart later. */
    while (attach_again(pair, nth) && pair->failures == 0)
        nth += 1 + nth / 16;
    PAIR_CHECK(pair, nth > 50); /* so many there are at least */
    attach_again(pair, 0);
    PAIR_CHECK(pair, wait_for_framebuffer(true));
    check_picture(pair);
}

static void memory_that_runs_out_anywhere_does_no_harm(void **state)
{
    const struct pair_options options = { .release = "2022", .video = true };

    (void)state;
    pair_run(&options, scarce_body, 1);
}

/* ---- hosts that answer late, wrong or not at all ---- */

static void recover_body(struct pair *pair)
{
    /* A version lost costs the wait for it; what comes after cannot be done without. */
    if (!wait_for_framebuffer(true)) {
        pair_video_remove(pair->host);
        come_back(pair);
        return;
    }
    check_picture(pair);
    /* The fault may have waited for this one: then the old mode stays, and the next try works. */
    PAIR_CHECK(pair, framebuffer_set_mode(1280, 1024) == 0 ||
                         framebuffer_set_mode(1280, 1024) == 0);
    check_picture(pair);
}

static void after_any_answer_lost_cut_wrong_late_or_doubled_the_next_good_one_works(void **state)
{
    static const char *const actions[] = { "drop", "truncate=24", "corrupt=16", "corrupt=24",
                                           "corrupt=28", "duplicate", "delay=100000" };

    (void)state;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        for (unsigned step = 1; step <= 5; step++) {
            char rule[80];
            const struct pair_options options = { .release = "2022", .video = true,
                                                  .faults = { rule } };

            snprintf(rule, sizeof rule, "packet,%s,channel=%u,nth=%u,times=1", actions[i],
                     CHANNEL, step);
            pair_run(&options, recover_body, 1);
        }
}

static void silent_body(struct pair *pair)
{
    PAIR_CHECK(pair, wait_for_framebuffer(true));
    pair_video_screen(pair->host, &screen);
    PAIR_CHECK(pair, screen.version_minor == 3);
    check_picture(pair);
}

static void a_host_that_is_silent_about_new_versions_is_asked_for_older_ones(void **state)
{
    /* The first two answers are lost: those to 3.5 and 3.4. */
    const struct pair_options options = { .release = "2022", .video = true,
                                          .faults = { "packet,drop,channel=3,times=2" } };

    (void)state;
    pair_run(&options, silent_body, 1);
}

static void unanswered_body(struct pair *pair)
{
    PAIR_CHECK(pair, wait_for_framebuffer(true));
    PAIR_CHECK(pair, framebuffer_set_mode(1280, 1024) == -EIO);
    PAIR_CHECK(pair, framebuffer_picture(&picture) && picture.width == 1024 &&
                         picture.height == 768);
    PAIR_CHECK(pair, host_shows(pair, 1024, 768));      /* it was taken back */
    check_picture(pair);
    PAIR_CHECK(pair, framebuffer_set_mode(1280, 1024) == 0);
    PAIR_CHECK(pair, host_shows(pair, 1280, 1024));
    check_picture(pair);
}

static void a_mode_that_the_host_does_not_acknowledge_is_taken_back(void **state)
{
    /* After the version, the resolutions, the memory, the first mode and the framebuffer's. */
    const struct pair_options options = { .release = "2022", .video = true,
                                          .faults = { "packet,drop,channel=3,nth=6,times=1" } };

    (void)state;
    pair_run(&options, unanswered_body, SEEDS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_release_of_the_host_shows_what_is_drawn),
        cmocka_unit_test(a_new_host_with_an_old_display_is_met_where_it_is),
        cmocka_unit_test(a_version_never_seen_is_not_needed),
        cmocka_unit_test(modes_beyond_the_memory_are_not_there),
        cmocka_unit_test(a_display_too_small_for_any_mode_is_left_alone),
        cmocka_unit_test(the_boot_argument_names_modes_and_the_first_that_fits_is_used),
        cmocka_unit_test(boot_arguments_leave_the_display_alone),
        cmocka_unit_test(the_property_sets_a_mode_at_run_time),
        cmocka_unit_test(changes_are_told_at_a_bounded_rate_and_only_to_those_who_look),
        cmocka_unit_test(the_pointer_is_the_hosts_with_alpha_and_hot_spot),
        cmocka_unit_test(a_display_of_another_size_is_followed),
        cmocka_unit_test(a_storm_of_sizes_ends_with_the_last_one),
        cmocka_unit_test(the_device_has_one_client_and_refuses_what_it_does_not_have),
        cmocka_unit_test(without_the_framebuffer_kext_a_pci_display_has_the_screens_memory),
        cmocka_unit_test(a_framebuffer_kext_that_comes_later_takes_the_pci_display),
        cmocka_unit_test(the_bridge_can_be_left_out),
        cmocka_unit_test(a_machine_of_generation_1_needs_no_bridge),
        cmocka_unit_test(a_display_taken_away_comes_back),
        cmocka_unit_test(a_display_taken_away_at_any_step_comes_back),
        cmocka_unit_test(memory_that_runs_out_anywhere_does_no_harm),
        cmocka_unit_test(after_any_answer_lost_cut_wrong_late_or_doubled_the_next_good_one_works),
        cmocka_unit_test(a_host_that_is_silent_about_new_versions_is_asked_for_older_ones),
        cmocka_unit_test(a_mode_that_the_host_does_not_acknowledge_is_taken_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
