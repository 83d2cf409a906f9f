/* SPDX-License-Identifier: BSD-3-Clause */
/* The checked string functions that newer compilers call where they know the size of the target:
 * a write beyond it is a panic. Source: xnu osfmk/device/subrs.c, libkern/libkern/_string.h. */
#include "abi/kpi/libkern.h"

#include "xnu/bsd/kpi.h"
#include "xnu/bsd/kpi_string.h"
#include "xnu/machine/panic.h"

static void check(const char *function, size_t needed, size_t room)
{
    if (needed > room)
        machine_panic("%s: writes %zu bytes where there are %zu", function, needed, room);
}

KPI(char *, __strcpy_chk, (char *to, const char *from, size_t room))
{
    size_t size = strlen(from) + 1;

    check("strcpy", size, room);
    return memcpy(to, from, size);
}

KPI(char *, __strcat_chk, (char *to, const char *from, size_t room))
{
    size_t used = strlen(to), size = strlen(from) + 1;

    check("strcat", used + size, room);
    memcpy(to + used, from, size);
    return to;
}

KPI(char *, __strncpy_chk, (char *to, const char *from, size_t size, size_t room))
{
    check("strncpy", size, room);
    return kernel_strncpy(to, from, size);
}

KPI(char *, __strncat_chk, (char *to, const char *from, size_t limit, size_t room))
{
    check("strncat", strlen(to) + strnlen(from, limit) + 1, room);
    return kernel_strncat(to, from, limit);
}

KPI(size_t, __strlcpy_chk, (char *to, const char *from, size_t size, size_t room))
{
    check("strlcpy", size, room);
    return strlcpy(to, from, size);
}

KPI(size_t, __strlcat_chk, (char *to, const char *from, size_t size, size_t room))
{
    check("strlcat", size, room);
    return strlcat(to, from, size);
}
