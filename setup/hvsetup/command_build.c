/* SPDX-License-Identifier: BSD-3-Clause */
/* hvsetup build */
#include <stdio.h>
#include <string.h>

#include "setup/build.h"
#include "setup/disk_image.h"
#include "setup/efi_image.h"
#include "setup/hvsetup/options.h"

static bool read_build_options(const struct options *options, struct build_options *build,
                               struct setup_error *error)
{
    build->opencore = option(options, "opencore");
    build->output = option(options, "out");
    build->amd_patches = option(options, "amd-patches");
    build->recovery = option(options, "recovery");
    build->kext_count = option_all(options, "kext", build->kexts, BUILD_PATHS_MAX);
    build->driver_count = option_all(options, "driver", build->drivers, BUILD_PATHS_MAX);
    if (build->opencore == NULL) {
        return setup_fail(error, "--opencore is missing: the folder or zip of an OpenCore release");
    }
    if (build->output == NULL) {
        return setup_fail(error, "--out is missing: the folder to write EFI into");
    }
    if (options->positional_count > 0) {
        return setup_fail(error, "%s: not an option", options->positional[0]);
    }
    return options_target(options, &build->target, error);
}

/* What cannot work, before anything is written. */
static const char *refusal(const struct build_options *build, const char *image)
{
    const struct target *target = &build->target;
    const char *reason = target_refusal(target);
    if (reason != NULL) {
        return reason;
    }
    if (target->processor != NULL && target->processor->amd &&
        (build->amd_patches == NULL || target->vm_processors == 0)) {
        return "An AMD host needs AMD_Vanilla's kernel patches, written for the VM's number of "
               "processors: give --amd-patches patches.plist and --processors N.";
    }
    if (image != NULL && target->generation == 1) {
        return "A generation 1 VM cannot start from an EFI partition; its disk needs OpenCore's "
               "legacy "
               "boot files (DUET), which hvsetup does not write. Leave --image out.";
    }
    if (image != NULL && disk_format_of(image) == NULL) {
        return "The name after --image must end in .vhdx, .vhd, .img or .raw.";
    }
    return NULL;
}

static int refuse(const struct options *options, const struct build_options *build,
                  const char *reason)
{
    struct report report = {0};
    struct report_style style = options_style(options);
    char what[200];
    snprintf(what, sizeof what, "macOS %s on %s, generation %u", build->target.macos->version,
             build->target.host->name, build->target.generation);
    report_find(&report, &(struct report_finding){SEVERITY_ERROR, "refused", what, (char *)reason,
                                                  "", false});
    report_print(&report, &style, stdout);
    report_free(&report);
    return EXIT_FINDINGS;
}

static void summarize(const struct report *report, const struct build_options *build)
{
    size_t problems = report_problem_count(report);
    if (problems == 0) {
        printf("\n%s/EFI is ready for macOS %s on %s.\n", build->output,
               build->target.macos->version, build->target.host->name);
    } else {
        printf("\n%s/EFI is written, but not complete: %zu finding%s above.\n", build->output,
               problems, problems == 1 ? "" : "s");
    }
}

int command_build(const struct options *options)
{
    struct build_options build = {0};
    struct setup_error error;
    struct data_folder data = {0};
    const char *image = option(options, "image");
    if (!read_build_options(options, &build, &error)) {
        return complain(options, EXIT_UNREADABLE, error.text);
    }
    const char *reason = refusal(&build, image);
    if (reason != NULL) {
        return refuse(options, &build, reason);
    }
    if (!data_folder_find(&data, option(options, "data"), &error)) {
        return complain(options, EXIT_UNREADABLE, error.text);
    }
    build.data = &data;
    struct report report = {0};
    struct report_style style = options_style(options);
    bool ok = build_efi(&build, &report, &error) &&
              (image == NULL || efi_image_write(build.output, image, &report, &error));
    int code = EXIT_UNREADABLE;
    if (ok) {
        report_print(&report, &style, stdout);
        if (!style.json && !style.quiet) {
            summarize(&report, &build);
        }
        code = report_problem_count(&report) == 0 ? EXIT_CLEAN : EXIT_FINDINGS;
    } else {
        complain(options, code, error.text);
    }
    report_free(&report);
    data_folder_free(&data);
    return code;
}
