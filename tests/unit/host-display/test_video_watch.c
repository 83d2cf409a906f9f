/* SPDX-License-Identifier: BSD-3-Clause */
/* Which rows of the picture lie in memory that was written, when the monitor is asked; the sizes
 * that are offered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/devices/video.h"
#include "host/devices/video_watch.h"

static void rows_are_found_in_blocks(void **state)
{
    static const struct {
        uint64_t written;
        uint32_t offset, pitch, height, from, top, bottom;
        bool found;
    } rows[] = {
        {0, 0, 4096, 768, 0, 0, 0, false},
        {1, 0, 4096, 768, 0, 0, 16, true},
        {1, 0, 4096, 768, 16, 0, 0, false},
        {5, 0, 4096, 768, 16, 32, 48, true},
        {1ull << 47, 0, 4096, 768, 0, 752, 768, true},
        {1ull << 48, 0, 4096, 768, 0, 0, 0, false},     /* below the picture */
        {2, 0, 7680, 1080, 0, 8, 18, true},             /* rows that reach into it */
        {1, 65536, 4096, 768, 0, 0, 0, false},          /* above it */
        {2, 65536, 4096, 768, 0, 0, 16, true},
        {2, 0, 200000, 3, 0, 0, 1, true},               /* rows longer than a block */
        {UINT64_MAX, 0, 4096, 1, 0, 0, 1, true},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t bits[2] = {rows[i].written};
        uint32_t top = rows[i].from, bottom = 0;
        assert_int_equal(video_watch_rows(bits, 128, rows[i].offset, rows[i].pitch,
                                          rows[i].height, &top, &bottom),
                         rows[i].found);
        if (rows[i].found) {
            assert_int_equal(top, rows[i].top);
            assert_int_equal(bottom, rows[i].bottom);
        }
    }
}

static void expect_limit(uint32_t width, uint32_t height, unsigned count, unsigned megabytes)
{
    struct video_settings settings;
    video_default_settings(SYNTHVID_VERSION_3_5, &settings);
    video_limit_settings(&settings, width, height);
    assert_int_equal(settings.resolution_count, count);
    assert_int_equal(settings.resolutions[count - 1].width, width);
    assert_int_equal(settings.resolutions[count - 1].height, height);
    assert_int_equal(settings.vram_megabytes, megabytes);
    for (unsigned i = 0; i < count; i++) {
        assert_true(settings.resolutions[i].width <= width);
        assert_true(settings.resolutions[i].height <= height);
    }
}

static void the_list_ends_with_the_largest_screen(void **state)
{
    struct video_settings settings;
    expect_limit(1024, 768, 1, 8);
    expect_limit(1440, 900, 5, 8);      /* 1024x768, 1152x864, 1280x720, 1366x768 and itself */
    expect_limit(3840, 2160, 14, 32);
    expect_limit(7680, 4320, 15, 128);
    video_default_settings(SYNTHVID_VERSION_3_2, &settings);
    video_limit_settings(&settings, 1440, 900);
    assert_int_equal(settings.resolution_count, 0);
}

static void every_state_knows_when_to_ask(void **state)
{
    struct video_watch watch = {.state = VIDEO_WATCH_OFF};
    assert_int_equal(video_watch_deadline(&watch), 0);
    video_watch_written(&watch);
    assert_int_equal(watch.state, VIDEO_WATCH_OFF);
    video_watch_answered(&watch, 0); /* nobody asked */
    assert_int_equal(watch.state, VIDEO_WATCH_OFF);
    video_watch_asked(&watch, 5);
    assert_int_equal(video_watch_deadline(&watch), UINT64_MAX);
    video_watch_written(&watch); /* the answer says it, too */
    video_watch_answered(&watch, 0);
    assert_int_equal(watch.state, VIDEO_WATCH_QUIET);
    video_watch_written(&watch);
    assert_int_equal(video_watch_deadline(&watch), 5 + VIDEO_WATCH_PERIOD_NS);
    video_watch_stop(&watch);
    assert_int_equal(video_watch_deadline(&watch), 0);
    video_watch_asked(&watch, 6);
    video_watch_answered(&watch, -1);
    assert_int_equal(video_watch_deadline(&watch), UINT64_MAX);
    assert_true(watch.refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_found_in_blocks),
        cmocka_unit_test(every_state_knows_when_to_ask),
        cmocka_unit_test(the_list_ends_with_the_largest_screen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
