/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads kext bundles, the usual kind with Contents/ and the flat kind. */
#include "setup/kext_bundle.h"

#include <stdlib.h>
#include <string.h>

#include "match/plist.h"
#include "setup/files.h"
#include "setup/text.h"

enum { INFO_SIZE_MAX = 4 << 20 };

static char *string_of(const struct plist *info, const char *key)
{
    const char *value = plist_string(plist_get(info, key));
    return copy_string(value == NULL ? "" : value);
}

static struct plist *read_info(const char *path, struct setup_error *error)
{
    char *text = NULL;
    size_t size = 0;
    if (!file_read(path, INFO_SIZE_MAX, &text, &size, error)) {
        return NULL;
    }
    struct plist_reader reader = {.lenient = true};
    struct plist_diagnostic diagnostic;
    struct plist *info = plist_parse_xml(text, size, &reader, &diagnostic);
    free(text);
    if (info == NULL) {
        setup_fail(error, "%s: line %u: %s", path, diagnostic.line, diagnostic.text);
    }
    return info;
}

bool kext_bundle_read(struct kext_bundle *bundle, const char *path, struct setup_error *error)
{
    memset(bundle, 0, sizeof *bundle);
    if (!folder_exists(path)) {
        return setup_fail(error, "%s: no such kext", path);
    }
    char *contents = path_join(path, "Contents/Info.plist");
    char *flat = path_join(path, "Info.plist");
    bool usual = file_exists(contents);
    struct plist *info = read_info(usual ? contents : flat, error);
    free(contents);
    free(flat);
    if (info == NULL) {
        return false;
    }
    char *copy = copy_string(path);
    size_t length = strlen(copy);
    while (length > 1 && copy[length - 1] == '/') {
        copy[--length] = '\0';
    }
    const char *slash = strrchr(copy, '/');
    char *executable = string_of(info, "CFBundleExecutable");
    bundle->name = copy_string(slash == NULL ? copy : slash + 1);
    bundle->identifier = string_of(info, "CFBundleIdentifier");
    bundle->version = string_of(info, "CFBundleVersion");
    bundle->info = copy_string(usual ? "Contents/Info.plist" : "Info.plist");
    bundle->executable = executable[0] == '\0'
                             ? copy_string("")
                             : format_string("%s%s", usual ? "Contents/MacOS/" : "", executable);
    free(executable);
    free(copy);
    plist_release(info);
    return true;
}

void kext_bundle_free(struct kext_bundle *bundle)
{
    free(bundle->name);
    free(bundle->identifier);
    free(bundle->version);
    free(bundle->executable);
    free(bundle->info);
    memset(bundle, 0, sizeof *bundle);
}
