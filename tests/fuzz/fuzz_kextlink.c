/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_kextlink.c: kextlink over any bytes as its one input object, the whole link in memory. If it
 * links, the result must obey every layout rule of kernel loaders: what is not refused is right.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/kextlink/loader/kext_file.h"
#include "tools/kextlink/imports.h"
#include "tools/kextlink/link.h"

static const char table[] = "class\tParent\t10\nclass\tOSMetaClass\t26\nimport\t__ZTV6Parent\n"
                            "import\t__ZN6Parent10gMetaClassE\n";

static void check_result(const struct link *link)
{
    struct kext_file file;

    if (!kext_file_read(&file, link->output, link->output_size)) {
        fprintf(stderr, "linked, but: %s\n", file.problem);
        abort();
    }
    kext_file_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static FILE *messages;
    struct link_input input = {"fuzzed.o", bytes, size};
    struct link link = {0};

    if (!messages && !(messages = fopen("/dev/null", "w")))
        abort();
    link.messages = messages;
    /* An odd length checks imports too, which few mutated objects would pass. */
    if (size & 1)
        link.imports = imports_read(&link.arena, "table", table, sizeof table - 1, messages);
    if (link_objects(&link, &input, 1))
        check_result(&link);
    link_free(&link);
    return 0;
}
