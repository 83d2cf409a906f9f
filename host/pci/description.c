/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads descriptions of PCI buses. */
#include "host/pci/description.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/pci/description_internal.h"
#include "protocol/vpci.h"

enum { FILE_SIZE_MAXIMUM = 1 << 20 };

static const char *const bus_members[] = {
    "name", "instance", "minimum-version", "maximum-version", "first-d0-entry-fails", "functions",
    NULL,
};

/* "1.2" */
static int read_version(const struct pci_reader *reader, struct json_object *members,
                        const char *name, uint32_t *version)
{
    struct json_object *value;
    if (!json_object_object_get_ex(members, name, &value)) {
        return 0;
    }
    const char *text = pci_text(members, name);
    if (text == NULL || strlen(text) != 3 || text[0] != '1' || text[1] != '.' || text[2] < '1' ||
        text[2] > '4') {
        return pci_complain(reader, "\"%s\" is \"1.1\", \"1.2\", \"1.3\" or \"1.4\": later ones "
                            "are not simulated", name);
    }
    *version = VPCI_VERSION_1_0 + (uint32_t)(text[2] - '0');
    return 0;
}

static int read_head(const struct pci_reader *reader, struct json_object *members,
                     struct pci_description *description)
{
    struct json_object *value;
    const char *name = pci_text(members, "name");
    const char *instance = pci_text(members, "instance");
    if (json_object_object_get_ex(members, "name", &value) &&
        (name == NULL || name[0] == '\0' || strlen(name) >= sizeof(description->name))) {
        return pci_complain(reader, "\"name\" is a text of 1 to %d characters", PCI_NAME_MAX - 1);
    }
    if (json_object_object_get_ex(members, "instance", &value)) {
        if (instance == NULL || strlen(instance) != GUID_TEXT_LENGTH ||
            !guid_parse(instance, &description->instance)) {
            return pci_complain(reader, "\"instance\" is a GUID without braces");
        }
        description->has_instance = true;
    }
    if (name != NULL) {
        snprintf(description->name, sizeof(description->name), "%s", name);
    }
    if (read_version(reader, members, "minimum-version", &description->version_min) != 0 ||
        read_version(reader, members, "maximum-version", &description->version_max) != 0 ||
        pci_read_flag(reader, members, "first-d0-entry-fails", &description->first_d0_fails) != 0) {
        return -EINVAL;
    }
    if (description->version_max != 0 && description->version_max < description->version_min) {
        return pci_complain(reader, "\"maximum-version\" is lower than \"minimum-version\"");
    }
    return 0;
}

static int read_functions(const struct pci_reader *reader, struct json_object *members,
                          struct pci_description *description)
{
    struct json_object *list;
    if (!json_object_object_get_ex(members, "functions", &list)) {
        return pci_read_function(reader, members, bus_members, description);
    }
    int result = pci_check_members(reader, members, bus_members, NULL);
    if (result != 0) {
        return result;
    }
    if (!json_object_is_type(list, json_type_array) ||
        json_object_array_length(list) > PCI_FUNCTIONS_MAX) {
        return pci_complain(reader, "\"functions\" is a list of at most %d", PCI_FUNCTIONS_MAX);
    }
    for (size_t i = 0; result == 0 && i < json_object_array_length(list); i++) {
        result = pci_read_function(reader, json_object_array_get_idx(list, i), NULL, description);
    }
    return result;
}

static struct json_object *parse(const struct pci_reader *reader, const char *text)
{
    struct json_tokener *tokener = json_tokener_new();
    if (tokener == NULL) {
        pci_complain(reader, "out of memory");
        return NULL;
    }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT); /* nothing may follow */
    struct json_object *root = json_tokener_parse_ex(tokener, text, (int)strlen(text) + 1);
    const enum json_tokener_error problem = json_tokener_get_error(tokener);
    json_tokener_free(tokener);
    if (problem == json_tokener_success && json_object_is_type(root, json_type_object)) {
        return root;
    }
    pci_complain(reader, "not a JSON object: %s",
                 problem != json_tokener_success ? json_tokener_error_desc(problem)
                                                 : "it is another kind of value");
    json_object_put(root);
    return NULL;
}

/* The file as a text, the caller's; NULL and a complaint. */
static char *read_file(const struct pci_reader *reader)
{
    FILE *file = fopen(reader->source, "rb");
    if (file == NULL) {
        pci_complain(reader, "%s; a description is a file, or JSON that begins with {",
                     strerror(errno));
        return NULL;
    }
    char *text = malloc(FILE_SIZE_MAXIMUM + 1);
    size_t size = text != NULL ? fread(text, 1, FILE_SIZE_MAXIMUM + 1, file) : 0;
    fclose(file);
    if (text == NULL || size > FILE_SIZE_MAXIMUM) {
        pci_complain(reader, "a description has at most 1 MiB");
        free(text);
        return NULL;
    }
    text[size] = '\0';
    return text;
}

int pci_describe(const char *text, const struct pci_resources *resources,
                 struct pci_description *description, char *error, size_t error_size)
{
    const bool is_inline = text[0] == '{';
    const struct pci_reader reader = {is_inline ? "description" : text, resources, error,
                                      error_size};
    *description = (struct pci_description){0};
    char *content = is_inline ? NULL : read_file(&reader);
    if (!is_inline && content == NULL) {
        return -ENOENT;
    }
    struct json_object *root = parse(&reader, is_inline ? text : content);
    free(content);
    if (root == NULL) {
        return -EINVAL;
    }
    int result = read_head(&reader, root, description);
    if (result == 0) {
        result = read_functions(&reader, root, description);
    }
    json_object_put(root);
    if (result != 0) {
        pci_description_free(description);
    }
    return result;
}

void pci_description_free(struct pci_description *description)
{
    while (description->function_count > 0) {
        pci_function_free(description->functions[--description->function_count]);
    }
}
