/* SPDX-License-Identifier: BSD-3-Clause */
/* The session's keyboard layout on macOS: Text Input Sources says which, UCKeyTranslate what it
 * types, IOKit takes it to the driver. The frameworks are loaded when the program runs, so that it
 * can be built without them.
 *
 * Facts: Apple's public documentation of Text Input Source Services, Unicode Utilities and
 * IOKitLib. */
#include "daemons/keyboard/agent.h"

#ifdef __APPLE__
#include <dlfcn.h>
#include <string.h>

#include "daemons/common/daemon.h"
#include "daemons/keyboard/layout_reader.h"

typedef const void *Ref;                /* a Core Foundation object */
typedef uint32_t io_object;
typedef void notification_function(Ref, void *, Ref, const void *, Ref);
typedef void matched_function(void *, io_object);

#define CARBON          "/System/Library/Frameworks/Carbon.framework/Carbon"
#define CORE_FOUNDATION "/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation"
#define IOKIT           "/System/Library/Frameworks/IOKit.framework/IOKit"

#define ENCODING_UTF8         0x08000100u
#define KEY_DOWN              0u        /* kUCKeyActionDown */
#define SHIFT_STATE           0x02u     /* shiftKey and optionKey of Events.h, above the low byte */
#define OPTION_STATE          0x08u
#define DELIVER_IMMEDIATELY   4         /* CFNotificationSuspensionBehavior... */

/* What is used of the frameworks, filled in by load(). */
static struct {
    Ref (*string)(Ref allocator, const char *text, uint32_t encoding);
    unsigned char (*string_text)(Ref string, char *to, long size, uint32_t encoding);
    Ref (*data)(Ref allocator, const uint8_t *bytes, long length);
    const uint8_t *(*data_bytes)(Ref data);
    void (*release)(Ref object);
    Ref (*center)(void);
    void (*observe)(Ref center, const void *observer, notification_function *, Ref name,
                    const void *object, long behaviour);
    Ref (*run_loop)(void);
    void (*add_source)(Ref loop, Ref source, Ref mode);
    void (*run)(void);
    Ref (*current_layout)(void);
    Ref (*input_source_property)(Ref source, Ref key);
    int32_t (*translate)(const void *layout, uint16_t key, uint16_t action, uint32_t modifiers,
                         uint32_t keyboard, uint32_t options, uint32_t *dead, unsigned long room,
                         unsigned long *count, uint16_t *units);
    uint8_t (*keyboard_type)(void);
    Ref (*matching)(const char *class_name);
    io_object (*find)(uint32_t port, Ref matching);
    int32_t (*set)(io_object entry, Ref name, Ref value);
    int32_t (*release_object)(io_object object);
    io_object (*next)(io_object iterator);
    void *(*port)(uint32_t main_port);
    Ref (*port_source)(void *port);
    int32_t (*notify)(void *port, const char *type, Ref matching, matched_function *,
                      void *context, io_object *iterator);
    /* Variables of the frameworks. */
    Ref *default_mode, *layout_data, *source_id, *layout_changed;
} system;

static const struct {
    const char *framework, *name;
    void *place;
} symbols[] = {
    { CORE_FOUNDATION, "CFStringCreateWithCString", &system.string },
    { CORE_FOUNDATION, "CFStringGetCString", &system.string_text },
    { CORE_FOUNDATION, "CFDataCreate", &system.data },
    { CORE_FOUNDATION, "CFDataGetBytePtr", &system.data_bytes },
    { CORE_FOUNDATION, "CFRelease", &system.release },
    { CORE_FOUNDATION, "CFNotificationCenterGetDistributedCenter", &system.center },
    { CORE_FOUNDATION, "CFNotificationCenterAddObserver", &system.observe },
    { CORE_FOUNDATION, "CFRunLoopGetCurrent", &system.run_loop },
    { CORE_FOUNDATION, "CFRunLoopAddSource", &system.add_source },
    { CORE_FOUNDATION, "CFRunLoopRun", &system.run },
    { CORE_FOUNDATION, "kCFRunLoopDefaultMode", &system.default_mode },
    { CARBON, "TISCopyCurrentKeyboardLayoutInputSource", &system.current_layout },
    { CARBON, "TISGetInputSourceProperty", &system.input_source_property },
    { CARBON, "UCKeyTranslate", &system.translate },
    { CARBON, "LMGetKbdType", &system.keyboard_type },
    { CARBON, "kTISPropertyUnicodeKeyLayoutData", &system.layout_data },
    { CARBON, "kTISPropertyInputSourceID", &system.source_id },
    { CARBON, "kTISNotifySelectedKeyboardInputSourceChanged", &system.layout_changed },
    { IOKIT, "IOServiceMatching", &system.matching },
    { IOKIT, "IOServiceGetMatchingService", &system.find },
    { IOKIT, "IORegistryEntrySetCFProperty", &system.set },
    { IOKIT, "IOObjectRelease", &system.release_object },
    { IOKIT, "IOIteratorNext", &system.next },
    { IOKIT, "IONotificationPortCreate", &system.port },
    { IOKIT, "IONotificationPortGetRunLoopSource", &system.port_source },
    { IOKIT, "IOServiceAddMatchingNotification", &system.notify },
};

