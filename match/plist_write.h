/* SPDX-License-Identifier: BSD-3-Clause */
/* Property lists as XML text that the kernel reads. */
#ifndef MACHV_MATCH_PLIST_WRITE_H
#define MACHV_MATCH_PLIST_WRITE_H

#include "match/plist.h"

#include <stdio.h>

/* Writes a value at `depth` tabs of indentation. */
void plist_write_value(FILE *file, const struct plist *value, unsigned depth);
/* `<key>..</key>` on a line of its own. */
void plist_write_key(FILE *file, const char *key, unsigned depth);
/* A comment; what must not stand in one is broken up. */
void plist_write_comment(FILE *file, const char *text, unsigned depth);
/* Declaration, document type and `<plist>`; and the end. */
void plist_write_head(FILE *file);
void plist_write_tail(FILE *file);

#endif
