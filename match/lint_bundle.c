/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules about bundles: identity, versions, executable, libraries. */
#include "match/lint.h"

#include "match/file.h"
#include "match/libraries.h"
#include "match/macho.h"
#include "match/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IDENTIFIER_MAX = 63 };

static const char *type_text(const struct plist *value)
{
    return value == NULL ? "missing" : plist_type_name(value);
}

static bool is_apple(const struct kext *kext)
{
    return strncmp(kext->identifier, "com.apple.", strlen("com.apple.")) == 0;
}

static void lint_identity(const struct lint_place *place)
{
    const struct plist *type = plist_get(place->keys, "CFBundlePackageType");
    const struct plist *identifier = plist_get(place->keys, "CFBundleIdentifier");
    size_t index;

    if (plist_string(type) == NULL || strcmp(plist_string(type), "KEXT") != 0)
        lint_report(place, LINT_PACKAGE_TYPE, type, "CFBundlePackageType is %s%.60s",
                    plist_string(type) == NULL ? "" : "not KEXT but ",
                    plist_string(type) == NULL ? type_text(type) : plist_string(type));
    if (*place->kext->identifier == '\0')
        lint_report(place, LINT_IDENTIFIER_MISSING, identifier, "CFBundleIdentifier is %s",
                    type_text(identifier));
    else if (strlen(place->kext->identifier) > IDENTIFIER_MAX)
        lint_report(place, LINT_IDENTIFIER_LONG, identifier, "CFBundleIdentifier has %zu bytes",
                    strlen(place->kext->identifier));
    for (index = 0; index < place->set->count && place->set->kexts[index] != place->kext; index++)
        if (*place->kext->identifier != '\0' && !text_has_build_variable(place->kext->identifier) &&
            strcmp(place->set->kexts[index]->identifier, place->kext->identifier) == 0) {
            lint_report(place, LINT_DUPLICATE_IDENTIFIER, identifier,
                        "%.80s is also the identifier of %.120s", place->kext->identifier,
                        place->set->kexts[index]->path);
            break;
        }
}

static void lint_versions(const struct lint_place *place)
{
    const struct kext *kext = place->kext;
    const struct plist *version = plist_get(place->keys, "CFBundleVersion");
    const struct plist *compatible = plist_get(place->keys, "OSBundleCompatibleVersion");

    if (kext->version == VERSION_INVALID && !text_has_build_variable(plist_string(version)))
        lint_report(place, LINT_VERSION_INVALID, version, "CFBundleVersion %s%.40s%s",
                    plist_string(version) == NULL ? "is " : "\"",
                    plist_string(version) == NULL ? type_text(version)
                                                  : plist_string(version),
                    plist_string(version) == NULL ? "" : "\" does not parse");
    if (compatible != NULL && kext->compatible_version == VERSION_INVALID &&
        !text_has_build_variable(plist_string(compatible)))
        lint_report(place, LINT_COMPATIBLE_VERSION_INVALID, compatible,
                    "OSBundleCompatibleVersion \"%.40s\" does not "
                    "parse",
                    plist_string(compatible) == NULL ? type_text(compatible)
                                                     : plist_string(compatible));
    if (kext->version != VERSION_INVALID && kext->compatible_version > kext->version)
        lint_report(place, LINT_COMPATIBLE_VERSION_ABOVE, compatible,
                    "OSBundleCompatibleVersion %.40s is above "
                    "CFBundleVersion %.40s",
                    plist_string(compatible), plist_string(version));
}

static void lint_required(const struct lint_place *place)
{
    static const char *const values[] = { "Root",      "Local-Root", "Network-Root",
                                          "Safe Boot", "Console",    "DriverKit" };
    const struct plist *required =
        kext_value(place->kext, "OSBundleRequired", place->options->architecture);
    const char *text = plist_string(required);
    size_t index;

    if (required == NULL)
        return;
    for (index = 0; text != NULL && index < sizeof values / sizeof *values; index++)
        if (strcmp(text, values[index]) == 0)
            return;
    lint_report(place, LINT_BUNDLE_REQUIRED, required,
                "OSBundleRequired \"%.60s\" is no legal value",
                text == NULL ? type_text(required) : text);
}

static void lint_executable_file(const struct lint_place *place, const char *path)
{
    size_t size;
    char *bytes = file_read(path, MACHO_SIZE_MAX, &size);
    struct macho macho;
    size_t offset;
    char why[120];
    char have[120];
    const struct macho_slice *slice;

    if (bytes == NULL) {
        lint_report_file(place, LINT_EXECUTABLE_MISSING, path,
                         "the file that CFBundleExecutable names is not there");
        return;
    }
    if (!macho_parse(bytes, size, &macho, &offset, why, sizeof why)) {
        lint_report_file(place, LINT_EXECUTABLE_FORMAT, path, "offset %zu: %s", offset, why);
    } else {
        slice = macho_find(&macho, place->options->architecture);
        macho_architectures(&macho, have, sizeof have);
        if (slice == NULL)
            lint_report_file(place, LINT_EXECUTABLE_ARCHITECTURE, path, "it holds %s, not %s", have,
                             place->options->architecture);
        else if (!slice->is_kext)
            lint_report_file(place, LINT_EXECUTABLE_FORMAT, path, "file type %u is no kext bundle",
                             slice->file_type);
    }
    free(bytes);
}

