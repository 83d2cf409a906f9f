/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices and candidates for people and for programs. */
#ifndef MACHV_MATCH_KEXTMATCH_PRINT_H
#define MACHV_MATCH_KEXTMATCH_PRINT_H

#include "match/kextmatch/session.h"

#include <json-c/json.h>

enum { DEVICE_TEXT_SIZE = 512, WHY_SIZE = 1024 };

/* "8086:15b8/1458:e000/020000/31", with '?' where a field is not known; the label for other nubs.
 */
void device_ids_text(const struct device_record *record, char text[DEVICE_TEXT_SIZE]);
/* "Intel Corporation Ethernet Connection (2) I219-V"; empty when no name is known. */
void device_names_text(const struct device_record *record, const struct pci_ids *names,
                       char text[DEVICE_TEXT_SIZE]);
/* The line that heads everything about a device. */
void print_device_heading(const struct session *session, const struct device_record *record);

/* New references. */
struct json_object *json_string(const char *text); /* null for NULL */
struct json_object *device_json(const struct session *session, const struct device_record *record);
struct json_object *candidate_json(const struct candidate *candidate, bool with_steps);

/* One candidate as lines; `steps` adds every key that was looked at. */
void print_candidate(const struct candidate *candidate, bool steps);

/* Prints and releases. */
void print_json(struct json_object *object);

#endif
