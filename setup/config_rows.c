/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows' engine: one reading of a row serves both building and checking. */
#include "setup/config_rows.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "setup/data/schema.h"
#include "setup/text.h"

long kernel_version(const char *text)
{
    long parts[3] = {0};
    const char *at = text;
    for (int i = 0; i < 3 && *at != '\0'; i++) {
        int digits = 0;
        while (isdigit((unsigned char)*at) && digits < 2) {
            parts[i] = parts[i] * 10 + (*at++ - '0');
            digits++;
        }
        if (digits == 0) {
            return -1;
        }
        if (*at == '.' && i < 2) {
            at++;
        }
    }
    return *at == '\0' ? parts[0] * 10000 + parts[1] * 100 + parts[2] : -1;
}

bool kernel_bounds_include(const char *min, const char *max, unsigned darwin)
{
    long first = (long)darwin * 10000, last = first + 9999;
    return (*min == '\0' || kernel_version(min) <= last) &&
           (*max == '\0' || kernel_version(max) >= first);
}

static bool is_comment(const struct row_field *field)
{
    return strcmp(field->key, "Comment") == 0;
}

/* A bound that the row leaves open is met by any that does not shut the target out. */
static bool open_bound_met(const struct row_field *field, const char *shown, unsigned darwin)
{
    if (field->value[0] != '\0') {
        return false;
    }
    if (strcmp(field->key, "MinKernel") == 0) {
        return kernel_bounds_include(shown, "", darwin);
    }
    return strcmp(field->key, "MaxKernel") == 0 && kernel_bounds_include("", shown, darwin);
}

static bool field_met(const struct config_document *document, int entry,
                      const struct row_field *field, unsigned darwin)
{
    int node = field->key == NULL ? entry : config_child(document, entry, field->key);
    if (config_equals(document, node, field->type, field->value) ||
        (field->also != NULL && config_equals(document, node, field->type, field->also))) {
        return true;
    }
    if (field->key == NULL || config_type(document, node) != CONFIG_STRING) {
        return false;
    }
    char *shown = config_string(document, node);
    bool met = open_bound_met(field, shown, darwin);
    if (strcmp(field->key, "Base") == 0 && field->value[0] == '\\') {
        met = strcmp(shown, field->value + 1) == 0; /* the leading backslash is optional */
    }
    free(shown);
    return met;
}

static bool identity_met(const struct config_document *document, int entry, const struct row *row)
{
    for (size_t i = 0; i < row_field_count(row); i++) {
        if (row->fields[i].identity && !field_met(document, entry, &row->fields[i], 0)) {
            return false;
        }
    }
    return true;
}

static bool entry_met(const struct config_document *document, int entry, const struct row *row,
                      unsigned darwin)
{
    bool met = config_boolean(document, config_child(document, entry, "Enabled"));
    for (size_t i = 0; i < row_field_count(row) && met; i++) {
        met = is_comment(&row->fields[i]) || field_met(document, entry, &row->fields[i], darwin);
    }
    return met;
}

/* The entry that the row means: one that meets it, else the first with its identity. */
static int find_entry(const struct config_document *document, const struct row *row,
                      unsigned darwin, size_t *index)
{
    int found = CONFIG_NONE;
    size_t position = 0;
    int array = config_find(document, row->path);
    for (int entry = config_first(document, array); entry != CONFIG_NONE;
         entry = config_next(document, entry), position++) {
        if (!identity_met(document, entry, row)) {
            continue;
        }
        bool met = entry_met(document, entry, row, darwin);
        if (found == CONFIG_NONE || met) {
            found = entry;
            *index = position;
        }
        if (met) {
            break;
        }
    }
    return found;
}

char *row_value_text(const struct row *row)
{
    if (row->kind != ROW_ENTRY) {
        return copy_string(row->fields[0].value);
    }
    for (size_t i = 0; i < row_field_count(row); i++) {
        if (row->fields[i].identity) {
            return format_string("{%s: %s}", row->fields[i].key, row->fields[i].value);
        }
    }
    return copy_string("");
}

/* ---- applying ---- */

static const char *default_of_type(const char *type)
{
    return type[0] == 'b' ? "false" : type[0] == 'i' ? "0" : "";
}

/* Appends an entry with every key that the schema has, the row's own over the defaults. */
static bool append_entry(struct config_document *document, const struct row *row, bool other_file)
{
    enum { KEYS_MAX = 20 };
    struct config_field fields[KEYS_MAX];
    char names[KEYS_MAX][64];
    char type[8];
    size_t count = 0;
    const struct schema_section *schema = schema_of_array(row->path);
    const char *keys = schema == NULL ? "" : schema->keys;
    while (count < KEYS_MAX && (keys = schema_next_key(keys, names[count], type)) != NULL) {
        struct config_field *field = &fields[count];
        *field =
            (struct config_field){names[count], (enum config_type)type[0], default_of_type(type)};
        if (strcmp(names[count], "Enabled") == 0) {
            field->value = "true";
        }
        if (strchr(type, '*') != NULL) {
            continue; /* older releases do not know it, newer ones have a default */
        }
        for (size_t i = 0; i < row_field_count(row); i++) {
            const struct row_field *own = &row->fields[i];
            if (strcmp(own->key, names[count]) == 0) {
                field->value =
                    other_file && own->also != NULL && own->identity ? own->also : own->value;
            }
        }
        count++;
    }
    return config_append(document, row->path, fields, count);
}

