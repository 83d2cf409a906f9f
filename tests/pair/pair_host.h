/* SPDX-License-Identifier: BSD-3-Clause */
/* The simulated Hyper-V host in the guest's own process: the host library behind the user-space
 * kernel's partition operations, on the fibre scheduler's virtual time. No socket, no thread: a run
 * is decided by its seed.
 *
 * Freestanding types only, so that kernel-side test files can include it. */
#ifndef TESTS_PAIR_PAIR_HOST_H
#define TESTS_PAIR_PAIR_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pair_host;

enum { PAIR_DISKS_MAX = 4, PAIR_FAULTS_MAX = 16, PAIR_BUSSES_MAX = 16 };

struct pair_options {
    const char *release;       /* "2022", ...; NULL: the newest */
    uint32_t vmbus_version_max; /* 0: the release's */
    uint64_t disk_bytes[PAIR_DISKS_MAX]; /* memory disks at LUN 0, 1, ...; 0: none */
    uint64_t seed;             /* of faults */
    const char *faults[PAIR_FAULTS_MAX]; /* on VMBus traffic from the start on (fault_plan.h) */
    unsigned processors;       /* 1 .. 8; 0: 2 */
    unsigned sub_channels_max; /* of the storage controller; 0: the release's, */
    bool no_sub_channels;      /* or none */
    bool network;              /* an adapter whose network returns each frame, addresses swapped */
    unsigned network_channels; /* that the host allows; 0: as many as by default */
    bool network_reply_first;  /* RNDIS replies come before the completion of their carrier */
    bool video;                /* a display (pair_video.h) */
    uint32_t video_version;    /* SYNTHVID_VERSION() of the newest it speaks; 0: the release's */
    unsigned video_megabytes;  /* 0: what the version has */
    const char *pci[PAIR_BUSSES_MAX]; /* busses of PCI functions (pair_pci.h) */
    const char *macos;         /* of the guest: "11", ...; NULL: 12.5 */
    const char *boot_args;     /* NULL: none */
    bool no_framebuffer;       /* MacHyperVFramebuffer.kext is not installed */
    unsigned generation;       /* of the machine; 0: 2 */
    bool unloading_off;        /* the kext ends with an object that it keeps for good, and says so */
    uint64_t stop_within;      /* ns that the machine's end may take; 0: any time */
    void (*before_kext)(void); /* in the guest, when I/O Kit is up; NULL: nothing */
};

/* Makes the host and attaches it to the machine (after machine_start, outside the kernel).
 * NULL: the reason was printed. */
struct pair_host *pair_host_attach(const struct pair_options *options);

/* What the guest did wrong so far; each was printed. */
unsigned pair_host_violations(const struct pair_host *host);
/* Contents of a memory disk. */
uint8_t *pair_host_disk(struct pair_host *host, unsigned lun);
uint64_t pair_host_heartbeats(const struct pair_host *host);
/* Channels open and GPADLs that exist: what the host still has of the guest. */
unsigned pair_host_gpadls(const struct pair_host *host);
uint32_t pair_host_vmbus_version(const struct pair_host *host);

/* Register of a synthetic interrupt source of a processor. */
uint64_t pair_host_sint(const struct pair_host *host, unsigned processor, unsigned sint);

/* Offers one more device to the running guest; it is the host's from here on. */
struct virtual_device;
bool pair_host_plug(struct pair_host *host, struct virtual_device *device);
/* Frees one that the guest has let go of. */
void pair_host_forget(struct pair_host *host, struct virtual_device *device);

/* The display, and whether it could be offered again after it was taken away. */
struct virtual_device *pair_host_video(const struct pair_host *host);
bool pair_host_replug_video(struct pair_host *host);

/* ---- hostile and unlucky hosts ---- */

/* Takes the storage controller away (RESCIND), as when an administrator removes it. */
void pair_host_remove_controller(struct pair_host *host);
/* The guest has said that it is done with it. */
bool pair_host_controller_is_released(const struct pair_host *host);
/* Offers it again, with its disks. */
bool pair_host_add_controller(struct pair_host *host);
/* Takes the network adapter away, and offers it again. */
void pair_host_remove_adapter(struct pair_host *host);
bool pair_host_add_adapter(struct pair_host *host);
void pair_host_set_link(struct pair_host *host, bool up);
void pair_host_set_speed(struct pair_host *host, uint64_t bits_per_second);
/* What the adapter was told: RNDIS filter, and frames that went to the network. */
uint32_t pair_host_network_filter(struct pair_host *host);
uint64_t pair_host_network_frames(struct pair_host *host);
/* Messages that these frames came in, and what channel `index` carried; false: it is not open. */
uint64_t pair_host_network_messages(struct pair_host *host);
bool pair_host_network_channel(struct pair_host *host, unsigned index, uint64_t *from_guest,
                               uint64_t *to_guest);
/* The address that the adapter has for whoever asks from now on; 6 bytes. */
void pair_host_network_set_address(struct pair_host *host, const uint8_t *address);
/* Hands the guest a frame from the network. */
void pair_host_network_inject(struct pair_host *host, const void *bytes, size_t size, bool tagged,
                              uint16_t tag);
