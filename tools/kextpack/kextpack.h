/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kextpack.h: what surrounds the linked slices of a kext: the fat file, Info.plist, the bundle's
 * folders. One verb of the program each. All return an exit code: 0 done, 1 the input is refused,
 * 2 wrong usage or a file cannot be read or written; after a message on standard error.
 */
#ifndef TOOLS_KEXTPACK_KEXTPACK_H
#define TOOLS_KEXTPACK_KEXTPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct plist;

enum exit_code {
    EXIT_DONE = 0,
    EXIT_REFUSED = 1,
    EXIT_TROUBLE = 2,
};

/* kextpack fat -o OUT SLICE...: joins one kext of each architecture into a fat file. */
int pack_fat(int argc, char **argv);

/* kextpack info -o OUT -template T -name N -identifier I -version V [FRAGMENT...]: Info.plist. */
int pack_info(int argc, char **argv);

/* kextpack bundle -o NAME.kext -info INFO -executable FILE: the bundle's folders and files. */
int pack_bundle(int argc, char **argv);

/* "kextpack: error: " and the text, one line. Returns `code`. */
int fail(enum exit_code code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with the reason in errno. */
int fail_errno(const char *what, const char *file);

/* The value of option `name` in argv[1..], NULL if absent; *rest = index of the first argument that
 * is neither an option (every option has a value) nor a value. */
const char *option(int argc, char **argv, const char *name, int *rest);

/* The whole file, to be freed by the caller; NULL after a message. */
uint8_t *read_file(const char *name, size_t *size);
/* Replaces the file in one step, with permission bits `mode`. False after a message. */
bool write_file(const char *name, const void *bytes, size_t size, unsigned int mode);

/* Parses a property list whose top is a dictionary; NULL after a message. To be released. */
struct plist *read_dictionary(const char *name);

/* Writes `value` as an XML property list in the form Apple's tools use (tabs, one key a line). */
bool write_plist(FILE *file, const struct plist *value);

/* Is it a version every macOS from 10.4 accepts (XNU libkern/OSKextVersion.c):
 * major[.minor[.revision]][stage level], digits at most 4, 2, 2, stage d, a, b, f or fc, level 1 to
 * 255? */
bool is_kext_version(const char *text);

#endif
