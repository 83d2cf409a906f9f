/* SPDX-License-Identifier: BSD-3-Clause */
/* NVM Express: registers, commands and completions, as far as a driver's queue set-up and block I/O
 * need them.
 *
 * Source: NVM Express Base Specification 1.4; Linux linux/nvme.h. */
#ifndef PROTOCOL_NVME_H
#define PROTOCOL_NVME_H

#include "protocol/wire.h"

/* ---- Registers, BAR 0 ---- */

#define NVME_CAPABILITIES      0x00u    /* 8 bytes */
#define NVME_VERSION           0x08u
#define NVME_INTERRUPT_SET     0x0cu    /* pin and MSI alone */
#define NVME_INTERRUPT_CLEAR   0x10u
#define NVME_CONFIGURATION     0x14u
#define NVME_STATUS            0x1cu
#define NVME_ADMIN_QUEUE_SIZES 0x24u    /* submission in bits 0 - 11, completion in 16 - 27; - 1 */
#define NVME_ADMIN_SUBMISSION  0x28u    /* 8 bytes each */
#define NVME_ADMIN_COMPLETION  0x30u
#define NVME_DOORBELLS         0x1000u  /* queue q: tail at 8q, completion head at 8q + 4 */

#define NVME_CAPABILITIES_ENTRIES    0x000000000000ffffull /* - 1 */
#define NVME_CAPABILITIES_CONTIGUOUS 0x0000000000010000ull
#define NVME_CAPABILITIES_TIMEOUT_SHIFT 24                 /* 500 ms */
#define NVME_CAPABILITIES_NVM        0x0000002000000000ull
#define NVME_VERSION_1_4             0x00010400u

#define NVME_CONFIGURATION_ENABLE         0x00000001u
#define NVME_CONFIGURATION_PAGE_SHIFT     7             /* 4 bits: page size is 4 KiB << this */
#define NVME_CONFIGURATION_SHUTDOWN       0x0000c000u
#define NVME_CONFIGURATION_SUBMISSION_SHIFT 16          /* 4 bits: log2 of the entry sizes */
#define NVME_CONFIGURATION_COMPLETION_SHIFT 20
#define NVME_STATUS_READY                 0x1u
#define NVME_STATUS_FATAL                 0x2u
#define NVME_STATUS_SHUTDOWN_COMPLETE     0x8u

/* ---- Queue entries ---- */

enum nvme_admin_opcode {
    NVME_DELETE_SUBMISSION_QUEUE = 0x00,
    NVME_CREATE_SUBMISSION_QUEUE = 0x01,
    NVME_GET_LOG_PAGE            = 0x02,
    NVME_DELETE_COMPLETION_QUEUE = 0x04,
    NVME_CREATE_COMPLETION_QUEUE = 0x05,
    NVME_IDENTIFY                = 0x06,
    NVME_ABORT                   = 0x08,
    NVME_SET_FEATURES            = 0x09,
    NVME_GET_FEATURES            = 0x0a,
    NVME_ASYNC_EVENT             = 0x0c,
    NVME_KEEP_ALIVE              = 0x18,
};

enum nvme_io_opcode {
    NVME_FLUSH        = 0x00,
    NVME_WRITE        = 0x01,
    NVME_READ         = 0x02,
    NVME_WRITE_ZEROES = 0x08,
    NVME_DATASET_MANAGEMENT = 0x09,
};

#define NVME_FLAGS_SGL 0xc0u            /* nvme_command.flags: not PRPs */

struct nvme_command {
    uint8_t opcode;
    uint8_t flags;
    uint16_t id;
    uint32_t namespace_id;
    uint32_t cdw2;
    uint32_t cdw3;
    uint64_t metadata;
    uint64_t prp1;
    uint64_t prp2;
    uint32_t cdw10;
    uint32_t cdw11;
    uint32_t cdw12;
    uint32_t cdw13;
    uint32_t cdw14;
    uint32_t cdw15;
} WIRE_PACKED;
WIRE_SIZE(struct nvme_command, 64);
WIRE_OFFSET(struct nvme_command, prp1, 24);
WIRE_OFFSET(struct nvme_command, cdw10, 40);

struct nvme_completion {
    uint32_t result;
    uint32_t reserved;
    uint16_t submission_head;
    uint16_t submission_queue;
    uint16_t id;
    uint16_t status;                    /* phase in bit 0, NVME_STATUS code in bits 1 - 15 */
} WIRE_PACKED;
WIRE_SIZE(struct nvme_completion, 16);
WIRE_OFFSET(struct nvme_completion, status, 14);

#define NVME_COMPLETION_PHASE 0x1u

/* Status: code in bits 0 - 7, type in 8 - 10, "do not retry" in bit 14. */
#define NVME_SUCCESS              0x0000u
#define NVME_INVALID_OPCODE       0x0001u
#define NVME_INVALID_FIELD        0x0002u
#define NVME_DATA_TRANSFER_ERROR  0x0004u
#define NVME_INTERNAL_ERROR       0x0006u
#define NVME_ABORTED_DELETION     0x0008u
#define NVME_INVALID_NAMESPACE    0x000bu
#define NVME_INVALID_PRP_OFFSET   0x0013u
#define NVME_LBA_OUT_OF_RANGE     0x0080u
#define NVME_INVALID_COMPLETION_QUEUE 0x0100u
#define NVME_INVALID_QUEUE        0x0101u
#define NVME_INVALID_QUEUE_SIZE   0x0102u
#define NVME_TOO_MANY_EVENTS      0x0105u
#define NVME_INVALID_VECTOR       0x0108u
#define NVME_INVALID_LOG_PAGE     0x0109u
#define NVME_QUEUE_NOT_EMPTY      0x010cu /* the completion queue still has submission queues */
#define NVME_WRITE_FAULT          0x0280u
#define NVME_READ_ERROR           0x0281u
#define NVME_READ_ONLY            0x0182u
#define NVME_DO_NOT_RETRY         0x4000u

