/* SPDX-License-Identifier: BSD-3-Clause */
/* Readers of the arguments of hvctl's console commands; as in struct hvctl_command. */
#ifndef HOST_HVCTL_CONSOLE_COMMANDS_H
#define HOST_HVCTL_CONSOLE_COMMANDS_H

struct json_object;

int hvctl_read_type_text(int count, char **words, struct json_object *arguments);
int hvctl_read_key(int count, char **words, struct json_object *arguments);
int hvctl_read_mouse(int count, char **words, struct json_object *arguments);
int hvctl_read_screenshot(int count, char **words, struct json_object *arguments);
int hvctl_read_display_set(int count, char **words, struct json_object *arguments);
int hvctl_read_display_changes(int count, char **words, struct json_object *arguments);

#endif
