/* SPDX-License-Identifier: BSD-3-Clause */
/* Brings up libkern: the tables of all Apple classes for the selected release, then the kernel's own
 * classes, which register as one module before any kext. */
#include "xnu/libkern/class.h"
#include "xnu/libkern/module.h"
#include "xnu/libkern/release.h"
#include "xnu/libkern/start.h"

extern const struct kernel_class __start_kernel_classes[], __stop_kernel_classes[];

/* Until its constructor has run, a metaclass has no class name. */
static bool constructed(const OSMetaClass *metaclass)
{
    return !metaclass || metaclass->className;
}

static bool construct_class(const struct kernel_class *class)
{
    if (constructed(class->metaclass) || !constructed(class->superclass))
        return false;
    OSMetaClass__construct(class->metaclass, class->name, class->superclass, class->size);
    class->metaclass->vtable = class->metaclass_table;
    return true;
}

/* Superclasses first, whatever the order of the object files. */
static void construct_classes(void)
{
    const struct kernel_class *class;
    bool progress;

    do {
        progress = false;
        for (class = __start_kernel_classes; class < __stop_kernel_classes; class++)
            progress |= construct_class(class);
    } while (progress);
    for (class = __start_kernel_classes; class < __stop_kernel_classes; class++) {
        if (!constructed(class->metaclass))
            machine_panic("class %s: its superclass is not in this kernel", class->name);
    }
}

void xnu_libkern_start(void)
{
    static bool started;
    void *load;

    if (started)
        return;
    started = true;
    kernel_tables_fill(release_number());
    load = OSMetaClass_preModLoad("__kernel__");
    construct_classes();
    if (OSMetaClass_postModLoad(load) != 0)
        machine_panic("the kernel's own classes do not register");
    OSBoolean_initialize();
}
