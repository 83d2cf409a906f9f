/* SPDX-License-Identifier: BSD-3-Clause */
/* IONetworkData.c - a block of statistics by name, which a driver counts in. */
#include "abi/IONetworkData.h"

#include "xnu/families/network/network_private.h"

enum { BUFFER_INTERNAL, BUFFER_EXTERNAL, BUFFER_NONE };
enum { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_RESET = 4, ACCESS_SERIALIZE = 8 };

typedef int32_t access_action(void *target, void *param, IONetworkData *data, uint32_t access,
                              void *buffer, uint32_t *size, uint32_t offset);

/* ---- life ---------------------------------------------------------------------------------- */

static IONetworkData *create(const char *name, uint32_t type, uint32_t size, void *buffer,
                             uint32_t access, void *target, access_action *action, void *param)
{
    IONetworkData *me = object_new(&IONetworkData_gMetaClass);

    if (me && !IONetworkData_init_cstring_number_number_pointer_number_pointer_function_pointer(
                  me, name, type, size, buffer, access, target, action, param)) {
        object_release(me);
        return NULL;
    }
    return me;
}

IONetworkData *IONetworkData_withInternalBuffer(const char *name, uint32_t size, uint32_t access,
                                                void *target, access_action *action, void *param)
{
    return create(name, BUFFER_INTERNAL, size, NULL, access, target, action, param);
}

IONetworkData *IONetworkData_withExternalBuffer(const char *name, uint32_t size, void *buffer,
                                                uint32_t access, void *target,
                                                access_action *action, void *param)
{
    return create(name, BUFFER_EXTERNAL, size, buffer, access, target, action, param);
}

IONetworkData *IONetworkData_withNoBuffer(const char *name, uint32_t size, uint32_t access,
                                          void *target, access_action *action, void *param)
{
    return create(name, BUFFER_NONE, size, NULL, access, target, action, param);
}

bool IONetworkData__init_cstring_number_number_pointer_number_pointer_function_pointer(
    IONetworkData *me, const char *name, uint32_t type, uint32_t size, void *buffer,
    uint32_t access, void *target, access_action *action, void *param)
{
    if (!OSObject_super_init((OSObject *)me) || !name || size == 0 || type > BUFFER_NONE ||
        (type == BUFFER_EXTERNAL) != (buffer != NULL))
        return false;
    me->_key = OSSymbol_withCString(name);
    me->_bufType = type;
    me->_size = size;
    me->_access = access;
    me->_tapTarget = target;
    me->_tapAction = action;
    me->_tapParam = param;
    me->_buffer = type == BUFFER_INTERNAL ? machine_allocate_zeroed(size, 0) : buffer;
    return me->_key && (type == BUFFER_NONE || me->_buffer);
}

void IONetworkData__free(IONetworkData *me)
{
    if (me->_bufType == BUFFER_INTERNAL && me->_buffer)
        machine_release(me->_buffer, me->_size);
    object_release_clear(&me->_key);
    OSObject_super_free((OSObject *)me);
}

/* ---- what it is ---------------------------------------------------------------------------- */

const void *IONetworkData__getBuffer(IONetworkData *me)
{
    return me->_buffer;
}

uint32_t IONetworkData__getBufferType(IONetworkData *me)
{
    return me->_bufType;
}

uint32_t IONetworkData__getAccessTypes(IONetworkData *me)
{
    return me->_access;
}

void IONetworkData__setAccessTypes(IONetworkData *me, uint32_t types)
{
    me->_access = types;
}

const OSSymbol *IONetworkData__getKey(IONetworkData *me)
{
    return me->_key;
}

uint32_t IONetworkData__getSize(IONetworkData *me)
{
    return me->_size;
}

/* ---- access -------------------------------------------------------------------------------- */

static bool inside(const IONetworkData *me, uint32_t offset, uint32_t size)
{
    return me->_buffer && offset <= me->_size && size <= me->_size - offset;
}

