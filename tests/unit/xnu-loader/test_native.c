/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A kext in native form on the real user-space kernel, of several releases.
 */
#include "tests/unit/xnu-loader/native_kext.h"
#include "tests/unit/xnu-machine/machine_test.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xnu/libkern/module.h"
#include "xnu/libkern/release.h"
#include "xnu/loader/kernel_symbols.h"
#include "xnu/loader/loader_native.h"

static const struct kext_runtime runtime = {module_start, module_finish, module_has_instances};

static void fake_cpuid(void *partition, unsigned processor, uint32_t leaf, uint32_t subleaf,
                       uint32_t registers[4]) {
    registers[1] = 0x7263694D;
}

static void native_body(void *argument) {
    static const char *const functions[] = {"native_cpuid", NULL};
    static const struct partition_operations operations = {.cpuid = fake_cpuid};
    struct native_kext kext = {.identifier = "org.machv.test.native",
                               .info = native_info(),
                               .cpuid_functions = functions};
    struct loader_error error = {0};
    const struct symbol_source *kernel = &kernel_symbols()->symbols;
    xnu_libkern_start();
    machine_partition_attach(&operations, NULL);
    unsigned before = native_differences();
    CHECK(native_kext_start(&kext, &runtime, kernel, &error) == 0);
    if (error.status != 0) {
        fprintf(stderr, "%s\n", error.text);
        return;
    }
    CHECK(native_started == 1);
    CHECK(module_class_count("org.machv.test.native") == 1);
    /* Own: both destructors, getMetaClass, start. All other slots are the kernel's. */
    CHECK(native_differences() == 4);
    CHECK(before >= 4 && native_keeps_own_methods());
    CHECK(native_object_starts());
    CHECK(native_cpuid(0x40000000) == 0x7263694D);
    CHECK(native_object_create());
    CHECK(native_kext_stop(&kext, &runtime, &error) == -1);
    CHECK(strstr(error.text, "objects of its classes live") != NULL);
    CHECK(native_stopped == 0);
    native_object_destroy();
    memset(&error, 0, sizeof error);
    CHECK(native_kext_stop(&kext, &runtime, &error) == 0);
    CHECK(native_stopped == 1 && module_class_count("org.machv.test.native") == 0);
    /* Names are looked up: one that is not there is said. */
    static const char *const wrong[] = {"no_such_function", NULL};
    kext.cpuid_functions = wrong;
    CHECK(native_kext_start(&kext, &runtime, kernel, &error) == -1);
    CHECK(strstr(error.text, "there is no function no_such_function") != NULL);
}

/* The kernel's tables are filled once in a process: one process a release. */
static void run_release(const char *release) {
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct machine_configuration configuration = {.memory_bytes = 64u << 20};
        atomic_store(&machine_test_failures, 0);
        bool ready = release_select(release) && machine_start(&configuration) == 0;
        machine_log_set_output(NULL, NULL);
        int result = ready ? machine_run("test", native_body, NULL) : -1;
        _exit(result == 0 && atomic_load(&machine_test_failures) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status != 0) {
        fail_msg("macOS %s: status %x", release, (unsigned)status);
    }
}

static void a_native_kext_is_patched_started_and_stopped(void **state) {
    run_release("10.6");
    run_release("10.11");
    run_release("10.15");
    run_release("13");
    run_release("26");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_native_kext_is_patched_started_and_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
