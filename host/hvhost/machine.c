/* SPDX-License-Identifier: BSD-3-Clause */
/* The machine between the monitor's socket and the library: exits in, interrupts out. */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "host/hvhost/hvhost.h"

uint64_t hvhost_reference_time(const struct hvhost *host)
{
    return (hvhost_clock_ns() - host->partition_start_ns) / 100;
}

/* ---- What the library asks for ---- */

static void raise_vector(void *context, uint32_t processor, uint8_t vector, bool auto_eoi)
{
    struct hvhost *host = context;
    /* Auto-EOI is the monitor's to honour: it has seen the SINT writes pass. */
    partition_server_raise(host->partition, processor, vector);
}

static void wake_device(void *context, struct host_channel *channel)
{
    struct hvhost *host = context;
    uint32_t id = host_channel_id(channel);
    if (id / 64 < HVHOST_CHANNEL_WORDS) {
        host->woken[id / 64] |= 1ull << id % 64;
    }
}

static void guest_resets(void *context)
{
    struct hvhost *host = context;
    host->reset_wanted = true; /* once the exit that asked for it is over */
    hvhost_event(host, "reset", NULL, "the guest wrote the reset register");
    partition_server_power(host->partition, PARTITION_POWER_RESET, NULL);
}

static void guest_crashed(void *context, const uint64_t parameters[HV_CRASH_PARAMETER_COUNT],
                          uint64_t control, const char *message)
{
    struct hvhost *host = context;
    struct json_object *details = json_object_new_object();
    struct json_object *numbers = json_object_new_array();
    for (unsigned i = 0; i < HV_CRASH_PARAMETER_COUNT; i++) {
        json_object_array_add(numbers, json_object_new_uint64(parameters[i]));
    }
    json_object_object_add(details, "parameters", numbers);
    json_object_object_add(details, "message", json_object_new_string(message));
    host->crashed = true;
    hvhost_event(host, "crash", details, "the guest crashed: %llx %llx %llx %llx %llx %s",
                 (unsigned long long)parameters[0], (unsigned long long)parameters[1],
                 (unsigned long long)parameters[2], (unsigned long long)parameters[3],
                 (unsigned long long)parameters[4], message);
    partition_server_power(host->partition, PARTITION_POWER_CRASHED, parameters);
}

static const struct host_machine_operations machine_operations = {
    .raise_vector = raise_vector,
    .wake_device = wake_device,
    .reset = guest_resets,
    .crashed = guest_crashed,
    .violation = hvhost_violated,
    .retarget_interrupt = hvhost_retarget_interrupt,
    .filter_post = hvhost_filter_post,
    .filter_message = hvhost_filter_message,
};

/* Bits of word `i` of the polled channels that have packets. */
static uint64_t polled_with_packets(struct hvhost *host, unsigned i)
{
    uint64_t found = 0;
    for (uint64_t bits = host->polled[i]; bits != 0; bits &= bits - 1) {
        const unsigned bit = (unsigned)__builtin_ctzll(bits);
        struct host_channel *channel = vmbus_server_channel(host->machine.server, i * 64 + bit);
        if (channel == NULL) {
            host->polled[i] &= ~(1ull << bit);
        } else if (host_channel_poll(channel)) {
            found |= 1ull << bit;
        }
    }
    return found;
}

bool hvhost_end_polling(struct hvhost *host)
{
    bool packets = false;
    for (unsigned i = 0; i < HVHOST_CHANNEL_WORDS; i++) {
        uint64_t bits = host->polled[i];
        host->polled[i] = 0;
        for (; host->machine_made && bits != 0; bits &= bits - 1) {
            const unsigned bit = (unsigned)__builtin_ctzll(bits);
            struct host_channel *channel =
                vmbus_server_channel(host->machine.server, i * 64 + bit);
            if (channel != NULL && host_channel_poll_end(channel)) {
                host->woken[i] |= 1ull << bit;
                packets = true;
            }
        }
    }
    return packets;
}

void hvhost_run_channels(struct hvhost *host, unsigned *work)
{
    for (unsigned i = 0; i < HVHOST_CHANNEL_WORDS; i++) {
        uint64_t bits = host->woken[i] | polled_with_packets(host, i);
        host->woken[i] = 0;
        while (bits != 0) {
            uint32_t id = i * 64 + (uint32_t)__builtin_ctzll(bits);
            bits &= bits - 1;
            struct host_channel *channel = vmbus_server_channel(host->machine.server, id);
            if (channel != NULL) {
                hvhost_faults_channel(host, id, channel);
                host_channel_poll_begin(channel);
                host->polled[id / 64] |= 1ull << id % 64;
                host_channel_run(channel);
                (*work)++;
            }
        }
    }
}

void hvhost_reset_machine(struct hvhost *host)
{
    host->reset_wanted = false;
    if (host->machine_made) {
        host_machine_reset(&host->machine);
        hvhost_reset_devices(host);
    }
    host->partition_start_ns = hvhost_clock_ns();
}

/* ---- What the monitor says ---- */