struct netvsc *pair_host_adapter(struct pair_host *host);
/* Packets that a sound host would not send; the guest gets each as it is (pair_network_lies.c). */
enum pair_network_lie {
    /* Of the packet: */
    PAIR_LIE_SET_ID,           /* pages of another buffer */
    PAIR_LIE_NO_RANGES,
    PAIR_LIE_RANGE_OUTSIDE,    /* beyond the end of the receive buffer */
    PAIR_LIE_RANGE_WRAPS,      /* offset plus length is beyond 32 bits */
    PAIR_LIE_EMPTY_RANGE,
    PAIR_LIE_CHANNEL_TYPE,     /* neither data nor control */
    PAIR_LIE_SHORT,            /* no NVSP message at all */
    PAIR_LIE_UNKNOWN_COMPLETION,
    PAIR_LIE_REPEATED_COMPLETION, /* of a transaction that was completed before */
    PAIR_LIE_UNSOLICITED,      /* an NVSP message of no known type */
    PAIR_LIE_VF,               /* a virtual function that nobody asked for, */
    PAIR_LIE_DATA_PATH,        /* and the word that data go by it from now on */
    PAIR_LIE_TABLE_COUNT,      /* a send indirection table of another size, */
    PAIR_LIE_TABLE_OFFSET,     /* somewhere else, */
    PAIR_LIE_TABLE_ENTRIES,    /* or of channels that are not there */
    /* Of the RNDIS packet: */
    PAIR_LIE_GARBAGE,
    PAIR_LIE_LENGTH_SMALL,     /* less than the header, */
    PAIR_LIE_LENGTH_LARGE,     /* or than the range has */
    PAIR_LIE_DATA_OUTSIDE,     /* a frame that lies elsewhere, */
    PAIR_LIE_DATA_EMPTY,
    PAIR_LIE_DATA_IN_HEADER,
    PAIR_LIE_INFO_OUTSIDE,
    PAIR_LIE_INFO_SIZE_ZERO,   /* per-packet information: its elements' sizes, */
    PAIR_LIE_INFO_SIZE_ODD,
    PAIR_LIE_INFO_SIZE_LARGE,
    PAIR_LIE_INFO_OFFSET,      /* and where their data are */
    PAIR_LIE_PIECE,            /* the end of a coalesced frame that never began, */
    PAIR_LIE_PIECE_ALONE,      /* or the beginning of one that never ends, */
    PAIR_LIE_PIECE_LATE,       /* its end, but in another packet, */
    PAIR_LIE_PIECE_BROKEN,     /* or one whose middle cannot be read, */
    PAIR_LIE_PIECE_OUTSIDE,    /* is nowhere, */
    PAIR_LIE_PIECE_OF_OTHER,   /* or another frame's */
    /* Of control messages: */
    PAIR_LIE_REPLY,            /* of a request that nobody made */
    PAIR_LIE_REPLY_SHORT,
    PAIR_LIE_INDICATION,       /* its data lie elsewhere */
    PAIR_LIE_CONTROL_TYPE,
    PAIR_LIES
};
/* On channel `index`, which is open. Control messages are lies as such on any but the first. */
void pair_host_network_lie(struct pair_host *host, enum pair_network_lie lie, unsigned index);
/* Whether the guest has given back the unit of the last lie; true if it needed none. */
bool pair_host_network_acknowledged(struct pair_host *host);
bool pair_host_add_disk(struct pair_host *host, unsigned lun, uint64_t bytes);
bool pair_host_remove_disk(struct pair_host *host, unsigned lun);
/* The disk has so many bytes from now on; contents as far as they fit stay. */
bool pair_host_resize_disk(struct pair_host *host, unsigned lun, uint64_t bytes);
/* Fails so many of a million requests with a host's internal error, or as busy. */
void pair_host_storage_faults(struct pair_host *host, uint32_t internal_error_ppm,
                              uint32_t busy_ppm);
/* Of a million requests to a disk: so many end with a medium error, move their first part only, end
 * up to 20 ms late, or do not end until the guest resets the LUN. */
void pair_host_disk_faults(struct pair_host *host, unsigned lun, uint32_t error_ppm,
                           uint32_t short_ppm, uint32_t delay_ppm, uint32_t lost_ppm);
/* From now on: one more fault on the bus (as in pair_options.faults). */
bool pair_host_add_fault(struct pair_host *host, const char *rule);
/* So many of a million requests end with a check condition and this sense (code << 8 | qualifier),
 * undone. */
void pair_host_sense_fault(struct pair_host *host, uint32_t ppm, uint8_t key, uint16_t additional);
/* What has come to a disk: write requests that it did. */
uint64_t pair_host_bytes_written(struct pair_host *host, unsigned lun);
/* Flushes, and writes that had to be on the medium when they were done. */
uint64_t pair_host_flushes(struct pair_host *host, unsigned lun);
uint64_t pair_host_forced_writes(struct pair_host *host, unsigned lun);
/* Contents of the memory disk at any LUN. */
uint8_t *pair_host_lun(struct pair_host *host, unsigned lun);
/* LUN and bus resets that the guest has asked for. */
uint64_t pair_host_resets(struct pair_host *host);
/* Storage channels that are open, and requests that came by each: the primary first. */
unsigned pair_host_storage_channels(struct pair_host *host, uint64_t *requests, unsigned most);
/* DVD drives (pair_storage.c): a memory disc full of `fill`, of so many bytes; 0: none. */
bool pair_host_add_drive(struct pair_host *host, unsigned lun, uint64_t bytes, uint8_t fill);
/* 0 or a negative errno of storvsc_insert_disc(), storvsc_eject_disc(). */
int pair_host_insert_disc(struct pair_host *host, unsigned lun, uint64_t bytes, uint8_t fill,
                          bool force);
int pair_host_eject_disc(struct pair_host *host, unsigned lun, bool force);
/* From now on nothing goes wrong any more; what was held back on the bus comes in its time. */
void pair_host_end_faults(struct pair_host *host);

#endif
