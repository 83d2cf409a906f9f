/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hvhost: the program that runs one simulated Hyper-V host for one virtual machine.
 *
 *   main.c       start to end: options, sockets, loop, exit code
 *   options.c    the command line
 *   machine.c    the monitor's exits -> hypervisor and VMBus; their requests -> monitor, devices
 *   faults.c     faults on demand
 *   networks.c   network adapters: --net and hvctl net
 *   pci.c        assigned PCI functions: --pci and hvctl pci
 *   console.c    keyboard, mouse, screen: what a person uses
 *   devices.c    which virtual devices the machine has; a row for each kind
 *   disks.c      disks and DVD drives: --disk, --dvd, and hvctl's verbs for them; those that are
 *                being opened in disk_openings.c
 *   services.c   integration services: shutdown, time, backup; files, pairs in services_data.c
 *   space.c      devices' memory and registers in guest-physical space
 *   loop.c       waiting, polling, calling each part when it has something to do
 *   verbs.c      what the control socket understands
 *   report.c     log, events, violations
 *
 * One thread does everything; so the "machine lock" of host/vmbus/device.h needs no lock.
 */
#ifndef HOST_HVHOST_HVHOST_H
#define HOST_HVHOST_HVHOST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "host/devices/netvsc.h"
#include "host/devices/storvsc.h"
#include "host/devices/vpci.h"
#include "host/devices/virtual_device.h"
#include "host/disk/disk_engine.h"
#include "host/display/key_input.h"
#include "host/faults/message_faults.h"
#include "host/faults/packet_faults.h"
#include "host/guest_memory.h"
#include "host/hvhost/options.h"
#include "host/hvhost/services.h"
#include "host/machine.h"
#include "host/releases.h"
#include "host/server/control_server.h"
#include "host/server/partition_server.h"

enum {
    HVHOST_VIOLATIONS_KEPT = 64,
    HVHOST_CHANNELS = 2048, /* ids below this */
    HVHOST_CHANNEL_WORDS = HVHOST_CHANNELS / 64,
};

/* Exit codes, documented in docs/hvhost.md. */
enum hvhost_exit {
    HVHOST_EXIT_CLEAN = 0,
    HVHOST_EXIT_START = 1,     /* a disk, socket, ... could not be had */
    HVHOST_EXIT_USAGE = 2,
    HVHOST_EXIT_VIOLATION = 3, /* the guest broke a rule */
    HVHOST_EXIT_VANISHED = 4,  /* the monitor went away without GOODBYE */
    HVHOST_EXIT_MONITOR = 5,   /* the monitor broke the protocol, or said GOODBYE with an error */
    HVHOST_EXIT_CRASHED = 6,   /* the guest reported a crash */
};

struct hvhost_violation {
    uint64_t time_ns; /* since the start */
    char message[48], state[48], rule[128];
    uint32_t channel;
};

struct hvhost_report {
    FILE *log;
    bool json;
    struct hvhost_violation kept[HVHOST_VIOLATIONS_KEPT]; /* the last ones, a ring */
    uint64_t violations;
    uint64_t second;            /* rate limit: lines of this second */
    unsigned lines, suppressed;
};

/* How long to look for work before sleeping: grows when sleeps turn out short, as KVM's does. */
struct hvhost_polling {
    uint64_t window_ns, window_max_ns;
    uint64_t polls_won, sleeps;
};

/* A range whose accesses come to a device. */
struct hvhost_trap {
    struct virtual_device *device;
    uint64_t start, size;
    enum device_space space;
    struct hvhost_trap *next;
};

/* Faults on VMBus messages and packets. */
struct hvhost_bus_faults {
    struct fault_plan plan; /* empty: no fault is wanted, and nothing is filtered */
    struct message_faults messages;
    struct packet_faults packets;
    uint64_t packet_deadline; /* reference time */
    struct host_channel *filtered[HVHOST_CHANNELS];
};

