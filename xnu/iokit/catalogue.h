/* SPDX-License-Identifier: BSD-3-Clause */
/* The catalogue inside. */
#ifndef MACHV_XNU_IOKIT_CATALOGUE_H
#define MACHV_XNU_IOKIT_CATALOGUE_H

#include "abi/IOCatalogue.h"
#include "abi/OSDictionary.h"

void catalogue_start(void);

/* IOProbeScore: the low 32 bits of a number, signed; 0 when absent or of another type. */
int32_t catalogue_score(const OSDictionary *personality);
/* For ordered sets of personalities or of drivers: by score, by wrapping 32-bit subtraction. */
int32_t catalogue_order(const OSMetaClassBase *left, const OSMetaClassBase *right, void *unused);

#endif
