/* SPDX-License-Identifier: BSD-3-Clause */
/* Property list values: building, reading, comparing. */
#include "match/plist_private.h"

#include <stdlib.h>
#include <string.h>

static struct plist *new_value(enum plist_type type)
{
    struct plist *value = calloc(1, sizeof *value);

    if (value != NULL) {
        value->type = type;
        value->references = 1;
        value->expanded = 1;
    }
    return value;
}

struct plist *plist_new_dictionary(void)
{
    return new_value(PLIST_DICTIONARY);
}

struct plist *plist_new_array(void)
{
    return new_value(PLIST_ARRAY);
}

struct plist *plist_new_set(void)
{
    return new_value(PLIST_SET);
}

static struct plist *new_bytes(enum plist_type type, const void *bytes, size_t length)
{
    struct plist *value = new_value(type);

    if (value == NULL)
        return NULL;
    value->bytes = malloc(length + 1);
    if (value->bytes == NULL) {
        free(value);
        return NULL;
    }
    if (length > 0)
        memcpy(value->bytes, bytes, length);
    value->bytes[length] = '\0';
    value->length = length;
    return value;
}

struct plist *plist_new_string(const char *bytes, size_t length)
{
    return new_bytes(PLIST_STRING, bytes, length);
}

struct plist *plist_new_data(const void *bytes, size_t length)
{
    return new_bytes(PLIST_DATA, bytes, length);
}

struct plist *plist_new_opaque(const char *bytes, size_t length)
{
    return new_bytes(PLIST_OPAQUE, bytes, length);
}

struct plist *plist_new_integer(uint64_t number, unsigned bits)
{
    struct plist *value = new_value(PLIST_INTEGER);

    if (value != NULL) {
        value->bits = bits == 0 || bits > 64 ? 64 : bits;
        value->number = value->bits == 64 ? number : number & ((UINT64_C(1) << value->bits) - 1);
    }
    return value;
}

struct plist *plist_new_boolean(bool truth)
{
    struct plist *value = new_value(PLIST_BOOLEAN);

    if (value != NULL)
        value->number = truth;
    return value;
}

static bool is_container(const struct plist *value)
{
    return value != NULL && value->type <= PLIST_SET;
}

/* Doubles the room for elements. Returns false when memory is out; the container is then unchanged.
 */
static bool make_room(struct plist *container)
{
    size_t capacity = container->capacity == 0 ? 8 : container->capacity * 2;
    struct plist_element *elements;

    if (container->count < container->capacity)
        return true;
    elements = realloc(container->elements, capacity * sizeof *elements);
    if (elements == NULL)
        return false;
    container->elements = elements;
    container->capacity = capacity;
    return true;
}

