/* SPDX-License-Identifier: BSD-3-Clause */
/* command_private.h - the queue links inside IOCommand and IOCommandPool (osfmk/kern/queue.h): a
 * ring whose head points to itself when empty. */
#ifndef XNU_IOKIT_COMMAND_PRIVATE_H
#define XNU_IOKIT_COMMAND_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "abi/IOCommand.h"
#include "abi/IOCommandPool.h"

struct queue_link {
    struct queue_link *next, *previous;
};

static inline void queue_init(struct queue_link *head)
{
    head->next = head->previous = head;
}

static inline bool queue_is_empty(const struct queue_link *head)
{
    return head->next == head;
}

static inline void queue_add(struct queue_link *head, struct queue_link *link)
{
    link->next = head;
    link->previous = head->previous;
    head->previous->next = link;
    head->previous = link;
}

static inline void queue_remove(struct queue_link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    link->next = link->previous = link;
}

static inline struct queue_link *command_link(IOCommand *command)
{
    return (struct queue_link *)(void *)command->fCommandChain;
}

static inline IOCommand *command_of(struct queue_link *link)
{
    return (IOCommand *)(void *)((char *)link - offsetof(IOCommand, fCommandChain));
}

static inline struct queue_link *pool_head(IOCommandPool *pool)
{
    return (struct queue_link *)(void *)pool->fQueueHead;
}

#endif
