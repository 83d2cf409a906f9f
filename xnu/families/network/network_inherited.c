/* SPDX-License-Identifier: BSD-3-Clause */
/* network_inherited.c - methods that the family overrides in macOS and that need
 * nothing of their own here. */
#include "xnu/families/network/network_private.h"

#include "abi/constants/results.h"

/* ---- IONetworkController --------------------------------------------------------------------- */

void IONetworkController__systemWillShutdown(IONetworkController *me, uint32_t specifier)
{
    IOService_super_systemWillShutdown((IOService *)me, specifier);
}

bool IONetworkController__handleOpen(IONetworkController *me, IOService *client, uint32_t options,
                                     void *argument)
{
    return IOService_super_handleOpen((IOService *)me, client, options, argument);
}

void IONetworkController__handleClose(IONetworkController *me, IOService *client, uint32_t options)
{
    IOService_super_handleClose((IOService *)me, client, options);
}

bool IONetworkController__handleIsOpen(IONetworkController *me, const IOService *client)
{
    return IOService_super_handleIsOpen((IOService *)me, client);
}

int32_t IONetworkController__message(IONetworkController *me, uint32_t type, IOService *provider,
                                     void *argument)
{
    return IOService_super_message((IOService *)me, type, provider, argument);
}

int32_t IONetworkController__setAggressiveness(IONetworkController *me, unsigned long type,
                                               unsigned long level)
{
    return IOService_super_setAggressiveness((IOService *)me, type, level);
}

/* ---- IONetworkInterface ---------------------------------------------------------------------- */

bool IONetworkInterface__serializeProperties(IONetworkInterface *me, OSSerialize *to)
{
    return IOService_super_serializeProperties((IOService *)me, to);
}

bool IONetworkInterface__requestTerminate(IONetworkInterface *me, IOService *provider,
                                          uint32_t options)
{
    return IOService_super_requestTerminate((IOService *)me, provider, options);
}

bool IONetworkInterface__handleOpen(IONetworkInterface *me, IOService *client, uint32_t options,
                                    void *argument)
{
    return IOService_super_handleOpen((IOService *)me, client, options, argument);
}

void IONetworkInterface__handleClose(IONetworkInterface *me, IOService *client, uint32_t options)
{
    IOService_super_handleClose((IOService *)me, client, options);
}

bool IONetworkInterface__handleIsOpen(IONetworkInterface *me, const IOService *client)
{
    return IOService_super_handleIsOpen((IOService *)me, client);
}

int32_t IONetworkInterface__message(IONetworkInterface *me, uint32_t type, IOService *provider,
                                    void *argument)
{
    return IOService_super_message((IOService *)me, type, provider, argument);
}

/* Up to 10.7 only. */
bool IONetworkInterface__matchPropertyTable_numbers(IONetworkInterface *me, OSDictionary *table,
                                                    int32_t *score)
{
    return IOService_super_matchPropertyTable_numbers((IOService *)me, table, score);
}

int32_t IONetworkInterface__setProperties(IONetworkInterface *me, OSObject *properties)
{
    return IOService_super_setProperties((IOService *)me, properties);
}

int32_t IOEthernetInterface__setProperties(IOEthernetInterface *me, OSObject *properties)
{
    return IONetworkInterface__setProperties((IONetworkInterface *)me, properties);
}

/* ---- queues and media ------------------------------------------------------------------------ */

bool IOOutputQueue__init(IOOutputQueue *me)
{
    return OSObject_super_init((OSObject *)me);
}

void IOOutputQueue__free(IOOutputQueue *me)
{
    OSObject_super_free((OSObject *)me);
}

bool IONetworkMedium__isEqualTo(IONetworkMedium *me, const OSMetaClassBase *object)
{
    const IONetworkMedium *medium = iokit_cast(IONetworkMedium, object);

    return medium && IONetworkMedium_isEqualTo_networkmedium(me, medium);
}

bool IONetworkMedium__serialize(IONetworkMedium *me, OSSerialize *to)
{
    OSDictionary *dictionary = OSDictionary_withCapacity(4);
    static const char *const names[] = { kIOMediumType, kIOMediumFlags, kIOMediumSpeed,
                                         kIOMediumIndex };
    const uint64_t values[] = { me->_type, me->_flags, me->_speed, me->_index };

    if (!dictionary)
        return false;
    for (unsigned i = 0; i < 4; i++) {
        OSNumber *number = OSNumber_withNumber_number(values[i], i == 2 ? 64 : 32);

        OSDictionary_setObject_cstring(dictionary, names[i], (OSMetaClassBase *)number);
        object_release(number);
    }
    bool done = OSMetaClassBase_serialize((OSMetaClassBase *)dictionary, to);
    object_release(dictionary);
    return done;
}
