/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/libraries.h"

#include "match/release.h"
#include "match/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CYCLE_DEPTH_MAX = 64 };

/* KPI bundles have the Darwin version; what they are compatible down to never changed. */
struct kpi {
    const char *identifier;
    const char *compatible_version;
};

static const struct kpi kpis[] = {
    { "com.apple.kpi.bsd", "8.0.0b1" },     { "com.apple.kpi.dsep", "8.0.0b1" },
    { "com.apple.kpi.iokit", "7.0" },       { "com.apple.kpi.kasan", "8.0.0b1" },
    { "com.apple.kpi.libkern", "8.0.0d0" }, { "com.apple.kpi.mach", "8.0.0d0" },
    { "com.apple.kpi.private", "8.0.0b1" }, { "com.apple.kpi.unsupported", "8.0.0b1" },
};

/* The component kexts of 32-bit systems. */
static const struct kpi components[] = {
    { "com.apple.kernel.bsd", "1.1" },     { "com.apple.kernel.iokit", "1.0.0b1" },
    { "com.apple.kernel.libkern", "1.1" }, { "com.apple.kernel.mach", "1.0.0b1" },
    { "com.apple.kernel.6.0", "1.0.0b1" },
};

bool library_is_usable(enum library_status status)
{
    return status == LIBRARY_FOUND || status == LIBRARY_BUILT_IN || status == LIBRARY_NOT_GIVEN ||
           status == LIBRARY_UNKNOWN_VERSION;
}

const char *library_status_text(enum library_status status)
{
    static const char *const texts[] = {
        [LIBRARY_FOUND] = "found",
        [LIBRARY_BUILT_IN] = "part of the kernel",
        [LIBRARY_NOT_GIVEN] = "an Apple bundle that was not given: not checked",
        [LIBRARY_MISSING] = "missing",
        [LIBRARY_BAD_VERSION] = "the requested version is no version",
        [LIBRARY_UNKNOWN_VERSION] = "a version is an unexpanded build variable",
        [LIBRARY_TOO_OLD] = "what is there is older than requested",
        [LIBRARY_NOT_COMPATIBLE] =
            "what is there is no longer compatible with the requested version",
        [LIBRARY_NOT_A_LIBRARY] =
            "has no OSBundleCompatibleVersion, so nothing can link against it",
        [LIBRARY_REFUSED] = "may not be linked against: use the com.apple.kpi bundles",
    };

    return texts[status];
}

const struct kext *libraries_find(const struct kext_set *set, const char *identifier)
{
    const struct kext *best = NULL;
    size_t index;

    for (index = 0; index < set->count; index++) {
        const struct kext *kext = set->kexts[index];

        if (strcmp(kext->identifier, identifier) == 0 &&
            (best == NULL || kext->version >= best->version))
            best = kext;
    }
    return best;
}

static enum library_status compare(const struct library *library, int64_t requested)
{
    if (requested > library->version)
        return LIBRARY_TOO_OLD;
    return requested < library->compatible_version ? LIBRARY_NOT_COMPATIBLE : LIBRARY_FOUND;
}

static const struct kpi *find_row(const struct kpi *rows, size_t count, const char *identifier)
{
    size_t index;

    for (index = 0; index < count; index++)
        if (strcmp(rows[index].identifier, identifier) == 0)
            return &rows[index];
    return NULL;
}

/* Bundles that are the kernel itself. Returns false when the identifier is none of them. */
static bool resolve_kernel(struct library *library, const char *architecture, unsigned release,
                           int64_t requested)
{
    const struct kpi *kpi = find_row(kpis, sizeof kpis / sizeof *kpis, library->identifier);
    char darwin[16];

    if (kpi == NULL &&
        strncmp(library->identifier, "com.apple.kernel", strlen("com.apple.kernel")) == 0) {
        kpi = find_row(components, sizeof components / sizeof *components, library->identifier);
        if (kpi == NULL || strcmp(architecture, "i386") != 0) {
            library->status = LIBRARY_REFUSED;
            return true;
        }
        library->version = version_parse("7.9.9");
    } else if (kpi != NULL) {
        snprintf(darwin, sizeof darwin, "%u.99.99", release_darwin(release));
        library->version = version_parse(darwin); /* minor updates of a release count too */
    } else {
        return false;
    }
    library->compatible_version = version_parse(kpi->compatible_version);
    library->status = compare(library, requested);
    library->kernel_differs = library->status == LIBRARY_NOT_COMPATIBLE;
    if (library->status == LIBRARY_FOUND)
        library->status = LIBRARY_BUILT_IN;
    return true;
}

