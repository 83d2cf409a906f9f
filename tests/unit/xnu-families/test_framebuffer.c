/* SPDX-License-Identifier: BSD-3-Clause */
/* IOFramebuffer and the window server's place above it, with a driver of the test. */
#include "tests/unit/xnu-iokit/iokit_test.h"

#include "abi/IODeviceMemory.h"
#include "abi/IOFramebuffer.h"
#include "abi/constants.h"
#include "abi/constants/errno.h"

#include "xnu/families/graphics/framebuffer.h"
#include "xnu/libkern/class.h"
#include "xnu/machine/memory.h"

enum { MODES = 3, PAGES = 2048 << 10, CURSOR_EDGE = 32 };

static const struct {
    int32_t id;
    uint32_t width, height;
} test_modes[MODES] = { { 7, 640, 480 }, { 8, 800, 600 }, { 9, 100, 480 /* too narrow */ } };

/* How the driver behaves. */
static struct {
    int32_t enable_result, set_result;
    uint64_t aperture_bytes;
    int32_t mode, default_mode;
    bool has_cursor;
    uint32_t cursor_bits;
    uint8_t *memory;
    void (*connect_changed)(OSObject *, void *);
    OSObject *connect_target;
    uint32_t cursor[CURSOR_EDGE * CURSOR_EDGE], cursor_width, cursor_hot_x;
    int32_t x, y;
    bool visible;
} given;

struct TestFramebuffer {
    IOFramebuffer super;
};
typedef struct TestFramebuffer TestFramebuffer;

static int32_t test_enable(IOFramebuffer *me)
{
    record("enable");
    return given.enable_result;
}

static IODeviceMemory *test_aperture(IOFramebuffer *me, int32_t aperture)
{
    record("aperture");
    return IODeviceMemory_withRange(machine_physical_address(given.memory), given.aperture_bytes);
}

static IODeviceMemory *test_vram(IOFramebuffer *me)
{
    return IODeviceMemory_withRange(machine_physical_address(given.memory), given.aperture_bytes);
}

static const char *test_formats(IOFramebuffer *me)
{
    return "--------RRRRRRRRGGGGGGGGBBBBBBBB\0";
}

static uint32_t test_count(IOFramebuffer *me)
{
    return MODES;
}

static int32_t test_list(IOFramebuffer *me, int32_t *modes)
{
    for (unsigned i = 0; i < MODES; i++)
        modes[i] = test_modes[i].id;
    return kIOReturnSuccess;
}

static int find(int32_t id)
{
    for (int i = 0; i < MODES; i++)
        if (test_modes[i].id == id)
            return i;
    return -1;
}

static int32_t test_information(IOFramebuffer *me, int32_t mode, IODisplayModeInformation *into)
{
    int index = find(mode);

    if (index < 0)
        return kIOReturnBadArgument;
    into->nominalWidth = test_modes[index].width;
    into->nominalHeight = test_modes[index].height;
    into->flags = mode == given.default_mode ? kDisplayModeDefaultFlag : 0;
    return kIOReturnSuccess;
}

static uint64_t test_no_formats(IOFramebuffer *me, int32_t mode, int32_t depth)
{
    return 0;
}

static int32_t test_pixels(IOFramebuffer *me, int32_t mode, int32_t depth, int32_t aperture,
                           IOPixelInformation *pixels)
{
    int index = find(mode);

    record("pixels");
    if (index < 0)
        return kIOReturnBadArgument;
    memset(pixels, 0, sizeof *pixels);
    pixels->activeWidth = test_modes[index].width;
    pixels->activeHeight = test_modes[index].height;
    pixels->bytesPerRow = test_modes[index].width * 4 + 64;
    pixels->bitsPerPixel = 32;
    pixels->componentMasks[0] = 0xFF0000;
    return kIOReturnSuccess;
}

static int32_t test_current(IOFramebuffer *me, int32_t *mode, int32_t *depth)
{
    record("current");
    *mode = given.mode;
    *depth = 0;
    return kIOReturnSuccess;
}

