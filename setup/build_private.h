/* SPDX-License-Identifier: BSD-3-Clause */
/* A build in progress; shared by build.c and the parts that do one section each. */
#ifndef MACHV_SETUP_BUILD_PRIVATE_H
#define MACHV_SETUP_BUILD_PRIVATE_H

#include "setup/build.h"
#include "setup/config_document.h"
#include "setup/kext_bundle.h"
#include "setup/opencore_release.h"

struct build {
    const struct build_options *options;
    struct report *report;
    struct setup_error *error;
    char *staging; /* everything is prepared in here */
    char *efi;     /* staging/EFI */
    char *oc;      /* staging/EFI/OC */
    bool over_existing;
    struct opencore_release release;
    struct config_document *config;
    struct kext_bundle kexts[BUILD_PATHS_MAX];
    size_t kext_count;
    bool ok; /* cleared by the first failure inside a visit of rows */
};

/* Loads the configuration to start from: the existing one, or the release's sample without its
 * examples. */
bool build_load_config(struct build *build);
/* Applies every row with its file. */
bool build_apply_rows(struct build *build);
/* Copies the user's kexts and adds entries for those that no row is about. */
bool build_add_user_kexts(struct build *build);
/* Mac model, processor, and what is left to the user. */
bool build_apply_machine(struct build *build);

#endif
