/* SPDX-License-Identifier: BSD-3-Clause */
/* Short forms of the calls that every file of the user-space kernel makes on objects.
 *
 * The functions take void pointers because a C mirror of a class is not related to that of its
 * superclass. NULL is allowed where the comment says so. */
#ifndef MACHV_XNU_LIBKERN_OBJECT_H
#define MACHV_XNU_LIBKERN_OBJECT_H

#include "abi/OSArray.h"
#include "abi/OSBoolean.h"
#include "abi/OSCollection.h"
#include "abi/OSCollectionIterator.h"
#include "abi/OSData.h"
#include "abi/OSDictionary.h"
#include "abi/OSIterator.h"
#include "abi/OSMetaClass.h"
#include "abi/OSMetaClassBase.h"
#include "abi/OSNumber.h"
#include "abi/OSObject.h"
#include "abi/OSOrderedSet.h"
#include "abi/OSSerialize.h"
#include "abi/OSSet.h"
#include "abi/OSString.h"
#include "abi/OSSymbol.h"

#include "xnu/libkern/support.h"

static inline void object_retain(const void *object)
{
    OSMetaClassBase_retain((OSMetaClassBase *)object);
}

/* NULL is allowed. */
static inline void object_release(const void *object)
{
    if (object)
        OSMetaClassBase_release((OSMetaClassBase *)object);
}

/* Releases *variable and clears it; *variable may be NULL. */
#define object_release_clear(variable)  \
    do {                                \
        object_release(*(variable));    \
        *(variable) = NULL;             \
    } while (0)

/* A reference held by a collection, counted in the upper half of the retain count as well. */
static inline void object_collection_retain(const void *object)
{
    OSMetaClassBase_taggedRetain((OSMetaClassBase *)object, OSCollection_metaClass);
}

static inline void object_collection_release(const void *object)
{
    OSMetaClassBase_taggedRelease((OSMetaClassBase *)object, OSCollection_metaClass);
}

/* Retains unless the object is already on its way to free(). */
bool object_try_retain(OSObject *object);

/* True if both are the same object or equal in content. NULL equals NULL only. */
static inline bool object_equal(const void *left, const void *right)
{
    if (left == right)
        return true;
    return left && right &&
           OSMetaClassBase_isEqualTo((OSMetaClassBase *)left, (OSMetaClassBase *)right);
}

/* The object if it is of `class` or a subclass, else NULL. NULL is allowed. */
static inline void *object_cast(const void *object, const OSMetaClass *class)
{
    return OSMetaClassBase_safeMetaCast((OSMetaClassBase *)object, class);
}

static inline const char *object_class_name(const void *object)
{
    return OSMetaClass_getClassName(
        (OSMetaClass *)OSMetaClassBase_getMetaClass((OSMetaClassBase *)object));
}

static inline OSString *as_string(const void *object)
{
    return object_cast(object, OSString_metaClass);
}

static inline OSSymbol *as_symbol(const void *object)
{
    return object_cast(object, OSSymbol_metaClass);
}

static inline OSNumber *as_number(const void *object)
{
    return object_cast(object, OSNumber_metaClass);
}

static inline OSData *as_data(const void *object)
{
    return object_cast(object, OSData_metaClass);
}

static inline OSArray *as_array(const void *object)
{
    return object_cast(object, OSArray_metaClass);
}

static inline OSDictionary *as_dictionary(const void *object)
{
    return object_cast(object, OSDictionary_metaClass);
}

static inline OSCollection *as_collection(const void *object)
{
    return object_cast(object, OSCollection_metaClass);
}

/* A class of the kernel itself allocates its objects through this: zeroed memory, constructed. */
static inline void *object_new(OSMetaClass *class)
{
    return OSMetaClass_alloc(class);
}

/* The element, borrowed, or NULL beyond the end. */
static inline void *array_at(const OSArray *array, unsigned index)
{
    return OSArray_getObject((OSArray *)array, index);
}

static inline unsigned array_count(const OSArray *array)
{
    return OSCollection_getCount((OSCollection *)array);
}

/* Length of an iterator's next element, borrowed, or NULL at the end or after a change. */
static inline void *iterator_next(OSIterator *iterator)
{
    return OSIterator_getNextObject(iterator);
}

#endif
