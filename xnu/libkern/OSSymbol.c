/* SPDX-License-Identifier: BSD-3-Clause */
/* OSSymbol: strings of which each text exists once, so that they are compared by pointer.
 *
 * The pool does not hold references: a symbol takes itself out when its last reference goes. A
 * symbol that is on its way out is passed over by a search (object_try_retain), a new one is
 * made instead. Source of the rules: xnu libkern/c++/OSSymbol.cpp. */
#include "abi/kpi/libkern.h"

#include "xnu/libkern/object.h"
#include "xnu/libkern/string_private.h"
#include "xnu/libkern/symbol_pool.h"

enum { BUCKET_COUNT = 1024 };

struct pool_entry {
    struct pool_entry *next;
    struct string_layout *symbol;
};

static struct kernel_lock pool_lock = KERNEL_LOCK("symbols");
static struct pool_entry *buckets[BUCKET_COUNT];
static unsigned symbol_count;

/* ---- the pool; pool_lock is held ---- */

static struct pool_entry **bucket_of(const char *text)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return &buckets[hash % BUCKET_COUNT];
}

/* +1, or NULL. */
static OSSymbol *pool_find(const char *text)
{
    struct pool_entry *entry = *bucket_of(text);

    for (; entry; entry = entry->next) {
        if (strcmp(entry->symbol->text, text) == 0 &&
            object_try_retain(&entry->symbol->object))
            return (OSSymbol *)entry->symbol;
    }
    return NULL;
}

static void pool_insert(struct pool_entry *entry, OSSymbol *symbol)
{
    struct pool_entry **bucket = bucket_of(string_of(symbol)->text);

    entry->symbol = string_of(symbol);
    entry->next = *bucket;
    *bucket = entry;
    symbol_count++;
}

static void pool_remove(OSSymbol *symbol)
{
    struct pool_entry **link = bucket_of(string_of(symbol)->text);
    struct pool_entry *entry;

    while ((entry = *link) && entry->symbol != string_of(symbol))
        link = &entry->next;
    if (!entry)
        return;
    *link = entry->next;
    symbol_count--;
    kernel_free(entry, sizeof(*entry));
}

/* Gives a symbol with borrowed text in [start, end) text of its own. */
static void keep_text(struct string_layout *symbol, const char *start, const char *end)
{
    char *copy;

    if (!(symbol->flags & STRING_NO_COPY) || symbol->text < start || symbol->text >= end)
        return;
    copy = kernel_allocate(symbol->size);
    if (!copy)
        machine_panic("no memory for the symbols of a kext that is being unloaded");
    memcpy(copy, symbol->text, symbol->size);
    symbol->text = copy;
    symbol->flags &= ~(unsigned)STRING_NO_COPY;
}

void symbol_pool_unload(const void *start, const void *end)
{
    struct pool_entry *entry;
    unsigned i;

    kernel_lock_take(&pool_lock);
    for (i = 0; i < BUCKET_COUNT; i++) {
        for (entry = buckets[i]; entry; entry = entry->next)
            keep_text(entry->symbol, start, end);
    }
    kernel_lock_drop(&pool_lock);
}

unsigned symbol_pool_count(void)
{
    return symbol_count;
}

/* ---- making one ---- */

/* A symbol that is not in the pool yet, and the entry for it; NULL: no memory. */
static OSSymbol *make_symbol(const char *text, bool copy, struct pool_entry **entry)
{
    OSSymbol *symbol = object_new(&OSSymbol_gMetaClass);

    if (!symbol)
        return NULL;
    *entry = kernel_allocate(sizeof(**entry));
    if (*entry && (copy ? OSString__initWithCString((OSString *)symbol, text)
                        : OSString__initWithCStringNoCopy((OSString *)symbol, text)))
        return symbol;
    kernel_free(*entry, sizeof(**entry));
    object_release(symbol);
    return NULL;
}

static const OSSymbol *symbol_with_text(const char *text, bool copy)
{
    struct pool_entry *entry;
    OSSymbol *symbol, *other;

    if (!text)
        return NULL;
    kernel_lock_take(&pool_lock);
    symbol = pool_find(text);
    kernel_lock_drop(&pool_lock);
    if (symbol)
        return symbol;
    symbol = make_symbol(text, copy, &entry);
    if (!symbol)
        return NULL;
    kernel_lock_take(&pool_lock);
    other = pool_find(text);
    if (!other)
        pool_insert(entry, symbol);
    kernel_lock_drop(&pool_lock);
    if (!other)
        return symbol;
    kernel_free(entry, sizeof(*entry)); /* somebody was faster */
    object_release(symbol);
    return other;
}

const OSSymbol *OSSymbol_withCString(const char *text)
{
    return symbol_with_text(text, true);
}

const OSSymbol *OSSymbol_withCStringNoCopy(const char *text)
{
    return symbol_with_text(text, false);
}

const OSSymbol *OSSymbol_withString(const OSString *string)
{
    OSSymbol *symbol = as_symbol(string);

    if (symbol) {
        object_retain(symbol);
        return symbol;
    }
    return string ? symbol_with_text(OSString_getCStringNoCopy((OSString *)string), true) : NULL;
}

const OSSymbol *OSSymbol_existingSymbolForCString(const char *text)
{
    OSSymbol *symbol;

    kernel_lock_take(&pool_lock);
    symbol = pool_find(text);
    kernel_lock_drop(&pool_lock);
    return symbol;
}

const OSSymbol *OSSymbol_existingSymbolForString(const OSString *string)
{
    return string ? OSSymbol_existingSymbolForCString(
                        OSString_getCStringNoCopy((OSString *)string))
                  : NULL;
}

/* A symbol is made by the functions above and by nothing else. */
bool OSSymbol__initWithCString(OSSymbol *me, const char *text)
{
    return false;
}

bool OSSymbol__initWithCStringNoCopy(OSSymbol *me, const char *text)
{
    return false;
}

bool OSSymbol__initWithString(OSSymbol *me, const OSString *string)
{
    return false;
}

void OSSymbol__free(OSSymbol *me)
{
    if (string_of(me)->text) {
        kernel_lock_take(&pool_lock);
        pool_remove(me);
        kernel_lock_drop(&pool_lock);
    }
    OSString_super_free((OSString *)me);
}

/* ---- counting: as every object ---- */

void OSSymbol__taggedRetain(OSSymbol *me, const void *tag)
{
    OSObject__taggedRetain((OSObject *)me, tag);
}

void OSSymbol__taggedRelease(OSSymbol *me, const void *tag)
{
    OSObject__taggedRelease((OSObject *)me, tag);
}

void OSSymbol__taggedRelease_number(OSSymbol *me, const void *tag, int when)
{
    OSObject__taggedRelease_number((OSObject *)me, tag, when);
}

/* ---- equality ---- */

bool OSSymbol__isEqualTo_symbol(OSSymbol *me, const OSSymbol *other)
{
    return me == other;
}

bool OSSymbol__isEqualTo_cstring(OSSymbol *me, const char *text)
{
    return OSString__isEqualTo_cstring((OSString *)me, text);
}

bool OSSymbol__isEqualTo(OSSymbol *me, const OSMetaClassBase *other)
{
    OSSymbol *symbol = as_symbol(other);
    OSString *string;

    if (symbol)
        return symbol == me;
    string = as_string(other);
    return string && OSString__isEqualTo_string((OSString *)me, string);
}

/* Exported through 10.7.5: kexts called it themselves before they left. */
void OSSymbol_checkForPageUnload(void *start, void *end)
{
    symbol_pool_unload(start, end);
}
