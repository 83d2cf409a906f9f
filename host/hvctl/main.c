/* SPDX-License-Identifier: BSD-3-Clause */
/* hvctl: asks a running hvhost, over its control socket. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/hvctl/client.h"
#include "host/hvctl/commands.h"
#include "host/hvctl/print.h"
#include "host/hvctl/services.h"

enum { EXIT_OK = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_NO_HOST = 3 };

static const char usage_head[] =
    "usage: hvctl --control PATH [--json] COMMAND [ARGUMENT...]\n"
    "Asks or tells a running hvhost. Commands:\n"
    "\n";

static int print_usage(FILE *to)
{
    fputs(usage_head, to);
    for (unsigned i = 0; i < hvctl_command_count; i++) {
        const struct hvctl_command *command = &hvctl_commands[i];
        fprintf(to, "  %-14s %-34s %s\n", command->words, command->arguments, command->purpose);
    }
    return to == stdout ? EXIT_OK : EXIT_USAGE;
}

struct call {
    const char *control_path;
    bool json;
    const struct hvctl_command *command;
    struct json_object *arguments;
};

/* Options come before the command's words; --json may also be the last word of all. Returns -1, or
 * an exit code when it is over. */
static int parse(int argc, char **argv, struct call *call)
{
    int i = 1;
    if (argc > 2 && strcmp(argv[argc - 1], "--json") == 0) {
        call->json = true;
        argc--;
    }
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            call->json = true;
        } else if (strcmp(argv[i], "--control") == 0) {
            if (i + 1 == argc) {
                fprintf(stderr, "hvctl: option --control needs a value; try --help\n");
                return EXIT_USAGE;
            }
            call->control_path = argv[++i];
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return print_usage(stdout);
        } else if (strcmp(argv[i], "--version") == 0) {
            puts("hvctl " MACHV_VERSION);
            return EXIT_OK;
        } else {
            fprintf(stderr, "hvctl: %s: not an option; try --help\n", argv[i]);
            return EXIT_USAGE;
        }
    }
    if (call->control_path == NULL) {
        call->control_path = getenv("HVCTL_CONTROL");
    }
    if (i == argc || call->control_path == NULL) {
        fprintf(stderr, "hvctl: %s; try --help\n",
                i == argc ? "a command is missing" : "--control PATH is missing");
        return EXIT_USAGE;
    }
    char error[256];
    call->command = hvctl_find_command(argc - i, argv + i, &call->arguments, error, sizeof(error));
    if (call->command == NULL) {
        fprintf(stderr, "hvctl: %s\n", error);
        return EXIT_USAGE;
    }
    return -1;
}

static int show(const struct call *call, struct json_object *answer)
{
    struct json_object *ok, *value = NULL;
    bool good = json_object_object_get_ex(answer, "ok", &ok) && json_object_get_boolean(ok);
    if (!good) {
        json_object_object_get_ex(answer, "error", &value);
        if (call->json) {
            puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
        }
        fprintf(stderr, "hvctl: %s\n", value != NULL ? json_object_get_string(value) : "refused");
        return EXIT_REFUSED;
    }
    json_object_object_get_ex(answer, "result", &value);
    if (call->json) {
        puts(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PRETTY));
    } else {
        hvctl_print(stdout, value);
    }
    return EXIT_OK;
}

static int follow_events(struct hvctl_client *client)
{
    struct json_object *event;
    while ((event = hvctl_client_receive(client)) != NULL) {
        puts(json_object_to_json_string_ext(event, JSON_C_TO_STRING_PLAIN));
        fflush(stdout);
        json_object_put(event);
    }
    return EXIT_OK;
}

static struct json_object *ask(struct hvctl_client *client, const struct call *call)
{
    if (!call->command->progress) {
        return hvctl_client_call(client, call->command->verb, call->arguments);
    }
    json_object_put(hvctl_client_call(client, "events", json_object_new_object()));
    struct json_object *answer = hvctl_client_watch(client, call->command->verb, call->arguments,
                                                    hvctl_show_progress);
    hvctl_end_progress();
    return answer;
}

/* One line for people; with --json an object of the control socket's form besides. */
static int say_no_host(const struct call *call, const char *error, const char *remedy)
{
    fprintf(stderr, "hvctl: %s: %s%s\n", call->control_path, error, remedy);
    if (call->json) {
        struct json_object *answer = json_object_new_object();
        json_object_object_add(answer, "ok", json_object_new_boolean(false));
        json_object_object_add(answer, "error", json_object_new_string(error));
        puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
        json_object_put(answer);
    }
    return EXIT_NO_HOST;
}

int main(int argc, char **argv)
{
    struct call call = {0};
    struct hvctl_client client;
    int code = parse(argc, argv, &call);
    if (code >= 0) {
        return code;
    }
    int result = hvctl_client_open(&client, call.control_path);
    if (result != 0) {
        char remedy[512];
        snprintf(remedy, sizeof(remedy), "; is hvhost running with --control %s?",
                 call.control_path);
        json_object_put(call.arguments);
        return say_no_host(&call, strerror(-result), remedy);
    }
    struct json_object *answer = ask(&client, &call);
    if (answer == NULL) {
        code = say_no_host(&call, "the host ended the connection", "");
    } else {
        code = show(&call, answer);
        json_object_put(answer);
    }
    if (code == EXIT_OK && call.command->follow) {
        code = follow_events(&client);
    }
    hvctl_client_close(&client);
    return code;
}
