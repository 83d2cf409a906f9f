/* SPDX-License-Identifier: BSD-3-Clause */
/* Editing a configuration changes what is asked for and nothing else. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "setup/text.h"

static const char small[] = "<?xml version=\"1.0\"?>\n"
                            "<!-- before -->\n"
                            "<plist version=\"1.0\">\n"
                            "<dict>\n"
                            "\t<key>#Mine</key>\n"
                            "\t<string>a &lt;b&gt; &amp; c</string>\n"
                            "\t<key>Booter</key>\n"
                            "\t<dict>\n"
                            "\t\t<!-- keep me -->\n"
                            "\t\t<key>Alpha</key>\n"
                            "\t\t<false/>\n"
                            "\t\t<key>Unknown</key><real>1.5</real>\n"
                            "\t</dict>\n"
                            "\t<key>List</key>\n"
                            "\t<array/>\n"
                            "</dict>\n"
                            "</plist>\n"
                            "<!-- after -->\n";

static struct config_document *parse(const char *text)
{
    struct setup_error error;
    struct config_document *document = config_parse(text, strlen(text), &error);
    if (document == NULL) {
        fail_msg("%s", error.text);
    }
    return document;
}

static void assert_text(const struct config_document *document, const char *expected)
{
    size_t size = 0;
    assert_string_equal(config_text(document, &size), expected);
    assert_int_equal(size, strlen(expected));
}

/* `text` with the first `from` replaced by `to`; the caller frees it. */
static char *replaced(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    assert_non_null(at);
    return format_string("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void values_are_read_by_path(void **state)
{
    struct config_document *document = parse(small);
    char *text = config_string(document, config_find(document, "#Mine"));
    assert_string_equal(text, "a <b> & c");
    free(text);
    assert_false(config_boolean(document, config_find(document, "Booter->Alpha")));
    assert_int_equal(config_find(document, "Booter->Beta"), CONFIG_NONE);
    assert_int_equal(config_find(document, "List[0]"), CONFIG_NONE);
    assert_int_equal(config_find(document, "#Mine->Deeper"), CONFIG_NONE);
    assert_int_equal(config_line(document, config_find(document, "Booter->Alpha")), 11);
    config_free(document);
}

static void setting_a_value_changes_its_bytes_alone(void **state)
{
    struct config_document *document = parse(small);
    assert_true(config_set(document, "Booter->Alpha", CONFIG_BOOLEAN, "true"));
    char *expected = replaced(small, "<false/>", "<true/>");
    assert_text(document, expected);
    free(expected);
    config_free(document);
}

static void a_new_key_takes_its_place_in_the_alphabet(void **state)
{
    struct config_document *document = parse(small);
    assert_true(config_set(document, "Booter->Beta", CONFIG_STRING, "1 < 2"));
    char *expected = replaced(small, "\t\t<key>Unknown</key>",
                              "\t\t<key>Beta</key>\n\t\t<string>1 &lt; 2</string>\n"
                              "\t\t<key>Unknown</key>");
    assert_text(document, expected);
    free(expected);
    config_free(document);
}

static void missing_dictionaries_are_made(void **state)
{
    struct config_document *document = parse(small);
    assert_true(config_set(document, "Kernel->Quirks->One", CONFIG_INTEGER, "-1"));
    int64_t value = 0;
    assert_true(config_integer(document, config_find(document, "Kernel->Quirks->One"), &value));
    assert_int_equal(value, -1);
    assert_false(config_set(document, "#Mine->Deeper", CONFIG_INTEGER, "1"));
    assert_false(config_set(document, "List[3]->Deeper", CONFIG_INTEGER, "1"));
    config_free(document);
}

static void entries_are_appended_moved_and_removed(void **state)
{
    struct config_document *document = parse(small);
    for (int i = 0; i < 3; i++) {
        char name[2] = {(char)('a' + i), '\0'};
        struct config_field field = {"Name", CONFIG_STRING, name};
        assert_true(config_append(document, "List", &field, 1));
    }
    assert_true(config_move(document, "List", 2, 0));
    assert_true(
        config_equals(document, config_find(document, "List[0]->Name"), CONFIG_STRING, "c"));
    assert_true(
        config_equals(document, config_find(document, "List[1]->Name"), CONFIG_STRING, "a"));
    assert_true(
        config_equals(document, config_find(document, "List[2]->Name"), CONFIG_STRING, "b"));
    assert_false(config_move(document, "List", 0, 2));
    config_remove(document, config_find(document, "List[0]"));
    config_remove(document, config_find(document, "List[0]"));
    char *expected =
        replaced(small, "<array/>",
                 "<array>\n\t\t<dict>\n\t\t\t<key>Name</key>\n\t\t\t<string>b</string>\n"
                 "\t\t</dict>\n\t</array>");
    assert_text(document, expected);
    free(expected);
    config_free(document);
}

static void windows_line_ends_stay(void **state)
{
    struct config_document *document =
        parse("<plist>\r\n<dict>\r\n\t<key>B</key>\r\n\t<true/>\r\n</dict>\r\n</plist>\r\n");
    assert_true(config_set(document, "A", CONFIG_DATA, "5F484944"));
    assert_text(document, "<plist>\r\n<dict>\r\n\t<key>A</key>\r\n\t<data>X0hJRA==</data>\r\n"
                          "\t<key>B</key>\r\n\t<true/>\r\n</dict>\r\n</plist>\r\n");
    config_free(document);
}

static void the_sample_survives_an_edit_and_its_reversal(void **state)
{
    char *path = format_string("%s/tests/fixtures/setup/Sample.plist", getenv("MACHV_SOURCE_ROOT"));
    struct config_document *document = parse_file(path);
    size_t size = 0;
    char *before = copy_string(config_text(document, &size));
    const char *key = "Kernel->Quirks->ProvideCurrentCpuInfo";
    assert_true(config_set(document, key, CONFIG_BOOLEAN, "true"));
    assert_true(config_set(document, "Kernel->Quirks->NewKey", CONFIG_BOOLEAN, "true"));
    config_remove(document, config_find(document, "Kernel->Quirks->NewKey"));
    assert_true(config_set(document, key, CONFIG_BOOLEAN, "false"));
    assert_text(document, before);
    free(before);
    config_free(document);
    free(path);
}

static void what_is_no_configuration_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text;
        const char *line;
    } broken[] = {
        {"", "ends too early"},
        {"hello", "text where a tag"},
        {"<plist><array/></plist>", "not a property list with a dictionary"},
        {"<plist><dict>", "ends too early"},
        {"<plist>\n<dict>\n<key>A</key>\n</dict></plist>", "line 4"},
        {"<plist>\n<dict>\n<true/></dict></plist>", "line 3: a value without a key"},
        {"<plist><dict><key>A</key><string>x</integer></dict></plist>", "does not fit"},
        {"<plist><dict><key>A</key><nonsense/></dict></plist>", "no place"},
        {"<plist><dict/>", "missing"},
        {"<plist><dict><key>A", "too early"},
        {"<!-- open", "never ends"},
        {"bplist00", "text where a tag"},
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct setup_error error = {""};
        struct config_document *document =
            config_parse(broken[i].text, strlen(broken[i].text), &error);
        if (document != NULL || strstr(error.text, broken[i].line) == NULL) {
            fail_msg("\"%s\": \"%s\"", broken[i].text, error.text);
        }
    }
    struct setup_error error;
    assert_null(config_parse("<dict>\0</dict>", 14, &error));
}

