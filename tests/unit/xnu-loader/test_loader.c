/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loading whole bundles against a made-up kernel: what runs, what is refused and why.
 */
#include "tests/unit/xnu-loader/kext_builder.h"
#include "tests/unit/xnu-loader/test_kernel.h"
#include "tests/unit/xnu-machine/machine_test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIBRARIES                                                                                 \
    "<key>OSBundleLibraries</key><dict><key>com.apple.kpi.iokit</key><string>10.0</string></dict>"
#define LINKABLE "<key>OSBundleCompatibleVersion</key><string>1.0</string>"
#define CLIENT_LIBRARIES                                                                          \
    "<key>OSBundleLibraries</key><dict><key>com.apple.kpi.iokit</key><string>10.0</string>"       \
    "<key>org.machv.test.driver</key><string>1.0</string></dict>"
#define DRIVER "org.machv.test.driver"
#define CLIENT "org.machv.test.client"

static struct test_kernel kernel;
static struct loader_error error;

/* One attempt to load, on a kernel thread; the loader is left for more. */
struct attempt {
    const char *paths[3];
    const char *identifier;
    uint32_t release;
    int result;
    size_t stay;
    struct loader_error unload_error;
    void (*check)(struct loader *loader);
};

static void attempt_body(void *argument) {
    struct attempt *attempt = argument;
    struct loader *loader = loader_create(attempt->release, &kernel.kernel, &test_runtime);
    attempt->result = 0;
    for (unsigned i = 0; attempt->paths[i] != NULL && attempt->result == 0; i++) {
        attempt->result = loader_add(loader, attempt->paths[i], &error);
    }
    if (attempt->result == 0) {
        attempt->result = loader_load(loader, attempt->identifier, &error);
    }
    if (attempt->result == 0 && attempt->check != NULL) {
        attempt->check(loader);
    }
    attempt->stay = loader_unload_all(loader, &attempt->unload_error);
    struct machine_memory_statistics statistics;
    machine_memory_statistics(&statistics);
    CHECK(statistics.page_allocations == 0 || attempt->stay != 0);
    loader_destroy(loader);
}

static void run_attempt(struct attempt *attempt) {
    memset(&error, 0, sizeof error);
    test_kernel_forget();
    attempt->release = attempt->release != 0 ? attempt->release : 1013;
    run_real(attempt_body, attempt);
}

static const char *driver_bundle(const char *flags, const char *more) {
    size_t size;
    uint8_t *executable = builder_kext("x86_64", "driver", flags, &size);
    const char *path = builder_bundle("driver", DRIVER, more, executable, size);
    free(executable);
    return path;
}

static const char *client_bundle(const char *flags, const char *more) {
    size_t size;
    uint8_t *executable = builder_kext("x86_64", "client", flags, &size);
    const char *path = builder_bundle("client", CLIENT, more, executable, size);
    free(executable);
    return path;
}

static void assert_refused(const char *path, const char *identifier, int status,
                           const char *text) {
    struct attempt attempt = {.paths = {path}, .identifier = identifier};
    run_attempt(&attempt);
    assert_int_equal(attempt.result, -1);
    if (error.status != status || strstr(error.text, text) == NULL) {
        fail_msg("status %d: %s", error.status, error.text);
    }
    assert_null(strchr(error.text, '\n'));
}

/* ---- what works ----------------------------------------------------------------------------- */

static void check_driver(struct loader *loader) {
    const struct kext *kext = loader_kext(loader, DRIVER);
    CHECK(kext != NULL && loader_is_started(loader, DRIVER));
    CHECK(strcmp(kext->info->version, "1.0") == 0);
    CHECK(test_kernel_value("address") == (long)(uintptr_t)kext->memory);
    const uintptr_t *table = (const uintptr_t *)test_kernel_value("table");
    CHECK(table[2 + 2] == test_kernel_slot(2) && table[2 + 5] == test_kernel_slot(5));
    CHECK(table[2 + 8] == test_kernel_slot(8));
    int (*start)(void *) = (int (*)(void *))table[2 + 4];
    CHECK(start(NULL) == 44 + 104); /* its own, which calls the parent's by the parent's table */
    char text[200];
    machine_describe_address(table[2 + 4], text, sizeof text);
    CHECK(strcmp(text, "__ZN6Driver5startEP6Parent + 0x0 in org.machv.test.driver") == 0);
    machine_describe_address(table[2 + 4] + 3, text, sizeof text);
    CHECK(strcmp(text, "__ZN6Driver5startEP6Parent + 0x3 in org.machv.test.driver") == 0);
}