static bool apply_entry(struct config_document *document, const struct row *row, bool other_file)
{
    size_t index = 0;
    if (find_entry(document, row, 0, &index) == CONFIG_NONE) {
        return append_entry(document, row, other_file);
    }
    bool ok = true;
    char *path = format_string("%s[%zu]->Enabled", row->path, index);
    ok = config_set(document, path, CONFIG_BOOLEAN, "true");
    free(path);
    for (size_t i = 0; i < row_field_count(row) && ok; i++) {
        const struct row_field *field = &row->fields[i];
        path = format_string("%s[%zu]", row->path, index);
        bool met = is_comment(field) || field_met(document, config_find(document, path), field, 0);
        free(path);
        if (!met) {
            path = format_string("%s[%zu]->%s", row->path, index, field->key);
            ok = config_set(document, path, field->type, field->value);
            free(path);
        }
    }
    return ok;
}

static bool apply_word(struct config_document *document, const struct row *row)
{
    char *old = config_string(document, config_find(document, row->path));
    const char *word = row->fields[0].value;
    bool ok = true;
    if (old == NULL || !has_word(old, word)) {
        bool empty = old == NULL || old[0] == '\0';
        char *both = format_string("%s%s%s", empty ? "" : old, empty ? "" : " ", word);
        ok = config_set(document, row->path, CONFIG_STRING, both);
        free(both);
    }
    free(old);
    return ok;
}

bool row_apply(struct config_document *document, const struct row *row, bool other_file,
               struct setup_error *error)
{
    bool ok = true;
    if (row->kind == ROW_ENTRY) {
        ok = apply_entry(document, row, other_file);
    } else if (row->kind == ROW_WORD) {
        ok = apply_word(document, row);
    } else if (!field_met(document, config_find(document, row->path), &row->fields[0], 0)) {
        ok = config_set(document, row->path, row->fields[0].type, row->fields[0].value);
    }
    return ok ||
           setup_fail(error, "%s: the configuration has another kind of value here", row->path);
}

/* ---- checking ---- */

static void find_difference(struct report *report, const struct row *row, const char *path,
                            const char *what, const char *fix)
{
    char *reason = format_string("%s; %s", what, row->why);
    report_find(report, &(struct report_finding){.severity = row->severity,
                                                 .id = (char *)row->id,
                                                 .path = (char *)path,
                                                 .reason = reason,
                                                 .fix = (char *)fix,
                                                 .fixable = true});
    free(reason);
}

static void differ_value(const struct config_document *document, int node, struct report *report,
                         const struct row *row, const char *path, const struct row_field *field)
{
    char *shown = node == CONFIG_NONE ? copy_string("missing") : config_show(document, node);
    char *what = format_string("is %s", shown[0] == '\0' ? "empty" : shown);
    char *fix = format_string("set it to %s", field->value[0] == '\0' ? "nothing" : field->value);
    find_difference(report, row, path, what, fix);
    free(fix);
    free(what);
    free(shown);
}

static bool check_entry(const struct config_document *document, const struct row *row,
                        const struct target *target, struct report *report)
{
    size_t index = 0;
    unsigned darwin = target->macos->darwin;
    int entry = find_entry(document, row, darwin, &index);
    if (entry == CONFIG_NONE) {
        char *name = row_value_text(row);
        char *what = format_string("no entry %s", name);
        find_difference(report, row, row->path, what, "add the entry");
        free(what);
        free(name);
        return false;
    }
    if (entry_met(document, entry, row, darwin)) {
        return true;
    }
    if (!config_boolean(document, config_child(document, entry, "Enabled"))) {
        char *path = format_string("%s[%zu]->Enabled", row->path, index);
        find_difference(report, row, path, "the entry is switched off", "set it to true");
        free(path);
    }
    for (size_t i = 0; i < row_field_count(row); i++) {
        const struct row_field *field = &row->fields[i];
        if (!is_comment(field) && !field_met(document, entry, field, darwin)) {
            char *path = format_string("%s[%zu]->%s", row->path, index, field->key);
            differ_value(document, config_child(document, entry, field->key), report, row, path,
                         field);
            free(path);
        }
    }
    return false;
}

bool row_check(const struct config_document *document, const struct row *row,
               const struct target *target, struct report *report)
{
    if (row->kind == ROW_ENTRY) {
        return check_entry(document, row, target, report);
    }
    int node = config_find(document, row->path);
    if (row->kind == ROW_WORD) {
        char *string = config_string(document, node);
        bool met = string != NULL && has_word(string, row->fields[0].value);
        free(string);
        if (!met) {
            char *what = format_string("%s is missing", row->fields[0].value);
            char *fix = format_string("add %s", row->fields[0].value);
            find_difference(report, row, row->path, what, fix);
            free(fix);
            free(what);
        }
        return met;
    }
    if (field_met(document, node, &row->fields[0], target->macos->darwin)) {
        return true;
    }
    differ_value(document, node, report, row, row->path, &row->fields[0]);
    return false;
}
