/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of modes, sizes as text, and the preferred size of an EDID. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kext/graphics/display_modes.h"
#include "kext/graphics/edid.h"

#define MEGABYTE (UINT64_C(1) << 20)

static struct display_modes modes;

static struct display_limits limits_of(uint64_t megabytes, uint32_t bytes_per_pixel)
{
    return (struct display_limits){ megabytes * MEGABYTE, bytes_per_pixel,
                                    { DISPLAY_EDGE_MAXIMUM, DISPLAY_EDGE_MAXIMUM } };
}

static bool has(uint32_t width, uint32_t height)
{
    const struct display_size size = { width, height };

    return display_modes_find(&modes, &size) >= 0;
}

static bool prefers(uint32_t width, uint32_t height)
{
    const struct display_size *size = &modes.sizes[modes.preferred];

    return modes.count != 0 && size->width == width && size->height == height;
}

static void expect_order_and_fit(void)
{
    for (uint32_t i = 0; i < modes.count; i++) {
        assert_true(display_size_fits(&modes.limits, &modes.sizes[i]));
        if (i > 0)
            assert_true((uint64_t)modes.sizes[i].width * modes.sizes[i].height >=
                        (uint64_t)modes.sizes[i - 1].width * modes.sizes[i - 1].height);
    }
}

static void without_a_list_usual_modes_fill_the_memory(void **state)
{
    const struct display_limits limits = limits_of(8, 4);
    const struct display_sources sources = { 0 };

    (void)state;
    display_modes_make(&modes, &limits, &sources);
    assert_true(has(640, 480) && has(1024, 768) && has(1920, 1080) && has(1600, 1200));
    assert_false(has(1920, 1200) || has(2560, 1440));   /* beyond 8 MB */
    assert_true(prefers(1024, 768));
    expect_order_and_fit();
}

static void the_hosts_maximum_bounds_usual_modes(void **state)
{
    static const struct synthvid_resolution host[] = { { 1280, 1024 }, { 1111, 777 } };
    const struct display_limits limits = limits_of(64, 4);
    const struct display_sources sources = { .host = host, .host_count = 2, .host_default = 1 };

    (void)state;
    display_modes_make(&modes, &limits, &sources);
    assert_true(has(1280, 1024) && has(1111, 777) && has(1024, 768));
    assert_false(has(1366, 768) || has(1920, 1080));
    assert_true(prefers(1111, 777));
    expect_order_and_fit();
}

static void a_users_mode_is_bounded_by_memory_alone(void **state)
{
    static const struct synthvid_resolution host[] = { { 1024, 768 } };
    static const struct display_size user[] = { { 7680, 4320 }, { 1366, 800 } };
    const struct display_limits limits = limits_of(16, 4);
    const struct display_sources sources = { .host = host, .host_count = 1, .user = user,
                                             .user_count = 2, .host_wish = { 800, 600 } };

    (void)state;
    display_modes_make(&modes, &limits, &sources);
    assert_false(has(7680, 4320));
    assert_true(has(1366, 800) && has(800, 600));
    assert_true(prefers(1366, 800));    /* the first of the user's that fits */
}

static void the_hosts_wish_comes_before_its_default(void **state)
{
    static const struct synthvid_resolution host[] = { { 1024, 768 }, { 1920, 1080 } };
    const struct display_limits limits = limits_of(16, 4);
    struct display_sources sources = { .host = host, .host_count = 2, .host_default = 1,
                                       .host_wish = { 1500, 900 } };

    (void)state;
    display_modes_make(&modes, &limits, &sources);
    assert_true(prefers(1500, 900));
    sources.host_wish = (struct display_size){ 8000, 8000 };    /* does not fit */
    display_modes_make(&modes, &limits, &sources);
    assert_true(prefers(1920, 1080));
    sources.host_default = 99;
    display_modes_make(&modes, &limits, &sources);
    assert_true(prefers(1024, 768));
}

static void a_full_table_keeps_what_it_has(void **state)
{
    struct synthvid_resolution host[255];
    const struct display_limits limits = limits_of(256, 4);
    const struct display_sources sources = { .host = host, .host_count = 255 };

    (void)state;
    for (uint16_t i = 0; i < 255; i++)
        host[i] = (struct synthvid_resolution){ (uint16_t)(2000 + i), 1000 };
    display_modes_make(&modes, &limits, &sources);
    assert_int_equal(modes.count, DISPLAY_MODES_MAXIMUM);
    expect_order_and_fit();
}

static void duplicates_and_odd_sizes_stay_out(void **state)
{
    static const struct synthvid_resolution host[] = {
        { 1024, 768 }, { 1024, 768 }, { 0, 0 }, { 65535, 65535 }, { 639, 480 }, { 640, 479 },
        { 16384, 480 },
    };
    const struct display_limits limits = limits_of(256, 4);
    const struct display_sources sources = { .host = host, .host_count = 7 };
    uint32_t count = 0;

    (void)state;
    display_modes_make(&modes, &limits, &sources);
    for (uint32_t i = 0; i < modes.count; i++)
        count += modes.sizes[i].width == 1024 && modes.sizes[i].height == 768;
    assert_int_equal(count, 1);
    assert_false(has(65535, 65535) || has(639, 480) || has(640, 479) || has(16384, 480));
}