static void a_kext_is_linked_started_and_stopped(void **state) {
    struct attempt attempt = {
        .paths = {driver_bundle("", LIBRARIES)}, .identifier = DRIVER, .check = check_driver};
    run_attempt(&attempt);
    if (attempt.result != 0) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(test_kernel_value("add"), 42);
    assert_int_equal(test_kernel_value("name"), 'o');
    assert_int_equal(test_kernel_count("construct"), 1);
    assert_int_equal(test_kernel_count("stop"), 1);
    assert_int_equal(test_kernel_count("destruct"), 1);
    assert_int_equal(attempt.stay, 0);
}

static void a_missing_weak_import_is_the_marker(void **state) {
    struct attempt attempt = {.paths = {driver_bundle("", LIBRARIES)}, .identifier = DRIVER};
    run_attempt(&attempt);
    assert_int_equal(attempt.result, 0);
    assert_int_equal(test_kernel_value("weak"), 1);
    kernel.extra = "_kernel_weak";
    run_attempt(&attempt);
    assert_int_equal(attempt.result, 0);
    assert_int_equal(test_kernel_value("weak"), 0);
    kernel.extra = NULL;
    assert_refused(driver_bundle("-DNO_MARKER", LIBRARIES), DRIVER, MACHINE_EXIT_LINK,
                   "weak symbol _kernel_weak is missing");
}

static void check_patched(struct loader *loader) {
    const uintptr_t *table = (const uintptr_t *)test_kernel_value("table");
    CHECK(table[2 + 6] == test_kernel_slot(6));
    CHECK(table[2 + 8] == test_kernel_slot(8));
    CHECK(table[2 + 9] == test_kernel_slot(9));
    const uintptr_t *metaclass = (const uintptr_t *)test_kernel_value("metaclass table");
    CHECK(((int (*)(void *))metaclass[2 + 2])(NULL) == 200);
    CHECK(((int (*)(void *))metaclass[2 + 12])(NULL) == 201);
}

/* A newer kernel: a method under another name, pads that have become methods. */
static void inherited_slots_follow_the_running_kernel(void **state) {
    kernel.slots[6] = "__ZN6Parent8rename_2Ev";
    kernel.slots[8] = "__ZN6Parent7noveltyEv";
    kernel.slots[9] = "__ZN6Parent5otherEv";
    test_kernel_update(&kernel);
    struct attempt attempt = {
        .paths = {driver_bundle("", LIBRARIES)}, .identifier = DRIVER, .check = check_patched};
    run_attempt(&attempt);
    if (attempt.result != 0) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(attempt.result, 0);
}

static void the_renamed_pad_is_known_from_catalina_on(void **state) {
    kernel.absent = "__ZN15OSMetaClassBase25_RESERVEDOSMetaClassBase3Ev";
    struct attempt attempt = {
        .paths = {driver_bundle("", LIBRARIES)}, .identifier = DRIVER, .release = 1015};
    run_attempt(&attempt);
    /* Read as Dispatch, where this kernel's metaclass table has the pad: refused by rule. */
    assert_int_equal(attempt.result, -1);
    assert_non_null(strstr(error.text, "where the kext expects "
                                       "__ZN15OSMetaClassBase8DispatchE5IORPC"));
}

static void check_client(struct loader *loader) {
    CHECK(test_kernel_value("client") == 10);
    const uintptr_t *table = (const uintptr_t *)test_kernel_value("client table");
    const uintptr_t *driver = (const uintptr_t *)test_kernel_value("table");
    for (unsigned slot = 3; slot < 11; slot++) {
        CHECK(table[2 + slot] == driver[2 + slot]);
    }
    CHECK(loader_load(loader, DRIVER, &error) == 0); /* runs already */
    CHECK(test_kernel_count("construct") == 1);
}

