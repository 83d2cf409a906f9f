/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Makes kexts for the tests: compiles a fixture with clang, links it with kextlink (the test's
 * first argument), lays out bundles in a temporary folder.
 */
#ifndef TESTS_UNIT_XNU_LOADER_KEXT_BUILDER_H
#define TESTS_UNIT_XNU_LOADER_KEXT_BUILDER_H

#include <stddef.h>
#include <stdint.h>

extern const char *builder_kextlink;

/* cmocka group fixtures. */
int builder_setup(void **state);
int builder_teardown(void **state);

/*
 * The executable made of fixtures/`source`.c for "x86_64" or "i386"; malloc()ed. kextlink refuses
 * weak references and exports classes only, so the import _kernel_weak is made weak and the
 * function _driver_export exported afterwards.
 */
uint8_t *builder_kext(const char *architecture, const char *source, const char *flags,
                      size_t *size);

/* The symbol table entry of that name in a thin executable; NULL: none. */
uint8_t *builder_symbol(uint8_t *executable, const char *name);

/*
 * Writes a bundle `name`.kext whose Info.plist has the identifier, the version 1.0 and `more` (XML
 * after these keys); `executable` NULL: none. The path is valid until the next 16 calls.
 */
const char *builder_bundle(const char *name, const char *identifier, const char *more,
                           const uint8_t *executable, size_t size);
/* The folder that all of it is in. */
const char *builder_folder(void);

#endif
