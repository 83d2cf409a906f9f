/* SPDX-License-Identifier: BSD-3-Clause */
/* Between OSMetaClass.c and module.c. */
#ifndef MACHV_XNU_LIBKERN_METACLASS_H
#define MACHV_XNU_LIBKERN_METACLASS_H

#include "abi/OSMetaClass.h"

/* Notes a metaclass for the module that is being loaded; outside a load it is logged as an error
 * and never registered. */
void metaclass_constructed(OSMetaClass *metaclass);
/* Takes a metaclass out of the class dictionary, its module or the load that is going on. */
void metaclass_destructed(OSMetaClass *metaclass);

#endif
