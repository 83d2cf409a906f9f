/* SPDX-License-Identifier: BSD-3-Clause */
/* Network adapters of the machine: --net, and what hvctl does to them. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/netvsc.h"
#include "host/hvhost/hvhost.h"

/* ---- The option ---- */

static int hex(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c | 0x20) : NULL;
    return at == NULL ? -1 : (int)(at - digits);
}

/* Six bytes with ':' or '-' between them; not a multicast address. */
static int parse_address(const char *text, uint8_t *address)
{
    for (int i = 0; i < FRAME_ADDRESS; i++) {
        int high = hex(text[0]), low = high < 0 ? -1 : hex(text[1]);
        char end = low < 0 ? '\0' : text[2];
        if (low < 0 || (i < 5 ? end != ':' && end != '-' : end != '\0')) {
            return -EINVAL;
        }
        address[i] = (uint8_t)(high << 4 | low);
        text += 3;
    }
    return (address[0] & 1) != 0 ? -EINVAL : 0;
}

static int parse_port(const char *text, char **end, uint16_t *port)
{
    unsigned long value = strtoul(text, end, 10);
    *port = (uint16_t)value;
    return *end != text && value > 0 && value <= UINT16_MAX ? 0 : -EINVAL;
}

static int add_forward(const char *text, struct network_nat_options *nat)
{
    char *end;
    if (nat->forward_count == NETWORK_FORWARDS_MAX ||
        parse_port(text, &end, &nat->forwards[nat->forward_count].host) != 0 || *end != ':' ||
        parse_port(end + 1, &end, &nat->forwards[nat->forward_count].guest) != 0 || *end != '\0') {
        return -EINVAL;
    }
    nat->forward_count++;
    return 0;
}

static int set_name(struct hvhost_network_option *option, enum hvhost_network_kind kind,
                    const char *name)
{
    if (name[0] == '\0' || strlen(name) >= sizeof(option->name)) {
        return -EINVAL;
    }
    option->kind = kind;
    strcpy(option->name, name);
    return 0;
}

static int set_kind(struct hvhost_network_option *option, const char *part)
{
    if (strcmp(part, "nat") == 0) {
        option->kind = HVHOST_NETWORK_NAT;
        return 0;
    }
    if (strncmp(part, "tap=", 4) == 0) {
        return set_name(option, HVHOST_NETWORK_TAP, part + 4);
    }
    if (strncmp(part, "switch=", 7) == 0) {
        return set_name(option, HVHOST_NETWORK_SWITCH, part + 7);
    }
    return -EINVAL;
}

static int set_property(struct hvhost_network_option *option, const char *part)
{
    if (strncmp(part, "mac=", 4) == 0) {
        option->has_address = true;
        return parse_address(part + 4, option->address);
    }
    if (strncmp(part, "forward=", 8) == 0 && option->kind == HVHOST_NETWORK_NAT) {
        return add_forward(part + 8, &option->nat);
    }
    if (strcmp(part, "down") == 0) {
        option->down = true;
        return 0;
    }
    return -EINVAL;
}

int hvhost_parse_network(const char *text, struct hvhost_network_option *option, char *error,
                         size_t error_size)
{
    char copy[256], *rest = copy;
    *option = (struct hvhost_network_option){0};
    int result = strlen(text) < sizeof(copy) ? 0 : -EINVAL;
    snprintf(copy, sizeof(copy), "%s", text);
    for (bool first = true; rest != NULL && result == 0; first = false) {
        char *part = strsep(&rest, ",");
        result = first ? set_kind(option, part) : set_property(option, part);
    }
    if (result != 0) {
        snprintf(error, error_size,
                 "--net %s: wanted is nat[,forward=HOST:GUEST], tap=NAME or switch=NAME, then "
                 "[,mac=00:15:5d:01:02:03][,down]", text);
    }
    return result;
}

/* ---- Making them ---- */

static struct network_port *open_port(const struct hvhost_network_option *option, char *error,
                                      size_t error_size)
{
    switch (option->kind) {
    case HVHOST_NETWORK_TAP:
        return network_tap_open(option->name, error, error_size);
    case HVHOST_NETWORK_SWITCH:
        return network_switch_open(option->name, error, error_size);
    default:
        return network_nat_open(&option->nat, error, error_size);
    }
}

/* Microsoft's prefix; the seed tells machines on one switch apart. */
static void default_address(const struct hvhost *host, unsigned index, uint8_t *address)
{
    const uint64_t seed = host->options.seed;
    const uint8_t bytes[FRAME_ADDRESS] = {0x00, 0x15, 0x5d, (uint8_t)(seed >> 8), (uint8_t)seed,
                                          (uint8_t)index};
    memcpy(address, bytes, sizeof(bytes));
}

