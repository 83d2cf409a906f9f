/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands of hvctl: a row each. */
#include "host/hvctl/commands.h"

#include "host/hvctl/console_commands.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/hvctl/services.h"

static void add_text(struct json_object *arguments, const char *name, const char *text)
{
    json_object_object_add(arguments, name, json_object_new_string(text));
}

static int read_nothing(int count, char **words, struct json_object *arguments)
{
    return count == 0 ? 0 : -1;
}

static int read_disk_add(int count, char **words, struct json_object *arguments)
{
    if (count != 1) {
        return -1;
    }
    add_text(arguments, "disk", words[0]);
    return 0;
}

/* "LUN" or "CONTROLLER:LUN" */
static int add_address(const char *text, struct json_object *arguments)
{
    char *end;
    long first = strtol(text, &end, 10);
    if (end == text || first < 0) {
        return -1;
    }
    if (*end == ':') {
        const char *second = end + 1;
        json_object_object_add(arguments, "controller", json_object_new_int((int)first));
        first = strtol(second, &end, 10);
        if (end == second || first < 0) {
            return -1;
        }
    }
    json_object_object_add(arguments, "lun", json_object_new_int((int)first));
    return *end == '\0' ? 0 : -1;
}

static int read_disk_remove(int count, char **words, struct json_object *arguments)
{
    return count == 1 ? add_address(words[0], arguments) : -1;
}

static int read_disk_resize(int count, char **words, struct json_object *arguments)
{
    if (count != 2) {
        return -1;
    }
    add_text(arguments, "size", words[1]);
    return add_address(words[0], arguments);
}

/* What follows of a DVD command: an address or not, --force or not. */
static int read_drive(int count, char **words, struct json_object *arguments)
{
    bool has_address = false;
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], "--force") == 0) {
            json_object_object_add(arguments, "force", json_object_new_boolean(true));
        } else if (has_address || add_address(words[i], arguments) != 0) {
            return -1;
        } else {
            has_address = true;
        }
    }
    return 0;
}

static int read_dvd_insert(int count, char **words, struct json_object *arguments)
{
    if (count < 1) {
        return -1;
    }
    add_text(arguments, "disc", words[0]);
    return read_drive(count - 1, words + 1, arguments);
}

static int read_faults(int count, char **words, struct json_object *arguments)
{
    if (count != 1) {
        return -1;
    }
    if (strcmp(words[0], "clear") == 0) {
        json_object_object_add(arguments, "clear", json_object_new_boolean(true));
    } else {
        add_text(arguments, "set", words[0]);
    }
    return 0;
}

static int add_adapter(const char *text, struct json_object *arguments)
{
    char *end;
    long number = strtol(text, &end, 10);
    json_object_object_add(arguments, "adapter", json_object_new_int((int)number));
    return end == text || *end != '\0' || number < 0 ? -1 : 0;
}

static int read_net_set(int count, char **words, struct json_object *arguments)
{
    if (count != 2) {
        return -1;
    }
    add_text(arguments, "set", words[1]);
    return add_adapter(words[0], arguments);
}

static int read_capture(int count, char **words, struct json_object *arguments)
{
    if (count != 2) {
        return -1;
    }
    if (strcmp(words[1], "off") != 0) {
        add_text(arguments, "file", words[1]);
    }
    return add_adapter(words[0], arguments);
}

static int read_pci_add(int count, char **words, struct json_object *arguments)
{
    if (count != 1) {
        return -1;
    }
    add_text(arguments, "description", words[0]);
    return 0;
}

/* "NAME" or "NAME:DEVICE.FUNCTION", hexadecimal as lspci writes them. */
static int add_bus(const char *text, struct json_object *arguments)
{
    char *end;
    const char *colon = strrchr(text, ':');
    const size_t length = colon != NULL ? (size_t)(colon - text) : strlen(text);
    json_object_object_add(arguments, "name", json_object_new_string_len(text, (int)length));
    if (colon == NULL) {
        return 0;
    }
    unsigned long device = strtoul(colon + 1, &end, 16), function;
    if (end == colon + 1 || *end != '.' || device > 31) {
        return -1;
    }
    const char *second = end + 1;
    function = strtoul(second, &end, 16);
    json_object_object_add(arguments, "slot", json_object_new_int((int)(device | function << 5)));
    return end != second && *end == '\0' && function <= 7 ? 0 : -1;
}

