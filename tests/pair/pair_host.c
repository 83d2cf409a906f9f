/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/pair/pair_host.h"
#include "tests/pair/pair_storage.h"

#include "host/devices/heartbeat.h"
#include "host/devices/netvsc_internal.h"
#include "host/devices/storvsc.h"
#include "host/devices/storvsc_internal.h"
#include "host/disk/disk.h"
#include "host/disk/disk_engine.h"
#include "host/disk/disk_faults.h"
#include "host/disk/disk_memory.h"
#include "host/machine.h"
#include "protocol/hypervisor.h"
#include "protocol/partition.h"
#include "protocol/synthvid.h"
#include "tests/pair/pair_faults.h"
#include "tests/pair/pair_pci.h"
#include "tests/pair/pair_video.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/machine.h"
#include "xnu/machine/partition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNEL_WORDS = 2048 / 64, DEVICES_MAX = 32 };

struct pair_host {
    struct host_release release;
    struct guest_memory memory;
    struct host_machine machine;
    struct disk_engine *disks;
    struct storvsc *controller;
    struct virtual_device *heartbeat;
    struct virtual_device *devices[DEVICES_MAX];
    unsigned device_count;
    struct netvsc *adapter;
    struct virtual_device *video;
    uint64_t woken[CHANNEL_WORDS];
    unsigned violations;
    struct pair_faults faults;
    struct disk *memory_disks[PAIR_DISKS_MAX];
    uint64_t seed;
};

/* ---- what the library asks for ---- */

static void raise_vector(void *context, uint32_t processor, uint8_t vector, bool auto_eoi)
{
    (void)context;
    (void)auto_eoi;
    machine_interrupt_raise(processor, vector);
}

static void wake_device(void *context, struct host_channel *channel)
{
    struct pair_host *host = context;
    uint32_t id = host_channel_id(channel);

    host->woken[id / 64] |= UINT64_C(1) << id % 64;
}

static void reset(void *context)
{
    struct pair_host *host = context;

    host_machine_reset(&host->machine);
}

static void crashed(void *context, const uint64_t parameters[HV_CRASH_PARAMETER_COUNT],
                    uint64_t control, const char *message)
{
    (void)context;
    (void)parameters;
    (void)control;
    fprintf(stderr, "pair host: the guest crashed: %s\n", message);
    abort();
}

static void violation(void *context, const struct host_violation *violation)
{
    struct pair_host *host = context;

    host->violations++;
    printf("# pair host: channel %u: %s in state \"%s\" breaks the rule: %s\n", violation->channel,
           violation->message, violation->state, violation->rule);
}

static bool filter_post(void *context, const void *payload, size_t size, uint32_t *status)
{
    struct pair_host *host = context;

    return pair_faults_post(&host->faults, payload, size, status);
}

static bool filter_message(void *context, uint32_t processor, uint32_t sint, const void *message,
                           size_t size)
{
    struct pair_host *host = context;

    return pair_faults_message(&host->faults, processor, sint, message, size);
}

static const struct host_machine_operations machine_operations = {
    .filter_post = filter_post,
    .filter_message = filter_message,
    .raise_vector = raise_vector,
    .wake_device = wake_device,
    .reset = reset,
    .crashed = crashed,
    .retarget_interrupt = pair_pci_retarget,
    .violation = violation,
};

/* ---- what the machine asks for ---- */

static uint64_t reference_time(void)
{
    return machine_uptime() / 100;
}

static void take_cpuid(void *partition, unsigned processor, uint32_t leaf, uint32_t subleaf,
                       uint32_t registers[4])
{
    struct pair_host *host = partition;
    struct hypervisor_cpuid cpuid = hypervisor_read_cpuid(host->machine.hypervisor, leaf);

    (void)processor;
    (void)subleaf;
    registers[0] = cpuid.eax;
    registers[1] = cpuid.ebx;
    registers[2] = cpuid.ecx;
    registers[3] = cpuid.edx;
}

static bool take_rdmsr(void *partition, unsigned processor, uint32_t index, uint64_t *value)
{
    struct pair_host *host = partition;

    return hypervisor_read_msr(host->machine.hypervisor, processor, index, reference_time(),
                               value) == HYPERVISOR_NO_FAULT;
}

