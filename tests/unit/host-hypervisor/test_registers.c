/* SPDX-License-Identifier: BSD-3-Clause */
/* CPUID leaves and MSRs of every release, privileges, the hypercall page, crash and reset. */
#include <string.h>

#include "tests/unit/host-hypervisor/bench.h"

static struct hypervisor_cpuid cpuid(struct bench *bench, uint32_t leaf)
{
    return hypervisor_read_cpuid(bench->hypervisor, leaf);
}

static void every_release_is_found_as_hyper_v_with_its_build(void **state)
{
    for (unsigned i = 0; i < host_release_count; i++) {
        const struct host_release *release = &host_releases[i];
        struct bench *bench = bench_create(release->name, 0);
        struct hypervisor_cpuid leaf = cpuid(bench, HV_CPUID_VENDOR);
        assert_int_equal(leaf.ebx, HV_VENDOR_EBX);
        assert_int_equal(leaf.ecx, HV_VENDOR_ECX);
        assert_int_equal(leaf.edx, HV_VENDOR_EDX);
        assert_true(leaf.eax >= HV_CPUID_MINIMUM_LEAF);
        assert_int_equal(cpuid(bench, HV_CPUID_INTERFACE).eax, HV_INTERFACE_HV1);
        assert_int_equal(cpuid(bench, HV_CPUID_VERSION).eax, release->cpuid.build);
        uint32_t needed = HV_PRIVILEGE_SYNIC | HV_PRIVILEGE_HYPERCALL | HV_PRIVILEGE_VP_INDEX |
                          HV_PRIVILEGE_TIME_REF_COUNT | HV_PRIVILEGE_SYNTHETIC_TIMERS;
        struct hypervisor_cpuid features = cpuid(bench, HV_CPUID_FEATURES);
        assert_int_equal(features.eax & needed, needed);
        assert_int_equal(features.ebx, HV_PRIVILEGE_POST_MESSAGES | HV_PRIVILEGE_SIGNAL_EVENTS);
        assert_int_equal(cpuid(bench, HV_CPUID_LIMITS).eax, release->cpuid.maximum_processors);
        struct hypervisor_cpuid beyond = cpuid(bench, leaf.eax + 1);
        assert_int_equal(beyond.eax | beyond.ebx | beyond.ecx | beyond.edx, 0);
        bench_free(bench);
    }
}

static void releases_get_newer_in_every_protocol(void **state)
{
    for (unsigned i = 1; i < host_release_count; i++) {
        const struct host_release_versions *old = &host_releases[i - 1].versions;
        const struct host_release_versions *new = &host_releases[i].versions;
        assert_true(new->vmbus > old->vmbus);
        assert_true(new->storvsc >= old->storvsc && new->netvsc >= old->netvsc);
        assert_true(new->shutdown >= old->shutdown && new->time_sync >= old->time_sync);
        assert_true(new->video >= old->video && new->pci >= old->pci);
        assert_true(host_releases[i].cpuid.build > host_releases[i - 1].cpuid.build);
        assert_true(host_releases[i].generation_2 >= host_releases[i - 1].generation_2);
    }
}

static void releases_are_found_by_every_name(void **state)
{
    assert_string_equal(host_release_find("2012 R2")->name, "2012r2");
    assert_string_equal(host_release_find("2008R2")->name, "2008r2");
    assert_string_equal(host_release_find("8.1")->name, "2012r2");
    assert_string_equal(host_release_find("11")->name, "2022");
    assert_string_equal(host_release_find("10-1809")->name, "2019");
    assert_string_equal(host_release_find("ws2022")->name, "2022");
    assert_string_equal(host_release_find("Win8")->name, "2012");
    assert_null(host_release_find("2003"));
    assert_null(host_release_find("win"));
    assert_null(host_release_find(""));
    assert_string_equal(host_release_newest()->name, "2025");
}

static void what_the_monitor_can_do_decides_on_cpuid_bits(void **state)
{
    struct bench *bench = bench_create("2022", 0);
    assert_int_equal(cpuid(bench, HV_CPUID_FEATURES).eax & HV_PRIVILEGE_FREQUENCIES, 0);
    assert_int_equal(cpuid(bench, HV_CPUID_RECOMMENDATIONS).eax & HV_RECOMMEND_CLUSTER_IPI, 0);
    bench_read_fails(bench, HV_MSR_TSC_FREQUENCY);
    bench_write_fails(bench, HV_MSR_EOI, 0);
    bench_write(bench, 0, HV_MSR_VP_ASSIST_PAGE, 0x6001); /* guests write it unasked */
    assert_int_equal(bench_read(bench, 0, HV_MSR_VP_ASSIST_PAGE), 0x6001);
    bench_free(bench);
    bench = bench_create("2022", HYPERVISOR_MONITOR_FREQUENCIES | HYPERVISOR_MONITOR_APIC_MSRS |
                                     HYPERVISOR_MONITOR_TLB_HYPERCALLS);
    assert_true(cpuid(bench, HV_CPUID_FEATURES).eax & HV_PRIVILEGE_FREQUENCIES);
    assert_true(cpuid(bench, HV_CPUID_FEATURES).eax & HV_PRIVILEGE_APIC);
    assert_true(cpuid(bench, HV_CPUID_RECOMMENDATIONS).eax & HV_RECOMMEND_CLUSTER_IPI);
    assert_int_equal(bench_read(bench, 0, HV_MSR_TSC_FREQUENCY), 2000000000);
    assert_int_equal(bench_read(bench, 0, HV_MSR_APIC_FREQUENCY), 200000000);
    bench_write(bench, 0, HV_MSR_EOI, 0);
    bench_write(bench, 1, HV_MSR_VP_ASSIST_PAGE, 0x5001);
    assert_int_equal(bench_read(bench, 1, HV_MSR_VP_ASSIST_PAGE), 0x5001);
    bench_free(bench);
}

