/* SPDX-License-Identifier: BSD-3-Clause */
/* hvsetup check */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "setup/check.h"
#include "setup/efi_source.h"
#include "setup/hvsetup/options.h"
#include "setup/text.h"

static bool is_clean(const struct efi_source *source, const struct target *target)
{
    struct report report = {0};
    check_configuration(source->document, source->folder, target, &report);
    bool clean = report_problem_count(&report) == 0;
    report_free(&report);
    return clean;
}

static bool save(struct efi_source *source, struct report *report, struct setup_error *error)
{
    char *backup = NULL;
    bool ok = efi_source_save(source, &backup, error);
    if (ok) {
        report_decide(report, source->image == NULL ? source->config : source->image, "repaired",
                      "what could be repaired safely; the findings below are what is left");
        report_decide(report, backup, "backup", "as it was before");
    }
    free(backup);
    return ok;
}

/* What needs no repair is not written, and gets no backup. */
static bool fix(struct efi_source *source, const struct target *target,
                const struct options *options, struct report *report, struct setup_error *error)
{
    struct data_folder data = {0};
    struct setup_error ignored;
    size_t size = 0;
    const bool clean = is_clean(source, target);
    char *before = copy_string(config_text(source->document, &size));
    /* Without our data the configuration can still be repaired. */
    bool have_data = data_folder_find(&data, option(options, "data"), &ignored);
    bool ok = fix_configuration(source->document, source->folder, target, have_data ? &data : NULL,
                                error);
    if (ok && (!clean || strcmp(before, config_text(source->document, &size)) != 0)) {
        ok = save(source, report, error);
    }
    free(before);
    data_folder_free(&data);
    return ok;
}

int command_check(const struct options *options)
{
    struct target target;
    struct setup_error error;
    struct efi_source source;
    if (options->positional_count != 1) {
        return complain(options, EXIT_UNREADABLE,
                        "check: one EFI folder, config.plist or disk image is meant");
    }
    if (!options_target(options, &target, &error) ||
        !efi_source_open(&source, options->positional[0], &error)) {
        return complain(options, EXIT_UNREADABLE, error.text);
    }
    struct report report = {0};
    struct report_style style = options_style(options);
    const char *refused = target_refusal(&target);
    if (refused != NULL) {
        report_find(&report, &(struct report_finding){SEVERITY_ERROR, "refused", "target",
                                                      (char *)refused, "", false});
    }
    int code = EXIT_UNREADABLE;
    if (option(options, "fix") == NULL || fix(&source, &target, options, &report, &error)) {
        check_configuration(source.document, source.folder, &target, &report);
        report_print(&report, &style, stdout);
        code = report_problem_count(&report) == 0 ? EXIT_CLEAN : EXIT_FINDINGS;
        if (code == EXIT_CLEAN && !style.json && !style.quiet) {
            puts("no problems found");
        }
    } else {
        complain(options, code, error.text);
    }
    report_free(&report);
    efi_source_close(&source);
    return code;
}
