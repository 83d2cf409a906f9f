/* SPDX-License-Identifier: BSD-3-Clause */
/* All checks in order, and the repairs. */
#include "setup/check.h"

#include <stdlib.h>

#include "setup/config_rows.h"
#include "setup/efi_files.h"
#include "setup/entry_order.h"
#include "setup/harmful.h"
#include "setup/processor_rows.h"

struct visit {
    const struct config_document *document;
    struct config_document *edited;
    const struct target *target;
    struct report *report;
    const char *folder;
    const struct data_folder *data;
    struct setup_error *error;
    bool ok;
};

static void check_one(const struct row *row, void *context)
{
    const struct visit *visit = context;
    row_check(visit->document, row, visit->target, visit->report);
}

void check_configuration(const struct config_document *document, const char *folder,
                         const struct target *target, struct report *report)
{
    struct visit visit = {.document = document, .target = target, .report = report};
    check_schema(document, report);
    rows_for_target(target, check_one, &visit);
    processor_check(document, target, report);
    check_order(document, report);
    check_rules(document, target, report);
    if (folder != NULL) {
        check_files(document, folder, report);
    }
}

static void fix_one(const struct row *row, void *context)
{
    struct visit *visit = context;
    struct report ignored = {0};
    if (visit->ok && !row_check(visit->edited, row, visit->target, &ignored)) {
        visit->ok = row_apply(visit->edited, row, false, visit->error);
    }
    report_free(&ignored);
    if (visit->ok && visit->folder != NULL && visit->data != NULL) {
        visit->ok = efi_add_our_file(visit->folder, row, visit->data, false, visit->error);
    }
}

bool fix_configuration(struct config_document *document, const char *folder,
                       const struct target *target, const struct data_folder *data,
                       struct setup_error *error)
{
    struct visit visit = {.edited = document,
                          .target = target,
                          .folder = folder,
                          .data = data,
                          .error = error,
                          .ok = true};
    rows_for_target(target, fix_one, &visit);
    if (!visit.ok || !processor_apply(document, target, error)) {
        return false;
    }
    harmful_fix(document, target);
    fix_order(document);
    return true;
}
