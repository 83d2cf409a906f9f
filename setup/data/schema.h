/* SPDX-License-Identifier: BSD-3-Clause */
/* OpenCore's configuration schema: every key and its type (OpenCorePkg, Configuration and
 * OcConfigurationLib, release 1.0.8).
 */
#ifndef MACHV_SETUP_DATA_SCHEMA_H
#define MACHV_SETUP_DATA_SCHEMA_H

#include <stddef.h>

/* `keys` is a list "Name:type" separated by spaces; types: b boolean, i integer, s string, d data,
 * d16 data of exactly 16 bytes or none, D dictionary, A array, m any of b i s d. A type ending in ?
 * may be missing; ending in * too, because older releases of OpenCore do not have the key.
 * `path` ends in [] for the elements of an array and in * for any key. */
struct schema_section {
    const char *path;
    const char *keys;
};

extern const struct schema_section schema_sections[];
extern const size_t schema_section_count;

/* The section of the elements of an array such as "Kernel->Patch"; NULL when there is none. */
const struct schema_section *schema_of_array(const char *array_path);

/* Steps through `keys`: fills name (up to 63 characters) and type (up to 7). Returns where to go
 * on, NULL when there is no more. */
const char *schema_next_key(const char *keys, char *name, char *type);

#endif
