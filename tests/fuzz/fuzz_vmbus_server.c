/* SPDX-License-Identifier: BSD-3-Clause */
/* Fuzz target: control messages, device calls and signals on the VMBus server, as actions. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/host-vmbus/random_guest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096) {
        return 0; /* longer action lists find nothing that shorter ones do not */
    }
    struct random_guest_result result = random_guest_run(data, size);
    if (result.broken != NULL) {
        fprintf(stderr, "does not hold: %s\n", result.broken);
        abort();
    }
    return 0;
}
