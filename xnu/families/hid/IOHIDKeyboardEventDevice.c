/* SPDX-License-Identifier: BSD-3-Clause */
/* IOHIDKeyboardEventDevice.c - from macOS 10.12 on the event system listens to HID devices only: a
 * keyboard of the older kind gets one on top, which opens it and reports its keys as a USB
 * keyboard does. (IOHIDFamily)
 *
 * What a driver sees of it: keys without a USB usage are lost, six at a time can be down; caps
 * lock's key is "down" while the driver's superclass holds caps lock to be on; and the lights are
 * set by the event system, on a thread of its own. */
#include "xnu/families/hid/keyboard_event_device.h"

#include "abi/IOBufferMemoryDescriptor.h"
#include "abi/IOWorkLoop.h"
#include "abi/constants.h"
#include "abi/kpi/threads.h"

#include "xnu/families/hid/hid_device_private.h"
#include "xnu/families/hid/keyboard_private.h"
#include "xnu/families/hid/keyboard_reports.h"
#include "xnu/families/hid/keyboard_usages.h"
#include "xnu/libkern/class.h"
#include "xnu/machine/log.h"

enum { LIGHT_NUM_LOCK = 1, LIGHT_CAPS_LOCK = 2, LIGHTS = 3, VENDOR_APPLE = 0x5ac,
       PRODUCT_VIRTUAL = 0xffff, FLAGS_OF_DEVICE = 0xffff };

struct IOHIDKeyboardEventDevice {
    IOHIDDevice super;
    IOHIKeyboard *keyboard;             /* the provider, while it is open */
    IOWorkLoop *work_loop;
    IOBufferMemoryDescriptor *memory;   /* of the report */
    struct keyboard_report *report;
    uint32_t last_flags;
    uint8_t lights;                     /* as the event system has set them last */
    struct keyboard_reports above;      /* the event system's own state */
    thread_call_t light_call;
};
typedef struct IOHIDKeyboardEventDevice IOHIDKeyboardEventDevice;

/* Modifiers, a constant byte, two lights, six keys, six consumer keys. */
static const uint8_t descriptor[] = {
    0x05, 0x01, 0x09, 0x06, 0xa1, 0x01,                                     /* keyboard */
    0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x08, 0x81, 0x02,
    0x95, 0x01, 0x75, 0x08, 0x81, 0x01,
    0x95, 0x02, 0x75, 0x01, 0x05, 0x08, 0x19, 0x01, 0x29, 0x02, 0x91, 0x02, /* lights */
    0x95, 0x01, 0x75, 0x06, 0x91, 0x01,
    0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x26, 0xff, 0x00,                   /* keys */
    0x05, 0x07, 0x19, 0x00, 0x29, 0xff, 0x81, 0x00,
    0x05, 0x0c, 0x19, 0x00, 0x2a, 0xff, 0x00, 0x95, 0x06, 0x81, 0x00,       /* consumer keys */
    0xc0,
};

static IOHIDKeyboardEventDevice *from(void *target)
{
    return target;
}

/* ---- reports -------------------------------------------------------------------------------- */

static void post(IOHIDKeyboardEventDevice *me)
{
    IOHIDDevice_handleReport(&me->super, (IOMemoryDescriptor *)me->memory, REPORT_TYPE_INPUT, 0);
}

/* False: nothing changes, or there is no room. */
static bool change(uint8_t keys[KEYBOARD_REPORT_KEYS], uint8_t usage, bool down)
{
    unsigned i = 0;

    while (i < KEYBOARD_REPORT_KEYS && keys[i] != USAGE_NONE && keys[i] != usage)
        i++;
    if (i == KEYBOARD_REPORT_KEYS || (keys[i] == usage) == down)
        return false;
    if (down) {
        keys[i] = usage;
        return true;
    }
    for (; i + 1 < KEYBOARD_REPORT_KEYS; i++)
        keys[i] = keys[i + 1];
    keys[i] = USAGE_NONE;
    return true;
}

static void post_key(IOHIDKeyboardEventDevice *me, uint32_t code, bool down)
{
    uint8_t usage = keyboard_usage_of_code(code);

    if (usage != USAGE_NONE && change(me->report->keys, usage, down))
        post(me);
}

