/* SPDX-License-Identifier: BSD-3-Clause */
/* wire.h - what en0 is plugged into: a TAP device of the machine that this process runs on (tap.c),
 * or a TCP/IP stack in the process (stack.c). Frames cross it one by one, with the work that one
 * side leaves to the other beside them. */
#ifndef MACHV_XNU_MACHINE_WIRE_H
#define MACHV_XNU_MACHINE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum machine_wire_segmentation { MACHINE_WIRE_WHOLE, MACHINE_WIRE_TCP_IPV4, MACHINE_WIRE_TCP_IPV6 };

/* What travels beside a frame: work that its receiver has to do. */
struct machine_wire_frame {
    bool needs_checksum;     /* from checksum_start on; the field has the pseudo-header's sum */
    uint16_t checksum_start, checksum_offset;
    bool checksum_good;      /* verified: need not be looked at */
    enum machine_wire_segmentation segmentation;
    uint16_t segment_size;
    uint16_t header_size;    /* of a frame to be segmented */
};

/* A part of a frame's bytes. */
struct machine_wire_piece {
    const void *bytes;
    size_t length;
};

/* A part of the memory that a frame is read to. */
struct machine_wire_space {
    void *bytes;
    size_t length;
};

/* The interface that is plugged in. */
struct machine_wire_interface {
    const char *name;
    uint8_t address[6];
    uint32_t mtu;            /* of IP packets */
    uint32_t tso_mtu;        /* largest IP packet to be segmented; 0: MACHINE_WIRE_FRAME_MAX */
    bool link;
};

enum { MACHINE_WIRE_FRAME_MAX = 65535 + 18, MACHINE_WIRE_PIECES_MAX = 128 };

/* Nothing here waits. All but `open` and `close` may be called by several threads at a time. */
struct machine_wire {
    /* Returns a descriptor for machine_poll, readable while frames wait; or -1 and a line in
     * `error`. */
    int (*open)(const char *name, char *error, size_t error_size);
    void (*close)(int descriptor);
    /* The next frame for the interface, into at most MACHINE_WIRE_PIECES_MAX parts of memory: its
     * bytes, 0 if there is none, or a negative errno. One that is too large is dropped. */
    long (*read)(int descriptor, struct machine_wire_frame *about,
                 const struct machine_wire_space *spaces, unsigned count);
    /* A frame from the interface, in at most MACHINE_WIRE_PIECES_MAX pieces; false if it was
     * dropped. */
    bool (*write)(int descriptor, const struct machine_wire_frame *about,
                  const struct machine_wire_piece *pieces, unsigned count);
    /* What is plugged in has come, or changed; NULL: it is gone. */
    void (*plug)(int descriptor, const struct machine_wire_interface *interface);
};

extern const struct machine_wire machine_tap;
/* One at a time in the process; `name` is not used. */
extern const struct machine_wire machine_stack;

#endif
