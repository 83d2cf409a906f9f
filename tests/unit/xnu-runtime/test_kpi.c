/* SPDX-License-Identifier: BSD-3-Clause */
/* The smaller C interfaces: strings, numbers, mbufs, sysctl, UTF-8. */
#include "tests/unit/xnu-runtime/runtime_test.h"

#include "abi/constants.h"
#include "abi/kpi/bsd.h"
#include "abi/kpi/mbuf.h"
#include "abi/kpi/sysctl.h"

#include "xnu/bsd/kpi_string.h"
#include "xnu/bsd/mbuf_private.h"
#include "xnu/bsd/sysctl.h"

static void strings_are_bounded_body(void *argument)
{
    char text[8] = "abc", *rest = text;

    CHECK(kernel_strlcpy(text, "0123456789", 8) == 10 && strcmp(text, "0123456") == 0);
    CHECK(kernel_strlcat(strcpy(text, "ab"), "cdefghij", 8) == 10 && strcmp(text, "abcdefg") == 0);
    CHECK(kernel_strnlen("abc", 2) == 2 && kernel_strnlen("abc", 9) == 3);
    kernel_strncpy(text, "x", 8);
    CHECK(memcmp(text, "x\0\0\0\0\0\0\0", 8) == 0);
    CHECK(kernel_strncmp("abc", "abd", 2) == 0 && kernel_strncmp("abc", "abd", 3) < 0);
    CHECK(kernel_strcasecmp("HeLLo", "hEllO") == 0 && kernel_strncasecmp("ab", "AC", 1) == 0);
    CHECK(strcmp(kernel_strchr("a/b/c", '/'), "/b/c") == 0);
    CHECK(strcmp(kernel_strrchr("a/b/c", '/'), "/c") == 0 && kernel_strchr("abc", 'x') == NULL);
    strcpy(text, "a,b;c");
    CHECK(strcmp(kernel_strsep(&rest, ",;"), "a") == 0 &&
          strcmp(kernel_strsep(&rest, ",;"), "b") == 0);
    CHECK(strcmp(kernel_strsep(&rest, ",;"), "c") == 0 && kernel_strsep(&rest, ",;") == NULL);
    CHECK(kernel_strnstr(strcpy(text, "abcabd"), "abd", 7) == text + 3);
    CHECK(kernel_strnstr(text, "abd", 5) == NULL);
    CHECK(kernel_crc32(0, "123456789", 9) == 0xCBF43926);
}

static void strings_are_bounded(void **state)
{
    run_runtime(strings_are_bounded_body);
}

static void numbers_are_read_as_the_c_library_does_body(void *argument)
{
    static const char *const texts[] = {
        "0", "42", "-42", "+7", "  12x", "0x1F", "0xg", "017", "08", "", "-", "z",
        "9223372036854775808", "-9223372036854775809", "18446744073709551616", "7fffffffffffffff"
    };
    static const int bases[] = { 0, 10, 16, 8, 36 };

    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (unsigned b = 0; b < 5; b++) {
            char *ours, *theirs;
            CHECK(kernel_strtol(texts[i], &ours, bases[b]) == strtol(texts[i], &theirs, bases[b]));
            CHECK(ours == theirs);
            CHECK(kernel_strtoul(texts[i], &ours, bases[b]) ==
                  strtoul(texts[i], &theirs, bases[b]));
            CHECK(ours == theirs);
        }
    }
}

static void numbers_are_read_as_the_c_library_does(void **state)
{
    run_runtime(numbers_are_read_as_the_c_library_does_body);
}

/* ---- mbufs ---------------------------------------------------------------------------------- */

static mbuf_t packet_of(size_t size)
{
    mbuf_t packet;
    unsigned chunks = 0;

    CHECK(mbuf_allocpacket(MBUF_WAITOK, size, &chunks, &packet) == 0);
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(i * 3);
        mbuf_copyback(packet, i, 1, &byte, MBUF_WAITOK);
    }
    return packet;
}

static bool holds(mbuf_t packet, size_t size, size_t first)
{
    uint8_t byte;

    for (size_t i = 0; i < size; i++)
        if (mbuf_copydata(packet, i, 1, &byte) != 0 || byte != (uint8_t)((i + first) * 3))
            return false;
    return mbuf_copydata(packet, size, 1, &byte) != 0;
}

