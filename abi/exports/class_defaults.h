/* SPDX-License-Identifier: BSD-3-Clause */
/* What a C++ compiler emits for an I/O Kit class (OSDefineMetaClassAndStructors), as weak
 * functions.
 *
 * `length` is strlen of the class's name, as the mangled names have it. Object: word 0 is the
 * vtable pointer. Metaclass object: class size at byte 32. Source: xnu OSMetaClass.h. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define WEAK __attribute__((weak))

void *OSObject_new(size_t size) __asm("__ZN8OSObjectnwEm");
void OSObject_delete(void *object, size_t size) __asm("__ZN8OSObjectdlEPvm");
void OSObject_construct(void *me, const void *metaclass) __asm("__ZN8OSObjectC2EPK11OSMetaClass");
void OSObject_destruct(void *me) __asm("__ZN8OSObjectD2Ev");
void OSMetaClass_construct(void *me, const char *name, const void *superclass, uint32_t size)
    __asm("__ZN11OSMetaClassC2EPKcPKS_j");
void OSMetaClass_destruct(void *me) __asm("__ZN11OSMetaClassD2Ev");
void OSMetaClass_instance_constructed(const void *me)
    __asm("__ZNK11OSMetaClass19instanceConstructedEv");

static inline size_t class_size(const void *metaclass)
{
    return *(const uint32_t *)((const char *)metaclass + 32);
}

#define SYMBOL(prefix, length, Class, suffix) __asm(prefix #length #Class suffix)

#define CLASS_DATA(length, Class, slots)                                                           \
    uintptr_t Class##_table[(slots) + 3] SYMBOL("__ZTV", length, Class, "");                       \
    uintptr_t Class##_table[(slots) + 3];

#define METACLASS_DATA(length, Class, superclass)                                                  \
    uintptr_t Class##_metaclass_table[26 + 3] SYMBOL("__ZTVN", length, Class, "9MetaClassE");      \
    uintptr_t Class##_metaclass_table[26 + 3];                                                     \
    uintptr_t Class##_gMetaClass[5] SYMBOL("__ZN", length, Class, "10gMetaClassE");                \
    uintptr_t Class##_gMetaClass[5];                                                               \
    extern const void *const Class##_metaClass SYMBOL("__ZN", length, Class, "9metaClassE");       \
    const void *const Class##_metaClass = Class##_gMetaClass;                                      \
    extern const void *const Class##_superClass SYMBOL("__ZN", length, Class, "10superClassE");    \
    const void *const Class##_superClass = superclass;

#define CLASS_CONSTRUCTORS(length, Class, Super)                                                   \
    WEAK void Class##_construct(void *me, const void *metaclass)                                   \
        SYMBOL("__ZN", length, Class, "C2EPK11OSMetaClass");                                       \
    void Class##_construct(void *me, const void *metaclass)                                        \
    {                                                                                              \
        Super##_construct(me, metaclass);                                                          \
        *(uintptr_t **)me = Class##_table + 2;                                                     \
    }                                                                                              \
    WEAK void Class##_construct_complete(void *me, const void *metaclass)                          \
        SYMBOL("__ZN", length, Class, "C1EPK11OSMetaClass");                                       \
    void Class##_construct_complete(void *me, const void *metaclass)                               \
    {                                                                                              \
        Class##_construct(me, metaclass);                                                          \
    }                                                                                              \
    WEAK void Class##_construct_plain(void *me) SYMBOL("__ZN", length, Class, "C2Ev");             \
    void Class##_construct_plain(void *me)                                                         \
    {                                                                                              \
        Class##_construct(me, Class##_gMetaClass);                                                 \
        OSMetaClass_instance_constructed(Class##_gMetaClass);                                      \
    }                                                                                              \
    WEAK void Class##_construct_plain_complete(void *me) SYMBOL("__ZN", length, Class, "C1Ev");    \
    void Class##_construct_plain_complete(void *me)                                                \
    {                                                                                              \
        Class##_construct_plain(me);                                                               \
    }                                                                                              \
    WEAK void Class##_destruct(void *me) SYMBOL("__ZN", length, Class, "D2Ev");                    \
    void Class##_destruct(void *me)                                                                \
    {                                                                                              \
        *(uintptr_t **)me = Class##_table + 2;                                                     \
        Super##_destruct(me);                                                                      \
    }

#define CLASS_FUNCTIONS(length, Class)                                                             \
    WEAK void Class##_complete_destructor(void *me) SYMBOL("__ZN", length, Class, "D1Ev");         \
    void Class##_complete_destructor(void *me)                                                     \
    {                                                                                              \
        Class##_destruct(me);                                                                      \
    }                                                                                              \
    WEAK void Class##_deleting_destructor(void *me) SYMBOL("__ZN", length, Class, "D0Ev");         \
    void Class##_deleting_destructor(void *me)                                                     \
    {                                                                                              \
        Class##_complete_destructor(me);                                                           \
        OSObject_delete(me, class_size(Class##_gMetaClass));                                       \
    }                                                                                              \
    WEAK const void *Class##_getMetaClass(const void *me)                                          \
        SYMBOL("__ZNK", length, Class, "12getMetaClassEv");                                        \
    const void *Class##_getMetaClass(const void *me)                                               \
    {                                                                                              \
        (void)me;                                                                                  \
        return Class##_gMetaClass;                                                                 \
    }

/* operator new and delete of the class, which releases from 11 on have for each. */
#define CLASS_OPERATORS(length, Class)                                                             \
    WEAK void *Class##_new(size_t size) SYMBOL("__ZN", length, Class, "nwEm");                     \
    void *Class##_new(size_t size)                                                                 \
    {                                                                                              \
        return OSObject_new(size);                                                                 \
    }                                                                                              \
    WEAK void Class##_delete(void *object, size_t size) SYMBOL("__ZN", length, Class, "dlEPvm");   \
    void Class##_delete(void *object, size_t size)                                                 \
    {                                                                                              \
        OSObject_delete(object, size);                                                             \
    }