static int32_t test_set(IOFramebuffer *me, int32_t mode, int32_t depth)
{
    record("set.%d", mode);
    if (given.set_result == kIOReturnSuccess)
        given.mode = mode;
    return given.set_result;
}

static int32_t test_attribute(IOFramebuffer *me, uint32_t attribute, unsigned long *value)
{
    if (attribute != kIOHardwareCursorAttribute || !given.has_cursor)
        return kIOReturnUnsupported;
    *value = 1;
    return kIOReturnSuccess;
}

static int32_t test_register(IOFramebuffer *me, uint32_t type, void (*action)(OSObject *, void *),
                             OSObject *target, void *reference, void **interrupt)
{
    if (type != kIOFBConnectInterruptType)
        return kIOReturnUnsupported;
    given.connect_changed = action;
    given.connect_target = target;
    *interrupt = &given;
    return kIOReturnSuccess;
}

static int32_t test_unregister(IOFramebuffer *me, void *interrupt)
{
    CHECK(interrupt == &given);
    given.connect_changed = NULL;
    return kIOReturnSuccess;
}

static int32_t test_cursor_image(IOFramebuffer *me, void *image)
{
    IOHardwareCursorDescriptor descriptor = { .majorVersion = kHardwareCursorDescriptorMajorVersion,
                                              .width = CURSOR_EDGE,
                                              .height = CURSOR_EDGE,
                                              .bitDepth = given.cursor_bits };
    IOHardwareCursorInfo info = { .hardwareCursorData = (uint8_t *)given.cursor };

    if (!IOFramebuffer_convertCursorImage(me, image, &descriptor, &info))
        return kIOReturnUnsupported;
    given.cursor_width = info.cursorWidth;
    given.cursor_hot_x = info.cursorHotSpotX;
    return kIOReturnSuccess;
}

static int32_t test_cursor_state(IOFramebuffer *me, int32_t x, int32_t y, bool visible)
{
    given.x = x;
    given.y = y;
    given.visible = visible;
    return kIOReturnSuccess;
}

KERNEL_CLASS(15, TestFramebuffer, IOFramebuffer,
             .enableController = test_enable,
             .getApertureRange = test_aperture,
             .getVRAMRange = test_vram,
             .getPixelFormats = test_formats,
             .getDisplayModeCount = test_count,
             .getDisplayModes = test_list,
             .getInformationForDisplayMode = test_information,
             .getPixelFormatsForDisplayMode = test_no_formats,
             .getPixelInformation = test_pixels,
             .getCurrentDisplayMode = test_current,
             .setDisplayMode = test_set,
             .getAttribute = test_attribute,
             .registerForInterruptType = test_register,
             .unregisterInterrupt_pointer = test_unregister,
             .setCursorImage = test_cursor_image,
             .setCursorState = test_cursor_state)

/* ---- who draws ------------------------------------------------------------------------------- */

static struct framebuffer_picture shown;

static void observe_shown(const struct framebuffer_picture *picture)
{
    record("shown.%ux%u", picture->width, picture->height);
    shown = *picture;
}

static void observe_hidden(void)
{
    record("hidden");
}

static const struct framebuffer_observer observer = { observe_shown, observe_hidden };

/* ---- the rig --------------------------------------------------------------------------------- */

static IOService *start_framebuffer(void)
{
    IOService *nub = make_nub("screen", NULL);
    IOService *framebuffer = object_new(&TestFramebuffer_gMetaClass);

    CHECK(IORegistryEntry_init_dictionary(as_entry(framebuffer), NULL));
    CHECK(IOService_attach(framebuffer, nub));
    CHECK(IOService_start(framebuffer, nub));
    CHECK(wait_idle());
    object_release(nub);
    return framebuffer;
}

static void stop_framebuffer(IOService *framebuffer)
{
    IOService_terminate(framebuffer, kIOServiceSynchronous | kIOServiceRequired);
    CHECK(wait_idle());
    object_release(framebuffer);
}

