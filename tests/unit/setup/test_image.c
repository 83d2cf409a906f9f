/* SPDX-License-Identifier: BSD-3-Clause */
/* Disk images: every kind of .dmg becomes a VHD or VHDX that holds the same bytes; the rest is
 * refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dmg_maker.h"
#include "setup/child.h"
#include "setup/disk_image.h"
#include "setup/dmg.h"
#include "setup/efi_image.h"
#include "setup/files.h"
#include "setup/gpt.h"
#include "setup/installer_image.h"
#include "setup/recovery.h"
#include "setup/sha256.h"
#include "setup/text.h"

enum { DISK_SIZE = 3 * (1 << 20) + 512 * 77 };

static char *work;
static uint8_t *disk;

static int make_work(void **state)
{
    struct setup_error error;
    const char *temporary = getenv("TMPDIR");
    work = folder_stage(temporary == NULL ? "/tmp" : temporary, &error);
    disk = make_disk(DISK_SIZE);
    return work == NULL;
}

static int remove_work(void **state)
{
    folder_remove(work);
    free(work);
    free(disk);
    return 0;
}

static char *write_dmg(const char *name, const struct dmg_recipe *recipe)
{
    char *path = path_join(work, name);
    make_dmg(path, recipe);
    return path;
}

static bool convert(const char *dmg, const char *output, struct setup_error *error)
{
    struct report report = {0};
    bool ok = installer_image(dmg, output, &report, error);
    report_free(&report);
    return ok;
}

/* Reads an image back through qemu-img. */
static char *read_back(const char *image, size_t *size)
{
    struct setup_error error = {""};
    char *raw = path_join(work, "back.raw");
    char *bytes = NULL;
    if (!disk_to_raw(image, raw, &error) || !file_read(raw, 64 << 20, &bytes, size, &error)) {
        fail_msg("%s", error.text);
    }
    unlink(raw);
    free(raw);
    return bytes;
}

/* The volume of `make_disk` must lie in the first partition of the image. */
static void assert_holds_the_volume(const char *image)
{
    size_t size = 0;
    char *bytes = read_back(image, &size);
    assert_int_equal(size % DISK_ALIGNMENT, 0);
    assert_memory_equal(bytes + 512, "EFI PART", 8);
    assert_memory_equal(bytes + 1024, gpt_type_hfs, 16);
    assert_true(size >= GPT_FIRST_SECTOR * SECTOR + DISK_SIZE);
    assert_memory_equal(bytes + GPT_FIRST_SECTOR * SECTOR, disk, DISK_SIZE);
    assert_memory_equal(bytes + size - SECTOR, "EFI PART",
                        8); /* the backup is in the last sector */
    free(bytes);
}

static void every_kind_becomes_a_disk_with_the_same_content(void **state)
{
    static const struct {
        uint32_t type;
        const char *kind;
    } kinds[] = {{DMG_RAW, "UDRO"},
                 {DMG_ZLIB, "UDZO"},
                 {DMG_BZIP2, "UDBZ"},
                 {DMG_ADC, "UDCO"},
                 {DMG_LZMA, "ULMO"}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (int vhd = 0; vhd < 2; vhd++) {
            struct setup_error error = {""};
            struct dmg dmg;
            struct dmg_recipe recipe = {.type = kinds[i].type, .disk = disk, .size = DISK_SIZE};
            char *path = write_dmg("in.dmg", &recipe);
            char *output = path_join(work, vhd ? "out.vhd" : "out.vhdx");
            assert_true(dmg_open(&dmg, path, &error));
            assert_string_equal(dmg.kind, kinds[i].kind);
            dmg_close(&dmg);
            if (!convert(path, output, &error)) {
                fail_msg("%s: %s", kinds[i].kind, error.text);
            }
            assert_true(disk_is_dense(output));
            assert_holds_the_volume(output);
            unlink(output);
            free(output);
            free(path);
        }
    }
}

static void a_raw_image_becomes_a_disk_too(void **state)
{
    struct setup_error error = {""};
    char *path = path_join(work, "raw.dmg"), *output = path_join(work, "raw.vhdx");
    assert_true(file_write(path, disk, DISK_SIZE, &error));
    assert_true(convert(path, output, &error));
    assert_holds_the_volume(output);
    free(path);
    free(output);
}