static bool take_wrmsr(void *partition, unsigned processor, uint32_t index, uint64_t value)
{
    struct pair_host *host = partition;

    return hypervisor_write_msr(host->machine.hypervisor, processor, index, value,
                                reference_time()) == HYPERVISOR_NO_FAULT;
}

static uint64_t take_hypercall(void *partition, unsigned processor, uint64_t control,
                               uint64_t input, uint64_t output,
                               const uint64_t fast[PARTITION_FAST_WORDS])
{
    struct pair_host *host = partition;

    (void)fast;
    return hypervisor_hypercall(host->machine.hypervisor, processor, control, input, output);
}

static bool take_signal(void *partition, uint32_t connection_id)
{
    struct pair_host *host = partition;

    return vmbus_server_signal_event(host->machine.server, connection_id, 0) == HV_STATUS_SUCCESS;
}

static uint64_t take_read(void *partition, unsigned processor, uint64_t address, unsigned size,
                          enum machine_address_kind kind)
{
    (void)partition;
    (void)processor;
    if (kind == MACHINE_MMIO)
        return pair_pci_read(address, size);
    return size == 8 ? UINT64_MAX : (UINT64_C(1) << size * 8) - 1;
}

static void take_write(void *partition, unsigned processor, uint64_t address, unsigned size,
                       enum machine_address_kind kind, uint64_t value)
{
    (void)partition;
    (void)processor;
    if (kind == MACHINE_MMIO)
        pair_pci_write(address, size, value);
}

static void take_power(void *partition, enum machine_power what, const uint64_t *crash)
{
    (void)partition;
    (void)what;
    (void)crash;
}

/* ---- the host's own work ---- */

static unsigned run_channels(struct pair_host *host)
{
    unsigned work = 0;
    unsigned word;

    for (word = 0; word < CHANNEL_WORDS; word++) {
        uint64_t bits = host->woken[word];

        host->woken[word] = 0;
        for (; bits != 0; bits &= bits - 1) {
            struct host_channel *channel = vmbus_server_channel(
                host->machine.server, word * 64 + (unsigned)__builtin_ctzll(bits));

            if (channel != NULL) {
                pair_faults_channel(&host->faults, channel);
                host_channel_run(channel);
            }
            work++;
        }
    }
    return work;
}

static unsigned run_all(struct pair_host *host, uint64_t now)
{
    unsigned work = run_channels(host);
    unsigned index;

    if (hypervisor_next_deadline(host->machine.hypervisor) <= now / 100) {
        hypervisor_run_timers(host->machine.hypervisor, now / 100);
        work++;
    }
    work += pair_faults_run(&host->faults, now / 100);
    disk_engine_submit(host->disks);
    work += disk_engine_run(host->disks, now);
    for (index = 0; index < host->device_count; index++) {
        const struct virtual_device_operations *operations = host->devices[index]->operations;

        if (operations->deadline_ns != NULL && operations->deadline_ns(host->devices[index]) <= now)
            work++;
        if (operations->run != NULL)
            operations->run(host->devices[index], now);
    }
    return work;
}

static uint64_t next_deadline(struct pair_host *host)
{
    uint64_t deadline = disk_engine_deadline_ns(host->disks);
    uint64_t timer = hypervisor_next_deadline(host->machine.hypervisor);
    uint64_t held = pair_faults_deadline(&host->faults);
    unsigned index;

    if (held < timer)
        timer = held;
    if (timer < UINT64_MAX / 100 && timer * 100 < deadline)
        deadline = timer * 100;
    for (index = 0; index < host->device_count; index++) {
        struct virtual_device *device = host->devices[index];
        uint64_t due = device->operations->deadline_ns == NULL
                           ? UINT64_MAX
                           : device->operations->deadline_ns(device);

        if (due < deadline)
            deadline = due;
    }
    return deadline;
}

static uint64_t idle(void *partition, uint64_t now, uint64_t deadline)
{
    struct pair_host *host = partition;
    uint64_t due;

    if (run_all(host, now) > 0)
        return now;
    due = next_deadline(host);
    if (due >= deadline)
        return deadline;
    if (due < now)
        due = now;
    run_all(host, due);
    return due;
}