static int take_hello(void *context, const struct partition_hello *hello)
{
    struct hvhost *host = context;
    const struct hypervisor_configuration configuration = {
        .release = &host->release,
        .memory = &host->memory,
        .processors = hello->processors,
        /* Frequencies are not in the protocol, so their MSRs cannot be offered. */
        .monitor_abilities = hello->flags & (HYPERVISOR_MONITOR_APIC_MSRS |
                                             HYPERVISOR_MONITOR_TLB_HYPERCALLS),
    };
    int result = host_machine_initialise(&host->machine, &configuration, &machine_operations,
                                         host);
    if (result != 0) {
        return result;
    }
    host->machine_made = true;
    host->boot_screen_wanted = (hello->flags & PARTITION_HELLO_BOOT_SCREEN) != 0;
    host->is_monitor_bare = (hello->flags & PARTITION_HELLO_BARE) != 0;
    host->services.processors = hello->processors;
    host->partition_start_ns = hvhost_clock_ns();
    result = hvhost_plug_devices(host);
    hvhost_event(host, "attached", NULL, "%u processors, %u-bit, %s", hello->processors,
                 hello->guest_mode, host->release.title);
    return result;
}

static int take_ram(void *context, uint64_t gpa, uint64_t size, void *memory)
{
    struct hvhost *host = context;
    return guest_memory_add(&host->memory, gpa, size, memory);
}

static int take_start(void *context)
{
    struct hvhost *host = context;
    hvhost_start_console(host, host->boot_screen_wanted);
    hvhost_event(host, "started", NULL, "%llu MiB of RAM",
                 (unsigned long long)guest_memory_size(&host->memory) >> 20);
    return host->is_monitor_bare ? hvhost_power_on_devices(host) : 0;
}

static void take_cpuid(void *context, uint32_t processor, uint32_t leaf, uint32_t subleaf,
                       struct partition_cpuid_reply *reply)
{
    struct hvhost *host = context;
    const struct hypervisor_cpuid cpuid = hypervisor_read_cpuid(host->machine.hypervisor, leaf);
    reply->eax = cpuid.eax;
    reply->ebx = cpuid.ebx;
    reply->ecx = cpuid.ecx;
    reply->edx = cpuid.edx;
}

static int take_read_msr(void *context, uint32_t processor, uint32_t index, uint64_t *value)
{
    struct hvhost *host = context;
    int result = hypervisor_read_msr(host->machine.hypervisor, processor, index,
                                     hvhost_reference_time(host), value);
    return result == HYPERVISOR_NO_FAULT ? 0 : PARTITION_MSR_FAULT;
}

static int take_write_msr(void *context, uint32_t processor, uint32_t index, uint64_t value)
{
    struct hvhost *host = context;
    int result = hypervisor_write_msr(host->machine.hypervisor, processor, index, value,
                                      hvhost_reference_time(host));
    return result == HYPERVISOR_NO_FAULT ? 0 : PARTITION_MSR_FAULT;
}

static uint64_t take_hypercall(void *context, uint32_t processor,
                               const struct partition_hypercall *call)
{
    struct hvhost *host = context;
    return hypervisor_hypercall(host->machine.hypervisor, processor, call->control, call->input,
                                call->output);
}

static uint64_t take_read(void *context, uint32_t processor, const struct partition_read *access)
{
    return hvhost_space_read(context, access);
}

static void take_write(void *context, uint32_t processor, const struct partition_write *access)
{
    hvhost_space_write(context, access);
}

static void take_signal(void *context, uint32_t connection_id)
{
    struct hvhost *host = context;
    vmbus_server_signal_event(host->machine.server, connection_id, 0);
}

static void take_power(void *context, uint32_t what,
                       const uint64_t crash[PARTITION_CRASH_PARAMETERS])
{
    struct hvhost *host = context;
    switch (what) {
    case PARTITION_POWER_OFF:
        hvhost_event(host, "off", NULL, "the machine is off");
        hvhost_reset_machine(host);
        break;
    case PARTITION_POWER_RESET:
        hvhost_event(host, "reset", NULL, "the machine was reset");
        hvhost_reset_machine(host);
        break;
    default:
        if (!host->crashed) { /* else the guest has said so itself, and more */
            guest_crashed(host, crash, 0, "");
        }
        break;
    }
}

static void take_written(void *context, uint64_t gpa)
{
    hvhost_space_touched(context, gpa);
}

static void session_ended(void *context, enum partition_end how, int status, const char *text)
{
    static const char *const hows[] = {
        [PARTITION_END_GOODBYE] = "the monitor says goodbye",
        [PARTITION_END_VANISHED] = "the monitor vanished",
        [PARTITION_END_PROTOCOL] = "the monitor broke the protocol",
        [PARTITION_END_OURS] = "goodbye",
    };
    struct hvhost *host = context;
    hvhost_report_devices(host);
    hvhost_event(host, "ended", NULL, "%s%s%s (%d)", hows[how], text[0] != '\0' ? ": " : "", text,
                 status);
    if (how == PARTITION_END_VANISHED) {
        host->exit_code = HVHOST_EXIT_VANISHED;
    } else if (how == PARTITION_END_PROTOCOL || (how == PARTITION_END_GOODBYE && status < 0)) {
        host->exit_code = HVHOST_EXIT_MONITOR;
    }
    host->stopping = true;
}

const struct partition_operations hvhost_partition_operations = {
    .hello = take_hello,
    .ram = take_ram,
    .start = take_start,
    .cpuid = take_cpuid,
    .read_msr = take_read_msr,
    .write_msr = take_write_msr,
    .hypercall = take_hypercall,
    .read = take_read,
    .write = take_write,
    .signal = take_signal,
    .power = take_power,
    .written = take_written,
    .ended = session_ended,
};
