/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mangled names of classes.
 */
#include "xnu/loader/class_names.h"

#include <stdio.h>
#include <string.h>

#define SUPERCLASS "10superClassE"
#define METACLASS "10gMetaClassE"
#define PREFIX "__ZN"

bool class_name_is_pad(const char *name) {
    return strncmp(name, "__Z", 3) == 0 && strncmp(name, "__ZTV", 5) != 0 &&
           strstr(name, "_RESERVED") != NULL;
}

bool class_name_is_pure_virtual(const char *name) {
    return strncmp(name, "___cxa_pure_virtual", 19) == 0;
}

enum class_name_kind class_name_kind(const char *name) {
    if (strncmp(name, "__Z", 3) != 0) {
        return CLASS_NAME_OTHER;
    }
    if (strncmp(name, "__ZTVN", 6) == 0) {
        return CLASS_NAME_METACLASS_TABLE;
    }
    if (strncmp(name, "__ZTV", 5) == 0) {
        return CLASS_NAME_TABLE;
    }
    if (strstr(name, "_RESERVED") != NULL) {
        return CLASS_NAME_PAD;
    }
    if (strstr(name, METACLASS) != NULL) {
        return CLASS_NAME_METACLASS;
    }
    return strstr(name, SUPERCLASS) != NULL ? CLASS_NAME_SUPERCLASS : CLASS_NAME_OTHER;
}

/* The length-prefixed class name inside the symbol; 0: there is none. */
static int class_part(const char *symbol, const char **start) {
    const char *end = strstr(symbol, SUPERCLASS);
    if (end == NULL) {
        end = strstr(symbol, METACLASS);
    }
    if (end == NULL || strncmp(symbol, PREFIX, strlen(PREFIX)) != 0) {
        return 0;
    }
    *start = symbol + strlen(PREFIX);
    return end > *start ? (int)(end - *start) : 0;
}

static bool make(const char *symbol, const char *before, const char *after, char *result,
                 size_t size) {
    const char *start;
    int length = class_part(symbol, &start);
    if (length == 0) {
        return false;
    }
    int written = snprintf(result, size, "%s%.*s%s", before, length, start, after);
    return written > 0 && (size_t)written < size;
}

bool class_name_table(const char *symbol, char *result, size_t size) {
    return make(symbol, "__ZTV", "", result, size);
}

bool class_name_metaclass_table(const char *symbol, char *result, size_t size) {
    return make(symbol, "__ZTVN", "9MetaClassE", result, size);
}

bool class_name_prefix(const char *symbol, char *result, size_t size) {
    return make(symbol, PREFIX, "", result, size);
}

bool class_name_metaclass_prefix(const char *symbol, char *result, size_t size) {
    return make(symbol, PREFIX, "9MetaClass", result, size);
}

bool class_name_final_marker(const char *symbol, char *result, size_t size) {
    return make(symbol, PREFIX, "14__OSFinalClassEv", result, size);
}
