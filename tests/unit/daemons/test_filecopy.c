/* SPDX-License-Identifier: BSD-3-Clause */
/* hvfilecopyd's file: names of every evil kind, links, what is in the way,
 * and nothing left behind. */
#include <signal.h>
#include <sys/resource.h>

#include "daemons/common/daemon.h"
#include "daemons/filecopy/target.h"
#include "protocol/utf16.h"
#include "tests/unit/daemons/scratch.h"

static struct target target;
static struct folder_root root;
static char base[128], journal[128];

static int setup(void **state)
{
    if (scratch_make(state) != 0 || mkdir(in_scratch("base"), 0755) != 0)
        return -1;
    strcpy(base, in_scratch("base"));
    strcpy(journal, in_scratch("journal"));
    root = (struct folder_root){ base, false };
    target_init(&target, &root, NULL);
    return 0;
}

static int teardown(void **state)
{
    target_cancel(&target);
    return scratch_remove(state);
}

static uint32_t begin(const char *path, uint32_t flags, uint64_t size)
{
    char copy[FILE_NAME_MAX];

    snprintf(copy, sizeof copy, "%s", path);
    return target_begin(&target, "source.txt", copy, flags, size);
}

static uint32_t copy(const char *path, uint32_t flags, const char *text)
{
    uint32_t size = (uint32_t)strlen(text);
    uint32_t status = begin(path, flags, size);

    if (status == IC_STATUS_OK && size > 0)
        status = target_write(&target, 0, text, size);
    return status == IC_STATUS_OK ? target_complete(&target) : status;
}

static void a_path_is_the_file_or_a_folder_for_it(void **state)
{
    assert_int_equal(copy("/file", 0, "hello"), IC_STATUS_OK);
    assert_int_equal(file_size("base/file"), 5);
    assert_int_equal(mkdir(in_scratch("base/folder"), 0755), 0);
    assert_int_equal(copy("/folder", 0, "hello!"), IC_STATUS_OK);
    assert_int_equal(file_size("base/folder/source.txt"), 6);
    assert_int_equal(copy("/folder/", IC_FILE_COPY_OVERWRITE, "hi"), IC_STATUS_OK);
    assert_int_equal(file_size("base/folder/source.txt"), 2);
    assert_int_equal(entries("base/folder"), 1);
}

static void windows_paths_are_understood(void **state)
{
    assert_int_equal(copy("C:\\new folder\\file", IC_FILE_COPY_CREATE_PATH, "x"), IC_STATUS_OK);
    assert_int_equal(file_size("base/new folder/file"), 1);
}

static void folders_are_made_only_when_asked(void **state)
{
    assert_int_equal(copy("/a/b/c/file", 0, "x"), IC_STATUS_FAIL);
    assert_int_equal(entries("base"), 0);
    assert_int_equal(copy("/a/b/c/file", IC_FILE_COPY_CREATE_PATH, "x"), IC_STATUS_OK);
    assert_int_equal(file_size("base/a/b/c/file"), 1);
}

