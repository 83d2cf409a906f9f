/* SPDX-License-Identifier: BSD-3-Clause */
/* wire_export.h - en0 plugged into a TAP device or into the TCP/IP stack of this process. */
#ifndef XNU_FAMILIES_NETWORK_WIRE_EXPORT_H
#define XNU_FAMILIES_NETWORK_WIRE_EXPORT_H

#include <stddef.h>

#include "xnu/machine/wire.h"

/* en0 gets the wire, which is opened now with `name`; other interfaces are brought up but carry
 * nothing. 0, or -1 and a line in `error`. */
int wire_export_start(const struct machine_wire *wire, const char *name, char *error,
                      size_t error_size);
void wire_export_stop(void);

#endif
