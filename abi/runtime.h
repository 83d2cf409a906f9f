/* SPDX-License-Identifier: BSD-3-Clause */
/* I/O Kit classes in C: declaring them, defining them, casting, retain counts, the module record.
 *
 * A class is a struct whose first member is an instance of its superclass:
 *
 *     struct HyperVFoo { IOService super; int own; };
 *     IOKIT_CLASS(9, HyperVFoo, IOService, .start = foo_start, .free = foo_free)
 *
 * Each method has the type of its vtable member (`struct IOService_vtable`), so its first parameter
 * is the class that introduced it. Source of the rules: xnu's libkern/c++ (OSMetaClass.h) and
 * libkern/kxld (vtable patching), and Apple gcc's kext ABI on i386. */
#pragma once

#include "abi/OSMetaClass.h"
#include "abi/OSObject.h"

/* On i386 an object points at its table's first word, and constructors and destructors return
 * `this`; on x86_64 it points at slot 0 and they return nothing. */
#if defined(__i386__)
#define IOKIT_VPTR(table) ((const void *)&(table))
#define IOKIT_STRUCTOR void *
#define IOKIT_RETURN_THIS(me) return (me)
#else
#define IOKIT_VPTR(table) ((const void *)&(table).slots)
#define IOKIT_STRUCTOR void
#define IOKIT_RETURN_THIS(me) ((void)0)
#endif

/* Where the kernel, or the loader of the native form, looks for constructors. */
#if defined(__MACH__) && defined(__i386__)
#define IOKIT_CONSTRUCTORS "__TEXT,__constructor"
#define IOKIT_DESTRUCTORS "__TEXT,__destructor"
#elif defined(__MACH__)
#define IOKIT_CONSTRUCTORS "__DATA,__mod_init_func,mod_init_funcs"
#define IOKIT_DESTRUCTORS "__DATA,__mod_term_func,mod_term_funcs"
#else
#define IOKIT_CONSTRUCTORS "kext_constructors"
#define IOKIT_DESTRUCTORS "kext_destructors"
#endif

