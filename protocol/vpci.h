/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtual PCI: a PCI bus of assigned devices, one VMBus channel a bus. Messages are in-band packets
 * without pipe header; the host answers in completions, and speaks first in in-band packets.
 *
 * Sources: Linux pci-hyperv, FreeBSD vmbus_pcib, OpenVMM vpci_protocol and vpci, the Hypervisor
 * Top-Level Functional Specification (HvCallRetargetDeviceInterrupt). */
#ifndef PROTOCOL_VPCI_H
#define PROTOCOL_VPCI_H

#include "protocol/wire.h"

#define VPCI_VERSION_1_0 0x00010000u    /* Windows guests only */
#define VPCI_VERSION_1_1 0x00010001u    /* interrupts: a mask of 64 processors */
#define VPCI_VERSION_1_2 0x00010002u    /* ... a list of 32 processors (Windows Server 2016) */
#define VPCI_VERSION_1_3 0x00010003u    /* relations with NUMA nodes (Windows 10 2004) */
#define VPCI_VERSION_1_4 0x00010004u    /* vectors of 32 bits (Windows Server 2022) */

enum vpci_message_type {
    VPCI_BUS_RELATIONS             = 0x42490000, /* host, up to 1.2 */
    VPCI_QUERY_BUS_RELATIONS       = 0x42490001, /* guest */
    VPCI_INVALIDATE_DEVICE         = 0x42490002, /* host */
    VPCI_INVALIDATE_BUS            = 0x42490003, /* host */
    VPCI_POWER_STATE               = 0x42490004, /* guest, answered by a status */
    VPCI_QUERY_REQUIREMENTS        = 0x42490005, /* guest, answered */
    VPCI_QUERY_RESOURCES           = 0x42490006, /* guest, answered */
    VPCI_D0_ENTRY                  = 0x42490007, /* guest, answered by a status */
    VPCI_D0_EXIT                   = 0x42490008, /* guest, answered by a status */
    VPCI_READ_BLOCK                = 0x42490009, /* guest, answered */
    VPCI_WRITE_BLOCK               = 0x4249000a, /* guest, answered by a status */
    VPCI_EJECT                     = 0x4249000b, /* host; the guest sends EJECTION_COMPLETE */
    VPCI_QUERY_STOP                = 0x4249000c, /* Windows guests only */
    VPCI_REENABLE                  = 0x4249000d, /* Windows guests only */
    VPCI_QUERY_STOP_FAILED         = 0x4249000e, /* Windows guests only */
    VPCI_EJECTION_COMPLETE         = 0x4249000f, /* guest, not answered */
    VPCI_RESOURCES_ASSIGNED        = 0x42490010, /* guest, answered */
    VPCI_RESOURCES_RELEASED        = 0x42490011, /* guest */
    VPCI_INVALIDATE_BLOCK          = 0x42490012, /* host */
    VPCI_QUERY_PROTOCOL_VERSION    = 0x42490013, /* guest, answered */
    VPCI_CREATE_INTERRUPT          = 0x42490014, /* guest, answered; 1.1 */
    VPCI_DELETE_INTERRUPT          = 0x42490015, /* guest */
    VPCI_RESOURCES_ASSIGNED_2      = 0x42490016, /* guest, answered; 1.2 and later */
    VPCI_CREATE_INTERRUPT_2        = 0x42490017, /* guest, answered; 1.2 and 1.3 */
    VPCI_DELETE_INTERRUPT_2        = 0x42490018, /* guest; as DELETE_INTERRUPT, unused */
    VPCI_BUS_RELATIONS_2           = 0x42490019, /* host, 1.3 and later */
    VPCI_RESOURCES_ASSIGNED_3      = 0x4249001a, /* guest, answered; 1.4 */
    VPCI_CREATE_INTERRUPT_3        = 0x4249001b, /* guest, answered; 1.4 */
    VPCI_RESET_DEVICE              = 0x4249001c, /* guest, 1.5 */
};

/* NTSTATUS values in answers; all failures have the top bit set. */
#define VPCI_STATUS_SUCCESS           0x00000000u
#define VPCI_STATUS_UNSUCCESSFUL      0xc0000001u
#define VPCI_STATUS_NO_RESOURCES      0xc000009au
#define VPCI_STATUS_REVISION_MISMATCH 0xc0000059u
#define VPCI_STATUS_NOT_SUPPORTED     0xc00000bbu
#define VPCI_STATUS_BAD_DATA          0xc000090bu
#define VPCI_STATUS_FAILED(status)    (((status) & 0x80000000u) != 0)

