/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes the files that the tests of hvsetup work on. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "setup/child.h"
#include "setup/files.h"
#include "setup/text.h"

static void require(bool ok, const struct setup_error *error)
{
    if (!ok) {
        fprintf(stderr, "fixture: %s\n", error->text);
        abort();
    }
}

void fixture_make(struct fixture *fixture, const char *acpi)
{
    struct setup_error error = {""};
    /* Hundreds of builds, each flushed: in memory where there is such a folder. */
    const char *temporary = getenv("TMPDIR");
    const char *memory = folder_exists("/dev/shm") ? "/dev/shm" : "/tmp";
    fixture->folder = folder_stage(temporary == NULL ? memory : temporary, &error);
    require(fixture->folder != NULL, &error);
    char *maker =
        format_string("%s/tests/fixtures/setup/make-release", getenv("MACHV_SOURCE_ROOT"));
    char *command[] = {maker, fixture->folder, NULL};
    require(run_program(command, &error), &error);
    free(maker);
    fixture->release = path_join(fixture->folder, "release");
    fixture->lilu = path_join(fixture->folder, "kexts/Lilu.kext");
    fixture->smc = path_join(fixture->folder, "kexts/VirtualSMC.kext");
    fixture->data_path = path_join(fixture->folder, "data");
    char *tables = path_join(fixture->data_path, "acpi");
    char *copy[] = {"cp", "-r", (char *)acpi, tables, NULL};
    require(run_program(copy, &error), &error);
    free(tables);
    require(data_folder_find(&fixture->data, fixture->data_path, &error), &error);
}

void fixture_free(struct fixture *fixture)
{
    folder_remove(fixture->folder);
    data_folder_free(&fixture->data);
    free(fixture->folder);
    free(fixture->release);
    free(fixture->lilu);
    free(fixture->smc);
    free(fixture->data_path);
}

struct build_options fixture_build(const struct fixture *fixture, const struct target *target,
                                   const char *output)
{
    return (struct build_options){
        .target = *target,
        .data = &fixture->data,
        .opencore = fixture->release,
        .output = output,
        .kexts = {fixture->smc, fixture->lilu}, /* in the wrong order on purpose */
        .kext_count = 2,
    };
}

struct config_document *parse_file(const char *path)
{
    struct setup_error error;
    char *text = NULL;
    size_t size = 0;
    require(file_read(path, CONFIG_SIZE_MAX, &text, &size, &error), &error);
    struct config_document *document = config_parse(text, size, &error);
    require(document != NULL, &error);
    free(text);
    return document;
}

struct config_document *fixture_config(const char *output)
{
    char *path = path_join(output, "EFI/OC/config.plist");
    struct config_document *document = parse_file(path);
    free(path);
    return document;
}

struct target make_target(const char *macos, const char *host, unsigned generation)
{
    struct target target = {
        .macos = find_macos(macos), .host = find_host(host), .generation = generation};
    target.kernel = target.macos->kernel64 ? KERNEL_64 : KERNEL_32;
    return target;
}
