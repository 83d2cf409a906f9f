/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVGraphicsFramebuffer: the screen as macOS's window server uses it, in a kext of its own.
 * What it needs of the device it asks of HyperVGraphics (graphics_interface.h).
 *
 * What the device does not have is refused: colour tables, gamma, sync interrupts. */
#include "abi/IODeviceMemory.h"
#include "abi/IOFramebuffer.h"
#include "abi/OSDictionary.h"
#include "abi/OSIterator.h"
#include "abi/constants.h"
#include "abi/kpi/iolib.h"
#include "abi/kpi/libkern.h"
#include "abi/kpi/platform.h"
#include "abi/runtime.h"
#include "kext/core/boot_arguments.h"
#include "kext/core/ioreturn.h"
#include "kext/core/shared_memory.h"
#include "kext/graphics/graphics_interface.h"
#include "protocol/synthvid.h"

/* IOGraphicsTypes.h */
#define PIXEL_TYPE_DIRECT 2u            /* kIORGBDirectPixels */
#define FORMAT_32 "--------RRRRRRRRGGGGGGGGBBBBBBBB"    /* IO32BitDirectPixels */
#define FORMAT_16 "RRRRRGGGGGGBBBBB"
#define REFRESH_60_HERTZ (60u << 16)

#define DEVICE_SECONDS 10u              /* for HyperVGraphics to come */

#define CURSOR_EDGE SYNTHVID_POINTER_EDGE
#define CURSOR_BYTES (CURSOR_EDGE * CURSOR_EDGE * 4u)

struct HyperVGraphicsFramebuffer {
    IOFramebuffer super;
    struct graphics_interface graphics; /* service NULL: not enabled */
    IOService *device;                  /* the same service, retained */
    struct display_modes *modes;        /* as they were listed last */
    uint32_t *cursor;                   /* CURSOR_BYTES */
    /* Whom to tell that the display has changed. */
    void (*connect_changed)(OSObject *target, void *reference);
    OSObject *connect_target;
    void *connect_reference;
    bool is_connect_enabled;
};
typedef struct HyperVGraphicsFramebuffer HyperVGraphicsFramebuffer;

static HyperVGraphicsFramebuffer *self_of(IOFramebuffer *me)
{
    return (HyperVGraphicsFramebuffer *)me;
}

/* ---- the device ------------------------------------------------------------------------------ */

/* On HyperVGraphics' work loop; IOFramebuffer does the rest on its own. */
static void modes_changed(void *owner)
{
    HyperVGraphicsFramebuffer *self = owner;
    void (*action)(OSObject *, void *) = self->connect_changed;

    if (action != NULL && self->is_connect_enabled)
        action(self->connect_target, self->connect_reference);
}

/* The provider, or the one service when the provider is a PCI display that stands for it; that one
 * may be there first. +1, or NULL. */
static IOService *find_device(IOService *provider)
{
    struct mach_timespec limit = { .tv_sec = DEVICE_SECONDS };
    IOService *device = provider;

    if (OSMetaClassBase_metaCast_cstring((OSMetaClassBase *)provider, "HyperVGraphics") == NULL)
        device = IOService_waitForService(
            IOService_serviceMatching_cstring("HyperVGraphics", NULL), &limit);
    iokit_retain(device);
    return device;
}

static int32_t connect(HyperVGraphicsFramebuffer *self)
{
    struct graphics_interface graphics = { .version = GRAPHICS_INTERFACE_VERSION };
    const struct graphics_client client = { self, modes_changed };
    int32_t result;

    self->device = find_device(IOService_getProvider((IOService *)self));
    if (self->device == NULL)
        return kIOReturnNoDevice;
    result = IOService_callPlatformFunction_cstring(self->device, GRAPHICS_INTERFACE, false,
                                                    &graphics, NULL, NULL, NULL);
    if (result == kIOReturnSuccess)
        result = ioreturn_of(graphics.connect(graphics.service, &client));
    if (result == kIOReturnSuccess)
        self->graphics = graphics;
    else
        iokit_release_clear(self->device);
    return result;
}

