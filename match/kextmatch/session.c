/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/kextmatch/session.h"

#include "match/release.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char default_names[] = "/usr/share/misc/pci.ids";

int session_usage(const char *usage, const char *problem)
{
    fprintf(stderr, "kextmatch: %s\nusage: kextmatch %s\n", problem, usage);
    return STATUS_TROUBLE;
}

static void load_names(struct session *session)
{
    const char *path = session->options.pci_ids;
    struct problems ignored = { 0 };

    session->names = pci_ids_load(path == NULL ? default_names : path,
                                  path == NULL ? &ignored : &session->problems);
    problems_clear(&ignored);
    if (session->names == NULL && path != NULL)
        problems_add(&session->problems, PROBLEM_ERROR, path, 0,
                     "the list of names cannot be read");
}

bool session_begin(struct session *session, enum command_bit command, const char *usage, int count,
                   char **arguments)
{
    *session = (struct session){ 0 };
    if (!options_parse(&session->options, command, count, arguments)) {
        fprintf(stderr, "usage: kextmatch %s\n", usage);
        return false;
    }
    if (session->options.help) {
        printf("usage: kextmatch %s\n", usage);
        options_describe(command);
        return false;
    }
    if (session->options.macos != NULL) {
        session->release = release_parse(session->options.macos);
        if (session->release == 0) {
            fprintf(stderr,
                    "kextmatch: \"%s\" is no release of macOS: 10.4 - 10.15, 11 - 16, 26 ...\n",
                    session->options.macos);
            return false;
        }
    }
    session->architecture =
        session->options.architecture == NULL ? "x86_64" : session->options.architecture;
    load_names(session);
    return true;
}

static void print_problems(const struct session *session)
{
    const struct problems *problems = &session->problems;
    size_t index;

    for (index = 0; index < problems->count; index++) {
        const struct problem *problem = &problems->list[index];

        if (session->options.quiet && problem->severity != PROBLEM_ERROR)
            continue;
        fprintf(stderr, "%s:", problem->place);
        if (problem->line != 0)
            fprintf(stderr, "%zu:", problem->line);
        if (problem->has_offset)
            fprintf(stderr, "offset %zu:", problem->offset);
        fprintf(stderr, " %s: %s", problem_severity_name(problem->severity), problem->text);
        if (problem->times > 1)
            fprintf(stderr, " (and %u times more)", problem->times - 1);
        fputc('\n', stderr);
    }
    if (problems->dropped > 0)
        fprintf(stderr, "kextmatch: %zu more messages\n", problems->dropped);
}

int session_end(struct session *session, int status)
{
    fflush(stdout);
    print_problems(session);
    if (session->problems.errors > 0)
        status = STATUS_TROUBLE;
    problems_clear(&session->problems);
    kext_set_clear(&session->kexts);
    device_list_clear(&session->devices);
    pci_ids_free(session->names);
    options_clear(&session->options);
    return status;
}

void session_load_kexts(struct session *session, const struct string_list *paths)
{
    const struct kext_options options = {
        .architecture = session->architecture,
        .mode = session->options.strict ? PLIST_FILE_STRICT : PLIST_FILE_LENIENT,
        .without_plugins = session->options.no_plugins,
    };
    size_t index;

    for (index = 0; index < paths->count; index++)
        kext_set_load(&session->kexts, paths->strings[index], &options, &session->problems);
}

/* Ids with a slash have a colon or a backslash too, and names have neither dot nor slash. */
static bool looks_like_a_path(const char *word)
{
    return strpbrk(word, ":\\") == NULL && strpbrk(word, "./") != NULL;
}

static bool is_file(const char *path)
{
    struct stat status;

    return strcmp(path, "-") == 0 || stat(path, &status) == 0;
}

static bool is_selected(const struct session *session, const struct device_record *record)
{
    const struct string_list *select = &session->options.select;
    size_t index;

    for (index = 0; index < select->count; index++) {
        size_t length = strlen(select->strings[index]);
        size_t have = strlen(record->label);

        /* "00:1f.2" also means "0000:00:1f.2" */
        if (have >= length && strcmp(record->label + have - length, select->strings[index]) == 0 &&
            (have == length || record->label[have - length - 1] == ':'))
            return true;
    }
    return select->count == 0;
}

/* Devices that were not asked for stay in the list: others may have them as parents. */
static void select_devices(struct session *session, const char *source, size_t from)
{
    size_t kept = 0;
    size_t index;

    for (index = from; index < session->devices.count; index++) {
        struct device_record *record = session->devices.records[index];

        record->skipped = !is_selected(session, record);
        kept += !record->skipped;
    }
    if (kept == 0 && session->devices.count > from)
        problems_add(&session->problems, PROBLEM_ERROR, source, 0,
                     "no device of the selected names is in it");
}

static void add_names(struct session *session, size_t from)
{
    const struct string_list *names = &session->options.names;
    char name[128];
    size_t index;
    size_t at;

    for (at = 0; at < names->count; at++) {
        const char *text = names->strings[at];

        while (*text != '\0') {
            size_t length = strcspn(text, ",");

            snprintf(name, sizeof name, "%.*s", (int)(length > 120 ? 120 : length), text);
            for (index = from; *name != '\0' && index < session->devices.count; index++)
                device_add_name(session->devices.records[index], name);
            text += length + (text[length] == ',');
        }
    }
}

static void load_device(struct session *session, const char *device)
{
    size_t from = session->devices.count;

    if (!is_file(device) && looks_like_a_path(device)) {
        problems_add(&session->problems, PROBLEM_ERROR, device, 0,
                     "there is no such file, and no device has such a name");
        return;
    }
    if (!is_file(device)) {
        device_read_word(device, "argument", 0, &session->devices, &session->problems);
        return;
    }
    device_read_file(device, &session->devices, &session->problems);
    if (session->devices.count > from)
        problems_add(&session->problems, PROBLEM_NOTE, device, 0, "read as %s: %zu devices",
                     session->devices.format, session->devices.count - from);
    select_devices(session, device, from);
}

void session_load_devices(struct session *session, const struct string_list *devices)
{
    const char *sysfs = session->options.sysfs == NULL ? "/sys" : session->options.sysfs;
    size_t index;

    for (index = 0; index < devices->count; index++)
        load_device(session, devices->strings[index]);
    if (session->options.live) {
        size_t from = session->devices.count;

        device_read_sysfs(sysfs, &session->devices, &session->problems);
        select_devices(session, sysfs, from);
    }
    add_names(session, 0);
}
