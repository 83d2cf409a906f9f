/* SPDX-License-Identifier: BSD-3-Clause */
/* Start-up as a list of named steps, and the orderly end. */
#include "xnu/iokit/startup.h"

#include "abi/IOCatalogue.h"
#include "abi/IOService.h"
#include "abi/kpi/libkern.h"

#include "xnu/bsd/start.h"
#include "xnu/iokit/catalogue.h"
#include "xnu/iokit/configuration_threads.h"
#include "xnu/iokit/interrupt_vectors.h"
#include "xnu/iokit/panic_actions.h"
#include "xnu/iokit/platform.h"
#include "xnu/iokit/resources.h"
#include "xnu/iokit/root_domain.h"
#include "xnu/iokit/service.h"
#include "xnu/libkern/module.h"
#include "xnu/libkern/plist_objects.h"
#include "xnu/machine/partition.h"

enum { STEP_MAX = 32, BUILT_IN_SCORE = 10000, BITS = 32 };
#define ROOT_WAIT UINT64_C(30000000000)     /* ns */
#define SHUTDOWN_WAIT UINT64_C(30000000000) /* ns */

struct step {
    const char *name;
    startup_function *run;
};

static IOService *root;

/* ---- the steps ---- */

static void start_libkern(const struct xnu_options *options)
{
    xnu_libkern_start();
}

static void start_kernel_interfaces(const struct xnu_options *options)
{
    if (xnu_bsd_start() != 0)
        machine_panic("no memory for threads, thread calls and kernel controls");
}

static void start_symbols(const struct xnu_options *options)
{
    symbols_start();
}

static void start_registry(const struct xnu_options *options)
{
    registry_start();
}

static void start_catalogue(const struct xnu_options *options)
{
    catalogue_start();
}

static void start_interrupts(const struct xnu_options *options)
{
    vectors_start();
}

/* The platform expert competes with those of kexts for the root of all services, as Apple's
 * does. */
static void add_built_in_personalities(const struct xnu_options *options)
{
    struct plist *personality = plist_new_dictionary();
    struct plist *personalities = plist_new_dictionary();

    plist_dictionary_set(personality, "IOClass",
                         plist_new_string("AppleACPIPlatformExpert",
                                          strlen("AppleACPIPlatformExpert")));
    plist_dictionary_set(personality, "IOProviderClass",
                         plist_new_string("IOPlatformExpertDevice",
                                          strlen("IOPlatformExpertDevice")));
    plist_dictionary_set(personality, "IONameMatch", plist_new_string("ACPI", strlen("ACPI")));
    plist_dictionary_set(personality, "IOProbeScore", plist_new_integer(BUILT_IN_SCORE, BITS));
    plist_dictionary_set(personalities, "ACPI", personality);
    if (!xnu_add_personalities(personalities, "com.apple.driver.AppleACPIPlatform"))
        machine_panic("no memory for the built-in personalities");
    plist_release(personalities);
}

static void set_console(const struct xnu_console *given)
{
    struct platform_console console = {.video = {.v_baseAddr = given->base,
                                                 .v_rowBytes = given->row_bytes,
                                                 .v_width = given->width,
                                                 .v_height = given->height,
                                                 .v_depth = given->depth,
                                                 .v_display = given->base != 0,
                                                 .v_length =
                                                     (unsigned long)given->row_bytes *
                                                     given->height}};

    platform_set_console(&console);
}

static void make_machine(const struct xnu_options *options)
{
    unsigned generation = options->generation ? options->generation
                                              : machine_partition_generation();

    set_console(&options->console);
    platform_set_machine(machine_description(generation));
    root = platform_make_root();
    resources_start(root);
}

static void start_power(const struct xnu_options *options)
{
    root_domain_start(root);
}

static void start_panic_actions(const struct xnu_options *options)
{
    panic_actions_start();
}

static void register_root(const struct xnu_options *options)
{
    /* Not synchronously: everything below would inherit that. */
    IOService_registerService(root, 0);
    if (!xnu_wait_quiet(ROOT_WAIT) || !IOService_getPlatform())
        machine_panic("no platform expert has started");
}

static void publish_resources(const struct xnu_options *options)
{
    IOService_publishResource_cstring("IOKit", NULL);
    IOService_publishResource_cstring("IOBSD", NULL);
}

static const struct step default_steps[] = {
    {"libkern", start_libkern},
    {"kernel interfaces", start_kernel_interfaces},
    {"symbols", start_symbols},
    {"registry", start_registry},
    {"catalogue", start_catalogue},
    {"interrupts", start_interrupts},
    {"built-in personalities", add_built_in_personalities},
    {"machine", make_machine},
    {"power", start_power},
    {"panic actions", start_panic_actions},
    {"root", register_root},
    {"resources", publish_resources},
};

/* ---- the list ---- */

static struct step steps[STEP_MAX];
static size_t step_count;

void startup_reset(void)
{
    step_count = sizeof(default_steps) / sizeof(default_steps[0]);
    memcpy(steps, default_steps, sizeof(default_steps));
}