static void registers_that_are_not_there_raise_gp(void **state)
{
    struct bench *bench = bench_create("2022", 0);
    const uint32_t absent[] = {0x40000004, 0x40000011, HV_MSR_ICR, 0x40000074, 0x40000085,
                               0x4000008F, 0x400000A0, 0x400000B8, 0x40000109, 0x400001FF,
                               HV_MSR_REENLIGHTENMENT, HV_MSR_TSC_INVARIANT};
    for (unsigned i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
        bench_read_fails(bench, absent[i]);
        bench_write_fails(bench, absent[i], 0);
    }
    const uint32_t read_only[] = {HV_MSR_VP_INDEX, HV_MSR_VP_RUNTIME, HV_MSR_TIME_REF_COUNT,
                                  HV_MSR_SVERSION};
    for (unsigned i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++) {
        bench_read(bench, 0, read_only[i]);
        bench_write_fails(bench, read_only[i], 0);
    }
    uint64_t value;
    assert_int_equal(hypervisor_read_msr(bench->hypervisor, 2, HV_MSR_VP_INDEX, 0, &value),
                     HYPERVISOR_RAISE_GP);
    bench_free(bench);
}

static void old_releases_lack_later_registers(void **state)
{
    struct bench *bench = bench_create("2008", 0);
    bench_read_fails(bench, HV_MSR_RESET);
    bench_read_fails(bench, HV_MSR_REFERENCE_TSC);
    bench_read_fails(bench, HV_MSR_GUEST_IDLE);
    bench_read_fails(bench, HV_MSR_CRASH_CTL);
    bench_free(bench);
}

static void a_processor_reads_its_own_index_and_runtime(void **state)
{
    struct bench *bench = bench_create("2019", 0);
    hypervisor_add_runtime(bench->hypervisor, 1, 500);
    assert_int_equal(bench_read(bench, 0, HV_MSR_VP_INDEX), 0);
    assert_int_equal(bench_read(bench, 1, HV_MSR_VP_INDEX), 1);
    assert_int_equal(bench_read(bench, 0, HV_MSR_VP_RUNTIME), 0);
    assert_int_equal(bench_read(bench, 1, HV_MSR_VP_RUNTIME), 500);
    bench->now = 123456789;
    assert_int_equal(bench_read(bench, 0, HV_MSR_TIME_REF_COUNT), 123456789);
    assert_int_equal(bench_read(bench, 0, HV_MSR_GUEST_IDLE), 0);
    bench_free(bench);
}

static void the_hypercall_page_needs_a_guest_os_id_and_ram(void **state)
{
    struct bench *bench = bench_create("2019", 0);
    uint64_t enable = HYPERCALL_PAGE << 12 | HV_MSR_PAGE_ENABLE;
    bench_write(bench, 0, HV_MSR_HYPERCALL, enable);
    assert_int_equal(bench_read(bench, 0, HV_MSR_HYPERCALL), HYPERCALL_PAGE << 12);
    bench_expect_violation(bench, "GUEST_OS_ID");
    bench_write(bench, 0, HV_MSR_GUEST_OS_ID, 0x1234);
    bench_write_fails(bench, HV_MSR_HYPERCALL, (uint64_t)RAM_PAGES << 12 | HV_MSR_PAGE_ENABLE);
    bench_expect_violation(bench, "guest RAM");
    assert_false(hypervisor_hypercalls_enabled(bench->hypervisor));
    bench_write(bench, 0, HV_MSR_HYPERCALL, enable);
    assert_int_equal(bench_read(bench, 0, HV_MSR_HYPERCALL), enable);
    assert_true(hypervisor_hypercalls_enabled(bench->hypervisor));
    bench_write(bench, 0, HV_MSR_GUEST_OS_ID, 0);
    assert_false(hypervisor_hypercalls_enabled(bench->hypervisor));
    bench_free(bench);
}

