/* SPDX-License-Identifier: BSD-3-Clause */
/* Passive matching of one personality against one device, as xnu's IOService decides it
 * (iokit/Kernel/IOService.cpp: matchPassive, matchInternal; IOCatalogue.cpp). */
#ifndef MACHV_MATCH_PERSONALITY_H
#define MACHV_MATCH_PERSONALITY_H

#include "match/device.h"

enum { MATCH_RELEASE_NEWEST = 9999, MATCH_EXPLANATION_SIZE = 256 };

/* One checked key, for those who want to know why. `text` says what was compared with what. */
struct match_step {
    const char *key;
    enum match_answer answer;
    char text[MATCH_EXPLANATION_SIZE];
};

typedef void match_step_function(void *context, const struct match_step *step);

struct match_rules {
    unsigned release;             /* 1004 - 1015, 1100, 1200 ...; 0 means the newest */
    match_step_function *explain; /* may be NULL */
    void *context;
};

struct match_result {
    enum match_answer answer;
    int32_t
        score; /* IOProbeScore with what the family added; valid on MATCH_YES and MATCH_UNDECIDED */
    struct plist
        *name_matched; /* what IONameMatched becomes; new reference for the caller, or NULL */
};

/* Checks every key of `personality` in the kernel's order, stops at the first that fails. `rules`
 * may be NULL (newest release, silent). Does not look at IOProviderClass buckets: is_class() is
 * asked. */
struct match_result match_personality(const struct plist *personality, struct match_device device,
                                      const struct match_rules *rules);

/* The generic keys alone (IOService::matchInternal without the family's matchPropertyTable). */
struct match_result match_generic_keys(const struct plist *personality, struct match_device device,
                                       const struct match_rules *rules);

/* IOProbeScore of a personality: the low 32 bits of a number, signed; 0 when absent or of another
 * type. */
int32_t match_probe_score(const struct plist *personality);
/* IOMatchCategory, or "IODefaultMatchCategory". */
const char *match_category(const struct plist *personality);

/* One name pattern against one name: exact, or by prefix when `pattern` ends in '*' and `wildcard`.
 */
bool match_name(const char *pattern, const char *name, bool wildcard);
/* IONameMatch value against the device. Returns the name that matched as a new reference, or NULL.
 */
struct plist *match_copy_matched_name(const struct plist *patterns, struct match_device device);
/* Could one of the patterns fit a name that the device's record does not tell? */
bool match_may_have_name(const struct plist *patterns, struct match_device device);

#endif
