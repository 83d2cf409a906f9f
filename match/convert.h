/* SPDX-License-Identifier: BSD-3-Clause */
/* INF lines as I/O Kit personalities. */
#ifndef MACHV_MATCH_CONVERT_H
#define MACHV_MATCH_CONVERT_H

#include "match/inf_models.h"

struct convert_options {
    const char *architecture;      /* of install sections */
    const char *class_name;        /* IOClass; NULL: made from the service's name */
    const char *bundle_identifier; /* NULL: none is put in, the kext's own counts */
};

struct conversion {
    char *name; /* of the personality, unique among all */
    struct plist *personality;
    char *comment; /* what has no place in a personality: install section, service, dates, lines */
};

struct conversions {
    struct conversion *list;
    size_t count;
};

/* Translates every id of the lines. Lines of one install section that differ in one key alone share
 * a personality. What cannot be translated is in `problems`, with its line. False when memory is
 * out. */
bool convert_models(const struct inf_models *models, const struct convert_options *options,
                    struct conversions *conversions, struct problems *problems);
void conversions_clear(struct conversions *conversions);

#endif