static void detach(void *partition, int status)
{
    struct pair_host *host = partition;
    unsigned index;

    (void)status;
    host_machine_reset(&host->machine);
    while (disk_engine_busy(host->disks)) {
        disk_engine_submit(host->disks);
        disk_engine_run(host->disks, UINT64_MAX - 1);
    }
    host_machine_free(&host->machine);
    for (index = 0; index < host->device_count; index++)
        host->devices[index]->operations->free(host->devices[index]);
    disk_engine_free(host->disks);
    pair_faults_free(&host->faults);
    free(host);
}

static const struct partition_operations operations = {
    .cpuid = take_cpuid,
    .rdmsr = take_rdmsr,
    .wrmsr = take_wrmsr,
    .hypercall = take_hypercall,
    .signal = take_signal,
    .read = take_read,
    .write = take_write,
    .power = take_power,
    .idle = idle,
    .detach = detach,
};

/* ---- making it ---- */

static bool make_adapter(struct pair_host *host, const struct pair_options *options)
{
    static const uint8_t address[] = { 0x00, 0x15, 0x5d, 0x01, 0x02, 0x03 };
    struct network_port *port = network_loopback_open();
    struct netvsc_settings settings;

    netvsc_default_settings(netvsc_version(host->release.versions.netvsc), &settings);
    settings.instance = (struct guid){
        0x6d61c701, 0x0001, 0x4e45, { 0x80, 0x01, 0x00, 0x15, 0x5d, 0x01, 0x02, 0x03 }
    };
    settings.reply_first = options->network_reply_first;
    if (options->network_channels != 0)
        settings.sub_channels_max = (uint16_t)(options->network_channels - 1);
    memcpy(settings.address, address, sizeof address);
    host->adapter = port == NULL ? NULL : netvsc_new(&settings, port);
    if (host->adapter == NULL)
        return false;
    host->devices[host->device_count++] = netvsc_device(host->adapter);
    return true;
}

static bool make_video(struct pair_host *host, const struct pair_options *options)
{
    uint32_t version = host->release.versions.video;

    version = options->video_version != 0
                  ? options->video_version
                  : SYNTHVID_VERSION(version >> 16, version & 0xffff);
    host->video = pair_video_new(version, options->video_megabytes);
    if (host->video == NULL)
        return false;
    host->devices[host->device_count++] = host->video;
    return true;
}

static int make_devices(struct pair_host *host, const struct pair_options *options)
{
    uint32_t version = host->release.versions.storvsc;
    struct storvsc_settings settings;
    unsigned lun;
    unsigned bus;

    host->heartbeat =
        heartbeat_new(host->release.versions.framework, host->release.versions.heartbeat);
    storvsc_default_settings(STORVSC_VERSION(version >> 16, version & 0xff), &settings);
    settings.instance = (struct guid){
        0xf8b3781a, 0x1e82, 0x4818, { 0xa1, 0xc3, 0x63, 0xd8, 6, 0xec, 0x15, 0xbb }
    };
    settings.seed = options->seed;
    if (options->sub_channels_max != 0 || options->no_sub_channels)
        settings.sub_channels_max = (uint16_t)options->sub_channels_max;
    host->controller = storvsc_new(&settings);
    if (host->heartbeat == NULL || host->controller == NULL)
        return -1;
    host->devices[host->device_count++] = host->heartbeat;
    host->devices[host->device_count++] = storvsc_device(host->controller);
    if ((options->network && !make_adapter(host, options)) ||
        (options->video && !make_video(host, options)))
        return -1;
    for (bus = 0; bus < PAIR_BUSSES_MAX && options->pci[bus] != NULL; bus++)
        if ((host->devices[host->device_count++] = pair_pci_new(options->pci[bus])) == NULL)
            return -1;
    for (lun = 0; lun < PAIR_DISKS_MAX; lun++)
        if (options->disk_bytes[lun] != 0 &&
            !pair_host_add_disk(host, lun, options->disk_bytes[lun]))
            return -1;
    return 0;
}

static void add_memory(struct pair_host *host)
{
    uint64_t physical;
    uint64_t size;
    uint64_t offset;
    unsigned index;

    guest_memory_initialise(&host->memory);
    for (index = 0; machine_ram_range(index, &physical, &size, &offset); index++)
        guest_memory_add(&host->memory, physical, size, machine_virtual_address(physical));
}

