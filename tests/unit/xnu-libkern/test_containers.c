/* SPDX-License-Identifier: BSD-3-Clause */
/* Strings, symbols, numbers, data, booleans; arrays, dictionaries, sets, ordered sets;
 * iterators. */
#include "tests/unit/xnu-libkern/kernel_test.h"

#include "xnu/libkern/collection.h"

#define BASE(object) ((OSMetaClassBase *)(object))

static OSString *string(const char *text)
{
    return OSString_withCString(text);
}

static int count_of(const void *object)
{
    return OSMetaClassBase_getRetainCount(BASE(object));
}

/* ---- scalars ---- */

static void string_body(void *unused)
{
    static char borrowed[] = "borrowed";
    OSString *one = string("hello"), *two = OSString_withCStringNoCopy(borrowed), *three;
    const OSSymbol *symbol = OSSymbol_withCString("hello");
    OSData *with_nul = OSData_withBytes("hello", 6), *without = OSData_withBytes("hello", 5);
    OSData *more = OSData_withBytes("hello\0", 7);

    CHECK(OSString_getLength(one) == 5);
    CHECK(OSString_getChar(one, 1) == 'e' && OSString_getChar(one, 99) == '\0');
    CHECK(OSString_setChar(one, 'J', 0) && OSString_isEqualTo_cstring(one, "Jello"));
    CHECK(!OSString_setChar(one, 'x', 5)); /* the NUL */
    CHECK(OSString_setChar(one, 'h', 0));
    CHECK(OSString_getCStringNoCopy(two) == borrowed && !OSString_setChar(two, 'x', 0));
    three = OSString_withString(one);
    CHECK(three != one && object_equal(three, one));
    CHECK(object_equal(one, symbol) && object_equal(symbol, one));
    CHECK(object_equal(one, with_nul) && object_equal(one, without) && !object_equal(one, more));
    CHECK(object_equal(with_nul, one) && object_equal(without, one));
    CHECK(!object_equal(one, two));
    object_release(three);
    object_release(more);
    object_release(without);
    object_release(with_nul);
    object_release(symbol);
    object_release(two);
    object_release(one);
}

static void strings_equal_symbols_and_data(void **state)
{
    run_kernel(string_body);
}

static void symbol_body(void *unused)
{
    OSString *text = string("key");
    const OSSymbol *a = OSSymbol_withCString("key"), *b = OSSymbol_withCStringNoCopy("key");
    const OSSymbol *c = OSSymbol_withString(text), *other = OSSymbol_withCString("other");

    CHECK(a == b && b == c && a != other);
    CHECK(count_of(a) == 3);
    CHECK(OSSymbol_withString((const OSString *)a) == a);
    CHECK(!OSString_initWithCString((OSString *)a, "changed"));
    CHECK(!object_equal(a, other));
    object_release(a);
    object_release(a);
    object_release(b);
    object_release(c);
    CHECK(!OSSymbol_existingSymbolForCString("key")); /* gone with its last reference */
    object_release(other);
    object_release(text);
}

static void equal_symbols_are_one_object(void **state)
{
    run_kernel(symbol_body);
}

static void number_body(void *unused)
{
    OSNumber *byte = OSNumber_withNumber_number(0x1ff, 8);
    OSNumber *wide = OSNumber_withNumber_number(0xff, 64);
    OSNumber *text = OSNumber_withNumber_cstring("0x10", 32);

    CHECK(OSNumber_unsigned64BitValue(byte) == 0xff && OSNumber_numberOfBits(byte) == 8);
    CHECK(OSNumber_numberOfBytes(byte) == 1 && OSNumber_numberOfBytes(wide) == 8);
    CHECK(object_equal(byte, wide)); /* the width does not matter */
    OSNumber_addValue(byte, 2);
    CHECK(OSNumber_unsigned8BitValue(byte) == 1);
    OSNumber_addValue(byte, -2);
    CHECK(OSNumber_unsigned32BitValue(byte) == 0xff);
    OSNumber_setValue(byte, 0x123);
    CHECK(OSNumber_unsigned16BitValue(byte) == 0x23);
    CHECK(OSNumber_unsigned32BitValue(text) == 16);
    CHECK(!OSNumber_withNumber_number(1, 65));
    object_release(text);
    object_release(wide);
    object_release(byte);
}

static void numbers_are_cut_to_their_bits(void **state)
{
    run_kernel(number_body);
}

static unsigned deallocated;

static void deallocate(void *memory, unsigned length)
{
    deallocated += length;
}

