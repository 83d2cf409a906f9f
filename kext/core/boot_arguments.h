/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel's boot arguments: switches such as -hvheartoff, values such as hvversion=3.0. */
#ifndef KEXT_CORE_BOOT_ARGUMENTS_H
#define KEXT_CORE_BOOT_ARGUMENTS_H

#include "abi/kpi/platform.h"

/* True if the switch `name` (with its leading dash) was given. */
static inline bool boot_argument_given(const char *name)
{
    uint32_t value = 0;

#if defined(__i386__)
    return PE_parse_boot_arg(name, &value);     /* the one form that 10.4 has */
#else
    return PE_parse_boot_argn(name, &value, sizeof value);
#endif
}

/* Value of `name=number`, or `otherwise` if it was not given. */
static inline uint32_t boot_argument_number(const char *name, uint32_t otherwise)
{
    uint32_t value = otherwise;

#if defined(__i386__)
    return PE_parse_boot_arg(name, &value) ? value : otherwise;
#else
    return PE_parse_boot_argn(name, &value, sizeof value) ? value : otherwise;
#endif
}

#define BOOT_ARGUMENT_MAXIMUM 1024u     /* bytes; no kernel takes a longer command line */

/* Copies the value of `name=text` and ends it with a NUL. False: it was not given. */
static inline bool boot_argument_text(const char *name, char text[BOOT_ARGUMENT_MAXIMUM])
{
    bool given;

    text[0] = '\0';
#if defined(__i386__)
    given = PE_parse_boot_arg(name, text);
#else
    given = PE_parse_boot_argn(name, text, BOOT_ARGUMENT_MAXIMUM);
#endif
    text[BOOT_ARGUMENT_MAXIMUM - 1] = '\0';
    return given;
}

#endif
