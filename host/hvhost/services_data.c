/* SPDX-License-Identifier: BSD-3-Clause */
/* Files, key-value pairs and addresses on request of the control socket. */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/devices/filecopy.h"
#include "host/devices/kvp.h"
#include "host/hvhost/hvhost.h"
#include "host/hvhost/services.h"

/* ---- Files ---- */

enum { PROGRESS_STEP_NS = 200000000 };

struct copy_job {
    struct hvhost *host;
    struct virtual_device *device;
    struct control_ticket *ticket;
    int source;
    uint64_t size;
    uint64_t begin_ns, shown_ns;
};

static void copy_progress(void *context, uint64_t bytes)
{
    struct copy_job *job = context;
    if (!control_is_awaited(job->ticket)) {
        filecopy_cancel(job->device); /* ends the job */
        return;
    }
    if (job->host->now_ns - job->shown_ns < PROGRESS_STEP_NS) {
        return;
    }
    job->shown_ns = job->host->now_ns;
    struct json_object *details = json_object_new_object();
    json_object_object_add(details, "bytes", json_object_new_uint64(bytes));
    json_object_object_add(details, "size", json_object_new_uint64(job->size));
    hvhost_event(job->host, "copy-progress", details, "%llu of %llu bytes",
                 (unsigned long long)bytes, (unsigned long long)job->size);
}

static void copy_done(void *context, int result, uint32_t status)
{
    struct copy_job *job = context;
    const double seconds = (double)(hvhost_clock_ns() - job->begin_ns) / 1e9;
    if (!hvhost_refuse_call(job->ticket, result, status)) {
        struct json_object *answer = json_object_new_object();
        json_object_object_add(answer, "bytes", json_object_new_uint64(job->size));
        json_object_object_add(answer, "seconds", json_object_new_double(seconds));
        control_answer(job->ticket, answer);
    }
    close(job->source);
    free(job);
}

