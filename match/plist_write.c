/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/plist_write.h"

#include <inttypes.h>
#include <string.h>

static void indent(FILE *file, unsigned depth)
{
    while (depth-- > 0)
        fputc('\t', file);
}

static void write_text(FILE *file, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '&')
            fputs("&amp;", file);
        else if (*text == '<')
            fputs("&lt;", file);
        else if (*text == '>')
            fputs("&gt;", file);
        else
            fputc(*text, file);
    }
}

static void write_data(FILE *file, const struct plist *value)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = 0;
    const unsigned char *bytes = plist_bytes(value, &length);
    size_t index;

    for (index = 0; index < length; index += 3) {
        uint32_t group = (uint32_t)bytes[index] << 16 |
                         (index + 1 < length ? (uint32_t)bytes[index + 1] << 8 : 0) |
                         (index + 2 < length ? bytes[index + 2] : 0);

        fputc(digits[group >> 18], file);
        fputc(digits[group >> 12 & 63], file);
        fputc(index + 1 < length ? digits[group >> 6 & 63] : '=', file);
        fputc(index + 2 < length ? digits[group & 63] : '=', file);
    }
}

static void write_container(FILE *file, const struct plist *value, const char *tag, unsigned depth)
{
    size_t index;

    if (plist_count(value) == 0) {
        fprintf(file, "<%s/>\n", tag);
        return;
    }
    fprintf(file, "<%s>\n", tag);
    for (index = 0; index < plist_count(value); index++) {
        if (plist_is(value, PLIST_DICTIONARY))
            plist_write_key(file, plist_key_at(value, index), depth + 1);
        plist_write_value(file, plist_value_at(value, index), depth + 1);
    }
    indent(file, depth);
    fprintf(file, "</%s>\n", tag);
}

void plist_write_value(FILE *file, const struct plist *value, unsigned depth)
{
    uint64_t number = 0;
    bool truth = false;
    size_t length;

    indent(file, depth);
    switch (plist_type(value)) {
    case PLIST_DICTIONARY:
        write_container(file, value, "dict", depth);
        return;
    case PLIST_ARRAY:
        write_container(file, value, "array", depth);
        return;
    case PLIST_SET:
        write_container(file, value, "set", depth);
        return;
    case PLIST_DATA:
        fputs("<data>", file);
        write_data(file, value);
        fputs("</data>\n", file);
        return;
    case PLIST_INTEGER:
        plist_integer(value, &number);
        fprintf(file, "<integer>%" PRId64 "</integer>\n", (int64_t)number);
        return;
    case PLIST_BOOLEAN:
        plist_boolean(value, &truth);
        fprintf(file, "<%s/>\n", truth ? "true" : "false");
        return;
    case PLIST_STRING:
    case PLIST_OPAQUE:
        fputs("<string>", file);
        write_text(file, plist_bytes(value, &length));
        fputs("</string>\n", file);
    }
}

void plist_write_key(FILE *file, const char *key, unsigned depth)
{
    indent(file, depth);
    fputs("<key>", file);
    write_text(file, key);
    fputs("</key>\n", file);
}

void plist_write_comment(FILE *file, const char *text, unsigned depth)
{
    indent(file, depth);
    fputs("<!-- ", file);
    for (; *text != '\0'; text++) {
        fputc(*text, file);
        if (*text == '-' && (text[1] == '-' || text[1] == '>' || text[1] == '\0'))
            fputc(' ', file);
    }
    fputs(" -->\n", file);
}

void plist_write_head(FILE *file)
{
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
          "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
          "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
          "<plist version=\"1.0\">\n",
          file);
}

void plist_write_tail(FILE *file)
{
    fputs("</plist>\n", file);
}
