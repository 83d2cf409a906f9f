/* SPDX-License-Identifier: BSD-3-Clause */
/* Disks and DVD drives of the machine: --disk, --dvd, and what hvctl does to them. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "host/disk/disk.h"
#include "host/hvhost/hvhost.h"

/* ---- Putting them where they belong ---- */

struct disk_options hvhost_disk_options(const struct hvhost_disk_option *option)
{
    return (struct disk_options){
        .path = option->path,
        .format = option->format,
        .read_only = option->read_only,
        .block_size = option->block_size,
    };
}

static int add_ide_disk(struct hvhost *host, const struct hvhost_disk_option *option,
                        struct disk *disk, char *error, size_t error_size)
{
    struct storvsc_settings settings;
    if (host->options.generation != 1 || host->machine_made) {
        snprintf(error, error_size, "disk %s: IDE disks belong to --generation 1, from the start",
                 option->path);
        return -EINVAL;
    }
    storvsc_default_settings(hvhost_storvsc_version(host), &settings);
    settings.kind = STORVSC_IDE_DISK;
    settings.ide_channel = (uint8_t)(option->ide / 2);
    settings.ide_device = (uint8_t)(option->ide % 2);
    settings.order = (uint32_t)option->ide;
    settings.sub_channels_max = 0;
    struct storvsc *controller = hvhost_new_controller(host, &settings);
    if (controller == NULL) {
        snprintf(error, error_size, "disk %s: out of memory", option->path);
        return -ENOMEM;
    }
    return storvsc_add_disk(controller, 0, disk);
}

static int place_disk(struct hvhost *host, const struct hvhost_disk_option *option,
                      struct disk *disk, unsigned *number, unsigned *lun, char *error,
                      size_t error_size)
{
    *number = option->controller != HVHOST_ANY ? (unsigned)option->controller : 0;
    struct storvsc *controller =
        *number < STORVSC_CONTROLLERS_MAX ? host->controllers[*number] : NULL;
    if (controller == NULL) {
        snprintf(error, error_size, "disk %s: the machine has no SCSI controller %u",
                 option->path, *number);
        return -ENODEV;
    }
    *lun = option->lun != HVHOST_ANY ? (unsigned)option->lun : 0;
    while (option->lun == HVHOST_ANY && *lun < STORVSC_LUNS_MAX &&
           storvsc_lun_is_taken(controller, *lun)) {
        (*lun)++;
    }
    int result = option->is_dvd ? storvsc_add_dvd_drive(controller, *lun, disk)
                                : storvsc_add_disk(controller, *lun, disk);
    if (result == -EINVAL) {
        snprintf(error, error_size, "disc %s: shorter than a block of a DVD, 2048 bytes",
                 option->path);
    } else if (result == -EEXIST) {
        snprintf(error, error_size, "disk %s: LUN %u of controller %u is taken", option->path,
                 *lun, *number);
    } else if (result != 0) {
        snprintf(error, error_size, "disk %s: no LUN is free on controller %u", option->path,
                 *number);
    }
    return result;
}

/* Puts an open disk (NULL: an empty drive) where it belongs, or closes it. */
static int settle_disk(struct hvhost *host, const struct hvhost_disk_option *option,
                       struct disk *disk, unsigned *controller, unsigned *lun, char *error,
                       size_t error_size)
{
    *controller = *lun = 0;
    int result = option->ide != HVHOST_ANY
                 ? add_ide_disk(host, option, disk, error, error_size)
                 : place_disk(host, option, disk, controller, lun, error, error_size);
    if (result != 0) {
        disk_close(disk);
    }
    return result;
}

static int check_disk(const struct hvhost *host, const struct hvhost_disk_option *option,
                      char *error, size_t error_size)
{
    if (option->is_dvd && host->options.generation == 1) {
        snprintf(error, error_size, "disc %s: the DVD drive of generation 1 is on the emulated IDE "
                 "controller, which this host has not; use --generation 2", option->path);
        return -EINVAL;
    }
    return 0;
}

int hvhost_add_disk(struct hvhost *host, const struct hvhost_disk_option *option,
                    unsigned *controller, unsigned *lun, char *error, size_t error_size)
{
    const struct disk_options options = hvhost_disk_options(option);
    struct disk *disk = NULL;
    int result = check_disk(host, option, error, error_size);
    if (result == 0 && !option->is_empty) {
        result = disk_open(host->disks, &options, &disk, error, error_size);
    }
    return result != 0 ? result
                       : settle_disk(host, option, disk, controller, lun, error, error_size);
}

/* ---- Verbs about disks ---- */

