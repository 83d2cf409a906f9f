/* SPDX-License-Identifier: BSD-3-Clause */
/* main.c: kextlink's command line and files. See docs/kextlink.md. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "match/plist.h"
#include "tools/kextlink/imports.h"
#include "tools/kextlink/link.h"

enum exit_code {
    EXIT_LINKED = 0,
    EXIT_REFUSED = 1, /* the inputs make no kext */
    EXIT_TROUBLE = 2, /* wrong usage, or a file cannot be read or written */
};

struct arguments {
    const char *output, *imports, *info, *map;
    enum architecture architecture;
    char **inputs;
    size_t input_count;
};

static const char usage[] =
    "usage: kextlink -o OUT [-arch x86_64|i386] [-imports LIST] [-info Info.plist] [-map FILE] "
    "IN.o...\n";

/* One line: what is wrong with the command line, and how it should look. */
static bool misuse(const char *what, const char *word)
{
    fprintf(stderr, "kextlink: error: %s%s; %s", what, word, usage);
    return false;
}

static bool trouble(const char *what, const char *file)
{
    fprintf(stderr, "kextlink: error: %s %s: %s\n", what, file, strerror(errno));
    return false;
}

static bool parse_architecture(const char *name, enum architecture *out)
{
    if (strcmp(name, "x86_64") == 0)
        *out = ARCHITECTURE_X86_64;
    else if (strcmp(name, "i386") == 0)
        *out = ARCHITECTURE_I386;
    else
        return false;
    return true;
}

static bool parse_arguments(int argc, char **argv, struct arguments *out)
{
    const struct {
        const char *name;
        const char **value;
    } options[] = {
        {"-o", &out->output}, {"-imports", &out->imports}, {"-info", &out->info},
        {"-map", &out->map},
    };
    int i = 1;

    for (; i < argc && argv[i][0] == '-'; i += 2) {
        bool known = false;

        if (i + 1 == argc)
            return misuse("no value, or no such option: ", argv[i]);
        if (strcmp(argv[i], "-arch") == 0)
            known = parse_architecture(argv[i + 1], &out->architecture);
        for (size_t j = 0; j < sizeof options / sizeof *options; j++) {
            if (strcmp(argv[i], options[j].name) == 0) {
                *options[j].value = argv[i + 1];
                known = true;
            }
        }
        if (!known)
            return misuse(strcmp(argv[i], "-arch") == 0 ? "no such architecture: "
                                                        : "no such option: ",
                          argv[i + (strcmp(argv[i], "-arch") == 0)]);
    }
    out->inputs = argv + i;
    out->input_count = (size_t)(argc - i);
    if (!out->output)
        return misuse("no -o OUT was given", "");
    return out->input_count > 0 || misuse("no input file was given", "");
}

/* The whole file, in the arena, with a NUL behind it. */
static bool read_file(struct arena *arena, const char *name, struct link_input *out)
{
    int file = open(name, O_RDONLY | O_CLOEXEC);
    struct stat status;
    uint8_t *bytes;
    size_t size = 0;
    ssize_t got = 0;

    if (file < 0)
        return trouble("cannot open", name);
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        fprintf(stderr, "kextlink: error: %s is not a file\n", name);
        close(file);
        return false;
    }
    bytes = arena_allocate(arena, (size_t)status.st_size + 1);
    while (size < (size_t)status.st_size &&
           (got = read(file, bytes + size, (size_t)status.st_size - size)) > 0)
        size += (size_t)got;
    close(file);
    if (got < 0)
        return trouble("cannot read", name);
    *out = (struct link_input){name, bytes, size};
    return true;
}

static bool read_imports(struct link *link, const char *name)
{
    struct link_input file;

    if (!read_file(&link->arena, name, &file))
        return false;
    link->imports = imports_read(&link->arena, name, (const char *)file.bytes, file.size, stderr);
    return link->imports != NULL;
}

/* A copy of the string under `key`, or NULL after a message. */
static const char *info_string(struct link *link, const char *file, const struct plist *info,
                               const char *key)
{
    const char *text = plist_string(plist_get(info, key));

    if (text)
        return arena_copy_string(&link->arena, text, strlen(text));
    fprintf(stderr, "kextlink: error: %s has no string %s\n", file, key);
    return NULL;
}

static bool read_info(struct link *link, const char *name)
{
    struct plist_diagnostic problem;
    struct link_input file;
    struct plist *info;

    if (!read_file(&link->arena, name, &file))
        return false;
    info = plist_parse_xml(file.bytes, file.size, NULL, &problem);
    if (!info) {
        fprintf(stderr, "kextlink: error: %s:%u:%u: %s\n", name, problem.line, problem.column,
                problem.text);
        return false;
    }
    link->expected_identifier = info_string(link, name, info, "CFBundleIdentifier");
    link->expected_version = info_string(link, name, info, "CFBundleVersion");
    plist_release(info);
    return link->expected_identifier && link->expected_version;
}

static bool write_all(int file, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t done = write(file, bytes, size);

        if (done < 0)
            return false;
        bytes += done;
        size -= (size_t)done;
    }
    return true;
}

/* Under a temporary name first, so that nobody ever sees half a kext under its own. */
static bool write_output(struct link *link, const char *name)
{
    const char *temporary = arena_format(&link->arena, "%s.%ld.part", name, (long)getpid());
    int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool written;

    if (file < 0)
        return trouble("cannot create", temporary);
    written = write_all(file, link->output, link->output_size);
    if (close(file) != 0 || !written || rename(temporary, name) != 0) {
        trouble("cannot write", name);
        unlink(temporary);
        return false;
    }
    return true;
}

static bool write_map_file(const struct link *link, const char *name)
{
    FILE *file = fopen(name, "w");
    bool written = file && write_map(link, file);

    if (file && fclose(file) != 0)
        written = false;
    return written || trouble("cannot write", name);
}

static enum exit_code run(struct link *link, const struct arguments *arguments)
{
    struct link_input *inputs =
        arena_allocate(&link->arena, arguments->input_count * sizeof *inputs);

    if ((arguments->imports && !read_imports(link, arguments->imports)) ||
        (arguments->info && !read_info(link, arguments->info)))
        return EXIT_TROUBLE;
    for (size_t i = 0; i < arguments->input_count; i++)
        if (!read_file(&link->arena, arguments->inputs[i], &inputs[i]))
            return EXIT_TROUBLE;
    if (!link_objects(link, inputs, arguments->input_count))
        return EXIT_REFUSED;
    if (!write_output(link, arguments->output) ||
        (arguments->map && !write_map_file(link, arguments->map)))
        return EXIT_TROUBLE;
    return EXIT_LINKED;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct link link = {.messages = stderr};
    enum exit_code code;

    if (!parse_arguments(argc, argv, &arguments))
        return EXIT_TROUBLE;
    link.architecture = arguments.architecture;
    code = run(&link, &arguments);
    link_free(&link);
    return code;
}
