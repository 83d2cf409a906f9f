/* SPDX-License-Identifier: BSD-3-Clause */
/* The NVMe controller against a driver by hand: queues in guest RAM, doorbells, completions. */
#include "tests/unit/host-pci/rig.h"

#include "host/disk/disk.h"
#include "host/disk/disk_faults.h"
#include "host/pci/nvme_internal.h"

enum {
    ADMIN_SUBMISSION = 0x10000, ADMIN_COMPLETION = 0x11000, ADMIN_ENTRIES = 8,
    IO_SUBMISSION = 0x20000, IO_COMPLETION = 0x21000, IO_ENTRIES = 16,
    DATA = 0x40000, PRP_LIST = 0x80000,
    BLOCK = 512, DISK_BLOCKS = 2048, IO_VECTOR = 2,
};

/* The driver's side of one pair of queues. */
struct queue {
    uint64_t submission, completion;
    unsigned number, entries, tail, head;
    uint16_t phase;
};

struct guest {
    struct rig *rig; /* first */
    struct queue admin, io;
    uint16_t next_id;
};

/* ---- The driver ---- */

static void set(struct guest *guest, unsigned offset, uint32_t value)
{
    pci_region_write(guest->rig->function, 0, offset, 4, value);
}

static uint32_t get(struct guest *guest, unsigned offset)
{
    return (uint32_t)pci_region_read(guest->rig->function, 0, offset, 4);
}

static void ring(struct guest *guest, const struct queue *queue, bool is_head)
{
    set(guest, NVME_DOORBELLS + 8 * queue->number + (is_head ? 4 : 0),
        is_head ? queue->head : queue->tail);
}

static void put(struct guest *guest, struct queue *queue, struct nvme_command command)
{
    command.id = ++guest->next_id;
    memcpy(guest->rig->ram + queue->submission + queue->tail * sizeof(command), &command,
           sizeof(command));
    queue->tail = (queue->tail + 1) % queue->entries;
    ring(guest, queue, false);
}

/* The next completion, if there is one. */
static bool take(struct guest *guest, struct queue *queue, struct nvme_completion *completion)
{
    memcpy(completion, guest->rig->ram + queue->completion + queue->head * sizeof(*completion),
           sizeof(*completion));
    if ((completion->status & NVME_COMPLETION_PHASE) != queue->phase) {
        return false;
    }
    queue->head = (queue->head + 1) % queue->entries;
    queue->phase ^= queue->head == 0;
    ring(guest, queue, true);
    return true;
}

/* Sends a command, waits for its end, returns its status. */
static uint16_t run(struct guest *guest, struct queue *queue, struct nvme_command command,
                    uint32_t *result)
{
    struct nvme_completion completion;
    put(guest, queue, command);
    rig_run_disk(guest->rig);
    assert_true(take(guest, queue, &completion));
    assert_int_equal(completion.id, guest->next_id);
    assert_int_equal(completion.submission_queue, queue->number);
    if (result != NULL) {
        *result = completion.result;
    }
    return completion.status >> 1;
}

static uint16_t admin(struct guest *guest, uint8_t opcode, uint32_t cdw10, uint32_t cdw11)
{
    return run(guest, &guest->admin,
               (struct nvme_command){.opcode = opcode, .prp1 = DATA, .cdw10 = cdw10,
                                     .cdw11 = cdw11}, NULL);
}

static struct nvme_command transfer(uint8_t opcode, uint64_t block, unsigned count)
{
    return (struct nvme_command){.opcode = opcode, .namespace_id = 1, .prp1 = DATA,
                                 .cdw10 = (uint32_t)block, .cdw11 = (uint32_t)(block >> 32),
                                 .cdw12 = count - 1};
}

static void enable(struct guest *guest)
{
    set(guest, NVME_ADMIN_QUEUE_SIZES, (ADMIN_ENTRIES - 1) | (ADMIN_ENTRIES - 1) << 16);
    pci_region_write(guest->rig->function, 0, NVME_ADMIN_SUBMISSION, 8, ADMIN_SUBMISSION);
    set(guest, NVME_ADMIN_COMPLETION, ADMIN_COMPLETION);
    set(guest, NVME_ADMIN_COMPLETION + 4, 0);
    set(guest, NVME_CONFIGURATION, NVME_CONFIGURATION_ENABLE |
        6 << NVME_CONFIGURATION_SUBMISSION_SHIFT | 4 << NVME_CONFIGURATION_COMPLETION_SHIFT);
    guest->admin = (struct queue){ADMIN_SUBMISSION, ADMIN_COMPLETION, 0, ADMIN_ENTRIES, 0, 0, 1};
    memset(guest->rig->ram + ADMIN_COMPLETION, 0, 4096);
}

