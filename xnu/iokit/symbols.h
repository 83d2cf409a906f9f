/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys that I/O Kit itself uses and abi/kpi/globals.h does not declare. */
#ifndef MACHV_XNU_IOKIT_SYMBOLS_H
#define MACHV_XNU_IOKIT_SYMBOLS_H

#include "abi/kpi/globals.h"

extern const OSSymbol *gIODTNameKey __asm("_gIODTNameKey");

/* Makes every global symbol; first step after libkern. */
void symbols_start(void);

#endif