static void prepare(void)
{
    memset(&given, 0, sizeof given);
    given.memory = machine_pages_allocate(PAGES, 0, MACHINE_NO_LIMIT);
    given.aperture_bytes = PAGES;
    given.mode = 7;
    given.has_cursor = true;
    given.cursor_bits = 32;
    framebuffer_observe(&observer);
    framebuffer_start();
    forget_events();
}

static unsigned mode_count(void)
{
    return framebuffer_modes(NULL, 0);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void opening_body(void *argument)
{
    struct framebuffer_mode modes[MODES];
    struct framebuffer_picture picture;

    prepare();
    CHECK(!framebuffer_picture(&picture) && mode_count() == 0);
    CHECK(framebuffer_set_mode(640, 480) == -ENODEV);
    CHECK(framebuffer_move_cursor(1, 1, true) == -ENODEV);
    IOService *framebuffer = start_framebuffer();
    CHECK_EVENTS("enable current pixels aperture shown.640x480");
    CHECK(framebuffer_picture(&picture));
    CHECK(picture.pixels == given.memory && picture.pitch == 640 * 4 + 64 && picture.bits == 32);
    CHECK(picture.address == machine_physical_address(given.memory));
    CHECK(picture.red == 0xFF0000);
    CHECK(framebuffer_modes(modes, 2) == MODES);
    CHECK(modes[0].is_current && !modes[1].is_current && modes[1].width == 800);
    stop_framebuffer(framebuffer);
    CHECK(!framebuffer_picture(&picture) && mode_count() == 0);
    CHECK(given.connect_changed == NULL);
}

static void a_framebuffer_is_opened_in_order_and_closed(void **state)
{
    (void)state;
    run_iokit(opening_body);
    run_iokit_real(opening_body);
}

static void switch_body(void *argument)
{
    prepare();
    IOService *framebuffer = start_framebuffer();
    forget_events();
    CHECK(framebuffer_set_mode(800, 600) == 0);
    CHECK_EVENTS("hidden set.8 current pixels aperture shown.800x600");
    CHECK(framebuffer_set_mode(801, 600) == -ENOENT);
    CHECK(framebuffer_set_mode(0, 0) == -ENOENT);
    given.set_result = kIOReturnNotPermitted;
    forget_events();
    CHECK(framebuffer_set_mode(640, 480) == -EIO);
    CHECK_EVENTS("hidden set.7 current pixels aperture shown.800x600");
    given.set_result = kIOReturnSuccess;
    CHECK(framebuffer_set_mode(640, 480) == 0);
    CHECK(shown.width == 640);
    stop_framebuffer(framebuffer);
}

static void a_mode_is_switched_with_nobody_drawing_or_stays(void **state)
{
    (void)state;
    run_iokit(switch_body);
}

static void no_picture_body(void *argument)
{
    struct framebuffer_picture picture;

    prepare();
    IOService *framebuffer = start_framebuffer();
    forget_events();
    CHECK(framebuffer_set_mode(100, 480) == 0);     /* the driver says yes, and it is no screen */
    CHECK_EVENTS("hidden set.9 current pixels");
    CHECK(!framebuffer_picture(&picture));
    CHECK(framebuffer_set_mode(640, 480) == 0);     /* and there is a way back */
    CHECK(framebuffer_picture(&picture));
    given.aperture_bytes = 4096;
    CHECK(framebuffer_set_mode(800, 600) == 0);
    CHECK(!framebuffer_picture(&picture));
    given.aperture_bytes = PAGES;
    CHECK(framebuffer_set_mode(640, 480) == 0);
    CHECK(framebuffer_picture(&picture));
    stop_framebuffer(framebuffer);
}

static void what_the_aperture_does_not_hold_is_not_shown(void **state)
{
    (void)state;
    run_iokit(no_picture_body);
}

static void dead_body(void *argument)
{
    struct framebuffer_picture picture;

    prepare();
    given.enable_result = kIOReturnNoDevice;
    IOService *framebuffer = start_framebuffer();
    CHECK_EVENTS("enable");
    CHECK(!framebuffer_picture(&picture));
    stop_framebuffer(framebuffer);
    given.enable_result = kIOReturnSuccess;
    framebuffer = start_framebuffer();  /* the next one is taken */
    CHECK(framebuffer_picture(&picture));
    stop_framebuffer(framebuffer);
}

static void a_controller_that_does_not_start_is_left(void **state)
{
    (void)state;
    run_iokit(dead_body);
}

static void connect_body(void *argument)
{
    prepare();
    IOService *framebuffer = start_framebuffer();
    given.default_mode = 8;
    CHECK(given.connect_changed != NULL);
    if (given.connect_changed)
        given.connect_changed(given.connect_target, NULL);
    while (shown.width != 800)
        machine_yield();
    CHECK(given.mode == 8);
    stop_framebuffer(framebuffer);
}

static void a_display_that_changes_gets_its_default_mode(void **state)
{
    (void)state;
    run_iokit(connect_body);
}

static void cursor_body(void *argument)
{
    uint32_t pixels[33 * 33];
    struct framebuffer_cursor cursor = { pixels, 16, 8, 3, 4 };

    prepare();
    for (unsigned i = 0; i < sizeof pixels / sizeof *pixels; i++)
        pixels[i] = 0x80000000u + i;
    IOService *framebuffer = start_framebuffer();
    CHECK(given.cursor_width == 0);     /* trying it showed nothing */
    CHECK(((IOFramebuffer *)framebuffer)->maxCursorSize.width == CURSOR_EDGE);
    CHECK(framebuffer_set_cursor(&cursor) == 0);
    CHECK(given.cursor_width == 16 && given.cursor_hot_x == 3);
    CHECK(memcmp(given.cursor, pixels, 16 * 8 * sizeof *pixels) == 0);
    CHECK(framebuffer_move_cursor(-4, 99, true) == 0);
    CHECK(given.x == -4 && given.y == 99 && given.visible);
    cursor.width = cursor.height = 33;
    CHECK(framebuffer_set_cursor(&cursor) == -ENOTSUP);
    cursor.width = cursor.height = 32;
    given.cursor_bits = 8;
    CHECK(framebuffer_set_cursor(&cursor) == -ENOTSUP);
    given.cursor_bits = 32;
    CHECK(framebuffer_set_cursor(&cursor) == 0);
    stop_framebuffer(framebuffer);
    given.has_cursor = false;
    framebuffer = start_framebuffer();
    CHECK(framebuffer_set_cursor(&cursor) == -ENOTSUP);
    CHECK(framebuffer_move_cursor(1, 1, true) == -ENOTSUP);
    stop_framebuffer(framebuffer);
}

static void the_cursor_goes_to_the_hardware_up_to_its_limits(void **state)
{
    (void)state;
    run_iokit(cursor_body);
}

static void second_body(void *argument)
{
    prepare();
    IOService *first = start_framebuffer();
    forget_events();
    IOService *second = start_framebuffer();
    CHECK_EVENTS("");                   /* one screen at a time */
    framebuffer_observe(NULL);
    CHECK_EVENTS("hidden");
    framebuffer_observe(&observer);
    CHECK_EVENTS("hidden shown.640x480");
    stop_framebuffer(second);
    CHECK_EVENTS("hidden shown.640x480");
    stop_framebuffer(first);
    CHECK_EVENTS("hidden shown.640x480 hidden");
}

static void one_framebuffer_is_used_and_observers_may_change(void **state)
{
    (void)state;
    run_iokit(second_body);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_framebuffer_is_opened_in_order_and_closed),
        cmocka_unit_test(a_mode_is_switched_with_nobody_drawing_or_stays),
        cmocka_unit_test(what_the_aperture_does_not_hold_is_not_shown),
        cmocka_unit_test(a_controller_that_does_not_start_is_left),
        cmocka_unit_test(a_display_that_changes_gets_its_default_mode),
        cmocka_unit_test(the_cursor_goes_to_the_hardware_up_to_its_limits),
        cmocka_unit_test(one_framebuffer_is_used_and_observers_may_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
