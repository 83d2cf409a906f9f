/* SPDX-License-Identifier: BSD-3-Clause */
/* hvtimesyncd: keeps the guest's clock with the host's. Small differences are slewed, large ones
 * set; a clock that goes back is a line in the log. */
#include "daemons/common/daemon.h"
#include "daemons/timesync/clock.h"
#include "daemons/timesync/policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *clock_path;
static struct adjustable_clock clock_to_set;

static const struct daemon_option options[] = {
    { "--clock-file", "FILE", "keep a clock of its own in FILE instead of setting the system's",
      &clock_path },
    { NULL, NULL, NULL, NULL },
};

static int start(void)
{
    if (clock_path != NULL) {
        clock_of_file(&clock_to_set, clock_path);
        return 0;
    }
#ifdef __APPLE__
    clock_of_system(&clock_to_set);
    return 0;
#else
    daemon_error("--clock-file is needed on a system that is not macOS");
    return 2;
#endif
}

static void adjust(enum time_action action, int64_t offset)
{
    const double seconds = (double)offset / 1e9;
    int result = action == TIME_STEP ? clock_to_set.step(&clock_to_set, offset)
                                     : clock_to_set.slew(&clock_to_set, offset);

    if (result != 0)
        daemon_error("the clock cannot be changed by %.3f s: %s", seconds, strerror(errno));
    else if (action == TIME_STEP && offset < 0)
        daemon_log("the clock was set BACK by %.3f s", -seconds);
    else
        daemon_log("the clock is %s by %.3f s", action == TIME_STEP ? "set forward" : "slewed",
                   seconds);
}

static void notice(const void *body, uint32_t size)
{
    struct service_control_time time;
    enum time_action action;
    int64_t offset;

    if (size != sizeof time)
        return;
    memcpy(&time, body, sizeof time);
    action = time_decide(time.host_time, clock_to_set.now(&clock_to_set),
                         (time.flags & IC_TIME_SYNC) != 0, &offset);
    daemon_debug("host is ahead by %.6f s, flags %u, leap %u, stratum %u", (double)offset / 1e9,
                 time.flags, time.leap, time.stratum);
    switch (action) {
    case TIME_NOTHING:
        break;
    case TIME_REFUSE:
        daemon_error("the host says an impossible time; the clock stays as it is");
        break;
    default:
        adjust(action, offset);
        break;
    }
}

int main(int argc, char **argv)
{
    static const struct daemon_program program = {
        .name = "hvtimesyncd",
        .control = SERVICE_CONTROL_TIME_SYNC,
        .purpose = "Keeps the guest's clock with the Hyper-V host's.",
        .options = options,
        .start = start,
        .notice = notice,
    };

    return daemon_main(argc, argv, &program);
}
