/* SPDX-License-Identifier: BSD-3-Clause */
/* The classes of one kext: what the loader calls before and after it runs a kext's code.
 *
 * A kext registers its classes from static constructors, which are only legal between the
 * opening and the closing of a load (xnu libkern/c++/OSMetaClass.cpp: preModLoad, postModLoad;
 * OSRuntime.cpp). */
#ifndef MACHV_XNU_LIBKERN_MODULE_H
#define MACHV_XNU_LIBKERN_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void module_function(void);

/* The code of one kext. All pointers are borrowed and must stay valid until module_finish. */
struct module_code {
    const char *identifier;                /* CFBundleIdentifier */
    module_function *const *constructors;  /* NULL elements are logged and skipped */
    size_t constructor_count;
    module_function *const *destructors;
    size_t destructor_count;
    const void *start, *end;               /* its image, for strings that lie in it; may be NULL */
};

/* Runs the constructors and registers the classes that they make. Returns 0 or a kOSMetaClass...
 * code (kOSMetaClassDuplicateClass and so on): then no class of the kext is registered and its
 * destructors have been run. Idempotent for an identifier that is registered. */
int module_start(const struct module_code *code);

/* Runs the destructors, which take the classes away. Returns kOSMetaClassHasInstances, and does
 * nothing, while objects of its classes or subclasses of them live; else 0. */
int module_finish(const struct module_code *code);

/* True while an object of one of the kext's classes lives. */
bool module_has_instances(const char *identifier);
/* Logs each class of the kext that has instances. */
void module_report_instances(const char *identifier);
/* Number of classes registered by the kext; 0 if it is unknown. */
unsigned module_class_count(const char *identifier);

/* Fills the tables of Apple classes for the selected release (release.h) and registers the
 * kernel's own classes. The first call of all, on a kernel thread; a second one does nothing. */
void xnu_libkern_start(void);

#endif
