/* SPDX-License-Identifier: BSD-3-Clause */
/* OSMetaClassBase: the root of all classes: casts by metaclass and by name.
 * Source of the rules: xnu libkern/c++/OSMetaClass.cpp. */
#include "xnu/libkern/object.h"

void OSMetaClassBase_construct_base(OSMetaClassBase *me) __asm("__ZN15OSMetaClassBaseC2Ev");
void OSMetaClassBase_construct_base(OSMetaClassBase *me)
{
    me->vtable = &OSMetaClassBase_table_symbol.slots;
}

void OSMetaClassBase__destruct(OSMetaClassBase *me)
{
}

void OSMetaClassBase__complete_destructor(OSMetaClassBase *me)
{
    OSMetaClassBase__destruct(me);
}

bool OSMetaClassBase__isEqualTo(OSMetaClassBase *me, const OSMetaClassBase *other)
{
    return me == other;
}

int OSMetaClassBase__Dispatch(OSMetaClassBase *me, IORPC rpc)
{
    return kIOReturnUnsupported;
}

/* ---- casts: the object itself or NULL; an object is of its class and of every class above ---- */

OSMetaClassBase *OSMetaClassBase_metaCast_metaclass(OSMetaClassBase *me, const OSMetaClass *to)
{
    return to ? OSMetaClass_checkMetaCast((OSMetaClass *)to, me) : NULL;
}

OSMetaClassBase *OSMetaClassBase_metaCast_symbol(OSMetaClassBase *me, const OSSymbol *to)
{
    return OSMetaClass_checkMetaCastWithName_symbol(to, me);
}

OSMetaClassBase *OSMetaClassBase_metaCast_string(OSMetaClassBase *me, const OSString *to)
{
    return OSMetaClass_checkMetaCastWithName_string(to, me);
}

OSMetaClassBase *OSMetaClassBase_metaCast_cstring(OSMetaClassBase *me, const char *to)
{
    return OSMetaClass_checkMetaCastWithName_cstring(to, me);
}

OSMetaClassBase *OSMetaClassBase_safeMetaCast(const OSMetaClassBase *object, const OSMetaClass *to)
{
    return object && to ? OSMetaClass_checkMetaCast((OSMetaClass *)to, object) : NULL;
}

/* As safeMetaCast, but an object of another class is a fatal error (macOS 10.15 and later). */
OSMetaClassBase *OSMetaClassBase_requiredMetaCast(const OSMetaClassBase *object,
                                                  const OSMetaClass *to)
{
    OSMetaClassBase *result = OSMetaClassBase_safeMetaCast(object, to);

    if (object && !result)
        machine_panic("casting %p of class %s to %s", (const void *)object,
                     object_class_name(object), OSMetaClass_getClassName((OSMetaClass *)to));
    return result;
}

bool OSMetaClassBase_checkTypeInst(const OSMetaClassBase *object, const OSMetaClassBase *type)
{
    const OSMetaClass *to = OSMetaClassBase_getMetaClass((OSMetaClassBase *)type);

    return type && object && OSMetaClassBase_safeMetaCast(object, to);
}
