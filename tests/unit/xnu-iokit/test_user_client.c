/* SPDX-License-Identifier: BSD-3-Clause */
/* User clients of processes: what differs between releases about their end, their lock and their
 * entitlements. From which release each is, xnu-libkern/release says. */
#include "tests/unit/xnu-iokit/iokit_test.h"

#include "abi/IOUserClient.h"
#include "abi/constants.h"

#include "xnu/iokit/user_client.h"
#include "xnu/libkern/object.h"
#include "xnu/libkern/release.h"

struct EndClient {
    IOUserClient super;
};
typedef struct EndClient EndClient;

static bool method_may_end;
static unsigned freed;

/* Runs until the test lets it. */
static int32_t client_method(IOUserClient *me, uint32_t selector,
                             IOExternalMethodArguments *arguments,
                             IOExternalMethodDispatch *dispatch, OSObject *target, void *reference)
{
    record("begins");
    machine_wakeup(&events, false);
    while (!method_may_end)
        machine_sleep(NULL, &method_may_end, machine_uptime() + SECOND / 100, false);
    record("ends");
    return (int32_t)selector;
}

static int32_t client_close(IOUserClient *me)
{
    record("close");
    IOService_terminate((IOService *)me, 0);
    return kIOReturnSuccess;
}

static int32_t client_died(IOUserClient *me)
{
    record("died");
    IOService_terminate((IOService *)me, 0);
    return kIOReturnSuccess;
}

static void client_free(OSObject *me)
{
    freed++;
    IOUserClient_super_free((IOUserClient *)me);
}

IOKIT_CLASS(9, EndClient, IOUserClient, .externalMethod = client_method,
            .clientClose = client_close, .clientDied = client_died, .free = client_free)

/* ---- the rig -------------------------------------------------------------------------------- */

static struct release_behaviour *behaviour(void)
{
    return (struct release_behaviour *)release_behaviour();
}

static IOService *make_server(const char *key, OSObject *value)
{
    IOService *nub = make_nub("server", NULL);

    set_text(nub, "IOUserClientClass", "EndClient");
    if (key)
        IORegistryEntry_setProperty_cstring_object(as_entry(nub), key, value);
    forget_events();
    return nub;
}

/* What the driver sets on its client. */
static const char *client_key;

static struct user_client *open_client(IOService *nub)
{
    struct user_client *client = NULL;

    CHECK(user_client_open(nub, 0, NULL, &client) == kIOReturnSuccess && client);
    return client;
}

static struct user_client *opened;

static void caller(void *unused)
{
    IOExternalMethodArguments arguments = { 0 };

    CHECK(user_client_call(opened, 7, &arguments) == 7);
    record("returned");
    machine_wakeup(&opened, false);
}

static void closer(void *unused)
{
    CHECK(user_client_close(opened) == kIOReturnSuccess);
    record("closed");
}

/* The last reference goes with the termination, on a thread of that. */
static bool freed_becomes(unsigned count)
{
    uint64_t deadline = machine_uptime() + SECOND;

    while (freed != count && machine_uptime() < deadline)
        machine_sleep(NULL, &freed, machine_uptime() + SECOND / 100, false);
    return freed == count;
}

static void settle(void)
{
    char nobody;

    machine_sleep(NULL, &nobody, machine_uptime() + SECOND / 10, false);
}

/* ---- the end -------------------------------------------------------------------------------- */

static void end_body(void *unused)
{
    IOService *nub = make_server(NULL, NULL);
    struct user_client *client = open_client(nub);

    CHECK(user_client_close(client) == kIOReturnSuccess);
    user_client_end(client);
    CHECK(freed_becomes(1));
    CHECK_EVENTS(behaviour()->client_closes_once ? "close" : "close died");
    forget_events();
    user_client_end(open_client(nub)); /* without a close */
    CHECK(freed_becomes(2));
    CHECK_EVENTS("died");
    object_release(nub);
}

static void the_end_is_told_once_or_twice(void **state)
{
    (void)state;
    behaviour()->client_closes_once = false;
    run_iokit(end_body);
    behaviour()->client_closes_once = true;
    run_iokit(end_body);
}

/* ---- the lock ------------------------------------------------------------------------------- */

static void lock_body(void *unused)
{
    IOService *nub = make_server(NULL, NULL);

    opened = open_client(nub);
    machine_thread_release(machine_thread_start("caller", caller, NULL));
    settle();
    machine_thread_release(machine_thread_start("closer", closer, NULL));
    settle();
    CHECK_EVENTS(behaviour()->client_locking ? "begins" : "begins close closed");
    method_may_end = true;
    settle();
    CHECK(strstr(events, "ends") != NULL && strstr(events, "close") != NULL);
    if (behaviour()->client_locking)
        CHECK(strstr(events, "ends") < strstr(events, "close"));
    user_client_end(opened);
    object_release(nub);
}

static void a_close_waits_for_methods_or_does_not(void **state)
{
    (void)state;
    behaviour()->client_locking = true;
    run_iokit(lock_body);
    behaviour()->client_locking = false;
    run_iokit(lock_body);
    behaviour()->client_locking = true;
}

/* ---- entitlements --------------------------------------------------------------------------- */

static bool client_start(IOService *me, IOService *provider)
{
    IORegistryEntry_setProperty_cstring_object(as_entry(me), client_key,
                                               IORegistryEntry_getProperty_cstring(
                                                   as_entry(provider), client_key));
    return IOUserClient_super_start((IOUserClient *)me, provider);
}

struct EntitledClient {
    IOUserClient super;
};
typedef struct EntitledClient EntitledClient;

IOKIT_CLASS(14, EntitledClient, IOUserClient, .start = client_start, .clientClose = client_close,
            .free = client_free)

static void entitlement_body(void *unused)
{
    OSString *name = OSString_withCString("org.example.may-open");
    IOService *nub = make_server("IOUserClientEntitlements", (OSObject *)name);
    struct user_client *client = NULL;

    client_key = "IOUserClientEntitlements";
    set_text(nub, "IOUserClientClass", "EntitledClient");
    if (behaviour()->client_entitlements) {
        CHECK(user_client_open(nub, 0, NULL, &client) == (int32_t)kIOReturnNotPrivileged);
        CHECK(client == NULL && freed_becomes(1));
        CHECK_EVENTS("close");
        IORegistryEntry_setProperty_cstring_object(as_entry(nub), client_key,
                                                   (OSObject *)kOSBooleanFalse);
    }
    user_client_end(open_client(nub));
    object_release(name);
    object_release(nub);
}

static void entitlements_are_asked_for_or_not(void **state)
{
    (void)state;
    behaviour()->client_entitlements = true;
    run_iokit(entitlement_body);
    behaviour()->client_entitlements = false;
    run_iokit(entitlement_body);
}

static void no_client_body(void *unused)
{
    IOService *nub = make_nub("plain", NULL);
    struct user_client *client = NULL;

    CHECK(user_client_open(nub, 0, NULL, &client) == (int32_t)kIOReturnUnsupported);
    CHECK(client == NULL);
    object_release(nub);
}

static void a_service_without_clients_has_none(void **state)
{
    (void)state;
    run_iokit(no_client_body);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_is_told_once_or_twice),
        cmocka_unit_test(a_close_waits_for_methods_or_does_not),
        cmocka_unit_test(entitlements_are_asked_for_or_not),
        cmocka_unit_test(a_service_without_clients_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
