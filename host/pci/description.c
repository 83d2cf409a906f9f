/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads descriptions of PCI buses. */
#include "host/pci/description.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/disk/disk_open.h"
#include "protocol/vpci.h"

enum { FILE_SIZE_MAXIMUM = 1 << 20 };

/* Where complaints go, and what they are about. */
struct reader {
    const char *source; /* file name, or "description" */
    const struct pci_resources *resources;
    char *error;
    size_t error_size;
};

static int complain(const struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int complain(const struct reader *reader, const char *format, ...)
{
    va_list arguments;
    int used = snprintf(reader->error, reader->error_size, "%s: ", reader->source);
    va_start(arguments, format);
    if (used >= 0 && (size_t)used < reader->error_size) {
        vsnprintf(reader->error + used, reader->error_size - (size_t)used, format, arguments);
    }
    va_end(arguments);
    return -EINVAL;
}

/* ---- Values ---- */

/* A number, or a text such as "0x10d3". Returns 0, or -EINVAL if it is neither, or too large. */
static int number_from(struct json_object *value, uint64_t most, uint64_t *number)
{
    if (json_object_is_type(value, json_type_int)) {
        const int64_t given = json_object_get_int64(value);
        *number = (uint64_t)given;
        return given >= 0 && *number <= most ? 0 : -EINVAL;
    }
    if (!json_object_is_type(value, json_type_string)) {
        return -EINVAL;
    }
    char *end;
    const char *text = json_object_get_string(value);
    errno = 0;
    *number = strtoull(text, &end, 0);
    return isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0 && *number <= most
               ? 0
               : -EINVAL;
}

/* Leaves *number alone if there is no such member. */
static int read_number(const struct reader *reader, struct json_object *members, const char *name,
                       uint64_t most, uint64_t *number)
{
    struct json_object *value;
    if (json_object_object_get_ex(members, name, &value) &&
        number_from(value, most, number) != 0) {
        return complain(reader, "\"%s\" is a number from 0 to %llu, or a text such as \"0x1a\"",
                        name, (unsigned long long)most);
    }
    return 0;
}

static int read_flag(const struct reader *reader, struct json_object *members, const char *name,
                     bool *flag)
{
    struct json_object *value;
    if (json_object_object_get_ex(members, name, &value)) {
        if (!json_object_is_type(value, json_type_boolean)) {
            return complain(reader, "\"%s\" is true or false", name);
        }
        *flag = json_object_get_boolean(value);
    }
    return 0;
}

/* NULL if it is not there or no text. */
static const char *text_of(struct json_object *members, const char *name)
{
    struct json_object *value;
    return json_object_object_get_ex(members, name, &value) &&
                   json_object_is_type(value, json_type_string)
               ? json_object_get_string(value)
               : NULL;
}

static bool is_listed(const char *const *names, const char *name)
{
    for (; names != NULL && *names != NULL; names++) {
        if (strcmp(*names, name) == 0) {
            return true;
        }
    }
    return false;
}

/* A misspelt member would else be ignored in silence. */
static int check_members(const struct reader *reader, struct json_object *members,
                         const char *const *known, const char *const *more)
{
    json_object_object_foreach(members, name, value) {
        if (!is_listed(known, name) && !is_listed(more, name)) {
            return complain(reader, "there is no member \"%s\" here; docs/pci.md lists them",
                            name);
        }
    }
    return 0;
}

/* ---- A function ---- */

static int read_identity(const struct reader *reader, struct json_object *members,
                         struct pci_function *function)
{
    struct pci_identity identity;
    pci_get_identity(function, &identity);
    uint64_t vendor = identity.vendor, device = identity.device, revision = identity.revision;
    uint64_t subsystem_vendor = identity.subsystem_vendor, subsystem = identity.subsystem;
    uint64_t class_code = identity.class_code;
    if (read_number(reader, members, "vendor", UINT16_MAX - 1, &vendor) != 0 ||
        read_number(reader, members, "device", UINT16_MAX, &device) != 0 ||
        read_number(reader, members, "subsystem-vendor", UINT16_MAX, &subsystem_vendor) != 0 ||
        read_number(reader, members, "subsystem", UINT16_MAX, &subsystem) != 0 ||
        read_number(reader, members, "revision", UINT8_MAX, &revision) != 0 ||
        read_number(reader, members, "class", 0xffffff, &class_code) != 0) {
        return -EINVAL;
    }
    pci_set_identity(function, &(struct pci_identity){
                                   .vendor = (uint16_t)vendor,
                                   .device = (uint16_t)device,
                                   .subsystem_vendor = (uint16_t)subsystem_vendor,
                                   .subsystem = (uint16_t)subsystem,
                                   .revision = (uint8_t)revision,
                                   .class_code = (uint32_t)class_code,
                               });
    return 0;
}

static int read_place(const struct reader *reader, struct json_object *members,
                      struct pci_function *function)
{
    uint64_t device = 0, number = 0, serial = function->serial, node = UINT64_MAX;
    if (read_number(reader, members, "slot", 31, &device) != 0 ||
        read_number(reader, members, "function", 7, &number) != 0 ||
        read_number(reader, members, "serial", UINT32_MAX, &serial) != 0 ||
        read_number(reader, members, "numa-node", UINT16_MAX, &node) != 0) {
        return -EINVAL;
    }
    function->slot = VPCI_SLOT((uint32_t)device, (uint32_t)number);
    function->serial = (uint32_t)serial;
    function->numa_node = node != UINT64_MAX ? (int)node : -1;
    return 0;
}

static int read_bar(const struct reader *reader, struct json_object *members,
                    struct pci_function *function)
{
    static const char *const known[] = {"index", "size", "bits", "prefetchable", "trapped",
                                        "ports", NULL};
    struct json_object *given;
    uint64_t index = 0, size = 0, bits = 32, ports = 0;
    bool is_prefetchable = false, is_trapped = false;
    if (!json_object_is_type(members, json_type_object)) {
        return complain(reader, "\"bars\" has an object for each BAR");
    }
    const char *text = text_of(members, "size");
    if (check_members(reader, members, known, NULL) != 0 ||
        read_number(reader, members, "index", PCI_BARS - 1, &index) != 0 ||
        read_number(reader, members, "bits", 64, &bits) != 0 ||
        read_number(reader, members, "ports", PCI_PORTS_MAXIMUM, &ports) != 0 ||
        read_flag(reader, members, "prefetchable", &is_prefetchable) != 0 ||
        read_flag(reader, members, "trapped", &is_trapped) != 0) {
        return -EINVAL;
    }
    if (json_object_object_get_ex(members, "ports", &given)) {
        return pci_add_ports(function, (unsigned)index, (unsigned)ports) == 0
                   ? 0
                   : complain(reader, "\"ports\" are 4, 8, 16 ... 256, in a register that is free");
    }
    if (text == NULL || disk_size_from_text(text, &size) != 0 || (bits != 32 && bits != 64)) {
        return complain(reader, "a BAR has a \"size\" such as \"16M\", and 32 or 64 \"bits\"");
    }
    int result = pci_add_region(function, (unsigned)index, size, bits == 64, is_prefetchable,
                                is_trapped);
    if (result == 0) {
        return 0;
    }
    complain(reader, "BAR %u of %s: %s", (unsigned)index, text,
             result == -EEXIST   ? "its register is taken"
             : result == -EINVAL ? "a size is a power of two, from 16 to 2G with 32 bits or 64G "
                                   "with 64, and BAR 5 has 32 bits"
                                 : strerror(-result));
    return result;
}

static int read_bars(const struct reader *reader, struct json_object *members,
                     struct pci_function *function)
{
    struct json_object *list;
    if (!json_object_object_get_ex(members, "bars", &list)) {
        return 0;
    }
    if (!json_object_is_type(list, json_type_array)) {
        return complain(reader, "\"bars\" is a list");
    }
    int result = 0;
    for (size_t i = 0; result == 0 && i < json_object_array_length(list); i++) {
        result = read_bar(reader, json_object_array_get_idx(list, i), function);
    }
    return result;
}

static int fill_rom(const struct reader *reader, const char *path, struct pci_region *rom)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return complain(reader, "the ROM %s cannot be read: %s", path, strerror(errno));
    }
    const size_t size = fread(rom->memory, 1, rom->size, file);
    const bool is_longer = size == rom->size && fgetc(file) != EOF;
    fclose(file);
    return is_longer ? complain(reader, "the ROM %s is larger than its \"size\"", path) : 0;
}