#define VPCI_BARS                6u
#define VPCI_BLOCK_MAXIMUM       128u   /* bytes of one block */
#define VPCI_PROCESSORS_MAXIMUM  32u    /* in a list of targets */
#define VPCI_VECTORS_MAXIMUM     32u    /* of one CREATE_INTERRUPT */
#define VPCI_FUNCTIONS_MAXIMUM   494u   /* in one relations message */
#define VPCI_DELIVERY_FIXED      0u
#define VPCI_DELIVERY_LOWEST     1u

/* The window that D0_ENTRY names: a selector, and the configuration space of what it selects. */
#define VPCI_WINDOW_SIZE     0x2000u
#define VPCI_WINDOW_SELECTOR 0x0000u    /* written with 4 bytes: the slot */
#define VPCI_WINDOW_CONFIG   0x1000u    /* 4 KiB; accesses of 1, 2 or 4 bytes within a dword */

/* A slot: device in bits 0 - 4, function in bits 5 - 7, other bits 0. */
#define VPCI_SLOT(device, function) ((uint32_t)((device) | (function) << 5))
#define VPCI_SLOT_DEVICE(slot)      ((slot) & 0x1fu)
#define VPCI_SLOT_FUNCTION(slot)    ((slot) >> 5 & 0x7u)
#define VPCI_SLOTS                  256u

/* Messages that are a type alone: QUERY_BUS_RELATIONS, D0_EXIT, INVALIDATE_BUS. */
struct vpci_header {
    uint32_t type;                      /* VPCI_* */
} WIRE_PACKED;
WIRE_SIZE(struct vpci_header, 4);

/* QUERY_REQUIREMENTS, RESOURCES_RELEASED, EJECT, INVALIDATE_DEVICE. */
struct vpci_slot_message {
    uint32_t type;
    uint32_t slot;
} WIRE_PACKED;
WIRE_SIZE(struct vpci_slot_message, 8);

/* Answers that are a status alone, and every refusal. */
struct vpci_status_reply {
    uint32_t status;                    /* VPCI_STATUS_* */
} WIRE_PACKED;
WIRE_SIZE(struct vpci_status_reply, 4);

struct vpci_query_version {
    uint32_t type;
    uint32_t version;                   /* VPCI_VERSION_* */
} WIRE_PACKED;
WIRE_SIZE(struct vpci_query_version, 8);

struct vpci_version_reply {
    uint32_t status;
    uint32_t version;                   /* hosts put what they like: go by the request's */
} WIRE_PACKED;
WIRE_SIZE(struct vpci_version_reply, 8);

struct vpci_d0_entry {
    uint32_t type;
    uint32_t reserved;
    uint64_t window;                    /* guest-physical, 4 KiB aligned, VPCI_WINDOW_SIZE */
} WIRE_PACKED;
WIRE_SIZE(struct vpci_d0_entry, 16);
WIRE_OFFSET(struct vpci_d0_entry, window, 8);

/* What is known of a function before its configuration space can be read. */
struct vpci_function {
    uint16_t vendor;
    uint16_t device;
    uint8_t revision;
    uint8_t programming_interface;
    uint8_t subclass;
    uint8_t base_class;
    uint16_t subsystem_vendor;
    uint16_t subsystem;
    uint32_t slot;
    uint32_t serial;
} WIRE_PACKED;
WIRE_SIZE(struct vpci_function, 20);
WIRE_OFFSET(struct vpci_function, slot, 12);
WIRE_OFFSET(struct vpci_function, serial, 16);

#define VPCI_FUNCTION_NUMA_VALID 0x1u

struct vpci_function_2 {
    struct vpci_function function;
    uint32_t flags;                     /* VPCI_FUNCTION_* */
    uint16_t numa_node;
    uint16_t reserved;
} WIRE_PACKED;
WIRE_SIZE(struct vpci_function_2, 28);
WIRE_OFFSET(struct vpci_function_2, flags, 20);
WIRE_OFFSET(struct vpci_function_2, numa_node, 24);