static int make_adapter(struct hvhost *host, unsigned index, char *error, size_t error_size)
{
    static const struct guid first_instance =
        GUID_INIT(0x9d2f3c5e, 0x7a10, 0x4b8e, 0x93, 0x5d, 0x4d, 0x41, 0x43, 0x48, 0x56, 0x00);
    const struct hvhost_network_option *option = &host->options.networks[index];
    struct netvsc_settings settings;
    char reason[192];
    netvsc_default_settings(netvsc_version(host->release.versions.netvsc), &settings);
    settings.instance = first_instance;
    settings.instance.data1 += index;
    settings.order = index;
    if (option->has_address) {
        memcpy(settings.address, option->address, sizeof(settings.address));
    } else {
        default_address(host, index, settings.address);
    }
    struct network_port *port = open_port(option, reason, sizeof(reason));
    if (port == NULL) {
        snprintf(error, error_size, "--net: %s", reason);
        return -EIO;
    }
    struct netvsc *adapter = netvsc_new(&settings, port);
    if (adapter == NULL) {
        network_port_free(port);
        return -ENOMEM;
    }
    netvsc_set_link(adapter, !option->down);
    host->adapters[index] = adapter;
    hvhost_add_device(host, netvsc_device(adapter));
    return 0;
}

int hvhost_make_networks(struct hvhost *host, char *error, size_t error_size)
{
    for (unsigned i = 0; i < host->options.network_count; i++) {
        int result = make_adapter(host, i, error, error_size);
        if (result != 0) {
            return result;
        }
    }
    return 0;
}

/* ---- hvctl ---- */

static const char *text_of(struct json_object *arguments, const char *name)
{
    struct json_object *value;
    return json_object_object_get_ex(arguments, name, &value) &&
                   json_object_is_type(value, json_type_string)
               ? json_object_get_string(value)
               : NULL;
}

/* The adapter that "adapter" (a number from 0) names;
 * refuses the ticket and returns NULL otherwise. */
static struct netvsc *addressed(struct hvhost *host, struct json_object *arguments,
                                struct control_ticket *ticket)
{
    struct json_object *value;
    int64_t index = json_object_object_get_ex(arguments, "adapter", &value)
                        ? json_object_get_int64(value)
                        : 0;
    if (index < 0 || index >= HVHOST_NETWORKS_MAX || host->adapters[index] == NULL) {
        control_refuse(ticket, -ENOENT, "there is no network adapter %lld", (long long)index);
        return NULL;
    }
    return host->adapters[index];
}

void hvhost_verb_net_list(struct hvhost *host, struct json_object *arguments,
                          struct control_ticket *ticket)
{
    struct json_object *list = json_object_new_array();
    for (unsigned i = 0; i < HVHOST_NETWORKS_MAX; i++) {
        if (host->adapters[i] == NULL) {
            continue;
        }
        struct virtual_device *device = netvsc_device(host->adapters[i]);
        struct json_object *object = json_object_new_object();
        json_object_object_add(object, "adapter", json_object_new_int((int)i));
        device->operations->describe(device, object);
        json_object_array_add(list, object);
    }
    struct json_object *result = json_object_new_object();
    json_object_object_add(result, "adapters", list);
    control_answer(ticket, result);
}

static int plug(struct hvhost *host, struct netvsc *adapter)
{
    struct virtual_device *device = netvsc_device(adapter);
    return host->machine_made ? device->operations->plug(device, host->machine.server) : -ENODEV;
}

void hvhost_verb_net_set(struct hvhost *host, struct json_object *arguments,
                         struct control_ticket *ticket)
{
    const char *what = text_of(arguments, "set");
    struct netvsc *adapter = addressed(host, arguments, ticket);
    int result = 0;
    char *end;
    if (adapter == NULL) {
        return;
    }
    if (what == NULL) {
        result = -EINVAL;
    } else if (strcmp(what, "up") == 0 || strcmp(what, "down") == 0) {
        netvsc_set_link(adapter, what[0] == 'u');
    } else if (strcmp(what, "replug") == 0) {
        netvsc_change_network(adapter);
    } else if (strcmp(what, "remove") == 0) {
        netvsc_device(adapter)->operations->unplug(netvsc_device(adapter));
    } else if (strcmp(what, "add") == 0) {
        result = plug(host, adapter);
    } else if (strncmp(what, "speed=", 6) == 0) {
        unsigned long megabits = strtoul(what + 6, &end, 10);
        result = megabits == 0 || megabits > 400000 || *end != '\0' ? -EINVAL : 0;
        if (result == 0) {
            netvsc_set_speed(adapter, megabits * 1000000ull);
        }
    } else {
        result = -EINVAL;
    }
    if (result == -EINVAL) {
        control_refuse(ticket, result, "wanted is up, down, replug, remove, add or speed=MEGABITS");
    } else if (result != 0) {
        control_refuse(ticket, result, "the adapter cannot be added: %s", strerror(-result));
    } else {
        hvhost_event(host, "network", NULL, "adapter: %s", what);
        control_answer(ticket, NULL);
    }
}

void hvhost_verb_capture(struct hvhost *host, struct json_object *arguments,
                         struct control_ticket *ticket)
{
    const char *path = text_of(arguments, "file");
    struct netvsc *adapter = addressed(host, arguments, ticket);
    if (adapter == NULL) {
        return;
    }
    int result = network_port_capture(netvsc_port(adapter), path);
    if (result != 0) {
        control_refuse(ticket, result, "%s: %s", path, strerror(-result));
        return;
    }
    control_answer(ticket, NULL);
}
