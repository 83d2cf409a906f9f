/* SPDX-License-Identifier: BSD-3-Clause */
/* The order of ACPI tables and kexts, which both OpenCore and the loaded things depend on. */
#ifndef MACHV_SETUP_ENTRY_ORDER_H
#define MACHV_SETUP_ENTRY_ORDER_H

#include "setup/config_document.h"
#include "setup/report.h"

/* Adds a finding for each entry that stands before one that it needs. */
void check_order(const struct config_document *document, struct report *report);
/* Moves entries until every one follows what it needs. */
void fix_order(struct config_document *document);

#endif
