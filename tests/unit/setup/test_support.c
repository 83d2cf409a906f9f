/* SPDX-License-Identifier: BSD-3-Clause */
/* The support table: what is refused, which processor is shown, which Mac model is chosen. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "fixture.h"
#include "setup/config_rows.h"

static const char *refusal(const char *macos, const char *host, unsigned generation)
{
    struct target target = make_target(macos, host, generation);
    return target_refusal(&target);
}

static void combinations_that_cannot_work_are_refused_with_the_reason(void **state)
{
    assert_non_null(strstr(refusal("13", "ws2016", 2), "OpenRuntime"));
    assert_non_null(strstr(refusal("10.15", "win10-1803", 2), "memory map"));
    assert_null(refusal("13", "ws2016", 1));
    assert_non_null(strstr(refusal("10.9", "ws2012", 2), "Windows 8.1"));
    assert_non_null(strstr(refusal("10.9", "win7", 2), "2012 R2"));
    assert_null(refusal("10.9", "win7", 1));
    assert_non_null(strstr(refusal("10.9", "ws2008", 1), "VMBus"));
    assert_non_null(refusal("10.9", "ws2008", 2));
    assert_null(refusal("10.4", "ws2012r2", 2));
    assert_null(refusal("26", "win11", 2));
}

static void refusals_look_at_the_machine(void **state)
{
    struct target target = make_target("13", "ws2022", 2);
    target.processor = find_processor("ivybridge");
    assert_non_null(strstr(target_refusal(&target), "AVX2"));
    target.macos = find_macos("12");
    assert_null(target_refusal(&target));
    target.processor = find_processor("amd");
    assert_null(target_refusal(&target));
    target.macos = find_macos("10.12");
    assert_non_null(strstr(target_refusal(&target), "AMD"));
    target = make_target("10.4", "ws2022", 2);
    target.vm_processors = 16;
    assert_non_null(target_refusal(&target));
    target.vm_processors = 15;
    assert_null(target_refusal(&target));
    target = make_target("10.10", "ws2022", 2);
    target.vm_processors = 25;
    assert_non_null(target_refusal(&target));
    target = make_target("14", "ws2022", 2);
    target.vm_processors = 65;
    assert_non_null(target_refusal(&target));
    target.vm_processors = 64;
    assert_null(target_refusal(&target));
    target.framebuffer = true;
    assert_non_null(strstr(target_refusal(&target), "/Library/Extensions"));
    target = make_target("10.8", "ws2022", 2);
    target.kernel = KERNEL_32;
    assert_non_null(target_refusal(&target));
    target = make_target("10.5", "ws2022", 2);
    target.kernel = KERNEL_64;
    assert_non_null(target_refusal(&target));
}

static void names_are_found_with_their_aliases_and_updates(void **state)
{
    assert_string_equal(find_macos("10.15.7")->version, "10.15");
    assert_string_equal(find_macos("10.4")->version, "10.4");
    assert_string_equal(find_macos("26.1")->version, "26");
    assert_null(find_macos("10.3"));
    assert_null(find_macos("10.16"));
    assert_null(find_macos("1"));
    assert_null(find_macos(""));
    assert_string_equal(find_host("win11-24h2")->id, "ws2025");
    assert_string_equal(find_host("win8.1")->id, "ws2012r2");
    assert_null(find_host("win9"));
    assert_null(find_host(""));
    assert_null(find_host("win10-20"));
    assert_int_equal(macos_number("10.15.4"), 101504);
    assert_int_equal(macos_number("11"), 110000);
}

static void processors_are_shown_as_what_macos_knows(void **state)
{
    static const struct {
        const char *macos, *cpu;
        uint32_t spoof;
        bool no_power_driver;
    } cases[] = {
        {"13", "alderlake", 0x000A0655, false},
        {"12", "rocketlake", 0x000A0655, false},
        {"10.15", "rocketlake", 0x000A0655, false},
        {"10.14", "rocketlake", 0x000906EA, false},
        {"10.9", "alderlake", 0x000306A9, true},
        {"13", "coffeelake", 0, false},
        {"13", "cometlake", 0, false},
        {"10.14", "cometlake", 0x000906EA, false},
        {"13", "cometlake-u62", 0x000806EC, false},
        {"11", "haswell-e", 0x000306C3, false},
        {"11", "broadwell-e", 0x000306D4, false},
        {"10.6", "sandybridge", 0, false},
        {"10.5", "sandybridge", 0x000306A9, true},
        {"12", "amd", 0, true},
        {"13", "intel", 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct target target = make_target(cases[i].macos, "ws2022", 2);
        target.processor = find_processor(cases[i].cpu);
        struct processor_choice choice = choose_processor(&target);
        if (choice.spoof != cases[i].spoof || choice.no_power_driver != cases[i].no_power_driver) {
            fail_msg("macOS %s on %s: %08X %d", cases[i].macos, cases[i].cpu, choice.spoof,
                     choice.no_power_driver);
        }
    }
}

static void every_release_has_a_model_that_runs_it(void **state)
{
    for (size_t i = 0; i < macos_release_count; i++) {
        const struct mac_model *model = find_mac_model(macos_releases[i].model);
        assert_non_null(model);
        assert_true(model_fits(model, &macos_releases[i]));
    }
    assert_false(model_fits(find_mac_model("iMacPro1,1"), find_macos("26")));
    assert_false(model_fits(find_mac_model("iMac20,1"), find_macos("10.14")));
    assert_true(model_fits(find_mac_model("iMac20,1"), find_macos("26")));
}

static void kernel_versions_compare_as_opencore_does(void **state)
{
    assert_int_equal(kernel_version("20.99.99"), 209999);
    assert_int_equal(kernel_version("9.5"), 90500);
    assert_int_equal(kernel_version(""), 0);
    assert_int_equal(kernel_version("x"), -1);
    assert_int_equal(kernel_version("20.100.1"), -1);
    assert_int_equal(kernel_version("1.2.3.4"), -1);
    assert_true(kernel_bounds_include("8.0.0", "20.99.99", 20));
    assert_false(kernel_bounds_include("8.0.0", "20.99.99", 21));
    assert_true(kernel_bounds_include("", "", 25));
    assert_false(kernel_bounds_include("21.0.0", "", 20));
    assert_true(kernel_bounds_include("9.5.0", "9.6.99", 9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(combinations_that_cannot_work_are_refused_with_the_reason),
        cmocka_unit_test(refusals_look_at_the_machine),
        cmocka_unit_test(names_are_found_with_their_aliases_and_updates),
        cmocka_unit_test(processors_are_shown_as_what_macos_knows),
        cmocka_unit_test(every_release_has_a_model_that_runs_it),
        cmocka_unit_test(kernel_versions_compare_as_opencore_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