static uint16_t create_queues(struct guest *guest)
{
    guest->io = (struct queue){IO_SUBMISSION, IO_COMPLETION, 1, IO_ENTRIES, 0, 0, 1};
    memset(guest->rig->ram + IO_COMPLETION, 0, 4096);
    uint16_t status = run(guest, &guest->admin, (struct nvme_command){
        .opcode = NVME_CREATE_COMPLETION_QUEUE, .prp1 = IO_COMPLETION,
        .cdw10 = 1 | (IO_ENTRIES - 1) << 16,
        .cdw11 = NVME_QUEUE_CONTIGUOUS | NVME_QUEUE_INTERRUPTS | IO_VECTOR << 16}, NULL);
    if (status != NVME_SUCCESS) {
        return status;
    }
    return run(guest, &guest->admin, (struct nvme_command){
        .opcode = NVME_CREATE_SUBMISSION_QUEUE, .prp1 = IO_SUBMISSION,
        .cdw10 = 1 | (IO_ENTRIES - 1) << 16, .cdw11 = NVME_QUEUE_CONTIGUOUS | 1 << 16}, NULL);
}

static int set_up_bare(void **state)
{
    struct guest *guest = calloc(1, sizeof(*guest));
    guest->rig = rig_create("{\"model\":\"nvme\",\"disk\":\"memory:1M\","
                            "\"serial-number\":\"S1\"}");
    rig_enable(guest->rig);
    rig_enable_msix(guest->rig);
    *state = guest;
    return 0;
}

static int set_up(void **state)
{
    set_up_bare(state);
    enable(*state);
    assert_int_equal(create_queues(*state), NVME_SUCCESS);
    return 0;
}

static int tear_down(void **state)
{
    struct guest *guest = *state;
    rig_run_disk(guest->rig);
    rig_free(guest->rig);
    free(guest);
    return 0;
}

/* ---- Start ---- */

static void it_is_enabled_and_disabled(void **state)
{
    struct guest *guest = *state;
    assert_int_equal(get(guest, NVME_VERSION), NVME_VERSION_1_4);
    assert_int_equal(get(guest, NVME_CAPABILITIES) & 0xffff, 1023);
    assert_int_equal(get(guest, NVME_CAPABILITIES + 4), 0x20); /* NVM, doorbells by 4, 4 KiB */
    assert_int_equal(get(guest, NVME_STATUS), 0);
    enable(guest);
    assert_int_equal(get(guest, NVME_STATUS), NVME_STATUS_READY);
    assert_int_equal(admin(guest, NVME_IDENTIFY, NVME_IDENTIFY_CONTROLLER, 0), NVME_SUCCESS);
    set(guest, NVME_CONFIGURATION, 0);
    assert_int_equal(get(guest, NVME_STATUS), 0);
    enable(guest);
    assert_int_equal(admin(guest, NVME_IDENTIFY, NVME_IDENTIFY_CONTROLLER, 0), NVME_SUCCESS);
}

static void it_does_not_start_without_queues(void **state)
{
    static const struct { uint32_t sizes, submission, configuration; } cases[] = {
        {0, ADMIN_SUBMISSION, 1},                     /* of one entry */
        {0x70007, ADMIN_SUBMISSION + 64, 1},          /* not page-aligned */
        {0x70007, ADMIN_SUBMISSION, 1 | 1 << 7},      /* pages of 8 KiB */
        {0x70007, ADMIN_SUBMISSION, 1 | 6 << 4},      /* another command set */
        {0x70007, ADMIN_SUBMISSION, 1 | 0x55 << 16},  /* entries of other sizes */
    };
    struct guest *guest = *state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        set(guest, NVME_ADMIN_QUEUE_SIZES, cases[i].sizes);
        set(guest, NVME_ADMIN_SUBMISSION, cases[i].submission);
        set(guest, NVME_CONFIGURATION, cases[i].configuration);
        rig_expect_violation(guest->rig, "is enabled with queues");
        assert_int_equal(get(guest, NVME_STATUS), NVME_STATUS_FATAL);
        set(guest, NVME_CONFIGURATION, 0);
        assert_int_equal(get(guest, NVME_STATUS), 0);
    }
    enable(guest);
    assert_int_equal(get(guest, NVME_STATUS), NVME_STATUS_READY);
}