/* Which of two keys it is, where the driver says it; else the left one. */
static uint8_t modifier_bits(uint32_t flags, uint32_t changed)
{
    static const uint32_t of_device[USAGE_MODIFIERS] = {
        KEY_FLAG_LEFT_CONTROL,  KEY_FLAG_LEFT_SHIFT,  KEY_FLAG_LEFT_OPTION,  KEY_FLAG_LEFT_COMMAND,
        KEY_FLAG_RIGHT_CONTROL, KEY_FLAG_RIGHT_SHIFT, KEY_FLAG_RIGHT_OPTION, KEY_FLAG_RIGHT_COMMAND,
    };
    static const uint32_t of_any[USAGE_MODIFIERS] = { KEY_FLAG_CONTROL, KEY_FLAG_SHIFT,
                                                      KEY_FLAG_OPTION, KEY_FLAG_COMMAND };
    const uint32_t *masks = changed & FLAGS_OF_DEVICE ? of_device : of_any;
    uint8_t bits = 0;

    for (unsigned bit = 0; bit < USAGE_MODIFIERS; bit++)
        if (flags & masks[bit])
            bits |= (uint8_t)(1u << bit);
    return bits;
}

static void post_flags(IOHIDKeyboardEventDevice *me, uint32_t flags)
{
    uint32_t changed = flags ^ me->last_flags;

    if (changed == 0)
        return;
    me->last_flags = flags;
    me->report->modifiers = modifier_bits(flags, changed);
    if (changed & KEY_FLAG_CAPS_LOCK)
        post_key(me, ADB_CODE_CAPS_LOCK, flags & KEY_FLAG_CAPS_LOCK);
    else
        post(me);
}

/* ---- what the keyboard calls ---------------------------------------------------------------- */

static void key_event(OSObject *target, uint32_t type, uint32_t flags, uint32_t key,
                      uint32_t character, uint32_t set, uint32_t original, uint32_t original_set,
                      uint32_t keyboard_type, bool repeat, uint64_t time)
{
    if (repeat)
        return;
    if (type == KEY_EVENT_FLAGS_CHANGED)
        post_flags(from(target), flags);
    else
        post_key(from(target), key, type == KEY_EVENT_DOWN);
}

static void special_event(OSObject *target, uint32_t type, uint32_t flags, uint32_t key,
                          uint32_t flavor, uint64_t guid, bool repeat, uint64_t time)
{
    IOHIDKeyboardEventDevice *me = from(target);
    uint8_t usage = consumer_usage_of_special(flavor);

    if (usage != USAGE_NONE && change(me->report->consumer, usage, type == KEY_EVENT_DOWN))
        post(me);
}

static void flags_event(OSObject *target, uint32_t flags)
{
    post_flags(from(target), flags);
}

/* ---- the event system, above ---------------------------------------------------------------- */

static void set_lights(void *device, void *unused)
{
    IOHIDKeyboardEventDevice *me = device;
    uint8_t lights = me->above.caps_lock ? LIGHT_CAPS_LOCK : 0;
    IOBufferMemoryDescriptor *memory =
        IOBufferMemoryDescriptor_withBytes(&lights, sizeof lights, kIODirectionOut, false);

    if (memory)
        IOHIDDevice_setReport(&me->super, (IOMemoryDescriptor *)memory, REPORT_TYPE_OUTPUT, 0);
    object_release(memory);
    object_release(me);
}

static void take_report(IOHIDDevice *device, const uint8_t *report, uint32_t length)
{
    IOHIDKeyboardEventDevice *me = (IOHIDKeyboardEventDevice *)device;
    bool caps_lock = me->above.caps_lock;

    if (length != sizeof *me->report)
        return;
    keyboard_reports_take(&me->above, (const struct keyboard_report *)report);
    if (me->above.caps_lock == caps_lock)
        return;
    object_retain(me); /* for the call */
    if (thread_call_enter(me->light_call))
        object_release(me); /* one is on its way already */
}

static int32_t set_report(IOHIDDevice *device, IOMemoryDescriptor *report, IOHIDReportType type,
                          uint32_t options)
{
    IOHIDKeyboardEventDevice *me = (IOHIDKeyboardEventDevice *)device;
    uint8_t lights;

    if ((options & 0xff) != 0 || !me->keyboard ||
        IOMemoryDescriptor_readBytes(report, 0, &lights, sizeof lights) != sizeof lights)
        return kIOReturnError;
    uint8_t changed = (lights ^ me->lights) & LIGHTS;

    me->lights = lights;
    if (changed & LIGHT_NUM_LOCK)
        IOHIKeyboard_setNumLockFeedback(me->keyboard, lights & LIGHT_NUM_LOCK);
    if (changed & LIGHT_CAPS_LOCK)
        IOHIKeyboard_setAlphaLockFeedback(me->keyboard, lights & LIGHT_CAPS_LOCK);
    return kIOReturnSuccess;
}