static int make_machine(struct pair_host *host)
{
    const struct hypervisor_configuration configuration = {
        .release = &host->release,
        .memory = &host->memory,
        .processors = machine_processor_count(),
    };
    unsigned index;

    add_memory(host);
    if (host_machine_initialise(&host->machine, &configuration, &machine_operations, host) != 0)
        return -1;
    for (index = 0; index < host->device_count; index++)
        if (host->devices[index]->operations->plug(host->devices[index], host->machine.server) != 0)
            return -1;
    return 0;
}

static bool add_faults(struct pair_host *host, const struct pair_options *options)
{
    unsigned index;

    pair_faults_initialise(&host->faults, &host->machine, options->seed);
    for (index = 0; index < PAIR_FAULTS_MAX && options->faults[index] != NULL; index++)
        if (!pair_faults_add(&host->faults, options->faults[index]))
            return false;
    return true;
}

struct pair_host *pair_host_attach(const struct pair_options *options)
{
    struct pair_host *host = calloc(1, sizeof *host);
    const struct host_release *release =
        options->release == NULL ? host_release_newest() : host_release_find(options->release);

    if (host == NULL || release == NULL) {
        fprintf(stderr, "pair host: no such release: %s\n", options->release);
        free(host);
        return NULL;
    }
    host->release = *release;
    host->seed = options->seed;
    if (options->vmbus_version_max != 0)
        host->release.versions.vmbus = options->vmbus_version_max;
    host->disks = disk_engine_new();
    if (host->disks == NULL || !add_faults(host, options) || make_devices(host, options) != 0 ||
        make_machine(host) != 0) {
        fprintf(stderr, "pair host: out of memory\n");
        abort();
    }
    machine_partition_attach(&operations, host);
    machine_partition_set_generation(options->generation != 0 ? options->generation : 2);
    return host;
}

bool pair_host_plug(struct pair_host *host, struct virtual_device *device)
{
    if (device == NULL || host->device_count == DEVICES_MAX ||
        device->operations->plug(device, host->machine.server) != 0)
        return false;
    host->devices[host->device_count++] = device;
    return true;
}

void pair_host_forget(struct pair_host *host, struct virtual_device *device)
{
    unsigned index = 0;

    while (host->devices[index] != device)
        index++;
    host->devices[index] = host->devices[--host->device_count];
    device->operations->free(device);
}

/* ---- looking at it, and hurting it ---- */

unsigned pair_host_violations(const struct pair_host *host)
{
    return host->violations;
}

uint8_t *pair_host_disk(struct pair_host *host, unsigned lun)
{
    return disk_memory_bytes(host->memory_disks[lun]);
}

uint64_t pair_host_heartbeats(const struct pair_host *host)
{
    struct heartbeat_report report;

    heartbeat_report(host->heartbeat, &report);
    return report.answers;
}

unsigned pair_host_gpadls(const struct pair_host *host)
{
    return vmbus_server_gpadl_count(host->machine.server);
}

uint64_t pair_host_sint(const struct pair_host *host, unsigned processor, unsigned sint)
{
    uint64_t value = 0;

    hypervisor_read_msr(host->machine.hypervisor, processor, HV_MSR_SINT(sint), reference_time(),
                        &value);
    return value;
}

uint32_t pair_host_vmbus_version(const struct pair_host *host)
{
    return vmbus_server_version(host->machine.server);
}

void pair_host_remove_controller(struct pair_host *host)
{
    host->devices[1]->operations->unplug(host->devices[1]);
}

bool pair_host_controller_is_released(const struct pair_host *host)
{
    return host->controller->primary == NULL;
}

bool pair_host_add_controller(struct pair_host *host)
{
    return host->devices[1]->operations->plug(host->devices[1], host->machine.server) == 0;
}

struct virtual_device *pair_host_video(const struct pair_host *host)
{
    return host->video;
}

bool pair_host_replug_video(struct pair_host *host)
{
    return host->video->operations->plug(host->video, host->machine.server) == 0;
}

void pair_host_remove_adapter(struct pair_host *host)
{
    netvsc_device(host->adapter)->operations->unplug(netvsc_device(host->adapter));
}

bool pair_host_add_adapter(struct pair_host *host)
{
    return netvsc_device(host->adapter)
               ->operations->plug(netvsc_device(host->adapter), host->machine.server) == 0;
}

