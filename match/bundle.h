/* SPDX-License-Identifier: BSD-3-Clause */
/* Kext bundles: a folder X.kext with Contents/Info.plist (or Info.plist at once), folders of such
 * bundles, and single Info.plist files (kext tools: OSKext.c). */
#ifndef MACHV_MATCH_BUNDLE_H
#define MACHV_MATCH_BUNDLE_H

#include "match/plist_file.h"

struct kext {
    char *path; /* the bundle's folder, or the file when there is none */
    char *plist_path;
    struct plist *info;
    bool is_bundle; /* a folder; else a single property list */
    bool is_binary; /* the property list is binary, which only lenient reading takes */
    const struct kext *container; /* of a plug-in; NULL at the top */
    const char *identifier;       /* CFBundleIdentifier; "" when absent */
    int64_t version;              /* VERSION_INVALID when absent or wrong */
    int64_t compatible_version;   /* OSBundleCompatibleVersion likewise */
};

struct kext_options {
    const char *architecture; /* "x86_64", "i386", "arm64" ...; NULL means x86_64 */
    enum plist_file_mode mode;
    bool without_plugins;
};

struct kext_set {
    struct kext **kexts; /* in order of addition */
    size_t count;
    size_t capacity;
};

/* Adds what `path` names: a bundle, a folder of bundles in order of their names, or a property
 * list. Returns false when nothing could be added; what was wrong is in `problems`, what was good
 * is in the set. */
bool kext_set_load(struct kext_set *set, const char *path, const struct kext_options *options,
                   struct problems *problems);
/* Adds a property list from memory. NULL when it is none. */
struct kext *kext_set_add_text(struct kext_set *set, const char *text, size_t size,
                               const char *path, const struct kext_options *options,
                               struct problems *problems);
void kext_set_clear(struct kext_set *set);

/* A top-level value as `architecture` sees it: "OSBundleLibraries_x86_64" replaces
 * "OSBundleLibraries" there. Only keys that begin with OS or IO have such forms. */
const struct plist *kext_value(const struct kext *kext, const char *key, const char *architecture);
const char *kext_string(const struct kext *kext, const char *key);
/* Path of its executable; NULL for a codeless kext or a property list alone. For free(). */
char *kext_executable_path(const struct kext *kext);
bool kext_has_code(const struct kext *kext);

/* Does the text hold an unexpanded build variable such as $(MODULE_VERSION)? */
bool text_has_build_variable(const char *text);

#endif
