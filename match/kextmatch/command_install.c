/* SPDX-License-Identifier: BSD-3-Clause */
/* install, uninstall, verify: kexts in ROOT/Library/Extensions. */
#include "match/kextmatch/commands.h"
#include "match/kextmatch/print.h"

#include "match/file.h"
#include "match/install.h"
#include "match/lint.h"
#include "match/macho.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { ADVICE_MAX = 12 };

struct task {
    struct session session;
    struct install_options install;
    struct lint_options lint;
    struct json_object *json;
};

static bool begin(struct task *task, enum command_bit command, const char *usage, int count,
                  char **arguments, int *status)
{
    struct session *session = &task->session;
    unsigned owner = 0;
    unsigned group = 0;

    *status = STATUS_TROUBLE;
    if (!session_begin(session, command, usage, count, arguments)) {
        *status = session_end(session, session->options.help ? STATUS_MATCHED : STATUS_TROUBLE);
        return false;
    }
    if (session->options.owner != NULL &&
        sscanf(session->options.owner, "%u:%u", &owner, &group) != 2) {
        *status = session_end(session, session_usage(usage, "--owner needs UID:GID in numbers"));
        return false;
    }
    task->install =
        (struct install_options){ .root =
                                      session->options.root == NULL ? "/" : session->options.root,
                                  .owner = owner,
                                  .group = group,
                                  .force = session->options.force };
    task->lint = (struct lint_options){ .release = session->release,
                                        .architecture = session->architecture,
                                        .names = session->names,
                                        .owner = owner,
                                        .group = group };
    task->json = session->options.json ? json_object_new_object() : NULL;
    return true;
}

/* Lines for people go to standard output unless JSON was asked for. */
__attribute__((format(printf, 3, 4))) static void say(const struct task *task, const char *key,
                                                      const char *format, ...)
{
    char text[600];
    va_list arguments;
    struct json_object *array;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (task->json == NULL) {
        printf("%s\n", text);
        return;
    }
    array = json_object_object_get(task->json, key);
    if (array == NULL) {
        array = json_object_new_array();
        json_object_object_add(task->json, key, array);
    }
    json_object_array_add(array, json_string(text));
}

static int finish(struct task *task, int status)
{
    if (task->json != NULL)
        print_json(task->json);
    return session_end(&task->session, status);
}

/* Reports the findings that concern `kext` (NULL: all of them). Returns the number of errors. */
static size_t check(struct task *task, const struct kext *kext)
{
    struct findings findings = { NULL };
    struct problems none = { 0 };
    size_t errors = 0;
    size_t index;

    lint_kexts(&task->session.kexts, &none, &task->lint, &findings);
    for (index = 0; index < findings.count; index++) {
        const struct finding *finding = &findings.list[index];
        const struct lint_rule *rule = &lint_rules[finding->rule];

        if (rule->severity == LINT_NOTE ||
            (kext != NULL && strncmp(finding->path, kext->path, strlen(kext->path)) != 0))
            continue;
        errors += rule->severity == LINT_ERROR;
        say(task, "findings", "%s: %s: %s [%s]", finding->path, lint_severity_name(rule->severity),
            finding->text, rule->id);
    }
    findings_clear(&findings);
    return errors;
}

/* Is there a signature to be seen? Whether it is valid only the system can say. */
static bool shows_signature(struct task *task, const struct kext *kext)
{
    char *path = NULL;
    char *executable = kext_executable_path(kext);
    struct stat status;
    bool found = false;
    struct macho macho;
    char why[120];
    char architectures[120];
    size_t offset;
    size_t size;
    char *bytes;

    if (asprintf(&path, "%s/Contents/_CodeSignature", kext->path) > 0)
        found = stat(path, &status) == 0;
    free(path);
    bytes = executable == NULL ? NULL : file_read(executable, MACHO_SIZE_MAX, &size);
    if (bytes != NULL && macho_parse(bytes, size, &macho, &offset, why, sizeof why)) {
        const struct macho_slice *slice = macho_find(&macho, task->session.architecture);

        macho_architectures(&macho, architectures, sizeof architectures);
        say(task, "notes", "executable: %s", architectures);
        found |= slice != NULL && slice->has_signature;
    }
    free(bytes);
    free(executable);
    say(task, "notes",
        found ? "a signature is there; whether it is valid is not checked"
              : "no signature is to be seen");
    return found;
}

