/* SPDX-License-Identifier: BSD-3-Clause */
/* kpi.h - how a C function of the kernel programming interface is defined here.
 *
 * Kexts bind to names with a leading underscore. KPI(result, name, (arguments)) declares `name`
 * under that symbol and begins its definition; the prototypes that abi/kpi/ has must agree.
 * Functions that the C library has too (memcpy, printf ...) get a name of their own in C: KPI_AS.
 */
#ifndef XNU_BSD_KPI_H
#define XNU_BSD_KPI_H

#define KPI(result, name, arguments)             \
    result name arguments __asm("_" #name);      \
    result name arguments

#define KPI_AS(result, c_name, symbol, arguments) \
    result c_name arguments __asm("_" #symbol);   \
    result c_name arguments

#define KPI_DATA(type, name) type name __asm("_" #name)
#define KPI_DATA_ARRAY(type, name, count) type name[count] __asm("_" #name)

#endif