static void lint_executable(const struct lint_place *place)
{
    const struct plist *name = plist_get(place->keys, "CFBundleExecutable");
    char *path;

    if (name == NULL || text_has_build_variable(plist_string(name)) || !place->kext->is_bundle)
        return;
    path = kext_executable_path(place->kext);
    if (path == NULL)
        lint_report(place, LINT_EXECUTABLE_MISSING, name,
                    "CFBundleExecutable is no name of a file");
    else if (strstr(place->kext->plist_path, "Contents/") != NULL)
        lint_executable_file(place, path);
    free(path);
}

static void lint_library(const struct lint_place *place, const struct plist *libraries,
                         const struct library *library)
{
    char version[VERSION_TEXT_SIZE];
    char compatible[VERSION_TEXT_SIZE];
    enum lint_rule_number rule = LINT_LIBRARY_VERSION;

    if (strcmp(library->identifier, "com.apple.kpi.private") == 0 && !is_apple(place->kext))
        lint_report(place, LINT_LIBRARY_PRIVATE, libraries, "depends on com.apple.kpi.private");
    if (library_is_usable(library->status))
        return;
    if (library->status == LIBRARY_MISSING || library->status == LIBRARY_NOT_A_LIBRARY)
        rule = LINT_LIBRARY_MISSING;
    else if (library->status == LIBRARY_REFUSED)
        rule = LINT_LIBRARY_REFUSED;
    version_format(library->version, version);
    version_format(library->compatible_version, compatible);
    if (library->version == VERSION_INVALID)
        lint_report(place, rule, libraries, "%.80s \"%.30s\": %s", library->identifier,
                    library->requested, library_status_text(library->status));
    else
        lint_report(place, rule, libraries, "%.80s \"%.30s\": %s (%s, compatible with %s)",
                    library->identifier, library->requested, library_status_text(library->status),
                    version, compatible);
    if (library->kernel_differs)
        lint_report(place, LINT_LIBRARY_KERNEL_DIFFERS, libraries,
                    "%.80s: for an injected kext the kernel would take "
                    "it, for it does not test the compatible version",
                    library->identifier);
}

static void lint_libraries(const struct lint_place *place)
{
    const struct lint_options *options = place->options;
    const struct plist *wanted =
        kext_value(place->kext, "OSBundleLibraries", options->architecture);
    bool has_code = kext_has_code(place->kext);
    bool interface = false;
    struct library *libraries;
    size_t count;
    size_t index;
    char chain[240];

    plist_boolean(kext_value(place->kext, "OSBundleIsInterface", options->architecture),
                  &interface);
    if (has_code && plist_count(wanted) == 0 && plist_get(place->keys, "OSKernelResource") == NULL)
        lint_report(place, LINT_LIBRARIES_MISSING, wanted,
                    "the kext has code but no OSBundleLibraries for %s", options->architecture);
    if (!has_code && plist_count(wanted) > 0 && !interface)
        lint_report(place, LINT_LIBRARIES_CODELESS, wanted,
                    "a kext without code has no use for OSBundleLibraries");
    if (interface && plist_count(wanted) != 1)
        lint_report(place, LINT_INTERFACE_DEPENDENCIES, wanted,
                    "an interface kext with %zu libraries", plist_count(wanted));
    libraries =
        libraries_resolve(place->set, place->kext, options->architecture, options->release, &count);
    for (index = 0; index < count; index++)
        lint_library(place, wanted, &libraries[index]);
    free(libraries);
    if (libraries_find_cycle(place->set, place->kext, options->architecture, chain, sizeof chain))
        lint_report(place, LINT_LIBRARY_CYCLE, wanted, "%s", chain);
}

static bool ends_in_architecture(const char *key)
{
    static const char *const ends[] = { "_i386", "_x86_64", "_ppc", "_ppc64", "_arm64" };
    size_t index;

    for (index = 0; index < sizeof ends / sizeof *ends; index++)
        if (strlen(key) > strlen(ends[index]) &&
            strcmp(key + strlen(key) - strlen(ends[index]), ends[index]) == 0)
            return true;
    return false;
}

/* Build variables anywhere in the top level, and architecture forms of keys that have none. */
static void lint_keys(const struct lint_place *place)
{
    size_t index;

    for (index = 0; index < plist_count(place->keys); index++) {
        const char *key = plist_key_at(place->keys, index);
        const struct plist *value = plist_value_at(place->keys, index);

        if (text_has_build_variable(plist_string(value)))
            lint_report(place, LINT_BUILD_VARIABLE, value, "%.60s is \"%.80s\"", key,
                        plist_string(value));
        if (ends_in_architecture(key) && strncmp(key, "OS", 2) != 0 && strncmp(key, "IO", 2) != 0)
            lint_report(place, LINT_ARCHITECTURE_KEY_IGNORED, value, "%.80s is ignored", key);
    }
}

void lint_bundle(const struct lint_place *place)
{
    if (place->kext->is_binary)
        lint_report(place, LINT_PLIST_BINARY, NULL,
                    "the property list is binary: kernel and kext tools read XML only");
    lint_identity(place);
    lint_versions(place);
    lint_required(place);
    lint_executable(place);
    lint_libraries(place);
    lint_keys(place);
}
