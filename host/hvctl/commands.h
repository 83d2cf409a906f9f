/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands of hvctl: words on the command line -> a verb and its arguments. */
#ifndef HOST_HVCTL_COMMANDS_H
#define HOST_HVCTL_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

struct json_object;

struct hvctl_command {
    const char *words;     /* "status", "disk add" */
    const char *arguments; /* for the help */
    const char *purpose;   /* for the help */
    const char *verb;      /* of the control socket */
    /* Reads the words after `words`. Returns 0, or -1 when they are not as they should be. */
    int (*read)(int count, char **words, struct json_object *arguments);
    bool follow;           /* after the answer, events are shown until the end */
    bool progress;         /* a copy's progress is shown until the answer */
};

extern const struct hvctl_command hvctl_commands[];
extern const unsigned hvctl_command_count;

/* Finds the command; *arguments is the caller's. NULL, and a line in `error`, if it is wrong. */
const struct hvctl_command *hvctl_find_command(int count, char **words,
                                               struct json_object **arguments, char *error,
                                               size_t error_size);

#endif
