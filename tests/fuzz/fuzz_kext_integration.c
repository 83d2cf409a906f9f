/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of any content to an integration service (heartbeat): several in a row, each preceded by
 * its length in one byte. */
#include <stdlib.h>
#include <string.h>

#include "kext/services/heartbeat.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct integration_engine engine;
    struct heartbeat heartbeat = { 0 };
    size_t at = 0;

    integration_init(&engine, &heartbeat_service, &heartbeat);
    while (at < size) {
        uint32_t length = bytes[at++], capacity = length + 32;
        uint8_t *message;
        int result;

        if (length > size - at)
            length = (uint32_t)(size - at);
        message = malloc(capacity);             /* exactly as large as it says */
        if (message == NULL)
            return 0;
        memcpy(message, bytes + at, length);
        at += length;
        result = integration_receive(&engine, message, length, capacity);
        if (result > 0 && ((uint32_t)result > capacity ||
                           (uint32_t)result < sizeof(struct ic_message_header)))
            abort();
        free(message);
    }
    return 0;
}
