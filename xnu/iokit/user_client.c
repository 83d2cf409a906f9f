/* SPDX-License-Identifier: BSD-3-Clause */
#include "xnu/iokit/user_client.h"

#include "abi/kpi/locks.h"

#include "xnu/iokit/service.h"
#include "xnu/libkern/release.h"
#include "xnu/machine/memory.h"

struct user_client {
    IOUserClient *object;       /* retained */
    IORWLock *lock;             /* NULL: methods run beside a close */
    bool closed;                /* the driver has been told; under `closing` */
    struct machine_spin_lock closing;
};

/* ---- opening -------------------------------------------------------------------------------- */

static OSObject *property(const IOUserClient *object, const char *key)
{
    return IORegistryEntry_getProperty_cstring((IORegistryEntry *)object, key);
}

static bool may_open(const IOUserClient *object)
{
    OSObject *wanted = property(object, "IOUserClientEntitlements");

    return !release_behaviour()->client_entitlements || !wanted ||
           wanted == (OSObject *)kOSBooleanFalse;
}

static bool wants_lock(const IOUserClient *object)
{
    return release_behaviour()->client_locking &&
           property(object, "IOUserClientDefaultLocking") != (OSObject *)kOSBooleanFalse;
}

int32_t user_client_open(IOService *service, uint32_t type, OSDictionary *properties,
                         struct user_client **result)
{
    struct user_client *client = machine_allocate_zeroed(sizeof *client, 0);
    int32_t error;

    if (!client)
        return kIOReturnNoMemory;
    error = IOService_newUserClient_dictionary(service, NULL, NULL, type, properties,
                                               &client->object);
    if (error == kIOReturnSuccess && !client->object)
        error = kIOReturnNoResources;
    if (error != kIOReturnSuccess) {
        machine_release(client, sizeof *client);
        return error;
    }
    if (wants_lock(client->object))
        client->lock = IORWLockAlloc();
    if (!may_open(client->object)) {
        user_client_close(client);
        user_client_end(client);
        return kIOReturnNotPrivileged;
    }
    *result = client;
    return kIOReturnSuccess;
}

/* ---- calling -------------------------------------------------------------------------------- */

int32_t user_client_call(struct user_client *client, uint32_t selector,
                         IOExternalMethodArguments *arguments)
{
    int32_t result;

    if (client->lock)
        IORWLockRead(client->lock);
    result = IOUserClient_externalMethod(client->object, selector, arguments, NULL, NULL, NULL);
    if (client->lock)
        IORWLockUnlock(client->lock);
    return result;
}

/* ---- closing -------------------------------------------------------------------------------- */

/* True: the driver is to be told. */
static bool begin_closing(struct user_client *client)
{
    bool first;

    machine_spin_lock(&client->closing);
    first = !client->closed;
    client->closed = true;
    machine_spin_unlock(&client->closing);
    return first || !release_behaviour()->client_closes_once;
}

static int32_t tell(struct user_client *client, bool died)
{
    int32_t result;

    if (!begin_closing(client))
        return kIOReturnSuccess;
    if (client->lock)
        IORWLockWrite(client->lock);
    result = died ? IOUserClient_clientDied(client->object)
                  : IOUserClient_clientClose(client->object);
    if (client->lock)
        IORWLockUnlock(client->lock);
    return result;
}

int32_t user_client_close(struct user_client *client)
{
    return tell(client, false);
}

void user_client_end(struct user_client *client)
{
    tell(client, true);
    if (client->lock)
        IORWLockFree(client->lock);
    object_release(client->object);
    machine_release(client, sizeof *client);
}
