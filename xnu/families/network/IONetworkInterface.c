/* SPDX-License-Identifier: BSD-3-Clause */
/* IONetworkInterface.c - an interface between driver and stack (ethernet_stack.c): the input queue,
 * life. */
#include "xnu/families/network/network_private.h"

#include "xnu/families/network/ethernet_stack.h"

enum { QUEUE_PACKET = 1, INPUT_QUEUE_MAX = 8192 };

/* ---- statistics, by key ---------------------------------------------------------------------- */

bool IONetworkInterface__addNetworkData(IONetworkInterface *me, IONetworkData *data)
{
    return OSDictionary_setObject_symbol(interface_state(me)->data, IONetworkData_getKey(data),
                                         (OSMetaClassBase *)data);
}

bool IONetworkInterface__removeNetworkData_symbol(IONetworkInterface *me, const OSSymbol *key)
{
    OSDictionary_removeObject_symbol(interface_state(me)->data, key);
    return true;
}

bool IONetworkInterface__removeNetworkData_cstring(IONetworkInterface *me, const char *key)
{
    OSDictionary_removeObject_cstring(interface_state(me)->data, key);
    return true;
}

IONetworkData *IONetworkInterface__getNetworkData_symbol(IONetworkInterface *me,
                                                         const OSSymbol *key)
{
    return iokit_cast(IONetworkData,
                      OSDictionary_getObject_symbol(interface_state(me)->data, key));
}

IONetworkData *IONetworkInterface__getNetworkData_cstring(IONetworkInterface *me, const char *key)
{
    return iokit_cast(IONetworkData,
                      OSDictionary_getObject_cstring(interface_state(me)->data, key));
}

IONetworkData *IONetworkInterface_getParameter(IONetworkInterface *me, const char *key)
{
    return IONetworkInterface_getNetworkData_cstring(me, key);
}

static bool add_block(IONetworkInterface *me, const char *key, void *block, uint32_t size)
{
    enum { READ_AND_SERIALIZE = 1 | 8 };
    IONetworkData *data =
        IONetworkData_withExternalBuffer(key, size, block, READ_AND_SERIALIZE, NULL, NULL, NULL);
    bool added = data && IONetworkInterface_addNetworkData(me, data);

    object_release(data);
    return added;
}

/* ---- life ---------------------------------------------------------------------------------- */

bool IONetworkInterface__init_networkcontroller(IONetworkInterface *me,
                                                IONetworkController *controller)
{
    if (!IOService_super_init_dictionary((IOService *)me, NULL))
        return false;
    struct network_interface_state *state = machine_allocate_zeroed(sizeof *state, 0);
    if (!state)
        return false;
    me->_reserved = (void *)state;
    object_retain(controller);
    state->controller = controller;
    state->data = OSDictionary_withCapacity(4);
    return state->data &&
           IORegistryEntry_setProperty_cstring_object((IORegistryEntry *)me, kIONetworkData,
                                                      (OSObject *)state->data) &&
           add_block(me, kIONetworkStatsKey, &state->statistics, sizeof state->statistics);
}

void IONetworkInterface__free(IONetworkInterface *me)
{
    struct network_interface_state *state = interface_state(me);

    if (state) {
        IONetworkInterface__clearInputQueue(me);
        network_pull_free(me);
        object_release(state->controller);
        object_release(state->data);
        machine_release(state, sizeof *state);
        me->_reserved = NULL;
    }
    IOService_super_free((IOService *)me);
}

IONetworkController *IONetworkInterface__getController(IONetworkInterface *me)
{
    return interface_state(me)->controller;
}

bool IONetworkInterface__willTerminate(IONetworkInterface *me, IOService *provider,
                                       uint32_t options)
{
    ethernet_stack_remove(me);
    return IOService_super_willTerminate((IOService *)me, provider, options);
}

uint16_t IONetworkInterface__getUnitNumber(IONetworkInterface *me)
{
    return interface_state(me)->unit;
}

bool IONetworkInterface__setUnitNumber(IONetworkInterface *me, uint16_t unit)
{
    interface_state(me)->unit = unit;
    return IORegistryEntry_setProperty_cstring_number((IORegistryEntry *)me, kIOInterfaceUnit, unit,
                                                      32);
}

/* ---- input --------------------------------------------------------------------------------- */

static mbuf_t take_queue(struct network_interface_state *state, uint32_t *count)
{
    machine_spin_lock(&state->lock);
    mbuf_t first = state->first;
    *count = state->queued;
    state->first = state->last = NULL;
    state->queued = 0;
    machine_spin_unlock(&state->lock);
    return first;
}

uint32_t IONetworkInterface__inputPacket(IONetworkInterface *me, mbuf_t packet, uint32_t length,
                                         uint32_t options, void *parameter)
{
    struct network_interface_state *state = interface_state(me);

    if (length != 0) {
        mbuf_setlen(packet, length);
        mbuf_pkthdr_setlen(packet, length);
    }
    machine_spin_lock(&state->lock);
    bool full = state->queued >= INPUT_QUEUE_MAX;
    if (!full) {
        state->input_frames++;
        state->input_bytes += mbuf_pkthdr_len(packet);
        if (state->last)
            mbuf_setnextpkt(state->last, packet);
        else
            state->first = packet;
        state->last = packet;
        state->queued++;
    }
    machine_spin_unlock(&state->lock);
    if (full)
        mbuf_freem(packet);
    return options & QUEUE_PACKET ? 0 : IONetworkInterface_flushInputQueue(me);
}

uint32_t IONetworkInterface__flushInputQueue(IONetworkInterface *me)
{
    uint32_t count;
    mbuf_t first = take_queue(interface_state(me), &count);

    if (first)
        ethernet_stack_input(me, first);
    return count;
}

uint32_t IONetworkInterface__clearInputQueue(IONetworkInterface *me)
{
    uint32_t count;
    mbuf_t first = take_queue(interface_state(me), &count);

    if (first)
        mbuf_freem_list(first);
    return count;
}

bool IONetworkInterface__inputEvent(IONetworkInterface *me, uint32_t type, void *data)
{
    return true;
}

/* ---- Ethernet ------------------------------------------------------------------------------ */

bool IOEthernetInterface__init_networkcontroller(IOEthernetInterface *me,
                                                 IONetworkController *controller)
{
    IONetworkInterface *interface = (IONetworkInterface *)me;

    if (!IONetworkInterface__init_networkcontroller(interface, controller))
        return false;
    struct network_interface_state *state = interface_state(interface);
    return add_block(interface, kIOEthernetStatsKey, &state->ethernet_statistics,
                     sizeof state->ethernet_statistics);
}

void IOEthernetInterface__free(IOEthernetInterface *me)
{
    IONetworkInterface__free((IONetworkInterface *)me);
}

bool IOEthernetInterface__willTerminate(IOEthernetInterface *me, IOService *provider,
                                        uint32_t options)
{
    return IONetworkInterface__willTerminate((IONetworkInterface *)me, provider, options);
}

bool IOEthernetInterface__inputEvent(IOEthernetInterface *me, uint32_t type, void *data)
{
    return IONetworkInterface__inputEvent((IONetworkInterface *)me, type, data);
}

const char *IOEthernetInterface__getNamePrefix(IOEthernetInterface *me)
{
    return "en";
}