struct hvhost {
    struct hvhost_options options;
    struct host_release release; /* a copy: --vmbus-max may lower it */
    struct partition_server *partition;
    struct control_server *control;
    struct disk_engine *disks;
    struct hvhost_opening *openings; /* disk_openings.c */
    struct guest_memory memory;
    struct host_machine machine;
    bool machine_made;
    bool is_monitor_bare; /* it has no PC devices of its own */
    struct virtual_device *devices;
    struct virtual_device *heartbeat;
    struct virtual_device *mouse, *video; /* NULL: the release has none */
    struct key_input keys; /* the keyboards */
    struct virtual_device *vnc; /* or NULL */
    struct hvhost_services integration;
    struct device_machine services; /* what devices may ask for */
    struct hvhost_trap *traps;
    struct virtual_device *watching; /* whose range is watched, or NULL; it is never dropped */
    uint64_t watched_start;
    struct storvsc *controllers[STORVSC_CONTROLLERS_MAX];
    struct netvsc *adapters[HVHOST_NETWORKS_MAX];
    struct vpci *buses[HVHOST_PCI_MAX]; /* NULL: free */
    uint32_t buses_made; /* numbers for those to come */
    uint64_t woken[HVHOST_CHANNEL_WORDS]; /* channels whose device is to run: a bit a channel id */
    uint64_t polled[HVHOST_CHANNEL_WORDS]; /* channels that have run since the last sleep */
    int epoll, signals;
    uint64_t start_ns;   /* clock value at the start */
    uint64_t partition_start_ns; /* reference time 0 */
    uint64_t now_ns;     /* of this turn of the loop */
    struct hvhost_polling polling;
    struct hvhost_report report;
    struct hvhost_bus_faults faults;
    bool boot_screen_wanted; /* by the monitor */
    bool reset_wanted;   /* by the guest, in the middle of one of its exits */
    bool stopping;       /* the loop ends */
    bool crashed;
    enum hvhost_exit exit_code;
};

/* machine.c */
extern const struct partition_operations hvhost_partition_operations;
void hvhost_run_channels(struct hvhost *host, unsigned *work);
/* Before a sleep: channels signal again. True: packets have come meanwhile, so there is work. */
bool hvhost_end_polling(struct hvhost *host);
void hvhost_reset_machine(struct hvhost *host);
/* 100 ns units since the partition's start. */
uint64_t hvhost_reference_time(const struct hvhost *host);

/* devices.c: 0, or a negative errno with a line on standard error. */
int hvhost_make_devices(struct hvhost *host);
int hvhost_plug_devices(struct hvhost *host);
/* Those that are not on VMBus: where the guest finds them from the start. */
int hvhost_power_on_devices(struct hvhost *host);
void hvhost_reset_devices(struct hvhost *host);
void hvhost_free_devices(struct hvhost *host);
void hvhost_add_device(struct hvhost *host, struct virtual_device *device);
/* Takes a device out of the list and frees it: it has to be quiet. */
void hvhost_drop_device(struct hvhost *host, struct virtual_device *device);
/* A storage controller, on the list of devices, or NULL;
 * seed and echo of addresses are filled in. */
struct storvsc *hvhost_new_controller(struct hvhost *host, struct storvsc_settings *settings);
/* STORVSC_VERSION_* of the release. */
uint16_t hvhost_storvsc_version(const struct hvhost *host);

/* disks.c: opens a disk and puts it into a controller; *controller and *lun: where it went. */
struct json_object;
int hvhost_add_disk(struct hvhost *host, const struct hvhost_disk_option *option,
                    unsigned *controller, unsigned *lun, char *error, size_t error_size);

struct disk_options hvhost_disk_options(const struct hvhost_disk_option *option);

/* disk_openings.c: opens a disk for a request without keeping the machine waiting, then calls
 * `then`, which owns the disk and answers the ticket; refuses the ticket if it cannot be opened. */
typedef void hvhost_disk_opened(struct hvhost *host, const struct hvhost_disk_option *option,
                                struct disk *disk, struct json_object *arguments,
                                struct control_ticket *ticket);
void hvhost_open_disk(struct hvhost *host, const struct hvhost_disk_option *option,
                      struct json_object *arguments, struct control_ticket *ticket,
                      hvhost_disk_opened *then);
/* Refuses those that are under way: the host ends. */
void hvhost_end_openings(struct hvhost *host);

void hvhost_verb_disk_list(struct hvhost *host, struct json_object *arguments,
                           struct control_ticket *ticket);
void hvhost_verb_disk_add(struct hvhost *host, struct json_object *arguments,
                          struct control_ticket *ticket);
void hvhost_verb_disk_remove(struct hvhost *host, struct json_object *arguments,
                             struct control_ticket *ticket);
void hvhost_verb_disk_resize(struct hvhost *host, struct json_object *arguments,
                             struct control_ticket *ticket);
void hvhost_verb_dvd_insert(struct hvhost *host, struct json_object *arguments,
                            struct control_ticket *ticket);
void hvhost_verb_dvd_eject(struct hvhost *host, struct json_object *arguments,
                           struct control_ticket *ticket);

/* networks.c */
struct json_object;
/* 0 or a negative errno, with the reason in `error` where the errno does not say it all. */
int hvhost_make_networks(struct hvhost *host, char *error, size_t error_size);
void hvhost_verb_net_list(struct hvhost *host, struct json_object *arguments,
                          struct control_ticket *ticket);
void hvhost_verb_net_set(struct hvhost *host, struct json_object *arguments,
                         struct control_ticket *ticket);
void hvhost_verb_capture(struct hvhost *host, struct json_object *arguments,
                         struct control_ticket *ticket);

