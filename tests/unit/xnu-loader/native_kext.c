/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The native kext.
 */
#include "tests/unit/xnu-loader/native_kext.h"

#include "abi/IOService.h"
#include "abi/runtime.h"

int native_started, native_stopped;

typedef struct NativeTest NativeTest;
struct NativeTest {
    IOService super;
    int calls;
};

static bool native_start(IOService *me, IOService *provider) {
    ((NativeTest *)me)->calls++;
    return true;
}

IOKIT_CLASS(10, NativeTest, IOService, .start = native_start)

static kern_return_t module_start(kmod_info_t *info, void *data) {
    native_started++;
    return KERN_SUCCESS;
}

static kern_return_t module_stop(kmod_info_t *info, void *data) {
    native_stopped++;
    return KERN_SUCCESS;
}

IOKIT_MODULE("org.machv.test.native", "1.0", module_start, module_stop);

struct kext_info *native_info(void) {
    return (struct kext_info *)&iokit_module_info;
}

/* Volatile: the loader has changed what the compiler takes for constant. */
unsigned native_differences(void) {
    const volatile uintptr_t *own = (const uintptr_t *)&NativeTest_table_symbol.slots;
    const volatile uintptr_t *parent = (const uintptr_t *)&IOService_table_symbol.slots;
    unsigned differences = 0;
    for (unsigned i = 0; parent[i] != 0; i++) {
        differences += own[i] != parent[i];
    }
    return differences;
}

bool native_keeps_own_methods(void) {
    const struct IOService_table *volatile table = &NativeTest_table_symbol;
    return table->slots.start == native_start;
}

static OSObject *object;

bool native_object_create(void) {
    object = OSMetaClass_allocClassWithName_cstring("NativeTest");
    return object != NULL && IORegistryEntry_init_dictionary((IORegistryEntry *)object, NULL);
}

void native_object_destroy(void) {
    iokit_release_clear(object);
}

bool native_object_starts(void) {
    bool good = native_object_create() && IOService_start((IOService *)object, NULL) &&
                ((NativeTest *)object)->calls == 1;
    native_object_destroy();
    return good;
}

__attribute__((noinline)) uint32_t native_cpuid(uint32_t leaf) {
    uint32_t a, b, c = 0, d;
    __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "+c"(c), "=d"(d) : "0"(leaf));
    return b;
}
