/* SPDX-License-Identifier: BSD-3-Clause */
/* The drivers of the tests. */
#include "tests/unit/xnu-iokit/iokit_test.h"

#include <pthread.h>

struct TestNub {
    IOService super;
};

struct TestDriver {
    IOService super;
};

char events[EVENTS_SIZE];
static pthread_mutex_t recording = PTHREAD_MUTEX_INITIALIZER; /* drivers run on several threads */

void record(const char *format, ...)
{
    char event[EVENT_ROOM];
    va_list arguments;
    size_t used;

    va_start(arguments, format);
    vsnprintf(event, sizeof(event), format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&recording);
    used = strlen(events);
    snprintf(events + used, sizeof(events) - used, "%s%s", used ? " " : "", event);
    pthread_mutex_unlock(&recording);
}

void forget_events(void)
{
    events[0] = '\0';
}

/* ---- properties ---- */

static OSObject *property(const void *service, const char *key)
{
    return IORegistryEntry_getProperty_cstring(as_entry(service), key);
}

static bool flag(const void *service, const char *key)
{
    OSBoolean *value = object_cast(property(service, key), &OSBoolean_gMetaClass);

    return value && OSBoolean_isTrue(value);
}

static const char *text(const void *service, const char *key)
{
    OSString *value = as_string(property(service, key));

    return value ? OSString_getCStringNoCopy(value) : NULL;
}

static const char *name_of(const void *service)
{
    const char *name = text(service, "TestName");

    return name ? name : IORegistryEntry_getName(as_entry(service), NULL);
}

/* ---- TestNub ---- */

static bool nub_match(IOService *me, OSDictionary *table, int32_t *score)
{
    OSObject *wanted = OSDictionary_getObject_cstring(table, "TestKind");
    OSNumber *more = as_number(OSDictionary_getObject_cstring(table, "TestScore"));

    if (wanted && !object_equal(wanted, property(me, "TestKind")))
        return false;
    if (more)
        *score += (int32_t)OSNumber_unsigned32BitValue(more);
    return true;
}

static bool nub_will_terminate(IOService *me, IOService *provider, uint32_t options)
{
    record("%s.willTerminate(%s)", name_of(me), name_of(provider));
    return IOService_super_willTerminate(me, provider, options);
}

static bool nub_did_terminate(IOService *me, IOService *provider, uint32_t options, bool *defer)
{
    record("%s.didTerminate(%s)", name_of(me), name_of(provider));
    return IOService_super_didTerminate(me, provider, options, defer);
}

static void nub_stop(IOService *me, IOService *provider)
{
    record("%s.stop(%s)", name_of(me), name_of(provider));
    IOService_super_stop(me, provider);
}

static void nub_free(OSObject *me)
{
    record("%s.free", name_of(me));
    IOService_super_free((IOService *)me);
}

IOKIT_CLASS(7, TestNub, IOService, .matchPropertyTable_numbers = nub_match,
            .willTerminate = nub_will_terminate, .didTerminate = nub_did_terminate,
            .stop = nub_stop, .free = nub_free)

/* ---- TestDriver ---- */

static IOService *driver_probe(IOService *me, IOService *provider, int32_t *score)
{
    OSNumber *more = as_number(property(me, "TestProbeAdds"));

    record("%s.probe", name_of(me));
    CHECK(IOService_getProvider(me) == provider);
    if (more)
        *score += (int32_t)OSNumber_unsigned32BitValue(more);
    return flag(me, "TestProbeRefuses") ? NULL : me;
}

static bool driver_start(IOService *me, IOService *provider)
{
    const char *resource = text(me, "TestWaitsFor");

    record("%s.start", name_of(me));
    if (flag(me, "TestStartFails") || !IOService_super_start(me, provider))
        return false;
    if (resource)
        CHECK(IOService_waitForService(IOService_resourceMatching_cstring(resource, NULL), NULL) !=
              NULL);
    if (flag(me, "TestOpens"))
        CHECK(IOService_open(provider, me, 0, NULL));
    if (flag(me, "TestRegisters"))
        IOService_registerService(me, 0);
    return true;
}

static bool driver_will_terminate(IOService *me, IOService *provider, uint32_t options)
{
    record("%s.willTerminate(%s)", name_of(me), name_of(provider));
    return IOService_super_willTerminate(me, provider, options);
}