/* pci.c: what --pci describes; 0, or a negative errno with a line on standard error. */
int hvhost_make_pci(struct hvhost *host);
/* Frees the buses that the guest has let go of. */
void hvhost_reap_pci(struct hvhost *host);
/* A fault of disks, checked before, on those of NVMe controllers too. 0 or -ENOMEM. */
int hvhost_set_pci_disk_fault(struct hvhost *host, const char *text);
void hvhost_clear_pci_disk_faults(struct hvhost *host);
uint32_t hvhost_retarget_interrupt(void *context, const struct hypervisor_retarget *retarget);
void hvhost_verb_pci_list(struct hvhost *host, struct json_object *arguments,
                          struct control_ticket *ticket);
void hvhost_verb_pci_add(struct hvhost *host, struct json_object *arguments,
                         struct control_ticket *ticket);
void hvhost_verb_pci_remove(struct hvhost *host, struct json_object *arguments,
                            struct control_ticket *ticket);
void hvhost_verb_pci_restore(struct hvhost *host, struct json_object *arguments,
                             struct control_ticket *ticket);
void hvhost_verb_pci_eject(struct hvhost *host, struct json_object *arguments,
                           struct control_ticket *ticket);
void hvhost_verb_pci_invalidate(struct hvhost *host, struct json_object *arguments,
                                struct control_ticket *ticket);

/* console.c */
struct json_object;
/* 0 or a negative errno, with the reason in `error` where the errno does not say it all. */
int hvhost_make_console(struct hvhost *host, char *error, size_t error_size);
/* Where firmware's picture lies in guest-physical space, 0: this machine has none. */
uint32_t hvhost_boot_screen(const struct hvhost *host);
/* The guest begins to run; `wanted`: with that picture. */
void hvhost_start_console(struct hvhost *host, bool wanted);
void hvhost_verb_type_text(struct hvhost *host, struct json_object *arguments,
                           struct control_ticket *ticket);
void hvhost_verb_key(struct hvhost *host, struct json_object *arguments,
                     struct control_ticket *ticket);
void hvhost_verb_mouse(struct hvhost *host, struct json_object *arguments,
                       struct control_ticket *ticket);
void hvhost_verb_screenshot(struct hvhost *host, struct json_object *arguments,
                            struct control_ticket *ticket);
void hvhost_verb_display(struct hvhost *host, struct json_object *arguments,
                         struct control_ticket *ticket);

/* faults.c: one fault in the words of --faults; 0, or a negative errno and a line in `error`. */
int hvhost_set_fault(struct hvhost *host, const char *text, char *error, size_t error_size);
void hvhost_clear_faults(struct hvhost *host);
void hvhost_faults_open(struct hvhost *host);
void hvhost_faults_close(struct hvhost *host);
/* The machine's filters. */
bool hvhost_filter_post(void *context, const void *payload, size_t size, uint32_t *status);
bool hvhost_filter_message(void *context, uint32_t processor, uint32_t sint, const void *message,
                           size_t size);
/* Before a channel runs: puts the packet filter in its path, if there is something to filter. */
void hvhost_faults_channel(struct hvhost *host, uint32_t id, struct host_channel *channel);
/* Lets go of what is due; both in reference time. */
void hvhost_faults_run(struct hvhost *host, uint64_t now);
uint64_t hvhost_faults_deadline(const struct hvhost *host);

/* space.c: fills in host->services; dispatches what the guest accesses. */
void hvhost_space_open(struct hvhost *host);
void hvhost_space_close(struct hvhost *host);
/* The range at `gpa`, which is watched, is being written to. */
void hvhost_space_touched(struct hvhost *host, uint64_t gpa);
uint64_t hvhost_space_read(struct hvhost *host, const struct partition_read *access);
void hvhost_space_write(struct hvhost *host, const struct partition_write *access);

/* loop.c */
int hvhost_loop_open(struct hvhost *host);
void hvhost_loop(struct hvhost *host);
/* Ends all I/O in flight: before devices are freed. */
void hvhost_drain(struct hvhost *host);
void hvhost_loop_close(struct hvhost *host);
uint64_t hvhost_clock_ns(void);

/* verbs.c */
control_handler hvhost_control;

/* report.c: an event has a name and, if wanted, details (taken over). */
struct json_object;
int hvhost_report_open(struct hvhost *host);
void hvhost_report_close(struct hvhost *host);
void hvhost_event(struct hvhost *host, const char *name, struct json_object *details,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));
/* An event for each device with what it has done so far: the end of a session. */
void hvhost_report_devices(struct hvhost *host);
void hvhost_violated(void *context, const struct host_violation *violation);
/* Violations as a JSON array, oldest first; the caller's. */
struct json_object *hvhost_violations(const struct hvhost *host);

#endif