static int read_rom(const struct reader *reader, struct json_object *members,
                    struct pci_function *function)
{
    static const char *const known[] = {"size", "file", NULL};
    struct json_object *rom;
    uint64_t size;
    if (!json_object_object_get_ex(members, "rom", &rom)) {
        return 0;
    }
    if (!json_object_is_type(rom, json_type_object) ||
        check_members(reader, rom, known, NULL) != 0 || text_of(rom, "size") == NULL ||
        disk_size_from_text(text_of(rom, "size"), &size) != 0) {
        return complain(reader, "\"rom\" has a \"size\" such as \"64K\", and maybe a \"file\"");
    }
    int result = pci_add_region(function, PCI_ROM, size, false, false, false);
    if (result != 0) {
        return complain(reader, "the ROM of %s: %s", text_of(rom, "size"),
                        result == -EEXIST ? "the model has one"
                                          : "a size is a power of two from 2K to 2G");
    }
    const char *path = text_of(rom, "file");
    return path != NULL ? fill_rom(reader, path, &function->regions[PCI_ROM]) : 0;
}

static int read_msix(const struct reader *reader, struct json_object *members,
                     struct pci_function *function)
{
    static const char *const known[] = {"vectors", "bar", "table", "pending", NULL};
    struct json_object *msix;
    uint64_t vectors = 0, bar = 0, table = 0, pending = 0;
    if (!json_object_object_get_ex(members, "msix", &msix)) {
        return 0;
    }
    if (!json_object_is_type(msix, json_type_object)) {
        return complain(reader, "\"msix\" has \"vectors\", \"bar\", \"table\" and \"pending\"");
    }
    if (check_members(reader, msix, known, NULL) != 0 ||
        read_number(reader, msix, "vectors", PCI_MSIX_VECTORS_MAXIMUM, &vectors) != 0 ||
        read_number(reader, msix, "bar", PCI_BARS - 1, &bar) != 0 ||
        read_number(reader, msix, "table", UINT32_MAX, &table) != 0 ||
        read_number(reader, msix, "pending", UINT32_MAX, &pending) != 0) {
        return -EINVAL;
    }
    int result = pci_add_msix(function, (unsigned)vectors, (unsigned)bar, (uint32_t)table,
                              (unsigned)bar, (uint32_t)pending);
    return result == 0 ? 0
           : result == -EINVAL
               ? complain(reader, "MSI-X has 1 to 2048 vectors; table (16 bytes each) and pending "
                                  "bits lie apart, at multiples of 8, in a trapped BAR")
               : complain(reader, "the function has MSI-X, or no room for more capabilities");
}

