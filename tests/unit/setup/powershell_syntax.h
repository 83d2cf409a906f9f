/* SPDX-License-Identifier: BSD-3-Clause */
/* A small checker for the PowerShell that hvsetup prints: quoting, brackets, and the parameters of
 * the commands against a table. It knows the part of the language that the scripts use, and refuses
 * the rest.
 */
#ifndef MACHV_TESTS_SETUP_POWERSHELL_SYNTAX_H
#define MACHV_TESTS_SETUP_POWERSHELL_SYNTAX_H

#include <stdbool.h>

/* Returns true, or false with a line in `complaint` (200 bytes). */
bool powershell_check(const char *script, char *complaint);

#endif
