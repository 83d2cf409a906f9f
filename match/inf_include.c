/* SPDX-License-Identifier: BSD-3-Clause */
/* INF files that others include. */
#include "match/inf_include.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- Files ---- */

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + (slash == path));
}

/* The name of the file as the folder has it, for free(); NULL: there is none. */
static char *find_name(const char *folder, const char *name)
{
    DIR *directory = opendir(folder);
    const struct dirent *entry;
    char *found = NULL;

    while (directory != NULL && found == NULL && (entry = readdir(directory)) != NULL)
        if (strcasecmp(entry->d_name, name) == 0)
            found = strdup(entry->d_name);
    if (directory != NULL)
        closedir(directory);
    return found;
}

static struct inf *open_beside(const char *folder, const char *name,
                               const struct inf_options *options, struct problems *problems)
{
    char *real = find_name(folder, name);
    char *path = NULL;
    struct inf *inf = NULL;

    if (real != NULL && asprintf(&path, "%s/%s", folder, real) >= 0)
        inf = inf_load(strcmp(folder, ".") == 0 ? real : path, options, problems);
    free(path);
    free(real);
    return inf;
}

static struct inf_include *add(struct inf_includes *includes)
{
    if (includes->count == includes->capacity) {
        size_t capacity = includes->capacity == 0 ? 8 : 2 * includes->capacity;
        struct inf_include *list = realloc(includes->list, capacity * sizeof *list);

        if (list == NULL)
            return NULL;
        includes->list = list;
        includes->capacity = capacity;
    }
    includes->list[includes->count] = (struct inf_include){ NULL };
    return &includes->list[includes->count++];
}

static const struct inf_include *find(const struct inf_includes *includes, const char *folder,
                                      const char *name)
{
    size_t index;

    for (index = 0; index < includes->count; index++)
        if (strcmp(includes->list[index].folder, folder) == 0 &&
            strcasecmp(includes->list[index].name, name) == 0)
            return &includes->list[index];
    return NULL;
}

const struct inf *inf_include(struct inf_includes *includes, const struct inf *from,
                              const char *name, const struct inf_options *options,
                              struct problems *problems)
{
    char *folder = folder_of(from->path);
    const struct inf_include *known = folder == NULL ? NULL : find(includes, folder, name);
    struct inf_include *include;

    if (folder == NULL || known != NULL) {
        free(folder);
        return known == NULL ? NULL : known->inf;
    }
    include = add(includes);
    if (include == NULL) {
        free(folder);
        return NULL;
    }
    include->folder = folder;
    include->name = strdup(name);
    if (strpbrk(name, "/\\") != NULL)
        problems_add(problems, PROBLEM_WARNING, from->path, 0,
                     "includes \"%s\", which is a path: Windows takes names of files only", name);
    else if (include->name != NULL)
        include->inf = open_beside(folder, name, options, problems);
    if (include->name == NULL)
        includes->count--, free(folder);
    return include->inf;
}

void inf_includes_clear(struct inf_includes *includes)
{
    size_t index;

    for (index = 0; index < includes->count; index++) {
        free(includes->list[index].folder);
        free(includes->list[index].name);
        inf_free(includes->list[index].inf);
    }
    free(includes->list);
    *includes = (struct inf_includes){ NULL };
}

/* ---- Sections ---- */

enum { DEPTH_MAX = 8 };     /* of files that include files; deeper ones are taken for a circle */

static const struct inf_section *needed(struct inf_includes *includes, const struct inf *inf,
                                        const struct inf_section *section, const char *name,
                                        const struct inf_options *options,
                                        struct problems *problems, const struct inf **home,
                                        unsigned depth)
{
    const struct inf_entry *entry = inf_entry(section, "Include");
    const struct inf_section *found = entry == NULL ? inf_section(inf, name) : NULL;
    size_t index;

    if (found != NULL)
        *home = inf;
    for (index = 0; entry != NULL && found == NULL && index < entry->count; index++) {
        const struct inf *file =
            inf_include(includes, inf, entry->values[index], options, problems);

        found = file == NULL ? NULL : inf_section(file, name);
        if (found != NULL)
            *home = file;
    }
    /* A needed section that itself only needs another one. */
    if (found != NULL && found != section && depth < DEPTH_MAX &&
        inf_value(found, "AddService", 0) == NULL && inf_value(found, "Needs", 0) != NULL) {
        const struct inf *further_home = NULL;
        const struct inf_section *further =
            needed(includes, *home, found, inf_value(found, "Needs", 0), options, problems,
                   &further_home, depth + 1);

        if (further != NULL) {
            *home = further_home;
            return further;
        }
    }
    return found;
}

const struct inf_section *inf_needed(struct inf_includes *includes, const struct inf *inf,
                                     const struct inf_section *section, const char *name,
                                     const struct inf_options *options, struct problems *problems,
                                     const struct inf **home)
{
    *home = NULL;
    return needed(includes, inf, section, name, options, problems, home, 0);
}

/* ---- Services ---- */

void inf_service_with_needs(struct inf_includes *includes, const struct inf *inf,
                            const char *install, const char *architecture,
                            const struct inf_options *options, struct problems *problems,
                            char **service, char **binary)
{
    const struct inf_section *section =
        inf_install_section(inf, install, architecture, ".Services");
    const struct inf_entry *needs = section == NULL ? NULL : inf_entry(section, "Needs");
    size_t index;

    *service = inf_service(inf, install, architecture);
    *binary = inf_service_binary(inf, install, architecture);
    for (index = 0; needs != NULL && *service == NULL && index < needs->count; index++) {
        const struct inf *home;
        const struct inf_section *found =
            inf_needed(includes, inf, section, needs->values[index], options, problems, &home);

        if (found == NULL)
            continue;
        free(*binary);
        *service = inf_section_service(home, found);
        *binary = inf_section_service_binary(home, found);
    }
}
