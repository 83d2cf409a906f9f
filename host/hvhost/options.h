/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of hvhost. */
#ifndef HOST_HVHOST_OPTIONS_H
#define HOST_HVHOST_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/disk/disk_open.h"
#include "host/network/port.h"
#include "host/releases.h"

enum { HVHOST_DISKS_MAX = 256, HVHOST_FAULTS_MAX = 32, HVHOST_NETWORKS_MAX = 8,
       HVHOST_PCI_MAX = 64, HVHOST_ANY = -1 };

/* One --disk or --dvd. */
struct hvhost_disk_option {
    char path[4096];
    enum disk_format format;
    uint32_t block_size;
    bool read_only;
    bool is_dvd;    /* a DVD drive with the disc `path` in it, */
    bool is_empty;  /* or none */
    int controller; /* or HVHOST_ANY */
    int lun;        /* or HVHOST_ANY: the first free one */
    int ide;        /* channel * 2 + device, or HVHOST_ANY: on a SCSI controller */
};

/* One --net. */
enum hvhost_network_kind { HVHOST_NETWORK_NAT, HVHOST_NETWORK_TAP, HVHOST_NETWORK_SWITCH };

struct hvhost_network_option {
    enum hvhost_network_kind kind;
    char name[64];             /* of the TAP device or the switch */
    struct network_nat_options nat;
    uint8_t address[FRAME_ADDRESS];
    bool has_address;          /* else one is made */
    bool down;                 /* the cable is out at first */
};

struct hvhost_options {
    const char *socket_path;
    const char *control_path;  /* NULL: no control socket */
    const char *log_path;      /* NULL: standard error */
    bool json_events;
    bool vnc;
    const char *vnc_path;      /* of a socket in the file system; NULL: the port */
    uint16_t vnc_port;         /* 0: any */
    const char *vnc_password_path; /* NULL: no password */
    const struct host_release *release;
    uint32_t generation;
    uint64_t seed;
    uint32_t vmbus_max;        /* 0: the release's */
    uint64_t poll_ns;          /* longest busy wait */
    bool echo_address;
    bool horizontal_wheel;     /* of the mouse */
    uint32_t largest_width, largest_height; /* of the screen; 0: the release's */
    struct hvhost_disk_option disks[HVHOST_DISKS_MAX];
    unsigned disk_count;
    struct hvhost_network_option networks[HVHOST_NETWORKS_MAX];
    unsigned network_count;
    const char *pci[HVHOST_PCI_MAX]; /* descriptions; into argv */
    unsigned pci_count;
    const char *faults[HVHOST_FAULTS_MAX]; /* into argv */
    unsigned fault_count;
};

/* Returns 0; 1: help or version was printed; -1: wrong, and one line on standard error said so. */
int hvhost_parse_options(int argc, char **argv, struct hvhost_options *options);

/*
 * "FILE[,controller=N][,lun=N][,ide=C:D][,readonly][,format=F][,block-size=N]"; a comma in FILE is
 * written twice. Returns 0, or -EINVAL and a line in `error`.
 */
int hvhost_parse_disk(const char *text, struct hvhost_disk_option *disk, char *error,
                      size_t error_size);

/* "FILE|empty[,controller=N][,lun=N][,format=F]": a DVD drive. Otherwise as hvhost_parse_disk(). */
int hvhost_parse_dvd(const char *text, struct hvhost_disk_option *disk, char *error,
                     size_t error_size);

/*
 * "nat[,forward=HOST:GUEST]", "tap=NAME" or "switch=NAME", each with [,mac=ADDRESS][,down]
 * (networks.c). Returns 0, or -EINVAL and a line in `error`.
 */
int hvhost_parse_network(const char *text, struct hvhost_network_option *option, char *error,
                         size_t error_size);

#endif