static void advise(struct task *task, enum install_kind kind)
{
    const char *lines[ADVICE_MAX];
    size_t count = install_advice(task->session.release, kind, lines, ADVICE_MAX);
    size_t index;

    for (index = 0; index < count; index++)
        say(task, "next", "next: %s", lines[index]);
}

/* The libraries that are installed already count for the kexts to come. */
static bool root_is_there(struct task *task)
{
    struct stat status;
    bool there = stat(task->install.root, &status) == 0 && S_ISDIR(status.st_mode);

    if (!there)
        problems_add(&task->session.problems, PROBLEM_ERROR, task->install.root, 0,
                     "there is no such folder: --root names the volume");
    return there;
}

static void load_installed(struct task *task)
{
    char *folder = NULL;
    struct stat status;
    struct problems ignored = { 0 };
    const struct kext_options options = { .architecture = task->session.architecture };

    if (asprintf(&folder, "%s/Library/Extensions", task->install.root) > 0 &&
        stat(folder, &status) == 0)
        kext_set_load(&task->session.kexts, folder, &options, &ignored);
    problems_clear(&ignored);
    free(folder);
}

/* An older copy of the same bundle is what will be replaced: no duplicate, and no library. */
static void leave_out_replaced(struct task *task, const struct kext *kext)
{
    struct kext_set *set = &task->session.kexts;
    char *name = install_name(kext->path);
    size_t index;

    for (index = 0; name != NULL && index < set->count; index++) {
        char *other = install_name(set->kexts[index]->path);

        if (set->kexts[index] != kext && set->kexts[index]->container == NULL && other != NULL &&
            strcmp(other, name) == 0)
            set->kexts[index]->identifier = "";
        free(other);
    }
    free(name);
}

static bool install_one(struct task *task, const struct kext *kext)
{
    const struct options *options = &task->session.options;
    size_t errors;
    bool is_signed;

    leave_out_replaced(task, kext);
    errors = check(task, kext);
    is_signed = shows_signature(task, kext);
    if (errors > 0 && !options->force) {
        say(task, "result", "%s: not installed: %zu errors (--force installs all the same)",
            kext->path, errors);
        return false;
    }
    if (options->dry_run) {
        char *name = install_name(kext->path);

        say(task, "result",
            "would copy %s to %s/Library/Extensions/%s, owner %u:%u, modes 755 and 644, and touch "
            "the "
            "folder",
            kext->path, task->install.root, name == NULL ? "" : name, (unsigned)task->install.owner,
            (unsigned)task->install.group);
        free(name);
    } else {
        if (!install_bundle(kext->path, &task->install, &task->session.problems)) {
            say(task, "result", "%s: not installed; what was there before stands as it was",
                kext->path);
            return false;
        }
        say(task, "result", "installed %s", kext->path);
    }
    advise(task, is_signed ? INSTALL_SIGNED : INSTALL_UNSIGNED);
    return true;
}

int command_install(int count, char **arguments)
{
    static const char usage[] = "install KEXT... [--root DIR] [--dry-run] [OPTION...]";
    struct task task = { 0 };
    struct session *session = &task.session;
    bool done = true;
    size_t given;
    size_t index;
    int status;

    if (!begin(&task, COMMAND_INSTALL, usage, count, arguments, &status))
        return status;
    if (session->options.operands.count == 0)
        return finish(&task, session_usage(usage, "no kext given"));
    if (install_is_refused(&task.install, &session->problems))
        return finish(&task, STATUS_TROUBLE);
    session_load_kexts(session, &session->options.operands);
    given = session->kexts.count;
    session_load_kexts(session, &session->options.kexts);
    load_installed(&task);
    for (index = 0; index < given; index++) {
        const struct kext *kext = session->kexts.kexts[index];

        if (kext->container != NULL)
            continue; /* comes with its bundle */
        if (!kext->is_bundle)
            problems_add(&session->problems, PROBLEM_ERROR, kext->path, 0,
                         "a property list alone is no bundle");
        else
            done &= install_one(&task, kext);
    }
    return finish(&task, done && given > 0 ? STATUS_MATCHED : STATUS_NOTHING);
}

