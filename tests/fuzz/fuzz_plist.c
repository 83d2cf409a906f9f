/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_plist.c: the property list readers over any bytes. What strict reading takes, lenient
 * reading takes without a warning and with the same value; and what is written of it reads back
 * equal.
 */
#include <stdio.h>
#include <stdlib.h>

#include "match/plist_file.h"
#include "match/plist_write.h"

static void count_warning(void *context, const struct plist_diagnostic *warning)
{
    (void)warning;
    (*(unsigned *)context)++;
}

static void write_and_read(const struct plist *value)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    struct plist *again;

    if (file == NULL)
        abort();
    plist_write_value(file, value, 0);
    fclose(file);
    again = plist_parse_xml(text, size, NULL, NULL);
    if (again != NULL && !plist_equal(value, again))
        abort();
    plist_release(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    unsigned warnings = 0;
    const struct plist_reader lenient = { true, count_warning, &warnings };
    struct plist_diagnostic error = { 0 };
    struct plist *strict = plist_parse_xml(bytes, size, NULL, &error);
    struct plist *loose = plist_parse_xml(bytes, size, &lenient, &error);

    if (strict != NULL && (loose == NULL || warnings != 0 || !plist_equal(strict, loose)))
        abort();
    if (loose == NULL && (error.line == 0 || error.offset > size))
        abort();
    if (strict != NULL && plist_hash(strict) != plist_hash(loose))
        abort();
    if (strict != NULL)
        write_and_read(strict);
    plist_release(strict);
    plist_release(loose);
    return 0;
}
