/* SPDX-License-Identifier: BSD-3-Clause */
/* INF files: encoding, logical lines, sections. */
#include "match/inf.h"

#include "match/file.h"
#include "match/text_encoding.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct parser {
    struct inf *inf;
    struct problems *problems;
    size_t section; /* position of the one being read */
    bool in_section;
    const char *section_name; /* its header's spelling */
    char *line;               /* the logical line */
    size_t length;
    size_t room;
    bool failed;
};

static void lower(const char *text, char *out, size_t size)
{
    size_t index;

    for (index = 0; index + 1 < size && text[index] != '\0'; index++)
        out[index] = (char)tolower((unsigned char)text[index]);
    out[index] = '\0';
}

/* ---- sections ---- */

static bool find_section(const struct inf *inf, const char *name, size_t *position)
{
    char key[INF_SECTION_NAME_MAX + 1];
    uint64_t number;

    lower(name, key, sizeof key);
    if (!plist_integer(plist_get(inf->index, key), &number))
        return false;
    *position = (size_t)number;
    return true;
}

static const char *keep_name(struct inf *inf, const char *name)
{
    char **grown = inf->names;

    if ((inf->name_count & (inf->name_count - 1)) == 0)
        grown =
            realloc(inf->names, (inf->name_count == 0 ? 1 : inf->name_count * 2) * sizeof *grown);
    if (grown == NULL)
        return NULL;
    inf->names = grown;
    grown[inf->name_count] = strdup(name);
    return grown[inf->name_count] == NULL ? NULL : grown[inf->name_count++];
}

static bool new_section(struct inf *inf, const char *name, size_t line)
{
    char key[INF_SECTION_NAME_MAX + 1];

    if (inf->count == inf->capacity) {
        size_t capacity = inf->capacity == 0 ? 16 : inf->capacity * 2;
        struct inf_section *grown = realloc(inf->sections, capacity * sizeof *grown);

        if (grown == NULL)
            return false;
        inf->sections = grown;
        inf->capacity = capacity;
    }
    lower(name, key, sizeof key);
    inf->sections[inf->count] = (struct inf_section){ .name = strdup(name), .line = line };
    if (inf->sections[inf->count].name == NULL)
        return false;
    return plist_dictionary_set(inf->index, key, plist_new_integer(inf->count++, 64));
}

/* "[name]": begins a section, or goes on with one of the same name. */
static void begin_section(struct parser *parser, const char *line, size_t number)
{
    struct inf *inf = parser->inf;
    const char *start = line + 1;
    const char *end = strchr(start, ']');
    char name[INF_SECTION_NAME_MAX + 1];
    size_t length = end == NULL ? strlen(start) : (size_t)(end - start);

    if (end == NULL)
        problems_add(parser->problems, PROBLEM_WARNING, inf->path, number,
                     "section header without ']'");
    while (length > 0 && isspace((unsigned char)*start)) {
        start++;
        length--;
    }
    while (length > 0 && isspace((unsigned char)start[length - 1]))
        length--;
    if (length > INF_SECTION_NAME_MAX) {
        problems_add(parser->problems, PROBLEM_WARNING, inf->path, number,
                     "section name of %zu characters is cut", length);
        length = INF_SECTION_NAME_MAX;
    }
    snprintf(name, sizeof name, "%.*s", (int)length, start);
    parser->in_section = true;
    if (!find_section(inf, name, &parser->section)) {
        parser->section = inf->count;
        parser->failed |= !new_section(inf, name, number);
    }
    if (parser->failed)
        return;
    parser->section_name = inf->sections[parser->section].name;
    if (strcmp(parser->section_name, name) != 0)
        parser->section_name = keep_name(inf, name);
    parser->failed |= parser->section_name == NULL;
}

static void clear_entry(struct inf_entry *entry)
{
    size_t index;

    for (index = 0; index < entry->count; index++)
        free(entry->values[index]);
    free(entry->values);
    free(entry->key);
}

static void add_entry(struct parser *parser, const char *line, size_t number)
{
    struct inf_section *section = &parser->inf->sections[parser->section];
    struct inf_entry entry = { .line = number, .section_name = parser->section_name };
    bool unterminated = false;
    bool cut = false;

    if (section->count == section->capacity) {
        size_t capacity = section->capacity == 0 ? 8 : section->capacity * 2;
        struct inf_entry *grown = realloc(section->entries, capacity * sizeof *grown);

        if (grown == NULL) {
            parser->failed = true;
            return;
        }
        section->entries = grown;
        section->capacity = capacity;
    }
    if (!inf_split_line(line, &entry, &unterminated, &cut)) {
        clear_entry(&entry);
        parser->failed = true;
        return;
    }
    if (unterminated)
        problems_add(parser->problems, PROBLEM_WARNING, parser->inf->path, number,
                     "a quote is not closed: it ends with the line");
    if (cut)
        problems_add(parser->problems, PROBLEM_WARNING, parser->inf->path, number,
                     "a field is longer than %d characters, or there are more than %d: cut",
                     INF_FIELD_MAX, INF_VALUES_MAX);
    section->entries[section->count++] = entry;
}

