/* SPDX-License-Identifier: BSD-3-Clause */
/* write.h: what the writers of both file types share: symbol and string tables. */
#ifndef TOOLS_KEXTLINK_WRITE_H
#define TOOLS_KEXTLINK_WRITE_H

#include "tools/kextlink/link.h"

/* Bytes of the string table for all output symbols: a NUL first, padded to 8. */
size_t string_table_size(const struct link *link);

/* Writes entries at `entries` (16 bytes each, or 12 on i386) and names at `strings`. */
void write_symbols(const struct link *link, uint8_t *entries, uint8_t *strings);

/* One relocation entry: symbol index for imports, section ordinal for local pointers. */
void write_relocation(const struct link *link, const struct fixup *fixup, uint64_t base,
                      uint8_t *out);

/* Sixteen bytes, padded with NUL; a name of sixteen has no NUL. */
void write_name(char field[16], const char *name);

#endif