static void it_says_what_it_is(void **state)
{
    struct guest *guest = *state;
    const uint8_t *data = guest->rig->ram + DATA;
    struct nvme_identify_controller controller;
    struct nvme_identify_namespace space;
    assert_int_equal(admin(guest, NVME_IDENTIFY, NVME_IDENTIFY_CONTROLLER, 0), NVME_SUCCESS);
    memcpy(&controller, data, sizeof(controller));
    assert_memory_equal(controller.serial, "S1                  ", 20);
    assert_memory_equal(controller.model, "machv NVMe disk  ", 17);
    assert_int_equal(controller.namespaces, 1);
    const struct nvme_command identify = {.opcode = NVME_IDENTIFY, .namespace_id = 1,
                                          .prp1 = DATA};
    assert_int_equal(run(guest, &guest->admin, identify, NULL), NVME_SUCCESS);
    memcpy(&space, data, sizeof(space));
    assert_int_equal(space.size, DISK_BLOCKS);
    assert_int_equal(space.block_formats[0].block_shift, 9);
    assert_int_equal(admin(guest, NVME_IDENTIFY, NVME_IDENTIFY_NAMESPACES, 0), NVME_SUCCESS);
    assert_memory_equal(data, "\1\0\0\0\0\0\0\0", 8);
    struct nvme_command descriptors = identify;
    descriptors.cdw10 = NVME_IDENTIFY_DESCRIPTORS;
    assert_int_equal(run(guest, &guest->admin, descriptors, NULL), NVME_SUCCESS);
    assert_memory_equal(data, "\1\10\0\0", 4);
    /* A namespace that is not there, and a structure that is not. */
    assert_int_equal(admin(guest, NVME_IDENTIFY, NVME_IDENTIFY_NAMESPACE, 0),
                     NVME_INVALID_NAMESPACE | NVME_DO_NOT_RETRY);
    assert_int_equal(admin(guest, NVME_IDENTIFY, 0x1f, 0), NVME_INVALID_FIELD | NVME_DO_NOT_RETRY);
}

static void features_are_kept(void **state)
{
    struct guest *guest = *state;
    uint32_t result;
    const struct nvme_command queues = {.opcode = NVME_SET_FEATURES, .cdw10 = NVME_FEATURE_QUEUES,
                                        .cdw11 = 3 | 63 << 16};
    assert_int_equal(run(guest, &guest->admin, queues, &result), NVME_SUCCESS);
    assert_int_equal(result, 3 | 15 << 16);
    assert_int_equal(admin(guest, NVME_SET_FEATURES, NVME_FEATURE_QUEUES, 0xffff),
                     NVME_INVALID_FIELD | NVME_DO_NOT_RETRY);
    assert_int_equal(admin(guest, NVME_SET_FEATURES, NVME_FEATURE_TEMPERATURE, 0x123), 0);
    const struct nvme_command temperature = {.opcode = NVME_GET_FEATURES,
                                             .cdw10 = NVME_FEATURE_TEMPERATURE};
    assert_int_equal(run(guest, &guest->admin, temperature, &result), NVME_SUCCESS);
    assert_int_equal(result, 0x123);
    assert_int_equal(admin(guest, NVME_GET_FEATURES, 0x0c, 0),
                     NVME_INVALID_FIELD | NVME_DO_NOT_RETRY);
    assert_int_equal(admin(guest, NVME_SET_FEATURES, 0x80, 0),
                     NVME_INVALID_FIELD | NVME_DO_NOT_RETRY);
    assert_int_equal(admin(guest, NVME_GET_LOG_PAGE, 2 | 127 << 16, 0), NVME_SUCCESS);
    assert_int_equal(admin(guest, NVME_GET_LOG_PAGE, 0x70, 0),
                     NVME_INVALID_LOG_PAGE | NVME_DO_NOT_RETRY);
    assert_int_equal(admin(guest, NVME_GET_LOG_PAGE, 1, 0xffff),
                     NVME_INVALID_FIELD | NVME_DO_NOT_RETRY);
    assert_int_equal(admin(guest, NVME_ABORT, 1, 0), NVME_SUCCESS);
    assert_int_equal(admin(guest, 0xc1, 0, 0), NVME_INVALID_OPCODE | NVME_DO_NOT_RETRY);
}

