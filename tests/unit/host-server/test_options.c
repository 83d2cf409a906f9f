/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of hvhost. */
#include <errno.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/hvhost/options.h"

static char error[512];

static void a_disk_has_its_properties(void **state)
{
    struct hvhost_disk_option disk;
    assert_int_equal(hvhost_parse_disk("a.img", &disk, error, sizeof(error)), 0);
    assert_string_equal(disk.path, "a.img");
    assert_int_equal(disk.format, DISK_FORMAT_DETECT);
    assert_int_equal(disk.block_size, 512);
    assert_false(disk.read_only);
    assert_int_equal(disk.controller, HVHOST_ANY);
    assert_int_equal(disk.lun, HVHOST_ANY);
    assert_int_equal(hvhost_parse_disk("x,controller=3,lun=63,readonly,format=vhdx,block-size=4096",
                                       &disk, error, sizeof(error)), 0);
    assert_int_equal(disk.controller, 3);
    assert_int_equal(disk.lun, 63);
    assert_int_equal(disk.format, DISK_FORMAT_VHDX);
    assert_int_equal(disk.block_size, 4096);
    assert_true(disk.read_only);
    assert_int_equal(hvhost_parse_disk("x,ide=1:0", &disk, error, sizeof(error)), 0);
    assert_int_equal(disk.ide, 2);
}

static void a_doubled_comma_belongs_to_the_name(void **state)
{
    struct hvhost_disk_option disk;
    assert_int_equal(hvhost_parse_disk("a,,b,,,lun=1", &disk, error, sizeof(error)), 0);
    assert_string_equal(disk.path, "a,b,");
    assert_int_equal(disk.lun, 1);
}

static void wrong_disks_are_refused_with_the_word_that_is_wrong(void **state)
{
    static const char *const bad[] = {
        "x,lun=64", "x,lun=-1", "x,lun=", "x,lun=1x", "x,controller=4", "x,format=iso", "x,what",
        "x,block-size=513", "x,ide=2:0", "x,ide=0", "x,", "x,readonly=1",
    };
    struct hvhost_disk_option disk;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(hvhost_parse_disk(bad[i], &disk, error, sizeof(error)), -EINVAL);
        assert_non_null(strstr(error, strchr(bad[i], ',') + 1));
    }
    assert_int_equal(hvhost_parse_disk("", &disk, error, sizeof(error)), -EINVAL);
    assert_int_equal(hvhost_parse_disk(",lun=1", &disk, error, sizeof(error)), -EINVAL);
    assert_int_equal(hvhost_parse_disk("x,ide=0:1,lun=3", &disk, error, sizeof(error)), -EINVAL);
    char longest[5000];
    memset(longest, 'p', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(hvhost_parse_disk(longest, &disk, error, sizeof(error)), -EINVAL);
}

/* Parses words that end with NULL. */
static int parse(struct hvhost_options *options, const char *const *words)
{
    char text[16][64];
    char *arguments[17] = {(char *)(uintptr_t)"hvhost"};
    int count = 1;
    for (; words[count - 1] != NULL; count++) {
        strcpy(text[count], words[count - 1]);
        arguments[count] = text[count];
    }
    optind = 0; /* getopt starts anew */
    return hvhost_parse_options(count, arguments, options);
}
#define PARSE(options, ...) parse(options, (const char *const[]){__VA_ARGS__, NULL})

static void options_have_their_defaults(void **state)
{
    struct hvhost_options options;
    assert_int_equal(PARSE(&options, "--socket", "s"), 0);
    assert_ptr_equal(options.release, host_release_newest());
    assert_int_equal(options.generation, 2);
    assert_int_equal(options.seed, 1);
    assert_int_equal(options.vmbus_max, 0);
    assert_int_equal(options.poll_ns, 200000);
    assert_null(options.control_path);
    assert_int_equal(PARSE(&options, "--socket", "s", "--vmbus-max", "5.2", "--poll", "0",
                           "--generation", "1", "--release", "2008r2", "--disk", "d"), 0);
    assert_int_equal(options.vmbus_max, HOST_VERSION(5, 2));
    assert_int_equal(options.poll_ns, 0);
    assert_string_equal(options.release->name, "2008r2");
    assert_int_equal(options.disk_count, 1);
}

