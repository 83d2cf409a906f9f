/* SPDX-License-Identifier: BSD-3-Clause */
/* Dynamic memory. */
#include "kext/services/dynamic_memory.h"

#include "kext/core/shared_memory.h"

static const uint32_t versions[] = {
    DYNAMIC_MEMORY_VERSION_2_0, DYNAMIC_MEMORY_VERSION_1_0, DYNAMIC_MEMORY_VERSION_0_3,
};
enum { VERSION_COUNT = sizeof versions / sizeof versions[0] };

static struct dynamic_memory_header header_of(struct dynamic_memory *memory, uint16_t type,
                                              uint16_t size)
{
    return (struct dynamic_memory_header){ type, size, ++memory->transaction_id };
}

static uint32_t propose(struct dynamic_memory *memory, void *message)
{
    struct dynamic_memory_version_request request = {
        .header = header_of(memory, DYNAMIC_MEMORY_VERSION_REQUEST, sizeof request),
        .version = versions[memory->version_index],
        .flags = memory->version_index == VERSION_COUNT - 1 ? DYNAMIC_MEMORY_LAST_ATTEMPT : 0,
    };

    memory->state = DYNAMIC_MEMORY_ASKING;
    memory->version = request.version;
    memcpy(message, &request, sizeof request);
    return sizeof request;
}

uint32_t dynamic_memory_begin(struct dynamic_memory *memory, uint64_t total_pages, void *message)
{
    memset(memory, 0, sizeof *memory);
    memory->total_pages = total_pages;
    return propose(memory, message);
}

/* ---- Answers of the host --------------------------------------------------------------------- */

static int take_version(struct dynamic_memory *memory, bool accepted, void *answer)
{
    struct dynamic_memory_capabilities capabilities = { .minimum_pages = memory->total_pages };

    if (memory->state != DYNAMIC_MEMORY_ASKING)
        return HV_ERROR_UNEXPECTED;
    if (!accepted) {
        if (++memory->version_index < VERSION_COUNT)
            return (int)propose(memory, answer);
        memory->state = DYNAMIC_MEMORY_FAILED;
        return 0;
    }
    capabilities.header = header_of(memory, DYNAMIC_MEMORY_CAPABILITIES, sizeof capabilities);
    memory->state = DYNAMIC_MEMORY_INTRODUCING;
    memcpy(answer, &capabilities, sizeof capabilities);
    return sizeof capabilities;
}

static int take_verdict(struct dynamic_memory *memory, bool accepted)
{
    if (memory->state != DYNAMIC_MEMORY_INTRODUCING)
        return HV_ERROR_UNEXPECTED;
    memory->state = accepted ? DYNAMIC_MEMORY_READY : DYNAMIC_MEMORY_FAILED;
    return 0;
}

/* ---- Requests of the host -------------------------------------------------------------------- */

static int decline(struct dynamic_memory *memory, const struct dynamic_memory_header *request,
                   void *answer)
{
    struct dynamic_memory_balloon_response nothing = {
        .header = { DYNAMIC_MEMORY_BALLOON_RESPONSE, sizeof nothing, request->transaction_id },
    };
    struct dynamic_memory_hot_add_response none = {
        .header = { DYNAMIC_MEMORY_HOT_ADD_RESPONSE, sizeof none, request->transaction_id },
    };
    struct dynamic_memory_header back = { DYNAMIC_MEMORY_UNBALLOON_RESPONSE, sizeof back,
                                          request->transaction_id };

    memory->declined++;
    switch (request->type) {
    case DYNAMIC_MEMORY_BALLOON_REQUEST:
        memcpy(answer, &nothing, sizeof nothing);           /* no ranges, and no more to come */
        return sizeof nothing;
    case DYNAMIC_MEMORY_HOT_ADD_REQUEST:
        memcpy(answer, &none, sizeof none);                 /* no pages, no success */
        return sizeof none;
    default:
        memcpy(answer, &back, sizeof back);
        return sizeof back;
    }
}

int dynamic_memory_receive(struct dynamic_memory *memory, const void *message, uint32_t length,
                           void *answer)
{
    struct dynamic_memory_header header;
    struct dynamic_memory_accepted accepted = { .flags = 0 };
    bool yes;

    if (length < sizeof header)
        goto malformed;
    memcpy(&header, message, sizeof header);
    if (header.size < sizeof header || header.size > length)
        goto malformed;
    switch (header.type) {
    case DYNAMIC_MEMORY_VERSION_RESPONSE:
    case DYNAMIC_MEMORY_CAPABILITIES_RESPONSE:
        if (header.size < sizeof accepted)
            goto malformed;
        memcpy(&accepted, message, sizeof accepted);
        yes = (accepted.flags & DYNAMIC_MEMORY_ACCEPTED) != 0;
        return header.type == DYNAMIC_MEMORY_VERSION_RESPONSE ? take_version(memory, yes, answer)
                                                              : take_verdict(memory, yes);
    case DYNAMIC_MEMORY_BALLOON_REQUEST:
    case DYNAMIC_MEMORY_UNBALLOON_REQUEST:
    case DYNAMIC_MEMORY_HOT_ADD_REQUEST:
        return memory->state == DYNAMIC_MEMORY_READY ? decline(memory, &header, answer)
                                                     : HV_ERROR_UNEXPECTED;
    case DYNAMIC_MEMORY_INFO:
    case DYNAMIC_MEMORY_ERROR:
        return 0;                       /* of no consequence for one who takes part in nothing */
    default:
        break;
    }
malformed:
    memory->malformed++;
    return HV_ERROR_MALFORMED;
}

uint32_t dynamic_memory_report(struct dynamic_memory *memory,
                               const struct dynamic_memory_figures *figures, void *message)
{
    struct dynamic_memory_status status = {
        .header = header_of(memory, DYNAMIC_MEMORY_STATUS, sizeof status),
        .available_pages = figures->available,
        .committed_pages = figures->total - figures->available,
        .free_pages = figures->available,
    };

    memory->reports++;
    memcpy(message, &status, sizeof status);
    return sizeof status;
}
