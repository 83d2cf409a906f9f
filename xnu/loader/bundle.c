/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kext bundles.
 */
#include "xnu/loader/bundle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xnu/loader/version.h"
#include "xnu/machine/files.h"

#define INFO_SIZE_MAX (4u << 20)
#define ARCHITECTURE "_x86_64"
#define KPI_PREFIX "com.apple.kpi."
#define KERNEL_PREFIX "com.apple.kernel"

static int bad(struct loader_error *error, const char *format, const char *name,
               const char *value) {
    return loader_fail(error, MACHINE_EXIT_KEXT, format, name, value);
}

/* A string without NUL inside, at most `limit` bytes; NULL with `error` set otherwise. */
static const char *string_value(const struct plist *value, const char *key, size_t limit,
                                struct loader_error *error) {
    size_t length = 0;
    if (!plist_is(value, PLIST_STRING)) {
        bad(error, "Info.plist: %s is a %s, not a string", key, plist_type_name(value));
        return NULL;
    }
    plist_bytes(value, &length);
    const char *text = plist_string(value);
    if (length == 0 || length > limit || strlen(text) != length) {
        loader_fail(error, MACHINE_EXIT_KEXT,
                    "Info.plist: %s must have 1 to %zu characters, it has %zu", key, limit,
                    length);
        return NULL;
    }
    return text;
}

/* Keys that begin with OS or IO may have a variant for the processor, which replaces them. */
static const struct plist *architecture_value(const struct plist *info, const char *key) {
    char name[80];
    snprintf(name, sizeof name, "%s%s", key, ARCHITECTURE);
    const struct plist *value = plist_get(info, name);
    return value != NULL ? value : plist_get(info, key);
}

static int read_identity(struct bundle *bundle, uint32_t release, struct loader_error *error) {
    const struct plist *identifier = plist_get(bundle->info, "CFBundleIdentifier");
    const struct plist *version = plist_get(bundle->info, "CFBundleVersion");
    if (identifier == NULL || version == NULL) {
        return bad(error, "Info.plist: %s is missing%s",
                   identifier == NULL ? "CFBundleIdentifier" : "CFBundleVersion", "");
    }
    bundle->identifier =
        string_value(identifier, "CFBundleIdentifier", BUNDLE_IDENTIFIER_MAX, error);
    bundle->version_text =
        string_value(version, "CFBundleVersion", BUNDLE_IDENTIFIER_MAX, error);
    if (bundle->identifier == NULL || bundle->version_text == NULL) {
        return -1;
    }
    bundle->version = kext_version_parse(bundle->version_text, release);
    if (bundle->version == KEXT_VERSION_INVALID) {
        return bad(error, "Info.plist: %s \"%s\" is no kext version", "CFBundleVersion",
                   bundle->version_text);
    }
    return 0;
}

static int read_compatible(struct bundle *bundle, uint32_t release, struct loader_error *error) {
    const struct plist *value = architecture_value(bundle->info, "OSBundleCompatibleVersion");
    if (value == NULL) {
        return 0;
    }
    const char *text =
        string_value(value, "OSBundleCompatibleVersion", BUNDLE_IDENTIFIER_MAX, error);
    if (text == NULL) {
        return -1;
    }
    bundle->compatible_version = kext_version_parse(text, release);
    if (bundle->compatible_version == KEXT_VERSION_INVALID) {
        return bad(error, "Info.plist: %s \"%s\" is no kext version", "OSBundleCompatibleVersion",
                   text);
    }
    if (bundle->compatible_version > bundle->version) {
        return bad(error, "Info.plist: OSBundleCompatibleVersion %s is newer than CFBundleVersion "
                   "%s", text, bundle->version_text);
    }
    return 0;
}

static int read_library(struct bundle *bundle, const char *identifier, const struct plist *value,
                        uint32_t release, struct loader_error *error) {
    if (bundle->library_count == BUNDLE_LIBRARIES_MAX) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "Info.plist: OSBundleLibraries has more than %u entries",
                           BUNDLE_LIBRARIES_MAX);
    }
    struct bundle_library *library = &bundle->libraries[bundle->library_count];
    library->identifier = identifier;
    library->version_text = string_value(value, identifier, BUNDLE_IDENTIFIER_MAX, error);
    if (library->version_text == NULL) {
        return -1;
    }
    library->version = kext_version_parse(library->version_text, release);
    if (library->version == KEXT_VERSION_INVALID) {
        return bad(error, "Info.plist: OSBundleLibraries: version \"%s\" of %s is no kext version",
                   library->version_text, identifier);
    }
    bundle->library_count++;
    return 0;
}

static int read_libraries(struct bundle *bundle, uint32_t release, struct loader_error *error) {
    const struct plist *libraries = architecture_value(bundle->info, "OSBundleLibraries");
    bool kpi = false, kernel = false;
    if (libraries == NULL) {
        return 0;
    }
    if (!plist_is(libraries, PLIST_DICTIONARY)) {
        return bad(error, "Info.plist: %s is a %s, not a dictionary", "OSBundleLibraries",
                   plist_type_name(libraries));
    }
    for (size_t i = 0; i < plist_count(libraries); i++) {
        const char *identifier = plist_key_at(libraries, i);
        kpi |= strncmp(identifier, KPI_PREFIX, strlen(KPI_PREFIX)) == 0;
        kernel |= strncmp(identifier, KERNEL_PREFIX, strlen(KERNEL_PREFIX)) == 0;
        if (read_library(bundle, identifier, plist_value_at(libraries, i), release, error) != 0) {
            return -1;
        }
    }
    if (kpi && kernel) {
        return bad(error, "Info.plist: OSBundleLibraries mixes %s* and %s*", KPI_PREFIX,
                   KERNEL_PREFIX);
    }
    return 0;
}

