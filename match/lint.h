/* SPDX-License-Identifier: BSD-3-Clause */
/* Mistakes in kexts and their personalities, each with a stable id, a place, a reason and a fix. */
#ifndef MACHV_MATCH_LINT_H
#define MACHV_MATCH_LINT_H

#include "match/bundle.h"
#include "match/pci_ids.h"

#include <sys/types.h>

enum { FINDING_TEXT_SIZE = 320 };

/* Every rule. The names are the stable ids; lint_rules[] has them with severity and fix. */
enum lint_rule_number {
    LINT_PLIST_UNREADABLE,
    LINT_PLIST_DIALECT,
    LINT_PLIST_BINARY,
    LINT_BUILD_VARIABLE,
    LINT_PACKAGE_TYPE,
    LINT_IDENTIFIER_MISSING,
    LINT_IDENTIFIER_LONG,
    LINT_VERSION_INVALID,
    LINT_COMPATIBLE_VERSION_INVALID,
    LINT_COMPATIBLE_VERSION_ABOVE,
    LINT_BUNDLE_REQUIRED,
    LINT_EXECUTABLE_MISSING,
    LINT_EXECUTABLE_FORMAT,
    LINT_EXECUTABLE_ARCHITECTURE,
    LINT_LIBRARIES_MISSING,
    LINT_LIBRARIES_CODELESS,
    LINT_LIBRARY_MISSING,
    LINT_LIBRARY_VERSION,
    LINT_LIBRARY_REFUSED,
    LINT_LIBRARY_KERNEL_DIFFERS,
    LINT_LIBRARY_CYCLE,
    LINT_LIBRARY_PRIVATE,
    LINT_INTERFACE_DEPENDENCIES,
    LINT_ARCHITECTURE_KEY_IGNORED,
    LINT_DUPLICATE_IDENTIFIER,
    LINT_PERSONALITIES_TYPE,
    LINT_CLASS_MISSING,
    LINT_PROVIDER_CLASS_MISSING,
    LINT_PROVIDER_CLASS_UNREACHABLE,
    LINT_PROVIDER_CLASS_SPELLING,
    LINT_SCORE_TYPE,
    LINT_CATEGORY_TYPE,
    LINT_DEBUG_TYPE,
    LINT_PERSONALITY_BUNDLE_MISSING,
    LINT_PERSONALITY_BUNDLE_UNKNOWN,
    LINT_PERSONALITY_BUNDLE_CODELESS,
    LINT_RESOURCES_CATEGORY,
    LINT_NAME_TYPE,
    LINT_NAME_SPELLING,
    LINT_NAME_WILDCARD,
    LINT_PROPERTY_NUMBER,
    LINT_PCI_TYPE,
    LINT_PCI_EMPTY,
    LINT_PCI_LIST_ENDS,
    LINT_PCI_SWAPPED,
    LINT_PCI_MASK_NARROW,
    LINT_PCI_MASK_ZERO,
    LINT_PCI_OVERLONG,
    LINT_PCI_CLASS_BYTES,
    LINT_PCI_CLASS_VALUE,
    LINT_PCI_SUBSYSTEM_TOO,
    LINT_PCI_DUPLICATE_VALUE,
    LINT_PCI_WRONG_PROVIDER,
    LINT_NO_MATCH_KEY,
    LINT_PERSONALITY_DUPLICATE,
    LINT_PERSONALITY_UNREACHABLE,
    LINT_CLASS_SHADOWS,
    LINT_VENDOR_SHADOWS,
    LINT_FILE_OWNER,
    LINT_FILE_MODE,
    LINT_FILE_LINK,
    LINT_FILE_TYPE,
    LINT_RULES,
};

enum lint_severity { LINT_NOTE, LINT_WARNING, LINT_ERROR };

struct lint_rule {
    const char *id; /* "pci-swapped-ids": never changes its meaning */
    enum lint_severity severity;
    const char *fix;
};

extern const struct lint_rule lint_rules[LINT_RULES];

struct finding {
    enum lint_rule_number rule;
    char *path;
    size_t line;       /* 0 when there is none */
    char *personality; /* NULL when it is about the bundle */
    char text[FINDING_TEXT_SIZE];
};

struct findings {
    struct finding *list;
    size_t count;
    size_t capacity;
    bool failed; /* memory was out */
};

struct lint_options {
    unsigned release;
    const char *architecture;
    const struct pci_ids *names; /* may be NULL */
    bool install_rules;
    uid_t owner; /* that installed files must have */
    gid_t group;
};

/* Everything about a set of kexts that was loaded leniently, with what was said while it was
 * loaded. */
void lint_kexts(const struct kext_set *set, const struct problems *loading,
                const struct lint_options *options, struct findings *findings);
void findings_clear(struct findings *findings);
const char *lint_severity_name(enum lint_severity severity);

/* ---- private to the rules: one file a subject ---- */

struct lint_place {
    struct findings *findings;
    const struct lint_options *options;
    const struct kext_set *set;
    const struct kext *kext;
    const char *personality;  /* name, or NULL */
    const struct plist *keys; /* of the personality, or the whole property list */
};

void lint_report(const struct lint_place *place, enum lint_rule_number rule,
                 const struct plist *where, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void lint_report_file(const struct lint_place *place, enum lint_rule_number rule, const char *path,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));
void lint_bundle(const struct lint_place *place);
void lint_personality(const struct lint_place *place);
void lint_pci_keys(const struct lint_place *place);
void lint_shadows(const struct lint_place *place); /* over the whole set */
void lint_files(const struct lint_place *place);   /* owners, modes, links */

#endif