/* The object as an X *, or NULL when it is NULL or of another class (OSDynamicCast). */
#define iokit_cast(X, object)                                                                     \
    ((X *)OSMetaClassBase_safeMetaCast((const OSMetaClassBase *)(object), X##_metaClass))

/* Adds a reference to any object; NULL is allowed. */
static inline void iokit_retain(const void *object)
{
    if (object != NULL)
        OSMetaClassBase_retain((OSMetaClassBase *)object);
}

/* Drops a reference to any object; NULL is allowed. */
static inline void iokit_release(const void *object)
{
    if (object != NULL)
        OSMetaClassBase_release((OSMetaClassBase *)object);
}

/* Drops the reference that the pointer variable holds and clears it. */
#define iokit_release_clear(variable)                                                             \
    do {                                                                                          \
        iokit_release(variable);                                                                  \
        (variable) = NULL;                                                                        \
    } while (0)

/* Declares what IOKIT_CLASS defines, for other files. `length` is strlen of the class's name.
 *
 * Class_alloc() returns a new instance with one reference, not yet initialised (call its init), or
 * NULL without memory. */
#define IOKIT_CLASS_DECLARE(length, Class, Super)                                                 \
    typedef struct Class Class;                                                                   \
    extern OSMetaClass Class##_gMetaClass __asm("__ZN" #length #Class "10gMetaClassE");           \
    extern const OSMetaClass *const Class##_metaClass __asm("__ZN" #length #Class "9metaClassE"); \
    extern const OSMetaClass *const Class##_superClass                                            \
        __asm("__ZN" #length #Class "10superClassE");                                             \
    extern const struct Super##_table Class##_table_symbol __asm("__ZTV" #length #Class);         \
    Class *Class##_alloc(void);                                                                   \
    IOKIT_STRUCTOR Class##__construct(Class *me, const OSMetaClass *metaclass)                    \
        __asm("__ZN" #length #Class "C2EPK11OSMetaClass")

/* Defines the class: vtable (inherited slots by their symbols, then the given ones), metaclass and
 * its registration at load time. Once per class, at file scope, no semicolon needed. */
#define IOKIT_CLASS(length, Class, Super, ...)                                                    \
    IOKIT_CLASS_DECLARE(length, Class, Super);                                                    \
    _Static_assert(sizeof(#Class) - 1 == (length), #Class ": length of the name");                \
    _Static_assert(sizeof(struct Class) >= sizeof(struct Super), #Class ": superclass inside");   \
    IOKIT_CLASS_FUNCTIONS(length, Class, Super)                                                   \
    IOKIT_METACLASS_FUNCTIONS(length, Class, Super)                                               \
    IOKIT_CLASS_TABLES(length, Class, Super, __VA_ARGS__)                                         \
    IOKIT_CLASS_REGISTRATION(Class, Super)

#define IOKIT_CLASS_FUNCTIONS(length, Class, Super)                                               \
    IOKIT_STRUCTOR Class##__construct(Class *me, const OSMetaClass *metaclass)                    \
    {                                                                                             \
        Super##__construct((Super *)me, metaclass);                                               \
        *(const void **)me = IOKIT_VPTR(Class##_table_symbol);                                    \
        IOKIT_RETURN_THIS(me);                                                                    \
    }                                                                                             \
    IOKIT_STRUCTOR Class##__complete_destructor(OSMetaClassBase *me)                              \
        __asm("__ZN" #length #Class "D1Ev");                                                      \
    IOKIT_STRUCTOR Class##__complete_destructor(OSMetaClassBase *me)                              \
    {                                                                                             \
        *(const void **)me = IOKIT_VPTR(Class##_table_symbol);                                    \
        Super##__destruct((Super *)me);                                                           \
        IOKIT_RETURN_THIS(me);                                                                    \
    }                                                                                             \
    IOKIT_STRUCTOR Class##__deleting_destructor(OSMetaClassBase *me)                              \
        __asm("__ZN" #length #Class "D0Ev");                                                      \
    IOKIT_STRUCTOR Class##__deleting_destructor(OSMetaClassBase *me)                              \
    {                                                                                             \
        Class##__complete_destructor(me);                                                         \
        OSObject_operator_delete(me, sizeof(struct Class));                                       \
        IOKIT_RETURN_THIS(me);                                                                    \
    }                                                                                             \
    const OSMetaClass *Class##__getMetaClass(OSMetaClassBase *me)                                 \
        __asm("__ZNK" #length #Class "12getMetaClassEv");                                         \
    const OSMetaClass *Class##__getMetaClass(OSMetaClassBase *me)                                 \
    {                                                                                             \
        (void)me;                                                                                 \
        return &Class##_gMetaClass;                                                               \
    }                                                                                             \
    Class *Class##_alloc(void)                                                                    \
    {                                                                                             \
        Class *me = OSObject_operator_new(sizeof(struct Class));                                  \
        if (me == NULL)                                                                           \
            return NULL;                                                                          \
        Class##__construct(me, &Class##_gMetaClass);                                              \
        OSMetaClass_instanceConstructed(&Class##_gMetaClass);                                     \
        return me;                                                                                \
    }

#define IOKIT_METACLASS_FUNCTIONS(length, Class, Super)                                           \
    IOKIT_STRUCTOR Class##__metaclass_complete_destructor(OSMetaClassBase *me)                    \
        __asm("__ZN" #length #Class "9MetaClassD1Ev");                                            \
    IOKIT_STRUCTOR Class##__metaclass_complete_destructor(OSMetaClassBase *me)                    \
    {                                                                                             \
        OSMetaClass__destruct((OSMetaClass *)me);                                                 \
        IOKIT_RETURN_THIS(me);                                                                    \
    }                                                                                             \
    IOKIT_STRUCTOR Class##__metaclass_deleting_destructor(OSMetaClassBase *me)                    \
        __asm("__ZN" #length #Class "9MetaClassD0Ev");                                            \
    IOKIT_STRUCTOR Class##__metaclass_deleting_destructor(OSMetaClassBase *me)                    \
    {                                                                                             \
        OSMetaClass__destruct((OSMetaClass *)me);                                                 \
        IOKIT_RETURN_THIS(me);                                                                    \
    }                                                                                             \
    OSObject *Class##__metaclass_alloc(OSMetaClass *me)                                           \
        __asm("__ZNK" #length #Class "9MetaClass5allocEv");                                       \
    OSObject *Class##__metaclass_alloc(OSMetaClass *me)                                           \
    {                                                                                             \
        (void)me;                                                                                 \
        return (OSObject *)Class##_alloc();                                                       \
    }

#define IOKIT_CLASS_TABLES(length, Class, Super, ...)                                             \
    OSMetaClass Class##_gMetaClass;                                                               \
    const OSMetaClass *const Class##_metaClass = &Class##_gMetaClass;                             \
    const OSMetaClass *const Class##_superClass = &Super##_gMetaClass;                            \
    _Pragma("clang diagnostic push")                                                              \
    _Pragma("clang diagnostic ignored \"-Winitializer-overrides\"")                               \
    const struct Super##_table Class##_table_symbol = {                                           \
        .slots = {                                                                                \
            Super##_INHERIT                                                                       \
            .complete_destructor = Class##__complete_destructor,                                  \
            .deleting_destructor = Class##__deleting_destructor,                                  \
            .getMetaClass = Class##__getMetaClass,                                                \
            __VA_ARGS__},                                                                         \
    };                                                                                            \
    extern const struct OSMetaClass_table Class##_metaclass_table                                 \
        __asm("__ZTVN" #length #Class "9MetaClassE");                                             \
    const struct OSMetaClass_table Class##_metaclass_table = {                                    \
        .slots = {                                                                                \
            OSMetaClass_INHERIT                                                                   \
            .complete_destructor = Class##__metaclass_complete_destructor,                        \
            .deleting_destructor = Class##__metaclass_deleting_destructor,                        \
            .alloc = Class##__metaclass_alloc},                                                   \
    };                                                                                            \
    _Pragma("clang diagnostic pop")

#define IOKIT_CLASS_REGISTRATION(Class, Super)                                                    \
    static void Class##_register(void)                                                            \
    {                                                                                             \
        OSMetaClass__construct(&Class##_gMetaClass, #Class, &Super##_gMetaClass,                  \
                               sizeof(struct Class));                                             \
        *(const void **)&Class##_gMetaClass = IOKIT_VPTR(Class##_metaclass_table);                \
    }                                                                                             \
    static void Class##_unregister(void)                                                          \
    {                                                                                             \
        Class##__metaclass_complete_destructor((OSMetaClassBase *)&Class##_gMetaClass);           \
    }                                                                                             \
    static void (*const Class##_constructor)(void)                                                \
        __attribute__((used, section(IOKIT_CONSTRUCTORS))) = Class##_register;                    \
    static void (*const Class##_destructor)(void)                                                 \
        __attribute__((used, section(IOKIT_DESTRUCTORS))) = Class##_unregister;

/* -- the module record */

struct kmod_info;
typedef kern_return_t (*kmod_function)(struct kmod_info *info, void *data);

typedef struct kmod_info {
    struct kmod_info *next;
    int32_t info_version;       /* 1 */
    uint32_t id;
    char name[64];              /* CFBundleIdentifier */
    char version[64];           /* CFBundleVersion */
    int32_t reference_count;
    void *reference_list;
    vm_address_t address;
    vm_size_t size;             /* bytes */
    vm_size_t hdr_size;
    kmod_function start;
    kmod_function stop;
} __attribute__((packed, aligned(4))) kmod_info_t;
_Static_assert(sizeof(kmod_info_t) == (sizeof(void *) == 8 ? 0xC4 : 0xA8), "kmod_info");

/* The start or stop function of a module that has nothing to do there. */
static inline kern_return_t iokit_module_nothing(kmod_info_t *info, void *data)
{
    (void)info;
    (void)data;
    return KERN_SUCCESS;
}

/* i386 kexts run their own constructors; on x86_64 the kernel does. */
#if defined(__i386__)
kern_return_t OSRuntimeInitializeCPP(kmod_info_t *info, void *data)
    __asm("_OSRuntimeInitializeCPP");
kern_return_t OSRuntimeFinalizeCPP(kmod_info_t *info, void *data) __asm("_OSRuntimeFinalizeCPP");
#define IOKIT_RUNTIME_INITIALIZE(info) OSRuntimeInitializeCPP(info, NULL)
#define IOKIT_RUNTIME_FINALIZE(info) OSRuntimeFinalizeCPP(info, NULL)
#else
#define IOKIT_RUNTIME_INITIALIZE(info) ((void)(info), KERN_SUCCESS)
#define IOKIT_RUNTIME_FINALIZE(info) ((void)(info), KERN_SUCCESS)
#endif

/* Defines `_kmod_info`. identifier, version: string literals of less than 64 bytes, equal to those
 * in Info.plist; start, stop: kmod_function, or iokit_module_nothing. Once per kext. The alignment
 * keeps the two pointers from crossing a page. */
#define IOKIT_MODULE(identifier, version_text, start_function, stop_function)                     \
    static kern_return_t iokit_module_start(kmod_info_t *info, void *data)                        \
    {                                                                                             \
        kern_return_t result = IOKIT_RUNTIME_INITIALIZE(info);                                    \
        if (result != KERN_SUCCESS)                                                               \
            return result;                                                                        \
        result = start_function(info, data);                                                      \
        if (result != KERN_SUCCESS)                                                               \
            (void)IOKIT_RUNTIME_FINALIZE(info);                                                   \
        return result;                                                                            \
    }                                                                                             \
    static kern_return_t iokit_module_stop(kmod_info_t *info, void *data)                         \
    {                                                                                             \
        kern_return_t result = stop_function(info, data);                                         \
        return result != KERN_SUCCESS ? result : IOKIT_RUNTIME_FINALIZE(info);                    \
    }                                                                                             \
    extern kmod_info_t iokit_module_info __asm("_kmod_info");                                     \
    __attribute__((aligned(256))) kmod_info_t iokit_module_info = {                               \
        .info_version = 1,                                                                        \
        .id = UINT32_MAX,                                                                         \
        .name = identifier,                                                                       \
        .version = version_text,                                                                  \
        .reference_count = -1,                                                                    \
        .start = iokit_module_start,                                                              \
        .stop = iokit_module_stop,                                                                \
    }