static void event_requests_wait(void **state)
{
    struct guest *guest = *state;
    struct nvme_completion completion;
    const struct nvme_command event = {.opcode = NVME_ASYNC_EVENT};
    for (unsigned i = 0; i < NVME_EVENTS_MAXIMUM; i++) {
        put(guest, &guest->admin, event);
        assert_false(take(guest, &guest->admin, &completion));
    }
    assert_int_equal(run(guest, &guest->admin, event, NULL),
                     NVME_TOO_MANY_EVENTS | NVME_DO_NOT_RETRY);
}

/* ---- Queues ---- */

static void queues_that_cannot_be_are_refused(void **state)
{
    enum { C = NVME_CREATE_COMPLETION_QUEUE, S = NVME_CREATE_SUBMISSION_QUEUE };
    static const struct { uint8_t opcode; uint32_t cdw10, cdw11; uint16_t status; } cases[] = {
        {C, 0 | 15 << 16, 1, NVME_INVALID_QUEUE},
        {C, 17 | 15 << 16, 1, NVME_INVALID_QUEUE},
        {C, 1 | 15 << 16, 1, NVME_INVALID_QUEUE}, /* there is one */
        {C, 2, 1, NVME_INVALID_QUEUE_SIZE},
        {C, 2 | 1024 << 16, 1, NVME_INVALID_QUEUE_SIZE},
        {C, 2 | 15 << 16, 0, NVME_INVALID_FIELD}, /* not contiguous */
        {C, 2 | 15 << 16, 1 | 17 << 16, NVME_INVALID_VECTOR},
        {S, 1 | 15 << 16, 1 | 1 << 16, NVME_INVALID_QUEUE},
        {S, 2 | 15 << 16, 1 | 2 << 16, NVME_INVALID_COMPLETION_QUEUE},
        {S, 2 | 15 << 16, 1, NVME_INVALID_COMPLETION_QUEUE},
        {S, 2 | 15 << 16, 1 | 0xffffu << 16, NVME_INVALID_COMPLETION_QUEUE},
        {NVME_DELETE_COMPLETION_QUEUE, 1, 0, NVME_QUEUE_NOT_EMPTY},
        {NVME_DELETE_COMPLETION_QUEUE, 0, 0, NVME_INVALID_QUEUE},
        {NVME_DELETE_COMPLETION_QUEUE, 9, 0, NVME_INVALID_QUEUE},
        {NVME_DELETE_SUBMISSION_QUEUE, 0, 0, NVME_INVALID_QUEUE},
        {NVME_DELETE_SUBMISSION_QUEUE, 0xffff, 0, NVME_INVALID_QUEUE},
    };
    struct guest *guest = *state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(admin(guest, cases[i].opcode, cases[i].cdw10, cases[i].cdw11),
                         cases[i].status | NVME_DO_NOT_RETRY);
        assert_int_equal(run(guest, &guest->io, transfer(NVME_READ, 0, 1), NULL), NVME_SUCCESS);
    }
    const struct nvme_command crooked = {.opcode = C, .prp1 = DATA + 8, .cdw10 = 2 | 15 << 16,
                                         .cdw11 = 1};
    assert_int_equal(run(guest, &guest->admin, crooked, NULL),
                     NVME_INVALID_PRP_OFFSET | NVME_DO_NOT_RETRY);
    assert_int_equal(admin(guest, NVME_DELETE_SUBMISSION_QUEUE, 1, 0), NVME_SUCCESS);
    assert_int_equal(admin(guest, NVME_DELETE_COMPLETION_QUEUE, 1, 0), NVME_SUCCESS);
    assert_int_equal(create_queues(guest), NVME_SUCCESS);
    assert_int_equal(guest->rig->violations, 0);
}

