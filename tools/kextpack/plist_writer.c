/* SPDX-License-Identifier: BSD-3-Clause */
/* plist_writer.c: writes a property list as XML, as plutil and Xcode lay it out. */
#include <inttypes.h>
#include <string.h>

#include "match/plist.h"
#include "tools/kextpack/kextpack.h"

static void write_text(FILE *file, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        switch (text[i]) {
        case '<':
            fputs("&lt;", file);
            break;
        case '>':
            fputs("&gt;", file);
            break;
        case '&':
            fputs("&amp;", file);
            break;
        default:
            fputc(text[i], file);
        }
    }
}

static void indent(FILE *file, int depth)
{
    while (depth-- > 0)
        fputc('\t', file);
}

static void write_base64(FILE *file, const uint8_t *bytes, size_t length)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < length; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16;

        if (i + 1 < length)
            group |= (uint32_t)bytes[i + 1] << 8;
        if (i + 2 < length)
            group |= bytes[i + 2];
        fputc(digits[group >> 18], file);
        fputc(digits[group >> 12 & 63], file);
        fputc(i + 1 < length ? digits[group >> 6 & 63] : '=', file);
        fputc(i + 2 < length ? digits[group & 63] : '=', file);
    }
}

static bool write_value(FILE *file, const struct plist *value, int depth);

static bool write_container(FILE *file, const struct plist *value, int depth, const char *tag)
{
    bool is_dictionary = plist_is(value, PLIST_DICTIONARY);
    size_t count = plist_count(value);

    if (count == 0) {
        fprintf(file, "<%s/>\n", tag);
        return true;
    }
    fprintf(file, "<%s>\n", tag);
    for (size_t i = 0; i < count; i++) {
        indent(file, depth + 1);
        if (is_dictionary) {
            const char *key = plist_key_at(value, i);

            fputs("<key>", file);
            write_text(file, key, strlen(key));
            fputs("</key>\n", file);
            indent(file, depth + 1);
        }
        if (!write_value(file, plist_value_at(value, i), depth + 1))
            return false;
    }
    indent(file, depth);
    fprintf(file, "</%s>\n", tag);
    return true;
}

static void write_integer(FILE *file, const struct plist *value)
{
    uint64_t number = 0;

    plist_integer(value, &number);
    if (plist_integer_bits(value) == 64 || plist_integer_bits(value) == 0)
        fprintf(file, "<integer>%" PRIu64 "</integer>\n", number);
    else
        fprintf(file, "<integer size=\"%u\">%" PRIu64 "</integer>\n", plist_integer_bits(value),
                number);
}

static bool write_value(FILE *file, const struct plist *value, int depth)
{
    const void *bytes;
    size_t length = 0;
    bool truth = false;

    switch (plist_type(value)) {
    case PLIST_DICTIONARY:
        return write_container(file, value, depth, "dict");
    case PLIST_ARRAY:
        return write_container(file, value, depth, "array");
    case PLIST_SET:
        return write_container(file, value, depth, "set");
    case PLIST_STRING:
        bytes = plist_bytes(value, &length);
        fputs("<string>", file);
        write_text(file, bytes, length);
        fputs("</string>\n", file);
        return true;
    case PLIST_DATA:
        bytes = plist_bytes(value, &length);
        fputs("<data>", file);
        write_base64(file, bytes, length);
        fputs("</data>\n", file);
        return true;
    case PLIST_INTEGER:
        write_integer(file, value);
        return true;
    case PLIST_BOOLEAN:
        plist_boolean(value, &truth);
        fputs(truth ? "<true/>\n" : "<false/>\n", file);
        return true;
    default:
        fail(EXIT_REFUSED, "a %s cannot be read by the kernel", plist_type_name(value));
        return false;
    }
}

bool write_plist(FILE *file, const struct plist *value)
{
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
          "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
          "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
          "<plist version=\"1.0\">\n",
          file);
    if (!write_value(file, value, 0))
        return false;
    fputs("</plist>\n", file);
    return !ferror(file);
}
