/* SPDX-License-Identifier: BSD-3-Clause */
/* hvsetup vm */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "setup/files.h"
#include "setup/hvsetup/options.h"
#include "setup/vm_script.h"

/* "LOCATION=16M,256M,32M" */
static bool read_device(const char *text, struct vm_device *device, char **copy,
                        struct setup_error *error)
{
    *copy = copy_string(text);
    char *sizes = strchr(*copy, '=');
    if (strncmp(*copy, "PCIROOT(", 8) != 0 || sizes == NULL) {
        return setup_fail(
            error,
            "--dda %s: PCIROOT(0)#PCI(0100)#PCI(0000)=16M,256M is meant: the device's "
            "location path, and the sizes of its BARs",
            text);
    }
    *sizes++ = '\0';
    device->location = *copy;
    char *rest = NULL;
    for (char *size = strtok_r(sizes, ",", &rest); size != NULL;
         size = strtok_r(NULL, ",", &rest)) {
        uint64_t bytes = vm_bar_size(size);
        if (bytes == 0 || device->bar_count == VM_BARS_MAX) {
            return setup_fail(error, "--dda: %s is not the size of a BAR, or there are more than 6",
                              size);
        }
        device->bars[device->bar_count++] = bytes;
    }
    return device->bar_count > 0 || setup_fail(error, "--dda %s: no size of a BAR is given", text);
}

static bool read_devices(const struct options *options, struct vm_options *vm, char **copies,
                         struct setup_error *error)
{
    const char *texts[VM_DEVICES_MAX];
    size_t count = option_all(options, "dda", texts, VM_DEVICES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!read_device(texts[i], &vm->devices[vm->device_count++], &copies[i], error)) {
            return false;
        }
    }
    return true;
}

static bool read_screen(const struct options *options, struct vm_options *vm,
                        struct setup_error *error)
{
    const char *text = option(options, "screen");
    char after = '\0';
    if (text == NULL) {
        return true;
    }
    if (sscanf(text, "%ux%u%c", &vm->width, &vm->height, &after) != 2 || vm->width < 640 ||
        vm->height < 480 || vm->width > 7680 || vm->height > 4320) {
        return setup_fail(error, "--screen %s: 1920x1080 is meant", text);
    }
    return true;
}

static const char *value_or(const char *value, const char *fallback)
{
    return value == NULL ? fallback : value;
}

static bool read_vm(const struct options *options, struct vm_options *vm, char **copies,
                    struct setup_error *error)
{
    if (options->positional_count > 0) {
        return setup_fail(error, "%s: not an option", options->positional[0]);
    }
    vm->name = value_or(option(options, "name"), "macOS");
    vm->folder = option(options, "folder");
    vm->efi_disk = value_or(option(options, "efi-disk"), "EFI.vhdx");
    vm->system_disk = option(options, "system-disk");
    vm->installer = option(options, "installer");
    vm->network = value_or(option(options, "switch"), "Default Switch");
    bool ok = options_target(options, &vm->target, error) &&
              option_number(options, "memory", 256, 1 << 22, 0, &vm->memory_mib, error) &&
              option_number(options, "disk", 8, 65536, 64, &vm->disk_gib, error) &&
              read_screen(options, vm, error) && read_devices(options, vm, copies, error);
    vm->processors = vm->target.vm_processors;
    vm->client = ok && strncmp(option(options, "host"), "win", 3) == 0;
    return ok;
}

/* {"script": "..."} */
static void wrap_in_json(struct text *script)
{
    struct json_object *root = json_object_new_object();
    json_object_object_add(root, "script", json_object_new_string(script->bytes));
    text_free(script);
    text_format(script, "%s\n",
                json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
                                                         JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(root);
}

static int print_script(const struct options *options, const struct vm_options *vm)
{
    const char *path = option(options, "out");
    struct setup_error error;
    struct text script = {0};
    vm_script(vm, &script);
    if (option(options, "json") != NULL) {
        wrap_in_json(&script);
    }
    bool ok = path != NULL ? !file_exists(path) || option(options, "force") != NULL
                                 ? file_write(path, script.bytes, script.length, &error)
                                 : setup_fail(&error, "%s exists; --force replaces it", path)
                           : fwrite(script.bytes, 1, script.length, stdout) == script.length;
    text_free(&script);
    return ok ? EXIT_CLEAN
              : complain(options, EXIT_UNREADABLE, path != NULL ? error.text : "cannot write");
}

int command_vm(const struct options *options)
{
    struct vm_options vm = {0};
    struct setup_error error;
    char *copies[VM_DEVICES_MAX] = {NULL};
    int code = EXIT_FINDINGS;
    if (!read_vm(options, &vm, copies, &error)) {
        code = complain(options, EXIT_UNREADABLE, error.text);
    } else if (vm_refusal(&vm) != NULL) {
        complain(options, code, vm_refusal(&vm));
    } else {
        code = print_script(options, &vm);
    }
    for (size_t i = 0; i < VM_DEVICES_MAX; i++) {
        free(copies[i]);
    }
    return code;
}
