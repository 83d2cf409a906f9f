/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * info.c: makes Info.plist of a template, the bundle's names, and the personalities that each
 * folder of drivers keeps beside its sources.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "match/plist.h"
#include "tools/kextpack/kextpack.h"

enum { IDENTIFIER_MAX = 63 };

/* Reads at most `most` digits; false if there is none. */
static bool digits(const char **text, int most)
{
    int count = 0;

    while (isdigit((unsigned char)**text) && count < most) {
        ++*text;
        count++;
    }
    return count > 0;
}

bool is_kext_version(const char *text)
{
    static const char *const stages[] = {"fc", "d", "a", "b", "f"};

    if (!digits(&text, 4))
        return false;
    for (int part = 0; part < 2 && *text == '.'; part++) {
        text++;
        if (!digits(&text, 2))
            return false;
    }
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        size_t length = strlen(stages[i]);
        char *end;
        long level;

        if (strncmp(text, stages[i], length) != 0 || !isdigit((unsigned char)text[length]))
            continue;
        level = strtol(text + length, &end, 10);
        return level >= 1 && level <= 255 && *end == '\0';
    }
    return *text == '\0';
}

static bool set_string(struct plist *dictionary, const char *key, const char *text)
{
    return plist_dictionary_set(dictionary, key, plist_new_string(text, strlen(text)));
}

/* Copies a fragment's personalities, which are immutable, and completes them. */
static int add_personality(struct plist *all, const char *file, const char *name,
                           const struct plist *personality, const char *identifier)
{
    static const char *const needed[] = {"IOClass", "IOProviderClass"};
    struct plist *copy;

    if (!plist_is(personality, PLIST_DICTIONARY))
        return fail(EXIT_REFUSED, "%s: personality %s is a %s, not a dictionary", file, name,
                    plist_type_name(personality));
    if (plist_get(all, name))
        return fail(EXIT_REFUSED, "%s: personality %s is there already: names must differ", file,
                    name);
    for (size_t i = 0; i < 2; i++)
        if (!plist_string(plist_get(personality, needed[i])))
            return fail(EXIT_REFUSED, "%s: personality %s has no string %s", file, name,
                        needed[i]);
    copy = plist_new_dictionary();
    if (!plist_get(personality, "CFBundleIdentifier") &&
        !set_string(copy, "CFBundleIdentifier", identifier))
        return fail(EXIT_TROUBLE, "out of memory");
    for (size_t i = 0; i < plist_count(personality); i++)
        if (!plist_dictionary_set(copy, plist_key_at(personality, i),
                                  plist_retain(plist_value_at(personality, i))))
            return fail(EXIT_TROUBLE, "out of memory");
    return plist_dictionary_set(all, name, copy) ? EXIT_DONE
                                                 : fail(EXIT_TROUBLE, "out of memory");
}

static int add_fragment(struct plist *all, const char *file, const char *identifier)
{
    struct plist *fragment = read_dictionary(file);
    int code = fragment ? EXIT_DONE : EXIT_REFUSED;

    for (size_t i = 0; code == EXIT_DONE && i < plist_count(fragment); i++)
        code = add_personality(all, file, plist_key_at(fragment, i), plist_value_at(fragment, i),
                               identifier);
    plist_release(fragment);
    return code;
}

struct info {
    const char *output, *template_file, *name, *identifier, *version;
};

static int check_names(const struct info *info)
{
    if (strlen(info->identifier) > IDENTIFIER_MAX)
        return fail(EXIT_REFUSED, "bundle identifier %s is longer than %d bytes",
                    info->identifier, IDENTIFIER_MAX);
    if (!is_kext_version(info->version))
        return fail(EXIT_REFUSED, "version %s is not understood by every macOS: "
                                  "major[.minor[.revision]] with at most 4, 2 and 2 digits, then "
                                  "d, a, b, f or fc and 1 to 255", info->version);
    return EXIT_DONE;
}

static int merge(const struct info *info, struct plist *plist, char **fragments, int count)
{
    struct plist *personalities = plist_new_dictionary();
    int code = personalities ? EXIT_DONE : EXIT_TROUBLE;

    for (int i = 0; i < count && code == EXIT_DONE; i++)
        code = add_fragment(personalities, fragments[i], info->identifier);
    if (code != EXIT_DONE) {
        plist_release(personalities);
        return code;
    }
    if (!plist_dictionary_set(plist, "IOKitPersonalities", personalities) ||
        !set_string(plist, "CFBundleIdentifier", info->identifier) ||
        !set_string(plist, "CFBundleName", info->name) ||
        !set_string(plist, "CFBundleExecutable", info->name) ||
        !set_string(plist, "CFBundleVersion", info->version) ||
        !set_string(plist, "CFBundleShortVersionString", info->version))
        return fail(EXIT_TROUBLE, "out of memory");
    return EXIT_DONE;
}

static int write_info(const char *output, const struct plist *plist)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    bool written = stream && write_plist(stream, plist);

    if (stream && fclose(stream) != 0)
        written = false;
    written = written && write_file(output, text, size, 0666);
    free(text);
    return written ? EXIT_DONE : EXIT_TROUBLE;
}

int pack_info(int argc, char **argv)
{
    int first;
    struct info info = {
        .output = option(argc, argv, "-o", &first),
        .template_file = option(argc, argv, "-template", &first),
        .name = option(argc, argv, "-name", &first),
        .identifier = option(argc, argv, "-identifier", &first),
        .version = option(argc, argv, "-version", &first),
    };
    struct plist *plist;
    int code;

    if (!info.output || !info.template_file || !info.name || !info.identifier || !info.version)
        return fail(EXIT_TROUBLE, "usage: kextpack info -o OUT -template T -name N -identifier I "
                                  "-version V FRAGMENT...");
    code = check_names(&info);
    if (code != EXIT_DONE)
        return code;
    plist = read_dictionary(info.template_file);
    if (!plist)
        return EXIT_REFUSED;
    code = merge(&info, plist, argv + first, argc - first);
    if (code == EXIT_DONE)
        code = write_info(info.output, plist);
    plist_release(plist);
    return code;
}