static void data_body(void *unused)
{
    static char borrowed[4] = "abc";
    OSData *data = OSData_withCapacity(2), *external = OSData_withBytesNoCopy(borrowed, 4), *part;

    CHECK(OSData_getLength(data) == 0 && OSData_getBytesNoCopy(data) == NULL);
    CHECK(OSData_appendBytes_pointer(data, "hello", 5) && OSData_getLength(data) == 5);
    CHECK(OSData_appendBytes_pointer(data, NULL, 2));
    CHECK(memcmp(OSData_getBytesNoCopy(data), "hello\0\0", 7) == 0);
    CHECK(OSData_appendByte(data, 'x', 3) && OSData_getLength(data) == 10);
    CHECK(OSData_getBytesNoCopy_number(data, 8, 2) && !OSData_getBytesNoCopy_number(data, 9, 2));
    CHECK(!OSData_getBytesNoCopy_number(data, 2, UINT32_MAX));
    part = OSData_withData_number(data, 1, 4);
    CHECK(part && OSData_isEqualTo_pointer_number(part, "ello", 4));
    CHECK(OSData_getBytesNoCopy(external) == borrowed);
    CHECK(!OSData_appendBytes_pointer(external, "x", 1)); /* borrowed memory cannot grow */
    OSData_setDeallocFunction(external, deallocate);
    object_release(external);
    CHECK(deallocated == 4);
    object_release(part);
    object_release(data);
}

static void data_grows_unless_it_is_borrowed(void **state)
{
    run_kernel(data_body);
}

extern OSBoolean *const *const true_reference __asm("_kOSBooleanTrue");

static void boolean_body(void *unused)
{
    OSBoolean *yes = OSBoolean_withBoolean(true), *no = OSBoolean_withBoolean(false);
    int i;

    CHECK(yes == *true_reference && yes != no);
    CHECK(OSBoolean_isTrue(yes) && OSBoolean_isFalse(no));
    for (i = 0; i < 5; i++)
        object_release(yes); /* never freed */
    CHECK(OSBoolean_getValue(*true_reference));
}

static void there_are_two_booleans_for_ever(void **state)
{
    run_kernel(boolean_body);
}

/* ---- collections ---- */

static void array_body(void *unused)
{
    OSString *a = string("a"), *b = string("b"), *c = string("c");
    OSArray *array = OSArray_withCapacity(0), *copy;

    CHECK(OSArray_setObject_metaclassbase(array, BASE(a)));
    CHECK(OSArray_setObject_metaclassbase(array, BASE(c)));
    CHECK(OSArray_setObject_number(array, 1, BASE(b))); /* inserts */
    CHECK(!OSArray_setObject_number(array, 4, BASE(b)));
    CHECK(!OSArray_setObject_metaclassbase(array, NULL));
    CHECK(array_at(array, 0) == a && array_at(array, 1) == b && array_at(array, 2) == c);
    CHECK(array_at(array, 3) == NULL && OSArray_getLastObject(array) == (OSObject *)c);
    CHECK(count_of(b) == 2);
    OSArray_replaceObject(array, 1, BASE(a));
    CHECK(count_of(b) == 1 && count_of(a) == 3 && array_count(array) == 3);
    CHECK(OSArray_getNextIndexOfObject(array, BASE(a), 1) == 1);
    copy = OSArray_withArray(array, 0);
    CHECK(object_equal(array, copy) && OSArray_merge(copy, array) && array_count(copy) == 6);
    CHECK(!object_equal(array, copy));
    OSArray_removeObject(array, 0);
    OSArray_removeObject(array, 99);
    CHECK(array_count(array) == 2);
    OSCollection_flushCollection((OSCollection *)copy);
    CHECK(array_count(copy) == 0 && count_of(a) == 2);
    object_release(copy);
    object_release(array);
    CHECK(count_of(a) == 1 && count_of(c) == 1);
    object_release(c);
    object_release(b);
    object_release(a);
}

static void arrays_insert_replace_and_hold_references(void **state)
{
    run_kernel(array_body);
}

