/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/bundle.h"

#include "match/file.h"
#include "match/version.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool text_has_build_variable(const char *text)
{
    return text != NULL && (strstr(text, "$(") != NULL || strstr(text, "${") != NULL);
}

static char *join(const char *folder, const char *name)
{
    size_t length = strlen(folder);
    char *path = NULL;

    while (length > 1 && folder[length - 1] == '/')
        length--;
    return asprintf(&path, "%.*s/%s", (int)length, folder, name) < 0 ? NULL : path;
}

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static void kext_free(struct kext *kext)
{
    if (kext == NULL)
        return;
    plist_release(kext->info);
    free(kext->path);
    free(kext->plist_path);
    free(kext);
}

void kext_set_clear(struct kext_set *set)
{
    size_t index;

    for (index = 0; index < set->count; index++)
        kext_free(set->kexts[index]);
    free(set->kexts);
    *set = (struct kext_set){ NULL };
}

static bool append(struct kext_set *set, struct kext *kext)
{
    if (set->count == set->capacity) {
        size_t capacity = set->capacity == 0 ? 16 : set->capacity * 2;
        struct kext **grown = realloc(set->kexts, capacity * sizeof *grown);

        if (grown == NULL)
            return false;
        set->kexts = grown;
        set->capacity = capacity;
    }
    set->kexts[set->count++] = kext;
    return true;
}

static void read_identity(struct kext *kext)
{
    const char *identifier = kext_string(kext, "CFBundleIdentifier");

    kext->identifier = identifier == NULL ? "" : identifier;
    kext->version = version_parse(kext_string(kext, "CFBundleVersion"));
    kext->compatible_version = version_parse(kext_string(kext, "OSBundleCompatibleVersion"));
}

static struct kext *new_kext(const char *path, const char *plist_path, struct plist *info)
{
    struct kext *kext = calloc(1, sizeof *kext);

    if (kext == NULL) {
        plist_release(info);
        return NULL;
    }
    kext->info = info;
    kext->path = strdup(path);
    kext->plist_path = strdup(plist_path);
    if (kext->path == NULL || kext->plist_path == NULL) {
        kext_free(kext);
        return NULL;
    }
    read_identity(kext);
    return kext;
}

static struct kext *add_text(struct kext_set *set, const char *text, size_t size, const char *path,
                             const char *plist_path, const struct kext_options *options,
                             struct problems *problems)
{
    struct plist *info = plist_read(text, size, plist_path, options->mode, problems);
    struct kext *kext;

    if (info == NULL)
        return NULL;
    if (!plist_is(info, PLIST_DICTIONARY)) {
        problems_add(problems, PROBLEM_ERROR, plist_path, 0,
                     "the root is of type %s, not a dictionary", plist_type_name(info));
        plist_release(info);
        return NULL;
    }
    kext = new_kext(path, plist_path, info);
    if (kext == NULL || !append(set, kext)) {
        problems_add(problems, PROBLEM_ERROR, plist_path, 0, "out of memory");
        kext_free(kext);
        return NULL;
    }
    kext->is_binary = plist_looks_binary(text, size);
    return kext;
}

struct kext *kext_set_add_text(struct kext_set *set, const char *text, size_t size,
                               const char *path, const struct kext_options *options,
                               struct problems *problems)
{
    return add_text(set, text, size, path, path, options, problems);
}

static struct kext *load_plist(struct kext_set *set, const char *path, const char *plist_path,
                               const struct kext_options *options, struct problems *problems)
{
    size_t size;
    char *text = file_read(plist_path, PLIST_SIZE_MAX, &size);
    struct kext *kext;

    if (text == NULL) {
        problems_add(problems, PROBLEM_ERROR, plist_path, 0, "cannot be read: %s", strerror(errno));
        return NULL;
    }
    kext = add_text(set, text, size, path, plist_path, options, problems);
    free(text);
    return kext;
}

/* The Info.plist of a bundle in either layout, for free(); NULL when there is none. */
static char *find_info(const char *bundle)
{
    static const char *const places[] = { "Contents/Info.plist", "Info.plist" };
    size_t index;

    for (index = 0; index < sizeof places / sizeof *places; index++) {
        char *path = join(bundle, places[index]);

        if (path != NULL && is_file(path))
            return path;
        free(path);
    }
    return NULL;
}

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text);

    while (length > 1 && text[length - 1] == '/')
        length--;
    return length >= strlen(end) && strncmp(text + length - strlen(end), end, strlen(end)) == 0;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Names in a folder, sorted, for free() each and all; NULL with *count 0 when it cannot be read. */
