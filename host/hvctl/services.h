/* SPDX-License-Identifier: BSD-3-Clause */
/* Words of the integration services' commands. Each reads the words behind the command's name into
 * `arguments`; 0, or -1 when they are not as they should be. */
#ifndef HOST_HVCTL_SERVICES_H
#define HOST_HVCTL_SERVICES_H

struct json_object;

typedef int hvctl_reader(int count, char **words, struct json_object *arguments);
hvctl_reader hvctl_read_shutdown, hvctl_read_restart, hvctl_read_time, hvctl_read_resumed,
    hvctl_read_copy_file,
    hvctl_read_kvp_get, hvctl_read_kvp_set, hvctl_read_kvp_add, hvctl_read_kvp_list,
    hvctl_read_kvp_remove, hvctl_read_ip, hvctl_read_freeze, hvctl_read_thaw, hvctl_read_enable,
    hvctl_read_disable;

/* Shows an event of a copy as a bar on the terminal; other events are not for it. */
void hvctl_show_progress(struct json_object *event);
/* Ends the bar's line, if there is one. */
void hvctl_end_progress(void);

#endif
