/* SPDX-License-Identifier: BSD-3-Clause */
/* A build: everything is prepared in a staging folder below the output and put in place at the end.
 */
#include "setup/build.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "setup/build_private.h"
#include "setup/check.h"
#include "setup/entry_order.h"
#include "setup/files.h"
#include "setup/recovery.h"
#include "setup/text.h"

static bool copy_into(struct build *build, const char *from, const char *folder, const char *name)
{
    char *target = path_join(build->efi, folder);
    char *to = path_join(target, name);
    bool ok = folder_make(target, build->error) && file_copy(from, to, build->error);
    free(to);
    free(target);
    return ok;
}

static bool copy_from_release(struct build *build, const char *folder, const char *name)
{
    char *from = format_string("%s/%s/%s", build->release.efi, folder, name);
    bool ok = copy_into(build, from, folder, name);
    free(from);
    return ok;
}

/* The program itself, the boot file, and the picker's resources. */
static bool copy_opencore(struct build *build)
{
    char *resources = path_join(build->release.efi, "OC/Resources");
    char *to = path_join(build->oc, "Resources");
    bool ok = copy_from_release(build, "BOOT", "BOOTx64.efi") &&
              copy_from_release(build, "OC", "OpenCore.efi") &&
              (!folder_exists(resources) || folder_copy(resources, to, build->error));
    free(resources);
    free(to);
    report_decide(
        build->report, "OpenCore",
        build->release.version[0] == '\0' ? "unknown version" : build->release.version,
        "OpenCore.efi, its boot file, drivers and configuration come from this one release");
    return ok;
}

static bool copy_user_drivers(struct build *build)
{
    bool ok = true;
    for (size_t i = 0; i < build->options->driver_count && ok; i++) {
        const char *path = build->options->drivers[i];
        const char *slash = strrchr(path, '/');
        ok = copy_into(build, path, "OC/Drivers", slash == NULL ? path : slash + 1);
    }
    return ok;
}

static bool read_user_kexts(struct build *build)
{
    for (size_t i = 0; i < build->options->kext_count; i++) {
        if (!kext_bundle_read(&build->kexts[i], build->options->kexts[i], build->error)) {
            return false;
        }
        build->kext_count++;
    }
    return true;
}

static bool write_config(struct build *build)
{
    size_t size = 0;
    const char *text = config_text(build->config, &size);
    char *path = path_join(build->oc, "config.plist");
    bool ok = file_write(path, text, size, build->error);
    free(path);
    return ok;
}

static bool start_from_existing(struct build *build)
{
    char *existing = path_join(build->options->output, "EFI");
    build->over_existing = folder_exists(existing);
    bool ok = build->over_existing ? folder_copy(existing, build->efi, build->error)
                                   : folder_make(build->oc, build->error);
    free(existing);
    return ok;
}

static bool prepare(struct build *build)
{
    return read_user_kexts(build) &&
           opencore_release_open(&build->release, build->options->opencore, build->staging,
                                 build->error) &&
           start_from_existing(build) && copy_opencore(build) && copy_user_drivers(build) &&
           build_load_config(build) && build_apply_rows(build) && build_add_user_kexts(build) &&
           build_apply_machine(build);
}

static bool place(struct build *build, const char *name)
{
    char *prepared = path_join(build->staging, name);
    char *final = path_join(build->options->output, name);
    char *backup = NULL;
    bool ok = put_in_place(prepared, final, &backup, build->error);
    if (ok) {
        report_decide(build->report, final, backup == NULL ? "new" : "replaced",
                      backup == NULL ? "written" : "what was there is kept beside it");
    }
    if (backup != NULL) {
        report_decide(build->report, backup, "backup", "the folder as it was before");
    }
    free(backup);
    free(prepared);
    free(final);
    return ok;
}

static bool finish(struct build *build)
{
    fix_order(build->config);
    if (!write_config(build)) {
        return false;
    }
    check_configuration(build->config, build->oc, &build->options->target, build->report);
    const char *caution =
        build->options->target.host->caution[build->options->target.generation - 1];
    if (caution != NULL) {
        report_find(build->report,
                    &(struct report_finding){SEVERITY_NOTE, "host-caution", "Windows host",
                                             (char *)caution, "", false});
    }
    bool recovery = build->options->recovery != NULL;
    return (!recovery ||
            recovery_copy(build->options->recovery, build->staging, build->report, build->error)) &&
           place(build, "EFI") && (!recovery || place(build, RECOVERY_FOLDER));
}

bool build_efi(const struct build_options *options, struct report *report,
               struct setup_error *error)
{
    struct build build = {.options = options, .report = report, .error = error};
    bool existed = folder_exists(options->output);
    build.staging = folder_stage(options->output, error);
    if (build.staging == NULL) {
        return false;
    }
    build.efi = path_join(build.staging, "EFI");
    build.oc = path_join(build.efi, "OC");
    bool ok = prepare(&build) && finish(&build);
    folder_remove(build.staging);
    if (!ok && !existed) {
        rmdir(options->output); /* only when nothing is in it */
    }
    for (size_t i = 0; i < build.kext_count; i++) {
        kext_bundle_free(&build.kexts[i]);
    }
    opencore_release_free(&build.release);
    config_free(build.config);
    free(build.oc);
    free(build.efi);
    free(build.staging);
    return ok;
}
