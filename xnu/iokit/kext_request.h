/* SPDX-License-Identifier: BSD-3-Clause */
/* Asking for the kext that a personality names, when its code is not there yet. */
#ifndef MACHV_XNU_IOKIT_KEXT_REQUEST_H
#define MACHV_XNU_IOKIT_KEXT_REQUEST_H

#include "abi/OSDictionary.h"

/* Loads and starts the kext with the identifier, waiting for it; true if its code is there
 * afterwards. */
typedef bool kext_loader_function(void *context, const char *identifier);

/* NULL: nothing is loaded on demand; every personality is tried. */
void kext_request_set_loader(kext_loader_function *loader, void *context);

/* Makes sure of the code of CFBundleIdentifierKernel, or CFBundleIdentifier. True also for a
 * personality that names no bundle. */
bool kext_request(OSDictionary *personality);

#endif
