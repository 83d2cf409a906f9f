/* SPDX-License-Identifier: BSD-3-Clause */
/* OSMetaClass: one object a class; name, superclass, instance count, and objects made by class
 * name.
 *
 * Until the module that brings it has been accepted (module.c) a metaclass is not registered:
 * className then holds the C string its constructor was given, and `reserved` is NULL. Source of
 * the rules: xnu libkern/c++/OSMetaClass.cpp. */
#include "xnu/libkern/object.h"
#include "xnu/libkern/metaclass.h"

/* ---- construction: only inside a module load ---- */

void OSMetaClass__construct(OSMetaClass *me, const char *name, const OSMetaClass *superclass,
                            unsigned size)
{
    me->vtable = &OSMetaClass_table_symbol.slots;
    me->reserved = NULL;
    me->superClassLink = superclass;
    me->className = (const OSSymbol *)name;
    me->classSize = size;
    me->instanceCount = 0;
    metaclass_constructed(me);
}

/* Exported on x86_64 through 10.7.5. */
void OSMetaClass__construct_complete(OSMetaClass *me, const char *name,
                                     const OSMetaClass *superclass, unsigned size)
    __asm("__ZN11OSMetaClassC1EPKcPKS_j");
void OSMetaClass__construct_complete(OSMetaClass *me, const char *name,
                                     const OSMetaClass *superclass, unsigned size)
{
    OSMetaClass__construct(me, name, superclass, size);
}

void OSMetaClass__destruct(OSMetaClass *me)
{
    metaclass_destructed(me);
    me->vtable = &OSMetaClass_table_symbol.slots;
}

void OSMetaClass__complete_destructor(OSMetaClass *me)
{
    OSMetaClass__destruct(me);
}

void OSMetaClass__deleting_destructor(OSMetaClass *me)
{
    OSMetaClass__destruct(me);
}

/* ---- a metaclass is static: counting does nothing ---- */

void OSMetaClass__retain(OSMetaClass *me)
{
}

void OSMetaClass__release(OSMetaClass *me)
{
}

void OSMetaClass__release_number(OSMetaClass *me, int when)
{
}

void OSMetaClass__taggedRetain(OSMetaClass *me, const void *tag)
{
}

void OSMetaClass__taggedRelease(OSMetaClass *me, const void *tag)
{
}

void OSMetaClass__taggedRelease_number(OSMetaClass *me, const void *tag, int when)
{
}

int OSMetaClass__getRetainCount(OSMetaClass *me)
{
    return 0;
}

bool OSMetaClass__serialize(OSMetaClass *me, OSSerialize *serializer)
{
    machine_panic("OSMetaClass::serialize: a metaclass has no serialised form");
}

/* The class of all metaclasses; nothing is ever made of it. */
static OSMetaClass metaclass_of_metaclasses;

const OSMetaClass *OSMetaClass__getMetaClass(OSMetaClass *me)
{
    return &metaclass_of_metaclasses;
}

/* ---- instances: only the edges between 0 and 1 go up to the superclass ---- */

void OSMetaClass_instanceConstructed(OSMetaClass *me)
{
    if (__atomic_fetch_add(&me->instanceCount, 1, __ATOMIC_ACQ_REL) == 0 && me->superClassLink)
        OSMetaClass_instanceConstructed((OSMetaClass *)me->superClassLink);
}

void OSMetaClass_instanceDestructed(OSMetaClass *me)
{
    int old = (int)__atomic_fetch_sub(&me->instanceCount, 1, __ATOMIC_ACQ_REL);

    if (old == 1 && me->superClassLink)
        OSMetaClass_instanceDestructed((OSMetaClass *)me->superClassLink);
    if (old <= 0)
        machine_log("OSMetaClass: class %s retain count went below 0",
                   OSMetaClass_getClassName(me));
}

unsigned OSMetaClass_getInstanceCount(OSMetaClass *me)
{
    return __atomic_load_n(&me->instanceCount, __ATOMIC_RELAXED);
}

/* ---- facts ---- */

const OSMetaClass *OSMetaClass_getSuperClass(OSMetaClass *me)
{
    return me->superClassLink;
}

const char *OSMetaClass_getClassName(OSMetaClass *me)
{
    if (!me->className)
        return NULL;
    if (!me->reserved)
        return (const char *)me->className;
    return OSString_getCStringNoCopy((OSString *)me->className);
}

const OSSymbol *OSMetaClass_getClassNameSymbol(OSMetaClass *me)
{
    return me->reserved ? me->className : NULL;
}

unsigned OSMetaClass_getClassSize(OSMetaClass *me)
{
    return me->classSize;
}

void OSMetaClass_reservedCalled(OSMetaClass *me, int slot)
{
    machine_panic("%s::_RESERVED%s%d called", OSMetaClass_getClassName(me),
                 OSMetaClass_getClassName(me), slot);
}

OSMetaClassBase *OSMetaClass_checkMetaCast(OSMetaClass *me, const OSMetaClassBase *object)
{
    const OSMetaClass *class = OSMetaClassBase_getMetaClass((OSMetaClassBase *)object);

    for (; class; class = class->superClassLink) {
        if (class == me)
            return (OSMetaClassBase *)object;
    }
    return NULL;
}

/* ---- by name ---- */

OSObject *OSMetaClass_allocClassWithName_symbol(const OSSymbol *name)
{
    OSMetaClass *class = (OSMetaClass *)OSMetaClass_getMetaClassWithName(name);

    return class ? OSMetaClass_alloc(class) : NULL;
}

OSObject *OSMetaClass_allocClassWithName_string(const OSString *name)
{
    const OSSymbol *symbol = OSSymbol_withString(name);
    OSObject *object = OSMetaClass_allocClassWithName_symbol(symbol);

    object_release(symbol);
    return object;
}

OSObject *OSMetaClass_allocClassWithName_cstring(const char *name)
{
    const OSSymbol *symbol = OSSymbol_withCStringNoCopy(name);
    OSObject *object = OSMetaClass_allocClassWithName_symbol(symbol);

    object_release(symbol);
    return object;
}

OSMetaClassBase *OSMetaClass_checkMetaCastWithName_symbol(const OSSymbol *name,
                                                                 const OSMetaClassBase *object)
{
    OSMetaClass *class = (OSMetaClass *)OSMetaClass_getMetaClassWithName(name);

    return class && object ? OSMetaClass_checkMetaCast(class, object) : NULL;
}

OSMetaClassBase *OSMetaClass_checkMetaCastWithName_string(const OSString *name,
                                                                 const OSMetaClassBase *object)
{
    const OSSymbol *symbol = OSSymbol_withString(name);
    OSMetaClassBase *result = OSMetaClass_checkMetaCastWithName_symbol(symbol, object);

    object_release(symbol);
    return result;
}

OSMetaClassBase *OSMetaClass_checkMetaCastWithName_cstring(const char *name,
                                                                  const OSMetaClassBase *object)
{
    const OSSymbol *symbol = OSSymbol_withCStringNoCopy(name);
    OSMetaClassBase *result = OSMetaClass_checkMetaCastWithName_symbol(symbol, object);

    object_release(symbol);
    return result;
}
