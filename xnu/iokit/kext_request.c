/* SPDX-License-Identifier: BSD-3-Clause */
/* Asking for a kext's code (xnu iokit/Kernel/IOCatalogue.cpp: isModuleLoaded). */
#include "xnu/iokit/kext_request.h"

#include "xnu/iokit/service.h"

static kext_loader_function *loader;
static void *loader_context;

void kext_request_set_loader(kext_loader_function *function, void *context)
{
    loader = function;
    loader_context = context;
}

bool kext_request(OSDictionary *personality)
{
    OSString *identifier =
        as_string(OSDictionary_getObject_cstring(personality, "CFBundleIdentifierKernel"));

    if (!identifier)
        identifier = as_string(OSDictionary_getObject_symbol(personality, gIOModuleIdentifierKey));
    if (!identifier || !loader)
        return true;
    return loader(loader_context, OSString_getCStringNoCopy(identifier));
}