/* A whole number in 0 .. most, or `otherwise` if there is none; -EINVAL for anything else. */
static int number_of(struct json_object *arguments, const char *name, int64_t most,
                     int64_t otherwise, int64_t *number)
{
    struct json_object *value;
    *number = otherwise;
    if (!json_object_object_get_ex(arguments, name, &value)) {
        return 0;
    }
    if (!json_object_is_type(value, json_type_int)) {
        return -EINVAL;
    }
    *number = json_object_get_int64(value);
    return *number >= 0 && *number <= most ? 0 : -EINVAL;
}

void hvhost_verb_disk_list(struct hvhost *host, struct json_object *arguments,
                           struct control_ticket *ticket)
{
    struct json_object *list = json_object_new_array();
    for (unsigned i = 0; i < STORVSC_CONTROLLERS_MAX; i++) {
        if (host->controllers[i] == NULL) {
            continue;
        }
        struct virtual_device *device = storvsc_device(host->controllers[i]);
        struct json_object *object = json_object_new_object();
        json_object_object_add(object, "controller", json_object_new_int((int)i));
        device->operations->describe(device, object);
        json_object_array_add(list, object);
    }
    struct json_object *result = json_object_new_object();
    json_object_object_add(result, "controllers", list);
    control_answer(ticket, result);
}

static void add_opened(struct hvhost *host, const struct hvhost_disk_option *option,
                       struct disk *disk, struct json_object *arguments,
                       struct control_ticket *ticket)
{
    char error[1024];
    unsigned controller, lun;
    int result = settle_disk(host, option, disk, &controller, &lun, error, sizeof(error));
    if (result != 0) {
        control_refuse(ticket, result, "%s", error);
        return;
    }
    hvhost_event(host, "disk-added", NULL, "%s at controller %u LUN %u", option->path, controller,
                 lun);
    struct json_object *answer = json_object_new_object();
    json_object_object_add(answer, "controller", json_object_new_int((int)controller));
    json_object_object_add(answer, "lun", json_object_new_int((int)lun));
    control_answer(ticket, answer);
}

/* The option text is that of --disk: one syntax, checked in one place. */
void hvhost_verb_disk_add(struct hvhost *host, struct json_object *arguments,
                          struct control_ticket *ticket)
{
    struct hvhost_disk_option option;
    char error[1024];
    const char *text = hvhost_text_of(arguments, "disk");
    if (text == NULL) {
        control_refuse(ticket, -EINVAL, "disk-add needs \"disk\", a text as for --disk");
        return;
    }
    int result = hvhost_parse_disk(text, &option, error, sizeof(error));
    if (result == 0) {
        result = check_disk(host, &option, error, sizeof(error));
    }
    if (result != 0) {
        control_refuse(ticket, result, "%s", error);
    } else if (option.is_empty) {
        add_opened(host, &option, NULL, arguments, ticket);
    } else {
        hvhost_open_disk(host, &option, arguments, ticket, add_opened);
    }
}

/* Finds what "controller" and "lun" name; refuses the ticket and returns NULL otherwise. */
static struct storvsc *addressed_disk(struct hvhost *host, struct json_object *arguments,
                                      struct control_ticket *ticket, unsigned *lun)
{
    int64_t controller, number;
    if (number_of(arguments, "controller", STORVSC_CONTROLLERS_MAX - 1, 0, &controller) != 0 ||
        number_of(arguments, "lun", STORVSC_LUNS_MAX - 1, -1, &number) != 0 || number < 0) {
        control_refuse(ticket, -EINVAL, "\"lun\" is 0 to 63 and \"controller\" 0 to 3");
        return NULL;
    }
    struct storvsc *found = host->controllers[controller];
    if (found == NULL || !storvsc_lun_is_taken(found, (unsigned)number)) {
        control_refuse(ticket, -ENOENT, "there is no disk at controller %d LUN %d",
                       (int)controller, (int)number);
        return NULL;
    }
    *lun = (unsigned)number;
    return found;
}

void hvhost_verb_disk_remove(struct hvhost *host, struct json_object *arguments,
                             struct control_ticket *ticket)
{
    unsigned lun;
    struct storvsc *controller = addressed_disk(host, arguments, ticket, &lun);
    if (controller == NULL) {
        return;
    }
    const struct disk *disk = storvsc_disk(controller, lun);
    hvhost_event(host, "disk-removed", NULL, "%s", disk != NULL ? disk->name : "DVD drive");
    storvsc_remove_disk(controller, lun);
    control_answer(ticket, NULL);
}

