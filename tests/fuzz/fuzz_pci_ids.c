/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_pci_ids.c: the list of names, and Mach-O headers, over any bytes. */
#include "match/macho.h"
#include "match/pci_ids.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct problems problems = { 0 };
    struct pci_ids *ids = pci_ids_parse((const char *)bytes, size, "fuzz", &problems);
    struct macho macho;
    size_t offset;
    char text[120];

    pci_ids_device(ids, 0x8086, 0x15B8);
    pci_ids_free(ids);
    problems_clear(&problems);
    if (macho_parse(bytes, size, &macho, &offset, text, sizeof text))
        macho_architectures(&macho, text, sizeof text);
    return 0;
}