static void a_kext_links_against_another_and_outlives_it_never(void **state) {
    const char *client = client_bundle("", CLIENT_LIBRARIES);
    const char *driver = driver_bundle("", LIBRARIES LINKABLE);
    struct attempt attempt = {
        .paths = {client, driver}, .identifier = CLIENT, .check = check_client};
    run_attempt(&attempt);
    if (attempt.result != 0) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(attempt.stay, 0);
    assert_int_equal(test_kernel_count("client stop"), 1);
    assert_int_equal(test_kernel_count("stop"), 1);
}

static uint32_t vendor;

static void fake_cpuid(void *partition, unsigned processor, uint32_t leaf, uint32_t subleaf,
                       uint32_t registers[4]) {
    registers[1] = vendor;
}

static void cpuid_body(void *argument) {
    static const struct partition_operations operations = {.cpuid = fake_cpuid};
    machine_partition_attach(&operations, NULL);
    attempt_body(argument);
}

static void cpuid_of_a_kext_reaches_the_partition(void **state) {
    struct attempt attempt = {.paths = {driver_bundle("-DUSE_CPUID", LIBRARIES)},
                              .identifier = DRIVER,
                              .release = 1013};
    vendor = 0x7263694D;
    test_kernel_forget();
    run_real(cpuid_body, &attempt);
    assert_int_equal(attempt.result, 0);
    assert_int_equal(test_kernel_value("cpuid"), 0x7263694D);
}

static void personalities_alone_are_a_kext_too(void **state) {
    struct attempt attempt = {
        .paths = {builder_bundle("plain", "org.machv.test.plain",
                                 "<key>IOKitPersonalities</key><dict><key>a</key><dict/></dict>",
                                 NULL, 0)},
        .identifier = "org.machv.test.plain"};
    run_attempt(&attempt);
    assert_int_equal(attempt.result, 0);
}

/* ---- what is refused at link time ----------------------------------------------------------- */

static void missing_symbols_are_named(void **state) {
    assert_refused(driver_bundle("-DMISSING", LIBRARIES), DRIVER, MACHINE_EXIT_LINK,
                   DRIVER ": missing symbols, exported by none of its libraries: "
                          "_missing_function, _missing_too");
    kernel.absent = "_kernel_add";
    assert_refused(driver_bundle("", LIBRARIES), DRIVER, MACHINE_EXIT_LINK,
                   "missing symbol, exported by none of its libraries: _kernel_add");
    kernel.absent = NULL;
    /* The right symbol in a library that the kext does not name. */
    assert_refused(driver_bundle("-DNO_WEAK", "<key>OSBundleLibraries</key><dict>"
                                     "<key>com.apple.kpi.bsd</key><string>10.0</string></dict>"),
                   DRIVER, MACHINE_EXIT_LINK, "_kernel_add");
}

static void vtable_rules_refuse_with_the_kernels_reasons(void **state) {
    const char *path = driver_bundle("", LIBRARIES);
    kernel.slots[6] = "__ZN6Parent15_RESERVEDParent7Ev";
    test_kernel_update(&kernel);
    assert_refused(path, DRIVER, MACHINE_EXIT_LINK,
                   "superclass's vtable is out of date: it has the pad "
                   "__ZN6Parent15_RESERVEDParent7Ev where the kext expects __ZN6Parent6renameEv");
    test_kernel_init(&kernel);
    kernel.extra = "__ZN6Parent14__OSFinalClassEv";
    assert_refused(path, DRIVER, MACHINE_EXIT_LINK, "derives from one that is final");
    test_kernel_init(&kernel);
    kernel.absent = "__ZN6Parent10gMetaClassE";
    assert_refused(path, DRIVER, MACHINE_EXIT_LINK, "__ZN6Parent10gMetaClassE");
    test_kernel_init(&kernel);
    memset(kernel.metaclass_table, 0xFF, sizeof kernel.metaclass_table);
    kernel.metaclass_table[2 + 26] = 0;
    struct attempt attempt = {.paths = {path}, .identifier = DRIVER};
    run_attempt(&attempt); /* names of the parent's slots unknown: left alone, and it links */
    assert_int_equal(attempt.result, 0);
}