static void disconnect(HyperVGraphicsFramebuffer *self)
{
    if (self->graphics.service != NULL)
        self->graphics.disconnect(self->graphics.service, self);
    self->graphics.service = NULL;
    iokit_release_clear(self->device);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* On generation 1 there are two places for a framebuffer, the PCI display and HyperVGraphics; the
 * first one is enough. */
static bool another_is_there(void)
{
    OSDictionary *matching = IOService_serviceMatching_cstring("HyperVGraphicsFramebuffer", NULL);
    OSIterator *found = matching != NULL ? IOService_getMatchingServices(matching) : NULL;
    bool there = found != NULL && OSIterator_getNextObject(found) != NULL;

    iokit_release(found);
    iokit_release(matching);
    return there;
}

static bool framebuffer_start(IOService *me, IOService *provider)
{
    HyperVGraphicsFramebuffer *self = (HyperVGraphicsFramebuffer *)me;

    if (boot_argument_given("-hvgfxfboff") || another_is_there())
        return false;
    self->modes = IOMalloc(sizeof *self->modes);
    self->cursor = IOMalloc(CURSOR_BYTES);
    if (self->modes == NULL || self->cursor == NULL)
        return false;
    memset(self->modes, 0, sizeof *self->modes);
    return IOFramebuffer_super_start(&self->super, provider);
}

static void framebuffer_stop(IOService *me, IOService *provider)
{
    IOFramebuffer_super_stop((IOFramebuffer *)me, provider);
    disconnect((HyperVGraphicsFramebuffer *)me);
}

static void framebuffer_free(OSObject *me)
{
    HyperVGraphicsFramebuffer *self = (HyperVGraphicsFramebuffer *)me;

    disconnect(self);
    if (self->modes != NULL)
        IOFree(self->modes, sizeof *self->modes);
    if (self->cursor != NULL)
        IOFree(self->cursor, CURSOR_BYTES);
    IOFramebuffer_super_free(&self->super);
}

/* The window server opens the screen: from now on it has the preferred mode. What fails here fails
 * for good, so any mode of the list will do. */
static int32_t enable_controller(IOFramebuffer *me)
{
    HyperVGraphicsFramebuffer *self = self_of(me);
    int32_t result = self->graphics.service != NULL ? kIOReturnSuccess : connect(self);
    struct display_size size;

    if (result != kIOReturnSuccess)
        return result;
    self->graphics.get_modes(self->graphics.service, self->modes);
    if (self->modes->count == 0)
        return kIOReturnNoResources;
    result = ioreturn_of(self->graphics.set_mode(self->graphics.service,
                                                 &self->modes->sizes[self->modes->preferred]));
    size = self->graphics.get_mode(self->graphics.service);
    return display_modes_find(self->modes, &size) >= 0 ? kIOReturnSuccess : result;
}

static bool is_console_device(IOFramebuffer *me)
{
    return true;
}

/* ---- memory and modes ------------------------------------------------------------------------ */

static IODeviceMemory *get_aperture_range(IOFramebuffer *me, int32_t aperture)
{
    HyperVGraphicsFramebuffer *self = self_of(me);

    if (aperture != kIOFBSystemAperture || self->graphics.service == NULL)
        return NULL;
    return self->graphics.copy_memory(self->graphics.service);
}

static const char *get_pixel_formats(IOFramebuffer *me)
{
    return self_of(me)->graphics.bytes_per_pixel == 2 ? FORMAT_16 "\0" : FORMAT_32 "\0";
}

/* The count is asked for first: the list that follows is the same one. */
static uint32_t get_display_mode_count(IOFramebuffer *me)
{
    HyperVGraphicsFramebuffer *self = self_of(me);

    if (self->graphics.service != NULL)
        self->graphics.get_modes(self->graphics.service, self->modes);
    return self->modes->count;
}

static int32_t get_display_modes(IOFramebuffer *me, int32_t *modes)
{
    HyperVGraphicsFramebuffer *self = self_of(me);

    for (uint32_t i = 0; i < self->modes->count; i++)
        modes[i] = display_mode_number(&self->modes->sizes[i]);
    return kIOReturnSuccess;
}

/* Index of a mode of the list, or -1. */
static int find_mode(const HyperVGraphicsFramebuffer *self, int32_t mode)
{
    const struct display_size size = display_mode_size(mode);

    return mode > 0 ? display_modes_find(self->modes, &size) : -1;
}

static int32_t get_information_for_display_mode(IOFramebuffer *me, int32_t mode,
                                                IODisplayModeInformation *information)
{
    HyperVGraphicsFramebuffer *self = self_of(me);
    int index = find_mode(self, mode);

    if (index < 0)
        return kIOReturnBadArgument;
    memset(information, 0, sizeof *information);
    information->nominalWidth = self->modes->sizes[index].width;
    information->nominalHeight = self->modes->sizes[index].height;
    information->refreshRate = REFRESH_60_HERTZ;
    information->flags = kDisplayModeValidFlag | kDisplayModeSafeFlag;
    if ((uint32_t)index == self->modes->preferred)
        information->flags |= kDisplayModeDefaultFlag;
    return kIOReturnSuccess;
}

static uint64_t get_pixel_formats_for_display_mode(IOFramebuffer *me, int32_t mode, int32_t depth)
{
    return 0;                           /* has always been so */
}

static void fill_pixels(IOPixelInformation *pixels, const char *format, uint32_t bits)
{
    static const uint32_t masks_32[3] = { 0xFF0000, 0x00FF00, 0x0000FF };
    static const uint32_t masks_16[3] = { 0xF800, 0x07E0, 0x001F };

    pixels->bitsPerPixel = bits;
    pixels->pixelType = PIXEL_TYPE_DIRECT;
    pixels->componentCount = 3;
    pixels->bitsPerComponent = bits == 16 ? 5 : 8;
    memcpy(pixels->componentMasks, bits == 16 ? masks_16 : masks_32, sizeof masks_32);
    for (uint32_t i = 0; format[i] != '\0'; i++)        /* strlcpy is not in 10.4 */
        pixels->pixelFormat[i] = format[i];
}

static int32_t get_pixel_information(IOFramebuffer *me, int32_t mode, int32_t depth,
                                     int32_t aperture, IOPixelInformation *pixels)
{
    HyperVGraphicsFramebuffer *self = self_of(me);
    int index = find_mode(self, mode);

    if (index < 0 || depth != 0)
        return kIOReturnBadArgument;
    if (aperture != kIOFBSystemAperture)
        return kIOReturnUnsupportedMode;
    memset(pixels, 0, sizeof *pixels);
    pixels->activeWidth = self->modes->sizes[index].width;
    pixels->activeHeight = self->modes->sizes[index].height;
    pixels->bytesPerRow = pixels->activeWidth * self->graphics.bytes_per_pixel;
    fill_pixels(pixels, get_pixel_formats(me), self->graphics.bytes_per_pixel * 8);
    return kIOReturnSuccess;
}

static int32_t get_current_display_mode(IOFramebuffer *me, int32_t *mode, int32_t *depth)
{
    HyperVGraphicsFramebuffer *self = self_of(me);
    struct display_size size;

    if (self->graphics.service == NULL)
        return kIOReturnNotReady;
    size = self->graphics.get_mode(self->graphics.service);
    *mode = display_mode_number(&size);
    *depth = 0;
    return kIOReturnSuccess;
}

static int32_t set_display_mode(IOFramebuffer *me, int32_t mode, int32_t depth)
{
    HyperVGraphicsFramebuffer *self = self_of(me);
    const struct display_size size = display_mode_size(mode);

    if (self->graphics.service == NULL)
        return kIOReturnNotReady;
    if (mode <= 0 || depth != 0)
        return kIOReturnBadArgument;
    return ioreturn_of(self->graphics.set_mode(self->graphics.service, &size));
}

static int32_t get_startup_display_mode(IOFramebuffer *me, int32_t *mode, int32_t *depth)
{
    HyperVGraphicsFramebuffer *self = self_of(me);

    if (get_display_mode_count(me) == 0)
        return kIOReturnNotReady;
    *mode = display_mode_number(&self->modes->sizes[self->modes->preferred]);
    *depth = 0;
    return kIOReturnSuccess;
}

/* ---- connection ------------------------------------------------------------------------------ */

static int32_t connect_flags(IOFramebuffer *me, int32_t connection, int32_t mode, uint32_t *flags)
{
    IODisplayModeInformation information;
    int32_t result = get_information_for_display_mode(me, mode, &information);

    if (result == kIOReturnSuccess)
        *flags = information.flags;
    return result;
}

static int32_t register_for_interrupt(IOFramebuffer *me, uint32_t type,
                                      void (*action)(OSObject *, void *), OSObject *target,
                                      void *reference, void **interrupt)
{
    HyperVGraphicsFramebuffer *self = self_of(me);

    if (type != kIOFBConnectInterruptType || self->connect_changed != NULL)
        return kIOReturnUnsupported;
    self->connect_target = target;
    self->connect_reference = reference;
    self->connect_changed = action;
    self->is_connect_enabled = true;
    *interrupt = &self->connect_changed;
    return kIOReturnSuccess;
}

static int32_t unregister_interrupt(IOFramebuffer *me, void *interrupt)
{
    HyperVGraphicsFramebuffer *self = self_of(me);

    if (interrupt != &self->connect_changed)
        return kIOReturnBadArgument;
    self->connect_changed = NULL;
    return kIOReturnSuccess;
}

static int32_t set_interrupt_state(IOFramebuffer *me, void *interrupt, uint32_t state)
{
    HyperVGraphicsFramebuffer *self = self_of(me);

    if (interrupt != &self->connect_changed)
        return kIOReturnBadArgument;
    self->is_connect_enabled = state == kEnabledInterruptState;
    return kIOReturnSuccess;
}

/* ---- cursor ---------------------------------------------------------------------------------- */

static int32_t get_attribute(IOFramebuffer *me, uint32_t attribute, unsigned long *value)
{
    if (attribute != kIOHardwareCursorAttribute)
        return IOFramebuffer_super_getAttribute(me, attribute, value);
    if (value != NULL)
        *value = 1;
    return kIOReturnSuccess;
}

/* IOHardwareCursorInfo has its hot spot since 10.5.6, which the structure does not say. */
static bool has_hot_spot(void)
{
    return version_major > 9 || (version_major == 9 && version_minor >= 6);
}

static int32_t set_cursor_image(IOFramebuffer *me, void *image)
{
    HyperVGraphicsFramebuffer *self = self_of(me);
    IOHardwareCursorDescriptor descriptor;
    IOHardwareCursorInfo cursor;

    if (self->graphics.service == NULL)
        return kIOReturnNotReady;
    memset(&descriptor, 0, sizeof descriptor);
    descriptor.majorVersion = kHardwareCursorDescriptorMajorVersion;
    descriptor.minorVersion = kHardwareCursorDescriptorMinorVersion;
    descriptor.width = CURSOR_EDGE;
    descriptor.height = CURSOR_EDGE;
    descriptor.bitDepth = 32;
    memset(&cursor, 0, sizeof cursor);
    cursor.majorVersion = kHardwareCursorInfoMajorVersion;
    cursor.minorVersion = kHardwareCursorInfoMinorVersion;
    cursor.hardwareCursorData = (uint8_t *)self->cursor;
    if (!IOFramebuffer_convertCursorImage(me, image, &descriptor, &cursor))
        return kIOReturnUnsupported;
    return ioreturn_of(self->graphics.set_pointer(
        self->graphics.service, self->cursor, cursor.cursorWidth, cursor.cursorHeight,
        has_hot_spot() ? cursor.cursorHotSpotX : 0, has_hot_spot() ? cursor.cursorHotSpotY : 0));
}

static int32_t set_cursor_state(IOFramebuffer *me, int32_t x, int32_t y, bool visible)
{
    HyperVGraphicsFramebuffer *self = self_of(me);

    if (self->graphics.service == NULL)
        return kIOReturnNotReady;
    return ioreturn_of(self->graphics.move_pointer(self->graphics.service, x, y, visible));
}

IOKIT_CLASS(25, HyperVGraphicsFramebuffer, IOFramebuffer,
            .start = framebuffer_start,
            .stop = framebuffer_stop,
            .free = framebuffer_free,
            .enableController = enable_controller,
            .isConsoleDevice = is_console_device,
            .getApertureRange = get_aperture_range,
            .getPixelFormats = get_pixel_formats,
            .getDisplayModeCount = get_display_mode_count,
            .getDisplayModes = get_display_modes,
            .getInformationForDisplayMode = get_information_for_display_mode,
            .getPixelFormatsForDisplayMode = get_pixel_formats_for_display_mode,
            .getPixelInformation = get_pixel_information,
            .getCurrentDisplayMode = get_current_display_mode,
            .setDisplayMode = set_display_mode,
            .getStartupDisplayMode = get_startup_display_mode,
            .connectFlags = connect_flags,
            .registerForInterruptType = register_for_interrupt,
            .unregisterInterrupt_pointer = unregister_interrupt,
            .setInterruptState = set_interrupt_state,
            .getAttribute = get_attribute,
            .setCursorImage = set_cursor_image,
            .setCursorState = set_cursor_state)