static int read_pci_bus(int count, char **words, struct json_object *arguments)
{
    return count == 1 ? add_bus(words[0], arguments) : -1;
}

static int read_pci_invalidate(int count, char **words, struct json_object *arguments)
{
    char *end;
    if (count < 1 || count > 2) {
        return -1;
    }
    if (count == 2) {
        unsigned long long blocks = strtoull(words[1], &end, 0);
        if (end == words[1] || *end != '\0') {
            return -1;
        }
        json_object_object_add(arguments, "blocks", json_object_new_uint64(blocks));
    }
    return add_bus(words[0], arguments);
}

const struct hvctl_command hvctl_commands[] = {
    {"status", "", "the machine and its connection", "status", read_nothing, false},
    {"devices", "", "every virtual device", "devices", read_nothing, false},
    {"heartbeat", "", "whether the guest answers", "heartbeat", read_nothing, false},
    {"services", "", "the integration services", "services", read_nothing, false},
    {"enable", "SERVICE", "offer a service to the guest", "service", hvctl_read_enable, false},
    {"disable", "SERVICE", "take a service away", "service", hvctl_read_disable, false},
    {"shutdown", "[--force] [--reason TEXT]", "ask the guest to shut down", "shutdown",
     hvctl_read_shutdown, false},
    {"restart", "[--force] [--reason TEXT]", "ask the guest to restart", "shutdown",
     hvctl_read_restart, false},
    {"time", "[--skew SECONDS]", "the host's clock; set it wrong on purpose", "time",
     hvctl_read_time, false},
    {"resumed", "SECONDS", "what a guest hears that stood still for so long", "resumed",
     hvctl_read_resumed, false},
    {"copy-file", "SOURCE DESTINATION [--create-path] [--force]", "copy a file into the guest",
     "copy-file", hvctl_read_copy_file, false, true},
    {"kvp list", "[--pool POOL]", "pairs; a pool is external, guest, auto or host", "kvp",
     hvctl_read_kvp_list, false},
    {"kvp get", "KEY [--pool POOL]", "one pair", "kvp", hvctl_read_kvp_get, false},
    {"kvp set", "KEY VALUE [--pool POOL]", "write a pair", "kvp", hvctl_read_kvp_set, false},
    {"kvp add", "KEY VALUE [--pool POOL]", "the same", "kvp", hvctl_read_kvp_add, false},
    {"kvp remove", "KEY [--pool POOL]", "take a pair away", "kvp", hvctl_read_kvp_remove, false},
    {"ip", "ADAPTER [--dhcp] [--addresses LIST] ...", "addresses of an adapter, or set them", "ip",
     hvctl_read_ip, false},
    {"backup freeze", "", "bring the guest's disks into a consistent state", "backup",
     hvctl_read_freeze, false},
    {"backup thaw", "", "let the guest go on", "backup", hvctl_read_thaw, false},
    {"disk list", "", "controllers and their disks", "disk-list", read_nothing, false},
    {"disk add", "FILE[,controller=N][,lun=N]...", "as hvhost --disk", "disk-add", read_disk_add,
     false},
    {"disk remove", "[CONTROLLER:]LUN", "take a disk away", "disk-remove", read_disk_remove,
     false},
    {"disk resize", "[CONTROLLER:]LUN SIZE", "grow or shrink a disk", "disk-resize",
     read_disk_resize, false},
    {"dvd insert", "FILE [[CONTROLLER:]LUN] [--force]", "put a disc into the DVD drive",
     "dvd-insert", read_dvd_insert, false},
    {"dvd eject", "[[CONTROLLER:]LUN] [--force]", "take the disc out of the DVD drive",
     "dvd-eject", read_drive, false},
    {"net list", "", "network adapters", "net-list", read_nothing, false},
    {"net set", "ADAPTER up|down|replug|remove|add|speed=MEGABITS", "cable, speed, presence",
     "net-set", read_net_set, false},
    {"capture", "ADAPTER FILE|off", "frames of an adapter into a pcap file", "capture",
     read_capture, false},
    {"pci list", "", "assigned PCI functions", "pci-list", read_nothing, false},
    {"pci add", "DESCRIPTION", "as hvhost --pci", "pci-add", read_pci_add, false},
    {"pci eject", "NAME[:DEVICE.FUNCTION]", "ask the guest to let go of a function", "pci-eject",
     read_pci_bus, false},
    {"pci remove", "NAME[:DEVICE.FUNCTION]", "take it away without asking", "pci-remove",
     read_pci_bus, false},
    {"pci restore", "NAME[:DEVICE.FUNCTION]", "put a function back whose bus stayed",
     "pci-restore", read_pci_bus, false},
    {"pci invalidate", "NAME[:DEVICE.FUNCTION] [BLOCKS]", "tell the guest to look again",
     "pci-invalidate", read_pci_invalidate, false},
    {"type-text", "TEXT", "text, typed on the keyboard", "type-text", hvctl_read_type_text, false},
    {"key", "KEY[+KEY]... [press|down|up]", "keys, for example ctrl+alt+delete", "key",
     hvctl_read_key, false},
    {"screenshot", "FILE [--pointer]", "the screen as a PNG file", "screenshot",
     hvctl_read_screenshot, false},
    {"display set", "WIDTHxHEIGHT", "ask the guest for another size", "display",
     hvctl_read_display_set, false},
    {"display changes", "guest|monitor", "who tells what changes on the screen", "display",
     hvctl_read_display_changes, false},
    {"display", "", "the screen's mode, memory and pointer", "display", read_nothing, false},
    {"mouse", "move X Y | down|up|click BUTTON | wheel|pan DETENTS",
     "the pointer; X and Y are 0 to 32767",
     "mouse", hvctl_read_mouse, false},
    {"violations", "", "rules that the guest broke", "violations", read_nothing, false},
    {"faults", "SPEC | clear", "as hvhost --faults, one", "faults", read_faults, false},
    {"events", "", "what happens, as it happens", "events", read_nothing, true},
    {"stop", "", "turn the machine off, now", "stop", read_nothing, false},
    {"reset", "", "reset the machine, now", "reset", read_nothing, false},
};
const unsigned hvctl_command_count = sizeof(hvctl_commands) / sizeof(hvctl_commands[0]);