static void our_images_are_read_the_same_by_qemu(void **state)
{
    struct setup_error error = {""};
    struct dmg_recipe recipe = {.type = DMG_ZLIB, .disk = disk, .size = DISK_SIZE};
    char *path = write_dmg("qemu.dmg", &recipe), *raw = path_join(work, "qemu.raw");
    char *command[] = {"qemu-img", "convert", "-f", "dmg", "-O", "raw", path, raw, NULL};
    if (!run_program(command, &error)) {
        print_message("# this qemu-img reads no dmg: %s\n", error.text);
        skip();
    }
    char *bytes = NULL;
    size_t size = 0;
    assert_true(file_read(raw, 64 << 20, &bytes, &size, &error));
    assert_true(size >= DISK_SIZE);
    assert_memory_equal(bytes, disk, DISK_SIZE);
    free(bytes);
    free(path);
    free(raw);
}

static void a_whole_disk_keeps_its_table_and_gets_its_backup_moved(void **state)
{
    enum { SIZE = (2 << 20) + 512 * 100 };
    struct setup_error error = {""};
    char *path = path_join(work, "gpt.dmg"), *output = path_join(work, "gpt.vhdx");
    int image = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    struct gpt_partition partition = {.first = 64, .last = 1000};
    memcpy(partition.type, gpt_type_hfs, 16);
    assert_int_equal(ftruncate(image, SIZE), 0);
    assert_true(gpt_write(image, SIZE / SECTOR, &partition, "volume", &error));
    close(image);
    assert_true(convert(path, output, &error));
    char *raw = path_join(work, "gpt.raw");
    assert_true(disk_to_raw(output, raw, &error));
    image = open(raw, O_RDONLY);
    struct stat status;
    assert_int_equal(fstat(image, &status), 0);
    assert_int_equal(status.st_size, 3 << 20);
    assert_true(gpt_present(image, (uint64_t)status.st_size / SECTOR));
    close(image);
    char *verify[] = {"sgdisk", "-v", raw, NULL};
    struct setup_error complaint = {""};
    if (!run_program(verify, &complaint) && strstr(complaint.text, "not installed") == NULL) {
        fail_msg("%s", complaint.text);
    }
    free(raw);
    free(path);
    free(output);
}

static void assert_refused(const char *path, const char *words)
{
    struct setup_error error = {""};
    char *output = path_join(work, "refused.vhdx");
    if (convert(path, output, &error) || strstr(error.text, words) == NULL) {
        fail_msg("wanted \"%s\", got \"%s\"", words, error.text);
    }
    assert_false(file_exists(output));
    free(output);
}

static void refuse_recipe(const struct dmg_recipe *recipe, const char *words)
{
    char *path = write_dmg("refused.dmg", recipe);
    assert_refused(path, words);
    free(path);
}

static void kinds_that_cannot_be_read_are_refused_by_name(void **state)
{
    struct setup_error error;
    refuse_recipe(&(struct dmg_recipe){.type = DMG_LZFSE, .disk = disk, .size = DISK_SIZE}, "ULFO");
    refuse_recipe(&(struct dmg_recipe){.type = 0x80000099, .disk = disk, .size = DISK_SIZE},
                  "80000099");
    refuse_recipe(
        &(struct dmg_recipe){.type = DMG_ZLIB, .disk = disk, .size = DISK_SIZE, .segments = 3},
        "3 segments");
    static const struct {
        const char *start, *words;
    } starts[] = {{"encrcdsa", "encrypted"},
                  {"sprs....", "sparse image"},
                  {"xar!....", "package"},
                  {"hello...", "not a disk image"}};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        char block[1024] = "";
        memcpy(block, starts[i].start, 8);
        char *path = path_join(work, "start.dmg");
        assert_true(file_write(path, block, sizeof block, &error));
        assert_refused(path, starts[i].words);
        free(path);
    }
    assert_refused(work, "folder");
    assert_refused("/nonexistent/x.dmg", "No such file");
}

