/* SPDX-License-Identifier: BSD-3-Clause */
/* IONetworkMedium.c - a kind of link: type, speed, flags. Kept in dictionaries by name. */
#include "xnu/families/network/network_private.h"

#include "xnu/bsd/format.h"

IONetworkMedium *IONetworkMedium_medium(uint32_t type, uint64_t speed, uint32_t flags,
                                        uint32_t index, const char *name)
{
    IONetworkMedium *me = object_new(&IONetworkMedium_gMetaClass);

    if (me && !IONetworkMedium_init_number_number_number_number_cstring(me, type, speed, flags,
                                                                        index, name)) {
        object_release(me);
        return NULL;
    }
    return me;
}

bool IONetworkMedium__init_number_number_number_number_cstring(IONetworkMedium *me, uint32_t type,
                                                               uint64_t speed, uint32_t flags,
                                                               uint32_t index, const char *name)
{
    if (!OSObject_super_init((OSObject *)me))
        return false;
    me->_type = type;
    me->_speed = speed;
    me->_flags = flags;
    me->_index = index;
    me->_name = name ? OSSymbol_withCString(name) : IONetworkMedium_nameForType(type);
    return me->_name != NULL;
}

void IONetworkMedium__free(IONetworkMedium *me)
{
    object_release_clear(&me->_name);
    OSObject_super_free((OSObject *)me);
}

const OSSymbol *IONetworkMedium_nameForType(uint32_t type)
{
    char name[16];

    format_text(name, sizeof name, "%08x", type);
    return OSSymbol_withCString(name);
}

uint32_t IONetworkMedium__getType(IONetworkMedium *me)
{
    return me->_type;
}

uint64_t IONetworkMedium__getSpeed(IONetworkMedium *me)
{
    return me->_speed;
}

uint32_t IONetworkMedium__getFlags(IONetworkMedium *me)
{
    return me->_flags;
}

uint32_t IONetworkMedium__getIndex(IONetworkMedium *me)
{
    return me->_index;
}

const OSSymbol *IONetworkMedium__getName(IONetworkMedium *me)
{
    return me->_name;
}

const OSSymbol *IONetworkMedium__getKey(IONetworkMedium *me)
{
    return me->_name;
}

bool IONetworkMedium__isEqualTo_networkmedium(IONetworkMedium *me, const IONetworkMedium *medium)
{
    return medium->_name == me->_name && medium->_type == me->_type &&
           medium->_flags == me->_flags && medium->_speed == me->_speed &&
           medium->_index == me->_index;
}

bool IONetworkMedium_addMedium(OSDictionary *dictionary, const IONetworkMedium *medium)
{
    return OSDictionary_setObject_symbol(dictionary, medium->_name,
                                         (const OSMetaClassBase *)medium);
}

void IONetworkMedium_removeMedium(OSDictionary *dictionary, const IONetworkMedium *medium)
{
    OSDictionary_removeObject_symbol(dictionary, medium->_name);
}
