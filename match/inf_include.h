/* SPDX-License-Identifier: BSD-3-Clause */
/* INF files that sections of another lean on: "Include = file[, file]..." names them, "Needs =
 * section[, section]..." sections in them (Microsoft: "INF DDInstall Section"). Windows has most of
 * them in %SystemRoot%\INF; here they are looked for in the folder of the file that names them. */
#ifndef MACHV_MATCH_INF_INCLUDE_H
#define MACHV_MATCH_INF_INCLUDE_H

#include "match/inf_models.h"

/* What was looked for so far; each file is opened once. Zeroed to begin with. */
struct inf_includes {
    struct inf_include {
        char *folder;
        char *name;         /* as first written */
        struct inf *inf;    /* NULL: it is not there, or no INF */
    } *list;
    size_t count;
    size_t capacity;
};

/* The file `name` in the folder of `from`, without regard to case. NULL: it is not there, which is
 * no error; or it is no INF, or `name` is a path, which are in `problems`. The result is
 * `includes`'s. */
const struct inf *inf_include(struct inf_includes *includes, const struct inf *from,
                              const char *name, const struct inf_options *options,
                              struct problems *problems);
void inf_includes_clear(struct inf_includes *includes);

/* The section `needed` of one that `section` of `inf` needs: in a file that `section` includes, in
 * `inf` itself (where it includes none), or in one that such a file includes in a section of that
 * name in turn. *home: the file. NULL: in none that is there. */
const struct inf_section *inf_needed(struct inf_includes *includes, const struct inf *inf,
                                     const struct inf_section *section, const char *needed,
                                     const struct inf_options *options, struct problems *problems,
                                     const struct inf **home);

/* As inf_service() and inf_service_binary(), but also of sections that the install section's
 * services need. Both for free(), NULL when none. */
void inf_service_with_needs(struct inf_includes *includes, const struct inf *inf,
                            const char *install, const char *architecture,
                            const struct inf_options *options, struct problems *problems,
                            char **service, char **binary);

#endif
