/* SPDX-License-Identifier: BSD-3-Clause */
/* Collects decisions and findings and prints them. */
#include "setup/report.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "setup/text.h"

const char *severity_name(enum severity severity)
{
    static const char *const names[] = {"note", "warning", "error"};
    return names[severity];
}

void report_decide(struct report *report, const char *what, const char *value, const char *why)
{
    size_t count = report->decision_count++;
    report->decisions = reallocate(report->decisions, (count + 1) * sizeof *report->decisions);
    report->decisions[count] =
        (struct report_decision){copy_string(what), copy_string(value), copy_string(why)};
}

void report_find(struct report *report, const struct report_finding *finding)
{
    size_t count = report->finding_count++;
    report->findings = reallocate(report->findings, (count + 1) * sizeof *report->findings);
    report->findings[count] = (struct report_finding){
        finding->severity,
        copy_string(finding->id),
        copy_string(finding->path),
        copy_string(finding->reason),
        copy_string(finding->fix == NULL ? "" : finding->fix),
        finding->fixable,
    };
}

size_t report_problem_count(const struct report *report)
{
    size_t problems = 0;
    for (size_t i = 0; i < report->finding_count; i++) {
        problems += report->findings[i].severity != SEVERITY_NOTE;
    }
    return problems;
}

static struct json_object *decisions_json(const struct report *report)
{
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < report->decision_count; i++) {
        struct json_object *one = json_object_new_object();
        json_object_object_add(one, "what", json_object_new_string(report->decisions[i].what));
        json_object_object_add(one, "value", json_object_new_string(report->decisions[i].value));
        json_object_object_add(one, "why", json_object_new_string(report->decisions[i].why));
        json_object_array_add(list, one);
    }
    return list;
}

static struct json_object *findings_json(const struct report *report)
{
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < report->finding_count; i++) {
        const struct report_finding *finding = &report->findings[i];
        struct json_object *one = json_object_new_object();
        json_object_object_add(one, "severity",
                               json_object_new_string(severity_name(finding->severity)));
        json_object_object_add(one, "id", json_object_new_string(finding->id));
        json_object_object_add(one, "path", json_object_new_string(finding->path));
        json_object_object_add(one, "reason", json_object_new_string(finding->reason));
        json_object_object_add(one, "fix", json_object_new_string(finding->fix));
        json_object_object_add(one, "fixable", json_object_new_boolean(finding->fixable));
        json_object_array_add(list, one);
    }
    return list;
}

static void print_json(const struct report *report, FILE *stream)
{
    struct json_object *root = json_object_new_object();
    json_object_object_add(root, "decisions", decisions_json(report));
    json_object_object_add(root, "findings", findings_json(report));
    json_object_object_add(root, "problems",
                           json_object_new_int64((int64_t)report_problem_count(report)));
    fprintf(stream, "%s\n",
            json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
                                                     JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(root);
}

static void print_finding(const struct report_finding *finding, const struct report_style *style,
                          FILE *stream)
{
    static const char *const colours[] = {"\033[36m", "\033[33m", "\033[31m"};
    fprintf(stream, "%s%s%s %s: %s\n", style->colour ? colours[finding->severity] : "",
            severity_name(finding->severity), style->colour ? "\033[0m" : "", finding->id,
            finding->path);
    fprintf(stream, "    %s\n", finding->reason);
    if (finding->fix[0] != '\0') {
        fprintf(stream, "    fix%s: %s\n", finding->fixable ? " (--fix does it)" : "",
                finding->fix);
    }
}

void report_print(const struct report *report, const struct report_style *style, FILE *stream)
{
    if (style->json) {
        print_json(report, stream);
        return;
    }
    for (size_t i = 0; i < report->decision_count && !style->quiet; i++) {
        const struct report_decision *decision = &report->decisions[i];
        fprintf(stream, "%s%s%s\n    %s\n", decision->what, decision->value[0] == '\0' ? "" : " = ",
                decision->value, decision->why);
    }
    for (size_t i = 0; i < report->finding_count; i++) {
        if (!style->quiet || report->findings[i].severity != SEVERITY_NOTE) {
            print_finding(&report->findings[i], style, stream);
        }
    }
}

void report_free(struct report *report)
{
    for (size_t i = 0; i < report->decision_count; i++) {
        free(report->decisions[i].what);
        free(report->decisions[i].value);
        free(report->decisions[i].why);
    }
    for (size_t i = 0; i < report->finding_count; i++) {
        free(report->findings[i].id);
        free(report->findings[i].path);
        free(report->findings[i].reason);
        free(report->findings[i].fix);
    }
    free(report->decisions);
    free(report->findings);
    memset(report, 0, sizeof *report);
}