void hvhost_verb_disk_resize(struct hvhost *host, struct json_object *arguments,
                             struct control_ticket *ticket)
{
    unsigned lun;
    uint64_t size;
    const char *text = hvhost_text_of(arguments, "size");
    if (text == NULL || disk_size_from_text(text, &size) != 0) {
        control_refuse(ticket, -EINVAL, "disk-resize needs \"size\", for example \"20G\"");
        return;
    }
    struct storvsc *controller = addressed_disk(host, arguments, ticket, &lun);
    if (controller == NULL) {
        return;
    }
    struct disk *disk = storvsc_disk(controller, lun);
    if (storvsc_is_dvd_drive(controller, lun)) {
        control_refuse(ticket, -EOPNOTSUPP, "a disc in a DVD drive cannot be resized");
        return;
    }
    int result = disk_resize(disk, size);
    if (result != 0) {
        control_refuse(ticket, result, "disk %s cannot be resized: %s", disk->name,
                       result == -EOPNOTSUPP ? "only raw files and memory disks can"
                                             : strerror(-result));
        return;
    }
    storvsc_disk_resized(controller, lun);
    control_answer(ticket, NULL);
}

/* ---- Verbs about DVD drives ---- */

/* The drive that "controller" and "lun" name, or the machine's first; else refuses the ticket. */
static struct storvsc *addressed_drive(struct hvhost *host, struct json_object *arguments,
                                       struct control_ticket *ticket, unsigned *lun)
{
    struct json_object *value;
    if (json_object_object_get_ex(arguments, "lun", &value)) {
        struct storvsc *controller = addressed_disk(host, arguments, ticket, lun);
        if (controller != NULL && !storvsc_is_dvd_drive(controller, *lun)) {
            control_refuse(ticket, -ENOENT, "LUN %u is a disk, not a DVD drive", *lun);
            return NULL;
        }
        return controller;
    }
    for (unsigned i = 0; i < STORVSC_CONTROLLERS_MAX * STORVSC_LUNS_MAX; i++) {
        struct storvsc *controller = host->controllers[i / STORVSC_LUNS_MAX];
        *lun = i % STORVSC_LUNS_MAX;
        if (controller != NULL && storvsc_is_dvd_drive(controller, *lun)) {
            return controller;
        }
    }
    control_refuse(ticket, -ENODEV, "the machine has no DVD drive; start hvhost with --dvd");
    return NULL;
}

static bool flag_of(struct json_object *arguments, const char *name)
{
    struct json_object *value;
    return json_object_object_get_ex(arguments, name, &value) && json_object_get_boolean(value);
}

/* Says how changing the disc ended. */
static void answer_drive(struct hvhost *host, struct control_ticket *ticket, int result,
                         const char *what)
{
    if (result == -EBUSY) {
        control_refuse(ticket, result, "the guest has locked the tray; it has been asked to eject: "
                                       "try again, or --force");
    } else if (result == -EAGAIN) {
        control_refuse(ticket, result, "the disc before still has requests in flight; try again");
    } else if (result == -ENOMEDIUM) {
        control_refuse(ticket, result, "the drive is empty");
    } else if (result != 0) {
        control_refuse(ticket, result, "%s: %s", what,
                       result == -EINVAL ? "shorter than a block of a DVD, 2048 bytes"
                                         : strerror(-result));
    } else {
        hvhost_event(host, "dvd", NULL, "%s", what);
        control_answer(ticket, NULL);
    }
}

/* The drive may have gone while the disc was being opened. */
static void insert_opened(struct hvhost *host, const struct hvhost_disk_option *option,
                          struct disk *disc, struct json_object *arguments,
                          struct control_ticket *ticket)
{
    unsigned lun;
    struct storvsc *controller = addressed_drive(host, arguments, ticket, &lun);
    int result = -ENODEV;
    if (controller != NULL) {
        result = storvsc_insert_disc(controller, lun, disc, flag_of(arguments, "force"));
        answer_drive(host, ticket, result, option->path);
    }
    if (result != 0) {
        disk_close(disc);
    }
}

void hvhost_verb_dvd_insert(struct hvhost *host, struct json_object *arguments,
                            struct control_ticket *ticket)
{
    struct hvhost_disk_option option;
    char error[1024];
    unsigned lun;
    const char *text = hvhost_text_of(arguments, "disc");
    if (text == NULL) {
        control_refuse(ticket, -EINVAL, "dvd-insert needs \"disc\", the name of an image");
        return;
    }
    if (addressed_drive(host, arguments, ticket, &lun) == NULL) {
        return;
    }
    int result = hvhost_parse_dvd(text, &option, error, sizeof(error));
    if (result == 0 && option.is_empty) {
        snprintf(error, sizeof(error), "to empty the drive, eject");
        result = -EINVAL;
    }
    if (result != 0) {
        control_refuse(ticket, result, "%s", error);
    } else {
        hvhost_open_disk(host, &option, arguments, ticket, insert_opened);
    }
}

void hvhost_verb_dvd_eject(struct hvhost *host, struct json_object *arguments,
                           struct control_ticket *ticket)
{
    unsigned lun;
    struct storvsc *controller = addressed_drive(host, arguments, ticket, &lun);
    if (controller != NULL) {
        answer_drive(host, ticket,
                     storvsc_eject_disc(controller, lun, flag_of(arguments, "force")), "ejected");
    }
}
