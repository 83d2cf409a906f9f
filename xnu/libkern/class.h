/* SPDX-License-Identifier: BSD-3-Clause */
/* Classes of the kernel's own that no Apple header describes: notifiers, the built-in platform.
 *
 * Apple's classes need nothing of the kind: abi/exports makes their tables and metaclasses, and
 * a method is defined by defining its symbol. */
#ifndef MACHV_XNU_LIBKERN_CLASS_H
#define MACHV_XNU_LIBKERN_CLASS_H

#include "abi/runtime.h"

#include "xnu/libkern/object.h"

/* Defines a class as IOKIT_CLASS (abi/runtime.h) does, but registers it with the kernel's own
 * classes in xnu_libkern_start instead of with a kext. Once per class, at file scope, no
 * semicolon needed. */
#define KERNEL_CLASS(length, Class, Super, ...)                                                  \
    IOKIT_CLASS_DECLARE(length, Class, Super);                                                   \
    _Static_assert(sizeof(#Class) - 1 == (length), #Class ": length of the name");               \
    _Static_assert(sizeof(struct Class) >= sizeof(struct Super), #Class ": superclass inside");  \
    IOKIT_CLASS_FUNCTIONS(length, Class, Super)                                                  \
    IOKIT_METACLASS_FUNCTIONS(length, Class, Super)                                              \
    IOKIT_CLASS_TABLES(length, Class, Super, __VA_ARGS__)                                        \
    static void Class##_register(void)                                                           \
    {                                                                                            \
        OSMetaClass__construct(&Class##_gMetaClass, #Class, &Super##_gMetaClass,                 \
                               sizeof(struct Class));                                            \
        *(const void **)&Class##_gMetaClass = IOKIT_VPTR(Class##_metaclass_table);               \
    }                                                                                            \
    static void (*const Class##_constructor)(void)                                               \
        __attribute__((used, section("kernel_classes"))) = Class##_register;

#endif