static size_t find_step(const char *name)
{
    size_t i = 0;

    if (step_count == 0)
        startup_reset();
    while (i < step_count && name && strcmp(steps[i].name, name) != 0)
        i++;
    return name ? i : step_count;
}

bool startup_remove(const char *name)
{
    size_t i = find_step(name);

    if (i == step_count)
        return false;
    memmove(&steps[i], &steps[i + 1], (step_count - i - 1) * sizeof(steps[0]));
    step_count--;
    return true;
}

bool startup_replace(const char *name, startup_function *function)
{
    size_t i = find_step(name);

    if (i == step_count)
        return false;
    steps[i].run = function;
    return true;
}

bool startup_insert(const char *before, const char *name, startup_function *function)
{
    size_t i = find_step(before);

    if ((before && i == step_count) || step_count == STEP_MAX)
        return false;
    memmove(&steps[i + 1], &steps[i], (step_count - i) * sizeof(steps[0]));
    steps[i] = (struct step){name, function};
    step_count++;
    return true;
}

void xnu_iokit_start(const struct xnu_options *options)
{
    static const struct xnu_options defaults;
    size_t i;

    find_step(NULL); /* makes sure of the list */
    for (i = 0; i < step_count; i++)
        steps[i].run(options ? options : &defaults);
}

/* ---- drivers ---- */

static void name_bundle(OSDictionary *personality, const char *bundle)
{
    OSString *identifier = OSString_withCString(bundle);
    OSString *own = as_string(OSDictionary_getObject_symbol(personality, gIOModuleIdentifierKey));

    if (identifier && !own)
        OSDictionary_setObject_symbol(personality, gIOModuleIdentifierKey,
                                      (OSMetaClassBase *)identifier);
    else if (identifier && !OSString_isEqualTo_string(own, identifier))
        OSDictionary_setObject_cstring(personality, "IOPersonalityPublisher",
                                       (OSMetaClassBase *)identifier);
    object_release(identifier);
}

bool xnu_add_personalities(const struct plist *personalities, const char *bundle)
{
    OSArray *list = OSArray_withCapacity(1);
    bool good = list && plist_is(personalities, PLIST_DICTIONARY);
    size_t i;

    for (i = 0; good && i < plist_count(personalities); i++) {
        OSObject *personality = object_from_plist(plist_value_at(personalities, i));

        if (as_dictionary(personality)) {
            name_bundle((OSDictionary *)personality, bundle);
            good = OSArray_setObject_metaclassbase(list, (OSMetaClassBase *)personality);
        }
        object_release(personality);
    }
    good = good && IOCatalogue_addDrivers(gIOCatalogue, list, true);
    object_release(list);
    return good;
}

/* +1, or NULL. */
static OSDictionary *bundle_matching(const char *bundle)
{
    OSDictionary *matching = OSDictionary_withCapacity(1);
    const OSSymbol *identifier = OSSymbol_withCString(bundle);

    if (matching && identifier)
        OSDictionary_setObject_symbol(matching, gIOModuleIdentifierKey,
                                      (const OSMetaClassBase *)identifier);
    object_release(identifier);
    return matching;
}

void xnu_remove_personalities(const char *bundle)
{
    OSDictionary *matching = bundle_matching(bundle);

    IOCatalogue_removeDrivers(gIOCatalogue, matching, false);
    object_release(matching);
}

void xnu_terminate_drivers(const char *bundle)
{
    OSDictionary *matching = bundle_matching(bundle);

    IOCatalogue_terminateDrivers(gIOCatalogue, matching);
    object_release(matching);
}

void xnu_publish_resource(const char *name)
{
    IOService_publishResource_cstring(name, NULL);
}

bool xnu_wait_quiet(uint64_t timeout)
{
    return IOService_waitQuiet_number(root, timeout) == kIOReturnSuccess;
}

/* ---- end ---- */

/* The clients of a service, the last that came first. */
static bool terminate_clients(IOService *service)
{
    OSArray *clients = service ? service_copy_clients(service) : NULL;
    unsigned i = clients ? array_count(clients) : 0;
    bool gone = true;

    while (i-- > 0) {
        IOService *client = array_at(clients, i);

        IOService_terminate(client, kIOServiceRequired | kIOServiceSynchronous);
        if (IOService_getBusyState(client) > 0) {
            machine_log("shutdown: %s (%s) does not go away",
                        IORegistryEntry_getName(entry_of(client), NULL),
                        object_class_name(client));
            gone = false;
        }
    }
    object_release(clients);
    return gone;
}

/* Drivers that hang on IOResources use those of the machine, so they go first. */
static bool terminate_all(void)
{
    bool gone = terminate_clients(IOService_getResourceService());

    return terminate_clients((IOService *)IOService_getPlatform()) && gone;
}

bool xnu_shutdown(bool restart)
{
    bool gone;

    root_domain_will_shut_down(restart);
    panic_actions_stop();
    gone = terminate_all();
    gone = configuration_wait_idle(machine_uptime() + SHUTDOWN_WAIT) && gone;
    gone = terminate_all() && gone; /* what was being matched has come meanwhile */
    configuration_stop();
    service_termination_stop();
    xnu_bsd_stop();
    return gone;
}
