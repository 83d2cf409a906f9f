/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * module.c: the kext's module record. All work begins when I/O Kit matches a personality, so there
 * is nothing to do at load and unload. The build gives each bundle its identifier and version.
 */
#include "abi/runtime.h"

IOKIT_MODULE(KEXT_IDENTIFIER, KEXT_VERSION, iokit_module_nothing, iokit_module_nothing);
