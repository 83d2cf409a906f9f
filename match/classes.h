/* SPDX-License-Identifier: BSD-3-Clause */
/* Which I/O Kit class derives from which, as far as nubs and their providers need it. */
#ifndef MACHV_MATCH_CLASSES_H
#define MACHV_MATCH_CLASSES_H

#include <stdbool.h>
#include <stddef.h>

enum { CLASS_CHAIN_MAX = 8 };

/* The classes of a nub from its own up to IOService. A class that is not in the table counts as a
 * child of IOService. Returns how many were written to `chain` (borrowed strings, or `name`
 * itself). */
size_t class_chain(const char *name, const char *chain[CLASS_CHAIN_MAX]);
bool class_is_known(const char *name);
/* The class of the table that is spelled like `name` but for case; NULL when there is none. */
const char *class_in_any_case(const char *name);
bool class_is(const char *name, const char *ancestor);

#endif
