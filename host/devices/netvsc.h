/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The synthetic network adapter: NVSP and RNDIS with the guest's driver on one side, a network
 * (host/network/port.h) on the other.
 *
 *   netvsc.c           the device: offer, channels, link, what hvctl sees
 *   netvsc_session.c   NVSP: versions, buffers, sub-channels; pure
 *   netvsc_control.c   RNDIS: initialisation, OIDs, offload and RSS settings; pure
 *   netvsc_transmit.c  frames from the guest
 *   netvsc_receive.c   frames and RNDIS messages to the guest, through its receive buffer
 *   netvsc_hash.c      receive side scaling
 */
#ifndef HOST_DEVICES_NETVSC_H
#define HOST_DEVICES_NETVSC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/devices/virtual_device.h"
#include "host/network/port.h"
#include "protocol/wire.h"

struct netvsc;

struct netvsc_settings {
    struct guid instance;
    uint32_t order;            /* among the adapters of a machine */
    uint32_t version_max;      /* NVSP_VERSION_... */
    uint16_t sub_channels_max;
    uint8_t address[FRAME_ADDRESS];
    uint64_t link_speed;       /* bit/s */
    bool reply_first;          /* RNDIS replies come before the completion of their carrier */
};

/* Defaults of an adapter of this version: 8 sub-channels from version 5 on, 10 Gbit/s. */
void netvsc_default_settings(uint32_t version_max, struct netvsc_settings *settings);

/* NVSP_VERSION_... of a release's "major << 16 | minor" (host/releases.h); 0 if there is none. */
uint32_t netvsc_version(uint32_t release_version);

/* The adapter owns the port from then on. NULL when memory is short;
 * the port is the caller's then. */
struct netvsc *netvsc_new(const struct netvsc_settings *settings, struct network_port *port);

struct virtual_device *netvsc_device(struct netvsc *adapter);
struct network_port *netvsc_port(struct netvsc *adapter);
const struct netvsc_settings *netvsc_settings(const struct netvsc *adapter);

/* Plugs the cable in or out; the guest is told. */
void netvsc_set_link(struct netvsc *adapter, bool up);
bool netvsc_link(const struct netvsc *adapter);

/* Tells the guest of another speed in bit/s, or of another network behind the cable. */
void netvsc_set_speed(struct netvsc *adapter, uint64_t bits_per_second);
void netvsc_change_network(struct netvsc *adapter);

#endif
