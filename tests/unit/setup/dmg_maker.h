/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes Apple disk images for the tests, in every kind that hvsetup reads and one that it does not.
 */
#ifndef MACHV_TESTS_SETUP_DMG_MAKER_H
#define MACHV_TESTS_SETUP_DMG_MAKER_H

#include <stddef.h>
#include <stdint.h>

struct dmg_recipe {
    uint32_t type; /* of the stored runs; all zero pieces become zero runs */
    const uint8_t *disk;
    size_t size;        /* a multiple of 512 */
    uint32_t wrong_sum; /* added to the right checksum */
    uint32_t segments;
    uint64_t sector_shift; /* added to the first run's sector */
    uint64_t length_shift; /* added to the first stored run's length in the table */
};

void make_dmg(const char *path, const struct dmg_recipe *recipe);

/* A disk of `size` bytes with a bare HFS+ header and a mixture of text, noise and zeros. The caller
 * frees it. */
uint8_t *make_disk(size_t size);

#endif
