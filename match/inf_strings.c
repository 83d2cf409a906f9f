/* SPDX-License-Identifier: BSD-3-Clause */
/* [Strings] of INF files: which section counts, and %tokens%. */
#include "match/inf.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TOKEN_MAX = 255 };

static bool language_of(const char *name, unsigned *language)
{
    char *end;

    if (strncasecmp(name, "Strings.", 8) != 0 || strlen(name) != 12)
        return false;
    *language = (unsigned)strtoul(name + 8, &end, 16);
    return *end == '\0';
}

/* One section serves all tokens: exact language, the neutral form of it, any of the same primary
 * language, else the undecorated one. */
static const struct inf_section *choose(const struct inf *inf, unsigned language)
{
    const struct inf_section *best = inf_section(inf, "Strings");
    unsigned best_fit = 0;
    size_t index;

    for (index = 0; language != 0 && index < inf->count; index++) {
        unsigned have;
        unsigned fit;

        if (!language_of(inf->sections[index].name, &have) || (have & 0x3FF) != (language & 0x3FF))
            continue;
        fit = have == language ? 3 : have == (language & 0x3FF) ? 2 : 1;
        if (fit > best_fit) {
            best_fit = fit;
            best = &inf->sections[index];
        }
    }
    return best;
}

bool inf_read_strings(struct inf *inf, unsigned language, struct problems *problems)
{
    const struct inf_section *section = choose(inf, language);
    size_t index;
    size_t at;

    inf->strings = plist_new_dictionary();
    if (inf->strings == NULL)
        return false;
    for (index = 0; section != NULL && index < section->count; index++) {
        const struct inf_entry *entry = &section->entries[index];
        char token[TOKEN_MAX + 1];

        if (entry->key == NULL || entry->count == 0)
            continue;
        for (at = 0; at < TOKEN_MAX && entry->key[at] != '\0'; at++)
            token[at] = (char)tolower((unsigned char)entry->key[at]);
        token[at] = '\0';
        if (plist_get(inf->strings, token) != NULL) {
            problems_add(problems, PROBLEM_WARNING, inf->path, entry->line,
                         "string \"%.80s\" is defined twice: "
                         "the first counts",
                         entry->key);
            continue;
        }
        if (!plist_dictionary_set(inf->strings, token,
                                  plist_new_string(entry->values[0], strlen(entry->values[0]))))
            return false;
    }
    return true;
}

/* The token between two percent signs at `at`; NULL when it is unknown. `*after` is set behind the
 * second sign. */
static const char *look_up(const struct inf *inf, const char *at, const char **after)
{
    const char *end = strchr(at + 1, '%');
    char token[TOKEN_MAX + 1];
    size_t length;
    size_t index;

    if (end == NULL || (size_t)(end - at - 1) > TOKEN_MAX)
        return NULL;
    length = (size_t)(end - at - 1);
    for (index = 0; index < length; index++)
        token[index] = (char)tolower((unsigned char)at[1 + index]);
    token[length] = '\0';
    *after = end + 1;
    return plist_string(plist_get(inf->strings, token));
}

struct buffer {
    char *text;
    size_t length;
    size_t room;
};

static bool add(struct buffer *buffer, const char *text, size_t length)
{
    if (buffer->length + length + 1 > buffer->room) {
        size_t room = (buffer->length + length + 1) * 2;
        char *grown = realloc(buffer->text, room);

        if (grown == NULL)
            return false;
        buffer->text = grown;
        buffer->room = room;
    }
    memcpy(buffer->text + buffer->length, text, length);
    buffer->length += length;
    buffer->text[buffer->length] = '\0';
    return true;
}

char *inf_expand(const struct inf *inf, const char *text, bool *unknown)
{
    struct buffer buffer = { NULL };
    bool good = add(&buffer, "", 0);

    while (good && *text != '\0' && buffer.length < INF_FIELD_MAX * 4) {
        const char *after;
        const char *replacement;

        if (*text != '%') {
            good = add(&buffer, text++, 1);
        } else if (text[1] == '%') { /* pairs first, from the left */
            good = add(&buffer, "%", 1);
            text += 2;
        } else if ((replacement = look_up(inf, text, &after)) != NULL) {
            good = add(&buffer, replacement, strlen(replacement));
            text = after;
        } else {
            if (unknown != NULL)
                *unknown = true;
            good = add(&buffer, text++, 1);
        }
    }
    if (good)
        return buffer.text;
    free(buffer.text);
    return NULL;
}

static bool date_exists(unsigned year, unsigned month, unsigned day)
{
    static const unsigned days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] &&
           (month != 2 || day < 29 || leap) && year >= 1980 && year <= 9999;
}

void inf_driver_version(const struct inf *inf, unsigned *date, uint64_t *version)
{
    const struct inf_section *section = inf_section(inf, "Version");
    const char *text = inf_value(section, "DriverVer", 0);
    unsigned month;
    unsigned day;
    unsigned year;
    unsigned parts[4] = { 0 };

    *date = 0;
    *version = 0;
    if (text != NULL && sscanf(text, "%2u%*1[-/]%2u%*1[-/]%4u", &month, &day, &year) == 3 &&
        date_exists(year, month, day))
        *date = year * 10000 + month * 100 + day;
    text = inf_value(section, "DriverVer", 1);
    if (text != NULL)
        sscanf(text, "%5u.%5u.%5u.%5u", &parts[0], &parts[1], &parts[2], &parts[3]);
    *version = (uint64_t)(parts[0] & 0xFFFF) << 48 | (uint64_t)(parts[1] & 0xFFFF) << 32 |
               (uint64_t)(parts[2] & 0xFFFF) << 16 | (parts[3] & 0xFFFF);
}
