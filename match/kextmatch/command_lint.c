/* SPDX-License-Identifier: BSD-3-Clause */
/* lint: mistakes in kexts and their personalities. */
#include "match/kextmatch/commands.h"
#include "match/kextmatch/print.h"

#include "match/lint.h"

#include <stdio.h>
#include <string.h>

static void print_finding(const struct finding *finding)
{
    const struct lint_rule *rule = &lint_rules[finding->rule];

    printf("%s:", finding->path);
    if (finding->line != 0)
        printf("%zu:", finding->line);
    printf(" %s: %s [%s]\n", lint_severity_name(rule->severity), finding->text, rule->id);
    if (finding->personality != NULL)
        printf("    in personality \"%s\"\n", finding->personality);
    printf("    fix: %s\n", rule->fix);
}

static struct json_object *finding_json(const struct finding *finding)
{
    const struct lint_rule *rule = &lint_rules[finding->rule];
    struct json_object *object = json_object_new_object();

    json_object_object_add(object, "id", json_string(rule->id));
    json_object_object_add(object, "severity", json_string(lint_severity_name(rule->severity)));
    json_object_object_add(object, "path", json_string(finding->path));
    json_object_object_add(
        object, "line", finding->line == 0 ? NULL : json_object_new_int64((int64_t)finding->line));
    json_object_object_add(object, "personality", json_string(finding->personality));
    json_object_object_add(object, "reason", json_string(finding->text));
    json_object_object_add(object, "fix", json_string(rule->fix));
    return object;
}

/* Notes do not make a kext unclean. */
static int report(const struct session *session, const struct findings *findings)
{
    struct json_object *json = session->options.json ? json_object_new_array() : NULL;
    size_t counts[3] = { 0 };
    size_t index;

    for (index = 0; index < findings->count; index++) {
        enum lint_severity severity = lint_rules[findings->list[index].rule].severity;

        counts[severity]++;
        if (session->options.quiet && severity == LINT_NOTE)
            continue;
        if (json != NULL)
            json_object_array_add(json, finding_json(&findings->list[index]));
        else
            print_finding(&findings->list[index]);
    }
    if (json != NULL)
        print_json(json);
    else
        printf("%zu kexts: %zu errors, %zu warnings, %zu notes\n", session->kexts.count,
               counts[LINT_ERROR], counts[LINT_WARNING], counts[LINT_NOTE]);
    return counts[LINT_ERROR] + counts[LINT_WARNING] == 0 ? STATUS_MATCHED : STATUS_NOTHING;
}

static int print_rules(const struct session *session)
{
    struct json_object *json = session->options.json ? json_object_new_array() : NULL;
    size_t index;

    for (index = 0; index < LINT_RULES; index++) {
        const struct lint_rule *rule = &lint_rules[index];
        struct json_object *object;

        if (json == NULL) {
            printf("%-28s %-8s %s\n", rule->id, lint_severity_name(rule->severity), rule->fix);
            continue;
        }
        object = json_object_new_object();
        json_object_object_add(object, "id", json_string(rule->id));
        json_object_object_add(object, "severity", json_string(lint_severity_name(rule->severity)));
        json_object_object_add(object, "fix", json_string(rule->fix));
        json_object_array_add(json, object);
    }
    if (json != NULL)
        print_json(json);
    return STATUS_MATCHED;
}

int command_lint(int count, char **arguments)
{
    static const char usage[] = "lint KEXT_OR_FOLDER... [OPTION...]";
    struct session session;
    struct findings findings = { NULL };
    struct lint_options options = { 0 };
    struct problems loading;
    int status;

    if (!session_begin(&session, COMMAND_LINT, usage, count, arguments))
        return session_end(&session, session.options.help ? STATUS_MATCHED : STATUS_TROUBLE);
    if (session.options.rules)
        return session_end(&session, print_rules(&session));
    if (session.options.operands.count + session.options.kexts.count == 0)
        return session_end(&session, session_usage(usage, "no kext given"));
    if (session.options.owner != NULL &&
        sscanf(session.options.owner, "%u:%u", &options.owner, &options.group) != 2)
        return session_end(&session, session_usage(usage, "--owner needs UID:GID in numbers"));
    options.release = session.release;
    options.architecture = session.architecture;
    options.names = session.names;
    options.install_rules = session.options.install_rules;
    session_load_kexts(&session, &session.options.kexts);
    session_load_kexts(&session, &session.options.operands);
    loading =
        session
            .problems; /* becomes findings; what cannot be read at all ends with STATUS_TROUBLE */
    session.problems = (struct problems){ .errors = session.kexts.count == 0 ? loading.errors : 0 };
    lint_kexts(&session.kexts, &loading, &options, &findings);
    status = report(&session, &findings);
    if (findings.failed)
        problems_add(&session.problems, PROBLEM_ERROR, "kextmatch", 0, "out of memory");
    if (loading.errors > 0)
        status = STATUS_TROUBLE;
    problems_clear(&loading);
    findings_clear(&findings);
    return session_end(&session, status);
}
