/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kxld.h: links a parsed kext against a description of a kernel by the rules of XNU's kxld, so that
 * what a kernel would refuse is refused here. The kernel is given by call-backs: the tests invent
 * one, the bundle test takes real ones from the ABI tables.
 */
#ifndef TESTS_KEXTLINK_KXLD_H
#define TESTS_KEXTLINK_KXLD_H

#include "tests/unit/kextlink/loader/kext_file.h"

struct kxld_kernel {
    void *context;
    /* Is the symbol exported to the kext? */
    bool (*exports)(void *context, const char *symbol);
    /* The symbol in a slot of a kernel class, by plain class name ("IOService"); NULL behind the
     * last slot and for unknown classes. */
    const char *(*slot)(void *context, const char *class, size_t slot);
    bool keeps_metaclass_tables; /* 10.4 and 10.5 patch class tables only */
};

enum { KXLD_CLASSES_MAX = 128, KXLD_SLOTS_MAX = 512 };

struct kxld_class {
    char name[96], parent[96]; /* plain */
    size_t slot_count;
    const char *slots[KXLD_SLOTS_MAX]; /* after patching; NULL = an unnamed function of the kext */
    bool patched;
};

struct kxld {
    const struct kext_file *file;
    const struct kxld_kernel *kernel;
    struct kxld_class classes[KXLD_CLASSES_MAX];
    size_t class_count;
    bool *replaced; /* by relocation index: redirected to the parent's symbol */
    char problem[384];
};

/* True if the kernel links the kext. `kxld` is large: allocate it. kxld_free() in both cases. */
bool kxld_link(struct kxld *kxld, const struct kext_file *file, const struct kxld_kernel *kernel);
void kxld_free(struct kxld *kxld);

const struct kxld_class *kxld_class(const struct kxld *kxld, const char *name);

#endif