/* Followed by `count` of struct vpci_function, or vpci_function_2 in BUS_RELATIONS_2. */
struct vpci_bus_relations {
    uint32_t type;
    uint32_t count;
} WIRE_PACKED;
WIRE_SIZE(struct vpci_bus_relations, 8);

struct vpci_requirements_reply {
    uint32_t status;
    uint32_t bars[VPCI_BARS];           /* what a probe with all ones reads; 0: no such BAR */
} WIRE_PACKED;
WIRE_SIZE(struct vpci_requirements_reply, 28);

#define VPCI_RESOURCE_NONE         0u
#define VPCI_RESOURCE_PORT         1u
#define VPCI_RESOURCE_INTERRUPT    2u
#define VPCI_RESOURCE_MEMORY       3u
#define VPCI_RESOURCE_MEMORY_LARGE 7u
/* vpci_resource.flags of MEMORY_LARGE: the unit of the length; none: bytes. */
#define VPCI_RESOURCE_UNIT_256     0x0200u
#define VPCI_RESOURCE_UNIT_64K     0x0400u
#define VPCI_RESOURCE_UNIT_4G      0x0800u

struct vpci_resource {
    uint8_t type;                       /* VPCI_RESOURCE_* */
    uint8_t share;
    uint16_t flags;
    uint64_t address;
    uint32_t length;
    uint32_t reserved;
} WIRE_PACKED;
WIRE_SIZE(struct vpci_resource, 20);
WIRE_OFFSET(struct vpci_resource, address, 4);
WIRE_OFFSET(struct vpci_resource, length, 12);

struct vpci_query_resources {
    uint32_t type;
    uint32_t slot;
    uint32_t reserved[VPCI_BARS];
} WIRE_PACKED;
WIRE_SIZE(struct vpci_query_resources, 32);

struct vpci_resources_reply {           /* no status */
    uint16_t version;                   /* 1 */
    uint16_t revision;                  /* 1 */
    uint32_t count;                     /* VPCI_BARS */
    struct vpci_resource bars[VPCI_BARS];
} WIRE_PACKED;
WIRE_SIZE(struct vpci_resources_reply, 128);

#define VPCI_POWER_D0 1u
#define VPCI_POWER_D3 4u

struct vpci_power_state {
    uint32_t type;
    uint32_t slot;
    uint32_t state;                     /* VPCI_POWER_*; 4 bytes of 0 may follow */
} WIRE_PACKED;
WIRE_SIZE(struct vpci_power_state, 12);

struct vpci_read_block {
    uint32_t type;
    uint32_t block;                     /* here the block is before the slot */
    uint32_t slot;
    uint32_t size;                      /* wanted, at most VPCI_BLOCK_MAXIMUM */
} WIRE_PACKED;
WIRE_SIZE(struct vpci_read_block, 16);

struct vpci_read_block_reply {          /* `data` ends with the packet */
    uint32_t status;
    uint8_t data[VPCI_BLOCK_MAXIMUM];
} WIRE_PACKED;
WIRE_SIZE(struct vpci_read_block_reply, 132);

struct vpci_write_block {               /* guests add 4 bytes: hosts of 2018 want them */
    uint32_t type;
    uint32_t block;
    uint32_t slot;
    uint32_t size;
    uint8_t data[VPCI_BLOCK_MAXIMUM];
} WIRE_PACKED;
WIRE_SIZE(struct vpci_write_block, 144);

struct vpci_invalidate_block {
    uint32_t type;
    uint32_t slot;
    uint64_t blocks;                    /* a bit a block, of the first 64 */
} WIRE_PACKED;
WIRE_SIZE(struct vpci_invalidate_block, 16);

struct vpci_ejection_complete {
    uint32_t type;
    uint32_t slot;
    uint32_t status;                    /* 0; may be missing */
} WIRE_PACKED;
WIRE_SIZE(struct vpci_ejection_complete, 12);

/* ---- Interrupts: what the guest wants to happen when the device sends a message ---- */

struct vpci_interrupt {                 /* 1.1 */
    uint8_t vector;
    uint8_t delivery_mode;              /* VPCI_DELIVERY_* */
    uint16_t vector_count;
    uint32_t reserved;
    uint64_t processors;                /* a bit a virtual processor */
} WIRE_PACKED;
WIRE_SIZE(struct vpci_interrupt, 16);
WIRE_OFFSET(struct vpci_interrupt, vector_count, 2);
WIRE_OFFSET(struct vpci_interrupt, processors, 8);

