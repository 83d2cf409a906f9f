/* SPDX-License-Identifier: BSD-3-Clause */
/* OSUnserializeXML and OSUnserialize: objects from the kernel's XML dialect (match/plist.h).
 * Source of the rules: xnu libkern/c++/OSUnserializeXML.y. */
#include "abi/kpi/libkern.h"

#include "xnu/bsd/format.h"
#include "xnu/libkern/object.h"
#include "xnu/libkern/plist_objects.h"

enum { MESSAGE_ROOM = PLIST_ERROR_TEXT_SIZE + 64 };

OSObject *unserialize_xml(const char *text, OSString **error)
    __asm("__Z16OSUnserializeXMLPKcPP8OSString");
OSObject *unserialize_xml_bounded(const char *text, size_t size, OSString **error)
    __asm("__Z16OSUnserializeXMLPKcmPP8OSString");
OSObject *unserialize(const char *text, OSString **error)
    __asm("__Z13OSUnserializePKcPP8OSString");

/* +1, or NULL with the reason in *error (a string the caller releases; error may be NULL). The
 * text ends at `size` or at a NUL before it. */
OSObject *unserialize_xml_bounded(const char *text, size_t size, OSString **error)
{
    struct plist_diagnostic diagnostic;
    char message[MESSAGE_ROOM];
    struct plist *value;
    OSObject *object;

    if (error)
        *error = NULL;
    if (!text)
        return NULL;
    value = plist_parse_xml(text, strnlen(text, size), NULL, &diagnostic);
    if (!value) {
        format_text(message, sizeof(message), "OSUnserializeXML: %s near line %u",
                    diagnostic.text, diagnostic.line);
        if (error)
            *error = OSString_withCString(message);
        return NULL;
    }
    object = object_from_plist(value);
    plist_release(value);
    return object;
}

OSObject *unserialize_xml(const char *text, OSString **error)
{
    return unserialize_xml_bounded(text, text ? strlen(text) : 0, error);
}

/* The old text form (braces and quotes) is not read; XML is, as in every kernel. */
OSObject *unserialize(const char *text, OSString **error)
{
    return unserialize_xml(text, error);
}