static void packets_are_copied_cut_and_extended_body(void *argument)
{
    mbuf_t packet = packet_of(40000), copy, rest;

    CHECK(mbuf_pkthdr_len(packet) == 40000 && mbuf_next(packet) != NULL);
    CHECK(mbuf_dup(packet, MBUF_WAITOK, &copy) == 0 && holds(copy, 40000, 0));
    mbuf_adj(copy, 100);
    mbuf_adj(copy, -900);
    CHECK(mbuf_pkthdr_len(copy) == 39000 && holds(copy, 39000, 100));
    CHECK(mbuf_split(copy, 20000, MBUF_WAITOK, &rest) == 0);
    CHECK(holds(copy, 20000, 100) && holds(rest, 19000, 20100));
    mbuf_freem(copy);
    mbuf_freem(rest);
    CHECK(mbuf_copym(packet, 10, 50, MBUF_WAITOK, &rest) == 0 && holds(rest, 50, 10));
    mbuf_freem(rest);
    CHECK(mbuf_copym(packet, 39990, 11, MBUF_WAITOK, &copy) != 0);
    CHECK(mbuf_copym(packet, 100, 39000, MBUF_WAITOK, &copy) == 0 && holds(copy, 39000, 100));
    CHECK(mbuf_data(copy) == (uint8_t *)mbuf_data(packet) + 100); /* clusters are shared */
    mbuf_freem(copy);
    CHECK(holds(packet, 40000, 0));
    CHECK(mbuf_prepend(&packet, 14, MBUF_WAITOK) == 0 && mbuf_pkthdr_len(packet) == 40014);
    CHECK(mbuf_pullup(&packet, 16000) == 0 && mbuf_len(packet) >= 16000);
    CHECK(mbuf_pkthdr_len(packet) == 40014);
    CHECK(mbuf_copyback(packet, 50000, 10, "0123456789", MBUF_WAITOK) == 0);
    CHECK(mbuf_pkthdr_len(packet) == 50010);
    CHECK(mbuf_pullup(&packet, 60000) != 0 && packet == NULL);   /* freed */
    CHECK(mbuf_count() == 0);
}

static void packets_are_copied_cut_and_extended(void **state)
{
    run_runtime(packets_are_copied_cut_and_extended_body);
}

/* Whether it comes from the pool or not. */
static void a_used_mbuf_is_like_a_new_one_body(void *argument)
{
    static const size_t sizes[] = { 10, 200, 2000, 4000, 16000, 60000 };

    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            mbuf_t packet = packet_of(sizes[i]);
            uint16_t tag;

            CHECK(holds(packet, sizes[i], 0) && mbuf_nextpkt(packet) == NULL);
            CHECK(mbuf_get_vlan_tag(packet, &tag) == 6 && mbuf_leadingspace(packet) == 0);
            mbuf_set_vlan_tag(packet, 7);
            mbuf_setnextpkt(packet, packet);
            mbuf_adj(packet, 5);
            mbuf_freem(packet);
        }
        CHECK(mbuf_count() == 0);
    }
}

static void a_used_mbuf_is_like_a_new_one(void **state)
{
    run_runtime(a_used_mbuf_is_like_a_new_one_body);
}

/* Memory that two share goes back once, when the second has gone. */
static void shared_memory_is_used_again_when_all_have_gone_body(void *argument)
{
    mbuf_t packet = packet_of(16000), copy, other;

    CHECK(mbuf_copym(packet, 0, 16000, MBUF_WAITOK, &copy) == 0);
    mbuf_freem(packet);
    other = packet_of(16000);
    CHECK(mbuf_data(other) != mbuf_data(copy) && holds(copy, 16000, 0));
    mbuf_freem(copy);
    CHECK(holds(other, 16000, 0));
    mbuf_freem(other);
    CHECK(mbuf_count() == 0);
}

static void shared_memory_is_used_again_when_all_have_gone(void **state)
{
    run_runtime(shared_memory_is_used_again_when_all_have_gone_body);
}

static void without_memory_there_is_no_mbuf_body(void *argument)
{
    mbuf_t packet = packet_of(2000);

    mbuf_freem(packet);
    for (uint64_t nth = 1; nth <= 3; nth++) { /* the mbuf, what describes its memory, the memory */
        machine_allocation_fail_at(nth, false);
        CHECK(mbuf_getpacket(MBUF_DONTWAIT, &packet) == 12 && machine_allocation_failed() == 1);
    }
    machine_allocation_fail_at(0, false);
    CHECK(mbuf_getpacket(MBUF_DONTWAIT, &packet) == 0);
    mbuf_freem(packet);
    CHECK(mbuf_count() == 0);
}

