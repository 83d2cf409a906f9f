/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/version.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    LENGTH_MAX = 19, /* the CFString variant copies into 20 bytes */
    STAGE_RELEASE = 9,
    LEVEL_MAX = 255,
};

static const int64_t major_unit = INT64_C(1000000000000);
static const int64_t minor_unit = 100000000;
static const int64_t revision_unit = 10000;
static const int64_t stage_unit = 1000;

static bool is_end(char character)
{
    return character == '\0' || character == ' ' || character == '\t' || character == '\n' ||
           character == '\r';
}

/* Up to `digits` decimal digits; more are left, and then refused by who reads on. */
static unsigned take_number(const char **text, unsigned digits)
{
    unsigned number = 0;

    while (digits-- > 0 && **text >= '0' && **text <= '9')
        number = number * 10 + (unsigned)(*(*text)++ - '0');
    return number;
}

static bool is_stage(char character)
{
    return character == 'd' || character == 'a' || character == 'b' || character == 'f';
}

/* "b2" and its like, at the end of the string. Returns false when it is none. */
static bool take_stage(const char *text, int64_t *stage, int64_t *level)
{
    char letter = *text++;
    const char *digits;

    *stage = letter == 'd' ? 1 : letter == 'a' ? 3 : letter == 'b' ? 5 : 7;
    if (letter == 'f' && *text == 'c')
        text++;
    digits = text;
    *level = take_number(&text, 3);
    return text != digits && is_end(*text) && *level <= LEVEL_MAX && (*level > 0 || letter != 'f');
}

int64_t version_parse(const char *text)
{
    static const int64_t *const units[] = { &minor_unit, &revision_unit };
    int64_t version;
    int64_t stage = STAGE_RELEASE;
    int64_t level = 0;
    size_t part;

    if (text == NULL || strlen(text) > LENGTH_MAX || *text < '0' || *text > '9')
        return VERSION_INVALID;
    version = take_number(&text, 4) * major_unit;
    for (part = 0; part < 2 && *text == '.'; part++) {
        text++;
        version += take_number(&text, 4) * *units[part];
    }
    /* A full revision of four digits ends the scan after its last digit: one dot behind it goes
     * unseen. */
    if (part == 2 && *text == '.' && text[-1] != '.' && is_end(text[1]) && text[-2] != '.' &&
        text[-3] != '.' && text[-4] != '.')
        text++;
    if (is_stage(*text)) {
        if (!take_stage(text, &stage, &level))
            return VERSION_INVALID;
    } else if (!is_end(*text)) {
        return VERSION_INVALID;
    }
    return version + stage * stage_unit + level;
}

void version_format(int64_t version, char *text)
{
    static const char *const stages[] = { "", "d", "", "a", "", "b", "", "f", "", "" };
    int64_t revision;
    int64_t stage;
    int length;

    if (version < 0) {
        snprintf(text, VERSION_TEXT_SIZE, "invalid");
        return;
    }
    revision = version / revision_unit % 10000;
    stage = version / stage_unit % 10;
    length = snprintf(text, VERSION_TEXT_SIZE, "%" PRId64 ".%" PRId64, version / major_unit % 10000,
                      version / minor_unit % 10000);
    if (revision != 0 || stage != STAGE_RELEASE)
        length +=
            snprintf(text + length, (size_t)(VERSION_TEXT_SIZE - length), ".%" PRId64, revision);
    if (stage != STAGE_RELEASE)
        snprintf(text + length, (size_t)(VERSION_TEXT_SIZE - length), "%s%" PRId64, stages[stage],
                 version % stage_unit);
}