static bool load(void)
{
    for (unsigned i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        void *framework = dlopen(symbols[i].framework, RTLD_LAZY);
        void *symbol = framework != NULL ? dlsym(framework, symbols[i].name) : NULL;

        if (symbol == NULL) {
            daemon_error("%s has no %s: this macOS cannot say its keyboard layout",
                         symbols[i].framework, symbols[i].name);
            return false;
        }
        memcpy(symbols[i].place, &symbol, sizeof symbol);
    }
    return true;
}

/* ---- The driver ---- */

static int set_property(io_object driver, Ref value)
{
    Ref name = system.string(NULL, KEY_LAYOUT_PROPERTY, ENCODING_UTF8);
    int32_t result = name != NULL && value != NULL ? system.set(driver, name, value) : -1;

    if (name != NULL)
        system.release(name);
    return result;
}

/* The driver's property becomes `value`, which is released. */
static int set_layout(Ref value)
{
    io_object driver = system.find(0, system.matching(AGENT_DRIVER));
    int32_t result = 0;

    if (driver != 0) {
        result = set_property(driver, value);
        system.release_object(driver);
    }
    if (value != NULL)
        system.release(value);
    if (result != 0)
        daemon_error("the driver does not take the layout: 0x%08x", (unsigned)result);
    return driver != 0 && result == 0 ? 0 : -1;
}

int layout_upload(const char *control, const uint8_t *table, size_t size)
{
    (void)control;
    if (system.data == NULL && !load())
        return -1;
    return set_layout(system.data(NULL, table, (long)size));
}

/* ---- The layout ---- */

static unsigned translate(void *layout, uint8_t key, uint8_t level, uint32_t *dead,
                          uint16_t units[KEY_TRANSLATION_UNITS])
{
    uint32_t modifiers = (level & KEY_LAYOUT_SHIFT ? SHIFT_STATE : 0) |
                         (level & KEY_LAYOUT_OPTION ? OPTION_STATE : 0);
    unsigned long count = 0;

    if (system.translate(layout, key, KEY_DOWN, modifiers, system.keyboard_type(), 0, dead,
                         KEY_TRANSLATION_UNITS, &count, units) != 0)
        return 0;
    return count <= KEY_TRANSLATION_UNITS ? (unsigned)count : 0;
}

/* Types any character by its number, so it is not a table but a name. */
#define HEXADECIMAL_ID   "com.apple.keylayout.UnicodeHexInput"
#define HEXADECIMAL_NAME "unicode-hex-input"

static void give_source(Ref source)
{
    static uint8_t table[KEY_LAYOUT_BYTES_MAXIMUM];
    static struct layout layout;
    Ref data = system.input_source_property(source, *system.layout_data);
    Ref id = system.input_source_property(source, *system.source_id);
    char text[128] = "";
    int result;

    if (id != NULL && !system.string_text(id, text, sizeof text, ENCODING_UTF8))
        text[0] = '\0';
    if (data == NULL) {
        daemon_error("%s does not say what its keys type", text);
        return;
    }
    if (strcmp(text, HEXADECIMAL_ID) == 0) {
        result = set_layout(system.string(NULL, HEXADECIMAL_NAME, ENCODING_UTF8));
    } else {
        const struct key_translator translator = { translate,
                                                   (void *)(uintptr_t)system.data_bytes(data) };

        layout_of_translator(&translator, &layout);
        layout_set_name(&layout, strrchr(text, '.') != NULL ? strrchr(text, '.') + 1 : text);
        result = layout_upload(NULL, table, layout_make_table(&layout, table));
    }
    if (result == 0)
        daemon_log("text is typed on %s now", text);
}

static void give(void)
{
    Ref source = system.current_layout();

    if (source == NULL)
        return;
    give_source(source);
    system.release(source);
}

/* ---- Following ---- */

static void layout_changed(Ref center, void *observer, Ref name, const void *object, Ref info)
{
    give();
}

/* The iterator has to be emptied, or it does not tell again. */
static void driver_came(void *context, io_object iterator)
{
    io_object driver;
    bool any = false;

    while ((driver = system.next(iterator)) != 0) {
        system.release_object(driver);
        any = true;
    }
    if (any)
        give();
}

void session_follow(void)
{
    io_object iterator = 0;
    void *port;

    if (!load())
        return;
    system.observe(system.center(), &system, layout_changed, *system.layout_changed, NULL,
                   DELIVER_IMMEDIATELY);
    port = system.port(0);
    if (port == NULL || system.notify(port, "IOServiceMatched", system.matching(AGENT_DRIVER),
                                      driver_came, NULL, &iterator) != 0) {
        daemon_error("the system does not tell of drivers that come");
        return;
    }
    system.add_source(system.run_loop(), system.port_source(port), *system.default_mode);
    driver_came(NULL, iterator);
    system.run();
}
#endif
