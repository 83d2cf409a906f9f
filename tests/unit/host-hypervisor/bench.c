/* SPDX-License-Identifier: BSD-3-Clause */
/* The test bench of the hypervisor. */
#include "tests/unit/host-hypervisor/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void note(struct bench *bench, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void note(struct bench *bench, const char *format, ...)
{
    size_t used = strlen(bench->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(bench->text + used, sizeof(bench->text) - used, format, arguments);
    va_end(arguments);
}

static void raise_vector(void *context, uint32_t processor, uint8_t vector, bool auto_eoi)
{
    note(context, "vector %x vp %u%s\n", vector, processor, auto_eoi ? " auto-eoi" : "");
}

static uint32_t post_message(void *context, uint32_t connection_id, uint32_t message_type,
                             const void *payload, size_t size)
{
    struct bench *bench = context;
    note(bench, "post %x type %x size %zu\n", connection_id, message_type, size);
    return bench->post_status;
}

static uint32_t signal_event(void *context, uint32_t connection_id, uint16_t flag)
{
    note(context, "event %x flag %u\n", connection_id, flag);
    return HV_STATUS_SUCCESS;
}

static uint32_t retarget_interrupt(void *context, const struct hypervisor_retarget *retarget)
{
    note(context, "retarget %llx %x:%x to vector %x vp %u\n",
         (unsigned long long)retarget->device, retarget->address, retarget->data, retarget->vector,
         retarget->processor);
    return retarget->device == 0xbad ? HV_STATUS_INVALID_DEVICE_ID : HV_STATUS_SUCCESS;
}

static void port_ready(void *context, uint32_t processor, uint32_t sint)
{
    struct bench *bench = context;
    bench->ports_ready++;
}

static void reset(void *context)
{
    note(context, "reset\n");
}

static void crashed(void *context, const uint64_t parameters[HV_CRASH_PARAMETER_COUNT],
                    uint64_t control, const char *message)
{
    note(context, "crash %llx %llx \"%s\"\n", (unsigned long long)parameters[0],
         (unsigned long long)control, message);
}

static void violation(void *context, const struct host_violation *what)
{
    struct bench *bench = context;
    bench->violations++;
    snprintf(bench->rule, sizeof(bench->rule), "%s", what->rule);
}

static const struct hypervisor_operations operations = {
    .raise_vector = raise_vector,
    .post_message = post_message,
    .signal_event = signal_event,
    .port_ready = port_ready,
    .reset = reset,
    .crashed = crashed,
    .retarget_interrupt = retarget_interrupt,
    .violation = violation,
};

struct bench *bench_create(const char *release, uint32_t abilities)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    bench->ram = aligned_alloc(HV_PAGE_SIZE, RAM_PAGES * HV_PAGE_SIZE);
    assert_non_null(bench->ram);
    memset(bench->ram, 0, RAM_PAGES * HV_PAGE_SIZE);
    guest_memory_initialise(&bench->memory);
    assert_int_equal(guest_memory_add(&bench->memory, 0, RAM_PAGES * HV_PAGE_SIZE, bench->ram), 0);
    const struct hypervisor_configuration configuration = {
        .release = host_release_find(release),
        .memory = &bench->memory,
        .processors = 2,
        .monitor_abilities = abilities,
        .tsc_frequency = 2000000000,
        .apic_frequency = 200000000,
    };
    bench->hypervisor = hypervisor_create(&configuration, &operations, bench);
    assert_non_null(bench->hypervisor);
    return bench;
}

void bench_free(struct bench *bench)
{
    hypervisor_free(bench->hypervisor);
    free(bench->ram);
    free(bench);
}

uint64_t bench_read(struct bench *bench, uint32_t processor, uint32_t msr)
{
    uint64_t value = 0;
    assert_int_equal(hypervisor_read_msr(bench->hypervisor, processor, msr, bench->now, &value),
                     HYPERVISOR_NO_FAULT);
    return value;
}

void bench_write(struct bench *bench, uint32_t processor, uint32_t msr, uint64_t value)
{
    assert_int_equal(hypervisor_write_msr(bench->hypervisor, processor, msr, value, bench->now),
                     HYPERVISOR_NO_FAULT);
}

void bench_read_fails(struct bench *bench, uint32_t msr)
{
    uint64_t value = 0;
    assert_int_equal(hypervisor_read_msr(bench->hypervisor, 0, msr, bench->now, &value),
                     HYPERVISOR_RAISE_GP);
}

void bench_write_fails(struct bench *bench, uint32_t msr, uint64_t value)
{
    assert_int_equal(hypervisor_write_msr(bench->hypervisor, 0, msr, value, bench->now),
                     HYPERVISOR_RAISE_GP);
}

void bench_enable_synic(struct bench *bench, uint32_t processor)
{
    bench_write(bench, processor, HV_MSR_SIMP,
                (uint64_t)(MESSAGE_PAGE + processor) << 12 | HV_MSR_PAGE_ENABLE);
    bench_write(bench, processor, HV_MSR_SIEFP,
                (uint64_t)(EVENT_PAGE + processor) << 12 | HV_MSR_PAGE_ENABLE);
    bench_write(bench, processor, HV_MSR_SINT(HV_SINT_VMBUS), VECTOR);
    bench_write(bench, processor, HV_MSR_SCONTROL, HV_SCONTROL_ENABLE);
}

void bench_enable_hypercalls(struct bench *bench)
{
    bench_write(bench, 0, HV_MSR_GUEST_OS_ID, 0x1234);
    bench_write(bench, 0, HV_MSR_HYPERCALL, HYPERCALL_PAGE << 12 | HV_MSR_PAGE_ENABLE);
}

void bench_expect(struct bench *bench, const char *expected)
{
    assert_string_equal(bench->text, expected);
    bench->text[0] = '\0';
}

void bench_expect_violation(struct bench *bench, const char *part)
{
    assert_int_equal(bench->violations, 1);
    assert_non_null(strstr(bench->rule, part));
    bench->violations = 0;
}

uint8_t *bench_page(struct bench *bench, unsigned page)
{
    return bench->ram + page * HV_PAGE_SIZE;
}

struct hv_message *bench_slot(struct bench *bench, uint32_t processor, uint32_t sint)
{
    return (struct hv_message *)(void *)bench_page(bench, MESSAGE_PAGE + processor) + sint;
}
