/* SPDX-License-Identifier: BSD-3-Clause */
/* platform.c - boot arguments and the versions of the kernel, as kexts see them. */
#include "xnu/bsd/platform.h"

#include "xnu/bsd/boot_args.h"
#include "xnu/bsd/format.h"
#include "xnu/bsd/kpi.h"

enum { VERSION_TEXT_SIZE = 256, RELEASE_TEXT_SIZE = 64 };

KPI_DATA(int, version_major);
KPI_DATA(int, version_minor);
KPI_DATA(int, version_revision);
KPI_DATA(int, version_stage);
KPI_DATA(int, version_prerelease_level);
KPI_DATA_ARRAY(char, version_variant, 16);
KPI_DATA_ARRAY(char, version, VERSION_TEXT_SIZE);
KPI_DATA_ARRAY(char, osrelease, RELEASE_TEXT_SIZE);
KPI_DATA_ARRAY(char, ostype, 16) = "Darwin";

void platform_set_version(unsigned major, unsigned minor, unsigned revision)
{
    version_major = (int)major;
    version_minor = (int)minor;
    version_revision = (int)revision;
    version_stage = 0x80;                /* a release */
    version_prerelease_level = 0;
    version_variant[0] = '\0';
    format_text(osrelease, sizeof osrelease, "%u.%u.%u", major, minor, revision);
    format_text(version, sizeof version, "Darwin Kernel Version %u.%u.%u", major, minor, revision);
}

/* Kernels before 10.5 stored four bytes whatever the caller's size was; 10.5 and later obey it. */
KPI(int, PE_parse_boot_argn, (const char *name, void *value, int size))
{
    return size >= 0 && boot_args_find(boot_args_line(), name, value, (size_t)size);
}

KPI(int, PE_parse_boot_arg, (const char *name, void *value))
{
    return boot_args_find(boot_args_line(), name, value, sizeof(uint32_t));
}

KPI(int, PE_parse_boot_arg_str, (const char *name, char *value, int size))
{
    return size > 0 && boot_args_find(boot_args_line(), name, value, (size_t)size);
}

KPI(char *, PE_boot_args, (void))
{
    return (char *)(uintptr_t)boot_args_line();
}

KPI(uint32_t, PE_i_can_has_debugger, (uint32_t *flags))
{
    uint32_t debug = 0;

    if (!boot_args_find(boot_args_line(), "debug", &debug, sizeof debug))
        debug = 0;
    if (flags)
        *flags = debug;
    return debug != 0;
}