static void damaged_images_are_refused_and_leave_nothing(void **state)
{
    struct dmg_recipe good = {.type = DMG_ZLIB, .disk = disk, .size = DISK_SIZE};
    struct dmg_recipe bad = good;
    bad.wrong_sum = 1;
    refuse_recipe(&bad, "checksum");
    bad = good;
    bad.sector_shift = 1 << 20;
    refuse_recipe(&bad, "tables are damaged");
    bad = good;
    bad.sector_shift = UINT64_MAX - 5;
    refuse_recipe(&bad, "tables are damaged");
    bad = good;
    bad.length_shift = UINT64_MAX / 2;
    refuse_recipe(&bad, "tables are damaged");
    bad = good;
    bad.length_shift = (uint64_t)-40;
    refuse_recipe(&bad, "damaged");

    /* And the next good one works. */
    struct setup_error error = {""};
    char *path = write_dmg("good.dmg", &good), *output = path_join(work, "good.vhdx");
    assert_true(convert(path, output, &error));
    free(path);
    free(output);
}

/* Every byte of tables and trailer broken in turn: decoded or refused, never a crash. */
static void any_damage_to_the_tables_is_survived(void **state)
{
    struct setup_error error = {""};
    struct dmg_recipe recipe = {.type = DMG_ADC, .disk = disk, .size = 1 << 19};
    char *path = write_dmg("fuzz.dmg", &recipe), *output = path_join(work, "fuzz.raw");
    char *bytes = NULL;
    size_t size = 0;
    assert_true(file_read(path, 16 << 20, &bytes, &size, &error));
    uint32_t random = 3;
    for (int i = 0; i < 300; i++) {
        random = random * 1664525 + 1013904223;
        size_t at = i % 3 == 0 ? random % size : size - 1 - random % (i % 3 == 1 ? 512 : 2048);
        char old = bytes[at];
        bytes[at] = (char)(random >> 20);
        FILE *file = fopen(path, "wb");
        fwrite(bytes, 1, size, file);
        fclose(file);
        struct dmg dmg;
        if (dmg_open(&dmg, path, &error)) {
            int to = open(output, O_RDWR | O_CREAT | O_TRUNC, 0644);
            if (dmg.sectors < 1 << 16) {
                dmg_decode(&dmg, to, 0, &error);
            }
            close(to);
            dmg_close(&dmg);
        }
        bytes[at] = old;
    }
    free(bytes);
    free(path);
    free(output);
}

static void write_chunklist(const char *path, const char *image, bool wrong)
{
    enum { CHUNK = 1 << 20 };
    struct setup_error error;
    char *bytes = NULL;
    size_t size = 0;
    struct text list = {0};
    assert_true(file_read(image, 64 << 20, &bytes, &size, &error));
    uint64_t count = (size + CHUNK - 1) / CHUNK, offset = 0x24;
    static const uint8_t head[12] = {'C', 'N', 'K', 'L', 0x24, 0, 0, 0, 1, 1, 2, 0};
    text_add(&list, head, sizeof head);
    text_add(&list, &count, 8);
    text_add(&list, &offset, 8);
    uint64_t signature = 0x24 + count * 36;
    text_add(&list, &signature, 8);
    for (size_t at = 0; at < size; at += CHUNK) {
        uint32_t part = size - at < CHUNK ? (uint32_t)(size - at) : CHUNK;
        struct sha256 hash;
        uint8_t digest[SHA256_SIZE];
        sha256_start(&hash);
        sha256_add(&hash, bytes + at, part);
        sha256_finish(&hash, digest);
        digest[0] ^= wrong;
        text_add(&list, &part, 4);
        text_add(&list, digest, sizeof digest);
    }
    assert_true(file_write(path, list.bytes, list.length, &error));
    text_free(&list);
    free(bytes);
}

static void a_recovery_image_is_compared_with_its_chunklist(void **state)
{
    struct setup_error error = {""};
    struct dmg_recipe recipe = {.type = DMG_ZLIB, .disk = disk, .size = DISK_SIZE};
    char *dmg = write_dmg("BaseSystem.dmg", &recipe);
    char *list = path_join(work, "BaseSystem.chunklist"),
         *output = path_join(work, "recovery.vhdx");
    write_chunklist(list, dmg, true);
    assert_refused(dmg, "piece 1 of");
    write_chunklist(list, dmg, false);
    assert_true(convert(dmg, output, &error));
    assert_holds_the_volume(output);
    FILE *file = fopen(dmg, "ab");
    fputc('x', file);
    fclose(file);
    assert_refused(dmg, "longer than");
    assert_true(file_write(list, "CNKLnonsense", 12, &error));
    assert_refused(dmg, "not a chunklist");
    unlink(list);
    free(dmg);
    free(list);
    free(output);
}

