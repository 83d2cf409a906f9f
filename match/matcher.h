/* SPDX-License-Identifier: BSD-3-Clause */
/* Kexts against devices: all personalities in a catalogue, and for one device who wins in each
 * match category. */
#ifndef MACHV_MATCH_MATCHER_H
#define MACHV_MATCH_MATCHER_H

#include "match/bundle.h"
#include "match/device_record.h"

struct matcher {
    struct catalogue *catalogue;
    unsigned release; /* 0: newest */
    const char *architecture;
};

bool matcher_init(struct matcher *matcher, unsigned release, const char *architecture);
void matcher_clear(struct matcher *matcher);

/* Adds the personalities of all kexts of a set in order, as the kext library sends them: with the
 * identifiers of bundle and publisher put in. What cannot enter is reported. The set must outlive
 * the matcher's results. */
bool matcher_add(struct matcher *matcher, const struct kext_set *set, struct problems *problems);

enum candidate_state {
    CANDIDATE_WINNER,    /* first to be probed in its category */
    CANDIDATE_LOSER,     /* matches, but another is better */
    CANDIDATE_UNDECIDED, /* needs a field that the device's record lacks */
    CANDIDATE_NO_MATCH,
    CANDIDATE_INVALID, /* a key of a type that the kernel does not survive */
};

struct candidate {
    const struct catalogue_entry *entry;
    const struct kext *kext;
    enum candidate_state state;
    const char *category;
    const char *class_name; /* IOClass; "" when absent */
    const char *bundle;     /* CFBundleIdentifier of the personality, which names the code */
    int32_t score;
    char *name_matched;             /* IONameMatched; NULL when none */
    bool tie;                       /* another match of the category has the same score */
    const struct candidate *better; /* of a loser: who wins */
    struct match_step *steps;       /* every key that was looked at; only when asked for */
    size_t step_count;
};

struct match_outcome {
    struct candidate *candidates; /* in the order in which the kernel tries them */
    size_t count;
    size_t capacity;
};

enum match_detail {
    MATCH_DETAIL_NONE,          /* who matches */
    MATCH_DETAIL_STEPS,         /* and why: steps of those that match */
    MATCH_DETAIL_ALL,           /* and all that do not match, with the step at which they fail */
    MATCH_DETAIL_OTHER_CLASSES, /* and those whose provider class keeps them away */
};

/* Returns false when memory is out. The outcome is for match_outcome_clear(). */
bool matcher_match(const struct matcher *matcher, const struct device_record *device,
                   enum match_detail detail, struct match_outcome *outcome);
void match_outcome_clear(struct match_outcome *outcome);

/* One line: why the candidate stands where it stands. */
void candidate_why(const struct candidate *candidate, char *text, size_t size);

#endif