struct vpci_interrupt_2 {               /* 1.2, 1.3 */
    uint8_t vector;
    uint8_t delivery_mode;
    uint16_t vector_count;
    uint16_t processor_count;
    uint16_t processors[VPCI_PROCESSORS_MAXIMUM]; /* indices of virtual processors */
    uint16_t reserved;
} WIRE_PACKED;
WIRE_SIZE(struct vpci_interrupt_2, 72);
WIRE_OFFSET(struct vpci_interrupt_2, processors, 6);

struct vpci_interrupt_3 {               /* 1.4 */
    uint32_t vector;
    uint8_t delivery_mode;
    uint8_t reserved;
    uint16_t vector_count;
    uint16_t processor_count;
    uint16_t processors[VPCI_PROCESSORS_MAXIMUM];
    uint16_t reserved_2;
} WIRE_PACKED;
WIRE_SIZE(struct vpci_interrupt_3, 76);
WIRE_OFFSET(struct vpci_interrupt_3, vector_count, 6);
WIRE_OFFSET(struct vpci_interrupt_3, processors, 10);

/* What the device is to be programmed with, as CREATE_INTERRUPT's answer says: opaque. */
struct vpci_message_interrupt {
    uint16_t reserved;
    uint16_t vector_count;
    uint32_t data;                      /* message i of several: data + i */
    uint64_t address;
} WIRE_PACKED;
WIRE_SIZE(struct vpci_message_interrupt, 16);

struct vpci_create_interrupt {
    uint32_t type;
    uint32_t slot;
    struct vpci_interrupt interrupt;
} WIRE_PACKED;
WIRE_SIZE(struct vpci_create_interrupt, 24);

struct vpci_create_interrupt_2 {        /* Linux leaves the last reserved word out */
    uint32_t type;
    uint32_t slot;
    struct vpci_interrupt_2 interrupt;
} WIRE_PACKED;
WIRE_SIZE(struct vpci_create_interrupt_2, 80);

struct vpci_create_interrupt_3 {
    uint32_t type;
    uint32_t slot;
    struct vpci_interrupt_3 interrupt;
} WIRE_PACKED;
WIRE_SIZE(struct vpci_create_interrupt_3, 84);

struct vpci_create_interrupt_reply {    /* a failure may be a vpci_status_reply */
    uint32_t status;
    uint32_t reserved;
    struct vpci_message_interrupt message;
} WIRE_PACKED;
WIRE_SIZE(struct vpci_create_interrupt_reply, 24);

struct vpci_delete_interrupt {
    uint32_t type;
    uint32_t slot;
    struct vpci_message_interrupt message; /* as the answer to CREATE_INTERRUPT gave it */
} WIRE_PACKED;
WIRE_SIZE(struct vpci_delete_interrupt, 24);

/* ---- Resources: where BARs are; guests that program them themselves send zeros ---- */

/* Entries of RESOURCES_ASSIGNED have 16 bytes, of _2 72 and of _3 80. */
#define VPCI_ASSIGNED_ENTRY_1 16u
#define VPCI_ASSIGNED_ENTRY_2 72u
#define VPCI_ASSIGNED_ENTRY_3 80u

/* Request: entries follow; hosts want room for one at least, so guests append 80 zero bytes. */
struct vpci_resources_assigned {
    uint32_t type;
    uint32_t slot;
    struct vpci_resource bars[VPCI_BARS];
    uint32_t interrupt_count;
    uint32_t reserved;
} WIRE_PACKED;
WIRE_SIZE(struct vpci_resources_assigned, 136);
WIRE_OFFSET(struct vpci_resources_assigned, interrupt_count, 128);

struct vpci_resources_assigned_reply {
    uint32_t status;
    uint32_t slot;
    struct vpci_resource bars[VPCI_BARS];
    uint32_t interrupt_count;           /* that many entries follow, in the request's size */
    uint32_t reserved;
} WIRE_PACKED;
WIRE_SIZE(struct vpci_resources_assigned_reply, 136);

/* ---- Names a bus's instance GUID stands for ---- */

/* The device id of HvCallRetargetDeviceInterrupt. */
static inline uint64_t vpci_device_id(const struct guid *instance, uint32_t function)
{
    return (uint64_t)instance->data2 << 16 | (instance->data3 & 0xfff8u) | (function & 7u);
}

#endif
