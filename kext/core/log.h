/* SPDX-License-Identifier: BSD-3-Clause */
/* Log lines: "HyperVVMBus: channel 5 opened". */
#ifndef KEXT_CORE_LOG_H
#define KEXT_CORE_LOG_H

#include "abi/kpi/iolib.h"

#define hv_log(who, format, ...) IOLog("%s: " format "\n", who, ##__VA_ARGS__)

/* For what the host can provoke as often as it likes: true for the 1st, 2nd, 4th, 8th ... time of
 * `count`, a counter that has just been increased. */
static inline bool hv_log_now(uint64_t count)
{
    return (count & (count - 1)) == 0;
}

#endif
