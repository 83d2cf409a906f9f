/* SPDX-License-Identifier: BSD-3-Clause */
/* The script for every cell of the support table is well formed, whatever the user's names are. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "fixture.h"
#include "powershell_syntax.h"
#include "setup/vm_script.h"

static struct vm_options make_options(const char *macos, const char *host, unsigned generation)
{
    return (struct vm_options){
        .target = make_target(macos, host, generation),
        .name = "macOS",
        .efi_disk = "D:\\EFI.vhdx",
        .network = "Default Switch",
        .disk_gib = 64,
    };
}

static void assert_well_formed(const struct vm_options *options)
{
    char complaint[200] = "";
    struct text script = {0};
    vm_script(options, &script);
    if (!powershell_check(script.bytes, complaint)) {
        fail_msg("%s\n%s", complaint, script.bytes);
    }
    text_free(&script);
}

static bool script_has(const struct vm_options *options, const char *words)
{
    struct text script = {0};
    vm_script(options, &script);
    bool has = strstr(script.bytes, words) != NULL;
    text_free(&script);
    return has;
}

static void every_cell_gives_a_well_formed_script(void **state)
{
    size_t scripts = 0;
    for (size_t m = 0; m < macos_release_count; m++) {
        for (size_t h = 0; h < windows_host_count; h++) {
            for (unsigned generation = 1; generation <= 2; generation++) {
                struct vm_options options =
                    make_options(macos_releases[m].version, windows_hosts[h].id, generation);
                options.installer = "installer.vhdx";
                options.width = 1920;
                options.height = 1080;
                if (vm_refusal(&options) != NULL) {
                    continue;
                }
                assert_well_formed(&options);
                assert_int_equal(script_has(&options, "-EnableSecureBoot Off"), generation == 2);
                assert_true(script_has(&options, "-DynamicMemoryEnabled $false"));
                assert_int_equal(script_has(&options, "8192MB"), macos_releases[m].darwin >= 20);
                assert_int_equal(script_has(&options, "-AutomaticCheckpointsEnabled $false"),
                                 windows_hosts[h].build >= 17763);
                scripts++;
            }
        }
    }
    assert_int_equal(scripts,
                     18 * 14); /* 15 pairs, less Windows Server 2008 R2 without PowerShell */
}

static void names_cannot_break_out_of_their_quotes(void **state)
{
    static const char *const names[] = {"it's",
                                        "'; Remove-Item C:\\ -Recurse; '",
                                        "$(Get-VM)",
                                        "`\"",
                                        "\xE2\x80\x99; bad \xE2\x80\x98",
                                        "line\nbreak",
                                        "",
                                        "'''",
                                        "a'$b'`c\"d"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct vm_options options = make_options("13", "ws2022", 2);
        options.name = options.efi_disk = options.network = names[i];
        options.folder = options.system_disk = options.installer = names[i];
        options.devices[0] =
            (struct vm_device){.location = names[i], .bars = {4096}, .bar_count = 1};
        options.device_count = 1;
        assert_well_formed(&options);
    }
    struct vm_options options = make_options("13", "ws2022", 2);
    options.name = "a\xE2\x80\x99z";
    assert_true(script_has(&options, "'a\xE2\x80\x99\xE2\x80\x99z'"));
}

static void assigned_devices_get_room_for_their_registers(void **state)
{
    struct vm_options options = make_options("13", "ws2022", 2);
    unsigned low = 0, high = 0;
    options.devices[0] = (struct vm_device){.location = "PCIROOT(0)#PCI(0100)",
                                            .bars = {16 << 20, 256 << 20, 32 << 20},
                                            .bar_count = 3};
    options.device_count = 1;
    vm_mmio_space(&options, &low, &high);
    assert_true(low >= 2 * 48 + 128 && low <= 3072 && low % 128 == 0);
    assert_true(high >= 2 * 256 && high % 512 == 0);
    options.devices[0].bars[1] = (uint64_t)16 << 30;
    vm_mmio_space(&options, &low, &high);
    assert_true(high >= 2 * 16384);
    assert_well_formed(&options);
    assert_true(script_has(&options, "Dismount-VMHostAssignableDevice"));
    options.target.host = find_host("ws2012r2");
    assert_non_null(strstr(vm_refusal(&options), "2016"));
    options.target.host = find_host("ws2022");
    assert_null(vm_refusal(&options));
    options.client = true;
    assert_non_null(strstr(vm_refusal(&options), "Server only"));
    assert_int_equal(vm_bar_size("16M"), 16 << 20);
    assert_int_equal(vm_bar_size("8G"), (uint64_t)8 << 30);
    assert_int_equal(vm_bar_size("17M"), 0);
    assert_int_equal(vm_bar_size("16MB"), 0);
    assert_int_equal(vm_bar_size("-4K"), 0);
    assert_int_equal(vm_bar_size(""), 0);
}

static void too_little_memory_and_old_hosts_are_refused(void **state)
{
    struct vm_options options = make_options("13", "ws2022", 2);
    options.memory_mib = 4096;
    assert_non_null(strstr(vm_refusal(&options), "8192"));
    options.memory_mib = 8192;
    assert_null(vm_refusal(&options));
    options = make_options("10.9", "ws2008r2", 1);
    assert_non_null(strstr(vm_refusal(&options), "PowerShell"));
    options = make_options("13", "ws2016", 2);
    assert_non_null(strstr(vm_refusal(&options), "OpenRuntime"));
}

static void the_checker_sees_what_is_wrong(void **state)
{
    static const char *const wrong[] = {
        "New-VM -Name 'x\n",
        "New-VM -Name $Name -Colour red\n",
        "New-VM -Name\n",
        "New-VM -Name -NoVHD\n",
        "Frobnicate -Name x\n",
        "if ($a) {\n",
        "if ($a) )\n",
        "(Get-VM}\n",
        "-Name x\n",
        "Write-Host (\"a $b\")\n",
    };
    static const char *const right[] = {
        "$a = 'it''s'\n",
        "New-VM -Name $Name -NoVHD\n",
        "Get-VM | Where-Object { $_.Name -eq $Name }\n",
        "Disable-PnpDevice -InstanceId $d.InstanceId -Confirm:$false\n",
        "# it's a comment with ( and '\n",
    };
    char complaint[200];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (powershell_check(wrong[i], complaint)) {
            fail_msg("not seen: %s", wrong[i]);
        }
    }
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        if (!powershell_check(right[i], complaint)) {
            fail_msg("%s: %s", right[i], complaint);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_gives_a_well_formed_script),
        cmocka_unit_test(names_cannot_break_out_of_their_quotes),
        cmocka_unit_test(assigned_devices_get_room_for_their_registers),
        cmocka_unit_test(too_little_memory_and_old_hosts_are_refused),
        cmocka_unit_test(the_checker_sees_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
