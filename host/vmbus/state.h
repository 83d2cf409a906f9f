/* SPDX-License-Identifier: BSD-3-Clause */
/* The VMBus server's state. Private to host/vmbus. */
#ifndef HOST_VMBUS_STATE_H
#define HOST_VMBUS_STATE_H

#include <stdatomic.h>

#include "host/vmbus/filter.h"
#include "host/vmbus/ring.h"
#include "host/vmbus/server.h"

enum {
    /* Messages the guest may leave unread before its own are refused. */
    VMBUS_OUTBOX_LIMIT = 4096,
    VMBUS_GPADLS_MAXIMUM = 8192,
    VMBUS_GPADL_PAGES_TOTAL_MAXIMUM = 4 << 20,
    VMBUS_GPADL_BUCKETS = 256,
    VMBUS_MONITORS = VMBUS_MONITOR_GROUPS * VMBUS_MONITOR_PER_GROUP,
    /* A channel's default connection id for signals is this plus the channel id. */
    VMBUS_CHANNEL_CONNECTION_BASE = 0x2000,
};

/* ---- GPADLs (gpadl.c: the description; gpadl_messages.c: the messages) ---- */

enum host_gpadl_state {
    HOST_GPADL_BUILDING,     /* header came, bodies are missing */
    HOST_GPADL_CREATED,
    HOST_GPADL_TEARING_DOWN, /* guest wants the memory, the device still has it */
};

/* Guest bytes that lie in one piece of host memory. */
struct host_gpadl_segment {
    size_t start; /* offset in the described buffer */
    size_t size;
    uint8_t *host;
};

struct host_gpadl {
    struct host_gpadl *next; /* in its bucket */
    struct host_channel *channel;
    uint32_t id;
    enum host_gpadl_state state;
    bool ring;          /* used by the channel's open rings */
    bool known;         /* the device was told of it */
    uint16_t range_count;
    size_t word_count;  /* 64-bit words of range data expected ... */
    size_t words_received;
    uint64_t *words;    /* ... and their copy, freed when created */
    size_t size;        /* bytes described */
    uint8_t **pages;    /* guest pages of all ranges */
    size_t page_count;
    bool whole_pages;   /* one range, page aligned, whole pages: good for a ring */
    struct host_gpadl_segment *segments;
    size_t segment_count;
};

/* A GPADL in state BUILDING, or NULL (memory short). `word_count` > 0. */
struct host_gpadl *host_gpadl_allocate(uint32_t id, uint16_t range_count, size_t word_count);
void host_gpadl_free(struct host_gpadl *gpadl);
/* Takes range data; what is more than expected is ignored. True when complete. */
bool host_gpadl_collect(struct host_gpadl *gpadl, const uint8_t *data, size_t size);
/* Parses the complete range data. Returns 0, -EINVAL, -EFAULT (not RAM) or -ENOMEM. */
int host_gpadl_finish(struct host_gpadl *gpadl, const struct guest_memory *memory);

struct host_gpadl *host_gpadl_find(struct vmbus_server *server, uint32_t id);
/* Removes it from the server's table and frees it. */
void host_gpadl_drop(struct vmbus_server *server, struct host_gpadl *gpadl);
/* Answers every teardown that waited for the channel, now closed, to let go. */
void host_gpadl_channel_closed(struct host_channel *channel);
/* Before a RESCIND: pending creations fail, pending teardowns that can are answered. */
void host_gpadl_channel_rescinded(struct host_channel *channel);
/* Forgets all GPADLs of a channel without a word. */
void host_gpadl_drop_channel(struct host_channel *channel);

/* ---- Devices and channels ---- */

struct host_device {
    struct host_device *next; /* in offering order */
    struct vmbus_server *server;
    struct vmbus_device_offer offer;
    const struct vmbus_device_operations *operations;
    void *device;
    struct host_channel *channels; /* primary first */
    bool removing;
};

enum host_channel_state {
    HOST_CHANNEL_CLOSED,
    HOST_CHANNEL_OPEN,
    HOST_CHANNEL_CLOSING, /* the device still works on it */
};

struct host_channel {
    struct host_channel *next; /* of the device */
    struct vmbus_server *server;
    struct host_device *device;
    uint16_t sub_channel_index;
    uint32_t id;             /* 0: none assigned */
    uint32_t connection_id;  /* for the guest's signals, while open */
    uint8_t monitor_id;      /* VMBUS_MONITOR_NONE */
    enum host_channel_state state;
    bool offered;            /* the guest knows it and has not released it */
    bool rescinded;
    bool guest_released;     /* RELID_RELEASED came while the device was not done */
    bool opening;            /* the device's `opened` is being called */
    bool reserved;           /* opened by OPEN_RESERVED_CHANNEL: survives a disconnect */
    bool reserved_closing;   /* answer with CLOSE_RESERVED_RESPONSE once closed */
    uint32_t reserved_processor, reserved_sint;
    bool open_waiting;       /* an OPEN came while closing */
    struct vmbus_message_open_channel_6_0 waiting_open;
    struct host_gpadl *ring_gpadl;

    /* Data path: touched without the machine lock between opened and released. */
    void *context;
    uint32_t version;
    bool pipe;
    atomic_bool running;
    atomic_uint target_processor;
    uint32_t target_sint;
    uint16_t event_flag;
    bool signal_guest;       /* gathered since the last flush */
    bool polled;             /* between host_channel_poll_begin() and host_channel_poll_end() */
    bool rested;             /* the device has taken everything that was there */
    uint8_t *interrupt_page; /* guest memory; versions before 2.4, else NULL */
    struct host_ring_reader reader;
    struct host_ring_writer writer;
    const struct host_packet_filter *filter; /* optional, the test bench's */
    const char *reported_rule;       /* a broken ring is reported once */
};

