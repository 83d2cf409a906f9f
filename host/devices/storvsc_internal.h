/* SPDX-License-Identifier: BSD-3-Clause */
/* Between storvsc.c (channels, LUNs) and storvsc_request.c (what one request goes through). */
#ifndef HOST_DEVICES_STORVSC_INTERNAL_H
#define HOST_DEVICES_STORVSC_INTERNAL_H

#include <sys/uio.h>

#include "host/devices/scsi_target.h"
#include "host/devices/storvsc.h"
#include "host/devices/storvsc_session.h"
#include "host/disk/disk.h"
#include "host/vmbus/device.h"

struct json_object;

enum { STORVSC_INLINE_PIECES = 34 };

/* An open channel of the controller. */
struct storvsc_channel {
    struct storvsc *controller;
    struct host_channel *channel;
    struct storvsc_channel *next;
    unsigned in_flight;
    uint64_t srbs; /* that came by it */
    bool closing;  /* the guest wants its memory back: released when nothing is in flight */
    bool stopped;  /* the guest broke a rule: nothing more is taken from the ring */
    bool dirty;    /* something was sent since the last flush */
    bool more;     /* packets were left in the ring for the next turn */
    struct storvsc_request *blocked_first, **blocked_last; /* completions that wait for room */
};

struct storvsc_lun {
    struct storvsc *controller;
    unsigned number;
    struct disk *disk;    /* NULL: a drive without a disc */
    struct disk *retired; /* a disc that was taken out and still has requests in flight, or NULL */
    struct scsi_target target;
    unsigned in_flight;
    bool removed; /* from the table; freed when nothing is in flight */
};

/* One SRB, from the ring to its completion. */
struct storvsc_request {
    struct disk_request disk_request; /* first: the disk's `done` gets it */
    struct storvsc_channel *channel;
    struct storvsc_lun *lun;          /* NULL: answered by the controller itself */
    uint64_t transaction_id;
    struct storvsc_message completion;
    struct storvsc_srb srb;
    uint8_t cdb[SCSI_COMMAND_CDB_SIZE];
    struct scsi_command command;
    struct scsi_action action;
    void *parameters;        /* copy of the start of the guest's buffer, or NULL */
    void *pattern;           /* WRITE SAME: repeated block and vector, or NULL */
    struct iovec *vector;    /* the guest's buffer: `pieces`, or `many` */
    unsigned vector_count;
    struct iovec pieces[STORVSC_INLINE_PIECES];
    struct iovec *many;      /* kept over reuse: as many pieces as the largest transfer can have */
    struct storvsc_request *next;
};

struct storvsc {
    struct virtual_device device; /* first */
    struct storvsc_settings settings;
    struct storvsc_session session;
    struct host_channel *primary; /* while plugged */
    struct storvsc_channel *channels;
    struct storvsc_lun *luns[STORVSC_LUNS_MAX];
    struct storvsc_request *spare;
    unsigned in_flight;
    unsigned pieces_max;          /* of a buffer */
    bool event_wanted;            /* the bus has changed and the guest does not know */
    struct storvsc_faults faults;
    uint64_t random;
    struct {
        uint64_t srbs, errors, resets, events, faults;
        uint64_t message_bytes; /* of packets, copied into and out of the rings on either side */
    } counters;
};

/* Starts an SRB that came in `packet`. Returns false if the channel has to stop (rule in *rule). */
bool storvsc_request_start(struct storvsc_channel *channel, const struct host_packet *packet,
                           const struct storvsc_decision *decision, const char **rule);

/* Sends completions that had to wait. Returns false while there is still no room. */
bool storvsc_send_blocked(struct storvsc_channel *channel);

/* Sends a message to the guest, or drops it if the channel is of no use any more. 0 or -EAGAIN. */
int storvsc_send_completion(struct storvsc_channel *channel, uint64_t transaction_id,
                            const struct storvsc_message *message);

/* Called when a request has ended for good: releases what waited for that. */
void storvsc_channel_request_ended(struct storvsc_channel *channel);
void storvsc_lun_request_ended(struct storvsc_lun *lun);

/* Puts a LUN with these settings into the table; the disk may be NULL. As storvsc_add_disk(). */
int storvsc_add_lun(struct storvsc *controller, unsigned number, struct disk *disk,
                    const struct scsi_target_settings *settings);

/* After a request of a DVD drive: closes a disc that was waited for, takes one that was let go. */
void storvsc_dvd_request_ended(struct storvsc_lun *lun);

/* Adds what a LUN's drive is like to its description. */
void storvsc_describe_drive(const struct storvsc_lun *lun, struct json_object *object);

/* What INQUIRY says: 2012 and 2012 R2 hosts claim SPC-2. */
uint8_t storvsc_spc_version(const struct storvsc *controller);

/* A JSON array, the caller's. */
struct json_object *storvsc_describe_luns(const struct storvsc *controller);

/* True if the SRB's path and target are this controller's. */
bool storvsc_is_addressed(const struct storvsc *controller, const struct storvsc_srb *srb);

/* The LUN that the SRB is for, or NULL: nothing is there. */
struct storvsc_lun *storvsc_addressed_lun(const struct storvsc *controller,
                                          const struct storvsc_srb *srb);

/* Ends requests that fault filters hold back, on one LUN or on all. */
void storvsc_lun_release_held_back(const struct storvsc_lun *lun);
void storvsc_release_held_back(struct storvsc *controller);

#endif
