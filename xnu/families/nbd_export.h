/* SPDX-License-Identifier: BSD-3-Clause */
/* nbd_export.h - every block device as an NBD server at <directory>/<BSD name>.sock. */
#ifndef XNU_FAMILIES_NBD_EXPORT_H
#define XNU_FAMILIES_NBD_EXPORT_H

/* Exports the devices that exist and all that come, until nbd_export_stop. `directory` is copied
 * (at most 79 characters). On a kernel thread. 0, or ENAMETOOLONG. */
int nbd_export_start(const char *directory);

/* Disconnects all clients and waits for their requests to end. Not on a driver's work loop. */
void nbd_export_stop(void);

#endif