void pair_host_set_link(struct pair_host *host, bool up)
{
    netvsc_set_link(host->adapter, up);
}

void pair_host_set_speed(struct pair_host *host, uint64_t bits_per_second)
{
    netvsc_set_speed(host->adapter, bits_per_second);
}

uint32_t pair_host_network_filter(struct pair_host *host)
{
    return host->adapter->control.filter;
}

uint64_t pair_host_network_frames(struct pair_host *host)
{
    return netvsc_port(host->adapter)->sent_frames;
}

uint64_t pair_host_network_messages(struct pair_host *host)
{
    return host->adapter->counters.transmitted_messages;
}

bool pair_host_network_channel(struct pair_host *host, unsigned index, uint64_t *from_guest,
                               uint64_t *to_guest)
{
    const struct netvsc_channel *channel = netvsc_channel(host->adapter, (uint16_t)index);

    if (channel == NULL)
        return false;
    *from_guest = channel->transmitted_frames;
    *to_guest = channel->received_frames;
    return true;
}

void pair_host_network_set_address(struct pair_host *host, const uint8_t *address)
{
    memcpy(host->adapter->control.permanent_address, address, 6);
}

void pair_host_network_inject(struct pair_host *host, const void *bytes, size_t size, bool tagged,
                              uint16_t tag)
{
    static uint8_t copy[FRAME_SIZE_MAX + FRAME_TAG];
    struct frame frame = { .bytes = copy + FRAME_TAG,
                           .size = size,
                           .offload = { .tagged = tagged, .tag = tag } };

    memcpy(frame.bytes, bytes, size);
    network_port_receive(netvsc_port(host->adapter), &frame);
}

struct netvsc *pair_host_adapter(struct pair_host *host)
{
    return host->adapter;
}

struct storvsc *pair_host_storage(struct pair_host *host)
{
    return host->controller;
}

struct disk_engine *pair_host_disk_engine(struct pair_host *host)
{
    return host->disks;
}

bool pair_host_add_disk(struct pair_host *host, unsigned lun, uint64_t bytes)
{
    struct disk *disk = disk_memory_open(host->disks, bytes, 512);

    if (lun < PAIR_DISKS_MAX)
        host->memory_disks[lun] = disk;
    return disk != NULL && storvsc_add_disk(host->controller, lun, disk) == 0;
}

bool pair_host_remove_disk(struct pair_host *host, unsigned lun)
{
    return storvsc_remove_disk(host->controller, lun) == 0;
}

bool pair_host_resize_disk(struct pair_host *host, unsigned lun, uint64_t bytes)
{
    struct disk *disk = storvsc_disk(host->controller, lun);

    return disk != NULL && disk_resize(disk, bytes) == 0 &&
           storvsc_disk_resized(host->controller, lun) == 0;
}

void pair_host_storage_faults(struct pair_host *host, uint32_t internal_error_ppm,
                              uint32_t busy_ppm)
{
    struct storvsc_faults faults = { .busy_ppm = busy_ppm,
                                     .internal_error_ppm = internal_error_ppm };

    storvsc_set_faults(host->controller, &faults);
}

void pair_host_disk_faults(struct pair_host *host, unsigned lun, uint32_t error_ppm,
                           uint32_t short_ppm, uint32_t delay_ppm, uint32_t lost_ppm)
{
    const struct disk_fault_settings settings = {
        .error_ppm = error_ppm,
        .short_ppm = short_ppm,
        .delay_ppm = delay_ppm,
        .lost_ppm = lost_ppm,
        .delay_min_ns = 1000000,
        .delay_max_ns = 20000000,
    };

    storvsc_set_disk_faults(host->controller, lun, &settings, host->seed);
}

bool pair_host_add_fault(struct pair_host *host, const char *rule)
{
    host->faults.quiet = false;
    return pair_faults_add(&host->faults, rule);
}

void pair_host_end_faults(struct pair_host *host)
{
    unsigned lun;

    host->faults.quiet = true;
    for (lun = 0; lun < PAIR_DISKS_MAX; lun++)
        if (storvsc_disk(host->controller, lun) != NULL)
            pair_host_disk_faults(host, lun, 0, 0, 0, 0);
    pair_host_storage_faults(host, 0, 0);
}
