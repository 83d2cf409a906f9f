/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/release.h"

#include <stdio.h>
#include <stdlib.h>

unsigned release_parse(const char *text)
{
    char *end;
    unsigned long major = strtoul(text, &end, 10);
    unsigned long minor = 0;

    if (end == text || (*end != '\0' && *end != '.'))
        return 0;
    if (*end == '.')
        minor = strtoul(end + 1, &end, 10);
    if (*end == '.')
        strtoul(end + 1, &end, 10);
    if (*end != '\0')
        return 0;
    if (major == 10)
        return minor >= 4 && minor <= 15 ? 1000 + (unsigned)minor : 0;
    return (major >= 11 && major <= 16) || (major >= 26 && major <= 40) ? (unsigned)major * 100 : 0;
}

unsigned release_darwin(unsigned release)
{
    if (release == 0)
        return 25;
    if (release < 1100)
        return release - 1000 + 4;
    return release < 2600 ? release / 100 + 9 : release / 100 - 1;
}

const char *release_format(unsigned release, char text[16])
{
    if (release == 0)
        snprintf(text, 16, "newest");
    else if (release < 1100)
        snprintf(text, 16, "10.%u", release - 1000);
    else
        snprintf(text, 16, "%u", release / 100);
    return text;
}
