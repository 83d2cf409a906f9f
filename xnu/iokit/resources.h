/* SPDX-License-Identifier: BSD-3-Clause */
/* IOResources: the service whose properties are the resources that drivers wait for. */
#ifndef MACHV_XNU_IOKIT_RESOURCES_H
#define MACHV_XNU_IOKIT_RESOURCES_H

#include "abi/IOService.h"

/* Makes IOResources (and from 10.15 on IOUserResources) below the root of all services and
 * registers it. */
void resources_start(IOService *root);

#endif