static void an_efi_disk_holds_the_recovery_image_beside_efi(void **state)
{
    struct setup_error error = {""};
    struct report report = {0};
    struct dmg_recipe recipe = {.type = DMG_ZLIB, .disk = disk, .size = DISK_SIZE};
    char *dmg = write_dmg("Base.dmg", &recipe);
    char *list = path_join(work, "Base.chunklist"), *folder = path_join(work, "efi-disk");
    char *oc = path_join(folder, "EFI/OC"), *config = path_join(oc, "config.plist");
    char *image = path_join(work, "efi.vhdx"), *raw = path_join(work, "efi.raw");
    assert_false(recovery_copy(dmg, folder, &report, &error)); /* no chunklist beside it */
    write_chunklist(list, dmg, false);
    assert_true(folder_make(oc, &error) && file_write(config, "<dict/>", 7, &error));
    assert_true(recovery_copy(dmg, folder, &report, &error));
    if (!efi_image_write(folder, image, &report, &error)) {
        fail_msg("%s", error.text);
    }
    assert_true(disk_to_raw(image, raw, &error));
    char *volume = format_string("%s@@1048576", raw), *copy = path_join(work, "copy.dmg");
    char *command[] = {"mcopy", "-n", "-i", volume, "::/com.apple.recovery.boot/BaseSystem.dmg",
                       copy,    NULL};
    assert_true(run_program(command, &error));
    char *left = NULL, *right = NULL;
    size_t left_size = 0, right_size = 0;
    assert_true(file_read(dmg, 64 << 20, &left, &left_size, &error));
    assert_true(file_read(copy, 64 << 20, &right, &right_size, &error));
    assert_int_equal(left_size, right_size);
    assert_memory_equal(left, right, left_size);
    report_free(&report);
    char *all[] = {dmg, list, folder, oc, config, image, raw, volume, copy, left, right};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        free(all[i]);
    }
}

static void sha_256_gives_the_digests_of_the_standard(void **state)
{
    static const struct {
        const char *text, *digest;
    } cases[] = {{"abc", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"},
                 {"", "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"},
                 {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                  "248D6A61D20638B8E5C026930C3E6039A33CE45964FF2167F6ECEDD419DB06C1"}};
    for (size_t i = 0; i < 3; i++) {
        struct sha256 hash;
        uint8_t digest[SHA256_SIZE];
        sha256_start(&hash);
        sha256_add(&hash, cases[i].text, strlen(cases[i].text));
        sha256_finish(&hash, digest);
        char *hex = hex_encode(digest, sizeof digest);
        assert_string_equal(hex, cases[i].digest);
        free(hex);
    }
}

static void an_image_that_exists_is_kept(void **state)
{
    struct setup_error error = {""};
    char *path = path_join(work, "raw2.dmg"), *output = path_join(work, "kept.vhdx"),
         *backup = NULL;
    assert_true(file_write(path, disk, DISK_SIZE, &error));
    assert_true(file_write(output, "precious", 8, &error));
    char *raw = path_join(work, "kept.raw");
    assert_true(file_write(raw, disk, 1 << 20, &error));
    assert_true(disk_from_raw(raw, output, &backup, &error));
    assert_non_null(backup);
    char *bytes = NULL;
    size_t size = 0;
    assert_true(file_read(backup, 100, &bytes, &size, &error));
    assert_string_equal(bytes, "precious");
    free(bytes);
    free(backup);
    free(raw);
    free(path);
    free(output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_becomes_a_disk_with_the_same_content),
        cmocka_unit_test(a_raw_image_becomes_a_disk_too),
        cmocka_unit_test(our_images_are_read_the_same_by_qemu),
        cmocka_unit_test(a_whole_disk_keeps_its_table_and_gets_its_backup_moved),
        cmocka_unit_test(kinds_that_cannot_be_read_are_refused_by_name),
        cmocka_unit_test(damaged_images_are_refused_and_leave_nothing),
        cmocka_unit_test(any_damage_to_the_tables_is_survived),
        cmocka_unit_test(a_recovery_image_is_compared_with_its_chunklist),
        cmocka_unit_test(an_efi_disk_holds_the_recovery_image_beside_efi),
        cmocka_unit_test(sha_256_gives_the_digests_of_the_standard),
        cmocka_unit_test(an_image_that_exists_is_kept),
    };
    return cmocka_run_group_tests(tests, make_work, remove_work);
}