static int read_personalities(struct bundle *bundle, struct loader_error *error) {
    const struct plist *personalities = architecture_value(bundle->info, "IOKitPersonalities");
    if (personalities == NULL) {
        return 0;
    }
    if (!plist_is(personalities, PLIST_DICTIONARY)) {
        return bad(error, "Info.plist: %s is a %s, not a dictionary", "IOKitPersonalities",
                   plist_type_name(personalities));
    }
    for (size_t i = 0; i < plist_count(personalities); i++) {
        if (!plist_is(plist_value_at(personalities, i), PLIST_DICTIONARY)) {
            return bad(error, "Info.plist: personality %s is a %s, not a dictionary",
                       plist_key_at(personalities, i),
                       plist_type_name(plist_value_at(personalities, i)));
        }
    }
    bundle->personalities = personalities;
    return 0;
}

/* CFBundleExecutable must be a plain file name. */
static int read_executable(struct bundle *bundle, const char *folder,
                           struct loader_error *error) {
    const struct plist *value = plist_get(bundle->info, "CFBundleExecutable");
    if (value == NULL) {
        return 0;
    }
    const char *name = string_value(value, "CFBundleExecutable", 255, error);
    if (name == NULL) {
        return -1;
    }
    if (strchr(name, '/') != NULL || name[0] == '.') {
        return bad(error, "Info.plist: %s \"%s\" is not a file name", "CFBundleExecutable", name);
    }
    if (bundle->library_count == 0) {
        return bad(error, "Info.plist: %s is needed, because there is an executable%s",
                   "OSBundleLibraries", "");
    }
    if (folder != NULL && asprintf(&bundle->executable, "%s/%s", folder, name) < 0) {
        bundle->executable = NULL;
        return loader_fail(error, MACHINE_EXIT_FAILURE, "no memory");
    }
    return 0;
}

static int read_info(struct bundle *bundle, const char *path, const void *text, size_t size,
                     uint32_t release, const char *executables, struct loader_error *error) {
    struct plist_diagnostic problem;
    memset(bundle, 0, sizeof *bundle);
    bundle->path = strdup(path);
    bundle->info = plist_parse_xml(text, size, NULL, &problem);
    int result = 0;
    if (bundle->path == NULL) {
        result = loader_fail(error, MACHINE_EXIT_FAILURE, "no memory");
    } else if (bundle->info == NULL) {
        result = loader_fail(error, MACHINE_EXIT_KEXT, "Info.plist, line %u: %s", problem.line,
                             problem.text);
    } else if (!plist_is(bundle->info, PLIST_DICTIONARY)) {
        result = bad(error, "Info.plist is a %s, not a dictionary%s",
                     plist_type_name(bundle->info), "");
    }
    if (result != 0 || read_identity(bundle, release, error) != 0 ||
        read_compatible(bundle, release, error) != 0 ||
        read_libraries(bundle, release, error) != 0 || read_personalities(bundle, error) != 0 ||
        read_executable(bundle, executables, error) != 0) {
        bundle_close(bundle);
        return -1;
    }
    return 0;
}

int bundle_from_plist(struct bundle *bundle, const char *path, const void *text, size_t size,
                      uint32_t release, struct loader_error *error) {
    if (read_info(bundle, path, text, size, release, NULL, error) != 0) {
        loader_error_prefix(error, path);
        return -1;
    }
    return 0;
}

/* Reads the plist of a bundle with this layout; 1: there is none. */
static int open_layout(struct bundle *bundle, const char *path, const char *info_name,
                       const char *executables_name, uint32_t release,
                       struct loader_error *error) {
    char info[4096], executables[4096];
    uint8_t *text;
    size_t size;
    snprintf(info, sizeof info, "%s/%s", path, info_name);
    snprintf(executables, sizeof executables, "%s/%s", path, executables_name);
    int status = machine_file_read(info, INFO_SIZE_MAX, &text, &size);
    if (status == -ENOENT) {
        return 1;
    }
    if (status != 0) {
        return bad(error, "cannot read %s: %s", info_name, machine_error_text(status));
    }
    int result = read_info(bundle, path, text, size, release, executables, error);
    machine_file_free(text);
    return result;
}

int bundle_open(struct bundle *bundle, const char *path, uint32_t release,
                struct loader_error *error) {
    int result;
    if (strlen(path) > 3000) {
        return loader_fail(error, MACHINE_EXIT_KEXT, "the path of the bundle is too long");
    }
    if (!machine_is_directory(path)) {
        result = loader_fail(error, MACHINE_EXIT_KEXT, "there is no kext bundle");
    } else {
        result = open_layout(bundle, path, "Contents/Info.plist", "Contents/MacOS", release,
                             error);
        if (result == 1) {
            result = open_layout(bundle, path, "Info.plist", ".", release, error);
        }
        if (result == 1) {
            result = loader_fail(error, MACHINE_EXIT_KEXT,
                                 "not a kext bundle: it has no Contents/Info.plist");
        }
    }
    if (result != 0) {
        loader_error_prefix(error, path);
    }
    return result;
}

void bundle_close(struct bundle *bundle) {
    plist_release(bundle->info);
    free(bundle->path);
    free(bundle->executable);
    memset(bundle, 0, sizeof *bundle);
}