static char **list_folder(const char *folder, size_t *count)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    char **names = NULL;
    size_t capacity = 0;

    *count = 0;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (*count == capacity) {
            char **grown;

            capacity = capacity == 0 ? 64 : capacity * 2;
            grown = realloc(names, capacity * sizeof *grown);
            if (grown == NULL)
                break;
            names = grown;
        }
        names[*count] = strdup(entry->d_name);
        *count += names[*count] != NULL;
    }
    if (directory != NULL)
        closedir(directory);
    if (*count > 1)
        qsort(names, *count, sizeof *names, compare_names);
    return names;
}

static bool load_bundle(struct kext_set *set, const char *path, const struct kext *container,
                        const struct kext_options *options, struct problems *problems);

/* Every bundle in a folder; not those in folders below it. `strict` takes names ending in .kext
 * alone. */
static bool load_folder(struct kext_set *set, const char *folder, bool strict,
                        const struct kext *container, const struct kext_options *options,
                        struct problems *problems)
{
    size_t count;
    char **names = list_folder(folder, &count);
    bool loaded = false;
    size_t index;

    for (index = 0; index < count; index++) {
        char *path = join(folder, names[index]);
        char *info = path == NULL || strict || !is_folder(path) ? NULL : find_info(path);

        if (path != NULL && is_folder(path) && (ends_in(names[index], ".kext") || info != NULL))
            loaded |= load_bundle(set, path, container, options, problems);
        free(info);
        free(path);
        free(names[index]);
    }
    free(names);
    return loaded;
}

/* Plug-ins of plug-ins are not scanned. */
static void load_plugins(struct kext_set *set, const char *bundle, const struct kext *kext,
                         const struct kext_options *options, struct problems *problems)
{
    char *folder =
        join(bundle, strstr(kext->plist_path, "Contents/Info.plist") != NULL ? "Contents/PlugIns"
                                                                             : "PlugIns");

    if (folder != NULL && is_folder(folder))
        load_folder(set, folder, true, kext, options, problems);
    free(folder);
}

static bool load_bundle(struct kext_set *set, const char *path, const struct kext *container,
                        const struct kext_options *options, struct problems *problems)
{
    char *info = find_info(path);
    struct kext *kext;

    if (info == NULL) {
        problems_add(problems, PROBLEM_ERROR, path, 0,
                     "no Info.plist in the bundle (Contents/Info.plist)");
        return false;
    }
    kext = load_plist(set, path, info, options, problems);
    free(info);
    if (kext == NULL)
        return false;
    kext->is_bundle = true;
    kext->container = container;
    if (container == NULL && !options->without_plugins)
        load_plugins(set, path, kext, options, problems);
    return true;
}

bool kext_set_load(struct kext_set *set, const char *path, const struct kext_options *options,
                   struct problems *problems)
{
    char *info;
    bool loaded;

    if (!is_folder(path))
        return load_plist(set, path, path, options, problems) != NULL;
    info = find_info(path);
    if (info != NULL || ends_in(path, ".kext")) {
        free(info);
        return load_bundle(set, path, NULL, options, problems);
    }
    loaded = load_folder(set, path, false, NULL, options, problems);
    if (!loaded)
        problems_add(problems, PROBLEM_ERROR, path, 0, "no kext in this folder");
    return loaded;
}

const struct plist *kext_value(const struct kext *kext, const char *key, const char *architecture)
{
    const struct plist *value;
    char name[96];

    if (strncmp(key, "OS", 2) == 0 || strncmp(key, "IO", 2) == 0) {
        snprintf(name, sizeof name, "%.60s_%.30s", key,
                 architecture == NULL ? "x86_64" : architecture);
        value = plist_get(kext->info, name);
        if (value != NULL)
            return value;
    }
    return plist_get(kext->info, key);
}

const char *kext_string(const struct kext *kext, const char *key)
{
    return plist_string(plist_get(kext->info, key));
}

bool kext_has_code(const struct kext *kext)
{
    return kext_string(kext, "CFBundleExecutable") != NULL;
}

char *kext_executable_path(const struct kext *kext)
{
    const char *name = kext_string(kext, "CFBundleExecutable");
    bool deep = strstr(kext->plist_path, "Contents/Info.plist") != NULL;
    char *path = NULL;

    if (name == NULL || !kext->is_bundle || strchr(name, '/') != NULL)
        return NULL;
    return asprintf(&path, "%s/%s%s", kext->path, deep ? "Contents/MacOS/" : "", name) < 0 ? NULL
                                                                                           : path;
}
