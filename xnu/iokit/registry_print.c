/* SPDX-License-Identifier: BSD-3-Clause */
/* The registry as text, laid out as ioreg does. */
#include "abi/IOService.h"
#include "abi/kpi/libkern.h"

#include "xnu/bsd/format.h"
#include "xnu/iokit/registry_text.h"
#include "xnu/iokit/service.h"
#include "xnu/iokit/startup.h"

enum { DEPTH_MAX = 64, LINE_ROOM = 512, VALUE_DEPTH_MAX = 16 };

void text_write(struct text_output *output, const char *text)
{
    output->print(output->context, text, strlen(text));
}

void text_format(struct text_output *output, const char *format, ...)
{
    char line[LINE_ROOM];
    va_list arguments;

    va_start(arguments, format);
    format_string(line, sizeof(line), format, arguments);
    va_end(arguments);
    text_write(output, line);
}

void text_hexadecimal(struct text_output *output, OSData *data)
{
    const unsigned char *bytes = OSData_getBytesNoCopy(data);
    unsigned i, length = OSData_getLength(data);

    for (i = 0; i < length; i++)
        text_format(output, "%02x", bytes[i]);
}

/* ---- values ---- */

static void print_data(struct text_output *output, OSData *data)
{
    text_write(output, "<");
    text_hexadecimal(output, data);
    text_write(output, ">");
}

static void print_dictionary(struct text_output *output, OSDictionary *dictionary, unsigned depth)
{
    OSCollectionIterator *iterator =
        OSCollectionIterator_withCollection((OSCollection *)dictionary);
    const char *separator = "";
    OSSymbol *key;

    text_write(output, "{");
    while (iterator && (key = iterator_next((OSIterator *)iterator))) {
        text_format(output, "%s\"%s\"=", separator, OSString_getCStringNoCopy((OSString *)key));
        text_value(output, OSDictionary_getObject_symbol(dictionary, key), depth + 1);
        separator = ",";
    }
    text_write(output, "}");
    object_release(iterator);
}

static void print_list(struct text_output *output, OSCollection *list, unsigned depth)
{
    OSCollectionIterator *iterator = OSCollectionIterator_withCollection(list);
    const char *separator = "";
    OSObject *object;

    text_write(output, "(");
    while (iterator && (object = iterator_next((OSIterator *)iterator))) {
        text_write(output, separator);
        text_value(output, object, depth + 1);
        separator = ",";
    }
    text_write(output, ")");
    object_release(iterator);
}

OSObject *text_copy_plain(OSObject *value)
{
    OSSerialize *serializer = OSSerialize_withCapacity(4096);
    OSObject *plain = NULL;

    if (serializer && value && OSMetaClassBase_serialize((OSMetaClassBase *)value, serializer))
        plain = OSUnserializeXML(OSSerialize_text(serializer), NULL);
    object_release(serializer);
    return plain;
}

static void print_other(struct text_output *output, OSObject *value, unsigned depth)
{
    OSObject *plain = text_copy_plain(value);

    if (plain)
        text_value(output, plain, depth + 1);
    else
        text_format(output, "\"%s is not serializable\"", object_class_name(value));
    object_release(plain);
}

void text_value(struct text_output *output, OSObject *value, unsigned depth)
{
    OSString *string = as_string(value);
    OSNumber *number = as_number(value);
    OSBoolean *boolean = object_cast(value, &OSBoolean_gMetaClass);

    if (depth > VALUE_DEPTH_MAX)
        text_write(output, "...");
    else if (string)
        text_format(output, "\"%s\"", OSString_getCStringNoCopy(string));
    else if (number)
        text_format(output, "%llu", (unsigned long long)OSNumber_unsigned64BitValue(number));
    else if (boolean)
        text_write(output, OSBoolean_isTrue(boolean) ? "Yes" : "No");
    else if (as_data(value))
        print_data(output, as_data(value));
    else if (as_dictionary(value))
        print_dictionary(output, as_dictionary(value), depth);
    else if (as_collection(value))
        print_list(output, as_collection(value), depth);
    else
        print_other(output, value, depth);
}

/* ---- the tree ---- */

struct tree {
    struct text_output *output;
    const IORegistryPlane *plane;
    unsigned options;
    bool more[DEPTH_MAX]; /* by depth: are there siblings below? */
};

static void print_indent(struct tree *tree, unsigned depth)
{
    unsigned i;

    for (i = 0; i < depth; i++)
        text_write(tree->output, tree->more[i] ? "| " : "  ");
}

static void print_service(struct tree *tree, IOService *service)
{
    uint32_t state = IOService_getState(service);

    text_format(tree->output, ", %sregistered, %smatched, %s, busy %u",
                state & kIOServiceRegisteredState ? "" : "!",
                state & kIOServiceMatchedState ? "" : "!",
                state & kIOServiceInactiveState ? "inactive" : "active",
                IOService_getBusyState(service));
}

static void print_properties(struct tree *tree, IORegistryEntry *entry, unsigned depth,
                             bool children)
{
    OSDictionary *properties = IORegistryEntry_dictionaryWithProperties(entry);
    OSCollectionIterator *iterator =
        properties ? OSCollectionIterator_withCollection((OSCollection *)properties) : NULL;
    OSSymbol *key;

    print_indent(tree, depth);
    text_format(tree->output, "%s{\n", children ? "| " : "  ");
    while (iterator && (key = iterator_next((OSIterator *)iterator))) {
        print_indent(tree, depth);
        text_format(tree->output, "%s  \"%s\" = ", children ? "| " : "  ",
                    OSString_getCStringNoCopy((OSString *)key));
        text_value(tree->output, OSDictionary_getObject_symbol(properties, key), 0);
        text_write(tree->output, "\n");
    }
    print_indent(tree, depth);
    text_format(tree->output, "%s}\n", children ? "| " : "  ");
    object_release(iterator);
    object_release(properties);
}

static void print_entry(struct tree *tree, IORegistryEntry *entry, unsigned depth)
{
    OSArray *children = registry_copy_links(entry, REGISTRY_CHILDREN, tree->plane);
    const char *location = IORegistryEntry_getLocation(entry, tree->plane);
    IOService *service = object_cast(entry, &IOService_gMetaClass);
    unsigned i, count = children ? array_count(children) : 0;

    print_indent(tree, depth);
    text_format(tree->output, "+-o %s%s%s  <class %s, id 0x%llx",
                IORegistryEntry_getName(entry, tree->plane), location ? "@" : "",
                location ? location : "", object_class_name(entry),
                (unsigned long long)IORegistryEntry_getRegistryEntryID(entry));
    if (service)
        print_service(tree, service);
    text_format(tree->output, ", retain %d>\n",
                OSMetaClassBase_getRetainCount((OSMetaClassBase *)entry));
    if (depth + 1 < DEPTH_MAX) {
        if (tree->options & XNU_PRINT_PROPERTIES)
            print_properties(tree, entry, depth + 1, count > 0);
        for (i = 0; i < count; i++) {
            tree->more[depth + 1] = i + 1 < count;
            print_entry(tree, array_at(children, i), depth + 1);
        }
    }
    object_release(children);
}

bool xnu_registry_print(const char *plane, unsigned options, xnu_print_function *print,
                        void *context)
{
    struct text_output output = {print, context};
    struct tree tree = {.output = &output, .plane = IORegistryEntry_getPlane(plane),
                        .options = options};

    if (!tree.plane)
        return false;
    if (options & XNU_PRINT_JSON)
        registry_print_json(&output, tree.plane);
    else
        print_entry(&tree, IORegistryEntry_getRegistryRoot(), 0);
    return true;
}
