/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads the description of one function: identity, place, BARs, ROM, capabilities, model. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "host/disk/disk_open.h"
#include "host/pci/description_internal.h"
#include "protocol/vpci.h"

static int read_identity(const struct pci_reader *reader, struct json_object *members,
                         struct pci_function *function)
{
    struct pci_identity identity;
    pci_get_identity(function, &identity);
    uint64_t vendor = identity.vendor, device = identity.device, revision = identity.revision;
    uint64_t subsystem_vendor = identity.subsystem_vendor, subsystem = identity.subsystem;
    uint64_t class_code = identity.class_code;
    if (pci_read_number(reader, members, "vendor", UINT16_MAX - 1, &vendor) != 0 ||
        pci_read_number(reader, members, "device", UINT16_MAX, &device) != 0 ||
        pci_read_number(reader, members, "subsystem-vendor", UINT16_MAX, &subsystem_vendor) != 0 ||
        pci_read_number(reader, members, "subsystem", UINT16_MAX, &subsystem) != 0 ||
        pci_read_number(reader, members, "revision", UINT8_MAX, &revision) != 0 ||
        pci_read_number(reader, members, "class", 0xffffff, &class_code) != 0) {
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

static int read_place(const struct pci_reader *reader, struct json_object *members,
                      struct pci_function *function)
{
    uint64_t device = 0, number = 0, serial = function->serial, node = UINT64_MAX;
    if (pci_read_number(reader, members, "slot", 31, &device) != 0 ||
        pci_read_number(reader, members, "function", 7, &number) != 0 ||
        pci_read_number(reader, members, "serial", UINT32_MAX, &serial) != 0 ||
        pci_read_number(reader, members, "numa-node", UINT16_MAX, &node) != 0) {
        return -EINVAL;
    }
    function->slot = VPCI_SLOT((uint32_t)device, (uint32_t)number);
    function->serial = (uint32_t)serial;
    function->numa_node = node != UINT64_MAX ? (int)node : -1;
    return 0;
}

static int read_bar(const struct pci_reader *reader, struct json_object *members,
                    struct pci_function *function)
{
    static const char *const known[] = {"index", "size", "bits", "prefetchable", "trapped",
                                        "ports", NULL};
    struct json_object *given;
    uint64_t index = 0, size = 0, bits = 32, ports = 0;
    bool is_prefetchable = false, is_trapped = false;
    if (!json_object_is_type(members, json_type_object)) {
        return pci_complain(reader, "\"bars\" has an object for each BAR");
    }
    const char *text = pci_text(members, "size");
    if (pci_check_members(reader, members, known, NULL) != 0 ||
        pci_read_number(reader, members, "index", PCI_BARS - 1, &index) != 0 ||
        pci_read_number(reader, members, "bits", 64, &bits) != 0 ||
        pci_read_number(reader, members, "ports", PCI_PORTS_MAXIMUM, &ports) != 0 ||
        pci_read_flag(reader, members, "prefetchable", &is_prefetchable) != 0 ||
        pci_read_flag(reader, members, "trapped", &is_trapped) != 0) {
        return -EINVAL;
    }
    if (json_object_object_get_ex(members, "ports", &given)) {
        return pci_add_ports(function, (unsigned)index, (unsigned)ports) == 0
                   ? 0
                   : pci_complain(reader, "\"ports\" are 4, 8, 16 ... 256, in a free register");
    }
    if (text == NULL || disk_size_from_text(text, &size) != 0 || (bits != 32 && bits != 64)) {
        return pci_complain(reader, "a BAR has a \"size\" such as \"16M\", and 32 or 64 \"bits\"");
    }
    int result = pci_add_region(function, (unsigned)index, size, bits == 64, is_prefetchable,
                                is_trapped);
    if (result == 0) {
        return 0;
    }
    pci_complain(reader, "BAR %u of %s: %s", (unsigned)index, text,
                 result == -EEXIST   ? "its register is taken"
                 : result == -EINVAL ? "a size is a power of two, from 16 to 2G with 32 bits or "
                                       "64G with 64, and BAR 5 has 32 bits"
                                     : strerror(-result));
    return result;
}

static int read_bars(const struct pci_reader *reader, struct json_object *members,
                     struct pci_function *function)
{
    struct json_object *list;
    if (!json_object_object_get_ex(members, "bars", &list)) {
        return 0;
    }
    if (!json_object_is_type(list, json_type_array)) {
        return pci_complain(reader, "\"bars\" is a list");
    }
    int result = 0;
    for (size_t i = 0; result == 0 && i < json_object_array_length(list); i++) {
        result = read_bar(reader, json_object_array_get_idx(list, i), function);
    }
    return result;
}

static int fill_rom(const struct pci_reader *reader, const char *path, struct pci_region *rom)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return pci_complain(reader, "the ROM %s cannot be read: %s", path, strerror(errno));
    }
    const size_t size = fread(rom->memory, 1, rom->size, file);
    const bool is_longer = size == rom->size && fgetc(file) != EOF;
    fclose(file);
    return is_longer ? pci_complain(reader, "the ROM %s is larger than its \"size\"", path) : 0;
}

