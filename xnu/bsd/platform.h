/* SPDX-License-Identifier: BSD-3-Clause */
/* platform.h - sets what kexts are told about the kernel they run on. */
#ifndef XNU_BSD_PLATFORM_H
#define XNU_BSD_PLATFORM_H

#include <stdint.h>

/* Darwin version numbers, for example 17, 7, 0 for macOS 10.13.6. Call before kexts are loaded;
 * sets version_major, version_minor, version_revision, osrelease and version. */
void platform_set_version(unsigned major, unsigned minor, unsigned revision);

/* Sets real_ncpus and the maps and tasks that kexts pass around. Call when the machine has started.
 */
void platform_start(void);

#endif