static void doorbells_of_nothing_are_reported(void **state)
{
    struct guest *guest = *state;
    set(guest, NVME_DOORBELLS + 8 * 2, 1);
    rig_expect_violation(guest->rig, "tail doorbell");
    set(guest, NVME_DOORBELLS + 8, IO_ENTRIES);
    rig_expect_violation(guest->rig, "tail doorbell");
    set(guest, NVME_DOORBELLS + 8 + 4, 1); /* nothing was put */
    rig_expect_violation(guest->rig, "head doorbell");
    set(guest, NVME_DOORBELLS + 8 + 4, 0xffffffff);
    rig_expect_violation(guest->rig, "head doorbell");
    set(guest, NVME_DOORBELLS + 8 * NVME_QUEUES, 0);
    rig_expect_violation(guest->rig, "belongs to a queue");
    set(guest, NVME_VERSION, 0);
    rig_expect_violation(guest->rig, "is writable");
    pci_region_write(guest->rig->function, 0, NVME_CONFIGURATION, 2, 0);
    rig_expect_violation(guest->rig, "in 4 or 8 bytes");
    assert_int_equal(run(guest, &guest->io, transfer(NVME_READ, 0, 1), NULL), NVME_SUCCESS);
    set(guest, NVME_CONFIGURATION, 0);
    set(guest, NVME_DOORBELLS, 1);
    rig_expect_violation(guest->rig, "while the controller is ready");
}

static void queues_outside_of_ram_are_fatal(void **state)
{
    struct guest *guest = *state;
    assert_int_equal(admin(guest, NVME_DELETE_SUBMISSION_QUEUE, 1, 0), NVME_SUCCESS);
    assert_int_equal(run(guest, &guest->admin, (struct nvme_command){
        .opcode = NVME_CREATE_SUBMISSION_QUEUE, .prp1 = RIG_RAM,
        .cdw10 = 1 | 15 << 16, .cdw11 = NVME_QUEUE_CONTIGUOUS | 1 << 16}, NULL), NVME_SUCCESS);
    set(guest, NVME_DOORBELLS + 8, 1);
    rig_expect_violation(guest->rig, "submission queue is RAM");
    assert_int_equal(get(guest, NVME_STATUS), NVME_STATUS_READY | NVME_STATUS_FATAL);
    set(guest, NVME_CONFIGURATION, 0);
    enable(guest);
    assert_int_equal(create_queues(guest), NVME_SUCCESS);
    assert_int_equal(run(guest, &guest->io, transfer(NVME_READ, 0, 1), NULL), NVME_SUCCESS);
}

static void a_full_completion_queue_waits_for_the_guest(void **state)
{
    struct guest *guest = *state;
    struct nvme_completion completion;
    for (unsigned i = 0; i < 2 * (IO_ENTRIES - 1); i++) {
        put(guest, &guest->io, transfer(NVME_READ, 0, 1));
        rig_run_disk(guest->rig);
    }
    const unsigned interrupts = guest->rig->message_count;
    unsigned taken = 0;
    while (take(guest, &guest->io, &completion)) {
        assert_int_equal(completion.status >> 1, NVME_SUCCESS);
        taken++;
    }
    assert_int_equal(taken, 2 * (IO_ENTRIES - 1));
    assert_true(guest->rig->message_count > interrupts); /* for those that had waited */
    /* Waiting completions do not outlive the controller. */
    for (unsigned i = 0; i < 2 * (IO_ENTRIES - 1); i++) {
        put(guest, &guest->io, transfer(NVME_READ, 0, 1));
        rig_run_disk(guest->rig);
    }
    set(guest, NVME_CONFIGURATION, 0);
    enable(guest);
    assert_int_equal(create_queues(guest), NVME_SUCCESS);
    assert_false(take(guest, &guest->io, &completion));
}

/* ---- Blocks ---- */

static void blocks_are_written_and_read(void **state)
{
    struct guest *guest = *state;
    uint8_t *data = guest->rig->ram + DATA;
    memset(data, 0x5a, BLOCK);
    assert_int_equal(run(guest, &guest->io, transfer(NVME_WRITE, 7, 1), NULL), NVME_SUCCESS);
    rig_expect_message(guest->rig, IO_VECTOR);
    memset(data, 0, BLOCK);
    assert_int_equal(run(guest, &guest->io, transfer(NVME_READ, 7, 1), NULL), NVME_SUCCESS);
    assert_int_equal(data[0], 0x5a);
    assert_int_equal(data[BLOCK - 1], 0x5a);
    assert_int_equal(run(guest, &guest->io, transfer(NVME_FLUSH, 0, 1), NULL), NVME_SUCCESS);
    struct nvme_command write = transfer(NVME_WRITE, 8, 1);
    write.cdw12 |= 1u << 30; /* force unit access */
    assert_int_equal(run(guest, &guest->io, write, NULL), NVME_SUCCESS);
    assert_int_equal(run(guest, &guest->io, transfer(NVME_WRITE_ZEROES, 7, 2), NULL),
                     NVME_SUCCESS);
    assert_int_equal(run(guest, &guest->io, transfer(NVME_READ, 7, 1), NULL), NVME_SUCCESS);
    assert_int_equal(data[0], 0);
}

