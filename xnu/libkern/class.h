/* SPDX-License-Identifier: BSD-3-Clause */
/* KERNEL_CLASS: what a C++ compiler makes by itself for each class that the kernel defines: metaclass
 * allocation, constructors, destructors and getMetaClass, under the names that kexts bind to.
 *
 * Tables and metaclass objects come from the generator (abi/); here they are only filled in. The rules
 * are those of OSDefineMetaClassAndStructors (xnu libkern/libkern/c++/OSMetaClass.h). */
#ifndef MACHV_XNU_LIBKERN_CLASS_H
#define MACHV_XNU_LIBKERN_CLASS_H

#include "xnu/libkern/object.h"

/* One record a class, collected by the linker; xnu_libkern_start constructs the metaclasses, superclass
 * first. */
struct kernel_class {
    OSMetaClass *metaclass;
    const void *metaclass_table; /* first slot */
    const OSMetaClass *superclass;
    const char *name;
    unsigned size;
};

#define KERNEL_CLASS_PARTS(length, Class, Super, Instance)                                         \
    _Static_assert(sizeof(#Class) - 1 == length, "wrong length of the class name");                \
    void Class##__construct(Class *me, const OSMetaClass *metaclass)                               \
    {                                                                                              \
        Super##__construct((Super *)me, metaclass);                                                \
        me->vtable = &Class##_table_symbol.slots;                                                  \
    }                                                                                              \
    void Class##_construct_complete(Class *me, const OSMetaClass *metaclass) __asm(                \
        "__ZN" #length #Class "C1EPK11OSMetaClass");                                               \
    void Class##_construct_complete(Class *me, const OSMetaClass *metaclass)                       \
    {                                                                                              \
        Class##__construct(me, metaclass);                                                         \
    }                                                                                              \
    void Class##__destruct(Class *me)                                                              \
    {                                                                                              \
        me->vtable = &Class##_table_symbol.slots;                                                  \
        Super##__destruct((Super *)me);                                                            \
    }                                                                                              \
    void Class##_destruct_complete(Class *me) __asm("__ZN" #length #Class "D1Ev");                 \
    void Class##_destruct_complete(Class *me)                                                      \
    {                                                                                              \
        Class##__destruct(me);                                                                     \
    }                                                                                              \
    void Class##_destruct_delete(Class *me) __asm("__ZN" #length #Class "D0Ev");                   \
    void Class##_destruct_delete(Class *me)                                                        \
    {                                                                                              \
        Class##__destruct(me);                                                                     \
        OSObject_operator_delete(me, sizeof(Instance));                                            \
    }                                                                                              \
    const OSMetaClass *Class##_get_metaclass(const Class *me) __asm(                               \
        "__ZNK" #length #Class "12getMetaClassEv");                                                \
    const OSMetaClass *Class##_get_metaclass(const Class *me)                                      \
    {                                                                                              \
        return &Class##_gMetaClass;                                                                \
    }                                                                                              \
    extern const void *const Class##_metaclass_table[] __asm("__ZTVN" #length #Class               \
                                                             "9MetaClassE");                       \
    static const struct kernel_class Class##_kernel_class                                          \
        __attribute__((used, section("kernel_classes"))) = {                                       \
            &Class##_gMetaClass, &Class##_metaclass_table[2], &Super##_gMetaClass, #Class,         \
            sizeof(Instance)}

/* A class of which objects can be made by name. `Instance` is the type of its objects: the class itself,
 * or a struct that begins with it and has private fields behind (only for classes that kexts do not
 * subclass). */
#define KERNEL_CLASS_INSTANCE(length, Class, Super, Instance)                                      \
    KERNEL_CLASS_PARTS(length, Class, Super, Instance);                                            \
    OSObject *Class##_metaclass_alloc(const OSMetaClass *metaclass) __asm(                         \
        "__ZNK" #length #Class "9MetaClass5allocEv");                                              \
    OSObject *Class##_metaclass_alloc(const OSMetaClass *metaclass)                                \
    {                                                                                              \
        Class *object = OSObject_operator_new(sizeof(Instance));                                   \
                                                                                                   \
        if (!object)                                                                               \
            return NULL;                                                                           \
        Class##__construct(object, &Class##_gMetaClass);                                           \
        OSMetaClass_instanceConstructed(&Class##_gMetaClass);                                      \
        return (OSObject *)object;                                                                 \
    }                                                                                              \
    _Static_assert(1, "")

#define KERNEL_CLASS(length, Class, Super) KERNEL_CLASS_INSTANCE(length, Class, Super, Class)

/* A class with pure virtual methods: alloc gives NULL. */
#define KERNEL_CLASS_ABSTRACT(length, Class, Super)                                                \
    KERNEL_CLASS_PARTS(length, Class, Super, Class);                                               \
    OSObject *Class##_metaclass_alloc(const OSMetaClass *metaclass) __asm(                         \
        "__ZNK" #length #Class "9MetaClass5allocEv");                                              \
    OSObject *Class##_metaclass_alloc(const OSMetaClass *metaclass)                                \
    {                                                                                              \
        return NULL;                                                                               \
    }                                                                                              \
    _Static_assert(1, "")

#endif