static void dictionary_body(void *unused)
{
    OSDictionary *dictionary = OSDictionary_withCapacity(1), *other;
    OSString *a = string("a"), *b = string("b");
    OSCollectionIterator *iterator;
    const OSSymbol *key = OSSymbol_withCString("two");

    CHECK(OSDictionary_setObject_cstring(dictionary, "one", BASE(a)));
    CHECK(OSDictionary_setObject_symbol(dictionary, key, BASE(b)));
    CHECK(OSDictionary_setObject_cstring(dictionary, "three", BASE(a)));
    CHECK(!OSDictionary_setObject_cstring(dictionary, "four", NULL));
    CHECK(OSDictionary_getObject_cstring(dictionary, "two") == (OSObject *)b);
    CHECK(!OSDictionary_getObject_cstring(dictionary, "never heard of"));
    CHECK(OSDictionary_setObject_cstring(dictionary, "one", BASE(b))); /* stays in its place */
    iterator = OSCollectionIterator_withCollection((OSCollection *)dictionary);
    CHECK(object_equal(iterator_next((OSIterator *)iterator), OSSymbol_withCString("one")));
    CHECK(iterator_next((OSIterator *)iterator) == key);
    CHECK(OSString_isEqualTo_cstring(iterator_next((OSIterator *)iterator), "three"));
    CHECK(!iterator_next((OSIterator *)iterator));
    other = OSDictionary_withDictionary(dictionary, 0);
    CHECK(object_equal(dictionary, other));
    OSDictionary_removeObject_symbol(other, key);
    CHECK(!object_equal(dictionary, other) && OSCollection_getCount((OSCollection *)other) == 2);
    CHECK(OSDictionary_isEqualTo_dictionary_collection(dictionary, other, (OSCollection *)other));
    CHECK(OSDictionary_merge(other, dictionary) && object_equal(dictionary, other));
    CHECK(count_of(a) == 3 && count_of(b) == 5);
    object_release(iterator);
    object_release(other);
    object_release(dictionary);
    CHECK(count_of(a) == 1 && count_of(b) == 1);
    object_release(key);
    object_release(b);
    object_release(a);
}

static void dictionaries_keep_the_order_of_insertion(void **state)
{
    run_kernel(dictionary_body);
}

static void set_body(void *unused)
{
    OSString *a = string("a"), *same_text = string("a");
    OSSet *set = OSSet_withCapacity(1), *other;

    CHECK(OSSet_setObject(set, BASE(a)) && !OSSet_setObject(set, BASE(a)));
    CHECK(OSSet_setObject(set, BASE(same_text))); /* by pointer, not by content */
    CHECK(OSSet_containsObject(set, BASE(a)) && !OSSet_containsObject(set, NULL));
    other = OSSet_withSet(set, 0);
    CHECK(object_equal(set, other) && !OSSet_merge_set(other, set));
    OSSet_removeObject(other, BASE(a));
    CHECK(!OSSet_member(other, BASE(a)) && OSSet_getAnyObject(other) == (OSObject *)same_text);
    CHECK(OSSet_merge_set(other, set) && OSCollection_getCount((OSCollection *)other) == 2);
    object_release(other);
    object_release(set);
    object_release(same_text);
    object_release(a);
}

static void sets_refuse_a_member_twice(void **state)
{
    run_kernel(set_body);
}

static int32_t by_value(const OSMetaClassBase *left, const OSMetaClassBase *right, void *reference)
{
    return (int32_t)(OSNumber_unsigned32BitValue((OSNumber *)left) -
                     OSNumber_unsigned32BitValue((OSNumber *)right));
}

static void ordered_body(void *unused)
{
    OSOrderedSet *set = OSOrderedSet_withCapacity(1, by_value, &by_value);
    OSNumber *low = OSNumber_withNumber_number(1, 32), *high = OSNumber_withNumber_number(9, 32);
    OSNumber *middle = OSNumber_withNumber_number(5, 32);
    OSNumber *equal = OSNumber_withNumber_number(5, 32);

    CHECK(OSOrderedSet_setObject_metaclassbase(set, BASE(low)));
    CHECK(OSOrderedSet_setObject_metaclassbase(set, BASE(middle)));
    CHECK(OSOrderedSet_setObject_metaclassbase(set, BASE(high)));
    CHECK(OSOrderedSet_setObject_metaclassbase(set, BASE(equal)));
    CHECK(!OSOrderedSet_setObject_metaclassbase(set, BASE(equal)));
    CHECK(OSOrderedSet_getObject(set, 0) == (OSObject *)high);
    CHECK(OSOrderedSet_getObject(set, 1) == (OSObject *)middle);
    CHECK(OSOrderedSet_getObject(set, 2) == (OSObject *)equal); /* behind those that are equal */
    CHECK(OSOrderedSet_getLastObject(set) == (OSObject *)low);
    CHECK(OSOrderedSet_getOrderingRef(set) == &by_value);
    OSOrderedSet_removeObject(set, BASE(middle));
    CHECK(OSCollection_getCount((OSCollection *)set) == 3 && count_of(middle) == 1);
    object_release(set);
    object_release(equal);
    object_release(middle);
    object_release(high);
    object_release(low);
}

