/* SPDX-License-Identifier: BSD-3-Clause */
/* bundle.c: NAME.kext/Contents/{Info.plist,MacOS/NAME}. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "match/plist.h"
#include "tools/kextpack/kextpack.h"

/* Creates `path` and the folders above it. */
static int make_folders(char *path)
{
    for (char *slash = path + 1;; slash++) {
        char kept = *slash;

        if (kept != '/' && kept != '\0')
            continue;
        *slash = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return fail_errno("create folder", path);
        *slash = kept;
        if (kept == '\0')
            return EXIT_DONE;
    }
}

static int copy(const char *from, const char *to, unsigned int mode)
{
    size_t size;
    uint8_t *bytes = read_file(from, &size);
    bool written = bytes && write_file(to, bytes, size, mode);

    free(bytes);
    return written ? EXIT_DONE : EXIT_TROUBLE;
}

static int assemble(const char *output, const char *info, const char *executable,
                    const char *name)
{
    char path[4096];
    int code;

    if ((size_t)snprintf(path, sizeof path, "%s/Contents/MacOS", output) >= sizeof path)
        return fail(EXIT_TROUBLE, "path too long: %s", output);
    code = make_folders(path);
    if (code == EXIT_DONE) {
        snprintf(path, sizeof path, "%s/Contents/MacOS/%s", output, name);
        code = copy(executable, path, 0777);
    }
    if (code == EXIT_DONE) {
        snprintf(path, sizeof path, "%s/Contents/Info.plist", output);
        code = copy(info, path, 0666);
    }
    return code;
}

int pack_bundle(int argc, char **argv)
{
    int rest;
    const char *output = option(argc, argv, "-o", &rest);
    const char *info = option(argc, argv, "-info", &rest);
    const char *executable = option(argc, argv, "-executable", &rest);
    struct plist *plist;
    const char *name;
    int code;

    if (!output || !info || !executable || rest != argc)
        return fail(EXIT_TROUBLE, "usage: kextpack bundle -o NAME.kext -info INFO "
                                  "-executable FILE");
    plist = read_dictionary(info);
    if (!plist)
        return EXIT_REFUSED;
    name = plist_string(plist_get(plist, "CFBundleExecutable"));
    if (!name || !*name || strchr(name, '/'))
        code = fail(EXIT_REFUSED, "%s has no CFBundleExecutable that is a file name", info);
    else
        code = assemble(output, info, executable, name);
    plist_release(plist);
    return code;
}
