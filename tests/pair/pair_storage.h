/* SPDX-License-Identifier: BSD-3-Clause */
/* What the host of a pair has behind its storage controller. Host side: kernel sources do not
 * include this. */
#ifndef TESTS_PAIR_PAIR_STORAGE_H
#define TESTS_PAIR_PAIR_STORAGE_H

struct disk_engine;
struct pair_host;
struct storvsc;

/* Both are the pair's. */
struct storvsc *pair_host_storage(struct pair_host *host);
struct disk_engine *pair_host_disk_engine(struct pair_host *host);

#endif
