/* SPDX-License-Identifier: BSD-3-Clause */
/* hvkvpd: tells the host what the guest is and which addresses it has, and keeps the pairs that the
 * two exchange. */
#include "daemons/common/daemon.h"
#include "daemons/kvp/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct exchange exchange = { .folder = "/var/db/hvkvpd" };

static const struct daemon_option options[] = {
    { "--pools", "FOLDER", "where the pairs are kept", &exchange.folder },
    { "--set-ip", "COMMAND", "what configures an adapter, from lines on its input",
      &exchange.set_command },
    { NULL, NULL, NULL, NULL },
};

static int start(void)
{
    if (mkdir(exchange.folder, 0755) == 0 || errno == EEXIST)
        return 0;
    daemon_error("%s: %s", exchange.folder, strerror(errno));
    return 1;
}

static uint32_t request(void *body, uint32_t size, bool *replies)
{
    uint32_t status = exchange_answer(&exchange, body, size, replies);

    if (status != IC_STATUS_OK && status != IC_STATUS_NO_MORE_ITEMS)
        daemon_error("request %u was refused with 0x%08x", size > 0 ? *(uint8_t *)body : 0, status);
    return status;
}

int main(int argc, char **argv)
{
    static const struct daemon_program program = {
        .name = "hvkvpd",
        .control = SERVICE_CONTROL_KVP,
        .purpose = "Exchanges data with the Hyper-V host: system, addresses, key-value pairs.",
        .options = options,
        .start = start,
        .request = request,
    };

    return daemon_main(argc, argv, &program);
}
