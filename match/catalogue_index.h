/* SPDX-License-Identifier: BSD-3-Clause */
/* Personalities of one bucket by what they demand: full 32-bit register values or exact names.
 * Private to the catalogue. */
#ifndef MACHV_MATCH_CATALOGUE_INDEX_H
#define MACHV_MATCH_CATALOGUE_INDEX_H

#include "match/catalogue.h"

struct catalogue_index;

/* `entries` must stay as they are while the index lives. Returns NULL when memory is out. */
struct catalogue_index *catalogue_index_create(const struct catalogue_entry *entries, size_t count);
void catalogue_index_destroy(struct catalogue_index *index);

/* Calls `found` once for each entry that a device with `keys` may match. */
void catalogue_index_find(struct catalogue_index *index, const struct catalogue_keys *keys,
                          void (*found)(void *context, const struct catalogue_entry *entry),
                          void *context);

#endif
