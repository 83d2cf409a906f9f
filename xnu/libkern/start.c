/* SPDX-License-Identifier: BSD-3-Clause */
/* Brings up libkern: the tables of all Apple classes for the selected release, then all classes
 * that the kernel has, which register as one module before any kext. */
#include "abi/xnu_exports.h"

#include "xnu/libkern/module.h"
#include "xnu/libkern/object.h"
#include "xnu/libkern/release.h"
#include "xnu/libkern/start.h"

/* KERNEL_CLASS puts its registration here; there may be none. */
extern module_function *const kernel_classes_first[] __asm("__start_kernel_classes")
    __attribute__((weak));
extern module_function *const kernel_classes_end[] __asm("__stop_kernel_classes")
    __attribute__((weak));

void xnu_libkern_start(void)
{
    static bool started;
    module_function *const *class;
    void *load;

    if (started)
        return;
    started = true;
    xnu_tables_fill(release_number());
    load = OSMetaClass_preModLoad("__kernel__");
    xnu_metaclasses_construct();
    for (class = kernel_classes_first; class < kernel_classes_end; class++)
        (*class)();
    if (OSMetaClass_postModLoad(load) != 0)
        machine_panic("the kernel's own classes do not register");
    OSBoolean_initialize();
}

void xnu_unimplemented(const char *name)
{
    machine_panic("%s: this kernel has no such function (kextrun(1), \"What is emulated\")", name);
}