/* 20 pages, whose list begins close to the end of a page and so needs a second one. */
static void lists_of_prps_are_followed(void **state)
{
    enum { PAGES = 20, OFFSET = 0x200, LIST = PRP_LIST + 4096 - 5 * 8 };
    struct guest *guest = *state;
    uint8_t *ram = guest->rig->ram;
    uint64_t entry;
    struct nvme_command command = transfer(NVME_WRITE, 100, PAGES * 8);
    for (unsigned i = 0; i <= PAGES; i++) {
        memset(ram + DATA + i * 0x2000, (int)(i + 1), 4096);
        entry = DATA + i * 0x2000ull;
        if (i == 0) {
            command.prp1 = entry + OFFSET;
        } else if (i <= 4) {
            memcpy(ram + LIST + (i - 1) * 8, &entry, 8);
        } else {
            memcpy(ram + PRP_LIST + 0x1000 + (i - 5) * 8, &entry, 8);
        }
    }
    entry = PRP_LIST + 0x1000;
    memcpy(ram + LIST + 4 * 8, &entry, 8);
    command.prp2 = LIST;
    assert_int_equal(run(guest, &guest->io, command, NULL), NVME_SUCCESS);
    /* Read back through two neighbouring pages at a time. */
    for (unsigned i = 0; i < PAGES; i++) {
        assert_int_equal(run(guest, &guest->io, transfer(NVME_READ, 100 + i * 8, 8), NULL),
                         NVME_SUCCESS);
        assert_int_equal(ram[DATA], i + 1);
        assert_int_equal(ram[DATA + 4095 - OFFSET], i + 1);
        assert_int_equal(ram[DATA + 4095], i + 2);
    }
}

static void transfers_that_cannot_be_are_refused(void **state)
{
    static const struct { uint64_t block; unsigned count; uint64_t prp1, prp2; uint16_t status; }
    cases[] = {
        {DISK_BLOCKS, 1, DATA, 0, NVME_LBA_OUT_OF_RANGE},
        {DISK_BLOCKS - 1, 2, DATA, 0, NVME_LBA_OUT_OF_RANGE},
        {UINT64_MAX, 2, DATA, 0, NVME_LBA_OUT_OF_RANGE},
        {0, 1025, DATA, PRP_LIST, NVME_INVALID_FIELD},           /* more than 512 KiB */
        {0, 1, DATA + 2, 0, NVME_INVALID_PRP_OFFSET},
        {0, 1, RIG_RAM, 0, NVME_DATA_TRANSFER_ERROR},
        {0, 1, UINT64_MAX - 3, 0, NVME_DATA_TRANSFER_ERROR},
        {0, 16, DATA, DATA + 8, NVME_INVALID_PRP_OFFSET},        /* second page, with an offset */
        {0, 16, DATA, RIG_RAM, NVME_DATA_TRANSFER_ERROR},
        {0, 64, DATA, PRP_LIST + 4, NVME_INVALID_PRP_OFFSET},    /* a list, crooked */
        {0, 64, DATA, RIG_RAM, NVME_DATA_TRANSFER_ERROR},
        {0, 64, DATA, PRP_LIST + 0x2000, NVME_INVALID_PRP_OFFSET}, /* its entries are */
        {0, 64, DATA, PRP_LIST + 0xff8, NVME_INVALID_PRP_OFFSET}, /* a list of a link alone */
    };
    struct guest *guest = *state;
    uint64_t crooked = DATA + 8;
    memcpy(guest->rig->ram + PRP_LIST + 0x2000, &crooked, sizeof(crooked));
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct nvme_command command = transfer(NVME_READ, cases[i].block, cases[i].count);
        command.prp1 = cases[i].prp1;
        command.prp2 = cases[i].prp2;
        assert_int_equal(run(guest, &guest->io, command, NULL),
                         cases[i].status | NVME_DO_NOT_RETRY);
        assert_int_equal(run(guest, &guest->io, transfer(NVME_READ, 0, 1), NULL), NVME_SUCCESS);
    }
    struct nvme_command command = transfer(NVME_READ, 0, 1);
    command.namespace_id = 2;
    assert_int_equal(run(guest, &guest->io, command, NULL),
                     NVME_INVALID_NAMESPACE | NVME_DO_NOT_RETRY);
    command = transfer(NVME_READ, 0, 1);
    command.flags = 0x40; /* SGLs */
    assert_int_equal(run(guest, &guest->io, command, NULL),
                     NVME_INVALID_FIELD | NVME_DO_NOT_RETRY);
    assert_int_equal(run(guest, &guest->io, transfer(0x55, 0, 1), NULL),
                     NVME_INVALID_OPCODE | NVME_DO_NOT_RETRY);
}

