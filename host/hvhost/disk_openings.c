/* SPDX-License-Identifier: BSD-3-Clause */
/* Disks that hvctl asks for, while they are being opened: the machine goes on meanwhile. */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "host/hvhost/hvhost.h"

struct hvhost_opening {
    struct hvhost *host;
    struct control_ticket *ticket;
    struct json_object *arguments; /* of the request, owned */
    struct hvhost_disk_option option;
    hvhost_disk_opened *then;
    struct disk_opening *disk;
    struct hvhost_opening *next;
};

static void free_opening(struct hvhost_opening *opening)
{
    struct hvhost_opening **link = &opening->host->openings;
    while (*link != opening) {
        link = &(*link)->next;
    }
    *link = opening->next;
    json_object_put(opening->arguments);
    free(opening);
}

static void opened(void *context, int result, struct disk *disk, const char *error)
{
    struct hvhost_opening *opening = context;
    if (result != 0) {
        control_refuse(opening->ticket, result, "%s", error);
    } else {
        opening->then(opening->host, &opening->option, disk, opening->arguments, opening->ticket);
    }
    free_opening(opening);
}

void hvhost_open_disk(struct hvhost *host, const struct hvhost_disk_option *option,
                      struct json_object *arguments, struct control_ticket *ticket,
                      hvhost_disk_opened *then)
{
    struct hvhost_opening *opening = malloc(sizeof(*opening));
    if (opening == NULL) {
        control_refuse(ticket, -ENOMEM, "disk %s: out of memory", option->path);
        return;
    }
    *opening = (struct hvhost_opening){
        .host = host,
        .ticket = ticket,
        .arguments = json_object_get(arguments),
        .option = *option,
        .then = then,
        .next = host->openings,
    };
    host->openings = opening;
    const struct disk_options options = hvhost_disk_options(&opening->option);
    struct disk_opening *disk = disk_open_begin(host->disks, &options, opened, opening);
    if (disk != NULL) {
        opening->disk = disk;
    }
}

void hvhost_end_openings(struct hvhost *host)
{
    while (host->openings != NULL) {
        struct hvhost_opening *opening = host->openings;
        disk_opening_cancel(opening->disk);
        control_refuse(opening->ticket, -ECANCELED, "the host ends");
        free_opening(opening);
    }
}
