/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects from property-list values and back, for OSUnserialize and for matching. */
#ifndef MACHV_XNU_LIBKERN_PLIST_OBJECTS_H
#define MACHV_XNU_LIBKERN_PLIST_OBJECTS_H

#include "abi/OSObject.h"
#include "abi/OSSymbol.h"

#include "match/plist.h"

/* +1, or NULL when memory is out. A container that occurs several times in the tree (IDREF) becomes
 * one object. <real> and <date> become strings. */
OSObject *object_from_plist(const struct plist *value);

/* A new reference for the caller, or NULL: no memory, nested deeper than PLIST_DEPTH_MAX, or an
 * object without a property-list form. `without` (may be NULL) names a key to leave out at the
 * top level; pairs whose value has no such form are left out everywhere. */
struct plist *plist_from_object(const OSObject *object, const char *without);

#endif
