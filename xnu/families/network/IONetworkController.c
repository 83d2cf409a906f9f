/* SPDX-License-Identifier: BSD-3-Clause */
/* IONetworkController.c - the life of a controller, its commands, medium and link. */
#include "xnu/families/network/network_private.h"

#include "xnu/families/network/ethernet_stack.h"

/* ---- life ----------------------------------------------------------------------------------- */

bool IONetworkController__init_dictionary(IONetworkController *me, OSDictionary *properties)
{
    if (!IOService_super_init_dictionary((IOService *)me, properties))
        return false;
    me->_reserved = machine_allocate_zeroed(sizeof(struct network_controller), 0);
    return me->_reserved != NULL;
}

void IONetworkController__free(IONetworkController *me)
{
    struct network_controller *state = controller_state(me);

    if (state) {
        if (state->gate && state->work_loop)
            IOWorkLoop_removeEventSource(state->work_loop, (IOEventSource *)state->gate);
        object_release(state->queue);
        object_release(state->gate);
        object_release(state->work_loop);
        object_release(state->media);
        machine_release(state, sizeof *state);
        me->_reserved = NULL;
    }
    IOService_super_free((IOService *)me);
}

bool IONetworkController__start(IONetworkController *me, IOService *provider)
{
    struct network_controller *state = controller_state(me);

    if (!IOService_super_start((IOService *)me, provider) ||
        !IONetworkController_createWorkLoop(me))
        return false;
    state->work_loop = IOService_getWorkLoop((IOService *)me);
    if (!state->work_loop)
        return false;
    object_retain(state->work_loop);
    state->gate = IOCommandGate_commandGate((OSObject *)me, NULL);
    if (!state->gate ||
        IOWorkLoop_addEventSource(state->work_loop, (IOEventSource *)state->gate) != 0)
        return false;
    state->queue = IONetworkController_createOutputQueue(me);
    IOService_PMinit((IOService *)me);
    IOService_joinPMtree(provider, (IOService *)me);
    return IONetworkController_prepare(me) == 0;
}

void IONetworkController__stop(IONetworkController *me, IOService *provider)
{
    IOService_PMstop((IOService *)me);
    IOService_super_stop((IOService *)me, provider);
}

int32_t IONetworkController__registerWithPolicyMaker(IONetworkController *me,
                                                     IOService *policyMaker)
{
    return kIOReturnUnsupported;
}

bool IONetworkController__createWorkLoop(IONetworkController *me)
{
    return true;
}

IOOutputQueue *IONetworkController__createOutputQueue(IONetworkController *me)
{
    return NULL;
}

int32_t IONetworkController__prepare(IONetworkController *me)
{
    return kIOReturnSuccess;
}

IOOutputQueue *IONetworkController__getOutputQueue(IONetworkController *me)
{
    return controller_state(me)->queue;
}

IOCommandGate *IONetworkController__getCommandGate(IONetworkController *me)
{
    return controller_state(me)->gate;
}

OSObject *IONetworkController__getCommandClient(IONetworkController *me)
{
    return NULL;
}

/* ---- commands: on the caller's thread, inside the controller's gate -------------------------- */

int32_t IONetworkController__executeCommand(
    IONetworkController *me, OSObject *client,
    int32_t (*action)(void *, void *, void *, void *, void *), void *target,
    void *param0, void *param1, void *param2, void *param3)
{
    IOWorkLoop *work_loop = controller_state(me)->work_loop;

    IOWorkLoop_closeGate(work_loop);
    int32_t result = action(target, param0, param1, param2, param3);
    IOWorkLoop_openGate(work_loop);
    return result;
}

int32_t IONetworkController__doEnable(IONetworkController *me, IOService *client)
{
    return IONetworkController_enable_service(me, client);
}

int32_t IONetworkController__doDisable(IONetworkController *me, IOService *client)
{
    return IONetworkController_disable_service(me, client);
}

int32_t IONetworkController__enable_service(IONetworkController *me, IOService *client)
{
    IONetworkInterface *interface = iokit_cast(IONetworkInterface, client);

    return interface ? IONetworkController_enable_networkinterface(me, interface)
                     : kIOReturnBadArgument;
}

int32_t IONetworkController__disable_service(IONetworkController *me, IOService *client)
{
    IONetworkInterface *interface = iokit_cast(IONetworkInterface, client);

    return interface ? IONetworkController_disable_networkinterface(me, interface)
                     : kIOReturnBadArgument;
}

int32_t IONetworkController__enable_networkinterface(IONetworkController *me,
                                                     IONetworkInterface *interface)
{
    return kIOReturnUnsupported;
}

int32_t IONetworkController__disable_networkinterface(IONetworkController *me,
                                                      IONetworkInterface *interface)
{
    return kIOReturnUnsupported;
}

/* ---- interfaces ------------------------------------------------------------------------------ */

