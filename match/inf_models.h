/* SPDX-License-Identifier: BSD-3-Clause */
/* [Manufacturer] and models sections: which lines of an INF count for a Windows. */
#ifndef MACHV_MATCH_INF_MODELS_H
#define MACHV_MATCH_INF_MODELS_H

#include "match/inf.h"

/* "NTamd64.10.0...16299" taken apart. Fields that are absent are 0 and `has_` false. */
struct inf_decoration {
    bool valid;
    bool is_plain;         /* no decoration at all */
    char architecture[16]; /* "" when there is none */
    bool has_version;
    unsigned major;
    unsigned minor;
    unsigned product;
    unsigned suite;
    unsigned build;
};

struct inf_decoration inf_decoration_parse(const char *text);
/* Does a section with this decoration apply to the target? */
bool inf_decoration_applies(const struct inf_decoration *decoration,
                            const struct inf_target *target);

/* One line of a models section that counts. Strings are owned, tokens replaced. */
struct inf_model {
    const struct inf *inf;
    const char *section; /* as the header before the line spells it; borrowed */
    size_t line;
    char *manufacturer;
    char *description;
    char *install; /* name of the install section */
    char **ids;    /* the hardware id ("" when left empty), then compatible ids */
    size_t id_count;
};

struct inf_models {
    struct inf_model *list;
    size_t count;
    size_t capacity;
};

/* Appends the lines of every Manufacturer entry's best section, or of all its sections when
 * `target` is NULL. Warnings: undecorated sections on other than x86, sections that are missing,
 * lines without ids. False when memory is out. */
bool inf_models_collect(const struct inf *inf, const struct inf_target *target,
                        struct inf_models *models, struct problems *problems);
void inf_models_clear(struct inf_models *models);

/* An install section by its name: name.NT<arch>, name.NT, name; `suffix` ("" or ".Services") comes
 * last. */
const struct inf_section *inf_install_section(const struct inf *inf, const char *name,
                                              const char *architecture, const char *suffix);
/* FeatureScore of it, 0xff when absent. */
unsigned inf_feature_score(const struct inf *inf, const char *install, const char *architecture);
/* First service that it adds, with tokens replaced, and the binary of that service; for free(),
 * NULL when none. */
char *inf_service(const struct inf *inf, const char *install, const char *architecture);
char *inf_service_binary(const struct inf *inf, const char *install, const char *architecture);
/* The same of a services section itself (NULL: there is none). */
char *inf_section_service(const struct inf *inf, const struct inf_section *section);
char *inf_section_service_binary(const struct inf *inf, const struct inf_section *section);

#endif
