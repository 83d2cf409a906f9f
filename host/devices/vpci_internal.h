/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the files of virtual PCI's host side. */
#ifndef HOST_DEVICES_VPCI_INTERNAL_H
#define HOST_DEVICES_VPCI_INTERNAL_H

#include "host/devices/vpci.h"
#include "host/vmbus/device.h"

enum {
    VPCI_TARGETS = 512,     /* interrupt messages of a function; */
    VPCI_TARGETS_QUOTA = 494, /* as many may be in use, as on a real host */
    VPCI_BLOCKS = 64,
    VPCI_ANSWER_MAXIMUM = sizeof(struct vpci_resources_assigned_reply) +
                          VPCI_TARGETS_QUOTA * VPCI_ASSIGNED_ENTRY_2,
};

/* Where one interrupt message goes. */
struct vpci_target {
    bool is_live;
    uint8_t vector;
    uint16_t group;     /* messages created with it; 0: it is not the first */
    uint32_t processor;
};

/* A region that the machine was asked to show. */
struct vpci_range {
    bool is_asked;
    uint64_t address;
    uint64_t request; /* number of the request */
};

/* What the machine was asked and has not answered. Answers about one address come in order. */
struct vpci_request {
    uint64_t number, start;
    struct vpci_range *range; /* to be shown; NULL: something is taken away */
    struct vpci_request *next;
};

enum vpci_function_state { VPCI_PRESENT, VPCI_EJECTING, VPCI_GONE };

struct vpci_slot {
    struct pci_function *function; /* owned */
    enum vpci_function_state state;
    bool eject_due;            /* EJECT is to be sent */
    uint64_t eject_deadline_ns;
    uint64_t invalid_blocks;   /* INVALIDATE_BLOCK is to be sent */
    bool is_assigned;          /* resources */
    struct vpci_range ranges[PCI_REGIONS];
    struct vpci_target targets[VPCI_TARGETS];
    unsigned target_count;
    uint8_t blocks[VPCI_BLOCKS][VPCI_BLOCK_MAXIMUM];
};

/* What waits for room in the ring, for ranges, or for nothing. */
struct vpci_answer {
    bool is_due, waits_for_ranges;
    uint64_t transaction_id;
    size_t size;
    uint8_t bytes[VPCI_ANSWER_MAXIMUM];
};

struct vpci {
    struct virtual_device device; /* first */
    char name[PCI_NAME_MAX];
    struct vpci_settings settings; /* `functions` and `name` are not valid */
    const struct device_machine *machine;
    struct host_channel *primary; /* NULL: not plugged */
    struct host_channel *channel; /* open */
    bool is_serving;              /* inside vpci_serve() */
    bool is_closing;              /* closed, but a function is still busy */
    bool is_removed;              /* the server has let go */
    bool d0_refused;              /* the window could not be had: that is the answer */
    bool relations_due, invalidate_due;
    uint32_t version;             /* agreed on; 0: none yet */
    uint32_t selected;            /* slot, by the window's selector */
    struct vpci_range window;
    struct vpci_request *requests; /* ranges under way, oldest first */
    uint64_t request_number;      /* the last */
    struct vpci_answer answer;
    struct { uint64_t interrupts, dropped, config_reads, config_writes, unsupported; } counters;
    unsigned slot_count;
    struct vpci_slot slots[];
};

/* NULL: none, or it is gone. */
struct vpci_slot *vpci_find(struct vpci *bus, uint32_t slot);
struct vpci_slot *vpci_slot_of(struct vpci *bus, const struct pci_function *function);
void vpci_violation(struct vpci *bus, const char *rule);
/* The function is no longer there, for the guest. */
void vpci_slot_gone(struct vpci *bus, struct vpci_slot *slot);
/* vpci_events.c */
/* Something is to be said that is no answer. */
bool vpci_has_events(const struct vpci *bus);
/* Says all that is due. False: some of it has to wait, and the guest's packets with it. */
bool vpci_send_due(struct vpci *bus);
/* Sends what is due and takes packets, as far as both go. */
void vpci_serve(struct vpci *bus);

/* vpci_describe.c */
void vpci_describe(struct virtual_device *device, struct json_object *to);

/* vpci_messages.c: one message of the guest; the answer, if one is wanted, is in bus->answer. */
void vpci_message(struct vpci *bus, const struct host_packet *packet);

/* vpci_window.c: what appears in the guest's address space. */
void vpci_show_window(struct vpci *bus, uint64_t address);
void vpci_hide_window(struct vpci *bus);
/* Makes what the machine shows of a function what the function decodes. */
void vpci_update_ranges(struct vpci *bus, struct vpci_slot *slot);
/* Forgets what is under way: there will be no answers. */
void vpci_forget_requests(struct vpci *bus);
void vpci_range_ready(struct virtual_device *device, uint64_t start, int status);
uint64_t vpci_space_read(struct virtual_device *device, enum device_space space, uint64_t address,
                         uint32_t size);
void vpci_space_write(struct virtual_device *device, enum device_space space, uint64_t address,
                      uint32_t size, uint64_t value);

/* vpci_interrupts.c */
struct vpci_wanted_interrupt {
    uint32_t vector;
    uint32_t mode;
    unsigned count;
    uint32_t processor; /* the first target; UINT32_MAX: none that exists */
};
/* The descriptor in the layout of the message's version (1, 2, 3). False: malformed. */
bool vpci_read_interrupt(const struct vpci *bus, unsigned layout, const uint8_t *bytes,
                         struct vpci_wanted_interrupt *wanted);
/* Returns a VPCI_STATUS_* and, if that is success, *message. */
uint32_t vpci_create_interrupts(struct vpci *bus, struct vpci_slot *slot,
                                const struct vpci_wanted_interrupt *wanted,
                                struct vpci_message_interrupt *message);
uint32_t vpci_delete_interrupts(struct vpci *bus, struct vpci_slot *slot,
                                const struct vpci_message_interrupt *message);
void vpci_delete_all_interrupts(struct vpci_slot *slot);
/* struct pci_owner's */
void vpci_deliver(void *context, struct pci_function *function, uint64_t address, uint32_t data);

#endif
