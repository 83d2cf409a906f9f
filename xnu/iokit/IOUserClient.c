/* SPDX-License-Identifier: BSD-3-Clause */
/* User clients, as much as a kernel without user processes of its own needs: they are made,
 * started, asked and closed from inside (kextrun's tools and tests). Source of the rules: xnu
 * iokit/Kernel/IOUserClient.cpp. */
#include "abi/IOUserClient.h"
#include "abi/kpi/libkern.h"

#include "xnu/iokit/service.h"

/* ---- making one: the class in IOUserClientClass ---- */

static IOUserClient *alloc_client(IOService *me)
{
    OSString *class =
        as_string(IORegistryEntry_getProperty_symbol(entry_of(me), gIOUserClientClassKey));
    OSObject *object = class ? OSMetaClass_allocClassWithName_string(class) : NULL;
    IOUserClient *client = object_cast(object, &IOUserClient_gMetaClass);

    if (!client)
        object_release(object);
    return client;
}

/* *handler: +1, started. */
int32_t IOService__newUserClient_dictionary(IOService *me, struct task *owner, void *security,
                                            uint32_t type, OSDictionary *properties,
                                            IOUserClient **handler)
{
    IOUserClient *client;
    int32_t result;

    /* Drivers for 10.4 override the form without properties. */
    if (me->vtable->newUserClient_userclients != IOService__newUserClient_userclients) {
        result = IOService_newUserClient_userclients(me, owner, security, type, handler);
        if (result == kIOReturnSuccess && *handler)
            return result;
    }
    client = alloc_client(me);
    if (!client)
        return kIOReturnUnsupported;
    if (!IOUserClient_initWithTask_dictionary(client, owner, security, type, properties)) {
        object_release(client);
        return kIOReturnBadArgument;
    }
    if (!IOService_attach((IOService *)client, me)) {
        object_release(client);
        return kIOReturnUnsupported;
    }
    if (!IOService_start((IOService *)client, me)) {
        IOService_detach((IOService *)client, me);
        object_release(client);
        return kIOReturnUnsupported;
    }
    *handler = client;
    return kIOReturnSuccess;
}

int32_t IOService__newUserClient_userclients(IOService *me, struct task *owner, void *security,
                                             uint32_t type, IOUserClient **handler)
{
    return kIOReturnUnsupported;
}

/* ---- life ---- */

bool IOUserClient__init(IOUserClient *me)
{
    return IORegistryEntry_init_dictionary(entry_of(me), NULL);
}

bool IOUserClient__init_dictionary(IOUserClient *me, OSDictionary *properties)
{
    return IOService_super_init_dictionary((IOService *)me, properties);
}

bool IOUserClient__initWithTask(IOUserClient *me, struct task *owner, void *security, uint32_t type)
{
    return IORegistryEntry_init_dictionary(entry_of(me), NULL);
}

bool IOUserClient__initWithTask_dictionary(IOUserClient *me, struct task *owner, void *security,
                                           uint32_t type, OSDictionary *properties)
{
    return IOUserClient_initWithTask(me, owner, security, type);
}

void IOUserClient__free(IOUserClient *me)
{
    IOService_super_free((IOService *)me);
}

int32_t IOUserClient__clientClose(IOUserClient *me)
{
    return kIOReturnUnsupported;
}

/* The process ended without closing. */
int32_t IOUserClient__clientDied(IOUserClient *me)
{
    return IOUserClient_clientClose(me);
}

IOService *IOUserClient__getService(IOUserClient *me)
{
    return NULL;
}

/* Everybody who can run kextrun is the administrator of this machine. */
int32_t IOUserClient_clientHasPrivilege(void *security, const char *name)
{
    if (strcmp(name, kIOClientPrivilegeAdministrator) == 0 ||
        strcmp(name, kIOClientPrivilegeLocalUser) == 0 ||
        strcmp(name, kIOClientPrivilegeConsoleUser) == 0 ||
        strcmp(name, kIOClientPrivilegeForeground) == 0)
        return kIOReturnSuccess;
    return kIOReturnUnsupported;
}

/* ---- methods ---- */

static bool count_fits(uint32_t wanted, uint32_t given)
{
    return wanted == kIOUCVariableStructureSize || wanted == given;
}

/* Sizes are checked against the dispatch entry; without one there is no such method. */
int32_t IOUserClient__externalMethod(IOUserClient *me, uint32_t selector,
                                     IOExternalMethodArguments *arguments,
                                     IOExternalMethodDispatch *dispatch, OSObject *target,
                                     void *reference)
{
    if (!dispatch)
        return kIOReturnUnsupported;
    if (!count_fits(dispatch->checkScalarInputCount, arguments->scalarInputCount) ||
        !count_fits(dispatch->checkStructureInputSize, arguments->structureInputSize) ||
        !count_fits(dispatch->checkScalarOutputCount, arguments->scalarOutputCount) ||
        !count_fits(dispatch->checkStructureOutputSize, arguments->structureOutputSize))
        return kIOReturnBadArgument;
    if (!dispatch->function)
        return kIOReturnNoCompletion;
    return dispatch->function(target, reference, arguments);
}

