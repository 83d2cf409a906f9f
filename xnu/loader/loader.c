/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The set of kexts.
 */
#include "xnu/loader/loader.h"

#include <stdlib.h>
#include <string.h>

#include "xnu/loader/version.h"
#include "xnu/machine/files.h"

#define PRIVATE_KPI "com.apple.kpi.private"
#define APPLE_PREFIX "com.apple."

enum entry_state { ENTRY_KNOWN, ENTRY_LOADING, ENTRY_STARTED };

struct entry {
    struct bundle bundle;
    struct kext kext; /* kext.memory NULL: not loaded, or plist only */
    enum entry_state state;
    unsigned start_order; /* 1 for the first that was started */
};

struct loader {
    uint32_t release;
    const struct loader_kernel *kernel;
    const struct kext_runtime *runtime;
    struct entry *entries[LOADER_KEXTS_MAX];
    size_t count;
    unsigned started;
};

struct loader *loader_create(uint32_t release, const struct loader_kernel *kernel,
                             const struct kext_runtime *runtime) {
    struct loader *loader = calloc(1, sizeof *loader);
    if (loader != NULL) {
        loader->release = release;
        loader->kernel = kernel;
        loader->runtime = runtime;
    }
    return loader;
}

void loader_destroy(struct loader *loader) {
    for (size_t i = 0; i < loader->count; i++) {
        if (loader->entries[i]->kext.started) {
            continue; /* its code runs: its memory and its names must stay */
        }
        kext_unload(&loader->entries[i]->kext);
        bundle_close(&loader->entries[i]->bundle);
        free(loader->entries[i]);
    }
    free(loader);
}

static struct entry *find_entry(const struct loader *loader, const char *identifier) {
    for (size_t i = 0; i < loader->count; i++) {
        if (strcmp(loader->entries[i]->bundle.identifier, identifier) == 0) {
            return loader->entries[i];
        }
    }
    return NULL;
}

int loader_add(struct loader *loader, const char *path, struct loader_error *error) {
    struct entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL || loader->count == LOADER_KEXTS_MAX) {
        free(entry);
        return loader_fail(error, MACHINE_EXIT_FAILURE, "%s: more than %u kexts", path,
                           LOADER_KEXTS_MAX);
    }
    if (bundle_open(&entry->bundle, path, loader->release, error) != 0) {
        free(entry);
        return -1;
    }
    const struct entry *same = find_entry(loader, entry->bundle.identifier);
    if (same != NULL) {
        loader_fail(error, MACHINE_EXIT_KEXT, "%s: the kext %s was given already (%s)", path,
                    entry->bundle.identifier, same->bundle.path);
        bundle_close(&entry->bundle);
        free(entry);
        return -1;
    }
    loader->entries[loader->count++] = entry;
    return 0;
}

const struct bundle *loader_bundle(const struct loader *loader, size_t index) {
    return index < loader->count ? &loader->entries[index]->bundle : NULL;
}

const struct kext *loader_kext(const struct loader *loader, const char *identifier) {
    const struct entry *entry = find_entry(loader, identifier);
    return entry != NULL && entry->kext.memory != NULL ? &entry->kext : NULL;
}

bool loader_is_started(const struct loader *loader, const char *identifier) {
    const struct entry *entry = find_entry(loader, identifier);
    return entry != NULL && entry->state == ENTRY_STARTED;
}

/* ---- libraries ------------------------------------------------------------------------------ */

/* All libraries of one kext: those it names, and those of the kexts it names. */
struct library_list {
    struct link_library libraries[BUNDLE_LIBRARIES_MAX * 4];
    size_t count;
};

static int add_library(struct library_list *list, const struct symbol_source *source,
                       const char *component, bool direct, struct loader_error *error) {
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->libraries[i].component, component) == 0) {
            list->libraries[i].direct |= direct;
            return 0;
        }
    }
    if (list->count == sizeof list->libraries / sizeof list->libraries[0]) {
        return loader_fail(error, MACHINE_EXIT_LINK, "it needs too many libraries");
    }
    list->libraries[list->count++] = (struct link_library){source, component, direct};
    return 0;
}

static int check_version(const struct bundle_library *wanted, uint64_t version,
                         const char *version_text, uint64_t compatible,
                         struct loader_error *error) {
    if (compatible == KEXT_VERSION_INVALID) {
        return loader_fail(error, MACHINE_EXIT_LINK,
                           "library %s has no OSBundleCompatibleVersion: nothing can link "
                           "against it",
                           wanted->identifier);
    }
    if (wanted->version < compatible || wanted->version > version) {
        return loader_fail(error, MACHINE_EXIT_LINK,
                           "library %s %s does not fit: version %s is wanted",
                           wanted->identifier, version_text, wanted->version_text);
    }
    return 0;
}

static int kernel_library(const struct loader *loader, const struct bundle *bundle,
                          const struct bundle_library *wanted, const char *version,
                          const char *compatible, struct library_list *list, bool direct,
                          struct loader_error *error) {
    if (strcmp(wanted->identifier, PRIVATE_KPI) == 0 &&
        strncmp(bundle->identifier, APPLE_PREFIX, strlen(APPLE_PREFIX)) != 0) {
        return loader_fail(error, MACHINE_EXIT_LINK, "library %s is open to Apple's kexts only",
                           PRIVATE_KPI);
    }
    if (check_version(wanted, kext_version_parse(version, loader->release), version,
                      kext_version_parse(compatible, loader->release), error) != 0) {
        return -1;
    }
    return add_library(list, &loader->kernel->symbols, wanted->identifier, direct, error);
}

static int load_entry(struct loader *loader, struct entry *entry, struct loader_error *error);
static int collect_libraries(struct loader *loader, const struct bundle *bundle, bool direct,
                             struct library_list *list, struct loader_error *error);