static void a_table_with_fewer_slots_than_its_parents_is_malformed(void **state) {
    kernel.parent_table[2 + 10] = test_kernel_slot(0);
    kernel.parent_table[2 + 11] = test_kernel_slot(1);
    assert_refused(driver_bundle("", LIBRARIES), DRIVER, MACHINE_EXIT_LINK,
                   "vtable __ZTV6Driver is malformed: 11 slots, but its superclass's "
                   "__ZTV6Parent has 12");
}

/* The same table, but one of its imports is said to be the kext's own. */
static void a_method_that_is_declared_and_not_implemented_is_refused(void **state) {
    size_t size;
    uint8_t *executable = builder_kext("x86_64", "driver", "", &size);
    uint8_t *name = memmem(executable, size, "__ZN6Parent6renameEv", 20);
    assert_non_null(name);
    memcpy(name, "__ZN6Driver6renameEv", 20);
    const char *path = builder_bundle("driver", DRIVER, LIBRARIES, executable, size);
    free(executable);
    assert_refused(path, DRIVER, MACHINE_EXIT_LINK,
                   "__ZN6Driver6renameEv is declared but not implemented");
}

static void a_library_must_not_export_what_the_kext_does(void **state) {
    kernel.extra = "_driver_export";
    assert_refused(driver_bundle("", LIBRARIES), DRIVER, MACHINE_EXIT_LINK,
                   "duplicate symbol _driver_export");
}

/* ---- libraries ------------------------------------------------------------------------------ */

#define WANT(identifier, version)                                                                 \
    "<key>OSBundleLibraries</key><dict><key>" identifier "</key><string>" version                 \
    "</string></dict>"

static void library_versions_must_fit(void **state) {
    assert_refused(driver_bundle("", WANT("com.apple.kpi.iokit", "18.0")), DRIVER,
                   MACHINE_EXIT_LINK, "library com.apple.kpi.iokit 17.7.0 does not fit: version "
                                      "18.0 is wanted");
    assert_refused(driver_bundle("", WANT("com.apple.kpi.iokit", "7.9.9")), DRIVER,
                   MACHINE_EXIT_LINK, "does not fit");
    assert_refused(driver_bundle("", WANT("com.example.none", "1.0")), DRIVER, MACHINE_EXIT_LINK,
                   "library com.example.none 1.0 is neither in the kernel nor among");
    assert_refused(driver_bundle("", WANT("com.apple.kpi.private", "10.0")), DRIVER,
                   MACHINE_EXIT_LINK, "open to Apple's kexts only");
    struct attempt attempt = {.paths = {client_bundle("", CLIENT_LIBRARIES),
                                        driver_bundle("", LIBRARIES)},
                              .identifier = CLIENT};
    run_attempt(&attempt);
    assert_int_equal(attempt.result, -1);
    assert_non_null(strstr(error.text, DRIVER " has no OSBundleCompatibleVersion"));
    assert_int_equal(test_kernel_count("construct"), 0);
}

static void circles_of_libraries_are_refused(void **state) {
    const char *first = builder_bundle("first", "a.first", LINKABLE WANT("a.second", "1.0"),
                                       NULL, 0);
    const char *second = builder_bundle("second", "a.second", LINKABLE WANT("a.first", "1.0"),
                                        NULL, 0);
    struct attempt attempt = {.paths = {first, second}, .identifier = "a.first"};
    run_attempt(&attempt);
    assert_int_equal(attempt.result, -1);
    assert_non_null(strstr(error.text, "in a circle"));
}

/* ---- start and stop ------------------------------------------------------------------------- */

static void a_start_function_may_refuse(void **state) {
    assert_refused(driver_bundle("-DFAIL_START", LIBRARIES), DRIVER, MACHINE_EXIT_START,
                   "its start function returned 0x5");
    assert_int_equal(test_kernel_count("construct"), 1);
    assert_int_equal(test_kernel_count("destruct"), 1);
    test_runtime_status = 0xDC00400B;
    assert_refused(driver_bundle("", LIBRARIES), DRIVER, MACHINE_EXIT_START,
                   "its classes cannot be registered (0xdc00400b)");
    test_runtime_status = 0;
}

