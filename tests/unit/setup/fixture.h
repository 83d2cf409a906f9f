/* SPDX-License-Identifier: BSD-3-Clause */
/* A release folder, stand-in kexts and a data folder, made once for a test program. */
#ifndef MACHV_TESTS_SETUP_FIXTURE_H
#define MACHV_TESTS_SETUP_FIXTURE_H

#include "setup/build.h"
#include "setup/config_document.h"

struct fixture {
    char *folder;
    char *release;
    char *lilu;
    char *smc;
    char *data_path;
    struct data_folder data;
};

/* `acpi` is the folder with the compiled tables. Aborts the test program when something fails. */
void fixture_make(struct fixture *fixture, const char *acpi);
void fixture_free(struct fixture *fixture);

/* Options of a build into `output` with the fixture's release, kexts and data. */
struct build_options fixture_build(const struct fixture *fixture, const struct target *target,
                                   const char *output);
/* Reads and parses OUTPUT/EFI/OC/config.plist. */
struct config_document *fixture_config(const char *output);
struct config_document *parse_file(const char *path);

struct target make_target(const char *macos, const char *host, unsigned generation);

#endif