static void without_memory_there_is_no_mbuf(void **state)
{
    run_runtime(without_memory_there_is_no_mbuf_body);
}

static unsigned freed;

static void external_free(char *base, unsigned size, char *extra)
{
    CHECK(size == 100 && extra == (char *)&freed);
    freed++;
}

static void clusters_and_limits_body(void *argument)
{
    static char memory[100];
    mbuf_t m = NULL, packet;
    unsigned one = 1;

    CHECK(mbuf_getcluster(MBUF_WAITOK, MBUF_TYPE_DATA, 1234, &m) == 22);
    CHECK(mbuf_getcluster(MBUF_WAITOK, MBUF_TYPE_DATA, 4096, &m) == 0 && mbuf_maxlen(m) == 4096);
    CHECK(mbuf_data_to_physical(mbuf_data(m)) != 0);
    CHECK(mbuf_setdata(m, (char *)mbuf_data(m) + 4000, 97) == 22);
    CHECK(mbuf_setdata(m, (char *)mbuf_data(m) + 4000, 96) == 0 && mbuf_leadingspace(m) == 4000);
    CHECK(mbuf_allocpacket(MBUF_WAITOK, 20000, &one, &packet) == 55);
    CHECK(mbuf_setflags(m, 0x80000000) == 22);
    CHECK(mbuf_get_vlan_tag(m, (uint16_t *)memory) == 6);
    mbuf_set_vlan_tag(m, 42);
    CHECK(mbuf_get_vlan_tag(m, (uint16_t *)memory) == 0 && *(uint16_t *)memory == 42);
    mbuf_freem(m);
    m = NULL;
    CHECK(mbuf_attachcluster(MBUF_WAITOK, MBUF_TYPE_DATA, &m, memory, external_free, 100,
                             (char *)&freed) == 0);
    mbuf_freem(m);
    CHECK(freed == 1 && mbuf_count() == 0);
}

static void clusters_and_limits(void **state)
{
    run_runtime(clusters_and_limits_body);
}

/* ---- sysctl --------------------------------------------------------------------------------- */

static void free_pages_become_fewer_and_more_body(void *argument)
{
    enum { BYTES = 1 << 20, PAGES = BYTES / 4096 };
    unsigned before = 0, during = 0, after = 0;
    size_t size = sizeof before;

    CHECK(kernel_sysctlbyname("vm.page_free_count", &before, &size, NULL, 0) == 0 && size == 4);
    void *memory = machine_pages_allocate(BYTES, 0, MACHINE_NO_LIMIT);
    CHECK(kernel_sysctlbyname("vm.page_free_count", &during, &size, NULL, 0) == 0);
    machine_pages_release(memory, BYTES);
    CHECK(kernel_sysctlbyname("vm.page_free_count", &after, &size, NULL, 0) == 0);
    CHECK(before == during + PAGES && after == before);
    CHECK(kernel_sysctlbyname("vm.page_free_count", NULL, NULL, &before, 4) == 1);
}

static void free_pages_become_fewer_and_more(void **state)
{
    run_runtime(free_pages_become_fewer_and_more_body);
}

static int value = 5;
static char text[8] = "abc";
static struct sysctl_oid_list children;

