/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtual device as the program that runs a virtual machine sees it.
 *
 * Each kind of device is one file (or a small folder's worth) that offers a constructor returning
 * one of these: it plugs into VMBus on one side (host/vmbus/device.h), has its real part (a disk,
 * a TAP, a clock) on the other, and says here when it wants to be called. It owns no thread and
 * reads no clock. All calls come from the one thread that runs the machine.
 *
 * To add a device: write host/devices/<name>.c with its constructor, list it in meson.build, and
 * give it a row in host/hvhost/devices.c.
 */
#ifndef HOST_DEVICES_VIRTUAL_DEVICE_H
#define HOST_DEVICES_VIRTUAL_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;
struct virtual_device;
struct vmbus_server;

enum device_space { DEVICE_SPACE_MEMORY, DEVICE_SPACE_PORT };
enum { DEVICE_MAP_WRITABLE = 1, DEVICE_MAP_FRAMEBUFFER = 2 };

/*
 * What a device may ask of the machine it is plugged into, besides its channels: memory of its own
 * in guest-physical space, and accesses to its registers. The calls return 0 (under way:
 * `range_ready` tells how it went) or a negative errno. Ranges outlive a reset of the machine
 * until the device takes them away.
 */
struct device_machine {
    void *context; /* first argument of the following */
    /* Pages of a file appear at gpa. `descriptor` stays the caller's. */
    int (*map)(void *context, struct virtual_device *device, uint64_t gpa, uint64_t size,
               int descriptor, uint64_t file_offset, uint32_t flags);
    int (*unmap)(void *context, struct virtual_device *device, uint64_t gpa, uint64_t size);
    /* Accesses in the range come to the device's read and write, or no longer. */
    int (*trap)(void *context, struct virtual_device *device, enum device_space space,
                uint64_t start, uint64_t size, bool on);
    /* Which blocks (of PARTITION_WATCH_BLOCK bytes) of a range of its own were written since the
     * question before? `range_written` gets the answer, and `range_touched` is called at the first
     * write after it. Not while an answer is due. -EOPNOTSUPP: this machine cannot tell. */
    int (*watch)(void *context, struct virtual_device *device, uint64_t gpa, uint64_t size);
    bool (*can_watch)(void *context);
    /* An interrupt line of the PC goes up or down; lines are numbered as its I/O APIC does. */
    void (*line)(void *context, unsigned line, bool level);
    /* The device resets the machine, once the access that it handles is over. */
    void (*reset)(void *context);
    /* An edge-triggered interrupt of a processor below `processors`, as a device's message does. */
    void (*interrupt)(void *context, uint32_t processor, uint8_t vector);
    uint32_t processors; /* how many the machine has */
};

struct virtual_device_operations {
    const char *kind; /* "scsi", "heartbeat", ... */

    /* Called before plug(); `machine` stays valid until free(). NULL: channels are enough. */
    void (*attach)(struct virtual_device *device, const struct device_machine *machine);

    /* Offers the device to the guest. Returns 0 or a negative errno. */
    int (*plug)(struct virtual_device *device, struct vmbus_server *server);

    /* All RAM is known and the guest is about to run, on a monitor that has no PC devices of its
     * own: ranges asked for now are live before. Returns 0 or a negative errno. NULL: nothing. */
    int (*power_on)(struct virtual_device *device);

    /* The machine was reset; channels have been closed. NULL: they are all there is. */
    void (*reset)(struct virtual_device *device);

    /* Takes it away from the guest; it stays in memory until free(). */
    void (*unplug)(struct virtual_device *device);

    /* When run() is wanted for the time's sake: 0 at once, UINT64_MAX never. NULL: never. */
    uint64_t (*deadline_ns)(struct virtual_device *device);

    /* A descriptor whose readability calls for run(), or -1. NULL: none. */
    int (*descriptor)(struct virtual_device *device);
    /* Whether it would take what the descriptor has; while it would not, nobody waits for that.
     * NULL: always. */
    bool (*listens)(struct virtual_device *device);

    /*
     * Called after each burst of events, whatever they were: does what is due, and sends what has
     * piled up (host_channel_flush() once a channel). Must be quick when there is nothing to do.
     * NULL: nothing ever.
     */
    void (*run)(struct virtual_device *device, uint64_t now_ns);

    /* A range that was asked for is live, or gone, or (status: negative errno) could not be had. */
    void (*range_ready)(struct virtual_device *device, uint64_t start, int status);

    /* The answer to device_machine's watch: a bit a block, valid until it returns. */
    void (*range_written)(struct virtual_device *device, uint64_t start, int status,
                          const uint64_t *written, size_t blocks);
    /* The guest writes to the range that is watched. */
    void (*range_touched)(struct virtual_device *device, uint64_t start);

    /* An access of the guest in a trapped range; size is 1, 2, 4 or 8. Required to use trap. */
    uint64_t (*read)(struct virtual_device *device, enum device_space space, uint64_t address,
                     uint32_t size);
    void (*write)(struct virtual_device *device, enum device_space space, uint64_t address,
                  uint32_t size, uint64_t value);

    /* Adds what is worth knowing to the JSON object `to`. NULL: nothing. */
    void (*describe)(struct virtual_device *device, struct json_object *to);

    /* The channels are closed or their server is gone. */
    void (*free)(struct virtual_device *device);
};

/* First member of each device's own structure. */
struct virtual_device {
    const struct virtual_device_operations *operations;
    struct virtual_device *next; /* the owner's list */
    bool unheard; /* the owner's: nobody waits for the descriptor */
};

#endif