static int open_source(const char *path, struct copy_job *job)
{
    struct stat status;
    job->source = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (job->source < 0) {
        return -errno;
    }
    if (fstat(job->source, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(job->source);
        return -EINVAL;
    }
    job->size = (uint64_t)status.st_size;
    return 0;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

void hvhost_verb_copy_file(struct hvhost *host, struct json_object *arguments,
                           struct control_ticket *ticket)
{
    static const struct filecopy_events events = {copy_progress, copy_done};
    const char *source = hvhost_text_of(arguments, "source");
    const char *destination = hvhost_text_of(arguments, "destination");
    struct virtual_device *device = hvhost_service_for(host, HVHOST_FILE_COPY, ticket);
    if (device == NULL) {
        return;
    }
    if (source == NULL || source[0] != '/' || destination == NULL || destination[0] == '\0') {
        control_refuse(ticket, -EINVAL, "copy-file needs \"source\" (an absolute path on the host) "
                                        "and \"destination\"");
        return;
    }
    struct copy_job *job = calloc(1, sizeof(*job));
    int result = job == NULL ? -ENOMEM : open_source(source, job);
    if (result != 0) {
        control_refuse(ticket, result, "%s: %s", source,
                       result == -EINVAL ? "not a regular file" : strerror(-result));
        free(job);
        return;
    }
    job->host = host;
    job->device = device;
    job->ticket = ticket;
    job->begin_ns = hvhost_clock_ns();
    const struct filecopy_request request = {
        .source = job->source,
        .size = job->size,
        .name = last_part(source),
        .path = destination,
        .flags = (hvhost_truth_of(arguments, "force") ? IC_FILE_COPY_OVERWRITE : 0) |
                 (hvhost_truth_of(arguments, "create_path") ? IC_FILE_COPY_CREATE_PATH : 0),
    };
    result = filecopy_start(device, &request, &events, job);
    if (result != 0) {
        hvhost_refuse_call(ticket, result, 0);
        close(job->source);
        free(job);
    }
}

/* ---- Key-value pairs ---- */

static const char *const pools[] = {"external", "guest", "auto", "host"};

static int pool_of(const char *name, int otherwise)
{
    for (unsigned i = 0; name != NULL && i < sizeof(pools) / sizeof(pools[0]); i++) {
        if (strcmp(pools[i], name) == 0) {
            return (int)i;
        }
    }
    return name == NULL ? otherwise : -1;
}

static struct json_object *item_object(const struct kvp_item *item)
{
    struct json_object *object = json_object_new_object();
    json_object_object_add(object, "key", json_object_new_string(item->key));
    json_object_object_add(object, "value", json_object_new_string(item->value));
    return object;
}

/* Items are in the answers to "get"; what is set or removed was said before. */
static void item_done(void *context, int result, uint32_t status, const struct kvp_item *item)
{
    if (!hvhost_refuse_call(context, result, status)) {
        control_answer(context, item != NULL ? item_object(item) : NULL);
    }
}

static void prepare_pair(struct control_ticket *ticket, uint8_t pool, const char *key,
                         const char *value)
{
    struct json_object *object = json_object_new_object();
    json_object_object_add(object, "pool", json_object_new_string(pools[pool]));
    json_object_object_add(object, "key", json_object_new_string(key));
    if (value != NULL) {
        json_object_object_add(object, "value", json_object_new_string(value));
    }
    control_prepare(ticket, object);
}

/* A list is as many enumerations as it has items, and one more. */
struct list_job {
    struct virtual_device *device;
    struct control_ticket *ticket;
    uint8_t pool;
    uint32_t index;
    struct json_object *items;
};

enum { LIST_MAX = 4096 };

static void end_list(struct list_job *job, int result, uint32_t status)
{
    if (hvhost_refuse_call(job->ticket, result, status)) {
        json_object_put(job->items);
    } else {
        struct json_object *answer = json_object_new_object();
        json_object_object_add(answer, "pool", json_object_new_string(pools[job->pool]));
        json_object_object_add(answer, "items", job->items);
        control_answer(job->ticket, answer);
    }
    free(job);
}

static void list_done(void *context, int result, uint32_t status, const struct kvp_item *item)
{
    struct list_job *job = context;
    if (result == 0 && status == IC_STATUS_NO_MORE_ITEMS) {
        end_list(job, 0, IC_STATUS_OK);
        return;
    }
    if (result != 0 || status != IC_STATUS_OK) {
        end_list(job, result, status);
        return;
    }
    json_object_array_add(job->items, item_object(item));
    if (++job->index == LIST_MAX) {
        end_list(job, -EOVERFLOW, 0);
        return;
    }
    result = kvp_enumerate(job->device, job->pool, job->index, list_done, job);
    if (result != 0) {
        end_list(job, result, 0);
    }
}

static int begin_list(struct virtual_device *device, uint8_t pool, struct control_ticket *ticket)
{
    struct list_job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        return -ENOMEM;
    }
    *job = (struct list_job){device, ticket, pool, 0, json_object_new_array()};
    int result = kvp_enumerate(device, pool, 0, list_done, job);
    if (result != 0) {
        json_object_put(job->items);
        free(job);
    }
    return result;
}

static int begin_item(struct virtual_device *device, const char *action, uint8_t pool,
                      const char *key, const char *value, struct control_ticket *ticket)
{
    prepare_pair(ticket, pool, key, value);
    if (strcmp(action, "get") == 0) {
        return kvp_get(device, pool, key, item_done, ticket);
    }
    if (strcmp(action, "remove") == 0) {
        return kvp_remove(device, pool, key, item_done, ticket);
    }
    return (strcmp(action, "set") == 0 || strcmp(action, "add") == 0) && value != NULL
               ? kvp_set(device, pool, key, value, item_done, ticket)
               : -EINVAL;
}

void hvhost_verb_kvp(struct hvhost *host, struct json_object *arguments,
                     struct control_ticket *ticket)
{
    const char *action = hvhost_text_of(arguments, "action");
    const char *key = hvhost_text_of(arguments, "key");
    struct virtual_device *device = hvhost_service_for(host, HVHOST_KVP, ticket);
    if (device == NULL) {
        return;
    }
    const bool list = action != NULL && strcmp(action, "list") == 0;
    int pool = pool_of(hvhost_text_of(arguments, "pool"),
                       list ? IC_KVP_POOL_AUTO : IC_KVP_POOL_EXTERNAL);
    int result = -EINVAL;
    if (pool >= 0 && list) {
        result = begin_list(device, (uint8_t)pool, ticket);
    } else if (pool >= 0 && action != NULL && key != NULL) {
        result = begin_item(device, action, (uint8_t)pool, key,
                            hvhost_text_of(arguments, "value"), ticket);
    }
    if (result == -EINVAL) {
        control_refuse(ticket, result,
                       "a pool is external, guest, auto or host; a key has 1 to 255 "
                       "characters, a value at most 1023");
    } else if (result != 0) {
        hvhost_refuse_call(ticket, result, 0);
    }
}

/* ---- Addresses ---- */

static struct json_object *addresses_object(const struct kvp_addresses *addresses)
{
    struct json_object *object = json_object_new_object();
    json_object_object_add(object, "dhcp", json_object_new_boolean(addresses->dhcp));
    json_object_object_add(object, "addresses", json_object_new_string(addresses->addresses));
    json_object_object_add(object, "subnets", json_object_new_string(addresses->subnets));
    json_object_object_add(object, "gateways", json_object_new_string(addresses->gateways));
    json_object_object_add(object, "dns", json_object_new_string(addresses->dns));
    return object;
}

/* The guest's, or NULL when they were set. */
static void addresses_done(void *context, int result, uint32_t status,
                           const struct kvp_addresses *addresses)
{
    if (!hvhost_refuse_call(context, result, status)) {
        control_answer(context, addresses != NULL ? addresses_object(addresses) : NULL);
    }
}

static void take_list(struct json_object *arguments, const char *name, char *to, size_t size)
{
    const char *text = hvhost_text_of(arguments, name);
    snprintf(to, size, "%s", text != NULL ? text : "");
}

void hvhost_verb_ip(struct hvhost *host, struct json_object *arguments,
                    struct control_ticket *ticket)
{
    const char *adapter = hvhost_text_of(arguments, "adapter");
    struct virtual_device *device = hvhost_service_for(host, HVHOST_KVP, ticket);
    static struct kvp_addresses addresses; /* of the one thread; large */
    if (device == NULL) {
        return;
    }
    int result;
    if (adapter == NULL) {
        control_refuse(ticket, -EINVAL, "ip needs \"adapter\": its MAC address, or its instance");
        return;
    }
    if (hvhost_truth_of(arguments, "set")) {
        addresses.dhcp = hvhost_truth_of(arguments, "dhcp");
        take_list(arguments, "addresses", addresses.addresses, sizeof(addresses.addresses));
        take_list(arguments, "subnets", addresses.subnets, sizeof(addresses.subnets));
        take_list(arguments, "gateways", addresses.gateways, sizeof(addresses.gateways));
        take_list(arguments, "dns", addresses.dns, sizeof(addresses.dns));
        control_prepare(ticket, addresses_object(&addresses));
        result = kvp_set_addresses(device, adapter, &addresses, addresses_done, ticket);
    } else {
        result = kvp_get_addresses(device, adapter, addresses_done, ticket);
    }
    if (result != 0) {
        hvhost_refuse_call(ticket, result, 0);
    }
}