static void sysctl_nodes_are_read_and_written_by_name_body(void *argument)
{
    struct sysctl_oid number = { &children, NULL, -1, (int)(CTLTYPE_INT | CTLFLAG_RW), &value, 0,
                                 "number", sysctl_handle_int, "I", "", 1, 0 };
    struct sysctl_oid constant = { &children, NULL, -1, (int)(CTLTYPE_INT | CTLFLAG_RD), NULL, 9,
                                   "constant", sysctl_handle_int, "I", "", 1, 0 };
    struct sysctl_oid string = { &children, NULL, -1, (int)(CTLTYPE_STRING | CTLFLAG_RW), text, 8,
                                 "string", sysctl_handle_string, "A", "", 1, 0 };
    struct sysctl_oid node = { &sysctl__debug_children, NULL, -1, (int)(CTLTYPE_NODE | CTLFLAG_RW),
                               &children, 0, "hyperv", NULL, "N", "", 1, 0 };
    int read = 0, written = 77;
    size_t size = sizeof read;
    char back[8];

    sysctl_register_oid(&node);
    sysctl_register_oid(&number);
    sysctl_register_oid(&constant);
    sysctl_register_oid(&string);
    CHECK(kernel_sysctlbyname("debug.hyperv.number", &read, &size, NULL, 0) == 0 && read == 5);
    CHECK(kernel_sysctlbyname("debug.hyperv.number", NULL, NULL, &written, 4) == 0 && value == 77);
    CHECK(kernel_sysctlbyname("debug.hyperv.constant", &read, &size, NULL, 0) == 0 && read == 9);
    CHECK(kernel_sysctlbyname("debug.hyperv.constant", NULL, NULL, &written, 4) == 1);
    CHECK(kernel_sysctlbyname("debug.hyperv", &read, &size, NULL, 0) == 21);
    CHECK(kernel_sysctlbyname("debug.hyperv.none", &read, &size, NULL, 0) == 2);
    size = 2;
    CHECK(kernel_sysctlbyname("debug.hyperv.string", back, &size, NULL, 0) == 12 && size == 4);
    size = 8;
    CHECK(kernel_sysctlbyname("debug.hyperv.string", back, &size, "12345678", 8) == 22);
    CHECK(kernel_sysctlbyname("debug.hyperv.string", back, &size, "new", 3) == 0);
    CHECK(strcmp(text, "new") == 0 && strcmp(back, "abc") == 0);
    sysctl_unregister_oid(&number);
    CHECK(kernel_sysctlbyname("debug.hyperv.number", &read, &size, NULL, 0) == 2);
}

static void sysctl_nodes_are_read_and_written_by_name(void **state)
{
    run_runtime(sysctl_nodes_are_read_and_written_by_name_body);
}

/* ---- UTF-8 ---------------------------------------------------------------------------------- */

static void names_are_converted_both_ways_body(void *argument)
{
    static const uint16_t wide[] = { 'a', 0xE9, 0x20AC, 0xD83D, 0xDE00 };
    static const uint16_t lone[] = { 0xD800, 'b' };
    uint8_t utf8[32];
    uint16_t back[16];
    size_t length;

    CHECK(utf8_encodestr(wide, sizeof wide, utf8, &length, sizeof utf8, 0, 0) == 0 && length == 10);
    CHECK(strcmp((char *)utf8, "a\u00e9\u20ac\U0001F600") == 0);
    CHECK(utf8_encodelen(wide, sizeof wide, 0, 0) == 10);
    CHECK(utf8_decodestr(utf8, 10, back, &length, sizeof back, 0, 0) == 0);
    CHECK(length == sizeof wide && memcmp(back, wide, sizeof wide) == 0);
    CHECK(utf8_encodestr(wide, sizeof wide, utf8, &length, 5, 0, 0) == 63 && length == 3 &&
          utf8[3] == 0);
    CHECK(utf8_encodestr(lone, sizeof lone, utf8, &length, sizeof utf8, 0, 0) == 0 && length == 4);
    CHECK(utf8_validatestr((const uint8_t *)"\xC0\x80", 2) == 22);
    CHECK(utf8_validatestr((const uint8_t *)"\xED\xA0\x80", 3) == 22);
    CHECK(utf8_validatestr((const uint8_t *)"\xF5\x80\x80\x80", 4) == 22);
    CHECK(utf8_validatestr((const uint8_t *)"\xE2\x82", 2) == 22);
    CHECK(utf8_validatestr(utf8, 4) == 0);
    CHECK(utf8_decodestr((const uint8_t *)"abc", 3, back, &length, 4, 0, 0) == 63 && length == 4);
}

static void names_are_converted_both_ways(void **state)
{
    run_runtime(names_are_converted_both_ways_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_bounded),
        cmocka_unit_test(numbers_are_read_as_the_c_library_does),
        cmocka_unit_test(packets_are_copied_cut_and_extended),
        cmocka_unit_test(a_used_mbuf_is_like_a_new_one),
        cmocka_unit_test(shared_memory_is_used_again_when_all_have_gone),
        cmocka_unit_test(without_memory_there_is_no_mbuf),
        cmocka_unit_test(clusters_and_limits),
        cmocka_unit_test(sysctl_nodes_are_read_and_written_by_name),
        cmocka_unit_test(free_pages_become_fewer_and_more),
        cmocka_unit_test(names_are_converted_both_ways),
    };
    return cmocka_run_group_tests_name("C interfaces", tests, NULL, NULL);
}