static void resolve_kext(const struct kext_set *set, struct library *library, int64_t requested)
{
    const struct kext *kext = libraries_find(set, library->identifier);

    library->kext = kext;
    if (kext == NULL) {
        library->status = strncmp(library->identifier, "com.apple.", strlen("com.apple.")) == 0
                              ? LIBRARY_NOT_GIVEN
                              : LIBRARY_MISSING;
        return;
    }
    library->version = kext->version;
    library->compatible_version = kext->compatible_version;
    if (kext_string(kext, "OSBundleCompatibleVersion") == NULL)
        library->status = LIBRARY_NOT_A_LIBRARY;
    else if (kext->version == VERSION_INVALID || kext->compatible_version == VERSION_INVALID)
        library->status = LIBRARY_UNKNOWN_VERSION;
    else
        library->status = compare(library, requested);
    library->kernel_differs = library->status == LIBRARY_NOT_COMPATIBLE;
}

struct library *libraries_resolve(const struct kext_set *set, const struct kext *kext,
                                  const char *architecture, unsigned release, size_t *count)
{
    const struct plist *wanted = kext_value(kext, "OSBundleLibraries", architecture);
    struct library *libraries;
    size_t index;

    *count = plist_is(wanted, PLIST_DICTIONARY) ? plist_count(wanted) : 0;
    libraries = *count == 0 ? NULL : calloc(*count, sizeof *libraries);
    if (libraries == NULL)
        *count = 0;
    for (index = 0; index < *count; index++) {
        struct library *library = &libraries[index];
        const char *requested = plist_string(plist_value_at(wanted, index));
        int64_t version = version_parse(requested);

        library->identifier = plist_key_at(wanted, index);
        library->requested = requested == NULL ? "" : requested;
        library->version = VERSION_INVALID;
        library->compatible_version = VERSION_INVALID;
        if (text_has_build_variable(requested) || text_has_build_variable(library->identifier))
            library->status = LIBRARY_UNKNOWN_VERSION;
        else if (version == VERSION_INVALID)
            library->status = LIBRARY_BAD_VERSION;
        else if (!resolve_kernel(library, architecture == NULL ? "x86_64" : architecture, release,
                                 version))
            resolve_kext(set, library, version);
    }
    return libraries;
}

struct walk {
    const struct kext_set *set;
    const char *architecture;
    const struct kext *goal;
    const struct kext *path[CYCLE_DEPTH_MAX];
    size_t depth;
    bool *visited;
};

static size_t position_of(const struct kext_set *set, const struct kext *kext)
{
    size_t index = 0;

    while (index < set->count && set->kexts[index] != kext)
        index++;
    return index;
}

static bool walk(struct walk *state, const struct kext *kext)
{
    const struct plist *wanted = kext_value(kext, "OSBundleLibraries", state->architecture);
    size_t index;

    if (state->depth == CYCLE_DEPTH_MAX || !plist_is(wanted, PLIST_DICTIONARY))
        return false;
    state->path[state->depth++] = kext;
    for (index = 0; index < plist_count(wanted); index++) {
        const struct kext *next = libraries_find(state->set, plist_key_at(wanted, index));
        size_t position;

        if (next == NULL)
            continue;
        if (next == state->goal)
            return true;
        position = position_of(state->set, next);
        if (state->visited[position])
            continue;
        state->visited[position] = true;
        if (walk(state, next))
            return true;
    }
    state->depth--;
    return false;
}

bool libraries_find_cycle(const struct kext_set *set, const struct kext *kext,
                          const char *architecture, char *chain, size_t chain_size)
{
    struct walk state = {
        set, architecture, kext, { NULL }, 0, calloc(set->count + 1, sizeof(bool))
    };
    size_t length = 0;
    size_t index;
    bool found = state.visited != NULL && walk(&state, kext);

    free(state.visited);
    for (index = 0; found && index < state.depth && length < chain_size; index++)
        length += (size_t)snprintf(chain + length, chain_size - length, "%s -> ",
                                   state.path[index]->identifier);
    if (found && length < chain_size)
        snprintf(chain + length, chain_size - length, "%s", kext->identifier);
    return found;
}