/* ---- The server ---- */

struct vmbus_outgoing {
    struct vmbus_outgoing *next;
    uint32_t processor, sint;
    size_t size;
    uint8_t bytes[VMBUS_MESSAGE_SIZE_MAXIMUM];
};

/* What to do when the last channel of the old connection is closed. */
enum vmbus_after_disconnect {
    VMBUS_THEN_NOTHING,
    VMBUS_THEN_CONTACT,
    VMBUS_THEN_UNLOAD_RESPONSE,
};

struct vmbus_contact {
    uint32_t connection_id; /* the port it came through */
    size_t size;
    struct vmbus_message_initiate_contact_client message;
};

struct vmbus_server {
    struct vmbus_server_configuration configuration;
    const struct vmbus_server_operations *operations;
    void *context;

    bool connected;
    bool disconnecting;
    bool offers_requested;
    enum vmbus_after_disconnect then;
    struct vmbus_contact contact; /* for VMBUS_THEN_CONTACT */
    uint32_t version;
    uint32_t features;
    uint32_t message_processor;
    uint8_t *interrupt_page;
    uint8_t *monitor_page; /* guest -> host */

    struct host_device *devices;
    struct host_channel *channels[VMBUS_CHANNEL_MAXIMUM + 1]; /* by id */
    struct host_channel *monitors[VMBUS_MONITORS];
    struct host_gpadl *gpadls[VMBUS_GPADL_BUCKETS];
    unsigned gpadl_count;
    size_t gpadl_pages;

    struct vmbus_outgoing *outbox, **outbox_end;
    unsigned outbox_length;
    bool paused;

    atomic_ullong violations;
};

/* Reports a violation. */
void vmbus_violation(struct vmbus_server *server, const char *message, const char *state,
                     const char *rule, uint32_t channel_id);

/* outbox.c: sends, or queues behind what waits already. */
void vmbus_send(struct vmbus_server *server, const void *message, size_t size);
void vmbus_send_to(struct vmbus_server *server, uint32_t processor, uint32_t sint,
                   const void *message, size_t size);
void vmbus_outbox_clear(struct vmbus_server *server);

/* contact.c: the connection. */
void vmbus_handle_initiate_contact(struct vmbus_server *server, uint32_t connection_id,
                                   const uint8_t *message, size_t size);
void vmbus_handle_unload(struct vmbus_server *server);
void vmbus_handle_modify_connection(struct vmbus_server *server, const uint8_t *message);
/* Goes on with a disconnect if the last channel has closed. */
void vmbus_disconnect_progress(struct vmbus_server *server);
void vmbus_server_disconnect(struct vmbus_server *server, enum vmbus_after_disconnect then);

/* offers.c */
void vmbus_handle_request_offers(struct vmbus_server *server);
void vmbus_handle_relid_released(struct vmbus_server *server, const uint8_t *message);
/* Takes id and monitor from the channel. */
void host_channel_unassign(struct host_channel *channel);
/* Frees a closed channel; the device goes with its last one if it is being removed. */
void host_channel_destroy(struct host_channel *channel);
/* RESCIND for one channel, closing it if open; a channel that the guest does not know goes. */
void host_channel_rescind(struct host_channel *channel);
void host_channel_rescind_sub_channels(struct host_device *device);

/* channel.c */
void vmbus_handle_open(struct vmbus_server *server, const uint8_t *message, size_t size);
void vmbus_handle_close(struct vmbus_server *server, const uint8_t *message);
void vmbus_handle_modify_channel(struct vmbus_server *server, const uint8_t *message);
/* Tells the device to stop; the channel is closed now or when the device is done. */
void host_channel_begin_close(struct host_channel *channel);

/* open.c: what OPEN_CHANNEL and OPEN_RESERVED_CHANNEL have in common. */
struct host_open_parameters {
    uint32_t ring_gpadl_id;
    uint32_t downstream_page_offset;
    uint32_t target_processor;
    uint32_t target_sint;
    uint32_t connection_id;
    uint32_t event_flag;
    const uint8_t *user_data;
};
/* Opens a closed channel. Returns 0 or negative errno, and in *rule what was wrong if known. */
int host_channel_open(struct host_channel *channel, const struct host_open_parameters *parameters,
                      const char **rule);
/* Frees the rings of a closed channel. */
void host_channel_free_rings(struct host_channel *channel);

/* reserved.c */
void vmbus_handle_open_reserved(struct vmbus_server *server, const uint8_t *message);
void vmbus_handle_close_reserved(struct vmbus_server *server, const uint8_t *message);
void host_channel_reserved_closed(struct host_channel *channel);

/* gpadl_messages.c */
void vmbus_handle_gpadl_header(struct vmbus_server *server, const uint8_t *message, size_t size);
void vmbus_handle_gpadl_body(struct vmbus_server *server, const uint8_t *message, size_t size);
void vmbus_handle_gpadl_teardown(struct vmbus_server *server, const uint8_t *message);

/* signals.c: [data path] interrupts the guest for this channel, the way the version wants it. */
void host_channel_signal_guest(struct host_channel *channel);

/* monitor.c: monitor ids, for channels whose device wants one when the guest has monitor pages. */
void host_channel_assign_monitor(struct host_channel *channel);
void host_channel_release_monitor(struct host_channel *channel);

#endif
