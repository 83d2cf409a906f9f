/* SPDX-License-Identifier: BSD-3-Clause */
/* OSBoolean: two objects for ever, compared by pointer.
 *
 * kOSBooleanTrue and kOSBooleanFalse are C++ references to a pointer, so the exported word holds
 * the address of the pointer. Source of the rules: xnu libkern/c++/OSBoolean.cpp. */
#include "abi/kpi/libkern.h"

#include "xnu/libkern/object.h"
#include "xnu/libkern/start.h"

static OSBoolean *boolean_true, *boolean_false;

OSBoolean *const *const kOSBooleanTrue_reference __asm("_kOSBooleanTrue") = &boolean_true;
OSBoolean *const *const kOSBooleanFalse_reference __asm("_kOSBooleanFalse") = &boolean_false;

static OSBoolean *make(bool value)
{
    OSBoolean *me = object_new(&OSBoolean_gMetaClass);

    if (!me)
        machine_panic("no memory for the two booleans");
    me->value = value;
    return me;
}

void OSBoolean_initialize(void)
{
    if (boolean_true)
        return;
    boolean_true = make(true);
    boolean_false = make(false);
}

OSBoolean *OSBoolean_withBoolean(bool value)
{
    return value ? boolean_true : boolean_false;
}

/* ---- they are never freed, so nothing is counted ---- */

void OSBoolean__taggedRetain(OSBoolean *me, const void *tag)
{
}

void OSBoolean__taggedRelease_number(OSBoolean *me, const void *tag, int when)
{
}

void OSBoolean__free(OSBoolean *me)
{
    machine_panic("OSBoolean::free: nobody may free a boolean");
}

bool OSBoolean__isTrue(OSBoolean *me)
{
    return me->value;
}

bool OSBoolean__isFalse(OSBoolean *me)
{
    return !me->value;
}

bool OSBoolean__getValue(OSBoolean *me)
{
    return me->value;
}

bool OSBoolean__isEqualTo_boolean(OSBoolean *me, const OSBoolean *other)
{
    return me == other;
}

bool OSBoolean__isEqualTo(OSBoolean *me, const OSMetaClassBase *other)
{
    return (const void *)me == (const void *)other;
}

bool OSBoolean__serialize(OSBoolean *me, OSSerialize *serializer)
{
    return OSSerialize_addString(serializer, me->value ? "<true/>" : "<false/>");
}