IOExternalMethod *IOUserClient__getExternalMethodForIndex(IOUserClient *me, uint32_t index)
{
    return NULL;
}

IOExternalAsyncMethod *IOUserClient__getExternalAsyncMethodForIndex(IOUserClient *me,
                                                                    uint32_t index)
{
    return NULL;
}

IOExternalMethod *IOUserClient__getTargetAndMethodForIndex(IOUserClient *me, IOService **target,
                                                           uint32_t index)
{
    IOExternalMethod *method = IOUserClient_getExternalMethodForIndex(me, index);

    if (method)
        *target = method->object;
    return method;
}

IOExternalAsyncMethod *IOUserClient__getAsyncTargetAndMethodForIndex(IOUserClient *me,
                                                                     IOService **target,
                                                                     uint32_t index)
{
    IOExternalAsyncMethod *method = IOUserClient_getExternalAsyncMethodForIndex(me, index);

    if (method)
        *target = method->object;
    return method;
}

IOExternalTrap *IOUserClient__getExternalTrapForIndex(IOUserClient *me, uint32_t index)
{
    return NULL;
}

IOExternalTrap *IOUserClient__getTargetAndTrapForIndex(IOUserClient *me, IOService **target,
                                                       uint32_t index)
{
    IOExternalTrap *trap = IOUserClient_getExternalTrapForIndex(me, index);

    if (trap)
        *target = trap->object;
    return trap;
}

/* ---- ports, memory, other clients ---- */

int32_t IOUserClient__registerNotificationPort_integer32(IOUserClient *me, struct ipc_port *port,
                                                         uint32_t type, uint32_t reference)
{
    return kIOReturnUnsupported;
}

int32_t IOUserClient__registerNotificationPort_integer64(IOUserClient *me, struct ipc_port *port,
                                                         uint32_t type, uint64_t reference)
{
    return IOUserClient_registerNotificationPort_integer32(me, port, type, (uint32_t)reference);
}

int32_t IOUserClient__getNotificationSemaphore(IOUserClient *me, uint32_t type,
                                               struct semaphore **semaphore)
{
    return kIOReturnUnsupported;
}

int32_t IOUserClient__connectClient(IOUserClient *me, IOUserClient *client)
{
    return kIOReturnUnsupported;
}

int32_t IOUserClient__clientMemoryForType(IOUserClient *me, uint32_t type, uint32_t *options,
                                          IOMemoryDescriptor **memory)
{
    return kIOReturnUnsupported;
}

int32_t IOUserClient__exportObjectToClient(IOUserClient *me, struct task *task, OSObject *object,
                                           OSObject **client_object)
{
    *client_object = object;
    return kIOReturnSuccess;
}

int32_t IOUserClient__Dispatch(IOUserClient *me, const IORPC rpc)
{
    return kIOReturnUnsupported;
}

/* Asynchronous results go to Mach ports, which nobody has here. */
int32_t IOUserClient_sendAsyncResult64(uint64_t *reference, int32_t result, uint64_t *arguments,
                                       uint32_t count)
{
    return kIOReturnUnsupported;
}

int32_t IOUserClient_sendAsyncResult(uint32_t *reference, int32_t result, void **arguments,
                                     uint32_t count)
{
    return kIOReturnUnsupported;
}

int32_t IOUserClient_sendAsyncResult64WithOptions(uint64_t *reference, int32_t result,
                                                  uint64_t *arguments, uint32_t count,
                                                  uint32_t options)
{
    return kIOReturnUnsupported;
}

/* Word 0: port, 1: call-back, 2: reference (kIOAsyncReserved..., kIOAsyncCalloutFunc...,
 * ...Refcon). */
void IOUserClient_setAsyncReference64(uint64_t *reference, struct ipc_port *port,
                                      uint64_t callback, uint64_t context)
{
    reference[0] = (uintptr_t)port;
    reference[1] = callback;
    reference[2] = context;
}

void IOUserClient_setAsyncReference64_task(uint64_t *reference, struct ipc_port *port,
                                           uint64_t callback, uint64_t context, struct task *task)
{
    IOUserClient_setAsyncReference64(reference, port, callback, context);
}

int32_t IOUserClient_releaseAsyncReference64(uint64_t *reference)
{
    return kIOReturnSuccess;
}

int32_t IOUserClient_releaseNotificationPort(struct ipc_port *port)
{
    return kIOReturnSuccess;
}

int32_t IOUserClient_clientHasAuthorization(struct task *task, IOService *service)
{
    return kIOReturnSuccess;
}

OSObject *IOUserClient_copyClientEntitlement(struct task *task, const char *entitlement)
{
    return NULL;
}
