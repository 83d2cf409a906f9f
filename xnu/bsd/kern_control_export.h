/* SPDX-License-Identifier: BSD-3-Clause */
/* kern_control_export.h - kernel controls as sockets in a directory, for real processes. */
#ifndef XNU_BSD_KERN_CONTROL_EXPORT_H
#define XNU_BSD_KERN_CONTROL_EXPORT_H

/* Every control that is registered from now on has a socket <directory>/<name> while it exists.
 * After kern_control_start, before drivers run. 0 or ENOMEM. See machine/control_socket.h. */
int kern_control_export_start(const char *directory);
void kern_control_export_stop(void);

#endif
