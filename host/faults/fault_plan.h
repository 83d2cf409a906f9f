/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Faults on demand: a plan is a list of rules, each saying what goes wrong with which messages or
 * packets, and when. All randomness comes from the plan's seed, so a run can be repeated.
 *
 * A rule in words, as on a command line (fault_plan_add):
 *
 *   message,delay=10000,type=6,nth=2     the 2nd OPEN_RESULT comes 1 ms late
 *   message,drop,type=12                 GPADL_TORNDOWN never comes
 *   post,fail,type=5,channel=3           channel 3 cannot be opened
 *   post,refuse=0x13,percent=10          a tenth of the guest's posts find no buffer
 *   completion,duplicate,nth=5,times=1   the 5th completion comes twice
 *   packet,corrupt,percent=1             a bit is wrong in a hundredth of packets to the guest
 *
 * Subjects: message (host -> guest control message), post (guest -> host control message), packet
 * (host -> guest, not a completion), completion (host -> guest), request (guest -> host packet).
 * Actions: drop, delay=TIME (100 ns units), duplicate, reorder (let the next one pass), truncate=
 * BYTES (keep that many), corrupt (flip a random bit; or corrupt=OFFSET that byte), refuse=STATUS
 * (posts: what the hypercall returns), fail (posts: answered with failure, where the request has
 * such an answer), rescind (remove the device that the message or packet concerns).
 * When: type=N (message or packet type), channel=N, nth=N (from the Nth match on), times=N (fire
 * at most N times), percent=N (chance). A rule without "when" always fires.
 */
#ifndef HOST_FAULTS_FAULT_PLAN_H
#define HOST_FAULTS_FAULT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAULT_RULES_MAX = 32 };

enum fault_subject {
    FAULT_MESSAGE,
    FAULT_POST,
    FAULT_PACKET,
    FAULT_COMPLETION,
    FAULT_REQUEST,
};

enum fault_action {
    FAULT_DROP,
    FAULT_DELAY,
    FAULT_DUPLICATE,
    FAULT_REORDER,
    FAULT_TRUNCATE,
    FAULT_CORRUPT,
    FAULT_REFUSE,
    FAULT_FAIL,
    FAULT_RESCIND,
};

struct fault_rule {
    enum fault_subject subject;
    enum fault_action action;
    bool has_argument;
    uint64_t argument; /* time, bytes, offset or status */
    uint32_t type;     /* 0: any */
    uint32_t channel;  /* 0: any */
    uint64_t nth;      /* 0 and 1: from the first match on */
    uint64_t times;    /* 0: without end */
    uint32_t percent;  /* 0: always */
    uint64_t matched;
    uint64_t fired;
};

struct fault_plan {
    struct fault_rule rules[FAULT_RULES_MAX];
    unsigned count;
    uint64_t random; /* state of the generator */
};

/* What the rules that fired ask for, all together. */
struct fault_outcome {
    bool drop;
    bool duplicate;
    bool reorder;
    bool rescind;
    bool fail;
    uint64_t delay;  /* 100 ns; 0: none */
    uint32_t status; /* posts: HV_STATUS_* for the guest, 0: none */
};

void fault_plan_initialise(struct fault_plan *plan, uint64_t seed);

/*
 * Adds a rule in words. Returns 0, -EINVAL (with *problem naming the word that is wrong, in `text`
 * itself) or -ENOSPC.
 */
int fault_plan_add(struct fault_plan *plan, const char *text, const char **problem);

/*
 * Applies the plan to `length` bytes: truncates and corrupts them in place, and says what else is
 * to happen. The length stays a multiple of `multiple` and not below `minimum`; what is corrupted
 * at random lies behind `minimum`.
 */
struct fault_outcome fault_plan_apply(struct fault_plan *plan, enum fault_subject subject,
                                      uint32_t type, uint32_t channel, uint8_t *bytes,
                                      size_t *length, size_t minimum, size_t multiple);

/* How often rule `index` has fired. */
uint64_t fault_plan_fired(const struct fault_plan *plan, unsigned index);

#endif