static void a_kext_that_refuses_to_stop_stays(void **state) {
    struct attempt attempt = {.paths = {driver_bundle("-DFAIL_STOP", LIBRARIES)},
                              .identifier = DRIVER};
    run_attempt(&attempt);
    assert_int_equal(attempt.result, 0);
    assert_int_equal(attempt.stay, 1);
    assert_non_null(strstr(attempt.unload_error.text, "its stop function returned 0x5"));
    assert_int_equal(test_kernel_count("destruct"), 0);
    test_runtime_instances = true;
    struct attempt used = {.paths = {driver_bundle("", LIBRARIES)}, .identifier = DRIVER};
    run_attempt(&used);
    test_runtime_instances = false;
    assert_int_equal(used.stay, 1);
    assert_non_null(strstr(used.unload_error.text, "objects of its classes live"));
    assert_int_equal(test_kernel_count("stop"), 0);
}

static void no_memory_body(void *argument) {
    struct attempt *attempt = argument;
    struct loader *loader = loader_create(1013, &kernel.kernel, &test_runtime);
    CHECK(loader_add(loader, attempt->paths[0], &error) == 0);
    machine_allocation_fail_at(1, true);
    CHECK(loader_load(loader, DRIVER, &error) == -1);
    CHECK(error.status == MACHINE_EXIT_FAILURE && strstr(error.text, "guest RAM") != NULL);
    machine_allocation_fail_at(0, false);
    memset(&error, 0, sizeof error);
    CHECK(loader_load(loader, DRIVER, &error) == 0); /* and the next attempt works */
    CHECK(loader_unload_all(loader, &error) == 0);
    loader_destroy(loader);
}

static void lack_of_memory_is_said_and_survived(void **state) {
    struct attempt attempt = {.paths = {driver_bundle("", LIBRARIES)}};
    memset(&error, 0, sizeof error);
    run_real(no_memory_body, &attempt);
}

static void a_crash_names_the_kext_and_function(void **state) {
    static char output[65536];
    const char *path = driver_bundle("-DCRASH", LIBRARIES);
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct attempt attempt = {.paths = {path}, .identifier = DRIVER, .release = 1013};
        dup2(ends[1], STDERR_FILENO);
        run_real(attempt_body, &attempt);
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t count;
    while ((count = read(ends[0], output + length, sizeof output - 1 - length)) > 0) {
        length += (size_t)count;
    }
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == MACHINE_EXIT_CRASH);
    if (strstr(output, "page fault writing address 0x0") == NULL ||
        strstr(output, "in org.machv.test.driver") == NULL) {
        fail_msg("says %s", output);
    }
}

static int reset_kernel(void **state) {
    test_kernel_init(&kernel);
    return 0;
}

int main(int argc, char **argv) {
    builder_kextlink = argc > 1 ? argv[1] : NULL;
#define TEST(name) cmocka_unit_test_setup(name, reset_kernel)
    const struct CMUnitTest tests[] = {
        TEST(a_kext_is_linked_started_and_stopped),
        TEST(a_missing_weak_import_is_the_marker),
        TEST(inherited_slots_follow_the_running_kernel),
        TEST(the_renamed_pad_is_known_from_catalina_on),
        TEST(a_kext_links_against_another_and_outlives_it_never),
        TEST(cpuid_of_a_kext_reaches_the_partition),
        TEST(personalities_alone_are_a_kext_too),
        TEST(missing_symbols_are_named),
        TEST(vtable_rules_refuse_with_the_kernels_reasons),
        TEST(a_table_with_fewer_slots_than_its_parents_is_malformed),
        TEST(a_method_that_is_declared_and_not_implemented_is_refused),
        TEST(a_library_must_not_export_what_the_kext_does),
        TEST(library_versions_must_fit),
        TEST(circles_of_libraries_are_refused),
        TEST(a_start_function_may_refuse),
        TEST(a_kext_that_refuses_to_stop_stays),
        TEST(lack_of_memory_is_said_and_survived),
        TEST(a_crash_names_the_kext_and_function),
    };
    return cmocka_run_group_tests(tests, builder_setup, builder_teardown);
}
