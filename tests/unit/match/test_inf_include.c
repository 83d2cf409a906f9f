/* SPDX-License-Identifier: BSD-3-Clause */
/* INF files that others include: found beside them, opened once, and none that leads astray. */
#include "tests/unit/match/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/inf_include.h"

#define HEAD "[Version]\nSignature=\"$WINDOWS NT$\"\n"

static struct inf_includes includes;
static struct problems problems;
static char *root;
static struct inf *inf;

static void put(const char *name, const char *text)
{
    char path[300];

    snprintf(path, sizeof path, "%s/%s", root, name);
    put_bytes(path, text, strlen(text));
}

/* The file "main.inf" with this text behind its head. */
static void open_main(const char *text)
{
    char path[300], whole[2000];

    snprintf(whole, sizeof whole, HEAD "%s", text);
    put("main.inf", whole);
    snprintf(path, sizeof path, "%s/main.inf", root);
    inf = inf_load(path, NULL, &problems);
    assert_non_null(inf);
}

static int setup(void **state)
{
    memset(&includes, 0, sizeof includes);
    memset(&problems, 0, sizeof problems);
    root = make_root();
    inf = NULL;
    return 0;
}

static int teardown(void **state)
{
    inf_includes_clear(&includes);
    inf_free(inf);
    problems_clear(&problems);
    remove_root(root);
    return 0;
}

static void a_file_beside_it_is_opened_once_whatever_its_case(void **state)
{
    const struct inf *file;

    open_main("[A]\nInclude=Base.inf\n");
    put("BASE.INF", HEAD "[B]\nx=y\n");
    file = inf_include(&includes, inf, "Base.inf", NULL, &problems);
    assert_non_null(file);
    assert_non_null(inf_section(file, "b"));
    assert_ptr_equal(inf_include(&includes, inf, "base.INF", NULL, &problems), file);
    assert_int_equal(includes.count, 1);
    assert_null(inf_include(&includes, inf, "absent.inf", NULL, &problems));
    assert_null(inf_include(&includes, inf, "absent.inf", NULL, &problems));
    assert_int_equal(includes.count, 2);
    assert_int_equal(problems.count, 0);
}

static void a_path_is_no_name_of_a_file(void **state)
{
    static const char *const bad[] = { "../main.inf", "/etc/passwd", "..\\main.inf", "sub/x.inf" };

    open_main("[A]\n");
    put("sub/x.inf", HEAD);
    for (size_t i = 0; i < 4; i++)
        assert_null(inf_include(&includes, inf, bad[i], NULL, &problems));
    assert_int_equal(problems.count, 4);
    put("x.inf", HEAD);
    assert_non_null(inf_include(&includes, inf, "x.inf", NULL, &problems));
}

static void what_is_no_inf_is_reported_and_not_used(void **state)
{
    open_main("[A]\n");
    put("bad.inf", "this is no INF\n");
    assert_null(inf_include(&includes, inf, "bad.inf", NULL, &problems));
    assert_true(problems.count > 0);
}

static void needed_sections_are_found_where_they_are(void **state)
{
    const struct inf_section *section;
    const struct inf *home;

    open_main("[A]\nInclude=one.inf,two.inf\nNeeds=First,Second,Third\n"
              "[Third]\n[Own]\nNeeds=Third\n");
    put("one.inf", HEAD "[First]\n");
    put("two.inf", HEAD "[Second]\n");
    section = inf_section(inf, "A");
    assert_non_null(inf_needed(&includes, inf, section, "first", NULL, NULL, &home));
    assert_non_null(strstr(home->path, "/one.inf"));
    assert_non_null(inf_needed(&includes, inf, section, "Second", NULL, NULL, &home));
    assert_non_null(strstr(home->path, "/two.inf"));
    assert_null(inf_needed(&includes, inf, section, "Third", NULL, NULL, &home));
    assert_null(home);
    assert_non_null(inf_needed(&includes, inf, inf_section(inf, "Own"), "Third", NULL, NULL,
                               &home));
    assert_ptr_equal(home, inf);
}

static void assert_service(const char *install, const char *wanted, const char *wanted_binary)
{
    char *service, *binary;

    inf_service_with_needs(&includes, inf, install, "amd64", NULL, &problems, &service, &binary);
    if (wanted == NULL) {
        assert_null(service);
        assert_null(binary);
    } else {
        assert_string_equal(service, wanted);
        assert_string_equal(binary, wanted_binary);
    }
    free(service);
    free(binary);
}

static void a_service_comes_from_the_section_that_is_needed(void **state)
{
    open_main("[X.NT.Services]\nInclude=base.inf\nNeeds=None,Base.Services\n"
              "[Y.Services]\nAddService=Own,2,Own.Service\nInclude=base.inf\nNeeds=Base.Services\n"
              "[Own.Service]\nServiceBinary=own.sys\n[Z.Services]\nInclude=absent.inf\nNeeds=Q\n");
    put("base.inf", HEAD "[Base.Services]\nInclude=deep.inf\nNeeds=Deep\n");
    put("deep.inf", HEAD "[Deep]\nAddService=Deep,2,S\n[S]\nServiceBinary=deep.sys\n");
    assert_service("X", "Deep", "deep.sys");
    assert_service("Y", "Own", "own.sys");
    assert_service("Z", NULL, NULL);
    assert_service("W", NULL, NULL);
}

static void files_that_include_each_other_come_to_an_end(void **state)
{
    open_main("[X.Services]\nInclude=loop.inf\nNeeds=L\n[M]\nInclude=loop.inf\nNeeds=L\n");
    put("loop.inf", HEAD "[L]\nInclude=main.inf\nNeeds=M\n");
    assert_service("X", NULL, NULL);
    assert_true(includes.count <= 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_file_beside_it_is_opened_once_whatever_its_case),
        TEST(a_path_is_no_name_of_a_file),
        TEST(what_is_no_inf_is_reported_and_not_used),
        TEST(needed_sections_are_found_where_they_are),
        TEST(a_service_comes_from_the_section_that_is_needed),
        TEST(files_that_include_each_other_come_to_an_end),
    };

    return cmocka_run_group_tests_name("INF includes", tests, NULL, NULL);
}
