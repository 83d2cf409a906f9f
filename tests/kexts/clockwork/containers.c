/* SPDX-License-Identifier: BSD-3-Clause */
/* What a driver relies on of the containers, checked from inside the kernel. */
#include "tests/kexts/clockwork/Clockwork.h"

#include "abi/OSArray.h"
#include "abi/OSCollectionIterator.h"
#include "abi/OSData.h"
#include "abi/OSDictionary.h"
#include "abi/OSNumber.h"
#include "abi/OSSet.h"
#include "abi/OSString.h"
#include "abi/OSSymbol.h"
#include "abi/kpi/iolib.h"

#define CHECK(faults, condition)                                                                  \
    do {                                                                                          \
        if (!(condition)) {                                                                       \
            clockwork_log("FAILED: %s", #condition);                                              \
            (faults)++;                                                                           \
        }                                                                                         \
    } while (0)

static const OSMetaClassBase *base(const void *object)
{
    return object;
}

static unsigned check_symbols(void)
{
    const OSSymbol *one = OSSymbol_withCString("clockwork");
    const OSSymbol *two = OSSymbol_withCString("clockwork");
    unsigned faults = 0;

    CHECK(faults, one != NULL && one == two);
    CHECK(faults, iokit_cast(OSString, one) != NULL);
    CHECK(faults, iokit_cast(OSNumber, one) == NULL);
    iokit_release(one);
    iokit_release(two);
    return faults;
}

static unsigned check_dictionary(void)
{
    OSDictionary *dictionary = OSDictionary_withCapacity(1);
    OSNumber *number = OSNumber_withNumber_number(0x1FF, 8);
    OSCollectionIterator *iterator;
    unsigned faults = 0;

    CHECK(faults, OSDictionary_setObject_cstring(dictionary, "number", base(number)));
    CHECK(faults, !OSDictionary_setObject_cstring(dictionary, "nothing", NULL));
    CHECK(faults, OSMetaClassBase_getRetainCount((OSMetaClassBase *)number) == 2);
    CHECK(faults, OSDictionary_getObject_cstring(dictionary, "number") == (OSObject *)number);
    CHECK(faults, OSNumber_unsigned32BitValue(number) == 0xFF);
    iterator = OSCollectionIterator_withCollection((const OSCollection *)dictionary);
    CHECK(faults, OSIterator_getNextObject((OSIterator *)iterator) != NULL);
    CHECK(faults, OSIterator_getNextObject((OSIterator *)iterator) == NULL);
    iokit_release(iterator);
    iokit_release(dictionary);
    CHECK(faults, OSMetaClassBase_getRetainCount((OSMetaClassBase *)number) == 1);
    iokit_release(number);
    return faults;
}

static unsigned check_array_and_set(void)
{
    OSArray *array = OSArray_withCapacity(1);
    OSSet *set = OSSet_withCapacity(1);
    OSData *data = OSData_withBytes("gear", 4);
    unsigned faults = 0;

    CHECK(faults, OSArray_setObject_metaclassbase(array, base(data)));
    CHECK(faults, OSArray_setObject_metaclassbase(array, base(set)));
    CHECK(faults, OSCollection_getCount((OSCollection *)array) == 2);
    CHECK(faults, OSSet_setObject(set, base(data)));
    CHECK(faults, !OSSet_setObject(set, base(data)));
    CHECK(faults, OSData_getLength(data) == 4);
    OSArray_removeObject(array, 0);
    CHECK(faults, OSArray_getObject(array, 0) == (OSObject *)set);
    CHECK(faults, OSArray_getObject(array, 1) == NULL);
    iokit_release(array);
    iokit_release(set);
    iokit_release(data);
    return faults;
}

unsigned clockwork_check_containers(void)
{
    return check_symbols() + check_dictionary() + check_array_and_set();
}
