/* SPDX-License-Identifier: BSD-3-Clause */
/* main.c: kextpack's verbs, and the file helpers they share. See docs/kextlink.md. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "match/plist.h"
#include "tools/kextpack/kextpack.h"

int fail(enum exit_code code, const char *format, ...)
{
    va_list arguments;

    fputs("kextpack: error: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return code;
}

int fail_errno(const char *what, const char *file)
{
    return fail(EXIT_TROUBLE, "cannot %s %s: %s", what, file, strerror(errno));
}

const char *option(int argc, char **argv, const char *name, int *rest)
{
    const char *value = NULL;
    int i = 1;

    for (; i + 1 < argc && argv[i][0] == '-'; i += 2)
        if (strcmp(argv[i], name) == 0)
            value = argv[i + 1];
    *rest = i;
    return value;
}

uint8_t *read_file(const char *name, size_t *size)
{
    FILE *file = fopen(name, "rb");
    struct stat status;
    uint8_t *bytes;

    if (!file || fstat(fileno(file), &status) != 0) {
        fail_errno("open", name);
        if (file)
            fclose(file);
        return NULL;
    }
    bytes = malloc((size_t)status.st_size + 1);
    *size = bytes ? fread(bytes, 1, (size_t)status.st_size, file) : 0;
    if (!bytes || *size != (size_t)status.st_size) {
        fail(EXIT_TROUBLE, "cannot read %s", name);
        free(bytes);
        bytes = NULL;
    }
    fclose(file);
    return bytes;
}

bool write_file(const char *name, const void *bytes, size_t size, unsigned int mode)
{
    char temporary[4096];
    const char *at = bytes;
    int file;

    snprintf(temporary, sizeof temporary, "%s.%ld.part", name, (long)getpid());
    file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (file < 0)
        return fail_errno("create", temporary), false;
    while (size > 0) {
        ssize_t done = write(file, at, size);

        if (done < 0)
            break;
        at += done;
        size -= (size_t)done;
    }
    if (close(file) != 0 || size > 0 || rename(temporary, name) != 0) {
        fail_errno("write", name);
        unlink(temporary);
        return false;
    }
    return true;
}

struct plist *read_dictionary(const char *name)
{
    struct plist_diagnostic problem;
    struct plist *value;
    uint8_t *text;
    size_t size;

    text = read_file(name, &size);
    if (!text)
        return NULL;
    value = plist_parse_xml(text, size, NULL, &problem);
    free(text);
    if (!value)
        fail(EXIT_REFUSED, "%s:%u:%u: %s", name, problem.line, problem.column, problem.text);
    else if (!plist_is(value, PLIST_DICTIONARY))
        fail(EXIT_REFUSED, "%s: the top is a %s, not a dictionary", name,
             plist_type_name(value));
    else
        return value;
    plist_release(value);
    return NULL;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } verbs[] = {{"fat", pack_fat}, {"info", pack_info}, {"bundle", pack_bundle}};

    for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    fputs("usage: kextpack fat -o OUT SLICE...\n"
          "       kextpack info -o OUT -template T -name N -identifier I -version V FRAGMENT...\n"
          "       kextpack bundle -o NAME.kext -info INFO -executable FILE\n",
          stderr);
    return EXIT_TROUBLE;
}