bool IONetworkData__writeBytes(IONetworkData *me, const void *from, uint32_t size, uint32_t offset)
{
    if (!inside(me, offset, size))
        return false;
    __builtin_memcpy((uint8_t *)me->_buffer + offset, from, size);
    return true;
}

/* As many bytes as there are. */
bool IONetworkData__readBytes(IONetworkData *me, void *to, uint32_t *size, uint32_t offset)
{
    if (!size || !inside(me, offset, 0))
        return false;
    if (*size > me->_size - offset)
        *size = me->_size - offset;
    __builtin_memcpy(to, (const uint8_t *)me->_buffer + offset, *size);
    return true;
}

bool IONetworkData__clearBuffer(IONetworkData *me)
{
    if (!me->_buffer)
        return false;
    __builtin_memset(me->_buffer, 0, me->_size);
    return true;
}

/* The owner hears of an access, and may refuse it. */
static int32_t ask_owner(IONetworkData *me, uint32_t access, void *buffer, uint32_t *size,
                         uint32_t offset)
{
    if ((me->_access & access) == 0)
        return kIOReturnNotReadable;
    return me->_tapAction ? me->_tapAction(me->_tapTarget, me->_tapParam, me, access, buffer, size,
                                           offset)
                          : kIOReturnSuccess;
}

int32_t IONetworkData__reset(IONetworkData *me)
{
    int32_t result = ask_owner(me, ACCESS_RESET, NULL, NULL, 0);

    if (result == kIOReturnSuccess && !IONetworkData_clearBuffer(me))
        result = kIOReturnBadArgument;
    return result;
}

int32_t IONetworkData__read(IONetworkData *me, void *to, uint32_t *size, uint32_t offset)
{
    int32_t result = ask_owner(me, ACCESS_READ, to, size, offset);

    if (result == kIOReturnSuccess && !IONetworkData_readBytes(me, to, size, offset))
        result = kIOReturnBadArgument;
    return result;
}

int32_t IONetworkData__write(IONetworkData *me, void *from, uint32_t size, uint32_t offset)
{
    int32_t result = ask_owner(me, ACCESS_WRITE, from, &size, offset);

    if (result == kIOReturnSuccess && !IONetworkData_writeBytes(me, from, size, offset))
        result = kIOReturnBadArgument;
    return result;
}

/* ---- in the registry ------------------------------------------------------------------------ */

static bool set_number(OSDictionary *dictionary, const char *key, uint32_t value)
{
    OSNumber *number = OSNumber_withNumber_number(value, 32);
    bool set = number && OSDictionary_setObject_cstring(dictionary, key, (OSMetaClassBase *)number);

    object_release(number);
    return set;
}

/* What is counted at this moment, as the owner lets it be seen. */
static bool set_bytes(OSDictionary *dictionary, IONetworkData *me)
{
    uint32_t size = me->_size;
    OSData *bytes;

    if (!me->_buffer || (me->_access & ACCESS_SERIALIZE) == 0)
        return true;
    if (me->_tapAction && me->_tapAction(me->_tapTarget, me->_tapParam, me, ACCESS_SERIALIZE, NULL,
                                         &size, 0) != kIOReturnSuccess)
        return false;
    bytes = OSData_withBytes(me->_buffer, me->_size);
    bool set = bytes && OSDictionary_setObject_cstring(dictionary, kIONetworkDataBytes,
                                                       (OSMetaClassBase *)bytes);
    object_release(bytes);
    return set;
}

bool IONetworkData__serialize(IONetworkData *me, OSSerialize *to)
{
    OSDictionary *dictionary = OSDictionary_withCapacity(3);
    bool done = dictionary && set_number(dictionary, kIONetworkDataAccessTypes, me->_access) &&
                set_number(dictionary, kIONetworkDataSize, me->_size) &&
                set_bytes(dictionary, me) &&
                OSMetaClassBase_serialize((OSMetaClassBase *)dictionary, to);

    object_release(dictionary);
    return done;
}