static int kext_library(struct loader *loader, const struct bundle_library *wanted,
                        struct library_list *list, bool direct, struct loader_error *error) {
    struct entry *entry = find_entry(loader, wanted->identifier);
    if (entry == NULL) {
        return loader_fail(error, MACHINE_EXIT_LINK,
                           "library %s %s is neither in the kernel nor among the given kexts",
                           wanted->identifier, wanted->version_text);
    }
    if (check_version(wanted, entry->bundle.version, entry->bundle.version_text,
                      entry->bundle.compatible_version, error) != 0 ||
        load_entry(loader, entry, error) != 0) {
        return -1;
    }
    if (entry->kext.memory != NULL &&
        add_library(list, &entry->kext.exports, wanted->identifier, direct, error) != 0) {
        return -1;
    }
    /* The tables of its own libraries count too. It is loaded, so they make no circle. */
    return collect_libraries(loader, &entry->bundle, false, list, error);
}

static int collect_libraries(struct loader *loader, const struct bundle *bundle, bool direct,
                             struct library_list *list, struct loader_error *error) {
    for (size_t i = 0; i < bundle->library_count; i++) {
        const struct bundle_library *wanted = &bundle->libraries[i];
        const char *version, *compatible;
        int result;
        if (loader->kernel->library(loader->kernel->symbols.context, wanted->identifier, &version,
                                    &compatible)) {
            result = kernel_library(loader, bundle, wanted, version, compatible, list, direct,
                                    error);
        } else {
            result = kext_library(loader, wanted, list, direct, error);
        }
        if (result != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- loading -------------------------------------------------------------------------------- */

static int load_code(struct loader *loader, struct entry *entry, const struct library_list *list,
                     struct loader_error *error) {
    struct kext_load_request request = {
        .identifier = entry->bundle.identifier,
        .version = entry->bundle.version_text,
        .libraries = list->libraries,
        .library_count = list->count,
        .release = loader->release,
    };
    int status = machine_file_read(entry->bundle.executable, MACHO_FILE_SIZE_MAX, &request.file,
                                   &request.size);
    if (status != 0) {
        return loader_fail(error, MACHINE_EXIT_KEXT, "cannot read %s: %s",
                           entry->bundle.executable, machine_error_text(status));
    }
    if (kext_load(&entry->kext, &request, error) != 0) {
        return -1;
    }
    if (kext_start(&entry->kext, loader->runtime, error) != 0) {
        kext_unload(&entry->kext);
        return -1;
    }
    return 0;
}

static int load_entry(struct loader *loader, struct entry *entry, struct loader_error *error) {
    struct library_list *list;
    if (entry->state == ENTRY_STARTED) {
        return 0;
    }
    if (entry->state == ENTRY_LOADING) {
        return loader_fail(error, MACHINE_EXIT_LINK,
                           "%s: its libraries depend on itself in a circle",
                           entry->bundle.identifier);
    }
    list = calloc(1, sizeof *list);
    if (list == NULL) {
        return loader_fail(error, MACHINE_EXIT_FAILURE, "no memory");
    }
    entry->state = ENTRY_LOADING;
    bool failed_before = error->status != 0;
    int result = collect_libraries(loader, &entry->bundle, true, list, error);
    if (result == 0 && entry->bundle.executable != NULL) {
        result = load_code(loader, entry, list, error);
    }
    free(list);
    entry->state = result == 0 ? ENTRY_STARTED : ENTRY_KNOWN;
    if (result == 0) {
        entry->start_order = ++loader->started;
    } else if (!failed_before && strncmp(error->text, entry->bundle.identifier,
                                         strlen(entry->bundle.identifier)) != 0) {
        loader_error_prefix(error, entry->bundle.identifier);
    }
    return result;
}

int loader_load(struct loader *loader, const char *identifier, struct loader_error *error) {
    struct entry *entry = find_entry(loader, identifier);
    if (entry == NULL) {
        return loader_fail(error, MACHINE_EXIT_KEXT, "%s: no such kext was given", identifier);
    }
    return load_entry(loader, entry, error);
}

/* ---- unloading ------------------------------------------------------------------------------ */

/* A started kext that names the other one as its library, NULL: none. */
static const struct entry *user_of(const struct loader *loader, const struct entry *library) {
    for (size_t i = 0; i < loader->count; i++) {
        const struct entry *entry = loader->entries[i];
        for (size_t j = 0; entry->state == ENTRY_STARTED && j < entry->bundle.library_count;
             j++) {
            if (strcmp(entry->bundle.libraries[j].identifier, library->bundle.identifier) == 0) {
                return entry;
            }
        }
    }
    return NULL;
}

static int unload_entry(struct loader *loader, struct entry *entry, struct loader_error *error) {
    const struct entry *user = user_of(loader, entry);
    if (user != NULL) {
        return loader_fail(error, MACHINE_EXIT_START, "%s: %s links against it",
                           entry->bundle.identifier, user->bundle.identifier);
    }
    struct loader_error own = {0};
    if (kext_stop(&entry->kext, loader->runtime, &own) != 0) {
        return loader_fail(error, own.status, "%s: %s", entry->bundle.identifier, own.text);
    }
    kext_unload(&entry->kext);
    entry->state = ENTRY_KNOWN;
    return 0;
}

size_t loader_unload_all(struct loader *loader, struct loader_error *error) {
    size_t stay = 0;
    for (unsigned order = loader->started; order != 0; order--) {
        for (size_t i = 0; i < loader->count; i++) {
            struct entry *entry = loader->entries[i];
            if (entry->state == ENTRY_STARTED && entry->start_order == order) {
                stay += unload_entry(loader, entry, error) != 0;
            }
        }
    }
    return stay;
}
