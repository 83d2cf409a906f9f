/* SPDX-License-Identifier: BSD-3-Clause */
/* sysctl.h - reading and writing sysctl nodes as a process does. */
#ifndef XNU_BSD_SYSCTL_H
#define XNU_BSD_SYSCTL_H

#include <stddef.h>

/* `name` such as "debug.hyperv"; `old` may be NULL to learn the size. 0 or a macOS errno: ENOENT,
 * EISDIR, EPERM (read only), ENOMEM (too little room), EINVAL. */
int kernel_sysctlbyname(const char *name, void *old, size_t *old_size, void *new_value,
                        size_t new_size) __asm("_sysctlbyname");

#endif