/* CREATE_*_QUEUE, cdw10: queue id, entries - 1 in the upper half; cdw11: */
#define NVME_QUEUE_CONTIGUOUS     0x1u
#define NVME_QUEUE_INTERRUPTS     0x2u    /* completion; vector in the upper half */
                                          /* submission: completion queue in the upper half */

/* IDENTIFY, cdw10 bits 0 - 7. */
#define NVME_IDENTIFY_NAMESPACE   0x00u
#define NVME_IDENTIFY_CONTROLLER  0x01u
#define NVME_IDENTIFY_NAMESPACES  0x02u   /* list of active ids above namespace_id */
#define NVME_IDENTIFY_DESCRIPTORS 0x03u   /* namespace identification */
#define NVME_IDENTIFY_SIZE        4096u

/* Features, cdw10 bits 0 - 7. */
#define NVME_FEATURE_ARBITRATION  0x01u
#define NVME_FEATURE_POWER        0x02u
#define NVME_FEATURE_TEMPERATURE  0x04u
#define NVME_FEATURE_ERRORS       0x05u
#define NVME_FEATURE_WRITE_CACHE  0x06u
#define NVME_FEATURE_QUEUES       0x07u   /* submission and completion queues wanted, each - 1 */
#define NVME_FEATURE_COALESCING   0x08u
#define NVME_FEATURE_ASYNC_EVENTS 0x0bu

struct nvme_identify_controller {
    uint16_t vendor;
    uint16_t subsystem_vendor;
    char serial[20];                    /* texts: padded with spaces */
    char model[40];
    char firmware[8];
    uint8_t arbitration_burst;
    uint8_t ieee[3];
    uint8_t multipath;
    uint8_t transfer_maximum;           /* log2, in pages of 4 KiB; 0: none */
    uint16_t controller_id;
    uint32_t version;
    uint8_t reserved_84[27];
    uint8_t controller_type;            /* 1: I/O */
    uint8_t reserved_112[144];
    uint16_t optional_admin;
    uint8_t abort_limit;                /* - 1 */
    uint8_t async_event_limit;          /* - 1 */
    uint8_t firmware_updates;
    uint8_t log_page_attributes;
    uint8_t error_log_entries;          /* - 1 */
    uint8_t power_states;               /* - 1 */
    uint8_t reserved_264[248];
    uint8_t submission_entry_sizes;     /* log2: smallest in bits 0 - 3, largest in 4 - 7 */
    uint8_t completion_entry_sizes;
    uint16_t outstanding_maximum;
    uint32_t namespaces;
    uint16_t optional_io;               /* NVME_OPTIONAL_* */
    uint16_t fused;
    uint8_t format;
    uint8_t volatile_write_cache;
    uint16_t atomic_write;
    uint16_t atomic_write_power_fail;
    uint8_t reserved_530[238];
    char subsystem_name[256];
    uint8_t reserved_1024[3072];
} WIRE_PACKED;
WIRE_SIZE(struct nvme_identify_controller, 4096);
WIRE_OFFSET(struct nvme_identify_controller, transfer_maximum, 77);
WIRE_OFFSET(struct nvme_identify_controller, controller_type, 111);
WIRE_OFFSET(struct nvme_identify_controller, optional_admin, 256);
WIRE_OFFSET(struct nvme_identify_controller, submission_entry_sizes, 512);
WIRE_OFFSET(struct nvme_identify_controller, namespaces, 516);
WIRE_OFFSET(struct nvme_identify_controller, volatile_write_cache, 525);
WIRE_OFFSET(struct nvme_identify_controller, subsystem_name, 768);

#define NVME_OPTIONAL_DATASET_MANAGEMENT 0x0004u
#define NVME_OPTIONAL_WRITE_ZEROES       0x0008u

struct nvme_identify_namespace {
    uint64_t size;                      /* blocks */
    uint64_t capacity;
    uint64_t used;
    uint8_t features;
    uint8_t formats;                    /* - 1 */
    uint8_t format;
    uint8_t metadata;
    uint8_t reserved_28[5];
    uint8_t deallocated_reads;          /* 1: as zeros */
    uint8_t reserved_34[94];
    struct {
        uint16_t metadata_size;
        uint8_t block_shift;            /* log2 of the block's bytes */
        uint8_t performance;
    } WIRE_PACKED block_formats[16];
    uint8_t reserved_192[3904];
} WIRE_PACKED;
WIRE_SIZE(struct nvme_identify_namespace, 4096);
WIRE_OFFSET(struct nvme_identify_namespace, deallocated_reads, 33);
WIRE_OFFSET(struct nvme_identify_namespace, block_formats, 128);

struct nvme_dataset_range {
    uint32_t attributes;
    uint32_t blocks;
    uint64_t first;
} WIRE_PACKED;
WIRE_SIZE(struct nvme_dataset_range, 16);

#define NVME_DATASET_RANGES_MAXIMUM 256u
#define NVME_DATASET_DEALLOCATE     0x4u /* cdw11 */

#endif