static void limits_hold(void **state)
{
    struct setup_error error;
    struct text deep = {0};
    for (int i = 0; i < 40; i++) {
        text_add_string(&deep, "<dict><key>a</key>");
    }
    assert_null(config_parse(deep.bytes, deep.length, &error));
    assert_non_null(strstr(error.text, "nested deeper"));
    text_free(&deep);
    struct text wide = {0};
    text_add_string(&wide, "<dict><key>a</key><array>");
    for (int i = 0; i <= CONFIG_CHILDREN_MAX; i++) {
        text_add_string(&wide, "<true/>");
    }
    text_add_string(&wide, "</array></dict>");
    assert_null(config_parse(wide.bytes, wide.length, &error));
    assert_non_null(strstr(error.text, "32768"));
    text_free(&wide);
}

static void an_edit_beyond_the_limits_changes_nothing(void **state)
{
    struct setup_error error;
    struct text full = {0};
    text_add_string(&full, "<dict><key>a</key><array>");
    for (int i = 0; i < CONFIG_CHILDREN_MAX; i++) {
        text_add_string(&full, "<true/>");
    }
    text_add_string(&full, "</array></dict>");
    struct config_document *document = config_parse(full.bytes, full.length, &error);
    struct config_field field = {"Name", CONFIG_STRING, "x"};
    assert_non_null(document);
    assert_false(config_append(document, "a", &field, 1));
    assert_text(document, full.bytes);
    assert_true(config_set(document, "b", CONFIG_BOOLEAN, "true"));
    config_free(document);
    text_free(&full);
}

/* Every prefix of the sample, and the sample with each kind of byte broken, is read or refused. */
static void damaged_texts_are_read_or_refused(void **state)
{
    char *path = format_string("%s/tests/fixtures/setup/Sample.plist", getenv("MACHV_SOURCE_ROOT"));
    struct config_document *sample = parse_file(path);
    size_t size = 0;
    char *text = copy_string(config_text(sample, &size));
    uint32_t random = 1;
    struct setup_error error;
    for (int i = 0; i < 400; i++) {
        random = random * 1664525 + 1013904223;
        size_t at = random % size;
        char old = text[at];
        text[at] = (char)("<>/!-&ka\0"[random >> 16 & 7]);
        struct config_document *damaged = config_parse(text, i % 2 == 0 ? size : at, &error);
        if (damaged != NULL) {
            config_set(damaged, "Kernel->Quirks->New", CONFIG_BOOLEAN, "true");
        }
        config_free(damaged);
        text[at] = old;
    }
    free(text);
    config_free(sample);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_by_path),
        cmocka_unit_test(setting_a_value_changes_its_bytes_alone),
        cmocka_unit_test(a_new_key_takes_its_place_in_the_alphabet),
        cmocka_unit_test(missing_dictionaries_are_made),
        cmocka_unit_test(entries_are_appended_moved_and_removed),
        cmocka_unit_test(windows_line_ends_stay),
        cmocka_unit_test(the_sample_survives_an_edit_and_its_reversal),
        cmocka_unit_test(what_is_no_configuration_is_refused_with_its_line),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(an_edit_beyond_the_limits_changes_nothing),
        cmocka_unit_test(damaged_texts_are_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
