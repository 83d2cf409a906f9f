/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the mangled names of an I/O Kit class mean to the kernel's linker (XNU libkern/kxld:
 * kxld_sym.c). It goes by parts of the names alone; the first rule that fits wins.
 */
#ifndef MACHV_XNU_LOADER_CLASS_NAMES_H
#define MACHV_XNU_LOADER_CLASS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

enum class_name_kind {
    CLASS_NAME_OTHER,
    CLASS_NAME_METACLASS_TABLE, /* begins with __ZTVN */
    CLASS_NAME_TABLE,           /* begins with __ZTV */
    CLASS_NAME_PAD,             /* contains _RESERVED */
    CLASS_NAME_METACLASS,       /* contains 10gMetaClassE */
    CLASS_NAME_SUPERCLASS,      /* contains 10superClassE */
};

/* Of a mangled name, by the parts of it that kxld looks at; the first of the enum that fits. */
enum class_name_kind class_name_kind(const char *name);
bool class_name_is_pad(const char *name);
bool class_name_is_pure_virtual(const char *name);

/*
 * Other names of the class that a superClass or gMetaClass symbol belongs to. False: the symbol is
 * not of that form, or the result does not fit.
 */
bool class_name_table(const char *symbol, char *result, size_t size);           /* __ZTV<class> */
bool class_name_metaclass_table(const char *symbol, char *result, size_t size);
bool class_name_prefix(const char *symbol, char *result, size_t size);          /* __ZN<class> */
bool class_name_metaclass_prefix(const char *symbol, char *result, size_t size);
bool class_name_final_marker(const char *symbol, char *result, size_t size);

#endif