static int read_capabilities(const struct reader *reader, struct json_object *members,
                             struct pci_function *function)
{
    uint64_t messages = 0;
    bool power = false, express = false;
    if (read_number(reader, members, "msi", 32, &messages) != 0 ||
        read_flag(reader, members, "power", &power) != 0 ||
        read_flag(reader, members, "express", &express) != 0) {
        return -EINVAL;
    }
    if (power && pci_add_power(function) != 0) {
        return complain(reader, "the model has power management");
    }
    if (express && pci_add_express(function) != 0) {
        return complain(reader, "there is no room for another capability");
    }
    if (messages != 0 && pci_add_msi(function, (unsigned)messages) != 0) {
        return complain(reader, "\"msi\" is 1, 2, 4, 8, 16 or 32, where the model has none");
    }
    return read_msix(reader, members, function);
}

static int fill_function(const struct reader *reader, struct json_object *members,
                         const struct pci_model *model, struct pci_function *function)
{
    char error[512];
    int result = read_identity(reader, members, function);
    if (result == 0) {
        result = read_place(reader, members, function);
    }
    if (result == 0 && model->make != NULL) {
        result = model->make(function, members, reader->resources, error, sizeof(error));
        if (result != 0) {
            complain(reader, "%s", error);
        }
    }
    if (result == 0) {
        result = read_bars(reader, members, function);
    }
    if (result == 0) {
        result = read_rom(reader, members, function);
    }
    return result == 0 ? read_capabilities(reader, members, function) : result;
}

static const char *const function_members[] = {
    "model", "vendor", "device", "subsystem-vendor", "subsystem", "revision", "class", "slot",
    "function", "serial", "numa-node", "bars", "rom", "msi", "msix", "power", "express", NULL,
};
static const char *const bus_members[] = {
    "name", "instance", "minimum-version", "maximum-version", "first-d0-entry-fails", "functions",
    NULL,
};

static bool is_slot_taken(const struct pci_description *description, uint32_t slot)
{
    for (unsigned i = 0; i < description->function_count; i++) {
        if (description->functions[i]->slot == slot) {
            return true;
        }
    }
    return false;
}

/* `outer`: names that may stand beside the function's own. */
static int read_function(const struct reader *reader, struct json_object *members,
                         const char *const *outer, struct pci_description *description)
{
    if (!json_object_is_type(members, json_type_object)) {
        return complain(reader, "\"functions\" has an object for each function");
    }
    const char *name = text_of(members, "model");
    const struct pci_model *model = pci_model_find(name != NULL ? name : "plain");
    if (model == NULL) {
        return complain(reader, "\"model\": \"%s\" is none of test, nvme, network, graphics, plain",
                        name);
    }
    json_object_object_foreach(members, member, value) {
        if (!is_listed(function_members, member) && !is_listed(model->members, member) &&
            !is_listed(outer, member)) {
            return complain(reader, "model %s has no member \"%s\"; docs/pci.md lists them",
                            model->name, member);
        }
    }
    struct pci_function *function = pci_function_new(&model->identity);
    if (function == NULL) {
        complain(reader, "out of memory");
        return -ENOMEM;
    }
    function->model = model->name;
    int result = fill_function(reader, members, model, function);
    if (result == 0 && is_slot_taken(description, function->slot)) {
        result = complain(reader, "two functions are in slot %u, function %u",
                          VPCI_SLOT_DEVICE(function->slot), VPCI_SLOT_FUNCTION(function->slot));
    }
    if (result != 0) {
        pci_function_free(function);
        return result;
    }
    pci_function_reset(function);
    description->functions[description->function_count++] = function;
    return 0;
}

