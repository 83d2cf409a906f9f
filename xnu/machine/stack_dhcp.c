/* SPDX-License-Identifier: BSD-3-Clause */
/* The interface's address, by DHCP. Debian's lwIP has no client, and takes no packets on an
 * interface without an address: until there is a lease it has one of 169.254.0.0/16 made of its
 * hardware address. */
#include <stdlib.h>
#include <string.h>

#include <lwip/ip4_addr.h>
#include <lwip/pbuf.h>
#include <lwip/timeouts.h>
#include <lwip/udp.h>

#include "xnu/machine/dhcp_message.h"
#include "xnu/machine/log.h"
#include "xnu/machine/stack_private.h"

enum {
    RETRY_FIRST_MS = 1000,
    RETRY_MAX_MS = 16000,
    REQUESTS_MAX = 4,      /* unanswered; then it begins anew */
    LEASE_DEFAULT = 3600,  /* seconds, of a server that says nothing */
    LEASE_MIN = 60,
    LEASE_MAX = 7 * 86400,
};

enum dhcp_state { DHCP_OFF, DHCP_SELECTING, DHCP_REQUESTING, DHCP_BOUND, DHCP_RENEWING };

/* One interface, one client; all in the core lock. */
static struct {
    enum dhcp_state state;
    struct netif *netif;
    struct udp_pcb *socket;
    uint32_t transaction;
    uint32_t retry_ms;
    unsigned requests;
    struct dhcp_reply offer; /* under way, or the lease */
} dhcp;

static void timer(void *argument);

static bool has_lease(void)
{
    return dhcp.state == DHCP_BOUND || dhcp.state == DHCP_RENEWING;
}

static void wait_ms(uint32_t milliseconds)
{
    sys_untimeout(timer, NULL);
    sys_timeout(milliseconds, timer, NULL);
}

/* ---- addresses ---- */

static void set_address(const uint8_t address[4], const uint8_t mask[4], const uint8_t router[4])
{
    ip4_addr_t values[3];

    memcpy(&values[0], address, 4);
    memcpy(&values[1], mask, 4);
    memcpy(&values[2], router, 4);
    netif_set_addr(dhcp.netif, &values[0], &values[1], &values[2]);
}

static void set_link_local(void)
{
    static const uint8_t mask[4] = { 255, 255, 0, 0 }, none[4];
    const uint8_t *hardware = dhcp.netif->hwaddr;
    const uint8_t address[4] = { 169, 254, (uint8_t)(1 + hardware[4] % 254), hardware[5] };

    set_address(address, mask, none);
}

/* ---- messages ---- */

static void send_message(enum dhcp_type type)
{
    struct dhcp_request request = { .type = type, .transaction = dhcp.transaction };
    struct pbuf *packet = pbuf_alloc(PBUF_TRANSPORT, DHCP_MESSAGE_MAX, PBUF_RAM);

    if (packet == NULL)
        return; /* the timer tries again */
    memcpy(request.hardware, dhcp.netif->hwaddr, sizeof request.hardware);
    if (dhcp.state == DHCP_RENEWING) {
        memcpy(request.client, dhcp.offer.address, 4);
    } else if (type == DHCP_REQUEST) {
        memcpy(request.requested, dhcp.offer.address, 4);
        memcpy(request.server, dhcp.offer.server, 4);
    }
    dhcp_write(&request, packet->payload);
    udp_sendto_if_src(dhcp.socket, packet, IP_ADDR_BROADCAST, DHCP_SERVER_PORT, dhcp.netif,
                      dhcp.state == DHCP_RENEWING ? netif_ip_addr4(dhcp.netif) : IP4_ADDR_ANY);
    pbuf_free(packet);
}

static void discover(void)
{
    dhcp.state = DHCP_SELECTING;
    dhcp.transaction = (uint32_t)random() * 2 + 1;
    set_link_local();
    send_message(DHCP_DISCOVER);
    wait_ms(dhcp.retry_ms);
    dhcp.retry_ms = dhcp.retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : dhcp.retry_ms * 2;
}

