/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: an NVMe controller with a hostile driver. Actions: registers, guest RAM, commands in
 * the admin and I/O queues with fields of any content, doorbells, turns of the disk. Whatever came
 * before, a controller that is disabled and given time can be enabled again and reads a block.
 */
#include <stdlib.h>
#include <string.h>

#include "host/disk/disk_engine.h"
#include "host/guest_memory.h"
#include "host/pci/description.h"
#include "host/pci/nvme_internal.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    RAM = 1 << 20, ACTIONS_MAX = 128, ENTRIES = 8,
    ADMIN = 0x10000, IO = 0x20000, DATA = 0x30000, LIST = 0x40000, COMPLETIONS = 0x1000,
};

struct rig {
    struct pci_function *function;
    struct disk_engine *disks;
    struct guest_memory memory;
    uint8_t *ram;
    unsigned tail[2]; /* admin, I/O */
    struct fuzz_input *from;
};

/* Numbers that matter, or any. */
static uint64_t next_number(struct rig *rig)
{
    static const uint64_t interesting[] = {
        0, 1, 7, 8, 15, 0xffff, 0x10001, 0x70001, 0xffffffff, UINT64_MAX, DATA, DATA + 8, LIST,
        LIST + 0xff8, LIST + 0xff0, RAM, RAM - 0x1000, RAM - 8, 2047, 2048,
    };
    enum { COUNT = sizeof(interesting) / sizeof(interesting[0]) };
    const uint8_t which = next_byte(rig->from);
    return which < 128 ? interesting[which % COUNT]
                       : (uint64_t)next_byte(rig->from) << (which % 8) * 8;
}

static void set(struct rig *rig, uint64_t offset, unsigned size, uint64_t value)
{
    pci_region_write(rig->function, 0, offset, size, value);
}

static void run_disk(struct rig *rig)
{
    while (disk_engine_busy(rig->disks)) {
        disk_engine_submit(rig->disks);
        disk_engine_run(rig->disks, 0);
    }
}

static void put(struct rig *rig, unsigned queue, const struct nvme_command *command)
{
    const uint64_t base = queue == 0 ? ADMIN : IO;
    memcpy(rig->ram + base + rig->tail[queue] * sizeof(*command), command, sizeof(*command));
    rig->tail[queue] = (rig->tail[queue] + 1) % ENTRIES;
    set(rig, NVME_DOORBELLS + 8 * queue, 4, rig->tail[queue]);
}

static void enable(struct rig *rig)
{
    static const struct nvme_command create[2] = {
        {.opcode = NVME_CREATE_COMPLETION_QUEUE, .prp1 = IO + COMPLETIONS,
         .cdw10 = 1 | (ENTRIES - 1) << 16, .cdw11 = NVME_QUEUE_CONTIGUOUS | NVME_QUEUE_INTERRUPTS},
        {.opcode = NVME_CREATE_SUBMISSION_QUEUE, .prp1 = IO,
         .cdw10 = 1 | (ENTRIES - 1) << 16, .cdw11 = NVME_QUEUE_CONTIGUOUS | 1 << 16},
    };
    set(rig, NVME_ADMIN_QUEUE_SIZES, 4, (ENTRIES - 1) | (ENTRIES - 1) << 16);
    set(rig, NVME_ADMIN_SUBMISSION, 8, ADMIN);
    set(rig, NVME_ADMIN_COMPLETION, 8, ADMIN + COMPLETIONS);
    set(rig, NVME_CONFIGURATION, 4, NVME_CONFIGURATION_ENABLE | 0x460000);
    rig->tail[0] = rig->tail[1] = 0;
    put(rig, 0, &create[0]);
    put(rig, 0, &create[1]);
}

static void send_command(struct rig *rig, unsigned queue)
{
    const struct nvme_command command = {
        .opcode = next_byte(rig->from) % 16,
        .flags = next_byte(rig->from) & 0x81,
        .id = next_byte(rig->from),
        .namespace_id = next_byte(rig->from) % 4,
        .prp1 = next_number(rig),
        .prp2 = next_number(rig),
        .cdw10 = (uint32_t)next_number(rig),
        .cdw11 = (uint32_t)next_number(rig),
        .cdw12 = (uint32_t)next_number(rig),
    };
    put(rig, queue, &command);
}

static void write_ram(struct rig *rig)
{
    const uint64_t list = next_byte(rig->from) % 2 == 0 ? LIST : LIST + 0xf80;
    const uint64_t at = list + next_byte(rig->from) % 16 * 8u;
    const uint64_t value = next_number(rig);
    memcpy(rig->ram + at, &value, sizeof(value));
}

static void act(struct rig *rig)
{
    static const unsigned sizes[] = {1, 2, 4, 8};
    const uint8_t what = next_byte(rig->from);
    const unsigned width = sizes[what / 8 % 4];
    switch (what % 8) {
    case 0: set(rig, next_byte(rig->from) * 4u % 0x40, width, next_number(rig)); break;
    case 1: pci_region_read(rig->function, 0, next_byte(rig->from) * 4u, width); break;
    case 2: run_disk(rig); break;
    case 3: set(rig, NVME_DOORBELLS + what / 8 * 4u, 4, next_number(rig)); break;
    case 4: write_ram(rig); break;
    case 5: send_command(rig, 0); break;
    default: send_command(rig, 1); break;
    }
}

static void start(struct rig *rig)
{
    struct pci_description description;
    char error[256];
    rig->disks = disk_engine_new();
    const struct pci_resources resources = {.disks = rig->disks};
    if (pci_describe("{\"model\":\"nvme\",\"disk\":\"memory:1M\"}", &resources, &description,
                     error, sizeof(error)) != 0) {
        abort();
    }
    rig->function = description.functions[0];
    rig->ram = aligned_alloc(GUEST_PAGE_SIZE, RAM);
    memset(rig->ram, 0, RAM);
    guest_memory_initialise(&rig->memory);
    guest_memory_add(&rig->memory, 0, RAM, rig->ram);
    rig->function->memory = &rig->memory;
    pci_config_write(rig->function, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    enable(rig);
}

/* It works again: a block is read, and the completion says so. */
static void finish(struct rig *rig)
{
    const struct nvme_command read = {.opcode = NVME_READ, .namespace_id = 1, .prp1 = DATA};
    struct nvme_completion completion;
    set(rig, NVME_CONFIGURATION, 4, 0);
    run_disk(rig);
    if ((pci_region_read(rig->function, 0, NVME_STATUS, 4) & NVME_STATUS_READY) != 0) {
        abort();
    }
    memset(rig->ram + IO + COMPLETIONS, 0, sizeof(completion));
    enable(rig);
    put(rig, 1, &read);
    run_disk(rig);
    memcpy(&completion, rig->ram + IO + COMPLETIONS, sizeof(completion));
    if (completion.status != NVME_COMPLETION_PHASE) {
        abort();
    }
    pci_function_free(rig->function);
    disk_engine_free(rig->disks);
    free(rig->ram);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct rig rig = {.from = &input};
    start(&rig);
    for (unsigned i = 0; i < ACTIONS_MAX && input.size > 0; i++) {
        act(&rig);
    }
    finish(&rig);
    return 0;
}
