/* SPDX-License-Identifier: BSD-3-Clause */
/* The registry as JSON. Data is a string of hexadecimal digits, a set is an array. */
#include "abi/IOService.h"
#include "abi/kpi/libkern.h"

#include "xnu/iokit/registry_text.h"
#include "xnu/iokit/service.h"

enum { DEPTH_MAX = 64 };

static void json_value(struct text_output *output, OSObject *value, unsigned depth);

static void json_string(struct text_output *output, const char *text)
{
    text_write(output, "\"");
    for (; *text; text++) {
        unsigned char character = (unsigned char)*text;

        if (character == '"' || character == '\\')
            text_format(output, "\\%c", character);
        else if (character < ' ')
            text_format(output, "\\u%04x", character);
        else
            text_format(output, "%c", character);
    }
    text_write(output, "\"");
}

static void json_data(struct text_output *output, OSData *data)
{
    text_write(output, "\"");
    text_hexadecimal(output, data);
    text_write(output, "\"");
}

static void json_dictionary(struct text_output *output, OSDictionary *dictionary, unsigned depth)
{
    OSCollectionIterator *iterator =
        OSCollectionIterator_withCollection((OSCollection *)dictionary);
    const char *separator = "";
    OSSymbol *key;

    text_write(output, "{");
    while (iterator && (key = iterator_next((OSIterator *)iterator))) {
        text_write(output, separator);
        json_string(output, OSString_getCStringNoCopy((OSString *)key));
        text_write(output, ":");
        json_value(output, OSDictionary_getObject_symbol(dictionary, key), depth + 1);
        separator = ",";
    }
    text_write(output, "}");
    object_release(iterator);
}

static void json_list(struct text_output *output, OSCollection *list, unsigned depth)
{
    OSCollectionIterator *iterator = OSCollectionIterator_withCollection(list);
    const char *separator = "";
    OSObject *object;

    text_write(output, "[");
    while (iterator && (object = iterator_next((OSIterator *)iterator))) {
        text_write(output, separator);
        json_value(output, object, depth + 1);
        separator = ",";
    }
    text_write(output, "]");
    object_release(iterator);
}

static void json_other(struct text_output *output, OSObject *value, unsigned depth)
{
    OSObject *plain = text_copy_plain(value);

    if (plain)
        json_value(output, plain, depth + 1);
    else
        text_write(output, "null");
    object_release(plain);
}

static void json_value(struct text_output *output, OSObject *value, unsigned depth)
{
    OSString *string = as_string(value);
    OSNumber *number = as_number(value);
    OSBoolean *boolean = object_cast(value, &OSBoolean_gMetaClass);

    if (depth > DEPTH_MAX)
        text_write(output, "null");
    else if (string)
        json_string(output, OSString_getCStringNoCopy(string));
    else if (number)
        text_format(output, "%llu", (unsigned long long)OSNumber_unsigned64BitValue(number));
    else if (boolean)
        text_write(output, OSBoolean_isTrue(boolean) ? "true" : "false");
    else if (as_data(value))
        json_data(output, as_data(value));
    else if (as_dictionary(value))
        json_dictionary(output, as_dictionary(value), depth);
    else if (as_collection(value))
        json_list(output, as_collection(value), depth);
    else
        json_other(output, value, depth);
}

static void json_member(struct text_output *output, const char *name, const char *value)
{
    text_format(output, ",\"%s\":", name);
    json_string(output, value);
}

static void json_service(struct text_output *output, IOService *service)
{
    uint32_t state = IOService_getState(service);

    text_format(output, ",\"registered\":%s,\"matched\":%s,\"active\":%s,\"busy\":%u",
                state & kIOServiceRegisteredState ? "true" : "false",
                state & kIOServiceMatchedState ? "true" : "false",
                state & kIOServiceInactiveState ? "false" : "true",
                IOService_getBusyState(service));
}

static void json_entry(struct text_output *output, IORegistryEntry *entry,
                       const IORegistryPlane *plane, unsigned depth)
{
    OSArray *children = registry_copy_links(entry, REGISTRY_CHILDREN, plane);
    OSDictionary *properties = IORegistryEntry_dictionaryWithProperties(entry);
    const char *location = IORegistryEntry_getLocation(entry, plane);
    IOService *service = object_cast(entry, &IOService_gMetaClass);
    unsigned i;

    text_write(output, "{\"name\":");
    json_string(output, IORegistryEntry_getName(entry, plane));
    if (location)
        json_member(output, "location", location);
    json_member(output, "class", object_class_name(entry));
    text_format(output, ",\"id\":%llu",
                (unsigned long long)IORegistryEntry_getRegistryEntryID(entry));
    if (service)
        json_service(output, service);
    text_format(output, ",\"retain\":%d,\"properties\":",
                OSMetaClassBase_getRetainCount((OSMetaClassBase *)entry));
    if (properties)
        json_dictionary(output, properties, 0);
    else
        text_write(output, "{}");
    text_write(output, ",\"children\":[");
    for (i = 0; children && depth < DEPTH_MAX && i < array_count(children); i++) {
        text_write(output, i ? "," : "");
        json_entry(output, array_at(children, i), plane, depth + 1);
    }
    text_write(output, "]}");
    object_release(properties);
    object_release(children);
}

void registry_print_json(struct text_output *output, const IORegistryPlane *plane)
{
    json_entry(output, IORegistryEntry_getRegistryRoot(), plane, 0);
    text_write(output, "\n");
}
