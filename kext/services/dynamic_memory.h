/* SPDX-License-Identifier: BSD-3-Clause */
/* Dynamic memory: the guest says how it is off for memory, and takes part in nothing else: macOS
 * can
 * neither give pages away for good nor take new memory while it runs, so it offers neither, and
 * what
 * a host asks for all the same is declined in due form. The guest speaks first.
 * Sources: Linux hv_balloon, Windows symbols. No I/O Kit, no clock. */
#ifndef KEXT_SERVICES_DYNAMIC_MEMORY_H
#define KEXT_SERVICES_DYNAMIC_MEMORY_H

#include "kext/core/errors.h"
#include "protocol/integration.h"

enum dynamic_memory_state {
    DYNAMIC_MEMORY_ASKING,          /* a version was proposed */
    DYNAMIC_MEMORY_INTRODUCING,     /* the capabilities were sent */
    DYNAMIC_MEMORY_READY,           /* reports may be sent */
    DYNAMIC_MEMORY_FAILED           /* the host wants none of our versions, or of us */
};

struct dynamic_memory_figures {     /* pages of 4096 bytes */
    uint64_t total;
    uint64_t available;
};

struct dynamic_memory {
    enum dynamic_memory_state state;
    uint32_t version;               /* proposed, or agreed: DYNAMIC_MEMORY_VERSION_* */
    uint32_t version_index;
    uint32_t transaction_id;
    uint64_t total_pages;
    uint64_t declined;              /* requests to balloon or to add memory */
    uint64_t reports;
    uint64_t malformed;
};

/* The longest message that either function below writes. */
#define DYNAMIC_MEMORY_MESSAGE_MAXIMUM 48u

/* The first message. Returns its length. */
uint32_t dynamic_memory_begin(struct dynamic_memory *memory, uint64_t total_pages, void *message);

/* Takes a message of the host's (private memory) and writes what is to be sent for it. Returns its
 * length; 0: nothing; HV_ERROR_MALFORMED (dropped), HV_ERROR_UNEXPECTED (not now; dropped). */
int dynamic_memory_receive(struct dynamic_memory *memory, const void *message, uint32_t length,
                           void *answer);

/* The report that is due every second in the state READY. Returns its length. */
uint32_t dynamic_memory_report(struct dynamic_memory *memory,
                               const struct dynamic_memory_figures *figures, void *message);

#endif
