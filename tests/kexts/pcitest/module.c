/* SPDX-License-Identifier: BSD-3-Clause */
/* The module record; on its own, because the pair test has the driver inside another module. */
#include "abi/runtime.h"

IOKIT_MODULE(KEXT_IDENTIFIER, KEXT_VERSION, iokit_module_nothing, iokit_module_nothing);
