/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the connection engine share. */
#ifndef KEXT_CORE_CONNECTION_PRIVATE_H
#define KEXT_CORE_CONNECTION_PRIVATE_H

#include "kext/core/connection.h"

/* Fills `post` with a message of `size` bytes for the connection id in use. */
void connection_fill_post(const struct connection *connection, struct connection_message *post,
                          const void *message, uint32_t size);

/* The channel that the host offered under this id, or NULL. */
struct connection_channel *connection_find_channel(struct connection *connection,
                                                   uint32_t channel_id);

/* Replies; `message` has at least the size of its type. Each returns 0 or HV_ERROR_UNEXPECTED. */
int connection_open_result(struct connection *connection, const void *message);
int connection_gpadl_created(struct connection *connection, const void *message);
int connection_gpadl_torndown(struct connection *connection, const void *message);
int connection_modify_response(struct connection *connection, const void *message);

/* Ends all requests of a channel that has been rescinded, but for GPADL teardowns, which hosts
 * answer even then. */
void connection_end_channel_requests(struct connection *connection, uint32_t channel_id);

/* Ends every request and forgets every channel and GPADL. */
void connection_drop_all(struct connection *connection);

#endif
