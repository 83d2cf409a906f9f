/* SPDX-License-Identifier: BSD-3-Clause */
/* start.c - brings up threads, thread calls, versions, memory maps and kernel controls. */
#include "xnu/bsd/start.h"

#include "xnu/bsd/kern_control.h"
#include "xnu/bsd/mbuf_pool.h"
#include "xnu/bsd/platform.h"
#include "xnu/iokit/threads_private.h"
#include "xnu/libkern/release.h"

#include "abi/constants/errno.h"

int xnu_bsd_start(void)
{
    unsigned major, minor, revision;

    release_kernel_version(&major, &minor, &revision);
    platform_set_version(major, minor, revision);
    platform_start();
    mbuf_pool_reset();
    threads_start();
    if (!thread_calls_start())
        return ENOMEM;
    return kern_control_start();
}

void xnu_bsd_stop(void)
{
    thread_calls_stop();
}