/* How many of the words are the command's name; 0: it is another one. */
static int matches(const struct hvctl_command *command, int count, char **words)
{
    const char *second = strchr(command->words, ' ');
    if (second == NULL) {
        return strcmp(words[0], command->words) == 0 ? 1 : 0;
    }
    size_t length = (size_t)(second - command->words);
    return count > 1 && strlen(words[0]) == length &&
                   strncmp(words[0], command->words, length) == 0 &&
                   strcmp(words[1], second + 1) == 0
               ? 2
               : 0;
}

/* Says what is wrong with words that are no command: the second one perhaps. */
static void complain(const char *first, char *error, size_t error_size)
{
    const size_t length = strlen(first);
    size_t used = 0;
    for (unsigned i = 0; i < hvctl_command_count; i++) {
        const char *words = hvctl_commands[i].words;
        if (used < error_size && strncmp(words, first, length) == 0 && words[length] == ' ') {
            used += (size_t)snprintf(error + used, error_size - used, "%s%s",
                                     used == 0 ? "wanted is one of: " : ", ", words);
        }
    }
    if (used == 0) {
        snprintf(error, error_size, "%s: no such command; try --help", first);
    }
}

const struct hvctl_command *hvctl_find_command(int count, char **words,
                                               struct json_object **arguments, char *error,
                                               size_t error_size)
{
    for (unsigned i = 0; i < hvctl_command_count; i++) {
        const struct hvctl_command *command = &hvctl_commands[i];
        int used = matches(command, count, words);
        if (used == 0) {
            continue;
        }
        *arguments = json_object_new_object();
        if (command->read(count - used, words + used, *arguments) == 0) {
            return command;
        }
        json_object_put(*arguments);
        *arguments = NULL;
        snprintf(error, error_size, "usage: hvctl --control PATH %s %s", command->words,
                 command->arguments);
        return NULL;
    }
    complain(words[0], error, error_size);
    return NULL;
}