static void the_largest_screen_is_a_size(void **state)
{
    struct hvhost_options options;
    assert_int_equal(PARSE(&options, "--socket", "s"), 0);
    assert_int_equal(options.largest_width, 0);
    assert_int_equal(PARSE(&options, "--socket", "s", "--largest-screen", "2560x1440"), 0);
    assert_int_equal(options.largest_width, 2560);
    assert_int_equal(options.largest_height, 1440);
    static char *const bad[] = {"", "1920", "1920x", "x1080", "1920x1080x", "640x480", "1023x768",
                                "7681x4320", "7680x4321", "-1x5", "99999x99999"};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(PARSE(&options, "--socket", "s", "--largest-screen", bad[i]), -1);
    }
}

static void a_viewers_socket_has_a_slash_in_its_path(void **state)
{
    struct hvhost_options options;
    assert_int_equal(PARSE(&options, "--socket", "s", "--vnc", "0"), 0);
    assert_true(options.vnc);
    assert_null(options.vnc_path);
    assert_false(options.horizontal_wheel);
    assert_int_equal(PARSE(&options, "--socket", "s", "--vnc", "./vm", "--horizontal-wheel"), 0);
    assert_true(options.vnc && options.horizontal_wheel);
    assert_non_null(options.vnc_path); /* into words that are gone */
    assert_int_equal(PARSE(&options, "--socket", "s", "--vnc", "vm"), -1);
    assert_int_equal(PARSE(&options, "--socket", "s", "--vnc", "65536"), -1);
}

static void wrong_options_are_refused(void **state)
{
    struct hvhost_options options;
    assert_int_equal(PARSE(&options, "--control", "c"), -1); /* no socket */
    assert_int_equal(PARSE(&options, "--socket", "s", "more"), -1);
    assert_int_equal(PARSE(&options, "--socket", "s", "--release", "2077"), -1);
    assert_int_equal(PARSE(&options, "--socket", "s", "--release", "2008r2"), -1); /* generation */
    assert_int_equal(PARSE(&options, "--socket", "s", "--generation", "3"), -1);
    assert_int_equal(PARSE(&options, "--socket", "s", "--vmbus-max", "five"), -1);
    assert_int_equal(PARSE(&options, "--socket", "s", "--vmbus-max", "5."), -1);
    assert_int_equal(PARSE(&options, "--socket", "s", "--seed", "-1"), -1);
    assert_int_equal(PARSE(&options, "--socket", "s", "--poll", "1000000"), -1);
    assert_int_equal(PARSE(&options, "--socket", "s", "--disk", "x,lun=99"), -1);
    assert_int_equal(PARSE(&options, "--socket", "s", "--frobnicate"), -1);
    assert_int_equal(PARSE(&options, "--socket", "s", "--pci", "{}", "--release", "2012r2"), -1);
    assert_int_equal(PARSE(&options, "--socket", "s", "--pci", "{}", "--release", "2016"), 0);
    assert_int_equal(options.pci_count, 1);
    assert_int_equal(PARSE(&options, "--socket"), -1);
    assert_int_equal(PARSE(&options, "--socket", "s"), 0);
}

static void dvd_drives_are_read_only_scsi_devices(void **state)
{
    static const char *const bad[] = {"", "x,ide=0:0", "x,block-size=4096", "x,lun=64",
                                      "empty,what"};
    struct hvhost_disk_option disk;
    char error[512];
    assert_int_equal(hvhost_parse_dvd("x.iso,controller=1,lun=2", &disk, error, sizeof(error)), 0);
    assert_string_equal(disk.path, "x.iso");
    assert_true(disk.is_dvd && disk.read_only && !disk.is_empty);
    assert_int_equal(disk.controller, 1);
    assert_int_equal(disk.lun, 2);
    assert_int_equal(hvhost_parse_dvd("empty,lun=5", &disk, error, sizeof(error)), 0);
    assert_true(disk.is_dvd && disk.is_empty);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        error[0] = '\0';
        assert_int_equal(hvhost_parse_dvd(bad[i], &disk, error, sizeof(error)), -EINVAL);
        assert_int_not_equal(error[0], '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disk_has_its_properties),
        cmocka_unit_test(a_doubled_comma_belongs_to_the_name),
        cmocka_unit_test(wrong_disks_are_refused_with_the_word_that_is_wrong),
        cmocka_unit_test(dvd_drives_are_read_only_scsi_devices),
        cmocka_unit_test(options_have_their_defaults),
        cmocka_unit_test(the_largest_screen_is_a_size),
        cmocka_unit_test(a_viewers_socket_has_a_slash_in_its_path),
        cmocka_unit_test(wrong_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