static void ordered_sets_descend_and_are_stable(void **state)
{
    run_kernel(ordered_body);
}

static void iterator_body(void *unused)
{
    OSArray *array = OSArray_withCapacity(2);
    OSString *a = string("a"), *b = string("b");
    OSIterator *iterator;

    OSArray_setObject_metaclassbase(array, BASE(a));
    OSArray_setObject_metaclassbase(array, BASE(b));
    iterator = (OSIterator *)OSCollectionIterator_withCollection((OSCollection *)array);
    CHECK(iterator_next(iterator) == a);
    OSArray_setObject_metaclassbase(array, BASE(a));
    CHECK(!OSIterator_isValid(iterator) && !iterator_next(iterator));
    OSIterator_reset(iterator);
    CHECK(iterator_next(iterator) == a && iterator_next(iterator) == b &&
          iterator_next(iterator) == a && !iterator_next(iterator));
    object_release(array);
    OSIterator_reset(iterator);
    CHECK(iterator_next(iterator) == a); /* it keeps the collection */
    object_release(iterator);
    CHECK(count_of(a) == 1);
    object_release(b);
    object_release(a);
}

static void a_change_invalidates_iterators(void **state)
{
    run_kernel(iterator_body);
}

/* As the registry does with what it shows. */
static void seal(void *collection)
{
    OSCollection_setOptions(collection, COLLECTION_IMMUTABLE, COLLECTION_IMMUTABLE, NULL);
}

static void copy_body(void *unused)
{
    OSDictionary *outer = OSDictionary_withCapacity(1), *copy, *inner_copy;
    OSArray *inner = OSArray_withCapacity(1);
    OSString *leaf = string("leaf");

    OSArray_setObject_metaclassbase(inner, BASE(leaf));
    OSDictionary_setObject_cstring(outer, "one", BASE(inner));
    OSDictionary_setObject_cstring(outer, "two", BASE(inner));
    seal(outer);
    copy = (OSDictionary *)OSCollection_copyCollection((OSCollection *)outer, NULL);
    CHECK(copy && copy != outer && object_equal(copy, outer));
    inner_copy = (OSDictionary *)OSDictionary_getObject_cstring(copy, "one");
    CHECK(inner_copy != (void *)inner);
    CHECK(OSDictionary_getObject_cstring(copy, "two") == (OSObject *)inner_copy); /* shared again */
    CHECK(array_at((OSArray *)inner_copy, 0) == leaf); /* leaves are shared */
    CHECK(OSArray_setObject_metaclassbase((OSArray *)inner_copy, BASE(leaf))); /* not immutable */
    object_release(copy);
    object_release(leaf);
    object_release(inner);
    object_release(outer);
}

static void copies_are_deep_and_changeable(void **state)
{
    run_kernel(copy_body);
}

static void immutable_body(void *unused)
{
    OSDictionary *outer = OSDictionary_withCapacity(1);
    OSArray *inner = OSArray_withCapacity(1);

    OSDictionary_setObject_cstring(outer, "inner", BASE(inner));
    seal(outer);
    OSArray_setObject_metaclassbase(inner, BASE(outer));
}

static void changing_a_registry_collection_panics(void **state)
{
    run_panic(immutable_body);
}

static void immutable_free_body(void *unused)
{
    OSArray *array = OSArray_withCapacity(1);
    OSString *a = string("a");

    OSArray_setObject_metaclassbase(array, BASE(a));
    seal(array);
    object_release(array);
    CHECK(count_of(a) == 1);
    object_release(a);
}

static void an_immutable_collection_can_be_freed(void **state)
{
    run_kernel(immutable_free_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_equal_symbols_and_data),
        cmocka_unit_test(equal_symbols_are_one_object),
        cmocka_unit_test(numbers_are_cut_to_their_bits),
        cmocka_unit_test(data_grows_unless_it_is_borrowed),
        cmocka_unit_test(there_are_two_booleans_for_ever),
        cmocka_unit_test(arrays_insert_replace_and_hold_references),
        cmocka_unit_test(dictionaries_keep_the_order_of_insertion),
        cmocka_unit_test(sets_refuse_a_member_twice),
        cmocka_unit_test(ordered_sets_descend_and_are_stable),
        cmocka_unit_test(a_change_invalidates_iterators),
        cmocka_unit_test(copies_are_deep_and_changeable),
        cmocka_unit_test(changing_a_registry_collection_panics),
        cmocka_unit_test(an_immutable_collection_can_be_freed),
    };

    return cmocka_run_group_tests_name("libkern containers", tests, NULL, NULL);
}
