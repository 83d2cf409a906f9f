/* SPDX-License-Identifier: BSD-3-Clause */
/* The shared page file: signals from the guest, interrupts to it, and their event descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/server/partition_internal.h"

static void ring(int event)
{
    const uint64_t one = 1;
    ssize_t written;
    do {
        written = write(event, &one, sizeof(one));
    } while (written < 0 && errno == EINTR);
    /* -EAGAIN: the counter is at its top, so the other side has been woken already. */
}

int partition_pages_open(struct partition_server *server)
{
    server->pages_size = (size_t)PARTITION_PAGE_SIZE * (1 + server->processor_count);
    server->page_file = memfd_create("partition-pages", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (server->page_file < 0 || ftruncate(server->page_file, (off_t)server->pages_size) != 0 ||
        /* The monitor must not be able to take the pages from under us. */
        fcntl(server->page_file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        return -errno;
    }
    void *pages = mmap(NULL, server->pages_size, PROT_READ | PROT_WRITE, MAP_SHARED,
                       server->page_file, 0);
    if (pages == MAP_FAILED) {
        return -errno;
    }
    server->signal_page = pages;
    server->vector_pages = (struct partition_vector_page *)pages + 1;
    for (uint32_t i = 0; i < server->processor_count; i++) {
        server->interrupt_events[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (server->interrupt_events[i] < 0) {
            return -errno;
        }
    }
    server->signal_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return server->signal_event < 0 ? -errno : 0;
}

static void close_one(int *descriptor)
{
    if (*descriptor >= 0) {
        close(*descriptor);
        *descriptor = -1;
    }
}

void partition_pages_close(struct partition_server *server)
{
    if (server->signal_page != NULL) {
        munmap(server->signal_page, server->pages_size);
        server->signal_page = NULL;
        server->vector_pages = NULL;
    }
    for (uint32_t i = 0; i < PARTITION_PROCESSORS_MAX; i++) {
        close_one(&server->interrupt_events[i]);
    }
    close_one(&server->signal_event);
    close_one(&server->page_file);
}

unsigned partition_server_poll_signals(struct partition_server *server)
{
    unsigned count = 0;
    if (server->signal_page == NULL || !server->started) {
        return 0;
    }
    for (uint32_t i = 0; i < server->settings.signal_count / 64 && !server->ended; i++) {
        _Atomic uint64_t *word = (_Atomic uint64_t *)&server->signal_page->words[i];
        if (atomic_load_explicit(word, memory_order_relaxed) == 0) {
            continue;
        }
        uint64_t bits = atomic_exchange(word, 0);
        while (bits != 0) {
            uint32_t bit = (uint32_t)__builtin_ctzll(bits);
            bits &= bits - 1;
            count++;
            server->operations->signal(server->context,
                                       server->settings.signal_base + i * 64 + bit);
        }
    }
    server->signals_seen += count;
    return count;
}

void partition_server_raise(struct partition_server *server, uint32_t processor, uint8_t vector)
{
    if (server->vector_pages == NULL || processor >= server->processor_count) {
        return;
    }
    struct partition_vector_page *page = &server->vector_pages[processor];
    _Atomic uint64_t *word = (_Atomic uint64_t *)&page->words[vector / 64];
    server->interrupts++;
    /* First the bit, then the watchers: who leaves them looks at the bits after that. */
    if (atomic_fetch_or(word, 1ull << vector % 64) == 0 &&
        atomic_load((_Atomic uint32_t *)&page->watchers) == 0) {
        ring(server->interrupt_events[processor]);
    }
}
