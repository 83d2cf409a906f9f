/* SPDX-License-Identifier: BSD-3-Clause */
/* Time synchronisation. */
#include "kext/services/time_sync.h"

#include "kext/core/shared_memory.h"

/* The host's time now, from when it was last told. */
static uint64_t host_now(const struct time_sync *sync)
{
    uint64_t now = sync->reference_now(sync->reference_context);

    return sync->host_time + (now > sync->reference_time ? now - sync->reference_time : 0);
}

static bool possible(uint64_t time)
{
    return time >= TIME_SYNC_EARLIEST && time <= TIME_SYNC_LATEST;
}

static void tell_daemon(const struct time_sync *sync, uint8_t flags)
{
    const struct service_control_time notice = {
        .host_time = host_now(sync), .flags = flags, .leap = sync->leap, .stratum = sync->stratum,
    };

    daemon_tell(sync->port, &notice, sizeof notice);
}

/* How long before `now` the host looked at its clock. False: that cannot be. */
static bool age_of(uint64_t reference_time, uint64_t now, uint64_t *age)
{
    *age = now > reference_time ? now - reference_time : 0;
    return *age <= TIME_SYNC_LATEST &&
           (reference_time <= now || reference_time - now <= TIME_SYNC_REFERENCE_SLACK);
}

/* Either layout as the newer one; older hosts mean `now`. False: shorter than its version demands.
 */
static bool read_message(const struct integration_engine *engine, const void *body, uint32_t size,
                         uint64_t now, struct ic_time_sync_4_0 *message)
{
    struct ic_time_sync old;

    memset(message, 0, sizeof *message);
    if (engine->message_version >= IC_TIME_SYNC_4_0) {
        memcpy(message, body, size < sizeof *message ? size : sizeof *message);
        return true;
    }
    if (size < IC_TIME_SYNC_SIZE_MINIMUM)
        return false;
    memset(&old, 0, sizeof old);
    memcpy(&old, body, size < sizeof old ? size : sizeof old);
    message->host_time = old.host_time;
    message->reference_time = now;
    message->flags = old.flags;
    return true;
}

static enum integration_answer take_time(struct integration_engine *engine, void *body,
                                         uint32_t *body_size, uint32_t capacity, uint32_t *status)
{
    struct time_sync *sync = engine->context;
    uint64_t now = sync->reference_now(sync->reference_context), age;
    struct ic_time_sync_4_0 message;

    if (!read_message(engine, body, *body_size, now, &message) || !possible(message.host_time) ||
        !age_of(message.reference_time, now, &age) || !possible(message.host_time + age)) {
        sync->refused++;
        *status = IC_STATUS_INVALID_ARGUMENT;
        return INTEGRATION_REPLY;
    }
    if ((message.flags & (IC_TIME_SYNC | IC_TIME_SAMPLE)) == 0)
        return INTEGRATION_REPLY;               /* a probe */
    sync->known = true;
    sync->host_time = message.host_time;
    sync->reference_time = message.reference_time;
    sync->leap = message.leap;
    sync->stratum = message.stratum;
    if ((message.flags & IC_TIME_SYNC) != 0)
        sync->syncs++;
    else
        sync->samples++;
    tell_daemon(sync, message.flags);
    return INTEGRATION_REPLY;
}

void time_sync_daemon_ready(void *context)
{
    struct time_sync *sync = context;

    if (sync->known)
        tell_daemon(sync, IC_TIME_SYNC);
}

/* The host begins anew, as after the guest was saved: neither clock nor reference time need have
 * gone on as before. What it said is not repeated to a daemon; it says the time next. */
static void reset(struct integration_engine *engine)
{
    struct time_sync *sync = engine->context;

    sync->known = false;
}

const struct integration_service time_sync_service = {
    .name = "time synchronisation",
    .message_type = IC_MESSAGE_TIME_SYNC,
    .body_minimum = IC_TIME_SYNC_4_0_SIZE_MINIMUM,
    .framework_versions = { IC_FRAMEWORK_3_0, IC_FRAMEWORK_1_0 },
    .message_versions = { IC_TIME_SYNC_4_0, IC_TIME_SYNC_3_0, IC_TIME_SYNC_1_0 },
    .handle = take_time,
    .reset = reset,
};
