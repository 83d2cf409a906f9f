/* SPDX-License-Identifier: BSD-3-Clause */
/* What is read from files must not control the terminal. */
#ifndef MACHV_MATCH_KEXTMATCH_CLEAN_OUTPUT_H
#define MACHV_MATCH_KEXTMATCH_CLEAN_OUTPUT_H

/* From here on control characters other than tab and line feed reach standard output and standard
 * error as '?'. Call it once, before anything is printed. */
void clean_output_begin(void);

#endif