static void paths_that_lead_elsewhere_are_refused(void **state)
{
    static const char *const bad[] = { "relative", "", "/..", "/../x", "/a/../x", "/a/./x", "/a/..",
                                       "C:relative", "\\..\\x", "//..//x", "C:\\..\\x" };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(copy(bad[i], IC_FILE_COPY_CREATE_PATH, "x"), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(entries("base"), 0);
    assert_int_equal(entries(""), 1);
    assert_int_equal(copy("/..x", 0, "x"), IC_STATUS_OK);       /* a good name all the same */
}

static void links_are_not_followed(void **state)
{
    assert_int_equal(mkdir(in_scratch("outside"), 0755), 0);
    assert_int_equal(symlink("../outside", in_scratch("base/link")), 0);
    put_file("outside/victim", "precious", 8);
    assert_int_equal(symlink("../outside/victim", in_scratch("base/direct")), 0);
    assert_int_equal(copy("/link/file", IC_FILE_COPY_CREATE_PATH, "x"), IC_STATUS_ACCESS_DENIED);
    assert_int_equal(copy("/link", 0, "x"), IC_STATUS_ACCESS_DENIED);
    assert_int_equal(copy("/direct", IC_FILE_COPY_OVERWRITE, "x"), IC_STATUS_ACCESS_DENIED);
    assert_int_equal(entries("outside"), 1);
    assert_int_equal(file_size("outside/victim"), 8);
}

static void devices_and_pipes_are_not_replaced(void **state)
{
    assert_int_equal(mkfifo(in_scratch("base/pipe"), 0600), 0);
    assert_int_equal(copy("/pipe", IC_FILE_COPY_OVERWRITE, "x"), IC_STATUS_ACCESS_DENIED);
    assert_int_equal(copy("/pipe/file", IC_FILE_COPY_OVERWRITE, "x"), IC_STATUS_FAIL);
    assert_int_equal(entries("base"), 1);
}

static void a_file_is_replaced_only_when_asked(void **state)
{
    put_file("base/file", "old", 3);
    assert_int_equal(copy("/file", 0, "newer"), IC_STATUS_FILE_EXISTS);
    assert_int_equal(file_size("base/file"), 3);
    assert_int_equal(copy("/file", IC_FILE_COPY_OVERWRITE, "newer"), IC_STATUS_OK);
    assert_int_equal(file_size("base/file"), 5);
    assert_int_equal(entries("base"), 1);
}

static void a_file_that_appears_during_the_copy_is_not_replaced(void **state)
{
    assert_int_equal(begin("/file", 0, 1), IC_STATUS_OK);
    put_file("base/file", "old", 3);
    assert_int_equal(target_write(&target, 0, "x", 1), IC_STATUS_OK);
    assert_int_equal(target_complete(&target), IC_STATUS_FILE_EXISTS);
    assert_int_equal(file_size("base/file"), 3);
    assert_int_equal(entries("base"), 1);
}

static void nothing_stands_in_the_place_before_the_end(void **state)
{
    put_file("base/file", "old", 3);
    assert_int_equal(begin("/file", IC_FILE_COPY_OVERWRITE, 2), IC_STATUS_OK);
    assert_int_equal(target_write(&target, 0, "n", 1), IC_STATUS_OK);
    assert_int_equal(file_size("base/file"), 3);
    target_cancel(&target);
    assert_int_equal(file_size("base/file"), 3);
    assert_int_equal(entries("base"), 1);
}

static void whatever_goes_wrong_leaves_nothing(void **state)
{
    assert_int_equal(begin("/file", 0, 10), IC_STATUS_OK);
    assert_int_equal(target_write(&target, 1, "x", 1), IC_STATUS_INVALID_ARGUMENT);    /* a gap */
    assert_int_equal(entries("base"), 0);
    assert_int_equal(target_write(&target, 0, "x", 1), IC_STATUS_FAIL);
    assert_int_equal(begin("/file", 0, 2), IC_STATUS_OK);
    assert_int_equal(target_write(&target, 0, "xxx", 3), IC_STATUS_INVALID_ARGUMENT); /* too much */
    assert_int_equal(entries("base"), 0);
    assert_int_equal(begin("/file", 0, 2), IC_STATUS_OK);
    assert_int_equal(target_write(&target, 0, "x", 1), IC_STATUS_OK);
    assert_int_equal(target_complete(&target), IC_STATUS_FAIL);                     /* too short */
    assert_int_equal(entries("base"), 0);
    assert_int_equal(begin("/file", 0, 2), IC_STATUS_OK);
    assert_int_equal(begin("/other", 0, 2), IC_STATUS_OK);                          /* begun anew */
    assert_int_equal(entries("base"), 1);
    target_cancel(&target);
    assert_int_equal(entries("base"), 0);
    assert_int_equal(copy("/file", 0, "xx"), IC_STATUS_OK);
}

static void more_than_the_disk_has_is_refused_at_once(void **state)
{
    assert_int_equal(begin("/file", 0, UINT64_C(1) << 60), IC_STATUS_DISK_FULL);
    assert_int_equal(entries("base"), 0);
}

static void a_disk_that_is_full_in_the_middle_leaves_nothing(void **state)
{
    static uint8_t bytes[6144];
    struct rlimit limit, before;
    uint32_t status = IC_STATUS_OK;
    uint64_t offset = 0;

    memset(bytes, 'x', sizeof bytes);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = 10 * sizeof bytes + 100;       /* the piece that passes it goes in part */
    assert_int_equal(begin("/file", 0, 100 * sizeof bytes), IC_STATUS_OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (; status == IC_STATUS_OK && offset < 100 * sizeof bytes; offset += sizeof bytes)
        status = target_write(&target, offset, bytes, sizeof bytes);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(status, IC_STATUS_DISK_FULL);
    assert_int_equal(offset, 11 * sizeof bytes);
    assert_int_equal(entries("base"), 0);
    assert_int_equal(copy("/file", 0, "xx"), IC_STATUS_OK);
}

static void zeroes_become_holes_of_the_right_length(void **state)
{
    static const uint8_t zeroes[6144];
    struct stat status;
    uint64_t offset;

    assert_int_equal(begin("/file", 0, 100 * sizeof zeroes), IC_STATUS_OK);
    for (offset = 0; offset < 100 * sizeof zeroes; offset += sizeof zeroes)
        assert_int_equal(target_write(&target, offset, zeroes, sizeof zeroes), IC_STATUS_OK);
    assert_int_equal(target_complete(&target), IC_STATUS_OK);
    assert_int_equal(stat(in_scratch("base/file"), &status), 0);
    assert_int_equal(status.st_size, 100 * sizeof zeroes);
    assert_true(status.st_blocks * 512 < 8192);
    assert_int_equal(copy("/empty", 0, ""), IC_STATUS_OK);
    assert_int_equal(file_size("base/empty"), 0);
}

/* Five gibibytes of zeroes and a byte: offsets that 32 bits do not hold. */
static void a_file_of_more_than_4_gib_is_whole(void **state)
{
    enum { PIECE = 64 << 20, PIECES = 80 };
    const uint64_t size = (uint64_t)PIECES * PIECE + 1;
    uint8_t *zeroes = calloc(1, PIECE), last = 0;
    uint32_t status = begin("/file", 0, size);
    FILE *file;

    if (status == IC_STATUS_DISK_FULL) {
        free(zeroes);
        print_message("not enough room for a file of 5 GiB\n");
        skip();
    }
    for (uint64_t i = 0; status == IC_STATUS_OK && i < PIECES; i++)
        status = target_write(&target, i * PIECE, zeroes, PIECE);
    free(zeroes);
    assert_int_equal(status, IC_STATUS_OK);
    assert_int_equal(target_write(&target, size - 1, "!", 1), IC_STATUS_OK);
    assert_int_equal(target_complete(&target), IC_STATUS_OK);
    assert_true(file_size("base/file") == (long)size);
    file = fopen(in_scratch("base/file"), "r");
    assert_non_null(file);
    assert_int_equal(fseeko(file, (off_t)size - 1, SEEK_SET), 0);
    assert_int_equal(fread(&last, 1, 1, file), 1);
    fclose(file);
    assert_int_equal(last, '!');
}

static void what_a_killed_daemon_left_is_removed_by_the_next(void **state)
{
    struct target killed;
    char path[] = "/folder/file";

    target_init(&killed, &root, journal);
    assert_int_equal(mkdir(in_scratch("base/folder"), 0755), 0);
    assert_int_equal(target_begin(&killed, "s", path, 0, 5), IC_STATUS_OK);
    assert_int_equal(target_write(&killed, 0, "x", 1), IC_STATUS_OK);
    assert_int_equal(entries("base/folder"), 1);
    close(killed.file);                 /* as when the process is gone */
    close(killed.folder);
    target_init(&target, &root, journal);
    assert_int_equal(entries("base/folder"), 0);
    assert_int_equal(file_size("journal"), -1);
}

static void a_journal_cannot_name_another_file(void **state)
{
    put_file("base/precious", "x", 1);
    put_file("journal", "/\nprecious\n", 11);
    target_init(&target, &root, journal);
    assert_int_equal(file_size("base/precious"), 1);
}

static void names_without_end_or_sense_are_refused(void **state)
{
    uint16_t units[IC_FILE_COPY_NAME_UNITS];
    char name[FILE_NAME_MAX];

    for (size_t i = 0; i < IC_FILE_COPY_NAME_UNITS; i++)
        units[i] = 'a';
    assert_false(file_name_read(units, IC_FILE_COPY_NAME_UNITS, name));        /* 260, no NUL */
    units[259] = 0;
    assert_true(file_name_read(units, IC_FILE_COPY_NAME_UNITS, name));
    assert_int_equal(strlen(name), 259);
    units[5] = 0xD800;
    assert_false(file_name_read(units, IC_FILE_COPY_NAME_UNITS, name));
    units[5] = 0xDC00;
    assert_false(file_name_read(units, IC_FILE_COPY_NAME_UNITS, name));
    units[0] = 0;
    assert_false(file_name_read(units, IC_FILE_COPY_NAME_UNITS, name));
    for (uint16_t control = 1; control <= 0x7F; control += control == 31 ? 96 : 1) {
        units[0] = control;
        units[1] = 0;
        assert_false(file_name_read(units, IC_FILE_COPY_NAME_UNITS, name));
    }
    units[0] = 0xD83D;
    units[1] = 0xDE00;
    units[2] = 0;
    assert_true(file_name_read(units, IC_FILE_COPY_NAME_UNITS, name));
    assert_string_equal(name, "\xF0\x9F\x98\x80");
    assert_false(file_name_is_plain("a/b"));
    assert_false(file_name_is_plain(".."));
    assert_false(file_name_is_plain(""));
}

static void a_name_that_is_too_long_for_the_disk_is_refused(void **state)
{
    char path[300];

    memset(path, 'a', sizeof path);
    path[0] = '/';
    path[257] = '\0';
    assert_int_equal(begin(path, 0, 1), IC_STATUS_INVALID_ARGUMENT);
    path[256] = '\0';
    assert_int_equal(begin(path, 0, 1), IC_STATUS_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_path_is_the_file_or_a_folder_for_it),
        TEST(windows_paths_are_understood),
        TEST(folders_are_made_only_when_asked),
        TEST(paths_that_lead_elsewhere_are_refused),
        TEST(links_are_not_followed),
        TEST(devices_and_pipes_are_not_replaced),
        TEST(a_file_is_replaced_only_when_asked),
        TEST(a_file_that_appears_during_the_copy_is_not_replaced),
        TEST(nothing_stands_in_the_place_before_the_end),
        TEST(whatever_goes_wrong_leaves_nothing),
        TEST(more_than_the_disk_has_is_refused_at_once),
        TEST(a_disk_that_is_full_in_the_middle_leaves_nothing),
        TEST(zeroes_become_holes_of_the_right_length),
        TEST(a_file_of_more_than_4_gib_is_whole),
        TEST(what_a_killed_daemon_left_is_removed_by_the_next),
        TEST(a_journal_cannot_name_another_file),
        TEST(names_without_end_or_sense_are_refused),
        TEST(a_name_that_is_too_long_for_the_disk_is_refused),
    };

    return cmocka_run_group_tests_name("filecopy", tests, NULL, NULL);
}