static void memory_for_nothing_gives_an_empty_list(void **state)
{
    const struct display_limits limits = limits_of(1, 4);
    const struct display_sources sources = { 0 };

    (void)state;
    display_modes_make(&modes, &limits, &sources);
    assert_int_equal(modes.count, 0);
    assert_false(has(640, 480));
}

static void a_host_of_2008_has_16_bits_and_1600_by_1200(void **state)
{
    struct display_limits limits = limits_of(4, 2);
    const struct display_sources sources = { 0 };

    (void)state;
    limits.maximum = (struct display_size){ 1600, 1200 };
    display_modes_make(&modes, &limits, &sources);
    assert_true(has(1600, 1200));
    assert_false(has(1920, 1080));      /* fits into 4 MB, but not into 1600 x 1200 */
}

static void numbers_of_modes_come_back_as_sizes(void **state)
{
    static const struct display_size sizes[] = { { 640, 480 }, { 1920, 1080 }, { 7680, 4320 },
                                                 { 16383, 16383 } };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int32_t number = display_mode_number(&sizes[i]);
        const struct display_size size = display_mode_size(number);

        assert_true(number > 0 && number < 0x40000000);
        assert_memory_equal(&size, &sizes[i], sizeof size);
    }
}

static void sizes_are_read_from_text(void **state)
{
    static const struct {
        const char *text;
        uint32_t count;
    } rows[] = {
        { "1920x1080", 1 },    { "1920x1080,2560x1440", 2 }, { "", 0 },        { "x", 0 },
        { "1920", 0 },         { "1920x", 0 },               { "1920x1080,", 1 }, { ",1x1", 0 },
        { "1920x1080;1x1", 0 }, { "0x1080", 0 },             { "99999x1", 0 }, { "16384x1", 0 },
        { "1920x1080,junk", 1 }, { "-1x5", 0 },              { "16383x16383", 1 },
        { "99999999999999999999x1", 0 },
    };
    struct display_size sizes[DISPLAY_MODES_USER];
    char many[DISPLAY_MODES_USER * 10 + 40] = "";

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(display_sizes_read(rows[i].text, 1000, sizes), rows[i].count);
    assert_int_equal(display_sizes_read("1920x1080", 8, sizes), 1);     /* cut by the length */
    assert_int_equal(sizes[0].height, 108);
    for (unsigned i = 0; i < DISPLAY_MODES_USER + 3; i++)
        strcat(many, "1024x768,");
    assert_int_equal(display_sizes_read(many, sizeof many, sizes), DISPLAY_MODES_USER);
}

/* ---- EDID ------------------------------------------------------------------------------------ */

static void make_edid(uint8_t edid[EDID_SIZE], uint32_t width, uint32_t height)
{
    static const uint8_t header[8] = { 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0 };
    uint8_t sum = 0;

    memset(edid, 0, EDID_SIZE);
    memcpy(edid, header, sizeof header);
    edid[54] = 0x01;
    edid[56] = (uint8_t)width;
    edid[58] = (uint8_t)(width >> 8 << 4);
    edid[59] = (uint8_t)height;
    edid[61] = (uint8_t)(height >> 8 << 4);
    for (uint32_t i = 0; i < EDID_SIZE - 1; i++)
        sum = (uint8_t)(sum + edid[i]);
    edid[EDID_SIZE - 1] = (uint8_t)-sum;
}

static void an_edid_names_its_preferred_size(void **state)
{
    uint8_t edid[EDID_SIZE];
    uint32_t width = 0, height = 0;

    (void)state;
    make_edid(edid, 2560, 1440);
    assert_true(edid_preferred_size(edid, &width, &height));
    assert_int_equal(width, 2560);
    assert_int_equal(height, 1440);
}

static void damaged_edids_name_none(void **state)
{
    uint8_t edid[EDID_SIZE];
    uint32_t width, height;

    (void)state;
    for (uint32_t i = 0; i < EDID_SIZE; i++) {
        make_edid(edid, 1920, 1080);
        edid[i] ^= 0x10;                /* whatever it is, the sum is wrong */
        assert_false(edid_preferred_size(edid, &width, &height));
    }
    make_edid(edid, 0, 1080);
    assert_false(edid_preferred_size(edid, &width, &height));
    make_edid(edid, 1920, 1080);
    edid[54] = 0;                       /* a descriptor that is no timing */
    edid[127]++;
    assert_false(edid_preferred_size(edid, &width, &height));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_list_usual_modes_fill_the_memory),
        cmocka_unit_test(the_hosts_maximum_bounds_usual_modes),
        cmocka_unit_test(a_users_mode_is_bounded_by_memory_alone),
        cmocka_unit_test(the_hosts_wish_comes_before_its_default),
        cmocka_unit_test(a_full_table_keeps_what_it_has),
        cmocka_unit_test(duplicates_and_odd_sizes_stay_out),
        cmocka_unit_test(memory_for_nothing_gives_an_empty_list),
        cmocka_unit_test(a_host_of_2008_has_16_bits_and_1600_by_1200),
        cmocka_unit_test(numbers_of_modes_come_back_as_sizes),
        cmocka_unit_test(sizes_are_read_from_text),
        cmocka_unit_test(an_edid_names_its_preferred_size),
        cmocka_unit_test(damaged_edids_name_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
