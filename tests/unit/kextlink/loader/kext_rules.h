/* SPDX-License-Identifier: BSD-3-Clause */
/* kext_rules.h: the layout rules of kernel loaders, checked on a parsed kext. */
#ifndef TESTS_KEXTLINK_KEXT_RULES_H
#define TESTS_KEXTLINK_KEXT_RULES_H

#include "tests/unit/kextlink/loader/kext_file.h"

/* Sets file->problem; always false. */
bool kext_problem(struct kext_file *file, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Header, segments, sections, symbols; relocations still in file order. */
bool kext_rules_check(struct kext_file *file);

/* Each relocation by itself; sorted. */
bool kext_rules_check_relocations(struct kext_file *file);

#endif
