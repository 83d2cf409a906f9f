/* SPDX-License-Identifier: BSD-3-Clause */
/* mbuf_pool.c - last in, first out; one list for mbufs and one for each usual size of memory. */
#include "xnu/bsd/mbuf_pool.h"

#include "xnu/machine/memory.h"
#include "xnu/machine/threads.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RELEASES_ALL
#endif
#endif

#ifdef RELEASES_ALL
enum { KEEPS = false };
#else
enum { KEEPS = true };
#endif
enum { MBUFS_MAX = 4096 };

static struct {
    struct machine_spin_lock lock;
    mbuf_t first; /* linked by `next` */
    unsigned count;
} mbufs;

struct storage_pool {
    size_t size;
    unsigned most;
    struct machine_spin_lock lock;
    struct mbuf_storage *first;
    unsigned count;
};

static struct storage_pool pools[] = {
    { .size = MBUF_HEADER_SIZE, .most = 2048 },
    { .size = MBUF_PLAIN_SIZE, .most = 1024 },
    { .size = MBUF_CLUSTER_SIZE, .most = 2048 },
    { .size = MBUF_BIG_CLUSTER_SIZE, .most = 512 },
    { .size = MBUF_JUMBO_CLUSTER_SIZE, .most = 512 },
};

static struct storage_pool *pool_of(size_t size)
{
    for (unsigned i = 0; i < sizeof pools / sizeof pools[0]; i++)
        if (pools[i].size == size)
            return &pools[i];
    return NULL;
}

mbuf_t mbuf_pool_take(void)
{
    if (!KEEPS || machine_allocation_fail_is_on())
        return NULL;
    machine_spin_lock(&mbufs.lock);
    mbuf_t mbuf = mbufs.first;
    if (mbuf) {
        mbufs.first = mbuf->next;
        mbufs.count--;
    }
    machine_spin_unlock(&mbufs.lock);
    return mbuf;
}

bool mbuf_pool_keep(mbuf_t mbuf)
{
    machine_spin_lock(&mbufs.lock);
    bool kept = KEEPS && mbufs.count < MBUFS_MAX;
    if (kept) {
        mbuf->next = mbufs.first;
        mbufs.first = mbuf;
        mbufs.count++;
    }
    machine_spin_unlock(&mbufs.lock);
    return kept;
}

struct mbuf_storage *mbuf_pool_take_storage(size_t size)
{
    struct storage_pool *pool = pool_of(size);

    if (!KEEPS || !pool || machine_allocation_fail_is_on())
        return NULL;
    machine_spin_lock(&pool->lock);
    struct mbuf_storage *storage = pool->first;
    if (storage) {
        pool->first = storage->next_free;
        pool->count--;
    }
    machine_spin_unlock(&pool->lock);
    if (storage)
        storage->references = 1;
    return storage;
}

bool mbuf_pool_keep_storage(struct mbuf_storage *storage)
{
    struct storage_pool *pool = storage->external_free ? NULL : pool_of(storage->size);

    if (!KEEPS || !pool)
        return false;
    machine_spin_lock(&pool->lock);
    bool kept = pool->count < pool->most;
    if (kept) {
        storage->next_free = pool->first;
        pool->first = storage;
        pool->count++;
    }
    machine_spin_unlock(&pool->lock);
    return kept;
}

void mbuf_pool_reset(void)
{
    mbufs.first = NULL;
    mbufs.count = 0;
    for (unsigned i = 0; i < sizeof pools / sizeof pools[0]; i++) {
        pools[i].first = NULL;
        pools[i].count = 0;
    }
}