static int read_rom(const struct pci_reader *reader, struct json_object *members,
                    struct pci_function *function)
{
    static const char *const known[] = {"size", "file", NULL};
    struct json_object *rom;
    uint64_t size;
    if (!json_object_object_get_ex(members, "rom", &rom)) {
        return 0;
    }
    if (!json_object_is_type(rom, json_type_object) ||
        pci_check_members(reader, rom, known, NULL) != 0 || pci_text(rom, "size") == NULL ||
        disk_size_from_text(pci_text(rom, "size"), &size) != 0) {
        return pci_complain(reader, "\"rom\" has a \"size\" such as \"64K\", and maybe a \"file\"");
    }
    int result = pci_add_region(function, PCI_ROM, size, false, false, false);
    if (result != 0) {
        return pci_complain(reader, "the ROM of %s: %s", pci_text(rom, "size"),
                            result == -EEXIST ? "the model has one"
                                              : "a size is a power of two from 2K to 2G");
    }
    const char *path = pci_text(rom, "file");
    return path != NULL ? fill_rom(reader, path, &function->regions[PCI_ROM]) : 0;
}

static int read_msix(const struct pci_reader *reader, struct json_object *members,
                     struct pci_function *function)
{
    static const char *const known[] = {"vectors", "bar", "table", "pending", NULL};
    struct json_object *msix;
    uint64_t vectors = 0, bar = 0, table = 0, pending = 0;
    if (!json_object_object_get_ex(members, "msix", &msix)) {
        return 0;
    }
    if (!json_object_is_type(msix, json_type_object)) {
        return pci_complain(reader, "\"msix\" has \"vectors\", \"bar\", \"table\" and \"pending\"");
    }
    if (pci_check_members(reader, msix, known, NULL) != 0 ||
        pci_read_number(reader, msix, "vectors", PCI_MSIX_VECTORS_MAXIMUM, &vectors) != 0 ||
        pci_read_number(reader, msix, "bar", PCI_BARS - 1, &bar) != 0 ||
        pci_read_number(reader, msix, "table", UINT32_MAX, &table) != 0 ||
        pci_read_number(reader, msix, "pending", UINT32_MAX, &pending) != 0) {
        return -EINVAL;
    }
    int result = pci_add_msix(function, (unsigned)vectors, (unsigned)bar, (uint32_t)table,
                              (unsigned)bar, (uint32_t)pending);
    return result == 0 ? 0
           : result == -EINVAL
               ? pci_complain(reader, "MSI-X has 1 to 2048 vectors; table (16 bytes each) and "
                                      "pending bits lie apart, at multiples of 8, in a trapped BAR")
               : pci_complain(reader, "the function has MSI-X, or no room for more capabilities");
}

static int read_capabilities(const struct pci_reader *reader, struct json_object *members,
                             struct pci_function *function)
{
    uint64_t messages = 0;
    bool power = false, express = false;
    if (pci_read_number(reader, members, "msi", 32, &messages) != 0 ||
        pci_read_flag(reader, members, "power", &power) != 0 ||
        pci_read_flag(reader, members, "express", &express) != 0) {
        return -EINVAL;
    }
    if (power && pci_add_power(function) != 0) {
        return pci_complain(reader, "the model has power management");
    }
    if (express && pci_add_express(function) != 0) {
        return pci_complain(reader, "there is no room for another capability");
    }
    if (messages != 0 && pci_add_msi(function, (unsigned)messages) != 0) {
        return pci_complain(reader, "\"msi\" is 1, 2, 4, 8, 16 or 32, where the model has none");
    }
    return read_msix(reader, members, function);
}

static int fill_function(const struct pci_reader *reader, struct json_object *members,
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
            pci_complain(reader, "%s", error);
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

static bool is_slot_taken(const struct pci_description *description, uint32_t slot)
{
    for (unsigned i = 0; i < description->function_count; i++) {
        if (description->functions[i]->slot == slot) {
            return true;
        }
    }
    return false;
}

int pci_read_function(const struct pci_reader *reader, struct json_object *members,
                      const char *const *outer, struct pci_description *description)
{
    if (!json_object_is_type(members, json_type_object)) {
        return pci_complain(reader, "\"functions\" has an object for each function");
    }
    struct json_object *given;
    const bool has_model = json_object_object_get_ex(members, "model", &given);
    const char *name = has_model ? pci_text(members, "model") : "plain";
    const struct pci_model *model = name != NULL ? pci_model_find(name) : NULL;
    if (model == NULL) {
        return pci_complain(reader, "\"model\" is one of test, nvme, network, graphics, plain");
    }
    json_object_object_foreach(members, member, value) {
        if (!pci_is_listed(function_members, member) && !pci_is_listed(model->members, member) &&
            !pci_is_listed(outer, member)) {
            return pci_complain(reader, "model %s has no member \"%s\"; docs/pci.md lists them",
                                model->name, member);
        }
    }
    struct pci_function *function = pci_function_new(&model->identity);
    if (function == NULL) {
        pci_complain(reader, "out of memory");
        return -ENOMEM;
    }
    function->model = model->name;
    int result = fill_function(reader, members, model, function);
    if (result == 0 && is_slot_taken(description, function->slot)) {
        result = pci_complain(reader, "two functions are in slot %u, function %u",
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
