/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text as an OpenCore configuration: read, checked, repaired.
 * A repaired one can be read again. */
#include <stdint.h>
#include <stdlib.h>

#include "setup/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct setup_error error;
    struct config_document *document = config_parse((const char *)data, size, &error);
    if (document == NULL) {
        return 0;
    }
    struct report report = {0};
    struct target target = {.macos = find_macos("10.5"),
                            .host = find_host("ws2022"),
                            .generation = 2,
                            .kernel = KERNEL_32};
    check_configuration(document, NULL, &target, &report);
    if (fix_configuration(document, NULL, &target, NULL, &error)) {
        size_t length = 0;
        const char *text = config_text(document, &length);
        struct config_document *again = config_parse(text, length, &error);
        if (again == NULL) {
            abort();
        }
        config_free(again);
    }
    report_free(&report);
    config_free(document);
    return 0;
}