/* ---- lines ---- */

/* Length without the comment. A semicolon inside quotes or a %token% begins none. */
static size_t without_comment(const char *line, size_t length)
{
    bool quoted = false;
    size_t index;

    for (index = 0; index < length; index++) {
        const char *end;

        if (line[index] == '"') {
            quoted = !quoted;
        } else if (line[index] == '%' && !quoted) {
            end = memchr(line + index + 1, '%', length - index - 1);
            if (end != NULL &&
                memchr(line + index + 1, ',', (size_t)(end - line) - index - 1) == NULL)
                index = (size_t)(end - line);
        } else if (line[index] == ';' && !quoted) {
            return index;
        }
    }
    return length;
}

static bool append(struct parser *parser, const char *text, size_t length)
{
    if (parser->length + length + 1 > parser->room) {
        size_t room = (parser->length + length + 1) * 2;
        char *grown = realloc(parser->line, room);

        if (grown == NULL)
            return false;
        parser->line = grown;
        parser->room = room;
    }
    memcpy(parser->line + parser->length, text, length);
    parser->length += length;
    parser->line[parser->length] = '\0';
    return true;
}

/* Takes a physical line into the logical one. Returns true when the logical line goes on. */
static bool take_line(struct parser *parser, const char *line, size_t length)
{
    bool continued;

    length = without_comment(line, length);
    while (length > 0 && isspace((unsigned char)line[length - 1]))
        length--;
    while (length > 0 && isspace((unsigned char)*line)) {
        line++;
        length--;
    }
    continued = length > 0 && line[length - 1] == '\\';
    if (continued)
        length--;
    if (continued && length > 0 && line[length - 1] == '\\')
        length--; /* of two the first is dropped, the second continues */
    if (!append(parser, line, length) || (continued && !append(parser, " ", 1)))
        parser->failed = true;
    return continued;
}

static void end_logical_line(struct parser *parser, size_t number)
{
    const char *line = parser->line == NULL ? "" : parser->line;

    if (parser->length > 0 && *line == '[')
        begin_section(parser, line, number);
    else if (parser->length > 0 && parser->in_section)
        add_entry(parser, line, number);
    parser->length = 0;
}

static void parse_lines(struct parser *parser, const char *text, size_t size)
{
    struct line_reader lines = { .text = text, .size = size };
    size_t first = 0;
    const char *line;
    size_t length;

    while (!parser->failed && line_next(&lines, &line, &length)) {
        if (parser->length == 0)
            first = lines.number;
        if (!take_line(parser, line, length) && !parser->failed)
            end_logical_line(parser, first);
    }
    if (!parser->failed && parser->length > 0)
        end_logical_line(parser, first);
}

enum { INDEX_FROM = 32 }; /* entries */

/* Keys of long sections, so that asking for one does not take the longer the more there are. */
static bool index_section(struct inf_section *section)
{
    char key[INF_SECTION_NAME_MAX + 1];
    size_t index;

    if (section->count < INDEX_FROM)
        return true;
    section->index = plist_new_dictionary();
    for (index = 0; section->index != NULL && index < section->count; index++) {
        if (section->entries[index].key == NULL)
            continue;
        lower(section->entries[index].key, key, sizeof key);
        if (plist_get(section->index, key) == NULL &&
            !plist_dictionary_set(section->index, key, plist_new_integer(index, 64)))
            return false;
    }
    return section->index != NULL;
}

static bool index_sections(struct inf *inf)
{
    size_t index;

    for (index = 0; index < inf->count; index++)
        if (!index_section(&inf->sections[index]))
            return false;
    return true;
}

/* ---- whole files ---- */

/* "$ARCH$" of a template becomes the architecture. For free(). */
static char *expand_template(char *text, size_t *size, const char *architecture, bool *is_template)
{
    static const char macro[] = "$ARCH$";
    size_t count = 0;
    const char *at;
    char *out;
    char *put;

    for (at = text; (at = strstr(at, macro)) != NULL; at += sizeof macro - 1)
        count++;
    *is_template = count > 0 || strstr(text, "_INX_") != NULL;
    if (count == 0)
        return text;
    out = malloc(*size + count * strlen(architecture) + 1);
    for (at = text, put = out; out != NULL && *at != '\0';) {
        if (strncmp(at, macro, sizeof macro - 1) == 0) {
            put = stpcpy(put, architecture);
            at += sizeof macro - 1;
        } else {
            *put++ = *at++;
        }
    }
    free(text);
    if (out == NULL)
        return NULL;
    *put = '\0';
    *size = (size_t)(put - out);
    return out;
}

static void report_encoding(const struct text_encoding *encoding, const char *path,
                            struct problems *problems)
{
    if (encoding->guessed)
        problems_add(problems, PROBLEM_WARNING, path, 1, "%s without a byte order mark",
                     encoding->name);
    if (encoding->has_mark && strcmp(encoding->name, "UTF-8") == 0)
        problems_add(problems, PROBLEM_WARNING, path, 1,
                     "a UTF-8 byte order mark: documented are ASCII and UTF-16");
    if (encoding->cut)
        problems_add(problems, PROBLEM_ERROR, path, 0,
                     "UTF-16 of an odd number of bytes: the file is cut off");
    if (encoding->bad_units > 0)
        problems_add(problems, PROBLEM_WARNING, path, 0, "%zu characters that %s does not have",
                     encoding->bad_units, encoding->name);
}