static uint16_t deallocate(struct guest *guest, unsigned count, uint32_t attributes)
{
    struct nvme_command command = {.opcode = NVME_DATASET_MANAGEMENT, .namespace_id = 1,
                                   .prp1 = DATA, .cdw10 = count - 1, .cdw11 = attributes};
    return run(guest, &guest->io, command, NULL);
}

static void ranges_are_deallocated(void **state)
{
    struct guest *guest = *state;
    uint8_t *data = guest->rig->ram + DATA;
    memset(data, 0xff, 16 * BLOCK);
    struct nvme_command fill = transfer(NVME_WRITE, 0, 16);
    fill.prp2 = DATA + 4096;
    assert_int_equal(run(guest, &guest->io, fill, NULL), NVME_SUCCESS);
    struct nvme_dataset_range ranges[3] = {{0, 2, 1}, {0, 0, 9}, {0, 4, 6}};
    memcpy(data, ranges, sizeof(ranges));
    assert_int_equal(deallocate(guest, 3, 0), NVME_SUCCESS); /* advice: nothing happens */
    assert_int_equal(deallocate(guest, 3, NVME_DATASET_DEALLOCATE), NVME_SUCCESS);
    struct nvme_command read = transfer(NVME_READ, 0, 16);
    read.prp2 = DATA + 4096;
    assert_int_equal(run(guest, &guest->io, read, NULL), NVME_SUCCESS);
    for (unsigned i = 0; i < 16; i++) {
        const bool is_zero = (i >= 1 && i < 3) || (i >= 6 && i < 10);
        assert_int_equal(data[i * BLOCK], is_zero ? 0 : 0xff);
    }
    ranges[1] = (struct nvme_dataset_range){0, 2, DISK_BLOCKS - 1};
    memcpy(data, ranges, sizeof(ranges));
    assert_int_equal(deallocate(guest, 3, NVME_DATASET_DEALLOCATE),
                     NVME_LBA_OUT_OF_RANGE | NVME_DO_NOT_RETRY);
    memset(data, 0, sizeof(ranges));
    assert_int_equal(deallocate(guest, 3, NVME_DATASET_DEALLOCATE), NVME_SUCCESS);
}

/* ---- The end ---- */

static void a_reset_waits_for_the_disk(void **state)
{
    struct guest *guest = *state;
    struct nvme_completion completion;
    put(guest, &guest->io, transfer(NVME_READ, 0, 1));
    assert_true(guest->rig->function->operations->is_busy(guest->rig->function));
    set(guest, NVME_CONFIGURATION, 0);
    assert_int_equal(get(guest, NVME_STATUS), NVME_STATUS_READY); /* it may still write to RAM */
    rig_run_disk(guest->rig);
    assert_int_equal(get(guest, NVME_STATUS), 0);
    assert_false(take(guest, &guest->io, &completion));
    enable(guest);
    assert_int_equal(create_queues(guest), NVME_SUCCESS);
    assert_int_equal(run(guest, &guest->io, transfer(NVME_READ, 0, 1), NULL), NVME_SUCCESS);
}

static void a_shutdown_flushes(void **state)
{
    enum { UNDER_WAY = 4, COMPLETE = 8, NORMAL = 1 << 14 };
    struct guest *guest = *state;
    set(guest, NVME_CONFIGURATION, get(guest, NVME_CONFIGURATION) | NORMAL);
    assert_int_equal(get(guest, NVME_STATUS), NVME_STATUS_READY | UNDER_WAY);
    rig_run_disk(guest->rig);
    assert_int_equal(get(guest, NVME_STATUS), NVME_STATUS_READY | COMPLETE);
    const struct nvme *controller = guest->rig->function->state;
    assert_int_equal(controller->disk->counters.flushes, 1);
}

