/* SPDX-License-Identifier: BSD-3-Clause */
/* dhcp_message.h - what a DHCP client says and hears (RFC 2131, RFC 2132). No state, no I/O. */
#ifndef MACHV_XNU_MACHINE_DHCP_MESSAGE_H
#define MACHV_XNU_MACHINE_DHCP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DHCP_SERVER_PORT = 67, DHCP_CLIENT_PORT = 68, DHCP_MESSAGE_MAX = 300 };

enum dhcp_type { DHCP_DISCOVER = 1, DHCP_OFFER = 2, DHCP_REQUEST = 3, DHCP_ACK = 5, DHCP_NAK = 6 };

struct dhcp_request {
    enum dhcp_type type;    /* DHCP_DISCOVER or DHCP_REQUEST */
    uint32_t transaction;
    uint8_t hardware[6];
    uint8_t client[4];      /* the address in use, when a lease is renewed; else zero */
    uint8_t requested[4];   /* zero: not said */
    uint8_t server[4];      /* that is meant; zero: any */
};

struct dhcp_reply {
    enum dhcp_type type;
    uint8_t address[4];
    uint8_t server[4], mask[4], router[4], name_server[4]; /* zero: not said */
    uint32_t seconds;                                      /* of the lease; 0: not said */
};

/* Fills a message, all of whose DHCP_MESSAGE_MAX bytes are sent. Answers are asked for as
 * broadcasts. */
void dhcp_write(const struct dhcp_request *request, uint8_t message[DHCP_MESSAGE_MAX]);

/* Takes apart bytes of any content. False: no answer to `transaction` of `hardware`, or a malformed
 * one. */
bool dhcp_read(const uint8_t *message, size_t size, uint32_t transaction, const uint8_t hardware[6],
               struct dhcp_reply *reply);

#endif
