/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_plist_binary.c: binary property lists over any bytes: refused with a reason, or read. */
#include <stdlib.h>

#include "match/plist_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct plist_diagnostic error = { 0 };
    struct plist *value = plist_parse_binary(bytes, size, &error);

    if (value == NULL && *error.text == '\0')
        abort();
    plist_release(value);
    return 0;
}
