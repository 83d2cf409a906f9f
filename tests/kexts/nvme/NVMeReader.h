/* SPDX-License-Identifier: BSD-3-Clause */
/* A driver that brings an NVMe controller up as every driver does (admin queue, one pair of I/O
 * queues with an MSI-X interrupt of its own), reads the first block of its disk and
 * publishes it. */
#ifndef TESTS_KEXTS_NVME_NVMEREADER_H
#define TESTS_KEXTS_NVME_NVMEREADER_H

#include "abi/IOBufferMemoryDescriptor.h"
#include "abi/IOMemoryMap.h"
#include "abi/IOPCIDevice.h"
#include "abi/constants.h"
#include "abi/kpi/iolib.h"
#include "abi/kpi/threads.h"
#include "abi/kpi/time.h"
#include "abi/kpi/vm.h"
#include "abi/runtime.h"
#include "protocol/nvme.h"

enum {
    NVME_READER_PAGE = 4096,
    NVME_READER_ENTRIES = 16, /* of each queue */
    NVME_READER_WAIT_MILLISECONDS = 20000,
};

/* A pair of queues, each in a page of its own, and its interrupt. */
struct nvme_queue {
    volatile struct nvme_command *commands;
    volatile struct nvme_completion *completions;
    uint64_t commands_address, completions_address;
    uint16_t number;
    uint16_t tail, head;
    uint16_t phase;
    volatile uint32_t interrupts;
};

struct NVMeReader {
    IOService super;
    IOPCIDevice *device; /* the provider */
    IOMemoryMap *map;
    volatile uint8_t *registers;
    IOBufferMemoryDescriptor *memory;
    uint8_t *bytes;
    uint64_t physical;
    struct nvme_queue admin, io;
    uint32_t registered; /* interrupts */
};
IOKIT_CLASS_DECLARE(10, NVMeReader, IOService);

#define nvme_log(format, ...) IOLog("NVMeReader: " format "\n", ##__VA_ARGS__)

static inline uint32_t nvme_read32(const NVMeReader *reader, uint32_t offset)
{
    return *(volatile uint32_t *)(reader->registers + offset);
}

static inline void nvme_write32(NVMeReader *reader, uint32_t offset, uint32_t value)
{
    *(volatile uint32_t *)(reader->registers + offset) = value;
}

/* Turns the controller off, lays the queues into memory, turns it on. */
bool nvme_reset(NVMeReader *reader);
void nvme_shut_down(NVMeReader *reader);
/* Handlers for both queues' interrupts: vectors 0 and, if there are two, 1. */
bool nvme_start_interrupts(NVMeReader *reader);
void nvme_stop_interrupts(NVMeReader *reader);
/* Runs one command to its end. The status, or 0xFFFF: no answer. */
uint16_t nvme_run(NVMeReader *reader, struct nvme_queue *queue, struct nvme_command *command);

#endif