static void the_reference_tsc_page_says_use_the_counter(void **state)
{
    struct bench *bench = bench_create("2019", 0);
    memset(bench_page(bench, 5), 0xFF, HV_PAGE_SIZE);
    bench_write(bench, 0, HV_MSR_REFERENCE_TSC, 5 << 12 | HV_MSR_PAGE_ENABLE);
    const struct hv_reference_tsc_page *page = (void *)bench_page(bench, 5);
    assert_int_equal(page->sequence, 0);
    assert_int_equal(bench_read(bench, 1, HV_MSR_REFERENCE_TSC), 5 << 12 | HV_MSR_PAGE_ENABLE);
    bench_write_fails(bench, HV_MSR_REFERENCE_TSC, UINT64_MAX);
    bench_expect_violation(bench, "guest RAM");
    bench_free(bench);
}

static void a_crash_is_reported_with_parameters_and_text(void **state)
{
    struct bench *bench = bench_create("2019", 0);
    assert_true(bench_read(bench, 0, HV_MSR_CRASH_CTL) & HV_CRASH_NOTIFY);
    for (unsigned i = 0; i < HV_CRASH_PARAMETER_COUNT; i++) {
        bench_write(bench, 0, HV_MSR_CRASH_P(i), 0x100 + i);
    }
    assert_int_equal(bench_read(bench, 1, HV_MSR_CRASH_P(2)), 0x102);
    bench_write(bench, 0, HV_MSR_CRASH_CTL, 0);
    bench_expect(bench, "");
    bench_write(bench, 0, HV_MSR_CRASH_CTL, HV_CRASH_NOTIFY);
    bench_expect(bench, "crash 100 8000000000000000 \"\"\n");
    memcpy(bench_page(bench, 7) + 100, "panic!", 6);
    bench_write(bench, 0, HV_MSR_CRASH_P(3), 7 * HV_PAGE_SIZE + 100);
    bench_write(bench, 0, HV_MSR_CRASH_P(4), 6);
    bench_write(bench, 0, HV_MSR_CRASH_CTL, HV_CRASH_NOTIFY | HV_CRASH_MESSAGE);
    bench_expect(bench, "crash 100 c000000000000000 \"panic!\"\n");
    const uint64_t lengths[] = {4097, UINT64_MAX};
    for (unsigned i = 0; i < 2; i++) {
        bench_write(bench, 0, HV_MSR_CRASH_P(4), lengths[i]);
        bench_write(bench, 0, HV_MSR_CRASH_CTL, HV_CRASH_NOTIFY | HV_CRASH_MESSAGE);
        bench_expect(bench, "crash 100 c000000000000000 \"\"\n");
        bench_expect_violation(bench, "4096 bytes");
    }
    bench_free(bench);
}

static void the_reset_register_resets(void **state)
{
    struct bench *bench = bench_create("2019", 0);
    bench_write(bench, 0, HV_MSR_RESET, 0);
    bench_expect(bench, "");
    bench_write(bench, 0, HV_MSR_RESET, HV_RESET_NOW);
    bench_expect(bench, "reset\n");
    bench_enable_hypercalls(bench);
    bench_enable_synic(bench, 0);
    hypervisor_reset(bench->hypervisor);
    assert_int_equal(bench_read(bench, 0, HV_MSR_GUEST_OS_ID), 0);
    assert_int_equal(bench_read(bench, 0, HV_MSR_HYPERCALL), 0);
    assert_int_equal(bench_read(bench, 0, HV_MSR_SCONTROL), 0);
    assert_int_equal(bench_read(bench, 0, HV_MSR_SINT(2)), HV_SINT_MASKED);
    bench_free(bench);
}

static void the_number_of_processors_is_checked(void **state)
{
    struct hypervisor_configuration configuration = {.release = host_release_newest()};
    assert_null(hypervisor_create(&configuration, NULL, NULL));
    configuration.processors = HYPERVISOR_PROCESSORS_MAX + 1;
    assert_null(hypervisor_create(&configuration, NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_release_is_found_as_hyper_v_with_its_build),
        cmocka_unit_test(releases_get_newer_in_every_protocol),
        cmocka_unit_test(releases_are_found_by_every_name),
        cmocka_unit_test(what_the_monitor_can_do_decides_on_cpuid_bits),
        cmocka_unit_test(registers_that_are_not_there_raise_gp),
        cmocka_unit_test(old_releases_lack_later_registers),
        cmocka_unit_test(a_processor_reads_its_own_index_and_runtime),
        cmocka_unit_test(the_hypercall_page_needs_a_guest_os_id_and_ram),
        cmocka_unit_test(the_reference_tsc_page_says_use_the_counter),
        cmocka_unit_test(a_crash_is_reported_with_parameters_and_text),
        cmocka_unit_test(the_reset_register_resets),
        cmocka_unit_test(the_number_of_processors_is_checked),
    };
    return cmocka_run_group_tests_name("hypervisor registers", tests, NULL, NULL);
}