static void request_offer(void)
{
    dhcp.requests++;
    send_message(DHCP_REQUEST);
    wait_ms(RETRY_FIRST_MS);
}

static void timer(void *argument)
{
    if (dhcp.state == DHCP_BOUND) {
        dhcp.state = DHCP_RENEWING;
        dhcp.requests = 0;
    }
    if (dhcp.state == DHCP_SELECTING || dhcp.requests >= REQUESTS_MAX)
        discover();
    else
        request_offer();
}

static void bind_lease(const struct dhcp_reply *reply)
{
    const uint8_t *address = reply->address, *router = reply->router;
    bool is_new = !has_lease() || memcmp(dhcp.offer.address, address, 4) != 0;

    dhcp.offer = *reply;
    dhcp.state = DHCP_BOUND;
    if (dhcp.offer.seconds == 0)
        dhcp.offer.seconds = LEASE_DEFAULT;
    if (dhcp.offer.seconds > LEASE_MAX)
        dhcp.offer.seconds = LEASE_MAX;
    if (dhcp.offer.seconds < LEASE_MIN)
        dhcp.offer.seconds = LEASE_MIN;
    set_address(address, reply->mask, router);
    wait_ms(dhcp.offer.seconds / 2 * 1000);
    if (is_new)
        machine_log("en0: lease %u.%u.%u.%u, router %u.%u.%u.%u", address[0], address[1],
                    address[2], address[3], router[0], router[1], router[2], router[3]);
}

static void take_reply(const struct dhcp_reply *reply)
{
    if (dhcp.state == DHCP_SELECTING && reply->type == DHCP_OFFER) {
        dhcp.offer = *reply;
        dhcp.state = DHCP_REQUESTING;
        dhcp.requests = 0;
        request_offer();
    } else if ((dhcp.state == DHCP_REQUESTING || dhcp.state == DHCP_RENEWING) &&
               reply->type == DHCP_ACK) {
        dhcp.retry_ms = RETRY_FIRST_MS;
        bind_lease(reply);
    } else if ((dhcp.state == DHCP_REQUESTING || dhcp.state == DHCP_RENEWING) &&
               reply->type == DHCP_NAK) {
        discover();
    }
}

static void arrived(void *argument, struct udp_pcb *socket, struct pbuf *packet,
                    const ip_addr_t *from, u16_t port)
{
    uint8_t message[1500];
    size_t size = pbuf_copy_partial(packet, message, sizeof message, 0);
    struct dhcp_reply reply;

    pbuf_free(packet);
    if (dhcp.state != DHCP_OFF &&
        dhcp_read(message, size, dhcp.transaction, dhcp.netif->hwaddr, &reply))
        take_reply(&reply);
}

/* ---- life ---- */

void stack_dhcp_begin(struct netif *netif)
{
    dhcp.netif = netif;
    dhcp.retry_ms = RETRY_FIRST_MS;
    dhcp.socket = udp_new();
    if (dhcp.socket == NULL || udp_bind(dhcp.socket, IP4_ADDR_ANY, DHCP_CLIENT_PORT) != ERR_OK) {
        machine_log("en0: no DHCP: the stack has no socket for it");
        return;
    }
    ip_set_option(dhcp.socket, SOF_BROADCAST);
    udp_recv(dhcp.socket, arrived, NULL);
    discover();
}

void stack_dhcp_end(struct netif *netif)
{
    sys_untimeout(timer, NULL);
    if (dhcp.socket != NULL)
        udp_remove(dhcp.socket);
    dhcp.socket = NULL;
    if (dhcp.state != DHCP_OFF)
        netif_set_addr(netif, NULL, NULL, NULL);
    dhcp.state = DHCP_OFF;
}

void stack_dhcp_lease(struct machine_stack_lease *lease)
{
    lease->leased = has_lease();
    if (!lease->leased)
        return;
    memcpy(lease->address, dhcp.offer.address, 4);
    memcpy(lease->mask, dhcp.offer.mask, 4);
    memcpy(lease->router, dhcp.offer.router, 4);
    memcpy(lease->name_server, dhcp.offer.name_server, 4);
    lease->seconds = dhcp.offer.seconds;
}