static bool driver_did_terminate(IOService *me, IOService *provider, uint32_t options, bool *defer)
{
    record("%s.didTerminate(%s)", name_of(me), name_of(provider));
    *defer = *defer || flag(me, "TestDefers");
    return IOService_super_didTerminate(me, provider, options, defer);
}

static bool driver_finalize(IOService *me, uint32_t options)
{
    record("%s.finalize", name_of(me));
    return IOService_super_finalize(me, options);
}

static int32_t driver_message(IOService *me, uint32_t type, IOService *provider, void *argument)
{
    if (type == kIOMessageServiceIsTerminated)
        record("%s.message(terminated)", name_of(me));
    else
        record("%s.message(0x%x)", name_of(me), type);
    return kIOReturnSuccess;
}

static void driver_stop(IOService *me, IOService *provider)
{
    record("%s.stop(%s)", name_of(me), name_of(provider));
    if (flag(me, "TestOpens") && IOService_isOpen(provider, me))
        IOService_close(provider, me, 0);
    IOService_super_stop(me, provider);
}

static void driver_free(OSObject *me)
{
    record("%s.free", name_of(me));
    IOService_super_free((IOService *)me);
}

IOKIT_CLASS(10, TestDriver, IOService, .probe = driver_probe, .start = driver_start,
            .willTerminate = driver_will_terminate, .didTerminate = driver_did_terminate,
            .finalize = driver_finalize, .message = driver_message, .stop = driver_stop,
            .free = driver_free)

/* ---- the machine around them ---- */

extern module_function *const kext_constructors_first[] __asm("__start_kext_constructors");
extern module_function *const kext_constructors_end[] __asm("__stop_kext_constructors");
extern module_function *const kext_destructors_first[] __asm("__start_kext_destructors");
extern module_function *const kext_destructors_end[] __asm("__stop_kext_destructors");

void iokit_test_start(void)
{
    struct module_code code = {
        .identifier = "test.drivers",
        .constructors = kext_constructors_first,
        .constructor_count = (size_t)(kext_constructors_end - kext_constructors_first),
        .destructors = kext_destructors_first,
        .destructor_count = (size_t)(kext_destructors_end - kext_destructors_first),
    };

    xnu_iokit_start(NULL);
    CHECK(xnu_wait_quiet(SECOND));
    CHECK(module_start(&code) == 0);
}

void add_personalities(const char *xml)
{
    char document[EVENTS_SIZE];
    struct plist_diagnostic problem;
    struct plist *value;

    snprintf(document, sizeof(document), "<dict>%s</dict>", xml);
    value = plist_parse_xml(document, strlen(document), NULL, &problem);
    if (!value)
        fprintf(stderr, "personalities: %s\n", problem.text);
    CHECK(value && xnu_add_personalities(value, "test.drivers"));
    plist_release(value);
}

void add_driver(const char *name, const char *extra)
{
    char xml[EVENTS_SIZE];

    snprintf(xml, sizeof(xml),
             "<key>%s</key><dict><key>IOClass</key><string>TestDriver</string>"
             "<key>IOProviderClass</key><string>TestNub</string>"
             "<key>TestName</key><string>%s</string>%s</dict>",
             name, name, extra);
    add_personalities(xml);
}

IOService *make_nub(const char *name, IOService *provider)
{
    IOService *nub = (IOService *)TestNub_alloc();

    CHECK(nub && IORegistryEntry_init_dictionary(as_entry(nub), NULL));
    IORegistryEntry_setName_cstring(as_entry(nub), name, NULL);
    CHECK(IOService_attach(nub, provider ? provider : (IOService *)IOService_getPlatform()));
    return nub;
}

IOService *driver_of(IOService *nub, const char *name)
{
    OSIterator *iterator = IOService_getClientIterator(nub);
    IOService *client, *found = NULL;

    while (iterator && !found && (client = iterator_next(iterator))) {
        const char *own = text(client, "TestName");

        if (own && strcmp(own, name) == 0)
            found = client;
    }
    object_release(iterator);
    return found;
}

bool wait_idle(void)
{
    return xnu_wait_quiet(100 * SECOND);
}