/* ---- IOHIDDevice ---------------------------------------------------------------------------- */

static int32_t new_descriptor(IOHIDDevice *me, IOMemoryDescriptor **memory)
{
    *memory = (IOMemoryDescriptor *)IOBufferMemoryDescriptor_withBytes(
        descriptor, sizeof descriptor, kIODirectionNone, true);
    return *memory ? kIOReturnSuccess : kIOReturnNoMemory;
}

static OSNumber *new_vendor(IOHIDDevice *me)
{
    return OSNumber_withNumber_number(VENDOR_APPLE, 32);
}

static OSNumber *new_product(IOHIDDevice *me)
{
    return OSNumber_withNumber_number(PRODUCT_VIRTUAL, 32);
}

static OSString *new_product_name(IOHIDDevice *me)
{
    return OSString_withCString("Virtual Keyboard");
}

static OSString *new_manufacturer(IOHIDDevice *me)
{
    return OSString_withCString("Apple");
}

static bool handle_start(IOHIDDevice *device, IOService *provider)
{
    IOHIDKeyboardEventDevice *me = (IOHIDKeyboardEventDevice *)device;
    uint32_t length = 0;
    const uint8_t *mapping;

    me->keyboard = (IOHIKeyboard *)provider;
    me->lights = (uint8_t)(IOHIKeyboard_getLEDStatus(me->keyboard) & LIGHTS);
    mapping = IOHIKeyboard_defaultKeymapOfLength(me->keyboard, &length);
    device->_reserved->take_report = take_report;
    return keyboard_reports_begin(&me->above, mapping, length);
}

/* ---- IOService ------------------------------------------------------------------------------ */

static bool initialise(IOHIDKeyboardEventDevice *me)
{
    if (!IOHIDDevice__init_dictionary(&me->super, NULL))
        return false;
    me->work_loop = IOWorkLoop_workLoop();
    me->light_call = thread_call_allocate(set_lights, me);
    me->memory = IOBufferMemoryDescriptor_withCapacity(sizeof *me->report, kIODirectionNone, true);
    if (!me->work_loop || !me->light_call || !me->memory)
        return false;
    me->report = IOBufferMemoryDescriptor_getBytesNoCopy(me->memory);
    *me->report = (struct keyboard_report){ 0 };
    IOBufferMemoryDescriptor_setLength(me->memory, sizeof *me->report);
    return true;
}

static void device_free(OSObject *object)
{
    IOHIDKeyboardEventDevice *me = (IOHIDKeyboardEventDevice *)object;

    if (me->light_call)
        thread_call_free(me->light_call);
    object_release(me->memory);
    object_release(me->work_loop);
    IOHIDDevice__free(&me->super);
}

static IOWorkLoop *device_work_loop(IOService *me)
{
    return ((IOHIDKeyboardEventDevice *)me)->work_loop;
}

static bool device_start(IOService *me, IOService *provider)
{
    if (!IOHIDDevice__start((IOHIDDevice *)me, provider))
        return false;
    if (IOHIKeyboard_open_service_number_function_function_function(
            (IOHIKeyboard *)provider, me, kIOServiceSeize, key_event, special_event,
            flags_event)) {
        input_events_opened(provider);
        return true;
    }
    IOService_stop(me, provider);
    return false;
}

static int32_t device_message(IOService *me, uint32_t type, IOService *provider, void *argument)
{
    if (type == kIOMessageServiceIsTerminated && IOService_isOpen(provider, me)) {
        IOService_close(provider, me, 0);
        input_events_closed(provider);
    }
    return kIOReturnSuccess;
}

KERNEL_CLASS(24, IOHIDKeyboardEventDevice, IOHIDDevice,
             .free = device_free,
             .start = device_start,
             .message = device_message,
             .getWorkLoop = device_work_loop,
             .handleStart = handle_start,
             .newReportDescriptor = new_descriptor,
             .newVendorIDNumber = new_vendor,
             .newProductIDNumber = new_product,
             .newProductString = new_product_name,
             .newManufacturerString = new_manufacturer,
             .setReport = set_report)

bool keyboard_event_device_add(IOHIKeyboard *keyboard)
{
    IOService *provider = (IOService *)keyboard;
    IOService *device = object_new(&IOHIDKeyboardEventDevice_gMetaClass);
    bool started = false;

    if (!device)
        return false;
    if (initialise((IOHIDKeyboardEventDevice *)device) && IOService_attach(device, provider)) {
        started = IOService_start(device, provider);
        if (!started)
            IOService_detach(device, provider);
    }
    object_release(device);
    return started;
}
