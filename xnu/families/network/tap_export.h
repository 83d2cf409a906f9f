/* SPDX-License-Identifier: BSD-3-Clause */
/* tap_export.h - each interface of the kernel as the other end of a TAP device. */
#ifndef XNU_FAMILIES_NETWORK_TAP_EXPORT_H
#define XNU_FAMILIES_NETWORK_TAP_EXPORT_H

#include <stddef.h>

/* en0 gets the TAP device `name` (opened now); other interfaces are brought up but carry nothing. 0, or -1 and a line in `error`. */
int tap_export_start(const char *name, char *error, size_t error_size);
void tap_export_stop(void);

#endif