/* ---- A bus ---- */

/* "1.2" */
static int read_version(const struct reader *reader, struct json_object *members,
                        const char *name, uint32_t *version)
{
    struct json_object *value;
    if (!json_object_object_get_ex(members, name, &value)) {
        return 0;
    }
    const char *text = text_of(members, name);
    if (text == NULL || strlen(text) != 3 || text[0] != '1' || text[1] != '.' || text[2] < '1' ||
        text[2] > '4') {
        return complain(reader, "\"%s\" is \"1.1\", \"1.2\", \"1.3\" or \"1.4\"", name);
    }
    *version = VPCI_VERSION_1_0 + (uint32_t)(text[2] - '0');
    return 0;
}

static int read_head(const struct reader *reader, struct json_object *members,
                     struct pci_description *description)
{
    struct json_object *value;
    const char *name = text_of(members, "name");
    const char *instance = text_of(members, "instance");
    if (json_object_object_get_ex(members, "name", &value) &&
        (name == NULL || name[0] == '\0' || strlen(name) >= sizeof(description->name))) {
        return complain(reader, "\"name\" is a text of 1 to %d characters", PCI_NAME_MAX - 1);
    }
    if (json_object_object_get_ex(members, "instance", &value)) {
        if (instance == NULL || strlen(instance) != GUID_TEXT_LENGTH ||
            !guid_parse(instance, &description->instance)) {
            return complain(reader, "\"instance\" is a GUID without braces");
        }
        description->has_instance = true;
    }
    if (name != NULL) {
        snprintf(description->name, sizeof(description->name), "%s", name);
    }
    if (read_version(reader, members, "minimum-version", &description->version_min) != 0 ||
        read_version(reader, members, "maximum-version", &description->version_max) != 0 ||
        read_flag(reader, members, "first-d0-entry-fails", &description->first_d0_fails) != 0) {
        return -EINVAL;
    }
    if (description->version_max != 0 && description->version_max < description->version_min) {
        return complain(reader, "\"maximum-version\" is lower than \"minimum-version\"");
    }
    return 0;
}

static int read_functions(const struct reader *reader, struct json_object *members,
                          struct pci_description *description)
{
    struct json_object *list;
    if (!json_object_object_get_ex(members, "functions", &list)) {
        return read_function(reader, members, bus_members, description);
    }
    int result = check_members(reader, members, bus_members, NULL);
    if (result != 0) {
        return result;
    }
    if (!json_object_is_type(list, json_type_array) ||
        json_object_array_length(list) > PCI_FUNCTIONS_MAX) {
        return complain(reader, "\"functions\" is a list of at most %d", PCI_FUNCTIONS_MAX);
    }
    for (size_t i = 0; result == 0 && i < json_object_array_length(list); i++) {
        result = read_function(reader, json_object_array_get_idx(list, i), NULL, description);
    }
    return result;
}

static struct json_object *parse(const struct reader *reader, const char *text)
{
    enum json_tokener_error problem = json_tokener_success;
    struct json_object *root = json_tokener_parse_verbose(text, &problem);
    if (root == NULL || !json_object_is_type(root, json_type_object)) {
        complain(reader, "not a JSON object: %s",
                 problem != json_tokener_success ? json_tokener_error_desc(problem)
                                                 : "it is another kind of value");
        json_object_put(root);
        return NULL;
    }
    return root;
}

/* The file as a text, the caller's; NULL and a complaint. */
static char *read_file(const struct reader *reader)
{
    FILE *file = fopen(reader->source, "rb");
    if (file == NULL) {
        complain(reader, "%s; a description is a file, or JSON that begins with {",
                 strerror(errno));
        return NULL;
    }
    char *text = malloc(FILE_SIZE_MAXIMUM + 1);
    size_t size = text != NULL ? fread(text, 1, FILE_SIZE_MAXIMUM + 1, file) : 0;
    fclose(file);
    if (text == NULL || size > FILE_SIZE_MAXIMUM) {
        complain(reader, "a description has at most 1 MiB");
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
    const struct reader reader = {is_inline ? "description" : text, resources, error, error_size};
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