bool IONetworkController__attachInterface(IONetworkController *me, IONetworkInterface **result,
                                          bool do_register)
{
    struct network_controller *state = controller_state(me);

    *result = NULL;
    if (!state->published) {
        if (!IONetworkController_publishProperties(me))
            return false;
        IONetworkController_registerWithPolicyMaker(me, (IOService *)me);
    }
    state->published = true;
    IONetworkInterface *interface = IONetworkController_createInterface(me);
    if (!interface)
        return false;
    if (!IONetworkController_configureInterface(me, interface) ||
        !IOService_attach((IOService *)interface, (IOService *)me)) {
        object_release(interface);
        return false;
    }
    *result = interface;
    if (do_register)
        IOService_registerService((IOService *)interface, 0);
    return true;
}

void IONetworkController__detachInterface(IONetworkController *me, IONetworkInterface *interface,
                                          bool sync)
{
    ethernet_stack_remove(interface);
    IOService_terminate((IOService *)interface,
                        kIOServiceRequired | (sync ? kIOServiceSynchronous : 0));
}


bool IONetworkController__configureInterface(IONetworkController *me, IONetworkInterface *interface)
{
    return true;
}

/* ---- medium and link ------------------------------------------------------------------------- */

bool IONetworkController__publishMediumDictionary(IONetworkController *me,
                                                  const OSDictionary *media)
{
    struct network_controller *state = controller_state(me);
    OSDictionary *copy = OSDictionary_withDictionary(media, 0);

    if (!copy)
        return false;
    object_release(state->media);
    state->media = copy;
    state->medium = NULL;
    return true;
}

const OSDictionary *IONetworkController__getMediumDictionary(IONetworkController *me)
{
    return controller_state(me)->media;
}

OSDictionary *IONetworkController__copyMediumDictionary(IONetworkController *me)
{
    object_retain(controller_state(me)->media);
    return controller_state(me)->media;
}

bool IONetworkController__setSelectedMedium(IONetworkController *me, const IONetworkMedium *medium)
{
    struct network_controller *state = controller_state(me);
    const OSSymbol *name = medium ? IONetworkMedium_getName((IONetworkMedium *)medium) : NULL;

    if (!medium || !state->media ||
        OSDictionary_getObject_symbol(state->media, name) != (const OSObject *)medium)
        return false;
    state->medium = medium;
    IORegistryEntry_setProperty_cstring_object((IORegistryEntry *)me, kIOSelectedMedium,
                                               (OSObject *)name);
    return true;
}

const IONetworkMedium *IONetworkController__getSelectedMedium(IONetworkController *me)
{
    return controller_state(me)->medium;
}

int32_t IONetworkController__selectMedium(IONetworkController *me, const IONetworkMedium *medium)
{
    return kIOReturnUnsupported;
}

bool IONetworkController__setLinkStatus(IONetworkController *me, uint32_t status,
                                        const IONetworkMedium *medium, uint64_t speed, OSData *data)
{
    struct network_controller *state = controller_state(me);
    bool changed = state->link_status != status || state->link_speed != speed;

    state->link_status = status;
    state->link_speed = speed;
    IORegistryEntry_setProperty_cstring_number((IORegistryEntry *)me, kIOLinkStatus, status, 32);
    IORegistryEntry_setProperty_cstring_number((IORegistryEntry *)me, kIOLinkSpeed, speed, 64);
    if (medium)
        IORegistryEntry_setProperty_cstring_object(
            (IORegistryEntry *)me, kIOActiveMedium,
            (OSObject *)IONetworkMedium_getName((IONetworkMedium *)medium));
    if (changed)
        ethernet_stack_link(me, (status & kIONetworkLinkActive) != 0);
    return true;
}

/* ---- properties ------------------------------------------------------------------------------ */

static void publish_string(IONetworkController *me, const char *key, const OSString *string)
{
    if (!string)
        return;
    IORegistryEntry_setProperty_cstring_object((IORegistryEntry *)me, key, (OSObject *)string);
    object_release(string);
}

bool IONetworkController__publishProperties(IONetworkController *me)
{
    uint32_t size;

    publish_string(me, kIOVendor, IONetworkController_newVendorString(me));
    publish_string(me, kIOModel, IONetworkController_newModelString(me));
    publish_string(me, kIORevision, IONetworkController_newRevisionString(me));
    IORegistryEntry_setProperty_cstring_number((IORegistryEntry *)me, kIOFeatures,
                                               IONetworkController_getFeatures(me), 32);
    if (IONetworkController_getMaxPacketSize(me, &size) == kIOReturnSuccess)
        IORegistryEntry_setProperty_cstring_number((IORegistryEntry *)me, kIOMaxPacketSize, size,
                                                   32);
    if (IONetworkController_getMinPacketSize(me, &size) == kIOReturnSuccess)
        IORegistryEntry_setProperty_cstring_number((IORegistryEntry *)me, kIOMinPacketSize, size,
                                                   32);
    return true;
}

uint32_t IONetworkController__getFeatures(IONetworkController *me)
{
    return 0;
}

const OSString *IONetworkController__newVendorString(IONetworkController *me)
{
    return NULL;
}

const OSString *IONetworkController__newModelString(IONetworkController *me)
{
    return NULL;
}

const OSString *IONetworkController__newRevisionString(IONetworkController *me)
{
    return NULL;
}

int32_t IONetworkController__setMaxPacketSize(IONetworkController *me, uint32_t size)
{
    return kIOReturnUnsupported;
}