static void count_expanded(struct plist *container, const struct plist *value)
{
    uint64_t sum = (uint64_t)container->expanded + value->expanded;

    container->expanded = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

/* Takes over `key` and `value` unless memory is out. */
static bool append(struct plist *container, char *key, struct plist *value)
{
    if (!make_room(container))
        return false;
    container->elements[container->count++] = (struct plist_element){ key, value };
    if (container->type != PLIST_ARRAY && !plist_index_last(container)) {
        container->count--;
        return false;
    }
    count_expanded(container, value);
    return true;
}

bool plist_dictionary_set(struct plist *dictionary, const char *key, struct plist *value)
{
    size_t index;
    char *copy;

    if (!plist_is(dictionary, PLIST_DICTIONARY) || value == NULL) {
        plist_release(value);
        return false;
    }
    index = plist_find_key(dictionary, key);
    if (index < dictionary->count) {
        plist_release(dictionary->elements[index].value);
        dictionary->elements[index].value = value;
        count_expanded(dictionary, value);
        return true;
    }
    copy = strdup(key);
    if (copy == NULL || !append(dictionary, copy, value)) {
        free(copy);
        plist_release(value);
        return false;
    }
    return true;
}

bool plist_array_append(struct plist *array, struct plist *value)
{
    if (value == NULL || !is_container(array) || array->type == PLIST_DICTIONARY) {
        plist_release(value);
        return false;
    }
    if (array->type == PLIST_SET && plist_find_member(array, value) < array->count) {
        plist_release(value);
        return true;
    }
    if (!append(array, NULL, value)) {
        plist_release(value);
        return false;
    }
    return true;
}

struct plist *plist_retain(struct plist *value)
{
    if (value != NULL)
        value->references++;
    return value;
}

void plist_release(struct plist *value)
{
    size_t index;

    if (value == NULL || --value->references > 0)
        return;
    for (index = 0; index < value->count; index++) {
        free(value->elements[index].key);
        plist_release(value->elements[index].value); /* depth is bounded by PLIST_DEPTH_MAX */
    }
    free(value->elements);
    free(value->index);
    free(value->bytes);
    free(value);
}

enum plist_type plist_type(const struct plist *value)
{
    return value->type;
}

const char *plist_type_name(const struct plist *value)
{
    static const char *const names[] = {
        [PLIST_DICTIONARY] = "dictionary",
        [PLIST_ARRAY] = "array",
        [PLIST_SET] = "set",
        [PLIST_STRING] = "string",
        [PLIST_DATA] = "data",
        [PLIST_INTEGER] = "integer",
        [PLIST_BOOLEAN] = "boolean",
        [PLIST_OPAQUE] = "real or date",
    };

    return value == NULL ? "nothing" : names[value->type];
}

bool plist_is(const struct plist *value, enum plist_type type)
{
    return value != NULL && value->type == type;
}

size_t plist_count(const struct plist *container)
{
    return is_container(container) ? container->count : 0;
}

struct plist *plist_get(const struct plist *dictionary, const char *key)
{
    size_t index;

    if (!plist_is(dictionary, PLIST_DICTIONARY))
        return NULL;
    index = plist_find_key(dictionary, key);
    return index < dictionary->count ? dictionary->elements[index].value : NULL;
}

struct plist *plist_value_at(const struct plist *container, size_t index)
{
    return index < plist_count(container) ? container->elements[index].value : NULL;
}

const char *plist_key_at(const struct plist *dictionary, size_t index)
{
    return index < plist_count(dictionary) ? dictionary->elements[index].key : NULL;
}

const char *plist_string(const struct plist *value)
{
    return plist_is(value, PLIST_STRING) ? value->bytes : NULL;
}

const void *plist_bytes(const struct plist *value, size_t *length)
{
    if (value == NULL || value->bytes == NULL)
        return NULL;
    *length = value->length;
    return value->bytes;
}

bool plist_integer(const struct plist *value, uint64_t *result)
{
    if (!plist_is(value, PLIST_INTEGER))
        return false;
    *result = value->number;
    return true;
}

unsigned plist_integer_bits(const struct plist *value)
{
    return plist_is(value, PLIST_INTEGER) ? value->bits : 0;
}

bool plist_boolean(const struct plist *value, bool *result)
{
    if (!plist_is(value, PLIST_BOOLEAN))
        return false;
    *result = value->number != 0;
    return true;
}

unsigned plist_line(const struct plist *value)
{
    return value == NULL ? 0 : value->line;
}

static bool string_equals_data(const struct plist *string, const struct plist *data)
{
    size_t length = data->length;

    if (length == string->length + 1 && data->bytes[length - 1] == '\0')
        length--;
    return length == string->length && memcmp(string->bytes, data->bytes, length) == 0;
}

static bool arrays_equal(const struct plist *left, const struct plist *right)
{
    size_t index;

    for (index = 0; index < left->count; index++)
        if (!plist_equal(left->elements[index].value, right->elements[index].value))
            return false;
    return true;
}

static bool containers_equal(const struct plist *left, const struct plist *right)
{
    size_t index;

    if (left->count != right->count)
        return false;
    if (left->type == PLIST_ARRAY)
        return arrays_equal(left, right);
    for (index = 0; index < left->count; index++) {
        const struct plist_element *element = &left->elements[index];

        if (left->type == PLIST_SET ? plist_find_member(right, element->value) == right->count
                                    : !plist_equal(element->value, plist_get(right, element->key)))
            return false;
    }
    return true;
}

bool plist_equal(const struct plist *left, const struct plist *right)
{
    if (left == right)
        return true;
    if (left == NULL || right == NULL)
        return false;
    if (left->type == PLIST_STRING && right->type == PLIST_DATA)
        return string_equals_data(left, right);
    if (left->type == PLIST_DATA && right->type == PLIST_STRING)
        return string_equals_data(right, left);
    if (left->type != right->type)
        return false;
    if (is_container(left))
        return containers_equal(left, right);
    if (left->type == PLIST_INTEGER || left->type == PLIST_BOOLEAN)
        return left->number == right->number;
    return left->length == right->length && memcmp(left->bytes, right->bytes, left->length) == 0;
}