static bool has_signature(const struct inf *inf)
{
    const char *signature = inf_value(inf_section(inf, "Version"), "Signature", 0);

    return signature != NULL &&
           (strcasecmp(signature, "$Windows NT$") == 0 || strcasecmp(signature, "$Chicago$") == 0 ||
            strcasecmp(signature, "$Windows 95$") == 0);
}

static struct inf *parse(char *text, size_t size, struct inf *inf,
                         const struct inf_options *options, struct problems *problems)
{
    struct parser parser = { .inf = inf, .problems = problems };
    const char *architecture = options->architecture == NULL ? "amd64" : options->architecture;

    text = expand_template(text, &size, architecture, &inf->is_template);
    if (text != NULL)
        parse_lines(&parser, text, size);
    free(parser.line);
    if (text == NULL || parser.failed || !index_sections(inf) ||
        !inf_read_strings(inf, options->language, problems)) {
        problems_add(problems, PROBLEM_ERROR, inf->path, 0, "out of memory");
    } else if (!has_signature(inf)) {
        problems_add(
            problems, PROBLEM_ERROR, inf->path, 0,
            "not an INF file: [Version] has no Signature \"$Windows NT$\" or \"$Chicago$\"");
    } else {
        if (inf->is_template)
            problems_add(
                problems, PROBLEM_WARNING, inf->path, 0,
                "a template (.inx): $ARCH$ is taken for %s, ids with build macros match nothing",
                architecture);
        free(text);
        return inf;
    }
    free(text);
    inf_free(inf);
    return NULL;
}

struct inf *inf_parse(const char *bytes, size_t size, const char *path,
                      const struct inf_options *options, struct problems *problems)
{
    static const struct inf_options defaults;
    struct text_encoding encoding;
    struct inf *inf = calloc(1, sizeof *inf);
    size_t length;
    char *text;

    options = options == NULL ? &defaults : options;
    if (inf == NULL || size > INF_SIZE_MAX) {
        problems_add(problems, PROBLEM_ERROR, path, 0, "%zu bytes; an INF file has %d at most",
                     size, INF_SIZE_MAX);
        free(inf);
        return NULL;
    }
    inf->path = strdup(path);
    inf->index = plist_new_dictionary();
    text = text_decode(bytes, size, options->code_page == 0 ? 1252 : options->code_page, &encoding,
                       &length);
    if (inf->path == NULL || inf->index == NULL || text == NULL) {
        problems_add(problems, PROBLEM_ERROR, path, 0, "out of memory");
        free(text);
        inf_free(inf);
        return NULL;
    }
    inf->encoding = encoding.name;
    report_encoding(&encoding, path, problems);
    return parse(text, length, inf, options, problems);
}

struct inf *inf_load(const char *path, const struct inf_options *options, struct problems *problems)
{
    size_t size;
    char *bytes = file_read(path, INF_SIZE_MAX, &size);
    struct inf *inf;

    if (bytes == NULL) {
        problems_add(problems, PROBLEM_ERROR, path, 0, "cannot be read: %s", strerror(errno));
        return NULL;
    }
    inf = inf_parse(bytes, size, path, options, problems);
    free(bytes);
    return inf;
}

void inf_free(struct inf *inf)
{
    size_t section;
    size_t index;

    if (inf == NULL)
        return;
    for (section = 0; section < inf->count; section++) {
        for (index = 0; index < inf->sections[section].count; index++)
            clear_entry(&inf->sections[section].entries[index]);
        free(inf->sections[section].entries);
        plist_release(inf->sections[section].index);
        free(inf->sections[section].name);
    }
    for (index = 0; index < inf->name_count; index++)
        free(inf->names[index]);
    free(inf->names);
    free(inf->sections);
    plist_release(inf->index);
    plist_release(inf->strings);
    free(inf->path);
    free(inf);
}

const struct inf_section *inf_section(const struct inf *inf, const char *name)
{
    size_t position;

    return find_section(inf, name, &position) ? &inf->sections[position] : NULL;
}

const struct inf_entry *inf_entry(const struct inf_section *section, const char *key)
{
    char lowered[INF_SECTION_NAME_MAX + 1];
    uint64_t position;
    size_t index;

    if (section != NULL && section->index != NULL) {
        lower(key, lowered, sizeof lowered);
        return plist_integer(plist_get(section->index, lowered), &position)
                   ? &section->entries[position] : NULL;
    }
    for (index = 0; section != NULL && index < section->count; index++)
        if (section->entries[index].key != NULL &&
            strcasecmp(section->entries[index].key, key) == 0)
            return &section->entries[index];
    return NULL;
}

const char *inf_value(const struct inf_section *section, const char *key, size_t index)
{
    const struct inf_entry *entry = inf_entry(section, key);

    return entry == NULL || index >= entry->count ? NULL : entry->values[index];
}
