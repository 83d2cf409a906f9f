/* SPDX-License-Identifier: BSD-3-Clause */
/* Boot arguments, versions, halt and restart.
 *
 * Source: xnu pexpert/pexpert/pexpert.h, libkern/libkern/version.h.
 * Comments note functions that older releases lack. */
#pragma once

#include "abi/types.h"

/* Darwin version: major 8 is 10.4, 10 is 10.6, 20 is macOS 11, 24 is macOS 15. */
extern const int version_major __asm("_version_major");
extern const int version_minor __asm("_version_minor");
extern const int version_revision __asm("_version_revision");
extern const char osrelease[] __asm("_osrelease");
extern const char ostype[] __asm("_ostype");
extern const char version[] __asm("_version");

/* `name=value` stores an integer of max_arg bytes (old releases always 4) or a string, `-name`
 * stores 1. False: absent, nothing was stored. */
boolean_t PE_parse_boot_argn(const char *arg_string, void *arg_ptr, int max_arg)
    __asm("_PE_parse_boot_argn"); /* since 10.5 */
/* The form without a size, for 10.4: a number needs 4 bytes, a string has no bound. */
#if defined(__i386__)
boolean_t PE_parse_boot_arg(const char *arg_string, void *arg_ptr) __asm("_PE_parse_boot_arg");
#endif

/* type: kPEHaltCPU, kPERestartCPU */
extern int (*PE_halt_restart)(unsigned int type) __asm("_PE_halt_restart");
