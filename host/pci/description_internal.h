/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the files that read descriptions. */
#ifndef HOST_PCI_DESCRIPTION_INTERNAL_H
#define HOST_PCI_DESCRIPTION_INTERNAL_H

#include "host/pci/description.h"

/* Where complaints go, and what they are about. */
struct pci_reader {
    const char *source; /* file name, or "description" */
    const struct pci_resources *resources;
    char *error;
    size_t error_size;
};

/* ---- description_values.c: the readers return 0 or -EINVAL and have complained ---- */

/* Always -EINVAL. */
int pci_complain(const struct pci_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A number 0 .. most, or a text such as "0x1a". *number stays if there is no such member. */
int pci_read_number(const struct pci_reader *reader, struct json_object *members, const char *name,
                    uint64_t most, uint64_t *number);
int pci_read_flag(const struct pci_reader *reader, struct json_object *members, const char *name,
                  bool *flag);

/* The text of a member; NULL if it is not there or no text. The object's. */
const char *pci_text(struct json_object *members, const char *name);

/* Lists of names end with NULL; a list may be NULL. */
bool pci_is_listed(const char *const *names, const char *name);

/* A misspelt member would else be ignored in silence: each has to be in one of the lists. */
int pci_check_members(const struct pci_reader *reader, struct json_object *members,
                      const char *const *known, const char *const *more);

/* ---- description_function.c ---- */

/* Adds the function that `members` describes. `outer`: names that may stand beside its own. */
int pci_read_function(const struct pci_reader *reader, struct json_object *members,
                      const char *const *outer, struct pci_description *description);

#endif