#define METACLASS_FUNCTIONS(length, Class)                                                         \
    WEAK void Class##_metaclass_construct(void *me)                                                \
        SYMBOL("__ZN", length, Class, "9MetaClassC2Ev");                                           \
    void Class##_metaclass_construct(void *me)                                                     \
    {                                                                                              \
        OSMetaClass_construct(me, #Class, Class##_superClass, class_size(Class##_gMetaClass));     \
        *(uintptr_t **)me = Class##_metaclass_table + 2;                                           \
    }                                                                                              \
    WEAK void Class##_metaclass_construct_complete(void *me)                                       \
        SYMBOL("__ZN", length, Class, "9MetaClassC1Ev");                                           \
    void Class##_metaclass_construct_complete(void *me)                                            \
    {                                                                                              \
        Class##_metaclass_construct(me);                                                           \
    }                                                                                              \
    WEAK void Class##_metaclass_complete_destructor(void *me)                                      \
        SYMBOL("__ZN", length, Class, "9MetaClassD1Ev");                                           \
    void Class##_metaclass_complete_destructor(void *me)                                           \
    {                                                                                              \
        OSMetaClass_destruct(me);                                                                  \
    }                                                                                              \
    WEAK void Class##_metaclass_deleting_destructor(void *me)                                      \
        SYMBOL("__ZN", length, Class, "9MetaClassD0Ev");                                           \
    void Class##_metaclass_deleting_destructor(void *me)                                           \
    {                                                                                              \
        OSMetaClass_destruct(me);                                                                  \
    }

/* A new instance, or NULL without memory. */
#define METACLASS_ALLOC(length, Class)                                                             \
    WEAK void *Class##_alloc(const void *me) SYMBOL("__ZNK", length, Class, "9MetaClass5allocEv"); \
    void *Class##_alloc(const void *me)                                                            \
    {                                                                                              \
        void *object = OSObject_new(class_size(me));                                               \
                                                                                                   \
        if (object != NULL)                                                                        \
            Class##_construct_plain(object);                                                       \
        return object;                                                                             \
    }

/* An abstract class has no instances. */
#define METACLASS_ALLOC_ABSTRACT(length, Class)                                                    \
    WEAK void *Class##_alloc(const void *me) SYMBOL("__ZNK", length, Class, "9MetaClass5allocEv"); \
    void *Class##_alloc(const void *me)                                                            \
    {                                                                                              \
        (void)me;                                                                                  \
        return NULL;                                                                               \
    }

#define CLASS_COMMON(length, Class, Super, slots)                                                  \
    CLASS_DATA(length, Class, slots)                                                               \
    METACLASS_DATA(length, Class, Super##_gMetaClass)                                              \
    CLASS_CONSTRUCTORS(length, Class, Super)                                                       \
    CLASS_FUNCTIONS(length, Class)                                                                 \
    CLASS_OPERATORS(length, Class)                                                                 \
    METACLASS_FUNCTIONS(length, Class)

#define CLASS(length, Class, Super, slots)                                                         \
    CLASS_COMMON(length, Class, Super, slots)                                                      \
    METACLASS_ALLOC(length, Class)

#define ABSTRACT_CLASS(length, Class, Super, slots)                                                \
    CLASS_COMMON(length, Class, Super, slots)                                                      \
    METACLASS_ALLOC_ABSTRACT(length, Class)

/* The root of objects: its base constructor and destructor are the user-space kernel's. */
#define ROOT_CLASS(length, Class, slots)                                                           \
    CLASS_DATA(length, Class, slots)                                                               \
    METACLASS_DATA(length, Class, NULL)                                                            \
    CLASS_FUNCTIONS(length, Class)                                                                 \
    METACLASS_FUNCTIONS(length, Class)                                                             \
    METACLASS_ALLOC_ABSTRACT(length, Class)
