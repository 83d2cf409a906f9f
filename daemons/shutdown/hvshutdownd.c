/* SPDX-License-Identifier: BSD-3-Clause */
/* hvshutdownd: shuts the guest down or restarts it when the host asks.
 *
 * The service asks first whether it can be done, tells the host, and then sends the notice to do
 * it. /sbin/shutdown needs nobody logged in and asks nobody: programs are told to end and then
 * killed. */
#include "daemons/common/daemon.h"

#include "protocol/utf16.h"

#include <stdio.h>
#include <string.h>

/* What the host's administrator gave as the reason of the last request, cut for the log. The notice
 * to do it has the rest of the request only. */
static char reason_text[256];

#ifdef __APPLE__
static const char *command =
    "case $1 in restart) /sbin/shutdown -r now;; *) /sbin/shutdown -h now;; esac";
#else
static const char *command;
#endif

static const struct daemon_option options[] = {
    { "--command", "COMMAND", "what to run instead of shutdown(8); $1 is shutdown or restart",
      &command },
    { NULL, NULL, NULL, NULL },
};

/* Another system's own shutdown is not ours to run unasked. */
static int start(void)
{
    if (command != NULL)
        return 0;
    daemon_error("--command is needed on a system that is not macOS");
    return 2;
}

static bool read_flags(const void *body, uint32_t size, uint32_t *flags, uint32_t *reason)
{
    const uint8_t *bytes = body;

    if (size < IC_SHUTDOWN_SIZE_MINIMUM)
        return false;
    memcpy(reason, bytes + offsetof(struct ic_shutdown, reason), sizeof *reason);
    memcpy(flags, bytes + offsetof(struct ic_shutdown, flags), sizeof *flags);
    return true;
}

/* One line, however it came. */
static void read_text(const uint8_t *body, uint32_t size)
{
    const uint32_t at = offsetof(struct ic_shutdown, text);

    utf16_to_utf8(body + at, size > at ? (size - at) / 2 : 0, reason_text, sizeof reason_text);
    for (char *c = reason_text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            *c = ' ';
}

static uint32_t request(void *body, uint32_t size, bool *replies)
{
    uint32_t flags, reason;

    (void)replies;
    if (!read_flags(body, size, &flags, &reason))
        return IC_STATUS_INVALID_ARGUMENT;
    if ((flags & IC_SHUTDOWN_HIBERNATE) != 0)
        return IC_STATUS_NOT_SUPPORTED;
    read_text(body, size);
    return IC_STATUS_OK;
}

static void notice(const void *body, uint32_t size)
{
    uint32_t flags, reason;
    const char *action;
    int status;

    if (!read_flags(body, size, &flags, &reason))
        return;
    action = (flags & IC_SHUTDOWN_RESTART) != 0 ? "restart" : "shutdown";
    daemon_log("the host asks for a %s%s, reason 0x%08x%s%s", action,
               (flags & IC_SHUTDOWN_FORCE) != 0 ? " by force" : "", reason,
               reason_text[0] != '\0' ? ": " : "", reason_text);
    status = daemon_run(command, action, (flags & IC_SHUTDOWN_FORCE) != 0 ? "force" : NULL, NULL);
    if (status != 0)
        daemon_error("the command for it ended with status %d", status);
}

int main(int argc, char **argv)
{
    static const struct daemon_program program = {
        .name = "hvshutdownd",
        .control = SERVICE_CONTROL_SHUTDOWN,
        .purpose = "Shuts the guest down or restarts it when the Hyper-V host asks.",
        .options = options,
        .start = start,
        .request = request,
        .notice = notice,
    };

    return daemon_main(argc, argv, &program);
}