/* An installed bundle by the name of its folder or its identifier; NULL when there is none. */
static const struct kext *find_installed(const struct session *session, const char *wanted)
{
    size_t index;

    for (index = 0; index < session->kexts.count; index++) {
        const struct kext *kext = session->kexts.kexts[index];
        char *name = install_name(kext->path);
        bool found =
            name != NULL && kext->container == NULL &&
            (strcmp(name, wanted) == 0 || strcmp(kext->identifier, wanted) == 0 ||
             (strlen(name) == strlen(wanted) + 5 && strncmp(name, wanted, strlen(wanted)) == 0));

        free(name);
        if (found)
            return kext;
    }
    return NULL;
}

int command_uninstall(int count, char **arguments)
{
    static const char usage[] = "uninstall NAME_OR_IDENTIFIER... [--root DIR] [--dry-run]";
    struct task task = { 0 };
    struct session *session = &task.session;
    bool done = true;
    size_t index;
    int status;

    if (!begin(&task, COMMAND_UNINSTALL, usage, count, arguments, &status))
        return status;
    if (session->options.operands.count == 0)
        return finish(&task, session_usage(usage, "no kext named"));
    if (!root_is_there(&task))
        return finish(&task, STATUS_TROUBLE);
    load_installed(&task);
    for (index = 0; index < session->options.operands.count; index++) {
        const char *wanted = session->options.operands.strings[index];
        const struct kext *kext = find_installed(session, wanted);
        char *name = kext == NULL ? NULL : install_name(kext->path);

        if (name == NULL) {
            say(&task, "result", "%s is not installed", wanted);
            done = false;
        } else if (session->options.dry_run) {
            say(&task, "result", "would remove %s", kext->path);
        } else if (install_remove(name, &task.install, &session->problems)) {
            say(&task, "result", "removed %s", kext->path);
        } else {
            done = false;
        }
        free(name);
    }
    if (done && !session->options.dry_run)
        advise(&task, INSTALL_REMOVAL);
    return finish(&task, done ? STATUS_MATCHED : STATUS_NOTHING);
}

int command_verify(int count, char **arguments)
{
    static const char usage[] = "verify [NAME_OR_IDENTIFIER...] [--root DIR]";
    struct task task = { 0 };
    struct session *session = &task.session;
    size_t errors = 0;
    bool missing = false;
    size_t index;
    int status;

    if (!begin(&task, COMMAND_VERIFY, usage, count, arguments, &status))
        return status;
    if (!root_is_there(&task))
        return finish(&task, STATUS_TROUBLE);
    load_installed(&task);
    session_load_kexts(session, &session->options.kexts); /* libraries that are elsewhere */
    task.lint.install_rules = true;
    if (session->options.operands.count == 0)
        errors = check(&task, NULL);
    for (index = 0; index < session->options.operands.count; index++) {
        const struct kext *kext = find_installed(session, session->options.operands.strings[index]);

        missing |= kext == NULL;
        if (kext == NULL)
            say(&task, "result", "%s is not installed", session->options.operands.strings[index]);
        else
            errors += check(&task, kext);
    }
    say(&task, "result", "%zu bundles in %s/Library/Extensions: %zu errors", session->kexts.count,
        task.install.root, errors);
    return finish(&task, errors == 0 && !missing ? STATUS_MATCHED : STATUS_NOTHING);
}
