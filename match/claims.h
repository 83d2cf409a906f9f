/* SPDX-License-Identifier: BSD-3-Clause */
/* The devices that a personality claims, as ids that Windows has a form for, and what no id can
 * say. */
#ifndef MACHV_MATCH_CLAIMS_H
#define MACHV_MATCH_CLAIMS_H

#include "match/pci_ids.h"
#include "match/plist.h"
#include "match/windows_ids.h"

enum claim_kind {
    CLAIM_PCI,     /* `pci` */
    CLAIM_ACPI,    /* `text` is a PNP or ACPI id */
    CLAIM_CHANNEL, /* `text` is the GUID of a VMBus channel type, in small letters */
    CLAIM_NAME,    /* `text` is a name that no Windows id expresses ("EHC1", "pci80*") */
};

struct claim {
    enum claim_kind kind;
    struct windows_pci_id pci;
    char text[WINDOWS_ID_SIZE];
};

enum { CLAIM_NOTE_SIZE = 200, CLAIM_NOTES_MAX = 32, CLAIMS_MAX = 65536, CLAIM_LIMIT = 256 };

struct claim_note {
    bool lost; /* some devices that the personality takes are in no claim */
    char text[CLAIM_NOTE_SIZE];
};

struct claims {
    struct claim *list;
    size_t count;
    size_t capacity;
    uint32_t *table; /* hash table of positions + 1 in `list`, while they are collected */
    size_t table_size;
    struct claim_note notes[CLAIM_NOTES_MAX];
    size_t note_count;
};

/* Collects the claims of one personality. Masks are written out as at most `limit` ids; base
 * classes as the sub-classes that `names` (may be NULL) knows. False when memory is out. */
bool claims_collect(const struct plist *personality, unsigned release, const struct pci_ids *names,
                    size_t limit, struct claims *claims);
void claims_clear(struct claims *claims);

/* "PCI\VEN_...", "ACPI\PNP0303", "VMBUS\{...}"; empty for CLAIM_NAME. */
void claim_windows_id(const struct claim *claim, char text[WINDOWS_ID_SIZE]);

/* ---- private: sets of register values, of which claims are the product ---- */

/* One alternative of one key: which fields of an id it fixes. */
struct claim_set {
    struct windows_pci_id *list;
    size_t count;
    size_t capacity;
    bool present; /* the key is there, even if nothing of it can be said */
};

bool claim_set_add(struct claim_set *set, const struct windows_pci_id *id);
void claims_note(struct claims *claims, bool lost, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Values of IOPCIPrimaryMatch / IOPCIMatch, IOPCISecondaryMatch, IOPCIClassMatch as alternatives.
 */
bool claims_read_primary(struct claims *claims, const struct plist *value, const char *key,
                         unsigned release, size_t limit, struct claim_set *set);
bool claims_read_secondary(struct claims *claims, const struct plist *value, unsigned release,
                           struct claim_set *set);
bool claims_read_class(struct claims *claims, const struct plist *value, unsigned release,
                       const struct pci_ids *names, size_t limit, struct claim_set *set);

#endif
