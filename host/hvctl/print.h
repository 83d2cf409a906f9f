/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers for people: one "name: value" a line, lists indented. */
#ifndef HOST_HVCTL_PRINT_H
#define HOST_HVCTL_PRINT_H

#include <stdio.h>

struct json_object;

void hvctl_print(FILE *to, struct json_object *value);

#endif