/* The disk's faults reach the guest as statuses, and a reset ends what is held back. */
static void faults_of_the_disk_are_statuses(void **state)
{
    static const struct { const char *fault; uint16_t read, write; } cases[] = {
        {"error=100%", NVME_READ_ERROR, NVME_WRITE_FAULT},
        {"short=100%", NVME_READ_ERROR, NVME_WRITE_FAULT},
    };
    struct guest *guest = *state;
    struct disk **disk = pci_nvme_disk(guest->rig->function);
    struct disk_fault_settings settings = {0};
    struct nvme_completion completion;
    assert_non_null(disk);
    *disk = disk_faults_open(*disk, &settings, 1);
    struct nvme_command read = transfer(NVME_READ, 0, 16), write = transfer(NVME_WRITE, 0, 16);
    read.prp2 = write.prp2 = DATA + 4096;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        settings = (struct disk_fault_settings){0};
        assert_int_equal(disk_faults_parse(cases[i].fault, &settings), 0);
        disk_faults_set(*disk, &settings);
        assert_int_equal(run(guest, &guest->io, read, NULL), cases[i].read);
        assert_int_equal(run(guest, &guest->io, write, NULL), cases[i].write);
        settings = (struct disk_fault_settings){0};
        disk_faults_set(*disk, &settings);
        assert_int_equal(run(guest, &guest->io, read, NULL), NVME_SUCCESS);
    }
    assert_int_equal(disk_faults_parse("lost=100%", &settings), 0);
    disk_faults_set(*disk, &settings);
    put(guest, &guest->io, read);
    disk_engine_run(guest->rig->disks, 0);
    assert_false(take(guest, &guest->io, &completion));
    settings = (struct disk_fault_settings){0};
    disk_faults_set(*disk, &settings);
    set(guest, NVME_CONFIGURATION, 0);
    rig_run_disk(guest->rig);
    assert_int_equal(get(guest, NVME_STATUS), 0);
    enable(guest);
    assert_int_equal(create_queues(guest), NVME_SUCCESS);
    assert_int_equal(run(guest, &guest->io, read, NULL), NVME_SUCCESS);
}

static void a_read_only_disk_says_so(void **state)
{
    struct guest guest = {.rig = rig_create("{\"model\":\"nvme\",\"disk\":\"memory:1M\","
                                            "\"block-size\":4096}")};
    rig_enable(guest.rig);
    rig_enable_msix(guest.rig);
    struct nvme *controller = guest.rig->function->state;
    controller->disk->geometry.read_only = true;
    enable(&guest);
    assert_int_equal(create_queues(&guest), NVME_SUCCESS);
    assert_int_equal(run(&guest, &guest.io, transfer(NVME_WRITE, 0, 1), NULL),
                     NVME_READ_ONLY | NVME_DO_NOT_RETRY);
    assert_int_equal(run(&guest, &guest.io, transfer(NVME_READ, 255, 1), NULL), NVME_SUCCESS);
    assert_int_equal(run(&guest, &guest.io, transfer(NVME_READ, 256, 1), NULL),
                     NVME_LBA_OUT_OF_RANGE | NVME_DO_NOT_RETRY);
    rig_free(guest.rig);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define BARE(function) cmocka_unit_test_setup_teardown(function, set_up_bare, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BARE(it_is_enabled_and_disabled),
        BARE(it_does_not_start_without_queues),
        TEST(it_says_what_it_is),
        TEST(features_are_kept),
        TEST(event_requests_wait),
        TEST(queues_that_cannot_be_are_refused),
        TEST(doorbells_of_nothing_are_reported),
        TEST(queues_outside_of_ram_are_fatal),
        TEST(a_full_completion_queue_waits_for_the_guest),
        TEST(blocks_are_written_and_read),
        TEST(lists_of_prps_are_followed),
        TEST(transfers_that_cannot_be_are_refused),
        TEST(ranges_are_deallocated),
        TEST(a_reset_waits_for_the_disk),
        TEST(a_shutdown_flushes),
        TEST(faults_of_the_disk_are_statuses),
        cmocka_unit_test(a_read_only_disk_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
